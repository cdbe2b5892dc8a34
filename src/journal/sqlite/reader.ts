/** The reading side of the database, in the reader's thread. Each answer is one consistent view, at least as new as the last commit that was reported. */
import type { DatabaseSync } from 'node:sqlite'
import { crashPoint } from '../../crash-point.ts'
import type { ShownStatus } from '../../protocol/shapes.ts'
import { seqHoldingEvent, takeWithinBytes } from '../journal-range.ts'
import type { ExecutionKey, ExecutionRow, JournalRow, ListQuery } from '../store.ts'
import type { ReadMethod, ReadQuery, ReadResult } from './messages.ts'
import * as code from './sql/code.ts'
import * as executions from './sql/executions.ts'
import * as journal from './sql/journal.ts'
import * as outbox from './sql/outbox.ts'
import * as records from './sql/records.ts'
import * as snapshots from './sql/snapshots.ts'
import * as wal from './sql/wal.ts'

export type Reader = { readonly [Method in ReadMethod]: (query: ReadQuery<Method>) => ReadResult<Method> } & {
  readonly moveWal: () => void
}

export function createReader(db: DatabaseSync): Reader {
  const executionById = executions.executionById(db)
  const executionByName = executions.executionByName(db)
  const executionBySdkInvocation = executions.executionBySdkInvocation(db)
  const executionsByStart = executions.executionsByStart(db)
  const openExecutions = executions.openExecutions(db)
  const expiredExecutions = executions.expiredExecutions(db)
  const entriesAfter = journal.entriesAfter(db)
  const entryAt = journal.entryAt(db)
  const dutiesAfter = outbox.dutiesAfter(db)
  const snapshotOf = snapshots.snapshotOf(db)
  const moveWal = wal.moveWal(db)
  const historyBetween = createHistoryReader(db)
  const recordsAfter = {
    functions: records.recordsAfter(db, 'functions'),
    layers: records.recordsAfter(db, 'layers'),
  }
  const hashesAfter = code.hashesAfter(db)
  const codeByHash = code.codeByHash(db)
  const pieceAt = code.pieceAt(db)
  return {
    findById: (executionId) => executionById(executionId),
    findByName: ({ functionName, name }) => executionByName(functionName, name),
    findBySdkInvocation: ({ functionName, sdkInvocationId, sinceMs }) =>
      executionBySdkInvocation(functionName, sdkInvocationId, sinceMs),
    readJournal: ({ key, afterSeq, maxBytes }) => takeWithinBytes(entriesAfter(Number(key), afterSeq), maxBytes),
    readEntry: ({ key, seq }) => entryAt(Number(key), seq),
    readHistory: ({ key, fromEventId, toEventId }) => historyBetween(key, fromEventId, toEventId),
    list: (query) => (query.name === undefined ? executionsByStart(startRange(query)) : listNamed(query, query.name)),
    listOpen: ({ afterId, limit }) => openExecutions(afterId, limit),
    listOutbox: ({ afterId, limit }) => dutiesAfter(afterId, limit),
    listExpired: ({ nowMs, limit }) => expiredExecutions(nowMs, limit),
    readSnapshot: ({ key }) => snapshotOf(Number(key)),
    recordsAfter: ({ table, afterName, limit }) => recordsAfter[table](afterName, limit),
    hashesAfter: ({ after, limit }) => hashesAfter(after, limit),
    codeBytes: ({ sha256 }) => wholeCode(sha256)?.bytes,
    codePiece: ({ sha256, number }) => {
      const whole = wholeCode(sha256)
      return whole === undefined ? undefined : pieceAt(whole.key, number)
    },
    moveWal: () => {
      crashPoint('wal-move-due')
      moveWal()
      crashPoint('wal-moved')
    },
  }

  function wholeCode(sha256: string): code.CodeRow | undefined {
    const row = codeByHash(sha256)
    return row?.whole === true ? row : undefined
  }

  /** A name is unique within a function, so its listing has one row at most. */
  function listNamed(query: ListQuery, name: string): ExecutionRow[] {
    const row = executionByName(query.functionName, name)
    return row !== undefined && query.limit > 0 && isListed(row, query) ? [row] : []
  }
}

/** Several statements on one view: a purge between them would leave gaps in what the search relies on. */
function createHistoryReader(db: DatabaseSync) {
  const newestSeq = journal.newestReadableSeq(db)
  const firstEventIdAt = journal.firstEventIdAt(db)
  const entriesUpToEvent = journal.entriesUpToEvent(db)
  return (key: ExecutionKey, fromEventId: number, toEventId: number): JournalRow[] => {
    const execution = Number(key)
    db.exec('BEGIN')
    try {
      const newest = newestSeq(execution)
      if (newest === 0 || fromEventId > toEventId) return []
      const first = seqHoldingEvent(newest, fromEventId, (seq) => firstEventIdAt(execution, seq))
      return [...entriesUpToEvent(execution, first, toEventId)]
    } finally {
      db.exec('COMMIT')
    }
  }
}

const STATUSES: readonly ShownStatus[] = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED', 'DELETING']
/** Before and after every execution id. */
const FIRST_ID = ''
const PAST_LAST_ID = '\u{10ffff}'

function startRange(query: ListQuery): executions.StartRange {
  const { after, startedAfter = -Infinity, startedBefore = Infinity } = query
  const oldestFirst = query.oldestFirst ?? false
  let above = { startedAt: startedAfter, executionId: PAST_LAST_ID }
  let below = { startedAt: startedBefore, executionId: FIRST_ID }
  // The cursor is the tighter bound, unless it is not one of this query's.
  if (after !== undefined && oldestFirst && after.startedAt > startedAfter) above = after
  if (after !== undefined && !oldestFirst && after.startedAt < startedBefore) below = after
  return {
    functionName: query.functionName,
    statuses: STATUSES.filter((status) => query.statuses?.includes(status) ?? true),
    version: query.version,
    above,
    below,
    oldestFirst,
    limit: query.limit,
  }
}

function isListed(row: ExecutionRow, query: ListQuery): boolean {
  const { above, below, statuses, version } = startRange(query)
  return (
    isBefore(above, row) &&
    isBefore(row, below) &&
    statuses.includes(row.status) &&
    (version === undefined || row.version === version)
  )
}

function isBefore(a: executions.StartPlace, b: executions.StartPlace): boolean {
  return a.startedAt < b.startedAt || (a.startedAt === b.startedAt && a.executionId < b.executionId)
}
