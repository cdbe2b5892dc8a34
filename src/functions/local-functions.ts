/**
 * The functions room: what can be invoked on this machine and the processes that run it. It offers the service the
 * `Functions` and `Logs` ports. `catalog.ts` says what there is, `pool.ts` who runs where, `sandbox.ts` is one
 * process, `runtime-api.ts` what the process talks to, `bootstrap/` what runs in it.
 *
 * Processes live in real time: they are given the system's clock and timers even where the service's clock is manual
 * or skips (decision 24), because the deadline in a function is measured with the machine's clock.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Place } from '../protocol/arn.ts'
import type { Clock, Entropy, Functions, FunctionVersion, Logs, Timers } from '../service/ports.ts'
import { createBundler } from './bundle.ts'
import { buildCatalog, type CatalogEntry } from './catalog.ts'
import type { FunctionDeclaration } from './declaration.ts'
import { openLogStore } from './log-store.ts'
import { createPool } from './pool.ts'
import { isDurable } from './probe.ts'
import { openProcessRecords } from './process-records.ts'
import { type SandboxHost, startSandbox } from './sandbox.ts'
import { startWatchdog } from './watchdog.ts'

export interface LocalFunctionsOptions {
  readonly declarations: readonly FunctionDeclaration[]
  readonly place: Place
  /** Answers the Lambda API calls that functions make. */
  readonly lambdaApi: RequestListener
  /** Where bundles, logs and process records are kept. Undefined: logs in memory, bundles in a temporary directory. */
  readonly dataDirectory: string | undefined
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  /** Processes of all functions together. Default: 8 × cores, at least 16, at least the largest declared concurrency. */
  readonly processLimit?: number
  /** How long a process may load its handler. Default 30 s. */
  readonly initLimitMs?: number
  /** Lets debuggers attach to function processes, which then have no deadlines (decision 22). Default false. */
  readonly inspect?: boolean
  /** How long a process may be idle before it ends. Default 5 minutes. */
  readonly idleMs?: number
}

export interface LocalFunctions extends Functions {
  readonly logs: Logs
  /** Ends all processes; invocations that still run end with a platform failure. */
  close(): Promise<void>
}

const defaultInitLimitMs = 30_000
const defaultIdleMs = 300_000

/** Rejects with a DeclarationError when a declaration cannot be served. */
export async function createLocalFunctions(options: LocalFunctionsOptions): Promise<LocalFunctions> {
  const { clock, timers, entropy, place, dataDirectory } = options
  const initLimitMs = options.initLimitMs ?? defaultInitLimitMs
  const below = (name: string): string | undefined =>
    dataDirectory === undefined ? undefined : join(dataDirectory, name)
  const temporary = dataDirectory === undefined ? await mkdtemp(join(tmpdir(), 'perdure-')) : undefined
  const codeDirectory = join(temporary ?? dataDirectory ?? '', 'code')
  const compileCache = join(codeDirectory, 'compiled')
  const bundler = createBundler(codeDirectory)

  const records = openProcessRecords(below('processes'))
  const watchdog = startWatchdog()
  const logs = openLogStore(below('logs'))
  const dispose = async (): Promise<void> => {
    await Promise.all([watchdog.close(), logs.close()])
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true })
  }

  let catalog: ReadonlyMap<string, CatalogEntry>
  let bootstrapFile: string
  try {
    bootstrapFile = await bundler.bootstrap()
    const probeHost = {
      bootstrapFile,
      compileCache,
      region: place.region,
      clock,
      timers,
      watchdog,
      limitMs: initLimitMs,
    }
    catalog = await buildCatalog(options.declarations, {
      place,
      bundle: bundler.handler,
      isDurable: (name, code) => isDurable(probeHost, name, code),
    })
    await bundler.discardOthers()
  } catch (error) {
    await dispose()
    throw error
  }

  const host: SandboxHost = {
    region: place.region,
    lambdaApi: options.lambdaApi,
    clock,
    timers,
    entropy,
    watchdog,
    records,
    log: (record) => logs.write(record),
    bootstrapFile,
    compileCache,
    initLimitMs,
    inspect: options.inspect ?? false,
  }
  const pool = createPool({
    start: (version, events) => startSandbox(host, version, codeOf(catalog, version), events),
    clock,
    timers,
    processLimit: options.processLimit ?? defaultProcessLimit(catalog),
    idleMs: options.idleMs ?? defaultIdleMs,
  })

  return {
    resolve: (name, qualifier) => {
      const version = catalog.get(name)?.version
      return qualifier === undefined || qualifier === version?.version ? version : undefined
    },
    list: () => [...catalog.values()].map(({ version }) => version),
    reserve: (version, tenantId, signal) => pool.reserve(version, tenantId, signal),
    // The functions of this version never change while the server runs, so there is nothing to call back about.
    onChange: () => {},
    logs,
    close: async () => {
      await pool.close()
      await dispose()
    },
  }
}

function codeOf(catalog: ReadonlyMap<string, CatalogEntry>, version: FunctionVersion): CatalogEntry['code'] {
  const entry = catalog.get(version.name)
  if (entry === undefined) throw new Error(`Function "${version.name}" is not in the catalog it came from`)
  return entry.code
}

function defaultProcessLimit(catalog: ReadonlyMap<string, CatalogEntry>): number {
  const declared = [...catalog.values()].map(({ version }) => version.concurrency)
  return Math.max(16, 8 * availableParallelism(), ...declared)
}
