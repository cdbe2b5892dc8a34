import { decodeEntry } from '../../src/engine/codec.ts'
import { historyEvents } from '../../src/engine/history.ts'
import { showOperation, textOfEntry } from '../../src/engine/view.ts'
import { refold } from '../engine/driver.ts'

/** The history with data, the operations as clients see them, and the status: all that a journal means to the outside. */
export function foldedHistory(journal: readonly string[]): string {
  const entries = journal.map(decodeEntry)
  const state = refold(journal)
  const operations = [...state.operations.values()].map((operation) =>
    showOperation(operation, ({ seq, index }) => {
      const entry = entries[seq - 1]
      if (entry === undefined) throw new Error(`no entry ${seq}`)
      return textOfEntry(entry, index)
    }),
  )
  const events = entries.flatMap((entry) => historyEvents(entry, state.start, true))
  return `${JSON.stringify({ status: state.status, deletedAt: state.deletedAt, result: state.result, error: state.error, events, operations }, null, 1)}\n`
}
