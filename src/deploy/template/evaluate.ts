/**
 * Values with their functions carried out: `!Sub`, `!If`, `!FindInMap` and the others, as CloudFormation defines them.
 * What comes out has the places of what went in. Pure: what a name refers to is asked of `Scope`.
 */
import { didYouMean, TemplateProblem } from '../problem.ts'
import { isTrue } from './conditions.ts'
import { type Field, type FieldsNode, fieldsNode, KINDS, type Place, type TemplateNode, textNode } from './node.ts'

/** What names in a template stand for. Each throws a `TemplateProblem` for a name that there is not. */
export interface Scope {
  /** Of a parameter, a pseudo parameter or a resource; undefined for AWS::NoValue. */
  ref(name: string, place: Place): TemplateNode | undefined
  attribute(resource: string, attribute: string, place: Place): TemplateNode
  condition(name: string, place: Place): boolean
  exported(name: string, place: Place): TemplateNode
  readonly mappings: FieldsNode | undefined
  readonly region: string
}

export const CONDITION_FUNCTIONS: readonly string[] = ['Condition', 'Fn::Equals', 'Fn::Not', 'Fn::And', 'Fn::Or']

/** Longer texts no member of a function takes, and `!Sub` of `!Sub` could make one without end. */
const MAX_TEXT_LENGTH = 1_000_000

/** Undefined: there is no value, and the member or element that it is of is not there. */
export function evaluate(node: TemplateNode, scope: Scope): TemplateNode | undefined {
  switch (node.kind) {
    case 'scalar':
      return resolvable(node)
    case 'list':
      return { ...node, items: node.items.flatMap((item) => evaluate(item, scope) ?? []) }
    case 'fields': {
      const call = callOf(node)
      return call === undefined ? evaluateFields(node, scope) : apply(call, scope)
    }
  }
}

function evaluateFields(node: FieldsNode, scope: Scope): FieldsNode {
  const fields = [...node.fields].flatMap(([name, field]): (readonly [string, Field])[] => {
    const value = evaluate(field.value, scope)
    return value === undefined ? [] : [[name, { place: field.place, value }]]
  })
  return fieldsNode(node.place, fields)
}

/** `{{resolve:ssm:…}}` is looked up by CloudFormation in services that are not here. */
function resolvable(node: TemplateNode & { readonly kind: 'scalar' }): TemplateNode {
  const [reference] = /\{\{resolve:[^}]*\}\}/.exec(node.text) ?? []
  if (reference === undefined) return node
  throw new TemplateProblem(
    node.place,
    `${reference} is looked up in a service that Perdure is not`,
    'make it a parameter and give its value with --parameter',
  )
}

// -------------------------------------------------------------------------------------------------------- functions

export interface FunctionCall {
  readonly name: string
  readonly place: Place
  readonly argument: TemplateNode
}

/** The function that an object stands for; undefined when it is only an object. */
export function callOf(node: TemplateNode): FunctionCall | undefined {
  if (node.kind !== 'fields' || node.fields.size !== 1) return undefined
  const [first] = node.fields
  if (first === undefined) return undefined
  const [name, { value }] = first
  if (name !== 'Ref' && name !== 'Condition' && !name.startsWith('Fn::')) return undefined
  // An object whose only member is named Condition is one, unless it holds the name of a condition.
  if (name === 'Condition' && value.kind !== 'scalar') return undefined
  return { name, place: node.place, argument: value }
}

type Carry = (call: FunctionCall, scope: Scope) => TemplateNode | undefined

const FUNCTIONS: Readonly<Record<string, Carry>> = {
  Ref: ({ argument }, scope) => scope.ref(plainText(argument, 'Ref'), argument.place),

  'Fn::GetAtt': ({ argument }, scope) => {
    const [resource, ...attribute] = argumentList(argument, 'Fn::GetAtt', 2, 2).map((part) =>
      evaluatedText(part, scope, 'Fn::GetAtt'),
    )
    return scope.attribute(resource ?? '', attribute.join('.'), argument.place)
  },

  'Fn::Sub': ({ argument }, scope) => substitute(argument, scope),

  'Fn::Join': ({ argument, place }, scope) => {
    const [delimiter, parts] = argumentList(argument, 'Fn::Join', 2, 2) as [TemplateNode, TemplateNode]
    const texts = evaluatedList(parts, scope, 'Fn::Join').map((part) => scalarText(part, 'Fn::Join'))
    return bounded(place, texts.join(evaluatedText(delimiter, scope, 'Fn::Join')))
  },

  'Fn::Split': ({ argument, place }, scope) => {
    const [delimiter, source] = argumentList(argument, 'Fn::Split', 2, 2) as [TemplateNode, TemplateNode]
    const at = evaluatedText(delimiter, scope, 'Fn::Split')
    if (at === '') throw new TemplateProblem(place, 'Fn::Split has no delimiter', 'give it one, such as ","')
    const items = evaluatedText(source, scope, 'Fn::Split').split(at)
    return { kind: 'list', place, items: items.map((text) => textNode(source.place, text)) }
  },

  'Fn::Select': ({ argument, place }, scope) => {
    const [index, list] = argumentList(argument, 'Fn::Select', 2, 2) as [TemplateNode, TemplateNode]
    const items = evaluatedList(list, scope, 'Fn::Select')
    const text = evaluatedText(index, scope, 'Fn::Select')
    const item = /^\d+$/.test(text) ? items[Number(text)] : undefined
    if (item !== undefined) return item
    throw new TemplateProblem(
      place,
      `Fn::Select asks for element ${text} of a list with ${items.length}`,
      'count from 0, and give a list that is long enough',
    )
  },

  'Fn::If': ({ argument }, scope) => {
    const [name, whenTrue, whenFalse] = argumentList(argument, 'Fn::If', 3, 3) as [
      TemplateNode,
      TemplateNode,
      TemplateNode,
    ]
    return evaluate(scope.condition(plainText(name, 'Fn::If'), name.place) ? whenTrue : whenFalse, scope)
  },

  'Fn::FindInMap': (call, scope) => findInMap(call, scope),

  'Fn::Base64': ({ argument, place }, scope) =>
    textNode(place, Buffer.from(evaluatedText(argument, scope, 'Fn::Base64')).toString('base64')),

  'Fn::GetAZs': ({ argument, place }, scope) => {
    const region = evaluatedText(argument, scope, 'Fn::GetAZs') || scope.region
    return { kind: 'list', place, items: ['a', 'b', 'c'].map((zone) => textNode(place, `${region}${zone}`)) }
  },

  'Fn::ImportValue': ({ argument }, scope) =>
    scope.exported(evaluatedText(argument, scope, 'Fn::ImportValue'), argument.place),

  'Fn::Length': ({ argument, place }, scope) => {
    const { length } = evaluatedList(argument, scope, 'Fn::Length')
    return { kind: 'scalar', place, value: length, text: String(length) }
  },

  'Fn::ToJsonString': ({ argument, place }, scope) => {
    const value = evaluate(argument, scope)
    return bounded(place, JSON.stringify(value === undefined ? null : plainValue(value)))
  },

  'Fn::Cidr': (call) => notComputed(call, 'networks are not made here: write the blocks as a list'),
  'Fn::Transform': (call) => notComputed(call, 'macros run in the cloud: deploy the template that they make'),
  'Fn::ForEach': (call) => notComputed(call, 'write the resources out, or deploy the processed template'),

  ...Object.fromEntries(
    CONDITION_FUNCTIONS.map((name) => [
      name,
      (call: FunctionCall, scope: Scope): TemplateNode => {
        const value = isTrue(call, scope)
        return { kind: 'scalar', place: call.place, value, text: String(value) }
      },
    ]),
  ),
}

function apply(call: FunctionCall, scope: Scope): TemplateNode | undefined {
  // `Fn::ForEach::Name` carries the name of its loop.
  const name = call.name.startsWith('Fn::ForEach::') ? 'Fn::ForEach' : call.name
  const carry = FUNCTIONS[name]
  if (carry !== undefined) return carry(call, scope)
  throw new TemplateProblem(
    call.place,
    `${name} is no function that templates have`,
    didYouMean(name, Object.keys(FUNCTIONS)),
  )
}

function notComputed({ name, place }: FunctionCall, fix: string): never {
  throw new TemplateProblem(place, `${name} is not carried out by Perdure`, fix)
}

const REFERENCE = /\$\{(!?)([^${}]*)\}/g

/** The names in the text of a `Fn::Sub` that refer to something, with what they are. */
export function substitutions(text: string): readonly string[] {
  return [...text.matchAll(REFERENCE)].flatMap(([, literal, name = '']) => (literal === '!' ? [] : [name.trim()]))
}

function substitute(argument: TemplateNode, scope: Scope): TemplateNode {
  const [template, variables] = argument.kind === 'list' ? argumentList(argument, 'Fn::Sub', 1, 2) : [argument]
  if (template === undefined) throw new Error('Fn::Sub without a text')
  if (variables !== undefined && variables.kind !== 'fields') {
    throw new TemplateProblem(
      variables.place,
      'the variables of Fn::Sub are not an object',
      'write name: value for each',
    )
  }
  const text = plainText(template, 'Fn::Sub').replaceAll(REFERENCE, (_match, literal: string, name: string) => {
    if (literal === '!') return `\${${name}}`
    const value = named(name.trim(), variables, template.place, scope)
    return value === undefined ? '' : scalarText(value, 'Fn::Sub')
  })
  const result = bounded(template.place, text)
  resolvable(result)
  return result
}

function named(name: string, variables: FieldsNode | undefined, place: Place, scope: Scope): TemplateNode | undefined {
  const variable = variables?.fields.get(name)
  if (variable !== undefined) return evaluate(variable.value, scope)
  const dot = name.indexOf('.')
  return dot < 0 ? scope.ref(name, place) : scope.attribute(name.slice(0, dot), name.slice(dot + 1), place)
}

function findInMap({ argument, place }: FunctionCall, scope: Scope): TemplateNode | undefined {
  const [map, first, second, options] = argumentList(argument, 'Fn::FindInMap', 3, 4)
  const names = [map, first, second].map((part) =>
    part === undefined ? '' : evaluatedText(part, scope, 'Fn::FindInMap'),
  )
  let found: TemplateNode | undefined = scope.mappings
  for (const name of names) found = found?.kind === 'fields' ? found.fields.get(name)?.value : undefined
  if (found !== undefined) return evaluate(found, scope)
  const fallback = options?.kind === 'fields' ? options.fields.get('DefaultValue') : undefined
  if (fallback !== undefined) return evaluate(fallback.value, scope)
  throw new TemplateProblem(
    place,
    `there is no ${names.join(' → ')} in Mappings`,
    'correct a name, or add the entry to the mapping',
  )
}

// -------------------------------------------------------------------------------------------------------- arguments

/** The arguments of a function that takes from `least` to `most` of them. */
export function argumentList(
  argument: TemplateNode,
  name: string,
  least: number,
  most: number,
): readonly TemplateNode[] {
  const wanted = least === most ? String(least) : `${least} to ${most}`
  if (argument.kind !== 'list') {
    throw new TemplateProblem(
      argument.place,
      `${name} takes a list and has ${KINDS[argument.kind]}`,
      argumentsFix(wanted),
    )
  }
  const { length } = argument.items
  if (length >= least && length <= most) return argument.items
  throw new TemplateProblem(argument.place, `${name} has ${length} arguments`, argumentsFix(wanted))
}

const argumentsFix = (wanted: string): string => `give it a list of ${wanted}`

/** A name that has to be written down, not computed. */
export function plainText(node: TemplateNode, name: string): string {
  if (node.kind === 'scalar' && node.value !== null) return node.text
  throw new TemplateProblem(node.place, `${name} takes text and has ${described(node)}`, 'write the name or the text')
}

export function evaluatedText(node: TemplateNode, scope: Scope, name: string): string {
  const value = evaluate(node, scope)
  if (value === undefined) throw new TemplateProblem(node.place, `${name} is given no value`, 'give it one')
  return scalarText(value, name)
}

function scalarText(node: TemplateNode, name: string): string {
  if (node.kind === 'scalar' && node.value !== null) return node.text
  throw new TemplateProblem(
    node.place,
    `${name} takes single values and has ${described(node)}`,
    'join a list with Fn::Join, or select one of its elements with Fn::Select',
  )
}

function evaluatedList(node: TemplateNode, scope: Scope, name: string): readonly TemplateNode[] {
  const value = evaluate(node, scope)
  if (value?.kind === 'list') return value.items
  throw new TemplateProblem(
    node.place,
    `${name} takes a list and has ${value === undefined ? 'no value' : described(value)}`,
    'give it a list, or split a text with Fn::Split',
  )
}

const described = (node: TemplateNode): string =>
  node.kind === 'scalar' && node.value === null ? 'nothing' : KINDS[node.kind]

function bounded(place: Place, text: string): ReturnType<typeof textNode> {
  if (text.length <= MAX_TEXT_LENGTH) return textNode(place, text)
  throw new TemplateProblem(
    place,
    `this makes a text of ${text.length} characters`,
    `no value may have more than ${MAX_TEXT_LENGTH}`,
  )
}

/** As JSON has it. */
export function plainValue(node: TemplateNode): unknown {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'list':
      return node.items.map(plainValue)
    case 'fields':
      return Object.fromEntries([...node.fields].map(([name, { value }]) => [name, plainValue(value)]))
  }
}
