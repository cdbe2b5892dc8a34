/**
 * STEP (spec 04 §4.9): a piece of code with attempts.
 *
 *     ∅ ─START→ STARTED ─SUCCEED→ SUCCEEDED | ─FAIL→ FAILED | ─RETRY→ PENDING ─delay over→ READY ─START→ STARTED
 *
 * A close or retry is accepted from ∅ and READY too. PENDING is closed to all actions.
 */
import type { JournalEvent, OperationState } from '../model.ts'
import { created, ERROR_ON_SUCCEED, identity, type OperationModule, PAYLOAD_ON_FAIL, refuse } from './operation.ts'

const open = (current: OperationState | undefined): boolean =>
  current === undefined || current.status === 'STARTED' || current.status === 'READY'

export const step: OperationModule = {
  decide(current, update) {
    const delaySeconds = update.StepOptions?.NextAttemptDelaySeconds
    const attempt = (current?.attempt ?? 0) + 1
    if (update.Action !== 'RETRY' && update.StepOptions !== undefined) {
      return refuse('Invalid StepOptions for the given action.')
    }
    if (update.Action === 'START') {
      if (current !== undefined && current.status !== 'READY') return refuse('Invalid current STEP state to start.')
      return [{ type: 'StepStarted', ...identity(current, update) }]
    }
    const result = update.Payload === undefined ? undefined : { result: update.Payload }
    if (update.Action === 'SUCCEED') {
      if (!open(current)) return refuse('Invalid current STEP state to close.')
      if (update.Error !== undefined) return refuse(ERROR_ON_SUCCEED)
      return [{ type: 'StepSucceeded', ...identity(current, update), ...result, attempt }]
    }
    if (update.Action === 'FAIL') {
      if (!open(current)) return refuse('Invalid current STEP state to close.')
      if (update.Payload !== undefined) return refuse(PAYLOAD_ON_FAIL)
      return [{ type: 'StepFailed', ...identity(current, update), error: update.Error ?? {}, attempt }]
    }
    if (!open(current)) return refuse('Invalid current STEP state to re-attempt.')
    if (delaySeconds === undefined) return refuse('Invalid StepOptions for the given action.')
    if (update.Error !== undefined && update.Payload !== undefined) {
      return refuse('Cannot provide both error and payload to RETRY a STEP.')
    }
    const ended: Pick<JournalEvent, 'type' | 'error' | 'result'> =
      update.Error === undefined ? { type: 'StepSucceeded', ...result } : { type: 'StepFailed', error: update.Error }
    return [{ ...ended, ...identity(current, update), attempt, delaySeconds }]
  },

  fold(current, event, fold) {
    const before = current ?? created('STEP', event, fold)
    // A new attempt keeps what the last one left: waitForCondition finds its state there after a crash.
    if (event.type === 'StepStarted') return { ...before, status: 'STARTED' }
    const ended = { ...before, attempt: event.attempt ?? before.attempt, result: fold.text, error: event.error }
    if (event.delaySeconds !== undefined) {
      return { ...ended, status: 'PENDING', nextAttemptAt: fold.at + event.delaySeconds * 1000 }
    }
    const status = event.type === 'StepSucceeded' ? 'SUCCEEDED' : 'FAILED'
    return { ...ended, status, endedAt: fold.at, nextAttemptAt: undefined }
  },

  pending: ({ status }) => status === 'PENDING' || status === 'READY',
  dueAt: ({ nextAttemptAt }) => nextAttemptAt ?? Number.POSITIVE_INFINITY,
  // Its delay is over: READY, without an event (spec 04 §4.9).
  fire: () => undefined,

  details({ attempt, nextAttemptAt, result, error }, text) {
    const Result = text(result)
    return {
      StepDetails: {
        Attempt: attempt,
        ...(nextAttemptAt === undefined ? undefined : { NextAttemptTimestamp: nextAttemptAt }),
        ...(Result === undefined ? undefined : { Result }),
        ...(error === undefined ? undefined : { Error: error }),
      },
    }
  },
}

/** The move that has no event: PENDING → READY. */
export function readied(operation: OperationState): OperationState {
  return { ...operation, status: 'READY', nextAttemptAt: undefined }
}
