/** The power machine finds what it looks for: here in a recording of the store that is then made worse than it was. */
import assert from 'node:assert/strict'
import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../journal/temporary-directory.ts'
import { Examination, type Finding, now } from './examination.ts'
import { ACKNOWLEDGED, MarkerReader } from './facts.ts'
import { placeIn, recordStore } from './lives.ts'
import type { Recording } from './recording.ts'
import { referenceOf } from './reference.ts'
import { whyNoShim } from './shim.ts'
import type { TraceRecord } from './trace.ts'

test('a store keeps what it has promised, and without its syncs it does not', {
  skip: whyNoShim(),
  timeout: 300_000,
}, async (t) => {
  const root = realpathSync(temporaryDirectory(t))
  const recording = await recordStore(placeIn(root), { seed: 1, appends: 12 })
  const reference = referenceOf(recording, new MarkerReader(), join(root, 'reference'))
  assert.deepEqual(reference.wrong, [])
  assert.ok(reference.states > 12 && reference.firstWith.size >= 12)

  const findingsIn = (changed: Recording): readonly Finding[] => {
    const share = { part: 0, parts: 1, seed: 1, scratch: join(root, 'image'), untilMs: now() }
    return new Examination(changed, reference, share).run().findings
  }
  assert.deepEqual(findingsIn(recording), [])

  const { records } = recording
  const isSyncOfLog = (record: TraceRecord): boolean =>
    (record.kind === 'syncing' || record.kind === 'synced') && record.path.endsWith('journal.db-wal')
  const unsynced = { ...recording, records: records.filter((record) => !isSyncOfLog(record)) }
  assert.notDeepEqual(findingsIn(unsynced), [])

  // The first promise comes at once, before anything was written.
  const told = records.filter((record) => 'path' in record && record.path === ACKNOWLEDGED)
  const early = { ...recording, records: [...told, ...records.filter((record) => !told.includes(record))] }
  assert.match(findingsIn(early)[0]?.words ?? '', /was told, which commit \d+ made true/)
})
