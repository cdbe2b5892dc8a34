/**
 * What is delivered to the outside: records of asynchronous invocations, dead letters, changes of status. Each is a row
 * of the outbox; at least once, with a key that is the same for every try. A webhook is asked again with back-off, for
 * a day; a function is invoked asynchronously, from when on the invocation's own retries count.
 *
 * While a webhook does not answer, the few rows that may be under way keep their places, so that all the others of its
 * channel wait without asking. What it refuses by itself (a status like 400) makes room for the others.
 */
import { hash } from 'node:crypto'
import type { OutboxRow } from '../journal/store.ts'
import { ApiError } from '../protocol/errors.ts'
import type { Activity } from './activity.ts'
import { uuidOf } from './clock-adapters.ts'
import { type Destinations, shownDestination } from './destinations.ts'
import type { LogSubject, ServiceLog } from './log.ts'
import type { OwedRow } from './outbox.ts'
import { inOrderOf, sendChannel } from './outbox-channels.ts'
import type { Clock, Functions, FunctionVersion, Metrics, WebhookAnswer, Webhooks } from './ports.ts'
import type { QueuedInvocations } from './queued-invocations.ts'
import { backOffMs, type Pauses } from './retries.ts'
import type { Starts } from './starts.ts'

export type DeliveryKind = 'onSuccess' | 'onFailure' | 'deadLetter' | 'statusChange'

export interface Delivery {
  readonly kind: 'deliver'
  readonly of: DeliveryKind
  /** As it was configured: what it means is looked up when it is delivered. */
  readonly destination: string
  /** A UUID. */
  readonly key: string
  /** JSON text. */
  readonly body: string
  /** Told beside the body where there is room for it, as headers. */
  readonly attributes?: Readonly<Record<string, string>>
  readonly queuedAt: number
  /** How many deliveries to functions have led to this one. Absent: none. */
  readonly hops?: number
  readonly about: LogSubject
}

const MAX_AGE_MS = 86_400_000
/** However old it is: a server that was down for long, or slept, tries as often before it gives up. */
const FAILURES_AT_LEAST = 10
const RETRY_CAP_MS = 300_000
/** What a webhook asks for beyond that is not granted. */
const LONGEST_ASKED_MS = 3_600_000
/** As the real service, which ends loops after about as many rounds. */
const MAX_HOPS = 16
/** Tries before a row leaves its place to another one. */
const TRIES_IN_PLACE = 3

/** The row of something to be delivered. `subject` is what it is about: with the same subject it has the same key. */
export function deliveryRow(
  delivery: Omit<Delivery, 'kind' | 'key'> & { readonly subject: string; readonly executionId: string },
): OwedRow {
  const { subject, executionId, ...rest } = delivery
  const key = uuidOf(hash('sha256', `${subject}/${delivery.of}`))
  const owed: Delivery = { kind: 'deliver', key, ...rest }
  const id = `${sendChannel(delivery.destination)}/${inOrderOf(delivery.queuedAt)}/${key}`
  return { row: { id, executionId, text: JSON.stringify(owed) }, owed }
}

export class Deliveries {
  readonly #webhooks: Webhooks
  readonly #destinations: Destinations
  readonly #functions: Functions
  readonly #starts: Starts
  readonly #queuedInvocations: QueuedInvocations
  readonly #clock: Clock
  readonly #pauses: Pauses
  readonly #activity: Activity
  readonly #log: ServiceLog
  readonly #metrics: Metrics
  readonly #stop = new AbortController()
  /** Webhooks that do not work, by destination: how often that was seen in a row, and why it was the last time. */
  readonly #failing = new Map<string, { readonly failures: number; readonly reason: string }>()
  /** Webhooks of which it was said that they refuse something. */
  readonly #refusing = new Set<string>()

  constructor(deps: {
    webhooks: Webhooks
    destinations: Destinations
    functions: Functions
    starts: Starts
    queuedInvocations: QueuedInvocations
    clock: Clock
    pauses: Pauses
    activity: Activity
    log: ServiceLog
    metrics: Metrics
  }) {
    this.#webhooks = deps.webhooks
    this.#destinations = deps.destinations
    this.#functions = deps.functions
    this.#starts = deps.starts
    this.#queuedInvocations = deps.queuedInvocations
    this.#clock = deps.clock
    this.#pauses = deps.pauses
    this.#activity = deps.activity
    this.#log = deps.log
    this.#metrics = deps.metrics
  }

  async deliver(row: OutboxRow, owed: Delivery, failures: number): Promise<'done' | 'later'> {
    if (this.#stop.signal.aborted) return 'later'
    if (failures >= FAILURES_AT_LEAST && this.#clock.now() - owed.queuedAt >= MAX_AGE_MS) {
      return this.#dropped(row, owed, 'expired', 'it could not be delivered for a day')
    }
    const to = this.#destinations.find(owed.destination)
    if (to === undefined) {
      return this.#dropped(row, owed, 'unmapped', 'the configuration of the server maps it to no webhook or function')
    }
    if (to.kind === 'webhook') return this.#send(to.url, owed)
    const version = this.#functions.resolve(to.name, to.qualifier)
    // The function may be created yet: a change of the functions ends the wait.
    if (version === undefined) return 'later'
    if (version.perTenant) return this.#dropped(row, owed, 'refused', 'the function isolates its tenants')
    if ((owed.hops ?? 0) >= MAX_HOPS) {
      return this.#dropped(
        row,
        owed,
        'refused',
        `it is the last of ${MAX_HOPS} in a row: functions tell each other in a circle`,
      )
    }
    await this.#invoke(version, to.qualifier, owed)
    return this.#delivered(owed)
  }

  /** Requests under way are ended; their rows stay. */
  stop(): void {
    this.#stop.abort(new Error('The service is shutting down.'))
  }

  async #send(url: string, owed: Delivery): Promise<'done' | 'later'> {
    for (let tries = 1; ; tries++) {
      const answer = await this.#try(url, owed)
      if (this.#stop.signal.aborted) return 'later'
      if (isAccepted(answer)) {
        this.#works(owed)
        return this.#delivered(owed)
      }
      this.#metrics.counter('perdure_delivery_failures_total', owed.of).add()
      if (isItsOwnFault(answer)) {
        this.#refuses(owed, answer)
        return 'later'
      }
      const failures = this.#fails(owed, answer)
      await this.#pauses.until(this.#clock.now() + Math.max(backOffMs(failures - 1, RETRY_CAP_MS), askedMs(answer)))
      if (this.#stop.signal.aborted || tries === TRIES_IN_PLACE) return 'later'
    }
  }

  async #try(url: string, { of, key, body, attributes = {} }: Delivery): Promise<WebhookAnswer> {
    const headers = { 'Idempotency-Key': key, 'Perdure-Delivery': of, ...attributes }
    this.#activity.begin()
    try {
      return await this.#webhooks.post({ url, headers, body }, this.#stop.signal)
    } finally {
      this.#activity.end()
    }
  }

  /** The key is the request's id, or the execution's name: a repeat finds it there. */
  async #invoke(version: FunctionVersion, qualifier: string | undefined, owed: Delivery): Promise<void> {
    const { key, body, queuedAt, hops = 0 } = owed
    const { durable } = version
    if (durable === undefined) {
      const call = { target: version, qualifier, payload: body, requestId: key, hops: hops + 1, queuedAt }
      await this.#queuedInvocations.enqueue(call)
      return
    }
    const target = { ...version, durable }
    try {
      await this.#starts.start({ target, name: key, versionDrawn: true, input: body, mode: 'async' })
    } catch (error) {
      // An earlier try has started it, with another text: the function was asked twice and has answered differently.
      if (!(error instanceof ApiError && error.code === 'DurableExecutionAlreadyStartedException')) throw error
    }
  }

  #delivered({ of }: Delivery): 'done' {
    this.#metrics.counter('perdure_deliveries_total', of, 'delivered').add()
    return 'done'
  }

  #dropped(row: OutboxRow, owed: Delivery, outcome: 'expired' | 'unmapped' | 'refused', why: string): 'done' {
    const { of, key, destination, about } = owed
    const message = `Delivery ${key} (${of}) to ${shownDestination(destination)} was dropped: ${why}`
    this.#log('warn', message, undefined, { executionId: row.executionId, ...about })
    this.#metrics.counter('perdure_deliveries_total', of, outcome).add()
    return 'done'
  }

  /** How often the webhook has failed in a row. Logged once for each reason: what waits for it may be much. */
  #fails({ destination, about }: Delivery, answer: WebhookAnswer): number {
    const reason = reasonOf(answer)
    const before = this.#failing.get(destination)
    const failures = (before?.failures ?? 0) + 1
    this.#failing.set(destination, { failures, reason })
    if (reason !== before?.reason) {
      const message = `Deliveries to ${shownDestination(destination)} fail (${reason}): they are kept and tried again`
      this.#log('warn', message, undefined, about)
    }
    return failures
  }

  /** Logged once for each webhook. */
  #refuses({ destination, of, key, about }: Delivery, answer: WebhookAnswer): void {
    if (this.#refusing.has(destination)) return
    this.#refusing.add(destination)
    const what = `Delivery ${key} (${of}) to ${shownDestination(destination)} was refused (${reasonOf(answer)})`
    this.#log('warn', `${what}: what is refused there is tried again for a day`, undefined, about)
  }

  #works({ destination }: Delivery): void {
    if (this.#failing.delete(destination)) {
      this.#log('info', `Deliveries to ${shownDestination(destination)} work again`)
    }
  }
}

const isAccepted = (answer: WebhookAnswer): boolean => 'status' in answer && answer.status >= 200 && answer.status < 300

const reasonOf = (answer: WebhookAnswer): string => ('failure' in answer ? answer.failure : `status ${answer.status}`)

/** Refused for what it is: redirections are not followed, and most 4xx say that this request is not wanted. */
function isItsOwnFault(answer: WebhookAnswer): boolean {
  if ('failure' in answer) return false
  const { status } = answer
  return status < 500 && status !== 408 && status !== 425 && status !== 429
}

const askedMs = (answer: WebhookAnswer): number =>
  'status' in answer ? Math.min(LONGEST_ASKED_MS, (answer.retryAfterSeconds ?? 0) * 1_000) : 0
