/** Statements on `journal`. A reader sees no journal of an execution that is being purged. */
import type { DatabaseSync } from 'node:sqlite'
import type { JournalRow } from '../../store.ts'
import { damagedEntry, entryChecksum, isIntact } from '../checksum.ts'
import { readNumber, readOptionalNumber, readText, storedText } from '../stored-text.ts'

const COLUMNS = 'execution, seq, first_event_id, text, crc'
const NOT_PURGED = 'EXISTS (SELECT 1 FROM executions WHERE key = execution)'

/** The newest seq of an execution, 0 without entries. Index: UNIQUE (execution, seq), its last place. */
export function newestSeq(db: DatabaseSync): (key: number) => number {
  const statement = db.prepare('SELECT max(seq) FROM journal WHERE execution = ?')
  statement.setReturnArrays(true)
  return (key) => {
    const row = statement.get(key) as unknown as readonly [number | null]
    return row[0] ?? 0
  }
}

/** The newest seq that a reader may see, 0 without entries. Index: UNIQUE (execution, seq), its last place. */
export function newestReadableSeq(db: DatabaseSync): (key: number) => number {
  const statement = db.prepare(
    `SELECT seq FROM journal WHERE execution = ? AND ${NOT_PURGED} ORDER BY seq DESC LIMIT 1`,
  )
  return (key) => readOptionalNumber(statement.get(key)?.['seq']) ?? 0
}

/** Adds an entry as row `row`. Index: UNIQUE (execution, seq) is the compare-and-swap itself. */
export function insertEntry(
  db: DatabaseSync,
): (row: number, key: number, seq: number, firstEventId: number, text: string) => void {
  const statement = db.prepare(
    'INSERT INTO journal (rowid, execution, seq, first_event_id, text, crc) VALUES (?, ?, ?, ?, ?, ?)',
  )
  return (row, key, seq, firstEventId, text) => {
    const stored = storedText(text)
    statement.run(row, key, seq, firstEventId, stored, entryChecksum(key, seq, firstEventId, stored))
  }
}

/** The greatest row number that `journal` ever had, 0 before the first entry. Index: the row numbers, their last place. */
export function newestRow(db: DatabaseSync): () => number {
  const statement = db.prepare(
    'SELECT max(coalesce((SELECT max(rowid) FROM journal), 0), coalesce((SELECT entry_row FROM high_water WHERE id = 1), 0)) AS row',
  )
  return () => readNumber(statement.get()?.['row'])
}

/** Keeps `newestRow` when entries go. Index: the primary key. */
export function keepNewestRow(db: DatabaseSync): (row: number) => void {
  const statement = db.prepare('INSERT OR REPLACE INTO high_water (id, entry_row) VALUES (1, ?)')
  return (row) => {
    statement.run(row)
  }
}

/** Removes at most `limit` entries, oldest first; returns how many. Index: UNIQUE (execution, seq), a range from its start. */
export function deleteEntries(db: DatabaseSync): (key: number, limit: number) => number {
  const statement = db.prepare(
    'DELETE FROM journal WHERE rowid IN (SELECT rowid FROM journal WHERE execution = ? ORDER BY seq LIMIT ?)',
  )
  return (key, limit) => Number(statement.run(key, limit).changes)
}

/** Entries after a seq, ascending, read as they are asked for. Index: UNIQUE (execution, seq), a range. */
export function entriesAfter(db: DatabaseSync): (key: number, afterSeq: number) => Generator<JournalRow> {
  const statement = db.prepare(
    `SELECT ${COLUMNS} FROM journal WHERE execution = ? AND seq > ? AND ${NOT_PURGED} ORDER BY seq`,
  )
  return function* (key, afterSeq) {
    for (const row of statement.iterate(key, afterSeq)) yield journalRow(row)
  }
}

/** One entry. Index: UNIQUE (execution, seq), a point. */
export function entryAt(db: DatabaseSync): (key: number, seq: number) => JournalRow | undefined {
  const statement = db.prepare(`SELECT ${COLUMNS} FROM journal WHERE execution = ? AND seq = ? AND ${NOT_PURGED}`)
  return (key, seq) => {
    const row = statement.get(key, seq)
    return row === undefined ? undefined : journalRow(row)
  }
}

/** EventId at which an entry begins. Index: UNIQUE (execution, seq), a point; long texts are not touched. */
export function firstEventIdAt(db: DatabaseSync): (key: number, seq: number) => number {
  const statement = db.prepare('SELECT first_event_id FROM journal WHERE execution = ? AND seq = ?')
  return (key, seq) => readNumber(statement.get(key, seq)?.['first_event_id'])
}

/** Entries from a seq on that begin at or before an EventId, ascending. Index: UNIQUE (execution, seq), a range. */
export function entriesUpToEvent(
  db: DatabaseSync,
): (key: number, fromSeq: number, toEventId: number) => Generator<JournalRow> {
  const statement = db.prepare(
    `SELECT ${COLUMNS} FROM journal WHERE execution = ? AND seq >= ? AND ${NOT_PURGED} ORDER BY seq`,
  )
  return function* (key, fromSeq, toEventId) {
    for (const row of statement.iterate(key, fromSeq)) {
      if (readNumber(row['first_event_id']) > toEventId) return
      yield journalRow(row)
    }
  }
}

type Row = ReturnType<ReturnType<DatabaseSync['prepare']>['all']>[number]

/** Throws when the row is not what was written. */
export function journalRow(row: Row): JournalRow {
  const key = readNumber(row['execution'])
  const seq = readNumber(row['seq'])
  const firstEventId = readNumber(row['first_event_id'])
  const { text = null, crc } = row
  if (!isIntact(crc, () => entryChecksum(key, seq, firstEventId, text))) throw damagedEntry(`execution ${key}`, seq)
  return { seq, firstEventId, text: readText(text) }
}
