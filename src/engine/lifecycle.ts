/** The life of the execution itself (spec 08 §8.1–8.3): its first entry, timers at rest, stop, timeout, its last event, deletion. */
import { ApiError, TEXT } from '../protocol/errors.ts'
import type { ErrorObject } from '../protocol/shapes.ts'
import { deadlineOf } from './checkpoint.ts'
import { Draft } from './draft.ts'
import { drain, drainAcknowledged } from './inbox.ts'
import {
  type Decision,
  ENTRY_VERSION,
  type Entry,
  type ExecutionOutcome,
  type ExecutionStart,
  type ExecutionState,
  type JournalEvent,
} from './model.ts'

/** The first entry of an execution: event 1, ExecutionStarted. */
export function begin({ start, input, now }: { start: ExecutionStart; input: string; now: number }): Entry {
  const event: JournalEvent = {
    type: 'ExecutionStarted',
    id: start.executionId,
    name: start.name,
    input,
    executionTimeoutSeconds: start.config.ExecutionTimeout,
  }
  return { v: ENTRY_VERSION, at: now, firstEventId: 1, events: [event], kind: 'started', start }
}

const NOTHING: Decision = { entry: undefined, answer: { kind: 'none' } }

/** Timers may be due. While an invocation runs only the execution timeout counts (decision 13). */
export function wake(state: ExecutionState, now: number): Decision {
  if (state.status !== 'RUNNING') return NOTHING
  if (now >= deadlineOf(state)) return executionTimedOut(state, now)
  if (state.invocation !== undefined) return NOTHING
  const draft = new Draft(state, now)
  drain(draft)
  if (draft.drained.length === 0) return NOTHING
  return { entry: { ...draft.base(), kind: 'woke' }, answer: { kind: 'none' } }
}

/** Idempotent: a closed execution answers when it ended and stays as it is (spec 01 §1.6). */
export function stop(state: ExecutionState, error: ErrorObject, now: number): Decision {
  if (state.endedAt !== undefined) return { entry: undefined, answer: { kind: 'stopped', at: state.endedAt } }
  if (now >= deadlineOf(state)) return closeWith(state, { type: 'ExecutionTimedOut', error: timeoutError(state) }, now)
  return closeWith(state, { type: 'ExecutionStopped', error }, now)
}

/** Only a closed execution may be deleted; asking again tells when it was asked first (spec 01 §1.10). */
export function requestDeletion(state: ExecutionState, now: number): Decision {
  if (state.deletedAt !== undefined) return { entry: undefined, answer: { kind: 'deleted', at: state.deletedAt } }
  if (state.endedAt === undefined) return { error: new ApiError('ResourceConflictException', TEXT.executionRunning) }
  const draft = new Draft(state, now)
  return { entry: { ...draft.base(), kind: 'deleted' }, answer: { kind: 'deleted', at: draft.at } }
}

/** The end of ExecutionTimeout (spec 08 §8.2). */
export function executionTimedOut(state: ExecutionState, now: number): Decision {
  return closeWith(state, { type: 'ExecutionTimedOut', error: timeoutError(state) }, now)
}

function timeoutError({ start }: ExecutionState): ErrorObject {
  return { ErrorMessage: `Execution timed out after ${start.config.ExecutionTimeout} seconds.` }
}

/** An outcome that an EXECUTION update has fixed already is kept; otherwise the execution ends with `event`. */
export function closeWith(state: ExecutionState, event: JournalEvent, now: number): Decision {
  const draft = new Draft(state, now)
  drainAcknowledged(draft)
  const outcome = state.invocation?.outcome
  const { executionId, name } = state.start
  draft.add(outcome === undefined ? { ...event, id: executionId, name } : closingEvent(state, outcome))
  return { entry: { ...draft.base(), kind: 'closed' }, answer: { kind: 'stopped', at: draft.at } }
}

/** The terminal event of an outcome. */
export function closingEvent({ start }: ExecutionState, outcome: ExecutionOutcome): JournalEvent {
  const same = { id: start.executionId, name: start.name }
  if (outcome.status === 'FAILED') return { type: 'ExecutionFailed', ...same, error: outcome.error ?? {} }
  const result = outcome.result === undefined ? undefined : { result: outcome.result }
  return { type: 'ExecutionSucceeded', ...same, ...result }
}
