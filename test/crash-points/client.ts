/** Clients that do not give up: each call is sent until something that is no failure of the server comes back. */
import { setTimeout as sleep } from 'node:timers/promises'

/** Longer than an answer takes, shorter than a stopped server stays silent: so clients do time out and repeat. */
const ATTEMPT_MS = 500
/** Each attempt of a call may take twice as long as the one before, up to this. */
const LONGEST_ATTEMPT_MS = 20_000
const PAUSE_MS = 25
/** A busy server, and one that was stopped while a request arrived. */
const NOT_NOW: ReadonlySet<number> = new Set([408, 429])

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** How long the first attempt may take. */
  readonly attemptMs?: number
}

export class Clients {
  /** Attempts that nobody answered in time, and that broke off. */
  timeouts = 0
  breaks = 0
  readonly #endpoint: string
  readonly #giveUp: () => string | undefined

  /** `giveUp` says why there is no point in going on. */
  constructor(endpoint: string, giveUp: () => string | undefined) {
    this.#endpoint = endpoint
    this.#giveUp = giveUp
  }

  async call({ method = 'GET', path, headers, body, attemptMs = ATTEMPT_MS }: Call): Promise<Answer> {
    for (let patienceMs = attemptMs; ; patienceMs = Math.min(patienceMs * 2, LONGEST_ATTEMPT_MS)) {
      try {
        const signal = AbortSignal.timeout(patienceMs)
        const init = { method, signal, headers: { ...headers }, ...(body === undefined ? {} : { body }) }
        const response = await fetch(`${this.#endpoint}${path}`, init)
        const text = await response.text()
        if (response.status < 500 && !NOT_NOW.has(response.status)) {
          return { status: response.status, headers: response.headers, text }
        }
      } catch (error) {
        if (error instanceof Error && error.name === 'TimeoutError') this.timeouts += 1
        else this.breaks += 1
      }
      this.stayOnlyWithReason()
      await sleep(PAUSE_MS)
    }
  }

  /** Looks until there is something to see. */
  async until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
    for (;;) {
      const seen = await look()
      if (seen !== undefined) return seen
      this.stayOnlyWithReason()
      await sleep(PAUSE_MS)
    }
  }

  stayOnlyWithReason(): void {
    const why = this.#giveUp()
    if (why !== undefined) throw new Error(why)
  }
}
