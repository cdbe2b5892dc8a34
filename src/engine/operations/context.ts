/** CONTEXT (spec 04 §4.8): a scope for other operations. ∅ ─START→ STARTED ─SUCCEED→ SUCCEEDED | ─FAIL→ FAILED */
import { created, ERROR_ON_SUCCEED, identity, type OperationModule, PAYLOAD_ON_FAIL, refuse } from './operation.ts'

export const context: OperationModule = {
  decide(current, update) {
    const replayChildren = update.ContextOptions?.ReplayChildren
    const replay = replayChildren === undefined ? undefined : { replayChildren }
    if (update.Action === 'START') {
      if (current !== undefined) return refuse('Cannot start a CONTEXT that already exist.')
      return [{ type: 'ContextStarted', ...identity(current, update), ...replay }]
    }
    // A close without a START is accepted: spec 12.2 row 7.
    if (current !== undefined && current.status !== 'STARTED') return refuse('Invalid current CONTEXT state to close.')
    if (update.Action === 'SUCCEED') {
      if (update.Error !== undefined) return refuse(ERROR_ON_SUCCEED)
      const result = update.Payload === undefined ? undefined : { result: update.Payload }
      return [{ type: 'ContextSucceeded', ...identity(current, update), ...replay, ...result }]
    }
    if (update.Payload !== undefined) return refuse(PAYLOAD_ON_FAIL)
    return [{ type: 'ContextFailed', ...identity(current, update), ...replay, error: update.Error ?? {} }]
  },

  fold(current, event, fold) {
    const before = current ?? created('CONTEXT', event, fold)
    const replayChildren = event.replayChildren ?? before.replayChildren
    if (event.type === 'ContextStarted') return { ...before, replayChildren }
    const status = event.type === 'ContextSucceeded' ? 'SUCCEEDED' : 'FAILED'
    return { ...before, status, endedAt: fold.at, replayChildren, result: fold.text, error: event.error }
  },

  pending: () => false,
  dueAt: () => Number.POSITIVE_INFINITY,
  fire: () => undefined,

  details({ replayChildren, result, error }, text) {
    const Result = text(result)
    return {
      ContextDetails: {
        ...(replayChildren === undefined ? undefined : { ReplayChildren: replayChildren }),
        ...(Result === undefined ? undefined : { Result }),
        ...(error === undefined ? undefined : { Error: error }),
      },
    }
  },
}
