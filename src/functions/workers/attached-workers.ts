/**
 * The workers that are attached to this server: who may attach, what each says (`messages.ts`), and what that means for
 * the pool, which processes of workers join as if they had been started here.
 *
 * A worker is
 *
 *   attached   its processes serve its version                   → leaving, gone
 *   leaving    it drains, or was told to: no new invocations     → gone (it closed the link when its processes had ended)
 *   gone       left, or lost: silent for four beats, cut off, or no speaker of the protocol; what it ran is repeated
 *
 * It is trusted as a function is: with the events that it is given and the answers it makes, not with anybody else's, nor
 * with this server's memory and time.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { ApiError, invalidParameter } from '../../protocol/errors.ts'
import { WORKER_SUBPROTOCOL } from '../../protocol/worker-attach.ts'
import {
  type AttachedWorker,
  type Clock,
  defaultLogGroup,
  type FunctionVersion,
  type LogRecord,
  type ServiceLog,
  type Timers,
} from '../../service/ports.ts'
import type { Pool } from '../pool.ts'
import { type Announced, type Fields, Link, type LinkEnd, type LinkEvents, webSocketOptions } from './link.ts'
import {
  BrokenProtocol,
  closing,
  type FromServer,
  type FromWorker,
  maxLogBytes,
  mostPayloadBytes,
  mostProcessesOfWorker,
  readFromWorker,
  resultOf,
  type Settings,
} from './messages.ts'
import { createPayloadMemory } from './payload-memory.ts'
import { RemoteProcess } from './remote-process.ts'

export interface AttachedWorkers {
  /** Takes over the connection of a request to attach. Throws an `ApiError` that says why not, and leaves it then. */
  attach(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Whether a worker is attached that takes invocations of the version. */
  serve(version: FunctionVersion): boolean
  list(): readonly AttachedWorker[]
  /** How many were lost, by function. */
  lost(): ReadonlyMap<string, number>
  /** The functions may have changed: workers of those that have are asked to attach anew. */
  follow(): void
  /** What still runs at a worker ends as the platform's failure. */
  close(): Promise<void>
}

export interface AttachedWorkersOptions {
  readonly clock: Clock
  readonly timers: Timers
  /** What the processes of a version are to be; undefined: there is no such version. */
  readonly settingsOf: (functionName: string, qualifier: string) => Settings | undefined
  readonly pool: Pick<Pool, 'join'>
  /** The first worker of the version was attached, or its last is leaving or gone. */
  readonly changed: (version: FunctionVersion) => void
  readonly write: (record: LogRecord) => void
  readonly log: ServiceLog
}

/** Workers attached to one server. */
const mostWorkers = 1_000
/** Payloads that are being received, of all workers together. */
const payloadMemoryBytes = 268_435_456
/** A process that prints more than it may is read slowly, and everything of its worker with it. */
const floodPauseMs = 250
/** Processes that never asked for an event, and may be asked why, of one worker. */
const rememberedFailures = 16

interface Attach {
  readonly functionName: string
  readonly qualifier: string
  readonly name: string
  readonly processes: number
  readonly unhurried: boolean
}

export function createAttachedWorkers(options: AttachedWorkersOptions): AttachedWorkers {
  const { clock, timers, settingsOf } = options
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    handleProtocols: () => WORKER_SUBPROTOCOL,
    ...webSocketOptions,
  })
  const memory = createPayloadMemory(payloadMemoryBytes)
  const attached = new Set<Attachment>()
  /** Those that take invocations, by the ARN of their version. */
  const serving = new Map<string, Set<Attachment>>()
  const lost = new Map<string, number>()
  let closed = false

  const serve = ({ arn }: FunctionVersion): boolean => serving.has(arn)

  const begin = (attachment: Attachment): void => {
    const { version } = attachment.settings
    attached.add(attachment)
    const others = serving.get(version.arn)
    if (others === undefined) serving.set(version.arn, new Set([attachment]))
    else others.add(attachment)
    attachment.begin()
    if (others === undefined) options.changed(version)
  }

  /** It takes no more, if it did. */
  const end = (attachment: Attachment): void => {
    const { version } = attachment.settings
    const all = serving.get(version.arn)
    if (all?.delete(attachment) !== true || all.size > 0) return
    serving.delete(version.arn)
    options.changed(version)
  }

  const admit = (request: IncomingMessage): { readonly attach: Attach; readonly settings: Settings } => {
    if (closed) throw new ApiError('ServiceException', 'The service is shutting down. Please try again.')
    const attach = readAttach(request)
    const settings = settingsOf(attach.functionName, attach.qualifier)
    if (settings === undefined) {
      const what = `${attach.functionName}:${attach.qualifier}`
      throw new ApiError('ResourceNotFoundException', `Function not found: there is no ${what} to work for`)
    }
    if (attached.size >= mostWorkers) {
      throw new ApiError(
        'TooManyRequestsException',
        `${mostWorkers} workers are attached, which is the most there may be`,
      )
    }
    return { attach, settings }
  }

  return {
    attach: (request, socket, head) => {
      const { attach, settings } = admit(request)
      const connection = socket as Socket
      webSockets.handleUpgrade(request, connection, head, (webSocket) => {
        const attachment = new Attachment(attach, settings, connection.remoteAddress ?? '', options, {
          link: (events) => new Link(webSocket, connection, { clock, timers }, memory, events),
          leaving: () => end(attachment),
          gone: (wasLost) => {
            const { name } = settings.version
            attached.delete(attachment)
            if (wasLost) lost.set(name, (lost.get(name) ?? 0) + 1)
            end(attachment)
          },
        })
        begin(attachment)
      })
    },
    serve,
    list: () => [...attached].map((each) => each.described()),
    lost: () => lost,
    follow: () => {
      for (const each of [...attached]) {
        const { version } = each.settings
        const now = settingsOf(version.name, version.version)
        if (JSON.stringify(now) !== JSON.stringify(each.settings)) each.askToLeave()
      }
    },
    close: async () => {
      closed = true
      await Promise.all([...attached].map((each) => each.close()))
      webSockets.close()
    },
  }
}

function readAttach(request: IncomingMessage): Attach {
  const offered = request.headers['sec-websocket-protocol']?.split(',').map((each) => each.trim()) ?? []
  if (!offered.includes(WORKER_SUBPROTOCOL)) {
    const theirs = offered.length === 0 ? 'none' : offered.join(', ')
    throw invalidParameter(
      `This server speaks ${WORKER_SUBPROTOCOL} with workers, and the worker ${theirs}: use the same version of Perdure for both.`,
    )
  }
  const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '')
  const functionName = query.get('function') ?? ''
  if (!/^[a-zA-Z0-9-_]{1,64}$/.test(functionName)) throw invalidParameter("'function' must be the name of a function.")
  const qualifier = query.get('qualifier') ?? '$LATEST'
  if (!/^(\$LATEST|\d{1,10})$/.test(qualifier)) throw invalidParameter("'qualifier' must be $LATEST or a version.")
  const name = query.get('name') ?? ''
  if (!/^[\x20-\x7e]{1,128}$/.test(name)) throw invalidParameter("'name' must be 1 to 128 printable ASCII characters.")
  const processes = /^\d{1,4}$/.test(query.get('processes') ?? '') ? Number(query.get('processes')) : 0
  if (processes < 1 || processes > mostProcessesOfWorker) {
    throw invalidParameter(`'processes' must be a number from 1 to ${mostProcessesOfWorker}.`)
  }
  return { functionName, qualifier, name, processes, unhurried: query.get('deadlines') === 'none' }
}

interface Surroundings {
  readonly link: (events: LinkEvents<FromWorker>) => Link<FromWorker>
  readonly leaving: () => void
  readonly gone: (wasLost: boolean) => void
}

class Attachment {
  readonly settings: Settings
  readonly #attach: Attach
  readonly #address: string
  readonly #options: AttachedWorkersOptions
  readonly #surroundings: Surroundings
  readonly #link: Link<FromWorker>
  readonly #since: number
  readonly #processes = new Map<number, RemoteProcess>()
  /** The oldest first. */
  readonly #failed: RemoteProcess[] = []
  readonly #gone = Promise.withResolvers<void>()
  #highest = -1
  #leaving = false

  constructor(
    attach: Attach,
    settings: Settings,
    address: string,
    options: AttachedWorkersOptions,
    surroundings: Surroundings,
  ) {
    this.#attach = attach
    this.settings = settings
    this.#address = address
    this.#options = options
    this.#surroundings = surroundings
    this.#since = options.clock.now()
    this.#link = surroundings.link({
      read: (fields) => this.#read(fields),
      received: (message, payload) => this.#received(message, payload),
      closed: (end) => this.#closed(end),
    })
  }

  begin(): void {
    this.#say({ type: 'welcome', settings: this.settings })
    this.#log('info', `${this.#label()} is attached from ${this.#address}`)
  }

  described(): AttachedWorker {
    const { name, version } = this.settings.version
    const processes = [...this.#processes.values()]
    return {
      functionName: name,
      version,
      name: this.#attach.name,
      address: this.#address,
      attachedAt: this.#since,
      processes: processes.length,
      running: processes.reduce((sum, { running }) => sum + running, 0),
      leaving: this.#leaving,
    }
  }

  askToLeave(): void {
    if (this.#leaving) return
    this.#say({ type: 'leave' })
    this.#leave()
  }

  async close(): Promise<void> {
    this.#link.close(closing.restarting, 'the server shuts down')
    await this.#gone.promise
  }

  #read(fields: Fields): Announced<FromWorker> {
    const message = readFromWorker(fields)
    if (message.type !== 'result') return { message }
    const most = mostPayloadBytes(message.kind, this.settings.version.durable)
    if (message.bytes > most) throw new BrokenProtocol(`a result of ${message.bytes} bytes, where ${most} are the most`)
    const awaited = this.#known(message.process)?.requestOf(message.requestId)
    return { message, bytes: message.bytes, unwanted: awaited === undefined }
  }

  #known(number: number): RemoteProcess | undefined {
    return this.#processes.get(number) ?? this.#failed.find((each) => each.number === number)
  }

  #received(message: FromWorker, payload: Buffer): void {
    switch (message.type) {
      case 'started':
        this.#started(message.process)
        break
      case 'asks':
        this.#processes.get(message.process)?.asks()
        break
      case 'begun':
        this.#processes.get(message.process)?.begun(message.requestId)
        break
      case 'ended':
        this.#ended(message.process, message.failed)
        break
      case 'log':
        this.#logged(message)
        break
      case 'result': {
        const { process: number, requestId, kind, logTail } = message
        this.#known(number)?.answered(requestId, resultOf(kind, logTail, payload))
        break
      }
      case 'drain':
        this.#leave()
        break
      case 'beat':
        break
    }
  }

  #started(number: number): void {
    if (number <= this.#highest) throw new BrokenProtocol(`process ${number} starts a second time`)
    if (this.#processes.size >= this.#attach.processes) throw new BrokenProtocol('more processes than were announced')
    this.#highest = number
    // It crossed with the word to leave.
    if (this.#leaving) {
      this.#say({ type: 'end', process: number })
      return
    }
    const { clock, timers, pool } = this.#options
    const { version } = this.settings
    const host = {
      clock,
      timers,
      timeoutSeconds: version.timeoutSeconds,
      places: version.maxConcurrency ?? 1,
      unhurried: this.#attach.unhurried,
      send: (message: FromServer, bytes?: Uint8Array) => this.#link.send(message, bytes),
      receives: (requestId: string) => {
        const { incoming } = this.#link
        return incoming?.type === 'result' && incoming.requestId === requestId
      },
      fail: (reason: string) => this.#link.close(closing.broken, reason),
    }
    pool.join(version, (events) => {
      const ended: typeof events.ended = (failure) => {
        this.#processes.delete(number)
        events.ended(failure)
      }
      const process = new RemoteProcess(number, host, { ...events, ended })
      this.#processes.set(number, process)
      return process
    })
  }

  #ended(number: number, failed: boolean): void {
    const process = this.#processes.get(number)
    if (process === undefined) return
    if (failed) {
      this.#failed.push(process)
      if (this.#failed.length > rememberedFailures)
        this.#failed.shift()?.lost('The process ended while it was starting')
    }
    process.ended(failed)
  }

  #logged({ process: number, lines }: Extract<FromWorker, { type: 'log' }>): void {
    const { write, clock } = this.#options
    const { name: functionName, version, logging } = this.settings.version
    const ownGroup = logging === undefined || logging.group === defaultLogGroup(functionName)
    const bytes = lines.reduce((sum, { line }) => sum + line.length + 1, 0)
    if (bytes > maxLogBytes) throw new BrokenProtocol(`${bytes} bytes of log at once`)
    const process = this.#known(number)
    if (process === undefined) return
    for (const { stream, line, requestId, level, logStream } of lines) {
      const request = requestId === undefined ? undefined : process.requestOf(requestId)
      write({
        at: clock.now(),
        functionName,
        version,
        ...(request === undefined ? {} : { requestId: request.requestId }),
        ...(request?.executionArn === undefined ? {} : { executionArn: request.executionArn }),
        ...(logStream === undefined ? {} : { logStream }),
        ...(ownGroup ? {} : { group: logging.group }),
        ...(level === undefined ? {} : { level }),
        stream,
        line,
      })
    }
    if (!process.allowance.spend(bytes)) this.#link.pauseFor(floodPauseMs)
  }

  #leave(): void {
    if (this.#leaving) return
    this.#leaving = true
    for (const process of [...this.#processes.values()]) process.leave()
    this.#surroundings.leaving()
  }

  #closed({ code, reason }: LinkEnd): void {
    const { running } = this.described()
    const shutDown = code === closing.restarting
    const wasLost = !shutDown && (code !== closing.left || running > 0)
    const why = reason === '' ? 'its connection was cut' : reason
    if (wasLost) {
      const repeated = running === 0 ? '' : `; what it ran is repeated: ${running}`
      this.#log('warn', `${this.#label()} is lost: ${why}${repeated}`)
    } else if (!shutDown) this.#log('info', `${this.#label()} has left`)
    // Whoever asks now whether it serves is told that it does not.
    this.#surroundings.gone(wasLost)
    const told = shutDown ? 'The server ended the function process' : `The worker ${this.#attach.name} was lost: ${why}`
    for (const process of [...this.#processes.values(), ...this.#failed]) process.lost(told)
    this.#gone.resolve()
  }

  #say(message: FromServer): void {
    this.#link.send(message)
  }

  #label(): string {
    const { name, version } = this.settings.version
    return `Worker ${JSON.stringify(this.#attach.name)} of ${name}:${version}`
  }

  #log(level: 'info' | 'warn', message: string): void {
    this.#options.log(level, message, undefined, { functionName: this.settings.version.name })
  }
}
