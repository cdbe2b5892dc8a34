/**
 * What survives a server. Each server opens it anew, as a process does that comes up.
 *
 * `sqliteDisk` is the real SQLite store in one thread: its group commit, writer, reader and statements, without the
 * threads and channels between them. The database lies in memory, so a crash takes nothing of it: what the disk keeps
 * of a transaction that a crash, or a power cut, interrupts is what `npm run crash-points` and `npm run power` look at.
 */
import { checkBatch } from '../../src/journal/batch-rules.ts'
import { MemoryStore } from '../../src/journal/memory/memory-store.ts'
import { openWriterConnection } from '../../src/journal/sqlite/connection.ts'
import { flatten, resultOf } from '../../src/journal/sqlite/flat-batch.ts'
import { GroupCommit } from '../../src/journal/sqlite/group-commit.ts'
import type { WriteOperation, WriteOutcome } from '../../src/journal/sqlite/messages.ts'
import { migrate } from '../../src/journal/sqlite/migrate.ts'
import { createReader } from '../../src/journal/sqlite/reader.ts'
import { DEFAULT_WAL_BYTES } from '../../src/journal/sqlite/wal-policy.ts'
import { Writer } from '../../src/journal/sqlite/writer.ts'
import type { Store } from '../../src/journal/store.ts'

export interface Disk {
  open(): Store
  /** Nobody will open it again. */
  discard(): void
}

export function memoryDisk(): Disk {
  const store = new MemoryStore()
  return { open: () => store, discard: () => {} }
}

export function sqliteDisk(): Disk {
  const db = openWriterConnection({ path: ':memory:', maxBytes: undefined, walBytes: DEFAULT_WAL_BYTES })
  migrate(db)
  return { open: () => storeOf(new Writer(db), createReader(db)), discard: () => db.close() }
}

function storeOf(writer: Writer, reader: ReturnType<typeof createReader>): Store {
  const commits = new GroupCommit(async (operations) => writer.commit(operations))
  const write = async <Kind extends WriteOutcome['kind']>(operation: WriteOperation, expected: Kind) => {
    const outcome = await commits.add(operation)
    if (outcome.kind !== expected) throw new Error(`the writer answered ${outcome.kind}, not ${expected}`)
    return outcome as Extract<WriteOutcome, { kind: Kind }>
  }
  const purge: Store['purge'] = async ({ key }) => {
    while (!(await write({ kind: 'purge', key }, 'purged')).done);
  }
  for (const key of writer.unfinishedPurges) void purge({ key })
  return {
    append: async (batch) => {
      checkBatch(batch)
      return (await write({ kind: 'append', batch: flatten(batch) }, 'appended')).results.map(resultOf)
    },
    writeSnapshot: async (query) => {
      await write({ kind: 'snapshot', ...query }, 'snapshotWritten')
    },
    purge,
    findById: async (executionId) => reader.findById(executionId),
    findByName: async (query) => reader.findByName(query),
    findBySdkInvocation: async (query) => reader.findBySdkInvocation(query),
    readJournal: async (query) => reader.readJournal(query),
    readEntry: async (query) => reader.readEntry(query),
    readHistory: async (query) => reader.readHistory(query),
    list: async (query) => reader.list(query),
    listOpen: async (query) => reader.listOpen(query),
    listOutbox: async (query) => reader.listOutbox(query),
    listExpired: async (query) => reader.listExpired(query),
    readSnapshot: async (query) => reader.readSnapshot(query),
    close: () => commits.idle(),
  }
}
