/** What destinations are told of an asynchronous invocation (spec 07 §7.7), as JSON text. */
import { jsonSyntaxError } from '../protocol/json-syntax.ts'
import type { Condition } from './queued-invocations.ts'

export interface InvocationEnd {
  readonly at: number
  readonly requestId: string
  /** Qualified with what was invoked. */
  readonly functionArn: string
  readonly condition: Condition
  readonly attempts: number
  /** JSON text, which stays as it is. */
  readonly payload: string
  readonly version: string
  /** What the function answered last; undefined when it did not. */
  readonly response: string | undefined
}

export function invocationRecord(end: InvocationEnd): string {
  const { at, requestId, functionArn, condition, attempts, payload, version, response } = end
  const requestContext = { requestId, functionArn, condition, approximateInvokeCount: attempts }
  const members = [
    `"version":"1.0"`,
    `"timestamp":${JSON.stringify(new Date(at).toISOString())}`,
    `"requestContext":${JSON.stringify(requestContext)}`,
    `"requestPayload":${payload}`,
  ]
  if (response !== undefined) {
    const failed = condition === 'Success' ? undefined : { functionError: 'Unhandled' }
    const responseContext = { statusCode: 200, executedVersion: version, ...failed }
    members.push(`"responseContext":${JSON.stringify(responseContext)}`, `"responsePayload":${asJson(response)}`)
  }
  return `{${members.join(',')}}`
}

/** A function of a runtime of its own may answer with anything. */
const asJson = (text: string): string => (jsonSyntaxError(Buffer.from(text)) < 0 ? text : JSON.stringify(text))

/**
 * What is told beside an event in a dead-letter queue. A function's error has the ErrorCode of its answer, which is 200;
 * an event that no function has failed has neither.
 */
export function deadLetterAttributes(
  requestId: string,
  errorMessage: string | undefined,
): Readonly<Record<string, string>> {
  const error = errorMessage === undefined ? undefined : { ErrorCode: '200', ErrorMessage: errorMessage }
  return { RequestID: requestId, ...error }
}

/** The message in the answer of a function that failed, which usually is `{"errorMessage": …}`. */
export function errorMessageIn(response: string): string {
  try {
    const { errorMessage } = JSON.parse(response) as { readonly errorMessage?: unknown }
    if (typeof errorMessage === 'string') return errorMessage
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error
  }
  return response
}
