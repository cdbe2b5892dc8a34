import type { Invocation } from './runtime-client.ts'

/** The second argument of a handler, member for member as the official client builds it. */
export interface InvocationContext {
  callbackWaitsForEmptyEventLoop: boolean
  readonly functionName: string | undefined
  readonly functionVersion: string | undefined
  readonly memoryLimitInMB: string | undefined
  readonly logGroupName: string | undefined
  readonly logStreamName: string | undefined
  readonly invokedFunctionArn: string | undefined
  readonly awsRequestId: string
  readonly clientContext?: unknown
  readonly identity?: unknown
  readonly tenantId?: string
  getRemainingTimeInMillis(): number
}

export function createContext(invocation: Invocation, callbackWaitsForEmptyEventLoop: boolean): InvocationContext {
  const { deadlineMs } = invocation
  return {
    callbackWaitsForEmptyEventLoop,
    functionName: process.env['AWS_LAMBDA_FUNCTION_NAME'],
    functionVersion: process.env['AWS_LAMBDA_FUNCTION_VERSION'],
    memoryLimitInMB: process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'],
    logGroupName: process.env['AWS_LAMBDA_LOG_GROUP_NAME'],
    logStreamName: process.env['AWS_LAMBDA_LOG_STREAM_NAME'],
    invokedFunctionArn: invocation.functionArn,
    awsRequestId: invocation.requestId,
    ...(invocation.clientContext === undefined ? {} : { clientContext: JSON.parse(invocation.clientContext) }),
    ...(invocation.identity === undefined ? {} : { identity: JSON.parse(invocation.identity) }),
    ...(invocation.tenantId === undefined ? {} : { tenantId: invocation.tenantId }),
    getRemainingTimeInMillis: () => Math.max(0, deadlineMs - Date.now()),
  }
}
