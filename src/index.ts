/**
 * The embedding API: one call that puts the rooms together and runs a Perdure server in this process.
 * The command line is a thin layer over it.
 */
import { assemble, type LogOptions } from './assembly.ts'
import type { FunctionDeclaration } from './functions/declaration.ts'
import type { IsolationKind } from './functions/isolation/isolation.ts'
import { createLocalFunctions, type LocalFunctions, type Reloaded } from './functions/local-functions.ts'
import type { LogKeeping } from './functions/log-keeping.ts'
import type { Place } from './protocol/arn.ts'
import type { Limits } from './protocol/limits.ts'

export interface PerdureOptions {
  /** Default `127.0.0.1`. A non-loopback address is refused (decision 26). */
  readonly host?: string
  /** Default 7077; 0 takes any free port. */
  readonly port?: number
  /** Where the database, code and logs live; `memory` keeps executions in memory only. Default `./.perdure`. */
  readonly data?: string | { readonly kind: 'memory' }
  readonly functions: readonly FunctionDeclaration[]
  readonly place?: Partial<Place>
  readonly limits?: Partial<Limits>
  /** `manual`: time stands still but for `advance` (tests only). `skip`: jumps to the next timer whenever nothing runs. */
  readonly clock?: 'system' | 'manual' | 'skip'
  /** Treat an unqualified Invoke of a durable function as `$LATEST` instead of refusing it. Default false. */
  readonly allowUnqualified?: boolean
  /**
   * A function that was created through the API may be made durable afterwards; the real service permits that at its
   * creation only. Default false.
   */
  readonly allowDurableUpdates?: boolean
  /**
   * Programs that run functions of other languages, by runtime (`python3.13`) or family (`python`, `java`); `java-client`
   * is a folder with the jars of the runtime interface client. Default: `python3.13` and the like, `python3`, `java`.
   */
  readonly runtimes?: Readonly<Record<string, string>>
  /** How much of what functions print is kept on disk, and for how long. Default: 14 days, 1,024 MB. */
  readonly functionLogs?: LogKeeping
  /**
   * `bubblewrap`: function processes see only what they need of the machine; the start is refused where that cannot be
   * done. `auto`: so where it can be done. Default `none`.
   */
  readonly isolation?: IsolationKind
  /**
   * What destinations mean that are no functions of this server and no URLs: from the ARN of a queue, topic or event bus
   * (`*` at its end stands for any rest) to the URL of a webhook or a function. What is delivered to others is dropped,
   * and the log says so.
   */
  readonly destinations?: Readonly<Record<string, string>>
  /** URLs of webhooks, and functions, that are told when an execution starts and when it ends. Default: none. */
  readonly events?: readonly string[]
  /** The server's own log, on standard error. Default: `text` on a terminal, else `json`; level `info`. */
  readonly log?: LogOptions
  /** Lets debuggers attach to function processes, which then have no deadlines. Default false. */
  readonly inspect?: boolean
  /** `reload` will be called: handlers in plain JavaScript are then bundled as those in TypeScript are. Default false. */
  readonly reloadable?: boolean
}

export interface RunningPerdure {
  /** `http://host:port`. */
  readonly endpoint: string
  /**
   * Serves these functions from now on, with their sources as they are now: invocations that run end with the code they
   * have, new ones get the new code. What cannot be served keeps the code that it had. Calls must not overlap.
   */
  reload(functions: readonly FunctionDeclaration[]): Promise<Reloaded>
  /** What function processes see of the machine: with `auto`, what was found to work. */
  readonly isolation: 'none' | 'bubblewrap'
  /** The folders that the sources of the functions lie in. */
  sourceFolders(): readonly string[]
  /** Stops accepting, drains for at most `graceMs` (default 10 s), ends function processes, closes the store. */
  close(graceMs?: number): Promise<void>
}

/**
 * Starts a server. Rejects with one clear error when the port is used, the data directory is locked, or a function
 * cannot be loaded (`DeclarationError`).
 */
export async function startPerdure(options: PerdureOptions): Promise<RunningPerdure> {
  const { functions: declarations, inspect = false, reloadable = false } = options
  const { runtimes = {}, isolation = 'none', functionLogs = {} } = options
  const opened = Promise.withResolvers<LocalFunctions>()
  const { endpoint, close } = await assemble({
    ...options,
    functions: async (site) => {
      const given = { declarations, inspect, reloadable, runtimes, isolation, functionLogs }
      const functions = await createLocalFunctions({ ...site, ...given })
      opened.resolve(functions)
      return functions
    },
  })
  const { reload, sourceFolders, isolated } = await opened.promise
  return { endpoint, isolation: isolated ? 'bubblewrap' : 'none', reload, sourceFolders, close }
}

export { defineConfig, type PerdureConfig } from './functions/config.ts'
export type { FunctionDeclaration } from './functions/declaration.ts'
export type { IsolationKind } from './functions/isolation/isolation.ts'
export type { Reloaded } from './functions/local-functions.ts'
export type { LogKeeping } from './functions/log-keeping.ts'
export type { Place } from './protocol/arn.ts'
export type { Limits } from './protocol/limits.ts'
