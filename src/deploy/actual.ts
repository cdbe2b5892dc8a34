/** What a server has of a stack, read from the server itself. */
import type { PerdureClient } from '../client/client.ts'
import { ProvisionedConcurrencyConfigNotFoundException, ResourceNotFoundException } from '../client/errors.ts'
import type { AliasConfiguration, EventInvokeConfig, FunctionConfiguration } from '../client/responses.ts'
import type { DesiredLayer, DesiredStack } from './desired.ts'
import { ownAliases, STACK_TAG, type Tags } from './tags.ts'

export interface ActualFunction {
  readonly name: string
  readonly arn: string
  readonly tags: Tags
  readonly latest: FunctionConfiguration
  /** In the order of their numbers. */
  readonly published: readonly FunctionConfiguration[]
  readonly aliases: readonly AliasConfiguration[]
  readonly reservedConcurrency: number | undefined
  readonly recursiveLoop: string
  /** By qualifier. */
  readonly eventInvoke: ReadonlyMap<string, EventInvokeConfig>
  /** By alias. */
  readonly provisioned: ReadonlyMap<string, number>
  /** The ids of the statements, by qualifier; `$LATEST` for the function itself. */
  readonly permissions: ReadonlyMap<string, readonly string[]>
  /** How many executions lose the function, if it is deleted; of one that is wanted nobody asks. */
  readonly runningExecutions: number
}

export interface ActualLayer {
  readonly arn: string
  readonly version: string
  readonly sha256: string
  readonly members: DesiredLayer['members']
}

export interface ActualStack {
  /** The newest version of each layer that is wanted and there, by name. */
  readonly layers: ReadonlyMap<string, ActualLayer>
  /** By name: those of the stack, and those of others that have a name which the stack wants. */
  readonly functions: ReadonlyMap<string, ActualFunction>
}

/** How many functions are asked about at a time. */
const AT_A_TIME = 8

export async function readActual(
  client: PerdureClient,
  stackName: string,
  wanted: Pick<DesiredStack, 'functions' | 'layers'>,
): Promise<ActualStack> {
  const names = new Set(wanted.functions.map(({ name }) => name))
  const listed: FunctionConfiguration[] = []
  for await (const each of client.functions()) listed.push(each)
  const read = await mapAtATime(listed, async (each) => {
    const { functionName, functionArn } = each
    const { tags } = await client.listTags({ resource: functionArn })
    if (tags[STACK_TAG] === stackName) return await readFunction(client, functionName, tags, !names.has(functionName))
    return names.has(functionName) ? foreignFunction(each, tags) : undefined
  })
  const layers = await mapAtATime(wanted.layers, ({ name }) => newestLayer(client, name))
  return {
    functions: new Map(read.flatMap((each) => (each === undefined ? [] : [[each.name, each]]))),
    layers: new Map(layers.flatMap((each) => (each === undefined ? [] : [each]))),
  }
}

async function newestLayer(
  client: PerdureClient,
  layerName: string,
): Promise<readonly [string, ActualLayer] | undefined> {
  const page = await orUndefined(client.listLayerVersions({ layerName, maxItems: 1 }), ResourceNotFoundException)
  const [newest] = page?.layerVersions ?? []
  if (newest === undefined) return undefined
  const { content } = await client.getLayerVersion({ layerName, versionNumber: newest.version })
  const { layerVersionArn: arn, description = '', compatibleRuntimes, compatibleArchitectures, licenseInfo } = newest
  // What the server says of it is of what it took.
  const members = { description, compatibleRuntimes, compatibleArchitectures, licenseInfo } as ActualLayer['members']
  return [layerName, { arn, version: String(newest.version), sha256: content.codeSha256, members }]
}

/** Of another owner, who may be the server itself, with a function that it declares: that it is there is all that counts. */
const foreignFunction = (latest: FunctionConfiguration, tags: Tags): ActualFunction => ({
  name: latest.functionName,
  arn: latest.functionArn,
  tags,
  latest,
  published: [],
  aliases: [],
  reservedConcurrency: undefined,
  recursiveLoop: 'Terminate',
  eventInvoke: new Map(),
  provisioned: new Map(),
  permissions: new Map(),
  runningExecutions: 0,
})

async function readFunction(
  client: PerdureClient,
  functionName: string,
  tags: Tags,
  isToGo: boolean,
): Promise<ActualFunction> {
  const { configuration, concurrency } = await client.getFunction({ functionName })
  const versions: FunctionConfiguration[] = []
  for await (const each of client.versions({ functionName })) versions.push(each)
  const aliases: AliasConfiguration[] = []
  for await (const each of client.aliases({ functionName })) aliases.push(each)
  const { recursiveLoop } = await client.getFunctionRecursionConfig({ functionName })
  const own = new Set(ownAliases(tags))
  const qualifiers = aliases.map(({ name }) => name)
  return {
    name: functionName,
    arn: configuration.functionArn,
    tags,
    latest: configuration,
    published: versions.filter(({ version }) => version !== '$LATEST'),
    aliases,
    reservedConcurrency: concurrency?.reservedConcurrentExecutions,
    recursiveLoop,
    eventInvoke: await eventInvokeOf(client, functionName),
    provisioned: await provisionedOf(client, functionName, qualifiers),
    runningExecutions: isToGo && configuration.durableConfig ? await runningOf(client, functionName) : 0,
    permissions: await permissionsOf(client, functionName, [
      '$LATEST',
      ...qualifiers.filter((name) => own.has(name)),
      ...versions.map(({ version }) => version).filter((version) => version !== '$LATEST'),
    ]),
  }
}

async function runningOf(client: PerdureClient, functionName: string): Promise<number> {
  let count = 0
  for await (const _execution of client.executions({ functionName, statuses: ['RUNNING'] })) count += 1
  return count
}

async function eventInvokeOf(client: PerdureClient, functionName: string) {
  const configs = new Map<string, EventInvokeConfig>()
  let marker: string | undefined
  do {
    const page = await client.listFunctionEventInvokeConfigs({ functionName, marker })
    for (const each of page.functionEventInvokeConfigs) configs.set(qualifierIn(each.functionArn), each)
    marker = page.nextMarker || undefined
  } while (marker !== undefined)
  return configs
}

const qualifierIn = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1)

async function provisionedOf(client: PerdureClient, functionName: string, qualifiers: readonly string[]) {
  const found = new Map<string, number>()
  for (const qualifier of qualifiers) {
    const config = await orUndefined(
      client.getProvisionedConcurrencyConfig({ functionName, qualifier }),
      ProvisionedConcurrencyConfigNotFoundException,
    )
    const requested = config?.requestedProvisionedConcurrentExecutions
    if (requested !== undefined) found.set(qualifier, requested)
  }
  return found
}

async function permissionsOf(client: PerdureClient, functionName: string, qualifiers: readonly string[]) {
  const found = new Map<string, readonly string[]>()
  for (const qualifier of qualifiers) {
    const answer = await orUndefined(
      client.getPolicy({ functionName, ...(qualifier !== '$LATEST' && { qualifier }) }),
      ResourceNotFoundException,
    )
    if (answer !== undefined) found.set(qualifier, statementIds(answer.policy))
  }
  return found
}

const statementIds = (policy: string): readonly string[] =>
  (JSON.parse(policy) as { readonly Statement: readonly { readonly Sid: string }[] }).Statement.map(({ Sid }) => Sid)

/** What is not there is no error here. */
async function orUndefined<Value>(
  call: Promise<Value>,
  Absent: abstract new (...args: never[]) => Error,
): Promise<Value | undefined> {
  try {
    return await call
  } catch (error) {
    if (error instanceof Absent) return undefined
    throw error
  }
}

async function mapAtATime<Item, Result>(
  items: readonly Item[],
  map: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = []
  for (let index = 0; index < items.length; index += AT_A_TIME) {
    results.push(...(await Promise.all(items.slice(index, index + AT_A_TIME).map(map))))
  }
  return results
}
