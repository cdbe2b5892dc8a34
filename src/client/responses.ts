/**
 * What each operation answers (spec 01, 02, 03), as tables of the same kind as the requests': one source for the
 * decoder and for the types. Answers of Invoke are headers and bytes and have no table.
 */
import {
  BOOLEAN,
  type Constraint,
  ERROR_OBJECT,
  integer,
  list,
  oneOf,
  structure,
  TIMESTAMP,
  text,
  UNBOUNDED,
  type ValueOf,
} from '../protocol/constraints.ts'
import { OPERATION_TYPES, type OperationStatus } from '../protocol/shapes.ts'
import type { Spelt } from './member-names.ts'
import type { ClientOperation } from './operations.ts'

const TEXT = text(0, UNBOUNDED)
const COUNT = integer(0, UNBOUNDED)

const required = <const C extends Constraint>(constraint: C) => ({ constraint, required: true }) as const
const optional = <const C extends Constraint>(constraint: C) => ({ constraint }) as const

const OPERATION_STATUS = oneOf([
  'STARTED',
  'PENDING',
  'READY',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'TIMED_OUT',
  'STOPPED',
] satisfies OperationStatus[])
const EXECUTION_STATUS = oneOf(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED', 'DELETING'])

const outcome = { Result: optional(TEXT), Error: optional(ERROR_OBJECT) } as const

/** Spec 03 §3.4. */
export const OPERATION = structure({
  Id: required(TEXT),
  ParentId: optional(TEXT),
  Name: optional(TEXT),
  Type: required(oneOf(OPERATION_TYPES)),
  SubType: optional(TEXT),
  StartTimestamp: required(TIMESTAMP),
  EndTimestamp: optional(TIMESTAMP),
  Status: required(OPERATION_STATUS),
  ExecutionDetails: optional(structure({ InputPayload: optional(TEXT) })),
  ContextDetails: optional(structure({ ReplayChildren: optional(BOOLEAN), ...outcome })),
  StepDetails: optional(structure({ Attempt: optional(COUNT), NextAttemptTimestamp: optional(TIMESTAMP), ...outcome })),
  WaitDetails: optional(structure({ ScheduledEndTimestamp: optional(TIMESTAMP) })),
  CallbackDetails: optional(structure({ CallbackId: optional(TEXT), ...outcome })),
  ChainedInvokeDetails: optional(structure(outcome)),
})

const TRUNCATED = optional(BOOLEAN)
const EVENT_INPUT = structure({ Payload: optional(TEXT), Truncated: TRUNCATED })
const EVENT_RESULT = EVENT_INPUT
const EVENT_ERROR = structure({ Payload: optional(ERROR_OBJECT), Truncated: TRUNCATED })
const RETRY_DETAILS = structure({ CurrentAttempt: optional(COUNT), NextAttemptDelaySeconds: optional(COUNT) })

const NOTHING = structure({})
const WITH_RESULT = structure({ Result: optional(EVENT_RESULT) })
const WITH_ERROR = structure({ Error: optional(EVENT_ERROR) })

/** The details of an event, by its type (spec 03 §3.6). */
export const EVENT_DETAILS = {
  ExecutionStarted: structure({ Input: optional(EVENT_INPUT), ExecutionTimeout: optional(COUNT) }),
  ExecutionSucceeded: WITH_RESULT,
  ExecutionFailed: WITH_ERROR,
  ExecutionTimedOut: WITH_ERROR,
  ExecutionStopped: WITH_ERROR,
  ContextStarted: NOTHING,
  ContextSucceeded: WITH_RESULT,
  ContextFailed: WITH_ERROR,
  WaitStarted: structure({ Duration: optional(COUNT), ScheduledEndTimestamp: optional(TIMESTAMP) }),
  WaitSucceeded: structure({ Duration: optional(COUNT) }),
  WaitCancelled: WITH_ERROR,
  StepStarted: NOTHING,
  StepSucceeded: structure({ Result: optional(EVENT_RESULT), RetryDetails: optional(RETRY_DETAILS) }),
  StepFailed: structure({ Error: optional(EVENT_ERROR), RetryDetails: optional(RETRY_DETAILS) }),
  ChainedInvokeStarted: structure({
    FunctionName: optional(TEXT),
    TenantId: optional(TEXT),
    Input: optional(EVENT_INPUT),
    ExecutedVersion: optional(TEXT),
    DurableExecutionArn: optional(TEXT),
  }),
  ChainedInvokeSucceeded: WITH_RESULT,
  ChainedInvokeFailed: WITH_ERROR,
  ChainedInvokeTimedOut: WITH_ERROR,
  ChainedInvokeStopped: WITH_ERROR,
  CallbackStarted: structure({
    CallbackId: optional(TEXT),
    HeartbeatTimeout: optional(COUNT),
    Timeout: optional(COUNT),
  }),
  CallbackSucceeded: WITH_RESULT,
  CallbackFailed: WITH_ERROR,
  CallbackTimedOut: WITH_ERROR,
  InvocationCompleted: structure({
    StartTimestamp: optional(TIMESTAMP),
    EndTimestamp: optional(TIMESTAMP),
    RequestId: optional(TEXT),
    Error: optional(EVENT_ERROR),
  }),
} as const

export type EventType = keyof typeof EVENT_DETAILS
const EVENT_TYPES = Object.keys(EVENT_DETAILS) as EventType[]

type DetailsMembers = {
  readonly [Type in EventType as `${Type}Details`]: { readonly constraint: (typeof EVENT_DETAILS)[Type] }
}
const DETAILS_MEMBERS = Object.fromEntries(
  Object.entries(EVENT_DETAILS).map(([type, constraint]) => [`${type}Details`, { constraint }]),
) as DetailsMembers

/** Spec 03 §3.6. */
export const EVENT = structure({
  EventId: required(COUNT),
  EventType: required(oneOf(EVENT_TYPES)),
  EventTimestamp: required(TIMESTAMP),
  Id: optional(TEXT),
  ParentId: optional(TEXT),
  Name: optional(TEXT),
  SubType: optional(TEXT),
  ...DETAILS_MEMBERS,
})

const DURABLE_CONFIG = structure({
  ExecutionTimeout: required(COUNT),
  RetentionPeriodInDays: optional(COUNT),
  KMSKeyArn: optional(TEXT),
})

const LISTED_EXECUTION = {
  DurableExecutionArn: required(TEXT),
  DurableExecutionName: required(TEXT),
  FunctionArn: required(TEXT),
  Status: required(EXECUTION_STATUS),
  StartTimestamp: required(TIMESTAMP),
  EndTimestamp: optional(TIMESTAMP),
} as const

/** What is known here of a FunctionConfiguration (spec 02 §2.4). */
const FUNCTION_MEMBERS = {
  FunctionName: required(TEXT),
  FunctionArn: required(TEXT),
  Version: required(TEXT),
  Description: optional(TEXT),
  Timeout: optional(COUNT),
  MemorySize: optional(COUNT),
  State: optional(TEXT),
  LastUpdateStatus: optional(TEXT),
  DurableConfig: optional(DURABLE_CONFIG),
  TenancyConfig: optional(structure({ TenantIsolationMode: optional(TEXT) })),
} as const
const FUNCTION_CONFIGURATION = structure(FUNCTION_MEMBERS)

const nextMarker = { NextMarker: optional(TEXT) } as const

export const RESPONSES = {
  CheckpointDurableExecution: structure({
    CheckpointToken: optional(TEXT),
    NewExecutionState: required(structure({ Operations: optional(list(OPERATION, 0, UNBOUNDED)), ...nextMarker })),
  }),
  GetDurableExecutionState: structure({ Operations: required(list(OPERATION, 0, UNBOUNDED)), ...nextMarker }),
  GetDurableExecutionHistory: structure({ Events: required(list(EVENT, 0, UNBOUNDED)), ...nextMarker }),
  StopDurableExecution: structure({ StopTimestamp: required(TIMESTAMP) }),
  DeleteDurableExecution: structure({ DeletionRequestTimestamp: required(TIMESTAMP) }),
  GetDurableExecution: structure({
    ...LISTED_EXECUTION,
    Version: optional(TEXT),
    InputPayload: optional(TEXT),
    ...outcome,
    TraceHeader: optional(structure({ XAmznTraceId: optional(TEXT) })),
    DurableConfig: optional(DURABLE_CONFIG),
    ExecutionDataIncluded: optional(BOOLEAN),
  }),
  ListDurableExecutionsByFunction: structure({
    DurableExecutions: required(list(structure({ ...LISTED_EXECUTION, KMSKeyArn: optional(TEXT) }), 0, UNBOUNDED)),
    ...nextMarker,
  }),
  SendDurableExecutionCallbackSuccess: NOTHING,
  SendDurableExecutionCallbackFailure: NOTHING,
  SendDurableExecutionCallbackHeartbeat: NOTHING,
  GetFunctionConfiguration: FUNCTION_CONFIGURATION,
  GetFunction: structure({
    Configuration: required(FUNCTION_CONFIGURATION),
    Concurrency: optional(structure({ ReservedConcurrentExecutions: optional(COUNT) })),
  }),
  ListFunctions: structure({ Functions: required(list(FUNCTION_CONFIGURATION, 0, UNBOUNDED)), ...nextMarker }),
} as const satisfies Record<Exclude<ClientOperation, 'Invoke'>, Constraint>

/** Of an invocation: its outcome in headers, its payload as text. */
export interface InvokeResponse {
  readonly statusCode: number
  readonly executedVersion?: string
  readonly durableExecutionArn?: string
  /** `Unhandled` when the function failed; `payload` is then its error. */
  readonly functionError?: string
  /** The end of the function's log, when `logType: 'Tail'` asked for it. */
  readonly logTail?: string
  /** What the function returned, as JSON text; empty for an asynchronous invocation. */
  readonly payload: string
}

export type ResponseOf<Name extends ClientOperation> = Name extends keyof typeof RESPONSES
  ? Spelt<ValueOf<(typeof RESPONSES)[Name]>>
  : InvokeResponse

export type Operation = Spelt<ValueOf<typeof OPERATION>>
export type HistoryEvent = Spelt<ValueOf<typeof EVENT>>
export type ErrorObject = Spelt<ValueOf<typeof ERROR_OBJECT>>
export type DescribedExecution = ResponseOf<'GetDurableExecution'>
export type ListedExecution = ResponseOf<'ListDurableExecutionsByFunction'>['durableExecutions'][number]
export type FunctionConfiguration = ResponseOf<'GetFunctionConfiguration'>
export type ExecutionStatus = ValueOf<typeof EXECUTION_STATUS>
