/** What a store says of data that is not what was written: in the database, in the log, or missing altogether. */
import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, type TestContext, test } from 'node:test'
import { verifyFolder } from '../../src/data-folder.ts'
import type { FunctionStore } from '../../src/functions/registry/function-store.ts'
import { readMark } from '../../src/journal/sqlite/commit-mark.ts'
import { closeLeavingLog, openWriterConnection } from '../../src/journal/sqlite/connection.ts'
import { readLog } from '../../src/journal/sqlite/log-file.ts'
import { migrate } from '../../src/journal/sqlite/migrate.ts'
import { sql as firstSchema } from '../../src/journal/sqlite/migrations/0001-journal.ts'
import { openSqliteStore } from '../../src/journal/sqlite/sqlite-store.ts'
import { DEFAULT_WAL_BYTES } from '../../src/journal/sqlite/wal-policy.ts'
import type { Store } from '../../src/journal/store.ts'
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
import { temporaryDirectory } from './temporary-directory.ts'

/** Changes the database of a closed store as only a disk would. */
function turn(directory: string, sql: string): void {
  const db = new DatabaseSync(join(directory, 'journal.db'))
  db.exec(sql)
  db.close()
}

async function reopened(t: TestContext, directory: string): Promise<Store & FunctionStore> {
  const store = await openSqliteStore({ directory })
  t.after(() => store.close())
  return store
}

async function keyOf(store: Store, executionId: string) {
  const row = await store.findById(executionId)
  assert.ok(row)
  return row.key
}

describe('rows that are not what was written', () => {
  for (const [what, change] of [
    ['text', "text = replace(text, 'a', 'b')"],
    ['kind', 'text = CAST(text AS BLOB)'],
    ['first EventId', 'first_event_id = 7'],
    ['place', 'seq = 9'],
    ['checksum', 'crc = crc + 1'],
  ] as const) {
    test(`an entry of which the ${what} was changed is damaged, and others are read`, async (t) => {
      const directory = temporaryDirectory(t)
      const before = await openSqliteStore({ directory })
      const key = await started(before, 'bad')
      await appended(before, extension(key, 2, { entries: [entry(2, '"a"')] }))
      await started(before, 'good')
      await before.close()
      turn(directory, `UPDATE journal SET ${change} WHERE seq = 2`)
      const store = await reopened(t, directory)
      const message = /Entry \d of execution 1 is damaged.*perdure verify.*backup/
      await assert.rejects(texts(store, key), { consequence: 'damaged', message })
      assert.equal(store.failure, undefined)
      assert.equal((await texts(store, await keyOf(store, 'good'))).length, 1)
      assert.ok((await appendOne(store, extension(await keyOf(store, 'good'), 2))).ok)
    })
  }

  test('an execution, a duty and a snapshot', async (t) => {
    const directory = temporaryDirectory(t)
    const before = await openSqliteStore({ directory })
    const key = await appended(before, creation(newExecution('e1'), { outbox: [duty('d')] }))
    await before.writeSnapshot({ key, snapshot: { foldVersion: 1, seq: 1, text: '{}' } })
    await ended(before, 'e2', 10)
    await before.close()
    turn(directory, "UPDATE executions SET wake_kind = NULL WHERE execution_id = 'e1'")
    turn(directory, "UPDATE executions SET arn = 'arn' WHERE execution_id = 'e2'")
    turn(directory, "UPDATE outbox SET text = '{}'; UPDATE snapshots SET text = '[]'")
    const store = await reopened(t, directory)
    await assert.rejects(store.findById('e1'), { consequence: 'damaged', message: /execution e1/ })
    await assert.rejects(store.findById('e2'), { consequence: 'damaged', message: /execution e2/ })
    await assert.rejects(store.listOutbox({ afterId: '', limit: 9 }), { consequence: 'damaged', message: /duty d/ })
    assert.equal(await store.readSnapshot({ key }), undefined, 'a snapshot can be made again')
    await store.writeSnapshot({ key, snapshot: { foldVersion: 1, seq: 1, text: '{}' } })
    assert.equal((await store.readSnapshot({ key }))?.text, '{}')
  })

  test('a record, and code, that the disk has turned', async (t) => {
    const directory = temporaryDirectory(t)
    const before = await openSqliteStore({ directory })
    await before.putFunction({ row: { name: 'orders', revision: 1, text: '{"a":1}' }, replaces: 0 })
    await before.putLayer({ row: { name: 'shared', revision: 1, text: '{}' }, replaces: 0 })
    for (const sha256 of ['whole', 'piece']) await before.putCode({ sha256, bytes: new Uint8Array(2_000_000) })
    await before.close()
    assert.equal(verifyFolder(directory).findings.length, 2, 'the records, which are none')
    turn(directory, "UPDATE functions SET text = '{\"a\":2}'; UPDATE code SET bytes = 3 WHERE sha256 = 'whole'")
    turn(directory, 'UPDATE code_pieces SET bytes = zeroblob(1000000) WHERE code = 2 AND number = 0')
    turn(directory, 'UPDATE layers SET text = \'{"a":2}\'')
    const store = await reopened(t, directory)
    await assert.rejects(store.listLayers(), { consequence: 'damaged', message: /layer shared/ })
    await assert.rejects(store.listFunctions(), { consequence: 'damaged', message: /function orders/ })
    await assert.rejects(store.readCode({ sha256: 'whole' }), { consequence: 'damaged', message: /code whole/ })
    await assert.rejects(store.readCode({ sha256: 'piece' }), { consequence: 'damaged', message: /piece 0 of code 2/ })
    await store.close()
    assert.deepEqual(verifyFolder(directory).findings, [
      'The row of function orders is damaged: it is not what was written',
      'The row of layer shared is damaged: it is not what was written',
      'The row of code whole is damaged: it is not what was written',
      'The row of piece 0 of code 2 is damaged: it is not what was written',
    ])
  })

  test('rows from before there were checksums are read, and get one when they are written again', async (t) => {
    const directory = temporaryDirectory(t)
    const db = new DatabaseSync(join(directory, 'journal.db'))
    db.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL')
    db.exec(`${firstSchema}; PRAGMA user_version = 1`)
    db.exec(`INSERT INTO executions (execution_id, arn, name, function_name, version, started_at, input_hash,
      retention_days, status, wake_kind) VALUES ('e1', 'arn', 'n', 'orders', '1', 5, 'h', 1, 'RUNNING', 'ready');
      INSERT INTO journal (execution, seq, first_event_id, text) VALUES (1, 1, 1, '"old"'), (1, 2, 2, '"older"');
      INSERT INTO outbox VALUES ('d', 'e1', '{}'); INSERT INTO snapshots VALUES (1, 1, 1, '{}')`)
    db.close()
    const store = await reopened(t, directory)
    const key = await keyOf(store, 'e1')
    assert.deepEqual(await texts(store, key), ['"old"', '"older"'])
    assert.deepEqual(await store.listOutbox({ afterId: '', limit: 9 }), [{ id: 'd', executionId: 'e1', text: '{}' }])
    assert.equal((await store.readSnapshot({ key }))?.text, '{}')
    await appended(store, extension(key, 3, { entries: [entry(3, '"new"')], index: closedAt(10) }))
    assert.deepEqual(await texts(store, key), ['"old"', '"older"', '"new"'])
    assert.equal((await store.findById('e1'))?.status, 'SUCCEEDED')
    await store.close()
    const sums = new DatabaseSync(join(directory, 'journal.db'), { readOnly: true })
    t.after(() => sums.close())
    assert.deepEqual(
      sums
        .prepare('SELECT crc IS NULL AS unknown FROM journal ORDER BY rowid')
        .all()
        .map((row) => row['unknown']),
      [1, 1, 0],
    )
  })
})

/** The folder as a crash after the last append leaves it: with its log. */
async function crashed(t: TestContext, appends: number): Promise<string> {
  const directory = temporaryDirectory(t)
  const store = await openSqliteStore({ directory })
  const key = await started(store, 'e1')
  for (let seq = 2; seq <= appends; seq += 1) await appended(store, extension(key, seq))
  const after = temporaryDirectory(t)
  for (const file of ['journal.db', 'journal.db-wal', 'journal.db-mark']) {
    copyFileSync(join(directory, file), join(after, file))
  }
  await store.close()
  return after
}

const logOf = (directory: string): string => join(directory, 'journal.db-wal')
const FRAME_BYTES = 24 + 4_096

async function entriesIn(t: TestContext, directory: string): Promise<number> {
  const store = await reopened(t, directory)
  return (await texts(store, await keyOf(store, 'e1'))).length
}

describe('a log that lost something', () => {
  test('as a crash leaves it, it is whole', async (t) => {
    const directory = await crashed(t, 20)
    const log = readLog(join(directory, 'journal.db'))
    const mark = readMark(join(directory, 'journal.db'))
    assert.ok(log.kind === 'read' && mark !== undefined)
    assert.deepEqual([log.salts, log.committedFrames, log.damaged], [mark.salts, mark.frames, undefined])
    assert.equal(mark.newestRow, 20)
    assert.equal(await entriesIn(t, directory), 20)
  })

  test('a bit turned in it is damage, with or without the mark, and nothing is touched', async (t) => {
    const directory = await crashed(t, 20)
    const bytes = readFileSync(logOf(directory))
    const frame = Math.floor((bytes.length - 32) / FRAME_BYTES / 2)
    const offset = 32 + (frame - 1) * FRAME_BYTES
    bytes[offset + 2_000] = (bytes[offset + 2_000] ?? 0) ^ 4
    writeFileSync(logOf(directory), bytes)
    const message = new RegExp(`damaged at frame ${frame} \\(byte ${offset}\\).*Restore a backup.*perdure repair`)
    await assert.rejects(openSqliteStore({ directory }), { consequence: 'damaged', message })
    rmSync(join(directory, 'journal.db-mark'))
    await assert.rejects(openSqliteStore({ directory }), { consequence: 'damaged', message })
    assert.deepEqual(readFileSync(logOf(directory)), bytes)
  })

  test('cut short by one frame, its mark tells; cut behind the last commit, nothing is lost', async (t) => {
    const directory = await crashed(t, 20)
    const log = readLog(join(directory, 'journal.db'))
    assert.ok(log.kind === 'read')
    truncateSync(logOf(directory), 32 + log.committedFrames * FRAME_BYTES)
    assert.equal(await entriesIn(t, directory), 20)

    const shorter = await crashed(t, 20)
    truncateSync(logOf(shorter), 32 + (log.committedFrames - 1) * FRAME_BYTES)
    const size = statSync(logOf(shorter)).size
    await assert.rejects(openSqliteStore({ directory: shorter }), { message: /has only \d+ of \d+ frames/ })
    assert.equal(statSync(logOf(shorter)).size, size)
  })

  test('removed, or with its header damaged, its mark tells', async (t) => {
    const removed = await crashed(t, 20)
    rmSync(logOf(removed))
    await assert.rejects(openSqliteStore({ directory: removed }), { message: /its log was removed/ })

    const headless = await crashed(t, 20)
    const bytes = readFileSync(logOf(headless))
    bytes[17] = (bytes[17] ?? 0) ^ 1
    writeFileSync(logOf(headless), bytes)
    await assert.rejects(openSqliteStore({ directory: headless }), { message: /header of its log.*damaged/ })
    assert.deepEqual(readFileSync(logOf(headless)), bytes)
  })

  test('the last transaction torn is what a loss of power may do: no alarm', async (t) => {
    const directory = await crashed(t, 20)
    const mark = readMark(join(directory, 'journal.db'))
    assert.ok(mark !== undefined)
    // As if the last append had not been synced: so no mark knows of it.
    writeFileSync(join(directory, 'journal.db-mark'), '')
    const bytes = readFileSync(logOf(directory))
    const last = 32 + (mark.frames - 1) * FRAME_BYTES
    bytes.fill(0xaa, last + 512, last + 1_024)
    writeFileSync(logOf(directory), bytes)
    assert.equal(await entriesIn(t, directory), 19)
  })

  test('an old mark, a torn one and none say nothing', async (t) => {
    for (const mark of ['', 'PRDMARK1 torn', undefined]) {
      const directory = await crashed(t, 5)
      if (mark === undefined) rmSync(join(directory, 'journal.db-mark'))
      else writeFileSync(join(directory, 'journal.db-mark'), mark)
      assert.equal(await entriesIn(t, directory), 5)
    }
  })

  test('a purge of the newest entries does not look like a loss', async (t) => {
    const directory = temporaryDirectory(t)
    const before = await openSqliteStore({ directory })
    await started(before, 'kept')
    const key = await ended(before, 'gone', 10)
    const oldMark = readFileSync(join(directory, 'journal.db-mark'))
    await before.purge({ key })
    await before.close()
    writeFileSync(join(directory, 'journal.db-mark'), oldMark)
    const store = await reopened(t, directory)
    assert.equal(await store.findById('gone'), undefined)
    assert.ok((await appendOne(store, extension(await keyOf(store, 'kept'), 2))).ok)
  })
})

test('a page that does not fit is found at the start', async (t) => {
  const directory = temporaryDirectory(t)
  const before = await openSqliteStore({ directory })
  for (let index = 0; index < 50; index += 1) await started(before, `e${index}`)
  await before.close()
  const file = join(directory, 'journal.db')
  const bytes = readFileSync(file)
  // An id in an index is not that of its row any more.
  const at = bytes.lastIndexOf('e49')
  bytes[at + 1] = 0x35
  writeFileSync(file, bytes)
  await assert.rejects(openSqliteStore({ directory }), { consequence: 'damaged', message: /is damaged: .*restore a/ })
})

test('a failed store is closed without moving anything from its log, which would then be removed', async (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'journal.db')
  const db = openWriterConnection({ path, maxBytes: undefined, walBytes: DEFAULT_WAL_BYTES })
  migrate(db)
  const size = statSync(logOf(directory)).size
  closeLeavingLog(db)
  assert.equal(statSync(logOf(directory)).size, size)
  await (await openSqliteStore({ directory })).close()
})
