/** What the store and its two workers say to each other. Every request gets one reply, in the order of the requests. */
import type { FunctionRow } from '../../functions/registry/function-store.ts'
import type { ExecutionKey, Snapshot, Store } from '../store.ts'
import type { Failure } from './failure.ts'
import type { FlatBatch } from './flat-batch.ts'
import type { RecordTable } from './sql/records.ts'
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
  | { readonly kind: 'putRecord'; readonly table: RecordTable; readonly row: FunctionRow; readonly replaces: number }
  /** Code is begun, gets its pieces one by one, and is made whole with the last one. */
  | { readonly kind: 'beginCode'; readonly sha256: string; readonly bytes: number }
  | {
      readonly kind: 'codePiece'
      readonly sha256: string
      readonly number: number
      readonly bytes: Uint8Array
      readonly last: boolean
    }
  /** One step of a removal: the code is no longer whole with the first, and is gone with the last. */
  | { readonly kind: 'removeCode'; readonly sha256: string }

export type WriteOutcome =
  | { readonly kind: 'appended'; readonly results: readonly number[] }
  | { readonly kind: 'snapshotWritten' }
  | { readonly kind: 'purged'; readonly done: boolean }
  /** Whether the record was the one that was to be replaced. */
  | { readonly kind: 'compared'; readonly matched: boolean }
  /** `present`: it is there as a whole already. */
  | { readonly kind: 'codeBegun'; readonly state: 'begun' | 'present' | 'unfinished' }
  | { readonly kind: 'pieceWritten' }
  | { readonly kind: 'codeRemoved'; readonly done: boolean }
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

/** How the records and the code of functions and layers are read: in pages and pieces, so that no answer is long. */
export interface FunctionReads {
  recordsAfter(query: {
    readonly table: RecordTable
    readonly afterName: string
    readonly limit: number
  }): Promise<readonly FunctionRow[]>
  hashesAfter(query: { readonly after: string; readonly limit: number }): Promise<readonly string[]>
  /** Of code that is whole. */
  codeBytes(query: { readonly sha256: string }): Promise<number | undefined>
  /** Of code that is whole. */
  codePiece(query: { readonly sha256: string; readonly number: number }): Promise<Uint8Array | undefined>
}

type Reads = Store & FunctionReads

export type ReadMethod =
  | keyof FunctionReads
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

export type ReadQuery<Method extends ReadMethod> = Parameters<Reads[Method]>[0]
export type ReadResult<Method extends ReadMethod> = Awaited<ReturnType<Reads[Method]>>

export type ReaderRequest =
  | { [Method in ReadMethod]: { readonly kind: Method; readonly query: ReadQuery<Method> } }[ReadMethod]
  | { readonly kind: 'moveWal' }
  | Closing
