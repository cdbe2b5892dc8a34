/**
 * `GET /perdure/v1/logs`: what functions printed, for the command line. Without `position` the newest records that match;
 * with it the oldest beyond that position. The answer's `position` is where to go on: so records are followed without a
 * gap and without repetition, whatever else is written meanwhile.
 */
import { parseExecutionArn } from '../../protocol/arn.ts'
import { ApiError, invalidParameter } from '../../protocol/errors.ts'
import { InvalidPattern, type LinePattern, parseFilterPattern } from '../../protocol/logs/filter-pattern.ts'
import { isAtLeast, jsonObject, LOG_LEVELS, type LogLevel, levelNamed, levelOf } from '../../protocol/logs/log-line.ts'
import { parseTimestamp } from '../../protocol/timestamps.ts'
import type { DurableService } from '../../service/api.ts'
import type { LoggedRecord, LogSelection } from '../../service/ports.ts'
import { authoriseExecution, given } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route, RouteDeps, RouteRequest } from '../route.ts'

const DEFAULT_RECORDS = 1_000
const MOST_RECORDS = 10_000
/** Of one answer; read forward also what is looked at for it, so that a rare pattern holds nothing up. */
const PAGE_BYTES = 8_388_608
/** Executions whose lines are shown together. */
const MOST_EXECUTIONS = 1_000

export const perdureLogs: Route = {
  name: 'perdure.Logs',
  method: 'GET',
  path: '/perdure/v1/logs',
  async handle(request, deps) {
    const limit = readLimit(request)
    const after = readPosition(one(request, 'position'))
    const selection = await selectionOf(request, deps)
    const page = await deps.logs.read(
      selection,
      after === undefined
        ? { direction: 'backward', limit, maxBytes: PAGE_BYTES }
        : { direction: 'forward', after, limit, maxBytes: PAGE_BYTES },
    )
    const { records, position, complete } = page
    return ok({ records: records.map(shown), position, complete })
  },
}

const one = ({ query }: RouteRequest, name: string): string | undefined => query.get(name)?.[0]

/** With the level and the members of the line, which it would take to parse it. */
function shown(record: LoggedRecord): object {
  const fields = jsonObject(record.line)
  return { ...record, ...given({ level: record.level ?? levelOf(record.line, fields), fields }) }
}

async function selectionOf(request: RouteRequest, deps: RouteDeps): Promise<LogSelection> {
  const functionName = one(request, 'function')
  const execution = one(request, 'execution')
  const after = readAfter(one(request, 'after'))
  return given({
    functionNames: functionName === undefined ? undefined : new Set([functionName]),
    executionArns: execution === undefined ? undefined : await executionsOf(execution, request, deps),
    requestId: one(request, 'request'),
    // Times are whole milliseconds.
    sinceMs: after === undefined ? undefined : after + 1,
    where: conditionOf(request),
  })
}

// ------------------------------------------------------------------------------------------------ which lines

function conditionOf(request: RouteRequest): LogSelection['where'] {
  const level = readLevel(one(request, 'level'))
  const text = one(request, 'grep')
  const pattern = readPattern(one(request, 'filter'))
  if (level === undefined && text === undefined && pattern === undefined) return undefined
  return (record) =>
    (text === undefined || record.line.includes(text)) &&
    (pattern === undefined || pattern(record.line)) &&
    // What tells no level is taken for INFO, as in the real service.
    (level === undefined || isAtLeast(record.level ?? levelOf(record.line) ?? 'INFO', level))
}

function readLevel(text: string | undefined): LogLevel | undefined {
  if (text === undefined) return undefined
  const level = levelNamed(text)
  if (level === undefined) throw invalidParameter(`'level' must be one of ${LOG_LEVELS.join(', ')}.`)
  return level
}

function readPattern(text: string | undefined): LinePattern | undefined {
  if (text === undefined) return undefined
  try {
    return parseFilterPattern(text)
  } catch (error) {
    if (error instanceof InvalidPattern) throw invalidParameter(`'filter' cannot be read. ${error.message}.`)
    throw error
  }
}

/** The execution, and with `children=true` those that it started, and those that these started. */
async function executionsOf(text: string, request: RouteRequest, deps: RouteDeps): Promise<ReadonlySet<string>> {
  const arns = new Set([text])
  if (one(request, 'children') !== 'true') return arns
  // What is added meanwhile is visited too.
  for (const arn of arns)
    for await (const child of childrenOf(arn, deps)) if (arns.size < MOST_EXECUTIONS) arns.add(child)
  return arns
}

async function* childrenOf(text: string, { service, place }: RouteDeps): AsyncGenerator<string> {
  if (parseExecutionArn(text) === undefined) throw invalidParameter("'execution' must be the ARN of an execution.")
  const arn = authoriseExecution(text, place)
  let marker: string | undefined
  do {
    const page = await historyPage({ arn, includeData: false, reverse: false, ...given({ marker }) }, service)
    for (const { ChainedInvokeStartedDetails: details } of page?.Events ?? []) {
      // A plain function has no execution.
      if (typeof details?.['DurableExecutionArn'] === 'string') yield details['DurableExecutionArn']
    }
    marker = page?.NextMarker || undefined
  } while (marker !== undefined)
}

/** Undefined when the execution was removed: its lines may still be there. */
async function historyPage(
  request: Parameters<DurableService['history']>[0],
  service: DurableService,
): Promise<Awaited<ReturnType<DurableService['history']>> | undefined> {
  try {
    return await service.history(request)
  } catch (error) {
    if (error instanceof ApiError && error.code === 'ResourceNotFoundException') return undefined
    throw error
  }
}

// ----------------------------------------------------------------------------------------------------- numbers

function readLimit(request: RouteRequest): number {
  const text = one(request, 'limit') ?? String(DEFAULT_RECORDS)
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > MOST_RECORDS) throw invalidParameter(`'limit' must be a number from 1 to ${MOST_RECORDS}.`)
  return limit
}

function readPosition(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,16}$/.test(text)) throw invalidParameter("'position' must be one that an answer had.")
  return Number(text)
}

/** Epoch milliseconds, as the records carry them, or an ISO timestamp. */
function readAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : text.includes('T') ? parseTimestamp(text) : undefined
  if (ms === undefined) throw invalidParameter("'after' must be epoch milliseconds or an ISO-8601 timestamp.")
  return ms
}
