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

class SqliteStore implements Store {
  readonly #lock: DirectoryLock
  readonly #writer: WorkerChannel<WriterRequest>
  readonly #reader: WorkerChannel<ReaderRequest>
  readonly #commits: GroupCommit
  readonly #walBytes: number
  #closing: Promise<void> | undefined
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
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  try {
    return await openLocked(options, lockDirectory(options.directory))
  } catch (error) {
    if (error instanceof StoreError) throw error
    throw new StoreError('failed', `The journal in ${options.directory} cannot be opened: ${String(error)}`, {
      cause: error,
    })
  }
}

async function openLocked(options: SqliteStoreOptions, lock: DirectoryLock): Promise<Store> {
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
