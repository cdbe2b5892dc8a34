/** Life of a function: created, changed, published, deleted (spec 02 §2.5–2.7). Pure: record and facts in, record out. */
import { functionArn } from '../../protocol/arn.ts'
import { ApiError, invalidParameter } from '../../protocol/errors.ts'
import type { InputOf } from '../../protocol/operations.ts'
import { type Change, notFound, type RegistryFacts, requireRevision, without } from './change.ts'
import { changedConfig, firstConfig, sameConfig } from './configuration.ts'
import {
  type CodeReference,
  type DeletedFunction,
  type FunctionRecord,
  namedCode,
  newestPublished,
  RECORD_VERSION,
  type StoredVersion,
  versionOf,
} from './record.ts'
import { DEPLOYMENT_LIMITS } from './zip.ts'

/** A new function. The answer is the version to describe: `$LATEST`, or number 1 when it is published at once. */
export function create(
  name: string,
  input: InputOf<'CreateFunction'>,
  code: CodeReference,
  facts: RegistryFacts,
  /** The one of this name before. */
  before?: DeletedFunction,
): Change<StoredVersion> {
  const latest: StoredVersion = {
    version: '$LATEST',
    revisionId: facts.uuid(),
    lastModified: facts.now,
    code,
    config: firstConfig(input, facts),
  }
  requireFitting(latest)
  const record: FunctionRecord = {
    v: RECORD_VERSION,
    name,
    ...(before === undefined ? undefined : { generation: before.deleted.generation + 1 }),
    latest,
    published: [],
    lastVersion: before?.deleted.lastVersion ?? 0,
    aliases: [],
    eventInvoke: {},
    tags: { ...input.Tags },
    policies: {},
    provisioned: {},
    runtimeUpdates: {},
  }
  return input.Publish === true ? publishLatest(record, undefined, facts) : { record, answer: latest }
}

/** Other code for `$LATEST`. With `DryRun` the record stays as it is. */
export function updateCode(
  record: FunctionRecord,
  input: InputOf<'UpdateFunctionCode'>,
  code: CodeReference,
  facts: RegistryFacts,
): Change<StoredVersion> {
  requireRevision(record.latest.revisionId, input.RevisionId)
  const architectures = input.Architectures ?? record.latest.config.architectures
  const changed: StoredVersion = {
    ...record.latest,
    ...written(facts),
    code,
    config: { ...record.latest.config, architectures },
  }
  requireFitting(changed)
  if (input.DryRun === true) return { record, answer: changed }
  const updated = { ...record, latest: changed }
  return input.Publish === true ? publishLatest(updated, undefined, facts) : { record: updated, answer: changed }
}

export function updateConfiguration(
  record: FunctionRecord,
  input: InputOf<'UpdateFunctionConfiguration'>,
  facts: RegistryFacts,
  /** An option beyond the real service, where durability can only be set at creation (spec 02 §2.7). */
  mayBecomeDurable: boolean,
): Change<StoredVersion> {
  requireRevision(record.latest.revisionId, input.RevisionId)
  if (input.DurableConfig !== undefined && record.latest.config.durable === undefined && !mayBecomeDurable) {
    throw invalidParameter(
      'DurableConfig cannot be added to an existing function. Durability is set when a function is created.',
    )
  }
  const latest = { ...record.latest, ...written(facts), config: changedConfig(record.latest.config, input, facts) }
  requireFitting(latest)
  return { record: { ...record, latest }, answer: latest }
}

/** A new number for `$LATEST` as it is, or the highest one when nothing has changed since (spec 02 §2.6). */
export function publish(
  record: FunctionRecord,
  input: InputOf<'PublishVersion'>,
  facts: RegistryFacts,
): Change<StoredVersion> {
  requireRevision(record.latest.revisionId, input.RevisionId)
  const { sha256 } = record.latest.code
  if (input.CodeSha256 !== undefined && input.CodeSha256 !== '' && input.CodeSha256 !== sha256) {
    throw invalidParameter(
      `CodeSHA256 (${input.CodeSha256}) is different from current CodeSHA256 in $LATEST (${sha256}). Please try again with the CodeSHA256 in $LATEST.`,
    )
  }
  return publishLatest(record, input.Description, facts)
}

function publishLatest(
  record: FunctionRecord,
  description: string | undefined,
  facts: RegistryFacts,
): Change<StoredVersion> {
  const { latest } = record
  const config = description === undefined ? latest.config : { ...latest.config, description }
  const newest = newestPublished(record)
  const undescribed = (each: StoredVersion['config']) => ({ ...each, description: '' })
  if (
    newest !== undefined &&
    Number(newest.version) === record.lastVersion &&
    newest.code.sha256 === latest.code.sha256 &&
    sameConfig(undescribed(newest.config), undescribed(config))
  ) {
    return { record, answer: newest }
  }
  const number = record.lastVersion + 1
  const version: StoredVersion = { ...latest, ...written(facts), config, version: String(number) }
  return {
    record: { ...record, published: [...record.published, version], lastVersion: number },
    answer: version,
  }
}

/** Removes one published version. That no alias may point at it is the real service's rule. */
export function deleteVersion(record: FunctionRecord, qualifier: string, facts: RegistryFacts): Change<undefined> {
  if (qualifier === '$LATEST') {
    throw invalidParameter('$LATEST version cannot be deleted without deleting the function.')
  }
  if (!/^\d+$/.test(qualifier)) {
    throw invalidParameter('Deletion of aliases is not currently supported.')
  }
  if (versionOf(record, qualifier) === undefined) throw notFound(functionArn(facts.place, record.name, qualifier))
  const holding = record.aliases.filter(({ version, other }) => version === qualifier || other?.version === qualifier)
  if (holding.length > 0) {
    const names = holding.map(({ name }) => name).join(', ')
    throw new ApiError(
      'ResourceConflictException',
      `Version ${qualifier} cannot be deleted: aliases point to it (${names}).`,
    )
  }
  return {
    record: {
      ...record,
      published: record.published.filter(({ version }) => version !== qualifier),
      eventInvoke: without(record.eventInvoke, qualifier),
      policies: without(record.policies, qualifier),
      provisioned: without(record.provisioned, qualifier),
      runtimeUpdates: without(record.runtimeUpdates, qualifier),
    },
    answer: undefined,
  }
}

function requireFitting(version: StoredVersion): void {
  const bytes = namedCode(version).reduce((sum, { unzippedBytes }) => sum + unzippedBytes, 0)
  const { unzippedBytes: limit } = DEPLOYMENT_LIMITS
  if (bytes <= limit) return
  throw invalidParameter(
    `Function code combined with layers exceeds the maximum allowed size of ${limit} bytes. The actual size is ${bytes} bytes.`,
  )
}

const written = ({ now, uuid }: RegistryFacts) => ({ revisionId: uuid(), lastModified: now })
