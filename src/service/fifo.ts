/** A first-come queue whose both ends cost the same however long it is, with each id at most once. */
export class Fifo<T extends { readonly id: string }> {
  #entries: (T | undefined)[] = []
  #head = 0
  /** Where the first of `#entries` would be had nothing ever left: a place less this is an index. */
  #firstPlace = 0
  readonly #places = new Map<string, number>()

  get size(): number {
    return this.#places.size
  }

  has(id: string): boolean {
    return this.#places.has(id)
  }

  /** Adds at the end, unless the id waits already. */
  push(entry: T): void {
    if (this.#places.has(entry.id)) return
    this.#places.set(entry.id, this.#firstPlace + this.#entries.length)
    this.#entries.push(entry)
  }

  take(): T | undefined {
    if (this.#places.size === 0) return undefined
    let entry: T | undefined
    // What was removed has left its place empty.
    while (entry === undefined) {
      entry = this.#entries[this.#head]
      this.#entries[this.#head] = undefined
      this.#head += 1
    }
    this.#places.delete(entry.id)
    // Half of the array is gone: moving the rest costs as much as was taken, once.
    if (this.#head > 1_024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#firstPlace += this.#head
      this.#head = 0
    }
    return entry
  }

  /** Takes one out of its turn; undefined when it does not wait. */
  remove(id: string): T | undefined {
    const place = this.#places.get(id)
    if (place === undefined) return undefined
    const index = place - this.#firstPlace
    const entry = this.#entries[index]
    this.#entries[index] = undefined
    this.#places.delete(id)
    // Nobody may ever take from here: most places are empty, and closing up costs as much as was removed, once.
    if (this.#entries.length > 1_024 && this.#places.size * 4 < this.#entries.length) this.#closeUp()
    return entry
  }

  clear(): void {
    this.#entries = []
    this.#head = 0
    this.#firstPlace = 0
    this.#places.clear()
  }

  #closeUp(): void {
    const entries = this.#entries.filter((entry) => entry !== undefined)
    this.clear()
    for (const entry of entries) this.push(entry)
  }
}
