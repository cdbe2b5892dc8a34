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

/** What a limit may be set to: whole numbers within these bounds. */
export interface LimitRange {
  readonly min: number
  readonly max: number
}

/** The model's own bound of a payload (spec 03 §3.3): clients need not take, and shapes do not pass, a longer one. */
const PAYLOAD: LimitRange = { min: 1, max: 6_291_456 }
const BODY: LimitRange = { min: 1, max: 268_435_456 }
const COUNT: LimitRange = { min: 1, max: 1_000_000_000 }
const COUNT_OR_NONE: LimitRange = { min: 0, max: 1_000_000_000 }
const BYTES_OR_NONE: LimitRange = { min: 0, max: Number.MAX_SAFE_INTEGER }
/** As long as the timers of the platform can run. */
const DURATION_MS: LimitRange = { min: 1, max: 2_147_483_647 }
const DURATION_MS_OR_NONE: LimitRange = { min: 0, max: 2_147_483_647 }

export const LIMIT_RANGES: { readonly [name in keyof Limits]: LimitRange } = {
  syncPayloadBytes: PAYLOAD,
  asyncPayloadBytes: PAYLOAD,
  operationPayloadBytes: PAYLOAD,
  chainedPayloadBytes: PAYLOAD,
  updateErrorBytes: PAYLOAD,
  callbackResultBytes: PAYLOAD,
  callbackErrorBytes: PAYLOAD,
  checkpointBodyBytes: BODY,
  updatesPerCheckpoint: COUNT,
  operationsPerExecution: COUNT_OR_NONE,
  storagePerExecutionBytes: BYTES_OR_NONE,
  syncExecutionTimeoutSeconds: { min: 1, max: 31_622_400 },
  replayWindowMs: DURATION_MS_OR_NONE,
  eventOperations: COUNT,
  eventBytes: BODY,
  invocationRetryFirstMs: DURATION_MS,
  invocationRetryCapMs: DURATION_MS,
  invocationRetryGiveUpMs: DURATION_MS_OR_NONE,
  retentionDays: { min: 1, max: 36_500 },
  connections: COUNT,
  headerBytes: { min: 1_024, max: 16_777_216 },
  headersTimeoutMs: DURATION_MS,
  requestTimeoutMs: DURATION_MS,
  keepAliveTimeoutMs: DURATION_MS,
  bodyBytesInFlight: { min: 1, max: Number.MAX_SAFE_INTEGER },
  invokesInFlight: COUNT_OR_NONE,
  requestsInFlight: COUNT,
  queuedPerFunction: COUNT_OR_NONE,
  queuedBytesPerFunction: BYTES_OR_NONE,
}

/** The limits that an operator gave are not ones: everything that is wrong with them, in one text. */
export class InvalidLimitsError extends Error {
  override readonly name = 'InvalidLimitsError'

  constructor(faults: readonly string[]) {
    super(`The limits are wrong, so the server does not start: ${faults.join('; ')}.`)
  }
}

/** The defaults with what the operator set. Throws an `InvalidLimitsError` that tells every wrong name and value. */
export function resolveLimits(given: Partial<Limits> = {}): Limits {
  const faults = Object.entries(given).flatMap(([name, value]) => faultOf(name, value) ?? [])
  if (faults.length > 0) throw new InvalidLimitsError(faults)
  const set = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...DEFAULT_LIMITS, ...Object.fromEntries(set) }
}

/** `value` is whatever a configuration file held. */
function faultOf(name: string, value: unknown): string | undefined {
  if (!Object.hasOwn(LIMIT_RANGES, name)) return `there is no limit "${name}" (there are ${LIMIT_NAMES.join(', ')})`
  if (value === undefined) return undefined
  const { min, max } = LIMIT_RANGES[name as keyof Limits]
  if (Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max) return undefined
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return `${name} is ${shown} and must be a whole number from ${min} to ${max}`
}

export const LIMIT_NAMES = Object.keys(DEFAULT_LIMITS) as readonly (keyof Limits)[]
