/** Statements on `purges` and the free pages that a purge leaves. */
import type { DatabaseSync } from 'node:sqlite'
import { readNumber } from '../stored-text.ts'

/** Notes that an execution's journal is being removed. Index: the primary key. */
export function insertPurge(db: DatabaseSync): (key: number) => void {
  const statement = db.prepare('INSERT INTO purges (execution) VALUES (?)')
  return (key) => {
    statement.run(key)
  }
}

/** Notes that it is removed. Index: the primary key. */
export function deletePurge(db: DatabaseSync): (key: number) => void {
  const statement = db.prepare('DELETE FROM purges WHERE execution = ?')
  return (key) => {
    statement.run(key)
  }
}

/** The purges that a stopped process left unfinished. Scans the table, which holds a handful of rows at most. */
export function unfinishedPurges(db: DatabaseSync): () => number[] {
  const statement = db.prepare('SELECT execution FROM purges')
  return () => statement.all().map((row) => readNumber(row['execution']))
}

/** Pages of the file that hold nothing. No index. */
export function freePages(db: DatabaseSync): () => number {
  const statement = db.prepare('PRAGMA freelist_count')
  return () => readNumber(statement.get()?.['freelist_count'])
}

/** Gives at most `pages` free pages back to the file system (at the next checkpoint). No index. */
export function vacuum(db: DatabaseSync): (pages: number) => void {
  return (pages) => db.exec(`PRAGMA incremental_vacuum(${pages})`)
}
