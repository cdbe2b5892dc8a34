/** A first-come queue whose both ends cost the same however long it is, with each id at most once. */
export class Fifo<T extends { readonly id: string }> {
  #entries: (T | undefined)[] = []
  #head = 0
  readonly #ids = new Set<string>()

  get size(): number {
    return this.#ids.size
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** Adds at the end, unless the id waits already. */
  push(entry: T): void {
    if (this.#ids.has(entry.id)) return
    this.#ids.add(entry.id)
    this.#entries.push(entry)
  }

  take(): T | undefined {
    const entry = this.#entries[this.#head]
    if (entry === undefined) return undefined
    this.#entries[this.#head] = undefined
    this.#head += 1
    this.#ids.delete(entry.id)
    // Half of the array is gone: moving the rest costs as much as was taken, once.
    if (this.#head > 1_024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
    return entry
  }

  clear(): void {
    this.#entries = []
    this.#head = 0
    this.#ids.clear()
  }
}
