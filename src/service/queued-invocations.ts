/**
 * Asynchronous invocations of plain functions (spec 07 §7.7): an outbox row each, durable before the caller is
 * answered, run at least once. What the function fails is tried again as often as its configuration says, after one
 * minute, two and so on; what the platform fails is tried again with back-off. Both only until the event is too old.
 * The configuration is looked at whenever it is needed, so that a change of it also counts for what waits already.
 */
import type { OutboxRow } from '../journal/store.ts'
import { functionArn, type Place } from '../protocol/arn.ts'
import { deliveryRow } from './deliveries.ts'
import { isTemporary } from './failures.ts'
import { deadLetterAttributes, errorMessageIn, invocationRecord } from './invocation-record.ts'
import type { ServiceLog } from './log.ts'
import type { Outbox, OwedRow } from './outbox.ts'
import { inOrderOf, runChannel } from './outbox-channels.ts'
import type { Deleted, Expired, PlainRuns } from './plain-runs.ts'
import type {
  AsynchronousSettings,
  Clock,
  Entropy,
  Functions,
  FunctionVersion,
  InvocationResult,
  Metrics,
} from './ports.ts'
import { backOffMs, type Pauses } from './retries.ts'

/** One attempt that is owed; a retry is a new row that replaces this one. */
export interface QueuedInvocation {
  readonly kind: 'invokeQueued'
  readonly requestId: string
  readonly functionName: string
  readonly version: string
  /** Of a function that was created through the API. */
  readonly generation?: number
  /** What it was invoked with, which says whose configuration holds. Absent in rows of before: the version. */
  readonly qualifier?: string
  readonly payload: string
  readonly tenantId?: string
  readonly traceHeader?: string
  /** How many deliveries to functions have led to it, one after another. Absent: none. */
  readonly hops?: number
  readonly acceptedAt: number
  /** Attempts that the function has failed. */
  readonly failedAttempts: number
  /** Those that the platform has failed before the last of them: some may be lost in a crash. */
  readonly platformFailures?: number
  /** What the function answered when it failed last; left out when it is long. */
  readonly lastError?: string
  readonly notBeforeMs: number
}

/** How an asynchronous invocation ended, in the words of the destination record (spec 07 §7.7). */
export type Condition = 'Success' | 'RetriesExhausted' | 'EventAgeExceeded'

export const DEFAULT_RETRY_ATTEMPTS = 2
export const DEFAULT_EVENT_AGE_SECONDS = 21_600
const RETRY_DELAY_MS = 60_000
const PLATFORM_RETRY_CAP_MS = 300_000
/** A failure is kept from one attempt to the next up to this length. */
const KEPT_ERROR_CHARS = 65_536

const REASONS: Readonly<Record<Exclude<Condition, 'Success'>, string>> = {
  RetriesExhausted: 'its retries are exhausted',
  EventAgeExceeded: 'it is too old',
}

export class QueuedInvocations {
  readonly #place: Place
  readonly #functions: Functions
  readonly #plainRuns: PlainRuns
  readonly #pauses: Pauses
  readonly #clock: Clock
  readonly #entropy: Entropy
  readonly #outbox: () => Outbox
  readonly #stopped: () => boolean
  readonly #log: ServiceLog
  readonly #metrics: Metrics

  constructor(deps: {
    place: Place
    functions: Functions
    plainRuns: PlainRuns
    pauses: Pauses
    clock: Clock
    entropy: Entropy
    outbox: () => Outbox
    stopped: () => boolean
    log: ServiceLog
    metrics: Metrics
  }) {
    this.#place = deps.place
    this.#functions = deps.functions
    this.#plainRuns = deps.plainRuns
    this.#pauses = deps.pauses
    this.#clock = deps.clock
    this.#entropy = deps.entropy
    this.#outbox = deps.outbox
    this.#stopped = deps.stopped
    this.#log = deps.log
    this.#metrics = deps.metrics
  }

  async enqueue(request: {
    readonly target: FunctionVersion
    readonly qualifier: string | undefined
    readonly payload: string
    readonly tenantId?: string
    readonly traceHeader?: string
    /** Default: a new one. */
    readonly requestId?: string
    readonly hops?: number
    /** When it came up first, by which a repeat finds it. Default: now. */
    readonly queuedAt?: number
  }): Promise<{ readonly requestId: string }> {
    const { target, qualifier, payload, tenantId, traceHeader, hops, requestId = this.#entropy.uuid() } = request
    const now = this.#clock.now()
    const { queuedAt = now } = request
    const owed: QueuedInvocation = {
      kind: 'invokeQueued',
      requestId,
      functionName: target.name,
      version: target.version,
      ...(target.generation === undefined ? undefined : { generation: target.generation }),
      // `$LATEST.PUBLISHED` stands for a number, and has no configuration of its own.
      qualifier: qualifier === undefined || qualifier.startsWith('$LATEST') ? target.version : qualifier,
      payload,
      ...(tenantId === undefined ? undefined : { tenantId }),
      ...(traceHeader === undefined ? undefined : { traceHeader }),
      ...(hops === undefined ? undefined : { hops }),
      acceptedAt: now,
      failedAttempts: 0,
      notBeforeMs: now,
    }
    await this.#post(owed, queuedAt)
    return { requestId }
  }

  /** Runs one attempt. `done` when its row may go: it succeeded, was given up, or the next attempt has a row. */
  async deliver(row: OutboxRow, owed: QueuedInvocation): Promise<'done' | 'later'> {
    if (owed.notBeforeMs > this.#clock.now()) await this.#pauses.until(owed.notBeforeMs)
    const platformFailures = owed.platformFailures ?? 0
    for (let failures = 0; ; failures++) {
      if (this.#stopped()) return 'later'
      const failed = { ...owed, platformFailures: platformFailures + failures }
      const result = await this.#attempt(row, owed)
      if (result.kind === 'expired') return this.#end(failed, 'EventAgeExceeded', owed.lastError)
      if (result.kind === 'deleted') return this.#deleted(owed)
      if (result.kind === 'response') return this.#end(failed, 'Success', utf8.decode(result.body))
      if (result.kind === 'error') return this.#failed(failed, result)
      await this.#pauses.until(
        Math.min(this.#clock.now() + backOffMs(failures, PLATFORM_RETRY_CAP_MS), this.#expiryOf(owed)),
      )
    }
  }

  async #attempt(row: OutboxRow, owed: QueuedInvocation): Promise<InvocationResult | Deleted | Expired> {
    const expiresAtMs = this.#expiryOf(owed)
    if (this.#clock.now() >= expiresAtMs) return { kind: 'expired' }
    const { requestId, functionName, version, generation, payload, tenantId, traceHeader } = owed
    const run = { id: row.id, requestId, functionName, version, generation, payload, tenantId, traceHeader }
    return this.#plainRuns.runBefore(run, expiresAtMs)
  }

  #failed(owed: QueuedInvocation, { body }: InvocationResult & { kind: 'error' }): Promise<'done' | 'later'> {
    const failedAttempts = owed.failedAttempts + 1
    const failed = { ...owed, failedAttempts, lastError: body }
    const { retryAttempts = DEFAULT_RETRY_ATTEMPTS } = this.#settingsOf(owed)
    if (failedAttempts > retryAttempts) return this.#end(failed, 'RetriesExhausted', body)
    // It is looked at again at the end of its age at the latest, which then is told in time.
    const notBeforeMs = Math.min(this.#clock.now() + failedAttempts * RETRY_DELAY_MS, this.#expiryOf(owed))
    const { lastError, ...rest } = { ...failed, notBeforeMs }
    // The row of the next attempt is durable before this one goes: a crash in between runs one attempt twice.
    return this.#persist(() => this.#post(lastError.length > KEPT_ERROR_CHARS ? rest : { ...rest, lastError }))
  }

  /** Its destinations went with the function. */
  #deleted({ requestId, functionName, version }: QueuedInvocation): 'done' {
    this.#metrics.counter('perdure_async_invocations_ended_total', functionName, 'FunctionDeleted').add()
    const message = `Asynchronous invocation ${requestId} of ${functionName}:${version} was dropped: its function was deleted`
    this.#log('warn', message, undefined, { requestId, functionName })
    return 'done'
  }

  /** Its destinations are told, then it is over. */
  async #end(owed: QueuedInvocation, condition: Condition, response: string | undefined): Promise<'done' | 'later'> {
    const { requestId, functionName, version } = owed
    const rows = this.#rowsAtEnd(owed, condition, response)
    const kept = await this.#persist(async () => {
      for (const row of rows) await this.#outbox().post(row)
    })
    if (kept === 'later') return kept
    this.#metrics.counter('perdure_async_invocations_ended_total', functionName, condition).add()
    if (condition !== 'Success') {
      const end = rows.length > 0 ? 'was given up and goes to its destination' : 'was dropped'
      const message = `Asynchronous invocation ${requestId} of ${functionName}:${version} ${end}: ${REASONS[condition]}`
      this.#log('warn', message, undefined, { requestId, functionName })
    }
    return 'done'
  }

  #rowsAtEnd(owed: QueuedInvocation, condition: Condition, response: string | undefined): readonly OwedRow[] {
    const { requestId, functionName, version, qualifier = version, payload, hops = 0 } = owed
    const { onSuccess, onFailure, deadLetterTarget } = this.#settingsOf(owed)
    const succeeded = condition === 'Success'
    const same = { subject: requestId, executionId: requestId, hops, about: { requestId, functionName } }
    const rows: OwedRow[] = []
    const destination = succeeded ? onSuccess : onFailure
    const now = this.#clock.now()
    if (destination !== undefined) {
      const body = invocationRecord({
        at: now,
        requestId,
        functionArn: functionArn(this.#place, functionName, qualifier),
        condition,
        attempts: owed.failedAttempts + (owed.platformFailures ?? 0) + (succeeded ? 1 : 0),
        payload,
        version,
        response,
      })
      rows.push(deliveryRow({ ...same, of: succeeded ? 'onSuccess' : 'onFailure', destination, body, queuedAt: now }))
    }
    if (!succeeded && deadLetterTarget !== undefined) {
      const message = response === undefined ? undefined : errorMessageIn(response)
      const attributes = deadLetterAttributes(requestId, message)
      rows.push(
        deliveryRow({
          ...same,
          of: 'deadLetter',
          destination: deadLetterTarget,
          body: payload,
          attributes,
          queuedAt: now,
        }),
      )
    }
    return rows
  }

  /** The function has run: what follows from it is tried until the store takes it, and the function not run again. */
  async #persist(post: () => Promise<void>): Promise<'done' | 'later'> {
    for (let failures = 0; ; failures++) {
      try {
        await post()
        return 'done'
      } catch (error) {
        if (!isTemporary(error)) throw error
        if (this.#stopped()) return 'later'
        await this.#pauses.afterFailures(failures)
      }
    }
  }

  #settingsOf({ functionName: name, version, qualifier = version }: QueuedInvocation): AsynchronousSettings {
    return this.#functions.asynchronous?.({ name, qualifier, version }) ?? {}
  }

  #expiryOf(owed: QueuedInvocation): number {
    const { eventAgeSeconds = DEFAULT_EVENT_AGE_SECONDS } = this.#settingsOf(owed)
    return owed.acceptedAt + eventAgeSeconds * 1_000
  }

  async #post(owed: QueuedInvocation, queuedAt = owed.acceptedAt): Promise<void> {
    const { requestId, functionName, failedAttempts } = owed
    const row = {
      id: `${runChannel(functionName)}/${inOrderOf(queuedAt)}/${requestId}/${failedAttempts}`,
      executionId: requestId,
      text: JSON.stringify(owed),
    }
    await this.#outbox().post({ row, owed })
  }
}

const utf8 = new TextDecoder()
