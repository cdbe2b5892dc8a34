/**
 * A durable-execution SDK in small: runs a program against the service as the official SDKs do. Operation ids come
 * from positions, so every invocation of an execution walks the same path; what has ended before is taken from the
 * event, everything else is checkpointed, one request at a time, each with the newest token. When every branch waits
 * for something outside, the invocation ends with PENDING.
 *
 * A request that fails for good ends the invocation, and its branches never go on: as in the SDKs, the promise that
 * they wait for is not resolved any more.
 */
import { TEXT } from '../../src/protocol/errors.ts'
import type {
  DurableInvocationEvent,
  ErrorObject,
  Operation,
  OperationType,
  OperationUpdate,
} from '../../src/protocol/shapes.ts'
import type { CheckpointResult } from '../../src/service/api.ts'
import { isRetryable } from './network.ts'
import type { Act, Program } from './program.ts'
import { hash, type SeededRandom } from './seeded-random.ts'

export interface CheckpointRequest {
  readonly token: string
  readonly clientToken?: string
  readonly updates: readonly OperationUpdate[]
}

/** What a process has around it. */
export interface Surroundings {
  readonly random: SeededRandom
  pause(delayMs: number): Promise<void>
  /** One attempt, through the network. */
  checkpoint(request: CheckpointRequest): Promise<CheckpointResult>
  state(request: { token: string; marker: string }): Promise<{ Operations: readonly Operation[]; NextMarker: string }>
  /** The code of a step runs, for the first or another time; returns what makes this run's result unlike others. */
  ranStep(id: string, attempt: number, atMostOnce: boolean): string
  callbackKnown(id: string, callbackId: string, act: Act & { kind: 'callback' }): void
  /** The whole state was collected at the beginning of the invocation. */
  collected(operations: readonly Operation[]): void
  /** The service said something that it must not say to a correct SDK. */
  objection(what: string): void
}

export type Output =
  | { readonly Status: 'PENDING' }
  | { readonly Status: 'SUCCEEDED'; readonly Result: string }
  | { readonly Status: 'FAILED'; readonly Error: ErrorObject }
  /** Not a status that there is. */
  | { readonly Status: 'DONE' }

/** How the handler ended: it answered, or threw. */
export type Outcome =
  | { readonly kind: 'output'; readonly output: Output }
  | { readonly kind: 'threw'; readonly error: ErrorObject }

const ATTEMPTS = 3
const TERMINAL: ReadonlySet<string> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT', 'STOPPED'])
/** SDKs wait a moment before they suspend: an answer may still bring something. */
const COOL_DOWN_MS = 20
const POLL_MS = 1_000

interface Queued {
  readonly updates: readonly OperationUpdate[]
  readonly done: () => void
}

export class Replayer {
  readonly #world: Surroundings
  readonly #event: DurableInvocationEvent
  readonly #operations = new Map<string, Operation>()
  readonly #parked = new Map<string, () => void>()
  readonly #queue: Queued[] = []
  /** Some SDKs send no ClientToken; some poll for completions while other branches run. */
  readonly #keyed: boolean
  readonly #polls: boolean
  readonly #batchLimit: number
  #token: string
  #sending = false
  #polling = false
  /** Branches that are not parked. */
  #running = 1
  #finish: (outcome: Outcome) => void = () => {}
  #finished = false

  constructor(event: DurableInvocationEvent, world: Surroundings) {
    this.#world = world
    this.#event = event
    this.#token = event.CheckpointToken
    this.#keyed = world.random.chance(0.9)
    this.#polls = world.random.chance(0.5)
    this.#batchLimit = world.random.pick([1, 3, 250])
  }

  run(): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#finish = (outcome) => {
        this.#finished = true
        resolve(outcome)
      }
      this.#handler().catch((error: unknown) => this.#world.objection(`the replay broke: ${error}`))
    })
  }

  async #handler(): Promise<void> {
    if (!(await this.#collectState())) return
    const [execution] = this.#operations.values()
    const program = JSON.parse(execution?.ExecutionDetails?.InputPayload ?? '') as Program
    const value = await this.#body(program.acts, undefined, '')
    const result = padded(value, program.resultChars)
    if (program.end === 'checkpoint') {
      await this.#checkpoint({ Id: 'execution-result', Type: 'EXECUTION', Action: 'SUCCEED', Payload: result })
    }
    this.#finish({ kind: 'output', output: outputOf(program, value, result) })
  }

  /** The operations of the event, and the pages after it (spec 05 §5.7). */
  async #collectState(): Promise<boolean> {
    const { Operations, NextMarker } = this.#event.InitialExecutionState
    const all = [...Operations]
    for (let marker = NextMarker; marker !== ''; ) {
      const token = this.#token
      const page = await this.#persist(() => this.#world.state({ token, marker }))
      if (page === undefined) return false
      all.push(...page.Operations)
      marker = page.NextMarker
    }
    this.#world.collected(all)
    for (const operation of all) this.#operations.set(operation.Id, operation)
    return true
  }

  // ------------------------------------------------------------------------------------------------------- acts

  async #body(acts: readonly Act[], parentId: string | undefined, prefix: string): Promise<string> {
    const values: string[] = []
    for (const [index, act] of acts.entries()) values.push(await this.#act(act, `${prefix}${index}`, parentId))
    return hash(values.join('|')).toString(16)
  }

  #act(act: Act, id: string, parentId: string | undefined): Promise<string> {
    const place = parentId === undefined ? { Id: id } : { Id: id, ParentId: parentId }
    switch (act.kind) {
      case 'step':
        return this.#step(act, place)
      case 'poll':
        return this.#poll(act, place)
      case 'wait': {
        const update = { ...place, Type: 'WAIT', Action: 'START', WaitOptions: { WaitSeconds: act.seconds } } as const
        return this.#awaited(place.Id, update)
      }
      case 'callback':
        return this.#callback(act, place)
      case 'invoke': {
        const ChainedInvokeOptions = { FunctionName: act.target }
        const update = {
          ...place,
          Type: 'CHAINED_INVOKE',
          Action: 'START',
          Payload: act.input,
          ChainedInvokeOptions,
        } as const
        return this.#awaited(place.Id, update)
      }
      case 'child':
        return this.#child(act.body, place, act.replayChildren, act.fails)
      case 'parallel':
      case 'race':
        return this.#branches(act, place)
    }
  }

  async #step(act: Act & { kind: 'step' }, place: Place): Promise<string> {
    for (;;) {
      const operation = await this.#whenNotPending(place.Id)
      if (operation !== undefined && TERMINAL.has(operation.Status)) return endOf(operation)
      const attempt = (operation?.StepDetails?.Attempt ?? 0) + 1
      const interrupted = operation?.Status === 'STARTED' && act.atMostOnce
      if (operation?.Status !== 'STARTED') {
        const started = this.#checkpoint({ ...place, ...STEP, Action: 'START' })
        if (act.atMostOnce) await started
      }
      const run = interrupted ? 'interrupted' : this.#world.ranStep(place.Id, attempt, act.atMostOnce)
      if (!interrupted && act.durationMs > 0) await this.#world.pause(act.durationMs)
      const failed = interrupted || attempt <= act.failures
      await this.#checkpoint({ ...place, ...STEP, ...endOfAttempt(act, attempt, failed, run) })
    }
  }

  async #poll(act: Act & { kind: 'poll' }, place: Place): Promise<string> {
    for (;;) {
      const operation = await this.#whenNotPending(place.Id)
      if (operation !== undefined && TERMINAL.has(operation.Status)) return endOf(operation)
      const polls = Number(operation?.StepDetails?.Result ?? '0') + 1
      if (operation?.Status !== 'STARTED') void this.#checkpoint({ ...place, ...CONDITION, Action: 'START' })
      const Payload = String(polls)
      if (polls >= act.polls) await this.#checkpoint({ ...place, ...CONDITION, Action: 'SUCCEED', Payload })
      else {
        const StepOptions = { NextAttemptDelaySeconds: act.delaySeconds }
        await this.#checkpoint({ ...place, ...CONDITION, Action: 'RETRY', Payload, StepOptions })
      }
    }
  }

  async #callback(act: Act & { kind: 'callback' }, place: Place): Promise<string> {
    if (!this.#operations.has(place.Id)) {
      const { timeoutSeconds: TimeoutSeconds, heartbeatSeconds: HeartbeatTimeoutSeconds } = act
      const CallbackOptions = { TimeoutSeconds, HeartbeatTimeoutSeconds }
      await this.#checkpoint({ ...place, Type: 'CALLBACK', SubType: 'Callback', Action: 'START', CallbackOptions })
    }
    const callbackId = this.#operations.get(place.Id)?.CallbackDetails?.CallbackId
    if (callbackId === undefined) this.#world.objection(`callback ${place.Id} has no CallbackId`)
    else this.#world.callbackKnown(place.Id, callbackId, act)
    return endOf(await this.#ended(place.Id))
  }

  /** An operation that the service moves by itself once it is started. */
  async #awaited(id: string, start: OperationUpdate): Promise<string> {
    if (!this.#operations.has(id)) await this.#checkpoint(start)
    return endOf(await this.#ended(id))
  }

  async #child(body: readonly Act[], place: Place, replayChildren: boolean, fails: boolean): Promise<string> {
    const operation = this.#operations.get(place.Id)
    if (operation !== undefined && TERMINAL.has(operation.Status)) {
      if (operation.ContextDetails?.ReplayChildren !== true) return endOf(operation)
      await this.#body(body, place.Id, `${place.Id}-`)
      return endOf(operation)
    }
    if (operation === undefined) void this.#checkpoint({ ...place, ...CONTEXT, Action: 'START' })
    const value = await this.#body(body, place.Id, `${place.Id}-`)
    const ContextOptions = { ReplayChildren: replayChildren }
    if (fails) {
      const error = { ErrorType: 'Child', ErrorMessage: value }
      await this.#checkpoint({ ...place, ...CONTEXT, Action: 'FAIL', ContextOptions, Error: error })
    } else {
      await this.#checkpoint({ ...place, ...CONTEXT, Action: 'SUCCEED', ContextOptions, Payload: value })
    }
    return endOf(this.#operations.get(place.Id))
  }

  async #branches(act: Act & { kind: 'parallel' | 'race' }, place: Place): Promise<string> {
    const operation = this.#operations.get(place.Id)
    if (operation !== undefined && TERMINAL.has(operation.Status)) return endOf(operation)
    if (operation === undefined) void this.#checkpoint({ ...place, ...CONTEXT, Action: 'START' })
    const values = await this.#fork(act, place.Id)
    const Payload = values.join('|')
    await this.#checkpoint({ ...place, ...CONTEXT, Action: 'SUCCEED', Payload })
    return endOf(this.#operations.get(place.Id))
  }

  /** Runs the branches at once; resolves with all values, or with that of the first that ends. */
  #fork(act: Act & { kind: 'parallel' | 'race' }, id: string): Promise<string[]> {
    const values: string[] = []
    let open = act.branches.length
    this.#running += open
    return new Promise((resolve) => {
      for (const [index, branch] of act.branches.entries()) {
        void this.#child(branch, { Id: `${id}-${index}`, ParentId: id }, false, false).then((value) => {
          values[index] = value
          open -= 1
          const joined = act.kind === 'race' ? open === act.branches.length - 1 : open === 0
          // The place of this branch goes to the one that waited for it, or away.
          if (joined) resolve(act.kind === 'race' ? [value] : values)
          else this.#leave()
        })
      }
      this.#leave()
    })
  }

  // ------------------------------------------------------------------------------------------------ suspension

  async #whenNotPending(id: string): Promise<Operation | undefined> {
    for (;;) {
      const operation = this.#operations.get(id)
      if (operation?.Status !== 'PENDING') return operation
      await this.#parkedAt(id)
    }
  }

  async #ended(id: string): Promise<Operation> {
    for (;;) {
      const operation = this.#operations.get(id)
      if (operation !== undefined && TERMINAL.has(operation.Status)) return operation
      await this.#parkedAt(id)
    }
  }

  /** Waits until a checkpoint's answer brings the operation. */
  #parkedAt(id: string): Promise<void> {
    return new Promise((resolve) => {
      this.#parked.set(id, resolve)
      this.#leave()
    })
  }

  #leave(): void {
    this.#running -= 1
    if (this.#running > 0) void this.#pollMeanwhile()
    else void this.#suspend()
  }

  /** SDKs ask for completions while some branches wait and others execute (spec 06 §6.8). */
  async #pollMeanwhile(): Promise<void> {
    if (!this.#polls || this.#polling) return
    this.#polling = true
    for (;;) {
      await this.#world.pause(POLL_MS)
      if (this.#finished || this.#parked.size === 0 || this.#running === 0) break
      await this.#checkpoint()
    }
    this.#polling = false
  }

  async #suspend(): Promise<void> {
    if (this.#world.random.chance(0.7)) await this.#world.pause(COOL_DOWN_MS)
    const pollInFlight = this.#sending && this.#queue.length === 0 && this.#world.random.chance(0.5)
    if (this.#running > 0 || this.#finished || (this.#sending && !pollInFlight)) return
    this.#finish({ kind: 'output', output: { Status: 'PENDING' } })
  }

  // ----------------------------------------------------------------------------------------------- checkpoints

  /** Queues the updates; resolves when they were accepted, never when they were not. */
  #checkpoint(...updates: OperationUpdate[]): Promise<void> {
    return new Promise((done) => {
      this.#queue.push({ updates, done })
      if (!this.#sending) void this.#send()
    })
  }

  async #send(): Promise<void> {
    this.#sending = true
    while (this.#queue.length > 0 && !this.#finished) {
      const batch = this.#nextBatch()
      const request = {
        token: this.#token,
        updates: batch.flatMap(({ updates }) => updates),
        ...(this.#keyed ? { clientToken: this.#world.random.hex(8) } : undefined),
      }
      const answer = await this.#persist(() => this.#world.checkpoint(request))
      if (answer === undefined) return
      this.#token = answer.CheckpointToken ?? this.#token
      this.#merge(answer.NewExecutionState.Operations)
      for (const { done } of batch) done()
    }
    this.#sending = false
    if (this.#running === 0) void this.#suspend()
  }

  /** An EXECUTION update ends its batch (spec 04 §4.2). */
  #nextBatch(): Queued[] {
    const last = this.#queue.findIndex(({ updates }) => updates.some(({ Type }) => Type === 'EXECUTION'))
    return this.#queue.splice(0, last < 0 ? this.#batchLimit : Math.min(this.#batchLimit, last + 1))
  }

  #merge(operations: readonly Operation[]): void {
    for (const operation of operations) {
      this.#operations.set(operation.Id, operation)
      const wake = this.#parked.get(operation.Id)
      if (wake === undefined) continue
      this.#parked.delete(operation.Id)
      this.#running += 1
      wake()
    }
  }

  /** Tries a request as often as SDKs do. `undefined`: it failed for good, and with it the invocation. */
  async #persist<T>(request: () => Promise<T>): Promise<T | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await request()
      } catch (error) {
        const hopeless = !isRetryable(error) || attempt === ATTEMPTS
        if (hopeless) {
          this.#giveUp(error)
          return undefined
        }
        await this.#world.pause(this.#world.random.between(50, 500) * attempt)
      }
    }
  }

  #giveUp(error: unknown): void {
    if (this.#finished) return
    const message = error instanceof Error ? error.message : String(error)
    const expected = isRetryable(error) || message === TEXT.invalidToken
    if (!expected) this.#world.objection(`a legal request was refused: ${message}`)
    this.#finish({ kind: 'threw', error: { ErrorType: 'InvocationError', ErrorMessage: message } })
  }
}

function outputOf({ end }: Program, value: string, result: string): Output {
  switch (end) {
    case 'return':
      return { Status: 'SUCCEEDED', Result: result }
    case 'checkpoint':
      return { Status: 'SUCCEEDED', Result: '' }
    case 'throw':
      return { Status: 'FAILED', Error: { ErrorType: 'Thrown', ErrorMessage: value } }
    case 'nonsense':
      return { Status: 'DONE' }
  }
}

type Place = { readonly Id: string; readonly ParentId?: string }
const STEP: { Type: OperationType; SubType: string } = { Type: 'STEP', SubType: 'Step' }
const CONDITION: { Type: OperationType; SubType: string } = { Type: 'STEP', SubType: 'WaitForCondition' }
const CONTEXT: { Type: OperationType; SubType: string } = { Type: 'CONTEXT', SubType: 'RunInChildContext' }

const padded = (text: string, chars: number): string => text.padEnd(chars, '.')

function endOfAttempt(
  act: Act & { kind: 'step' },
  attempt: number,
  failed: boolean,
  run: string,
): Pick<OperationUpdate, 'Action' | 'Payload' | 'Error' | 'StepOptions'> {
  if (!failed) return { Action: 'SUCCEED', Payload: padded(run, act.resultChars) }
  const error = { ErrorType: 'StepError', ErrorMessage: run }
  if (attempt >= act.maxAttempts) return { Action: 'FAIL', Error: error }
  return { Action: 'RETRY', Error: error, StepOptions: { NextAttemptDelaySeconds: act.delaySeconds } }
}

/** What the program sees of an operation that has ended. */
function endOf(operation: Operation | undefined): string {
  if (operation === undefined || !TERMINAL.has(operation.Status)) throw new Error('the operation has not ended')
  const { ContextDetails, StepDetails, CallbackDetails, ChainedInvokeDetails } = operation
  const details = ContextDetails ?? StepDetails ?? CallbackDetails ?? ChainedInvokeDetails
  return `${operation.Status}:${details?.Result ?? JSON.stringify(details?.Error) ?? ''}`
}
