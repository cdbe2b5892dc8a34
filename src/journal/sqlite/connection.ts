/**
 * How each thread opens the database. WAL with synchronous=FULL: a commit returns after the WAL is synced, and a
 * reader sees a commit only after that sync. The WAL is never checkpointed inside a commit (`wal-policy.ts`).
 */
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { logPathOf } from './log-file.ts'
import type { WriterSettings } from './messages.ts'

/** Another connection holds a lock only for moments (end of a checkpoint, reset of the WAL). */
const BUSY_TIMEOUT_MS = 10_000
const PAGE_CACHE_KIB = 32_768

export function openWriterConnection(settings: WriterSettings): DatabaseSync {
  const db = new DatabaseSync(settings.path, { timeout: BUSY_TIMEOUT_MS })
  // Only a database without tables takes this up, so it comes before the migrations.
  db.exec('PRAGMA auto_vacuum = INCREMENTAL')
  db.exec('PRAGMA journal_mode = WAL')
  db.exec('PRAGMA synchronous = FULL')
  db.exec('PRAGMA wal_autocheckpoint = 0')
  // What a long reader let the WAL grow beyond its bound is cut off when the log begins anew.
  db.exec(`PRAGMA journal_size_limit = ${settings.walBytes}`)
  db.exec(`PRAGMA cache_size = -${PAGE_CACHE_KIB}`)
  if (settings.maxBytes !== undefined) limitSize(db, settings.maxBytes)
  return db
}

/** Reads, and moves pages from the WAL to the database: the one kind of writing that `query_only` permits. */
export function openReaderConnection(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  db.exec('PRAGMA query_only = ON')
  db.exec('PRAGMA synchronous = FULL')
  db.exec('PRAGMA wal_autocheckpoint = 0')
  db.exec(`PRAGMA cache_size = -${PAGE_CACHE_KIB}`)
  return db
}

/**
 * Changes nothing in the database. With `alone`, when nobody else has it open, and without a log, nothing is made beside
 * it either: a backup stays the one file that it is, and may lie where nobody may write.
 */
export function openToLook(path: string, alone: boolean): DatabaseSync {
  const log = statSync(logPathOf(path), { throwIfNoEntry: false })
  if (!alone || (log?.size ?? 0) > 0) return new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
  return openWithoutLog(path)
}

/** The database without its log. */
export function openWithoutLog(path: string): DatabaseSync {
  const url = pathToFileURL(path)
  url.searchParams.set('immutable', '1')
  return new DatabaseSync(url, { readOnly: true })
}

/**
 * Closes without moving anything from the log to the database, which SQLite would do and then remove the log. After a
 * failed sync that is not to be risked: pages that were moved before it may be gone from memory without being on disk,
 * and the log is then the only place that has them. A connection that may only read stands in the way.
 */
export function closeLeavingLog(db: DatabaseSync): void {
  const path = db.location()
  const bystander = path === null ? undefined : new DatabaseSync(path, { readOnly: true })
  try {
    bystander?.prepare('SELECT count(*) FROM sqlite_schema').get()
    db.close()
  } finally {
    bystander?.close()
  }
}

function limitSize(db: DatabaseSync, maxBytes: number): void {
  const pageBytes = Number(db.prepare('PRAGMA page_size').get()?.['page_size'])
  db.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / pageBytes))}`)
}
