/**
 * A template as the stack that it describes. Pure: text and parameters in, functions out, or all that is wrong with it
 * as `DeployProblems`.
 */
import { BOOLEAN, number, structure, text } from '../protocol/constraints.ts'
import {
  ALIAS_NAME,
  DESCRIPTION,
  DESTINATION_CONFIG,
  EVENT_AGE_SECONDS,
  PERMISSION_ACTION,
  PROVISIONED_CONCURRENCY,
  RETRY_ATTEMPTS,
} from '../protocol/function-constraints.ts'
import type {
  DesiredAlias,
  DesiredEventInvoke,
  DesiredFunction,
  DesiredLayer,
  DesiredPermission,
  DesiredStack,
  DesiredVersion,
  Ignored,
  VersionReference,
} from './desired.ts'
import type { FunctionType } from './function-properties.ts'
import { type FunctionSite, readFunction } from './function-resources.ts'
import { isLayer, type LayerType, readLayer } from './layer-resources.ts'
import { Problems, TemplateProblem } from './problem.ts'
import { ignoredReason, isTaken, type TakenType } from './resource-types.ts'
import { type FieldsNode, type Place, type TemplateNode, textNode } from './template/node.ts'
import { readTemplate } from './template/read.ts'
import { functionReference, markedVersion, type Resource, Template, type TemplateOptions } from './template/template.ts'
import { readValue } from './values.ts'

export interface TemplateSource extends TemplateOptions {
  readonly text: string
  /** As people are to read it. */
  readonly file: string
  /** Absolute; paths in the template are relative to it. */
  readonly folder: string
  readonly assetOf?: (key: string) => string | undefined
}

/** Throws `DeployProblems`. */
export function readStack(source: TemplateSource): DesiredStack {
  const problems = new Problems()
  const root = problems.attempt(() => readTemplate(source.text, source.file))
  const template = root && new Template(root, source, problems)
  if (template === undefined) {
    problems.throwIfAny()
    throw new Error('A template that cannot be read has a problem')
  }
  const ignored: Ignored[] = []
  const { folder, assetOf = () => undefined } = source
  const site: FunctionSite = { template, folder, assetOf, problems, ignored }
  const functions = new Map<string, Parts>()
  const resources = [...template.resources.values()]
  const layers: DesiredLayer[] = []
  for (const resource of resources) {
    const { type } = resource
    if (isLayer(type)) {
      const layer = problems.attempt(() => readLayer(resource, type, site))
      if (layer !== undefined) layers.push(layer)
    }
    if (type !== 'AWS::Serverless::Function' && type !== 'AWS::Lambda::Function') continue
    const read = problems.attempt(() => readFunction(resource, type, site))
    if (read === undefined) continue
    const twin = functions.get(read.name)
    if (twin !== undefined) {
      problems.add(read.place, `${twin.of.logicalId} has the name ${read.name} too`, 'give one of them another name')
    }
    functions.set(read.name, { of: read, versions: [], aliases: [...read.aliases], eventInvoke: [], permissions: [] })
  }
  for (const resource of resources) problems.attempt(() => readPart(resource, functions, site))
  for (const parts of functions.values()) requireOwnVersions(parts, problems)
  problems.throwIfAny()
  return {
    name: template.world.stackName,
    layers,
    functions: [...functions.values()].map(({ of, ...parts }) => ({
      ...of,
      ...parts,
      eventInvoke: [...of.eventInvoke, ...parts.eventInvoke],
    })),
    ignored,
    standIns: template.standIns,
  }
}

/** A function, and what other resources add to it. */
interface Parts {
  readonly of: DesiredFunction
  readonly versions: DesiredVersion[]
  readonly aliases: DesiredAlias[]
  readonly eventInvoke: DesiredEventInvoke[]
  readonly permissions: DesiredPermission[]
}

/** What points to a version points to one of its own function. */
function requireOwnVersions({ of, versions, aliases, eventInvoke, permissions }: Parts, problems: Problems): void {
  const references = [
    ...aliases.flatMap(({ version, other }) => [version, other?.version]),
    ...[...eventInvoke, ...permissions].map(({ qualifier }) => (typeof qualifier === 'object' ? qualifier : undefined)),
  ]
  for (const reference of references) {
    if (reference?.kind !== 'published' || versions.some(({ logicalId }) => logicalId === reference.logicalId)) continue
    problems.add(
      of.place,
      `something of the function ${of.logicalId} points to ${reference.logicalId}, which is no AWS::Lambda::Version of it`,
      'point to a version of the same function',
    )
  }
}

type ReadPart = (resource: Resource, functions: ReadonlyMap<string, Parts>, site: FunctionSite) => void

/** Functions and layers were read before. */
const PARTS: Readonly<Record<Exclude<TakenType, FunctionType | LayerType>, ReadPart>> = {
  'AWS::Lambda::Version': readVersion,
  'AWS::Lambda::Alias': readAlias,
  'AWS::Lambda::EventInvokeConfig': readEventInvoke,
  'AWS::Lambda::Permission': readPermission,
}

function readPart(resource: Resource, functions: ReadonlyMap<string, Parts>, site: FunctionSite): void {
  const { type, logicalId, place } = resource
  if (!isTaken(type)) {
    site.ignored.push({ place, what: logicalId, type, reason: ignoredReason(type) ?? '' })
  } else if (!isLayer(type) && type !== 'AWS::Serverless::Function' && type !== 'AWS::Lambda::Function') {
    PARTS[type](resource, functions, site)
  }
}

// -------------------------------------------------------------------------------------- versions and what is of them

/** Evaluated, with each name checked against the structure when it is read. */
function evaluated({ properties }: Resource, { template }: FunctionSite): FieldsNode {
  const value = template.evaluate(properties)
  if (value?.kind === 'fields') return value
  throw new TemplateProblem(properties.place, 'the properties are not an object', 'write name: value for each')
}

/** The function of this template that a reference is to, with the qualifier in it. */
function functionOf(
  node: TemplateNode | undefined,
  resource: Resource,
  functions: ReadonlyMap<string, Parts>,
): { readonly parts: Parts | undefined; readonly qualifier: string | undefined } {
  if (node?.kind !== 'scalar') {
    throw new TemplateProblem(resource.place, `${resource.logicalId} has no FunctionName`, 'refer to a function')
  }
  const { name, qualifier } = functionReference(node.text)
  return { parts: functions.get(name), qualifier }
}

/** Of a function that is not in this template; one that has problems is told by these. */
function foreign({ logicalId, type }: Resource, place: Place, { template, ignored }: FunctionSite, name: string): void {
  const broken = [...template.resources.values()].some(
    (each) => each.type.endsWith('::Function') && template.functionName(each) === name,
  )
  if (broken) return
  // Nothing is lost with a permission that nobody checks.
  if (type === 'AWS::Lambda::Permission') {
    ignored.push({ place, what: logicalId, type, reason: 'of a function that this template does not have' })
    return
  }
  throw new TemplateProblem(
    place,
    `${logicalId} is of the function ${name}, which this template does not have`,
    'put it into the template of that function',
  )
}

interface PartOf {
  readonly parts: Parts
  readonly qualifier: string | undefined
  /** Without FunctionName, so that marks in it are nobody's trouble. */
  readonly rest: FieldsNode
}

function partOf(resource: Resource, functions: ReadonlyMap<string, Parts>, site: FunctionSite): PartOf | undefined {
  const properties = evaluated(resource, site)
  const field = properties.fields.get('FunctionName')
  const { parts, qualifier } = functionOf(field?.value, resource, functions)
  if (parts === undefined) {
    const node = field?.value
    if (node?.kind === 'scalar') foreign(resource, node.place, site, functionReference(node.text).name)
    return undefined
  }
  const fields = new Map(properties.fields)
  fields.set('FunctionName', { place: resource.place, value: textNode(resource.place, parts.of.name) })
  return { parts, qualifier, rest: { ...properties, fields } }
}

/** What a text in a template means as a version; undefined for the name of an alias. */
function versionReference(given: string): VersionReference | undefined {
  const logicalId = markedVersion(given)
  if (logicalId !== undefined) return { kind: 'published', logicalId }
  return given === '$LATEST' || /^\d+$/.test(given) ? { kind: 'number', version: given } : undefined
}

function requiredVersion(node: TemplateNode | undefined, resource: Resource): VersionReference {
  const reference = node?.kind === 'scalar' ? versionReference(node.text) : undefined
  if (reference !== undefined) return reference
  throw new TemplateProblem(
    node?.place ?? resource.place,
    `${resource.logicalId} points to no version`,
    'give FunctionVersion the Version of an AWS::Lambda::Version, a number, or $LATEST',
  )
}

/** The same fields with one taken out, which is read otherwise. */
function without(node: FieldsNode, ...names: readonly string[]): FieldsNode {
  return { ...node, fields: new Map([...node.fields].filter(([name]) => !names.includes(name))) }
}

const FUNCTION_NAME = { constraint: text(1, 300), required: true } as const
const PROVISIONED = structure({
  ProvisionedConcurrentExecutions: { constraint: PROVISIONED_CONCURRENCY, required: true },
})

const VERSION = structure({
  FunctionName: FUNCTION_NAME,
  Description: { constraint: DESCRIPTION },
  CodeSha256: { constraint: text(0, 100) },
})
/** Of a version they are told to be ignored: processes are kept ready for an alias. */
const VERSION_IGNORED = {
  ProvisionedConcurrencyConfig: 'give it to an alias',
  RuntimePolicy: 'functions run on the runtimes of the machine',
  FunctionScalingConfig: 'functions run on the machine of the server',
} as const

function readVersion(resource: Resource, functions: ReadonlyMap<string, Parts>, site: FunctionSite): void {
  const part = partOf(resource, functions, site)
  if (part === undefined) return
  for (const [name, reason] of Object.entries(VERSION_IGNORED)) {
    const field = part.rest.fields.get(name)
    if (field === undefined) continue
    site.ignored.push({ place: field.place, what: `${resource.logicalId}.${name}`, type: name, reason })
  }
  const read = readValue(VERSION, without(part.rest, ...Object.keys(VERSION_IGNORED)), resource.logicalId)
  part.parts.versions.push({ logicalId: resource.logicalId, description: read.description })
}

const ALIAS = structure({
  FunctionName: FUNCTION_NAME,
  Name: { constraint: ALIAS_NAME, required: true },
  Description: { constraint: DESCRIPTION },
  ProvisionedConcurrencyConfig: { constraint: PROVISIONED },
})
const WEIGHT = structure({ FunctionWeight: { constraint: number(0, 1), required: true } })

function readAlias(resource: Resource, functions: ReadonlyMap<string, Parts>, site: FunctionSite): void {
  const part = partOf(resource, functions, site)
  if (part === undefined) return
  const { parts, rest } = part
  const read = readValue(ALIAS, without(rest, 'FunctionVersion', 'RoutingConfig'), resource.logicalId)
  const alias: DesiredAlias = {
    logicalId: resource.logicalId,
    name: read.name,
    version: requiredVersion(rest.fields.get('FunctionVersion')?.value, resource),
    description: read.description ?? '',
    other: otherVersion(rest.fields.get('RoutingConfig')?.value, resource),
    provisionedConcurrency: read.provisionedConcurrencyConfig?.provisionedConcurrentExecutions,
  }
  if (parts.aliases.some(({ name }) => name === alias.name)) {
    throw new TemplateProblem(resource.place, `the function has an alias ${alias.name} already`, 'give it another name')
  }
  parts.aliases.push(alias)
}

/** `{ AdditionalVersionWeights: [{ FunctionVersion, FunctionWeight }] }`, of which there may be one. */
function otherVersion(node: TemplateNode | undefined, resource: Resource): DesiredAlias['other'] {
  if (node === undefined) return undefined
  const weights = node.kind === 'fields' ? node.fields.get('AdditionalVersionWeights')?.value : undefined
  if (weights?.kind !== 'list') {
    throw new TemplateProblem(node.place, 'RoutingConfig has no list AdditionalVersionWeights', 'give it one')
  }
  const [first, second] = weights.items
  if (second !== undefined) {
    throw new TemplateProblem(second.place, 'an alias points to two versions at most', 'leave one of them out')
  }
  if (first === undefined) return undefined
  if (first.kind !== 'fields')
    throw new TemplateProblem(first.place, 'this is no weight of a version', 'give an object')
  const { functionWeight } = readValue(WEIGHT, without(first, 'FunctionVersion'), 'AdditionalVersionWeights')
  return { version: requiredVersion(first.fields.get('FunctionVersion')?.value, resource), weight: functionWeight }
}

const EVENT_INVOKE = structure({
  FunctionName: FUNCTION_NAME,
  Qualifier: { constraint: text(1, 128), required: true },
  MaximumRetryAttempts: { constraint: RETRY_ATTEMPTS },
  MaximumEventAgeInSeconds: { constraint: EVENT_AGE_SECONDS },
  DestinationConfig: { constraint: DESTINATION_CONFIG },
})

function readEventInvoke(resource: Resource, functions: ReadonlyMap<string, Parts>, site: FunctionSite): void {
  const part = partOf(resource, functions, site)
  if (part === undefined) return
  const qualifier = part.rest.fields.get('Qualifier')
  const given = qualifier?.value.kind === 'scalar' ? qualifier.value.text : '$LATEST'
  const fields = new Map(part.rest.fields)
  fields.set('Qualifier', { place: resource.place, value: textNode(resource.place, 'read') })
  const read = readValue(EVENT_INVOKE, { ...part.rest, fields }, resource.logicalId)
  part.parts.eventInvoke.push({
    qualifier: qualifierOf(given),
    maximumRetryAttempts: read.maximumRetryAttempts,
    maximumEventAgeInSeconds: read.maximumEventAgeInSeconds,
    onSuccess: read.destinationConfig?.onSuccess?.destination,
    onFailure: read.destinationConfig?.onFailure?.destination,
  })
}

/** `$LATEST` and aliases by their names, versions as references. */
function qualifierOf(given: string): string | VersionReference {
  return given === '$LATEST' ? given : (versionReference(given) ?? given)
}

const PERMISSION = structure({
  FunctionName: FUNCTION_NAME,
  Action: { constraint: PERMISSION_ACTION, required: true },
  Principal: { constraint: text(1, 256), required: true },
  SourceArn: { constraint: text(0, 10_000) },
  SourceAccount: { constraint: text(0, 12) },
  EventSourceToken: { constraint: text(0, 256) },
  PrincipalOrgID: { constraint: text(12, 34) },
  FunctionUrlAuthType: { constraint: text(0, 32) },
  InvokedViaFunctionUrl: { constraint: BOOLEAN },
})

function readPermission(resource: Resource, functions: ReadonlyMap<string, Parts>, site: FunctionSite): void {
  const part = partOf(resource, functions, site)
  if (part === undefined) return
  const { functionName: _name, ...statement } = readValue(PERMISSION, part.rest, resource.logicalId)
  part.parts.permissions.push({
    logicalId: resource.logicalId,
    qualifier: part.qualifier === undefined ? undefined : qualifierOf(part.qualifier),
    statement,
  })
}
