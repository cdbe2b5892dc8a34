/**
 * Callers that wait for an execution to end (synchronous Invoke). They live in memory only: a client whose connection
 * breaks, or who is told to try again when the service stops, finds its execution again by name or by the id of its
 * call (decision 19).
 */
import type { ErrorObject } from '../protocol/shapes.ts'
import type { ExecutionEnd } from './api.ts'
import { executionNotFound, shuttingDown } from './failures.ts'
import type { Lanes } from './lanes.ts'
import type { Texts } from './texts.ts'
import { Later } from './texts.ts'

interface Waiter {
  readonly resolve: (end: Promise<ExecutionEnd>) => void
  readonly reject: (error: unknown) => void
}

export class Waiters {
  readonly #lanes: () => Lanes
  readonly #texts: Texts
  readonly #waiting = new Map<string, Set<Waiter>>()
  #stopped = false

  constructor(deps: { lanes: () => Lanes; texts: Texts }) {
    this.#lanes = deps.lanes
    this.#texts = deps.texts
  }

  waitForEnd(executionId: string, signal: AbortSignal): Promise<ExecutionEnd> {
    if (this.#stopped) return Promise.reject(shuttingDown())
    const ended = this.#register(executionId, signal)
    // It may have ended before anybody waited: registering first leaves no gap.
    this.#end(executionId).then(
      (end) => {
        if (end !== undefined) this.#take(executionId, (waiter) => waiter.resolve(Promise.resolve(end)))
      },
      (error: unknown) => this.#take(executionId, (waiter) => waiter.reject(error)),
    )
    return ended
  }

  /** The execution has ended, durably. */
  closed(executionId: string): void {
    if (!this.#waiting.has(executionId)) return
    const end = this.#end(executionId).then((known) => {
      if (known === undefined) throw new Error(`execution ${executionId} is open again`)
      return known
    })
    this.#take(executionId, (waiter) => waiter.resolve(end))
  }

  /** Whoever waits gets a retryable error. */
  stop(): void {
    this.#stopped = true
    for (const executionId of [...this.#waiting.keys()]) {
      this.#take(executionId, (waiter) => waiter.reject(shuttingDown()))
    }
  }

  #register(executionId: string, signal: AbortSignal): Promise<ExecutionEnd> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const aborted = (): void => {
        this.#remove(executionId, waiter)
        reject(signal.reason)
      }
      const done = (): void => signal.removeEventListener('abort', aborted)
      const waiter: Waiter = {
        resolve: (end) => {
          done()
          resolve(end)
        },
        reject: (error) => {
          done()
          reject(error)
        },
      }
      signal.addEventListener('abort', aborted, { once: true })
      const others = this.#waiting.get(executionId)
      if (others === undefined) this.#waiting.set(executionId, new Set([waiter]))
      else others.add(waiter)
    })
  }

  #remove(executionId: string, waiter: Waiter): void {
    const waiting = this.#waiting.get(executionId)
    waiting?.delete(waiter)
    if (waiting?.size === 0) this.#waiting.delete(executionId)
  }

  #take(executionId: string, tell: (waiter: Waiter) => void): void {
    const waiting = this.#waiting.get(executionId)
    this.#waiting.delete(executionId)
    for (const waiter of waiting ?? []) tell(waiter)
  }

  /** How the execution ended, or undefined while it runs. */
  #end(executionId: string): Promise<ExecutionEnd | undefined> {
    return readEnd(this.#lanes(), this.#texts, executionId)
  }
}

/** How an execution ended, its result in full; undefined while it runs. */
export function readEnd(lanes: Lanes, texts: Texts, executionId: string): Promise<ExecutionEnd | undefined> {
  return lanes.of(executionId).read<ExecutionEnd | undefined>({
    absent: executionNotFound,
    look: ({ status, result, error }, key) => {
      if (status === 'RUNNING') return undefined
      const ended = (text?: string) => endOf(status, text, error)
      if (result === undefined || typeof result === 'string') return ended(result)
      return new Later(async () => ended(await texts.text(result, key)))
    },
  })
}

function endOf(status: ExecutionEnd['status'], result: string | undefined, error: ErrorObject | undefined) {
  return {
    status,
    ...(result === undefined ? undefined : { result }),
    ...(error === undefined ? undefined : { error }),
  }
}
