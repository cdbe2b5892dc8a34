/** Aliases: names that stand for a version, or for two of them with weights (spec 02 §2.5–2.6). */
import { functionArn, type Place } from '../../protocol/arn.ts'
import { ApiError, invalidParameter } from '../../protocol/errors.ts'
import type { InputOf } from '../../protocol/operations.ts'
import { type Change, notFound, type RegistryFacts, requireRevision, without } from './change.ts'
import { aliasOf, type FunctionRecord, type StoredAlias, versionOf } from './record.ts'

type Routing = InputOf<'CreateAlias'>['RoutingConfig']

export function createAlias(
  record: FunctionRecord,
  input: InputOf<'CreateAlias'>,
  facts: RegistryFacts,
): Change<StoredAlias> {
  const { Name: name, FunctionVersion: version, Description: description = '' } = input
  requireVersion(record, version, facts.place)
  if (aliasOf(record, name) !== undefined) {
    throw new ApiError(
      'ResourceConflictException',
      `Alias already exists: ${functionArn(facts.place, record.name, name)}`,
    )
  }
  const other = otherOf(record, version, input.RoutingConfig, facts.place)
  const alias = { name, version, description, ...(other && { other }), revisionId: facts.uuid() }
  const aliases = [...record.aliases, alias].sort((a, b) => (a.name < b.name ? -1 : 1))
  return { record: { ...record, aliases }, answer: alias }
}

export function updateAlias(
  record: FunctionRecord,
  input: InputOf<'UpdateAlias'>,
  facts: RegistryFacts,
): Change<StoredAlias> {
  const before = aliasOf(record, input.Name)
  if (before === undefined) {
    const arn = functionArn(facts.place, record.name, input.Name)
    throw new ApiError('ResourceNotFoundException', `Alias not found: ${arn}`)
  }
  requireRevision(before.revisionId, input.RevisionId)
  const version = input.FunctionVersion ?? before.version
  requireVersion(record, version, facts.place)
  const other =
    input.RoutingConfig === undefined ? before.other : otherOf(record, version, input.RoutingConfig, facts.place)
  if (other !== undefined) requirePair(version, other.version)
  const description = input.Description ?? before.description
  const alias: StoredAlias = {
    name: before.name,
    version,
    description,
    ...(other && { other }),
    revisionId: facts.uuid(),
  }
  const aliases = record.aliases.map((each) => (each === before ? alias : each))
  return { record: { ...record, aliases }, answer: alias }
}

/** Deleting one that is not there is no error: the answer of the real service is empty either way. */
export function deleteAlias(record: FunctionRecord, name: string): Change<undefined> {
  return {
    record: {
      ...record,
      aliases: record.aliases.filter((alias) => alias.name !== name),
      eventInvoke: without(record.eventInvoke, name),
      policies: without(record.policies, name),
      provisioned: without(record.provisioned, name),
    },
    answer: undefined,
  }
}

/**
 * The version that an invocation of the alias gets. `chance` is uniform in 0–1: below the weight of the other version
 * the invocation goes there. Drawn once, at the start of an execution (spec 07 §7.1).
 */
export function drawVersion({ version, other }: StoredAlias, chance: number): string {
  return other !== undefined && chance < other.weight ? other.version : version
}

function requireVersion(record: FunctionRecord, version: string, place: Place): void {
  if (versionOf(record, version) === undefined) throw notFound(functionArn(place, record.name, version))
}

/** An empty table of weights takes the other version away. */
function otherOf(record: FunctionRecord, version: string, routing: Routing, place: Place): StoredAlias['other'] {
  const weights = Object.entries(routing?.AdditionalVersionWeights ?? {})
  if (weights.length > 1) {
    throw invalidParameter('Number of items in AdditionalVersionWeights cannot be greater than 1')
  }
  const [first] = weights
  if (first === undefined) return undefined
  const [other, weight] = first
  requirePair(version, other)
  requireVersion(record, other, place)
  return { version: other, weight }
}

function requirePair(version: string, other: string): void {
  if (version === '$LATEST')
    throw invalidParameter('$LATEST is not supported for an alias pointing to more than 1 version')
  if (other === version) {
    throw invalidParameter(
      `Invalid function version ${other}. Function version ${other} is already included in routing configuration.`,
    )
  }
}
