/**
 * Values to JSON of the wire and back, both read off a constraint table. A value spells its members in lower camel case
 * and counts time in epoch milliseconds; the wire spells them in Pascal case and counts epoch seconds (spec 01 §1.0).
 *
 * Encoding passes on what does not fit its constraint, for the check that follows to name. Decoding is tolerant as a
 * client must be of newer servers: unknown members are left out, enumerations and lengths are not judged.
 */
import type { Constraint, MemberTable } from '../protocol/constraints.ts'
import { memberName } from './member-names.ts'

type Fields = { readonly [name: string]: unknown }

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Members given under names that no member has: almost always a misspelling, which would otherwise go unnoticed. */
export class UnknownMember extends Error {
  constructor(name: string, known: readonly string[]) {
    super(`there is no member '${name}'; there are ${known.join(', ')}`)
    this.name = 'UnknownMember'
  }
}

export function encode(constraint: Constraint, value: unknown): unknown {
  if (value === undefined || value === null) return undefined
  switch (constraint.kind) {
    case 'timestamp':
      return typeof value === 'number' ? value / 1000 : value
    case 'blob':
      return value instanceof Uint8Array ? base64Of(value) : value
    case 'list':
      return Array.isArray(value) ? value.map((element) => encode(constraint.of, element)) : value
    case 'structure':
      return isFields(value) ? encodeMembers(constraint.members, value) : value
    default:
      return value
  }
}

const base64Of = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64')

function encodeMembers(members: MemberTable, value: Fields): Fields {
  refuseUnknown(Object.keys(members).map(memberName), value)
  const encoded: Record<string, unknown> = {}
  for (const [name, { constraint }] of Object.entries(members)) {
    const member = encode(constraint, value[memberName(name)])
    if (member !== undefined) encoded[name] = member
  }
  return encoded
}

export function refuseUnknown(known: readonly string[], value: Fields): void {
  for (const name of Object.keys(value)) if (!known.includes(name)) throw new UnknownMember(name, known)
}

/** An answer that has not the shape that it should have. */
export class MalformedAnswer extends Error {
  constructor(path: string, expected: string) {
    super(`${path === '' ? 'the body' : `its member '${path}'`} is not ${expected}`)
    this.name = 'MalformedAnswer'
  }
}

const EXPECTED = {
  text: 'a string',
  oneOf: 'a string',
  integer: 'a number',
  number: 'a number',
  blob: 'a string',
  map: 'a structure',
  boolean: 'a boolean',
  timestamp: 'a timestamp',
  list: 'a list',
  structure: 'a structure',
} as const

export function decode(constraint: Constraint, json: unknown, path = ''): unknown {
  if (json === undefined || json === null) return undefined
  switch (constraint.kind) {
    case 'list':
      if (Array.isArray(json)) return json.map((element, index) => decode(constraint.of, element, `${path}[${index}]`))
      break
    case 'structure':
      if (isFields(json)) return decodeMembers(constraint.members, json, path)
      break
    case 'map':
      if (isFields(json)) return decodeValues(constraint.of, json, path)
      break
    case 'blob':
      if (typeof json === 'string') return Buffer.from(json, 'base64')
      break
    case 'timestamp':
      if (typeof json === 'number') return Math.round(json * 1000)
      break
    case 'text':
    case 'oneOf':
      if (typeof json === 'string') return json
      break
    case 'integer':
    case 'number':
      if (typeof json === 'number') return json
      break
    case 'boolean':
      if (typeof json === 'boolean') return json
      break
  }
  throw new MalformedAnswer(path, EXPECTED[constraint.kind])
}

function decodeValues(of: Constraint, json: Fields, path: string): Fields {
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, decode(of, value, `${path}.${name}`)]))
}

function decodeMembers(members: MemberTable, json: Fields, path: string): Fields {
  const decoded: Record<string, unknown> = {}
  for (const [name, { constraint, required }] of Object.entries(members)) {
    const where = path === '' ? name : `${path}.${name}`
    const member = decode(constraint, json[name], where)
    if (member !== undefined) decoded[memberName(name)] = member
    else if (required === true) throw new MalformedAnswer(where, 'there')
  }
  return decoded
}
