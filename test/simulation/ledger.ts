/**
 * What was promised to whom. Every answer that the service gives away is held against the journal at that very
 * moment: what was acknowledged has to be there, and stay there.
 */
import type { ExecutionState, JournalEvent } from '../../src/engine/model.ts'
import { parseToken } from '../../src/engine/token.ts'
import type { ErrorObject, OperationUpdate } from '../../src/protocol/shapes.ts'
import type {
  CheckpointResult,
  DurableService,
  ExecutionDescription,
  ExecutionEnd,
  Started,
} from '../../src/service/api.ts'
import type { PromiseName, Promises } from './promises.ts'
import type { CheckpointRequest } from './replayer.ts'
import type { Shadow, Shadows } from './shadow.ts'

/** What somebody outside knows of a callback, and was told about it. */
export interface CallbackRecord {
  readonly callbackId: string
  readonly executionId: string
  readonly operationId: string
  readonly heartbeatSeconds: number
  /** The call whose completion was acknowledged first. */
  completedBy: string | undefined
  /** When the newest acknowledged heartbeat was sent. */
  heartbeatSentMs: number | undefined
}

/** A client's request for an execution, the same through all its attempts. */
export interface StartCall {
  readonly functionName: string
  readonly name: string | undefined
  readonly sdkInvocationId: string
  readonly firstSentMs: number
}

/** How long a repeated call finds the execution that it started (decision 19). */
export const CALL_REPEATS_MS = 900_000

interface Steps {
  readonly results: Set<string>
  /** Runs by attempt. */
  readonly runs: Map<number, number>
}

type History = Awaited<ReturnType<DurableService['history']>>

export class Ledger {
  readonly callbacks = new Map<string, CallbackRecord>()
  /** Requests for a stop, by execution: whoever was stopped was asked to. */
  readonly stopsAsked = new Set<string>()
  /** Asynchronous invocations of plain functions that were acknowledged, and when. */
  readonly plainAccepted = new Map<string, number>()
  /** How the attempts at plain invocations ended. */
  readonly plainEnds = new Map<string, { response: number; error: number; platform: number }>()
  readonly #shadows: Shadows
  readonly #promises: Promises
  readonly #report: (violation: string) => void
  readonly #clock: { readonly latestMs: number; readonly backMs: number }
  readonly #names = new Map<string, string>()
  readonly #calls = new Map<string, string>()
  readonly #steps = new Map<string, Steps>()
  readonly #returned = new Map<string, Set<string>>()
  readonly #tokens = new Map<string, string>()
  #acknowledged = 0

  constructor(deps: {
    shadows: Shadows
    promises: Promises
    clock: { readonly latestMs: number; readonly backMs: number }
  }) {
    this.#shadows = deps.shadows
    this.#promises = deps.promises
    this.#report = deps.promises.report
    this.#clock = deps.clock
  }

  /** Promises held. */
  get acknowledged(): number {
    return this.#acknowledged
  }

  #expect(name: PromiseName, holds: boolean, violation: () => string): void {
    this.#promises.expect(name, holds, violation)
  }

  // ----------------------------------------------------------------------------------------------------- functions

  checkpointed(executionId: string, request: CheckpointRequest, answer: CheckpointResult): void {
    this.#acknowledged++
    const shadow = this.#shadows.byId.get(executionId)
    const token = parseToken(request.token)
    const accepted = shadow?.checkpoints.get(`${token?.invocation}/${token?.n}`)
    const what = `${executionId}: checkpoint ${token?.invocation}/${token?.n}`
    const there = accepted !== undefined && accepted.nonce === token?.nonce
    this.#expect('P1', there, () => `${what} was acknowledged and is not in the journal (I2)`)
    if (!there || token === undefined) return
    this.#expect('P3', accepted.clientToken === request.clientToken, () => {
      return `${what} was acknowledged to ${request.clientToken}, accepted from ${accepted.clientToken} (I3)`
    })
    for (const update of request.updates) {
      const applied =
        update.Type === 'EXECUTION' ? accepted.closes : accepted.events.some((one) => isEventOf(one, update))
      this.#expect(
        'P3',
        applied,
        () => `${what}: ${update.Type} ${update.Action} of ${update.Id} is not in its entry (I1)`,
      )
    }
    const shown = JSON.stringify(answer.NewExecutionState.Operations)
    this.#expect('P3', shown === accepted.shown, () => `${what} was answered with ${shown}, not ${accepted.shown}`)
    this.#checkNextToken(what, accepted.closes, token, answer.CheckpointToken)
    const told = JSON.stringify(answer)
    const before = this.#tokens.get(request.token) ?? told
    this.#expect('P3', before === told, () => `${what} was answered twice, differently (I3)`)
    this.#tokens.set(request.token, told)
  }

  #checkNextToken(
    what: string,
    closes: boolean,
    token: NonNullable<ReturnType<typeof parseToken>>,
    next?: string,
  ): void {
    if (closes) {
      if (next !== undefined) this.#report(`${what}: a token after an EXECUTION update (spec 05 §5.6)`)
      return
    }
    const parts = parseToken(next ?? '')
    const follows = parts?.n === token.n + 1 && parts.invocation === token.invocation && parts.nonce === token.nonce
    if (!follows) this.#report(`${what} was answered with a token that does not follow`)
  }

  /** The code of a step runs; returns a result that no other run has. */
  ranStep(run: {
    executionId: string
    requestId: string
    id: string
    attempt: number
    atMostOnce: boolean
    /** The process is the one that the journal knows. */
    current: boolean
  }): string {
    const { executionId, id, attempt } = run
    const steps = this.#stepsOf(executionId, id)
    const runs = (steps.runs.get(attempt) ?? 0) + 1
    steps.runs.set(attempt, runs)
    if (run.atMostOnce && runs > 1) this.#report(`${executionId}: attempt ${attempt} of step ${id} ran ${runs} times`)
    const status = this.#shadows.byId.get(executionId)?.state.operations.get(id)?.status
    if (run.current && status === 'SUCCEEDED') this.#report(`${executionId}: step ${id} ran again after its success`)
    const result = `${run.requestId.slice(0, 8)}/${id}/${attempt}/${runs}`
    steps.results.add(result)
    return result
  }

  produced(executionId: string, id: string, result: string): boolean {
    return this.#stepsOf(executionId, id).results.has(result.replace(/\.+$/, ''))
  }

  #stepsOf(executionId: string, id: string): Steps {
    const key = `${executionId}/${id}`
    const known = this.#steps.get(key)
    if (known !== undefined) return known
    const steps = { results: new Set<string>(), runs: new Map<number, number>() }
    this.#steps.set(key, steps)
    return steps
  }

  /** A process has answered with this result, or thrown this error. */
  returned(executionId: string, outcome: string): void {
    const outcomes = this.#returned.get(executionId)
    if (outcomes === undefined) this.#returned.set(executionId, new Set([outcome]))
    else outcomes.add(outcome)
  }

  hasReturned(executionId: string, outcome: string): boolean {
    return this.#returned.get(executionId)?.has(outcome) ?? false
  }

  plainInvoked(requestId: string): void {
    this.plainAccepted.set(requestId, this.#clock.latestMs)
  }

  /** The service was told how an attempt at a plain invocation ended. */
  plainEnded(requestId: string, kind: 'response' | 'error' | 'platform'): void {
    const ends = this.plainEnds.get(requestId) ?? { response: 0, error: 0, platform: 0 }
    ends[kind]++
    this.plainEnds.set(requestId, ends)
  }

  // ------------------------------------------------------------------------------------------------------- callers

  started(call: StartCall, { executionId, arn }: Started): void {
    this.#acknowledged++
    const shadow = this.#shadows.byId.get(executionId)
    const there = shadow !== undefined && shadow.state.start.arn === arn
    this.#expect('P7', there, () => `${executionId} was acknowledged and is not in the journal (I2)`)
    if (!there) return
    if (call.name !== undefined && shadow.state.start.name !== call.name)
      this.#report(`${executionId} has another name`)
    // A name is recognised for as long as the execution is kept, a call for a quarter of an hour.
    if (call.name === undefined && this.#clock.latestMs - call.firstSentMs > CALL_REPEATS_MS) return
    const [known, key] =
      call.name === undefined
        ? ([this.#calls, call.sdkInvocationId] as const)
        : ([this.#names, `${call.functionName}/${call.name}`] as const)
    const before = known.get(key)
    const one = before === undefined || before === executionId || this.isGone(before) || shadow.gone
    this.#expect('P7', one, () => `one start gave two executions: ${before} and ${executionId}`)
    known.set(key, executionId)
  }

  /** It was removed, or will be by the next sweep: for its callers there is none. */
  isGone(executionId: string): boolean {
    const shadow = this.#shadows.byId.get(executionId)
    return shadow === undefined || shadow.gone || shadow.expired
  }

  /** The service said that there is no such execution. */
  notFound(executionId: string): void {
    this.#expect('P1', this.isGone(executionId), () => `${executionId} is there, and the service says it is not`)
  }

  /** Its start, asked for again, was refused: that is right when nobody can be told its outcome any more. */
  refusedAgain(executionId: string): void {
    const deleted = this.#shadows.byId.get(executionId)?.state.deletedAt !== undefined
    const refusable = deleted || this.isGone(executionId)
    this.#expect('P7', refusable, () => `the repeated start of ${executionId} was refused`)
  }

  deleted(executionId: string, at: number): void {
    this.#acknowledged++
    const deletedAt = this.#shadows.byId.get(executionId)?.state.deletedAt
    this.#expect('P1', deletedAt === at, () => `${executionId}: its deletion at ${at} is not in the journal`)
  }

  callbackKnown(record: Omit<CallbackRecord, 'completedBy' | 'heartbeatSentMs'>): boolean {
    if (this.callbacks.has(record.callbackId)) return false
    this.callbacks.set(record.callbackId, { ...record, completedBy: undefined, heartbeatSentMs: undefined })
    return true
  }

  callbackCompleted(record: CallbackRecord, call: { id: string; outcome: string; result?: string }): void {
    this.#acknowledged++
    const what = `callback ${record.operationId} of ${record.executionId}`
    record.completedBy ??= call.id
    this.#expect('P6', record.completedBy === call.id, () => {
      return `${what} was accepted twice: ${record.completedBy}, ${call.id}`
    })
    const shadow = this.#shadows.byId.get(record.executionId)
    this.#expect('P1', shadow !== undefined, () => `${what} was accepted and its execution is not in the journal`)
    if (shadow === undefined) return
    const arrival = shadow.state.inbox.find(({ arrival }) => arrival.id === record.operationId)?.arrival
    const operation = shadow.state.operations.get(record.operationId)
    const outcome = arrival?.outcome ?? operation?.status
    const result = arrival === undefined ? textOf(shadow, operation?.result) : arrival.result
    this.#expect('P1', outcome === call.outcome && result === call.result, () => {
      return `${what} was acknowledged as ${call.outcome} ${call.result} and is ${outcome} ${result} (I2)`
    })
  }

  /** The service said that a callback is closed: then it is. */
  callbackRefused(record: CallbackRecord, sdkInvocationId: string | undefined): void {
    if (this.isGone(record.executionId)) return
    const state = this.#shadows.byId.get(record.executionId)?.state
    if (sdkInvocationId !== undefined && state?.completedBy.get(record.operationId) === sdkInvocationId) {
      this.#report(`callback ${record.operationId} refused the repeat of the call that completed it (decision 19)`)
    }
    const operation = state?.operations.get(record.operationId)
    const now = this.#clock.latestMs
    // A clock that was set back may open again what was overdue.
    if (this.#clock.backMs > 0) return
    const open =
      state?.status === 'RUNNING' &&
      operation?.status === 'STARTED' &&
      !state.inbox.some(({ arrival }) => arrival.id === record.operationId) &&
      now <
        Math.min(operation.timeoutAt ?? Number.POSITIVE_INFINITY, operation.heartbeatAt ?? Number.POSITIVE_INFINITY) &&
      now < state.startedAt + state.start.config.ExecutionTimeout * 1_000
    if (open) this.#report(`callback ${record.operationId} of ${record.executionId} was refused and is open`)
  }

  heartbeatAccepted(record: CallbackRecord, sentMs: number): void {
    this.#acknowledged++
    record.heartbeatSentMs = Math.max(record.heartbeatSentMs ?? 0, sentMs)
  }

  /** A heartbeat that was acknowledged holds for its whole time (decision 16), less what the clock was set back. */
  heartbeatDueMs(executionId: string, operationId: string, startedDueMs: number): number {
    for (const record of this.callbacks.values()) {
      if (record.executionId !== executionId || record.operationId !== operationId) continue
      const { heartbeatSentMs, heartbeatSeconds } = record
      if (heartbeatSentMs === undefined) return startedDueMs
      return Math.max(startedDueMs, heartbeatSentMs + heartbeatSeconds * 1_000 - this.#clock.backMs)
    }
    return startedDueMs
  }

  stopped(executionId: string, at: number): void {
    this.#acknowledged++
    const state = this.#shadows.byId.get(executionId)?.state
    this.#expect(
      'P1',
      state?.endedAt === at,
      () => `${executionId} was stopped at ${at} and ended at ${state?.endedAt}`,
    )
  }

  ended(executionId: string, end: ExecutionEnd): void {
    this.#acknowledged++
    const shadow = this.#shadows.byId.get(executionId)
    const same = shadow !== undefined && shadow.state.status === end.status && sameEnd(shadow, end)
    this.#expect('P5', same, () => `${executionId}: a waiting caller was told ${JSON.stringify(end)}`)
  }

  described(executionId: string, description: ExecutionDescription): void {
    const shadow = this.#shadows.byId.get(executionId)
    if (shadow === undefined) {
      this.#report(`${executionId} is shown and is not in the journal`)
      return
    }
    if (description.Status === 'RUNNING') return
    const { Status, Result: result, Error: error, EndTimestamp } = description
    const { state } = shadow
    // Who is being deleted has no outcome to show any more.
    const same =
      Status === 'DELETING'
        ? state.deletedAt !== undefined && result === undefined && error === undefined
        : Status === state.status && sameEnd(shadow, { result, error })
    this.#expect('P5', same && EndTimestamp === state.endedAt, () => {
      return `${executionId} is shown as ${JSON.stringify(description)}, which the journal does not say`
    })
  }

  listed(arns: readonly string[], expected: readonly { id: string; arn: string }[]): void {
    const once = new Set(arns)
    if (once.size !== arns.length) this.#report(`a list shows an execution twice: ${arns}`)
    const missing = expected.filter(({ id, arn }) => !once.has(arn) && !this.isGone(id))
    // A new one may come before the position of a page that was read when the clock was set back.
    if (missing.length > 0 && this.#clock.backMs === 0) this.#report(`a list leaves out ${missing.map(({ id }) => id)}`)
  }

  /** A page of a history from its beginning: a prefix of the journal's events, and never another one (I6). */
  historyRead(executionId: string, { Events }: History, firstEventId: number): void {
    const history = this.#shadows.byId.get(executionId)?.history ?? []
    for (const [index, event] of Events.entries()) {
      const same = JSON.stringify(event) === history[firstEventId - 1 + index]
      this.#expect(
        'P5',
        same,
        () => `${executionId}: event ${firstEventId + index} was read as ${JSON.stringify(event)}`,
      )
      if (!same) return
    }
  }
}

/** An error as one line, whatever the order of its members. */
export const lineOf = ({ ErrorType, ErrorMessage }: ErrorObject): string => `${ErrorType}: ${ErrorMessage}`

export function textOf(shadow: Shadow, stored: ExecutionState['result']): string | undefined {
  return typeof stored === 'object' ? shadow.readText(stored) : stored
}

function sameEnd(shadow: Shadow, end: { result?: string | undefined; error?: ErrorObject | undefined }): boolean {
  const { result, error } = shadow.state
  return textOf(shadow, result) === end.result && JSON.stringify(error) === JSON.stringify(end.error)
}

/** The event that says that the update was applied. */
function isEventOf({ type, id }: JournalEvent, { Action, Id }: OperationUpdate): boolean {
  if (id !== Id) return false
  if (Action === 'START') return type.endsWith('Started')
  if (Action === 'SUCCEED') return type.endsWith('Succeeded')
  if (Action === 'FAIL') return type.endsWith('Failed')
  return Action === 'RETRY' ? type.startsWith('Step') && !type.endsWith('Started') : type.endsWith('Cancelled')
}
