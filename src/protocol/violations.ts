/**
 * The texts of ValidationException and SerializationException (spec 01 §1.0). A request is read to its end and all its
 * constraint violations are told at once; a value of the wrong JSON type ends the reading.
 */
import { ApiError } from './errors.ts'

/** A hostile request must not make an answer of megabytes: later ones are counted but not spelled out. */
const SPELLED_OUT = 20
/** Longest part of a refused value that is repeated. */
const REPEATED_CHARS = 1_024

/** Member paths in the model's spelling: `updates.1.member.waitOptions.waitSeconds`. */
export const lowerCamel = (member: string): string => member.charAt(0).toLowerCase() + member.slice(1)
export const elementPath = (list: string, index: number): string => `${list}.${index + 1}.member`
export const memberPath = (parent: string, member: string): string =>
  parent === '' ? lowerCamel(member) : `${parent}.${lowerCamel(member)}`

/** A ValidationException for a single violation. */
export function violation(path: string, shown: string | number | null | undefined, ending: string): ApiError {
  const violations = new Violations()
  violations.add(path, shown, ending)
  return violations.error()
}

export class Violations {
  #count = 0
  readonly #texts: string[] = []

  /** `shown` is the refused value; `undefined` for sensitive ones, `null` for absent ones. */
  add(path: string, shown: string | number | null | undefined, ending: string): void {
    this.#count += 1
    if (this.#texts.length >= SPELLED_OUT) return
    const value = shown === undefined ? 'Value' : shown === null ? 'Value null' : `Value '${clip(String(shown))}'`
    this.#texts.push(`${value} at '${path}' failed to satisfy constraint: Member must ${ending}`)
  }

  throwIfAny(): void {
    if (this.#count > 0) throw this.error()
  }

  /** The exception that tells them all. */
  error(): ApiError {
    const errors = this.#count === 1 ? 'error' : 'errors'
    const more = this.#count - this.#texts.length
    const texts = more === 0 ? this.#texts : [...this.#texts, `and ${more} more`]
    return new ApiError('ValidationException', `${this.#count} validation ${errors} detected: ${texts.join('; ')}`)
  }
}

export const ENDING = {
  notNull: 'not be null',
  minLength: (n: number): string => `have length greater than or equal to ${n}`,
  maxLength: (n: number): string => `have length less than or equal to ${n}`,
  minValue: (n: number): string => `have value greater than or equal to ${n}`,
  maxValue: (n: number): string => `have value less than or equal to ${n}`,
  pattern: (source: string): string => `satisfy regular expression pattern: ${source}`,
  oneOf: (values: readonly string[]): string => `satisfy enum value set: [${values.join(', ')}]`,
} as const

function clip(text: string): string {
  return text.length <= REPEATED_CHARS ? text : `${text.slice(0, REPEATED_CHARS)}…`
}

export type JsonType = 'string' | 'base64' | 'integer' | 'number' | 'boolean' | 'list' | 'structure' | 'timestamp'

/** A value whose JSON type is wrong. `path` is empty for the body itself. */
export function wrongType(path: string, expected: JsonType, value: unknown): ApiError {
  const where = path === '' ? 'The request body' : `The member '${path}'`
  return new ApiError('SerializationException', `${where} must be ${ARTICLE[expected]}, not ${kindOf(value)}.`)
}

const ARTICLE: Record<JsonType, string> = {
  string: 'a string',
  base64: 'base64 text',
  number: 'a number',
  integer: 'an integer',
  boolean: 'a boolean',
  list: 'a list',
  structure: 'a structure',
  timestamp: 'a timestamp',
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a fractional number'
  if (typeof value === 'object') return 'a structure'
  return `a ${typeof value}`
}
