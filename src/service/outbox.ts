/**
 * Delivers what the outbox owes to other executions and to plain functions: at least once each, retried with back-off,
 * and settled (its row deleted) when done (decision 3). Every delivery is idempotent by the row's id.
 *
 * A row is *known* (in memory) from when it was committed, or read from the store, until its deletion is durable.
 * Memory is bounded: beyond `MAX_KNOWN` rows new ones stay in the store only, and are read from there when the known
 * ones are fewer again. Recovery is the same: it begins with everything unread.
 *
 *     committed ─→ known ─→ waiting ─→ under way ─→ settled
 *              └→ unread ──↑              └→ pausing ─→ waiting
 */
import { crashPoint } from '../crash-point.ts'
import type { Duty } from '../engine/model.ts'
import type { OutboxRow, Store } from '../journal/store.ts'
import type { Activity } from './activity.ts'
import type { Committer } from './committer.ts'
import { Fifo } from './fifo.ts'
import type { ServiceLog } from './log.ts'
import type { Metrics } from './ports.ts'
import type { QueuedInvocation } from './queued-invocations.ts'
import type { Pauses } from './retries.ts'

/** Everything that the outbox can hold. */
export type Owed = Duty | QueuedInvocation

/** Delivers once; `later` when it cannot be done now. May also reject, which counts as `later`. */
export type Deliver = (row: OutboxRow, owed: Owed) => Promise<'done' | 'later'>

const MAX_KNOWN = 10_000
const PAGE = 500
/** Deliveries under way at a time, of those that only touch the store; functions have their own queues. */
const QUICK_AT_A_TIME = 64

interface Known {
  readonly id: string
  readonly row: OutboxRow
  readonly owed: Owed
}

export class Outbox {
  readonly #store: Store
  readonly #committer: Committer
  readonly #deliver: Deliver
  readonly #pauses: Pauses
  readonly #activity: Activity
  readonly #log: ServiceLog
  readonly #known = new Set<string>()
  readonly #waiting = new Fifo<Known>()
  #quick = 0
  #unread = false
  #reading = false
  #stopped = false

  constructor(deps: {
    store: Store
    committer: Committer
    deliver: Deliver
    pauses: Pauses
    activity: Activity
    log: ServiceLog
    metrics: Metrics
  }) {
    this.#store = deps.store
    this.#committer = deps.committer
    this.#deliver = deps.deliver
    this.#pauses = deps.pauses
    this.#activity = deps.activity
    this.#log = deps.log
    deps.metrics.read('perdure_outbox_duties', () => this.#known.size)
  }

  get #full(): boolean {
    return this.#known.size >= MAX_KNOWN
  }

  /** A row that was just committed. */
  add(row: OutboxRow, owed: Owed): void {
    if (this.#stopped || this.#known.has(row.id)) return
    if (this.#full) {
      this.#unread = true
      return
    }
    this.#known.add(row.id)
    this.#begin({ id: row.id, row, owed })
  }

  /** The store holds rows that are not known here: read them, as room allows. Resolves when that was done once. */
  async readRows(): Promise<void> {
    this.#unread = true
    if (this.#reading || this.#stopped) return
    this.#reading = true
    this.#activity.begin()
    try {
      // What was missed while reading is read again; what there was no room for waits until rows are settled.
      while (this.#unread && !this.#full && !this.#stopped) await this.#read()
    } finally {
      this.#reading = false
      this.#activity.end()
    }
  }

  stop(): void {
    this.#stopped = true
    this.#waiting.clear()
  }

  async #read(): Promise<void> {
    this.#unread = false
    let afterId = ''
    while (!this.#stopped && !this.#full) {
      const rows = await this.#store.listOutbox({ afterId, limit: PAGE })
      for (const row of rows) this.add(row, JSON.parse(row.text) as Owed)
      const last = rows.at(-1)
      if (last === undefined || rows.length < PAGE) return
      afterId = last.id
    }
    this.#unread = true
  }

  #begin(known: Known): void {
    const { kind } = known.owed
    if (kind === 'invokePlain' || kind === 'invokeQueued') {
      void this.#attempt(known, 0)
      return
    }
    this.#waiting.push(known)
    this.#next()
  }

  #next(): void {
    while (this.#quick < QUICK_AT_A_TIME) {
      const known = this.#waiting.take()
      if (known === undefined) return
      this.#quick += 1
      this.#activity.begin()
      this.#attempt(known, 0).finally(() => {
        this.#quick -= 1
        this.#activity.end()
        this.#next()
      })
    }
  }

  /** One try; a failure goes on in the background so that it keeps nobody's place. */
  async #attempt(known: Known, failures: number): Promise<void> {
    const { row, owed } = known
    crashPoint('duty-due')
    try {
      if ((await this.#deliver(row, owed)) === 'done') return this.#settle(row.id)
    } catch (error) {
      const { executionId } = row
      if (!this.#stopped) this.#log('warn', `Duty ${row.id} failed and will be tried again`, error, { executionId })
    }
    void this.#pauses.afterFailures(failures).then(() => {
      if (!this.#stopped) void this.#attempt(known, failures + 1)
    })
  }

  #settle(id: string): void {
    crashPoint('duty-delivered')
    this.#committer.settle(id, () => {
      crashPoint('duty-settled')
      this.#known.delete(id)
      if (this.#unread && this.#known.size < MAX_KNOWN / 2) this.#readSoon()
    })
  }

  #readSoon(): void {
    this.readRows().catch((error: unknown) => {
      this.#log('warn', 'The outbox could not be read and will be tried again', error)
      void this.#pauses.afterFailures(0).then(() => {
        if (!this.#stopped) this.#readSoon()
      })
    })
  }

  /** Rows may have been committed without this process knowing: reads them, whatever it takes. */
  lostTrack(): void {
    this.#readSoon()
  }
}
