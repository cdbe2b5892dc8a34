/**
 * `perdure.config.*`: the functions that a server offers, as TypeScript, JavaScript, YAML or JSON. Paths in it are
 * relative to it. What it does not know is an error that names what was probably meant, because a misspelt
 * `enviroment` that is silently ignored costs an afternoon.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { basename, dirname, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isDestination } from '../protocol/destination.ts'
import { LOGGING_CONFIG } from '../protocol/function-constraints.ts'
import type { DurableConfig } from '../protocol/shapes.ts'
import type { AsynchronousSettings } from '../service/ports.ts'
import { moduleExtensions } from './catalog.ts'
import type { FunctionDeclaration } from './declaration.ts'
import { DeclarationError } from './declaration-error.ts'
import { type IsolationKind, isolationKinds } from './isolation/isolation.ts'
import { type LogKeeping, logBounds, logKeepingKeys } from './log-keeping.ts'
import { nearest } from './nearest.ts'
import { configurableRuntimes } from './runtimes/programs.ts'

export { declarationsFromPaths } from './from-paths.ts'

/** One function in a config file. */
export interface FunctionConfig extends Omit<FunctionDeclaration, 'name' | 'file'> {
  /** Default: the name of the handler's file without its extension. A remote function must have one. */
  readonly name?: string
  /** `orders.ts` (its export `handler`), `orders.ts.create` or `orders.create` (another export). */
  readonly handler?: string
  /** In place of `handler`: the file, with `exportName` beside it. */
  readonly file?: string
  /** The same as `durable`, under the name that it has in the Lambda API. */
  readonly DurableConfig?: DurableConfig
}

export interface PerdureConfig {
  readonly functions: readonly FunctionConfig[]
  /** Programs that run functions of other languages, by runtime (`python3.13`) or family; see `startPerdure`. */
  readonly runtimes?: Readonly<Record<string, string>>
  /** What function processes see of the machine; see `startPerdure`. */
  readonly isolation?: IsolationKind
  /** How much of what functions print is kept, and for how long. */
  readonly functionLogs?: LogKeeping
  /** What ARNs of queues, topics and event buses mean as destinations; see `startPerdure`. */
  readonly destinations?: Readonly<Record<string, string>>
  /** Who is told of changes of an execution's status; see `startPerdure`. */
  readonly events?: readonly string[]
}

export interface LoadedConfig {
  readonly functions: readonly FunctionDeclaration[]
  readonly runtimes: Readonly<Record<string, string>>
  readonly isolation: IsolationKind
  readonly functionLogs: LogKeeping
  readonly destinations: Readonly<Record<string, string>>
  readonly events: readonly string[]
}

/** Returns what it is given; it is there for the editor, which then knows the type. */
export function defineConfig(config: PerdureConfig): PerdureConfig {
  return config
}

const configKeys: readonly (keyof PerdureConfig)[] = [
  'functions',
  'runtimes',
  'isolation',
  'functionLogs',
  'destinations',
  'events',
]
const functionKeys: readonly (keyof FunctionConfig)[] = [
  'name',
  'handler',
  'file',
  'exportName',
  'timeout',
  'memory',
  'concurrency',
  'maxConcurrency',
  'warm',
  'remote',
  'tenancy',
  'environment',
  'logging',
  'durable',
  'DurableConfig',
  'asynchronous',
]
const durableKeys: readonly (keyof DurableConfig)[] = ['ExecutionTimeout', 'RetentionPeriodInDays', 'KMSKeyArn']
const asynchronousKeys: readonly (keyof AsynchronousSettings)[] = [
  'retryAttempts',
  'eventAgeSeconds',
  'onSuccess',
  'onFailure',
  'deadLetterTarget',
]

/** Rejects with a DeclarationError. */
export async function loadConfig(file: string): Promise<LoadedConfig> {
  const path = resolve(file)
  const config = asRecord(await read(path), `The configuration ${path}`, 'Export (or write) { functions: [ … ] }.')
  checkKeys(config, configKeys, `The configuration ${path}`)
  const { functions } = config
  if (!Array.isArray(functions)) {
    throw new DeclarationError(
      `The configuration ${path} has no list "functions".`,
      'There is nothing to serve.',
      "Give it: functions: [{ handler: './orders.ts' }].",
    )
  }
  return {
    functions: functions.map((declared, index) => declaration(declared, index, dirname(path))),
    runtimes: programsOf(config['runtimes'] ?? {}, path),
    isolation: isolationOf(config['isolation'] ?? 'none', path),
    functionLogs: keepingOf(config['functionLogs'] ?? {}, path),
    destinations: destinationsOf(config['destinations'] ?? {}, path),
    events: listenersOf(config['events'] ?? [], path),
  }
}

function keepingOf(declared: unknown, path: string): LogKeeping {
  const what = `"functionLogs" of the configuration ${path}`
  const keeping: LogKeeping = asRecord(declared, what, 'Give an object: { retentionDays: 14 }.')
  checkKeys({ ...keeping }, logKeepingKeys, what)
  logBounds(keeping)
  return keeping
}

/** A path is relative to the config file; a bare name is a command, to be found on the PATH. */
function programsOf(declared: unknown, path: string): Readonly<Record<string, string>> {
  const what = `"runtimes" of the configuration ${path}`
  const programs = asRecord(declared, what, "Give an object: { python: '/opt/python/bin/python3' }.")
  checkKeys(programs, configurableRuntimes, what)
  return Object.fromEntries(
    Object.entries(programs).map(([runtime, program]) => {
      if (typeof program !== 'string' || program === '') {
        throw refusal(what, `has a "${runtime}" that is not text`, 'Give the path of a program.')
      }
      const isPath = /[/\\]/.test(program)
      return [runtime, isPath ? resolve(dirname(path), program) : program]
    }),
  )
}

function isolationOf(declared: unknown, path: string): IsolationKind {
  const kind = isolationKinds.find((each) => each === declared)
  if (kind !== undefined) return kind
  const cause = `has the isolation ${JSON.stringify(declared)}, which is none`
  throw refusal(`The configuration ${path}`, cause, `Give one of ${isolationKinds.join(', ')}.`)
}

function destinationsOf(declared: unknown, path: string): Readonly<Record<string, string>> {
  const what = `"destinations" of the configuration ${path}`
  const fix = "Give an object: { 'arn:aws:sqs:*': 'https://example.com/hook' }."
  const destinations = asRecord(declared, what, fix)
  return Object.fromEntries(
    Object.entries(destinations).map(([from, to]) => [from, reachable(to, `${what} "${from}"`)]),
  )
}

function listenersOf(declared: unknown, path: string): readonly string[] {
  const what = `"events" of the configuration ${path}`
  if (!Array.isArray(declared)) throw refusal(what, 'is not a list', "Give one: ['https://example.com/hook'].")
  return declared.map((to: unknown) => reachable(to, what))
}

/** Which function or place is meant is looked at when the server starts. */
function reachable(to: unknown, what: string): string {
  if (typeof to === 'string' && to !== '' && isDestination(to)) return to
  const cause = `has ${JSON.stringify(to)} where a destination belongs`
  throw refusal(what, cause, 'Give the URL of a webhook, or the name of a function.')
}

async function read(path: string): Promise<unknown> {
  if (!existsSync(path)) {
    throw new DeclarationError(`There is no configuration ${path}.`, 'There is nothing to serve.', 'Correct the path.')
  }
  switch (extname(path)) {
    case '.json':
    case '.yaml':
    case '.yml':
      return readData(path)
    case '.ts':
    case '.mts':
    case '.js':
    case '.mjs':
    case '.cjs':
      return importModule(path)
    default:
      throw new DeclarationError(
        `The configuration ${path} has an ending that is not known.`,
        'It cannot be read.',
        'Name it perdure.config.ts, .mts, .js, .mjs, .yaml, .yml or .json.',
      )
  }
}

/** JSON is YAML too, and this parser tells the line of a mistake. */
async function readData(path: string): Promise<unknown> {
  const { parse } = await import('yaml')
  try {
    return parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw unreadable(path, error)
  }
}

async function importModule(path: string): Promise<unknown> {
  // A server that starts again in the same process sees the file as it is now.
  const url = `${pathToFileURL(path).href}?changed=${statSync(path).mtimeMs}`
  // In a project that names no module type, Node would try CommonJS first and warn.
  const asModule = registerHooks({
    load: (loaded, context, nextLoad) =>
      nextLoad(
        loaded,
        loaded === url && extname(path) === '.ts' ? { ...context, format: 'module-typescript' } : context,
      ),
  })
  try {
    const module = (await import(url)) as { readonly default?: unknown }
    return module.default
  } catch (error) {
    throw unreadable(path, error)
  } finally {
    asModule.deregister()
  }
}

function unreadable(path: string, error: unknown): DeclarationError {
  return new DeclarationError(
    `The configuration ${path} cannot be read: ${String(error).trim()}`,
    'There is nothing to serve.',
    'Correct it and start again.',
  )
}

function declaration(declared: unknown, index: number, directory: string): FunctionDeclaration {
  const what = `Function ${index + 1} of the configuration`
  const record = asRecord(declared, what, "Give an object: { name: 'orders', handler: './orders.ts' }.")
  const label = typeof record['name'] === 'string' ? `Function "${record['name']}"` : what
  checkKeys(record, functionKeys, label)
  for (const [key, known] of [
    ['durable', durableKeys],
    ['DurableConfig', durableKeys],
    ['asynchronous', asynchronousKeys],
  ] as const) {
    if (typeof record[key] === 'object' && record[key] !== null) {
      checkKeys(record[key] as Readonly<Record<string, unknown>>, known, `${key} of ${lowerFirst(label)}`)
    }
  }
  if (typeof record['logging'] === 'object' && record['logging'] !== null) {
    const logging = record['logging'] as Readonly<Record<string, unknown>>
    checkKeys(logging, Object.keys(LOGGING_CONFIG.members), `logging of ${lowerFirst(label)}`)
  }
  // The members' values are checked with every other declaration's, in the catalog.
  const { name, handler, file, exportName, durable, DurableConfig, ...rest } = record as FunctionConfig
  if (durable !== undefined && DurableConfig !== undefined) {
    throw refusal(label, 'has both "durable" and "DurableConfig"', 'Keep one of them: they mean the same.')
  }
  const isElsewhere = rest.remote === true && handler === undefined && file === undefined
  if (isElsewhere && name === undefined) {
    throw refusal(label, 'is remote and has no name', "Name it: { name: 'orders', remote: true }.")
  }
  const place = isElsewhere
    ? { ...(exportName === undefined ? {} : { exportName }) }
    : handlerPlace({ handler, file, exportName }, directory, label)
  return {
    ...rest,
    name: name ?? ('file' in place ? basename(place.file, extname(place.file)) : ''),
    ...place,
    ...(durable === undefined ? {} : { durable }),
    ...(DurableConfig === undefined ? {} : { durable: DurableConfig }),
  }
}

interface HandlerPlace {
  readonly file: string
  readonly exportName?: string
}

function handlerPlace(
  given: { readonly [key in 'handler' | 'file' | 'exportName']: string | undefined },
  directory: string,
  label: string,
): HandlerPlace {
  const { handler, file, exportName } = given
  if ((handler === undefined) === (file === undefined)) {
    throw refusal(label, 'needs either "handler" or "file"', "Give one of them: handler: './orders.ts'.")
  }
  if (file !== undefined) return { file: resolve(directory, file), ...(exportName === undefined ? {} : { exportName }) }
  if (typeof handler !== 'string')
    throw refusal(label, 'has a "handler" that is not text', "Write handler: './orders.ts'.")
  if (exportName !== undefined) {
    throw refusal(label, 'has both "handler" and "exportName"', 'Write the export into the handler, or use "file".')
  }
  return splitHandler(resolve(directory, handler)) ?? { file: resolve(directory, handler) }
}

/**
 *     orders.ts         → orders.ts
 *     orders.ts.create  → orders.ts, create
 *     orders.create     → orders.ts (or .mts, .js …, whichever is there), create
 */
function splitHandler(path: string): HandlerPlace | undefined {
  if (isFile(path)) return { file: path }
  const dot = path.lastIndexOf('.')
  const [stem, exportName] = [path.slice(0, dot), path.slice(dot + 1)]
  if (isFile(stem)) return { file: stem, exportName }
  const extension = [...moduleExtensions].find((ending) => isFile(stem + ending))
  return extension === undefined ? undefined : { file: stem + extension, exportName }
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true

function asRecord(value: unknown, what: string, fix: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>
  }
  throw new DeclarationError(`${what} is not an object.`, 'It cannot be served.', fix)
}

function checkKeys(record: Readonly<Record<string, unknown>>, known: readonly string[], what: string): void {
  for (const key of Object.keys(record)) {
    if (known.includes(key)) continue
    throw new DeclarationError(
      `${what} has an unknown key "${key}".`,
      'It would have been ignored.',
      `Did you mean "${nearest(key, known)}"? Known keys are ${known.join(', ')}.`,
    )
  }
}

const refusal = (label: string, cause: string, fix: string): DeclarationError =>
  new DeclarationError(`${label} ${cause}.`, 'It cannot be served.', fix)

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1)
