/**
 * The one table of API operations: name, method, path, input members with their places and constraints, success status
 * and errors. It drives routing, validation and the documentation (spec 01, 02).
 */
import {
  BOOLEAN,
  CALLBACK_ID,
  CHECKPOINT_TOKEN,
  CLASSIC_MAX_ITEMS,
  CLIENT_CONTEXT,
  CLIENT_TOKEN,
  type Constraint,
  ERROR_OBJECT,
  EXECUTION_ARN,
  EXECUTION_NAME,
  FUNCTION_NAME,
  FUNCTION_VERSION_FILTER,
  INVOCATION_TYPE,
  LOG_TYPE,
  MARKER,
  MAX_ITEMS,
  QUALIFIER,
  STATUSES,
  TENANT_ID,
  TIMESTAMP,
  UPDATES,
  type ValuesOf,
} from './constraints.ts'
import { COMMON_ERRORS, type ErrorName } from './errors.ts'
import { FUNCTION_OPERATIONS } from './function-operations.ts'
import { LAYER_OPERATIONS } from './layer-operations.ts'

export interface InputMember {
  /**
   * `path`: the label of the template. `query` and `header`: by `wireName`. `body`: a member of the JSON body.
   * `payload`: the body as a whole is this structure.
   */
  readonly in: 'path' | 'query' | 'header' | 'body' | 'payload'
  /** Where it differs from the member's own name; header names in lower case. */
  readonly wireName?: string
  readonly constraint: Constraint
  readonly required?: boolean
}

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

export interface OperationSpec {
  readonly name: string
  readonly method: Method
  /**
   * A label `{Name}` is one percent-encoded segment; `{Name+}` may also arrive with real slashes (spec 01 §1.0). Behind a
   * question mark: the one parameter that tells the operation from another of the same path.
   */
  readonly path: string
  readonly input: { readonly [member: string]: InputMember }
  /** The body is bytes that no constraint describes (a payload, a callback's result). */
  readonly rawBody?: boolean
  readonly status: number
  readonly errors: readonly ErrorName[]
}

const executionArn = { in: 'path', constraint: EXECUTION_ARN, required: true } as const
const functionName = { in: 'path', constraint: FUNCTION_NAME, required: true } as const
const callbackId = { in: 'path', constraint: CALLBACK_ID, required: true } as const
const qualifier = { in: 'query', constraint: QUALIFIER } as const
const includeExecutionData = { in: 'query', constraint: BOOLEAN } as const
const marker = { in: 'query', constraint: MARKER } as const
const maxItems = { in: 'query', constraint: MAX_ITEMS } as const

const WITH_NOT_FOUND = [...COMMON_ERRORS, 'ResourceNotFoundException'] as const satisfies readonly ErrorName[]
const CALLBACK = [...COMMON_ERRORS, 'CallbackTimeoutException'] as const satisfies readonly ErrorName[]

export const OPERATIONS = {
  CheckpointDurableExecution: {
    name: 'CheckpointDurableExecution',
    method: 'POST',
    path: '/2025-12-01/durable-executions/{DurableExecutionArn+}/checkpoint',
    input: {
      DurableExecutionArn: executionArn,
      CheckpointToken: { in: 'body', constraint: CHECKPOINT_TOKEN, required: true },
      Updates: { in: 'body', constraint: UPDATES },
      ClientToken: { in: 'body', constraint: CLIENT_TOKEN },
    },
    status: 200,
    errors: COMMON_ERRORS,
  },
  GetDurableExecutionState: {
    name: 'GetDurableExecutionState',
    method: 'GET',
    path: '/2025-12-01/durable-executions/{DurableExecutionArn+}/state',
    input: {
      DurableExecutionArn: executionArn,
      CheckpointToken: { in: 'query', constraint: CHECKPOINT_TOKEN, required: true },
      Marker: marker,
      MaxItems: maxItems,
    },
    status: 200,
    errors: COMMON_ERRORS,
  },
  GetDurableExecutionHistory: {
    name: 'GetDurableExecutionHistory',
    method: 'GET',
    path: '/2025-12-01/durable-executions/{DurableExecutionArn+}/history',
    input: {
      DurableExecutionArn: executionArn,
      IncludeExecutionData: includeExecutionData,
      MaxItems: maxItems,
      Marker: marker,
      ReverseOrder: { in: 'query', constraint: BOOLEAN },
    },
    status: 200,
    errors: WITH_NOT_FOUND,
  },
  StopDurableExecution: {
    name: 'StopDurableExecution',
    method: 'POST',
    path: '/2025-12-01/durable-executions/{DurableExecutionArn+}/stop',
    input: {
      DurableExecutionArn: executionArn,
      Error: { in: 'payload', constraint: ERROR_OBJECT },
    },
    status: 200,
    errors: WITH_NOT_FOUND,
  },
  GetDurableExecution: {
    name: 'GetDurableExecution',
    method: 'GET',
    path: '/2025-12-01/durable-executions/{DurableExecutionArn+}',
    input: { DurableExecutionArn: executionArn, IncludeExecutionData: includeExecutionData },
    status: 200,
    errors: WITH_NOT_FOUND,
  },
  DeleteDurableExecution: {
    name: 'DeleteDurableExecution',
    method: 'DELETE',
    path: '/2025-12-01/durable-executions/{DurableExecutionArn+}',
    input: { DurableExecutionArn: executionArn },
    status: 202,
    errors: [...WITH_NOT_FOUND, 'ResourceConflictException'],
  },
  ListDurableExecutionsByFunction: {
    name: 'ListDurableExecutionsByFunction',
    method: 'GET',
    path: '/2025-12-01/functions/{FunctionName}/durable-executions',
    input: {
      FunctionName: functionName,
      Qualifier: qualifier,
      DurableExecutionName: { in: 'query', constraint: EXECUTION_NAME },
      Statuses: { in: 'query', constraint: STATUSES },
      StartedAfter: { in: 'query', constraint: TIMESTAMP },
      StartedBefore: { in: 'query', constraint: TIMESTAMP },
      ReverseOrder: { in: 'query', constraint: BOOLEAN },
      Marker: marker,
      MaxItems: maxItems,
    },
    status: 200,
    errors: WITH_NOT_FOUND,
  },
  SendDurableExecutionCallbackSuccess: {
    name: 'SendDurableExecutionCallbackSuccess',
    method: 'POST',
    path: '/2025-12-01/durable-execution-callbacks/{CallbackId+}/succeed',
    input: { CallbackId: callbackId },
    rawBody: true,
    status: 200,
    errors: CALLBACK,
  },
  SendDurableExecutionCallbackFailure: {
    name: 'SendDurableExecutionCallbackFailure',
    method: 'POST',
    path: '/2025-12-01/durable-execution-callbacks/{CallbackId+}/fail',
    input: { CallbackId: callbackId, Error: { in: 'payload', constraint: ERROR_OBJECT } },
    status: 200,
    errors: CALLBACK,
  },
  SendDurableExecutionCallbackHeartbeat: {
    name: 'SendDurableExecutionCallbackHeartbeat',
    method: 'POST',
    path: '/2025-12-01/durable-execution-callbacks/{CallbackId+}/heartbeat',
    input: { CallbackId: callbackId },
    status: 200,
    errors: CALLBACK,
  },
  Invoke: {
    name: 'Invoke',
    method: 'POST',
    path: '/2015-03-31/functions/{FunctionName}/invocations',
    input: {
      FunctionName: functionName,
      Qualifier: qualifier,
      InvocationType: { in: 'header', wireName: 'x-amz-invocation-type', constraint: INVOCATION_TYPE },
      LogType: { in: 'header', wireName: 'x-amz-log-type', constraint: LOG_TYPE },
      ClientContext: { in: 'header', wireName: 'x-amz-client-context', constraint: CLIENT_CONTEXT },
      DurableExecutionName: { in: 'header', wireName: 'x-amz-durable-execution-name', constraint: EXECUTION_NAME },
      TenantId: { in: 'header', wireName: 'x-amz-tenant-id', constraint: TENANT_ID },
    },
    rawBody: true,
    status: 200,
    errors: [
      ...WITH_NOT_FOUND,
      'InvalidRequestContentException',
      'RequestTooLargeException',
      'DurableExecutionAlreadyStartedException',
    ],
  },
  GetFunctionConfiguration: {
    name: 'GetFunctionConfiguration',
    method: 'GET',
    path: '/2015-03-31/functions/{FunctionName}/configuration',
    input: { FunctionName: functionName, Qualifier: qualifier },
    status: 200,
    errors: WITH_NOT_FOUND,
  },
  GetFunction: {
    name: 'GetFunction',
    method: 'GET',
    path: '/2015-03-31/functions/{FunctionName}',
    input: { FunctionName: functionName, Qualifier: qualifier },
    status: 200,
    errors: WITH_NOT_FOUND,
  },
  ListFunctions: {
    name: 'ListFunctions',
    method: 'GET',
    path: '/2015-03-31/functions',
    input: {
      FunctionVersion: { in: 'query', constraint: FUNCTION_VERSION_FILTER },
      Marker: marker,
      MaxItems: { in: 'query', constraint: CLASSIC_MAX_ITEMS },
    },
    status: 200,
    errors: COMMON_ERRORS,
  },
  ...FUNCTION_OPERATIONS,
  ...LAYER_OPERATIONS,
} as const satisfies Record<string, OperationSpec>

export type OperationName = keyof typeof OPERATIONS
/** What a valid request of an operation holds. */
export type InputOf<Name extends OperationName> = ValuesOf<(typeof OPERATIONS)[Name]['input']>
