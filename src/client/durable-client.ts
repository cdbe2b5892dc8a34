/**
 * The transport that a durable function may give to the official JavaScript SDK in place of the AWS SDK's client:
 *
 *     withDurableExecution(handler, { durableExecutionClient: durableClient() })
 *
 * It makes the two calls that a running function makes, as lean as they can be: no signature, no middleware, no model
 * to load, values passed on as they are. Failures tell the SDK how far they reach, in the shape that it looks for
 * (spec 05 §5.3, 10): a superseded or unlucky invocation ends and the execution goes on in another, a refused request
 * ends the execution.
 *
 * The types are those of the SDK by structure, so that this file needs neither SDK.
 */
import { randomUUID } from 'node:crypto'
import { OPERATIONS } from '../protocol/operations.ts'
import type { OperationAction, OperationStatus, OperationType } from '../protocol/shapes.ts'
import { type Attempts, attempt } from './attempts.ts'
import { ForeignServerError, PerdureError, RefusedError } from './errors.ts'
import { type HttpCall, HttpTransport } from './http-transport.ts'
import { jsonOf, success } from './refusal.ts'
import { type RetryPolicy, retryPolicy } from './retry.ts'

type Optional<Members> = { [Name in keyof Members]?: Members[Name] | undefined }

interface SdkError
  extends Optional<{ ErrorMessage: string; ErrorType: string; ErrorData: string; StackTrace: string[] }> {}

type Outcome = Optional<{ Result: string; Error: SdkError }>

/** An operation as the SDK reads it: times are dates. */
export interface SdkOperation
  extends Optional<{
    ParentId: string
    Name: string
    SubType: string
    EndTimestamp: Date
    ExecutionDetails: Optional<{ InputPayload: string }>
    ContextDetails: Optional<{ ReplayChildren: boolean }> & Outcome
    StepDetails: Optional<{ Attempt: number; NextAttemptTimestamp: Date }> & Outcome
    WaitDetails: Optional<{ ScheduledEndTimestamp: Date }>
    CallbackDetails: Optional<{ CallbackId: string }> & Outcome
    ChainedInvokeDetails: Outcome
  }> {
  Id: string | undefined
  Type: OperationType | undefined
  Status: OperationStatus | undefined
  StartTimestamp: Date | undefined
}

export interface SdkOperationUpdate
  extends Optional<{
    ParentId: string
    Name: string
    SubType: string
    Payload: string
    Error: SdkError
    ContextOptions: object
    StepOptions: object
    WaitOptions: object
    CallbackOptions: object
    ChainedInvokeOptions: object
  }> {
  Id: string | undefined
  Type: OperationType | undefined
  Action: OperationAction | undefined
}

export interface SdkCheckpoint
  extends Optional<{ CheckpointToken: string; Updates: SdkOperationUpdate[]; ClientToken: string }> {
  DurableExecutionArn: string | undefined
}

export interface SdkStateQuery extends Optional<{ CheckpointToken: string; Marker: string; MaxItems: number }> {
  DurableExecutionArn: string | undefined
}

/** What the SDK calls. */
export interface DurableClient {
  checkpoint(params: SdkCheckpoint): Promise<{
    CheckpointToken?: string | undefined
    NewExecutionState: { Operations?: SdkOperation[] | undefined; NextMarker?: string | undefined }
  }>
  getExecutionState(params: SdkStateQuery): Promise<{ Operations: SdkOperation[]; NextMarker?: string | undefined }>
  /** Closes its connections; a function process that ends need not. */
  close(): void
}

export interface DurableClientOptions {
  /** Default: the environment's AWS_ENDPOINT_URL_LAMBDA, which function processes have, else PERDURE_ENDPOINT. */
  readonly endpoint?: string | undefined
  readonly retry?: Partial<RetryPolicy> | undefined
  /** Of one attempt. Default 30 s. */
  readonly timeoutMs?: number | undefined
}

/** The failure of a call, with how far it reaches. */
export class DurableClientError extends Error {
  /** What the SDK looks for, because classes do not survive bundling twice. */
  readonly isDurableExecutionClientError = true
  readonly scope: 'INVOCATION' | 'EXECUTION'

  constructor(cause: PerdureError) {
    super(cause.message, { cause })
    this.name = cause.name
    this.scope = reach(cause)
  }
}

/** Of refusals only a stale token means that another invocation has taken over; all others are about the execution. */
function reach(error: PerdureError): 'INVOCATION' | 'EXECUTION' {
  if (error.consequence === 'retryable') return 'INVOCATION'
  const superseded = error instanceof RefusedError && /^invalid checkpoint token/i.test(error.message)
  return superseded || error instanceof ForeignServerError ? 'INVOCATION' : 'EXECUTION'
}

const DEFAULT_TIMEOUT_MS = 30_000
const [PREFIX = ''] = OPERATIONS.CheckpointDurableExecution.path.split('{')

/** One client serves every invocation of a process: make it once, outside the handler. */
export function durableClient(options: DurableClientOptions = {}): DurableClient {
  const endpoint =
    options.endpoint ?? (process.env['AWS_ENDPOINT_URL_LAMBDA'] || process.env['PERDURE_ENDPOINT'] || undefined)
  if (endpoint === undefined) {
    throw new TypeError('durableClient has no endpoint: set AWS_ENDPOINT_URL_LAMBDA or PERDURE_ENDPOINT, or pass one')
  }
  const transport = new HttpTransport(endpoint)
  const policy = retryPolicy(options.retry)
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const calls = { transport, policy }

  return {
    async checkpoint({ DurableExecutionArn = '', ClientToken = randomUUID(), CheckpointToken, Updates }) {
      const body = (await request(calls, {
        method: 'POST',
        path: `${PREFIX}${encodeURIComponent(DurableExecutionArn)}/checkpoint`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ CheckpointToken, Updates, ClientToken }),
        timeoutMs,
      })) as { CheckpointToken?: string; NewExecutionState?: { Operations?: WireOperation[]; NextMarker?: string } }
      const state = body.NewExecutionState
      return {
        CheckpointToken: body.CheckpointToken,
        NewExecutionState: { Operations: state?.Operations?.map(dated), NextMarker: state?.NextMarker },
      }
    },

    async getExecutionState({ DurableExecutionArn = '', CheckpointToken = '', Marker, MaxItems }) {
      const query = new URLSearchParams({ CheckpointToken })
      if (Marker !== undefined) query.set('Marker', Marker)
      if (MaxItems !== undefined) query.set('MaxItems', String(MaxItems))
      const body = (await request(calls, {
        method: 'GET',
        // A plus sign stays one: tokens and markers hold them.
        path: `${PREFIX}${encodeURIComponent(DurableExecutionArn)}/state?${query.toString().replaceAll('+', '%20')}`,
        timeoutMs,
      })) as { Operations?: WireOperation[]; NextMarker?: string }
      return { Operations: (body.Operations ?? []).map(dated), NextMarker: body.NextMarker }
    },

    close: () => transport.close(),
  }
}

async function request(attempts: Attempts, call: HttpCall): Promise<unknown> {
  const { endpoint } = attempts.transport
  try {
    return await attempt(attempts, call, (answer) => jsonOf(endpoint, success(endpoint, answer)))
  } catch (error) {
    throw error instanceof PerdureError ? new DurableClientError(error) : error
  }
}

type WireOperation = {
  StartTimestamp?: number
  EndTimestamp?: number
  StepDetails?: { NextAttemptTimestamp?: number }
  WaitDetails?: { ScheduledEndTimestamp?: number }
}

const date = (seconds: number) => new Date(Math.round(seconds * 1000))

/** The operation with dates in place of epoch seconds; the one that was parsed, changed in place. */
function dated(wire: WireOperation): SdkOperation {
  const operation = wire as unknown as SdkOperation
  const { StartTimestamp, EndTimestamp, StepDetails, WaitDetails } = wire
  if (StartTimestamp !== undefined) operation.StartTimestamp = date(StartTimestamp)
  if (EndTimestamp !== undefined) operation.EndTimestamp = date(EndTimestamp)
  if (StepDetails?.NextAttemptTimestamp !== undefined) {
    operation.StepDetails = { ...operation.StepDetails, NextAttemptTimestamp: date(StepDetails.NextAttemptTimestamp) }
  }
  if (WaitDetails?.ScheduledEndTimestamp !== undefined) {
    operation.WaitDetails = { ScheduledEndTimestamp: date(WaitDetails.ScheduledEndTimestamp) }
  }
  return operation
}
