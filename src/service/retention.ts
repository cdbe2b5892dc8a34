/**
 * Retention (spec 08 §8.6): closed executions are removed some days after their end, by a sweep soon after the start and
 * every hour from then on: a server that never lives for an hour must remove them too.
 */
import { crashPoint } from '../crash-point.ts'
import type { Store } from '../journal/store.ts'
import type { Activity } from './activity.ts'
import type { Lanes } from './lanes.ts'
import type { ServiceLog } from './log.ts'
import type { Clock, Timers } from './ports.ts'

const FIRST_SWEEP_MS = 10_000
const SWEEP_MS = 3_600_000
const MS_PER_DAY = 86_400_000
const PAGE = 100

/** Whether an execution that ended then is gone for its callers, swept already or not. */
export const expired = (endedAt: number | undefined, retentionDays: number, nowMs: number): boolean =>
  endedAt !== undefined && endedAt + retentionDays * MS_PER_DAY <= nowMs

export class Retention {
  readonly #store: Store
  readonly #lanes: Lanes
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #log: ServiceLog
  readonly #activity: Activity
  #cancel: () => void = () => {}
  #sweeping: Promise<number> = Promise.resolve(0)
  #stopped = false

  constructor(deps: {
    store: Store
    lanes: Lanes
    clock: Clock
    timers: Timers
    activity: Activity
    log: ServiceLog
  }) {
    this.#store = deps.store
    this.#lanes = deps.lanes
    this.#clock = deps.clock
    this.#timers = deps.timers
    this.#activity = deps.activity
    this.#log = deps.log
  }

  /** Sweeps when what a start has to do is likely done, and every hour from then on. */
  begin(): void {
    this.#sweepIn(FIRST_SWEEP_MS)
  }

  #sweepIn(delayMs: number): void {
    this.#cancel = this.#timers.at(this.#clock.now() + delayMs, () => {
      this.sweep()
        .catch((error: unknown) => this.#log('warn', 'The retention sweep failed and will be tried again', error))
        .finally(() => {
          if (!this.#stopped) this.#sweepIn(SWEEP_MS)
        })
    })
  }

  /** Removes what has expired, a page at a time. Resolves with the number of executions removed. */
  sweep(): Promise<number> {
    this.#sweeping = this.#sweep()
    return this.#sweeping
  }

  async #sweep(): Promise<number> {
    this.#activity.begin()
    try {
      return await this.#pages()
    } finally {
      this.#activity.end()
    }
  }

  async #pages(): Promise<number> {
    let removed = 0
    while (!this.#stopped) {
      const rows = await this.#store.listExpired({ nowMs: this.#clock.now(), limit: PAGE })
      for (const { key, executionId } of rows) {
        if (this.#stopped) return removed
        crashPoint('expired-found')
        await this.#store.purge({ key })
        crashPoint('expired-removed')
        this.#lanes.forget(executionId)
        removed += 1
      }
      if (rows.length < PAGE) break
    }
    return removed
  }

  /** Resolves when no purge is on its way any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#sweeping.catch(() => {
      // Whoever asked for the sweep has been told.
    })
  }
}
