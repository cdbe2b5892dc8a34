/**
 * The operations of the table that this client has: durable executions, invocation, and what may be asked about
 * functions. Functions are managed with the tools that people have for it: AWS SDKs, the AWS CLI, deployment tools.
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
] as const satisfies readonly OperationName[]

export type ClientOperation = (typeof CLIENT_OPERATIONS)[number]
