/**
 * One logical request, sent until it is answered or its retries are used up. All attempts carry the same
 * `amz-sdk-invocation-id`, by which a server knows them as one.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HttpAnswer, HttpCall, HttpTransport } from './http-transport.ts'
import { type RetryPolicy, retryDelayMs } from './retry.ts'

export interface Attempts {
  readonly transport: HttpTransport
  readonly policy: RetryPolicy
}

/** `read` makes the result of an answer, or throws what the answer means; what it throws decides about a retry. */
export async function attempt<T>(
  { transport, policy }: Attempts,
  call: HttpCall,
  read: (answer: HttpAnswer) => T,
): Promise<T> {
  const headers = { ...call.headers, 'amz-sdk-invocation-id': randomUUID() }
  for (let number = 1; ; number += 1) {
    try {
      const numbered = { ...headers, 'amz-sdk-request': `attempt=${number}; max=${policy.maxAttempts}` }
      return read(await transport.send({ ...call, headers: numbered }))
    } catch (error) {
      const delayMs = retryDelayMs(policy, number, error, Math.random)
      if (delayMs === undefined) throw error
      await pause(delayMs, call.signal)
    }
  }
}

async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error
  }
}
