/** What many worlds together did: the figures of a run. */
import type { Figures } from '../proof/machine.ts'
import { PORTS } from './gate.ts'
import { PROMISES } from './promises.ts'
import { SCENARIOS, type ScenarioName } from './scenario.ts'
import { TIMER_BOUND_MS } from './shadow.ts'
import type { Run } from './simulation.ts'

const HOUR_MS = 3_600_000

export class Totals {
  readonly #counts = new Map<string, number>()
  readonly #faults = new Map<string, number>()
  #latestTimerMs = 0
  #worlds = 0

  add(run: Run): void {
    const { world, executions, happenings, acknowledged, crashes, simulatedMs, sqlite, portCalls } = run
    this.#worlds++
    this.#latestTimerMs = Math.max(this.#latestTimerMs, run.latestTimerMs)
    const figures = { executions, happenings, acknowledged, crashes, simulatedMs, portCalls, sqlite: sqlite ? 1 : 0 }
    for (const [name, count] of Object.entries(figures)) this.#add(name, count)
    for (const [name, count] of Object.entries(run.checked)) this.#add(name, count)
    for (const [port, count] of Object.entries(run.crashesAt)) this.#add(`at ${port}`, count)
    for (const [kind, count] of run.faults) this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count)
    this.#add(world.scenario, 1)
    this.#add(`${world.scenario} ms`, simulatedMs)
  }

  /** Worlds that were run once more, with the same log. */
  replayed(): void {
    this.#add('replayed', 1)
  }

  figures(seconds: number): Figures {
    const hours = this.#of('simulatedMs') / HOUR_MS
    return {
      worlds: this.#worlds,
      'worlds per second': Math.round(this.#worlds / seconds),
      ...Object.fromEntries(SCENARIOS.map((name) => [WORLDS[name], this.#of(name)])),
      'worlds whose store was SQLite': this.#of('sqlite'),
      'worlds replayed, identical byte for byte': this.#of('replayed'),
      'simulated hours': Math.round(hours),
      'simulated hours in worlds of months': Math.round(this.#of('months ms') / HOUR_MS),
      'simulated hours per real hour': Math.round((hours * 3_600) / seconds),
      executions: this.#of('executions'),
      events: this.#of('happenings'),
      'calls over ports': this.#of('portCalls'),
      'answers held against the journal': this.#of('acknowledged'),
      crashes: this.#of('crashes'),
      ...Object.fromEntries(PORTS.map((port) => [`crashes at a call of port ${port}`, this.#of(`at ${port}`)])),
      ...Object.fromEntries(Object.keys(PROMISES).map((name) => [`${name} checked`, this.#of(name)])),
      'latest timer after recovery, ms': this.#latestTimerMs,
      'its bound, ms': TIMER_BOUND_MS,
      ...Object.fromEntries([...this.#faults].sort().map(([kind, count]) => [`fault ${kind}`, count])),
    }
  }

  #add(name: string, count: number): void {
    this.#counts.set(name, this.#of(name) + count)
  }

  #of(name: string): number {
    return this.#counts.get(name) ?? 0
  }
}

const WORLDS: Readonly<Record<ScenarioName, string>> = {
  storm: 'seeds (worlds of minutes, with storms)',
  crowd: 'worlds of crowds, with a slow disk',
  months: 'worlds of months',
  brief: 'brief worlds, with a crash at one call or two',
}
