/**
 * Delivers what the outbox owes to other executions, to plain functions and to the outside: at least once each, retried
 * with back-off, and settled (its row deleted) when done (decision 3). Every delivery is idempotent by the row's id.
 *
 * A row is *known* (in memory) from when it was committed, or read from the store, until its deletion is durable.
 * Memory is bounded for each channel (`outbox-channels.ts`): beyond its room new rows stay in the store only, and are
 * read from there when the known ones are fewer again. Recovery is the same: it begins with everything unread.
 *
 *     committed ─→ known ─→ waiting ─→ under way ─→ settled
 *              └→ unread ──↑    ↑        └→ pausing ─┐
 *                               └────────────────────┘
 */
import { crashPoint } from '../crash-point.ts'
import type { Duty } from '../engine/model.ts'
import type { OutboxRow, Store } from '../journal/store.ts'
import type { Activity } from './activity.ts'
import type { Committer } from './committer.ts'
import type { DeadLetter } from './dead-letters.ts'
import type { Delivery } from './deliveries.ts'
import { unavailable } from './failures.ts'
import { Fifo } from './fifo.ts'
import type { ServiceLog } from './log.ts'
import { atATimeOf, beforeChannel, beyondChannel, channelOf, EXECUTIONS, isSendChannel } from './outbox-channels.ts'
import type { Metrics } from './ports.ts'
import type { QueuedInvocation } from './queued-invocations.ts'
import type { Pauses } from './retries.ts'

/** Everything that the outbox can hold. */
export type Owed = Duty | QueuedInvocation | DeadLetter | Delivery

/** A row of the outbox, and what its text says. */
export interface OwedRow {
  readonly row: OutboxRow
  readonly owed: Owed
}

/**
 * Delivers once; `later` when it cannot be done now. May also reject, which counts as `later`. `failures`: how often that
 * was so, since the row is known.
 */
export type Deliver = (row: OutboxRow, owed: Owed, failures: number) => Promise<'done' | 'later'>

/** What may be known of one channel; a single row may be larger. */
const MAX_KNOWN_ROWS = 10_000
const MAX_KNOWN_CHARS = 16_777_216
const PAGE = 500

interface Known {
  readonly id: string
  readonly channel: Channel
  readonly row: OutboxRow
  readonly owed: Owed
  failures: number
}

interface Channel {
  readonly key: string
  readonly atATime: number
  readonly waiting: Fifo<Known>
  underWay: number
  rows: number
  chars: number
  /** The store holds rows of it that are not known. */
  unread: boolean
}

export class Outbox {
  readonly #store: Store
  readonly #committer: Committer
  readonly #deliver: Deliver
  readonly #pauses: Pauses
  readonly #activity: Activity
  readonly #log: ServiceLog
  readonly #known = new Set<string>()
  readonly #channels = new Map<string, Channel>()
  /** Nothing is known of what the store holds. */
  #lost = false
  #reading = false
  /** Rows that went while the store was being read, which may still have found them. */
  readonly #settledMeanwhile = new Set<string>()
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
    deps.metrics.read('perdure_deliveries_waiting', () => this.#deliveries)
  }

  /** A row that was just committed. */
  add(row: OutboxRow, owed: Owed): void {
    this.#take(row, () => owed)
  }

  /** Adds a row of its own. Resolves when it is durable; rejects when nobody knows whether it is. */
  async post({ row, owed }: OwedRow): Promise<void> {
    if (await this.#committer.post(row)) return this.add(row, owed)
    this.lostTrack()
    throw unavailable()
  }

  /** The store holds rows that are not known here: reads them, as room allows. Resolves when that was done once. */
  readRows(): Promise<void> {
    this.#lost = true
    return this.#read()
  }

  /** Rows may have been committed without this process knowing: reads them, whatever it takes. */
  lostTrack(): void {
    this.#lost = true
    this.#readSoon()
  }

  stop(): void {
    this.#stopped = true
    for (const { waiting } of this.#channels.values()) waiting.clear()
  }

  // ------------------------------------------------------------------------------------------------------- knowing

  /** False when its channel has no room for it. */
  #take(row: OutboxRow, read: () => Owed): boolean {
    if (this.#stopped || this.#known.has(row.id) || this.#settledMeanwhile.has(row.id)) return true
    const channel = this.#channelAt(channelOf(row.id))
    if (isFull(channel)) {
      channel.unread = true
      return false
    }
    this.#known.add(row.id)
    channel.rows += 1
    channel.chars += row.text.length
    channel.waiting.push({ id: row.id, channel, row, owed: read(), failures: 0 })
    this.#next(channel)
    return true
  }

  get #deliveries(): number {
    let rows = 0
    for (const channel of this.#channels.values()) if (isSendChannel(channel.key)) rows += channel.rows
    return rows
  }

  #channelAt(key: string): Channel {
    const known = this.#channels.get(key)
    if (known !== undefined) return known
    const atATime = atATimeOf(key)
    const channel = { key, atATime, waiting: new Fifo<Known>(), underWay: 0, rows: 0, chars: 0, unread: false }
    this.#channels.set(key, channel)
    return channel
  }

  #forget({ id, channel, row }: Known): void {
    this.#known.delete(id)
    if (this.#reading) this.#settledMeanwhile.add(id)
    channel.rows -= 1
    channel.chars -= row.text.length
    if (channel.unread && hasRoom(channel)) this.#readSoon()
    else if (channel.rows === 0 && !channel.unread) this.#channels.delete(channel.key)
  }

  async #read(): Promise<void> {
    if (this.#reading || this.#stopped) return
    this.#reading = true
    this.#activity.begin()
    try {
      await this.#readUnread()
    } catch (error) {
      this.#lost = true
      throw error
    } finally {
      this.#reading = false
      this.#settledMeanwhile.clear()
      this.#activity.end()
    }
    // Room may have been made just after the last look, when this still counted as reading.
    if (this.#lost || this.#unreadWithRoom !== undefined) this.#readSoon()
  }

  get #unreadWithRoom(): Channel | undefined {
    for (const channel of this.#channels.values()) if (channel.unread && hasRoom(channel)) return channel
    return undefined
  }

  /** What is missed while reading is read again; what there is no room for waits until rows are settled. */
  async #readUnread(): Promise<void> {
    while (!this.#stopped) {
      if (this.#lost) {
        this.#lost = false
        await this.#readFrom('', undefined)
        continue
      }
      const channel = this.#unreadWithRoom
      if (channel === undefined) return
      channel.unread = false
      await this.#readFrom(beforeChannel(channel.key), channel)
    }
  }

  /** Rows after an id: of one channel, or of all, past the rest of those that are full. */
  async #readFrom(firstAfterId: string, only: Channel | undefined): Promise<void> {
    for (let afterId = firstAfterId; ; ) {
      const rows = await this.#store.listOutbox({ afterId, limit: PAGE })
      let skipped = false
      for (const row of rows) {
        if (only !== undefined && channelOf(row.id) !== only.key) return
        afterId = row.id
        if (this.#take(row, () => JSON.parse(row.text) as Owed)) continue
        if (only !== undefined) return
        afterId = beyondChannel(channelOf(row.id))
        skipped = true
        break
      }
      if (this.#stopped || (!skipped && rows.length < PAGE)) return
    }
  }

  #readSoon(): void {
    this.#read().catch((error: unknown) => {
      this.#log('warn', 'The outbox could not be read and will be tried again', error)
      void this.#pauses.afterFailures(0).then(() => {
        if (!this.#stopped) this.#readSoon()
      })
    })
  }

  // ---------------------------------------------------------------------------------------------------- delivering

  #next(channel: Channel): void {
    while (channel.underWay < channel.atATime) {
      const known = channel.waiting.take()
      if (known === undefined) return
      if (channel.key === EXECUTIONS && runsFunction(known.owed)) {
        // Of before there were channels: it may wait for its function for long, and takes nobody's place.
        void this.#attempt(known)
        continue
      }
      channel.underWay += 1
      // Whoever runs functions or sends says so itself, and not while it waits.
      const quick = channel.key === EXECUTIONS
      if (quick) this.#activity.begin()
      this.#attempt(known).finally(() => {
        channel.underWay -= 1
        if (quick) this.#activity.end()
        this.#next(channel)
      })
    }
  }

  /** One try; after a failure it waits in the background, so that it keeps nobody's place. */
  async #attempt(known: Known): Promise<void> {
    const { id, row, owed, channel } = known
    crashPoint('duty-due')
    try {
      if ((await this.#deliver(row, owed, known.failures)) === 'done') return this.#settle(known)
    } catch (error) {
      const { executionId } = row
      if (!this.#stopped) this.#log('warn', `Duty ${id} failed and will be tried again`, error, { executionId })
    }
    void this.#pauses.afterFailures(known.failures).then(() => {
      if (this.#stopped) return
      known.failures += 1
      channel.waiting.push(known)
      this.#next(channel)
    })
  }

  #settle(known: Known): void {
    crashPoint('duty-delivered')
    this.#committer.settle(known.id, () => {
      crashPoint('duty-settled')
      this.#forget(known)
    })
  }
}

const isFull = ({ rows, chars }: Channel): boolean => rows >= MAX_KNOWN_ROWS || chars >= MAX_KNOWN_CHARS
const hasRoom = ({ rows, chars }: Channel): boolean => rows < MAX_KNOWN_ROWS / 2 && chars < MAX_KNOWN_CHARS / 2
const runsFunction = ({ kind }: Owed): boolean => kind === 'invokePlain' || kind === 'invokeQueued'
