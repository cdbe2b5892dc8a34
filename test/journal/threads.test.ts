/** What a store says when one of its threads is no more, or its disk takes no more. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DEFAULT_WAL_BYTES } from '../../src/journal/sqlite/wal-policy.ts'
import { WorkerChannel } from '../../src/journal/sqlite/worker-channel.ts'
import { temporaryDirectory } from './temporary-directory.ts'

test('a thread that ends takes its requests with it: each is rejected, and each that comes later', async (t) => {
  const path = join(temporaryDirectory(t), 'journal.db')
  const settings = { path, maxBytes: undefined, walBytes: DEFAULT_WAL_BYTES }
  const { channel } = await WorkerChannel.open<unknown, unknown>('writer', settings)
  const commit = { kind: 'commit', operations: [] }
  await channel.request(commit)
  // No request at all: the loop of the thread throws.
  const rejected = [channel.request(null), channel.request(commit), channel.request(commit)]
  for (const request of rejected) await assert.rejects(request, { consequence: 'failed', message: /thread has ended/ })
  await assert.rejects(channel.request(commit), { consequence: 'failed' })
  await channel.close({ kind: 'close' })
})

test('a request that cannot be copied to another thread is refused, and the next is served', async (t) => {
  const path = join(temporaryDirectory(t), 'journal.db')
  const settings = { path, maxBytes: undefined, walBytes: DEFAULT_WAL_BYTES }
  const { channel } = await WorkerChannel.open<unknown, unknown>('writer', settings)
  await assert.rejects(channel.request({ kind: 'commit', operations: [() => 1] }), { consequence: 'refused' })
  await channel.request({ kind: 'commit', operations: [] })
  await channel.close({ kind: 'close' })
})

test('a file that may not grow fails the store for good', { skip: process.platform === 'win32' }, (t) => {
  const directory = temporaryDirectory(t)
  const script = fileURLToPath(new URL('./appending-process.ts', import.meta.url))
  // The kernel refuses writes beyond 512 KiB (1,024 blocks), as a disk with a fault would.
  const run = spawnSync(
    '/bin/sh',
    ['-c', 'ulimit -f 1024; exec "$0" "$@"', process.execPath, script, directory, '4', '10000'],
    {
      encoding: 'utf8',
      timeout: 60_000,
    },
  )
  assert.equal(run.status, 0, run.stderr)
  const printed = run.stdout.trim().split('\n')
  const firstRejected = printed.indexOf('rejected failed')
  assert.ok(firstRejected > 0, `nothing was rejected: ${printed.at(-1)}`)
  assert.equal(printed.filter((line) => line === 'rejected failed').length, 8, 'each caller was rejected, and again')
  assert.ok(!printed.slice(firstRejected).some((line) => line.startsWith('ok ')))
  assert.equal(printed.at(-1), 'closed')
})
