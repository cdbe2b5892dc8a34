/** One history event as one line, for output that cannot be redrawn and for `executions history`. Pure. */
import type { HistoryEvent } from '../../client/responses.ts'
import { duration, printable } from './amounts.ts'
import { detailsOf } from './event-details.ts'
import { errorText } from './execution-tree.ts'

/** What an event says beyond its type and name, in one phrase; empty when nothing. */
export function eventNote(event: HistoryEvent): string {
  const details = detailsOf(event)
  const parts: string[] = []
  const attempt = details.retryDetails?.currentAttempt
  const delay = details.retryDetails?.nextAttemptDelaySeconds
  if (attempt !== undefined && (attempt > 1 || delay !== undefined)) parts.push(`attempt ${attempt}`)
  if (delay !== undefined) parts.push(`next in ${delay} s`)
  if (details.duration !== undefined) parts.push(`${details.duration} s`)
  if (details.functionName !== undefined) parts.push(`calls ${printable(details.functionName)}`)
  if (details.durableExecutionArn !== undefined) parts.push(`as ${printable(details.durableExecutionArn)}`)
  if (details.callbackId !== undefined) parts.push(`callback id ${printable(details.callbackId)}`)
  if (details.error?.payload !== undefined) parts.push(printable(errorText(details.error.payload)))
  if (details.result?.payload !== undefined) parts.push(printable(details.result.payload))
  if (event.eventType === 'ExecutionStarted' && details.input?.payload !== undefined) {
    parts.push(printable(details.input.payload))
  }
  return parts.join(', ')
}

/** The name of an event's operation, or else what kind it is; InvocationCompleted shows its request id. */
export function eventName(event: HistoryEvent): string {
  if (event.name !== undefined) return printable(event.name)
  const details = detailsOf(event)
  return details.requestId ?? (event.subType === undefined ? '' : `(${printable(event.subType)})`)
}

/** `  +1.20 s  StepSucceeded           reserve stock   attempt 2` */
export function eventLine(event: HistoryEvent, startedAt: number): string {
  const offset = `+${duration(event.eventTimestamp - startedAt)}`.padStart(10)
  const note = eventNote(event)
  return [offset, event.eventType.padEnd(23), eventName(event), ...(note === '' ? [] : [note])].join('  ').trimEnd()
}
