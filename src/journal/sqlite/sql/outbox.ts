/** Statements on `outbox`: the duties that are owed. */
import type { DatabaseSync } from 'node:sqlite'
import type { OutboxRow } from '../../store.ts'
import { damagedRow, isIntact, rowChecksum } from '../checksum.ts'
import { readText, storedText } from '../stored-text.ts'

/** Adds a duty unless its id is there. Index: outbox_by_id. */
export function insertDuty(db: DatabaseSync): (duty: OutboxRow) => void {
  const statement = db.prepare(
    'INSERT INTO outbox (id, execution_id, text, crc) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
  )
  return (duty) => {
    const values = [storedText(duty.id), storedText(duty.executionId), storedText(duty.text)]
    statement.run(...values, rowChecksum(values))
  }
}

/** Removes a duty that was delivered. Index: outbox_by_id. */
export function deleteDuty(db: DatabaseSync): (id: string) => void {
  const statement = db.prepare('DELETE FROM outbox WHERE id = ?')
  return (id) => {
    statement.run(storedText(id))
  }
}

/** Duties by id. Index: outbox_by_id, a range. */
export function dutiesAfter(db: DatabaseSync): (afterId: string, limit: number) => OutboxRow[] {
  const statement = db.prepare('SELECT id, execution_id, text, crc FROM outbox WHERE id > ? ORDER BY id LIMIT ?')
  return (afterId, limit) => statement.all(storedText(afterId), limit).map(outboxRow)
}

/** Throws when the row is not what was written. */
export function outboxRow({ id = null, execution_id = null, text = null, crc }: Row): OutboxRow {
  if (!isIntact(crc, () => rowChecksum([id, execution_id, text]))) throw damagedRow(`duty ${String(id)}`)
  return { id: readText(id), executionId: readText(execution_id), text: readText(text) }
}

type Row = ReturnType<ReturnType<DatabaseSync['prepare']>['all']>[number]
