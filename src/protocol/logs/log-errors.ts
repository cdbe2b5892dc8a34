/** The errors of the CloudWatch Logs calls, with their status: like all of AWS JSON 1.1 that are the caller's, 400. */

export const LOG_ERRORS = {
  InvalidParameterException: 400,
  ResourceNotFoundException: 400,
  ResourceAlreadyExistsException: 400,
  SerializationException: 400,
  UnknownOperationException: 400,
} as const

export type LogErrorName = keyof typeof LOG_ERRORS

/** An answer that is an error of a CloudWatch Logs call. */
export class LogsApiError extends Error {
  readonly code: LogErrorName

  constructor(code: LogErrorName, message: string) {
    super(message)
    this.name = code
    this.code = code
  }
}

export const invalidLogParameter = (message: string): LogsApiError =>
  new LogsApiError('InvalidParameterException', message)

export const groupNotFound = (): LogsApiError =>
  new LogsApiError('ResourceNotFoundException', 'The specified log group does not exist.')
