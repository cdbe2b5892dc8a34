/** Statements on `snapshots`. */
import type { DatabaseSync } from 'node:sqlite'
import type { Snapshot } from '../../store.ts'
import { StoreError } from '../../store-error.ts'
import { damagedRow, isIntact, rowChecksum } from '../checksum.ts'
import { readNumber, readText, storedText } from '../stored-text.ts'

/** Writes the snapshot of an execution that exists. Indexes: the primary keys of both tables. */
export function upsertSnapshot(db: DatabaseSync): (key: number, snapshot: Snapshot) => void {
  const statement = db.prepare(
    `INSERT INTO snapshots (execution, fold_version, seq, text, crc)
     SELECT key, ?2, ?3, ?4, ?5 FROM executions WHERE key = ?1
     ON CONFLICT (execution) DO UPDATE SET fold_version = excluded.fold_version, seq = excluded.seq, text = excluded.text,
       crc = excluded.crc`,
  )
  return (key, snapshot) => {
    const values = [key, snapshot.foldVersion, snapshot.seq, storedText(snapshot.text)]
    statement.run(...values, rowChecksum(values))
  }
}

/** A damaged snapshot is none: it can be made again from the journal. Index: the primary key. */
export function snapshotOf(db: DatabaseSync): (key: number) => Snapshot | undefined {
  const statement = db.prepare('SELECT fold_version, seq, text, crc FROM snapshots WHERE execution = ?')
  return (key) => {
    const row = statement.get(key)
    if (row === undefined) return undefined
    try {
      return snapshotRow(key, row)
    } catch (error) {
      if (error instanceof StoreError && error.consequence === 'damaged') return undefined
      throw error
    }
  }
}

/** Throws when the row is not what was written. */
export function snapshotRow(key: number, row: Row): Snapshot {
  const { fold_version = null, seq = null, text = null, crc } = row
  if (!isIntact(crc, () => rowChecksum([key, fold_version, seq, text]))) throw damagedRow(`the snapshot of key ${key}`)
  return { foldVersion: readNumber(fold_version), seq: readNumber(seq), text: readText(text) }
}

type Row = ReturnType<ReturnType<DatabaseSync['prepare']>['all']>[number]

/** Index: the primary key. */
export function deleteSnapshot(db: DatabaseSync): (key: number) => void {
  const statement = db.prepare('DELETE FROM snapshots WHERE execution = ?')
  return (key) => {
    statement.run(key)
  }
}
