/**
 * How much the machine can do: synchronous quick executions one after another on some connections, as fast as they are
 * answered. They live on a clock of yesterday that runs fast (`past-life.ts`), so that afterwards they come to the end
 * of their retention one by one while the soak goes on; until then they must be there, and after it they must be gone.
 */
import type { SeededRandom } from '../simulation/seeded-random.ts'
import type { Api } from './api.ts'
import { drawQuick } from './orders.ts'
import type { Violations } from './violations.ts'

const CONNECTIONS = 16
/** The first part warms processes up and does not count. */
const WARM_UP = 0.35
const SAMPLE = 300
export const RETENTION_DAYS = 1
const MS_PER_DAY = 86_400_000

export interface Calibration {
  readonly executionsPerSecond: number
  readonly executions: number
  readonly arns: readonly string[]
}

export async function calibrate(api: Api, random: SeededRandom, durationMs: number): Promise<Calibration> {
  const beganMs = performance.now()
  const passed = (): number => (performance.now() - beganMs) / durationMs
  const arns: string[] = []
  let executions = 0
  let counted = 0
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (passed() < 1) {
        const order = { ...drawQuick(random, `past-${++executions}`), mischief: 'none' as const }
        const answer = await api.start(order, { type: 'RequestResponse' })
        if (answer?.status !== 200 || answer.arn === undefined) {
          throw new Error(`calibration: ${answer?.status} ${answer?.text}`)
        }
        if (passed() > WARM_UP && passed() < 1) counted += 1
        const place = arns.length < SAMPLE ? arns.length : random.between(0, executions)
        if (place < SAMPLE) arns[place] = answer.arn
      }
    }),
  )
  return { executionsPerSecond: counted / ((durationMs / 1_000) * (1 - WARM_UP)), executions, arns }
}

/** The executions of the calibration, on their way out. */
export class Expiring {
  readonly #api: Api
  readonly #violations: Violations
  readonly #expiries: { readonly arn: string; readonly expiresMs: number }[] = []
  #next = 0
  foundGone = 0
  foundThere = 0

  private constructor(api: Api, violations: Violations) {
    this.#api = api
    this.#violations = violations
  }

  static async of(arns: readonly string[], api: Api, violations: Violations): Promise<Expiring> {
    const expiring = new Expiring(api, violations)
    for (const arn of arns) {
      const found = await api.describe(arn)
      if (typeof found === 'string') throw new Error(`${arn} of the calibration is ${found}`)
      const expiresMs = Math.round((found.is.EndTimestamp ?? 0) * 1_000) + RETENTION_DAYS * MS_PER_DAY
      expiring.#expiries.push({ arn, expiresMs })
    }
    return expiring
  }

  /** Looks for the next of them, in turn. */
  async checkOne(): Promise<void> {
    const one = this.#expiries[this.#next++ % Math.max(1, this.#expiries.length)]
    if (one === undefined) return
    const beforeMs = Date.now()
    const found = await this.#api.describe(one.arn)
    if (found === 'unanswered') return
    const { expiresMs } = one
    if (found === 'gone') this.foundGone += 1
    else this.foundThere += 1
    // Between the two moments of the call either is right.
    if (found === 'gone') {
      this.#violations.check(
        Date.now() >= expiresMs,
        'P1',
        () => `${one.arn} was gone ${expiresMs - Date.now()} ms early`,
      )
    } else {
      this.#violations.check(beforeMs <= expiresMs, 'P5', () => `${one.arn} outlived its retention`)
    }
  }
}
