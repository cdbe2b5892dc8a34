/** Everything that a server can ever ask of its store, read from a folder by the code that its threads run. */
import { join } from 'node:path'
import { openReaderConnection, openWriterConnection } from '../../src/journal/sqlite/connection.ts'
import { migrate } from '../../src/journal/sqlite/migrate.ts'
import { createReader, type Reader } from '../../src/journal/sqlite/reader.ts'
import { checkDatabase, checkLog } from '../../src/journal/sqlite/start-checks.ts'
import { DEFAULT_WAL_BYTES } from '../../src/journal/sqlite/wal-policy.ts'
import { Writer } from '../../src/journal/sqlite/writer.ts'
import type { ExecutionRow } from '../../src/journal/store.ts'

export interface Known {
  readonly functionName: string
  readonly rows: readonly ExecutionRow[]
}

export type Answers = ReadonlyMap<string, () => unknown>

/** Opens as a starting server does. Throws what it would refuse with. */
export function openFolder(folder: string): { readonly reader: Reader; readonly close: () => void } {
  const path = join(folder, 'journal.db')
  checkLog(path)
  const writer = openWriterConnection({ path, maxBytes: undefined, walBytes: DEFAULT_WAL_BYTES })
  try {
    migrate(writer)
    checkDatabase(writer, path)
    new Writer(writer)
    const db = openReaderConnection(path)
    return {
      reader: createReader(db),
      close: () => {
        db.close()
        writer.close()
      },
    }
  } catch (error) {
    writer.close()
    throw error
  }
}

/** Every question about these executions, by name; a snapshot's answer may also be none. */
export function questions(reader: Reader, { functionName, rows }: Known): Answers {
  const answers = new Map<string, () => unknown>([
    ['open', () => reader.listOpen({ afterId: '', limit: 1_000 })],
    ['outbox', () => reader.listOutbox({ afterId: '', limit: 1_000 })],
    ['expired', () => reader.listExpired({ nowMs: 2 ** 45, limit: 1_000 })],
    ['list', () => reader.list({ functionName, limit: 1_000 })],
  ])
  for (const { key, executionId, name } of rows) {
    answers.set(`id ${name}`, () => reader.findById(executionId))
    answers.set(`name ${name}`, () => reader.findByName({ functionName, name }))
    answers.set(`journal ${name}`, () => reader.readJournal({ key, afterSeq: 0, maxBytes: 2 ** 40 }))
    answers.set(`history ${name}`, () => reader.readHistory({ key, fromEventId: 5, toEventId: 50 }))
    answers.set(`snapshot ${name}`, () => reader.readSnapshot({ key }))
  }
  return answers
}
