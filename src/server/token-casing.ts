/**
 * Older SDKs tell "this invocation was superseded" from "the execution has failed" by a message prefix, and by a
 * spelling that the real service does not use (spec 05 §5.3). They are known by their User-Agent and get the spelling
 * that they look for; everybody else gets the real one.
 */
import { ApiError, TEXT } from '../protocol/errors.ts'

const CAPITALISED = 'Invalid Checkpoint Token'

interface Row {
  /** Name of the SDK in the User-Agent, followed there by `/<version>`. */
  readonly agent: string
  /** The newest version that looks for the capitalised prefix; undefined: every version does. */
  readonly upTo: string | undefined
}

/** Newer Java and .NET versions compare without case, so that either spelling suits them. */
const ROWS: readonly Row[] = [
  { agent: 'aws-durable-execution-sdk-js', upTo: '2.4.0' },
  { agent: 'aws-durable-execution-sdk-python', upTo: '2.0.0' },
  { agent: 'aws-durable-execution-sdk-java', upTo: undefined },
  { agent: 'aws-durable-execution-sdk-dotnet', upTo: undefined },
]

/** The error as this caller has to see it. */
export function spelledFor(error: ApiError, userAgent: string | undefined): ApiError {
  if (error.message !== TEXT.invalidToken || !wantsCapitals(userAgent)) return error
  return new ApiError(error.code, CAPITALISED, { extra: error.extra, headers: error.headers })
}

/**
 *     aws-sdk-js/3.1164.0 … aws-durable-execution-sdk-js/2.4.0    → true
 *     aws-durable-execution-sdk-js/2.4.1                          → false
 *     Boto3/1.43.107 … aws-durable-execution-sdk-python/1.1.0     → true
 *     curl/8.9.1                                                  → false
 */
export function wantsCapitals(userAgent: string | undefined): boolean {
  if (userAgent === undefined) return false
  for (const { agent, upTo } of ROWS) {
    const start = userAgent.indexOf(`${agent}/`)
    if (start < 0) continue
    const version = /^\d+(\.\d+){0,2}/.exec(userAgent.slice(start + agent.length + 1))?.[0]
    return upTo === undefined || (version !== undefined && compareVersions(version, upTo) <= 0)
  }
  return false
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)]
  for (let index = 0; index < 3; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
