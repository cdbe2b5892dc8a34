/**
 * The one table of limits. The defaults are the real service's values (spec 08 §8.7–8.8, 04 §4.4); an operator may
 * change each. Units are last in the name. A limit of 0 means "not enforced" where the comment says so.
 */
export const DEFAULT_LIMITS = {
  /** Input of a synchronous Invoke and result of an execution started by one (spec 08 §8.7). */
  syncPayloadBytes: 6_291_456,
  /** Input of an asynchronous Invoke and result of such an execution. */
  asyncPayloadBytes: 1_048_576,
  /** Payload of a STEP, CONTEXT, WAIT or CALLBACK update (spec 04 §4.4). */
  operationPayloadBytes: 262_144,
  /** Input and output of a chained invoke. */
  chainedPayloadBytes: 1_048_576,
  /** An Error in an update must be smaller than this, serialised. */
  updateErrorBytes: 32_768,
  /** Result of a callback (spec 12.2 row 3). */
  callbackResultBytes: 1_048_576,
  /** Error of a callback or of StopDurableExecution. */
  callbackErrorBytes: 1_048_576,
  /** Body of a checkpoint request: 250 updates of the SDKs need 750 KB, one execution result 6 MB (spec 05 §5.8). */
  checkpointBodyBytes: 8_388_608,
  /** Updates in one checkpoint request. No modelled limit; SDKs send 250 at most. */
  updatesPerCheckpoint: 10_000,
  /** Operations per execution; 0 = not enforced (the real service: 3,000). */
  operationsPerExecution: 0,
  /** Payload bytes written per execution; 0 = not enforced (the real service: 100 MB). */
  storagePerExecutionBytes: 0,
  /** ExecutionTimeout up to which a function may be invoked synchronously. */
  syncExecutionTimeoutSeconds: 900,
  /** How long a (token, ClientToken) pair answers again (spec 05 §5.4). */
  replayWindowMs: 900_000,
  /** Operations and bytes in the event of an invocation; the rest is paged (spec 06 §6.1). */
  eventOperations: 1_000,
  eventBytes: 5_000_000,
  /** Back-off of an invocation that its function failed (spec 06 §6.4, decision 17). */
  invocationRetryFirstMs: 1_000,
  invocationRetryCapMs: 60_000,
  /** After so long without an invocation that ended normally the execution fails; 0 = never. */
  invocationRetryGiveUpMs: 600_000,
  /** Retention where DurableConfig gives none. */
  retentionDays: 14,

  // The HTTP server's own limits: what one process takes on at a time. No figures of the real service.

  /** Open connections; further ones are closed at once. */
  connections: 10_000,
  /** Request line and headers (the real service: 1 MB). */
  headerBytes: 65_536,
  /**
   * From the first byte of a request to the end of its headers, and to the end of its body; the latter is also how
   * long the reader of a large answer may stall.
   */
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  /** An idle connection; longer than the SDKs keep theirs, so that they close first. */
  keepAliveTimeoutMs: 75_000,
  /** Bytes of request bodies held at a time. Beyond, Invoke gets 429 and other requests are not read (decision 18). */
  bodyBytesInFlight: 268_435_456,
  /** Invokes between their arrival and their start in the journal. Beyond, 429. */
  invokesInFlight: 1_000,
  /** Other requests being worked on. Beyond, Invoke gets 429 and other requests are not read. */
  requestsInFlight: 4_000,
  /** Synchronous invocations of one plain function that wait for a process, by number and by payload bytes. Beyond, 429. */
  queuedPerFunction: 1_000,
  queuedBytesPerFunction: 67_108_864,
} as const

export type Limits = { readonly [name in keyof typeof DEFAULT_LIMITS]: number }
