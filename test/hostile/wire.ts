/**
 * A connection of the attackers: writes bytes, cuts what comes back into answers, and is strict about them. What is not
 * HTTP/1.1 with a length, or comes unasked, is a `Fault` of the server.
 */
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** The server broke the protocol. */
export class Fault extends Error {
  override readonly name = 'Fault'
}

/** The head of an answer is never longer, and its body neither: what is asked for is small. */
const HEAD_BYTES = 16_384
const BODY_BYTES = 1_048_576
/** Nothing that the attackers ask for takes so long, however loaded the machine is. */
const PATIENCE_MS = 30_000

const NOTHING = Buffer.alloc(0)

export class Wire {
  readonly #socket: Socket
  #received: Buffer = NOTHING
  #over = false
  #wake: () => void = () => {}
  /** Resolves when the connection is over, whoever ended it. */
  readonly ended: Promise<void>

  private constructor(socket: Socket) {
    this.#socket = socket
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    const told = (): void => this.#wake()
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
      told()
    })
    const over = (): void => {
      this.#over = true
      resolve()
      told()
    }
    // The server may reset a connection that it refused while more was on the way; that it ended is what counts.
    socket.on('error', over).on('end', over).on('close', over)
  }

  static async open(port: number): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    return new Wire(socket)
  }

  /** Does not wait until it is sent: the server may have ended the connection by then, which its answers tell. */
  write(bytes: Buffer | string): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes, 'latin1', () => {})
  }

  /** Closes this side only. */
  end(): void {
    this.#socket.end()
  }

  /** Goes away without a word. */
  vanish(): void {
    this.#socket.resetAndDestroy()
  }

  get unread(): string {
    return this.#received.toString('latin1')
  }

  /** The next answer but those that only encourage; undefined when the server has ended the connection instead. */
  async answer(head = false): Promise<Answer | undefined> {
    const deadline = Date.now() + PATIENCE_MS
    for (;;) {
      const next = this.#take(head)
      if (next !== undefined && next.status !== 100) return next
      if (next !== undefined) continue
      if (this.#over) {
        if (this.#received.length > 0) throw new Fault(`half an answer: ${JSON.stringify(this.unread.slice(0, 300))}`)
        return undefined
      }
      await this.#news(deadline)
    }
  }

  #news(deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Fault('the server neither answers nor ends the connection')),
        deadline - Date.now(),
      )
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #take(head: boolean): Answer | undefined {
    const headEnd = this.#received.indexOf('\r\n\r\n')
    if (headEnd < 0) {
      if (this.#received.length > HEAD_BYTES) throw new Fault('the head of an answer does not end')
      return undefined
    }
    if (headEnd > HEAD_BYTES) throw new Fault(`an answer has a head of ${headEnd} bytes`)
    const { status, headers } = readHead(this.#received.toString('latin1', 0, headEnd))
    const bodyStart = headEnd + 4
    const end = bodyStart + (head ? 0 : lengthOf(status, headers))
    if (this.#received.length < end) return undefined
    const body = this.#received.toString('utf8', bodyStart, end)
    this.#received = this.#received.subarray(end)
    return { status, headers, body }
  }
}

function readHead(text: string): Pick<Answer, 'status' | 'headers'> {
  const [statusLine = '', ...lines] = text.split('\r\n')
  const status = /^HTTP\/1\.1 (\d{3}) [\x20-\x7e]*$/.exec(statusLine)?.[1]
  if (status === undefined) throw new Fault(`no status line: ${JSON.stringify(statusLine.slice(0, 300))}`)
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name = '', value = ''] = /^([!#$%&'*+.^_`|~0-9a-zA-Z-]+): ([\x20-\x7e]*)$/.exec(line) ?? []
    const known = name.toLowerCase()
    if (known === '') throw new Fault(`no header: ${JSON.stringify(line.slice(0, 300))}`)
    if (headers.has(known)) throw new Fault(`the header ${known} twice`)
    headers.set(known, value)
  }
  return { status: Number(status), headers }
}

function lengthOf(status: number, headers: ReadonlyMap<string, string>): number {
  const text = headers.get('content-length')
  if (headers.has('transfer-encoding')) throw new Fault('an answer in chunks')
  if (status === 204 || status < 200) {
    if (text !== undefined) throw new Fault(`a ${status} with a length`)
    return 0
  }
  if (text === undefined || !/^\d{1,7}$/.test(text)) throw new Fault(`a ${status} with the length ${text}`)
  if (Number(text) > BODY_BYTES) throw new Fault(`an answer of ${text} bytes`)
  return Number(text)
}
