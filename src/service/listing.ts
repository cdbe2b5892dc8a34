/** Executions of a function (spec 01 §1.5), straight from the store's index. */
import type { ExecutionRow, ListQuery, Store } from '../journal/store.ts'
import { functionArn, type Place } from '../protocol/arn.ts'
import type { ShownStatus } from '../protocol/shapes.ts'
import type { DurableService, ExecutionSummary } from './api.ts'
import { formatListMarker, pageSize, parseListMarker } from './markers.ts'
import type { Clock } from './ports.ts'
import { expired } from './retention.ts'

type Request = Parameters<DurableService['list']>[0]
type Page = Awaited<ReturnType<DurableService['list']>>

const STATUSES: readonly string[] = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED', 'DELETING']
const isStatus = (text: string): text is ShownStatus => STATUSES.includes(text)

interface ListDeps {
  readonly store: Store
  readonly place: Place
  readonly clock: Clock
}

export async function listExecutions({ store, place, clock }: ListDeps, request: Request): Promise<Page> {
  // PAUSED and PAUSING are accepted and match nothing (spec 12.2 row 16).
  const statuses = request.statuses?.filter(isStatus)
  if (statuses !== undefined && statuses.length === 0 && request.statuses?.length !== 0) {
    return { DurableExecutions: [] }
  }
  const after = parseListMarker(request.marker)
  const items = pageSize(request.maxItems)
  const { functionName, version, name, startedAfter, startedBefore, oldestFirst } = request
  const query: ListQuery = {
    functionName,
    ...(version === undefined ? undefined : { version }),
    ...(name === undefined ? undefined : { name }),
    ...(statuses === undefined || statuses.length === 0 ? undefined : { statuses }),
    ...(startedAfter === undefined ? undefined : { startedAfter }),
    ...(startedBefore === undefined ? undefined : { startedBefore }),
    oldestFirst,
    ...(after === undefined ? undefined : { after }),
    // One more than asked for tells whether another page would be empty.
    limit: items + 1,
  }
  const rows = await readRetained(store, query, clock.now())
  const shown = rows.slice(0, items)
  const DurableExecutions = shown.map((row) => summaryOf(row, place))
  const last = shown.at(-1)
  return rows.length > items && last !== undefined
    ? { DurableExecutions, NextMarker: formatListMarker(last) }
    : { DurableExecutions }
}

/** Executions whose retention is over are gone for callers, swept already or not (spec 08 §8.6). */
async function readRetained(store: Store, query: ListQuery, nowMs: number): Promise<readonly ExecutionRow[]> {
  const retained: ExecutionRow[] = []
  for (let { after } = query; ; ) {
    const limit = query.limit - retained.length
    const rows = await store.list({ ...query, ...(after === undefined ? undefined : { after }), limit })
    retained.push(...rows.filter(({ endedAt, retentionDays }) => !expired(endedAt, retentionDays, nowMs)))
    if (rows.length < limit || retained.length === query.limit) return retained
    after = rows.at(-1)
  }
}

function summaryOf(row: ExecutionRow, place: Place): ExecutionSummary {
  return {
    DurableExecutionArn: row.arn,
    DurableExecutionName: row.name,
    FunctionArn: functionArn(place, row.functionName, row.version),
    Status: row.status,
    StartTimestamp: row.startedAt,
    ...(row.endedAt === undefined ? undefined : { EndTimestamp: row.endedAt }),
  }
}
