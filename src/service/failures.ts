/** The errors that the service itself answers with, beside those that the engine decides. */
import { ApiError, invalidParameter, TEXT } from '../protocol/errors.ts'
import type { ErrorObject } from '../protocol/shapes.ts'

/** Nothing is known to have happened; clients try again (spec 05 §5.9). */
export const unavailable = (): ApiError =>
  new ApiError('ServiceException', 'The service could not complete the request. Please try again.')

export const shuttingDown = (): ApiError =>
  new ApiError('ServiceException', 'The service is shutting down. Please try again.')

/** Back-pressure (decision 18): refused before anything was done. */
export const busy = (): ApiError =>
  new ApiError('TooManyRequestsException', 'Rate Exceeded.', {
    extra: { Reason: 'CallerRateLimitExceeded' },
    headers: { 'Retry-After': '1' },
  })

export const executionNotFound = (): ApiError => new ApiError('ResourceNotFoundException', TEXT.executionNotFound)
export const callbackClosed = (): ApiError => new ApiError('CallbackTimeoutException', TEXT.callbackClosed)
export const invalidToken = (): ApiError => invalidParameter(TEXT.invalidToken)
export const invalidMarker = (): ApiError => invalidParameter(TEXT.invalidMarker)

/** How the executions and chained invokes of a deleted function end (spec 06 §6.4). */
export const functionDeleted = (arn: string): ErrorObject => ({
  ErrorType: 'ResourceNotFoundException',
  ErrorMessage: `Function not found: ${arn}`,
})

export const alreadyStarted = (arn: string): ApiError =>
  new ApiError('DurableExecutionAlreadyStartedException', `Execution already started: ${arn}`)

/** The service could not do it now and may be able to later. */
export const isTemporary = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === 'ServiceException' || error.code === 'TooManyRequestsException')

/** There is no such execution, or not any more. */
export const isNotFound = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 'ResourceNotFoundException'
