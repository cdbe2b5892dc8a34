/**
 * A process that appends and says so, for tests that look at it from outside or kill it.
 *
 *     node appending-process.ts <directory> <callers> <appends of each>
 *
 * Each caller has an execution of its own and goes on where its journal ends. When an append has resolved it prints
 * `ok <execution id> <seq>`; when one is rejected, `rejected <consequence>`, and the caller tries once more.
 */
import { openSqliteStore } from '../../src/journal/sqlite/sqlite-store.ts'
import type { ExecutionKey, Store } from '../../src/journal/store.ts'
import { StoreError } from '../../src/journal/store-error.ts'
import { appended, creation, entry, extension, newExecution } from './builders.ts'
import { markerOf } from './marker.ts'

const [directory, callers, appends] = process.argv.slice(2)
if (directory === undefined) throw new Error('Which directory?')
const store = await openSqliteStore({ directory })
say('open')
await Promise.all(
  Array.from({ length: Number(callers) }, (_, caller) => appendAll(store, `e${caller}`, Number(appends))),
)
await store.close()
say('closed')

async function appendAll(store: Store, executionId: string, count: number): Promise<void> {
  let rejections = 0
  let { key, seq } = await newestOf(store, executionId)
  for (let done = 0; done < count && rejections < 2; done += 1) {
    try {
      const item =
        key === undefined
          ? creation(newExecution(executionId), { entries: [entry(1, markerOf(executionId, 1))] })
          : extension(key, seq + 1, { entries: [entry(seq + 1, markerOf(executionId, seq + 1))] })
      key = await appended(store, item)
      seq += 1
      say(`ok ${executionId} ${seq}`)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      say(`rejected ${error.consequence}`)
      rejections += 1
    }
  }
}

async function newestOf(store: Store, executionId: string): Promise<{ key: ExecutionKey | undefined; seq: number }> {
  const key = (await store.findById(executionId))?.key
  if (key === undefined) return { key, seq: 0 }
  const rows = await store.readJournal({ key, afterSeq: 0, maxBytes: Number.MAX_SAFE_INTEGER })
  return { key, seq: rows.length }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
