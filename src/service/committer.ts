/**
 * Natural group commit (PERFORMANCE.md, hot path 2): what all lanes append during one turn of the event loop goes to
 * the store as one batch; while that batch is in flight the next one collects. No timer delays anything. Delivered
 * duties are settled in whatever batch comes next.
 *
 * States: idle → (something collected) scheduled → flying → idle or scheduled.
 *
 * After a failure items go one by one, then two by two and so on, so that an item which the store can never take does
 * not take others down with it again and again (invariant I7).
 */
import type { AppendBatch, AppendItem, AppendResult, OutboxRow, Store } from '../journal/store.ts'
import type { Activity } from './activity.ts'
import type { ServiceLog } from './log.ts'
import type { Clock, Counter, Histogram, Metrics, Timers } from './ports.ts'

/** Told how the append went; `undefined` when the store failed and the fate of the item is unknown. */
export type Committed = (result: AppendResult | undefined) => void

const MAX_ITEMS_PER_BATCH = 1_024
const SETTLE_RETRY_MS = 1_000
/** What may wait for the batch in flight before new work is refused. */
const MAX_BACKLOG_ITEMS = 10_000
const MAX_BACKLOG_CHARS = 67_108_864

interface Posting {
  readonly row: OutboxRow
  readonly done: (durable: boolean) => void
}

interface Settlement {
  readonly id: string
  readonly done: () => void
}

export class Committer {
  readonly #store: Store
  readonly #nextTurn: (call: () => void) => void
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #activity: Activity
  readonly #log: ServiceLog
  readonly #metrics: Metrics
  readonly #commitSeconds: Histogram
  readonly #batchItems: Histogram
  readonly #failures: Counter
  #items: AppendItem[] = []
  #dones: Committed[] = []
  #settlements: Settlement[] = []
  #postings: Posting[] = []
  #backlogChars = 0
  #itemsPerBatch = MAX_ITEMS_PER_BATCH
  #state: 'idle' | 'scheduled' | 'flying' = 'idle'
  #cancelRetry: (() => void) | undefined
  /** What the store said when it failed last, until it works again. */
  #failing: string | undefined

  constructor(deps: {
    store: Store
    nextTurn: (call: () => void) => void
    clock: Clock
    timers: Timers
    activity: Activity
    log: ServiceLog
    metrics: Metrics
  }) {
    this.#store = deps.store
    this.#nextTurn = deps.nextTurn
    this.#clock = deps.clock
    this.#timers = deps.timers
    this.#activity = deps.activity
    this.#log = deps.log
    this.#metrics = deps.metrics
    this.#commitSeconds = deps.metrics.histogram('perdure_store_commit_duration_seconds')
    this.#batchItems = deps.metrics.histogram('perdure_store_batch_items')
    this.#failures = deps.metrics.counter('perdure_store_commit_failures_total')
    deps.metrics.read('perdure_store_backlog_items', () => this.#items.length + this.#postings.length)
  }

  /** The store does not keep up: new work is shed before what is under way (decision 18). */
  get overloaded(): boolean {
    return this.#items.length + this.#postings.length > MAX_BACKLOG_ITEMS || this.#backlogChars > MAX_BACKLOG_CHARS
  }

  append(item: AppendItem, done: Committed): void {
    this.#items.push(item)
    this.#backlogChars += charsOf(item)
    this.#dones.push(done)
    this.#schedule()
  }

  /** Deletes an outbox row; tried until the store took it. */
  settle(id: string, done: () => void): void {
    this.#settlements.push({ id, done })
    this.#schedule()
  }

  /** Adds an outbox row of its own; `false` when the store failed and its fate is unknown. */
  post(row: OutboxRow): Promise<boolean> {
    return new Promise((done) => {
      this.#postings.push({ row, done })
      this.#backlogChars += row.text.length
      this.#schedule()
    })
  }

  stop(): void {
    this.#cancelRetry?.()
  }

  #schedule(): void {
    if (this.#state !== 'idle') return
    this.#state = 'scheduled'
    this.#activity.begin()
    this.#nextTurn(() => this.#flush())
  }

  #flush(): void {
    this.#state = 'flying'
    const items = this.#items.splice(0, this.#itemsPerBatch)
    const dones = this.#dones.splice(0, this.#itemsPerBatch)
    const settlements = this.#settlements
    const postings = this.#postings
    this.#settlements = []
    this.#postings = []
    for (const item of items) this.#backlogChars -= charsOf(item)
    for (const { row } of postings) this.#backlogChars -= row.text.length
    const batch: AppendBatch = {
      items,
      settled: settlements.map(({ id }) => id),
      ...(postings.length > 0 ? { posted: postings.map(({ row }) => row) } : {}),
    }
    const began = this.#metrics.now()
    this.#store.append(batch).then(
      (results) => {
        this.#commitSeconds.observe((this.#metrics.now() - began) / 1_000)
        this.#batchItems.observe(items.length)
        this.#itemsPerBatch = Math.min(MAX_ITEMS_PER_BATCH, this.#itemsPerBatch * 2)
        this.#sayThatItWorks()
        for (const [i, done] of dones.entries()) done(results[i])
        for (const { done } of settlements) done()
        for (const { done } of postings) done(true)
        this.#landed(this.#items.length + this.#settlements.length + this.#postings.length > 0)
      },
      (error: unknown) => {
        this.#failures.add()
        this.#sayThatItFails(error)
        this.#itemsPerBatch = 1
        for (const done of dones) done(undefined)
        for (const { done } of postings) done(false)
        this.#settlements.push(...settlements)
        if (settlements.length > 0) this.#retrySettlements()
        this.#landed(this.#items.length + this.#postings.length > 0)
      },
    )
  }

  /** Once for each reason: callers try again, and a log that is full of one line hides all others. */
  #sayThatItFails(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error)
    if (reason === this.#failing) return
    this.#failing = reason
    this.#log('error', 'The store failed to append a batch', error)
  }

  #sayThatItWorks(): void {
    if (this.#failing === undefined) return
    this.#failing = undefined
    this.#log('info', 'The store appends again')
  }

  #landed(more: boolean): void {
    this.#state = 'idle'
    if (more) this.#schedule()
    this.#activity.end()
  }

  /** Settling alone never hammers a store that fails: it waits for the next batch, or a second. */
  #retrySettlements(): void {
    this.#cancelRetry ??= this.#timers.at(this.#clock.now() + SETTLE_RETRY_MS, () => {
      this.#cancelRetry = undefined
      this.#schedule()
    })
  }
}

function charsOf({ entries }: AppendItem): number {
  let chars = 0
  for (const { text } of entries) chars += text.length
  return chars
}
