/**
 * The functions that were created through the API, as things that can be invoked: which version a name and qualifier
 * mean, how a process of it is started, and what a change of a record means for the processes that there are.
 */
import { availableParallelism } from 'node:os'
import { functionArn, type Place } from '../../protocol/arn.ts'
import type {
  AsynchronousSettings,
  DeletableVersion,
  Entropy,
  Functions,
  FunctionVersion,
} from '../../service/ports.ts'
import type { Launch } from '../launch.ts'
import { loggingOf } from '../logging.ts'
import type { Pool } from '../pool.ts'
import { drawVersion } from '../registry/aliases.ts'
import type { RegisteredFunctions } from '../registry/ports.ts'
import {
  aliasOf,
  type FunctionRecord,
  generationOf,
  newestPublished,
  type StoredConfig,
  type StoredVersion,
  versionOf,
} from '../registry/record.ts'
import type { Deployment, RuntimeSite } from '../runtimes/family.ts'
import { launchDeployment } from '../runtimes/runtimes.ts'
import type { CodeFolders, Packages } from './code-folders.ts'

export interface DeployedFunctions {
  resolve(name: string, qualifier: string | undefined): FunctionVersion | undefined
  /** As `Functions.wasDeleted` says it, of functions that are not declared. */
  wasDeleted(version: DeletableVersion): boolean
  /** Every `$LATEST`. */
  list(): readonly FunctionVersion[]
  /** The variables that the version was given. */
  environmentOf(version: FunctionVersion): Readonly<Record<string, string>>
  /** As the port says. */
  readonly asynchronous: NonNullable<Functions['asynchronous']>
  /** How a process of the version is started; its folder stays until `release`. */
  launch(version: FunctionVersion): HeldLaunch
  /** Brings the pool up to date with the record of a function, as it is now. */
  follow(name: string, pool: Pool): void
}

export interface HeldLaunch {
  readonly launch: () => Promise<Launch>
  readonly release: () => void
}

export interface DeployedFunctionsOptions {
  readonly registered: RegisteredFunctions
  readonly folders: CodeFolders
  readonly site: RuntimeSite
  readonly place: Place
  readonly entropy: Entropy
}

interface DeployedVersion {
  readonly stored: StoredVersion
  readonly version: FunctionVersion
  /** Processes that are kept ready: provisioned for the version, or for an alias that means it. */
  readonly warm: number
}

interface DeployedFunction {
  readonly record: FunctionRecord
  /** By `$LATEST` and numbers. */
  readonly versions: ReadonlyMap<string, DeployedVersion>
}

/** Knows nothing until it is told to `follow`. */
export function createDeployedFunctions(options: DeployedFunctionsOptions): DeployedFunctions {
  const { registered, folders, site, place, entropy } = options
  const functions = new Map<string, DeployedFunction>()

  return {
    resolve: (name, qualifier = '$LATEST') => {
      const deployed = functions.get(name)
      if (deployed === undefined) return undefined
      const { record, versions } = deployed
      const known = versions.get(qualifier)
      if (known !== undefined) return known.version
      const alias = aliasOf(record, qualifier)
      const meant =
        qualifier === '$LATEST.PUBLISHED'
          ? newestPublished(record)?.version
          : alias && drawVersion(alias, uniform(entropy))
      return meant === undefined ? undefined : versions.get(meant)?.version
    },

    wasDeleted: ({ name, version, generation }) => {
      const record = registered.get(name)
      const newest = record === undefined ? (registered.deleted(name)?.deleted.generation ?? 0) : generationOf(record)
      const isThere = record !== undefined && versionOf(record, version) !== undefined
      if (generation === undefined) return newest > 1 || (newest === 1 && !isThere)
      return generation < newest || (generation === newest && !isThere)
    },

    list: () => [...functions.values()].flatMap(({ versions }) => versions.get('$LATEST')?.version ?? []),

    environmentOf: ({ name, version }) => functions.get(name)?.versions.get(version)?.stored.config.environment ?? {},

    asynchronous: ({ name, qualifier, version }) => {
      const deployed = functions.get(name)
      if (deployed === undefined) return {}
      const settings: AsynchronousSettings = deployed.record.eventInvoke[qualifier] ?? {}
      const deadLetterTarget = deployed.versions.get(version)?.stored.config.deadLetterTarget
      // An empty one takes away what was there.
      return { ...settings, ...(deadLetterTarget ? { deadLetterTarget } : undefined) }
    },

    launch: ({ name, version }) => {
      const stored = functions.get(name)?.versions.get(version)?.stored
      if (stored === undefined) {
        const gone = Promise.reject<Launch>(new Error(`There is no version ${version} of function "${name}" any more`))
        gone.catch(() => {
          // Told to whoever asks for it.
        })
        return { launch: () => gone, release: () => {} }
      }
      const code = folders.hold([stored.code])
      const packages = layersOf(stored)
      const layers = packages === undefined ? undefined : folders.hold(packages)
      return {
        launch: async () =>
          launchDeployment(deploymentOf(stored.config, await code.path, await layers?.path, site), site),
        release: () => {
          code.release()
          layers?.release()
        },
      }
    },

    follow: (name, pool) => {
      const before = functions.get(name)?.versions
      const record = registered.get(name)
      const after = record && deployedOf(record, place)
      if (after === undefined) functions.delete(name)
      else functions.set(name, after)

      for (const [number, { version }] of before ?? []) if (!after?.versions.has(number)) pool.remove(version)
      for (const [number, { version, stored, warm }] of after?.versions ?? []) {
        const previous = before?.get(number)
        if (previous?.stored.revisionId !== stored.revisionId) pool.replace(version)
        else if (previous.version.concurrency !== version.concurrency) pool.rebound(version)
        if ((previous?.warm ?? 0) !== warm) pool.keepWarm(version, warm)
      }
      // What both name is kept first, so that nothing goes that is wanted again.
      for (const { stored } of after?.versions.values() ?? []) for (const each of packagesOf(stored)) folders.keep(each)
      for (const { stored } of before?.values() ?? []) for (const each of packagesOf(stored)) folders.letGo(each)
    },
  }
}

function deployedOf(record: FunctionRecord, place: Place): DeployedFunction {
  const concurrency = record.reservedConcurrency ?? 2 * availableParallelism()
  const deployed = (stored: StoredVersion): DeployedVersion => {
    const { version, config } = stored
    const perTenant = config.perTenant === true
    return {
      stored,
      // A process belongs to a tenant from its start, so none can be kept for whoever comes.
      warm: perTenant ? 0 : provisionedFor(record, version),
      version: {
        name: record.name,
        version,
        generation: generationOf(record),
        arn: functionArn(place, record.name, version),
        timeoutSeconds: config.timeoutSeconds,
        memoryMb: config.memoryMb,
        concurrency,
        durable: config.durable,
        perTenant,
        logging: loggingOf(record.name, config.logging),
      },
    }
  }
  const versions = [record.latest, ...record.published].map((stored) => [stored.version, deployed(stored)] as const)
  return { record, versions: new Map(versions) }
}

function provisionedFor(record: FunctionRecord, version: string): number {
  const qualifiers = Object.entries(record.provisioned)
  return qualifiers
    .filter(([qualifier]) => qualifier === version || aliasOf(record, qualifier)?.version === version)
    .reduce((sum, [, { requested }]) => sum + requested, 0)
}

function deploymentOf(
  { runtime, handler, memoryMb, environment = {}, ephemeralStorageMb: temporaryMb }: StoredConfig,
  taskRoot: string,
  layersRoot: string | undefined,
  { isolation: { hides } }: RuntimeSite,
): Deployment {
  const seen = hides ? { taskRoot: '/var/task', layersRoot: layersRoot && '/opt' } : { taskRoot, layersRoot }
  const code = { from: taskRoot, at: seen.taskRoot }
  const mounts = layersRoot && seen.layersRoot ? [code, { from: layersRoot, at: seen.layersRoot }] : [code]
  return { runtime, handler, memoryMb, environment, taskRoot, layersRoot, seen, mounts, temporaryMb, defaults: {} }
}

function layersOf({ config: { layers = [] } }: StoredVersion): Packages | undefined {
  const [first, ...others] = layers.map(({ code }) => code)
  return first === undefined ? undefined : [first, ...others]
}

/** Its code, and its layers over each other. */
function packagesOf(stored: StoredVersion): readonly Packages[] {
  const layers = layersOf(stored)
  return layers === undefined ? [[stored.code]] : [[stored.code], layers]
}

/** From 0 to below 1. */
const uniform = (entropy: Entropy): number => Number.parseInt(entropy.hex(6), 16) / 2 ** 48
