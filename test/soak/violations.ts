/** The promises as the soak sees them kept or broken. A broken one is told at once and written down; the run goes on. */
import { appendFileSync } from 'node:fs'

export type PromiseName = 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'P6' | 'P7' | 'server'

export class Violations {
  readonly #file: string
  readonly #told = new Map<string, number>()
  checked = 0
  count = 0

  constructor(file: string) {
    this.#file = file
  }

  /** `words` are only made when it does not hold. */
  check(holds: boolean, promise: PromiseName, words: () => string): void {
    this.checked += 1
    if (!holds) this.add(promise, words())
  }

  add(promise: PromiseName, words: string): void {
    this.count += 1
    const line = `${new Date().toISOString()} ${promise} ${words}`
    appendFileSync(this.#file, `${line}\n`)
    // One that repeats itself must not drown the others.
    const times = (this.#told.get(promise) ?? 0) + 1
    this.#told.set(promise, times)
    if (times <= 20) console.error(`VIOLATION: ${line}`)
  }
}
