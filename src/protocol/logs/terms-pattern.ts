/**
 * Filter patterns of lines without structure: terms with spaces between, each a word, a "phrase in quotes" or a
 * %regular expression%. A line must have all of them, none of those behind `-`, and, where all terms are behind `?`,
 * one of these. Beside other terms those behind `?` do not count, as in the real service.
 */
import { linearRegex } from './linear-regex.ts'
import type { PatternReader } from './pattern-reader.ts'

type Test = (line: string) => boolean

const WORD = /[^\s"%][^\s"]*/y

export function readTermsPattern(reader: PatternReader): Test {
  const all: Test[] = []
  const any: Test[] = []
  for (reader.skipSpace(); !reader.atEnd; reader.skipSpace()) {
    // A sign belongs to what it touches.
    const sign = /^[-?](?=\S)/.exec(reader.rest)?.[0]
    if (sign !== undefined) reader.take(sign)
    const test = readTerm(reader)
    if (sign === '?') any.push(test)
    else all.push(sign === '-' ? (line) => !test(line) : test)
  }
  if (all.length === 0 && any.length > 0) return (line) => any.some((test) => test(line))
  return (line) => all.every((test) => test(line))
}

function readTerm(reader: PatternReader): Test {
  if (reader.take('%')) return linearRegex(reader.expression())
  const term = reader.take('"') ? reader.quoted('"') : reader.match(WORD)
  if (term === undefined) throw reader.unexpected('a term')
  return (line) => line.includes(term)
}
