/** Updates as SDKs send them, for scripts. */
import type { OperationUpdate } from '../../src/protocol/shapes.ts'

export const stepDone = (id: string, payload = `"${id}"`): OperationUpdate[] => [
  { Id: id, Type: 'STEP', Action: 'START' },
  { Id: id, Type: 'STEP', Action: 'SUCCEED', Payload: payload },
]

export const retryIn = (id: string, seconds: number): OperationUpdate => ({
  Id: id,
  Type: 'STEP',
  Action: 'RETRY',
  Error: { ErrorType: 'Flaky', ErrorMessage: 'try again' },
  StepOptions: { NextAttemptDelaySeconds: seconds },
})

export const wait = (id: string, seconds: number): OperationUpdate => ({
  Id: id,
  Type: 'WAIT',
  Action: 'START',
  WaitOptions: { WaitSeconds: seconds },
})

export const callback = (id: string, options: OperationUpdate['CallbackOptions'] = {}): OperationUpdate => ({
  Id: id,
  Type: 'CALLBACK',
  Action: 'START',
  CallbackOptions: options,
})

export const invoke = (id: string, functionName: string, payload?: string, tenantId?: string): OperationUpdate => ({
  Id: id,
  Type: 'CHAINED_INVOKE',
  Action: 'START',
  ChainedInvokeOptions: { FunctionName: functionName, ...(tenantId === undefined ? {} : { TenantId: tenantId }) },
  ...(payload === undefined ? {} : { Payload: payload }),
})
