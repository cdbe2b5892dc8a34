/** A stack as it is to be, read from a template, a CDK assembly or a configuration; nothing in it depends on a server. */
import type { MembersOf } from '../client/requests.ts'
import type { Place } from './template/node.ts'
import type { UsedStandIn } from './template/template.ts'

export interface DesiredStack {
  readonly name: string
  readonly layers: readonly DesiredLayer[]
  readonly functions: readonly DesiredFunction[]
  readonly ignored: readonly Ignored[]
  readonly standIns: readonly UsedStandIn[]
}

/** What of the template is not deployed. */
export interface Ignored {
  readonly place: Place | undefined
  /** `Orders.Events.Api`, `OrdersTable`. */
  readonly what: string
  readonly type: string
  readonly reason: string
}

/** All that UpdateFunctionConfiguration can set. */
export type Configuration = Omit<MembersOf<'UpdateFunctionConfiguration'>, 'functionName' | 'revisionId'>

export interface DesiredFunction {
  readonly logicalId: string
  /** Undefined for one that was declared in a program. */
  readonly place: Place | undefined
  readonly name: string
  readonly configuration: Configuration & { readonly role: string; readonly runtime: string; readonly handler: string }
  readonly architecture: 'x86_64' | 'arm64' | undefined
  readonly perTenant: boolean
  /** It is not deleted when the stack no longer has it. */
  readonly isKept: boolean
  readonly tags: Readonly<Record<string, string>>
  readonly source: PackageSource
  readonly reservedConcurrency: number | undefined
  readonly recursiveLoop: 'Allow' | 'Terminate' | undefined
  readonly versions: readonly DesiredVersion[]
  readonly aliases: readonly DesiredAlias[]
  readonly eventInvoke: readonly DesiredEventInvoke[]
  readonly permissions: readonly DesiredPermission[]
}

/** A version of a layer. Configurations of functions name it with a mark, for its number is not known before. */
export interface DesiredLayer {
  readonly logicalId: string
  readonly place: Place
  readonly name: string
  readonly members: Omit<MembersOf<'PublishLayerVersion'>, 'layerName' | 'content'>
  readonly source: PathSource
  /** The folder in the package that the runtime looks in, where the build method names one: `python`, `nodejs`. */
  readonly prefix: string | undefined
}

/** Which version is meant, where its number may not be known yet. */
export type VersionReference =
  | { readonly kind: 'number'; readonly version: string }
  /** The one that a resource of the template publishes. */
  | { readonly kind: 'published'; readonly logicalId: string }
  /** The one that has the code and configuration that are deployed (AutoPublishAlias). */
  | { readonly kind: 'current' }

export interface DesiredVersion {
  readonly logicalId: string
  readonly description: string | undefined
}

export interface DesiredAlias {
  readonly logicalId: string
  readonly name: string
  readonly version: VersionReference
  readonly description: string
  readonly other: { readonly version: VersionReference; readonly weight: number } | undefined
  readonly provisionedConcurrency: number | undefined
}

export interface DesiredEventInvoke {
  /** `$LATEST`, an alias, or a version. */
  readonly qualifier: string | VersionReference
  readonly maximumRetryAttempts: number | undefined
  readonly maximumEventAgeInSeconds: number | undefined
  readonly onSuccess: string | undefined
  readonly onFailure: string | undefined
}

export interface DesiredPermission {
  readonly logicalId: string
  readonly qualifier: string | VersionReference | undefined
  readonly statement: Omit<MembersOf<'AddPermission'>, 'functionName' | 'qualifier' | 'statementId' | 'revisionId'>
}

/** Where the package of a function comes from. */
export type PackageSource =
  | { readonly kind: 'inline'; readonly text: string }
  | PathSource
  /** A module, bundled to `index.mjs`. */
  | { readonly kind: 'module'; readonly file: string }

export interface PathSource {
  readonly kind: 'path'
  /** Absolute: a folder, a zip or a jar. */
  readonly path: string
  readonly place: Place | undefined
  readonly build: Build
}

export type Build =
  | { readonly method: 'by-runtime' }
  /** By another tool: the folder is the package. */
  | { readonly method: 'built' }
  | { readonly method: 'esbuild'; readonly options: EsbuildOptions; readonly place: Place }
  | { readonly method: 'makefile'; readonly place: Place }
  /** A method that is not run here; what it makes may be there already. */
  | { readonly method: 'other'; readonly name: string; readonly place: Place }

/** BuildProperties of SAM's esbuild method, by SAM's names. */
export interface EsbuildOptions {
  readonly EntryPoints?: readonly string[]
  readonly External?: readonly string[]
  readonly MainFields?: readonly string[]
  readonly Loader?: readonly string[]
  readonly OutExtension?: readonly string[]
  readonly Format?: string
  readonly Target?: string
  readonly Minify?: boolean
  readonly Sourcemap?: boolean
  readonly SourcesContent?: boolean
  readonly KeepNames?: boolean
  readonly TreeShaking?: boolean
}
