/** One history event as one line, for output that cannot be redrawn and for `executions history`. Pure. */
import type { ErrorObject, HistoryEvent } from '../../protocol/shapes.ts'
import { duration, printable } from './amounts.ts'
import { errorText } from './execution-tree.ts'

interface AnyDetails {
  readonly Input?: { readonly Payload?: string }
  readonly Result?: { readonly Payload?: string }
  readonly Error?: { readonly Payload?: ErrorObject }
  readonly RetryDetails?: { readonly CurrentAttempt?: number; readonly NextAttemptDelaySeconds?: number }
  readonly Duration?: number
  readonly CallbackId?: string
  readonly FunctionName?: string
  readonly DurableExecutionArn?: string
  readonly RequestId?: string
}

/** What an event says beyond its type and name, in one phrase; empty when nothing. */
export function eventNote(event: HistoryEvent): string {
  const details = (event[`${event.EventType}Details`] ?? {}) as AnyDetails
  const parts: string[] = []
  const attempt = details.RetryDetails?.CurrentAttempt
  const delay = details.RetryDetails?.NextAttemptDelaySeconds
  if (attempt !== undefined && (attempt > 1 || delay !== undefined)) parts.push(`attempt ${attempt}`)
  if (delay !== undefined) parts.push(`next in ${delay} s`)
  if (details.Duration !== undefined) parts.push(`${details.Duration} s`)
  if (details.FunctionName !== undefined) parts.push(`calls ${printable(details.FunctionName)}`)
  if (details.DurableExecutionArn !== undefined) parts.push(`as ${printable(details.DurableExecutionArn)}`)
  if (details.CallbackId !== undefined) parts.push(`callback id ${printable(details.CallbackId)}`)
  if (details.Error?.Payload !== undefined) parts.push(printable(errorText(details.Error.Payload)))
  if (details.Result?.Payload !== undefined) parts.push(printable(details.Result.Payload))
  if (event.EventType === 'ExecutionStarted' && details.Input?.Payload !== undefined) {
    parts.push(printable(details.Input.Payload))
  }
  return parts.join(', ')
}

/** The name of an event's operation, or else what kind it is; InvocationCompleted shows its request id. */
export function eventName(event: HistoryEvent): string {
  if (event.Name !== undefined) return printable(event.Name)
  const details = (event[`${event.EventType}Details`] ?? {}) as AnyDetails
  return details.RequestId ?? (event.SubType === undefined ? '' : `(${printable(event.SubType)})`)
}

/** `  +1.20 s  StepSucceeded           reserve stock   attempt 2` */
export function eventLine(event: HistoryEvent, startedAt: number): string {
  const offset = `+${duration(event.EventTimestamp - startedAt)}`.padStart(10)
  const note = eventNote(event)
  return [offset, event.EventType.padEnd(23), eventName(event), ...(note === '' ? [] : [note])].join('  ').trimEnd()
}
