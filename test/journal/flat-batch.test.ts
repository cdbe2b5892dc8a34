import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flatResult, flatten, itemsOf, resultOf } from '../../src/journal/sqlite/flat-batch.ts'
import type { AppendItem, AppendResult, ExecutionKey } from '../../src/journal/store.ts'
import { creation, duty, entry, extension, newExecution, RUNNING } from './builders.ts'

const key = 7 as ExecutionKey

test('a batch is the same after it was laid flat', () => {
  const items: AppendItem[] = [
    extension(key, 2),
    creation(newExecution('e1')),
    extension(key, 3, { entries: [entry(3, ''), entry(0, '"\ud800"'), entry(5)] }),
    extension(key, 6, { entries: [] }),
    extension(key, 6, { index: RUNNING }),
    extension(key, 7, { outbox: [duty('a')] }),
    extension(key, 8),
  ]
  const flat = flatten({ items, settled: ['s'], posted: [duty('p')] })
  assert.deepEqual(itemsOf(flat), items)
  assert.deepEqual([flat.settled, flat.posted], [['s'], [duty('p')]])
  assert.equal(flat.others.length, 3, 'only what is not plain stays an object')
})

test('so is each result', () => {
  const results: AppendResult[] = [
    { ok: true, key },
    { ok: false, reason: 'conflict' },
    { ok: false, reason: 'nameTaken' },
    { ok: false, reason: 'exists' },
  ]
  assert.deepEqual(results.map(flatResult).map(resultOf), results)
})

test('a batch that was cut is refused, not guessed', () => {
  const flat = flatten({ items: [extension(key, 2), extension(key, 3)], settled: [] })
  assert.throws(() => itemsOf({ ...flat, texts: flat.texts.slice(1) }), RangeError)
  assert.throws(() => itemsOf({ ...flat, numbers: flat.numbers.slice(0, -1) }), RangeError)
})
