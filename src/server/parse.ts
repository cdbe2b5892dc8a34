/** First step of every route: the request as typed input. */
import { isUtf8 } from 'node:buffer'
import { type ExecutionArn, type Place, parseExecutionArn } from '../protocol/arn.ts'
import { ApiError, TEXT } from '../protocol/errors.ts'
import type { InputOf, OperationName } from '../protocol/operations.ts'
import { parseJsonBody, readInput } from '../protocol/validate.ts'
import { invariant } from './invariant.ts'
import type { RouteRequest } from './route.ts'

export function parse<Name extends OperationName>(name: Name, request: RouteRequest): InputOf<Name> {
  const { labels, query, headers } = request
  return readInput(name, { labels, query, headers, body: parseJson(request.body) })
}

/** For operations whose body is not JSON. */
export function parseAround<Name extends OperationName>(name: Name, request: RouteRequest): InputOf<Name> {
  const { labels, query, headers } = request
  return readInput(name, { labels, query, headers, body: undefined })
}

/** The body as JSON; undefined when it is empty. */
export function parseJson(body: Buffer): unknown {
  if (!isUtf8(body)) throw new ApiError('SerializationException', 'The request body is not valid UTF-8.')
  return parseJsonBody(body.toString())
}

/** The text of an ARN that has passed its constraint. */
export function executionArn(text: string): ExecutionArn {
  const arn = parseExecutionArn(text)
  invariant(arn !== undefined, 'a text that passed the pattern of an execution ARN is one')
  return arn
}

/** Second step of the routes that read or stop an execution: it must be one of this place (spec 01 §1.3). */
export function authoriseExecution(text: string, place: Place): ExecutionArn {
  const arn = executionArn(text)
  if (arn.region !== place.region) throw new ApiError('ResourceNotFoundException', 'Function not found')
  if (arn.account !== place.account || arn.partition !== place.partition) {
    throw new ApiError('ResourceNotFoundException', TEXT.executionNotFound)
  }
  return arn
}

/** The members that are there: what a caller did not give stays absent. */
export function given<Members extends object>(
  members: Members,
): { readonly [K in keyof Members]?: Exclude<Members[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof Members]?: Exclude<Members[K], undefined>
  }
}

/** Absent and 0 both mean the service's default (spec 01 §1.0). */
export const pageSize = (maxItems: number | undefined): number | undefined => (maxItems === 0 ? undefined : maxItems)

/** The SDK's name of one logical call, the same for its retries (decision 19). */
export function sdkInvocationId(headers: RouteRequest['headers']): string | undefined {
  const value = headers['amz-sdk-invocation-id']
  return typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value) ? value : undefined
}
