/**
 * The wall clock of a simulated world, and its timers. The clock follows the agenda's time, and jumps when told:
 * forward (a laptop that slept, a corrected clock) and, a little, back. Timers keep their contract through it: at or
 * after a time of *this* clock, late by as much as the world likes, never before.
 */
import type { Clock, Timers } from '../../src/service/ports.ts'
import type { Agenda, Life } from './agenda.ts'

const START_MS = 1_764_547_200_000
/** After a jump, real timers are late by what is left of their last look at the clock (decision 25). */
const RECHECK_MS = 5_000

interface Timer {
  readonly dueMs: number
  readonly life: Life
  readonly call: () => void
  cancel: () => void
}

export class VirtualClock implements Clock {
  readonly #agenda: Agenda
  readonly #latenessMs: () => number
  readonly #timers = new Set<Timer>()
  #offsetMs = START_MS
  #latestMs = START_MS
  #backMs = 0

  constructor(agenda: Agenda, latenessMs: () => number) {
    this.#agenda = agenda
    this.#latenessMs = latenessMs
  }

  now(): number {
    return this.#agenda.nowMs + this.#offsetMs
  }

  /** The latest time that this clock has ever shown. */
  get latestMs(): number {
    return Math.max(this.#latestMs, this.now())
  }

  /** By how much it has been set back in all. */
  get backMs(): number {
    return this.#backMs
  }

  /** Sets the clock forward, or back when `byMs` is negative. */
  jump(byMs: number): void {
    this.#latestMs = this.latestMs
    if (byMs < 0) this.#backMs -= byMs
    this.#offsetMs += byMs
    this.rearm()
  }

  /** Every timer is set anew, by what the clock now shows and with a lateness of its own. */
  rearm(): void {
    for (const timer of this.#timers) {
      timer.cancel()
      this.#arm(timer, Math.min(this.#latenessMs(), RECHECK_MS))
    }
  }

  /** The timers of one process; they end with it. */
  timersOf(life: Life): Timers {
    return {
      at: (dueMs, call) => {
        const timer: Timer = { dueMs, life, call, cancel: () => {} }
        this.#timers.add(timer)
        this.#arm(timer, this.#latenessMs())
        return () => {
          this.#timers.delete(timer)
          timer.cancel()
        }
      },
    }
  }

  #arm(timer: Timer, lateMs: number): void {
    if (!timer.life.alive) {
      this.#timers.delete(timer)
      return
    }
    const inMs = Math.max(0, timer.dueMs - this.now()) + lateMs
    timer.cancel = this.#agenda.after(inMs, timer.life, () => {
      this.#timers.delete(timer)
      timer.call()
    })
  }
}
