/**
 * The functions room: what can be invoked on this machine and the processes that run it. It offers the service the
 * `Functions` and `Logs` ports. `catalog.ts` says what is declared, `deployed/` what was created through the API (whose
 * records `registry/` keeps), `pool.ts` who runs where, `sandbox.ts` is one process, `runtimes/` how it is started,
 * `runtime-api.ts` what it talks to, `bootstrap/` what runs in it when it runs Node, and `workers/` the processes that run
 * elsewhere.
 *
 * Processes live in real time: they are given the system's clock and timers even where the service's clock is manual
 * or skips (decision 24), because the deadline in a function is measured with the machine's clock.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage, RequestListener } from 'node:http'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Duplex } from 'node:stream'
import type { Place } from '../protocol/arn.ts'
import type {
  AttachedWorker,
  Clock,
  Entropy,
  FunctionLoad,
  Functions,
  FunctionVersion,
  Logs,
  ServiceLog,
  Timers,
} from '../service/ports.ts'
import { createBundler } from './bundle.ts'
import { buildCatalog, type CatalogEntry, type CatalogPorts, type RefusedChange, rebuildCatalog } from './catalog.ts'
import type { FunctionDeclaration } from './declaration.ts'
import { openCodeFolders } from './deployed/code-folders.ts'
import { createDeployedFunctions, type DeployedFunctions } from './deployed/deployed-functions.ts'
import { watchFootprints } from './footprints.ts'
import { openIsolation } from './isolation/bubblewrap.ts'
import type { Isolation, IsolationKind } from './isolation/isolation.ts'
import { type LogKeeping, logBounds } from './log-keeping.ts'
import { openLogStore } from './logs/log-store.ts'
import { createPool, mostProcesses } from './pool.ts'
import { isDurable } from './probe.ts'
import { openProcessRecords } from './process-records.ts'
import type { RegisteredFunctions } from './registry/ports.ts'
import type { RuntimeSite } from './runtimes/family.ts'
import { launchNode, type NodeBootstrap } from './runtimes/node-process.ts'
import { type ConfiguredPrograms, createPrograms } from './runtimes/programs.ts'
import { pythonBootstrap } from './runtimes/python-bootstrap.ts'
import { missingRuntime } from './runtimes/runtimes.ts'
import { type Sandbox, type SandboxEvents, type SandboxHost, startSandbox } from './sandbox.ts'
import { startWatchdog } from './watchdog.ts'
import { type AttachedWorkers, createAttachedWorkers } from './workers/attached-workers.ts'
import type { Settings } from './workers/messages.ts'

export interface LocalFunctionsOptions {
  readonly declarations: readonly FunctionDeclaration[]
  /** Functions that were created through the API, served beside the declared ones. A declared name wins. */
  readonly registered?: RegisteredFunctions
  /** Programs that run functions of other languages than Node, by family or runtime. Default: those on the PATH. */
  readonly runtimes?: ConfiguredPrograms
  /** Default: 14 days, 1 GB. */
  readonly functionLogs?: LogKeeping
  readonly place: Place
  /** Answers the Lambda API calls that functions make. */
  readonly lambdaApi: RequestListener
  /** Where bundles, logs and process records are kept. Undefined: logs in memory, bundles in a temporary directory. */
  readonly dataDirectory: string | undefined
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  /** Told of workers that come and go. Default: nobody wants to know. */
  readonly log?: ServiceLog
  /** Processes of all functions together. Default: 8 × cores, at least 16, at least the largest declared concurrency. */
  readonly processLimit?: number
  /** How long a process may load its handler. Default 30 s. */
  readonly initLimitMs?: number
  /** Lets debuggers attach to function processes, which then have no deadlines (decision 22). Default false. */
  readonly inspect?: boolean
  /** What function processes see of the machine. Default `none`: everything. */
  readonly isolation?: IsolationKind
  /** How long a process may be idle before it ends. Default 5 minutes. */
  readonly idleMs?: number
  /** `reload` will be called. Handlers in plain JavaScript are then bundled as those in TypeScript are. Default false. */
  readonly reloadable?: boolean
}

export interface LocalFunctions extends Functions {
  readonly logs: Logs
  /** Function processes see only what they need of the machine. */
  readonly isolated: boolean
  /** Whether a function of this name is declared: it comes before one that was created through the API. */
  declares(name: string): boolean
  /** What is to be installed before functions of this runtime can run on this machine; undefined: nothing. */
  missingRuntime(runtime: string): Promise<string | undefined>
  heldBecause(version: FunctionVersion): string | undefined
  /** What the pools do now, for metrics. */
  loads(): readonly FunctionLoad[]
  /** Takes over the connection of a request to attach a worker. Throws an `ApiError` that says why not. */
  attach(request: IncomingMessage, socket: Duplex, head: Buffer): void
  workers(): readonly AttachedWorker[]
  lostWorkers(): ReadonlyMap<string, number>
  /**
   * Serves these declarations from now on, with their sources as they are now. Invocations that run end with the code
   * they have; new ones get the new code. What cannot be served keeps the code that it had. Calls do not overlap.
   */
  reload(declarations: readonly FunctionDeclaration[]): Promise<Reloaded>
  /** Where the sources of the functions lie: `reload` makes sense when a file in one of these folders has changed. */
  sourceFolders(): readonly string[]
  /** Ends all processes; invocations that still run end with a platform failure. */
  close(): Promise<void>
}

export interface Reloaded {
  /** Names of functions that are new, gone or run other code or settings than before. */
  readonly changed: readonly string[]
  /** What could not be served as it is. */
  readonly refused: readonly RefusedChange[]
}

const defaultInitLimitMs = 30_000
const defaultIdleMs = 300_000

/** Rejects with a DeclarationError when a declaration cannot be served. */
export async function createLocalFunctions(options: LocalFunctionsOptions): Promise<LocalFunctions> {
  const { clock, timers, entropy, place, dataDirectory } = options
  const { initLimitMs = defaultInitLimitMs, inspect = false, registered } = options
  const programs = createPrograms(options.runtimes)
  const below = (name: string): string | undefined =>
    dataDirectory === undefined ? undefined : join(dataDirectory, name)
  const temporary = dataDirectory === undefined ? await mkdtemp(join(tmpdir(), 'perdure-')) : undefined
  const codeDirectory = join(temporary ?? dataDirectory ?? '', 'code')
  const compileCache = join(codeDirectory, 'compiled')
  const bundler = createBundler(codeDirectory, options.reloadable ?? false)

  const records = openProcessRecords(below('processes'))
  const watchdog = startWatchdog({ clock, timers })
  const footprints = watchFootprints({ clock, timers })
  const logs = openLogStore({ directory: below('logs'), bounds: logBounds(options.functionLogs ?? {}), clock, timers })
  const dispose = async (): Promise<void> => {
    footprints.close()
    await Promise.all([watchdog.close(), logs.close()])
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true })
  }

  let catalog: ReadonlyMap<string, CatalogEntry>
  let bootstrap: NodeBootstrap
  let isolation: Isolation
  let deployed: DeployedFunctions | undefined
  let catalogPorts: CatalogPorts
  try {
    isolation = await openIsolation({
      kind: options.isolation ?? 'none',
      hidden: resolve(temporary ?? dataDirectory ?? ''),
      directory: join(codeDirectory, 'isolation'),
    })
    const bootstrapFile = await bundler.bootstrap()
    bootstrap = isolation.hides
      ? { file: { from: bootstrapFile, at: '/var/runtime/bootstrap.mjs' }, compileCache: undefined }
      : { file: { from: bootstrapFile, at: bootstrapFile }, compileCache }
    const probeHost = {
      bootstrap,
      isolation,
      region: place.region,
      clock,
      timers,
      watchdog,
      limitMs: initLimitMs,
    }
    catalogPorts = {
      place,
      bundle: bundler.handler,
      isDurable: onceFor((name, code) => isDurable(probeHost, name, code)),
    }
    catalog = await buildCatalog(options.declarations, catalogPorts)
    await bundler.discardOthers()
    if (registered !== undefined)
      deployed = await deployedFrom(registered, options, { bootstrap, programs, isolation, codeDirectory, inspect })
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
    footprints,
    isolation,
    log: (record) => logs.write(record),
    initLimitMs,
    inspect,
  }
  const start = (version: FunctionVersion, events: SandboxEvents): Sandbox => {
    const { memoryMb, maxConcurrency = 1 } = version
    const code = catalog.get(version.name)?.code
    if (code !== undefined) {
      const process = { mode: 'serve', memoryMb, maxConcurrency, inspect } as const
      return startSandbox(host, version, async () => launchNode(bootstrap, code, process), events)
    }
    if (deployed === undefined) throw new Error(`Function "${version.name}" is not declared any more`)
    const { launch, release } = deployed.launch(version)
    const ended: SandboxEvents['ended'] = (failure) => {
      release()
      events.ended(failure)
    }
    return startSandbox(host, version, launch, { ...events, ended })
  }
  const pool = createPool({
    start,
    startsHere: (version) => !isRemote(version) && !workers.serve(version),
    clock,
    timers,
    processLimit: options.processLimit ?? defaultProcessLimit(catalog),
    idleMs: options.idleMs ?? defaultIdleMs,
  })

  const changeListeners: (() => void)[] = []
  const tellChanged = (): void => {
    for (const call of changeListeners) call()
  }
  const isRemote = ({ name }: FunctionVersion): boolean => {
    const entry = catalog.get(name)
    return entry !== undefined && entry.code === undefined
  }
  const settingsOf = (name: string, qualifier: string): Settings | undefined => {
    const version = resolveVersion(name, qualifier)
    if (version === undefined) return undefined
    const environment = catalog.get(name)?.environment ?? deployed?.environmentOf(version) ?? {}
    return { version, environment, region: place.region }
  }
  const workers: AttachedWorkers = createAttachedWorkers({
    clock,
    timers,
    settingsOf,
    pool,
    changed: (version) => {
      pool.reconsider(version)
      tellChanged()
    },
    write: (record) => logs.write(record),
    log: options.log ?? (() => {}),
  })

  for (const { version, warm } of catalog.values()) if (warm > 0) pool.keepWarm(version, warm)

  const follow = (name: string): void => {
    if (!catalog.has(name)) deployed?.follow(name, pool)
    workers.follow()
    tellChanged()
  }
  const reload = async (declarations: readonly FunctionDeclaration[]): Promise<Reloaded> => {
    bundler.forget()
    const previous = catalog
    const rebuilt = await rebuildCatalog(previous, declarations, catalogPorts)
    catalog = rebuilt.catalog
    const changed = changedNames(previous, catalog)
    for (const name of changed) {
      const [entry, gone] = [catalog.get(name), previous.get(name)]
      if (entry !== undefined) {
        pool.replace(entry.version)
        pool.keepWarm(entry.version, entry.warm)
      } else if (gone !== undefined) {
        pool.remove(gone.version)
        // One that was created through the API may have been hidden behind it.
        deployed?.follow(name, pool)
        const behind = deployed?.resolve(name, undefined)
        if (behind !== undefined) pool.replace(behind)
      }
    }
    workers.follow()
    if (changed.length > 0) tellChanged()
    return { changed, refused: rebuilt.refused }
  }

  const resolveVersion: Functions['resolve'] = (name, qualifier) => {
    const declared = catalog.get(name)?.version
    if (declared === undefined) return deployed?.resolve(name, qualifier)
    return qualifier === undefined || qualifier === declared.version ? declared : undefined
  }

  for (const { name } of registered?.list() ?? []) follow(name)
  registered?.onChange(follow)

  return {
    resolve: resolveVersion,
    wasDeleted: (version) => !catalog.has(version.name) && (deployed?.wasDeleted(version) ?? false),
    list: () => [
      ...[...catalog.values()].map(({ version }) => version),
      ...(deployed?.list() ?? []).filter(({ name }) => !catalog.has(name)),
    ],
    reserve: async ({ name, version }, tenantId, signal) => {
      const current = resolveVersion(name, version)
      if (current === undefined) throw new Error(`Version ${version} of function "${name}" was removed`)
      return pool.reserve(current, tenantId, signal)
    },
    asynchronous: (invoked) => catalog.get(invoked.name)?.asynchronous ?? deployed?.asynchronous(invoked) ?? {},
    onChange: (call) => {
      changeListeners.push(call)
    },
    heldBecause: (version) =>
      isRemote(version) && !workers.serve(version) ? 'no worker is attached to it' : undefined,
    logs,
    isolated: isolation.hides,
    declares: (name) => catalog.has(name),
    missingRuntime: (runtime) => missingRuntime(runtime, programs),
    loads: () => pool.loads(),
    attach: workers.attach,
    workers: workers.list,
    lostWorkers: workers.lost,
    reload,
    sourceFolders: () => [
      ...new Set(
        [...catalog.values()].flatMap(({ code }) =>
          code === undefined ? [] : [dirname(code.source.file), ...(code.source.bundledFrom ?? [])],
        ),
      ),
    ],
    close: async () => {
      await Promise.all([workers.close(), pool.close()])
      await dispose()
    },
  }
}

/** Functions whose entry is another one, or is only in one of the catalogs. */
function changedNames(
  before: ReadonlyMap<string, CatalogEntry>,
  after: ReadonlyMap<string, CatalogEntry>,
): readonly string[] {
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].filter((name) => JSON.stringify(before.get(name)) !== JSON.stringify(after.get(name)))
}

/** The same code needs no second look: a bundle is named after its content. */
function onceFor(look: CatalogPorts['isDurable']): CatalogPorts['isDurable'] {
  const answers = new Map<string, boolean>()
  return async (name, code) => {
    const key = JSON.stringify(code)
    const known = code.source.bundle === undefined ? undefined : answers.get(key)
    const answer = known ?? (await look(name, code))
    answers.set(key, answer)
    return answer
  }
}

async function deployedFrom(
  registered: RegisteredFunctions,
  { place, entropy }: LocalFunctionsOptions,
  { codeDirectory, ...site }: Omit<RuntimeSite, 'pythonBootstrap'> & { readonly codeDirectory: string },
): Promise<DeployedFunctions> {
  const from = join(codeDirectory, 'bootstrap.py')
  await writeFile(from, pythonBootstrap)
  const bootstrapOfPython = { from, at: site.isolation.hides ? '/var/runtime/bootstrap.py' : from }
  const folders = await openCodeFolders(join(codeDirectory, 'deployed'), (code) => registered.code(code))
  const runtimeSite = { ...site, pythonBootstrap: bootstrapOfPython }
  return createDeployedFunctions({ registered, folders, site: runtimeSite, place, entropy })
}

function defaultProcessLimit(catalog: ReadonlyMap<string, CatalogEntry>): number {
  const declared = [...catalog.values()].flatMap(({ code, version }) =>
    code === undefined ? [] : mostProcesses(version),
  )
  return Math.max(16, 8 * availableParallelism(), ...declared)
}
