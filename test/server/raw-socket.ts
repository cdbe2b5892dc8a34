/** A client that writes what it likes: half requests, two at once, no HTTP at all. Reads responses one by one. */
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export interface RawResponse {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

export class RawClient {
  readonly #socket: Socket
  #received = Buffer.alloc(0)
  #arrived = Promise.withResolvers<void>()
  /** Resolves when the server has ended the connection, or it broke. */
  readonly closed: Promise<void>

  private constructor(socket: Socket) {
    this.#socket = socket
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    // A reset connection is what some of these tests provoke; that it ended is what they look at.
    socket.on('error', () => this.#wake())
    const over = () => {
      resolve()
      this.#wake()
    }
    socket.on('end', over).on('close', over)
  }

  static async open(t: TestContext, port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const client = new RawClient(socket)
    t.after(() => socket.destroy())
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return client
  }

  write(text: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => this.#socket.write(text, (error) => (error ? reject(error) : resolve())))
  }

  /** Lets the server's answers pile up. */
  stopReading(): void {
    this.#socket.pause()
  }

  /** Closes this side only. */
  end(): void {
    this.#socket.end()
  }

  /** Goes away without a word. */
  vanish(): void {
    this.#socket.resetAndDestroy()
  }

  /** The next response; rejects when the connection ends first. */
  async response(): Promise<RawResponse> {
    for (;;) {
      const parsed = parse(this.#received)
      if (parsed !== undefined) {
        this.#received = this.#received.subarray(parsed.length)
        return parsed.response
      }
      if (this.#socket.destroyed || this.#socket.readableEnded) {
        throw new Error(`the connection ended after ${JSON.stringify(this.#received.toString())}`)
      }
      this.#arrived = Promise.withResolvers()
      await this.#arrived.promise
    }
  }

  /** What has come beyond the responses that were asked for. */
  get unread(): string {
    return this.#received.toString('latin1')
  }

  #wake(): void {
    this.#arrived.resolve()
  }
}

function parse(bytes: Buffer): { readonly response: RawResponse; readonly length: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [statusLine = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n')
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
    }),
  )
  const bodyStart = headEnd + 4
  const length = bodyStart + Number(headers.get('content-length') ?? 0)
  if (bytes.length < length) return undefined
  const status = Number(statusLine.split(' ')[1])
  return { response: { status, headers, body: bytes.subarray(bodyStart, length).toString() }, length }
}

/** The text of a request with the right Host and length. */
export function requestText(
  port: number,
  line: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
): string {
  const { body } = options
  const headers = {
    host: `127.0.0.1:${port}`,
    ...(body === undefined ? undefined : { 'content-length': String(Buffer.byteLength(body)) }),
    ...options.headers,
  }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${line} HTTP/1.1\r\n${head.join('')}\r\n${body ?? ''}`
}
