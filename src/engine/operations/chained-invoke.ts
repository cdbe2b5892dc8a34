/**
 * CHAINED_INVOKE (spec 04 §4.12, 07 §7.6): a call of another function.
 *
 *     ∅ ─START→ STARTED ─target ends→ SUCCEEDED | FAILED | TIMED_OUT | STOPPED;   ∅ ─START→ FAILED at once
 */
import type { Arrival, JournalEvent, OperationState } from '../model.ts'
import { created, identity, identityOf, type OperationModule, refuse } from './operation.ts'

const ENDED = {
  ChainedInvokeSucceeded: 'SUCCEEDED',
  ChainedInvokeFailed: 'FAILED',
  ChainedInvokeTimedOut: 'TIMED_OUT',
  ChainedInvokeStopped: 'STOPPED',
} as const

export const chainedInvoke: OperationModule = {
  decide(current, update, { target }) {
    if (current !== undefined) return refuse('Cannot start a CHAINED_INVOKE that already exist.')
    const options = update.ChainedInvokeOptions
    if (options === undefined) return refuse('Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.')
    if (target === undefined) throw new Error(`the target of chained invoke ${update.Id} was not resolved`)
    if (target.kind === 'refused') return refuse(target.message)
    const same = identity(current, update)
    const started = { type: 'ChainedInvokeStarted', ...same, functionName: options.FunctionName } as const
    if (target.kind === 'failed') return [started, { type: 'ChainedInvokeFailed', ...same, error: target.error }]
    return [
      {
        ...started,
        ...(options.TenantId === undefined ? undefined : { tenantId: options.TenantId }),
        ...(update.Payload === undefined ? undefined : { input: update.Payload }),
        executedVersion: target.version,
        ...(target.generation === undefined ? undefined : { generation: target.generation }),
        ...(target.kind === 'durable' ? { childArn: target.childArn } : undefined),
      },
    ]
  },

  fold(current, event, fold) {
    const before = current ?? created('CHAINED_INVOKE', event, fold)
    if (event.type === 'ChainedInvokeStarted') {
      const { functionName, tenantId, executedVersion, childArn } = event
      return { ...before, functionName, tenantId, executedVersion, childArn }
    }
    const status = ENDED[event.type as keyof typeof ENDED]
    return { ...before, status, endedAt: fold.at, result: fold.text, error: event.error }
  },

  pending: ({ status }) => status === 'STARTED',
  dueAt: () => Number.POSITIVE_INFINITY,
  fire: () => undefined,

  details({ result, error }, text) {
    const Result = text(result)
    return {
      ChainedInvokeDetails: {
        ...(Result === undefined ? undefined : { Result }),
        ...(error === undefined ? undefined : { Error: error }),
      },
    }
  },
}

const EVENT_OF = {
  SUCCEEDED: 'ChainedInvokeSucceeded',
  FAILED: 'ChainedInvokeFailed',
  TIMED_OUT: 'ChainedInvokeTimedOut',
  STOPPED: 'ChainedInvokeStopped',
} as const

/** The event of a target that has ended. */
export function invokeCompleted(
  operation: OperationState,
  arrival: Pick<Arrival & { kind: 'invoke' }, 'outcome' | 'result' | 'error'>,
): JournalEvent {
  const type = EVENT_OF[arrival.outcome]
  if (arrival.outcome === 'SUCCEEDED') {
    const result = arrival.result === undefined ? undefined : { result: arrival.result }
    return { type, ...identityOf(operation), ...result }
  }
  return { type, ...identityOf(operation), error: arrival.error ?? {} }
}
