/** Waiting longer after each failure in a row: 1 s, then twice as long each time, up to the cap. */
import type { Clock, Timers } from './ports.ts'

export const FIRST_RETRY_MS = 1_000
export const RETRY_CAP_MS = 60_000

export const backOffMs = (failures: number, capMs: number = RETRY_CAP_MS): number =>
  Math.min(capMs, FIRST_RETRY_MS * 2 ** Math.min(failures, 30))

/** Waits that can be ended all at once: when the service stops, or when something changed that may help. */
export class Pauses {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #open = new Set<() => void>()
  #stopped = false

  constructor(deps: { clock: Clock; timers: Timers }) {
    this.#clock = deps.clock
    this.#timers = deps.timers
  }

  /** Resolves at `dueMs`, or earlier when `endAll` or `stop` is called. */
  until(dueMs: number): Promise<void> {
    if (this.#stopped) return Promise.resolve()
    return new Promise((resolve) => {
      const end = (): void => {
        cancel()
        this.#open.delete(end)
        resolve()
      }
      const cancel = this.#timers.at(dueMs, end)
      this.#open.add(end)
    })
  }

  afterFailures(failures: number, capMs?: number): Promise<void> {
    return this.until(this.#clock.now() + backOffMs(failures, capMs))
  }

  endAll(): void {
    for (const end of [...this.#open]) end()
  }

  /** Whoever waits, now or later, goes on at once and finds that the service has stopped. */
  stop(): void {
    this.#stopped = true
    this.endAll()
  }
}
