import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { lockDirectory } from '../../src/journal/sqlite/directory-lock.ts'
import { openSqliteStore } from '../../src/journal/sqlite/sqlite-store.ts'
import { temporaryDirectory } from './temporary-directory.ts'

test('a directory has one owner at a time; the second is told who it is and what to do', (t) => {
  const directory = temporaryDirectory(t)
  const lock = lockDirectory(directory)
  assert.throws(() => lockDirectory(directory), {
    name: 'StoreError',
    consequence: 'locked',
    message: new RegExp(
      `${directory} is in use by process ${process.pid} on .*Stop that one, or give this one another`,
    ),
  })
  // A refused opener must not have loosened the lock.
  assert.throws(() => lockDirectory(directory), { consequence: 'locked' })
  lock.release()
  lockDirectory(directory).release()
})

test('a directory is created with all that is missing above it', (t) => {
  const directory = join(temporaryDirectory(t), 'a', 'b', 'c')
  lockDirectory(directory).release()
  lockDirectory(directory).release()
})

test('a store holds the lock of its directory until it is closed', async (t) => {
  const directory = temporaryDirectory(t)
  const store = await openSqliteStore({ directory })
  await assert.rejects(openSqliteStore({ directory }), { consequence: 'locked' })
  assert.equal(await store.findById('e1'), undefined)
  await store.close()
  await (await openSqliteStore({ directory })).close()
})

test('another process is refused too, until the owner is killed', { timeout: 30_000 }, async (t) => {
  const directory = temporaryDirectory(t)
  const script = fileURLToPath(new URL('./appending-process.ts', import.meta.url))
  const owner = spawn(process.execPath, [script, directory, '1', '1000000'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => owner.kill('SIGKILL'))
  const exited = once(owner, 'exit')
  const output = createInterface({ input: owner.stdout })
  await once(output, 'line')
  await assert.rejects(openSqliteStore({ directory }), {
    consequence: 'locked',
    message: new RegExp(`in use by process ${owner.pid} on `),
  })
  owner.kill('SIGKILL')
  await exited
  await (await openSqliteStore({ directory })).close()
})
