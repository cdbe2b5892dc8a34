/**
 * Functions whose code is a script of the test: the edge of the world, where processes would be. Each invocation of a
 * durable function gets a `Call` with which it talks to the service as an SDK does.
 */
import { DEFAULT_PLACE, functionArn, parseExecutionArn } from '../../src/protocol/arn.ts'
import type { DurableConfig, DurableInvocationEvent, ErrorObject, OperationUpdate } from '../../src/protocol/shapes.ts'
import { wireFunctionError } from '../../src/protocol/wire.ts'
import type { CheckpointResult, DurableService } from '../../src/service/api.ts'
import type {
  AsynchronousSettings,
  DeletableVersion,
  Functions,
  FunctionVersion,
  InvocationRequest,
  InvocationResult,
  Slot,
} from '../../src/service/ports.ts'

export type Outcome = { Status: 'SUCCEEDED' | 'FAILED' | 'PENDING'; Result?: string; Error?: ErrorObject }
export type DurableScript = (call: Call) => Promise<Outcome>
export type PlainScript = (event: string, request: InvocationRequest) => Promise<string | Uint8Array>

/** What a script throws to end its invocation otherwise than by answering. */
export class FunctionError extends Error {
  readonly kind: 'error' | 'platform'
  readonly error: ErrorObject

  constructor(error: ErrorObject, kind: 'error' | 'platform' = 'error') {
    super(error.ErrorMessage)
    this.kind = kind
    this.error = error
  }
}

/** One invocation as the function sees it. */
export class Call {
  readonly event: DurableInvocationEvent
  readonly request: InvocationRequest
  readonly service: DurableService
  token: string

  constructor(service: DurableService, request: InvocationRequest) {
    this.service = service
    this.request = request
    this.event = JSON.parse(request.event) as DurableInvocationEvent
    this.token = this.event.CheckpointToken
  }

  get arn() {
    const arn = parseExecutionArn(this.event.DurableExecutionArn)
    if (arn === undefined) throw new Error('the event carries no ARN')
    return arn
  }

  get operations() {
    return this.event.InitialExecutionState.Operations
  }

  statusOf(id: string): string | undefined {
    return this.operations.find(({ Id }) => Id === id)?.Status
  }

  async checkpoint(updates: readonly OperationUpdate[] = [], clientToken?: string): Promise<CheckpointResult> {
    const result = await this.service.checkpoint({
      arn: this.arn,
      token: this.token,
      updates,
      ...(clientToken === undefined ? {} : { clientToken }),
    })
    this.token = result.CheckpointToken ?? this.token
    return result
  }
}

interface Declared {
  readonly version: FunctionVersion
  readonly script: { readonly durable: DurableScript } | { readonly plain: PlainScript }
}

interface Waiting {
  readonly declared: Declared
  readonly resolve: (slot: Slot) => void
}

export class ScriptedFunctions implements Functions {
  readonly #declared = new Map<string, Declared>()
  /** The generation of each that was deleted last. */
  readonly #deleted = new Map<string, number>()
  readonly #listeners: (() => void)[] = []
  readonly #service = Promise.withResolvers<DurableService>()
  #lost = false
  #reserveFaults = 0
  #waiting: Waiting[] = []
  readonly #busy = new Map<string, number>()
  /** By name and qualifier. */
  readonly #settings = new Map<string, AsynchronousSettings>()
  /** The most invocations of each function that ran at a time. */
  readonly peak = new Map<string, number>()
  /** Every event that was handed over, by function. */
  readonly requests: { readonly functionName: string; readonly request: InvocationRequest }[] = []
  /** Tenants for which slots were asked, in order. */
  readonly reservedTenants: (string | undefined)[] = []

  attach(service: DurableService): void {
    this.#service.resolve(service)
  }

  durable(
    name: string,
    script: DurableScript,
    options: {
      version?: string
      concurrency?: number
      config?: DurableConfig
      perTenant?: boolean
      /** Of a function that was created, and may be deleted. */
      generation?: number
    } = {},
  ): this {
    const { version = '$LATEST', concurrency = 8, config = { ExecutionTimeout: 900 }, perTenant = false } = options
    const { generation } = options
    const described = {
      ...describedAs(name, version, { concurrency, durable: config, perTenant }),
      ...(generation === undefined ? undefined : { generation }),
    }
    return this.#declare({ version: described, script: { durable: script } })
  }

  plain(
    name: string,
    script: PlainScript,
    options: { concurrency?: number; perTenant?: boolean; generation?: number } = {},
  ): this {
    const { concurrency = 8, perTenant = false, generation } = options
    const described = describedAs(name, '$LATEST', { concurrency, durable: undefined, perTenant })
    const version = { ...described, ...(generation === undefined ? undefined : { generation }) }
    return this.#declare({ version, script: { plain: script } })
  }

  /** Sets what holds for asynchronous invocations under a qualifier. */
  configure(name: string, settings: AsynchronousSettings, qualifier = '$LATEST'): this {
    this.#settings.set(`${name}:${qualifier}`, settings)
    return this
  }

  asynchronous({ name, qualifier }: { readonly name: string; readonly qualifier: string }): AsynchronousSettings {
    return this.#settings.get(`${name}:${qualifier}`) ?? {}
  }

  remove(name: string, version = '$LATEST'): void {
    this.#declared.delete(`${name}:${version}`)
    for (const listener of this.#listeners) listener()
  }

  /** For good, other than `remove`. */
  delete(name: string, version = '$LATEST'): void {
    const key = `${name}:${version}`
    this.#deleted.set(key, this.#declared.get(key)?.version.generation ?? 1)
    this.remove(name, version)
  }

  wasDeleted({ name, version, generation = 1 }: DeletableVersion): boolean {
    return generation <= (this.#deleted.get(`${name}:${version}`) ?? 0)
  }

  durableTarget(name: string, version: string): FunctionVersion & { durable: DurableConfig } {
    const found = this.#declared.get(`${name}:${version}`)?.version
    if (found?.durable === undefined) throw new Error(`${name}:${version} is not declared as durable`)
    return { ...found, durable: found.durable }
  }

  target(name: string): FunctionVersion {
    const found = this.#declared.get(`${name}:$LATEST`)?.version
    if (found === undefined) throw new Error(`${name} is not declared`)
    return found
  }

  invocationsOf(name: string): number {
    return this.requests.filter(({ functionName }) => functionName === name).length
  }

  resolve(name: string, qualifier: string | undefined): FunctionVersion | undefined {
    return this.#declared.get(`${name}:${qualifier ?? '$LATEST'}`)?.version
  }

  list(): readonly FunctionVersion[] {
    return [...this.#declared.values()].map(({ version }) => version)
  }

  onChange(call: () => void): void {
    this.#listeners.push(call)
  }

  reserve(version: FunctionVersion, tenantId: string | undefined, signal: AbortSignal): Promise<Slot> {
    const declared = this.#declared.get(`${version.name}:${version.version}`)
    if (declared === undefined) return Promise.reject(new Error('reserved a function that is not there'))
    this.reservedTenants.push(tenantId)
    if (this.#reserveFaults > 0) {
      this.#reserveFaults -= 1
      return Promise.reject(new Error('no process can be had'))
    }
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting)
        reject(signal.reason)
      }
      const granted = (slot: Slot): void => {
        signal.removeEventListener('abort', aborted)
        resolve(slot)
      }
      const waiting = { declared, resolve: granted }
      signal.addEventListener('abort', aborted)
      this.#waiting.push(waiting)
      this.#grant()
    })
  }

  /** The next `count` slots cannot be had. */
  failReserves(count: number): void {
    this.#reserveFaults += count
  }

  /** The processes are gone with the server: whatever they do reaches nobody. */
  lose(): void {
    this.#lost = true
  }

  /** The same declarations in a new process. */
  reborn(): ScriptedFunctions {
    const reborn = new ScriptedFunctions()
    for (const [key, declared] of this.#declared) reborn.#declared.set(key, declared)
    for (const [key, settings] of this.#settings) reborn.#settings.set(key, settings)
    for (const [key, generation] of this.#deleted) reborn.#deleted.set(key, generation)
    return reborn
  }

  #declare(declared: Declared): this {
    this.#declared.set(`${declared.version.name}:${declared.version.version}`, declared)
    for (const listener of this.#listeners) listener()
    return this
  }

  #grant(): void {
    for (const waiting of [...this.#waiting]) {
      const { name, concurrency } = waiting.declared.version
      const busy = this.#busy.get(name) ?? 0
      if (busy >= concurrency) continue
      this.#waiting = this.#waiting.filter((other) => other !== waiting)
      this.#busy.set(name, busy + 1)
      waiting.resolve(this.#slot(waiting.declared))
    }
  }

  #slot(declared: Declared): Slot {
    const { name } = declared.version
    const free = (): void => {
      this.#busy.set(name, (this.#busy.get(name) ?? 0) - 1)
      this.#grant()
    }
    return {
      release: free,
      run: async (request) => {
        this.requests.push({ functionName: name, request })
        this.peak.set(name, Math.max(this.peak.get(name) ?? 0, this.#busy.get(name) ?? 0))
        const result = await this.#run(declared, request)
        free()
        return result
      },
    }
  }

  async #run({ script }: Declared, request: InvocationRequest): Promise<InvocationResult> {
    try {
      // What recovery hands over runs when there is somebody to talk to.
      const service = await this.#service.promise
      const body =
        'durable' in script
          ? JSON.stringify(await script.durable(new Call(service, request)))
          : await script.plain(request.event, request)
      if (this.#lost) return await new Promise<never>(() => {})
      return { kind: 'response', body: typeof body === 'string' ? Buffer.from(body) : body, logTail: '' }
    } catch (error) {
      if (this.#lost) return new Promise<never>(() => {})
      if (!(error instanceof FunctionError)) {
        // As a runtime reports a handler that threw.
        const failure = { ErrorType: 'Error', ErrorMessage: String(error) }
        return { kind: 'error', error: failure, body: JSON.stringify(failure), logTail: '' }
      }
      if (error.kind === 'platform') return { kind: 'platform', error: error.error, logTail: '' }
      return { kind: 'error', error: error.error, body: JSON.stringify(wireFunctionError(error.error)), logTail: '' }
    }
  }
}

function describedAs(
  name: string,
  version: string,
  rest: { concurrency: number; durable: DurableConfig | undefined; perTenant: boolean },
): FunctionVersion {
  return { name, version, arn: functionArn(DEFAULT_PLACE, name, version), timeoutSeconds: 60, memoryMb: 128, ...rest }
}
