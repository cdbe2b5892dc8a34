/** Builders of updates as SDKs send them (spec 03 §3.3). `more` adds or overrides members, also with nonsense. */
export type Update = Readonly<Record<string, unknown>>

const of =
  (Type: string, SubType: string) =>
  (Action: string, Id: string, members: Update, more: Update): Update => ({
    Id,
    Type,
    SubType,
    Action,
    ...members,
    ...more,
  })

const stepOf = of('STEP', 'Step')
const contextOf = of('CONTEXT', 'RunInChildContext')
const waitOf = of('WAIT', 'Wait')
const callbackOf = of('CALLBACK', 'Callback')
const invokeOf = of('CHAINED_INVOKE', 'ChainedInvoke')
const executionOf = of('EXECUTION', 'Execution')

/** An error as user code might throw it. */
export const boom = { ErrorType: 'Boom', ErrorMessage: 'it broke' } as const

export const step = {
  start: (id: string, more: Update = {}) => stepOf('START', id, {}, more),
  succeed: (id: string, payload?: string, more: Update = {}) => stepOf('SUCCEED', id, { Payload: payload }, more),
  fail: (id: string, error?: object, more: Update = {}) => stepOf('FAIL', id, { Error: error }, more),
  retry: (id: string, delaySeconds: number, more: Update = {}) =>
    stepOf('RETRY', id, { StepOptions: { NextAttemptDelaySeconds: delaySeconds } }, more),
}

export const context = {
  start: (id: string, more: Update = {}) => contextOf('START', id, {}, more),
  succeed: (id: string, payload?: string, more: Update = {}) => contextOf('SUCCEED', id, { Payload: payload }, more),
  fail: (id: string, error?: object, more: Update = {}) => contextOf('FAIL', id, { Error: error }, more),
}

export const wait = {
  start: (id: string, seconds: number, more: Update = {}) =>
    waitOf('START', id, { WaitOptions: { WaitSeconds: seconds } }, more),
  cancel: (id: string, more: Update = {}) => waitOf('CANCEL', id, {}, more),
}

export const callback = {
  start: (id: string, options?: { TimeoutSeconds?: number; HeartbeatTimeoutSeconds?: number }, more: Update = {}) =>
    callbackOf('START', id, { CallbackOptions: options }, more),
}

export const invoke = {
  start: (id: string, functionName: string, payload?: string, more: Update = {}) =>
    invokeOf('START', id, { Payload: payload, ChainedInvokeOptions: { FunctionName: functionName } }, more),
}

export const execution = {
  succeed: (payload?: string, more: Update = {}) =>
    executionOf('SUCCEED', 'execution-result-1', { Payload: payload }, more),
  fail: (error?: object, more: Update = {}) => executionOf('FAIL', 'execution-result-1', { Error: error }, more),
}

/** One update of each type with that action and the members it cannot do without. */
export const bare = (type: string, action: string, id: string): Update => ({
  Id: id,
  Type: type,
  Action: action,
  ...(action === 'RETRY' ? { StepOptions: { NextAttemptDelaySeconds: 1 } } : {}),
  ...(type === 'WAIT' && action === 'START' ? { WaitOptions: { WaitSeconds: 1 } } : {}),
  ...(type === 'CHAINED_INVOKE' && action === 'START' ? { ChainedInvokeOptions: { FunctionName: 'unheeded' } } : {}),
})
