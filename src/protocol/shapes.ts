/**
 * The shapes of the durable-execution API as they travel on the wire (spec 03), less their timestamps:
 * inside Perdure a timestamp is a number of **epoch milliseconds**; `wire.ts` turns it into the unit of each place.
 * Absent optional members are absent, never `null` and never `""` unless the caller sent `""`.
 */

export type OperationType = 'EXECUTION' | 'CONTEXT' | 'STEP' | 'WAIT' | 'CALLBACK' | 'CHAINED_INVOKE'
export type OperationAction = 'START' | 'SUCCEED' | 'FAIL' | 'RETRY' | 'CANCEL'
export type OperationStatus =
  | 'STARTED'
  | 'PENDING'
  | 'READY'
  | 'SUCCEEDED'
  | 'FAILED'
  | 'CANCELLED'
  | 'TIMED_OUT'
  | 'STOPPED'
export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'STOPPED'
export type ClosedStatus = Exclude<ExecutionStatus, 'RUNNING'>
/** What get and list show: a closed execution that is being deleted is DELETING until its data is gone (spec 01 §1.10). */
export type ShownStatus = ExecutionStatus | 'DELETING'

export const OPERATION_TYPES: readonly OperationType[] = [
  'EXECUTION',
  'CONTEXT',
  'STEP',
  'WAIT',
  'CALLBACK',
  'CHAINED_INVOKE',
]
export const OPERATION_ACTIONS: readonly OperationAction[] = ['START', 'SUCCEED', 'FAIL', 'RETRY', 'CANCEL']

/** Stored and returned exactly as received; all members optional (spec 03 §3.5). */
export interface ErrorObject {
  readonly ErrorMessage?: string
  readonly ErrorType?: string
  readonly ErrorData?: string
  readonly StackTrace?: readonly string[]
}

/** One entry of `Updates` in a checkpoint request (spec 03 §3.3), already validated. */
export interface OperationUpdate {
  readonly Id: string
  readonly ParentId?: string
  readonly Name?: string
  readonly Type: OperationType
  readonly SubType?: string
  readonly Action: OperationAction
  readonly Payload?: string
  readonly Error?: ErrorObject
  readonly ContextOptions?: { readonly ReplayChildren?: boolean }
  readonly StepOptions?: { readonly NextAttemptDelaySeconds?: number }
  readonly WaitOptions?: { readonly WaitSeconds?: number }
  readonly CallbackOptions?: { readonly TimeoutSeconds?: number; readonly HeartbeatTimeoutSeconds?: number }
  readonly ChainedInvokeOptions?: { readonly FunctionName: string; readonly TenantId?: string }
}

/** An operation as answered by checkpoint and state calls and handed to the function (spec 03 §3.4). Times in epoch ms. */
export interface Operation {
  readonly Id: string
  readonly ParentId?: string
  readonly Name?: string
  readonly Type: OperationType
  readonly SubType?: string
  readonly StartTimestamp: number
  readonly EndTimestamp?: number
  readonly Status: OperationStatus
  readonly ExecutionDetails?: { readonly InputPayload?: string }
  readonly ContextDetails?: {
    readonly ReplayChildren?: boolean
    readonly Result?: string
    readonly Error?: ErrorObject
  }
  readonly StepDetails?: {
    readonly Attempt?: number
    readonly NextAttemptTimestamp?: number
    readonly Result?: string
    readonly Error?: ErrorObject
  }
  readonly WaitDetails?: { readonly ScheduledEndTimestamp?: number }
  readonly CallbackDetails?: { readonly CallbackId?: string; readonly Result?: string; readonly Error?: ErrorObject }
  readonly ChainedInvokeDetails?: { readonly Result?: string; readonly Error?: ErrorObject }
}

export type EventType =
  | 'ExecutionStarted'
  | 'ExecutionSucceeded'
  | 'ExecutionFailed'
  | 'ExecutionTimedOut'
  | 'ExecutionStopped'
  | 'ContextStarted'
  | 'ContextSucceeded'
  | 'ContextFailed'
  | 'WaitStarted'
  | 'WaitSucceeded'
  | 'WaitCancelled'
  | 'StepStarted'
  | 'StepSucceeded'
  | 'StepFailed'
  | 'ChainedInvokeStarted'
  | 'ChainedInvokeSucceeded'
  | 'ChainedInvokeFailed'
  | 'ChainedInvokeTimedOut'
  | 'ChainedInvokeStopped'
  | 'CallbackStarted'
  | 'CallbackSucceeded'
  | 'CallbackFailed'
  | 'CallbackTimedOut'
  | 'InvocationCompleted'

/** One history event (spec 03 §3.6). The details member is named `<EventType>Details` and always present. Times in epoch ms. */
export interface HistoryEvent {
  readonly EventId: number
  readonly EventType: EventType
  readonly EventTimestamp: number
  readonly Id?: string
  readonly ParentId?: string
  readonly Name?: string
  readonly SubType?: string
  readonly [details: `${string}Details`]: Readonly<Record<string, unknown>>
}

/** The durability settings of a function, frozen per execution at its start (spec 02 §2.7). */
export interface DurableConfig {
  readonly ExecutionTimeout: number
  readonly RetentionPeriodInDays?: number
  readonly KMSKeyArn?: string
}

/** The event that a durable function is invoked with (spec 06 §6.1), before its timestamps become epoch milliseconds (they are). */
export interface DurableInvocationEvent {
  readonly DurableExecutionArn: string
  readonly CheckpointToken: string
  readonly InitialExecutionState: { readonly Operations: readonly Operation[]; readonly NextMarker: string }
  readonly UpdatedOperationIds: readonly string[]
}
