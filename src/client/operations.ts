/**
 * The operations of the table that this client has: durable executions, invocation, and the management of functions.
 * A new operation is named here, and gets its class in `requests.ts`, its answer in `responses.ts` and its method in
 * `client.ts`; the compiler and the tests ask for each.
 */
import type { OperationName } from '../protocol/operations.ts'

export const CLIENT_OPERATIONS = [
  'CheckpointDurableExecution',
  'GetDurableExecutionState',
  'GetDurableExecutionHistory',
  'StopDurableExecution',
  'GetDurableExecution',
  'DeleteDurableExecution',
  'ListDurableExecutionsByFunction',
  'SendDurableExecutionCallbackSuccess',
  'SendDurableExecutionCallbackFailure',
  'SendDurableExecutionCallbackHeartbeat',
  'Invoke',
  'GetFunctionConfiguration',
  'GetFunction',
  'ListFunctions',
  'CreateFunction',
  'UpdateFunctionCode',
  'UpdateFunctionConfiguration',
  'DeleteFunction',
  'PublishVersion',
  'ListVersionsByFunction',
  'CreateAlias',
  'GetAlias',
  'UpdateAlias',
  'DeleteAlias',
  'ListAliases',
  'PutFunctionConcurrency',
  'GetFunctionConcurrency',
  'DeleteFunctionConcurrency',
  'PutFunctionEventInvokeConfig',
  'UpdateFunctionEventInvokeConfig',
  'GetFunctionEventInvokeConfig',
  'DeleteFunctionEventInvokeConfig',
  'ListFunctionEventInvokeConfigs',
  'TagResource',
  'UntagResource',
  'ListTags',
  'GetAccountSettings',
  'AddPermission',
  'RemovePermission',
  'GetPolicy',
  'PutProvisionedConcurrencyConfig',
  'GetProvisionedConcurrencyConfig',
  'DeleteProvisionedConcurrencyConfig',
  'GetRuntimeManagementConfig',
  'PutRuntimeManagementConfig',
  'GetFunctionRecursionConfig',
  'PutFunctionRecursionConfig',
  'GetFunctionCodeSigningConfig',
] as const satisfies readonly OperationName[]

export type ClientOperation = (typeof CLIENT_OPERATIONS)[number]
