/**
 * Shapes as they leave over HTTP: inside Perdure a timestamp is epoch milliseconds, in the body of a response it is
 * epoch **seconds** with at most three decimals (spec 01 §1.0). The event handed to a function is not made here: it
 * keeps integer milliseconds (spec 06 §6.1).
 */
import type { ErrorObject, HistoryEvent, Operation } from './shapes.ts'

export type Json = Readonly<Record<string, unknown>>

/** The shortest text of ms/1000 has three decimals at most: the three-decimal one already names this double. */
export const epochSeconds = (ms: number): number => ms / 1000

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** The same shape with its timestamps in seconds. */
export type InSeconds<Shape> = Shape

export function wireOperation(operation: Operation): InSeconds<Operation> {
  const wire: Writable<Operation> = { ...operation, StartTimestamp: epochSeconds(operation.StartTimestamp) }
  if (wire.EndTimestamp !== undefined) wire.EndTimestamp = epochSeconds(wire.EndTimestamp)
  const due = wire.StepDetails?.NextAttemptTimestamp
  if (due !== undefined) wire.StepDetails = { ...wire.StepDetails, NextAttemptTimestamp: epochSeconds(due) }
  const end = wire.WaitDetails?.ScheduledEndTimestamp
  if (end !== undefined) wire.WaitDetails = { ...wire.WaitDetails, ScheduledEndTimestamp: epochSeconds(end) }
  return wire
}

/** The members of event details that are points in time; all others are texts, numbers and durations (spec 03 §3.6). */
const TIMED_DETAILS: { readonly [eventType: string]: readonly string[] } = {
  WaitStarted: ['ScheduledEndTimestamp'],
  InvocationCompleted: ['StartTimestamp', 'EndTimestamp'],
}

export function wireEvent(event: HistoryEvent): Json {
  const wire: Record<string, unknown> = { ...event, EventTimestamp: epochSeconds(event.EventTimestamp) }
  const timed = TIMED_DETAILS[event.EventType]
  if (timed === undefined) return wire
  const member = `${event.EventType}Details` as const
  const details: Record<string, unknown> = { ...event[member] }
  for (const name of timed) {
    const ms = details[name]
    if (typeof ms === 'number') details[name] = epochSeconds(ms)
  }
  wire[member] = details
  return wire
}

/** An execution, in a list or on its own. */
export function wireExecution(execution: { readonly StartTimestamp: number; readonly EndTimestamp?: number }): Json {
  const wire: Record<string, unknown> = { ...execution, StartTimestamp: epochSeconds(execution.StartTimestamp) }
  if (execution.EndTimestamp !== undefined) wire['EndTimestamp'] = epochSeconds(execution.EndTimestamp)
  return wire
}

/** Body of a synchronous Invoke whose execution did not succeed: lower camel case, absent members left out (spec 07 §7.4). */
export function wireFunctionError(error: ErrorObject | undefined): Json {
  return {
    ...(error?.ErrorType === undefined ? undefined : { errorType: error.ErrorType }),
    ...(error?.ErrorMessage === undefined ? undefined : { errorMessage: error.ErrorMessage }),
    ...(error?.StackTrace === undefined ? undefined : { stackTrace: error.StackTrace }),
  }
}
