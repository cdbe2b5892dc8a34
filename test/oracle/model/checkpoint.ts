/**
 * CheckpointDurableExecution (spec 04, 05): in the order of spec 04 §4.1 and decision 10, on a copy of the execution
 * that is thrown away when anything is refused.
 */
import { FUNCTION_ARN, FUNCTIONS, LIMITS } from './configuration.ts'
import {
  arnOf,
  callbackIdOf,
  copyOf,
  type ErrorObject,
  type Execution,
  end,
  type Invocation,
  idOf,
  isHidden,
  isTerminal,
  type Operation,
  type OperationType,
  operationOf,
  record,
  shown,
  tokenOf,
  wrapped,
} from './execution.ts'
import { takeIn } from './inbox.ts'
import type { Update } from './shape.ts'
import { checkShape } from './shape.ts'
import { Instant, invalid, present, type Refusal } from './values.ts'

export interface CheckpointRequest {
  readonly token: string
  readonly clientToken: string | undefined
  readonly updates: readonly Update[]
}

/** How one update was judged, for the coverage table. */
export interface Judgement {
  readonly type: string
  readonly action: string
  /** Status of the operation before, `none`, or `another type`. */
  readonly prior: string
  readonly outcome: string
}

/** How long a repeat is recognised (spec 05 §5.4). */
const REPEAT_WINDOW_MS = 15 * 60_000

/** Returns the answer's body; throws a `Refusal`. `judged` is told of every update that was decided. */
export function checkpoint(
  execution: Execution,
  { token, clientToken, updates }: CheckpointRequest,
  now: number,
  judged: (judgement: Judgement) => void,
): { readonly execution: Execution; readonly body: unknown } {
  const refuse = (refusal: Refusal, about: Update | undefined): never => {
    if (about !== undefined) judged(judgement(execution, about, refusal.rule))
    throw refusal
  }
  /** What concerns a whole request is noted for its update when it has just one. */
  const only = updates.length === 1 ? updates[0] : undefined

  const misshapen = caught(() => checkShape(updates))
  if (misshapen !== undefined) return refuse(misshapen, only)

  const { invocation } = execution
  const repeated = invocation === undefined ? undefined : repeatOf(invocation, token, clientToken, now)
  if (repeated !== undefined) {
    if (only !== undefined) judged(judgement(execution, only, 'repeated'))
    return { execution, body: repeated }
  }

  const badToken = checkToken(execution, token)
  if (badToken !== undefined) return refuse(badToken, only)

  const draft = copyOf(execution)
  const running = draft.invocation as Invocation
  const news = takeIn(draft, now).map(({ id }) => id)
  const badBatch = batchRules(updates)
  if (badBatch !== undefined) return refuse(badBatch.refusal, badBatch.update)

  const accepted: Judgement[] = []
  for (const update of updates) {
    const before = judgement(draft, update, 'accepted')
    const refusal = caught(() => applyUpdate(draft, update, now))
    if (refusal !== undefined) {
      judged({ ...before, outcome: refusal.rule })
      throw refusal
    }
    accepted.push(before)
  }
  for (const each of accepted) judged(each)

  running.lastAnswerHadNews = news.length > 0
  running.anyAnswerHadNews ||= news.length > 0
  // Spec 05 §5.6: no token after an EXECUTION update.
  running.token =
    running.outcome === undefined ? tokenOf(draft.key, running.number, running.accepted.length + 1) : undefined
  if (running.token !== undefined) draft.tokens.push(running.token)
  const body = present({
    CheckpointToken: running.token,
    NewExecutionState: { Operations: newState(draft, news, updates) },
  })
  running.accepted.push({ token, clientToken, at: now, body })
  return { execution: draft, body }
}

function caught(act: () => void): Refusal | undefined {
  try {
    act()
    return undefined
  } catch (refusal) {
    if (refusal instanceof Error && 'rule' in refusal) return refusal as Refusal
    throw refusal
  }
}

function judgement(execution: Execution, update: Update, outcome: string): Judgement {
  const type = String(update.Type)
  // An EXECUTION update means the execution, whatever its id (spec 04 §4.7).
  const about = type === 'EXECUTION' ? execution.operations[0] : operationOf(execution, update.Id ?? '')
  const prior = about === undefined ? 'none' : about.type === type ? about.status : 'another type'
  return { type, action: String(update.Action), prior, outcome }
}

/** Spec 05 §5.4, decision 11: the updates are not compared. */
function repeatOf(invocation: Invocation, token: string, clientToken: string | undefined, now: number): unknown {
  if (clientToken === undefined) return undefined
  return invocation.accepted.find(
    (earlier) => earlier.token === token && earlier.clientToken === clientToken && now - earlier.at <= REPEAT_WINDOW_MS,
  )?.body
}

/** Spec 05 §5.3. The token of another execution is known by what it says of itself (decision 12). */
export function checkToken(execution: Execution, token: string): Refusal | undefined {
  if (execution.status === 'RUNNING' && execution.invocation?.token === token) return undefined
  const foreign = token.startsWith('«token ') && !token.startsWith(`«token ${execution.key} `)
  return foreign
    ? invalid('foreign token', 'Checkpoint token is not valid for the durable execution ARN')
    : invalid('stale token', 'Invalid checkpoint token')
}

/** Spec 04 §4.2. */
function batchRules(updates: readonly Update[]): { refusal: Refusal; update: Update | undefined } | undefined {
  const executions = updates.filter(({ Type }) => Type === 'EXECUTION')
  if (executions.length > 1) {
    const refusal = invalid('several EXECUTION updates', 'Cannot checkpoint multiple EXECUTION updates.')
    return { refusal, update: executions[1] }
  }
  if (executions.length === 1 && updates.at(-1) !== executions[0]) {
    const refusal = invalid('EXECUTION not last', 'EXECUTION checkpoint must be the last update.')
    return { refusal, update: executions[0] }
  }
  const seen = new Map<string, Update>()
  for (const update of updates) {
    if (update.Type === 'EXECUTION') continue
    const earlier = seen.get(update.Id ?? '')
    if (earlier !== undefined && !isPermittedPair(earlier, update)) {
      const text = 'Cannot update the same operation twice in a single request.'
      return { refusal: invalid('twice in a request', text), update }
    }
    seen.set(update.Id ?? '', update)
  }
  return undefined
}

/** STEP: START, then SUCCEED, FAIL or RETRY. CONTEXT: START, then SUCCEED or FAIL. */
function isPermittedPair(earlier: Update, update: Update): boolean {
  const sameType = earlier.Type === update.Type && (update.Type === 'STEP' || update.Type === 'CONTEXT')
  return sameType && earlier.Action === 'START' && update.Action !== 'START'
}

// ------------------------------------------------------------------------------------------------- a single update

const ALLOWED: Readonly<Record<OperationType, readonly string[]>> = {
  EXECUTION: ['SUCCEED', 'FAIL'],
  CONTEXT: ['START', 'SUCCEED', 'FAIL'],
  STEP: ['START', 'SUCCEED', 'FAIL', 'RETRY'],
  WAIT: ['START', 'CANCEL'],
  CALLBACK: ['START'],
  CHAINED_INVOKE: ['START'],
}

const bytes = (value: string): number => new TextEncoder().encode(value).length

/** Spec 04 §4.3 to §4.12, in the order of §4.1. Changes the draft and writes the events. */
function applyUpdate(draft: Draft, update: Update, now: number): void {
  const type = update.Type as OperationType
  if (type === 'EXECUTION') {
    applyExecution(draft, update)
    return
  }
  parentRule(draft, update)
  sizeRules(update)
  actionRule(update)
  identityRule(draft, update)
  APPLY[type](draft, update, operationOf(draft, update.Id ?? ''), now)
}

type Draft = Execution

/** Spec 04 §4.3. A parent that has ended is accepted. */
function parentRule(draft: Draft, { ParentId }: Update): void {
  if (ParentId !== undefined && operationOf(draft, ParentId)?.type !== 'CONTEXT') {
    throw invalid('invalid parent', 'Invalid parent operation id.')
  }
}

/** Spec 04 §4.4. */
function sizeRules({ Type, Payload, Error: error }: Update): void {
  if (Payload !== undefined) {
    const [what, limit] =
      Type === 'CHAINED_INVOKE' ? ['input', LIMITS.chainedPayloadBytes] : ['output', LIMITS.operationPayloadBytes]
    if (bytes(Payload) > Number(limit)) {
      throw invalid('payload too large', `${Type} ${what} payload size must be less than or equal to ${limit} bytes.`)
    }
  }
  errorSizeRule(error)
}

function errorSizeRule(error: ErrorObject | undefined): void {
  if (error !== undefined && bytes(JSON.stringify(error)) >= LIMITS.updateErrorBytes) {
    throw invalid('error too large', `Error object size must be less than ${LIMITS.updateErrorBytes} bytes.`)
  }
}

/** Spec 04 §4.5. */
function actionRule({ Type, Action }: Update): void {
  if (!ALLOWED[Type as OperationType].includes(Action ?? '')) {
    throw invalid('invalid action', 'Invalid action for the given operation type.')
  }
}

/** Spec 04 §4.6: what an update leaves out is not compared. */
function identityRule(draft: Draft, update: Update): void {
  const stored = operationOf(draft, update.Id ?? '')
  if (stored === undefined) return
  if (update.Type !== stored.type) throw invalid('another type', 'Inconsistent operation type.')
  if (update.SubType !== undefined && update.SubType !== stored.subType) {
    throw invalid('another subtype', 'Inconsistent operation subtype.')
  }
  if (update.Name !== undefined && update.Name !== stored.name) {
    throw invalid('another name', 'Inconsistent operation name.')
  }
  if (update.ParentId !== undefined && update.ParentId !== stored.parentId) {
    throw invalid('another parent', 'Inconsistent parent operation id.')
  }
}

const noError = ({ Error: error }: Update): void => {
  if (error !== undefined) throw invalid('error with SUCCEED', 'Cannot provide an Error for SUCCEED action.')
}
const noPayload = ({ Payload }: Update): void => {
  if (Payload !== undefined) throw invalid('payload with FAIL', 'Cannot provide a Payload for FAIL action.')
}
const wrongStatus = (text: string): Refusal => invalid('wrong status', text)

/** Spec 04 §4.4 for the result of the execution itself: by how it was started. */
export function resultTooLarge({ mode }: Pick<Execution, 'mode'>, result: string | undefined): string | undefined {
  const limit = mode === 'sync' ? LIMITS.syncPayloadBytes : LIMITS.asyncPayloadBytes
  if (result === undefined || bytes(result) <= limit) return undefined
  return `Execution output payload size must be less than or equal to ${limit} bytes.`
}

/** Spec 04 §4.7: fixes the outcome, which the end of the invocation records. */
function applyExecution(draft: Draft, update: Update): void {
  actionRule(update)
  const { Action, Payload, Error: error } = update
  const { invocation } = draft
  if (invocation === undefined) throw new Error('a checkpoint without an invocation')
  if (Action === 'FAIL') {
    noPayload(update)
    errorSizeRule(error)
    invocation.outcome = { status: 'FAILED', error: error ?? {} }
  } else {
    noError(update)
    const tooLarge = resultTooLarge(draft, Payload)
    if (tooLarge !== undefined) throw invalid('payload too large', tooLarge)
    invocation.outcome = { status: 'SUCCEEDED', result: Payload }
  }
}

function created(draft: Draft, update: Update, now: number): Operation {
  const operation: Operation = {
    id: update.Id ?? '',
    type: update.Type as OperationType,
    parentId: update.ParentId,
    name: update.Name,
    subType: update.SubType,
    startedAt: now,
    status: 'STARTED',
    attempt: 0,
  }
  draft.operations.push(operation)
  return operation
}

type Apply = (draft: Draft, update: Update, stored: Operation | undefined, now: number) => void

const APPLY: Readonly<Record<Exclude<OperationType, 'EXECUTION'>, Apply>> = {
  /** Spec 04 §4.8. */
  CONTEXT(draft, update, stored, now) {
    const replayChildren = update.ContextOptions?.ReplayChildren
    if (update.Action === 'START') {
      if (stored !== undefined) throw wrongStatus('Cannot start a CONTEXT that already exist.')
      const context = created(draft, update, now)
      context.replayChildren = replayChildren
      record(draft, now, 'ContextStarted', context, {})
      return
    }
    if (stored !== undefined && isTerminal(stored)) throw wrongStatus('Invalid current CONTEXT state to close.')
    if (update.Action === 'SUCCEED') noError(update)
    else noPayload(update)
    const context = stored ?? created(draft, update, now)
    context.endedAt = now
    context.replayChildren = replayChildren ?? context.replayChildren
    if (update.Action === 'SUCCEED') {
      context.status = 'SUCCEEDED'
      context.result = update.Payload
      record(draft, now, 'ContextSucceeded', context, { Result: wrapped(update.Payload) })
    } else {
      context.status = 'FAILED'
      context.error = update.Error ?? {}
      record(draft, now, 'ContextFailed', context, { Error: wrapped(context.error) })
    }
  },

  /** Spec 04 §4.9. */
  STEP(draft, update, stored, now) {
    const options = update.StepOptions
    if (update.Action !== 'RETRY' && options !== undefined) {
      throw invalid('options misplaced', 'Invalid StepOptions for the given action.')
    }
    if (update.Action === 'START') {
      if (stored !== undefined && stored.status !== 'READY') {
        throw wrongStatus('Invalid current STEP state to start.')
      }
      const step = stored ?? created(draft, update, now)
      step.status = 'STARTED'
      record(draft, now, 'StepStarted', step, {})
      return
    }
    const open = stored === undefined || stored.status === 'STARTED' || stored.status === 'READY'
    if (!open) {
      throw wrongStatus(`Invalid current STEP state to ${update.Action === 'RETRY' ? 're-attempt' : 'close'}.`)
    }
    if (update.Action === 'SUCCEED') noError(update)
    if (update.Action === 'FAIL') noPayload(update)
    const delay = options?.NextAttemptDelaySeconds
    if (update.Action === 'RETRY') {
      if (delay === undefined) throw invalid('options missing', 'Invalid StepOptions for the given action.')
      if (update.Error !== undefined && update.Payload !== undefined) {
        throw invalid('error and payload', 'Cannot provide both error and payload to RETRY a STEP.')
      }
    }
    const step = stored ?? created(draft, update, now)
    step.attempt += 1
    const RetryDetails = present({ CurrentAttempt: step.attempt, NextAttemptDelaySeconds: delay })
    const failed = update.Action === 'FAIL' || update.Error !== undefined
    step.result = update.Payload
    step.error = failed ? (update.Error ?? {}) : undefined
    if (update.Action === 'RETRY') {
      step.status = 'PENDING'
      step.nextAttemptAt = now + (delay ?? 0) * 1000
    } else {
      step.status = failed ? 'FAILED' : 'SUCCEEDED'
      step.endedAt = now
    }
    if (failed) record(draft, now, 'StepFailed', step, { Error: wrapped(step.error), RetryDetails })
    else record(draft, now, 'StepSucceeded', step, { Result: wrapped(update.Payload), RetryDetails })
  },

  /** Spec 04 §4.10. */
  WAIT(draft, update, stored, now) {
    if (update.Action === 'START') {
      if (stored !== undefined) throw wrongStatus('Cannot start a WAIT that already exist.')
      const waitSeconds = update.WaitOptions?.WaitSeconds
      if (waitSeconds === undefined) {
        throw invalid('options missing', 'Update for WAIT operation requires WaitOptions.')
      }
      const wait = created(draft, update, now)
      wait.waitSeconds = waitSeconds
      wait.scheduledEndAt = now + waitSeconds * 1000
      const ScheduledEndTimestamp = new Instant(wait.scheduledEndAt)
      record(draft, now, 'WaitStarted', wait, { Duration: waitSeconds, ScheduledEndTimestamp })
      return
    }
    if (stored?.status !== 'STARTED') {
      throw wrongStatus('Cannot cancel a WAIT that does not exist or has already completed.')
    }
    stored.status = 'CANCELLED'
    stored.endedAt = now
    const given = update.Error === undefined ? undefined : wrapped(update.Error)
    record(draft, now, 'WaitCancelled', stored, { Error: given })
  },

  /** Spec 04 §4.11. A timeout of 0 is none (spec 03 §3.3), and is not told. */
  CALLBACK(draft, update, stored, now) {
    if (stored !== undefined) throw wrongStatus('Cannot start a CALLBACK that already exist.')
    const callback = created(draft, update, now)
    const Timeout = update.CallbackOptions?.TimeoutSeconds || undefined
    const HeartbeatTimeout = update.CallbackOptions?.HeartbeatTimeoutSeconds || undefined
    callback.callbackId = callbackIdOf(draft.key, callback.id)
    if (Timeout !== undefined) callback.timeoutAt = now + Timeout * 1000
    if (HeartbeatTimeout !== undefined) {
      callback.heartbeatSeconds = HeartbeatTimeout
      callback.heartbeatDueAt = now + HeartbeatTimeout * 1000
    }
    record(draft, now, 'CallbackStarted', callback, { CallbackId: callback.callbackId, Timeout, HeartbeatTimeout })
  },

  /** Spec 04 §4.12, 07 §7.6. */
  CHAINED_INVOKE(draft, update, stored, now) {
    if (stored !== undefined) throw wrongStatus('Cannot start a CHAINED_INVOKE that already exist.')
    const FunctionName = update.ChainedInvokeOptions?.FunctionName
    if (FunctionName === undefined) {
      const text = 'Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.'
      throw invalid('options missing', text)
    }
    const target = targetOf(FunctionName)
    const chained = created(draft, update, now)
    if ('error' in target) {
      record(draft, now, 'ChainedInvokeStarted', chained, { FunctionName })
      end(draft, chained, { status: 'FAILED', result: undefined, error: target.error }, now)
      return
    }
    const { functionName } = target
    const durable = FUNCTIONS[functionName]?.executionTimeout !== undefined
    const childKey = `${draft.key}/${chained.id}`
    record(draft, now, 'ChainedInvokeStarted', chained, {
      FunctionName,
      Input: wrapped(update.Payload),
      ExecutedVersion: '$LATEST',
      DurableExecutionArn: durable ? arnOf({ key: childKey, functionName, name: childNameOf(childKey) }) : undefined,
    })
    draft.toStart.push({ operationId: chained.id, functionName, payload: update.Payload })
  },
}

/** A chained execution has a generated name (spec 07 §7.6); Perdure takes its id. */
export const childNameOf = (key: string): string => idOf(key)

/** Spec 07 §7.6 "Resolution", 09 §9.2. */
function targetOf(reference: string): { functionName: string } | { error: ErrorObject } {
  const parts = reference.split(':')
  if (reference.startsWith('arn:') && (parts.length < 7 || parts[5] !== 'function')) {
    throw invalid('bad target', `Invalid function ARN '${reference}'`)
  }
  if (reference.startsWith('arn:')) {
    if (parts[4] !== '000000000000') {
      throw invalid('another account', 'Cannot start a CHAINED_INVOKE on a function in another account.')
    }
    if (parts[3] !== 'us-east-1') {
      throw invalid('another region', 'Cannot start a CHAINED_INVOKE on a function in another region.')
    }
  }
  const [functionName = '', qualifier] = reference.startsWith('arn:') ? parts.slice(6) : parts
  const target = FUNCTIONS[functionName]
  if (target === undefined || (qualifier !== undefined && qualifier !== '$LATEST')) {
    const ErrorMessage = `Function not found: ${FUNCTION_ARN}:${functionName}:${qualifier ?? '$LATEST'}`
    return { error: { ErrorType: 'ResourceNotFoundException', ErrorMessage } }
  }
  if (target.executionTimeout !== undefined && qualifier === undefined) {
    const ErrorMessage = 'You cannot invoke a durable function using an unqualified ARN.'
    return { error: { ErrorType: 'InvalidParameterValueException', ErrorMessage } }
  }
  return { functionName }
}

/**
 * Spec 05 §5.5: what the updates touched, and what changed from outside, in order of creation, each once. Choice: what
 * the updates touched is shown even below a context that hides it, for whoever sent them waits for it.
 */
function newState(draft: Draft, news: readonly string[], updates: readonly Update[]): readonly object[] {
  const touched = new Set(updates.filter(({ Type }) => Type !== 'EXECUTION').map(({ Id }) => Id ?? ''))
  return draft.operations
    .filter((operation) => touched.has(operation.id) || (news.includes(operation.id) && !isHidden(draft, operation)))
    .map((operation) => shown(draft, operation))
}
