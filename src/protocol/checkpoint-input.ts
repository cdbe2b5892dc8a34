/**
 * Input of CheckpointDurableExecution, on the hot path: straight code over the constants of `constraints.ts` that
 * accepts what is valid. Whatever it does not accept it hands to the interpreter of `validate.ts`, which either finds
 * the error to tell or, were the two ever to disagree, the same input; a property test holds them together.
 */
import {
  CHECKPOINT_TOKEN,
  CLIENT_TOKEN,
  EXECUTION_ARN,
  FUNCTION_NAME,
  type IntegerConstraint,
  OPERATION_ACTION,
  OPERATION_ID,
  OPERATION_NAME,
  OPERATION_SUBTYPE,
  OPERATION_TYPE,
  PAYLOAD,
  STEP_DELAY_SECONDS,
  TENANT_ID,
  type TextConstraint,
  TIMEOUT_SECONDS,
  WAIT_SECONDS,
} from './constraints.ts'
import type { InputOf } from './operations.ts'
import type { ErrorObject, OperationAction, OperationType, OperationUpdate } from './shapes.ts'
import { NO_HEADERS, NO_QUERY, readInput } from './validate.ts'
import { ENDING, violation } from './violations.ts'

export interface CheckpointInput {
  readonly DurableExecutionArn: string
  readonly CheckpointToken: string
  readonly Updates: readonly OperationUpdate[]
  readonly ClientToken?: string
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
type Fields = { readonly [name: string]: unknown }

export function readCheckpoint(arn: string, body: unknown, limits: { updatesPerCheckpoint: number }): CheckpointInput {
  return accept(arn, body, limits.updatesPerCheckpoint) ?? explain(arn, body, limits.updatesPerCheckpoint)
}

/** The slow way: throws what is wrong. */
function explain(arn: string, body: unknown, maxUpdates: number): CheckpointInput {
  const raw = { labels: [arn], query: NO_QUERY, headers: NO_HEADERS, body }
  refuseTooMany(body, maxUpdates)
  const input: InputOf<'CheckpointDurableExecution'> = readInput('CheckpointDurableExecution', raw)
  return { ...input, Updates: input.Updates ?? [] }
}

/** Before anything is read of a list that is too long. */
function refuseTooMany(body: unknown, maxUpdates: number): void {
  const updates = isFields(body) ? body['Updates'] : undefined
  if (!Array.isArray(updates) || updates.length <= maxUpdates) return
  throw violation('updates', undefined, ENDING.maxLength(maxUpdates))
}

function accept(arn: string, body: unknown, maxUpdates: number): CheckpointInput | undefined {
  if (!isFields(body) || !fits(EXECUTION_ARN, arn)) return undefined
  const { CheckpointToken, ClientToken, Updates } = body
  if (typeof CheckpointToken !== 'string' || !fits(CHECKPOINT_TOKEN, CheckpointToken)) return undefined
  const updates = Updates === undefined || Updates === null ? [] : acceptUpdates(Updates, maxUpdates)
  if (updates === undefined) return undefined
  if (ClientToken === undefined || ClientToken === null) {
    return { DurableExecutionArn: arn, CheckpointToken, Updates: updates }
  }
  if (typeof ClientToken !== 'string' || !fits(CLIENT_TOKEN, ClientToken)) return undefined
  return { DurableExecutionArn: arn, CheckpointToken, Updates: updates, ClientToken }
}

function acceptUpdates(values: unknown, maxUpdates: number): OperationUpdate[] | undefined {
  if (!Array.isArray(values) || values.length > maxUpdates) return undefined
  const updates: OperationUpdate[] = []
  for (const value of values) {
    const update = acceptUpdate(value)
    if (update === undefined) return undefined
    updates.push(update)
  }
  return updates
}

function acceptUpdate(value: unknown): OperationUpdate | undefined {
  if (!isFields(value)) return undefined
  const { Id, ParentId, Name, Type, SubType, Action, Payload, Error: error } = value
  if (typeof Id !== 'string' || !fits(OPERATION_ID, Id)) return undefined
  if (typeof Type !== 'string' || !OPERATION_TYPE.set.has(Type)) return undefined
  if (typeof Action !== 'string' || !OPERATION_ACTION.set.has(Action)) return undefined
  const update: Writable<OperationUpdate> = { Id, Type: Type as OperationType, Action: Action as OperationAction }
  if (present(ParentId)) {
    if (typeof ParentId !== 'string' || !fits(OPERATION_ID, ParentId)) return undefined
    update.ParentId = ParentId
  }
  if (present(Name)) {
    if (typeof Name !== 'string' || !fits(OPERATION_NAME, Name)) return undefined
    update.Name = Name
  }
  if (present(SubType)) {
    if (typeof SubType !== 'string' || !fits(OPERATION_SUBTYPE, SubType)) return undefined
    update.SubType = SubType
  }
  if (present(Payload)) {
    if (typeof Payload !== 'string' || !fits(PAYLOAD, Payload)) return undefined
    update.Payload = Payload
  }
  if (present(error)) {
    const accepted = acceptError(error)
    if (accepted === undefined) return undefined
    update.Error = accepted
  }
  return acceptOptions(value, update) ? update : undefined
}

/** Reads the one member of options that an update of this type may carry, and any that it should not: the engine refuses these. */
function acceptOptions(fields: Fields, update: Writable<OperationUpdate>): boolean {
  const { ContextOptions, StepOptions, WaitOptions, CallbackOptions, ChainedInvokeOptions } = fields
  if (present(ContextOptions)) {
    if (!isFields(ContextOptions)) return false
    const { ReplayChildren } = ContextOptions
    if (present(ReplayChildren) && typeof ReplayChildren !== 'boolean') return false
    update.ContextOptions = typeof ReplayChildren === 'boolean' ? { ReplayChildren } : {}
  }
  if (present(StepOptions)) {
    if (!isFields(StepOptions)) return false
    const { NextAttemptDelaySeconds } = StepOptions
    if (!inRangeOrAbsent(STEP_DELAY_SECONDS, NextAttemptDelaySeconds)) return false
    update.StepOptions = present(NextAttemptDelaySeconds) ? { NextAttemptDelaySeconds } : {}
  }
  if (present(WaitOptions)) {
    if (!isFields(WaitOptions)) return false
    const { WaitSeconds } = WaitOptions
    if (!inRangeOrAbsent(WAIT_SECONDS, WaitSeconds)) return false
    update.WaitOptions = present(WaitSeconds) ? { WaitSeconds } : {}
  }
  if (present(CallbackOptions)) {
    if (!isFields(CallbackOptions)) return false
    const { TimeoutSeconds, HeartbeatTimeoutSeconds } = CallbackOptions
    if (!inRangeOrAbsent(TIMEOUT_SECONDS, TimeoutSeconds)) return false
    if (!inRangeOrAbsent(TIMEOUT_SECONDS, HeartbeatTimeoutSeconds)) return false
    update.CallbackOptions = {
      ...(present(TimeoutSeconds) ? { TimeoutSeconds: withoutSign(TimeoutSeconds) } : undefined),
      ...(present(HeartbeatTimeoutSeconds)
        ? { HeartbeatTimeoutSeconds: withoutSign(HeartbeatTimeoutSeconds) }
        : undefined),
    }
  }
  if (present(ChainedInvokeOptions)) {
    if (!isFields(ChainedInvokeOptions)) return false
    const { FunctionName, TenantId } = ChainedInvokeOptions
    if (typeof FunctionName !== 'string' || !fits(FUNCTION_NAME, FunctionName)) return false
    if (!present(TenantId)) {
      update.ChainedInvokeOptions = { FunctionName }
    } else {
      if (typeof TenantId !== 'string' || !fits(TENANT_ID, TenantId)) return false
      update.ChainedInvokeOptions = { FunctionName, TenantId }
    }
  }
  return true
}

function acceptError(value: unknown): ErrorObject | undefined {
  if (!isFields(value)) return undefined
  const { ErrorMessage, ErrorType, ErrorData, StackTrace } = value
  const error: Writable<ErrorObject> = {}
  if (present(ErrorMessage)) {
    if (typeof ErrorMessage !== 'string') return undefined
    error.ErrorMessage = ErrorMessage
  }
  if (present(ErrorType)) {
    if (typeof ErrorType !== 'string') return undefined
    error.ErrorType = ErrorType
  }
  if (present(ErrorData)) {
    if (typeof ErrorData !== 'string') return undefined
    error.ErrorData = ErrorData
  }
  if (present(StackTrace)) {
    if (!Array.isArray(StackTrace) || !StackTrace.every((line) => typeof line === 'string')) return undefined
    error.StackTrace = StackTrace
  }
  return error
}

const present = <T>(value: T): value is NonNullable<T> => value !== undefined && value !== null

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fits(constraint: TextConstraint, value: string): boolean {
  return (
    value.length >= constraint.minLength &&
    value.length <= constraint.maxLength &&
    (constraint.regex === undefined || constraint.regex.test(value))
  )
}

function inRangeOrAbsent(constraint: IntegerConstraint, value: unknown): value is number | null | undefined {
  if (value === undefined || value === null) return true
  return typeof value === 'number' && Number.isInteger(value) && value >= constraint.min && value <= constraint.max
}

/** JSON knows a negative zero; nothing else does. */
const withoutSign = (value: number): number => (value === 0 ? 0 : value)
