/**
 * What a start looks at before it trusts a database: that the log ends where it did (`log-file.ts`), that nothing is
 * missing that a commit had (`commit-mark.ts`), and that the pages of a database of moderate size fit together. Rows are
 * checked when they are read (`checksum.ts`), and everything by `perdure verify`.
 */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../store-error.ts'
import { type Mark, markPathOf, readMark } from './commit-mark.ts'
import { openWithoutLog } from './connection.ts'
import { logPathOf, readLog } from './log-file.ts'
import { newestRow } from './sql/journal.ts'
import { findings } from './sql/structure.ts'

/** `PRAGMA integrity_check` takes 1.3 ms per MB of cached pages: a third of a second at this size. */
const CHECKED_BYTES = 268_435_456

/** Before SQLite touches the files: opening would cut off what does not fit, and closing remove the log. */
export function checkLog(path: string): void {
  const log = readLog(path)
  const mark = readMark(path)
  if (log.kind === 'read') {
    const { damaged, committedFrames: frames } = log
    if (damaged !== undefined) {
      const place = `frame ${damaged.frame} (byte ${damaged.offset})`
      throw lost(path, `its log ${logPathOf(path)} is damaged at ${place}, before transactions that were acknowledged`)
    }
    if (mark !== undefined && mark.salts === log.salts && frames < mark.frames) {
      const kept = `${frames} of ${mark.frames} frames that ${markPathOf(path)} knows of`
      throw lost(
        path,
        `its log ${logPathOf(path)} has only ${kept}: it is cut short, or damaged at frame ${frames + 1}`,
      )
    }
  }
  // SQLite will ignore this log. That is right if everything in it had been moved, which the database alone can say.
  if (log.kind === 'unreadable' && mark !== undefined) {
    requireNewestRow(path, mark, newestRowWithoutLog(path), `the header of its log ${logPathOf(path)} is damaged`)
  }
}

/** When the database is open and has the newest schema. */
export function checkDatabase(db: DatabaseSync, path: string): void {
  const mark = readMark(path)
  if (mark !== undefined) {
    requireNewestRow(path, mark, newestRow(db)(), 'its log was removed, or a file of an earlier time put in its place')
  }
  if (statSync(path).size > CHECKED_BYTES) return
  const [first] = findings(db, 1)
  if (first !== undefined) throw damagedDatabase(path, first)
}

export function damagedDatabase(path: string, finding: string): StoreError {
  return new StoreError(
    'damaged',
    `The journal ${resolve(path)} is damaged: ${finding}. It is not used. "perdure verify" tells more; restore a ` +
      'backup, or have "perdure repair" save what can be saved.',
  )
}

function requireNewestRow(path: string, mark: Mark, newest: number, cause: string): void {
  if (newest >= mark.newestRow) return
  throw lost(path, `it ends at row ${newest}, and ${markPathOf(path)} knows of row ${mark.newestRow}: ${cause}`)
}

function lost(path: string, what: string): StoreError {
  return new StoreError(
    'damaged',
    `The journal ${resolve(path)} has lost acknowledged entries: ${what}. Nothing was changed. Restore a backup into ` +
      'an empty folder, or go on without what is lost: "perdure repair".',
  )
}

function newestRowWithoutLog(path: string): number {
  const db = openWithoutLog(path)
  try {
    return hasSchema(db) ? newestRow(db)() : 0
  } finally {
    db.close()
  }
}

/** A database that is new has everything in its log. */
const hasSchema = (db: DatabaseSync): boolean =>
  db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'high_water'").get() !== undefined
