/**
 * A template with its parameters: its resources, and what the names in it stand for. Names of functions follow from the
 * template alone, so that everything can be said before anything is done; the number of a version is known only when it
 * is published, and a mark stands for it until then.
 */
import { createHash } from 'node:crypto'
import { functionArn, layerArn } from '../../protocol/arn.ts'
import { didYouMean, type Problems, TemplateProblem } from '../problem.ts'
import { CLOSED_SERVICES, ignoredReason, isTaken, KNOWN_TYPES } from '../resource-types.ts'
import { attributeStandIn, namePropertyOf, standInFor } from '../stand-ins.ts'
import { conditionIn } from './conditions.ts'
import { requireAcyclic } from './cycles.ts'
import { evaluate, type Scope } from './evaluate.ts'
import { type FieldsNode, fieldsNode, KINDS, type Place, type TemplateNode, textNode } from './node.ts'
import { type ParameterValues, parameterValues } from './parameters.ts'
import { PSEUDO_PARAMETERS, pseudoParameter, type World } from './pseudo-parameters.ts'
import { TEMPLATE_LIMITS } from './read.ts'

export interface Resource {
  readonly logicalId: string
  readonly type: string
  readonly place: Place
  /** As written. */
  readonly properties: FieldsNode
  readonly metadata: FieldsNode | undefined
  readonly dependsOn: readonly string[]
  /** Its DeletionPolicy says that it stays when it leaves the template. */
  readonly isKept: boolean
}

/** A value that was put in the place of something that Perdure does not have. */
export interface UsedStandIn {
  readonly place: Place
  /** `Orders` or `Orders.Arn`, or the name of an export. */
  readonly reference: string
  readonly type: string
  readonly value: string
}

export interface TemplateOptions {
  readonly world: World
  readonly parameters: ReadonlyMap<string, string>
  /** Values for what is not deployed: by logical id, `id.attribute`, or the name of an export. */
  readonly standIns: ReadonlyMap<string, string>
}

const SECTIONS = [
  'AWSTemplateFormatVersion',
  'Conditions',
  'Description',
  'Globals',
  'Hooks',
  'Mappings',
  'Metadata',
  'Outputs',
  'Parameters',
  'Resources',
  'Rules',
  'Transform',
] as const

const GLOBALS = [
  'Api',
  'CapacityProvider',
  'Function',
  'HttpApi',
  'LayerVersion',
  'SimpleTable',
  'StateMachine',
  'WebSocketApi',
] as const

const RESOURCE_MEMBERS = [
  'Condition',
  'Connectors',
  'CreationPolicy',
  'DeletionPolicy',
  'DependsOn',
  'IgnoreGlobals',
  'Metadata',
  'Properties',
  'Type',
  'UpdatePolicy',
  'UpdateReplacePolicy',
  'Version',
] as const

/** Characters that no template has a use for. */
const MARK = /\uE000version (\w+)\uE001/

/** Stands for the number of the version that a resource publishes. */
export const versionMark = (logicalId: string): string => `\uE000version ${logicalId}\uE001`

/** A text with the mark in it, if it has one, replaced by a number that is known. */
export const withVersion = (text: string, numberOf: (logicalId: string) => string | undefined): string =>
  text.replace(MARK, (mark, logicalId: string) => numberOf(logicalId) ?? mark)

/** The resource whose version a text names, where it names one. */
export const markedVersion = (text: string): string | undefined => MARK.exec(text)?.[1]

export class Template implements Scope {
  readonly world: World
  readonly globals: FieldsNode | undefined
  readonly mappings: FieldsNode | undefined
  readonly resources: ReadonlyMap<string, Resource>
  /** In the order in which they were needed. */
  readonly standIns: UsedStandIn[] = []
  readonly #given: ReadonlyMap<string, string>
  readonly #parameters: ParameterValues
  readonly #parameterNames: readonly string[]
  readonly #conditions: FieldsNode | undefined
  /** Undefined while it is being found out. */
  readonly #known = new Map<string, boolean | undefined>()
  readonly #names = new Map<string, string>()
  #depth = 0
  /** Resources whose condition is false, by logical id. */
  readonly #absent: ReadonlySet<string>

  constructor(root: FieldsNode, options: TemplateOptions, problems: Problems) {
    this.world = options.world
    this.#given = options.standIns
    for (const [name, { place }] of root.fields) {
      if (SECTIONS.some((each) => each === name) || name.startsWith('Fn::')) continue
      problems.add(place, `a template has no section ${name}`, didYouMean(name, SECTIONS))
    }
    const section = (name: string) => problems.attempt(() => fieldsIn(root, name))
    this.globals = section('Globals')
    for (const [name, { place }] of this.globals?.fields ?? []) {
      if (GLOBALS.some((each) => each === name)) continue
      problems.add(place, `there are no Globals of ${name}`, didYouMean(name, GLOBALS))
    }
    this.mappings = section('Mappings')
    this.#conditions = section('Conditions')
    const parameters = section('Parameters')
    this.#parameterNames = [...(parameters?.fields.keys() ?? [])]
    this.#parameters = parameterValues(parameters, options.parameters, problems)
    const declared = section('Resources')
    if (declared === undefined || declared.fields.size === 0) {
      problems.add(
        root.fields.get('Resources')?.place ?? root.place,
        'the template has no Resources',
        'add a function: an AWS::Serverless::Function or an AWS::Lambda::Function',
      )
    }
    const resources = new Map<string, Resource>()
    const absent = new Set<string>()
    for (const [logicalId, { place, value }] of declared?.fields ?? []) {
      problems.attempt(() => {
        const { resource, condition } = resourceOf(logicalId, place, value)
        if (condition === undefined || this.condition(condition.name, condition.place))
          resources.set(logicalId, resource)
        else absent.add(logicalId)
      })
    }
    this.resources = resources
    this.#absent = absent
    problems.attempt(() => requireAcyclic(resources))
  }

  get region(): string {
    return this.world.region
  }

  /** A value with its functions carried out; undefined for AWS::NoValue. */
  evaluate(node: TemplateNode): TemplateNode | undefined {
    return this.#further(node.place, () => evaluate(node, this))
  }

  /** Names that lead to names that lead to names: as deep as values may be, and no deeper than the stack. */
  #further<Value>(place: Place, follow: () => Value): Value {
    if (this.#depth === TEMPLATE_LIMITS.depth) {
      throw new TemplateProblem(
        place,
        `this leads through more than ${TEMPLATE_LIMITS.depth} other names`,
        'write the value itself',
      )
    }
    this.#depth += 1
    try {
      return follow()
    } finally {
      this.#depth -= 1
    }
  }

  // ------------------------------------------------------------------------------------------------------- the scope

  condition(name: string, place: Place): boolean {
    if (this.#known.has(name)) {
      const known = this.#known.get(name)
      if (known !== undefined) return known
      throw new TemplateProblem(place, `the condition ${name} needs itself`, 'take the circle out of Conditions')
    }
    const declared = this.#conditions?.fields.get(name)
    if (declared === undefined) {
      const names = [...(this.#conditions?.fields.keys() ?? [])]
      throw new TemplateProblem(
        place,
        `there is no condition ${name}`,
        names.length === 0 ? 'define it in Conditions' : didYouMean(name, names),
      )
    }
    this.#known.set(name, undefined)
    try {
      const value = this.#further(place, () => conditionIn(declared.value, this))
      this.#known.set(name, value)
      return value
    } catch (error) {
      this.#known.delete(name)
      throw error
    }
  }

  ref(name: string, place: Place): TemplateNode | undefined {
    if (name === 'AWS::NoValue') return undefined
    const pseudo = pseudoParameter(name, this.world)
    if (typeof pseudo === 'string') return textNode(place, pseudo)
    if (pseudo !== undefined) return { kind: 'list', place, items: pseudo.map((text) => textNode(place, text)) }
    const parameter = this.#parameters.values.get(name)
    if (parameter !== undefined) return { ...parameter, place }
    const failed = this.#parameters.failed.get(name)
    if (failed !== undefined) throw failed
    const dot = name.indexOf('.')
    if (dot > 0) return this.attribute(name.slice(0, dot), name.slice(dot + 1), place)
    const resource = this.#resource(name, place)
    switch (resource?.type) {
      case 'AWS::Serverless::Function':
      case 'AWS::Lambda::Function':
        return textNode(place, this.functionName(resource))
      case 'AWS::Lambda::Version':
        return textNode(place, this.#arnOf(this.#functionOf(resource), versionMark(resource.logicalId)))
      case 'AWS::Lambda::Alias':
        return textNode(place, this.#arnOf(this.#functionOf(resource), this.#property(resource, 'Name') ?? ''))
      case 'AWS::Serverless::LayerVersion':
      case 'AWS::Lambda::LayerVersion':
        return textNode(place, this.#layerArn(resource))
      default:
        return textNode(place, this.#standIn(name, resource, place))
    }
  }

  attribute(logicalId: string, attribute: string, place: Place): TemplateNode {
    const resource = this.#resource(logicalId, place)
    if (resource !== undefined && !this.#given.has(`${logicalId}.${attribute}`)) {
      const value = this.#ownAttribute(resource, attribute)
      if (value !== undefined) return textNode(place, value)
      if (isTaken(resource.type)) {
        throw new TemplateProblem(
          place,
          `${logicalId}, an ${resource.type}, has no attribute ${attribute} here`,
          `give it a value: --stand-in ${logicalId}.${attribute}=<value>`,
        )
      }
    }
    return textNode(place, this.#attributeStandIn(logicalId, attribute, resource, place))
  }

  exported(name: string, place: Place): TemplateNode {
    const value = this.#given.get(name)
    if (value !== undefined) {
      this.standIns.push({ place, reference: name, type: 'Fn::ImportValue', value })
      return textNode(place, value)
    }
    throw new TemplateProblem(
      place,
      `${name} is exported by another stack, and Perdure keeps no exports`,
      `give its value: --stand-in ${name}=<value>`,
    )
  }

  // -------------------------------------------------------------------------------------------------- names of things

  /** As the template gives it, else made of the stack's name and the logical id. */
  functionName(resource: Resource): string {
    const known = this.#names.get(resource.logicalId)
    if (known !== undefined) return known
    const written = this.#property(resource, 'FunctionName')
    // A full ARN is a way to write a name, too.
    const name = written?.slice(written.lastIndexOf(':') + 1) ?? generatedName(this.world.stackName, resource.logicalId)
    this.#names.set(resource.logicalId, name)
    return name
  }

  /** As the template gives it, else made like that of a function. */
  layerName(resource: Resource): string {
    return this.#property(resource, 'LayerName') ?? generatedName(this.world.stackName, resource.logicalId)
  }

  #layerArn(resource: Resource): string {
    return `${layerArn(this.world, this.layerName(resource))}:${versionMark(resource.logicalId)}`
  }

  #arnOf(functionName: string, qualifier?: string): string {
    return functionArn(this.world, functionName, qualifier)
  }

  #ownAttribute(resource: Resource, attribute: string): string | undefined {
    switch (`${resource.type} ${attribute}`) {
      case 'AWS::Serverless::Function Arn':
      case 'AWS::Lambda::Function Arn':
        return this.#arnOf(this.functionName(resource))
      case 'AWS::Serverless::Function Version':
        return this.#arnOf(this.functionName(resource), versionMark(resource.logicalId))
      case 'AWS::Serverless::Function Alias':
        return this.#arnOf(this.functionName(resource), this.#property(resource, 'AutoPublishAlias') ?? '$LATEST')
      case 'AWS::Lambda::LayerVersion LayerVersionArn':
        return this.#layerArn(resource)
      case 'AWS::Lambda::Version Version':
        return versionMark(resource.logicalId)
      case 'AWS::Lambda::Version FunctionArn':
        return this.#arnOf(this.#functionOf(resource), versionMark(resource.logicalId))
      case 'AWS::Lambda::Alias AliasArn':
        return this.#arnOf(this.#functionOf(resource), this.#property(resource, 'Name') ?? '')
      default:
        return undefined
    }
  }

  /** The name in the FunctionName of a version or an alias. */
  #functionOf(resource: Resource): string {
    const reference = this.#property(resource, 'FunctionName') ?? ''
    return functionReference(reference).name
  }

  /** A property that is text, evaluated; undefined when it is not there. */
  #property(resource: Resource, name: string): string | undefined {
    const field = resource.properties.fields.get(name) ?? this.#global(resource, name)
    const value = field && this.evaluate(field.value)
    return value?.kind === 'scalar' && value.value !== null ? value.text : undefined
  }

  #global(resource: Resource, name: string) {
    if (resource.type !== 'AWS::Serverless::Function') return undefined
    const section = this.globals?.fields.get('Function')?.value
    return section?.kind === 'fields' ? section.fields.get(name) : undefined
  }

  // --------------------------------------------------------------------------------------- what is not deployed here

  /** The resource of a reference; undefined for one that SAM makes by itself. */
  #resource(logicalId: string, place: Place): Resource | undefined {
    const resource = this.resources.get(logicalId)
    if (resource !== undefined) return resource
    if (this.#given.has(logicalId) || this.#isImplicit(logicalId)) return undefined
    if (this.#absent.has(logicalId)) {
      throw new TemplateProblem(
        place,
        `${logicalId} is not there: its condition is false`,
        'refer to it only under the same condition, with Fn::If',
      )
    }
    throw new TemplateProblem(
      place,
      `there is no parameter and no resource ${logicalId}`,
      didYouMean(logicalId, [...this.resources.keys(), ...this.#parameterNames, ...PSEUDO_PARAMETERS]),
    )
  }

  /** SAM makes an API for events that name none, and a role for each function. */
  #isImplicit(logicalId: string): boolean {
    if (/^Serverless(Rest|Http)Api(ProdStage)?$/.test(logicalId)) return true
    return logicalId.endsWith('Role') && this.resources.has(logicalId.slice(0, -'Role'.length))
  }

  #standIn(reference: string, resource: Resource | undefined, place: Place): string {
    const type = this.#typeOf(reference, resource)
    const value = this.#given.get(reference) ?? standInFor(type, this.#resourceName(reference, resource), this.world)
    this.standIns.push({ place, reference, type, value })
    return value
  }

  #attributeStandIn(logicalId: string, attribute: string, resource: Resource | undefined, place: Place): string {
    const reference = `${logicalId}.${attribute}`
    const type = this.#typeOf(logicalId, resource)
    const value =
      this.#given.get(reference) ??
      attributeStandIn(type, this.#resourceName(logicalId, resource), attribute, this.world)
    if (value === undefined) {
      throw new TemplateProblem(
        place,
        `${logicalId} is ${type}, which is not deployed, so that its ${attribute} is not known`,
        `give it a value: --stand-in ${reference}=<value>`,
      )
    }
    this.standIns.push({ place, reference, type, value })
    return value
  }

  #typeOf(logicalId: string, resource: Resource | undefined): string {
    if (resource !== undefined) return resource.type
    return logicalId.endsWith('Role') ? 'AWS::IAM::Role' : 'AWS::Serverless::Api'
  }

  #resourceName(logicalId: string, resource: Resource | undefined): string {
    const property = resource && namePropertyOf(resource.type)
    const written = resource && property && this.#property(resource, property)
    return written || `${this.world.stackName}-${logicalId}`
  }
}

/** The longest name that a function may have. */
const MAX_FUNCTION_NAME = 64

/** The same for each deployment: nothing in it is drawn. */
export function generatedName(stackName: string, logicalId: string): string {
  const whole = `${stackName}-${logicalId}`
  if (whole.length <= MAX_FUNCTION_NAME) return whole
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 8)
  return `${whole.slice(0, MAX_FUNCTION_NAME - 1 - hash.length)}-${hash}`
}

/** `orders`, `orders:live`, or an ARN with either. */
export function functionReference(text: string): { readonly name: string; readonly qualifier: string | undefined } {
  const [, afterArn = text] = /(?:^|:)function:(.+)$/s.exec(text) ?? []
  const [name = '', qualifier] = afterArn.split(':')
  return { name, qualifier }
}

// -------------------------------------------------------------------------------------------------------- resources

function fieldsIn(parent: FieldsNode, name: string): FieldsNode | undefined {
  const value = parent.fields.get(name)?.value
  if (value === undefined || (value.kind === 'scalar' && value.value === null)) return undefined
  if (value.kind === 'fields') return value
  throw new TemplateProblem(value.place, `${name} is ${KINDS[value.kind]}`, 'write an object: name: value')
}

function resourceOf(
  logicalId: string,
  place: Place,
  value: TemplateNode,
): { readonly resource: Resource; readonly condition: { readonly name: string; readonly place: Place } | undefined } {
  if (!/^[a-zA-Z0-9]+$/.test(logicalId)) {
    throw new TemplateProblem(place, `${logicalId} is no name of a resource`, 'use letters and digits alone')
  }
  if (value.kind !== 'fields') {
    throw new TemplateProblem(
      value.place,
      `the resource ${logicalId} is ${KINDS[value.kind]}`,
      'give it Type and Properties',
    )
  }
  for (const [name, field] of value.fields) {
    if (RESOURCE_MEMBERS.some((each) => each === name)) continue
    throw new TemplateProblem(
      field.place,
      `a resource has no member ${name}`,
      `${didYouMean(name, RESOURCE_MEMBERS)} What is of the resource itself belongs under Properties`,
    )
  }
  const type = value.fields.get('Type')?.value
  if (type?.kind !== 'scalar' || type.value === null) {
    throw new TemplateProblem(type?.place ?? place, `the resource ${logicalId} has no Type`, 'give it one')
  }
  requireType(type.text, type.place)
  const condition = value.fields.get('Condition')?.value
  return {
    resource: {
      logicalId,
      type: type.text,
      place,
      properties: fieldsIn(value, 'Properties') ?? fieldsNode(place, []),
      metadata: fieldsIn(value, 'Metadata'),
      dependsOn: textsIn(value.fields.get('DependsOn')?.value),
      isKept: textsIn(value.fields.get('DeletionPolicy')?.value).some((policy) => policy.startsWith('Retain')),
    },
    condition: condition?.kind === 'scalar' ? { name: condition.text, place: condition.place } : undefined,
  }
}

function requireType(type: string, place: Place): void {
  const closed = CLOSED_SERVICES.some((service) => type.startsWith(service))
  if (closed ? KNOWN_TYPES.includes(type) : ignoredReason(type) !== undefined) return
  throw new TemplateProblem(place, `there is no type of resource ${type}`, didYouMean(type, KNOWN_TYPES))
}

function textsIn(node: TemplateNode | undefined): readonly string[] {
  if (node?.kind === 'scalar') return [node.text]
  return node?.kind === 'list' ? node.items.flatMap((item) => (item.kind === 'scalar' ? [item.text] : [])) : []
}
