/**
 * Filter patterns of lines that are JSON objects, `{ … }`:
 *
 *     condition  = all ("||" all)*
 *     all        = term ("&&" term)*
 *     term       = "(" condition ")" | selector test
 *     selector   = "$" (".name" | "['name']" | ".['name']" | "[0]")+
 *     test       = comparison value | "IS" ("NULL" | "TRUE" | "FALSE") | "NOT" "EXISTS" | "EXISTS"
 *
 * A test of a member that is not there fails, whatever it is, but for NOT EXISTS.
 */
import { jsonObject } from './log-line.ts'
import type { PatternReader } from './pattern-reader.ts'
import { COMPARISONS, readValueTest } from './pattern-values.ts'

type Condition = (line: object) => boolean
type Selector = readonly (string | number)[]

const NAME = /[\w-]+/y
const INDEX = /\d{1,9}/y
/** A value without quotes ends where what joins conditions begins. */
const VALUE = /[^\s"%()&|{}]+/y

export function readJsonPattern(reader: PatternReader): (line: string) => boolean {
  reader.expect('{')
  const condition = readAny(reader)
  reader.expect('}')
  reader.skipSpace()
  if (!reader.atEnd) throw reader.unexpected('nothing more')
  return (line) => {
    const object = jsonObject(line)
    return object !== undefined && condition(object)
  }
}

function readAny(reader: PatternReader): Condition {
  const conditions = [readAll(reader)]
  while (reader.take('||')) conditions.push(readAll(reader))
  return (line) => conditions.some((condition) => condition(line))
}

function readAll(reader: PatternReader): Condition {
  const conditions = [readTerm(reader)]
  while (reader.take('&&')) conditions.push(readTerm(reader))
  return (line) => conditions.every((condition) => condition(line))
}

function readTerm(reader: PatternReader): Condition {
  if (reader.take('(')) {
    const condition = readAny(reader)
    reader.expect(')')
    return condition
  }
  const selector = readSelector(reader)
  const test = readTest(reader)
  return (line) => test(selected(line, selector))
}

function readSelector(reader: PatternReader): Selector {
  reader.expect('$')
  const path: (string | number)[] = []
  for (;;) {
    const dot = reader.take('.')
    if (reader.take('[')) path.push(readBracket(reader))
    else if (dot) {
      const name = reader.match(NAME)
      if (name === undefined) throw reader.unexpected('the name of a member')
      path.push(name)
    } else break
  }
  if (path.length === 0) throw reader.unexpected('the name of a member')
  return path
}

function readBracket(reader: PatternReader): string | number {
  const quote = reader.take('"') ? '"' : reader.take("'") ? "'" : undefined
  const index = quote === undefined ? reader.match(INDEX) : undefined
  if (quote === undefined && index === undefined) throw reader.unexpected('an index or a name in quotes')
  const key = quote === undefined ? Number(index) : reader.quoted(quote)
  reader.expect(']')
  return key
}

function readTest(reader: PatternReader): (value: unknown) => boolean {
  if (reader.match(/NOT\s+EXISTS\b/iy)) return (value) => value === undefined
  if (reader.match(/EXISTS\b/iy)) return (value) => value !== undefined
  const is = reader.match(/IS\s+(NULL|TRUE|FALSE)\b/iy)
  if (is !== undefined) {
    const wanted = IS[is.replace(/^is\s+/i, '').toUpperCase() as keyof typeof IS]
    return (value) => value === wanted
  }
  const comparison = COMPARISONS.find((each) => reader.take(each))
  if (comparison === undefined) throw reader.unexpected('a comparison')
  const test = readValueTest(reader, comparison, VALUE)
  return (value) => {
    if (value === undefined || value === null) return false
    // What has members is compared with no text; only `*` asks for nothing but that it is there.
    if (typeof value === 'object') return comparison === '=' && test('') && test('{}')
    return test(value as string | number | boolean)
  }
}

const IS = { NULL: null, TRUE: true, FALSE: false } as const

function selected(line: object, selector: Selector): unknown {
  let value: unknown = line
  for (const key of selector) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    // An array has its length as a member of its own, which no selector means.
    if (Array.isArray(value) && typeof key !== 'number') return undefined
    value = (value as Readonly<Record<string | number, unknown>>)[key]
  }
  return value
}
