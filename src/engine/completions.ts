/**
 * Completions from outside (spec 08 §8.5, 07 §7.6): callbacks answered by anyone who holds the id, heartbeats, ended
 * chained invokes. First come wins. While an invocation runs they wait in the inbox; otherwise they are recorded and
 * wake the execution.
 */
import { ApiError, invalidParameter, TEXT } from '../protocol/errors.ts'
import { deadlineOf } from './checkpoint.ts'
import { Draft } from './draft.ts'
import { drain, hasArrived } from './inbox.ts'
import {
  type Arrival,
  type Command,
  type CompletedBy,
  type Decision,
  ENTRY_VERSION,
  type ExecutionState,
  type Facts,
  type OperationState,
} from './model.ts'
import { heartbeatCounts } from './operations/callback.ts'
import { MODULES } from './operations/table.ts'
import { parseCallbackId, sameSecret } from './token.ts'

const DONE: Decision = { entry: undefined, answer: { kind: 'none' } }

export function completeCallback(
  state: ExecutionState,
  command: Command & { kind: 'completeCallback' },
  facts: Facts,
): Decision {
  const operation = operationOf(state, command.callbackId)
  if (operation instanceof ApiError) return { error: operation }
  const { sdkInvocationId } = command
  // The same client call again, after a lost answer, gets the same answer (decision 19).
  if (sdkInvocationId !== undefined && state.completedBy.get(operation.id) === sdkInvocationId) return DONE
  if (!accepts(state, operation, facts.now)) return { error: closed() }
  const arrival: Arrival = {
    kind: 'callback',
    id: operation.id,
    outcome: command.outcome,
    ...(command.result === undefined ? undefined : { result: command.result }),
    ...(command.error === undefined ? undefined : { error: command.error }),
  }
  return arrive(
    state,
    arrival,
    facts.now,
    sdkInvocationId === undefined ? undefined : { id: operation.id, sdkInvocationId },
  )
}

/** Restarts the heartbeat timer; without a heartbeat timeout it is accepted and has no effect. */
export function heartbeatCallback(
  state: ExecutionState,
  { callbackId }: Command & { kind: 'heartbeatCallback' },
  facts: Facts,
): Decision {
  const operation = operationOf(state, callbackId)
  if (operation instanceof ApiError) return { error: operation }
  if (!accepts(state, operation, facts.now)) return { error: closed() }
  const at = Math.max(facts.now, state.at)
  if (!heartbeatCounts(operation, at)) return DONE
  const entry = { v: ENTRY_VERSION, at, firstEventId: state.nextEventId, events: [], kind: 'heartbeat' } as const
  return { entry: { ...entry, id: operation.id }, answer: { kind: 'none' } }
}

/** A chained invoke's target has ended. Repeats and late answers are ignored: delivery is at least once. */
export function completeInvoke(
  state: ExecutionState,
  command: Command & { kind: 'completeInvoke' },
  facts: Facts,
): Decision {
  const operation = state.operations.get(command.operationId)
  const waits = state.status === 'RUNNING' && operation?.type === 'CHAINED_INVOKE' && operation.status === 'STARTED'
  if (!waits || hasArrived(state, command.operationId)) return { entry: undefined, answer: { kind: 'ignored' } }
  const arrival: Arrival = {
    kind: 'invoke',
    id: command.operationId,
    outcome: command.outcome,
    ...(command.result === undefined ? undefined : { result: command.result }),
    ...(command.error === undefined ? undefined : { error: command.error }),
  }
  return arrive(state, arrival, facts.now, undefined)
}

function arrive(state: ExecutionState, arrival: Arrival, now: number, completedBy: CompletedBy | undefined): Decision {
  const draft = new Draft(state, now)
  const by = completedBy === undefined ? undefined : { completedBy }
  if (state.invocation !== undefined) {
    return { entry: { ...draft.base(), kind: 'arrived', arrival, ...by }, answer: { kind: 'none' } }
  }
  drain(draft)
  draft.complete(arrival)
  return { entry: { ...draft.base(), kind: 'woke', ...by }, answer: { kind: 'none' } }
}

const closed = (): ApiError => new ApiError('CallbackTimeoutException', TEXT.callbackClosed)

/** The callback that the id names and whose secret it carries. */
function operationOf(state: ExecutionState, callbackId: string): OperationState | ApiError {
  const parts = parseCallbackId(callbackId)
  if (parts === undefined) return invalidParameter(TEXT.invalidCallbackId)
  const operation = state.operations.get(state.ids[parts.ordinal] ?? '')
  const known = operation?.callbackId !== undefined && sameSecret(operation.callbackId, callbackId)
  return known ? operation : closed()
}

/** Open, not answered yet, and not overdue: a timer that is due counts before a call (decision 13). */
function accepts(state: ExecutionState, operation: OperationState, now: number): boolean {
  if (state.status !== 'RUNNING' || now >= deadlineOf(state)) return false
  return operation.status === 'STARTED' && !hasArrived(state, operation.id) && MODULES.CALLBACK.dueAt(operation) > now
}
