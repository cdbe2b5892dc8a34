import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counted, duration, ordinal, printable, shortened } from '../../src/cli/render/amounts.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute

test('durations read like a person would say them', () => {
  const examples: readonly (readonly [number, string])[] = [
    [-5, '0 ms'],
    [0, '0 ms'],
    [999.4, '999 ms'],
    [999.6, '1.00 s'],
    [1040, '1.04 s'],
    [9994, '9.99 s'],
    [9996, '10.0 s'],
    [12_300, '12.3 s'],
    [59_940, '59.9 s'],
    [59_960, '1 m 00 s'],
    [63_000, '1 m 03 s'],
    [hour - 400, '1 h 00 m'],
    [2 * hour + 5 * minute, '2 h 05 m'],
    [50 * hour, '2 d 02 h'],
  ]
  for (const [ms, text] of examples) assert.equal(duration(ms), text)
})

test('ordinals', () => {
  assert.deepEqual([1, 2, 3, 4, 11, 12, 13, 21, 22, 101, 111].map(ordinal), [
    '1st',
    '2nd',
    '3rd',
    '4th',
    '11th',
    '12th',
    '13th',
    '21st',
    '22nd',
    '101st',
    '111th',
  ])
})

test('counts agree with their nouns', () => {
  assert.equal(counted(1, 'line'), '1 line')
  assert.equal(counted(0, 'line'), '0 lines')
})

test('control and direction characters become visible, letters of any script stay', () => {
  assert.equal(printable('a\nb\tc\x1b[31m\u0085\u202e'), 'a\\nb\\tc\\u001b[31m\\u0085\\u202e')
  assert.equal(printable('žluťoučký 注文 🚚'), 'žluťoučký 注文 🚚')
})

test('shortening counts code points and never cuts a surrogate pair', () => {
  assert.equal(shortened('abcdef', 4), 'abc…')
  assert.equal(shortened('abcd', 4), 'abcd')
  assert.equal(shortened('🚚🚚🚚', 2), '🚚…')
  assert.equal(shortened('abc', 0), '…')
})
