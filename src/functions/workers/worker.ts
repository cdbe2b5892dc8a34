/**
 * A worker: keeps processes of one function, and a link to a server that hands them invocations.
 *
 *   attaching   asks the server for a link                    → serving; waiting (nobody answers); refused
 *   serving     its processes are announced and kept up       → waiting (the link is lost), leaving, draining
 *   leaving     the server wants it to attach anew: what      → attaching
 *               runs ends first
 *   waiting     for longer after each failure, by chance,     → attaching
 *               so that many do not come back at once
 *   draining    it was told to end: nothing new, what runs    → gone
 *               ends first
 *   refused, gone   final; no process is left
 *
 * When a link is lost, so are the invocations that it brought: the server repeats them elsewhere, and takes no word of
 * these. So their processes are ended, before they do what another does again; idle ones wait for the next link, but for
 * those that may belong to a tenant.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocket } from 'ws'
import { ATTACH_PATH, WORKER_SUBPROTOCOL } from '../../protocol/worker-attach.ts'
import type { InvocationRequest } from '../../service/ports.ts'
import type { Launch } from '../launch.ts'
import type { Forwarding } from './forwarding.ts'
import { type Announced, type Fields, Link, type LinkEnd, webSocketOptions } from './link.ts'
import { closing, type FromServer, readFromServer, type Settings } from './messages.ts'
import { createPayloadMemory } from './payload-memory.ts'
import { WorkerProcess, type WorkerProcessHost } from './worker-process.ts'

export interface WorkerOptions {
  /** What all its processes share. */
  readonly host: Omit<WorkerProcessHost, 'door' | 'region'>
  readonly server: URL
  /** Sent with every request to the server, for a proxy on the way. */
  readonly headers: Readonly<Record<string, string>>
  readonly functionName: string
  /** `$LATEST` or digits. */
  readonly qualifier: string
  /** What the server calls it. */
  readonly name: string
  readonly processes: number
  readonly forwarding: Forwarding
  /** How a process is started. */
  readonly launch: (settings: Settings) => Promise<Launch>
  readonly tell: (news: WorkerNews) => void
}

export type WorkerNews =
  | { readonly kind: 'attached'; readonly settings: Settings }
  /** There is no link, or not any more. */
  | { readonly kind: 'detached'; readonly reason: string; readonly nextTryMs: number }
  /** A process ended before it asked for an event. `cause`: there never was one. */
  | { readonly kind: 'notStarted'; readonly cause: string | undefined; readonly nextTryMs: number }

export interface Worker {
  /** Resolves when it has drained. Rejects with an `AttachRefused`. */
  readonly ended: Promise<void>
  /** Takes no new invocations, lets those that run end, and ends. */
  drain(): void
}

/** The server does not want this worker, now or later. */
export class AttachRefused extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'AttachRefused'
  }
}

const handshakeLimitMs = 5_000
const firstWaitMs = 250
const longestWaitMs = 10_000
/** A link that held this long was a good one. */
const goodLinkMs = 5_000
/** A process that lived no longer is not replaced at once. */
const shortLifeMs = 1_000
const longestRestartMs = 30_000
/** What a refusal says is in its first bytes. */
const maxRefusalBytes = 65_536
const rememberedFailures = 16

export function startWorker(options: WorkerOptions): Worker {
  const worker = new AttachingWorker(options)
  worker.attach()
  return worker
}

class AttachingWorker implements Worker {
  readonly #options: WorkerOptions
  readonly #ended = Promise.withResolvers<void>()
  readonly #processes = new Set<WorkerProcess>()
  /** By the number that this link's server knows; the oldest first. */
  readonly #byNumber = new Map<number, WorkerProcess>()
  readonly #failed = new Map<number, WorkerProcess>()
  #state: 'attaching' | 'serving' | 'leaving' | 'waiting' | 'draining' | 'gone' = 'attaching'
  #link: Link<FromServer> | undefined
  #settings: Settings | undefined
  #welcomedAt = 0
  #numbers = 0
  /** In a row. */
  #failedTries = 0
  #failedStarts = 0
  #restarts = 0
  #cancelWaiting = (): void => {}

  constructor(options: WorkerOptions) {
    this.#options = options
  }

  get ended(): Promise<void> {
    return this.#ended.promise
  }

  drain(): void {
    if (this.#state === 'draining' || this.#state === 'gone') return
    const served = this.#state === 'serving' || this.#state === 'leaving'
    this.#state = 'draining'
    this.#cancelWaiting()
    if (served) {
      this.#link?.send({ type: 'drain' })
      this.#endUnserved()
    } else {
      this.#link?.close(closing.left, 'drained')
      for (const process of this.#processes) void process.end()
    }
    this.#leaveWhenEmpty()
  }

  attach(): void {
    const { server, headers, functionName, qualifier, name, processes, host } = this.#options
    this.#state = 'attaching'
    const url = new URL(server)
    url.protocol = server.protocol === 'https:' ? 'wss:' : 'ws:'
    url.pathname = server.pathname.replace(/\/$/, '') + ATTACH_PATH
    const query = { function: functionName, qualifier, name, processes: String(processes) }
    url.search = new URLSearchParams({ ...query, ...(host.inspect ? { deadlines: 'none' } : {}) }).toString()
    const webSocket = new WebSocket(url, WORKER_SUBPROTOCOL, {
      headers,
      handshakeTimeout: handshakeLimitMs,
      ...webSocketOptions,
    })
    // What fails later is told by the link, or by the answer.
    webSocket.on('error', () => {})
    let socket: Socket | undefined
    const failed = (error: Error): void => this.#unreachable(reasonOf(error))
    webSocket.once('error', failed)
    webSocket.once('upgrade', (response: IncomingMessage) => {
      socket = response.socket
    })
    webSocket.once('unexpected-response', (request, response) => {
      webSocket.off('error', failed)
      void this.#answered(response).finally(() => request.destroy())
    })
    webSocket.once('open', () => {
      webSocket.off('error', failed)
      if (socket === undefined) throw new Error('a WebSocket opened without a socket')
      const link = new Link<FromServer>(webSocket, socket, host, unbounded, {
        read,
        received: (message, payload) => this.#received(link, message, payload),
        closed: (end) => this.#closed(link, end),
      })
      this.#link = link
      // It was told to end meanwhile.
      if (this.#state !== 'attaching') link.close(closing.left, 'drained')
    })
  }

  /** No link came about, but an answer. */
  async #answered(response: IncomingMessage): Promise<void> {
    const status = response.statusCode ?? 0
    const message = await messageOf(response)
    const passing = status >= 500 || status === 429 || status === 408
    if (passing || this.#state !== 'attaching') this.#unreachable(`HTTP ${status}: ${message}`)
    else await this.#refused(message)
  }

  async #refused(message: string): Promise<void> {
    this.#state = 'gone'
    await Promise.all([...this.#processes].map((process) => process.end()))
    this.#ended.reject(new AttachRefused(message))
  }

  #unreachable(reason: string): void {
    if (this.#state === 'attaching') this.#waitAndAttach(reason)
    else this.#leaveWhenEmpty()
  }

  #waitAndAttach(reason: string): void {
    const {
      host: { clock, timers, entropy },
      tell,
    } = this.#options
    const wholeMs = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(this.#failedTries, 10))
    const chance = Number.parseInt(entropy.hex(4), 16) / 2 ** 32
    const nextTryMs = Math.round(wholeMs * (0.5 + chance / 2))
    this.#failedTries += 1
    this.#state = 'waiting'
    tell({ kind: 'detached', reason, nextTryMs })
    this.#cancelWaiting = timers.at(clock.now() + nextTryMs, () => this.attach())
  }

  #received(link: Link<FromServer>, message: FromServer, payload: Buffer): void {
    if (link !== this.#link) return
    switch (message.type) {
      case 'welcome':
        this.#welcomed(message.settings)
        break
      case 'invoke':
        this.#invoke(message, payload)
        break
      case 'end':
        void this.#byNumber.get(message.process)?.end()
        break
      case 'leave':
        this.#leave()
        break
      case 'beat':
        break
    }
  }

  #welcomed(settings: Settings): void {
    if (this.#state !== 'attaching') return
    const { host, tell } = this.#options
    const isAsBefore = JSON.stringify(settings) === JSON.stringify(this.#settings)
    this.#state = 'serving'
    this.#settings = settings
    this.#welcomedAt = host.clock.now()
    this.#numbers = 0
    tell({ kind: 'attached', settings })
    for (const process of this.#processes) {
      if (process.wasToEnd) continue
      if (isAsBefore) this.#announce(process)
      else void process.end()
    }
    this.#keepUp()
  }

  #announce(process: WorkerProcess): void {
    if (this.#link === undefined) return
    const number = this.#numbers++
    this.#byNumber.set(number, process)
    process.announce(this.#link, number)
  }

  #invoke(message: Extract<FromServer, { type: 'invoke' }>, payload: Buffer): void {
    const { process: number, request } = message
    const invocation: InvocationRequest = { ...request, event: payload.toString('utf8') }
    const process = this.#byNumber.get(number) ?? this.#failed.get(number)
    // It ended meanwhile, and the server is being told.
    process?.invoke(invocation)
  }

  #leave(): void {
    if (this.#state !== 'serving') return
    this.#state = 'leaving'
    this.#link?.send({ type: 'drain' })
    this.#endUnserved()
    this.#leaveWhenEmpty()
  }

  /** The server ends those that have served when they are idle: it knows what it has promised them. */
  #endUnserved(): void {
    for (const process of this.#processes) if (!process.hasServed) void process.end()
  }

  #leaveWhenEmpty(): void {
    if (this.#processes.size > 0) return
    if (this.#state === 'leaving' || this.#state === 'draining') {
      if (this.#link !== undefined) this.#link.closeWhenSent(closing.left, 'drained')
      else if (this.#state === 'draining') this.#finish()
    }
  }

  #finish(): void {
    this.#state = 'gone'
    this.#ended.resolve()
  }

  #closed(link: Link<FromServer>, { reason }: LinkEnd): void {
    if (link !== this.#link) return
    const { clock } = this.#options.host
    const leaves = this.#state === 'leaving' && this.#processes.size === 0
    this.#link = undefined
    this.#byNumber.clear()
    this.#failed.clear()
    if (clock.now() - this.#welcomedAt >= goodLinkMs) this.#failedTries = 0
    const keep = this.#state === 'serving' && this.#settings?.version.perTenant !== true
    for (const process of this.#processes) {
      process.silence()
      if (!keep || !process.isIdle) void process.end()
    }
    if (this.#state === 'draining' || this.#state === 'gone') this.#leaveWhenEmpty()
    else if (leaves) this.attach()
    else this.#waitAndAttach(reason === '' ? 'the connection was cut' : reason)
  }

  /** As many processes as there are to be. */
  #keepUp(): void {
    if (this.#state !== 'serving') return
    while (this.#processes.size + this.#restarts < this.#options.processes) this.#start()
  }

  #start(): void {
    const { host, launch, forwarding } = this.#options
    const settings = this.#settings
    if (settings === undefined) return
    const startedAt = host.clock.now()
    const site = { ...host, region: settings.region, door: forwarding.door() }
    const process = new WorkerProcess(site, settings, () => launch(settings), {
      serving: () => {
        this.#failedStarts = 0
      },
      ended: () => this.#processEnded(process, startedAt),
    })
    this.#processes.add(process)
    this.#announce(process)
  }

  #processEnded(process: WorkerProcess, startedAt: number): void {
    const {
      host: { clock, timers },
      tell,
    } = this.#options
    const served = process.hasServed
    this.#processes.delete(process)
    for (const [number, each] of this.#byNumber) {
      if (each !== process) continue
      this.#byNumber.delete(number)
      if (!served) this.#remember(number, process)
    }
    this.#leaveWhenEmpty()
    if (this.#state === 'gone' || this.#state === 'draining' || this.#state === 'leaving') return
    const now = clock.now()
    if (process.wasToEnd || (served && now - startedAt >= shortLifeMs)) {
      this.#keepUp()
      return
    }
    if (!served) this.#failedStarts += 1
    const nextTryMs = Math.min(longestRestartMs, shortLifeMs * 2 ** Math.min(Math.max(0, this.#failedStarts - 1), 10))
    if (!served) tell({ kind: 'notStarted', cause: process.notLaunched, nextTryMs })
    this.#restarts += 1
    timers.at(now + nextTryMs, () => {
      this.#restarts -= 1
      this.#keepUp()
    })
  }

  #remember(number: number, process: WorkerProcess): void {
    this.#failed.set(number, process)
    const [oldest] = this.#failed.keys()
    if (this.#failed.size > rememberedFailures && oldest !== undefined) this.#failed.delete(oldest)
  }
}

/** What the server sends was measured by it, and is for processes that are free: that bounds it. */
const unbounded = createPayloadMemory(Number.POSITIVE_INFINITY)

function read(fields: Fields): Announced<FromServer> {
  const message = readFromServer(fields)
  return message.type === 'invoke' ? { message, bytes: message.bytes } : { message }
}

function reasonOf(error: Error & { readonly code?: unknown }): string {
  // Of an address with several meanings the reasons are inside.
  const [inner] = error instanceof AggregateError ? error.errors : []
  return inner instanceof Error ? inner.message : error.message
}

async function messageOf(response: IncomingMessage): Promise<string> {
  let text = ''
  try {
    response.setEncoding('utf8')
    for await (const chunk of response) {
      text += String(chunk)
      if (text.length > maxRefusalBytes) break
    }
    const { message, Message } = JSON.parse(text) as Fields
    const said = message ?? Message
    if (typeof said === 'string') return said
  } catch {
    // No answer of a Perdure server; its beginning may tell whose it is.
  }
  return text.trim().slice(0, 200) || (response.statusMessage ?? '')
}
