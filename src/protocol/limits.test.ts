import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_LIMITS, LIMIT_NAMES, LIMIT_RANGES, type Limits, resolveLimits } from './limits.ts'

test('every limit has a range, and its default lies in it', () => {
  assert.deepEqual(Object.keys(LIMIT_RANGES).sort(), [...LIMIT_NAMES].sort())
  assert.deepEqual(resolveLimits(DEFAULT_LIMITS), DEFAULT_LIMITS)
  assert.deepEqual(resolveLimits(), DEFAULT_LIMITS)
})

for (const name of LIMIT_NAMES) {
  const { min, max } = LIMIT_RANGES[name]
  test(`${name} takes ${min} to ${max} and nothing else`, () => {
    for (const value of [min, max]) assert.equal(resolveLimits({ [name]: value })[name], value)
    for (const value of [min - 1, max + 1, min + 0.5, Number.NaN, Infinity, '1', null, true]) {
      assert.throws(
        () => resolveLimits({ [name]: value } as Partial<Limits>),
        new RegExp(
          `^InvalidLimitsError: The limits are wrong, .*: ${name} is .* must be a whole number from ${min} to `,
        ),
      )
    }
  })
}

test('an unset limit keeps its default', () => {
  const given = { retentionDays: undefined } as unknown as Partial<Limits>
  assert.equal(resolveLimits(given).retentionDays, DEFAULT_LIMITS.retentionDays)
})

test('everything wrong is told at once, with the names that there are', () => {
  const given = { asyncPayloadByte: 1, connections: 0, toString: 1 } as Partial<Limits>
  assert.throws(
    () => resolveLimits(given),
    (error: Error) => {
      assert.match(
        error.message,
        /there is no limit "asyncPayloadByte" \(there are syncPayloadBytes, asyncPayloadBytes, /,
      )
      assert.match(error.message, /connections is 0 and must be a whole number from 1 to /)
      assert.match(error.message, /there is no limit "toString"/)
      return true
    },
  )
})
