/** Values of every shape, drawn from the tables that describe them. */
import fc from 'fast-check'
import { memberName } from '../../src/client/member-names.ts'
import type { Constraint, MemberTable, TextConstraint } from '../../src/protocol/constraints.ts'
import {
  CALLBACK_ID,
  CHECKPOINT_TOKEN,
  CLIENT_TOKEN,
  EXECUTION_ARN,
  EXECUTION_NAME,
  FUNCTION_NAME,
  OPERATION_ID,
  OPERATION_NAME,
  OPERATION_SUBTYPE,
  QUALIFIER,
  TENANT_ID,
} from '../../src/protocol/constraints.ts'
import { ALIAS_NAME } from '../../src/protocol/function-constraints.ts'

const word = (maxLength: number) => fc.stringMatching(new RegExp(`^[a-zA-Z0-9-_]{1,${maxLength}}$`))
const base64 = fc.stringMatching(/^[A-Za-z0-9+/]{1,40}={0,2}$/)

/** Texts whose patterns are too rich to be drawn from directly get a smaller language of their own. */
const TEXTS = new Map<TextConstraint, fc.Arbitrary<string>>([
  [
    EXECUTION_ARN,
    fc
      .tuple(word(20), fc.constantFrom('$LATEST', '1', '42'), word(30), word(30))
      .map(
        ([name, version, execution, id]) =>
          `arn:aws:lambda:us-east-1:000000000000:function:${name}:${version}/durable-execution/${execution}/${id}`,
      ),
  ],
  [FUNCTION_NAME, fc.tuple(word(20), fc.constantFrom('', ':1', ':prod', ':$LATEST')).map((parts) => parts.join(''))],
  // Not digits alone.
  [ALIAS_NAME, fc.tuple(fc.stringMatching(/^[a-zA-Z]$/), word(20)).map((parts) => parts.join(''))],
  [QUALIFIER, fc.oneof(fc.constantFrom('$LATEST', '3'), word(20))],
  [EXECUTION_NAME, word(64)],
  [TENANT_ID, fc.stringMatching(/^[a-zA-Z0-9._:/=+@-]{1,30}$/)],
  [CALLBACK_ID, base64],
  [CHECKPOINT_TOKEN, base64],
  [CLIENT_TOKEN, fc.stringMatching(/^[\x21-\x7E]{1,64}$/)],
  [OPERATION_ID, word(64)],
  [OPERATION_NAME, fc.stringMatching(/^[\x20-\x7E]{1,60}$/)],
  [OPERATION_SUBTYPE, word(32)],
])

/** Any text that JSON carries, or that the pattern lets pass; in a header only what HTTP carries. */
function textOf({ minLength, maxLength, pattern }: TextConstraint): fc.Arbitrary<string> {
  if (pattern === undefined) {
    // A grapheme may be several characters, of which lengths count each.
    return fc
      .string({ unit: 'grapheme', minLength, maxLength: Math.max(minLength, Math.min(maxLength, 40)) })
      .filter(({ length }) => length <= maxLength)
  }
  return fc
    .stringMatching(new RegExp(`^(?:${pattern})$`))
    .filter(({ length }) => length >= minLength && length <= maxLength)
}
const headerText = fc.stringMatching(/^[a-zA-Z0-9+/]{1,40}$/)

/** A value as this client spells it: lower camel case, times in epoch milliseconds. */
export function valuesOf(constraint: Constraint, place?: string): fc.Arbitrary<unknown> {
  switch (constraint.kind) {
    case 'text':
      return TEXTS.get(constraint) ?? (place === 'header' ? headerText : textOf(constraint))
    case 'oneOf':
      return fc.constantFrom(...constraint.values)
    case 'integer':
      return fc.integer({ min: Math.max(constraint.min, -(2 ** 31)), max: Math.min(constraint.max, 2 ** 31 - 1) })
    case 'number':
      return fc.double({ min: constraint.min, max: constraint.max, noNaN: true })
    case 'blob':
      return fc.uint8Array()
    case 'map':
      return fc.dictionary(valuesOf(constraint.key) as fc.Arbitrary<string>, valuesOf(constraint.of), {
        maxKeys: Math.min(constraint.maxItems, 5),
        noNullPrototype: true,
      })
    case 'boolean':
      return fc.boolean()
    case 'timestamp':
      return fc.integer({ min: 0, max: Date.UTC(9999, 0) })
    case 'list':
      return fc.array(valuesOf(constraint.of), {
        minLength: constraint.minItems,
        maxLength: Math.min(constraint.maxItems, 5),
      })
    case 'structure':
      return membersOf(constraint.members)
  }
}

interface PlacedMember {
  readonly constraint: Constraint
  readonly required?: boolean
  readonly in?: string
}

export function membersOf(members: MemberTable | Readonly<Record<string, PlacedMember>>): fc.Arbitrary<object> {
  const shape: Record<string, fc.Arbitrary<unknown>> = {}
  const required: string[] = []
  for (const [name, member] of Object.entries(members) as [string, PlacedMember][]) {
    shape[memberName(name)] = valuesOf(member.constraint, member.in)
    if (member.required === true) required.push(memberName(name))
  }
  return fc.record(shape, { requiredKeys: required, noNullPrototype: true })
}
