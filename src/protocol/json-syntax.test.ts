import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonSyntaxError } from './json-syntax.ts'

const check = (text: string): number => jsonSyntaxError(new TextEncoder().encode(text))

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test('accepts what JSON.parse accepts', () => {
  fc.assert(
    fc.property(
      fc.json({ maxDepth: 6 }),
      fc.constantFrom('', ' ', '\n\t\r '),
      (json, space) => check(space + json + space) === -1,
    ),
  )
})

test('agrees with JSON.parse on near-JSON: one token or character put in, taken out or changed', () => {
  const piece = fc.constantFrom(
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '-',
    '0',
    '1',
    '.',
    'e',
    'E+',
    'true',
    'nul',
    'null',
    ' ',
    '\u0001',
    '\\u12',
    '\\u00e9',
    'ü',
  )
  fc.assert(
    fc.property(fc.json({ maxDepth: 3 }), fc.nat(), fc.nat(2), piece, (json, place, cut, put) => {
      const at = place % (json.length + 1)
      const text = json.slice(0, at) + put + json.slice(at + cut)
      assert.equal(check(text) === -1, parses(text), text)
    }),
    { numRuns: 10_000 },
  )
})

test('agrees with JSON.parse on sequences of tokens', () => {
  const token = fc.constantFrom('{', '}', '[', ']', ',', ':', '"a"', '1', '-0.5e+3', 'null', '01', '1.', '')
  fc.assert(
    fc.property(fc.array(token, { maxLength: 9 }), (tokens) => {
      const text = tokens.join('')
      assert.equal(check(text) === -1, parses(text), text)
    }),
    { numRuns: 10_000 },
  )
})

test('names the offset', () => {
  assert.equal(check(''), 0)
  assert.equal(check('{"a":}'), 5)
  assert.equal(check('[1,]'), 3)
  assert.equal(check('"a\nb"'), 2)
  assert.equal(check('tru'), 3)
  assert.equal(check('{} x'), 3)
})

test('two million brackets neither overflow the stack nor take long', () => {
  const deep = '['.repeat(1_000_000)
  assert.equal(check(deep + ']'.repeat(1_000_000)), -1)
  assert.equal(check(deep), 1_000_000)
})
