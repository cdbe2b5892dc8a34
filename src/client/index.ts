/** `perdure/client`: what runs beside user code. The typed client of the API, and the lean transport for the official SDK. */
export {
  type AttachedWorker,
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
  CodeStorageExceededException,
  type Consequence,
  DurableExecutionAlreadyStartedException,
  ForeignServerError,
  InvalidParameterValueException,
  InvalidRequestContentException,
  InvalidRequestError,
  PerdureError,
  PreconditionFailedException,
  ProvisionedConcurrencyConfigNotFoundException,
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
  AliasConfiguration,
  DescribedExecution,
  ErrorObject,
  EventInvokeConfig,
  EventType,
  ExecutionStatus,
  FunctionConfiguration,
  HistoryEvent,
  InvokeResponse,
  LayerVersion,
  ListedExecution,
  Operation,
  ResponseOf,
} from './responses.ts'
export { DEFAULT_RETRY, type RetryPolicy } from './retry.ts'
