/**
 * The journal room: what the service needs from a database, and nothing more. Three implementations are foreseen
 * (memory, SQLite, PostgreSQL); `test/journal/store-suite.ts` is the contract, run against each.
 *
 * Contract
 * - `append` takes a batch of independent items. Each item is all-or-nothing; one that loses its compare-and-swap
 *   changes nothing and does not disturb the others. When the promise resolves, every item reported `ok` is durable
 *   (fsync, or the database's synchronous commit). When it rejects, the fate of the items is unknown: callers drop
 *   what they hold of these executions and read again.
 * - The compare-and-swap is the primary key (execution, seq): an item succeeds only when `firstSeq` is exactly one
 *   past the newest entry.
 * - Everything but journal entries and the name registry is an index or a cache that could be rebuilt.
 * - Methods take one readonly object; rows come back in the order that each method states.
 * - Texts may hold any Unicode scalar value, and lone surrogates must come back unchanged. Ids that rows are ordered
 *   by (execution, outbox) are ASCII.
 * - `firstEventId` never falls from one entry of an execution to the next.
 * - An execution is open until its index row has an `endedAt`.
 * - A rejection is a `StoreError` (`store-error.ts`), named by what the caller may do next.
 */
import type { ShownStatus } from '../protocol/shapes.ts'
import type { StoreError } from './store-error.ts'

declare const keyBrand: unique symbol
/** A store's own short name of an execution (an integer in SQLite). Opaque to everyone else. */
export type ExecutionKey = (number | string) & { readonly [keyBrand]: true }

/** When somebody must look at an open execution again; at most one per execution, none when it is closed. */
export type WakeRow =
  | { readonly kind: 'running'; readonly dueMs: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'suspended'; readonly dueMs: number }

/** The mutable part of an execution's index row. */
export interface IndexRow {
  readonly status: ShownStatus
  readonly endedAt: number | undefined
  readonly wake: WakeRow | undefined
}

/** What never changes in an execution's index row; written with entry 1. */
export interface NewExecution {
  readonly executionId: string
  readonly arn: string
  /** Unique per function while the row exists (decision 5); a loser gets `nameTaken`. */
  readonly name: string
  readonly functionName: string
  readonly version: string
  readonly startedAt: number
  readonly inputHash: string
  /** Days after `endedAt` until the execution may be purged. */
  readonly retentionDays: number
  readonly sdkInvocationId: string | undefined
}

export interface ExecutionRow extends NewExecution, IndexRow {
  readonly key: ExecutionKey
}

export interface JournalRow {
  readonly seq: number
  readonly firstEventId: number
  /** The entry as JSON text. */
  readonly text: string
}

/** A duty toward another execution or the outside, to be delivered at least once and then settled (decision 3). */
export interface OutboxRow {
  /** Idempotency key, unique in the store; `service/outbox-channels.ts` says how it begins. */
  readonly id: string
  readonly executionId: string
  /** The duty as JSON text. */
  readonly text: string
}

export interface AppendItem {
  readonly target: { readonly key: ExecutionKey } | { readonly create: NewExecution }
  /** Entries in order; the first has seq `firstSeq` (1 for a new execution). */
  readonly firstSeq: number
  readonly entries: readonly { readonly firstEventId: number; readonly text: string }[]
  /** Written when it changed; always present for a new execution. */
  readonly index: IndexRow | undefined
  /** Duties to add. One whose id is there already is the same duty and stays as it is. */
  readonly outbox: readonly OutboxRow[]
}

export type AppendResult =
  | { readonly ok: true; readonly key: ExecutionKey }
  /**
   * `conflict`: another writer was first, or the execution is gone. `exists`: the execution id is taken; said before
   * `nameTaken`, so that a repeated creation recognises itself.
   */
  | { readonly ok: false; readonly reason: 'conflict' | 'nameTaken' | 'exists' }

export interface AppendBatch {
  readonly items: readonly AppendItem[]
  /** Outbox rows that were delivered, deleted in the same transaction before the items. Unknown ids are ignored. */
  readonly settled: readonly string[]
  /**
   * Outbox rows that belong to no item (asynchronous invocations of plain functions, and their retries, which settle
   * the row before). Written in the same transaction; an id that exists already is left as it is.
   */
  readonly posted?: readonly OutboxRow[]
}

export interface ListQuery {
  readonly functionName: string
  readonly version?: string
  readonly name?: string
  readonly statuses?: readonly ShownStatus[]
  /** Exclusive bounds of `startedAt`. */
  readonly startedAfter?: number
  readonly startedBefore?: number
  /** Default: newest first. */
  readonly oldestFirst?: boolean
  /** Position after which to go on: the last row of the page before. */
  readonly after?: { readonly startedAt: number; readonly executionId: string }
  readonly limit: number
}

export interface Snapshot {
  readonly foldVersion: number
  readonly seq: number
  readonly text: string
}

export interface Store {
  append(batch: AppendBatch): Promise<readonly AppendResult[]>

  findById(executionId: string): Promise<ExecutionRow | undefined>
  /** The registry of names (decision 5). */
  findByName(query: { functionName: string; name: string }): Promise<ExecutionRow | undefined>
  /** The newest execution that this client call started, not before `sinceMs` (decision 19). */
  findBySdkInvocation(query: {
    functionName: string
    sdkInvocationId: string
    sinceMs: number
  }): Promise<ExecutionRow | undefined>

  /** Entries with seq > `afterSeq`, ascending, at most about `maxBytes` of text (at least one row if there is one). */
  readJournal(query: { key: ExecutionKey; afterSeq: number; maxBytes: number }): Promise<readonly JournalRow[]>
  /** One entry, or undefined. */
  readEntry(query: { key: ExecutionKey; seq: number }): Promise<JournalRow | undefined>
  /**
   * The entries that hold the events `fromEventId`..`toEventId`, ascending by seq. Entries without events may be
   * among them; the first may begin before `fromEventId`.
   */
  readHistory(query: { key: ExecutionKey; fromEventId: number; toEventId: number }): Promise<readonly JournalRow[]>

  /** Executions of a function by (startedAt, executionId). */
  list(query: ListQuery): Promise<readonly ExecutionRow[]>
  /** Every open execution with its wake row, by executionId ascending, for recovery: pages of `limit` after `afterId`. */
  listOpen(query: { afterId: string; limit: number }): Promise<readonly ExecutionRow[]>
  /** Every unsettled duty, by id ascending, for recovery. */
  listOutbox(query: { afterId: string; limit: number }): Promise<readonly OutboxRow[]>
  /** Closed executions whose retention is over at `nowMs`, the longest overdue first, then by executionId. */
  listExpired(query: { nowMs: number; limit: number }): Promise<readonly ExecutionRow[]>

  readSnapshot(query: { key: ExecutionKey }): Promise<Snapshot | undefined>
  /** A cache: may be lost in a crash, need not be synced. */
  writeSnapshot(query: { key: ExecutionKey; snapshot: Snapshot }): Promise<void>

  /**
   * Removes a closed execution with its journal, snapshot and name; its unsettled duties stay. Nothing happens when it
   * is gone already; an open one is refused. The key is never used again.
   */
  purge(query: { key: ExecutionKey }): Promise<void>

  /** Why nothing is written any more, until a restart; absent while all is well. Reads go on where they can. */
  readonly failure?: StoreError | undefined
  /** What the write-ahead log holds, for metrics; absent where there is none. */
  readonly walBytes?: number

  /** Resolves when everything accepted before is durable and all handles are closed. */
  close(): Promise<void>
}
