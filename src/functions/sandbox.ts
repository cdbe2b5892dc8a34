/**
 * One process of a function: its Runtime API listener, its process group, its output, its clock.
 *
 * States:
 *
 *   starting   spawned, has not asked for an event yet        → idle, ended
 *   idle       asks for an event                              → busy (invoke), ended
 *   busy       has an event and owes the answer               → returning (answered), ended (crash, timeout)
 *   returning  answered, has not asked for the next event yet → idle, ended (may print and run on until the deadline)
 *   ended      the process is gone, with its whole group, and nothing it sent is unread; final
 *
 * The invocation of a process that ends is told only in `ended`: its last checkpoint counts (decision 21).
 */
import type { ChildProcess } from 'node:child_process'
import type { RequestListener } from 'node:http'
import type {
  Clock,
  Entropy,
  FunctionVersion,
  InvocationRequest,
  InvocationResult,
  LogRecord,
  Timers,
} from '../service/ports.ts'
import type { HandlerSource } from './bootstrap/load-handler.ts'
import { environmentOf } from './environment.ts'
import { exited, type InvocationEnd, type ProcessEnd, platformFailure, timedOut, withTail } from './failure-texts.ts'
import { beginInvocationLog, createTail, type InvocationLog } from './invocation-log.ts'
import { createAllowance, createOutputLines, type OutputLines } from './output-lines.ts'
import { signalGroup } from './process-group.ts'
import type { ProcessRecords } from './process-records.ts'
import { openRuntimeApi, type RuntimeAnswer, type RuntimeApi } from './runtime-api.ts'
import { spawnBootstrap } from './spawn-bootstrap.ts'
import type { Watchdog } from './watchdog.ts'

/** What runs in a function's processes. */
export interface FunctionCode {
  readonly source: HandlerSource
  /** As `_HANDLER` shows it. */
  readonly handler: string
  /** The working directory: the package that the handler belongs to. */
  readonly taskRoot: string
  readonly environment: Readonly<Record<string, string>>
}

/** What all the processes of a server share. */
export interface SandboxHost {
  readonly region: string
  readonly lambdaApi: RequestListener
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  readonly watchdog: Watchdog
  readonly records: ProcessRecords
  readonly log: (record: LogRecord) => void
  readonly bootstrapFile: string
  readonly compileCache: string
  /** How long a process may load its handler. */
  readonly initLimitMs: number
  /** Debuggers may attach to the processes, which have no deadlines (decision 22). */
  readonly inspect: boolean
}

export interface SandboxEvents {
  /** The process asks for an event: `invoke` may be called, once. */
  readonly idle: () => void
  /** The process is gone. `failure` when it never got as far as to ask for an event. */
  readonly ended: (failure: StartFailure | undefined) => void
}

/** Why a process could not be started, told to an invocation that it was started for. */
export interface StartFailure {
  resultFor(request: InvocationRequest): InvocationResult
}

export interface Sandbox {
  invoke(request: InvocationRequest): Promise<InvocationResult>
  /** Ends the process: asks first, unless it is busy, and insists after a moment. Resolves when it is gone. */
  end(): Promise<void>
}

/** How long a crashed process's last requests and lines are awaited (decision 21). */
const lastWordsMs = 100
/** How much time a debugged handler believes to have. */
const dayMs = 86_400_000
/** What an idle process gets to tidy up before it is killed. */
const graceMs = 1_000

export function startSandbox(
  host: SandboxHost,
  version: FunctionVersion,
  code: FunctionCode,
  events: SandboxEvents,
): Sandbox {
  return new NodeSandbox(host, version, code, events)
}

interface CurrentInvocation {
  readonly request: InvocationRequest
  readonly log: InvocationLog
  readonly resolve: (result: InvocationResult) => void
}

class NodeSandbox implements Sandbox {
  readonly #host: SandboxHost
  readonly #version: FunctionVersion
  readonly #code: FunctionCode
  readonly #events: SandboxEvents
  readonly #startedAt: number
  readonly #initTail = createTail()
  readonly #output: readonly OutputLines[]
  readonly #gone = Promise.withResolvers<void>()

  #state: 'starting' | 'idle' | 'busy' | 'returning' | 'ended' = 'starting'
  #api: RuntimeApi | undefined
  #child: ChildProcess | undefined
  #current: CurrentInvocation | undefined
  /** What the end of the process means, when the server knows better than the exit status. */
  #verdict: ((requestId: string) => InvocationEnd) | undefined
  #cancelDeadline = (): void => {}
  #initMs: number | undefined
  #servedFirst = false
  #maxRssKb: number | undefined

  constructor(host: SandboxHost, version: FunctionVersion, code: FunctionCode, events: SandboxEvents) {
    this.#host = host
    this.#version = version
    this.#code = code
    this.#events = events
    this.#startedAt = host.clock.now()
    const allowance = createAllowance(host.clock)
    this.#output = [
      createOutputLines(allowance, (line) => this.#printed('stdout', line)),
      createOutputLines(allowance, (line) => this.#printed('stderr', line)),
    ]
    void this.#start()
  }

  async #start(): Promise<void> {
    try {
      this.#api = await openRuntimeApi({
        lambdaApi: this.#host.lambdaApi,
        onNext: () => this.#askedForNext(),
        onInitError: (failure) => this.#kill(() => failure),
      })
      if (this.#verdict === undefined) await this.#spawn(this.#api)
    } catch (error) {
      this.#verdict = () => platformFailure(`A process for the function could not be started: ${String(error)}`)
    }
    if (this.#child?.pid === undefined) await this.#finish({ exitCode: null, signal: null })
  }

  async #spawn(api: RuntimeApi): Promise<void> {
    const host = this.#host
    const child = await spawnBootstrap({
      bootstrapFile: host.bootstrapFile,
      task: { mode: 'serve', compileCache: host.compileCache, ...this.#code.source },
      memoryMb: this.#version.memoryMb,
      inspect: host.inspect,
      workingDirectory: this.#code.taskRoot,
      environment: environmentOf({
        functionName: this.#version.name,
        version: this.#version.version,
        memoryMb: this.#version.memoryMb,
        region: host.region,
        runtimeAuthority: api.authority,
        handler: this.#code.handler,
        taskRoot: this.#code.taskRoot,
        bootstrapFile: host.bootstrapFile,
        logStream: this.#logStream(),
        declared: this.#code.environment,
      }),
    })
    this.#child = child
    // It was ended while it was being started.
    if (this.#verdict !== undefined) signalGroup(child.pid, 'SIGKILL')
    host.watchdog.watch(child.pid)
    host.records.add(child.pid)
    child.stdout?.on('data', (chunk: Buffer) => this.#output[0]?.write(chunk))
    child.stderr?.on('data', (chunk: Buffer) => this.#output[1]?.write(chunk))
    child.once('exit', (exitCode, signal) => void this.#finish({ exitCode, signal }))
    const limitMs = host.initLimitMs
    this.#setDeadline(this.#startedAt + limitMs, (requestId) => timedOut(requestId, limitMs / 1000))
  }

  #askedForNext(): void {
    if (this.#state === 'ended' || this.#state === 'busy' || this.#verdict !== undefined) return
    this.#cancelDeadline()
    if (this.#state === 'starting') this.#initMs = this.#host.clock.now() - this.#startedAt
    this.#flushOutput()
    this.#state = 'idle'
    this.#events.idle()
  }

  invoke(request: InvocationRequest): Promise<InvocationResult> {
    const { clock, entropy } = this.#host
    return new Promise((resolve) => {
      const log = this.#beginLog(request)
      if (this.#state !== 'idle' || this.#api === undefined) {
        const end = platformFailure('The function process ended before it was given the event')
        resolve(withTail(end, log.end({ maxRssKb: this.#maxRssKb, initMs: undefined })))
        return
      }
      this.#state = 'busy'
      this.#current = { request, log, resolve }
      const { timeoutSeconds } = this.#version
      const deadlineMs = clock.now() + (this.#host.inspect ? dayMs : timeoutSeconds * 1000)
      this.#setDeadline(deadlineMs, (requestId) => timedOut(requestId, timeoutSeconds))
      const delivered = this.#api.deliver({
        requestId: request.requestId,
        event: request.event,
        deadlineMs,
        functionArn: this.#version.arn,
        traceHeader: request.traceHeader ?? newTraceHeader(clock, entropy),
        ...(request.clientContext === undefined ? {} : { clientContext: request.clientContext }),
        ...(request.tenantId === undefined ? {} : { tenantId: request.tenantId }),
        durable: this.#version.durable !== undefined,
      })
      void delivered.then((answer) => this.#answered(answer))
    })
  }

  #answered(answer: RuntimeAnswer): void {
    // After a deadline only the end of the process counts.
    if (this.#state !== 'busy' || this.#verdict !== undefined) return
    this.#maxRssKb = answer.maxRssKb ?? this.#maxRssKb
    if (answer.broken) {
      this.#kill(() => answer.end)
      return
    }
    this.#state = 'returning'
    // What was printed before the answer is in the pipes by now and read in this turn of the loop.
    setImmediate(() => this.#settle(answer.end))
  }

  #settle(end: InvocationEnd): void {
    const current = this.#current
    if (current === undefined) return
    this.#flushOutput()
    this.#current = undefined
    const initMs = this.#servedFirst ? undefined : this.#initMs
    this.#servedFirst = true
    if (end.kind === 'error' && this.#state === 'ended') current.log.line('platform', end.error.ErrorMessage ?? '')
    current.resolve(withTail(end, current.log.end({ maxRssKb: this.#maxRssKb, initMs })))
  }

  #setDeadline(dueMs: number, verdict: (requestId: string) => InvocationEnd): void {
    if (!this.#host.inspect) this.#cancelDeadline = this.#host.timers.at(dueMs, () => this.#kill(verdict))
  }

  /** Ends the whole group at once; the first verdict stands. */
  #kill(verdict: (requestId: string) => InvocationEnd): void {
    if (this.#state === 'ended') return
    this.#verdict ??= verdict
    if (this.#child?.pid !== undefined) signalGroup(this.#child.pid, 'SIGKILL')
  }

  async end(): Promise<void> {
    const stopping = (): InvocationEnd => platformFailure('The server ended the function process')
    if (this.#state === 'busy' || this.#child?.pid === undefined) this.#kill(stopping)
    else if (this.#state !== 'ended') {
      this.#verdict ??= stopping
      signalGroup(this.#child.pid, 'SIGTERM')
      const cancel = this.#host.timers.at(this.#host.clock.now() + graceMs, () => this.#kill(stopping))
      void this.#gone.promise.then(cancel)
    }
    await this.#gone.promise
  }

  /** The process is gone: waits for its last words, then tells. */
  async #finish(processEnd: ProcessEnd): Promise<void> {
    this.#cancelDeadline()
    const pid = this.#child?.pid
    if (pid !== undefined) {
      signalGroup(pid, 'SIGKILL')
      await this.#lastWords()
      this.#host.watchdog.unwatch(pid)
      this.#host.records.remove(pid)
    }
    const neverAsked = this.#state === 'starting'
    const verdict = this.#verdict ?? ((requestId: string) => exited(requestId, processEnd))
    this.#flushOutput()
    this.#state = 'ended'
    this.#api?.close()
    const current = this.#current
    if (current !== undefined) this.#settle(verdict(current.request.requestId))
    this.#gone.resolve()
    this.#events.ended(neverAsked ? { resultFor: (request) => this.#startFailed(request, verdict) } : undefined)
  }

  async #lastWords(): Promise<void> {
    const { timers, clock } = this.#host
    // A connection that it made last may not be accepted yet; it is in this turn of the event loop.
    await nextTurn()
    const cap = Promise.withResolvers<void>()
    const cancel = timers.at(clock.now() + lastWordsMs, cap.resolve)
    const streamEnds = [this.#child?.stdout, this.#child?.stderr].map(
      (stream) =>
        new Promise<void>((resolve) => {
          if (stream === null || stream === undefined || stream.closed) resolve()
          else stream.once('close', resolve)
        }),
    )
    await Promise.race([Promise.all([this.#api?.drained(), ...streamEnds]), cap.promise])
    cancel()
    // A request whose last byte was just read is taken up by its handler before the end is told.
    await nextTurn()
  }

  #startFailed(request: InvocationRequest, verdict: (requestId: string) => InvocationEnd): InvocationResult {
    const log = this.#beginLog(request)
    const end = verdict(request.requestId)
    if (end.kind !== 'response') log.line('platform', end.error.ErrorMessage ?? '')
    return withTail(end, log.end({ maxRssKb: this.#maxRssKb, initMs: undefined }))
  }

  #beginLog(request: InvocationRequest): InvocationLog {
    const { clock, log } = this.#host
    const initTail = this.#servedFirst ? '' : this.#initTail.text()
    return beginInvocationLog({ version: this.#version, request, clock, log, initTail })
  }

  #printed(stream: 'stdout' | 'stderr', line: string): void {
    if (this.#current !== undefined) {
      this.#current.log.line(stream, line)
      return
    }
    if (!this.#servedFirst) this.#initTail.add(line)
    const { name, version } = this.#version
    this.#host.log({ at: this.#host.clock.now(), functionName: name, version, stream, line })
  }

  #flushOutput(): void {
    for (const output of this.#output) output.flush()
  }

  #logStream(): string {
    const day = new Date(this.#startedAt).toISOString().slice(0, 10).replaceAll('-', '/')
    return `${day}/[${this.#version.version}]${this.#host.entropy.hex(16)}`
  }
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function newTraceHeader(clock: Clock, entropy: Entropy): string {
  const seconds = Math.floor(clock.now() / 1000)
    .toString(16)
    .padStart(8, '0')
  return `Root=1-${seconds}-${entropy.hex(12)};Parent=${entropy.hex(8)};Sampled=0`
}
