/** The values of a template's parameters: what was given, else the defaults, checked as the template asks. */
import { didYouMean, type Problems, TemplateProblem } from '../problem.ts'
import { type FieldsNode, KINDS, type Place, type TemplateNode, textNode } from './node.ts'

const PROPERTIES = [
  'Type',
  'Default',
  'Description',
  'AllowedValues',
  'AllowedPattern',
  'ConstraintDescription',
  'MinLength',
  'MaxLength',
  'MinValue',
  'MaxValue',
  'NoEcho',
] as const

export interface ParameterValues {
  readonly values: ReadonlyMap<string, TemplateNode>
  /** What is wrong with the others: whatever refers to one of them has the same problem, which is told once. */
  readonly failed: ReadonlyMap<string, TemplateProblem>
}

/** By name. */
export function parameterValues(
  section: FieldsNode | undefined,
  given: ReadonlyMap<string, string>,
  problems: Problems,
): ParameterValues {
  const failed = new Map<string, TemplateProblem>()
  const values = new Map<string, TemplateNode>()
  const names = [...(section?.fields.keys() ?? [])]
  for (const name of given.keys()) {
    if (names.includes(name)) continue
    problems.add(
      section?.place,
      `the template has no parameter ${name}`,
      names.length === 0 ? 'it has none: leave it out, of samconfig too' : didYouMean(name, names),
    )
  }
  for (const [name, { place, value: declared }] of section?.fields ?? []) {
    problems.attempt(() => {
      try {
        values.set(name, parameterValue(name, place, declared, given.get(name)))
      } catch (error) {
        if (error instanceof TemplateProblem) failed.set(name, error)
        throw error
      }
    })
  }
  return { values, failed }
}

function parameterValue(name: string, place: Place, declared: TemplateNode, given: string | undefined): TemplateNode {
  if (declared.kind !== 'fields') {
    throw new TemplateProblem(declared.place, `the parameter ${name} is not an object`, 'give it Type: String')
  }
  for (const [property, field] of declared.fields) {
    if (PROPERTIES.some((each) => each === property)) continue
    throw new TemplateProblem(field.place, `a parameter has no property ${property}`, didYouMean(property, PROPERTIES))
  }
  const type = scalarOf(declared, 'Type')?.text
  if (type === undefined) throw new TemplateProblem(place, `the parameter ${name} has no Type`, 'give it Type: String')
  const written = scalarOf(declared, 'Default')
  const text = given ?? written?.text
  if (text === undefined) {
    throw new TemplateProblem(place, `the parameter ${name} has no value`, `give it one: --parameter ${name}=<value>`)
  }
  const at = given === undefined ? (written?.place ?? place) : place
  const value = typed(type, text, at, declared.fields.get('Type')?.value.place ?? place)
  for (const each of value.kind === 'list' ? value.items : [value]) {
    if (each.kind === 'scalar') checkValue(name, each.text, type, declared, at)
  }
  return value
}

/** Parameters that CloudFormation reads from the parameter store keep the name of the entry: nothing is looked up. */
function typed(type: string, text: string, place: Place, typePlace: Place): TemplateNode {
  const list = /^(CommaDelimitedList|List<.+>|AWS::SSM::Parameter::Value<(List<.+>|CommaDelimitedList)>)$/.test(type)
  if (list) {
    const items = text === '' ? [] : text.split(',').map((item) => textNode(place, item.trim()))
    return { kind: 'list', place, items }
  }
  if (type !== 'String' && type !== 'Number' && !type.startsWith('AWS::')) {
    throw new TemplateProblem(
      typePlace,
      `parameters of type ${type} are not known`,
      'use String, Number, CommaDelimitedList, List<Number> or a type of AWS',
    )
  }
  return textNode(place, text)
}

function checkValue(name: string, text: string, type: string, declared: FieldsNode, place: Place): void {
  const refuse = (what: string, fix: string): never => {
    const explained = scalarOf(declared, 'ConstraintDescription')?.text
    const shown = scalarOf(declared, 'NoEcho')?.text === 'true' ? '' : ` "${text}"`
    throw new TemplateProblem(place, `the value${shown} of the parameter ${name} ${what}`, explained ?? fix)
  }
  if (/Number/.test(type) && (text.trim() === '' || !Number.isFinite(Number(text)))) {
    refuse('is no number', 'give it a number')
  }
  const allowed = listOf(declared, 'AllowedValues')
  if (allowed !== undefined && !allowed.includes(text)) {
    refuse('is not one of AllowedValues', `give one of ${allowed.join(', ')}`)
  }
  const pattern = scalarOf(declared, 'AllowedPattern')
  if (pattern !== undefined && !expression(pattern.text, pattern.place).test(text)) {
    refuse('does not match AllowedPattern', `give one that matches ${pattern.text}`)
  }
  const bound = (property: string): number | undefined => {
    const node = scalarOf(declared, property)
    return node === undefined ? undefined : Number(node.text)
  }
  const [minLength = 0, maxLength = Number.POSITIVE_INFINITY] = [bound('MinLength'), bound('MaxLength')]
  if (text.length < minLength || text.length > maxLength) {
    refuse(`has ${text.length} characters`, `give it ${minLength} to ${maxLength}`)
  }
  const [least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY] = [bound('MinValue'), bound('MaxValue')]
  if (Number(text) < least || Number(text) > most) refuse('is out of range', `give one from ${least} to ${most}`)
}

function expression(source: string, place: Place): RegExp {
  try {
    return new RegExp(`^(?:${source})$`)
  } catch {
    throw new TemplateProblem(place, `AllowedPattern ${source} is no regular expression`, 'correct it')
  }
}

function scalarOf(declared: FieldsNode, property: string) {
  const node = declared.fields.get(property)?.value
  if (node === undefined || node.kind === 'scalar') return node
  throw new TemplateProblem(node.place, `${property} is ${KINDS[node.kind]}`, 'give it a single value')
}

function listOf(declared: FieldsNode, property: string): readonly string[] | undefined {
  const node = declared.fields.get(property)?.value
  if (node === undefined) return undefined
  if (node.kind !== 'list')
    throw new TemplateProblem(node.place, `${property} is ${KINDS[node.kind]}`, 'give it a list')
  return node.items.map((item) => (item.kind === 'scalar' ? item.text : ''))
}
