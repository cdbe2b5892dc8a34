/** Layers: what functions have in common, published in versions that never change. Pure: record and facts in, record out. */
import { layerArn, type Place, parseLayerArn } from '../../protocol/arn.ts'
import { ApiError, invalidParameter } from '../../protocol/errors.ts'
import { LAYER_VERSION_ARN_PATTERN } from '../../protocol/layer-constraints.ts'
import type { InputOf } from '../../protocol/operations.ts'
import { violation } from '../../protocol/violations.ts'
import type { Change, RegistryFacts } from './change.ts'
import { LAYER_RECORD_VERSION, type LayerRecord, type StoredLayerVersion } from './layer-record.ts'
import { shownPolicy, statementNotFound, withoutStatement, withStatement } from './policies.ts'
import type { CodeReference, StoredPolicy, UsedLayer } from './record.ts'

const LAYERS_PER_FUNCTION = 5

type LayerChange<Answer> = Change<Answer, LayerRecord>

/** A new version, of a layer that need not be there yet. */
export function publishLayer(
  before: LayerRecord | undefined,
  input: InputOf<'PublishLayerVersion'>,
  code: CodeReference,
  { now }: RegistryFacts,
): LayerChange<StoredLayerVersion> {
  const { LayerName: name, Description, LicenseInfo, CompatibleRuntimes, CompatibleArchitectures } = input
  const version = (before?.lastVersion ?? 0) + 1
  const published: StoredLayerVersion = {
    version,
    createdAt: now,
    code,
    description: Description ?? '',
    ...(LicenseInfo === undefined ? undefined : { license: LicenseInfo }),
    ...(CompatibleRuntimes === undefined ? undefined : { runtimes: CompatibleRuntimes }),
    ...(CompatibleArchitectures === undefined ? undefined : { architectures: CompatibleArchitectures }),
  }
  const versions = [...(before?.versions ?? []), published]
  return { record: { v: LAYER_RECORD_VERSION, name, versions, lastVersion: version }, answer: published }
}

/** Deleting one that is not there is no error. Functions that have the version keep its code. */
export function deleteLayerVersion(record: LayerRecord, version: number): LayerChange<undefined> {
  requireNumber(version)
  const versions = record.versions.filter((each) => each.version !== version)
  const unchanged = versions.length === record.versions.length
  return { record: unchanged ? record : { ...record, versions }, answer: undefined }
}

/** The version, or the error that there is none. */
export function layerVersionAt(record: LayerRecord | undefined, version: number): StoredLayerVersion {
  requireNumber(version)
  const found = record?.versions.find((each) => each.version === version)
  if (found !== undefined) return found
  throw new ApiError('ResourceNotFoundException', 'The resource you requested does not exist.')
}

function requireNumber(version: number): void {
  if (version < 1) throw invalidParameter('Layer Version Cannot be less than 1')
}

// ------------------------------------------------------------------------------------------------------ permissions

const TOLD_BY = 'GetLayerPolicy'

/** The answer is the statement as JSON, and the revision of the policy. */
export function addLayerPermission(
  record: LayerRecord | undefined,
  input: InputOf<'AddLayerVersionPermission'>,
  facts: RegistryFacts,
): LayerChange<{ readonly json: string; readonly revisionId: string }> {
  const { LayerName, VersionNumber, StatementId: id, RevisionId: given } = input
  const { of, layer } = governed(record, LayerName, VersionNumber, facts.place)
  const json = JSON.stringify(statementOf(input, layerArn(facts.place, LayerName, VersionNumber)))
  const policy = withStatement(of.policy, { id, json }, { given, next: facts.uuid, toldBy: TOLD_BY })
  return { record: withPolicy(layer, of, policy), answer: { json, revisionId: policy.revisionId } }
}

export function removeLayerPermission(
  record: LayerRecord | undefined,
  input: InputOf<'RemoveLayerVersionPermission'>,
  facts: RegistryFacts,
): LayerChange<undefined> {
  const { LayerName, VersionNumber, StatementId, RevisionId: given } = input
  const { of, layer } = governed(record, LayerName, VersionNumber, facts.place)
  if (of.policy === undefined) throw statementNotFound(StatementId)
  const policy = withoutStatement(of.policy, StatementId, { given, next: facts.uuid, toldBy: TOLD_BY })
  return { record: withPolicy(layer, of, policy), answer: undefined }
}

/** The policy as JSON, with its revision. */
export function layerPolicyAt(
  record: LayerRecord | undefined,
  { LayerName, VersionNumber }: InputOf<'GetLayerVersionPolicy'>,
  place: Place,
): { readonly json: string; readonly revisionId: string } {
  const { policy } = governed(record, LayerName, VersionNumber, place).of
  if (policy !== undefined) return shownPolicy(policy)
  throw new ApiError('ResourceNotFoundException', 'No policy is associated with the given resource.')
}

/** The operations on policies say in their own words that there is no such version. */
function governed(record: LayerRecord | undefined, name: string, version: number, place: Place) {
  requireNumber(version)
  const of = record?.versions.find((each) => each.version === version)
  if (record !== undefined && of !== undefined) return { layer: record, of }
  throw new ApiError('ResourceNotFoundException', `Layer version ${layerArn(place, name, version)} does not exist.`)
}

function withPolicy(layer: LayerRecord, of: StoredLayerVersion, policy: StoredPolicy | undefined): LayerRecord {
  const { policy: _before, ...rest } = of
  const changed = policy === undefined ? rest : { ...rest, policy }
  return { ...layer, versions: layer.versions.map((each) => (each === of ? changed : each)) }
}

function statementOf(input: InputOf<'AddLayerVersionPermission'>, resource: string): object {
  const { StatementId, Action, Principal, OrganizationId } = input
  const account = /^\d{12}$/.test(Principal)
  return {
    Sid: StatementId,
    Effect: 'Allow',
    Principal: Principal === '*' ? '*' : { AWS: account ? `arn:aws:iam::${Principal}:root` : Principal },
    Action,
    Resource: resource,
    ...(OrganizationId === undefined
      ? undefined
      : { Condition: { StringEquals: { 'aws:PrincipalOrgID': OrganizationId } } }),
  }
}

// --------------------------------------------------------------------------------------------------- of a function

/** What the ARNs mean, in their order, or the error that a function cannot have them. */
export function usedLayers(arns: readonly string[], { place, layerCode }: RegistryFacts): readonly UsedLayer[] {
  if (arns.length > LAYERS_PER_FUNCTION) {
    throw invalidParameter(`Cannot reference more than ${LAYERS_PER_FUNCTION} layers.`)
  }
  const seen = new Map<string, string>()
  return arns.map((arn) => {
    const layer = parseLayerArn(arn)
    if (layer?.version === undefined) throw malformed(arn)
    const { name, version } = layer
    requireThisPlace(layer, place)
    const code = layerCode(name, version)
    if (code === undefined) throw invalidParameter(`Layer version ${arn} does not exist.`)
    const other = seen.get(name)
    if (other !== undefined) {
      throw invalidParameter(
        `Two different versions of the same layer are not allowed to be referenced in the same function. ${other} and ${arn} are versions of the same layer.`,
      )
    }
    seen.set(name, arn)
    return { arn, code }
  })
}

function requireThisPlace({ region, account, partition }: Place, place: Place): void {
  if (region !== place.region) {
    throw invalidParameter(
      `Layers are not in the same region as the function. Layers are expected to be in region ${place.region}.`,
    )
  }
  if (account !== place.account || partition !== place.partition) {
    throw new ApiError('AccessDeniedException', `Layers of account '${account}' are not reachable here.`)
  }
}

const malformed = (arn: string): ApiError =>
  violation(
    'layers',
    `[${arn}]`,
    `satisfy constraint: [Member must have length less than or equal to 2048, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ${LAYER_VERSION_ARN_PATTERN}, Member must not be null]`,
  )
