/** Statements on `outbox`: the duties that are owed. */
import type { DatabaseSync } from 'node:sqlite'
import type { OutboxRow } from '../../store.ts'
import { readText, storedText } from '../stored-text.ts'

/** Adds a duty unless its id is there. Index: outbox_by_id. */
export function insertDuty(db: DatabaseSync): (duty: OutboxRow) => void {
  const statement = db.prepare(
    'INSERT INTO outbox (id, execution_id, text) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING',
  )
  return (duty) => {
    statement.run(storedText(duty.id), storedText(duty.executionId), storedText(duty.text))
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
  const statement = db.prepare('SELECT id, execution_id, text FROM outbox WHERE id > ? ORDER BY id LIMIT ?')
  return (afterId, limit) =>
    statement.all(storedText(afterId), limit).map((row) => ({
      id: readText(row['id']),
      executionId: readText(row['execution_id']),
      text: readText(row['text']),
    }))
}
