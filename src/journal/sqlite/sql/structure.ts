/** Statements on the structure of the database: whether its pages, tables and indexes fit together. No indexes. */
import type { DatabaseSync } from 'node:sqlite'
import { readText } from '../stored-text.ts'

/** What does not fit, at most `limit` findings; reads the whole database. */
export function findings(db: DatabaseSync, limit: number): string[] {
  const rows = db.prepare(`PRAGMA integrity_check(${limit})`).all()
  return rows.map((row) => readText(row['integrity_check'])).filter((finding) => finding !== 'ok')
}
