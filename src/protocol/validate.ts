/**
 * Raw request in, typed request or `ApiError` out, never anything else thrown (spec 01 §1.0).
 *
 * - A wrong JSON type ends the reading with a SerializationException.
 * - Constraint violations are gathered over the whole request into one ValidationException.
 * - `null` means absent, unknown members are ignored and never visited, so neither nesting nor odd names matter.
 *
 * The table of constraints is interpreted, but for accepted checkpoints: `checkpoint-input.ts` holds straight code for
 * these and comes back here only to explain a refusal.
 */
import type {
  BlobConstraint,
  Constraint,
  IntegerConstraint,
  ListConstraint,
  MapConstraint,
  MemberTable,
  NumberConstraint,
  OneOfConstraint,
  StructureConstraint,
  TextConstraint,
} from './constraints.ts'
import { ApiError } from './errors.ts'
import { type InputMember, type InputOf, OPERATIONS, type OperationName, type OperationSpec } from './operations.ts'
import { parseTimestamp } from './timestamps.ts'
import { ENDING, elementPath, memberPath, Violations, wrongType } from './violations.ts'

/** The parts of a request that carry input, decoded but not judged. */
export interface RawInput {
  /** The decoded labels of the path, in its order. */
  readonly labels: readonly string[]
  readonly query: ReadonlyMap<string, readonly string[]>
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
  /** The parsed JSON body; undefined when the request has none. */
  readonly body: unknown
}

export const NO_QUERY: ReadonlyMap<string, readonly string[]> = new Map()
export const NO_HEADERS: RawInput['headers'] = {}

type Fields = { [name: string]: unknown }

export function readInput<Name extends OperationName>(name: Name, raw: RawInput): InputOf<Name> {
  const spec: OperationSpec = OPERATIONS[name]
  const violations = new Violations()
  const input: Fields = {}
  let labels = 0
  for (const [member, { constraint, required, ...place }] of Object.entries(spec.input)) {
    const path = memberPath('', member)
    const label = place.in === 'path' ? raw.labels[labels++] : undefined
    const value = readPlaced(member, { constraint, ...place }, raw, label, path, violations)
    if (value !== undefined) input[member] = value
    else if (required === true) violations.add(path, null, ENDING.notNull)
  }
  violations.throwIfAny()
  return input as InputOf<Name>
}

function readPlaced(
  member: string,
  input: InputMember,
  raw: RawInput,
  label: string | undefined,
  path: string,
  violations: Violations,
): unknown {
  const wireName = input.wireName ?? member
  switch (input.in) {
    case 'path':
      return readTexts(input.constraint, label === undefined ? [] : [label], path, violations)
    case 'query':
      return readTexts(input.constraint, raw.query.get(wireName) ?? [], path, violations)
    case 'header': {
      const value = raw.headers[wireName]
      return readTexts(input.constraint, value === undefined ? [] : [value].flat(), path, violations)
    }
    case 'body':
      return readJson(input.constraint, fieldsOf(raw.body ?? {}, '')[wireName], path, violations)
    case 'payload':
      return raw.body === undefined ? undefined : readJson(input.constraint, raw.body, '', violations)
  }
}

// ---------------------------------------------------------------------- text in paths, query strings and headers

function readTexts(constraint: Constraint, texts: readonly string[], path: string, violations: Violations): unknown {
  const [first] = texts
  if (first === undefined) return undefined
  if (constraint.kind !== 'list') return readText(constraint, first, path, violations)
  checkCount(constraint, texts.length, path, violations)
  return texts.map((text, index) => readText(constraint.of, text, elementPath(path, index), violations))
}

function readText(constraint: Constraint, text: string, path: string, violations: Violations): unknown {
  switch (constraint.kind) {
    case 'integer':
      if (!/^[+-]?\d{1,15}$/.test(text)) throw wrongType(path, 'integer', text)
      return checkInteger(constraint, Number(text), path, violations)
    case 'boolean':
      if (text === 'true') return true
      if (text === 'false') return false
      throw wrongType(path, 'boolean', text)
    case 'timestamp':
      return parseTimestamp(text) ?? fail(wrongType(path, 'timestamp', text))
    default:
      return readJson(constraint, text, path, violations)
  }
}

// --------------------------------------------------------------------------------------------------------- JSON

/** Reads one JSON value. Recursion is bounded by the depth of the constraint, not of the value. */
export function readJson(constraint: Constraint, value: unknown, path: string, violations: Violations): unknown {
  if (value === undefined || value === null) return undefined
  switch (constraint.kind) {
    case 'text':
      return checkText(constraint, isString(value, path), path, violations)
    case 'oneOf':
      return checkOneOf(constraint, isString(value, path), path, violations)
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(path, 'integer', value)
      return checkInteger(constraint, value, path, violations)
    case 'number':
      if (typeof value !== 'number') throw wrongType(path, 'number', value)
      return checkNumber(constraint, value, path, violations)
    case 'boolean':
      if (typeof value !== 'boolean') throw wrongType(path, 'boolean', value)
      return value
    case 'blob':
      return readBlob(constraint, isString(value, path), path, violations)
    case 'map':
      return readMap(constraint, fieldsOf(value, path), path, violations)
    case 'timestamp':
      if (typeof value !== 'number') throw wrongType(path, 'timestamp', value)
      return Math.round(value * 1000)
    case 'list':
      if (!Array.isArray(value)) throw wrongType(path, 'list', value)
      return readElements(constraint, value, path, violations)
    case 'structure':
      return readMembers(constraint, fieldsOf(value, path), path, violations)
  }
}

function readElements(constraint: ListConstraint, values: readonly unknown[], path: string, violations: Violations) {
  checkCount(constraint, values.length, path, violations)
  return values.map((value, index) => {
    const element = elementPath(path, index)
    const read = readJson(constraint.of, value, element, violations)
    if (read === undefined) violations.add(element, null, ENDING.notNull)
    return read
  })
}

function readMembers(
  { members }: StructureConstraint<MemberTable>,
  fields: Fields,
  path: string,
  violations: Violations,
): Fields {
  const read: Fields = {}
  for (const [name, member] of Object.entries(members)) {
    const where = memberPath(path, name)
    const value = readJson(member.constraint, fields[name], where, violations)
    if (value !== undefined) read[name] = value
    else if (member.required === true) violations.add(where, null, ENDING.notNull)
  }
  return read
}

/** Into an object without a prototype: any name is only a name. */
function readMap({ key, of, maxItems }: MapConstraint, fields: Fields, path: string, violations: Violations): Fields {
  const names = Object.keys(fields)
  if (names.length > maxItems) violations.add(path, undefined, ENDING.maxLength(maxItems))
  const read = Object.create(null) as Fields
  for (const name of names) {
    checkText(key, name, `${path}.key`, violations)
    const value = readJson(of, fields[name], `${path}.${name}.member`, violations)
    if (value === undefined) violations.add(`${path}.${name}.member`, null, ENDING.notNull)
    read[name] = value
  }
  return read
}

function readBlob({ maxBytes }: BlobConstraint, value: string, path: string, violations: Violations): Uint8Array {
  const bytes = Buffer.from(value, 'base64')
  if (!isBase64(value, bytes.length)) throw wrongType(path, 'base64', value)
  if (bytes.length > maxBytes) violations.add(path, undefined, ENDING.maxLength(maxBytes))
  return bytes
}

/**
 * Whether the text is base64, told by how many bytes were read from it: what is none is skipped. A pattern would take as
 * long again for a package of 50 MB; the letters of base64url, which are read too, are looked for by themselves.
 */
function isBase64(text: string, bytes: number): boolean {
  if (text.endsWith('===')) return false
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const letters = text.length - padding
  // One letter says too little for a byte: where it is left over, nobody meant it.
  if (letters % 4 === 1 || bytes !== Math.floor((letters * 3) / 4)) return false
  return !text.includes('-') && !text.includes('_')
}

function fieldsOf(value: unknown, path: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(path, 'structure', value)
  return value as Fields
}

function isString(value: unknown, path: string): string {
  if (typeof value !== 'string') throw wrongType(path, 'string', value)
  return value
}

// -------------------------------------------------------------------------------------------------------- checks

function checkText(constraint: TextConstraint, value: string, path: string, violations: Violations): string {
  const shown = constraint.sensitive ? undefined : value
  if (value.length < constraint.minLength) violations.add(path, shown, ENDING.minLength(constraint.minLength))
  if (value.length > constraint.maxLength) violations.add(path, shown, ENDING.maxLength(constraint.maxLength))
  if (constraint.regex !== undefined && !constraint.regex.test(value)) {
    violations.add(path, shown, ENDING.pattern(constraint.pattern ?? ''))
  }
  return value
}

function checkOneOf(constraint: OneOfConstraint, value: string, path: string, violations: Violations): string {
  if (!constraint.set.has(value)) violations.add(path, value, ENDING.oneOf(constraint.values))
  return value
}

function checkInteger(constraint: IntegerConstraint, value: number, path: string, violations: Violations): number {
  if (value < constraint.min) violations.add(path, value, ENDING.minValue(constraint.min))
  if (value > constraint.max) violations.add(path, value, ENDING.maxValue(constraint.max))
  // JSON knows a negative zero; nothing else does.
  return value === 0 ? 0 : value
}

function checkNumber(constraint: NumberConstraint, value: number, path: string, violations: Violations): number {
  if (value < constraint.min) violations.add(path, value, ENDING.minValue(constraint.min))
  if (value > constraint.max) violations.add(path, value, ENDING.maxValue(constraint.max))
  return value === 0 ? 0 : value
}

function checkCount(constraint: ListConstraint, count: number, path: string, violations: Violations): void {
  if (count < constraint.minItems) violations.add(path, undefined, ENDING.minLength(constraint.minItems))
  if (count > constraint.maxItems) violations.add(path, undefined, ENDING.maxLength(constraint.maxItems))
}

function fail(error: ApiError): never {
  throw error
}

// ------------------------------------------------------------------------------------------------------ the body

/** The JSON of a body, or SerializationException. An empty body is no body. */
export function parseJsonBody(text: string): unknown {
  if (text === '') return undefined
  try {
    return JSON.parse(text)
  } catch {
    throw new ApiError('SerializationException', 'The request body is not valid JSON.')
  }
}
