/** `perdure/client`: what runs beside user code. The typed client of the API, and the lean transport for the official SDK. */
export {
  type CallOptions,
  type ClientOptions,
  type LoggedLine,
  type LogsQuery,
  PerdureClient,
  type ServerVersion,
} from './client.ts'
export { type DurableClient, DurableClientError, type DurableClientOptions, durableClient } from './durable-client.ts'
export {
  AccessDeniedException,
  CallbackTimeoutException,
  type Consequence,
  DurableExecutionAlreadyStartedException,
  ForeignServerError,
  InvalidParameterValueException,
  InvalidRequestContentException,
  InvalidRequestError,
  PerdureError,
  type Refusal,
  RefusedError,
  RequestEntityTooLargeException,
  RequestTimeoutException,
  RequestTooLargeException,
  ResourceConflictException,
  ResourceNotFoundException,
  SerializationException,
  ServiceException,
  TooManyRequestsException,
  UnknownOperationException,
  UnreachableError,
  ValidationException,
} from './errors.ts'
export { HistoryFollower } from './history-follower.ts'
export * from './requests.ts'
export type {
  DescribedExecution,
  ErrorObject,
  EventType,
  ExecutionStatus,
  FunctionConfiguration,
  HistoryEvent,
  InvokeResponse,
  ListedExecution,
  Operation,
  ResponseOf,
} from './responses.ts'
export { DEFAULT_RETRY, type RetryPolicy } from './retry.ts'
