/** What a route answers, and how it and an error become bytes of a response (spec 01 §1.0). */
import type { ServerResponse } from 'node:http'
import { type ApiError, ERRORS } from '../protocol/errors.ts'

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** JSON text or raw bytes; absent for an answer without a body. */
  readonly body?: string | Uint8Array
  /** Where the body is no JSON. */
  readonly contentType?: string
  /** Where the request goes on under an id of its own. */
  readonly requestId?: string
}

export const json = (status: number, body: unknown): Reply => ({ status, body: JSON.stringify(body) })
export const ok = (body: unknown): Reply => ({ status: 200, body: JSON.stringify(body) })
/** Success of an operation without output. */
export const EMPTY: Reply = { status: 200, body: '{}' }

export function errorReply(error: ApiError): Reply {
  const { fault, messageMember, httpStatus } = ERRORS[error.code]
  const body = { Type: fault, [messageMember]: error.message, ...error.extra }
  return {
    status: httpStatus,
    headers: { 'x-amzn-errortype': error.code, ...error.headers },
    body: JSON.stringify(body),
  }
}

/** An answer that does not fit the socket's buffers waits for its reader in memory, so its reader must keep reading. */
const LARGE_BYTES = 65_536

export function write(response: ServerResponse, requestId: string, reply: Reply, stalledMs: number): void {
  // The client has gone, or its bytes broke off and it was told so: there is nobody to tell.
  if (response.destroyed || response.headersSent) return
  const { body } = reply
  // Flat and in one call: the head and a small body then leave in one write to the socket.
  const head = [
    'content-type',
    reply.contentType ?? 'application/json',
    'x-amzn-RequestId',
    reply.requestId ?? requestId,
  ]
  const length = body === undefined ? 0 : Buffer.byteLength(body)
  if (length > LARGE_BYTES) response.setTimeout(stalledMs)
  if (body !== undefined) head.push('content-length', String(length))
  else if (reply.status !== 204) head.push('content-length', '0')
  if (reply.headers !== undefined) for (const [name, value] of Object.entries(reply.headers)) head.push(name, value)
  response.writeHead(reply.status, head)
  response.end(body)
}
