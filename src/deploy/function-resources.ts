/** AWS::Serverless::Function and AWS::Lambda::Function, read to the functions that they are. */
import { oneOf, structure, text } from '../protocol/constraints.ts'
import {
  ALIAS_NAME,
  DESCRIPTION,
  DESTINATION_CONFIG,
  EVENT_AGE_SECONDS,
  PROVISIONED_CONCURRENCY,
  RETRY_ATTEMPTS,
  TAGS,
} from '../protocol/function-constraints.ts'
import type { Configuration, DesiredAlias, DesiredEventInvoke, DesiredFunction, Ignored } from './desired.ts'
import { FUNCTION_CONSTRAINTS, FUNCTION_PROPERTIES, type FunctionType, propertyNames } from './function-properties.ts'
import { packageSource } from './package-source.ts'
import { didYouMean, type Problems, TemplateProblem } from './problem.ts'
import { isOwnTag, type Tags } from './tags.ts'
import { plainText } from './template/evaluate.ts'
import { type Field, type FieldsNode, KINDS, type TemplateNode } from './template/node.ts'
import type { Resource, Template } from './template/template.ts'
import { readValue } from './values.ts'

export interface FunctionSite {
  readonly template: Template
  /** The folder that paths of the template are relative to. */
  readonly folder: string
  /** The folder or file of an object in S3 that is at hand here (CDK's assets), by its key. */
  readonly assetOf: (key: string) => string | undefined
  readonly problems: Problems
  readonly ignored: Ignored[]
}

/** Undefined when it has problems. */
export function readFunction(resource: Resource, type: FunctionType, site: FunctionSite): DesiredFunction | undefined {
  const { template, problems, ignored } = site
  const properties = evaluatedProperties(resource, type, site)
  const { logicalId, place } = resource
  let configuration: Configuration = {}
  for (const [name, { value }] of properties) {
    const { configure } = FUNCTION_PROPERTIES[name] ?? {}
    const members = configure && problems.attempt(() => configure(value))
    if (members !== undefined) configuration = { ...configuration, ...members }
  }
  const property = <Value>(name: string, read: (node: TemplateNode) => Value): Value | undefined => {
    const field = properties.get(name)
    return field && problems.attempt(() => read(field.value))
  }

  // What is said of an image is enough.
  const isImage = ['PackageType', 'ImageUri'].some((name) => resource.properties.fields.has(name))
  const runtime = configuration.runtime ?? missing('Runtime')
  const handler = configuration.handler ?? missing('Handler')
  function missing(name: 'Runtime' | 'Handler'): undefined {
    if (!properties.has(name) && !isImage)
      problems.add(place, `the function ${logicalId} has no ${name}`, 'give it one')
  }
  property('PackageType', (node) => {
    if (readValue(oneOf(['Zip', 'Image']), node, 'PackageType') === 'Zip') return
    throw new TemplateProblem(node.place, 'container images are not run by Perdure', 'deploy a zip package')
  })

  const layers = property('Layers', (node) => readLayers(node, resource, site))
  const deadLetter = property('DeadLetterQueue', (node) =>
    readValue(
      structure({ Type: { constraint: text(0, 10) }, TargetArn: { constraint: text(0, 2048), required: true } }),
      node,
      'DeadLetterQueue',
    ),
  )
  const aliases = property('AutoPublishAlias', (node) => publishedAlias(node, resource, property)) ?? []
  const eventInvoke = property('EventInvokeConfig', (node) =>
    serverlessEventInvoke(node, aliases[0]?.name ?? '$LATEST', resource, ignored),
  )
  if (aliases.length === 0) {
    const field = properties.get('ProvisionedConcurrencyConfig')
    if (field !== undefined) {
      problems.add(field.place, 'processes are kept ready for a version, and none is published', 'add AutoPublishAlias')
    }
  }
  const name = problems.attempt(() => functionName(resource, template))
  const source = problems.attempt(() => packageSource({ resource, type, properties, runtime, site }))
  const architectures = property('Architectures', (node) =>
    readValue(FUNCTION_CONSTRAINTS.Architectures, node, 'Architectures'),
  )
  const tenancy = property('TenancyConfig', (node) =>
    readValue(FUNCTION_CONSTRAINTS.TenancyConfig, node, 'TenancyConfig'),
  )
  const durable = configuration.durableConfig
  if (durable !== undefined && durable.executionTimeout === undefined) {
    problems.add(
      properties.get('DurableConfig')?.value.place,
      'DurableConfig has no ExecutionTimeout',
      'say for how many seconds an execution may run',
    )
  }
  if (name === undefined || source === undefined || runtime === undefined || handler === undefined) return undefined
  return {
    logicalId,
    place,
    name,
    configuration: {
      ...configuration,
      runtime,
      handler,
      role: configuration.role ?? defaultRole(template),
      ...(layers !== undefined && { layers }),
      ...(deadLetter !== undefined && { deadLetterConfig: { targetArn: deadLetter.targetArn } }),
    },
    architecture: architectures?.[0],
    perTenant: tenancy !== undefined,
    isKept: resource.isKept,
    tags: property('Tags', readTags) ?? {},
    source,
    reservedConcurrency: property('ReservedConcurrentExecutions', (node) =>
      readValue(FUNCTION_CONSTRAINTS.ReservedConcurrentExecutions, node, 'ReservedConcurrentExecutions'),
    ),
    recursiveLoop: property('RecursiveLoop', (node) =>
      readValue(FUNCTION_CONSTRAINTS.RecursiveLoop, node, 'RecursiveLoop'),
    ),
    versions: [],
    aliases,
    eventInvoke: eventInvoke === undefined ? [] : [eventInvoke],
    permissions: [],
  }
}

/** ARNs of this account's layers; their numbers may be marks. Those of other accounts are not here. */
function readLayers(
  node: TemplateNode,
  { logicalId }: Resource,
  { template, ignored }: FunctionSite,
): readonly string[] {
  if (node.kind !== 'list') throw new TemplateProblem(node.place, `Layers is ${KINDS[node.kind]}`, 'give it a list')
  return node.items.flatMap((item) => {
    const arn = plainText(item, 'Layers')
    if (arn.includes(`:${template.world.account}:layer:`)) return [arn]
    const reason = 'a layer of another account: put what the function needs of it into the package'
    ignored.push({ place: item.place, what: `${logicalId}.Layers`, type: arn, reason })
    return []
  })
}

/** Nobody looks at it; a function has to have one. */
const defaultRole = ({ world }: Template): string => `arn:${world.partition}:iam::${world.account}:role/perdure`

const MAX_NAME_LENGTH = 64

function functionName(resource: Resource, template: Template): string {
  const name = template.functionName(resource)
  if (/^[a-zA-Z0-9-_]+$/.test(name) && name.length <= MAX_NAME_LENGTH) return name
  throw new TemplateProblem(
    resource.properties.fields.get('FunctionName')?.value.place ?? resource.place,
    `"${name}" is no name of a function`,
    `use letters, digits, - and _, at most ${MAX_NAME_LENGTH}`,
  )
}

// ------------------------------------------------------------------------------------------------------- properties

/** With the globals, evaluated; those that are ignored are told and left out. */
function evaluatedProperties(
  resource: Resource,
  type: FunctionType,
  { template, problems, ignored }: FunctionSite,
): ReadonlyMap<string, Field> {
  const known = propertyNames(type)
  const evaluated = new Map<string, Field>()
  for (const [name, field] of withGlobals(resource, type, template)) {
    const row = known.includes(name) ? FUNCTION_PROPERTIES[name] : undefined
    if (row === undefined) {
      problems.add(field.place, `a function of type ${type} has no property ${name}`, didYouMean(name, known))
    } else if (row.refused !== undefined) {
      problems.add(field.place, `${name} is not taken by Perdure`, row.refused)
    } else if (row.ignored !== undefined) {
      ignored.push(...ignoredParts(resource, name, field, row.ignored))
    } else {
      const value = problems.attempt(() => template.evaluate(field.value))
      if (value !== undefined) evaluated.set(name, { place: field.place, value })
    }
  }
  return evaluated
}

/** Each event is told by itself. */
function ignoredParts({ logicalId }: Resource, name: string, field: Field, reason: string): readonly Ignored[] {
  if (name !== 'Events' || field.value.kind !== 'fields') {
    return [{ place: field.place, what: `${logicalId}.${name}`, type: name, reason }]
  }
  return [...field.value.fields].map(([event, { place, value }]) => {
    const type = value.kind === 'fields' ? value.fields.get('Type')?.value : undefined
    const kind = type?.kind === 'scalar' ? type.text : 'Event'
    return { place, what: `${logicalId}.Events.${event}`, type: kind, reason: eventReason(kind, reason) }
  })
}

const eventReason = (kind: string, reason: string): string =>
  kind.startsWith('Schedule') ? 'let cron or a timer of yours call it: perdure invoke <function> --event' : reason

/** As SAM has them: objects are merged, lists are put behind each other, anything else is replaced. */
function withGlobals(resource: Resource, type: FunctionType, { globals }: Template): ReadonlyMap<string, Field> {
  const own = resource.properties.fields
  const section = type === 'AWS::Serverless::Function' ? globals?.fields.get('Function')?.value : undefined
  if (section === undefined) return own
  if (section.kind !== 'fields') {
    throw new TemplateProblem(section.place, `Globals.Function is ${KINDS[section.kind]}`, 'write an object')
  }
  const merged = new Map(section.fields)
  for (const [name, field] of own) {
    const global = merged.get(name)
    merged.set(
      name,
      global === undefined ? field : { place: field.place, value: mergedValue(global.value, field.value) },
    )
  }
  return merged
}

function mergedValue(global: TemplateNode, own: TemplateNode): TemplateNode {
  if (global.kind === 'list' && own.kind === 'list') return { ...own, items: [...global.items, ...own.items] }
  if (global.kind !== 'fields' || own.kind !== 'fields' || isCall(global) || isCall(own)) return own
  const fields = new Map(global.fields)
  for (const [name, field] of own.fields) {
    const before = fields.get(name)
    fields.set(
      name,
      before === undefined ? field : { place: field.place, value: mergedValue(before.value, field.value) },
    )
  }
  return { ...own, fields }
}

const isCall = ({ fields }: FieldsNode): boolean =>
  [...fields.keys()].some((name) => name === 'Ref' || name.startsWith('Fn::'))

/** What the stack remembers in tags is not the template's to say: an alias made by hand would be taken for the stack's. */
function readTags(node: TemplateNode): Tags {
  const tags = writtenTags(node)
  const own = Object.keys(tags).find(isOwnTag)
  if (own === undefined) return tags
  throw new TemplateProblem(node.place, `the tag ${own} is one that "perdure deploy" sets itself`, 'leave it out')
}

/** SAM has an object, CloudFormation a list of keys and values. */
function writtenTags(node: TemplateNode): Tags {
  if (node.kind === 'fields') return readValue(TAGS, node, 'Tags')
  if (node.kind !== 'list') throw new TemplateProblem(node.place, `Tags is ${KINDS[node.kind]}`, 'give it a list')
  const row = structure({
    Key: { constraint: TAGS.key, required: true },
    Value: { constraint: TAGS.of, required: true },
  })
  return Object.fromEntries(
    node.items.map((item, index) => {
      const { key, value } = readValue(row, item, `Tags[${index}]`)
      return [key, value]
    }),
  )
}

// ---------------------------------------------------------------------------------- what SAM makes beside a function

type Property = <Value>(name: string, read: (node: TemplateNode) => Value) => Value | undefined

function publishedAlias(node: TemplateNode, { logicalId }: Resource, property: Property): readonly DesiredAlias[] {
  const constraint = structure({
    ProvisionedConcurrentExecutions: { constraint: PROVISIONED_CONCURRENCY, required: true },
  })
  const provisioned = property('ProvisionedConcurrencyConfig', (value) =>
    readValue(constraint, value, 'ProvisionedConcurrencyConfig'),
  )
  const description = property('VersionDescription', (value) => readValue(DESCRIPTION, value, 'VersionDescription'))
  return [
    {
      logicalId: `${logicalId}.Alias`,
      name: readValue(ALIAS_NAME, node, 'AutoPublishAlias'),
      version: { kind: 'current' },
      description: description ?? '',
      other: undefined,
      provisionedConcurrency: provisioned?.provisionedConcurrentExecutions,
    },
  ]
}

const SERVERLESS_DESTINATION = structure({
  Type: { constraint: oneOf(['SQS', 'SNS', 'Lambda', 'EventBridge', 'S3', 'S3Bucket']) },
  Destination: DESTINATION_CONFIG.members.OnFailure.constraint.members.Destination,
})
const SERVERLESS_EVENT_INVOKE = structure({
  MaximumRetryAttempts: { constraint: RETRY_ATTEMPTS },
  MaximumEventAgeInSeconds: { constraint: EVENT_AGE_SECONDS },
  DestinationConfig: {
    constraint: structure({
      OnSuccess: { constraint: SERVERLESS_DESTINATION },
      OnFailure: { constraint: SERVERLESS_DESTINATION },
    }),
  },
})

function serverlessEventInvoke(
  node: TemplateNode,
  qualifier: string,
  { logicalId }: Resource,
  ignored: Ignored[],
): DesiredEventInvoke {
  const read = readValue(SERVERLESS_EVENT_INVOKE, node, 'EventInvokeConfig')
  for (const [name, to] of Object.entries(read.destinationConfig ?? {})) {
    if (to?.type === undefined || to.destination !== undefined) continue
    const what = `${logicalId}.EventInvokeConfig.${name}`
    ignored.push({
      place: node.place,
      what,
      type: to.type,
      reason: 'SAM would make one: name a Destination that is there',
    })
  }
  return {
    qualifier,
    maximumRetryAttempts: read.maximumRetryAttempts,
    maximumEventAgeInSeconds: read.maximumEventAgeInSeconds,
    onSuccess: read.destinationConfig?.onSuccess?.destination,
    onFailure: read.destinationConfig?.onFailure?.destination,
  }
}
