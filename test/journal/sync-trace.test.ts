/** Durable (invariant I2), seen from the kernel: an append resolves after its entry was written and the WAL was synced. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openSqliteStore } from '../../src/journal/sqlite/sqlite-store.ts'
import { texts } from './builders.ts'
import { markerOf } from './marker.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { type SystemCall, traceAppends, whyUntraceable } from './trace.ts'

const skip = whyUntraceable()

test('an append is written, then synced, then reported', { skip }, (t) => {
  const appends = 20
  const { printed, calls } = traceAppends({ directory: temporaryDirectory(t), callers: 1, appends })
  assert.equal(printed.filter((line) => line.startsWith('ok ')).length, appends)
  for (let seq = 1; seq <= appends; seq += 1) {
    const write = the(
      calls,
      `the write of entry ${seq}`,
      (call) => isWalWrite(call) && call.text.includes(traced('e0', seq)),
    )
    const sync = the(calls, `a sync after entry ${seq}`, (call) => isWalSync(call) && call.begin > write.end)
    const report = the(calls, `the report of entry ${seq}`, (call) => call.text.includes(`"ok e0 ${seq}\\n"`))
    assert.ok(sync.end < report.begin, `entry ${seq} was reported before it was synced`)
  }
})

test('one sync serves all appends of a group', { skip }, (t) => {
  const callers = 32
  const appends = 10
  const { printed, calls } = traceAppends({ directory: temporaryDirectory(t), callers, appends })
  assert.equal(printed.filter((line) => line.startsWith('ok ')).length, callers * appends)
  const syncs = calls.filter(isWalSync).length
  assert.ok(syncs < callers * appends * 0.5, `${syncs} syncs for ${callers * appends} appends`)
})

test('a failed sync rejects its appends, and nothing is accepted afterwards', { skip }, async (t) => {
  const directory = temporaryDirectory(t)
  const { printed } = traceAppends({
    directory,
    callers: 4,
    appends: 200,
    inject: 'fsync,fdatasync:error=EIO:when=20+',
  })
  const firstRejected = printed.indexOf('rejected failed')
  assert.ok(firstRejected > 0, `no append was rejected: ${printed.at(-1)}`)
  assert.equal(printed.filter((line) => line === 'rejected failed').length, 8, 'each caller was rejected, and again')
  assert.ok(
    !printed.slice(firstRejected).some((line) => line.startsWith('ok ')),
    'an append was accepted after the fault',
  )

  const store = await openSqliteStore({ directory: join(directory, 'data') })
  t.after(() => store.close())
  for (const line of printed) {
    const [word, executionId = '', seq] = line.split(' ')
    if (word !== 'ok') continue
    const row = await store.findById(executionId)
    assert.ok(row)
    assert.equal((await texts(store, row.key))[Number(seq) - 1], markerOf(executionId, Number(seq)))
  }
})

/** The marker as strace prints it. */
const traced = (executionId: string, seq: number): string => markerOf(executionId, seq).replaceAll('"', '\\"')

const isWalWrite = (call: SystemCall): boolean => /^pwrite\w*\(\d+<[^>]*journal\.db-wal>/.test(call.text)

const isWalSync = (call: SystemCall): boolean =>
  /^f(?:data)?sync\(\d+<[^>]*journal\.db-wal>/.test(call.text) && call.succeeded

function the(calls: readonly SystemCall[], what: string, is: (call: SystemCall) => boolean): SystemCall {
  const found = calls.find(is)
  assert.ok(found, `${what} is not in the trace`)
  return found
}
