/**
 * Counts the synchronous invocations that wait for a process of their plain function, so that a slow function fills
 * its own queue and nobody else's (invariant I7). Beyond its share a function's callers get 429.
 */
import type { Limits } from '../protocol/limits.ts'
import { type Hold, tooBusy } from './admission.ts'

export class FunctionQueues {
  readonly #limits: Pick<Limits, 'queuedPerFunction' | 'queuedBytesPerFunction'>
  readonly #waiting = new Map<string, { count: number; bytes: number }>()

  constructor(limits: Pick<Limits, 'queuedPerFunction' | 'queuedBytesPerFunction'>) {
    this.#limits = limits
  }

  enter(functionName: string, bytes: number): Hold {
    const waiting = this.#waiting.get(functionName) ?? { count: 0, bytes: 0 }
    const tooMany = waiting.count >= this.#limits.queuedPerFunction
    if (tooMany || (waiting.count > 0 && waiting.bytes + bytes > this.#limits.queuedBytesPerFunction)) {
      throw tooBusy('ReservedFunctionConcurrentInvocationLimitExceeded')
    }
    waiting.count += 1
    waiting.bytes += bytes
    this.#waiting.set(functionName, waiting)
    return {
      release: () => {
        waiting.count -= 1
        waiting.bytes -= bytes
        if (waiting.count === 0) this.#waiting.delete(functionName)
      },
    }
  }
}
