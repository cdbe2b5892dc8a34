/** Statements on `functions` and `layers`: the records of what was created through the API, in tables of one form. */
import type { DatabaseSync } from 'node:sqlite'
import type { FunctionRow } from '../../../functions/registry/function-store.ts'
import { damagedRow, isIntact, rowChecksum } from '../checksum.ts'
import { readNumber, readText, storedText } from '../stored-text.ts'

export type RecordTable = 'functions' | 'layers'

/** False when there is one of that name. Index: functions_by_name, layers_by_name. */
export function insertRecord(db: DatabaseSync, table: RecordTable): (row: FunctionRow) => boolean {
  const statement = db.prepare(
    `INSERT INTO ${table} (name, revision, text, crc) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING`,
  )
  return (row) => {
    const values = valuesOf(row)
    return statement.run(...values, rowChecksum(values)).changes === 1
  }
}

/** False when the one of that name has another revision, or is not there. Index: functions_by_name, layers_by_name. */
export function replaceRecord(db: DatabaseSync, table: RecordTable): (row: FunctionRow, replaces: number) => boolean {
  const statement = db.prepare(`UPDATE ${table} SET revision = ?, text = ?, crc = ? WHERE name = ? AND revision = ?`)
  return (row, replaces) => {
    const values = valuesOf(row)
    const [name, revision, text] = values
    return statement.run(revision, text, rowChecksum(values), name, replaces).changes === 1
  }
}

/** Records by name. Index: functions_by_name, layers_by_name, a range. */
export function recordsAfter(
  db: DatabaseSync,
  table: RecordTable,
): (afterName: string, limit: number) => FunctionRow[] {
  const statement = db.prepare(`SELECT name, revision, text, crc FROM ${table} WHERE name > ? ORDER BY name LIMIT ?`)
  return (afterName, limit) => statement.all(storedText(afterName), limit).map((row) => recordRow(row, table))
}

const ONE_OF = { functions: 'function', layers: 'layer' } as const

/** Throws when the row is not what was written. */
export function recordRow({ name = null, revision = null, text = null, crc }: Row, table: RecordTable): FunctionRow {
  if (!isIntact(crc, () => rowChecksum([name, revision, text]))) throw damagedRow(`${ONE_OF[table]} ${String(name)}`)
  return { name: readText(name), revision: readNumber(revision), text: readText(text) }
}

const valuesOf = ({ name, revision, text }: FunctionRow) => [storedText(name), revision, storedText(text)] as const

type Row = ReturnType<ReturnType<DatabaseSync['prepare']>['all']>[number]
