/**
 * The requirements of the official conformance suite, as data. They are read at run time from a folder of YAML files
 * that is not part of this repository; this file gives them types and refuses what it does not understand, so that a
 * requirement is never half checked.
 */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { parse } from 'yaml'

export interface Requirement {
  /** Group and number as the files are named: `4-9`. */
  readonly id: string
  /** The folder: `step`, `wait_for_callback`, … */
  readonly group: string
  readonly description: string
  /** Invoked with type Event instead of RequestResponse. */
  readonly async: boolean
  readonly input: unknown
  /** Name → template; `${GEN_STR:8}` stands for a random string of eight characters. */
  readonly variables: Readonly<Record<string, string>>
  readonly expectedStatus: string | undefined
  /** Absent when no result is asserted; `{ value: null }` when null is. */
  readonly expectedResult: { readonly value: unknown } | undefined
  readonly callbackActions: readonly CallbackAction[]
  readonly history: readonly ExpectedEvent[]
  readonly logs: readonly ExpectedLog[]
}

export interface CallbackAction {
  /** A name, or `*` for any callback. */
  readonly callbackName: string
  readonly operation: 'success' | 'failure' | 'heartbeat'
  readonly payload: unknown
  readonly delaySeconds: number
}

export type ExpectedEvent = Readonly<Record<string, unknown>> & { readonly EventId: number; readonly EventType: string }

export interface ExpectedLog {
  /** Member of the JSON log line → text, or `/pattern/`. */
  readonly match: Readonly<Record<string, string>>
  readonly count: number
}

/** All requirements below a folder in the order of their numbers, or undefined when there is no such folder. */
export async function loadRequirements(folder: string): Promise<readonly Requirement[] | undefined> {
  if (!existsSync(folder)) return undefined
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.yaml'))
  const requirements = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(folder, file), 'utf8')
      return parseRequirement(basename(file, '.yaml'), basename(dirname(file)), text)
    }),
  )
  return requirements.sort((a, b) => sortKey(a.id) - sortKey(b.id))
}

export function parseRequirement(id: string, group: string, text: string): Requirement {
  const document = record(parse(text), id)
  for (const key of Object.keys(document)) {
    if (!KNOWN_KEYS.has(key)) throw new Error(`requirement ${id}: unknown key ${key}`)
  }
  const result = document['ExpectedResult'] === undefined ? {} : record(document['ExpectedResult'], id)
  return {
    id,
    group,
    description: String(document['description']).replaceAll(/\s+/g, ' ').trim(),
    async: document['AsyncInvoke'] === true,
    input: document['Input'] ?? null,
    variables: stringRecord(document['Variables'] ?? {}, id),
    expectedStatus: result['ExecutionStatus'] === undefined ? undefined : String(result['ExecutionStatus']),
    expectedResult: 'Result' in result ? { value: result['Result'] } : undefined,
    callbackActions: list(document['CallbackActions'], id).map((action) => parseAction(record(action, id), id)),
    history: list(document['ExpectedExecutionHistory'], id).map((event) => parseEvent(record(event, id), id)),
    logs: list(document['ExpectedLogs'], id).map((log) => parseLog(record(log, id), id)),
  }
}

const KNOWN_KEYS = new Set([
  'description',
  'handler',
  'invocations',
  // Says again what AsyncInvoke says; present in some files only.
  'async',
  'AsyncInvoke',
  'Input',
  'Variables',
  'ExpectedResult',
  'CallbackActions',
  'ExpectedExecutionHistory',
  'ExpectedLogs',
  // Prose for SDK authors about the default retry strategy.
  'DefaultRetryParameters',
])

function parseAction(action: Readonly<Record<string, unknown>>, id: string): CallbackAction {
  const operation = action['Operation']
  if (operation !== 'success' && operation !== 'failure' && operation !== 'heartbeat') {
    throw new Error(`requirement ${id}: unknown callback operation ${String(operation)}`)
  }
  return {
    callbackName: String(action['CallbackName']),
    operation,
    payload: action['Payload'],
    delaySeconds: Number(action['Delay'] ?? 0),
  }
}

function parseEvent(event: Readonly<Record<string, unknown>>, id: string): ExpectedEvent {
  const { EventId, EventType } = event
  if (typeof EventId !== 'number' || typeof EventType !== 'string') {
    throw new Error(`requirement ${id}: an expected event without EventId or EventType`)
  }
  return { ...event, EventId, EventType }
}

function parseLog(log: Readonly<Record<string, unknown>>, id: string): ExpectedLog {
  return { match: stringRecord(log['match'], id), count: Number(log['count']) }
}

function record(value: unknown, id: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`requirement ${id}: expected a mapping, found ${JSON.stringify(value)}`)
  }
  return value as Readonly<Record<string, unknown>>
}

function stringRecord(value: unknown, id: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record(value, id)).map(([key, member]) => [key, String(member)]))
}

function list(value: unknown, id: string): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new Error(`requirement ${id}: expected a list, found ${JSON.stringify(value)}`)
  return value
}

/** `4-9` before `4-10` before `5-1`. */
function sortKey(id: string): number {
  const [group = '0', number = '0'] = id.split('-')
  return Number(group) * 1000 + Number(number)
}
