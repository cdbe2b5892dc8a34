import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseTimestamp } from './timestamps.ts'

const ROWS: readonly [string, number | undefined][] = [
  ['2025-01-01T00:00:00Z', 1_735_689_600_000],
  ['2025-01-01T00:00:00.500Z', 1_735_689_600_500],
  ['2025-01-01T00:00:00.500999Z', 1_735_689_600_500],
  ['2025-01-01T00:00:00', 1_735_689_600_000],
  ['2025-01-01T00:00Z', 1_735_689_600_000],
  ['2025-01-01T01:00:00+01:00', 1_735_689_600_000],
  ['2025-01-01T01:00:00+0100', 1_735_689_600_000],
  ['1735689600', 1_735_689_600_000],
  ['1735689600.5', 1_735_689_600_500],
  ['0', 0],
  ['', undefined],
  ['2025-01-01', undefined],
  ['2025-13-01T00:00:00Z', undefined],
  ['yesterday', undefined],
  ['NaN', undefined],
  ['1e3', undefined],
  ['9999999999999', undefined],
]

for (const [text, ms] of ROWS) test(`[01 §1.0] '${text}' is ${ms}`, () => assert.equal(parseTimestamp(text), ms))

test('reads back every time that it is written as', () => {
  const range = {
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  }
  fc.assert(fc.property(fc.date(range), (date) => parseTimestamp(date.toISOString()) === date.getTime()))
})

test('reads back every time that an answer gives in epoch seconds', () => {
  fc.assert(
    fc.property(fc.integer({ min: -4_000_000_000_000, max: 4_000_000_000_000 }), (ms) => {
      assert.equal(parseTimestamp((ms / 1000).toFixed(3)), ms)
    }),
  )
})
