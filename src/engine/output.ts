/** What a durable function returned (spec 06 §6.2), read with suspicion. */
import type { ErrorObject } from '../protocol/shapes.ts'
import type { ExecutionOutcome } from './model.ts'

export type FunctionOutput =
  | { readonly status: 'PENDING'; readonly reported?: undefined }
  /** `reported` is the handler's own error, for InvocationCompleted; not one that the service finds. */
  | { readonly status: 'ENDED'; readonly outcome: ExecutionOutcome; readonly reported?: ErrorObject }

/** Never throws: whatever is wrong with the text ends the execution with the service's error (spec 06 §6.3). */
export function readOutput(body: string): FunctionOutput {
  const output = parseObject(body)
  if (output === undefined) return invalid('Invalid Status in invocation output.')
  const result = output['Result'] ?? undefined
  const error = output['Error'] ?? undefined
  switch (output['Status']) {
    case 'PENDING':
      return { status: 'PENDING' }
    case 'SUCCEEDED':
      if (error !== undefined) return invalid('Cannot provide an Error for SUCCEEDED status.')
      if (result === undefined) return { status: 'ENDED', outcome: { status: 'SUCCEEDED' } }
      if (typeof result !== 'string') return invalid('Invalid Result in invocation output.')
      return { status: 'ENDED', outcome: { status: 'SUCCEEDED', result } }
    case 'FAILED': {
      if (result !== undefined) return invalid('Cannot provide a Result for FAILED status.')
      const reported = readErrorObject(error)
      return { status: 'ENDED', outcome: { status: 'FAILED', error: reported }, reported }
    }
    default:
      return invalid('Invalid Status in invocation output.')
  }
}

function invalid(ErrorMessage: string): FunctionOutput {
  const error = { ErrorType: 'InvalidParameterValueException', ErrorMessage }
  return { status: 'ENDED', outcome: { status: 'FAILED', error } }
}

function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** The modelled members of an ErrorObject that have the modelled types; anything else is left out. */
export function readErrorObject(value: unknown): ErrorObject {
  if (typeof value !== 'object' || value === null) return {}
  const { ErrorMessage, ErrorType, ErrorData, StackTrace } = value as Record<string, unknown>
  return {
    ...(typeof ErrorMessage === 'string' ? { ErrorMessage } : undefined),
    ...(typeof ErrorType === 'string' ? { ErrorType } : undefined),
    ...(typeof ErrorData === 'string' ? { ErrorData } : undefined),
    ...(Array.isArray(StackTrace) ? { StackTrace: StackTrace.filter((line) => typeof line === 'string') } : undefined),
  }
}
