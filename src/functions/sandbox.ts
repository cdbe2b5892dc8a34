/**
 * One process of a function: its Runtime API listener, its process group, its output, its clock. States:
 *
 *   starting   spawned, has not asked for an event yet   → serving, ended
 *   serving    has asked, for each of its places once    → ended (crash, timeout, too much memory, `end`)
 *   ended      the process is gone, with its whole group, and nothing it sent is unread; final
 *
 * A process has `maxConcurrency` places. A place that asks for an event is free; `invoke` takes it until the answer; then
 * it is returning, may print and run on until its deadline, until it asks again.
 *
 * The invocations of a process that ends are told only in `ended`: their last checkpoints count (decision 21). When it
 * is known which of them ended it, the others did not fail: they are failures of the platform, to be repeated.
 */
import type { ChildProcess } from 'node:child_process'
import type { RequestListener } from 'node:http'
import { Readable } from 'node:stream'
import { crashPoint } from '../crash-point.ts'
import type {
  Clock,
  Entropy,
  FunctionVersion,
  InvocationRequest,
  InvocationResult,
  LogRecord,
  Timers,
} from '../service/ports.ts'
import { environmentOf } from './environment.ts'
import {
  exited,
  type InvocationEnd,
  launchRefused,
  misused,
  neighbourEnded,
  type ProcessEnd,
  platformFailure,
  timedOut,
  withTail,
} from './failure-texts.ts'
import { type Footprint, type Footprints, maxProcesses } from './footprints.ts'
import {
  beginInvocationLog,
  createProcessLog,
  createTail,
  type InvocationLog,
  type ProcessLog,
} from './invocation-log.ts'
import type { Isolation } from './isolation/isolation.ts'
import { createLabelledReader } from './labelled-output.ts'
import { type Launch, LaunchRefusal } from './launch.ts'
import { plainLogging } from './logging.ts'
import { type Allowance, createAllowance, createOutputLines, type OutputLines } from './output-lines.ts'
import { signalGroup, yieldToAll, yieldToServer } from './process-group.ts'
import type { ProcessRecords } from './process-records.ts'
import { explainReplayMismatch } from './replay-mismatch.ts'
import { openRuntimeApi, type RuntimeAnswer, type RuntimeApi } from './runtime-api.ts'
import { labelledLine, spawnProcess } from './spawn-process.ts'
import type { Watchdog } from './watchdog.ts'

/** What all the processes of a server share. */
export interface SandboxHost {
  readonly region: string
  readonly lambdaApi: RequestListener
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  readonly watchdog: Watchdog
  readonly records: ProcessRecords
  readonly footprints: Footprints
  readonly isolation: Isolation
  readonly log: (record: LogRecord) => void
  /** How long a process may load its handler. */
  readonly initLimitMs: number
  /** Debuggers may attach to the processes, which have no deadlines (decision 22). */
  readonly inspect: boolean
}

export interface SandboxEvents {
  /** A place of the process asks for an event: `invoke` may be called once more. */
  readonly idle: () => void
  /** It is to be handed nothing more, and to be ended when it is idle. */
  readonly leaving: () => void
  /** The process is gone. `failure` when it never got as far as to ask for an event. */
  readonly ended: (failure: StartFailure | undefined) => void
}

/** Why a process could not be started, told to an invocation that it was started for. */
export interface StartFailure {
  /** Where there never was a process. */
  readonly cause?: string
  resultFor(request: InvocationRequest): InvocationResult | Promise<InvocationResult>
}

export interface Sandbox {
  invoke(request: InvocationRequest): Promise<InvocationResult>
  /** Ends the process: asks first, unless it is busy, and insists after a moment. Resolves when it is gone. */
  end(): Promise<void>
}

/** How long a crashed process's last requests and lines are awaited (decision 21). */
const lastWordsMs = 100
/** A function that runs more processes than this comes after all others: their number must not be its share. */
const crowd = 16
/** Between two chunks of a process that prints more than it may. */
const floodPauseMs = 10
/** How much time a debugged handler believes to have. */
const dayMs = 86_400_000
/** What an idle process gets to tidy up before it is killed. */
const graceMs = 1_000

/** `launch` is asked once, for how the process is to be started. */
export function startSandbox(
  host: SandboxHost,
  version: FunctionVersion,
  launch: () => Promise<Launch>,
  events: SandboxEvents,
): Sandbox {
  return new ProcessSandbox(host, version, launch, events)
}

interface Running {
  readonly request: InvocationRequest
  readonly log: InvocationLog
  readonly resolve: (result: InvocationResult) => void
  readonly cancelDeadline: () => void
  /** What the process labels as this invocation's; a process of one place labels nothing. */
  readonly output: Output
}

interface Output {
  readonly stdout: OutputLines
  readonly stderr: OutputLines
}

/** What the end of the process means, when the server knows better than the exit status. */
interface Verdict {
  readonly end: (requestId: string) => InvocationEnd
  /** The invocation that made the server end the process, if it was one. */
  readonly culprit?: string
}

class ProcessSandbox implements Sandbox {
  readonly #host: SandboxHost
  readonly #version: FunctionVersion
  readonly #launch: () => Promise<Launch>
  readonly #events: SandboxEvents
  readonly #places: number
  #startedAt: number
  readonly #logStream: string
  readonly #log: ProcessLog
  readonly #initTail = createTail()
  #notLaunched: string | undefined
  readonly #allowance: Allowance
  readonly #output: Output
  readonly #gone = Promise.withResolvers<void>()

  #state: 'starting' | 'serving' | 'ended' = 'starting'
  #api: RuntimeApi | undefined
  #child: ChildProcess | undefined
  #free = 0
  readonly #running = new Map<string, Running>()
  /** The deadlines of places that are returning, the oldest first. */
  readonly #returning: (() => void)[] = []
  #verdict: Verdict | undefined
  /** What the process itself said ended it. */
  #saidCulprit: string | undefined
  #cancelInitLimit = (): void => {}
  #unwatchFootprint = (): void => {}
  #ending = false
  #initMs: number | undefined
  #servedFirst = false
  #maxMemoryKb: number | undefined
  /** What starts the process may have forked before it was told to come after the server. */
  #allYield: boolean

  constructor(host: SandboxHost, version: FunctionVersion, launch: () => Promise<Launch>, events: SandboxEvents) {
    this.#host = host
    this.#version = version
    this.#launch = launch
    this.#events = events
    this.#places = version.maxConcurrency ?? 1
    this.#startedAt = host.clock.now()
    this.#logStream = newLogStream(version.version, host.clock, host.entropy)
    this.#log = createProcessLog({ version, logStream: this.#logStream, clock: host.clock, log: host.log })
    this.#allYield = !host.isolation.hides
    this.#allowance = createAllowance(host.clock)
    this.#output = this.#outputTo((stream, line) => this.#printed(stream, line))
    void this.#start()
  }

  async #start(): Promise<void> {
    try {
      const launch = await this.#launch()
      this.#api = await openRuntimeApi({
        clock: this.#host.clock,
        timers: this.#host.timers,
        lambdaApi: this.#host.lambdaApi,
        maxConcurrency: this.#places,
        onNext: () => this.#askedForNext(),
        onInitError: (failure) => this.#kill({ end: () => failure }),
      })
      if (this.#verdict === undefined) await this.#spawn(launch, this.#api)
    } catch (error) {
      this.#notLaunched = error instanceof LaunchRefusal ? error.message : String(error)
      const failure = platformFailure(`A process for the function could not be started: ${String(error)}`)
      // It may run already, when what belongs to it could not be set up (no descriptor is free, a disk is full).
      this.#kill({ end: (requestId) => (error instanceof LaunchRefusal ? launchRefused(requestId, error) : failure) })
    }
    if (this.#child?.pid === undefined) await this.#finish({ exitCode: null, signal: null })
  }

  async #spawn(launch: Launch, api: RuntimeApi): Promise<void> {
    const host = this.#host
    // Unpacking its code, which the first process of a version waits for, is no part of loading the handler.
    this.#startedAt = host.clock.now()
    const child = await spawnProcess({
      ...host.isolation.begin(launch),
      lines: launch.lines,
      environment: environmentOf(launch, {
        inherited: host.isolation.inherited,
        functionName: this.#version.name,
        version: this.#version.version,
        memoryMb: this.#version.memoryMb,
        maxConcurrency: this.#places,
        region: host.region,
        runtimeAuthority: api.authority,
        logStream: this.#logStream,
        logging: this.#version.logging ?? plainLogging(this.#version.name),
      }),
    })
    this.#child = child
    child.once('exit', (exitCode, signal) => void this.#finish(host.isolation.endOf({ exitCode, signal })))
    yieldToServer(child.pid)
    // It was ended while it was being started.
    if (this.#verdict !== undefined) signalGroup(child.pid, 'SIGKILL')
    crashPoint('process-spawned')
    host.watchdog.watch(child.pid)
    host.records.add(child.pid)
    this.#unwatchFootprint = host.footprints.watch(child.pid, (footprint) => this.#measured(footprint))
    this.#read(child.stdout, (chunk) => this.#output.stdout.write(chunk))
    this.#read(child.stderr, (chunk) => this.#output.stderr.write(chunk))
    this.#read(child.stdio[labelledLine], this.#labelledReader())
    const limitMs = host.initLimitMs
    this.#cancelInitLimit = this.#atDeadline(this.#startedAt + limitMs, {
      end: (requestId) => timedOut(requestId, limitMs / 1000),
    })
  }

  #askedForNext(): void {
    if (this.#state === 'ended' || this.#verdict !== undefined) return
    if (this.#state === 'starting') {
      this.#cancelInitLimit()
      this.#initMs = this.#host.clock.now() - this.#startedAt
      this.#state = 'serving'
    } else this.#returning.shift()?.()
    flush(this.#output)
    this.#free += 1
    this.#events.idle()
  }

  invoke(request: InvocationRequest): Promise<InvocationResult> {
    const { clock, entropy } = this.#host
    const { requestId } = request
    return new Promise((resolve) => {
      const log = this.#beginLog(request)
      if (this.#state !== 'serving' || this.#ending || this.#free === 0 || this.#api === undefined) {
        const end = platformFailure('The function process ended before it was given the event')
        resolve(withTail(end, log.end(end, { maxRssKb: this.#maxMemoryKb, initMs: undefined })))
        return
      }
      this.#free -= 1
      const { timeoutSeconds } = this.#version
      const deadlineMs = clock.now() + (this.#host.inspect ? dayMs : timeoutSeconds * 1000)
      this.#running.set(requestId, {
        request,
        log,
        resolve,
        cancelDeadline: this.#atDeadline(deadlineMs, {
          end: (id) => timedOut(id, timeoutSeconds),
          culprit: requestId,
        }),
        output: this.#outputTo(log.printed),
      })
      const delivered = this.#api.deliver({
        requestId,
        event: request.event,
        deadlineMs,
        functionArn: this.#version.arn,
        traceHeader: request.traceHeader ?? newTraceHeader(clock, entropy),
        ...(request.clientContext === undefined ? {} : { clientContext: request.clientContext }),
        ...(request.tenantId === undefined ? {} : { tenantId: request.tenantId }),
        durable: this.#version.durable !== undefined,
      })
      void delivered.then((answer) => this.#answered(requestId, answer))
    })
  }

  #answered(requestId: string, answer: RuntimeAnswer): void {
    const running = this.#running.get(requestId)
    // After a deadline only the end of the process counts.
    if (running === undefined || this.#state !== 'serving' || this.#verdict !== undefined) return
    this.#sawMemory(answer.maxRssKb)
    if (answer.broken) {
      this.#kill({ end: misused })
      return
    }
    this.#returning.push(running.cancelDeadline)
    // What was printed before the answer is in the pipes by now and read in this turn of the loop.
    setImmediate(() => this.#settle(running, answer.end))
  }

  #settle(running: Running, end: InvocationEnd): void {
    const { request, log, resolve, output } = running
    if (this.#running.get(request.requestId) !== running) return
    if (this.#places === 1) flush(this.#output)
    flush(output)
    this.#running.delete(request.requestId)
    const initMs = this.#servedFirst ? undefined : this.#initMs
    this.#servedFirst = true
    if (end.kind !== 'response' && this.#state === 'ended') log.notice('ERROR', end.error.ErrorMessage ?? '')
    if (end.kind === 'response' && this.#version.durable !== undefined) {
      for (const line of explainReplayMismatch(end.body, request.executionArn)) log.notice('WARN', line)
    }
    resolve(withTail(end, log.end(end, { maxRssKb: this.#maxMemoryKb, initMs })))
  }

  #atDeadline(dueMs: number, verdict: Verdict): () => void {
    return this.#host.inspect ? () => {} : this.#host.timers.at(dueMs, () => this.#kill(verdict))
  }

  /** Ends the whole group at once; the first verdict stands. */
  #kill(verdict: Verdict): void {
    if (this.#state === 'ended') return
    this.#verdict ??= verdict
    if (this.#child?.pid !== undefined) signalGroup(this.#child.pid, 'SIGKILL')
  }

  async end(): Promise<void> {
    const stopping: Verdict = { end: () => platformFailure('The server ended the function process') }
    if (this.#running.size > 0 || this.#child?.pid === undefined) this.#kill(stopping)
    else if (this.#state !== 'ended') {
      this.#verdict ??= stopping
      this.#host.isolation.ask(this.#child.pid)
      const cancel = this.#host.timers.at(this.#host.clock.now() + graceMs, () => this.#kill(stopping))
      void this.#gone.promise.then(cancel)
    }
    await this.#gone.promise
  }

  #measured({ memoryKb, processes }: Footprint): void {
    this.#sawMemory(memoryKb)
    if (!this.#allYield) for (const pid of processes) yieldToServer(pid)
    this.#allYield = true
    const { memoryMb } = this.#version
    const usedMb = Math.ceil(memoryKb / 1024)
    if (usedMb > memoryMb) this.#endGreedy(`${usedMb} MB of memory are used, ${memoryMb} MB are declared`)
    else if (processes.length > maxProcesses) {
      this.#endGreedy(`${processes.length} processes run, ${maxProcesses} may`)
    } else if (processes.length > crowd) for (const pid of processes) yieldToAll(pid)
  }

  /** As the real service does: the process is killed, and its invocations fail with `signal: killed`. */
  #endGreedy(cause: string): void {
    if (this.#verdict !== undefined) return
    const line = `[perdure] The process and what it forked are killed: ${cause}`
    if (this.#running.size === 0) this.#log.said({ level: 'WARN', line }, undefined)
    for (const { log } of this.#running.values()) log.notice('WARN', line)
    this.#kill({ end: (requestId) => exited(requestId, { exitCode: null, signal: 'SIGKILL' }) })
  }

  #sawMemory(kb: number | undefined): void {
    if (kb !== undefined) this.#maxMemoryKb = Math.max(kb, this.#maxMemoryKb ?? 0)
  }

  /** The process is gone: waits for its last words, then tells. */
  async #finish(processEnd: ProcessEnd): Promise<void> {
    this.#cancelInitLimit()
    this.#unwatchFootprint()
    for (const { cancelDeadline } of this.#running.values()) cancelDeadline()
    for (const cancelDeadline of this.#returning) cancelDeadline()
    const pid = this.#child?.pid
    if (pid !== undefined) {
      signalGroup(pid, 'SIGKILL')
      this.#ending = true
      for (const stream of this.#child?.stdio ?? []) if (stream instanceof Readable) stream.resume()
      await this.#lastWords()
      // What it left behind in another group may hold the other ends: it must not keep the server running.
      for (const stream of this.#child?.stdio ?? []) stream?.destroy()
      this.#host.watchdog.unwatch(pid)
      this.#host.records.remove(pid)
    }
    const neverAsked = this.#state === 'starting'
    const verdict = this.#verdict ?? {
      end: (requestId: string) => exited(requestId, processEnd),
      ...(this.#saidCulprit === undefined ? {} : { culprit: this.#saidCulprit }),
    }
    this.#state = 'ended'
    flush(this.#output)
    this.#api?.close()
    for (const running of [...this.#running.values()]) {
      const { requestId } = running.request
      const innocent = verdict.culprit !== undefined && verdict.culprit !== requestId
      this.#settle(running, innocent ? neighbourEnded() : verdict.end(requestId))
    }
    this.#gone.resolve()
    const cause = this.#notLaunched
    const failure: StartFailure = {
      ...(cause !== undefined && { cause }),
      resultFor: (request) => this.#startFailed(request, verdict.end),
    }
    this.#events.ended(neverAsked ? failure : undefined)
  }

  async #lastWords(): Promise<void> {
    const { timers, clock } = this.#host
    // A connection that it made last may not be accepted yet; it is in this turn of the event loop.
    await nextTurn()
    const cap = Promise.withResolvers<void>()
    const cancel = timers.at(clock.now() + lastWordsMs, cap.resolve)
    const streamEnds = [this.#child?.stdout, this.#child?.stderr, this.#child?.stdio[labelledLine]].map(
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
    if (end.kind !== 'response') log.notice('ERROR', end.error.ErrorMessage ?? '')
    return withTail(end, log.end(end, { maxRssKb: this.#maxMemoryKb, initMs: undefined }))
  }

  #beginLog(request: InvocationRequest): InvocationLog {
    const { clock } = this.#host
    const initTail = this.#servedFirst ? '' : this.#initTail.text()
    return beginInvocationLog({ version: this.#version, request, clock, log: this.#log, initTail })
  }

  #outputTo(emit: (stream: 'stdout' | 'stderr', line: string) => void): Output {
    return {
      stdout: createOutputLines(this.#allowance, (line) => emit('stdout', line)),
      stderr: createOutputLines(this.#allowance, (line) => emit('stderr', line)),
    }
  }

  /** One that floods is read slowly: it then waits for its own pipe, and takes no more time from others. */
  #read(stream: ChildProcess['stdio'][number], take: (chunk: Buffer) => void): void {
    if (!(stream instanceof Readable)) return
    const { clock, timers } = this.#host
    stream.on('data', (chunk: Buffer) => {
      take(chunk)
      if (!this.#allowance.overdrawn() || this.#ending) return
      stream.pause()
      timers.at(clock.now() + floodPauseMs, () => stream.resume())
    })
  }

  #labelledReader(): (chunk: Buffer) => void {
    return createLabelledReader({
      printed: (stream, requestId, bytes) => {
        const running = requestId === undefined ? undefined : this.#running.get(requestId)
        const output = running?.output ?? this.#output
        output[stream].write(bytes)
      },
      culprit: (requestId) => {
        this.#saidCulprit = requestId
      },
    })
  }

  #printed(stream: 'stdout' | 'stderr', line: string): void {
    const [running] = this.#running.values()
    if (this.#places === 1 && running !== undefined) {
      running.log.printed(stream, line)
      return
    }
    const kept = this.#log.printed(stream, line, undefined)
    if (kept && !this.#servedFirst) this.#initTail.add(line)
  }
}

function flush({ stdout, stderr }: Output): void {
  stdout.flush()
  stderr.flush()
}

function newLogStream(version: string, clock: Clock, entropy: Entropy): string {
  const day = new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', '/')
  return `${day}/[${version}]${entropy.hex(16)}`
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function newTraceHeader(clock: Clock, entropy: Entropy): string {
  const seconds = Math.floor(clock.now() / 1000)
    .toString(16)
    .padStart(8, '0')
  return `Root=1-${seconds}-${entropy.hex(12)};Parent=${entropy.hex(8)};Sampled=0`
}
