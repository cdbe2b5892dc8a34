/** History events as clients see them (spec 11, 03 §3.6), made from journal entries alone. */
import type { ErrorObject, EventType, HistoryEvent } from '../protocol/shapes.ts'
import type { Entry, ExecutionStart, JournalEvent } from './model.ts'

/** The events of an entry: EventIds count up from the entry's first, all carry its time. */
export function historyEvents(entry: Entry, start: ExecutionStart, includeData: boolean): HistoryEvent[] {
  return entry.events.map((event, index) => {
    const { id, parentId, name, subType, type } = event
    return {
      EventId: entry.firstEventId + index,
      EventType: type,
      EventTimestamp: entry.at,
      ...(id === undefined ? undefined : { Id: id }),
      ...(parentId === undefined ? undefined : { ParentId: parentId }),
      ...(name === undefined ? undefined : { Name: name }),
      ...(subType === undefined ? undefined : { SubType: subType }),
      [`${type}Details`]: DETAILS[type](event, entry.at, start, includeData),
    }
  })
}

type Details = (
  event: JournalEvent,
  at: number,
  start: ExecutionStart,
  includeData: boolean,
) => Readonly<Record<string, unknown>>

/** A payload wrapper. Without data the payload is left out and the wrapper says so (spec 11 §11.3). */
function wrapped(payload: string | ErrorObject | undefined, includeData: boolean) {
  if (!includeData) return { Truncated: true }
  return payload === undefined ? { Truncated: false } : { Payload: payload, Truncated: false }
}

const none: Details = () => ({})
const result: Details = (event, _at, _start, data) => ({ Result: wrapped(event.result, data) })
const error: Details = (event, _at, _start, data) => ({ Error: wrapped(event.error ?? {}, data) })
const errorIfAny: Details = (event, at, start, data) => (event.error === undefined ? {} : error(event, at, start, data))

const retryDetails = ({ attempt, delaySeconds }: JournalEvent) => ({
  RetryDetails: {
    CurrentAttempt: attempt,
    ...(delaySeconds === undefined ? undefined : { NextAttemptDelaySeconds: delaySeconds }),
  },
})

const DETAILS: Readonly<Record<EventType, Details>> = {
  ExecutionStarted: (event, _at, _start, data) => ({
    Input: wrapped(event.input, data),
    ExecutionTimeout: event.executionTimeoutSeconds,
  }),
  ExecutionSucceeded: result,
  ExecutionFailed: error,
  // The observed event carries nothing; the error is on the execution (spec 08 §8.1).
  ExecutionTimedOut: none,
  ExecutionStopped: error,
  ContextStarted: none,
  ContextSucceeded: result,
  ContextFailed: error,
  WaitStarted: (event, at) => ({
    Duration: event.durationSeconds,
    ScheduledEndTimestamp: at + (event.durationSeconds ?? 0) * 1000,
  }),
  WaitSucceeded: (event) => ({ Duration: event.durationSeconds }),
  WaitCancelled: errorIfAny,
  StepStarted: none,
  StepSucceeded: (event, at, start, data) => ({ ...result(event, at, start, data), ...retryDetails(event) }),
  StepFailed: (event, at, start, data) => ({ ...error(event, at, start, data), ...retryDetails(event) }),
  ChainedInvokeStarted: (event, _at, _start, data) => ({
    FunctionName: event.functionName,
    ...(event.tenantId === undefined ? undefined : { TenantId: event.tenantId }),
    // A target that failed to start shows its name only (spec 07 §7.6).
    ...(event.executedVersion === undefined
      ? undefined
      : { Input: wrapped(event.input, data), ExecutedVersion: event.executedVersion }),
    ...(event.childArn === undefined ? undefined : { DurableExecutionArn: event.childArn }),
  }),
  ChainedInvokeSucceeded: result,
  ChainedInvokeFailed: error,
  ChainedInvokeTimedOut: error,
  ChainedInvokeStopped: error,
  CallbackStarted: (event) => ({
    CallbackId: event.callbackId,
    ...(event.timeoutSeconds === undefined ? undefined : { Timeout: event.timeoutSeconds }),
    ...(event.heartbeatTimeoutSeconds === undefined ? undefined : { HeartbeatTimeout: event.heartbeatTimeoutSeconds }),
  }),
  CallbackSucceeded: result,
  CallbackFailed: error,
  CallbackTimedOut: error,
  InvocationCompleted: (event, at, _start, data) => ({
    StartTimestamp: event.startedAt,
    EndTimestamp: at,
    RequestId: event.requestId,
    ...(event.error === undefined ? undefined : { Error: wrapped(event.error, data) }),
  }),
}
