/**
 * A service, functions and logs that record what they are asked and answer what a test tells them to, behind a real
 * HTTP server on a real socket.
 */
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import type { TestContext } from 'node:test'
import { createManagement } from '../../src/functions/registry/management.ts'
import { Registry } from '../../src/functions/registry/registry.ts'
import { MemoryStore } from '../../src/journal/memory/memory-store.ts'
import type { Place } from '../../src/protocol/arn.ts'
import { DEFAULT_LIMITS, type Limits } from '../../src/protocol/limits.ts'
import {
  type ClockControl,
  createRequestListener,
  type HostRule,
  type Listening,
  listen,
  type ServerLogRecord,
} from '../../src/server/http-server.ts'
import type { DurableService, ExecutionEnd } from '../../src/service/api.ts'
import type {
  Functions,
  FunctionVersion,
  InvocationRequest,
  InvocationResult,
  LogGroup,
  LoggedRecord,
  LogPage,
  LogReading,
  LogSelection,
  LogStreamSummary,
  Logs,
} from '../../src/service/ports.ts'

export const PLACE: Place = { partition: 'aws', region: 'us-east-1', account: '123456789012' }
export const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST/durable-execution/n1/e1'
export const STARTED_MS = 1_764_547_200_123

export function functionVersion(name: string, changes: Partial<FunctionVersion> = {}): FunctionVersion {
  const version = changes.version ?? '$LATEST'
  return {
    name,
    version,
    arn: `arn:aws:lambda:us-east-1:123456789012:function:${name}:${version}`,
    timeoutSeconds: 60,
    memoryMb: 512,
    concurrency: 4,
    durable: undefined,
    perTenant: false,
    ...changes,
  }
}

export const DURABLE = { ExecutionTimeout: 900, RetentionPeriodInDays: 14 } as const

type Methods = {
  [K in keyof DurableService as DurableService[K] extends (...args: never[]) => unknown ? K : never]: DurableService[K]
}

export interface Call {
  readonly method: string
  readonly request: unknown
}

/** Every method records its request; a method that a test did not give an answer for fails the request. */
export class RecordingService implements DurableService {
  readonly calls: Call[] = []
  ready = true
  storeFailed = false
  readonly #answers: Partial<Methods>

  constructor(answers: Partial<Methods>) {
    this.#answers = answers
  }

  get last(): Call | undefined {
    return this.calls.at(-1)
  }

  /** What the last call was given. */
  get lastRequest(): Readonly<Record<string, unknown>> {
    return fieldsOf(this.last)
  }

  /** What the first call of a method was given. */
  requestOf(method: keyof Methods): Readonly<Record<string, unknown>> {
    return fieldsOf(this.calls.find((call) => call.method === method))
  }

  start: DurableService['start'] = (request) => this.#record('start', request)(request)
  waitForEnd: DurableService['waitForEnd'] = (id, ...rest) => this.#record('waitForEnd', id)(id, ...rest)
  checkpoint: DurableService['checkpoint'] = (request) => this.#record('checkpoint', request)(request)
  state: DurableService['state'] = (request) => this.#record('state', request)(request)
  describe: DurableService['describe'] = (request) => this.#record('describe', request)(request)
  history: DurableService['history'] = (request) => this.#record('history', request)(request)
  list: DurableService['list'] = (request) => this.#record('list', request)(request)
  stop: DurableService['stop'] = (request) => this.#record('stop', request)(request)
  delete: DurableService['delete'] = (request) => this.#record('delete', request)(request)
  completeCallback: DurableService['completeCallback'] = (request) => this.#record('completeCallback', request)(request)
  heartbeatCallback: DurableService['heartbeatCallback'] = (request) =>
    this.#record('heartbeatCallback', request)(request)
  enqueuePlain: DurableService['enqueuePlain'] = (request) => this.#record('enqueuePlain', request)(request)
  drain: DurableService['drain'] = (graceMs) => this.#record('drain', graceMs)(graceMs)

  #record<Name extends keyof Methods>(method: Name, request: unknown): Methods[Name] {
    this.calls.push({ method, request })
    const answer = this.#answers[method]
    if (answer === undefined) throw new Error(`the test gives no answer for ${method}`)
    return answer as Methods[Name]
  }
}

function fieldsOf(call: Call | undefined): Readonly<Record<string, unknown>> {
  if (call === undefined) throw new Error('the service was not called')
  return call.request as Record<string, unknown>
}

/** Functions by name and qualifier; `run` decides how an invocation of a plain one ends. */
export class FixedFunctions implements Functions {
  readonly runs: { readonly version: FunctionVersion; readonly request: InvocationRequest }[] = []
  released = 0
  readonly #versions: readonly FunctionVersion[]
  readonly #aliases: ReadonlyMap<string, string>
  readonly #run: (request: InvocationRequest) => Promise<InvocationResult>
  readonly #ready: (signal: AbortSignal) => Promise<void>

  constructor(options: {
    versions: readonly FunctionVersion[]
    aliases?: Readonly<Record<string, string>>
    run?: (request: InvocationRequest) => Promise<InvocationResult>
    ready?: (signal: AbortSignal) => Promise<void>
  }) {
    this.#versions = options.versions
    this.#aliases = new Map(Object.entries(options.aliases ?? {}))
    this.#run = options.run ?? (async () => ({ kind: 'response', body: Buffer.from('null'), logTail: '' }))
    this.#ready = options.ready ?? (async () => {})
  }

  resolve(name: string, qualifier = '$LATEST'): FunctionVersion | undefined {
    const wanted = this.#aliases.get(`${name}:${qualifier}`) ?? qualifier
    return this.#versions.find((version) => version.name === name && version.version === wanted)
  }

  list(): readonly FunctionVersion[] {
    return this.#versions
  }

  async reserve(version: FunctionVersion, _tenantId: string | undefined, signal: AbortSignal) {
    await this.#ready(signal)
    return {
      run: (request: InvocationRequest) => {
        this.runs.push({ version, request })
        return this.#run(request)
      },
      release: () => {
        this.released += 1
      },
    }
  }

  onChange(): void {}
}

export class RecordingLogs implements Logs {
  readonly readings: { readonly selection: LogSelection; readonly reading: LogReading }[] = []
  readonly #records: readonly LoggedRecord[]

  constructor(records: readonly LoggedRecord[] = []) {
    this.#records = records
  }

  async read(selection: LogSelection, reading: LogReading): Promise<LogPage> {
    this.readings.push({ selection, reading })
    const { where = () => true } = selection
    return { records: this.#records.filter(where), position: this.#records.at(-1)?.position ?? 0, complete: true }
  }

  groups(): readonly LogGroup[] {
    return []
  }

  async streams(): Promise<readonly LogStreamSummary[]> {
    return []
  }
}

export interface TestServer extends Listening {
  readonly service: RecordingService
  readonly functions: FixedFunctions
  readonly logs: Logs
  readonly logged: ServerLogRecord[]
  shutdown(): void
  /** The same server on another port with another rule of hosts. */
  secondDoor(hosts: HostRule): Promise<Listening>
}

export interface TestServerOptions {
  readonly answers?: Partial<Methods>
  readonly functions?: FixedFunctions
  readonly logs?: Logs
  readonly clockControl?: ClockControl
  readonly limits?: Partial<Limits>
  readonly allowUnqualified?: boolean
  readonly hosts?: HostRule
}

export const FUNCTIONS = [
  functionVersion('orders', { durable: DURABLE }),
  functionVersion('orders', { version: '3', durable: DURABLE }),
  functionVersion('slow', { durable: { ExecutionTimeout: 901 } }),
  functionVersion('plain'),
]

export async function startServer(t: TestContext, options: TestServerOptions = {}): Promise<TestServer> {
  const service = new RecordingService(options.answers ?? {})
  const functions = options.functions ?? new FixedFunctions({ versions: FUNCTIONS, aliases: { 'orders:prod': '3' } })
  const logs = options.logs ?? new RecordingLogs()
  const logged: ServerLogRecord[] = []
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const management = createManagement({
    registry: await Registry.open(new MemoryStore(), () => assert.fail('nothing is removed')),
    place: PLACE,
    entropy: { hex: (bytes) => '0'.repeat(bytes * 2), uuid: () => crypto.randomUUID() },
    now: () => STARTED_MS,
    declares: (name) => functions.resolve(name, undefined) !== undefined,
    missingRuntime: async () => undefined,
    allowDurableUpdates: false,
  })
  const { listener, listenerFor, shutdown } = createRequestListener({
    service,
    functions,
    management,
    logs,
    ...(options.clockControl === undefined ? undefined : { clockControl: options.clockControl }),
    place: PLACE,
    limits,
    allowUnqualified: options.allowUnqualified ?? false,
    hosts: options.hosts ?? { host: '127.0.0.1', anyPort: false },
    entropy: { hex: (bytes) => '0'.repeat(bytes * 2), uuid: () => crypto.randomUUID() },
    clock: { now: () => STARTED_MS },
    log: (record) => logged.push(record),
  })
  const open = async (door: RequestListener): Promise<Listening> => {
    const listening = await listen(door, { host: '127.0.0.1', port: 0, limits })
    t.after(async () => {
      const closed = listening.close()
      listening.terminate()
      await closed
    })
    return listening
  }
  const secondDoor = (hosts: HostRule): Promise<Listening> => open(listenerFor(hosts))
  return { ...(await open(listener)), service, functions, logs, logged, shutdown, secondDoor }
}

export const SUCCEEDED: ExecutionEnd = { status: 'SUCCEEDED', result: '{"ok":true}' }

/** A promise with its resolver: the signal that tests wait for in place of sleeping. */
export function signal<T = void>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>()
  return { promise, resolve }
}
