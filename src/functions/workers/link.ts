/**
 * One connection between a server and a worker, as either side has it: messages with their payloads over a WebSocket,
 * a beat every second, and the knowledge that the peer is there.
 *
 *     open   → closed (closed by either side; lost: silent for too long, broken off, or no speaker of the protocol)
 *
 * What is sent waits here until the socket takes it, in order, a payload in small parts, so that a beat is never held
 * up by one. What is received is held until it is whole: one payload at a time, of a size that was agreed to before its
 * first byte, in memory that all links share (`PayloadMemory`); while that is used up, nothing more is read.
 *
 * The peer is lost when not a byte came for four beats. They are counted, not timed: a process that was stopped itself
 * and goes on has missed beats of its own, and reads what has come meanwhile before it judges.
 */
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Clock, Timers } from '../../service/ports.ts'
import { BrokenProtocol, beatMs, closing, maxMessageBytes, partBytes, payloadLimitMs, silentBeats } from './messages.ts'
import type { PayloadMemory } from './payload-memory.ts'

export interface LinkPorts {
  readonly clock: Clock
  readonly timers: Timers
}

/** What the two ends of a link make of it. Both may throw a `BrokenProtocol`, which ends the link. */
export interface LinkEvents<Message> {
  /** A message, perhaps with a payload that is still to come. */
  readonly read: (fields: Fields) => Announced<Message>
  /** A message that is whole. */
  readonly received: (message: Message, payload: Buffer) => void
  /** Called once, when nothing comes or goes any more. */
  readonly closed: (end: LinkEnd) => void
}

export interface Announced<Message> {
  readonly message: Message
  /** Of its payload; absent: it has none. */
  readonly bytes?: number
  /** Nobody waits for it: the payload is read and forgotten, and so is the message. */
  readonly unwanted?: boolean
}

export interface LinkEnd {
  /** Of the WebSocket; 1006 when the connection was cut. */
  readonly code: number
  readonly reason: string
}

export type Fields = Readonly<Record<string, unknown>>

interface Sent {
  readonly text: string
  readonly payload: Uint8Array | undefined
}

interface Incoming<Message> {
  readonly message: Message
  readonly bytes: number
  readonly unwanted: boolean
  /** Absent while there is no memory for it. */
  payload: Buffer | undefined
  filled: number
  /** What had been read already when the reading was paused. */
  readonly early: Buffer[]
}

/** What the socket may hold before more is given to it. */
const highWaterBytes = 4 * partBytes
/** How long a peer that was told the end may take to close its side. */
const closeLimitMs = 2_000
const noBytes = Buffer.alloc(0)

export class Link<Message> {
  readonly #webSocket: WebSocket
  readonly #socket: Socket
  readonly #ports: LinkPorts
  readonly #memory: PayloadMemory
  readonly #events: LinkEvents<Message>
  readonly #queue: Sent[] = []
  #queuedBytes = 0
  /** How much of the first queued payload is sent; undefined: not even its message. */
  #sentOfFirst: number | undefined
  #incoming: Incoming<Message> | undefined
  #releaseMemory = (): void => {}
  #pauses = 0
  #heardBytes = 0
  #silence = 0
  #end: LinkEnd | undefined
  #cancelBeat = (): void => {}
  #cancelClosing = (): void => {}
  #cancelLimit = (): void => {}
  #whenSent: (() => void) | undefined

  constructor(
    webSocket: WebSocket,
    socket: Socket,
    ports: LinkPorts,
    memory: PayloadMemory,
    events: LinkEvents<Message>,
  ) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.#ports = ports
    this.#memory = memory
    this.#events = events
    socket.setNoDelay(true)
    webSocket.binaryType = 'nodebuffer'
    webSocket.on('message', (data, isBinary) => this.#guarded(() => this.#take(data as Buffer, isBinary)))
    webSocket.on('close', (code, reason) => this.#closed({ code, reason: reason.toString('utf8') }))
    webSocket.on('error', (error) => {
      // 'close' follows; this one says why.
      this.#end ??= { code: closing.broken, reason: error.message }
    })
    this.#beatLater()
  }

  /** What waits to be sent. */
  get backlogBytes(): number {
    return this.#queuedBytes + this.#webSocket.bufferedAmount
  }

  /** The message whose payload is on its way. */
  get incoming(): Message | undefined {
    return this.#incoming?.message
  }

  send(message: object, payload?: Uint8Array): void {
    if (this.#isOver()) return
    const sent = { text: JSON.stringify(message), payload }
    this.#queue.push(sent)
    this.#queuedBytes += sent.text.length + (payload?.byteLength ?? 0)
    this.#pump()
  }

  /** Reads nothing for a while: the peer sends more than it may. */
  pauseFor(ms: number): void {
    this.#pause()
    this.#ports.timers.at(this.#ports.clock.now() + ms, () => this.#resume())
  }

  /** Ends the link with what was queued before unsaid. The peer is told the beginning of the reason. */
  close(code: number, reason: string): void {
    if (this.#isOver()) return
    this.#end ??= { code, reason }
    this.#resumeForGood()
    this.#webSocket.close(code, beginningOf(reason))
    const { clock, timers } = this.#ports
    this.#cancelClosing = timers.at(clock.now() + closeLimitMs, () => this.#webSocket.terminate())
  }

  /** When everything that was sent has gone. */
  closeWhenSent(code: number, reason: string): void {
    if (this.#queue.length === 0) this.close(code, reason)
    else this.#whenSent = () => this.close(code, reason)
  }

  /** Cuts the connection. */
  lose(code: number, reason: string): void {
    this.#end ??= { code, reason }
    this.#webSocket.terminate()
  }

  #isOver(): boolean {
    return this.#webSocket.readyState !== this.#webSocket.OPEN || this.#end !== undefined
  }

  #pump(): void {
    for (let [first] = this.#queue; first !== undefined && !this.#isOver(); [first] = this.#queue) {
      if (this.#webSocket.bufferedAmount >= highWaterBytes) return
      const { text, payload } = first
      if (this.#sentOfFirst === undefined) {
        this.#give(text)
        this.#sentOfFirst = 0
        this.#queuedBytes -= text.length
      } else if (payload !== undefined && this.#sentOfFirst < payload.byteLength) {
        const part = payload.subarray(this.#sentOfFirst, this.#sentOfFirst + partBytes)
        this.#give(part)
        this.#sentOfFirst += part.byteLength
        this.#queuedBytes -= part.byteLength
      }
      if (this.#sentOfFirst >= (payload?.byteLength ?? 0)) {
        this.#queue.shift()
        this.#sentOfFirst = undefined
      }
    }
    if (this.#queue.length === 0) {
      this.#whenSent?.()
      this.#whenSent = undefined
    }
  }

  #give(frame: string | Uint8Array): void {
    this.#webSocket.send(frame, () => {
      // A frame that could not be sent: 'close' tells.
      this.#pump()
    })
  }

  #guarded(take: () => void): void {
    try {
      take()
    } catch (error) {
      if (error instanceof BrokenProtocol) this.close(closing.broken, error.message)
      // A defect of ours. Its other links, and whoever holds this one, go on.
      else this.close(closing.defect, error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (this.#end !== undefined) return
    if (isBinary) {
      this.#takePart(data)
      return
    }
    const { message, bytes, unwanted = false } = this.#events.read(objectOf(data))
    if (bytes !== undefined && this.#incoming !== undefined) {
      throw new BrokenProtocol('a payload begins before another has ended')
    }
    if (bytes !== undefined && bytes > 0) this.#expect(message, bytes, unwanted)
    else if (!unwanted) this.#events.received(message, noBytes)
  }

  #expect(message: Message, bytes: number, unwanted: boolean): void {
    const incoming: Incoming<Message> = { message, bytes, unwanted, payload: undefined, filled: 0, early: [] }
    this.#incoming = incoming
    if (unwanted) return
    this.#pause()
    this.#releaseMemory = this.#memory.take(bytes, () => {
      incoming.payload = Buffer.allocUnsafe(bytes)
      this.#limit()
      this.#resume()
      this.#guarded(() => {
        for (const part of incoming.early.splice(0)) this.#fill(incoming, part)
      })
    })
  }

  #limit(): void {
    const { clock, timers } = this.#ports
    this.#cancelLimit = timers.at(clock.now() + payloadLimitMs, () =>
      this.close(closing.broken, `a payload took longer than ${payloadLimitMs / 1_000} s`),
    )
  }

  #takePart(part: Buffer): void {
    const incoming = this.#incoming
    if (incoming === undefined) throw new BrokenProtocol('a payload that nothing has announced')
    if (incoming.payload === undefined && !incoming.unwanted) incoming.early.push(part)
    else this.#fill(incoming, part)
  }

  #fill(incoming: Incoming<Message>, part: Buffer): void {
    const { message, bytes, payload, filled } = incoming
    if (part.byteLength === 0 || part.byteLength > bytes - filled) {
      throw new BrokenProtocol('a payload of another size than was announced')
    }
    if (payload !== undefined) part.copy(payload, filled)
    incoming.filled += part.byteLength
    if (incoming.filled < bytes) return
    this.#forgetIncoming()
    if (payload !== undefined && this.#end === undefined) this.#events.received(message, payload)
  }

  #forgetIncoming(): void {
    this.#incoming = undefined
    this.#cancelLimit()
    this.#releaseMemory()
  }

  #pause(): void {
    this.#pauses += 1
    this.#webSocket.pause()
  }

  #resume(): void {
    if (this.#pauses === 0) return
    this.#pauses -= 1
    this.#silence = 0
    if (this.#pauses === 0) this.#webSocket.resume()
  }

  /** Whatever comes now is read, and forgotten, so that the end of the connection is seen. */
  #resumeForGood(): void {
    this.#pauses = 0
    this.#webSocket.resume()
  }

  #beatLater(): void {
    const { clock, timers } = this.#ports
    this.#cancelBeat = timers.at(clock.now() + beatMs, () => this.#beat())
  }

  #beat(): void {
    const { bytesRead } = this.#socket
    const heard = bytesRead !== this.#heardBytes || this.#pauses > 0
    this.#heardBytes = bytesRead
    this.#silence = heard ? 0 : this.#silence + 1
    if (this.#silence >= silentBeats) {
      this.lose(closing.silent, `nothing was heard for ${(silentBeats * beatMs) / 1_000} s`)
      return
    }
    // While more waits than the socket takes, that is sign enough, once it gets through.
    if (!this.#isOver() && this.#webSocket.bufferedAmount < highWaterBytes) this.#webSocket.send(beatText)
    this.#beatLater()
  }

  #closed(end: LinkEnd): void {
    this.#cancelBeat()
    this.#cancelClosing()
    this.#forgetIncoming()
    this.#queue.length = 0
    this.#events.closed(this.#end ?? end)
  }
}

/** A WebSocket takes 123 bytes of reason. */
function beginningOf(reason: string): string {
  const [line = ''] = reason.split('\n')
  return line.replace(/[^\x20-\x7e]/g, '?').slice(0, 120)
}

const beatText = JSON.stringify({ type: 'beat' })

function objectOf(data: Buffer): Fields {
  let value: unknown
  try {
    value = JSON.parse(data.toString('utf8'))
  } catch {
    // Said below.
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw new BrokenProtocol('a message that is no JSON object')
}

/**
 * How WebSockets are made, on both sides: text is small, nothing is compressed. One that ends for a reason that the library
 * sees is not waited for any longer than one that is closed here: it counts as attached until then.
 */
export const webSocketOptions = {
  maxPayload: maxMessageBytes,
  perMessageDeflate: false,
  closeTimeout: closeLimitMs,
} as const
