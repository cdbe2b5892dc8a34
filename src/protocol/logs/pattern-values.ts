/** How filter patterns compare: texts with `*` for any text, numbers, regular expressions. */
import { linearRegex } from './linear-regex.ts'
import type { PatternReader } from './pattern-reader.ts'

export const COMPARISONS = ['!=', '>=', '<=', '=', '>', '<'] as const
export type Comparison = (typeof COMPARISONS)[number]

/** Tells whether what a line has fits. */
export type ValueTest = (value: string | number | boolean) => boolean

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/

/**
 * Reads what stands behind a comparison, and gives the test of both.
 *
 *     = 4*          begins with a 4
 *     = "a b"       is this text
 *     > 1e3         is a number, and larger
 *     != %4\d\d%    has no part that matches
 */
export function readValueTest(reader: PatternReader, comparison: Comparison, bareWord: RegExp): ValueTest {
  if (reader.take('%')) return equality(comparison, reader, regexTest(reader))
  if (reader.take('"')) return equality(comparison, reader, textTest(reader.quoted('"')))
  const word = reader.match(bareWord)
  if (word === undefined) throw reader.unexpected('a value')
  if (NUMBER.test(word)) return numberTest(comparison, Number(word))
  return equality(comparison, reader, textTest(word))
}

function equality(comparison: Comparison, reader: PatternReader, test: ValueTest): ValueTest {
  if (comparison === '=') return test
  if (comparison === '!=') return (value) => !test(value)
  throw reader.unexpected(`a number behind "${comparison}"`)
}

function regexTest(reader: PatternReader): ValueTest {
  const matches = linearRegex(reader.expression())
  return (value) => matches(String(value))
}

function textTest(pattern: string): ValueTest {
  const matches = wildcard(pattern)
  return (value) => matches(String(value))
}

function numberTest(comparison: Comparison, wanted: number): ValueTest {
  const holds = NUMERIC[comparison]
  return (value) => {
    if (typeof value === 'boolean') return comparison === '!='
    const number = typeof value === 'number' ? value : NUMBER.test(value) ? Number(value) : undefined
    return number === undefined ? comparison === '!=' : holds(number, wanted)
  }
}

const NUMERIC: { readonly [comparison in Comparison]: (value: number, wanted: number) => boolean } = {
  '=': (value, wanted) => value === wanted,
  '!=': (value, wanted) => value !== wanted,
  '>': (value, wanted) => value > wanted,
  '>=': (value, wanted) => value >= wanted,
  '<': (value, wanted) => value < wanted,
  '<=': (value, wanted) => value <= wanted,
}

/**
 * `*` stands for any text, also none. The parts between are looked for from left to right, each once, so that a match
 * takes time in the length of the text.
 */
export function wildcard(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*')
  const first = parts.shift() ?? ''
  const last = parts.pop()
  if (last === undefined) return (text) => text === first
  return (text) => {
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
    let at = first.length
    for (const part of parts) {
      const found = text.indexOf(part, at)
      if (found === -1) return false
      at = found + part.length
    }
    return at <= text.length - last.length
  }
}
