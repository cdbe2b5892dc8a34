/**
 * When somebody must look at which execution: one due time per execution over one timer of the port. The timer is
 * moved only when an earlier time comes to the front; one that fires too soon finds nothing due and is set again.
 */
import { crashPoint } from '../crash-point.ts'
import { DueHeap } from './due-heap.ts'
import type { Clock, Timers } from './ports.ts'

export class Alarms {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #ring: (executionId: string, lateMs: number) => void
  readonly #heap = new DueHeap()
  /** Executions whose due time ends them (spec 08 §8.2): a clock that skips idle time must not skip there. */
  readonly #deadlines = new Set<string>()
  #armed: { readonly dueMs: number; readonly cancel: () => void } | undefined
  #stopped = false

  constructor(deps: { clock: Clock; timers: Timers; ring: (executionId: string, lateMs: number) => void }) {
    this.#clock = deps.clock
    this.#timers = deps.timers
    this.#ring = deps.ring
  }

  get size(): number {
    return this.#heap.size
  }

  dueOf(executionId: string): number | undefined {
    return this.#heap.dueOf(executionId)
  }

  set(executionId: string, dueMs: number, isDeadline: boolean): void {
    if (this.#stopped) return
    if (isDeadline) this.#deadlines.add(executionId)
    else this.#deadlines.delete(executionId)
    if (this.#heap.dueOf(executionId) === dueMs) return
    this.#heap.set(executionId, dueMs)
    this.#arm()
  }

  clear(executionId: string): void {
    this.#heap.delete(executionId)
    this.#deadlines.delete(executionId)
  }

  /** The next time at which something other than the end of an execution is due. */
  nextSkippable(): number | undefined {
    const first = this.#heap.peek()
    return first === undefined || this.#deadlines.has(first.id) ? undefined : first.dueMs
  }

  /** How long the earliest due time has passed without ringing. */
  get overdueMs(): number {
    const first = this.#heap.peek()
    return first === undefined ? 0 : Math.max(0, this.#clock.now() - first.dueMs)
  }

  stop(): void {
    this.#stopped = true
    this.#armed?.cancel()
    this.#armed = undefined
  }

  #arm(): void {
    const first = this.#heap.peek()
    if (first === undefined || this.#stopped) return
    if (this.#armed !== undefined) {
      if (this.#armed.dueMs <= first.dueMs) return
      this.#armed.cancel()
    }
    this.#armed = { dueMs: first.dueMs, cancel: this.#timers.at(first.dueMs, () => this.#fire()) }
  }

  #fire(): void {
    this.#armed = undefined
    const now = this.#clock.now()
    for (let due = this.#heap.takeDue(now); due !== undefined; due = this.#heap.takeDue(now)) {
      this.#deadlines.delete(due.id)
      crashPoint('timer-due')
      this.#ring(due.id, now - due.dueMs)
    }
    this.#arm()
  }
}
