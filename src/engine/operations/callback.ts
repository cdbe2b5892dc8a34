/**
 * CALLBACK (spec 04 §4.11, 08 §8.5): waits for somebody outside.
 *
 *     ∅ ─START→ STARTED ─success→ SUCCEEDED | ─failure→ FAILED | ─timeout, missed heartbeat→ TIMED_OUT
 */
import type { ErrorObject } from '../../protocol/shapes.ts'
import type { Arrival, JournalEvent, OperationState } from '../model.ts'
import { mintCallbackId } from '../token.ts'
import { created, identity, identityOf, type OperationModule, refuse } from './operation.ts'

const TIMED_OUT: ErrorObject = { ErrorMessage: 'Callback timed out', ErrorType: 'Callback.Timeout' }
const HEARTBEAT_MISSED: ErrorObject = {
  ErrorMessage: 'Callback timed out on heartbeat',
  ErrorType: 'Callback.Heartbeat',
}

/**
 * Heartbeats nearer than this share of the timeout to the last one in the journal are not journalled; the deadline
 * that a heartbeat sets is late by the same share, so it is never early (decision 16).
 */
const HEARTBEAT_SLACK = 0.05

export const callback: OperationModule = {
  decide(current, update, { executionId, ordinal, secret }) {
    if (current !== undefined) return refuse('Cannot start a CALLBACK that already exist.')
    const { TimeoutSeconds: timeout = 0, HeartbeatTimeoutSeconds: heartbeat = 0 } = update.CallbackOptions ?? {}
    return [
      {
        type: 'CallbackStarted',
        ...identity(current, update),
        callbackId: mintCallbackId(executionId, ordinal, secret()),
        ...(timeout === 0 ? undefined : { timeoutSeconds: timeout }),
        ...(heartbeat === 0 ? undefined : { heartbeatTimeoutSeconds: heartbeat }),
      },
    ]
  },

  fold(current, event, fold) {
    const before = current ?? created('CALLBACK', event, fold)
    if (event.type === 'CallbackStarted') {
      const { callbackId, timeoutSeconds, heartbeatTimeoutSeconds } = event
      return {
        ...before,
        callbackId,
        heartbeatTimeoutSeconds,
        timeoutAt: timeoutSeconds === undefined ? undefined : fold.at + timeoutSeconds * 1000,
        heartbeatAt: heartbeatTimeoutSeconds === undefined ? undefined : fold.at + heartbeatTimeoutSeconds * 1000,
      }
    }
    const status =
      event.type === 'CallbackSucceeded' ? 'SUCCEEDED' : event.type === 'CallbackFailed' ? 'FAILED' : 'TIMED_OUT'
    return {
      ...before,
      status,
      endedAt: fold.at,
      result: fold.text,
      error: event.error,
      timeoutAt: undefined,
      heartbeatAt: undefined,
    }
  },

  pending: ({ status }) => status === 'STARTED',
  dueAt: ({ timeoutAt, heartbeatAt }) =>
    Math.min(timeoutAt ?? Number.POSITIVE_INFINITY, heartbeatAt ?? Number.POSITIVE_INFINITY),
  fire(operation) {
    const whole =
      (operation.timeoutAt ?? Number.POSITIVE_INFINITY) <= (operation.heartbeatAt ?? Number.POSITIVE_INFINITY)
    return { type: 'CallbackTimedOut', ...identityOf(operation), error: whole ? TIMED_OUT : HEARTBEAT_MISSED }
  },

  details({ callbackId, result, error }, text) {
    const Result = text(result)
    return {
      CallbackDetails: {
        ...(callbackId === undefined ? undefined : { CallbackId: callbackId }),
        ...(Result === undefined ? undefined : { Result }),
        ...(error === undefined ? undefined : { Error: error }),
      },
    }
  },
}

/** The event of a completion that came from outside. */
export function callbackCompleted(
  operation: OperationState,
  arrival: Pick<Arrival, 'outcome' | 'result' | 'error'>,
): JournalEvent {
  if (arrival.outcome === 'SUCCEEDED') {
    const result = arrival.result === undefined ? undefined : { result: arrival.result }
    return { type: 'CallbackSucceeded', ...identityOf(operation), ...result }
  }
  return { type: 'CallbackFailed', ...identityOf(operation), error: arrival.error ?? {} }
}

/** What an accepted heartbeat makes of the operation. */
export function heartbeatTaken(operation: OperationState, at: number): OperationState {
  const timeoutMs = (operation.heartbeatTimeoutSeconds ?? 0) * 1000
  return { ...operation, heartbeatSetAt: at, heartbeatAt: at + timeoutMs + Math.ceil(timeoutMs * HEARTBEAT_SLACK) }
}

/** Whether a heartbeat at `now` has to be journalled: the first always, later ones when the slack is used up. */
export function heartbeatCounts(operation: OperationState, now: number): boolean {
  if (operation.heartbeatTimeoutSeconds === undefined) return false
  if (operation.heartbeatSetAt === undefined) return true
  return now - operation.heartbeatSetAt >= operation.heartbeatTimeoutSeconds * 1000 * HEARTBEAT_SLACK
}
