/**
 * The store in one SQLite database (decision 4): journals as rows, one writer thread and one reader thread, so that the
 * main thread never waits for a disk. `writer.ts` and `reader.ts` hold what happens in the threads, `sql/` the
 * statements, `group-commit.ts` how appends share a transaction, `wal-policy.ts` how the log stays bounded.
 *
 * States of a store: *open*; *closing* from the call of `close`, which refuses new requests and waits for the old;
 * *closed*. An open store becomes *failed* by a fault of the disk or the end of a thread (`failure.ts`,
 * `worker-channel.ts`): from then on every write is rejected with the reason; reads go on while the reader lives.
 */
import { join } from 'node:path'
import { crashPoint } from '../../crash-point.ts'
import type { FunctionRow, FunctionStore, LayerRow } from '../../functions/registry/function-store.ts'
import { checkBatch } from '../batch-rules.ts'
import type {
  AppendBatch,
  AppendResult,
  ExecutionKey,
  ExecutionRow,
  JournalRow,
  ListQuery,
  OutboxRow,
  Snapshot,
  Store,
} from '../store.ts'
import { StoreError, storeClosed } from '../store-error.ts'
import { type DirectoryLock, lockDirectory } from './directory-lock.ts'
import { flatten, resultOf } from './flat-batch.ts'
import { GroupCommit } from './group-commit.ts'
import type {
  Committed,
  ReaderRequest,
  ReaderSettings,
  ReadMethod,
  ReadQuery,
  ReadResult,
  WriteOperation,
  WriteOutcome,
  WriterReady,
  WriterRequest,
  WriterSettings,
} from './messages.ts'
import type { RecordTable } from './sql/records.ts'
import { bytesOf, DEFAULT_WAL_BYTES, EMPTY_WAL, isAtBound, isWorthMoving } from './wal-policy.ts'
import { WorkerChannel } from './worker-channel.ts'

export interface SqliteStoreOptions {
  /** Where the database lives; created when it is not there. The store holds the directory's lock while it is open. */
  readonly directory: string
  /** The database file grows no larger than about this; appends beyond it are `unavailable`. Unset: as the disk allows. */
  readonly maxBytes?: number
  /** The write-ahead log is kept to about this size. Unset: 64 MiB. */
  readonly walBytes?: number
}

const DATABASE_FILE = 'journal.db'

/** Code is written and read in pieces of this size, so that none of either holds up others. */
const PIECE_BYTES = 1_048_576
/** Rows of functions and code that are read at a time. */
const PAGE = 100

class SqliteStore implements Store, FunctionStore {
  readonly #lock: DirectoryLock
  readonly #writer: WorkerChannel<WriterRequest>
  readonly #reader: WorkerChannel<ReaderRequest>
  readonly #commits: GroupCommit
  readonly #walBytes: number
  #closing: Promise<void> | undefined
  /** The last write of code: one after another, so that few bytes of them are on their way. */
  #codeWrites: Promise<void> = Promise.resolve()
  #wal = EMPTY_WAL
  #movingWal: Promise<void> | undefined
  /** Why nothing is written any more. */
  #failure: StoreError | undefined

  constructor(
    lock: DirectoryLock,
    writer: WorkerChannel<WriterRequest>,
    reader: WorkerChannel<ReaderRequest>,
    settings: WriterSettings,
    ready: WriterReady,
  ) {
    this.#walBytes = settings.walBytes
    this.#lock = lock
    this.#writer = writer
    this.#reader = reader
    this.#commits = new GroupCommit((operations) => this.#commit(operations))
    for (const key of ready.unfinishedPurges) void this.#resumePurge(key)
  }

  async append(batch: AppendBatch): Promise<readonly AppendResult[]> {
    checkBatch(batch)
    const operation = { kind: 'append', batch: flatten(batch) } as const
    return (await this.#write(operation, 'appended')).results.map(resultOf)
  }

  async writeSnapshot(query: { key: ExecutionKey; snapshot: Snapshot }): Promise<void> {
    await this.#write({ kind: 'snapshot', ...query }, 'snapshotWritten')
  }

  async purge(query: { key: ExecutionKey }): Promise<void> {
    while (!(await this.#write({ kind: 'purge', key: query.key }, 'purged')).done) {
      crashPoint('purge-step-done')
      // The next step goes with the next group, so that appends in between wait for one step only.
    }
  }

  findById(executionId: string): Promise<ExecutionRow | undefined> {
    return this.#read('findById', executionId)
  }

  findByName(query: { functionName: string; name: string }): Promise<ExecutionRow | undefined> {
    return this.#read('findByName', query)
  }

  findBySdkInvocation(query: {
    functionName: string
    sdkInvocationId: string
    sinceMs: number
  }): Promise<ExecutionRow | undefined> {
    return this.#read('findBySdkInvocation', query)
  }

  readJournal(query: { key: ExecutionKey; afterSeq: number; maxBytes: number }): Promise<readonly JournalRow[]> {
    return this.#read('readJournal', query)
  }

  readEntry(query: { key: ExecutionKey; seq: number }): Promise<JournalRow | undefined> {
    return this.#read('readEntry', query)
  }

  readHistory(query: { key: ExecutionKey; fromEventId: number; toEventId: number }): Promise<readonly JournalRow[]> {
    return this.#read('readHistory', query)
  }

  list(query: ListQuery): Promise<readonly ExecutionRow[]> {
    return this.#read('list', query)
  }

  listOpen(query: { afterId: string; limit: number }): Promise<readonly ExecutionRow[]> {
    return this.#read('listOpen', query)
  }

  listOutbox(query: { afterId: string; limit: number }): Promise<readonly OutboxRow[]> {
    return this.#read('listOutbox', query)
  }

  listExpired(query: { nowMs: number; limit: number }): Promise<readonly ExecutionRow[]> {
    return this.#read('listExpired', query)
  }

  readSnapshot(query: { key: ExecutionKey }): Promise<Snapshot | undefined> {
    return this.#read('readSnapshot', query)
  }

  listFunctions(): Promise<readonly FunctionRow[]> {
    return this.#listRecords('functions')
  }

  async putFunction(write: { readonly row: FunctionRow; readonly replaces: number }): Promise<boolean> {
    return (await this.#write({ kind: 'putRecord', table: 'functions', ...write }, 'compared')).matched
  }

  listLayers(): Promise<readonly LayerRow[]> {
    return this.#listRecords('layers')
  }

  async putLayer(write: { readonly row: LayerRow; readonly replaces: number }): Promise<boolean> {
    return (await this.#write({ kind: 'putRecord', table: 'layers', ...write }, 'compared')).matched
  }

  putCode({ sha256, bytes }: { readonly sha256: string; readonly bytes: Uint8Array }): Promise<void> {
    return this.#afterCodeWrites(async () => {
      if (!(await this.#beginCode(sha256, bytes.length))) return
      const pieces = Math.max(1, Math.ceil(bytes.length / PIECE_BYTES))
      for (let number = 0; number < pieces; number += 1) {
        // A copy: what is sent to another thread takes with it all of the memory that it lies in.
        const piece = new Uint8Array(bytes.subarray(number * PIECE_BYTES, (number + 1) * PIECE_BYTES))
        await this.#write(
          { kind: 'codePiece', sha256, number, bytes: piece, last: number + 1 === pieces },
          'pieceWritten',
        )
      }
    })
  }

  async readCode({ sha256 }: { readonly sha256: string }): Promise<Uint8Array | undefined> {
    const length = await this.#read('codeBytes', { sha256 })
    if (length === undefined) return undefined
    const bytes = new Uint8Array(length)
    let read = 0
    for (let number = 0; read < length; number += 1) {
      const piece = await this.#read('codePiece', { sha256, number })
      // Removed meanwhile.
      if (piece === undefined) return undefined
      bytes.set(piece, read)
      read += piece.length
    }
    return bytes
  }

  async listCode(): Promise<readonly string[]> {
    const hashes: string[] = []
    for (;;) {
      const page = await this.#read('hashesAfter', { after: hashes.at(-1) ?? '', limit: PAGE })
      hashes.push(...page)
      if (page.length < PAGE) return hashes
    }
  }

  removeCode({ sha256 }: { readonly sha256: string }): Promise<void> {
    return this.#afterCodeWrites(() => this.#removeCode(sha256))
  }

  get failure(): StoreError | undefined {
    return this.#failure
  }

  get walBytes(): number {
    return bytesOf(this.#wal)
  }

  close(): Promise<void> {
    this.#closing ??= this.#closeAll()
    return this.#closing
  }

  async #closeAll(): Promise<void> {
    await this.#commits.idle()
    try {
      await this.#reader.close({ kind: 'close', leaveLog: false })
    } finally {
      await closeWriter(this.#writer, this.#lock, this.#failure !== undefined)
    }
  }

  async #listRecords(table: RecordTable): Promise<readonly FunctionRow[]> {
    const rows: FunctionRow[] = []
    for (;;) {
      const page = await this.#read('recordsAfter', { table, afterName: rows.at(-1)?.name ?? '', limit: PAGE })
      rows.push(...page)
      if (page.length < PAGE) return rows
    }
  }

  #afterCodeWrites(write: () => Promise<void>): Promise<void> {
    const written = this.#codeWrites.then(write)
    // Whoever asked is told; the next one does not depend on it.
    this.#codeWrites = written.catch(() => {})
    return written
  }

  /** False when it is there already. */
  async #beginCode(sha256: string, bytes: number): Promise<boolean> {
    for (;;) {
      const { state } = await this.#write({ kind: 'beginCode', sha256, bytes }, 'codeBegun')
      if (state !== 'unfinished') return state === 'begun'
      await this.#removeCode(sha256)
    }
  }

  async #removeCode(sha256: string): Promise<void> {
    while (!(await this.#write({ kind: 'removeCode', sha256 }, 'codeRemoved')).done) {
      // The next step goes with the next group, so that appends in between wait for one step only.
    }
  }

  async #write<Kind extends WriteOutcome['kind']>(
    operation: WriteOperation,
    expected: Kind,
  ): Promise<Extract<WriteOutcome, { kind: Kind }>> {
    if (this.#closing !== undefined) throw storeClosed()
    if (this.#failure !== undefined) throw this.#failure
    const outcome = await this.#outcomeOf(operation)
    if (outcome.kind !== expected)
      throw new StoreError('failed', `The journal answered ${outcome.kind}, not ${expected}.`)
    return outcome as Extract<WriteOutcome, { kind: Kind }>
  }

  async #outcomeOf(operation: WriteOperation): Promise<WriteOutcome> {
    try {
      return await this.#commits.add(operation)
    } catch (error) {
      this.#noteFailure(error)
      throw error
    }
  }

  async #read<Method extends ReadMethod>(kind: Method, query: ReadQuery<Method>): Promise<ReadResult<Method>> {
    if (this.#closing !== undefined) throw storeClosed()
    // One of the union by construction; the compiler does not pair `kind` and `query` of a generic method.
    const request = { kind, query } as unknown as ReaderRequest
    try {
      return (await this.#reader.request(request)) as ReadResult<Method>
    } catch (error) {
      this.#noteFailure(error)
      throw error
    }
  }

  /** Goes on with a purge that the last process did not finish; what this one cannot finish is left to the next. */
  async #resumePurge(key: ExecutionKey): Promise<void> {
    try {
      await this.purge({ key })
    } catch (error) {
      this.#noteFailure(error)
    }
  }

  /** One group; the WAL is tended between groups (`wal-policy.ts`). */
  async #commit(operations: readonly WriteOperation[]): Promise<Committed> {
    if (isAtBound(this.#wal, this.#walBytes)) await this.#movingWal
    const committed = (await this.#writer.request({ kind: 'commit', operations })) as Committed
    crashPoint('group-reported')
    this.#wal = committed.wal
    if (isWorthMoving(this.#wal, this.#walBytes)) this.#movingWal ??= this.#moveWal()
    return committed
  }

  async #moveWal(): Promise<void> {
    try {
      await this.#reader.request({ kind: 'moveWal' })
    } catch (error) {
      this.#noteFailure(error)
    } finally {
      this.#movingWal = undefined
    }
  }

  /** What passes (no room, closed meanwhile) is tried again by a later commit or start; the rest ends all writing. */
  #noteFailure(error: unknown): void {
    if (error instanceof StoreError && error.consequence !== 'failed') return
    this.#failure ??= error instanceof StoreError ? error : new StoreError('failed', String(error), { cause: error })
  }
}

/** Opens the database of a directory, creating or migrating it, with exclusive use of the directory until it is closed. */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store & FunctionStore> {
  try {
    return await openLocked(options, lockDirectory(options.directory))
  } catch (error) {
    if (error instanceof StoreError) throw error
    throw new StoreError('failed', `The journal in ${options.directory} cannot be opened: ${String(error)}`, {
      cause: error,
    })
  }
}

async function openLocked(options: SqliteStoreOptions, lock: DirectoryLock): Promise<Store & FunctionStore> {
  const path = join(options.directory, DATABASE_FILE)
  try {
    const { maxBytes, walBytes = DEFAULT_WAL_BYTES } = options
    const settings: WriterSettings = { path, maxBytes, walBytes }
    const writer = await WorkerChannel.open<WriterRequest, WriterReady>('writer', settings)
    const reader = await openReader(path, writer.channel)
    return new SqliteStore(lock, writer.channel, reader, settings, writer.ready)
  } catch (error) {
    lock.release()
    throw error
  }
}

async function openReader(path: string, writer: WorkerChannel<WriterRequest>): Promise<WorkerChannel<ReaderRequest>> {
  try {
    const settings: ReaderSettings = { path }
    return (await WorkerChannel.open<ReaderRequest, undefined>('reader', settings)).channel
  } catch (error) {
    await writer.close({ kind: 'close', leaveLog: false })
    throw error
  }
}

async function closeWriter(
  writer: WorkerChannel<WriterRequest>,
  lock: DirectoryLock,
  leaveLog: boolean,
): Promise<void> {
  try {
    await writer.close({ kind: 'close', leaveLog })
  } finally {
    lock.release()
  }
}
