/**
 * Values of a template as members of requests: judged by the constraint that the server judges them by, at the place
 * where they were written. Templates are lenient about kinds as CloudFormation is: `"30"` is a number where one is
 * wanted, `30` a text, `yes` is true.
 */

import type { Spelt } from '../client/member-names.ts'
import { memberName } from '../client/member-names.ts'
import type { Constraint, StructureConstraint, ValueOf } from '../protocol/constraints.ts'
import { ApiError } from '../protocol/errors.ts'
import { readJson } from '../protocol/validate.ts'
import { Violations } from '../protocol/violations.ts'
import { didYouMean, TemplateProblem } from './problem.ts'
import { KINDS, type ScalarNode, type TemplateNode } from './template/node.ts'
import { markedVersion } from './template/template.ts'

/** A value in the spelling of the client. `what` names it in messages: `Timeout`. Throws a `TemplateProblem`. */
export function readValue<const C extends Constraint>(
  constraint: C,
  node: TemplateNode,
  what: string,
): NoInfer<Spelt<ValueOf<C>>> {
  return read(constraint, node, what) as Spelt<ValueOf<C>>
}

function read(constraint: Constraint, node: TemplateNode, what: string): unknown {
  switch (constraint.kind) {
    case 'structure':
      return readStructure(constraint, node, what)
    case 'list': {
      const items = node.kind === 'list' ? node.items : wrongKind(node, what, 'a list')
      checked(
        { ...constraint, of: ANYTHING },
        items.map(() => ''),
        node,
        what,
      )
      return items.map((item, index) => read(constraint.of, item, `${what}[${index}]`))
    }
    case 'map': {
      if (node.kind !== 'fields') return wrongKind(node, what, 'an object')
      const entries = [...node.fields].map(([name, field]) => {
        checked(constraint.key, name, { ...field.value, place: field.place }, `the name ${name} in ${what}`)
        return [name, read(constraint.of, field.value, `${what}.${name}`)] as const
      })
      return Object.fromEntries(entries)
    }
    default:
      return checked(constraint, scalarValue(constraint, scalarOf(node, what), what), node, what)
  }
}

const ANYTHING: Constraint = {
  kind: 'text',
  minLength: 0,
  maxLength: 0,
  pattern: undefined,
  regex: undefined,
  sensitive: true,
}

function readStructure({ members }: StructureConstraint, node: TemplateNode, what: string): object {
  if (node.kind !== 'fields') return wrongKind(node, what, 'an object')
  const names = Object.keys(members)
  const entries = [...node.fields].map(([name, field]) => {
    const member = Object.hasOwn(members, name) ? members[name] : undefined
    if (member === undefined) {
      throw new TemplateProblem(field.place, `${what} has no member ${name}`, didYouMean(name, names))
    }
    return [memberName(name), read(member.constraint, field.value, `${what}.${name}`)] as const
  })
  const missing = names.find((name) => members[name]?.required === true && !node.fields.has(name))
  if (missing === undefined) return Object.fromEntries(entries)
  throw new TemplateProblem(node.place, `${what} has no ${missing}`, 'give it one')
}

function scalarOf(node: TemplateNode, what: string): ScalarNode {
  if (node.kind !== 'scalar') return wrongKind(node, what, 'a single value')
  if (node.value === null) throw new TemplateProblem(node.place, `${what} is empty`, 'give it a value, or leave it out')
  if (markedVersion(node.text) !== undefined) {
    throw new TemplateProblem(
      node.place,
      `${what} needs the number of a version, which is known only when it is published`,
      'refer to an alias instead',
    )
  }
  return node
}

function wrongKind(node: TemplateNode, what: string, wanted: string): never {
  throw new TemplateProblem(node.place, `${what} is ${KINDS[node.kind]} where ${wanted} belongs`, `give it ${wanted}`)
}

const TRUTHS: ReadonlyMap<string, boolean> = new Map([
  ...['true', 'yes', 'on'].map((word) => [word, true] as const),
  ...['false', 'no', 'off'].map((word) => [word, false] as const),
])

function scalarValue(constraint: Constraint, { text, place }: ScalarNode, what: string): unknown {
  switch (constraint.kind) {
    case 'integer':
    case 'number': {
      const value = text.trim() === '' ? Number.NaN : Number(text)
      if (Number.isFinite(value) && (constraint.kind === 'number' || Number.isInteger(value))) return value
      throw new TemplateProblem(
        place,
        `${what} is "${text}" where ${constraint.kind === 'integer' ? 'a whole number' : 'a number'} belongs`,
        'give it a number',
      )
    }
    case 'boolean': {
      const value = TRUTHS.get(text.toLowerCase())
      if (value !== undefined) return value
      throw new TemplateProblem(place, `${what} is "${text}" where true or false belongs`, 'give it one of the two')
    }
    default:
      return text
  }
}

/** The value, if the server will take it. */
function checked(
  constraint: Constraint,
  value: unknown,
  { place }: Pick<TemplateNode, 'place'>,
  what: string,
): unknown {
  const violations = new Violations()
  try {
    readJson(constraint, value, 'value', violations)
    violations.throwIfAny()
    return value
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    const [, rule = error.message] = /failed to satisfy constraint: (.*)$/s.exec(error.message) ?? []
    const shown = typeof value === 'string' && constraint.kind === 'text' && constraint.sensitive ? '' : ` "${value}"`
    throw new TemplateProblem(
      place,
      `${what} cannot be${constraint.kind === 'list' ? ' a list of this length' : shown}`,
      rule.replace(/^Member must/, 'it must'),
    )
  }
}
