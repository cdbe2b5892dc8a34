/**
 * What happens next in a simulated world. Everything that is not a direct function call (a timer, an answer of the
 * store, a packet of the network, the next turn of an event loop) is an item on this agenda. The world takes them one
 * by one in the order of their time, draws lots among those of the same time, and goes on only when everything that
 * the last one caused has been done (all microtasks have run). One thread, no clock but this one: the same seed gives
 * the same run.
 */
import type { SeededRandom } from './seeded-random.ts'

/** Something that can die: a server, a function's process. What is on the agenda of the dead never happens. */
export interface Life {
  alive: boolean
}

/** Outlives everything. */
export const FOREVER: Life = { alive: true }

interface Item {
  readonly dueMs: number
  readonly lot: number
  readonly order: number
  readonly life: Life
  readonly call: () => void
  cancelled: boolean
}

const before = (a: Item, b: Item): boolean =>
  a.dueMs !== b.dueMs ? a.dueMs < b.dueMs : a.lot !== b.lot ? a.lot < b.lot : a.order < b.order

/** Resolves when the queue of microtasks has run dry. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))

export class Agenda {
  readonly #lots: SeededRandom
  readonly #heap: Item[] = []
  #nowMs = 0
  #order = 0
  #taken = 0

  constructor(lots: SeededRandom) {
    this.#lots = lots
  }

  /** Milliseconds since the world began: never jumps, never goes back. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Items that have happened. */
  get taken(): number {
    return this.#taken
  }

  /** Returns a function that cancels. */
  at(dueMs: number, life: Life, call: () => void): () => void {
    const item = {
      dueMs: Math.max(dueMs, this.#nowMs),
      lot: this.#lots.fraction(),
      order: this.#order++,
      life,
      call,
      cancelled: false,
    }
    this.#push(item)
    return () => {
      item.cancelled = true
    }
  }

  after(delayMs: number, life: Life, call: () => void): () => void {
    return this.at(this.#nowMs + delayMs, life, call)
  }

  /** Resolves after the delay, or never when `life` ended before. */
  pause(delayMs: number, life: Life): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, life, resolve))
  }

  /** Lets the world happen until `done` holds; says whether it came to hold before `limitMs`. */
  async run(done: () => boolean, limitMs: number): Promise<boolean> {
    await settled()
    while (!done()) {
      const item = this.#pop()
      if (item === undefined || item.dueMs > limitMs) {
        if (item !== undefined) this.#push(item)
        this.#nowMs = Math.max(this.#nowMs, Math.min(limitMs, item?.dueMs ?? limitMs))
        return false
      }
      this.#nowMs = item.dueMs
      this.#taken++
      item.call()
      await settled()
    }
    return true
  }

  #push(item: Item): void {
    const heap = this.#heap
    let place = heap.push(item) - 1
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = heap[above] as Item
      if (!before(item, parent)) break
      heap[place] = parent
      place = above
    }
    heap[place] = item
  }

  /** The next item that is neither cancelled nor of the dead. */
  #pop(): Item | undefined {
    for (;;) {
      const first = this.#take()
      if (first === undefined || (!first.cancelled && first.life.alive)) return first
    }
  }

  #take(): Item | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let place = 0
    for (;;) {
      const left = 2 * place + 1
      if (left >= heap.length) break
      const right = left + 1
      const child = right < heap.length && before(heap[right] as Item, heap[left] as Item) ? right : left
      if (!before(heap[child] as Item, last)) break
      heap[place] = heap[child] as Item
      place = child
    }
    heap[place] = last
    return first
  }
}
