/**
 * Texts between JavaScript and SQLite. SQLite keeps UTF-8, which cannot hold a lone surrogate: written as text it
 * would come back as U+FFFD. A text with lone surrogates is therefore stored as a BLOB of its UTF-16LE code units and
 * every other text as TEXT; the value's type tells which, so nothing needs escaping and nothing is ambiguous.
 * Equality works as ever (equal texts are stored alike); order does not, which is why ordered ids are ASCII.
 */
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import { damaged } from './checksum.ts'

export function storedText(text: string): SQLInputValue {
  return text.isWellFormed() ? text : Buffer.from(text, 'utf16le')
}

export function readText(value: SQLOutputValue | undefined): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf16le')
  }
  throw damaged(`The database holds ${typeof value} where a text belongs.`)
}

export const storedOptionalText = (text: string | undefined): SQLInputValue =>
  text === undefined ? null : storedText(text)

export const readOptionalText = (value: SQLOutputValue | undefined): string | undefined =>
  value === null || value === undefined ? undefined : readText(value)

export function readNumber(value: SQLOutputValue | undefined): number {
  if (typeof value === 'number') return value
  throw damaged(`The database holds ${typeof value} where a number belongs.`)
}

export const readOptionalNumber = (value: SQLOutputValue | undefined): number | undefined =>
  value === null || value === undefined ? undefined : readNumber(value)
