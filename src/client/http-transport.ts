/**
 * One keep-alive HTTP connection pool to one endpoint: sends a request, hands back status, headers and bytes. It
 * knows nothing of the API; what an answer means is decided in `client.ts`.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { UnreachableError } from './errors.ts'

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Already percent-encoded. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export class HttpTransport {
  readonly endpoint: string
  readonly #base: URL
  readonly #agent: HttpAgent

  constructor(endpoint: string) {
    this.#base = new URL(endpoint)
    this.endpoint = this.#base.origin
    this.#agent =
      this.#base.protocol === 'https:' ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true })
  }

  /**
   * Resolves with whatever was answered; rejects with `UnreachableError` when nothing was, and with `signal.reason` when aborted.
   * A GET whose kept-alive connection turns out to be closed by the server is sent once more on a new one.
   */
  async send(call: HttpCall): Promise<HttpAnswer> {
    try {
      return await this.#once(call)
    } catch (error) {
      if (call.method === 'GET' && error instanceof UnreachableError && error.cause instanceof StaleConnection) {
        return await this.#once(call)
      }
      throw error
    }
  }

  #once(call: HttpCall): Promise<HttpAnswer> {
    const send = this.#base.protocol === 'https:' ? httpsRequest : httpRequest
    return new Promise((resolve, reject) => {
      const body = typeof call.body === 'string' ? Buffer.from(call.body) : call.body
      const request = send(
        {
          agent: this.#agent,
          host: this.#base.hostname.replace(/^\[(.*)\]$/, '$1'),
          port: this.#base.port,
          method: call.method,
          path: this.#base.pathname.replace(/\/$/, '') + call.path,
          headers: {
            ...call.headers,
            ...(call.method === 'POST' && { 'content-length': String(body?.byteLength ?? 0) }),
          },
          ...(call.signal !== undefined && { signal: call.signal }),
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', fail)
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
          )
        },
      )
      const fail = (error: NodeJS.ErrnoException) => {
        if (call.signal?.aborted) return reject(call.signal.reason)
        const stale = request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE')
        reject(
          new UnreachableError(this.endpoint, error.code ?? error.message, {
            cause: stale ? new StaleConnection(error.message, { cause: error }) : error,
          }),
        )
      }
      request.on('error', fail)
      request.end(body)
    })
  }

  /** Closes idle connections. */
  close(): void {
    this.#agent.destroy()
  }
}

class StaleConnection extends Error {}
