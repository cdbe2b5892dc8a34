/** What the store and its two workers say to each other. Every request gets one reply, in the order of the requests. */
import type { ExecutionKey, Snapshot, Store } from '../store.ts'
import type { Failure } from './failure.ts'
import type { FlatBatch } from './flat-batch.ts'
import type { WalSize } from './wal-policy.ts'

export type Reply<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly failure: Failure }

/** The last request. `leaveLog`: the disk has failed, so nothing more is moved from the log to the database. */
export interface Closing {
  readonly kind: 'close'
  readonly leaveLog: boolean
}

// ------------------------------------------------------------------------------------------------------- writer

export interface WriterSettings {
  readonly path: string
  readonly maxBytes: number | undefined
  readonly walBytes: number
}

export interface WriterReady {
  readonly unfinishedPurges: readonly ExecutionKey[]
}

/** One caller's wish. Those that wait together become one transaction. */
export type WriteOperation =
  | { readonly kind: 'append'; readonly batch: FlatBatch }
  | { readonly kind: 'snapshot'; readonly key: ExecutionKey; readonly snapshot: Snapshot }
  /** One step of a purge: the execution vanishes with the first, its journal piece by piece. */
  | { readonly kind: 'purge'; readonly key: ExecutionKey }

export type WriteOutcome =
  | { readonly kind: 'appended'; readonly results: readonly number[] }
  | { readonly kind: 'snapshotWritten' }
  | { readonly kind: 'purged'; readonly done: boolean }
  | { readonly kind: 'failed'; readonly failure: Failure }

export type WriterRequest = { readonly kind: 'commit'; readonly operations: readonly WriteOperation[] } | Closing

export interface Committed {
  /** One per operation. */
  readonly outcomes: readonly WriteOutcome[]
  readonly wal: WalSize
}

// ------------------------------------------------------------------------------------------------------- reader

export interface ReaderSettings {
  readonly path: string
}

export type ReadMethod =
  | 'findById'
  | 'findByName'
  | 'findBySdkInvocation'
  | 'readJournal'
  | 'readEntry'
  | 'readHistory'
  | 'list'
  | 'listOpen'
  | 'listOutbox'
  | 'listExpired'
  | 'readSnapshot'

export type ReadQuery<Method extends ReadMethod> = Parameters<Store[Method]>[0]
export type ReadResult<Method extends ReadMethod> = Awaited<ReturnType<Store[Method]>>

export type ReaderRequest =
  | { [Method in ReadMethod]: { readonly kind: Method; readonly query: ReadQuery<Method> } }[ReadMethod]
  | { readonly kind: 'moveWal' }
  | Closing
