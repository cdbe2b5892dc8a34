/** Limits that are none: the server says so at its start and leaves nothing behind. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startPerdure } from '../../src/index.ts'
import { LIMIT_NAMES, type Limits } from '../../src/protocol/limits.ts'
import { temporaryDirectory } from '../journal/temporary-directory.ts'

for (const [variation, limits, message] of [
  ['a wrong name', { asyncPayloadSize: 1 }, /there is no limit "asyncPayloadSize" \(there are syncPayloadBytes, /],
  ['a wrong value', { retentionDays: 0 }, /retentionDays is 0 and must be a whole number from 1 to 36500/],
  ['a value of another type', { connections: '10' }, /connections is "10" and must be a whole number from 1 to /],
] as const) {
  test(`${variation} is one clear error, before anything is opened`, async (t) => {
    const data = join(temporaryDirectory(t), 'data')
    const starting = startPerdure({ data, port: 0, functions: [], limits: limits as Partial<Limits> })
    await assert.rejects(starting, (error: Error) => {
      assert.equal(error.name, 'InvalidLimitsError')
      assert.match(error.message, message)
      assert.equal(error.message.split('\n').length, 1)
      return true
    })
    assert.ok(!existsSync(data))
  })
}

test('every limit can be set', async () => {
  const limits = Object.fromEntries(LIMIT_NAMES.map((name) => [name, name.endsWith('Ms') ? 60_000 : 5_000]))
  const perdure = await startPerdure({ data: { kind: 'memory' }, port: 0, functions: [], limits })
  await perdure.close(0)
})
