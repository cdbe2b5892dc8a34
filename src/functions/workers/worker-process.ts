/**
 * A process of a worker, for a server that hands it invocations over a link: a sandbox like those of the server itself,
 * whose calls are forwarded, whose lines and ends are told. It outlives a link when it is idle then: the next one is told
 * of it anew.
 */
import type { InvocationRequest, InvocationResult, LogRecord } from '../../service/ports.ts'
import type { Launch } from '../launch.ts'
import { type Sandbox, type SandboxHost, type StartFailure, startSandbox } from '../sandbox.ts'
import type { ForwardingDoor } from './forwarding.ts'
import type { Link } from './link.ts'
import { type FromServer, type FromWorker, payloadOf, type RemoteLine, type Settings } from './messages.ts'

export interface WorkerProcessHost extends Omit<SandboxHost, 'lambdaApi' | 'log'> {
  readonly door: ForwardingDoor
  readonly printed: (record: LogRecord) => void
}

export interface WorkerProcessEvents {
  /** It asks for its first event. */
  readonly serving: () => void
  /** It is gone, and the link was told. */
  readonly ended: () => void
}

/** Of one message, in characters; a line has at most half of it. */
const maxLogCharacters = 131_072
/** What a line takes beside its text: its stream, ids, names. */
const aroundLine = 256
/** When more than this waits for a slow connection, lines are dropped. */
const maxBacklogBytes = 16_777_216

/** Where the server hears of the process. */
interface Voice {
  readonly link: Link<FromServer>
  readonly number: number
}

export class WorkerProcess {
  readonly #sandbox: Sandbox
  readonly #door: ForwardingDoor
  readonly #printed: (record: LogRecord) => void
  /** Results on their way, after which its end is told. */
  readonly #answers = new Set<Promise<void>>()
  #voice: Voice | undefined
  #asking = 0
  #running = 0
  #served = false
  #wasToEnd = false
  #failure: StartFailure | undefined
  #lines: RemoteLine[] = []
  #characters = 0
  #dropped = 0
  #flushes = false

  constructor(host: WorkerProcessHost, settings: Settings, launch: () => Promise<Launch>, events: WorkerProcessEvents) {
    this.#door = host.door
    this.#printed = host.printed
    const site = { ...host, lambdaApi: host.door.listener, log: (record: LogRecord) => this.#log(record) }
    this.#sandbox = startSandbox(site, settings.version, launch, {
      idle: () => {
        this.#asking += 1
        this.#say('asks')
        if (!this.#served) events.serving()
        this.#served = true
      },
      leaving: () => {},
      ended: (failure) => {
        this.#failure = failure
        void this.#tellEnd().then(() => events.ended())
      },
    })
  }

  /** Whether anything is lost with it. */
  get isIdle(): boolean {
    return this.#running === 0
  }

  /** It has asked for an event. */
  get hasServed(): boolean {
    return this.#served
  }

  /** Why there never was a process, if that is so. */
  get notLaunched(): string | undefined {
    return this.#failure?.cause
  }

  get wasToEnd(): boolean {
    return this.#wasToEnd
  }

  /** From now on the server at the other end knows it by the number. */
  announce(link: Link<FromServer>, number: number): void {
    this.#voice = { link, number }
    this.#say('started')
    for (let place = 0; place < this.#asking; place += 1) this.#say('asks')
  }

  /** Nobody hears of it any more. */
  silence(): void {
    this.#voice = undefined
    this.#lines = []
    this.#characters = 0
  }

  /** An invocation, or one that asks why it could not be started. */
  invoke(request: InvocationRequest): void {
    const voice = this.#voice
    const { requestId } = request
    this.#running += 1
    if (this.#failure === undefined) this.#asking -= 1
    voice?.link.send({ type: 'begun', process: voice.number, requestId } satisfies FromWorker)
    const result = this.#failure?.resultFor(request) ?? this.#sandbox.invoke(request)
    const answer = Promise.resolve(result).then((ended) => this.#answer(voice, requestId, ended))
    this.#answers.add(answer)
    void answer.finally(() => this.#answers.delete(answer))
  }

  end(): Promise<void> {
    this.#wasToEnd = true
    return this.#sandbox.end()
  }

  async #answer(voice: Voice | undefined, requestId: string, result: InvocationResult): Promise<void> {
    // What was recorded before the end must be there when the end is told.
    await this.#door.settled()
    this.#running -= 1
    // Who asked has given it up, and would not know it.
    if (voice === undefined || voice !== this.#voice) return
    this.#flush()
    const payload = payloadOf(result)
    const { kind, logTail } = result
    const head = { type: 'result', process: voice.number, requestId, kind, logTail, bytes: payload.byteLength } as const
    voice.link.send(head satisfies FromWorker, payload)
  }

  async #tellEnd(): Promise<void> {
    await Promise.all(this.#answers)
    this.#flush()
    const { link, number } = this.#voice ?? {}
    const message = { type: 'ended', process: number ?? 0, failed: this.#failure !== undefined } as const
    link?.send(message satisfies FromWorker)
  }

  #say(type: 'started' | 'asks'): void {
    this.#flush()
    this.#voice?.link.send({ type, process: this.#voice.number } satisfies FromWorker)
  }

  #log(record: LogRecord): void {
    this.#printed(record)
    const link = this.#voice?.link
    if (link === undefined) return
    if (link.backlogBytes > maxBacklogBytes) {
      this.#dropped += 1
      return
    }
    if (this.#dropped > 0) {
      const line = `[perdure] ${this.#dropped} lines were dropped: the connection to the server is too slow`
      this.#dropped = 0
      this.#add({ stream: 'platform', line })
    }
    const { stream, line, requestId, level, logStream } = record
    this.#add({
      stream,
      line,
      ...(requestId === undefined ? {} : { requestId }),
      ...(level === undefined ? {} : { level }),
      ...(logStream === undefined ? {} : { logStream }),
    })
  }

  #add(line: RemoteLine): void {
    if (this.#characters + line.line.length + aroundLine > maxLogCharacters) this.#flush()
    this.#lines.push(line)
    this.#characters += line.line.length + aroundLine
    if (this.#flushes) return
    this.#flushes = true
    setImmediate(() => {
      this.#flushes = false
      this.#flush()
    })
  }

  #flush(): void {
    const voice = this.#voice
    if (voice === undefined || this.#lines.length === 0) return
    voice.link.send({ type: 'log', process: voice.number, lines: this.#lines } satisfies FromWorker)
    this.#lines = []
    this.#characters = 0
  }
}
