/** What the oracle and the server under test are both told: the functions there are, and limits small enough to reach. */

export interface FunctionModel {
  /** Seconds; absent for a plain function. */
  readonly executionTimeout?: number
}

export const FUNCTIONS: Readonly<Record<string, FunctionModel>> = {
  /** Synchronous invokes allowed. */
  puppet: { executionTimeout: 900 },
  /** Times out soon; the durable target of chained invokes. */
  brief: { executionTimeout: 97 },
  /** Too long for synchronous invokes; outlives the windows of 10 and 15 minutes. */
  patient: { executionTimeout: 31_622_400 },
  /** Not durable. */
  plain: {},
}

export const RETENTION_DAYS = 14

export const LIMITS = {
  syncPayloadBytes: 4_000,
  asyncPayloadBytes: 3_000,
  operationPayloadBytes: 1_000,
  chainedPayloadBytes: 2_000,
  updateErrorBytes: 500,
  callbackResultBytes: 1_500,
  callbackErrorBytes: 1_500,
} as const

export const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
