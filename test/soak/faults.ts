/**
 * Faults drawn by seed. The middle of a run is the server's *long life*: it is stopped and continued, its functions are
 * killed, its clients misbehave, but it is not restarted, or no leak could ever grow. Before and after, it is.
 */
import type { SeededRandom } from '../simulation/seeded-random.ts'
import type { Disturbances, FaultKind } from './disturbances.ts'
import { hostileRequest, slowClient } from './nuisances.ts'
import type { Server } from './server.ts'
import type { Violations } from './violations.ts'

export type Phase = 'storm' | 'long life' | 'draining'

/** Parts of the run between which the server is not restarted. */
export const LONG_LIFE = { from: 0.4, to: 0.92 } as const

type Weights = readonly (readonly [kind: FaultKind, weight: number])[]
const ALWAYS: Weights = [
  ['server stopped', 2],
  ['function killed', 4],
  ['function stopped', 3],
  ['slow clients', 2],
  ['hostile requests', 3],
]
const STORM: Weights = [...ALWAYS, ['server killed', 5], ['server restarted', 2]]

export class Faults {
  readonly #server: Server
  readonly #random: SeededRandom
  readonly #disturbances: Disturbances
  readonly #violations: Violations
  readonly #meanMs: number
  readonly #nuisances = new Set<Promise<void>>()

  constructor(
    server: Server,
    random: SeededRandom,
    disturbances: Disturbances,
    violations: Violations,
    /** Between two faults, on average. */
    meanMs: number,
  ) {
    this.#server = server
    this.#random = random
    this.#disturbances = disturbances
    this.#violations = violations
    this.#meanMs = meanMs
  }

  /** One fault after another until the phase is over. */
  async run(phase: () => Phase): Promise<void> {
    while (phase() !== 'draining') {
      await pause(Math.min(-Math.log(1 - this.#random.fraction()), 4) * this.#meanMs)
      const now = phase()
      if (now !== 'draining') await this.#inject(drawn(this.#random, now === 'storm' ? STORM : ALWAYS))
    }
    await Promise.all(this.#nuisances)
  }

  async #inject(kind: FaultKind): Promise<void> {
    const { endpoint } = this.#server
    switch (kind) {
      case 'server killed':
        return this.#disturbances.during(kind, async () => {
          await this.#server.kill()
          await this.#server.start()
        })
      case 'server restarted':
        return this.#disturbances.during(kind, async () => {
          const code = await this.#server.terminate()
          this.#violations.check(code === 0, 'server', () => `a server that was asked to stop ended with ${code}`)
          await this.#server.start()
        })
      case 'server stopped':
        return this.#disturbances.during(kind, async () => {
          this.#server.signal('SIGSTOP')
          await pause(this.#random.between(200, 4_000))
          this.#server.signal('SIGCONT')
        })
      case 'function killed':
        return this.#disturbances.during(kind, async () => {
          this.#signalFunction('SIGKILL')
        })
      case 'function stopped':
        return this.#disturbances.during(kind, async () => {
          const pid = this.#signalFunction('SIGSTOP')
          await pause(this.#random.between(200, 5_000))
          if (pid !== undefined) signal(pid, 'SIGCONT')
        })
      case 'slow clients':
        return this.#nuisance(kind, 8, () => slowClient(endpoint, this.#random))
      case 'hostile requests':
        return this.#nuisance(kind, 10, () => hostileRequest(endpoint, this.#random, this.#violations))
      default:
        throw new Error(`${kind} is not drawn`)
    }
  }

  #signalFunction(name: 'SIGKILL' | 'SIGSTOP'): number | undefined {
    const processes = this.#server.functionProcesses()
    if (processes.length === 0) return undefined
    const pid = this.#random.pick(processes)
    return signal(pid, name) ? pid : undefined
  }

  /** They go on beside the next faults. */
  #nuisance(kind: FaultKind, count: number, one: () => Promise<void>): void {
    this.#disturbances.mark(kind)
    const all = Promise.all(Array.from({ length: count }, one)).then(() => {
      this.#nuisances.delete(all)
    })
    this.#nuisances.add(all)
  }
}

function drawn(random: SeededRandom, weights: Weights): FaultKind {
  let left = random.fraction() * weights.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [kind, weight] of weights) {
    left -= weight
    if (left < 0) return kind
  }
  return 'function killed'
}

/** False: the process has ended meanwhile. */
function signal(pid: number, name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
