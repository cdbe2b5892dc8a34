/** What an HTTP answer means: the JSON that it carries, or the error that it is (spec 01 §1.0). */
import { ForeignServerError, type PerdureError, refusedError, UnreachableError } from './errors.ts'
import type { HttpAnswer } from './http-transport.ts'
import { parseRetryAfter } from './retry.ts'

export const firstHeader = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value

/** The answer itself when it tells of success; throws the error that it is otherwise. */
export function success(endpoint: string, answer: HttpAnswer): HttpAnswer {
  if (answer.status >= 400) throw refusal(endpoint, answer)
  if (answer.status >= 300) throw new ForeignServerError(endpoint, `HTTP ${answer.status}`)
  return answer
}

/** The JSON of an answer's body. */
export function jsonOf(endpoint: string, { status, body }: HttpAnswer): unknown {
  const parsed = parseJson(body)
  if (parsed === undefined) throw new ForeignServerError(endpoint, `HTTP ${status} without a JSON body`)
  return parsed
}

function refusal(endpoint: string, { status, headers, body }: HttpAnswer): PerdureError {
  const code = firstHeader(headers['x-amzn-errortype'])?.split(':')[0]
  const retryAfterMs = parseRetryAfter(headers['retry-after'], Date.now())
  const parsed = parseJson(body)
  if (code === undefined || typeof parsed !== 'object' || parsed === null) {
    // A server that starts or drains, or a proxy whose server is away.
    if (status === 502 || status === 503 || status === 504) {
      return new UnreachableError(endpoint, `HTTP ${status}`, { retryAfterMs })
    }
    return new ForeignServerError(endpoint, `HTTP ${status} without x-amzn-ErrorType`)
  }
  const { message, Message, Reason } = parsed as { message?: unknown; Message?: unknown; Reason?: unknown }
  return refusedError({
    code,
    message: String(message ?? Message ?? code),
    httpStatus: status,
    requestId: firstHeader(headers['x-amzn-requestid']),
    reason: typeof Reason === 'string' ? Reason : undefined,
    retryAfterMs,
  })
}

/** Undefined when the bytes are not JSON. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
