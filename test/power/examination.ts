/**
 * Lets the power fail at every record of a trace, reopens what is left and holds it against the reference: it is one of
 * the states that the database was in, and no earlier one than the answers so far have promised.
 */
import { join } from 'node:path'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { Disk, type Image, LOSSES, type Loss } from './disk.ts'
import { claimsOf } from './facts.ts'
import type { Recording } from './recording.ts'
import type { Reference } from './reference.ts'
import { digest, fingerprint, isOfStore, openStore, putImage } from './reopening.ts'

export interface Finding {
  /** Records of the trace before the loss. */
  readonly prefix: number
  readonly loss: Loss
  readonly seed: number
  readonly words: string
}

export interface Tally {
  prefixes: number
  /** Images reopened, by what the loss made of the disk. */
  readonly images: Record<Loss, number>
  /** Images that had been seen before, byte for byte: judged again, not reopened. */
  repeated: number
  readonly findings: Finding[]
}

export interface Share {
  /** This examiner takes the prefixes whose number leaves `part` when divided by `parts`. */
  readonly part: number
  readonly parts: number
  readonly seed: number
  readonly scratch: string
  /** By `performance.timeOrigin + performance.now()`: a look at every prefix is finished all the same. */
  readonly untilMs: number
}

/** After so many there is nothing new to learn. */
const MOST_FINDINGS = 5
/** A round looks at every so-many-th prefix, the next round at others, so that little time still sees all of the trace. */
const ROUNDS = 8

export const now = (): number => performance.timeOrigin + performance.now()

export class Examination {
  readonly tally: Tally = {
    prefixes: 0,
    images: { dropped: 0, kept: 0, reordered: 0, 'torn-512': 0, 'torn-4096': 0 },
    repeated: 0,
    findings: [],
  }
  readonly #recording: Recording
  readonly #reference: Reference
  readonly #share: Share
  /** What became of an image: the number of its state, or why it is none. */
  readonly #seen = new Map<string, number | string>()

  constructor(recording: Recording, reference: Reference, share: Share) {
    this.#recording = recording
    this.#reference = reference
    this.#share = share
  }

  run(): Tally {
    for (let round = 0; ; round += 1) {
      this.#walk(round)
      if (now() > this.#share.untilMs || this.tally.findings.length >= MOST_FINDINGS) return this.tally
    }
  }

  #walk(round: number): void {
    const { part, parts } = this.#share
    const disk = new Disk(this.#recording.initial)
    let promised = { state: 0, words: 'nothing' }
    for (const [index, record] of this.#recording.records.entries()) {
      disk.apply(record)
      for (const claim of claimsOf(record, this.#recording.claims)) {
        const state = this.#reference.firstWith.get(claim) ?? Number.POSITIVE_INFINITY
        if (state > promised.state) promised = { state, words: claim }
      }
      if (index % parts !== part || Math.floor(index / parts) % ROUNDS !== round % ROUNDS) continue
      if (this.tally.findings.length >= MOST_FINDINGS) return
      if (round > 0 && now() > this.#share.untilMs) return
      if (round < ROUNDS) this.tally.prefixes += 1
      this.#losePower(disk, index + 1, round, promised)
    }
  }

  #losePower(disk: Disk, prefix: number, round: number, promised: { state: number; words: string }): void {
    for (const loss of LOSSES) {
      // Nothing is left to chance in these two, so once is enough.
      if (round >= ROUNDS && (loss === 'dropped' || loss === 'kept')) continue
      const seed = this.#share.seed + round
      const state = this.#stateOf(imageAt(disk, prefix, loss, seed, isOfStore), loss)
      const words =
        typeof state === 'string'
          ? state
          : state < promised.state
            ? `the store is as it was after commit ${state}, but "${promised.words}" was told, which commit ${promised.state} made true`
            : undefined
      if (words !== undefined) this.tally.findings.push({ prefix, loss, seed, words })
    }
  }

  #stateOf(image: Image, loss: Loss): number | string {
    const key = digest(image)
    const seen = this.#seen.get(key)
    if (seen !== undefined) {
      this.tally.repeated += 1
      return seen
    }
    this.tally.images[loss] += 1
    const state = this.#reopen(image)
    this.#seen.set(key, state)
    return state
  }

  #reopen(image: Image): number | string {
    putImage(image, this.#share.scratch)
    try {
      const found = openStore(join(this.#share.scratch, this.#recording.data), fingerprint)
      return (
        this.#reference.stateOf.get(found) ?? 'the store holds what it never held: something is half, or out of order'
      )
    } catch (error) {
      return `the store does not open: ${error instanceof Error ? error.message : String(error)}`
    }
  }
}

/** The same again for the same prefix, loss and seed. */
export function imageAt(
  disk: Disk,
  prefix: number,
  loss: Loss,
  seed: number,
  wanted?: (path: string) => boolean,
): Image {
  return disk.image(loss, (path) => new SeededRandom(seed, `${loss} of ${path} at ${prefix}`), wanted)
}

/** The disk after so many records of the trace. */
export function diskAt(recording: Recording, prefix: number): Disk {
  const disk = new Disk(recording.initial)
  for (const record of recording.records.slice(0, prefix)) disk.apply(record)
  return disk
}
