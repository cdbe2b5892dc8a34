/** One hostile input: its bytes, and what must come back. */
import type { ErrorName } from '../../src/protocol/errors.ts'
import type { OperationSpec } from '../../src/protocol/operations.ts'
import type { SeededRandom } from '../simulation/seeded-random.ts'

/** What the attacks are about. None of them may change anything of it. */
export interface Target {
  readonly port: number
  /** An open execution whose function waits; nothing may happen to it. */
  readonly arn: string
  /** Current, and stays so. */
  readonly token: string
  /** Consumed before. */
  readonly staleToken: string
  readonly callbackId: string
  /** Another open execution, of the same function. */
  readonly otherArn: string
  readonly otherToken: string
}

/** What is asked of an answer beyond that it is HTTP in the modelled form, with an error of its operation if it is one. */
export interface Expected {
  readonly outcome: 'accepted' | 'refused' | 'either'
  /** The error, if it is one, is one of these; default: any that the operation may answer with. */
  readonly types?: readonly ErrorName[]
  /** The error is none of these: the request is valid. */
  readonly not?: readonly ErrorName[]
  /** What the error's text holds. */
  readonly telling?: string
}

export interface Attack {
  readonly family: string
  /** What is wrong, in words; attacks of one title are of one shape. */
  readonly title: string
  readonly bytes: Buffer
  readonly expected: Expected
  readonly operation?: OperationSpec
  /** An answer to HEAD has no body, whatever its length says. */
  readonly head?: boolean
  /**
   * Absent: one answer, and the connection goes on. `ends`: on a connection of its own, which the server ends by
   * itself, after at most one answer. `cut`: on a connection of its own, which this side half-closes behind the bytes;
   * there may be several answers.
   */
  readonly alone?: 'ends' | 'cut'
}

/** One kind of attacks: draws one of them. */
export type Family = (chance: SeededRandom, target: Target) => Attack

export const ANY: Expected = { outcome: 'either' }
export const REFUSED: Expected = { outcome: 'refused' }
export const ACCEPTED: Expected = { outcome: 'accepted' }

/** Draws one of several by weight. */
export function weighted<T>(chance: SeededRandom, choices: readonly (readonly [weight: number, choice: T])[]): T {
  let left = chance.fraction() * choices.reduce((sum, [weight]) => sum + weight, 0)
  for (const [weight, choice] of choices) {
    left -= weight
    if (left < 0) return choice
  }
  throw new Error('nothing to pick from')
}
