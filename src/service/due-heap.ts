/**
 * A binary heap of due times with one place per id, so that a time can be moved or removed by id in O(log n).
 * Equal times come out in the order in which they were set.
 */
interface Node {
  readonly id: string
  readonly dueMs: number
  readonly order: number
}

const before = (a: Node, b: Node): boolean => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)

export class DueHeap {
  readonly #nodes: Node[] = []
  readonly #places = new Map<string, number>()
  #order = 0

  get size(): number {
    return this.#nodes.length
  }

  peek(): { readonly id: string; readonly dueMs: number } | undefined {
    return this.#nodes[0]
  }

  dueOf(id: string): number | undefined {
    const place = this.#places.get(id)
    return place === undefined ? undefined : this.#nodes[place]?.dueMs
  }

  set(id: string, dueMs: number): void {
    const node = { id, dueMs, order: this.#order++ }
    const place = this.#places.get(id)
    if (place === undefined) {
      this.#put(node, this.#nodes.length)
      this.#up(this.#nodes.length - 1)
      return
    }
    this.#put(node, place)
    this.#down(this.#up(place))
  }

  delete(id: string): void {
    const place = this.#places.get(id)
    if (place === undefined) return
    this.#places.delete(id)
    const last = this.#nodes.pop()
    if (last === undefined || last.id === id) return
    this.#put(last, place)
    this.#down(this.#up(place))
  }

  /** Removes and returns the earliest that is due at `nowMs`. */
  takeDue(nowMs: number): { readonly id: string; readonly dueMs: number } | undefined {
    const first = this.#nodes[0]
    if (first === undefined || first.dueMs > nowMs) return undefined
    this.delete(first.id)
    return first
  }

  #put(node: Node, place: number): void {
    this.#nodes[place] = node
    this.#places.set(node.id, place)
  }

  #up(start: number): number {
    let place = start
    const node = this.#nodes[place]
    if (node === undefined) return place
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = this.#nodes[above]
      if (parent === undefined || !before(node, parent)) break
      this.#put(parent, place)
      place = above
    }
    this.#put(node, place)
    return place
  }

  #down(start: number): void {
    let place = start
    const node = this.#nodes[place]
    if (node === undefined) return
    for (;;) {
      const left = 2 * place + 1
      const a = this.#nodes[left]
      const b = this.#nodes[left + 1]
      const rightIsEarlier = a !== undefined && b !== undefined && before(b, a)
      const child = rightIsEarlier ? b : a
      if (child === undefined || !before(child, node)) break
      this.#put(child, place)
      place = rightIsEarlier ? left + 1 : left
    }
    this.#put(node, place)
  }
}
