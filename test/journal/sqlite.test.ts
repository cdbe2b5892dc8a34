/** The contract on SQLite, and what only a store on a disk can show. */
import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { migrations } from '../../src/journal/sqlite/migrations/list.ts'
import { openSqliteStore } from '../../src/journal/sqlite/sqlite-store.ts'
import type { ExecutionKey, Store } from '../../src/journal/store.ts'
import {
  appended,
  appendOne,
  closedAt,
  creation,
  duty,
  ended,
  entry,
  extension,
  newExecution,
  started,
  texts,
} from './builders.ts'
import { storeSuite } from './store-suite.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const MIB = 1_048_576

storeSuite({
  name: 'sqlite',
  open: (t) => openSqliteStore({ directory: temporaryDirectory(t) }),
})

describe('sqlite: on its disk', () => {
  test('a store that is opened again has everything', async (t) => {
    const directory = temporaryDirectory(t)
    const before = await openSqliteStore({ directory })
    const start = newExecution('e1', { name: 'lone \ud800' })
    const key = await appended(before, creation(start, { outbox: [duty('a')] }))
    await appended(before, extension(key, 2, { entries: [entry(2, '"\udfff"')] }))
    await before.writeSnapshot({ key, snapshot: { foldVersion: 1, seq: 2, text: '{}' } })
    const row = await before.findById('e1')
    await before.close()

    const after = await openSqliteStore({ directory })
    t.after(() => after.close())
    assert.deepEqual(await after.findById('e1'), row)
    assert.deepEqual(await after.findByName({ functionName: 'orders', name: 'lone \ud800' }), row)
    assert.equal((await texts(after, key))[1], '"\udfff"')
    assert.deepEqual(await after.listOutbox({ afterId: '', limit: 9 }), [duty('a')])
    assert.equal((await after.readSnapshot({ key }))?.seq, 2)
    assert.deepEqual(await appendOne(after, extension(key, 2)), { ok: false, reason: 'conflict' })
    assert.deepEqual(await appendOne(after, extension(key, 3)), { ok: true, key })
  })

  test('a key is never used again, not even after a restart', async (t) => {
    const directory = temporaryDirectory(t)
    const before = await openSqliteStore({ directory })
    const key = await ended(before, 'e1', 10)
    await before.purge({ key })
    await before.close()
    const after = await openSqliteStore({ directory })
    t.after(() => after.close())
    assert.notEqual(await started(after, 'e1'), key)
  })

  test('the log stays bounded while appends never pause', async (t) => {
    const directory = temporaryDirectory(t)
    const walBytes = 2 * MIB
    const store = await openSqliteStore({ directory, walBytes })
    t.after(() => store.close())
    const keys = await Promise.all(Array.from({ length: 8 }, (_, id) => started(store, `e${id}`)))
    const text = JSON.stringify('x'.repeat(20_000))
    let largest = 0
    await Promise.all(
      keys.map(async (key) => {
        for (let seq = 2; seq < 200; seq += 1) {
          await appended(store, extension(key, seq, { entries: [entry(seq, text)] }))
          largest = Math.max(largest, statSync(join(directory, 'journal.db-wal')).size)
        }
      }),
    )
    const written = keys.length * 198 * text.length
    assert.ok(written > 10 * walBytes)
    // One group more than the bound.
    assert.ok(largest < walBytes + MIB, `the log grew to ${largest} bytes`)
  })

  test('a purge gives the space back', async (t) => {
    const directory = temporaryDirectory(t)
    const store = await openSqliteStore({ directory })
    await purgeTwentyMegabytes(store)
    await store.close()
    const size = statSync(join(directory, 'journal.db')).size
    assert.ok(size < 2 * MIB, `the database still has ${size} bytes`)
  })

  test('a purge that was interrupted is finished after the next start', async (t) => {
    const directory = temporaryDirectory(t)
    const before = await openSqliteStore({ directory })
    const key = await longExecution(before)
    const interrupted = assert.rejects(before.purge({ key }), { consequence: 'closed' })
    await before.close()
    await interrupted
    assert.ok(count(directory, 'journal') > 0, 'the purge was over before it could be interrupted')
    assert.equal(count(directory, 'purges'), 1)

    const after = await openSqliteStore({ directory })
    assert.equal(await after.findById('long'), undefined)
    assert.deepEqual(await texts(after, key), [])
    assert.deepEqual(await after.readHistory({ key, fromEventId: 1, toEventId: 50_000 }), [])
    // Joins the purge that the start has resumed.
    await after.purge({ key })
    await after.close()
    assert.equal(count(directory, 'journal'), 0)
    assert.equal(count(directory, 'purges'), 0)
  })
})

describe('sqlite: functions on its disk', () => {
  const sha256 = 'hash'
  const bytes = new Uint8Array(5_000_000).fill(7)

  test('records and code are there after a restart', async (t) => {
    const directory = temporaryDirectory(t)
    const before = await openSqliteStore({ directory })
    await before.putCode({ sha256, bytes })
    await before.putFunction({ row: { name: 'f', revision: 1, text: '{}' }, replaces: 0 })
    await before.putLayer({ row: { name: 'l', revision: 1, text: '{}' }, replaces: 0 })
    await before.close()
    const after = await openSqliteStore({ directory })
    t.after(() => after.close())
    assert.deepEqual(await after.listFunctions(), [{ name: 'f', revision: 1, text: '{}' }])
    assert.deepEqual(await after.listLayers(), [{ name: 'l', revision: 1, text: '{}' }])
    assert.equal((await after.readCode({ sha256 }))?.length, bytes.length)
  })

  test('code that was cut off is no code, is told of, and can be put again', async (t) => {
    const directory = temporaryDirectory(t)
    const before = await openSqliteStore({ directory })
    const interrupted = assert.rejects(before.putCode({ sha256, bytes }), { consequence: 'closed' })
    await before.listCode()
    await before.close()
    await interrupted
    const after = await openSqliteStore({ directory })
    t.after(() => after.close())
    assert.equal(await after.readCode({ sha256 }), undefined)
    assert.deepEqual(await after.listCode(), [sha256])
    await after.putCode({ sha256, bytes })
    assert.deepEqual(Buffer.from((await after.readCode({ sha256 })) ?? 'none'), Buffer.from(bytes))
  })

  test('removed code gives its space back', async (t) => {
    const directory = temporaryDirectory(t)
    const store = await openSqliteStore({ directory })
    await store.putCode({ sha256, bytes: new Uint8Array(20 * MIB).fill(7) })
    await store.removeCode({ sha256 })
    await store.close()
    const size = statSync(join(directory, 'journal.db')).size
    assert.ok(size < 2 * MIB, `the database still has ${size} bytes`)
    assert.equal(count(directory, 'code_pieces') + count(directory, 'code'), 0)
  })
})

describe('sqlite: faults', () => {
  test('a request that cannot be stored does not disturb those it shared a transaction with', async (t) => {
    const store = await openSqliteStore({ directory: temporaryDirectory(t) })
    t.after(() => store.close())
    const [good, bad, other] = await Promise.allSettled([
      appendOne(store, creation(newExecution('good'))),
      appendOne(store, creation(newExecution('bad', { startedAt: Number.NaN }))),
      appendOne(store, creation(newExecution('other'))),
    ])
    assert.deepEqual([good.status, bad.status, other.status], ['fulfilled', 'rejected', 'fulfilled'])
    assert.equal(bad.status === 'rejected' && bad.reason.consequence, 'refused')
    assert.ok(await store.findById('good'))
    assert.ok(await store.findById('other'))
    assert.equal(await store.findById('bad'), undefined)
  })

  test('without room an append is rejected and changes nothing; with room again it succeeds', async (t) => {
    const store = await openSqliteStore({ directory: temporaryDirectory(t), maxBytes: MIB })
    t.after(() => store.close())
    const text = JSON.stringify('x'.repeat(50_000))
    const victim = await started(store, 'victim')
    const key = await started(store, 'e1')
    let seq = 2
    const fill = async () => {
      for (; seq < 100; seq += 1) await appended(store, extension(key, seq, { entries: [entry(seq, text)] }))
    }
    await appended(store, extension(victim, 2, { entries: [entry(2, text)], index: closedAt(10) }))
    await assert.rejects(fill(), { consequence: 'unavailable' })
    const refusedSeq = seq
    assert.equal((await texts(store, key)).length, refusedSeq - 1)

    await store.purge({ key: victim })
    await appended(store, extension(key, refusedSeq, { entries: [entry(refusedSeq, text)] }))
    assert.equal((await texts(store, key)).length, refusedSeq)
  })

  test('a journal of a newer release is refused and left alone', async (t) => {
    const directory = temporaryDirectory(t)
    await (await openSqliteStore({ directory })).close()
    setVersion(directory, 999)
    await assert.rejects(openSqliteStore({ directory }), { consequence: 'failed', message: /schema 999/ })
    setVersion(directory, migrations.length)
    await (await openSqliteStore({ directory })).close()
  })

  test('a directory that cannot be is refused with its name', async (t) => {
    const file = join(temporaryDirectory(t), 'file')
    writeFileSync(file, '')
    await assert.rejects(openSqliteStore({ directory: join(file, 'data') }), {
      consequence: 'failed',
      message: new RegExp(`${file}.*cannot be opened`),
    })
  })

  test('a file that is no database is refused', async (t) => {
    const directory = temporaryDirectory(t)
    writeFileSync(join(directory, 'journal.db'), 'this is not a database, however long one looks at it'.repeat(100))
    await assert.rejects(openSqliteStore({ directory }), { consequence: 'damaged' })
  })

  test('migrations are numbered from 1 without a gap', () => {
    assert.deepEqual(
      migrations.map((migration) => migration.number),
      migrations.map((_, index) => index + 1),
    )
  })
})

async function longExecution(store: Store): Promise<ExecutionKey> {
  const key = await started(store, 'long')
  const entries = Array.from({ length: 20_000 }, (_, index) => entry(2 + index))
  await appended(store, extension(key, 2, { entries }))
  await appended(store, extension(key, 20_002, { entries: [], index: closedAt(10) }))
  return key
}

async function purgeTwentyMegabytes(store: Store): Promise<void> {
  const key = await started(store, 'large')
  const entries = Array.from({ length: 200 }, (_, index) => entry(2 + index, JSON.stringify('x'.repeat(100_000))))
  await appended(store, extension(key, 2, { entries }))
  await appended(store, extension(key, 202, { entries: [], index: closedAt(10) }))
  await store.purge({ key })
}

function count(directory: string, table: 'journal' | 'purges' | 'code' | 'code_pieces'): number {
  const db = new DatabaseSync(join(directory, 'journal.db'), { readOnly: true })
  try {
    return Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'])
  } finally {
    db.close()
  }
}

function setVersion(directory: string, version: number): void {
  const db = new DatabaseSync(join(directory, 'journal.db'))
  db.exec(`PRAGMA user_version = ${version}`)
  db.close()
}
