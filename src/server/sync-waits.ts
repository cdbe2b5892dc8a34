/**
 * The synchronous invocations that wait for their end. They live in memory only: a client that goes away ends its own
 * wait and nothing else, and `close` ends all of them with a 500 that clients retry, upon which they attach to the
 * same execution again (decision 19). Open until closed, closed for good; a closed one takes no new work.
 */
import { ApiError } from '../protocol/errors.ts'

export class SyncWaits {
  #closed = false
  readonly #waiting = new Set<AbortController>()

  get count(): number {
    return this.#waiting.size
  }

  get closed(): boolean {
    return this.#closed
  }

  requireOpen(): void {
    if (this.#closed) throw shuttingDown()
  }

  /** Settles as `wait` does, or rejects with the reason when the client goes or the server shuts down. */
  async during<Result>(gone: AbortSignal, wait: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    this.requireOpen()
    gone.throwIfAborted()
    const controller = new AbortController()
    const leave = () => controller.abort(gone.reason)
    gone.addEventListener('abort', leave, { once: true })
    this.#waiting.add(controller)
    try {
      return await Promise.race([wait(controller.signal), rejection(controller.signal)])
    } finally {
      gone.removeEventListener('abort', leave)
      this.#waiting.delete(controller)
    }
  }

  close(): void {
    this.#closed = true
    for (const controller of this.#waiting) controller.abort(shuttingDown())
  }
}

const shuttingDown = (): ApiError =>
  new ApiError('ServiceException', 'The server is shutting down. Try again.', { headers: { connection: 'close' } })

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
}
