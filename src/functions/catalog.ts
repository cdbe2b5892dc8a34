/**
 * The functions that a server offers: each declaration checked, its handler compiled and, unless it says so itself,
 * looked at for durability. Whatever is wrong is told once, at the start, with cause, consequence and fix.
 */
import { existsSync, realpathSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { functionArn, type Place } from '../protocol/arn.ts'
import { isDestination } from '../protocol/destination.ts'
import { DEFAULT_LIMITS } from '../protocol/limits.ts'
import type { DurableConfig } from '../protocol/shapes.ts'
import type { AsynchronousSettings, FunctionVersion } from '../service/ports.ts'
import type { Bundle } from './bundle.ts'
import type { FunctionDeclaration } from './declaration.ts'
import { DeclarationError } from './declaration-error.ts'
import { declaredLogging, loggingRefusal } from './declared-logging.ts'
import { reservedVariables } from './environment.ts'
import type { Mount } from './launch.ts'
import type { ModuleCode } from './runtimes/node-process.ts'

export interface CatalogEntry {
  readonly version: FunctionVersion
  /** Absent: workers run it. */
  readonly code?: ModuleCode
  /** Variables that it was given. */
  readonly environment: Readonly<Record<string, string>>
  /** Processes that are started before they are needed, and kept. */
  readonly warm: number
  readonly asynchronous: AsynchronousSettings
}

export interface CatalogPorts {
  readonly place: Place
  /** The bundle of a handler that Node cannot load as it is. */
  readonly bundle: (functionName: string, file: string) => Promise<Bundle | undefined>
  /** Asked when a declaration leaves `durable` open. */
  readonly isDurable: (functionName: string, code: ModuleCode) => Promise<boolean>
}

export const moduleExtensions: ReadonlySet<string> = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'])

/** What a durable function gets that declares nothing: long enough for any synchronous Invoke (spec 07 §7.4). */
const generousDurability: DurableConfig = { ExecutionTimeout: 900, RetentionPeriodInDays: DEFAULT_LIMITS.retentionDays }

const durableTimeoutSeconds = 900
const plainTimeoutSeconds = 60
const defaultMemoryMb = 512
const temporaryMb = 512
const remoteConcurrency = 1_000
const maxExecutionSeconds = 31_622_400
const maxRetentionDays = 90

/** By function name, in order of declaration. Rejects with a DeclarationError. */
export async function buildCatalog(
  declarations: readonly FunctionDeclaration[],
  ports: CatalogPorts,
): Promise<ReadonlyMap<string, CatalogEntry>> {
  const entries = new Map<string, CatalogEntry>()
  const build = (declaration: FunctionDeclaration): Promise<CatalogEntry> => buildEntry(declaration, ports)
  for await (const entry of fewAtATime(distinct(declarations), build)) entries.set(entry.version.name, entry)
  return entries
}

export interface RebuiltCatalog {
  readonly catalog: ReadonlyMap<string, CatalogEntry>
  readonly refused: readonly RefusedChange[]
}

/** A declaration that cannot be served as it is now. */
export interface RefusedChange {
  readonly functionName: string
  readonly error: DeclarationError
  /** The function is served as it was before; else there was nothing before. */
  readonly kept: boolean
}

/** Rejects with a DeclarationError only when it cannot be said which function is meant. */
export async function rebuildCatalog(
  previous: ReadonlyMap<string, CatalogEntry>,
  declarations: readonly FunctionDeclaration[],
  ports: CatalogPorts,
): Promise<RebuiltCatalog> {
  const catalog = new Map<string, CatalogEntry>()
  const refused: RefusedChange[] = []
  const build = async (declaration: FunctionDeclaration): Promise<CatalogEntry | RefusedChange> => {
    try {
      return await buildEntry(declaration, ports)
    } catch (error) {
      if (!(error instanceof DeclarationError)) throw error
      const { name: functionName } = declaration
      return { functionName, error, kept: previous.has(functionName) }
    }
  }
  for await (const built of fewAtATime(distinct(declarations), build)) {
    if ('error' in built) refused.push(built)
    const entry = 'error' in built ? previous.get(built.functionName) : built
    if (entry !== undefined) catalog.set(entry.version.name, entry)
  }
  return { catalog, refused }
}

function distinct(declarations: readonly FunctionDeclaration[]): readonly FunctionDeclaration[] {
  const names = new Map<string, FunctionDeclaration>()
  for (const declaration of declarations) {
    refuseDuplicate(names.get(declaration.name), declaration)
    names.set(declaration.name, declaration)
  }
  return [...names.values()]
}

/** Each may compile and start a process. */
async function* fewAtATime<T, R>(items: readonly T[], work: (item: T) => Promise<R>): AsyncIterable<R> {
  for (const group of groupsOf(items, Math.max(2, availableParallelism()))) yield* await Promise.all(group.map(work))
}

function groupsOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const groups: T[][] = []
  for (let start = 0; start < items.length; start += size) groups.push(items.slice(start, start + size))
  return groups
}

async function buildEntry(declaration: FunctionDeclaration, ports: CatalogPorts): Promise<CatalogEntry> {
  checkDeclaration(declaration)
  const { name, file, maxConcurrency = 1, environment = {} } = declaration
  const code =
    file === undefined ? undefined : await moduleCode({ ...declaration, file }, (path) => ports.bundle(name, path))
  const durable = await durabilityOf(declaration, code, ports)
  const concurrency = code === undefined ? remoteConcurrency : 2 * availableParallelism() * maxConcurrency
  return {
    ...(code === undefined ? {} : { code }),
    environment,
    warm: declaration.warm ?? 0,
    asynchronous: declaration.asynchronous ?? {},
    version: {
      name,
      version: '$LATEST',
      arn: functionArn(ports.place, name, '$LATEST'),
      timeoutSeconds: declaration.timeout ?? (durable === undefined ? plainTimeoutSeconds : durableTimeoutSeconds),
      memoryMb: declaration.memory ?? defaultMemoryMb,
      concurrency: declaration.concurrency ?? concurrency,
      ...(declaration.maxConcurrency === undefined ? {} : { maxConcurrency: declaration.maxConcurrency }),
      durable,
      perTenant: declaration.tenancy === 'PER_TENANT',
      ...(declaration.logging === undefined ? {} : { logging: declaredLogging(name, declaration.logging) }),
    },
  }
}

/** How a handler in a module is loaded. `bundle` gives the bundle of one that Node cannot load as it is. */
export async function moduleCode(
  module: Pick<FunctionDeclaration, 'exportName' | 'environment'> & { readonly file: string },
  bundle: (file: string) => Promise<Bundle | undefined>,
): Promise<ModuleCode> {
  // Where Node looks for it in the end, and so the place that the bundle takes.
  const file = realpathSync(resolve(module.file))
  const exportName = module.exportName ?? 'handler'
  const taskRoot = packageOf(file)
  const made = await bundle(file)
  return {
    source: { file, exportName, ...made },
    handler: `${relative(taskRoot, file).slice(0, -extname(file).length)}.${exportName}`,
    taskRoot,
    environment: module.environment ?? {},
    mounts: mountsOf(taskRoot, made),
    temporaryMb,
  }
}

async function durabilityOf(
  declaration: FunctionDeclaration,
  code: ModuleCode | undefined,
  ports: CatalogPorts,
): Promise<DurableConfig | undefined> {
  const { durable } = declaration
  if (durable === false) return undefined
  if (durable !== undefined || code === undefined) return durable
  return (await ports.isDurable(declaration.name, code)) ? generousDurability : undefined
}

/**
 * What a process of the function needs to see, each in its own place: its package, the folders that its bundle was made
 * from, the packages beside all these folders and above, and the bundle.
 */
function mountsOf(taskRoot: string, bundle: Bundle | undefined): readonly Mount[] {
  const folders = [...new Set([taskRoot, ...(bundle?.bundledFrom ?? [])])]
  const paths = folders.filter((each) => !folders.some((other) => each.startsWith(`${other}/`)))
  const packages = new Set(paths.flatMap(aboveWithPackages))
  const files = bundle === undefined ? [] : [bundle.bundle]
  return [...paths, ...packages, ...files].map((path) => ({ from: path, at: path }))
}

/** The `node_modules` of a folder's own, where that is a link to elsewhere, and of those above it. */
function aboveWithPackages(folder: string): readonly string[] {
  const found: string[] = []
  for (let directory = folder; ; directory = dirname(directory)) {
    const packages = join(directory, 'node_modules')
    if (existsSync(packages)) found.push(...new Set([packages, realpathSync(packages)]))
    if (directory === dirname(directory)) return found.filter((each) => !each.startsWith(`${folder}/`))
  }
}

/** The directory of the package that the module belongs to, which is what would be deployed; else the module's own. */
function packageOf(file: string): string {
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    if (existsSync(join(directory, 'package.json'))) return directory
    if (directory === dirname(directory)) return dirname(file)
  }
}

function checkDeclaration(declaration: FunctionDeclaration): void {
  const { name, file } = declaration
  const refuse: Refuse = (cause, fix) => {
    throw new DeclarationError(`Function "${name}": ${cause}.`, 'The function cannot be served.', fix)
  }
  const integer = (member: string, value: number | undefined, min: number, max: number): void => {
    if (value !== undefined && !(Number.isInteger(value) && value >= min && value <= max)) {
      refuse(`${member} is ${JSON.stringify(value)}`, `Give a whole number from ${min} to ${max}.`)
    }
  }
  if (!/^[a-zA-Z0-9-_]{1,64}$/.test(name)) {
    refuse('the name is not valid', 'Name it with 1 to 64 letters, digits, hyphens and underscores.')
  }
  if (declaration.remote !== undefined && typeof declaration.remote !== 'boolean') {
    refuse(`remote is ${JSON.stringify(declaration.remote)}`, 'Give true or false.')
  }
  if (declaration.remote === true) checkRemote(declaration, refuse)
  else if (file === undefined) refuse('it has no file', 'Name its file, or say that it is remote.')
  else checkFile(file, refuse)
  if (declaration.exportName === '') refuse('the name of the exported handler is empty', 'Name the export.')
  integer('timeout', declaration.timeout, 1, 900)
  integer('memory', declaration.memory, 128, 32_768)
  integer('concurrency', declaration.concurrency, 1, 10_000)
  integer('maxConcurrency', declaration.maxConcurrency, 1, 1_000)
  integer('warm', declaration.warm, 0, 1_000)
  if (declaration.tenancy !== undefined && declaration.tenancy !== 'PER_TENANT') {
    refuse(`tenancy is ${JSON.stringify(declaration.tenancy)}`, 'Give PER_TENANT or leave it out.')
  }
  if (declaration.tenancy !== undefined && (declaration.warm ?? 0) > 0) {
    refuse('it is PER_TENANT and has warm', 'Leave warm out: a process belongs to a tenant from its start.')
  }
  const logging = loggingRefusal(declaration.logging)
  if (logging !== undefined) refuse(`logging is not valid: ${logging}`, 'Correct it, or leave it out.')
  const { durable } = declaration
  if (durable !== undefined && durable !== false) {
    if (durable.ExecutionTimeout === undefined) refuse('durable has no ExecutionTimeout', 'Give it, in seconds.')
    integer('durable.ExecutionTimeout', durable.ExecutionTimeout, 1, maxExecutionSeconds)
    integer('durable.RetentionPeriodInDays', durable.RetentionPeriodInDays, 1, maxRetentionDays)
  }
  checkAsynchronous(declaration.asynchronous ?? {}, refuse, integer)
  checkEnvironment(declaration.environment ?? {}, refuse)
}

type Refuse = (cause: string, fix: string) => never

function checkFile(file: string, refuse: Refuse): void {
  if (!moduleExtensions.has(extname(file))) {
    refuse(
      `${basename(file)} is not a JavaScript or TypeScript module`,
      `Give a file that ends in ${[...moduleExtensions].join(', ')}.`,
    )
  }
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    refuse(`there is no file ${resolve(file)}`, 'Correct the path; it is relative to the configuration file.')
  }
}

function checkRemote({ file, exportName, warm, durable }: FunctionDeclaration, refuse: Refuse): void {
  if (file !== undefined || exportName !== undefined) {
    refuse('it is remote and has a handler', "Leave one of them out: the handler of a remote function is its workers'.")
  }
  if (warm !== undefined && warm > 0)
    refuse('it is remote and has warm', 'Leave warm out: its workers keep its processes.')
  if (durable === undefined) {
    refuse(
      'it is remote and does not say whether it is durable, which cannot be seen without its handler',
      'Say so: durable: { ExecutionTimeout } or durable: false.',
    )
  }
}

function checkAsynchronous(
  settings: AsynchronousSettings,
  refuse: Refuse,
  integer: (member: string, value: number | undefined, min: number, max: number) => void,
): void {
  if (typeof settings !== 'object') refuse(`asynchronous is ${JSON.stringify(settings)}`, 'Give an object.')
  const { retryAttempts, eventAgeSeconds, onSuccess, onFailure, deadLetterTarget } = settings
  integer('asynchronous.retryAttempts', retryAttempts, 0, 2)
  integer('asynchronous.eventAgeSeconds', eventAgeSeconds, 60, 21_600)
  for (const [member, to] of Object.entries({ onSuccess, onFailure, deadLetterTarget })) {
    if (to === undefined || (typeof to === 'string' && to !== '' && isDestination(to))) continue
    const fix = 'Give the URL of a webhook, the name of a function, or an ARN.'
    refuse(`asynchronous.${member} is ${JSON.stringify(to)}`, fix)
  }
}

function checkEnvironment(environment: Readonly<Record<string, string>>, refuse: Refuse): void {
  for (const [variable, value] of Object.entries(environment)) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(variable)) {
      refuse(`the environment variable ${JSON.stringify(variable)} has no valid name`, 'Use letters, digits and _.')
    }
    if (reservedVariables.has(variable)) {
      refuse(`the environment variable ${variable} is set by the server`, 'Leave it out.')
    }
    if (typeof value !== 'string' || value.includes('\0')) {
      refuse(`the value of the environment variable ${variable} is not text`, 'Give a string without NUL characters.')
    }
  }
}

function refuseDuplicate(first: FunctionDeclaration | undefined, second: FunctionDeclaration): void {
  if (first === undefined) return
  throw new DeclarationError(
    `Function "${second.name}" is declared twice: by ${placeOf(first)} and by ${placeOf(second)}.`,
    'Only one of them could be invoked.',
    'Rename one of them.',
  )
}

const placeOf = ({ file }: FunctionDeclaration): string => file ?? 'a remote function'
