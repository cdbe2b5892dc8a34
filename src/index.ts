/**
 * The embedding API: one call that puts the rooms together and runs a Perdure server in this process.
 * The command line is a thin layer over it.
 */
import { assemble, type LogOptions } from './assembly.ts'
import type { FunctionDeclaration } from './functions/declaration.ts'
import { createLocalFunctions } from './functions/local-functions.ts'
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
  /** The server's own log, on standard error. Default: `text` on a terminal, else `json`; level `info`. */
  readonly log?: LogOptions
}

export interface RunningPerdure {
  /** `http://host:port`. */
  readonly endpoint: string
  /** Stops accepting, drains for at most `graceMs` (default 10 s), ends function processes, closes the store. */
  close(graceMs?: number): Promise<void>
}

/**
 * Starts a server. Rejects with one clear error when the port is used, the data directory is locked, or a function
 * cannot be loaded (`DeclarationError`).
 */
export async function startPerdure({ functions, ...options }: PerdureOptions): Promise<RunningPerdure> {
  const { endpoint, close } = await assemble({
    ...options,
    functions: (site) => createLocalFunctions({ ...site, declarations: functions }),
  })
  return { endpoint, close }
}

export { defineConfig, type PerdureConfig } from './functions/config.ts'
export type { FunctionDeclaration } from './functions/declaration.ts'
export type { Place } from './protocol/arn.ts'
export type { Limits } from './protocol/limits.ts'
