/** What happens by itself or from outside (spec 06 §6.5 "The mechanism", 08 §8.4, decision 13). */
import { type Arrival, type Execution, end, type Operation, operationOf, record } from './execution.ts'

/** When the service itself will move the operation; Infinity for never. */
export function dueAt(operation: Operation): number {
  const never = Number.POSITIVE_INFINITY
  if (operation.type === 'STEP' && operation.status === 'PENDING') return operation.nextAttemptAt ?? never
  if (operation.status !== 'STARTED') return never
  if (operation.type === 'WAIT') return operation.scheduledEndAt ?? never
  if (operation.type === 'CALLBACK') return Math.min(operation.timeoutAt ?? never, operation.heartbeatDueAt ?? never)
  return never
}

/** Something outside the function will move it (spec 06 §6.3 "pending"). */
export const isPending = ({ type, status }: Operation): boolean =>
  type === 'STEP'
    ? status === 'PENDING' || status === 'READY'
    : ['WAIT', 'CALLBACK', 'CHAINED_INVOKE'].includes(type) && status === 'STARTED'

export const hasArrived = ({ arrivals }: Execution, id: string): boolean =>
  arrivals.some(({ operationId }) => operationId === id)

/**
 * Takes in what has arrived and what is due, in order of arrival or due time, with its events. Choice: of equals what
 * arrived comes first, then what was created first. Returns the operations that changed.
 */
export function takeIn(execution: Execution, now: number): readonly Operation[] {
  const due = execution.operations.filter(
    (operation) => dueAt(operation) <= now && !hasArrived(execution, operation.id),
  )
  const all = [
    ...execution.arrivals.map((arrival) => ({
      at: arrival.at,
      operation: named(execution, arrival),
      take: (operation: Operation) => end(execution, operation, arrival, now),
    })),
    ...due.map((operation) => ({
      at: dueAt(operation),
      operation,
      take: (each: Operation) => fire(execution, each, now),
    })),
  ].sort((a, b) => a.at - b.at)
  execution.arrivals = []
  for (const { operation, take } of all) take(operation)
  return all.map(({ operation }) => operation)
}

/** Decision 14: at the end of an execution callback completions that were acknowledged are still recorded. */
export function takeInAcknowledged(execution: Execution, now: number): void {
  for (const arrival of execution.arrivals) {
    const operation = named(execution, arrival)
    if (operation.type === 'CALLBACK') end(execution, operation, arrival, now)
  }
  execution.arrivals = []
}

function named(execution: Execution, { operationId }: Arrival): Operation {
  const operation = operationOf(execution, operationId)
  if (operation === undefined) throw new Error(`no operation ${operationId}`)
  return operation
}

/** A timer of the operation is over (spec 08 §8.4). */
function fire(execution: Execution, operation: Operation, now: number): void {
  if (operation.type === 'STEP') {
    // READY without an event; result and error stay (spec 04 §4.9).
    operation.status = 'READY'
    operation.nextAttemptAt = undefined
  } else if (operation.type === 'WAIT') {
    operation.status = 'SUCCEEDED'
    operation.endedAt = now
    record(execution, now, 'WaitSucceeded', operation, { Duration: operation.waitSeconds })
  } else {
    const never = Number.POSITIVE_INFINITY
    const missed = (operation.heartbeatDueAt ?? never) < (operation.timeoutAt ?? never)
    const error = missed
      ? { ErrorType: 'Callback.Heartbeat', ErrorMessage: 'Callback timed out on heartbeat' }
      : { ErrorType: 'Callback.Timeout', ErrorMessage: 'Callback timed out' }
    end(execution, operation, { status: 'TIMED_OUT', result: undefined, error }, now)
  }
}
