/** One durable execution as the oracle keeps it: plain data, and how clients see it. */
import { FUNCTION_ARN, FUNCTIONS, RETENTION_DAYS } from './configuration.ts'
import { Instant, present, unknown } from './values.ts'

export type OperationType = 'EXECUTION' | 'CONTEXT' | 'STEP' | 'WAIT' | 'CALLBACK' | 'CHAINED_INVOKE'
export type Status = 'STARTED' | 'PENDING' | 'READY' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT' | 'STOPPED'
export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'STOPPED'

export interface ErrorObject {
  readonly ErrorMessage?: string
  readonly ErrorType?: string
  readonly ErrorData?: string
  readonly StackTrace?: unknown
}

/** Spec 03 §3.4; times are of the logical clock. */
export interface Operation {
  readonly id: string
  readonly type: OperationType
  readonly parentId: string | undefined
  readonly name: string | undefined
  readonly subType: string | undefined
  readonly startedAt: number
  endedAt?: number | undefined
  status: Status
  result?: string | undefined
  error?: ErrorObject | undefined
  /** STEP: finished attempts (spec 04 §4.9). */
  attempt: number
  /** STEP in PENDING: when it becomes READY. */
  nextAttemptAt?: number | undefined
  /** CONTEXT. */
  replayChildren?: boolean | undefined
  /** WAIT. */
  waitSeconds?: number
  scheduledEndAt?: number
  /** CALLBACK. */
  callbackId?: string
  timeoutAt?: number
  heartbeatSeconds?: number
  heartbeatDueAt?: number
  lastHeartbeatAt?: number
}

/** A completion from outside that waits for the running invocation's next checkpoint or end (spec 06 §6.5). */
export interface Arrival {
  readonly operationId: string
  readonly status: Status
  readonly result: string | undefined
  readonly error: ErrorObject | undefined
  readonly at: number
}

export interface Outcome {
  readonly status: 'SUCCEEDED' | 'FAILED'
  readonly result?: string | undefined
  readonly error?: ErrorObject | undefined
}

export interface AcceptedCheckpoint {
  readonly token: string
  readonly clientToken: string | undefined
  readonly at: number
  readonly body: unknown
}

export interface Invocation {
  readonly number: number
  readonly startedAt: number
  /** The token that the next checkpoint must carry; undefined once an EXECUTION update was accepted (spec 05 §5.2). */
  token: string | undefined
  accepted: AcceptedCheckpoint[]
  /** What an EXECUTION update has fixed (spec 04 §4.7). */
  outcome: Outcome | undefined
  /** Completions from outside that checkpoint answers of this invocation carried (spec 06 §6.3). */
  lastAnswerHadNews: boolean
  anyAnswerHadNews: boolean
  /** The event that the function is handed (spec 06 §6.1). */
  readonly event: unknown
}

export interface Execution {
  readonly key: string
  readonly functionName: string
  readonly name: string
  readonly mode: 'sync' | 'async'
  readonly input: string
  readonly startedAt: number
  /** The chained invoke that started it. */
  readonly parent: { readonly key: string; readonly operationId: string } | undefined
  status: ExecutionStatus
  endedAt: number | undefined
  result: string | undefined
  error: ErrorObject | undefined
  /** In order of creation; the first is the EXECUTION operation. */
  operations: Operation[]
  history: Record<string, unknown>[]
  invocation: Invocation | undefined
  invocations: number
  arrivals: Arrival[]
  /** Changed by the service and not yet told to the function (spec 06 §6.1 UpdatedOperationIds). */
  untold: string[]
  /** When the next invocation begins by itself. */
  invokeAt: number | undefined
  /** Failed invocations in a row, and when the first of them ended (spec 06 §6.4). */
  failures: number
  failingSince: number | undefined
  /** Every token that was issued, in order; for requests with tokens of the past. */
  tokens: string[]
  /** The function's process that has not ended its invocation yet, which may be none of the execution's any more. */
  held: number | undefined
  /** Deleted (spec 01 §1.10): unknown to every call. */
  deleted: boolean
  /** Chained invokes whose targets have to be started: filled by a checkpoint, emptied by the world. */
  toStart: { readonly operationId: string; readonly functionName: string; readonly payload: string | undefined }[]
}

export const idOf = (key: string): string => unknown('execution', key)
/** Spec 09 §9.1. */
export const arnOf = ({ key, functionName, name }: Pick<Execution, 'key' | 'functionName' | 'name'>): string =>
  `${FUNCTION_ARN}:${functionName}:$LATEST/durable-execution/${name}/${idOf(key)}`
export const tokenOf = (key: string, invocation: number, n: number): string =>
  unknown('token', `${key} ${invocation}.${n}`)
export const callbackIdOf = (key: string, operationId: string): string => unknown('callback', `${key} ${operationId}`)
export const requestIdOf = (key: string, invocation: number): string => unknown('request', `${key} ${invocation}`)

export const timeoutSecondsOf = ({ functionName }: Pick<Execution, 'functionName'>): number =>
  FUNCTIONS[functionName]?.executionTimeout ?? 0
export const deadlineOf = (execution: Execution): number => execution.startedAt + timeoutSecondsOf(execution) * 1000

export const operationOf = (execution: Execution, id: string): Operation | undefined =>
  execution.operations.find((operation) => operation.id === id)

export const isTerminal = ({ status }: Operation): boolean =>
  status !== 'STARTED' && status !== 'PENDING' && status !== 'READY'

// ------------------------------------------------------------------------------------------------------- history

/** Appends an event (spec 03 §3.6, 11 §11.1): EventIds count from 1, without gaps. */
export function record(
  execution: Execution,
  now: number,
  type: string,
  operation: Operation | undefined,
  details: object,
): void {
  execution.history.push(
    present({
      EventId: execution.history.length + 1,
      EventType: type,
      EventTimestamp: new Instant(now),
      Id: operation?.id,
      ParentId: operation?.parentId,
      Name: operation?.name,
      SubType: operation?.subType,
      [`${type}Details`]: present(details),
    }),
  )
}

/** A payload wrapper (spec 03 §3.6, 11 §11.3). */
export const wrapped = (payload: unknown): object => present({ Payload: payload, Truncated: false })

/** The history without its data (spec 11 §11.3): payloads are left out, their wrappers say so. */
export function withoutData(event: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const type = String(event['EventType'])
  const details = event[`${type}Details`] as Readonly<Record<string, unknown>>
  const bare = Object.entries(details).map(([member, value]) =>
    ['Input', 'Result', 'Error'].includes(member) ? [member, { Truncated: true }] : [member, value],
  )
  return { ...event, [`${type}Details`]: Object.fromEntries(bare) }
}

// ----------------------------------------------------------------------------------------------------- operations

/** A copy that can be changed and thrown away. */
export function copyOf(execution: Execution): Execution {
  const { operations, history, invocation, arrivals, untold, toStart, tokens } = execution
  return {
    ...execution,
    operations: operations.map((operation) => ({ ...operation })),
    history: [...history],
    invocation: invocation === undefined ? undefined : { ...invocation, accepted: [...invocation.accepted] },
    arrivals: [...arrivals],
    untold: [...untold],
    toStart: [...toStart],
    tokens: [...tokens],
  }
}

const ENDED_EVENT: Readonly<Record<string, string>> = {
  SUCCEEDED: 'Succeeded',
  FAILED: 'Failed',
  TIMED_OUT: 'TimedOut',
  STOPPED: 'Stopped',
}

/** A callback or chained invoke ends: status, times, and its event (spec 11 §11.2). */
export function end(
  execution: Execution,
  operation: Operation,
  how: {
    readonly status: Operation['status']
    readonly result: string | undefined
    readonly error: ErrorObject | undefined
  },
  now: number,
): void {
  operation.status = how.status
  operation.endedAt = now
  operation.result = how.result
  operation.error = how.status === 'SUCCEEDED' ? undefined : (how.error ?? {})
  const kind = operation.type === 'CALLBACK' ? 'Callback' : 'ChainedInvoke'
  record(
    execution,
    now,
    `${kind}${ENDED_EVENT[how.status]}`,
    operation,
    how.status === 'SUCCEEDED' ? { Result: wrapped(how.result) } : { Error: wrapped(operation.error) },
  )
}

/** Spec 04 §4.8: what lies under a context that has ended without ReplayChildren is shown no more, however deep. */
export function isHidden(execution: Execution, { parentId }: Operation): boolean {
  if (parentId === undefined) return false
  const parent = operationOf(execution, parentId)
  if (parent === undefined) return false
  const hides = isTerminal(parent) && parent.replayChildren !== true
  return hides || isHidden(execution, parent)
}

export const visible = (execution: Execution): readonly Operation[] =>
  execution.operations.filter((operation) => !isHidden(execution, operation))

const moment = (ms: number | undefined): Instant | undefined => (ms === undefined ? undefined : new Instant(ms))

/** Spec 03 §3.4. */
export function shown(execution: Execution, operation: Operation): object {
  return present({
    Id: operation.id,
    ParentId: operation.parentId,
    Name: operation.name,
    Type: operation.type,
    SubType: operation.subType,
    StartTimestamp: moment(operation.startedAt),
    EndTimestamp: moment(operation.endedAt),
    Status: operation.status,
    ...details(execution, operation),
  })
}

function details(execution: Execution, operation: Operation): object {
  const ended = { Result: operation.result, Error: operation.error }
  switch (operation.type) {
    case 'EXECUTION':
      return { ExecutionDetails: { InputPayload: execution.input } }
    case 'CONTEXT':
      return { ContextDetails: present({ ReplayChildren: operation.replayChildren, ...ended }) }
    case 'STEP':
      return {
        StepDetails: present({
          // Choice (spec 12.3): 0 before the first attempt has ended.
          Attempt: operation.attempt,
          NextAttemptTimestamp: moment(operation.nextAttemptAt),
          ...ended,
        }),
      }
    case 'WAIT':
      return { WaitDetails: present({ ScheduledEndTimestamp: moment(operation.scheduledEndAt) }) }
    case 'CALLBACK':
      return { CallbackDetails: present({ CallbackId: operation.callbackId, ...ended }) }
    case 'CHAINED_INVOKE':
      return { ChainedInvokeDetails: present({ ...ended }) }
  }
}

// ------------------------------------------------------------------------------------------------ the whole of it

/** An element of ListDurableExecutionsByFunction (spec 01 §1.5). */
export function summary(execution: Execution): object {
  return present({
    DurableExecutionArn: arnOf(execution),
    DurableExecutionName: execution.name,
    FunctionArn: `${FUNCTION_ARN}:${execution.functionName}:$LATEST`,
    Status: execution.status,
    StartTimestamp: new Instant(execution.startedAt),
    EndTimestamp: moment(execution.endedAt),
  })
}

/** GetDurableExecution (spec 01 §1.3). */
export function description(execution: Execution, withData: boolean): object {
  return present({
    ...summary(execution),
    Version: '$LATEST',
    InputPayload: withData ? execution.input : undefined,
    Result: withData ? execution.result : undefined,
    Error: withData ? execution.error : undefined,
    DurableConfig: { ExecutionTimeout: timeoutSecondsOf(execution), RetentionPeriodInDays: RETENTION_DAYS },
    ExecutionDataIncluded: withData,
  })
}
