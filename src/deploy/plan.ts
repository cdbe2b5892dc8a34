/**
 * What has to be done so that a server has a stack as it is to be. Pure: the wanted, the present and the packages in;
 * steps out, each of which may be repeated. A function for which nothing has to be done has no steps.
 */
import { createHash } from 'node:crypto'
import type { MembersOf } from '../client/requests.ts'
import type { AliasConfiguration, EventInvokeConfig } from '../client/responses.ts'
import type { ActualFunction, ActualLayer, ActualStack } from './actual.ts'
import { canonical, differences, present, wanted } from './configuration.ts'
import type {
  Configuration,
  DesiredAlias,
  DesiredEventInvoke,
  DesiredFunction,
  DesiredLayer,
  DesiredPermission,
  DesiredStack,
  Ignored,
  VersionReference,
} from './desired.ts'
import type { Problem } from './problem.ts'
import {
  aliasTag,
  isOwnTag,
  KEPT_TAG,
  LOGICAL_ID_TAG,
  ownAliases,
  publishedFor,
  STACK_TAG,
  type Tags,
  versionTag,
} from './tags.ts'
import { type UsedStandIn, withVersion } from './template/template.ts'

/** One call, but for the numbers of versions that earlier ones publish. */
export type Step =
  | { readonly do: 'create'; readonly members: Omit<MembersOf<'CreateFunction'>, 'functionName' | 'code'> }
  | { readonly do: 'update-code'; readonly architecture: 'x86_64' | 'arm64' | undefined }
  | { readonly do: 'configure'; readonly members: Configuration }
  | { readonly do: 'tag'; readonly tags: Tags }
  | { readonly do: 'untag'; readonly keys: readonly string[] }
  /** `logicalId`: of the version; undefined for the current one of AutoPublishAlias. */
  | { readonly do: 'publish'; readonly logicalId: string | undefined; readonly description: string | undefined }
  | { readonly do: 'create-alias'; readonly alias: DesiredAlias }
  | { readonly do: 'update-alias'; readonly alias: DesiredAlias }
  | { readonly do: 'delete-alias'; readonly name: string }
  | { readonly do: 'reserve-concurrency'; readonly concurrency: number | undefined }
  | { readonly do: 'set-recursive-loop'; readonly recursiveLoop: 'Allow' | 'Terminate' }
  | { readonly do: 'provision'; readonly alias: string; readonly concurrency: number | undefined }
  | { readonly do: 'put-event-invoke'; readonly config: DesiredEventInvoke }
  | { readonly do: 'delete-event-invoke'; readonly qualifier: string }
  | { readonly do: 'add-permission'; readonly permission: DesiredPermission; readonly statementId: string }
  | { readonly do: 'remove-permission'; readonly qualifier: string; readonly statementId: string }

export type Action = 'create' | 'change' | 'unchanged'

export interface FunctionPlan {
  readonly name: string
  readonly logicalId: string
  readonly arn: string | undefined
  readonly action: Action
  /** What is done, for people: `code`, `timeout 3 → 30`, `alias live → a new version`. */
  readonly changes: readonly string[]
  readonly steps: readonly Step[]
  /** Numbers of versions that are known before anything is done, by logical id; '' for the current one. */
  readonly versions: ReadonlyMap<string, string>
}

export interface Deletion {
  readonly name: string
  /** They fail when they need the function next. */
  readonly runningExecutions: number
}

export interface LayerPlan {
  readonly logicalId: string
  readonly name: string
  /** Of the version that is there already; undefined: it is to be published. */
  readonly version: string | undefined
  readonly members: DesiredLayer['members']
}

export interface StackPlan {
  readonly stack: string
  /** In the order of the template; functions come after all of them. */
  readonly layers: readonly LayerPlan[]
  readonly functions: readonly FunctionPlan[]
  /** The stack's functions that it no longer has, by name. */
  readonly deletions: readonly Deletion[]
  /** Those of them that stay, as their DeletionPolicy said. */
  readonly kept: readonly string[]
  readonly ignored: readonly Ignored[]
  readonly standIns: readonly UsedStandIn[]
  /** Why it cannot be carried out. */
  readonly problems: readonly Problem[]
}

export function planStack(
  desired: DesiredStack,
  actual: ActualStack,
  /** SHA-256 by logical id, as the API shows it. */
  packages: ReadonlyMap<string, string>,
): StackPlan {
  const problems: Problem[] = []
  const layers = desired.layers.map((each) => planLayer(each, actual.layers.get(each.name), packages))
  const numbers = new Map(layers.map(({ logicalId, version }) => [logicalId, version]))
  const functions = desired.functions.map((given) => {
    const each = withLayers(given, (logicalId) => numbers.get(logicalId))
    const before = actual.functions.get(each.name)
    if (before === undefined) return planCreation(desired.name, each)
    problems.push(...obstacles(desired.name, each, before))
    return planChange(desired.name, each, before, packages.get(each.logicalId) ?? '')
  })
  const names = new Set(desired.functions.map(({ name }) => name))
  const gone = [...actual.functions.values()].filter(
    ({ name, tags }) => tags[STACK_TAG] === desired.name && !names.has(name),
  )
  return {
    stack: desired.name,
    layers,
    functions,
    deletions: deletionsOf(gone),
    kept: keptOf(gone),
    ignored: desired.ignored,
    standIns: desired.standIns,
    problems,
  }
}

export const deletionsOf = (functions: readonly ActualFunction[]): readonly Deletion[] =>
  functions
    .filter((each) => !isKept(each))
    .map(({ name, runningExecutions }) => ({ name, runningExecutions }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))

const isKept = ({ tags }: ActualFunction): boolean => tags[KEPT_TAG] !== undefined

export const keptOf = (functions: readonly ActualFunction[]): readonly string[] =>
  functions
    .filter(isKept)
    .map(({ name }) => name)
    .sort()

/** Whether a server has the stack as it is to be. */
export const isSettled = ({ layers, functions, deletions }: StackPlan): boolean =>
  deletions.length === 0 &&
  layers.every(({ version }) => version !== undefined) &&
  functions.every(({ action }) => action === 'unchanged')

/** A version that has the same content, and of which the same is said, need not be published again. */
function planLayer(
  { logicalId, name, members }: DesiredLayer,
  newest: ActualLayer | undefined,
  packages: ReadonlyMap<string, string>,
): LayerPlan {
  const same =
    newest !== undefined &&
    newest.sha256 === packages.get(logicalId) &&
    canonical({ description: '', ...members }) === canonical(newest.members)
  return { logicalId, name, version: same ? newest.version : undefined, members }
}

/** With the numbers of layers that are known. */
function withLayers(desired: DesiredFunction, numberOf: (logicalId: string) => string | undefined): DesiredFunction {
  const layers = desired.configuration.layers?.map((arn) => withVersion(arn, numberOf))
  return layers === undefined ? desired : { ...desired, configuration: { ...desired.configuration, layers } }
}

/** Logical ids of what is to be uploaded. */
export function uploadsOf({ layers, functions }: StackPlan): ReadonlySet<string> {
  return new Set([
    ...layers.flatMap(({ logicalId, version }) => (version === undefined ? [logicalId] : [])),
    ...functions.flatMap(({ logicalId, steps }) =>
      steps.some((step) => step.do === 'create' || step.do === 'update-code') ? [logicalId] : [],
    ),
  ])
}

/** What no call can change. */
function obstacles(
  stack: string,
  desired: DesiredFunction,
  { name, tags, latest }: ActualFunction,
): readonly Problem[] {
  const { place } = desired
  const owner = tags[STACK_TAG]
  if (owner !== stack) {
    const whose = owner === undefined ? 'was not deployed with a stack' : `belongs to the stack ${owner}`
    const cause = `the server has a function ${name} already, which ${whose}`
    const fix = `name yours otherwise, delete the other one, or hand it over: tag it ${STACK_TAG}=${stack}`
    return [{ place, cause, fix }]
  }
  const found: Problem[] = []
  const anew = 'name the function otherwise, or delete it first'
  if (latest.durableConfig !== undefined && desired.configuration.durableConfig === undefined) {
    const cause = `the function ${name} is durable, which cannot be taken from it`
    found.push({ place, cause, fix: `keep its DurableConfig, or: ${anew}` })
  }
  if ((latest.tenancyConfig !== undefined) !== desired.perTenant) {
    found.push({ place, cause: `TenancyConfig of the function ${name} cannot be changed`, fix: anew })
  }
  return found
}

// -------------------------------------------------------------------------------------------------------- one function

function planCreation(stack: string, desired: DesiredFunction): FunctionPlan {
  const { configuration, architecture, perTenant } = desired
  const parts = new Parts()
  parts.add(undefined, {
    do: 'create',
    members: {
      ...configuration,
      tags: tagsOf(stack, desired),
      ...(architecture !== undefined && { architectures: [architecture] }),
      ...(perTenant && { tenancyConfig: { tenantIsolationMode: 'PER_TENANT' } }),
    },
  })
  parts.note(configuration.runtime)
  if (configuration.durableConfig !== undefined) parts.note('durable')
  planVersions(desired, undefined, true, parts)
  planSettings(desired, undefined, parts)
  return { ...named(desired), arn: undefined, action: 'create', ...parts.done() }
}

function planChange(stack: string, desired: DesiredFunction, actual: ActualFunction, sha256: string): FunctionPlan {
  const parts = new Parts()
  const architecture = desired.architecture ?? 'x86_64'
  const otherCode = actual.latest.codeSha256 !== sha256
  const otherArchitecture = (actual.latest.architectures?.[0] ?? 'x86_64') !== architecture
  if (otherCode || otherArchitecture) {
    const changes = [otherCode ? 'code' : '', otherArchitecture ? `architecture ${architecture}` : ''].filter(Boolean)
    parts.add(changes.join(', '), { do: 'update-code', architecture: otherArchitecture ? architecture : undefined })
  }
  const [before, after] = [present(actual.latest), wanted(desired)]
  const changed = differences(before, after)
  if (changed.length > 0) {
    const members = Object.fromEntries(changed.map((member) => [member, after[member]])) as Configuration
    parts.add(changed.map((member) => described(member, before[member], after[member])).join(', '), {
      do: 'configure',
      members,
    })
  }
  const tags = tagsOf(stack, desired)
  const other = Object.fromEntries(Object.entries(tags).filter(([key, value]) => actual.tags[key] !== value))
  const keys = Object.keys(other)
  if (keys.length > 0) parts.add(keys.every(isOwnTag) ? undefined : 'tags', { do: 'tag', tags: other })
  planVersions(desired, actual, otherCode || otherArchitecture || changed.length > 0, parts)
  planSettings(desired, actual, parts)
  const surplus = Object.keys(actual.tags).filter((key) => tags[key] === undefined && !isOfVersion(key, desired))
  if (surplus.length > 0) parts.add(surplus.every(isOwnTag) ? undefined : 'tags', { do: 'untag', keys: surplus })
  const done = parts.done()
  return { ...named(desired), arn: actual.arn, action: done.steps.length === 0 ? 'unchanged' : 'change', ...done }
}

const named = ({ name, logicalId }: DesiredFunction) => ({ name, logicalId })

/** What is known when the function is created; versions get theirs when they are published. */
const tagsOf = (stack: string, { logicalId, tags, aliases, isKept }: DesiredFunction): Tags => ({
  ...tags,
  [STACK_TAG]: stack,
  [LOGICAL_ID_TAG]: logicalId,
  ...(isKept && { [KEPT_TAG]: 'true' }),
  ...Object.fromEntries(aliases.map((alias) => [aliasTag(alias.name), alias.logicalId])),
})

const isOfVersion = (key: string, { versions }: DesiredFunction): boolean =>
  versions.some(({ logicalId }) => key === versionTag(logicalId))

class Parts {
  readonly #changes: string[] = []
  readonly #steps: Step[] = []
  readonly versions = new Map<string, string>()

  /** `change` is undefined for what people need not read of. */
  add(change: string | undefined, step: Step): void {
    this.note(change)
    this.#steps.push(step)
  }

  note(change: string | undefined): void {
    if (change !== undefined && !this.#changes.includes(change)) this.#changes.push(change)
  }

  done(): Pick<FunctionPlan, 'changes' | 'steps' | 'versions'> {
    return { changes: this.#changes, steps: this.#steps, versions: this.versions }
  }
}

/** Values of variables are the user's secrets. */
function described(member: keyof Configuration, before: unknown, after: unknown): string {
  if (member === 'environment') {
    const [old, now] = [before, after].map((each) => (each as Configuration['environment'])?.variables ?? {})
    const names = [...new Set([...Object.keys(old ?? {}), ...Object.keys(now ?? {})])]
    return `environment (${names.filter((name) => old?.[name] !== now?.[name]).join(', ')})`
  }
  const simple = [before, after].every(
    (each) => typeof each === 'number' || (typeof each === 'string' && each.length < 40),
  )
  return simple ? `${member} ${before || '""'} → ${after || '""'}` : member
}

// --------------------------------------------------------------------------------------------- versions and aliases

/** The key of the current version among those that are known. */
export const CURRENT = ''

function planVersions(
  desired: DesiredFunction,
  actual: ActualFunction | undefined,
  changed: boolean,
  parts: Parts,
): void {
  const numbers = new Set(actual?.published.map(({ version }) => version))
  for (const { logicalId, description } of desired.versions) {
    const known = actual && publishedFor(actual.tags, logicalId)
    if (known !== undefined && numbers.has(known)) parts.versions.set(logicalId, known)
    else parts.add('a version', { do: 'publish', logicalId, description })
  }
  const automatic = desired.aliases.find(({ version }) => version.kind === 'current')
  if (automatic !== undefined) {
    const newest = changed ? undefined : newestAsLatest(actual)
    if (newest !== undefined) parts.versions.set(CURRENT, newest)
    else
      parts.add('a version', { do: 'publish', logicalId: undefined, description: automatic.description || undefined })
  }
  for (const alias of desired.aliases) planAlias(alias, actual, parts)
}

/** The number of the newest version, if it has the code and configuration of $LATEST. */
function newestAsLatest(actual: ActualFunction | undefined): string | undefined {
  const newest = actual?.published.at(-1)
  if (actual === undefined || newest === undefined || newest.codeSha256 !== actual.latest.codeSha256) return undefined
  const differing = differences(present(newest), present(actual.latest)).filter((member) => member !== 'description')
  return differing.length === 0 ? newest.version : undefined
}

export function knownVersion(reference: VersionReference, versions: ReadonlyMap<string, string>): string | undefined {
  switch (reference.kind) {
    case 'number':
      return reference.version
    case 'published':
      return versions.get(reference.logicalId)
    case 'current':
      return versions.get(CURRENT)
  }
}

/** What the version of an alias is while its number is not known. */
const NEW_VERSION = 'a new version'

function planAlias(alias: DesiredAlias, actual: ActualFunction | undefined, parts: Parts): void {
  const before = actual?.aliases.find(({ name }) => name === alias.name)
  const version = knownVersion(alias.version, parts.versions)
  if (before !== undefined && version !== undefined && isSameAlias(alias, version, before, parts.versions)) return
  const change = `alias ${alias.name} → ${version ?? NEW_VERSION}`
  parts.add(change, { do: before === undefined ? 'create-alias' : 'update-alias', alias })
}

function isSameAlias(
  alias: DesiredAlias,
  version: string,
  before: AliasConfiguration,
  versions: ReadonlyMap<string, string>,
): boolean {
  const weights = Object.entries(before.routingConfig?.additionalVersionWeights ?? {})
  const other = alias.other && knownVersion(alias.other.version, versions)
  const wantedWeights = alias.other === undefined ? [] : [[other, alias.other.weight]]
  return (
    before.functionVersion === version &&
    (before.description ?? '') === alias.description &&
    canonical(weights) === canonical(wantedWeights)
  )
}

// --------------------------------------------------------------------------------------------------------- settings

function planSettings(desired: DesiredFunction, actual: ActualFunction | undefined, parts: Parts): void {
  const { reservedConcurrency, recursiveLoop = 'Terminate' } = desired
  if (reservedConcurrency !== actual?.reservedConcurrency) {
    parts.add(`reserved concurrency ${reservedConcurrency ?? 'none'}`, {
      do: 'reserve-concurrency',
      concurrency: reservedConcurrency,
    })
  }
  if (recursiveLoop !== (actual?.recursiveLoop ?? 'Terminate')) {
    parts.add(`recursive loop ${recursiveLoop}`, { do: 'set-recursive-loop', recursiveLoop })
  }
  for (const { name, provisionedConcurrency } of desired.aliases) {
    if (provisionedConcurrency === actual?.provisioned.get(name)) continue
    const change = `provisioned concurrency of ${name} ${provisionedConcurrency ?? 'none'}`
    parts.add(change, { do: 'provision', alias: name, concurrency: provisionedConcurrency })
  }
  planEventInvoke(desired, actual, parts)
  planPermissions(desired, actual, parts)
  const aliases = new Set(desired.aliases.map(({ name }) => name))
  for (const name of ownAliases(actual?.tags ?? {})) {
    if (aliases.has(name) || !actual?.aliases.some((each) => each.name === name)) continue
    parts.add(`without alias ${name}`, { do: 'delete-alias', name })
  }
}

function planEventInvoke(desired: DesiredFunction, actual: ActualFunction | undefined, parts: Parts): void {
  const kept = new Set<string>()
  for (const config of desired.eventInvoke) {
    const qualifier =
      typeof config.qualifier === 'string' ? config.qualifier : knownVersion(config.qualifier, parts.versions)
    if (qualifier !== undefined) kept.add(qualifier)
    const before = qualifier === undefined ? undefined : actual?.eventInvoke.get(qualifier)
    if (before !== undefined && isSameEventInvoke(config, before)) continue
    parts.add(`asynchronous invocation of ${qualifier ?? NEW_VERSION}`, { do: 'put-event-invoke', config })
  }
  const own = new Set(['$LATEST', ...ownAliases(actual?.tags ?? {})])
  for (const qualifier of actual?.eventInvoke.keys() ?? []) {
    if (kept.has(qualifier) || !own.has(qualifier)) continue
    parts.add(`asynchronous invocation of ${qualifier}`, { do: 'delete-event-invoke', qualifier })
  }
}

const isSameEventInvoke = (config: DesiredEventInvoke, before: EventInvokeConfig): boolean =>
  config.maximumRetryAttempts === before.maximumRetryAttempts &&
  config.maximumEventAgeInSeconds === before.maximumEventAgeInSeconds &&
  config.onSuccess === before.destinationConfig?.onSuccess?.destination &&
  config.onFailure === before.destinationConfig?.onFailure?.destination

const STATEMENT = 'perdure-'
const LONGEST_LOGICAL_ID = 60

/** The id of a statement says what is in it, so that one that is there need not be understood. */
export function statementIdOf({ logicalId, statement }: DesiredPermission): string {
  const hash = createHash('sha256').update(canonical(statement)).digest('hex').slice(0, 12)
  return `${STATEMENT}${logicalId.slice(0, LONGEST_LOGICAL_ID)}-${hash}`
}

function planPermissions(desired: DesiredFunction, actual: ActualFunction | undefined, parts: Parts): void {
  const kept = new Set<string>()
  for (const permission of desired.permissions) {
    const { qualifier = '$LATEST' } = permission
    const at = typeof qualifier === 'string' ? qualifier : knownVersion(qualifier, parts.versions)
    const statementId = statementIdOf(permission)
    kept.add(`${at} ${statementId}`)
    if (at !== undefined && actual?.permissions.get(at)?.includes(statementId)) continue
    parts.add('permissions', { do: 'add-permission', permission, statementId })
  }
  for (const [qualifier, ids] of actual?.permissions ?? []) {
    for (const statementId of ids) {
      if (!statementId.startsWith(STATEMENT) || kept.has(`${qualifier} ${statementId}`)) continue
      // What is said of a version stays with it; of an alias that goes, it goes too.
      if (/^\d+$/.test(qualifier)) continue
      if (qualifier !== '$LATEST' && !desired.aliases.some(({ name }) => name === qualifier)) continue
      parts.add('permissions', { do: 'remove-permission', qualifier, statementId })
    }
  }
}
