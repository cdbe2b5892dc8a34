/**
 * What can go wrong between a caller and a server. Every error says by its `consequence` what to do with it: what is
 * `retryable` may succeed when the same request is made again (this client did so already, as far as it was allowed
 * to), what is `terminal` will fail in the same way each time.
 *
 *     PerdureError
 *     ├─ InvalidRequestError     the request breaks a constraint of the API; it was not sent
 *     ├─ RefusedError            the server answered with an error: a subclass for each name that it can have
 *     ├─ UnreachableError        no answer: nobody listens, the connection broke, or it took too long
 *     └─ ForeignServerError      an answer that no server of this API gives
 */
import type { ErrorName } from '../protocol/errors.ts'

export type Consequence = 'retryable' | 'terminal'

export abstract class PerdureError extends Error {
  abstract readonly consequence: Consequence
}

/** A request that breaks a constraint of the API, found before it was sent; the text is the one that a server gives. */
export class InvalidRequestError extends PerdureError {
  readonly consequence = 'terminal'
  readonly operation: string

  constructor(operation: string, what: string) {
    super(`${operation}: ${what}`)
    this.name = 'InvalidRequestError'
    this.operation = operation
  }
}

/** What an answer tells about an error. */
export interface Refusal {
  readonly code: string
  readonly message: string
  readonly httpStatus: number
  readonly requestId: string | undefined
  /** Of a TooManyRequestsException. */
  readonly reason: string | undefined
  /** From `Retry-After`. */
  readonly retryAfterMs: number | undefined
}

/** The server answered with an error of the API. */
export class RefusedError extends PerdureError implements Refusal {
  readonly code: string
  readonly httpStatus: number
  readonly requestId: string | undefined
  readonly reason: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(refusal: Refusal) {
    super(refusal.message)
    this.name = refusal.code
    this.code = refusal.code
    this.httpStatus = refusal.httpStatus
    this.requestId = refusal.requestId
    this.reason = refusal.reason
    this.retryAfterMs = refusal.retryAfterMs
  }

  /** Throttling, faults of the server and a request that never arrived pass; everything else is about the request. */
  get consequence(): Consequence {
    if (KMS_FAULTS.has(this.code)) return 'terminal'
    return RETRYABLE_STATUSES.has(this.httpStatus) || this.httpStatus >= 500 ? 'retryable' : 'terminal'
  }
}

const RETRYABLE_STATUSES = new Set([408, 429])

/** They come with status 502, but only a change of the key mends them (spec 01 §1.0). */
const KMS_FAULTS = new Set([
  'KMSAccessDeniedException',
  'KMSDisabledException',
  'KMSInvalidStateException',
  'KMSNotFoundException',
])

export class AccessDeniedException extends RefusedError {}
export class CallbackTimeoutException extends RefusedError {}
export class CodeStorageExceededException extends RefusedError {}
export class DurableExecutionAlreadyStartedException extends RefusedError {}
export class InvalidParameterValueException extends RefusedError {}
export class InvalidRequestContentException extends RefusedError {}
export class PreconditionFailedException extends RefusedError {}
export class ProvisionedConcurrencyConfigNotFoundException extends RefusedError {}
export class RequestEntityTooLargeException extends RefusedError {}
export class RequestTimeoutException extends RefusedError {}
export class RequestTooLargeException extends RefusedError {}
export class ResourceConflictException extends RefusedError {}
export class ResourceNotFoundException extends RefusedError {}
export class SerializationException extends RefusedError {}
export class ServiceException extends RefusedError {}
export class TooManyRequestsException extends RefusedError {}
export class UnknownOperationException extends RefusedError {}
export class ValidationException extends RefusedError {}

/** Those that the operations of this client are answered with; any other is a `RefusedError`. */
export const REFUSALS: { readonly [Name in ErrorName]?: typeof RefusedError } = {
  AccessDeniedException,
  CallbackTimeoutException,
  CodeStorageExceededException,
  DurableExecutionAlreadyStartedException,
  InvalidParameterValueException,
  InvalidRequestContentException,
  PreconditionFailedException,
  ProvisionedConcurrencyConfigNotFoundException,
  RequestEntityTooLargeException,
  RequestTimeoutException,
  RequestTooLargeException,
  ResourceConflictException,
  ResourceNotFoundException,
  SerializationException,
  ServiceException,
  TooManyRequestsException,
  UnknownOperationException,
  ValidationException,
}

/** The error of the class that its name has; of `RefusedError` itself for a name that this version does not know. */
export function refusedError(refusal: Refusal): RefusedError {
  const Refused = Object.hasOwn(REFUSALS, refusal.code) ? REFUSALS[refusal.code as ErrorName] : undefined
  return new (Refused ?? RefusedError)(refusal)
}

/** No answer: the connection was refused, broke, or took too long. Whether the server did anything is not known. */
export class UnreachableError extends PerdureError {
  readonly consequence = 'retryable'
  readonly endpoint: string
  /** Node's code of the cause (`ECONNREFUSED`, `ENOTFOUND`, `ETIMEDOUT`, …). */
  readonly reason: string
  readonly retryAfterMs: number | undefined

  constructor(
    endpoint: string,
    reason: string,
    options?: ErrorOptions & { readonly retryAfterMs?: number | undefined },
  ) {
    super(`no answer from ${endpoint} (${reason})`, options)
    this.name = 'UnreachableError'
    this.endpoint = endpoint
    this.reason = reason
    this.retryAfterMs = options?.retryAfterMs
  }
}

/** An answer that no server of this API gives: the port belongs to something else. */
export class ForeignServerError extends PerdureError {
  readonly consequence = 'terminal'
  readonly endpoint: string

  constructor(endpoint: string, what: string, options?: ErrorOptions) {
    super(`${endpoint} does not answer like a Perdure server: ${what}`, options)
    this.name = 'ForeignServerError'
    this.endpoint = endpoint
  }
}
