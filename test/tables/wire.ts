/** A raw HTTP client for the table tests: exact paths, exact bodies, exact headers, nothing added and nothing retried. */
import assert from 'node:assert/strict'
import { Agent, type IncomingHttpHeaders, request } from 'node:http'

export interface WireRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Path and query as they go onto the wire; no normalisation. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export interface WireAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export class WireClient {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #endpoint: URL

  constructor(endpoint: string) {
    this.#endpoint = new URL(endpoint)
  }

  send(wanted: WireRequest): Promise<WireAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<WireAnswer>()
    const body = wanted.body === undefined ? undefined : Buffer.from(wanted.body)
    const call = request(
      {
        agent: this.#agent,
        host: this.#endpoint.hostname,
        port: this.#endpoint.port,
        method: wanted.method,
        path: wanted.path,
        headers: { ...wanted.headers, ...(body === undefined ? {} : { 'content-length': body.byteLength }) },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    call.on('error', reject)
    call.end(body)
    return promise
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** The body of a 200 answer as JSON; fails with the answer's text otherwise. */
export function okBody<T>(answer: WireAnswer): T {
  assert.equal(answer.status, 200, `expected 200: ${answer.text}`)
  return JSON.parse(answer.text) as T
}

/** Asserts an error of the API as it travels (spec 01 §1.0): status, x-amzn-ErrorType, fault, text. */
export function assertError(answer: WireAnswer, status: number, code: string, message: string | RegExp): void {
  const type = String(answer.headers['x-amzn-errortype'] ?? '').split(':')[0]
  const seen = `${answer.status} ${type} ${answer.text.slice(0, 500)}`
  assert.equal(answer.status, status, seen)
  assert.equal(type, code, seen)
  const body = JSON.parse(answer.text) as { Type?: string; message?: string; Message?: string }
  assert.equal(body.Type, status < 500 ? 'User' : 'Service', seen)
  const text = body.message ?? body.Message
  assert.ok(text !== undefined, seen)
  if (typeof message === 'string') assert.equal(text, message)
  else assert.match(text, message)
  assert.match(String(answer.headers['x-amzn-requestid']), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
}

/** Epoch milliseconds of a timestamp of an HTTP answer, which counts seconds (spec 01 §1.0). */
export const ms = (seconds: number | undefined): number => {
  assert.ok(seconds !== undefined, 'a timestamp is missing')
  return Math.round(seconds * 1000)
}
