/**
 * The filter patterns of CloudWatch Logs: which lines are wanted. Three kinds, told by their first character; each is
 * read once, and then matches lines in time that grows with the length of the line alone.
 */
import { readFieldsPattern } from './fields-pattern.ts'
import { readJsonPattern } from './json-pattern.ts'
import { PatternReader } from './pattern-reader.ts'
import { readTermsPattern } from './terms-pattern.ts'

export { InvalidPattern } from './pattern-reader.ts'

export type LinePattern = (line: string) => boolean

/** An empty pattern matches every line. Throws `InvalidPattern`. */
export function parseFilterPattern(text: string): LinePattern {
  const reader = new PatternReader(text)
  reader.skipSpace()
  switch (reader.rest.charAt(0)) {
    case '{':
      return readJsonPattern(reader)
    case '[':
      return readFieldsPattern(reader)
    default:
      return readTermsPattern(reader)
  }
}
