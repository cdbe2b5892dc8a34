/**
 * The store's end of a channel to one of its workers: requests out, replies back in the same order.
 *
 * States: *open*; *ended* once the worker's thread is over, for whatever reason. A thread that ends before it was asked
 * to close takes with it everything that was asked and not answered: those requests are rejected as `failed`, and so is
 * each later one.
 */
import { Worker } from 'node:worker_threads'
import { StoreError } from '../store-error.ts'
import { storeErrorOf } from './failure.ts'
import type { Reply } from './messages.ts'

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: StoreError) => void
}

export class WorkerChannel<Request> {
  readonly #worker: Worker
  readonly #role: string
  readonly #waiting: Waiting[] = []
  readonly #exited: Promise<void>
  #end: StoreError | undefined

  /** `ready` is the worker's first reply. */
  static async open<Request, Ready>(
    role: 'reader' | 'writer',
    settings: object,
  ): Promise<{ channel: WorkerChannel<Request>; ready: Ready }> {
    const channel = new WorkerChannel<Request>(role, settings)
    try {
      return { channel, ready: (await channel.#nextReply()) as Ready }
    } catch (error) {
      await channel.#worker.terminate()
      throw error
    }
  }

  private constructor(role: 'reader' | 'writer', settings: object) {
    this.#role = role
    this.#worker = new Worker(entryOf(role), { workerData: settings, name: `journal ${role}` })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#exited = promise
    this.#worker.on('message', (reply: Reply<unknown>) => this.#deliver(reply))
    this.#worker.on('messageerror', (error) => this.#fail(error))
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => {
      this.#fail(undefined)
      resolve()
    })
  }

  request(request: Request): Promise<unknown> {
    if (this.#end !== undefined) return Promise.reject(this.#end)
    try {
      this.#worker.postMessage(request)
    } catch (error) {
      // Something in the request cannot be copied to another thread.
      return Promise.reject(
        new StoreError('refused', `The journal refused this request: ${String(error)}`, { cause: error }),
      )
    }
    return this.#nextReply()
  }

  /** Sends a last request, `close`, and resolves when the thread is over. */
  async close(close: Request): Promise<void> {
    try {
      if (this.#end === undefined) await this.request(close)
    } finally {
      await this.#exited
    }
  }

  #nextReply(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
  }

  #deliver(reply: Reply<unknown>): void {
    // The news of a thread's end may overtake its last replies, whose callers have been told of the end by then.
    if (this.#end !== undefined) return
    const waiting = this.#waiting.shift()
    if (waiting === undefined) throw new Error(`The journal's ${this.#role} answered a question nobody asked.`)
    if (reply.ok) waiting.resolve(reply.value)
    else waiting.reject(storeErrorOf(reply.failure))
  }

  #fail(cause: unknown): void {
    this.#end ??= new StoreError(
      'failed',
      `The journal's ${this.#role} thread has ended${cause === undefined ? '' : ` (${String(cause)})`}. ` +
        'Whether the last writes are on disk is unknown, so nothing more is accepted. Restart to read what is there.',
      { cause },
    )
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#end)
  }
}

/** The worker's file lies beside this one: `.ts` in development, `.js` in the published build. */
function entryOf(role: 'reader' | 'writer'): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./${role}-worker.${extension}`, import.meta.url)
}
