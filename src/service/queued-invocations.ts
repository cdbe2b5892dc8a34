/**
 * Asynchronous invocations of plain functions (spec 07 §7.7): an outbox row each, durable before the caller is
 * answered, run at least once. A function that fails is tried twice more, after one and two minutes; what the platform
 * fails is tried again with back-off until the invocation is six hours old.
 */
import type { OutboxRow } from '../journal/store.ts'
import type { Committer } from './committer.ts'
import { unavailable } from './failures.ts'
import type { ServiceLog } from './log.ts'
import type { Outbox } from './outbox.ts'
import type { PlainRuns } from './plain-runs.ts'
import type { Clock, Entropy, FunctionVersion } from './ports.ts'
import type { Pauses } from './retries.ts'

/** One attempt that is owed; a retry is a new row that replaces this one. */
export interface QueuedInvocation {
  readonly kind: 'invokeQueued'
  readonly requestId: string
  readonly functionName: string
  readonly version: string
  readonly payload: string
  readonly tenantId?: string
  readonly traceHeader?: string
  readonly acceptedAt: number
  /** Attempts that the function has failed. */
  readonly failedAttempts: number
  readonly notBeforeMs: number
}

const RETRIES = 2
const RETRY_DELAY_MS = 60_000
const PLATFORM_RETRY_CAP_MS = 300_000
const MAX_AGE_MS = 21_600_000

export class QueuedInvocations {
  readonly #committer: Committer
  readonly #plainRuns: PlainRuns
  readonly #pauses: Pauses
  readonly #clock: Clock
  readonly #entropy: Entropy
  readonly #outbox: () => Outbox
  readonly #stopped: () => boolean
  readonly #log: ServiceLog

  constructor(deps: {
    committer: Committer
    plainRuns: PlainRuns
    pauses: Pauses
    clock: Clock
    entropy: Entropy
    outbox: () => Outbox
    stopped: () => boolean
    log: ServiceLog
  }) {
    this.#committer = deps.committer
    this.#plainRuns = deps.plainRuns
    this.#pauses = deps.pauses
    this.#clock = deps.clock
    this.#entropy = deps.entropy
    this.#outbox = deps.outbox
    this.#stopped = deps.stopped
    this.#log = deps.log
  }

  async enqueue(request: {
    readonly target: FunctionVersion
    readonly payload: string
    readonly tenantId?: string
    readonly traceHeader?: string
  }): Promise<{ readonly requestId: string }> {
    const { target, payload, tenantId, traceHeader } = request
    const requestId = this.#entropy.uuid()
    const now = this.#clock.now()
    await this.#post({
      kind: 'invokeQueued',
      requestId,
      functionName: target.name,
      version: target.version,
      payload,
      ...(tenantId === undefined ? undefined : { tenantId }),
      ...(traceHeader === undefined ? undefined : { traceHeader }),
      acceptedAt: now,
      failedAttempts: 0,
      notBeforeMs: now,
    })
    return { requestId }
  }

  /** Runs one attempt. `done` when its row may go: it succeeded, was given up, or the next attempt has a row. */
  async deliver(row: OutboxRow, owed: QueuedInvocation): Promise<'done' | 'later'> {
    if (owed.notBeforeMs > this.#clock.now()) await this.#pauses.until(owed.notBeforeMs)
    if (this.#stopped()) return 'later'
    const { requestId, functionName, version, payload, tenantId, traceHeader } = owed
    for (let failures = 0; ; failures++) {
      const run = { id: row.id, requestId, functionName, version, payload, tenantId, traceHeader }
      const result = await this.#plainRuns.run(run)
      if (result.kind === 'response') return 'done'
      if (result.kind === 'deleted') return this.#givenUp(owed, 'its function was deleted')
      if (result.kind === 'error') return this.#failed(owed)
      if (this.#stopped()) return 'later'
      if (this.#clock.now() - owed.acceptedAt >= MAX_AGE_MS) return this.#givenUp(owed, 'it is too old')
      await this.#pauses.afterFailures(failures, PLATFORM_RETRY_CAP_MS)
    }
  }

  async #failed(owed: QueuedInvocation): Promise<'done'> {
    const failedAttempts = owed.failedAttempts + 1
    if (failedAttempts > RETRIES) return this.#givenUp(owed, 'its retries are exhausted')
    const notBeforeMs = this.#clock.now() + failedAttempts * RETRY_DELAY_MS
    // The row of the next attempt is durable before this one goes: a crash in between runs one attempt twice.
    await this.#post({ ...owed, failedAttempts, notBeforeMs })
    return 'done'
  }

  #givenUp({ requestId, functionName, version }: QueuedInvocation, why: string): 'done' {
    const message = `Asynchronous invocation ${requestId} of ${functionName}:${version} was dropped: ${why}`
    this.#log('warn', message, undefined, { requestId, functionName })
    return 'done'
  }

  async #post(owed: QueuedInvocation): Promise<void> {
    const row = {
      id: `${owed.requestId}/${owed.failedAttempts}/invokeQueued`,
      executionId: owed.requestId,
      text: JSON.stringify(owed),
    }
    if (await this.#committer.post(row)) return this.#outbox().add(row, owed)
    this.#outbox().lostTrack()
    throw unavailable()
  }
}
