/** A request as its parts, and the bytes of them: whatever the parts are, the request is well-formed HTTP. */
import type { OperationSpec } from '../../src/protocol/operations.ts'

export interface Request {
  readonly method: string
  /** Path and query as they go onto the wire. */
  readonly target: string
  /** In order, names as they go onto the wire; without Host and lengths. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer | undefined
}

/** The input of an operation before it is put into a path, a query, headers and a body. */
export interface OperationInput {
  readonly operation: OperationSpec
  /** Members in the path, the query and headers: their texts. A query member may come several times. */
  readonly texts: Readonly<Record<string, readonly string[]>>
  readonly body: Buffer | undefined
}

export function requestOf(
  { operation, texts, body }: OperationInput,
  encode: (text: string) => string = encodeURIComponent,
): Request {
  const query: string[] = []
  const headers: [string, string][] = []
  let path = operation.path
  for (const [member, { in: place, wireName }] of Object.entries(operation.input)) {
    for (const text of texts[member] ?? []) {
      if (place === 'path') path = path.replace(/\{\w+\+?\}/, () => encode(text))
      else if (place === 'query') query.push(`${wireName ?? member}=${encode(text)}`)
      else if (place === 'header') headers.push([wireName ?? member, text])
    }
  }
  const mark = path.includes('?') ? '&' : '?'
  const target = query.length === 0 ? path : `${path}${mark}${query.join('&')}`
  return { method: operation.method, target, headers, body }
}

const CRLF = '\r\n'

/** With the right Host unless the request names one, and the body's length unless it says how long it is. */
export function bytesOf({ method, target, headers, body }: Request, port: number): Buffer {
  const named = new Set(headers.map(([name]) => name.toLowerCase()))
  const lines = [`${method} ${target} HTTP/1.1`]
  if (!named.has('host')) lines.push(`Host: 127.0.0.1:${port}`)
  for (const [name, value] of headers) lines.push(`${name}: ${value}`)
  if (body !== undefined && !named.has('transfer-encoding')) lines.push(`Content-Length: ${body.length}`)
  const head = Buffer.from(`${lines.join(CRLF)}${CRLF}${CRLF}`, 'latin1')
  return body === undefined ? head : Buffer.concat([head, body])
}
