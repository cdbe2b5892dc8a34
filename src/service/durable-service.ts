/**
 * The service room: the imperative shell around the pure engine, and the only room that calls engine and journal
 * together. It keeps folded executions in memory (`lanes`), decides and commits commands one execution at a time
 * (`lane`, `round`) and many executions at once (`committer`), and does what committed entries oblige it to: arms
 * alarms (`watch`), has functions run (`dispatcher`, `function-queues`), delivers duties (`outbox`, `duties`,
 * `deliveries`), answers who waits (`waiters`). This file puts the parts together and says what each call of the API
 * needs of them.
 *
 *     starting (recovery) → ready → draining (no starts, no new invocations) → stopped (every call is refused)
 */
import { crashPoint } from '../crash-point.ts'
import type { ExecutionState } from '../engine/model.ts'
import { checkToken, parseCallbackId, parseToken } from '../engine/token.ts'
import { answeredOperations, visibleOperations } from '../engine/view.ts'
import type { Store } from '../journal/store.ts'
import type { ExecutionArn, Place } from '../protocol/arn.ts'
import { ApiError, invalidParameter, TEXT } from '../protocol/errors.ts'
import type { Limits } from '../protocol/limits.ts'
import type { Operation } from '../protocol/shapes.ts'
import { Activity } from './activity.ts'
import type { AwaitedEnd, CheckpointResult, DurableService, ExecutionEnd } from './api.ts'
import { createSystemTimers, systemClock, systemNextTurn, systemStopwatch } from './clock-adapters.ts'
import { Committer } from './committer.ts'
import { DeadLetters } from './dead-letters.ts'
import { Deliveries } from './deliveries.ts'
import { describeExecution } from './description.ts'
import { Destinations } from './destinations.ts'
import { Dispatcher } from './dispatcher.ts'
import { Duties } from './duties.ts'
import { ExecutionFigures } from './execution-figures.ts'
import {
  busy,
  callbackClosed,
  executionNotFound,
  invalidMarker,
  invalidToken,
  shuttingDown,
  unavailable,
} from './failures.ts'
import { FunctionQueues, type Hold } from './function-queues.ts'
import { type HistoryHead, readHistory } from './history.ts'
import { pageOf } from './invocation-event.ts'
import type { LaneCommand, Seen } from './lane.ts'
import { Lanes } from './lanes.ts'
import { listExecutions } from './listing.ts'
import { loadAsOf } from './loading.ts'
import type { ServiceLog } from './log.ts'
import { LogTails } from './log-tails.ts'
import { pageSize, parsePosition } from './markers.ts'
import { MetricRegistry } from './metrics.ts'
import { Outbox, type OwedRow } from './outbox.ts'
import { PlainRuns } from './plain-runs.ts'
import type { Clock, Entropy, Functions, Histogram, Metrics, Timers, Webhooks } from './ports.ts'
import { QueuedInvocations } from './queued-invocations.ts'
import { recover } from './recovery.ts'
import { expired, Retention } from './retention.ts'
import { Pauses } from './retries.ts'
import { Starts } from './starts.ts'
import { StatusEvents } from './status-events.ts'
import { Targets } from './targets.ts'
import { Later, Texts } from './texts.ts'
import { Waiters } from './waiters.ts'
import { Watch } from './watch.ts'

export interface ServiceDeps {
  readonly store: Store
  readonly functions: Functions
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  readonly place: Place
  readonly limits: Limits
  /** What folded executions may take in memory. Default 256 MB. */
  readonly cacheBytes?: number
  readonly log: ServiceLog
  /** Default: a registry that nobody reads. */
  readonly metrics?: Metrics
  /** Let a chained invoke of a durable function leave out the qualifier. Default false. */
  readonly allowUnqualified?: boolean
  /** Default: nobody is reached. */
  readonly webhooks?: Webhooks
  /** What ARNs of other services mean here: URLs of webhooks, or functions; `*` at the end of an ARN stands for any rest. */
  readonly destinations?: Readonly<Record<string, string>>
  /** Who is told of changes of an execution's status: URLs of webhooks, functions. */
  readonly events?: readonly string[]
  /** Default: a new one. A manual clock needs it before there is a service. */
  readonly activity?: Activity
  /** Runs a call on the next turn of the event loop. Default: the system's. */
  readonly nextTurn?: (call: () => void) => void
  /** Time for the grace of `drain`, which passes even when the clock stands still. Default: the system's. */
  readonly wall?: { readonly clock: Clock; readonly timers: Timers }
}

/** The service with what only the process around it needs. */
export interface RunningService extends DurableService {
  readonly activity: Activity
  /** Work that waits for a function that is not declared (decision 17). */
  readonly holds: readonly Hold[]
  /** When the next wait, retry or operation time-out is due: where a clock that skips idle time may jump to. */
  nextSkippableMs(): number | undefined
  /** Removes executions whose retention is over; otherwise done after the start and every hour. Resolves with their number. */
  sweepExpired(): Promise<number>
}

const NO_WEBHOOKS: Webhooks = { post: async () => ({ failure: 'nothing is reached over HTTP' }) }

const CACHE_BYTES = 268_435_456

/** Resolves when recovery is done and commands are accepted. */
export async function createDurableService(deps: ServiceDeps): Promise<RunningService> {
  const service = new Service(deps)
  await service.begin()
  return service
}

class Service implements RunningService {
  readonly activity: Activity
  readonly #deps: ServiceDeps
  readonly #texts: Texts
  readonly #committer: Committer
  readonly #lanes: Lanes
  readonly #queues: FunctionQueues
  readonly #dispatcher: Dispatcher
  readonly #watch: Watch
  readonly #waiters: Waiters
  readonly #starts: Starts
  readonly #targets: Targets
  readonly #outbox: Outbox
  readonly #plainRuns: PlainRuns
  readonly #queuedInvocations: QueuedInvocations
  readonly #deliveries: Deliveries
  readonly #deadLetters: DeadLetters
  readonly #retention: Retention
  readonly #logTails = new LogTails()
  readonly #metrics: Metrics
  readonly #figures: ExecutionFigures
  readonly #checkpointSeconds: Histogram
  /** Pauses before trying again: of invocations, of duties (ended when functions change), of what is queued or sent. */
  readonly #pauses: readonly [Pauses, Pauses, Pauses]
  #phase: 'starting' | 'ready' | 'draining' | 'stopped' = 'starting'

  constructor(deps: ServiceDeps) {
    this.#deps = deps
    this.activity = deps.activity ?? new Activity()
    const { store, functions, clock, timers, entropy, place, limits, log } = deps
    const activity = this.activity
    this.#metrics = deps.metrics ?? new MetricRegistry(systemStopwatch)
    const metrics = this.#metrics
    this.#figures = new ExecutionFigures(metrics)
    const figures = this.#figures
    this.#checkpointSeconds = metrics.histogram('perdure_checkpoint_duration_seconds')
    const nextTurn = deps.nextTurn ?? systemNextTurn
    const [invocationPauses, dutyPauses, queuedPauses] = [new Pauses(deps), new Pauses(deps), new Pauses(deps)]
    this.#pauses = [invocationPauses, dutyPauses, queuedPauses]
    this.#texts = new Texts(store)
    const texts = this.#texts
    this.#committer = new Committer({ store, nextTurn, clock, timers, activity, log, metrics })
    const committer = this.#committer
    this.#waiters = new Waiters({ lanes: () => this.#lanes, texts })
    this.#watch = new Watch({
      lanes: () => this.#lanes,
      dispatcher: () => this.#dispatcher,
      clock,
      timers,
      activity,
      log,
      closed: (executionId) => this.#waiters.closed(executionId),
      metrics,
    })
    const watch = this.#watch
    const lostTrack = (executionId: string): void => {
      watch.look(executionId)
      this.#outbox.lostTrack()
    }
    const statusEvents = new StatusEvents(deps.events ?? [], place)
    const owes = ({ row, owed }: OwedRow): void => this.#outbox.add(row, owed)
    this.#lanes = new Lanes(
      {
        store,
        committer,
        clock,
        entropy,
        limits,
        activity,
        log,
        indexed: (state, index) => watch.indexed(state, index),
        owedAtEnd: (state) => [...this.#deadLetters.owedBy(state), ...statusEvents.owedBy(state)],
        owes,
        ended: (state) => figures.ended(state),
        closed: (executionId) => this.#waiters.closed(executionId),
        lostTrack,
        stopped: () => this.#phase === 'stopped',
      },
      deps.cacheBytes ?? CACHE_BYTES,
    )
    const lanes = this.#lanes
    metrics.read('perdure_cache_bytes', () => lanes.bytes)
    metrics.read('perdure_cache_executions', () => lanes.size)
    this.#queues = new FunctionQueues({ functions, pauses: invocationPauses, log, metrics })
    const queues = this.#queues
    this.#dispatcher = new Dispatcher({
      lanes,
      texts,
      queues,
      functions,
      entropy,
      limits,
      activity,
      pauses: invocationPauses,
      log,
      lookAgain: (executionId) => watch.look(executionId),
      metrics,
      figures,
      logTails: this.#logTails,
    })
    this.#targets = new Targets({ functions, place, entropy, allowUnqualified: deps.allowUnqualified ?? false })
    const indexed = watch.indexed.bind(watch)
    this.#starts = new Starts({
      store,
      committer,
      lanes,
      functions,
      clock,
      entropy,
      limits,
      indexed,
      lostTrack,
      owedAtStart: (state) => statusEvents.owedBy(state),
      owes,
      figures,
    })
    this.#plainRuns = new PlainRuns({ functions, queues, entropy, activity, metrics, figures, clock, timers })
    const plainRuns = this.#plainRuns
    this.#deadLetters = new DeadLetters({
      store,
      functions,
      lanes: () => this.#lanes,
      texts,
      outbox: () => this.#outbox,
      log,
    })
    const deadLetters = this.#deadLetters
    const duties = new Duties({
      store,
      functions,
      place,
      lanes,
      texts,
      starts: this.#starts,
      plainRuns,
      deadLetters,
      limits,
      log,
    })
    this.#queuedInvocations = new QueuedInvocations({
      place,
      functions,
      plainRuns,
      pauses: queuedPauses,
      clock,
      entropy,
      outbox: () => this.#outbox,
      stopped: () => this.#phase === 'draining' || this.#phase === 'stopped',
      log,
      metrics,
    })
    this.#deliveries = new Deliveries({
      webhooks: deps.webhooks ?? NO_WEBHOOKS,
      destinations: new Destinations(deps.destinations ?? {}, place),
      functions,
      starts: this.#starts,
      queuedInvocations: this.#queuedInvocations,
      clock,
      pauses: queuedPauses,
      activity,
      log,
      metrics,
    })
    this.#outbox = new Outbox({
      store,
      committer,
      deliver: (row, owed, failures) => {
        switch (owed.kind) {
          case 'invokeQueued':
            return this.#queuedInvocations.deliver(row, owed)
          case 'deliver':
            return this.#deliveries.deliver(row, owed, failures)
          case 'deadLetter':
            return deadLetters.deliver(row, owed)
          default:
            return duties.deliver(row, owed)
        }
      },
      pauses: dutyPauses,
      activity,
      log,
      metrics,
    })
    this.#retention = new Retention({ store, lanes, clock, timers, activity, log })
    functions.onChange(() => dutyPauses.endAll())
  }

  async begin(): Promise<void> {
    await recover({ store: this.#deps.store, watch: this.#watch, outbox: this.#outbox, figures: this.#figures })
    this.#retention.begin()
    this.#phase = 'ready'
  }

  get ready(): boolean {
    return this.#phase === 'ready' && !this.storeFailed
  }

  get storeFailed(): boolean {
    return this.#deps.store.failure !== undefined
  }

  get holds(): readonly Hold[] {
    return this.#queues.holds
  }

  nextSkippableMs(): number | undefined {
    return this.#watch.alarms.nextSkippable()
  }

  sweepExpired(): Promise<number> {
    return this.#guard(this.#retention.sweep())
  }

  start(request: Parameters<DurableService['start']>[0]): ReturnType<DurableService['start']> {
    if (this.#phase !== 'ready') return Promise.reject(shuttingDown())
    if (this.#committer.overloaded) return Promise.reject(busy())
    return this.#guard(this.#starts.start(request))
  }

  waitForEnd(...[executionId, signal, options]: Parameters<DurableService['waitForEnd']>): Promise<AwaitedEnd> {
    const wait = (): Promise<ExecutionEnd> => this.#waiters.waitForEnd(executionId, signal)
    const ended = options?.withLog === true ? this.#logTails.during(executionId, wait) : wait()
    return ended.catch((error: unknown) => {
      if (error === signal.reason) throw error
      return this.#guard(Promise.reject(error))
    })
  }

  checkpoint(request: Parameters<DurableService['checkpoint']>[0]): Promise<CheckpointResult> {
    const { arn, token, clientToken, updates } = request
    const strange = strangeToken(arn, token)
    if (strange !== undefined) return Promise.reject(strange)
    const command = { kind: 'checkpoint', token, updates, ...(clientToken === undefined ? undefined : { clientToken }) }
    const began = this.#metrics.now()
    const result = this.#lanes.of(arn.executionId).submit({
      command: command as typeof command & { kind: 'checkpoint' },
      targets: this.#targets.of(updates),
      refuse: (state) => (this.#isMeant(state, arn) ? undefined : invalidToken()),
      absent: invalidToken,
      look: (seen) => this.#checkpointResult(seen),
    })
    return this.#guard(result, arn.executionId, began)
  }

  #checkpointResult({ state, key, answer, entry, atHand }: Seen): CheckpointResult | Later<CheckpointResult> {
    if (answer.kind !== 'checkpoint') throw new Error(`a checkpoint was answered with '${answer.kind}'`)
    const result = (Operations: readonly Operation[]): CheckpointResult => ({
      ...(answer.token === undefined ? undefined : { CheckpointToken: answer.token }),
      NewExecutionState: { Operations },
    })
    const { replayOf } = answer
    if (replayOf !== undefined) return new Later(async () => result(await this.#answeredAt(key, replayOf)))
    const shown = entry === undefined ? [] : this.#texts.show(answeredOperations(state, entry), key, atHand)
    return shown instanceof Later ? new Later(async () => result(await shown.get())) : result(shown)
  }

  /** What the checkpoint whose entry is at `seq` was answered, made again from the journal (decision 11). */
  async #answeredAt(key: Seen['key'], seq: number): Promise<readonly Operation[]> {
    const then = await loadAsOf(this.#deps.store, key, seq)
    if (then === undefined) throw new Error(`journal entry ${seq} is gone`)
    const shown = this.#texts.show(answeredOperations(then.state, then.entry), key)
    return shown instanceof Later ? shown.get() : shown
  }

  state(request: Parameters<DurableService['state']>[0]): ReturnType<DurableService['state']> {
    const { arn, token, marker, maxItems } = request
    const strange = strangeToken(arn, token)
    if (strange !== undefined) return Promise.reject(strange)
    const limit = { items: pageSize(maxItems), bytes: this.#deps.limits.eventBytes }
    return this.#guard(
      this.#lanes.of(arn.executionId).read({
        refuse: (state) => (this.#isMeant(state, arn) ? checkToken(state, token) : invalidToken()),
        absent: invalidToken,
        look: (state, key) => {
          const afterOrdinal = parsePosition(marker) ?? -1
          if (afterOrdinal >= state.ids.length) throw invalidMarker()
          const { operations, nextMarker } = pageOf(visibleOperations(state), afterOrdinal, limit)
          const shown = this.#texts.show(operations, key)
          return shown instanceof Later
            ? new Later(async () => ({ Operations: await shown.get(), NextMarker: nextMarker }))
            : { Operations: shown, NextMarker: nextMarker }
        },
      }),
    )
  }

  describe(request: Parameters<DurableService['describe']>[0]): ReturnType<DurableService['describe']> {
    const { arn, includeData } = request
    const options = { includeData, defaultRetentionDays: this.#deps.limits.retentionDays, texts: this.#texts }
    return this.#guard(
      this.#lanes.of(arn.executionId).read({
        ...this.#meant(arn),
        look: (state, key) => describeExecution(state, key, options),
      }),
    )
  }

  async history(request: Parameters<DurableService['history']>[0]): ReturnType<DurableService['history']> {
    const head = this.#lanes.of(request.arn.executionId).read<HistoryHead>({
      ...this.#meant(request.arn),
      look: ({ start, nextEventId }, key) => ({ key, start, lastEventId: nextEventId - 1 }),
    })
    return this.#guard(head.then((known) => readHistory(this.#deps.store, known, request)))
  }

  list(request: Parameters<DurableService['list']>[0]): ReturnType<DurableService['list']> {
    return this.#guard(listExecutions(this.#deps, request))
  }

  stop({ arn, error }: Parameters<DurableService['stop']>[0]): ReturnType<DurableService['stop']> {
    return this.#submit(arn.executionId, {
      command: { kind: 'stop', error },
      ...this.#meant(arn),
      look: ({ answer }) => {
        if (answer.kind !== 'stopped') throw new Error(`a stop was answered with '${answer.kind}'`)
        return { StopTimestamp: answer.at }
      },
    })
  }

  delete({ arn }: Parameters<DurableService['delete']>[0]): ReturnType<DurableService['delete']> {
    return this.#submit(arn.executionId, {
      command: { kind: 'delete' },
      ...this.#meant(arn),
      look: ({ answer }) => {
        if (answer.kind !== 'deleted') throw new Error(`a deletion was answered with '${answer.kind}'`)
        return { DeletionRequestTimestamp: answer.at }
      },
    })
  }

  completeCallback(request: Parameters<DurableService['completeCallback']>[0]): Promise<void> {
    return this.#callback(request.callbackId, { kind: 'completeCallback', ...request })
  }

  heartbeatCallback({ callbackId }: { readonly callbackId: string }): Promise<void> {
    return this.#callback(callbackId, { kind: 'heartbeatCallback', callbackId })
  }

  /** Whoever holds a callback id learns no more than that the callback is not open (spec 08 §8.5). */
  #callback(callbackId: string, command: LaneCommand<void>['command']): Promise<void> {
    const parts = parseCallbackId(callbackId)
    if (parts === undefined) return Promise.reject(invalidParameter(TEXT.invalidCallbackId))
    return this.#submit(parts.executionId, { command, absent: callbackClosed, look: () => undefined })
  }

  enqueuePlain(request: Parameters<DurableService['enqueuePlain']>[0]): ReturnType<DurableService['enqueuePlain']> {
    if (this.#phase !== 'ready') return Promise.reject(shuttingDown())
    if (this.#committer.overloaded) return Promise.reject(busy())
    return this.#guard(this.#queuedInvocations.enqueue(request))
  }

  async drain(graceMs: number): Promise<void> {
    if (this.#phase === 'stopped') return
    this.#phase = 'draining'
    crashPoint('drain-begun')
    this.#waiters.stop()
    this.#queues.stop()
    this.#watch.stop()
    this.#plainRuns.stop()
    const swept = this.#retention.stop()
    this.#outbox.stop()
    this.#deliveries.stop()
    await this.#invocationsEnd(graceMs)
    await swept
    this.#dispatcher.stop()
    this.#phase = 'stopped'
    for (const pauses of this.#pauses) pauses.stop()
    await this.activity.settled()
    this.#committer.stop()
    crashPoint('drained')
  }

  /** Invocations that outlast the grace stay recorded as running; the next start of the service supersedes them. */
  async #invocationsEnd(graceMs: number): Promise<void> {
    const { clock, timers } = this.#deps.wall ?? { clock: systemClock, timers: createSystemTimers(systemClock) }
    let cancel = (): void => {}
    const grace = new Promise<void>((resolve) => {
      cancel = timers.at(clock.now() + graceMs, resolve)
    })
    await Promise.race([this.activity.until(() => this.activity.invocations === 0), grace])
    cancel()
  }

  #submit<T>(executionId: string, request: LaneCommand<T>): Promise<T> {
    return this.#guard(this.#lanes.of(executionId).submit(request), executionId)
  }

  #meant(arn: ExecutionArn) {
    return {
      absent: executionNotFound,
      refuse: (state: ExecutionState) => (this.#isMeant(state, arn) ? undefined : executionNotFound()),
    }
  }

  /** The ARN is this execution's, and its retention is not over (spec 08 §8.6). */
  #isMeant({ start, endedAt }: ExecutionState, { text }: ExecutionArn): boolean {
    if (start.arn !== text) return false
    if (endedAt === undefined) return true
    const days = start.config.RetentionPeriodInDays ?? this.#deps.limits.retentionDays
    return !expired(endedAt, days, this.#deps.clock.now())
  }

  /** Callers get an ApiError or nothing: whatever else goes wrong is ours to know. */
  async #guard<T>(work: Promise<T>, executionId?: string, checkpointBegan?: number): Promise<T> {
    try {
      const result = await work
      if (checkpointBegan !== undefined) {
        this.#checkpointSeconds.observe((this.#metrics.now() - checkpointBegan) / 1_000)
      }
      return result
    } catch (error) {
      if (error instanceof ApiError) throw error
      this.#deps.log('error', 'A request failed', error, executionId === undefined ? {} : { executionId })
      throw unavailable()
    }
  }
}

/** Why this can be no token of that execution, whether or not there is such an execution (decision 12). */
function strangeToken({ executionId }: ExecutionArn, token: string): ApiError | undefined {
  const parts = parseToken(token)
  if (parts === undefined) return invalidToken()
  return parts.executionId === executionId ? undefined : invalidParameter(TEXT.foreignToken)
}
