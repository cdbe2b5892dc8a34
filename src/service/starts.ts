/**
 * Starting executions. A name finds the execution that has it already (spec 07 §7.3, decision 5); a repeated client
 * call finds the one that it started (decision 19); otherwise the first entry is appended, which is also what claims
 * the name: of two racing starts the store lets one win, and the other looks again.
 */
import { hash } from 'node:crypto'
import { crashPoint } from '../crash-point.ts'
import { found } from '../engine/apply.ts'
import { encodeEntry } from '../engine/codec.ts'
import { begin } from '../engine/decide.ts'
import { indexOf } from '../engine/effects.ts'
import type { Duty, ExecutionStart, ExecutionState } from '../engine/model.ts'
import type { AppendResult, ExecutionKey, ExecutionRow, IndexRow, NewExecution, Store } from '../journal/store.ts'
import { formatExecutionArn } from '../protocol/arn.ts'
import type { Limits } from '../protocol/limits.ts'
import type { Started, StartRequest } from './api.ts'
import type { Committer } from './committer.ts'
import type { ExecutionFigures } from './execution-figures.ts'
import { alreadyStarted, unavailable } from './failures.ts'
import type { Lanes } from './lanes.ts'
import type { OwedRow } from './outbox.ts'
import type { Clock, Entropy, Functions } from './ports.ts'
import { expired } from './retention.ts'
import { inlineBytes } from './sizes.ts'
import { childName } from './targets.ts'

/** A retried client call attaches to the execution it started for so long (decision 19). */
const CALL_REPEATS_MS = 900_000
const MAX_ATTEMPTS = 5

export class Starts {
  readonly #store: Store
  readonly #committer: Committer
  readonly #lanes: Lanes
  readonly #functions: Functions
  readonly #clock: Clock
  readonly #entropy: Entropy
  readonly #limits: Limits
  readonly #indexed: (state: ExecutionState, index: IndexRow) => void
  readonly #lostTrack: (executionId: string) => void
  readonly #owedAtStart: (state: ExecutionState) => readonly OwedRow[]
  readonly #owes: (owed: OwedRow) => void
  readonly #figures: ExecutionFigures
  /** Client calls whose first attempt is not durable yet, by function and call id. */
  readonly #calls = new Map<string, Promise<Started>>()

  constructor(deps: {
    store: Store
    committer: Committer
    lanes: Lanes
    functions: Functions
    clock: Clock
    entropy: Entropy
    limits: Limits
    indexed: (state: ExecutionState, index: IndexRow) => void
    /** The execution may be in the store, and this process has not followed it up. */
    lostTrack: (executionId: string) => void
    /** What is owed because an execution has started; written with its first entry. */
    owedAtStart: (state: ExecutionState) => readonly OwedRow[]
    /** It is in the outbox. */
    owes: (owed: OwedRow) => void
    figures: ExecutionFigures
  }) {
    this.#store = deps.store
    this.#committer = deps.committer
    this.#lanes = deps.lanes
    this.#functions = deps.functions
    this.#clock = deps.clock
    this.#entropy = deps.entropy
    this.#limits = deps.limits
    this.#indexed = deps.indexed
    this.#lostTrack = deps.lostTrack
    this.#owedAtStart = deps.owedAtStart
    this.#owes = deps.owes
    this.#figures = deps.figures
  }

  start(request: StartRequest): Promise<Started> {
    if (request.name !== undefined) return this.#named(request, request.name)
    if (request.sdkInvocationId !== undefined) return this.#repeatable(request, request.sdkInvocationId)
    return this.#unnamed(request)
  }

  async #named(request: StartRequest, name: string): Promise<Started> {
    const inputHash = hashOf(request.input)
    for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
      const row = await this.#holderOf(request.target.name, name)
      if (row !== undefined) return attached(row, request, inputHash)
      const start = this.#startOf(request, name, this.#entropy.uuid(), inputHash)
      const result = await this.#append(start, request.input)
      if (result.ok) return startedOf(start)
      if (result.reason !== 'nameTaken') break
    }
    throw unavailable()
  }

  /** The execution that has the name; one whose retention is over gives it up (spec 07 §7.3). */
  async #holderOf(functionName: string, name: string): Promise<ExecutionRow | undefined> {
    const row = await this.#store.findByName({ functionName, name })
    if (row === undefined || !expired(row.endedAt, row.retentionDays, this.#clock.now())) return row
    await this.#store.purge({ key: row.key })
    this.#lanes.forget(row.executionId)
    return undefined
  }

  #repeatable(request: StartRequest, sdkInvocationId: string): Promise<Started> {
    const call = `${request.target.name}/${sdkInvocationId}`
    const underWay = this.#calls.get(call)
    if (underWay !== undefined) return underWay
    const started = this.#attachedOrNew(request, sdkInvocationId).finally(() => this.#calls.delete(call))
    this.#calls.set(call, started)
    return started
  }

  async #attachedOrNew(request: StartRequest, sdkInvocationId: string): Promise<Started> {
    const sinceMs = this.#clock.now() - CALL_REPEATS_MS
    const functionName = request.target.name
    const row = await this.#store.findBySdkInvocation({ functionName, sdkInvocationId, sinceMs })
    return row === undefined ? this.#unnamed(request) : startedOf(row)
  }

  async #unnamed(request: StartRequest): Promise<Started> {
    const executionId = this.#entropy.uuid()
    const start = this.#startOf(request, executionId, executionId, hashOf(request.input))
    const result = await this.#append(start, request.input)
    if (!result.ok) throw unavailable()
    return startedOf(start)
  }

  /**
   * Creates the durable child of a chained invoke, once: its id is the parent's choice, so a repeat finds it there.
   * `false` when its function is not declared (decision 17: the duty waits).
   */
  async startChild(parentExecutionId: string, duty: Duty & { kind: 'startChild' }): Promise<boolean> {
    const { childId, functionName, version, operationId, tenantId, input = '{}' } = duty
    if ((await this.#store.findById(childId)) !== undefined) return true
    const target = this.#functions.resolve(functionName, version)
    if (target?.durable === undefined) return false
    const request = { target: { ...target, durable: target.durable }, name: undefined, input, mode: 'async' } as const
    const start: ExecutionStart = {
      ...this.#startOf(request, childName(childId), childId, hashOf(input)),
      parent: { executionId: parentExecutionId, operationId },
      ...(tenantId === undefined ? undefined : { tenantId }),
    }
    const result = await this.#append(start, input)
    // Its name is its id, so a taken name says the same as `exists`: somebody was faster.
    if (!result.ok && result.reason === 'conflict') throw unavailable()
    return true
  }

  #startOf(request: StartRequest, name: string, executionId: string, inputHash: string): ExecutionStart {
    const { target, mode, tenantId, traceHeader, sdkInvocationId } = request
    return {
      executionId,
      arn: formatExecutionArn(target.arn, name, executionId),
      name,
      functionName: target.name,
      version: target.version,
      ...(target.generation === undefined ? undefined : { generation: target.generation }),
      functionArn: target.arn,
      config: target.durable,
      mode,
      inputHash,
      ...(tenantId === undefined ? undefined : { tenantId }),
      ...(traceHeader === undefined ? undefined : { traceHeader }),
      ...(sdkInvocationId === undefined ? undefined : { sdkInvocationId }),
    }
  }

  async #append(start: ExecutionStart, input: string): Promise<AppendResult> {
    const entry = begin({ start, input, now: this.#clock.now() })
    const text = encodeEntry(entry)
    const state = found(entry)
    const index = indexOf(state)
    const create = this.#rowOf(start, entry.at)
    const owed = this.#owedAtStart(state)
    const outbox = owed.map(({ row }) => row)
    const item = { target: { create }, firstSeq: 1, entries: [{ firstEventId: 1, text }], index, outbox }
    crashPoint('start-decided')
    for (let attempts = 0; attempts < MAX_ATTEMPTS; attempts++) {
      const result = await new Promise<AppendResult | undefined>((done) => this.#committer.append(item, done))
      const certain = result ?? (await this.#verify(start.executionId))
      if (certain === undefined) continue
      crashPoint('start-durable')
      if (certain.ok) {
        this.#created(state, index, certain.key, text.length, inlineBytes(entry))
        for (const each of owed) this.#owes(each)
      }
      return certain
    }
    throw unavailable()
  }

  /** The store failed and nobody knows whether the entry is there: look. */
  async #verify(executionId: string): Promise<AppendResult | undefined> {
    try {
      const row = await this.#store.findById(executionId)
      return row === undefined ? undefined : { ok: true, key: row.key }
    } catch {
      // The caller learns it as a ServiceException; the store's failure itself was logged by the committer.
      this.#lostTrack(executionId)
      throw unavailable()
    }
  }

  #created(state: ExecutionState, index: IndexRow, key: ExecutionKey, tailBytes: number, bytes: number): void {
    this.#lanes.install(state.start.executionId, { key, state, index, tailEntries: 1, tailBytes, bytes })
    this.#figures.started(state.start.functionName)
    this.#indexed(state, index)
  }

  #rowOf(start: ExecutionStart, startedAt: number): NewExecution {
    const { executionId, arn, name, functionName, version, inputHash, sdkInvocationId, config } = start
    const retentionDays = config.RetentionPeriodInDays ?? this.#limits.retentionDays
    return { executionId, arn, name, functionName, version, startedAt, inputHash, retentionDays, sdkInvocationId }
  }
}

const hashOf = (input: string): string => hash('sha256', input)

const startedOf = ({ arn, executionId, version }: Started): Started => ({ arn, executionId, version })

/** A start by a name that is taken: the same start again, or a conflict (spec 07 §7.3). */
function attached(row: ExecutionRow, { target, versionDrawn }: StartRequest, inputHash: string): Started {
  const sameVersion = versionDrawn === true || row.version === target.version
  // One that is being deleted has no outcome to give any more, and still has its name (spec 01 §1.10).
  if (row.status === 'DELETING' || row.inputHash !== inputHash || !sameVersion) throw alreadyStarted(row.arn)
  return startedOf(row)
}
