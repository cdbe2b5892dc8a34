/**
 * Whether and when a failed request is sent again. Delays grow exponentially and are drawn from their whole range, so
 * that clients which failed together do not come back together; a server that names a time (`Retry-After`) is heeded.
 */
import { PerdureError, RefusedError, UnreachableError } from './errors.ts'

export interface RetryPolicy {
  /** Attempts in all; 1 never retries. Default 3. */
  readonly maxAttempts: number
  /** The first delay is drawn from 0 to this; default 100. */
  readonly baseDelayMs: number
  /** No delay is longer, unless the server asks for it; default 20,000. */
  readonly maxDelayMs: number
  /** A server that asks for a longer wait gets no further attempt; default 60,000. */
  readonly maxRetryAfterMs: number
}

export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 3,
  baseDelayMs: 100,
  maxDelayMs: 20_000,
  maxRetryAfterMs: 60_000,
}

/** The policy with the members that are given; undefined is not given. */
export function retryPolicy(given: { readonly [Name in keyof RetryPolicy]?: number | undefined } = {}): RetryPolicy {
  return {
    maxAttempts: given.maxAttempts ?? DEFAULT_RETRY.maxAttempts,
    baseDelayMs: given.baseDelayMs ?? DEFAULT_RETRY.baseDelayMs,
    maxDelayMs: given.maxDelayMs ?? DEFAULT_RETRY.maxDelayMs,
    maxRetryAfterMs: given.maxRetryAfterMs ?? DEFAULT_RETRY.maxRetryAfterMs,
  }
}

/** How long to wait before the next attempt after `attempt` failed; undefined when there is none. `draw` is from [0, 1). */
export function retryDelayMs(
  policy: RetryPolicy,
  attempt: number,
  error: unknown,
  draw: () => number,
): number | undefined {
  if (!(error instanceof PerdureError) || error.consequence !== 'retryable' || attempt >= policy.maxAttempts) {
    return undefined
  }
  const asked = error instanceof RefusedError || error instanceof UnreachableError ? error.retryAfterMs : undefined
  if (asked !== undefined && asked > policy.maxRetryAfterMs) return undefined
  const delay = draw() * Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (attempt - 1))
  return Math.max(delay, asked ?? 0)
}

/** `Retry-After` as milliseconds: seconds, or a date. Undefined when there is none that can be read. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,9}(\.\d{1,3})?$/.test(text)) return Number(text) * 1000
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}
