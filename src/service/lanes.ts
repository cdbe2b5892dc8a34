/**
 * The cache of folded executions: their lanes by execution id, bounded by the bytes that the states take together.
 * Whole executions are evicted, least recently used first (a second chance for those used since the last sweep), and
 * never one whose lane is at work.
 */
import { Lane, type LaneShell } from './lane.ts'
import type { Loaded } from './loading.ts'

export class Lanes {
  readonly #lanes = new Map<string, Lane>()
  readonly #shell: LaneShell
  readonly #capacityBytes: number
  #bytes = 0
  /** Executions that could not be read, and what was said of it. As many as are damaged: few. */
  readonly #unreadable = new Map<string, string>()
  /** The next sweep is due at this size: where all lanes are at work it must not run at every entry. */
  #sweepAtBytes: number

  constructor(shell: Omit<LaneShell, 'resized' | 'empty' | 'unreadable'>, capacityBytes: number) {
    this.#capacityBytes = capacityBytes
    this.#sweepAtBytes = capacityBytes
    this.#shell = {
      ...shell,
      resized: (bytes) => {
        this.#bytes += bytes
        if (bytes > 0 && this.#bytes > this.#sweepAtBytes) this.#sweep()
      },
      unreadable: (executionId, reason) => {
        const said = String(reason)
        if (this.#unreadable.get(executionId) === said) return false
        this.#unreadable.set(executionId, said)
        return true
      },
      empty: (lane) => this.#lanes.delete(lane.executionId),
    }
  }

  get bytes(): number {
    return this.#bytes
  }

  get size(): number {
    return this.#lanes.size
  }

  of(executionId: string): Lane {
    const known = this.#lanes.get(executionId)
    if (known !== undefined) return known
    const lane = new Lane(executionId, this.#shell)
    this.#lanes.set(executionId, lane)
    return lane
  }

  /** Keeps the state of an execution that was just created. */
  install(executionId: string, loaded: Loaded): void {
    this.of(executionId).install(loaded)
  }

  /** The execution is gone from the store. */
  forget(executionId: string): void {
    this.#lanes.get(executionId)?.forget()
  }

  #sweep(): void {
    this.#evict()
    this.#sweepAtBytes = Math.max(this.#capacityBytes, this.#bytes * 1.05)
  }

  #evict(): void {
    // Twice around: the first pass takes the second chances away.
    let looks = this.#lanes.size * 2
    for (const lane of this.#lanes.values()) {
      if (this.#bytes <= this.#capacityBytes || looks-- === 0) return
      if (lane.evictable && !lane.recentlyUsed) {
        lane.evict()
      } else {
        lane.recentlyUsed = false
        // To the back of the map's order, where this loop meets it again.
        this.#lanes.delete(lane.executionId)
        this.#lanes.set(lane.executionId, lane)
      }
    }
  }
}
