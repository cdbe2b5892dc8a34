/** The details of a history event, whatever its type: what one type has, the others leave out (spec 03 §3.6). Pure. */
import type { ErrorObject, HistoryEvent } from '../../client/responses.ts'

export interface EventDetails {
  readonly input?: { readonly payload?: string }
  readonly result?: { readonly payload?: string }
  readonly error?: { readonly payload?: ErrorObject }
  readonly retryDetails?: { readonly currentAttempt?: number; readonly nextAttemptDelaySeconds?: number }
  readonly duration?: number
  readonly scheduledEndTimestamp?: number
  readonly callbackId?: string
  readonly timeout?: number
  readonly heartbeatTimeout?: number
  readonly functionName?: string
  readonly durableExecutionArn?: string
  readonly requestId?: string
}

export function detailsOf(event: HistoryEvent): EventDetails {
  const { eventType } = event
  const member = `${eventType.charAt(0).toLowerCase()}${eventType.slice(1)}Details`
  return (event as unknown as Readonly<Record<string, EventDetails | undefined>>)[member] ?? {}
}
