/** Lists over several functions, times as people write them, figures of a metrics page. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { collect } from '../../src/cli/collect.ts'
import { merged } from '../../src/cli/commands/executions-list.ts'
import { CliFailure } from '../../src/cli/failure.ts'
import { gaugeBy } from '../../src/cli/gauges.ts'
import { forPrograms } from '../../src/cli/json.ts'
import { moment } from '../../src/cli/moment.ts'
import { seconds } from '../../src/cli/render/amounts.ts'
import type { ListedExecution } from '../../src/client/responses.ts'

const execution = (startTimestamp: number): ListedExecution => ({
  durableExecutionArn: `arn-${startTimestamp}`,
  durableExecutionName: 'n',
  functionArn: 'f',
  status: 'RUNNING',
  startTimestamp,
})

test('lists that are each in order become one in order, read no further than asked', async () => {
  const times = fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(times, { maxLength: 4 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 40 }),
      async (lists, oldestFirst, limit) => {
        const inOrder = (a: number, b: number) => (oldestFirst ? a - b : b - a)
        let read = 0
        const generators = lists.map(async function* (list) {
          for (const at of list.toSorted(inOrder)) {
            read += 1
            yield execution(at)
          }
        })
        const all = await collect(merged(generators, oldestFirst, limit))
        assert.deepEqual(
          all.map(({ startTimestamp }) => startTimestamp),
          lists.flat().sort(inOrder).slice(0, limit),
        )
        assert.ok(read <= limit - 1 + lists.length, `${read} read for ${limit}`)
      },
    ),
  )
})

test('a moment is a timestamp or a time ago', () => {
  const now = Date.UTC(2025, 5, 1, 12)
  assert.equal(moment('x', undefined, now), undefined)
  assert.equal(moment('x', '2025-06-01T12:00:00Z', now), now)
  assert.equal(moment('x', '2025-06-01T14:00:00+02:00', now), now)
  assert.equal(moment('x', '90m', now), now - 90 * 60_000)
  assert.equal(moment('x', '2d', now), now - 2 * 86_400_000)
  for (const text of ['', 'yesterday', '2', 'h', '2025-06-01', '1.5h', '-2h']) {
    assert.throws(() => moment('started-after', text, now), CliFailure, text)
  }
})

test('figures are read by label, and other metrics left alone', () => {
  const page = [
    '# HELP perdure_held_jobs Jobs',
    'perdure_held_jobs{function="order",kind="a"} 2',
    'perdure_held_jobs{function="order",kind="b"} 1',
    'perdure_held_jobs{function="trip",kind="a"} 4',
    'perdure_held_jobs_total{function="order"} 100',
    'perdure_other 7',
  ].join('\n')
  assert.deepEqual(
    [...gaugeBy(page, 'perdure_held_jobs', 'function')],
    [
      ['order', 3],
      ['trip', 4],
    ],
  )
  assert.deepEqual([...gaugeBy(page, 'perdure_absent', 'function')], [])
})

test('seconds as people say them', () => {
  assert.deepEqual([0, 45, 900, 5_400, 86_400, 31_622_400].map(seconds), [
    '0 s',
    '45 s',
    '15 m',
    '1 h 30 m',
    '1 d',
    '366 d',
  ])
})

test('JSON for programs has the spelling of the API and readable times', () => {
  const value = { durableExecutionArn: 'a', startTimestamp: 0, durableConfig: { kmsKeyArn: 'k' }, payload: '{"a":1}' }
  assert.deepEqual(JSON.parse(forPrograms([value])), [
    {
      DurableExecutionArn: 'a',
      StartTimestamp: '1970-01-01T00:00:00.000Z',
      DurableConfig: { KMSKeyArn: 'k' },
      Payload: '{"a":1}',
    },
  ])
})
