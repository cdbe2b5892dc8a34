/** Statements on the write-ahead log. No indexes. */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { readNumber } from '../stored-text.ts'
import type { WalSize } from '../wal-policy.ts'

/** Looks, moves nothing. */
export function walSize(db: DatabaseSync): () => WalSize {
  const statement = db.prepare('PRAGMA wal_checkpoint(NOOP)')
  return () => sizeOf(statement.get())
}

/** Moves what can be moved without waiting for anybody. */
export function moveWal(db: DatabaseSync): () => WalSize {
  const statement = db.prepare('PRAGMA wal_checkpoint(PASSIVE)')
  return () => sizeOf(statement.get())
}

/** Moves everything and empties the file; for a writer without readers. */
export function truncateWal(db: DatabaseSync): () => WalSize {
  const statement = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)')
  return () => sizeOf(statement.get())
}

function sizeOf(row: Record<string, SQLOutputValue> | undefined): WalSize {
  return { pages: readNumber(row?.['log']), movedPages: readNumber(row?.['checkpointed']) }
}
