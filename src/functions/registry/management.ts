/**
 * The operations on functions that were created through the API (spec 02 §2.5): which command each one is, on which
 * record, and how its answer looks. What a command decides is in the pure files of this folder. Those on layers are in
 * `layer-management.ts`.
 */
import { functionArn, type Place } from '../../protocol/arn.ts'
import { ApiError, invalidParameter } from '../../protocol/errors.ts'
import type { InputOf } from '../../protocol/operations.ts'
import { type Page, pageOf, versionPosition } from '../../protocol/pages.ts'
import type {
  DescribedFunction,
  Entropy,
  FunctionManagement,
  ListedVersion,
  ManagementOperation,
} from '../../service/ports.ts'
import { createAlias, deleteAlias, updateAlias } from './aliases.ts'
import { type Change, knownQualifier, notFound, type RegistryFacts } from './change.ts'
import { requirePackage } from './code.ts'
import { TOTAL_CODE_BYTES } from './code-shelf.ts'
import { firstConfig } from './configuration.ts'
import {
  described,
  describedAlias,
  describedEventInvoke,
  describedProvisioned,
  describedRuntimeUpdates,
  listed,
  shownVersion,
} from './describe.ts'
import { create, deleteVersion, publish, updateCode, updateConfiguration } from './functions.ts'
import { createLayerAnswers } from './layer-management.ts'
import { aliasOf, type CodeReference, type FunctionRecord, type StoredVersion } from './record.ts'
import type { Registry } from './registry.ts'
import { requireRuntime } from './runtimes.ts'
import {
  addPermission,
  deleteEventInvoke,
  eventInvokeAt,
  policyAt,
  provision,
  provisionedAt,
  putEventInvoke,
  removePermission,
  reserveConcurrency,
  setRecursiveLoop,
  setRuntimeUpdates,
  tag,
  unprovision,
  untag,
  updateEventInvoke,
} from './settings.ts'
import { DEPLOYMENT_LIMITS } from './zip.ts'

export interface ManagementOptions {
  readonly registry: Registry
  readonly place: Place
  readonly entropy: Entropy
  readonly now: () => number
  /** Whether the configuration of the server declares a function of this name: it wins, and is not changed. */
  readonly declares: (name: string) => boolean
  /** What is to be installed before a function of this runtime can run here; undefined when nothing is missing. */
  readonly missingRuntime: (runtime: string) => Promise<string | undefined>
  /** Whether a function may be made durable after its creation, which the real service does not permit. */
  readonly allowDurableUpdates: boolean
}

type Answers = {
  readonly [Name in ManagementOperation]: (input: InputOf<Name>) => object | undefined | Promise<object | undefined>
}

/** The account has so many invocations at a time (spec 08 §8.7): shown; what runs at a time is bounded by function. */
const ACCOUNT_CONCURRENCY = 1_000

export function createManagement(options: ManagementOptions): FunctionManagement {
  const { registry, place, declares } = options
  const facts = (): RegistryFacts => ({
    now: options.now(),
    place,
    uuid: options.entropy.uuid,
    layerCode: (name, number) => registry.layers.get(name)?.versions.find(({ version }) => version === number)?.code,
  })
  const arnOf = (name: string, qualifier?: string): string => functionArn(place, name, qualifier)

  // -------------------------------------------------------------------------------------------------- on one function

  /** The record to read, or the error that there is none. */
  function read(name: string, qualifier?: string): FunctionRecord {
    if (declares(name)) throw isDeclared(name)
    const record = registry.get(name)
    if (record === undefined) throw notFound(arnOf(name, qualifier))
    return record
  }

  /** A function that this machine cannot run is refused when somebody is there to read why. */
  async function requireInstalled(runtime: string): Promise<void> {
    const missing = await options.missingRuntime(runtime)
    if (missing !== undefined) throw invalidParameter(missing)
  }

  /** The settings to read: what is declared has none. */
  const settings = (name: string): Partial<FunctionRecord> => (declares(name) ? {} : read(name))

  /** Decides a command on a function that is there. */
  async function change<Answer>(
    { FunctionName: name, Qualifier }: { readonly FunctionName: string; readonly Qualifier?: string },
    decide: (record: FunctionRecord, facts: RegistryFacts) => Change<Answer>,
  ): Promise<Answer> {
    read(name, Qualifier)
    return await registry.change(name, (record) => {
      if (record === undefined) throw notFound(arnOf(name, Qualifier))
      return decide(record, facts())
    })
  }

  function getFunction({ name, qualifier }: { name: string; qualifier: string | undefined }): DescribedFunction {
    const record = read(name, qualifier)
    const version = shownVersion(record, qualifier)
    if (version === undefined) throw notFound(arnOf(name, qualifier))
    const { tags, reservedConcurrency } = record
    const shown = {
      Configuration: described(version, name, arnOf(name, qualifier)),
      ...(Object.keys(tags).length === 0 ? undefined : { Tags: tags }),
      ...(reservedConcurrency === undefined
        ? undefined
        : { Concurrency: { ReservedConcurrentExecutions: reservedConcurrency } }),
    }
    return { shown, codeSha256: version.code.sha256 }
  }

  /** Answers with its ARN qualified, unless it is the function's own code. */
  const describedOwn = (name: string, of: StoredVersion): object =>
    described(of, name, arnOf(name, of.version === '$LATEST' ? undefined : of.version))

  function alias(name: string, aliasName: string): object {
    const found = aliasOf(read(name), aliasName)
    if (found !== undefined) return describedAlias(found, name, place)
    throw new ApiError('ResourceNotFoundException', `Cannot find alias arn: ${arnOf(name, aliasName)}`)
  }

  /** The name in the ARN of a resource that may have tags; that it is one of a function here was seen to before. */
  const taggedName = (arn: string): string => arn.slice(arn.lastIndexOf(':') + 1)

  const eventInvoke = (name: string, qualifier: string | undefined): object => {
    const config = eventInvokeAt(withEventInvoke(name), qualifier, place)
    return describedEventInvoke(config, name, qualifier ?? '$LATEST', place)
  }

  /** These operations say in their own words that there is no such function (spec 02 §2.6). */
  function withEventInvoke(name: string): FunctionRecord {
    if (registry.get(name) !== undefined || declares(name)) return read(name)
    throw new ApiError('ResourceNotFoundException', "The function doesn't exist.")
  }

  async function changeEventInvoke(
    input: InputOf<'PutFunctionEventInvokeConfig'>,
    command: typeof putEventInvoke,
  ): Promise<object> {
    withEventInvoke(input.FunctionName)
    const config = await change(input, (record, world) => command(record, input, world))
    return describedEventInvoke(config, input.FunctionName, input.Qualifier ?? '$LATEST', place)
  }

  async function dryUpdate(input: InputOf<'UpdateFunctionCode'>, code: CodeReference): Promise<object> {
    const updated = await change(input, (record, world) => updateCode(record, input, code, world))
    return describedOwn(input.FunctionName, updated)
  }

  function accountSettings(): object {
    const records = registry.list()
    const reserved = records.reduce((sum, { reservedConcurrency = 0 }) => sum + reservedConcurrency, 0)
    return {
      AccountLimit: {
        TotalCodeSize: TOTAL_CODE_BYTES,
        CodeSizeUnzipped: DEPLOYMENT_LIMITS.unzippedBytes,
        CodeSizeZipped: DEPLOYMENT_LIMITS.zippedBytes,
        ConcurrentExecutions: ACCOUNT_CONCURRENCY,
        UnreservedConcurrentExecutions: Math.max(0, ACCOUNT_CONCURRENCY - reserved),
      },
      AccountUsage: { TotalCodeSize: registry.codeBytes, FunctionCount: records.length },
    }
  }

  // ---------------------------------------------------------------------------------------------------- the operations

  const answers: Answers = {
    ...createLayerAnswers(registry, facts, place),

    async CreateFunction(input) {
      const { FunctionName: name } = input
      const exists = () => new ApiError('ResourceConflictException', `Function already exist: ${name}`)
      if (declares(name) || registry.get(name) !== undefined) throw exists()
      await requireInstalled(firstConfig(input, facts()).runtime)
      const given = await requirePackage(input.Code)
      const answer = await registry.withCode(given, (code) =>
        registry.change(name, (record, before) => {
          if (record !== undefined) throw exists()
          return create(name, input, code, facts(), before)
        }),
      )
      return described(answer, name, arnOf(name))
    },

    async UpdateFunctionCode(input) {
      read(input.FunctionName)
      const given = await requirePackage(input)
      if (input.DryRun === true) return await dryUpdate(input, given.code)
      const answer = await registry.withCode(given, (code) =>
        change(input, (record, world) => updateCode(record, input, code, world)),
      )
      return describedOwn(input.FunctionName, answer)
    },

    async UpdateFunctionConfiguration(input) {
      if (input.Runtime !== undefined) {
        read(input.FunctionName)
        requireRuntime(input.Runtime)
        await requireInstalled(input.Runtime)
      }
      const answer = await change(input, (record, world) =>
        updateConfiguration(record, input, world, options.allowDurableUpdates),
      )
      return describedOwn(input.FunctionName, answer)
    },

    async DeleteFunction(input) {
      const { FunctionName: name, Qualifier: qualifier } = input
      if (qualifier !== undefined) {
        await change(input, (record, world) => deleteVersion(record, qualifier, world))
        return undefined
      }
      read(name)
      await registry.change(name, (record) => {
        if (record === undefined) throw notFound(arnOf(name))
        return { record: undefined, answer: undefined }
      })
      return undefined
    },

    async PublishVersion(input) {
      const answer = await change(input, (record, world) => publish(record, input, world))
      return describedOwn(input.FunctionName, answer)
    },

    ListVersionsByFunction(input) {
      const { latest, published } = read(input.FunctionName)
      const page = pageOf([latest, ...published], ({ version }) => versionPosition(version), input)
      const show = (each: StoredVersion) => listed(each, input.FunctionName, arnOf(input.FunctionName, each.version))
      return pageAs('Versions', page, show)
    },

    async CreateAlias(input) {
      const answer = await change(input, (record, world) => createAlias(record, input, world))
      return describedAlias(answer, input.FunctionName, place)
    },
    GetAlias: ({ FunctionName, Name }) => alias(FunctionName, Name),
    async UpdateAlias(input) {
      const answer = await change(input, (record, world) => updateAlias(record, input, world))
      return describedAlias(answer, input.FunctionName, place)
    },
    DeleteAlias: (input) => change(input, (record) => deleteAlias(record, input.Name)),
    ListAliases(input) {
      const { FunctionName: name, FunctionVersion: of } = input
      const { aliases = [] } = settings(name)
      const pointing = aliases.filter(
        ({ version, other }) => of === undefined || version === of || other?.version === of,
      )
      return pageAs(
        'Aliases',
        pageOf(pointing, ({ name }) => name, input),
        (each) => describedAlias(each, name, place),
      )
    },

    async PutFunctionConcurrency(input) {
      const { ReservedConcurrentExecutions } = input
      await change(input, (record) => reserveConcurrency(record, ReservedConcurrentExecutions))
      return { ReservedConcurrentExecutions }
    },
    GetFunctionConcurrency({ FunctionName }) {
      const { reservedConcurrency } = settings(FunctionName)
      return reservedConcurrency === undefined ? {} : { ReservedConcurrentExecutions: reservedConcurrency }
    },
    async DeleteFunctionConcurrency(input) {
      await change(input, (record) => reserveConcurrency(record, undefined))
      return undefined
    },

    PutFunctionEventInvokeConfig: (input) => changeEventInvoke(input, putEventInvoke),
    UpdateFunctionEventInvokeConfig: (input) => changeEventInvoke(input, updateEventInvoke),
    GetFunctionEventInvokeConfig: ({ FunctionName, Qualifier }) => eventInvoke(FunctionName, Qualifier),
    async DeleteFunctionEventInvokeConfig(input) {
      withEventInvoke(input.FunctionName)
      return await change(input, (record) => deleteEventInvoke(record, input.Qualifier, place))
    },
    ListFunctionEventInvokeConfigs(input) {
      const { FunctionName: name } = input
      const page = pageOf(
        Object.entries(declares(name) ? {} : withEventInvoke(name).eventInvoke),
        ([key]) => key,
        input,
      )
      return pageAs('FunctionEventInvokeConfigs', page, ([key, config]) =>
        describedEventInvoke(config, name, key, place),
      )
    },

    TagResource: ({ Resource, Tags }) => change({ FunctionName: taggedName(Resource) }, (record) => tag(record, Tags)),
    UntagResource: ({ Resource, TagKeys }) =>
      change({ FunctionName: taggedName(Resource) }, (record) => untag(record, TagKeys)),
    ListTags: ({ Resource }) => ({ Tags: settings(taggedName(Resource)).tags ?? {} }),

    GetAccountSettings: accountSettings,

    async AddPermission(input) {
      return { Statement: await change(input, (record, world) => addPermission(record, input, world)) }
    },
    RemovePermission: (input) => change(input, (record, world) => removePermission(record, input, world)),
    GetPolicy({ FunctionName, Qualifier }) {
      const { json, revisionId } = policyAt(read(FunctionName, Qualifier), Qualifier, place)
      return { Policy: json, RevisionId: revisionId }
    },

    async PutProvisionedConcurrencyConfig(input) {
      return describedProvisioned(await change(input, (record, world) => provision(record, input, world)))
    },
    GetProvisionedConcurrencyConfig: ({ FunctionName, Qualifier }) =>
      describedProvisioned(provisionedAt(read(FunctionName, Qualifier), Qualifier, place)),
    DeleteProvisionedConcurrencyConfig: (input) =>
      change(input, (record) => unprovision(record, input.Qualifier, place)),

    async PutRuntimeManagementConfig(input) {
      const updates = await change(input, (record) => setRuntimeUpdates(record, input, place))
      return describedRuntimeUpdates(updates, input.FunctionName, input.Qualifier ?? '$LATEST', place)
    },
    GetRuntimeManagementConfig({ FunctionName, Qualifier }) {
      const record = read(FunctionName, Qualifier)
      const key = knownQualifier(record, Qualifier, place)
      return describedRuntimeUpdates(record.runtimeUpdates[key], FunctionName, key, place)
    },

    async PutFunctionRecursionConfig(input) {
      return { RecursiveLoop: await change(input, (record) => setRecursiveLoop(record, input.RecursiveLoop)) }
    },
    GetFunctionRecursionConfig: ({ FunctionName }) => ({
      RecursiveLoop: settings(FunctionName).recursiveLoop ?? 'Terminate',
    }),

    // Code is not signed here; deployment tools ask all the same.
    GetFunctionCodeSigningConfig({ FunctionName }) {
      settings(FunctionName)
      return { CodeSigningConfigArn: '', FunctionName }
    },
  }

  return {
    async perform(name, input) {
      return await answers[name](input)
    },
    getFunction,
    has: (name) => registry.get(name) !== undefined && !declares(name),
    listed: () => registry.list().flatMap((record) => (declares(record.name) ? [] : listedVersions(record))),
    packageOf: (sha256) => registry.packageOf(sha256),
  }
}

const listedVersions = ({ name, latest, published }: FunctionRecord): readonly ListedVersion[] =>
  [latest, ...published].map((each) => ({
    name,
    version: each.version,
    configuration: (arn) => listed(each, name, arn),
  }))

function pageAs<Item>(member: string, { items, next }: Page<Item>, show: (item: Item) => object): object {
  return { [member]: items.map(show), ...next }
}

const isDeclared = (name: string): ApiError =>
  invalidParameter(
    `The function ${name} is declared in the configuration of this server: it is changed there, and has no settings but those.`,
  )
