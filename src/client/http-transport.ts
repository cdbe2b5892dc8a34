/**
 * One keep-alive HTTP connection pool to one endpoint: sends a request, hands back status, headers and bytes. It
 * knows nothing of the API; what an answer means is decided in `client.ts`.
 */
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Method } from '../protocol/operations.ts'
import { UnreachableError } from './errors.ts'

export interface HttpCall {
  readonly method: Method
  /** Already percent-encoded. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
  /** From its start to the last byte of the answer. Default: no bound. */
  readonly timeoutMs?: number
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface HttpTransportOptions {
  /** Connections at a time; further requests wait for one. Default: no bound. */
  readonly maxConnections?: number
}

export class HttpTransport {
  readonly endpoint: string
  readonly #base: URL
  readonly #agent: HttpAgent
  readonly #host: string
  readonly #pathPrefix: string

  constructor(endpoint: string, options: HttpTransportOptions = {}) {
    this.#base = new URL(endpoint)
    this.endpoint = this.#base.origin
    this.#host = this.#base.hostname.replace(/^\[(.*)\]$/, '$1')
    this.#pathPrefix = this.#base.pathname.replace(/\/$/, '')
    const pool = {
      keepAlive: true,
      noDelay: true,
      ...(options.maxConnections !== undefined && { maxSockets: options.maxConnections }),
    }
    this.#agent = this.#base.protocol === 'https:' ? new HttpsAgent(pool) : new HttpAgent(pool)
  }

  /**
   * Resolves with whatever was answered; rejects with `UnreachableError` when nothing was, and with `signal.reason`
   * when aborted. A request whose kept-alive connection the server closed before it answered a byte is sent once more
   * on a new one: it crossed with the end of an idle connection.
   */
  async send(call: HttpCall): Promise<HttpAnswer> {
    if (call.signal?.aborted === true) throw call.signal.reason
    try {
      return await this.#once(call)
    } catch (error) {
      if (error instanceof UnreachableError && error.cause instanceof StaleConnection) return await this.#once(call)
      throw error
    }
  }

  #once(call: HttpCall): Promise<HttpAnswer> {
    const send = this.#base.protocol === 'https:' ? httpsRequest : httpRequest
    return new Promise((resolve, reject) => {
      const body = typeof call.body === 'string' ? Buffer.from(call.body) : call.body
      let answered = false
      let tooLate: NodeJS.Timeout | undefined
      const request = send(
        {
          agent: this.#agent,
          host: this.#host,
          port: this.#base.port,
          method: call.method,
          path: this.#pathPrefix + call.path,
          headers: {
            ...call.headers,
            ...((call.method === 'POST' || call.method === 'PUT') && {
              'content-length': String(body?.byteLength ?? 0),
            }),
          },
          ...(call.signal !== undefined && { signal: call.signal }),
        },
        (response) => {
          answered = true
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', fail)
          response.on('end', () => {
            clearTimeout(tooLate)
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
          })
        },
      )
      const fail = (error: NodeJS.ErrnoException) => {
        clearTimeout(tooLate)
        if (call.signal?.aborted) return reject(call.signal.reason)
        const broken = error.code === 'ECONNRESET' || error.code === 'EPIPE'
        reject(
          new UnreachableError(this.endpoint, error.code ?? error.message, {
            cause:
              broken && request.reusedSocket && !answered
                ? new StaleConnection(error.message, { cause: error })
                : error,
          }),
        )
      }
      if (call.timeoutMs !== undefined) {
        tooLate = setTimeout(() => request.destroy(new TookTooLong(call.timeoutMs ?? 0)), call.timeoutMs)
      }
      request.on('error', fail)
      request.end(body)
    })
  }

  /** Closes every connection of the pool; requests that are on their way fail. */
  close(): void {
    this.#agent.destroy()
  }
}

class StaleConnection extends Error {}

class TookTooLong extends Error {
  readonly code = 'ETIMEDOUT'

  constructor(timeoutMs: number) {
    super(`no complete answer within ${timeoutMs} ms`)
  }
}
