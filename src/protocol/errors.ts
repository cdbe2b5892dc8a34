/**
 * The one table of errors that the API answers with (spec 01 §1.0, 02 §2.1), and the exception that carries one.
 * Code throws or returns `ApiError`; the server writes it; the documentation page is made from this table.
 */

export interface ErrorRow {
  readonly httpStatus: number
  /** `User` for the caller's faults, `Service` for ours. */
  readonly fault: 'User' | 'Service'
  /** Which spelling the real service uses for the text; SDKs accept both. */
  readonly messageMember: 'message' | 'Message'
}

export const ERRORS = {
  InvalidParameterValueException: { httpStatus: 400, fault: 'User', messageMember: 'message' },
  ValidationException: { httpStatus: 400, fault: 'User', messageMember: 'message' },
  SerializationException: { httpStatus: 400, fault: 'User', messageMember: 'message' },
  InvalidRequestContentException: { httpStatus: 400, fault: 'User', messageMember: 'message' },
  CallbackTimeoutException: { httpStatus: 400, fault: 'User', messageMember: 'Message' },
  AccessDeniedException: { httpStatus: 403, fault: 'User', messageMember: 'Message' },
  CodeStorageExceededException: { httpStatus: 400, fault: 'User', messageMember: 'message' },
  ModeNotSupportedException: { httpStatus: 400, fault: 'User', messageMember: 'message' },
  ResourceNotFoundException: { httpStatus: 404, fault: 'User', messageMember: 'Message' },
  ProvisionedConcurrencyConfigNotFoundException: { httpStatus: 404, fault: 'User', messageMember: 'message' },
  UnknownOperationException: { httpStatus: 404, fault: 'User', messageMember: 'message' },
  // In no model. SDKs know it among the failures that pass, and send the request again.
  RequestTimeoutException: { httpStatus: 408, fault: 'User', messageMember: 'message' },
  ResourceConflictException: { httpStatus: 409, fault: 'User', messageMember: 'Message' },
  DurableExecutionAlreadyStartedException: { httpStatus: 409, fault: 'User', messageMember: 'Message' },
  PreconditionFailedException: { httpStatus: 412, fault: 'User', messageMember: 'Message' },
  RequestTooLargeException: { httpStatus: 413, fault: 'User', messageMember: 'message' },
  RequestEntityTooLargeException: { httpStatus: 413, fault: 'User', messageMember: 'message' },
  TooManyRequestsException: { httpStatus: 429, fault: 'User', messageMember: 'message' },
  ServiceException: { httpStatus: 500, fault: 'Service', messageMember: 'Message' },
} as const satisfies Record<string, ErrorRow>

export type ErrorName = keyof typeof ERRORS

/** Every operation may answer with these. */
export const COMMON_ERRORS = [
  'ValidationException',
  'SerializationException',
  'InvalidParameterValueException',
  'AccessDeniedException',
  'RequestTimeoutException',
  'RequestEntityTooLargeException',
  'TooManyRequestsException',
  'ServiceException',
] as const satisfies readonly ErrorName[]

/** An answer that is an error of the API. `extra` members go into the body (`Reason`), `headers` onto the response. */
export class ApiError extends Error {
  readonly code: ErrorName
  readonly extra: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: ErrorName,
    message: string,
    options: { extra?: Readonly<Record<string, string>>; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(message)
    this.name = code
    this.code = code
    this.extra = options.extra ?? {}
    this.headers = options.headers ?? {}
  }

  get httpStatus(): number {
    return ERRORS[this.code].httpStatus
  }
}

export const invalidParameter = (message: string): ApiError => new ApiError('InvalidParameterValueException', message)

/** Semantic texts that more than one room answers with. Spec sections in the comments. */
export const TEXT = {
  invalidToken: 'Invalid checkpoint token', // 05 §5.3
  foreignToken: 'Checkpoint token is not valid for the durable execution ARN', // 05 §5.3
  callbackClosed: 'The callback is either timed out or already completed', // 08 §8.5
  invalidCallbackId: 'Invalid callback id', // 08 §8.5
  executionNotFound: 'Durable Execution does not exist', // 01 §1.3
  executionRunning: 'The durable execution is running. Only a closed execution can be deleted: stop it first.', // 01 §1.10
  invalidMarker: 'Invalid Marker', // 01 §1.0
  unqualified: 'You cannot invoke a durable function using an unqualified ARN.', // 07 §7.1
} as const
