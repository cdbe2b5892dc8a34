/**
 * The engine's data: what one durable execution is (state), what has happened to it (journal entries), what may be
 * asked of it (commands) and what the shell owes the world (effects). Plain readonly data and nothing else.
 *
 * Times are epoch milliseconds. Texts (payloads, results) are kept exactly as received. In a state a text longer than
 * `INLINE_TEXT_CHARS` is replaced by its place in the journal (decision 7), so that memory follows the number of
 * operations and not the size of their payloads.
 */
import type { ApiError } from '../protocol/errors.ts'
import type {
  ClosedStatus,
  DurableConfig,
  ErrorObject,
  EventType,
  ExecutionStatus,
  OperationStatus,
  OperationType,
  OperationUpdate,
  ShownStatus,
} from '../protocol/shapes.ts'

/**
 * Texts up to this length stay in the state; longer ones are referenced by (seq, index). With 16 KB, executions of
 * 3,000 results of 1 KB outgrew the cache at 64 running at a time, and each checkpoint folded its journal again
 * (420–540 µs instead of 90); a replay reads the longer ones in one pass over the journal.
 */
export const INLINE_TEXT_CHARS = 512

/** Version of the entry format; every entry carries the version it was written with. */
export const ENTRY_VERSION = 1
/** Version of the fold; a snapshot of another version is ignored. */
export const FOLD_VERSION = 1

/** Where a long text lies: event `index` of the entry at `seq`, its `result` (or `input`) member. */
export interface TextRef {
  readonly seq: number
  readonly index: number
  readonly length: number
}
export type StoredText = string | TextRef

// ---------------------------------------------------------------------------------------------- journal entries

/** One history event as the journal keeps it. `EventId` is the entry's `firstEventId` + its index, its time the entry's `at`. */
export interface JournalEvent {
  readonly type: EventType
  /** Operation id, and what every event of the operation repeats. */
  readonly id?: string
  readonly parentId?: string
  readonly name?: string
  readonly subType?: string
  /** ExecutionStarted and ChainedInvokeStarted. */
  readonly input?: string
  /** Result of a …Succeeded event. */
  readonly result?: string
  /** Error of a …Failed/TimedOut/Stopped/Cancelled event, or of an InvocationCompleted that failed. */
  readonly error?: ErrorObject
  /** StepSucceeded, StepFailed: number of the attempt that ended; with `delaySeconds` the step is to be tried again. */
  readonly attempt?: number
  readonly delaySeconds?: number
  /** WaitStarted, WaitSucceeded: requested seconds. */
  readonly durationSeconds?: number
  /** ContextSucceeded, ContextFailed, ContextStarted. */
  readonly replayChildren?: boolean
  /** CallbackStarted. */
  readonly callbackId?: string
  readonly timeoutSeconds?: number
  readonly heartbeatTimeoutSeconds?: number
  /** ChainedInvokeStarted. */
  readonly functionName?: string
  readonly tenantId?: string
  readonly executedVersion?: string
  /** Of the target, when it was created through the API. */
  readonly generation?: number
  readonly childArn?: string
  /** InvocationCompleted. */
  readonly startedAt?: number
  readonly requestId?: string
  /** ExecutionStarted. */
  readonly executionTimeoutSeconds?: number
}

/** A completion from outside that arrived while an invocation ran (decision 13). No EventId until it is drained. */
export type Arrival =
  | {
      readonly kind: 'callback'
      readonly id: string
      readonly outcome: 'SUCCEEDED' | 'FAILED'
      readonly result?: string
      readonly error?: ErrorObject
    }
  | {
      readonly kind: 'invoke'
      readonly id: string
      readonly outcome: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'STOPPED'
      readonly result?: string
      readonly error?: ErrorObject
    }

/** A completion that waits to be drained, and when it arrived. */
export interface InboxItem {
  readonly arrival: Arrival
  readonly at: number
}

/** What a draining entry took in before its own events: inbox completions, due timers, and steps that became READY (no event). */
export interface Drained {
  readonly id: string
  readonly kind: 'arrival' | 'timer' | 'ready'
}

/** What is fixed when an execution starts. */
export interface ExecutionStart {
  readonly executionId: string
  readonly arn: string
  readonly name: string
  readonly functionName: string
  /** Resolved: `$LATEST` or digits. */
  readonly version: string
  /** Of the function, when it was created through the API: one that is created later under its name is another one. */
  readonly generation?: number
  /** Qualified with `version`. */
  readonly functionArn: string
  readonly config: DurableConfig
  /** Started by a waiting caller (6 MB results) or not (1 MB). */
  readonly mode: 'sync' | 'async'
  readonly tenantId?: string
  readonly traceHeader?: string
  /** The chained invoke that this execution answers. */
  readonly parent?: { readonly executionId: string; readonly operationId: string }
  /** SHA-256 of the input bytes, for the comparison of named starts (spec 07 §7.3). */
  readonly inputHash: string
  /** The `amz-sdk-invocation-id` of the start (decision 19). */
  readonly sdkInvocationId?: string
}

export interface EntryBase {
  readonly v: number
  readonly at: number
  /** EventId of the first of `events`; what the next event would get when there are none. */
  readonly firstEventId: number
  readonly events: readonly JournalEvent[]
  readonly drained?: readonly Drained[]
}

/** One line of the journal: the decided outcome of one accepted command (decision 1). */
export type Entry = EntryBase &
  (
    | { readonly kind: 'started'; readonly start: ExecutionStart }
    | {
        readonly kind: 'invocationStarted'
        readonly requestId: string
        /** 16 bytes as hex; with the invocation number it makes the tokens (decision 12). */
        readonly nonce: string
        /** Ids changed by the service and not yet seen by the function (spec 06 §6.1). */
        readonly updated: readonly string[]
      }
    | {
        readonly kind: 'checkpointed'
        /** The token counter that this checkpoint consumed; its answer carries the next. */
        readonly n: number
        readonly clientToken?: string
        /** Ids touched by the updates, in order of first touch, for the answer and its replay. */
        readonly touched: readonly string[]
        /** Outcome given by an EXECUTION update; its event follows at the end of the invocation (spec 04 §4.7). */
        readonly outcome?: ExecutionOutcome
      }
    | { readonly kind: 'arrived'; readonly arrival: Arrival; readonly completedBy?: CompletedBy }
    | { readonly kind: 'heartbeat'; readonly id: string }
    | { readonly kind: 'woke'; readonly completedBy?: CompletedBy }
    | {
        readonly kind: 'invocationEnded'
        readonly requestId: string
        /** When and why the next invocation is due, if not by a change of an operation. */
        readonly retry?: { readonly dueMs: number; readonly cause: 'function' | 'platform' }
        /** The invocation ended normally (resets the back-off of decision 17). */
        readonly normal: boolean
        /** Invoke once more at once (spec 06 §6.3: the answer may have crossed a completion). */
        readonly again?: boolean
      }
    | { readonly kind: 'closed' }
    /** Its deletion was asked for: the only entry after a terminal one, and the last (decision 8). Has no events. */
    | { readonly kind: 'deleted' }
  )

/** Which client call completed a callback: its repeat gets the same answer (decision 19). */
export interface CompletedBy {
  readonly id: string
  readonly sdkInvocationId: string
}

export interface ExecutionOutcome {
  readonly status: 'SUCCEEDED' | 'FAILED'
  readonly result?: string
  readonly error?: ErrorObject
}

// -------------------------------------------------------------------------------------------------------- state

/** One operation as folded from its events. */
export interface OperationState {
  readonly id: string
  /** Order of creation; 0 is the EXECUTION operation. */
  readonly ordinal: number
  readonly type: OperationType
  readonly parentId: string | undefined
  readonly name: string | undefined
  readonly subType: string | undefined
  readonly startedAt: number
  readonly endedAt: number | undefined
  readonly status: OperationStatus
  readonly result: StoredText | undefined
  readonly error: ErrorObject | undefined
  /** STEP: finished attempts, and when the next is due while PENDING. */
  readonly attempt: number
  readonly nextAttemptAt: number | undefined
  /** WAIT. */
  readonly scheduledEndAt: number | undefined
  readonly durationSeconds: number | undefined
  /** CONTEXT. */
  readonly replayChildren: boolean | undefined
  /** CALLBACK: the id, and its two deadlines while STARTED. */
  readonly callbackId: string | undefined
  readonly timeoutAt: number | undefined
  readonly heartbeatAt: number | undefined
  readonly heartbeatTimeoutSeconds: number | undefined
  /** When the heartbeat deadline was last set (decision 16). */
  readonly heartbeatSetAt: number | undefined
  /** CHAINED_INVOKE. */
  readonly functionName: string | undefined
  readonly tenantId: string | undefined
  readonly executedVersion: string | undefined
  readonly childArn: string | undefined
}

/** A checkpoint accepted in the running invocation, kept so that a repeat finds its answer (decision 11). */
export interface AcceptedCheckpoint {
  readonly n: number
  readonly clientToken: string
  readonly at: number
  readonly seq: number
}

export interface Invocation {
  readonly number: number
  readonly requestId: string
  readonly nonce: string
  readonly startedAt: number
  /** The counter of the token that is current. */
  n: number
  readonly accepted: AcceptedCheckpoint[]
  /** An EXECUTION update was accepted: no token is valid any more. */
  outcome: ExecutionOutcome | undefined
  /** The last checkpoint answer carried a completion from outside (spec 06 §6.3). */
  lastAnswerHadCompletion: boolean
  /** Some checkpoint answer of this invocation carried one. */
  anyAnswerHadCompletion: boolean
}

/** One execution, folded from its journal. `apply` owns and mutates it; everyone else only reads. */
export interface ExecutionState {
  readonly start: ExecutionStart
  readonly startedAt: number
  seq: number
  nextEventId: number
  /** Time of the newest entry; entries never go back in time. */
  at: number
  status: ExecutionStatus
  endedAt: number | undefined
  /** When its deletion was asked for; from then on it is shown as DELETING. */
  deletedAt: number | undefined
  result: StoredText | undefined
  error: ErrorObject | undefined
  input: StoredText
  /** In order of creation, the EXECUTION operation first. */
  readonly operations: Map<string, OperationState>
  /** Ids by ordinal, for callback ids. */
  readonly ids: string[]
  /** Non-terminal operations that something outside the function will move (spec 06 §6.3 "pending"). */
  readonly pending: Set<string>
  /** Earliest due time of any pending operation; Infinity when none is armed. */
  nextDueAt: number
  readonly inbox: InboxItem[]
  /** `amz-sdk-invocation-id` by operation of completed callbacks (decision 19). */
  readonly completedBy: Map<string, string>
  invocation: Invocation | undefined
  invocations: number
  /** Ids changed by the service and not yet delivered to the function. */
  readonly unseen: Set<string>
  /** No invocation runs and one is due: now (0) or at a time. */
  invokeAt: number | undefined
  /** Invocations that the function failed since the last that ended normally, and when the first of them ended. */
  failures: number
  failingSince: number | undefined
  /** Invocations that the platform failed, in a row. */
  platformFailures: number
  /** Payload bytes written so far (spec 08 §8.8). */
  storedBytes: number
}

// ------------------------------------------------------------------------------------------- commands and answers

/** What the shell looked up for the decision; the engine itself knows no clock, no randomness and no functions. */
export interface Facts {
  readonly now: number
  /** 16 fresh random bytes as hex, per call (`hex(i)` for the i-th need of this decision). */
  readonly entropy: (index: number) => string
  /** Resolution of the target of each CHAINED_INVOKE START, by operation id. */
  readonly targets?: ReadonlyMap<string, ChainedTarget>
}

/** How a chained invoke's FunctionName was resolved (spec 07 §7.6). */
export type ChainedTarget =
  /** The whole request is refused (foreign account or region, malformed ARN): spec 04 §4.12. */
  | { readonly kind: 'refused'; readonly message: string }
  /** The operation fails at once. */
  | { readonly kind: 'failed'; readonly error: ErrorObject }
  | {
      readonly kind: 'durable'
      readonly version: string
      readonly generation?: number
      readonly childId: string
      readonly childArn: string
    }
  | { readonly kind: 'plain'; readonly version: string; readonly generation?: number }

/** How an invocation ended (spec 06 §6.3). */
export type InvocationOutcome =
  /** The function answered; `body` is the text it posted. */
  | { readonly kind: 'response'; readonly body: string }
  /** The function failed: it posted an error, timed out, ran out of memory or its process ended. */
  | { readonly kind: 'error'; readonly error: ErrorObject }
  /** The platform failed (spawn, restart, lost worker): retried, never counted against the function (decision 17). */
  | { readonly kind: 'platform'; readonly error: ErrorObject }

export type Command =
  | { readonly kind: 'startInvocation'; readonly requestId: string }
  | {
      readonly kind: 'checkpoint'
      readonly token: string
      readonly clientToken?: string
      readonly updates: readonly OperationUpdate[]
    }
  | { readonly kind: 'endInvocation'; readonly requestId: string; readonly outcome: InvocationOutcome }
  | {
      readonly kind: 'completeCallback'
      readonly callbackId: string
      readonly outcome: 'SUCCEEDED' | 'FAILED'
      readonly result?: string
      readonly error?: ErrorObject
      readonly sdkInvocationId?: string
    }
  | { readonly kind: 'heartbeatCallback'; readonly callbackId: string }
  | {
      readonly kind: 'completeInvoke'
      readonly operationId: string
      readonly outcome: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'STOPPED'
      readonly result?: string
      readonly error?: ErrorObject
    }
  /** Timers may be due: evaluate them. */
  | { readonly kind: 'wake' }
  | { readonly kind: 'stop'; readonly error: ErrorObject }
  /** Its function was deleted, and it needs an invocation: there is none to be had any more. */
  | { readonly kind: 'abandon'; readonly error: ErrorObject }
  | { readonly kind: 'delete' }

/** What the caller of a command is told. */
export type Answer =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'checkpoint'
      /** Absent after an EXECUTION update (spec 05 §5.6). */
      readonly token: string | undefined
      /** The answer repeats that of the checkpoint entry at this seq: `answeredOperations` of the state as it was then. */
      readonly replayOf?: number
    }
  | { readonly kind: 'stopped'; readonly at: number }
  | { readonly kind: 'deleted'; readonly at: number }
  | {
      readonly kind: 'invocation'
      readonly number: number
      readonly token: string
      readonly updated: readonly string[]
    }
  /** The command came too late to mean anything (an ended invocation, a closed execution): ignored. */
  | { readonly kind: 'ignored' }

/** Success may have no entry: nothing changed (a replay, an idempotent stop, a heartbeat inside its slack). */
export type Decision = { readonly entry: Entry | undefined; readonly answer: Answer } | { readonly error: ApiError }

// ------------------------------------------------------------------------------------------------------ effects

/** When the shell must look at an execution again; the one wake row of decision 6. */
export type Wake =
  /** An invocation runs; nothing is due before it checkpoints or ends, but the execution timeout. */
  | { readonly kind: 'running'; readonly dueMs: number }
  /** An invocation is due now. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'suspended'; readonly dueMs: number }

/** A duty toward another execution or the outside, kept as an outbox row until done (decision 3). */
export type Duty =
  /** Start the durable child that a chained invoke named. Key: the operation. */
  | {
      readonly kind: 'startChild'
      readonly operationId: string
      readonly childId: string
      readonly functionName: string
      readonly version: string
      readonly generation: number | undefined
      readonly input: string | undefined
      readonly tenantId: string | undefined
    }
  /** Run the plain target of a chained invoke and complete the operation with its answer. */
  | {
      readonly kind: 'invokePlain'
      readonly operationId: string
      readonly functionName: string
      readonly version: string
      readonly generation: number | undefined
      readonly input: string | undefined
      readonly tenantId: string | undefined
    }
  /** Tell the parent that this execution has ended. */
  | { readonly kind: 'completeParent'; readonly parentExecutionId: string; readonly operationId: string }
  /** Remove the data of this execution. Key: the EXECUTION operation. */
  | { readonly kind: 'purge'; readonly operationId: string; readonly parent?: ExecutionStart['parent'] }

/** What a committed entry obliges the shell to do, as data. */
export type Effect =
  /** A process may be given this execution's next invocation. */
  | { readonly kind: 'dispatch' }
  /** The execution has ended: answer those who wait, free its timers. */
  | { readonly kind: 'closed'; readonly status: ClosedStatus }
  | { readonly kind: 'duty'; readonly duty: Duty }

/** The row of the list of executions: written when it changes (decision 6). */
export interface ExecutionIndex {
  readonly status: ShownStatus
  readonly endedAt: number | undefined
  readonly wake: Wake | undefined
}
