/**
 * What is stored about one function that was created through the API: its `$LATEST`, its published versions, its aliases
 * and its settings, as one record that each accepted call replaces as a whole. Nothing in here is looked up or computed
 * from anything else; code is named by its hash and lies in the code store.
 */
import type { DurableConfig } from '../../protocol/shapes.ts'

/** Readers of the record refuse one of a later format. */
export const RECORD_VERSION = 1

export interface FunctionRecord {
  readonly v: number
  readonly name: string
  /** How many functions there have been under this name, this one included. Absent: it is the first. */
  readonly generation?: number
  readonly latest: StoredVersion
  /** In the order of their numbers. */
  readonly published: readonly StoredVersion[]
  /** The highest number that was ever given: numbers are never used again. */
  readonly lastVersion: number
  /** By name, in the order of their names. */
  readonly aliases: readonly StoredAlias[]
  readonly reservedConcurrency?: number
  /** By qualifier: `$LATEST`, a number or an alias. */
  readonly eventInvoke: Readonly<Record<string, EventInvokeConfig>>
  readonly tags: Readonly<Record<string, string>>
  /** Stored and shown, never enforced: by qualifier, `$LATEST` for the function itself. */
  readonly policies: Readonly<Record<string, StoredPolicy>>
  /** Processes that are kept ready, by qualifier. */
  readonly provisioned: Readonly<Record<string, ProvisionedConcurrency>>
  readonly recursiveLoop?: 'Allow' | 'Terminate'
  readonly runtimeUpdates: Readonly<Record<string, RuntimeUpdates>>
}

/**
 * What stays of a function that was deleted, in the place of its record: numbers are never given again, not even to a
 * function that is created under its name (spec 02 §2.6), and its executions are told apart from that one's.
 */
export interface DeletedFunction {
  readonly v: number
  readonly name: string
  readonly deleted: { readonly generation: number; readonly lastVersion: number }
}

/** `$LATEST`, or a version as it was when it was published. */
export interface StoredVersion {
  /** `$LATEST` or digits. */
  readonly version: string
  /** Another one after every write. */
  readonly revisionId: string
  readonly lastModified: number
  readonly code: CodeReference
  readonly config: StoredConfig
}

export interface CodeReference {
  /** Of the zip as it was uploaded, in base64 (spec 09 §9.10): its name in the code store. */
  readonly sha256: string
  readonly bytes: number
  /** Of all its files. */
  readonly unzippedBytes: number
}

/** A version of a layer as it was when the function was given it: also when it is deleted, the function has it. */
export interface UsedLayer {
  readonly arn: string
  readonly code: CodeReference
}

/** The members of a FunctionConfiguration that were given, or have a default (spec 02 §2.4). */
export interface StoredConfig {
  readonly role: string
  readonly runtime: string
  readonly handler: string
  readonly description: string
  readonly timeoutSeconds: number
  readonly memoryMb: number
  readonly environment?: Readonly<Record<string, string>>
  readonly architectures: readonly ('x86_64' | 'arm64')[]
  readonly ephemeralStorageMb: number
  readonly tracing: 'Active' | 'PassThrough'
  readonly snapStart: 'PublishedVersions' | 'None'
  readonly logging: StoredLogging
  readonly deadLetterTarget?: string
  readonly kmsKeyArn?: string
  /** In the order in which they are unpacked: of files of one name, the last one counts. */
  readonly layers?: readonly UsedLayer[]
  readonly vpc?: StoredVpc
  readonly fileSystems?: readonly { readonly Arn: string; readonly LocalMountPath: string }[]
  readonly durable?: DurableConfig
  readonly perTenant?: true
}

export interface StoredLogging {
  readonly format: 'Text' | 'JSON'
  readonly group?: string
  readonly applicationLevel?: string
  readonly systemLevel?: string
}

export interface StoredVpc {
  readonly subnetIds: readonly string[]
  readonly securityGroupIds: readonly string[]
}

export interface StoredAlias {
  readonly name: string
  readonly version: string
  readonly description: string
  /** At most one other version and its share of the starts, 0–1. */
  readonly other?: { readonly version: string; readonly weight: number }
  readonly revisionId: string
}

export interface EventInvokeConfig {
  readonly lastModified: number
  readonly retryAttempts?: number
  readonly eventAgeSeconds?: number
  readonly onSuccess?: string
  readonly onFailure?: string
}

export interface StoredPolicy {
  readonly revisionId: string
  /** In order of arrival; each as the JSON that AddPermission answers with. */
  readonly statements: readonly { readonly id: string; readonly json: string }[]
}

export interface ProvisionedConcurrency {
  readonly requested: number
  readonly lastModified: number
}

export interface RuntimeUpdates {
  readonly on: 'Auto' | 'Manual' | 'FunctionUpdate'
  readonly runtimeVersionArn?: string
}

/** A record from its text. Throws when it is of a later release. */
export function readRecord(text: string): FunctionRecord | DeletedFunction {
  const record = JSON.parse(text) as FunctionRecord | DeletedFunction
  if (record.v === RECORD_VERSION) return record
  throw new Error(`its format is ${record.v}, and this Perdure knows ${RECORD_VERSION}: a newer release wrote it`)
}

export const isDeleted = (record: FunctionRecord | DeletedFunction): record is DeletedFunction => 'deleted' in record

export const generationOf = ({ generation = 1 }: FunctionRecord): number => generation

export function deletedOf(record: FunctionRecord): DeletedFunction {
  const { name, lastVersion } = record
  return { v: RECORD_VERSION, name, deleted: { generation: generationOf(record), lastVersion } }
}

/** The hashes of all code that the record names, that of layers included. */
export const codeOf = (record: FunctionRecord | DeletedFunction): ReadonlySet<string> =>
  new Set(
    (isDeleted(record) ? [] : [record.latest, ...record.published]).flatMap((version) =>
      namedCode(version).map(({ sha256 }) => sha256),
    ),
  )

/** The package of a version and those of its layers. */
export const namedCode = ({ code, config: { layers = [] } }: StoredVersion): readonly CodeReference[] => [
  code,
  ...layers.map((layer) => layer.code),
]

/** The version that a qualifier names: `$LATEST`, digits; not an alias. */
export function versionOf(record: FunctionRecord, qualifier: string): StoredVersion | undefined {
  return qualifier === '$LATEST' ? record.latest : record.published.find(({ version }) => version === qualifier)
}

export const aliasOf = (record: FunctionRecord, name: string): StoredAlias | undefined =>
  record.aliases.find((alias) => alias.name === name)

/** `$LATEST.PUBLISHED` is the version that was published last (spec 09 §9.9). */
export const newestPublished = (record: FunctionRecord): StoredVersion | undefined => record.published.at(-1)
