/**
 * A process that uses the store alone, with a write-ahead log so small that pages move to the database all the time,
 * the log begins anew again and again, and executions are removed while others grow.
 *
 *     node storing.ts <data folder> <file of what was acknowledged> <seed> <appends>
 *
 * When an append has resolved, the facts that are then certain go into that file, which lies in the watched folder: so
 * they are in the trace.
 */
import { appendFileSync } from 'node:fs'
import { openSqliteStore } from '../../src/journal/sqlite/sqlite-store.ts'
import type { ExecutionKey, Store } from '../../src/journal/store.ts'
import { appended, closedAt, creation, duty, entry, extension, newExecution } from '../journal/builders.ts'
import { markerOf } from '../journal/marker.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'

const WAL_BYTES = 98_304
const CALLERS = 4
const MOST_ENTRIES = 12
/** Some entries need pages of their own. */
const MOST_FILLING = 9_000

const [directory = '', acknowledged = '', seed = '1', appends = '100'] = process.argv.slice(2)
const store = await openSqliteStore({ directory, walBytes: WAL_BYTES })
const share = Math.ceil(Number(appends) / CALLERS)
await Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(store, caller, share)))
await store.close()

/** One execution after another, each removed, or left as it is, when it has grown. */
async function call(store: Store, caller: number, appends: number): Promise<void> {
  const random = new SeededRandom(Number(seed), `caller ${caller}`)
  for (let done = 0, number = 0; done < appends; number += 1) {
    const id = `e${seed}-${caller}-${number}`
    const entries = random.between(2, MOST_ENTRIES)
    let key: ExecutionKey | undefined
    for (let seq = 1; seq <= entries; seq += 1, done += 1) {
      key = await append(store, id, key, seq, seq === entries, random)
    }
    if (key !== undefined && random.chance(0.5)) await store.purge({ key })
  }
}

async function append(
  store: Store,
  id: string,
  key: ExecutionKey | undefined,
  seq: number,
  last: boolean,
  random: SeededRandom,
): Promise<ExecutionKey> {
  const text = markerOf(id, seq) + 'x'.repeat(random.chance(0.3) ? random.between(0, MOST_FILLING) : 0)
  const changes = {
    entries: [entry(seq, text)],
    ...(last && { index: closedAt(seq) }),
    ...(random.chance(0.2) && { outbox: [duty(`${id}/${seq}`, id)] }),
  }
  const known = await appended(
    store,
    key === undefined
      ? creation(newExecution(id), changes.index === undefined ? { entries: changes.entries } : changes)
      : extension(key, seq, changes),
  )
  appendFileSync(acknowledged, `entry ${id} ${seq}\n`)
  if (random.chance(0.1)) {
    await store.writeSnapshot({
      key: known,
      snapshot: { foldVersion: 1, seq, text: 'y'.repeat(random.between(1, MOST_FILLING)) },
    })
  }
  return known
}
