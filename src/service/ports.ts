/**
 * The ports of the service: everything it needs from the world, injected so that tests and the simulator can stand
 * in for the world (decision 24). Their real implementations are small and live at the edge (`adapters.ts`, the
 * functions room, the journal room).
 */
import type { FUNCTION_OPERATIONS } from '../protocol/function-operations.ts'
import type { LAYER_OPERATIONS } from '../protocol/layer-operations.ts'
import type { LogLevel } from '../protocol/logs/log-line.ts'
import type { InputOf } from '../protocol/operations.ts'
import type { DurableConfig, ErrorObject } from '../protocol/shapes.ts'
import type { CounterName, GaugeName, HistogramName, LabelValues } from './metric-table.ts'

export type { ServiceLog } from './log.ts'

export interface Clock {
  /** Epoch milliseconds. */
  now(): number
}

/** Calls back at or after a time of the clock, never before. Beyond 24.8 days too. */
export interface Timers {
  /** Returns a function that cancels; cancelling twice, or after the call, does nothing. */
  at(dueMs: number, call: () => void): () => void
}

export interface Entropy {
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string
  /** A UUID of version 4. */
  uuid(): string
}

/** A version of a function as it can be invoked. */
export interface FunctionVersion {
  readonly name: string
  /** `$LATEST` or digits. */
  readonly version: string
  /**
   * The how manieth function of this name it is, of those that were created through the API: one that is created under
   * the name of a deleted one is another function. Absent: it is declared, and is whatever the configuration says.
   */
  readonly generation?: number
  /** Qualified with `version`. */
  readonly arn: string
  readonly timeoutSeconds: number
  readonly memoryMb: number
  /** Invocations of the function at a time, over all its versions and processes. 0: none begins. */
  readonly concurrency: number
  /** Invocations at a time in one process. Absent: 1. */
  readonly maxConcurrency?: number
  /** Present when the function is durable. */
  readonly durable: DurableConfig | undefined
  /** TenancyConfig PER_TENANT: an invocation must name a tenant. */
  readonly perTenant: boolean
  /** Absent: text, all of it, in the function's own group. */
  readonly logging?: FunctionLogging
}

export interface DeletableVersion {
  readonly name: string
  readonly version: string
  readonly generation?: number | undefined
}

/** One unit of a function's concurrency, with a process behind it. Used once; `run` or `release` gives it back. */
export interface Slot {
  /**
   * Hands the event to the process and resolves with how the invocation ended. Never rejects. For a crash it resolves
   * only after the process's sockets reached end of file (at most 100 ms), so that its last checkpoint counts.
   */
  run(request: InvocationRequest): Promise<InvocationResult>
  /** Gives the slot back unused. */
  release(): void
}

export interface InvocationRequest {
  readonly requestId: string
  /** The event as JSON text. */
  readonly event: string
  /** `X-Amz-Client-Context`, decoded; only for plain functions. */
  readonly clientContext?: string
  readonly tenantId?: string
  readonly traceHeader?: string
  /** The execution that this invocation belongs to, for the log. */
  readonly executionArn?: string
}

export type InvocationResult =
  /** What the function posted as its response: bytes, usually JSON text. */
  | { readonly kind: 'response'; readonly body: Uint8Array; readonly logTail: string }
  /**
   * The function failed: it posted an error, timed out, ran out of memory or its process ended. `body` is what the
   * caller of a plain function gets (spec 02 §2.1 "Function error payloads"); `error` the same as an ErrorObject.
   */
  | { readonly kind: 'error'; readonly error: ErrorObject; readonly body: string; readonly logTail: string }
  /** The platform failed before or while the handler ran; the function is not to blame. */
  | { readonly kind: 'platform'; readonly error: ErrorObject; readonly logTail: string }

/** The functions that can be invoked, as the functions room offers them. */
export interface Functions {
  /**
   * The version that a name and qualifier mean, or undefined when there is none. Absent qualifier: `$LATEST`. For an
   * alias of two versions one of them is drawn, each time.
   */
  resolve(name: string, qualifier: string | undefined): FunctionVersion | undefined
  list(): readonly FunctionVersion[]
  /**
   * Whether there was such a version and it was deleted: it never comes back, while one that is only not declared may.
   * Without `generation`: whether that may be so for some generation. Absent: functions are never deleted.
   */
  wasDeleted?(version: DeletableVersion): boolean
  /**
   * Waits, first come first served, until the function may run one more invocation and a process is ready for it.
   * Rejects with `signal.reason` when aborted. A process that cannot be started (a broken handler) does not reject
   * here: its slot's `run` resolves with the error.
   */
  reserve(version: FunctionVersion, tenantId: string | undefined, signal: AbortSignal): Promise<Slot>
  /** Calls back whenever functions were added, changed or removed, and when `heldBecause` would say something else. */
  onChange(call: () => void): void
  /** Why nothing of a version that is there can begin: no worker is attached. Undefined: it can. Absent: it always can. */
  heldBecause?(version: FunctionVersion): string | undefined
  /**
   * What is set for asynchronous invocations of a function, as it is now: under the qualifier that it is invoked with
   * (spec 02 §2.5), but for the dead-letter target, which belongs to the version. Absent: nothing ever is.
   */
  asynchronous?(invoked: {
    readonly name: string
    readonly qualifier: string
    readonly version: string
  }): AsynchronousSettings
  /** For metrics; functions without processes of their own have none. */
  loads?(): readonly FunctionLoad[]
  /** Absent: there is nowhere to attach. */
  workers?(): readonly AttachedWorker[]
  /** How many workers were lost since the start, by function. */
  lostWorkers?(): ReadonlyMap<string, number>
}

/** A worker that runs a function's processes elsewhere. */
export interface AttachedWorker {
  readonly functionName: string
  /** `$LATEST` or digits. */
  readonly version: string
  /** What it calls itself. */
  readonly name: string
  /** Where its connection comes from. */
  readonly address: string
  /** Epoch milliseconds. */
  readonly attachedAt: number
  readonly processes: number
  /** Invocations that its processes have. */
  readonly running: number
  /** It takes no new invocations. */
  readonly leaving: boolean
}

/** Each member is absent when it is not set. Destinations are ARNs or URLs, as they were given. */
export interface AsynchronousSettings {
  /** 0–2. */
  readonly retryAttempts?: number
  /** 60–21,600. */
  readonly eventAgeSeconds?: number
  readonly onSuccess?: string
  readonly onFailure?: string
  readonly deadLetterTarget?: string
}

/** What can be reached over HTTP. */
export interface Webhooks {
  /**
   * One POST of a JSON text. Resolves with what came of it, within seconds, and never rejects. Redirections are not
   * followed. What of a header's value cannot be sent is written as `%` and two digits for each byte.
   */
  post(
    request: {
      readonly url: string
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    },
    signal: AbortSignal,
  ): Promise<WebhookAnswer>
}

export type WebhookAnswer =
  | { readonly status: number; readonly retryAfterSeconds?: number }
  /** Nobody answered, and why: a word without anything of the request, such as `ECONNREFUSED`. */
  | { readonly failure: string }

/** An operation of the API that is about functions that were created through it, or about layers. */
export type ManagementOperation = keyof typeof FUNCTION_OPERATIONS | keyof typeof LAYER_OPERATIONS

/**
 * The functions that were created through the API, as the server changes and shows them; those that are declared in the
 * configuration are told apart, and are not changed.
 */
export interface FunctionManagement {
  /**
   * Does what the operation says and gives its answer; undefined: one without a body. What it changed is durable then.
   * `FunctionName` and `LayerName` are plain names, and `Qualifier` has what the reference said. Rejects with an
   * `ApiError`.
   */
  perform<Name extends ManagementOperation>(name: Name, input: InputOf<Name>): Promise<object | undefined>
  /** A function with the version that the qualifier means; without one, `$LATEST`. Throws an `ApiError`. */
  getFunction(reference: { readonly name: string; readonly qualifier: string | undefined }): DescribedFunction
  /** Whether the function was created through the API, and not hidden by a declared one since. */
  has(name: string): boolean
  /** Every version of every such function. */
  listed(): readonly ListedVersion[]
  /** The bytes of a deployment package by their hash in base64; undefined when no version of a function or a layer names it. */
  packageOf(sha256: string): Promise<Uint8Array | undefined>
}

/** What GetFunction answers, but for where the code lies. */
export interface DescribedFunction {
  readonly shown: { readonly Configuration: object; readonly Tags?: object; readonly Concurrency?: object }
  readonly codeSha256: string
}

export interface ListedVersion {
  readonly name: string
  /** `$LATEST` or digits. */
  readonly version: string
  /** As lists show it, under the ARN that is given. */
  readonly configuration: (arn: string) => object
}

/** How a function's log is written: the LoggingConfig of the Lambda API. */
export interface FunctionLogging {
  /** `JSON`: what the platform says, and what the runtime's own logging prints, is JSON. */
  readonly format: 'Text' | 'JSON'
  /** The least level of what the function prints that is kept. With the format `JSON` only. */
  readonly applicationLevel: LogLevel
  /** The same of what the platform says. */
  readonly systemLevel: LogLevel
  readonly group: string
}

/** One line that a function printed, or that the platform says about an invocation (START, END, REPORT). */
export interface LogRecord {
  readonly at: number
  readonly functionName: string
  readonly version: string
  readonly requestId?: string
  readonly executionArn?: string
  readonly stream: 'stdout' | 'stderr' | 'platform'
  readonly line: string
  /** Of what the platform says. The function's own lines tell theirs themselves. */
  readonly level?: LogLevel
  /** Absent: `/aws/lambda/<functionName>`. */
  readonly group?: string
  /** The log stream, as the environment of the process names it. Absent in what earlier versions wrote. */
  readonly logStream?: string
}

/** A record as it was taken into the log. */
export interface LoggedRecord extends LogRecord {
  /**
   * Larger than that of every record before it, of whichever function, and never given twice. At least the thousandfold
   * of `at`, so that it tells the time too.
   */
  readonly position: number
}

/** Which records are meant: all that fit every member that is there. */
export interface LogSelection {
  readonly functionNames?: ReadonlySet<string>
  readonly executionArns?: ReadonlySet<string>
  readonly requestId?: string
  readonly group?: string
  /** Epoch milliseconds, inclusive. */
  readonly sinceMs?: number
  readonly where?: (record: LoggedRecord) => boolean
}

export type LogReading =
  /** The oldest beyond a position. `maxBytes` bounds what is looked at; the next page goes on there. */
  | { readonly direction: 'forward'; readonly after: number; readonly limit: number; readonly maxBytes?: number }
  /** The newest, before a position if one is given. `maxBytes` bounds what is given out, but for one record. */
  | { readonly direction: 'backward'; readonly before?: number; readonly limit: number; readonly maxBytes?: number }

export interface LogPage {
  /** The oldest first, in both directions. */
  readonly records: readonly LoggedRecord[]
  /** Read forward: all that is up to here was looked at. Read backward: all that there was, so that one may go on here. */
  readonly position: number
  /** There was no more to look at. */
  readonly complete: boolean
}

export interface LogGroup {
  readonly name: string
  readonly functionNames: ReadonlySet<string>
  /** When its oldest record was written, epoch milliseconds. */
  readonly sinceMs: number
  readonly storedBytes: number
}

export interface LogStreamSummary {
  readonly name: string
  readonly firstAt: number
  readonly lastAt: number
}

export interface Logs {
  /** Sees every record that was written before the call, and each once: pages neither overlap nor leave anything out. */
  read(selection: LogSelection, reading: LogReading): Promise<LogPage>
  /** The groups that hold records, in the order of their names. */
  groups(): readonly LogGroup[]
  /** The log streams of a group, in the order of their names. */
  streams(group: LogGroup): Promise<readonly LogStreamSummary[]>
}

/** The log group of a function that names none. */
export const defaultLogGroup = (functionName: string): string => `/aws/lambda/${functionName}`

/** The log stream that a record is shown in. */
export function logStreamOf({ logStream, at, version }: LogRecord): string {
  return logStream ?? `${new Date(at).toISOString().slice(0, 10).replaceAll('-', '/')}/[${version}]`
}

/** A figure that only grows. */
export interface Counter {
  add(count?: number): void
}

/** How values spread over fixed buckets. */
export interface Histogram {
  observe(value: number): void
}

/** A figure as it is now: alone, or by label values. Undefined: there is none. */
export type Reading = number | Iterable<{ readonly labels: readonly string[]; readonly value: number }> | undefined

/**
 * Where the server's figures go; `metric-table.ts` is the table of all of them. A handle is got once and kept where it
 * is used often: using it costs nanoseconds, getting it a lookup.
 */
export interface Metrics {
  counter<Name extends CounterName>(name: Name, ...labels: LabelValues<Name>): Counter
  histogram<Name extends HistogramName>(name: Name, ...labels: LabelValues<Name>): Histogram
  /** Registers a figure that is read when somebody asks. Readings with equal labels are added up. */
  read(name: GaugeName | CounterName, reading: () => Reading): void
  /** Milliseconds of a clock that never goes back, with fractions: for durations only. */
  now(): number
}

/** How the processes of one function are doing, those of all its versions together. */
export interface FunctionLoad {
  readonly functionName: string
  /** Invocations that have a place in a process. */
  readonly running: number
  readonly processes: number
  readonly idleProcesses: number
  /** Reservations that wait for a place, and how long the first of them has waited. */
  readonly waiting: number
  readonly oldestWaitMs: number
}
