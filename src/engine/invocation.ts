/**
 * Invocations (spec 06): how one begins, and what its end means.
 *
 *     due ─startInvocation→ running ─endInvocation→ closed | suspended | due again (at once, or after a back-off)
 *
 * At most one runs per execution. An invocation that is not the running one has no say: what it posts is ignored.
 */
import type { Limits } from '../protocol/limits.ts'
import type { ErrorObject } from '../protocol/shapes.ts'
import { deadlineOf, resultTooLarge } from './checkpoint.ts'
import { Draft } from './draft.ts'
import { drain, drainAcknowledged } from './inbox.ts'
import { closeWith, closingEvent, executionTimedOut } from './lifecycle.ts'
import type {
  Command,
  Decision,
  Entry,
  ExecutionOutcome,
  ExecutionState,
  Facts,
  Invocation,
  InvocationOutcome,
} from './model.ts'
import { readOutput } from './output.ts'
import { mintToken } from './token.ts'

const IGNORED: Decision = { entry: undefined, answer: { kind: 'ignored' } }

/** Begins the invocation that is due; one that is recorded as running is superseded (decision 15). */
export function startInvocation(
  state: ExecutionState,
  { requestId }: Command & { kind: 'startInvocation' },
  facts: Facts,
): Decision {
  if (state.status !== 'RUNNING') return IGNORED
  if (facts.now >= deadlineOf(state)) return executionTimedOut(state, facts.now)
  const lost = state.invocation
  if (lost?.outcome !== undefined) return finish(state, lost, lost.outcome, lostError(lost), facts.now)

  const draft = new Draft(state, facts.now)
  if (lost !== undefined) draft.add(invocationCompleted(lost, lostError(lost)))
  drain(draft)
  const due = state.invokeAt !== undefined && state.invokeAt <= draft.at
  if (lost === undefined && !due && draft.drained.length === 0) return IGNORED

  const updated = [...new Set([...state.unseen, ...draft.drained.map(({ id }) => id)])]
  const nonce = facts.entropy(0)
  const number = state.invocations + 1
  const token = mintToken(state.start.executionId, { number, nonce } as Invocation, 0)
  return {
    entry: { ...draft.base(), kind: 'invocationStarted', requestId, nonce, updated },
    answer: { kind: 'invocation', number, token, updated },
  }
}

/** The invocation that is due cannot be had (spec 06 §6.4 "Function gone"): the execution ends with `error`. */
export function abandon(state: ExecutionState, error: ErrorObject, now: number): Decision {
  if (state.status !== 'RUNNING') return IGNORED
  const lost = state.invocation
  const outcome: ExecutionOutcome = lost?.outcome ?? { status: 'FAILED', error }
  if (lost !== undefined) return finish(state, lost, outcome, lostError(lost), now)
  if (now >= deadlineOf(state)) return executionTimedOut(state, now)
  return closeWith(state, closingEvent(state, outcome), now)
}

/** Records the end of the running invocation and what follows from it (spec 06 §6.3). */
export function endInvocation(
  state: ExecutionState,
  { requestId, outcome }: Command & { kind: 'endInvocation' },
  facts: Facts,
  limits: Limits,
): Decision {
  const { invocation } = state
  if (state.status !== 'RUNNING' || invocation === undefined || invocation.requestId !== requestId) return IGNORED
  const output = outcome.kind === 'response' ? readOutput(outcome.body) : undefined
  const reported = outcome.kind === 'response' ? output?.reported : outcome.error
  // An EXECUTION update beats whatever the function returned or how it ended.
  if (invocation.outcome !== undefined) return finish(state, invocation, invocation.outcome, reported, facts.now)
  if (facts.now >= deadlineOf(state)) return executionTimedOut(state, facts.now)
  if (outcome.kind !== 'response') return failed(state, invocation, outcome, facts.now, limits)
  if (output === undefined || output.status === 'PENDING') return suspend(state, invocation, facts.now, limits)
  const tooLarge = resultTooLarge(state, output.outcome.result, limits)
  const end: ExecutionOutcome =
    tooLarge === undefined ? output.outcome : { status: 'FAILED', error: serviceError(tooLarge) }
  return finish(state, invocation, end, reported, facts.now)
}

/** InvocationCompleted, what was acknowledged, and the terminal event, in this order (spec 06 §6.6, decision 14). */
function finish(
  state: ExecutionState,
  invocation: Invocation,
  outcome: ExecutionOutcome,
  reported: ErrorObject | undefined,
  now: number,
): Decision {
  const draft = new Draft(state, now)
  draft.add(invocationCompleted(invocation, reported))
  drainAcknowledged(draft)
  draft.add(closingEvent(state, outcome))
  return {
    entry: { ...draft.base(), kind: 'invocationEnded', requestId: invocation.requestId, normal: true },
    answer: { kind: 'none' },
  }
}

/** The function answered PENDING: wait for what is pending, or go on at once when there is news (spec 06 §6.3). */
function suspend(state: ExecutionState, invocation: Invocation, now: number, limits: Limits): Decision {
  const draft = new Draft(state, now)
  draft.add(invocationCompleted(invocation, undefined))
  drain(draft)
  const news = draft.drained.length > 0 || invocation.lastAnswerHadCompletion
  const pending = [...state.pending]
  const moving = pending.some((id) => state.operations.get(id)?.status !== 'READY')
  const again = news || (!moving && invocation.anyAnswerHadCompletion)
  if (!again && pending.length === 0) {
    const error = serviceError('Cannot return PENDING status with no pending operations.')
    return finish(state, invocation, { status: 'FAILED', error }, undefined, now)
  }
  const ended = { ...draft.base(), kind: 'invocationEnded', requestId: invocation.requestId } as const
  // Only READY steps are left and the function does not take them up: nothing would ever wake it, so back off.
  const entry: Entry =
    again || moving
      ? { ...ended, normal: true, ...(again ? { again: true } : undefined) }
      : { ...ended, normal: false, retry: { cause: 'function', dueMs: draft.at + backOffMs(state.failures, limits) } }
  return { entry, answer: { kind: 'none' } }
}

/** The invocation failed: retry with back-off, or give up (spec 06 §6.4, decision 17). */
function failed(
  state: ExecutionState,
  invocation: Invocation,
  outcome: Exclude<InvocationOutcome, { kind: 'response' }>,
  now: number,
  limits: Limits,
): Decision {
  // Counted from the end of the first failure: however long that invocation ran, it is tried once more.
  const failingMs = state.failingSince === undefined ? 0 : now - state.failingSince
  const giveUp = limits.invocationRetryGiveUpMs > 0 && failingMs >= limits.invocationRetryGiveUpMs
  if (outcome.kind === 'error' && giveUp) {
    return finish(state, invocation, { status: 'FAILED', error: outcome.error }, outcome.error, now)
  }
  const draft = new Draft(state, now)
  draft.add(invocationCompleted(invocation, outcome.error))
  drain(draft)
  const cause = outcome.kind === 'error' ? 'function' : 'platform'
  const failures = cause === 'function' ? state.failures : state.platformFailures
  const retry = { cause, dueMs: draft.at + backOffMs(failures, limits) } as const
  return {
    entry: { ...draft.base(), kind: 'invocationEnded', requestId: invocation.requestId, normal: false, retry },
    answer: { kind: 'none' },
  }
}

/** Delay before the retry that follows `failures` earlier failures in a row. */
function backOffMs(failures: number, limits: Limits): number {
  return Math.min(limits.invocationRetryCapMs, limits.invocationRetryFirstMs * 2 ** Math.min(failures, 30))
}

function invocationCompleted({ startedAt, requestId }: Invocation, error: ErrorObject | undefined) {
  const failure = error === undefined ? undefined : { error }
  return { type: 'InvocationCompleted', startedAt, requestId, ...failure } as const
}

/** Nobody saw how a lost invocation ended (restart of the server, lost worker). */
function lostError({ requestId }: Invocation): ErrorObject {
  return {
    ErrorType: 'Runtime.ExitError',
    ErrorMessage: `RequestId: ${requestId} Error: Runtime exited without providing a reason`,
  }
}

function serviceError(message: string): ErrorObject {
  return { ErrorType: 'InvalidParameterValueException', ErrorMessage: message }
}
