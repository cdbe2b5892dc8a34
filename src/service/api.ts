/**
 * What the service offers to the server room. Every method answers with wire shapes less their timestamps (epoch
 * milliseconds here) or rejects with an `ApiError`. ARNs, ids and members are already validated against their
 * patterns; everything that needs knowledge of executions is decided here.
 */
import type { ExecutionArn } from '../protocol/arn.ts'
import type {
  DurableConfig,
  ErrorObject,
  ExecutionStatus,
  HistoryEvent,
  Operation,
  OperationUpdate,
  ShownStatus,
} from '../protocol/shapes.ts'
import type { FunctionVersion } from './ports.ts'

export interface CheckpointResult {
  readonly CheckpointToken?: string
  readonly NewExecutionState: { readonly Operations: readonly Operation[] }
}

export interface ExecutionSummary {
  readonly DurableExecutionArn: string
  readonly DurableExecutionName: string
  readonly FunctionArn: string
  readonly Status: ShownStatus
  readonly StartTimestamp: number
  readonly EndTimestamp?: number
}

export interface ExecutionDescription extends ExecutionSummary {
  readonly Version: string
  readonly InputPayload?: string
  readonly Result?: string
  readonly Error?: ErrorObject
  readonly TraceHeader?: { readonly XAmznTraceId: string }
  readonly DurableConfig: DurableConfig
  readonly ExecutionDataIncluded: boolean
}

export interface StartRequest {
  readonly target: FunctionVersion & { readonly durable: DurableConfig }
  readonly name: string | undefined
  /** The version was drawn from an alias, not asked for: a named start does not compare it (decision 5). */
  readonly versionDrawn?: true
  /** JSON text exactly as received; `{}` for an empty body. */
  readonly input: string
  readonly mode: 'sync' | 'async'
  readonly tenantId?: string
  readonly traceHeader?: string
  readonly sdkInvocationId?: string
}

export interface Started {
  readonly arn: string
  readonly executionId: string
  readonly version: string
}

export interface ExecutionEnd {
  readonly status: Exclude<ExecutionStatus, 'RUNNING'>
  readonly result?: string
  readonly error?: ErrorObject
}

/** How an execution ended that somebody has waited for. */
export interface AwaitedEnd extends ExecutionEnd {
  /** The end of its last invocation's log, if one ended while somebody waited who wanted it. */
  readonly logTail?: string
}

export interface DurableService {
  /** Creates the execution, or finds the one of that name or of that client call (spec 07 §7.3, decision 19). */
  start(request: StartRequest): Promise<Started>
  /** Resolves when the execution is closed. Rejects with `signal.reason` when aborted. */
  waitForEnd(executionId: string, signal: AbortSignal, options?: { readonly withLog?: boolean }): Promise<AwaitedEnd>

  checkpoint(request: {
    readonly arn: ExecutionArn
    readonly token: string
    readonly clientToken?: string
    readonly updates: readonly OperationUpdate[]
  }): Promise<CheckpointResult>
  state(request: {
    readonly arn: ExecutionArn
    readonly token: string
    readonly marker?: string
    readonly maxItems?: number
  }): Promise<{ readonly Operations: readonly Operation[]; readonly NextMarker: string }>
  describe(request: { readonly arn: ExecutionArn; readonly includeData: boolean }): Promise<ExecutionDescription>
  history(request: {
    readonly arn: ExecutionArn
    readonly includeData: boolean
    readonly reverse: boolean
    readonly marker?: string
    readonly maxItems?: number
  }): Promise<{ readonly Events: readonly HistoryEvent[]; readonly NextMarker?: string }>
  list(request: {
    readonly functionName: string
    readonly version?: string
    readonly name?: string
    readonly statuses?: readonly string[]
    readonly startedAfter?: number
    readonly startedBefore?: number
    readonly oldestFirst: boolean
    readonly marker?: string
    readonly maxItems?: number
  }): Promise<{ readonly DurableExecutions: readonly ExecutionSummary[]; readonly NextMarker?: string }>
  stop(request: {
    readonly arn: ExecutionArn
    readonly error: ErrorObject
  }): Promise<{ readonly StopTimestamp: number }>
  /** Durable when this resolves; the data is removed soon after, also across a crash (spec 01 §1.10, decision 8). */
  delete(request: { readonly arn: ExecutionArn }): Promise<{ readonly DeletionRequestTimestamp: number }>
  completeCallback(request: {
    readonly callbackId: string
    readonly outcome: 'SUCCEEDED' | 'FAILED'
    readonly result?: string
    readonly error?: ErrorObject
    readonly sdkInvocationId?: string
  }): Promise<void>
  heartbeatCallback(request: { readonly callbackId: string }): Promise<void>

  /**
   * Takes an asynchronous invocation of a plain (non-durable) function: durable when this resolves, run at least once,
   * retried as the configuration of the qualifier says (spec 07 §7.7).
   */
  enqueuePlain(request: {
    readonly target: FunctionVersion
    /** What it was invoked with. */
    readonly qualifier: string | undefined
    readonly payload: string
    readonly tenantId?: string
    readonly traceHeader?: string
  }): Promise<{ readonly requestId: string }>

  /** Recovery is done and commands are accepted. */
  readonly ready: boolean
  /** The store takes nothing more until a restart; reads go on. */
  readonly storeFailed: boolean
  /** Stops accepting starts, lets running invocations end for at most `graceMs`, and settles what is in flight. */
  drain(graceMs: number): Promise<void>
}
