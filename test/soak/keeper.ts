/**
 * What happens to executions that have ended. A sample is kept and compared again and again, for nothing of it may ever
 * change; all others are deleted after a while, so that the database settles at a size. Memory is bounded by that while.
 */
import { createHash } from 'node:crypto'
import type { SeededRandom } from '../simulation/seeded-random.ts'
import type { Api, Description } from './api.ts'
import { answered } from './api.ts'
import type { Violations } from './violations.ts'

const SAMPLE = 150
/** One in so many is looked for after its deletion. */
const LOOKED_FOR = 50
const DELETIONS_AT_A_TIME = 8
const LONGEST_QUEUE = 200_000

interface Kept {
  readonly arn: string
  readonly hash: string
}

interface Doomed {
  readonly arn: string
  readonly atMs: number
  /** The answer to an earlier request was lost, so that it may be gone. */
  readonly again: boolean
}

export class Keeper {
  readonly #api: Api
  readonly #random: SeededRandom
  readonly #violations: Violations
  readonly #ageMs: number
  readonly #sample: Kept[] = []
  #queue: Doomed[] = []
  #next = 0
  #deleting = 0
  deleted = 0
  compared = 0

  constructor(api: Api, random: SeededRandom, violations: Violations, ageMs: number) {
    this.#api = api
    this.#random = random
    this.#violations = violations
    this.#ageMs = ageMs
  }

  /** `hash` of what was read of it when it had ended; absent: it was not read wholly and cannot be compared. */
  take(arn: string, hash?: string): void {
    if (hash !== undefined && this.#sample.length < SAMPLE) this.#sample.push({ arn, hash })
    else if (hash !== undefined && this.#random.chance(0.02)) {
      const place = this.#random.between(0, SAMPLE - 1)
      const [replaced] = this.#sample.splice(place, 1, { arn, hash })
      if (replaced !== undefined) this.#deleteLater(replaced.arn)
    } else this.#deleteLater(arn)
  }

  /** ARNs of the sample. */
  kept(): string[] {
    return this.#sample.map(({ arn }) => arn)
  }

  #deleteLater(arn: string, again = false): void {
    this.#queue.push({ arn, again, atMs: Date.now() + this.#ageMs })
  }

  /** Begins the deletions that are due. */
  deleteDue(): void {
    while (this.#deleting < DELETIONS_AT_A_TIME) {
      const first = this.#queue[this.#next]
      if (first === undefined || (first.atMs > Date.now() && this.#queue.length - this.#next < LONGEST_QUEUE)) break
      this.#next += 1
      this.#deleting += 1
      void this.#delete(first).finally(() => {
        this.#deleting -= 1
      })
    }
    if (this.#next > 1_000) {
      this.#queue = this.#queue.slice(this.#next)
      this.#next = 0
    }
  }

  async #delete({ arn, again }: Doomed): Promise<void> {
    const answer = await this.#api.remove(arn)
    if (!answered(answer)) {
      this.#deleteLater(arn, true)
      return
    }
    this.#violations.check(
      answer.status === 202 || (again && answer.status === 404),
      'P1',
      () => `the deletion of ${arn} got ${answer.status} ${answer.text}`,
    )
    this.deleted += 1
    if (this.deleted % LOOKED_FOR !== 0) return
    const found = await this.#api.describe(arn)
    const there = typeof found !== 'string' && found.is.Status !== 'DELETING'
    this.#violations.check(!there, 'P1', () => `${arn} is there after its deletion was acknowledged`)
  }

  /** Compares one of the sample. */
  async compareOne(): Promise<void> {
    if (this.#sample.length > 0) await this.#compare(this.#random.pick(this.#sample))
  }

  /** Compares all; every one must be answered. */
  async compareAll(): Promise<void> {
    for (const kept of this.#sample) while (!(await this.#compare(kept)));
  }

  async #compare({ arn, hash }: Kept): Promise<boolean> {
    const [description, events] = [await this.#api.describe(arn), await this.#api.history(arn)]
    if (description === 'unanswered' || events === 'unanswered') return false
    // Replaced, and deleted in the meantime.
    if (!this.#sample.some((kept) => kept.arn === arn)) return true
    const again =
      typeof description === 'string' || typeof events === 'string' ? 'gone' : hashOf(description.is, events.is)
    this.#violations.check(again === hash, 'P5', () => `${arn} ended as ${hash} and is now ${again}`)
    this.compared += 1
    return true
  }
}

export const hashOf = (description: Description, events: readonly unknown[]): string =>
  createHash('sha256')
    .update(JSON.stringify([description, events]))
    .digest('hex')
