/**
 * One checkpoint (spec 04 §4.1–4.7, 05; decision 10): token, or replay of one that consumed it, drain, batch rules,
 * each update in turn, entry. A refusal anywhere drops the draft, the drain included, and leaves no trace.
 */
import { type ApiError, invalidParameter, TEXT } from '../protocol/errors.ts'
import type { Limits } from '../protocol/limits.ts'
import type { ErrorObject, OperationUpdate } from '../protocol/shapes.ts'
import { Draft } from './draft.ts'
import { drain } from './inbox.ts'
import type { AcceptedCheckpoint, Command, Decision, ExecutionOutcome, ExecutionState, Facts } from './model.ts'
import { ERROR_ON_SUCCEED, PAYLOAD_ON_FAIL } from './operations/operation.ts'
import { ACTIONS, MODULES } from './operations/table.ts'
import { checkToken, mintToken, parseToken, sameSecret } from './token.ts'

type Checkpoint = Command & { kind: 'checkpoint' }

export function checkpoint(state: ExecutionState, command: Checkpoint, facts: Facts, limits: Limits): Decision {
  const stale = checkToken(state, command.token)
  if (stale !== undefined) {
    const earlier = acceptedBefore(state, command, facts.now, limits)
    return earlier === undefined ? { error: stale } : repeat(state, earlier)
  }
  const refused = overdue(state, facts.now) ?? batchRules(command.updates, limits)
  if (refused !== undefined) return { error: refused }
  const { invocation } = state
  if (invocation === undefined) throw new Error('a valid token without an invocation')

  const draft = new Draft(state, facts.now)
  drain(draft)
  const touched = new Set<string>()
  let outcome: ExecutionOutcome | undefined
  for (let index = 0; index < command.updates.length; index++) {
    const update = command.updates[index] as OperationUpdate
    if (update.Type === 'EXECUTION') {
      const closing = executionOutcome(state, update, limits)
      if (closing instanceof Error) return { error: closing }
      outcome = closing
      continue
    }
    const error = applyUpdate(draft, update, index, facts, limits)
    if (error !== undefined) return { error }
    touched.add(update.Id)
  }
  const error = totals(draft, limits)
  if (error !== undefined) return { error }

  const { n } = invocation
  return {
    entry: {
      ...draft.base(),
      kind: 'checkpointed',
      n,
      ...(command.clientToken === undefined ? undefined : { clientToken: command.clientToken }),
      touched: [...touched],
      ...(outcome === undefined ? undefined : { outcome }),
    },
    answer: {
      kind: 'checkpoint',
      token: outcome === undefined ? mintToken(state.start.executionId, invocation, n + 1) : undefined,
    },
  }
}

/** The execution timeout has passed and its timer is about to say so: nothing more is accepted (spec 08 §8.2). */
function overdue(state: ExecutionState, now: number): ApiError | undefined {
  return now >= deadlineOf(state) ? invalidParameter(TEXT.invalidToken) : undefined
}

export const deadlineOf = (state: ExecutionState): number =>
  state.startedAt + state.start.config.ExecutionTimeout * 1000

/** The checkpoint that this request, whose token is consumed, repeats (spec 05 §5.4, decision 11), if any. */
function acceptedBefore(
  state: ExecutionState,
  { token, clientToken }: Checkpoint,
  now: number,
  limits: Limits,
): AcceptedCheckpoint | undefined {
  const { invocation } = state
  if (clientToken === undefined || invocation === undefined || invocation.accepted.length === 0) return undefined
  const n = parseToken(token)?.n
  if (n === undefined || !sameSecret(token, mintToken(state.start.executionId, invocation, n))) return undefined
  return invocation.accepted.findLast(
    (accepted) =>
      accepted.n === n && accepted.clientToken === clientToken && now - accepted.at <= limits.replayWindowMs,
  )
}

function repeat(state: ExecutionState, { n, seq }: AcceptedCheckpoint): Decision {
  const { invocation } = state
  if (invocation === undefined) throw new Error('a repeat outside an invocation')
  const closing = invocation.outcome !== undefined && n === invocation.n - 1
  const token = closing ? undefined : mintToken(state.start.executionId, invocation, n + 1)
  return { entry: undefined, answer: { kind: 'checkpoint', token, replayOf: seq } }
}

/** Spec 04 §4.2. */
function batchRules(updates: readonly OperationUpdate[], limits: Limits): ApiError | undefined {
  if (updates.length > limits.updatesPerCheckpoint) {
    return invalidParameter(`Number of updates must be less than or equal to ${limits.updatesPerCheckpoint}.`)
  }
  const executions = updates.filter(({ Type }) => Type === 'EXECUTION').length
  if (executions > 1) return invalidParameter('Cannot checkpoint multiple EXECUTION updates.')
  if (executions === 1 && updates.at(-1)?.Type !== 'EXECUTION') {
    return invalidParameter('EXECUTION checkpoint must be the last update.')
  }
  const last = new Map<string, OperationUpdate>()
  for (const update of updates) {
    if (update.Type === 'EXECUTION') continue
    const before = last.get(update.Id)
    if (before !== undefined && !closes(before, update)) {
      return invalidParameter('Cannot update the same operation twice in a single request.')
    }
    last.set(update.Id, update)
  }
  return undefined
}

/** The one pair that a request may carry for one id: START, then what ends that attempt. */
function closes(before: OperationUpdate, update: OperationUpdate): boolean {
  if (before.Action !== 'START' || update.Action === 'START' || before.Type !== update.Type) return false
  return update.Type === 'STEP' || update.Type === 'CONTEXT'
}

/** Spec 04 §4.3–4.12 for one update; on success its events are in the draft. */
function applyUpdate(
  draft: Draft,
  update: OperationUpdate,
  index: number,
  facts: Facts,
  limits: Limits,
): ApiError | undefined {
  const current = draft.get(update.Id)
  const refused =
    parentRule(draft, update) ?? sizes(update, limits) ?? actionRule(update) ?? identityRule(draft, update)
  if (refused !== undefined) return refused
  const events = MODULES[update.Type].decide(current, update, {
    at: draft.at,
    executionId: draft.state.start.executionId,
    ordinal: current?.ordinal ?? draft.nextOrdinal,
    secret: () => facts.entropy(index),
    target: facts.targets?.get(update.Id),
  })
  if (events instanceof Error) return events
  for (const event of events) draft.add(event)
  return undefined
}

/** Spec 04 §4.3. A parent that has completed is accepted. */
function parentRule(draft: Draft, { ParentId }: OperationUpdate): ApiError | undefined {
  if (ParentId === undefined || draft.get(ParentId)?.type === 'CONTEXT') return undefined
  return invalidParameter('Invalid parent operation id.')
}

/** Spec 04 §4.4. */
function sizes({ Type, Payload, Error: error }: OperationUpdate, limits: Limits): ApiError | undefined {
  if (Payload !== undefined) {
    const chained = Type === 'CHAINED_INVOKE'
    const limit = chained ? limits.chainedPayloadBytes : limits.operationPayloadBytes
    if (longerThan(Payload, limit)) {
      return invalidParameter(
        `${Type} ${chained ? 'input' : 'output'} payload size must be less than or equal to ${limit} bytes.`,
      )
    }
  }
  return errorSize(error, limits)
}

function errorSize(error: ErrorObject | undefined, limits: Limits): ApiError | undefined {
  if (error === undefined || !longerThan(JSON.stringify(error), limits.updateErrorBytes - 1)) return undefined
  return invalidParameter(`Error object size must be less than ${limits.updateErrorBytes} bytes.`)
}

/** Whether the text has more UTF-8 bytes than the limit; most texts are short enough to need no counting. */
export function longerThan(text: string, limitBytes: number): boolean {
  return text.length > limitBytes || (text.length * 3 > limitBytes && Buffer.byteLength(text) > limitBytes)
}

/** Spec 04 §4.5. */
function actionRule({ Type, Action }: OperationUpdate): ApiError | undefined {
  return ACTIONS[Type].includes(Action) ? undefined : invalidParameter('Invalid action for the given operation type.')
}

/** Spec 04 §4.6: a member that the update leaves out is not compared. */
function identityRule(draft: Draft, update: OperationUpdate): ApiError | undefined {
  const current = draft.get(update.Id)
  if (current === undefined) return undefined
  const differs = (given: string | undefined, stored: string | undefined) => given !== undefined && given !== stored
  if (update.Type !== current.type) return invalidParameter('Inconsistent operation type.')
  if (differs(update.SubType, current.subType)) return invalidParameter('Inconsistent operation subtype.')
  if (differs(update.Name, current.name)) return invalidParameter('Inconsistent operation name.')
  if (differs(update.ParentId, current.parentId)) return invalidParameter('Inconsistent parent operation id.')
  return undefined
}

/** Spec 04 §4.7: the update fixes the outcome; the end of the invocation records it. */
function executionOutcome(state: ExecutionState, update: OperationUpdate, limits: Limits): ExecutionOutcome | ApiError {
  const { Action, Payload, Error: error } = update
  const refused = actionRule(update)
  if (refused !== undefined) return refused
  if (Action === 'FAIL') {
    if (Payload !== undefined) return invalidParameter(PAYLOAD_ON_FAIL)
    return errorSize(error, limits) ?? { status: 'FAILED', error: error ?? {} }
  }
  if (error !== undefined) return invalidParameter(ERROR_ON_SUCCEED)
  const tooLarge = resultTooLarge(state, Payload, limits)
  if (tooLarge !== undefined) return invalidParameter(tooLarge)
  return Payload === undefined ? { status: 'SUCCEEDED' } : { status: 'SUCCEEDED', result: Payload }
}

/** The text of spec 04 §4.4 when a result exceeds what this execution may return. */
export function resultTooLarge(state: ExecutionState, result: string | undefined, limits: Limits): string | undefined {
  const limit = state.start.mode === 'sync' ? limits.syncPayloadBytes : limits.asyncPayloadBytes
  if (result === undefined || !longerThan(result, limit)) return undefined
  return `Execution output payload size must be less than or equal to ${limit} bytes.`
}

/** The quotas of spec 08 §8.8, where they are enforced. */
function totals(draft: Draft, limits: Limits): ApiError | undefined {
  const { state } = draft
  const { operationsPerExecution: operations, storagePerExecutionBytes: bytes } = limits
  if (operations > 0 && draft.created > 0 && state.ids.length + draft.created > operations) {
    return invalidParameter(`A durable execution must have less than or equal to ${operations} operations.`)
  }
  if (bytes > 0) {
    const written = draft.events.reduce((sum, { result, input }) => sum + (result ?? input ?? '').length, 0)
    if (state.storedBytes + written > bytes) {
      return invalidParameter(`A durable execution must store less than or equal to ${bytes} bytes.`)
    }
  }
  return undefined
}
