/**
 * EXECUTION (spec 04 §4.7): the root of all operations, made by the service. Its updates do not become events of
 * their own: they fix the outcome that the end of the invocation will record (`../checkpoint.ts`).
 */
import { created, type OperationModule } from './operation.ts'

const ENDED = {
  ExecutionSucceeded: 'SUCCEEDED',
  ExecutionFailed: 'FAILED',
  ExecutionTimedOut: 'TIMED_OUT',
  ExecutionStopped: 'STOPPED',
} as const

export const execution: OperationModule = {
  decide() {
    throw new Error('an EXECUTION update has no event of its own')
  },

  fold(current, event, fold) {
    const before = current ?? created('EXECUTION', event, fold)
    if (event.type === 'ExecutionStarted') return { ...before, result: fold.text }
    return { ...before, status: ENDED[event.type as keyof typeof ENDED], endedAt: fold.at }
  },

  pending: () => false,
  dueAt: () => Number.POSITIVE_INFINITY,
  fire: () => undefined,

  // The EXECUTION operation keeps the input where others keep a result.
  details({ result }, text) {
    const InputPayload = text(result)
    return { ExecutionDetails: InputPayload === undefined ? {} : { InputPayload } }
  },
}
