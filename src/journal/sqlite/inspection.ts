/**
 * A database as it lies in its folder, looked at without changing it: by `perdure verify`, also while a server writes.
 * Every row is given out or told as damaged; one bad row hides no other. Views are short, one for each execution, so
 * that a server's log can be emptied in between.
 */
import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { FunctionRow } from '../../functions/registry/function-store.ts'
import type { ExecutionRow, JournalRow, OutboxRow, Snapshot } from '../store.ts'
import { StoreError } from '../store-error.ts'
import { damagedRow } from './checksum.ts'
import { openToLook } from './connection.ts'
import { migrations } from './migrations/list.ts'
import { codeRow, pieceRow } from './sql/code.ts'
import { executionRow } from './sql/executions.ts'
import { journalRow } from './sql/journal.ts'
import { outboxRow } from './sql/outbox.ts'
import { type RecordTable, recordRow } from './sql/records.ts'
import { snapshotRow } from './sql/snapshots.ts'
import { findings } from './sql/structure.ts'

export type Inspected<Row> = { readonly row: Row } | { readonly damage: string }

export interface InspectedExecution {
  readonly execution: Inspected<ExecutionRow>
  readonly entries: Iterable<Inspected<JournalRow>>
  /** Absent when there is none, or one whose checksum is wrong (then it says so). */
  readonly snapshot: Inspected<Snapshot> | undefined
}

/** Findings of SQLite itself that are told; the first says most. */
const MOST_FINDINGS = 20
const PAGE = 500

export class Inspection {
  readonly #db: DatabaseSync

  /** Throws when there is no database, or none that this release reads. */
  constructor(path: string, alone: boolean) {
    if (!existsSync(path)) throw new StoreError('refused', `There is no ${path}.`)
    this.#db = openToLook(path, alone)
    const version = Number(this.#db.prepare('PRAGMA user_version').get()?.['user_version'])
    const newest = migrations.at(-1)?.number ?? 0
    if (version === newest) return
    this.#db.close()
    throw new StoreError(
      'refused',
      `${path} has schema ${version}, this Perdure reads schema ${newest}: ` +
        (version > newest ? 'run the release that wrote it' : 'start a server on it once, which brings it up to date'),
    )
  }

  close(): void {
    this.#db.close()
  }

  /** Pages, tables and indexes that do not fit together. */
  structure(): string[] {
    return findings(this.#db, MOST_FINDINGS)
  }

  /** Every execution with its journal, by key. The rows of one are read before the next is asked for. */
  *executions(): Generator<InspectedExecution> {
    const keys = this.#db.prepare(`SELECT key FROM executions WHERE key > ? ORDER BY key LIMIT ${PAGE}`)
    const byKey = this.#db.prepare('SELECT * FROM executions WHERE key = ?')
    for (let after = 0; ; ) {
      const page = keys.all(after).map((row) => Number(row['key']))
      for (const key of page) {
        this.#db.exec('BEGIN')
        try {
          const row = byKey.get(key)
          if (row === undefined) continue
          yield {
            execution: inspected(() => executionRow(row)),
            entries: this.#entries(key),
            snapshot: this.#snapshot(key),
          }
        } finally {
          this.#db.exec('COMMIT')
        }
      }
      const last = page.at(-1)
      if (last === undefined) return
      after = last
    }
  }

  /** Entries of no execution, other than those that a purge is about to remove. */
  strayEntries(): number {
    const row = this.#db
      .prepare(
        `SELECT count(*) AS strays FROM journal WHERE execution NOT IN (SELECT key FROM executions)
           AND execution NOT IN (SELECT execution FROM purges)`,
      )
      .get()
    return Number(row?.['strays'])
  }

  *duties(): Generator<Inspected<OutboxRow>> {
    for (const row of this.#db.prepare('SELECT * FROM outbox ORDER BY id').iterate()) {
      yield inspected(() => outboxRow(row))
    }
  }

  /** The records of functions that were created through the API, or of layers, by name. */
  *records(table: RecordTable): Generator<Inspected<FunctionRow>> {
    for (const row of this.#db.prepare(`SELECT * FROM ${table} ORDER BY name`).iterate()) {
      yield inspected(() => recordRow(row, table))
    }
  }

  /** The hashes of all code that is whole, and of what is not as it was written. */
  *code(): Generator<Inspected<string>> {
    const pieces = this.#db.prepare('SELECT * FROM code_pieces WHERE code = ? ORDER BY number')
    for (const row of this.#db.prepare('SELECT * FROM code ORDER BY key').all()) {
      const code = inspected(() => codeRow(row))
      if ('damage' in code) yield code
      else if (code.row.whole) {
        const { key, bytes, sha256 } = code.row
        yield inspected(() => {
          let length = 0
          for (const piece of pieces.iterate(key)) length += pieceRow(piece).length
          if (length !== bytes) throw damagedRow(`code ${sha256}`)
          return sha256
        })
      }
    }
  }

  *#entries(key: number): Generator<Inspected<JournalRow>> {
    const statement = this.#db.prepare(
      'SELECT execution, seq, first_event_id, text, crc FROM journal WHERE execution = ? ORDER BY seq',
    )
    for (const row of statement.iterate(key)) yield inspected(() => journalRow(row))
  }

  #snapshot(key: number): Inspected<Snapshot> | undefined {
    const row = this.#db.prepare('SELECT * FROM snapshots WHERE execution = ?').get(key)
    return row === undefined ? undefined : inspected(() => snapshotRow(key, row))
  }
}

function inspected<Row>(read: () => Row): Inspected<Row> {
  try {
    return { row: read() }
  } catch (error) {
    if (!(error instanceof StoreError) || error.consequence !== 'damaged') throw error
    return { damage: error.message.split('. ')[0] ?? error.message }
  }
}
