/**
 * Filter patterns of lines whose fields are divided by spaces, `[ip, user, status = 4* && status != 404, ...]`: one
 * entry for each field, in order, and `...` for any number of them. In a line, what is in "quotes" or [brackets] is
 * one field.
 */
import type { PatternReader } from './pattern-reader.ts'
import { COMPARISONS, readValueTest, type ValueTest } from './pattern-values.ts'

const NAME = /[\w-]+/y
const VALUE = /[^\s",%&|[\]]+/y

/** A field of any content: one without a condition. */
const anything: ValueTest = () => true

export function readFieldsPattern(reader: PatternReader): (line: string) => boolean {
  reader.expect('[')
  const before: ValueTest[] = []
  let after: ValueTest[] | undefined
  do {
    if (reader.take('...')) {
      if (after !== undefined) throw reader.unexpected('no second "..."')
      after = []
    } else (after ?? before).push(readField(reader))
  } while (reader.take(','))
  reader.expect(']')
  reader.skipSpace()
  if (!reader.atEnd) throw reader.unexpected('nothing more')
  return (line) => {
    const fields = fieldsOf(line)
    const least = before.length + (after?.length ?? 0)
    if (after === undefined ? fields.length !== least : fields.length < least) return false
    const fits = (tests: readonly ValueTest[], from: number): boolean =>
      tests.every((test, index) => test(fields[from + index] ?? ''))
    return fits(before, 0) && (after === undefined || fits(after, fields.length - after.length))
  }
}

function readField(reader: PatternReader): ValueTest {
  const alternatives = [readConditions(reader)]
  while (reader.take('||')) alternatives.push(readConditions(reader))
  return (value) => alternatives.some((test) => test(value))
}

function readConditions(reader: PatternReader): ValueTest {
  const tests = [readCondition(reader)]
  while (reader.take('&&')) tests.push(readCondition(reader))
  return (value) => tests.every((test) => test(value))
}

/** The name is for its reader; every condition of an entry is of the same field. */
function readCondition(reader: PatternReader): ValueTest {
  if (reader.match(NAME) === undefined) throw reader.unexpected('the name of a field')
  const comparison = COMPARISONS.find((each) => reader.take(each))
  return comparison === undefined ? anything : readValueTest(reader, comparison, VALUE)
}

/** `127.0.0.1 - "GET /x" [10/Oct] 200` → 127.0.0.1, -, GET /x, 10/Oct, 200 */
function fieldsOf(line: string): readonly string[] {
  const fields: string[] = []
  const field = /"([^"]*)"|\[([^\]]*)\]|\S+/g
  for (const [whole, inQuotes, inBrackets] of line.matchAll(field)) fields.push(inQuotes ?? inBrackets ?? whole)
  return fields
}
