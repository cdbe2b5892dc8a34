/** Statements on `executions`: the registry of names and the index rows. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { ShownStatus } from '../../../protocol/shapes.ts'
import type { ExecutionKey, ExecutionRow, IndexRow, NewExecution, WakeRow } from '../../store.ts'
import { damaged, damagedRow, isIntact, rowChecksum } from '../checksum.ts'
import {
  readNumber,
  readOptionalNumber,
  readOptionalText,
  readText,
  storedOptionalText,
  storedText,
} from '../stored-text.ts'

/** What never changes, and what does: each with a checksum of its own, for an update writes the second alone. */
const FIXED_COLUMNS = [
  'execution_id',
  'arn',
  'name',
  'function_name',
  'version',
  'started_at',
  'input_hash',
  'retention_days',
  'sdk_invocation_id',
]
const CHANGING_COLUMNS = ['status', 'ended_at', 'wake_kind', 'wake_due_ms']
const COLUMNS = ['key', ...FIXED_COLUMNS, 'start_crc', ...CHANGING_COLUMNS, 'index_crc'].join(', ')

/** Adds an execution and returns its key. Indexes: all of the table. */
export function insertExecution(db: DatabaseSync): (start: NewExecution, index: IndexRow) => number {
  const columns = [...FIXED_COLUMNS, 'start_crc', ...CHANGING_COLUMNS, 'index_crc']
  const statement = db.prepare(
    `INSERT INTO executions (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  )
  return (start, index) => {
    const fixed = startValues(start)
    const changing = indexValues(index)
    return Number(statement.run(...fixed, rowChecksum(fixed), ...changing, rowChecksum(changing)).lastInsertRowid)
  }
}

/** Writes the mutable part of the index row. Index: the primary key. */
export function updateIndexRow(db: DatabaseSync): (key: number, index: IndexRow) => void {
  const statement = db.prepare(
    'UPDATE executions SET status = ?, ended_at = ?, wake_kind = ?, wake_due_ms = ?, index_crc = ? WHERE key = ?',
  )
  return (key, index) => {
    const changing = indexValues(index)
    statement.run(...changing, rowChecksum(changing), key)
  }
}

/** Removes an execution, which frees its name. Index: the primary key. */
export function deleteExecution(db: DatabaseSync): (key: number) => void {
  const statement = db.prepare('DELETE FROM executions WHERE key = ?')
  return (key) => {
    statement.run(key)
  }
}

/** Index: the primary key. */
export function executionByKey(db: DatabaseSync): (key: number) => ExecutionRow | undefined {
  const statement = db.prepare(`SELECT ${COLUMNS} FROM executions WHERE key = ?`)
  return (key) => optionalRow(statement.get(key))
}

/** Index: executions_by_id. */
export function executionById(db: DatabaseSync): (executionId: string) => ExecutionRow | undefined {
  const statement = db.prepare(`SELECT ${COLUMNS} FROM executions WHERE execution_id = ?`)
  return (executionId) => optionalRow(statement.get(storedText(executionId)))
}

/** Index: executions_by_name. */
export function executionByName(db: DatabaseSync): (functionName: string, name: string) => ExecutionRow | undefined {
  const statement = db.prepare(`SELECT ${COLUMNS} FROM executions WHERE function_name = ? AND name = ?`)
  return (functionName, name) => optionalRow(statement.get(storedText(functionName), storedText(name)))
}

/** Whether an execution id is taken. Index: executions_by_id, covering. */
export function executionIdTaken(db: DatabaseSync): (executionId: string) => boolean {
  const statement = db.prepare('SELECT 1 FROM executions WHERE execution_id = ?')
  return (executionId) => statement.get(storedText(executionId)) !== undefined
}

/** Whether a name is taken. Index: executions_by_name, covering. */
export function nameTaken(db: DatabaseSync): (functionName: string, name: string) => boolean {
  const statement = db.prepare('SELECT 1 FROM executions WHERE function_name = ? AND name = ?')
  return (functionName, name) => statement.get(storedText(functionName), storedText(name)) !== undefined
}

/** The newest start by a client call. Index: executions_by_sdk_invocation, from its end. */
export function executionBySdkInvocation(
  db: DatabaseSync,
): (functionName: string, sdkInvocationId: string, sinceMs: number) => ExecutionRow | undefined {
  const statement = db.prepare(
    `SELECT ${COLUMNS} FROM executions WHERE function_name = ? AND sdk_invocation_id = ? AND started_at >= ?
     ORDER BY started_at DESC, execution_id DESC LIMIT 1`,
  )
  return (functionName, sdkInvocationId, sinceMs) =>
    optionalRow(statement.get(storedText(functionName), storedText(sdkInvocationId), sinceMs))
}

/** Open executions by id. Index: executions_open, a range. */
export function openExecutions(db: DatabaseSync): (afterId: string, limit: number) => ExecutionRow[] {
  const statement = db.prepare(
    `SELECT ${COLUMNS} FROM executions WHERE ended_at IS NULL AND execution_id > ? ORDER BY execution_id LIMIT ?`,
  )
  return (afterId, limit) => statement.all(storedText(afterId), limit).map(executionRow)
}

/** Closed executions by the end of their retention. Index: executions_expiring, a range from its start. */
export function expiredExecutions(db: DatabaseSync): (nowMs: number, limit: number) => ExecutionRow[] {
  const statement = db.prepare(
    `SELECT ${COLUMNS} FROM executions WHERE ended_at IS NOT NULL AND expires_at <= ?
     ORDER BY expires_at, execution_id LIMIT ?`,
  )
  return (nowMs, limit) => statement.all(nowMs, limit).map(executionRow)
}

/** A place in the order (startedAt, executionId); both bounds of a listing are exclusive. */
export interface StartPlace {
  readonly startedAt: number
  readonly executionId: string
}

export interface StartRange {
  readonly functionName: string
  readonly statuses: readonly ShownStatus[]
  readonly version: string | undefined
  readonly above: StartPlace
  readonly below: StartPlace
  readonly oldestFirst: boolean
  readonly limit: number
}

/**
 * Executions of a function between two places. Index: executions_by_status, one range per status; SQLite merges the
 * ranges as it goes, so a page costs its own rows and not the function's. One statement per set of statuses and order.
 */
export function executionsByStart(db: DatabaseSync): (range: StartRange) => ExecutionRow[] {
  const statements = new Map<string, ReturnType<DatabaseSync['prepare']>>()
  const statementOf = (statuses: readonly ShownStatus[], oldestFirst: boolean) => {
    const name = `${statuses.join()} ${oldestFirst}`
    const present = statements.get(name)
    if (present !== undefined) return present
    const prepared = db.prepare(startRangeSql(statuses, oldestFirst))
    statements.set(name, prepared)
    return prepared
  }
  return ({ functionName, statuses, version, above, below, oldestFirst, limit }) => {
    if (statuses.length === 0) return []
    const parameters: SQLInputValue[] = [
      storedText(functionName),
      above.startedAt,
      storedText(above.executionId),
      below.startedAt,
      storedText(below.executionId),
      storedOptionalText(version),
      limit,
    ]
    return statementOf(statuses, oldestFirst)
      .all(...parameters)
      .map(executionRow)
  }
}

function startRangeSql(statuses: readonly ShownStatus[], oldestFirst: boolean): string {
  const ranges = statuses.map(
    (status) => `SELECT ${COLUMNS} FROM executions WHERE function_name = ?1 AND status = '${status}'
      AND (started_at, execution_id) > (?2, ?3) AND (started_at, execution_id) < (?4, ?5)
      AND (?6 IS NULL OR version = ?6)`,
  )
  const order = oldestFirst ? 'started_at, execution_id' : 'started_at DESC, execution_id DESC'
  return `${ranges.join(' UNION ALL ')} ORDER BY ${order} LIMIT ?7`
}

type Row = ReturnType<ReturnType<DatabaseSync['prepare']>['all']>[number]

const optionalRow = (row: Row | undefined): ExecutionRow | undefined =>
  row === undefined ? undefined : executionRow(row)

/** Throws when the row is not what was written. */
export function executionRow(row: Row): ExecutionRow {
  const fixed = FIXED_COLUMNS.map((column) => row[column] ?? null)
  const changing = CHANGING_COLUMNS.map((column) => row[column] ?? null)
  if (
    !isIntact(row['start_crc'], () => rowChecksum(fixed)) ||
    !isIntact(row['index_crc'], () => rowChecksum(changing))
  ) {
    throw damagedRow(`execution ${String(row['execution_id'])} (key ${String(row['key'])})`)
  }
  return {
    key: readNumber(row['key']) as ExecutionKey,
    executionId: readText(row['execution_id']),
    arn: readText(row['arn']),
    name: readText(row['name']),
    functionName: readText(row['function_name']),
    version: readText(row['version']),
    startedAt: readNumber(row['started_at']),
    inputHash: readText(row['input_hash']),
    retentionDays: readNumber(row['retention_days']),
    sdkInvocationId: readOptionalText(row['sdk_invocation_id']),
    status: readText(row['status']) as ShownStatus,
    endedAt: readOptionalNumber(row['ended_at']),
    wake: wakeRow(readOptionalText(row['wake_kind']), readOptionalNumber(row['wake_due_ms'])),
  }
}

function wakeRow(kind: string | undefined, dueMs: number | undefined): WakeRow | undefined {
  if (kind === undefined) return undefined
  if (kind === 'ready') return { kind }
  if ((kind === 'running' || kind === 'suspended') && dueMs !== undefined) return { kind, dueMs }
  throw damaged(`The database holds an unknown wake row: ${kind}, due ${dueMs}.`)
}

/** In the order of `FIXED_COLUMNS`. */
const startValues = (start: NewExecution): SQLInputValue[] => [
  storedText(start.executionId),
  storedText(start.arn),
  storedText(start.name),
  storedText(start.functionName),
  storedText(start.version),
  start.startedAt,
  storedText(start.inputHash),
  start.retentionDays,
  storedOptionalText(start.sdkInvocationId),
]

/** In the order of `CHANGING_COLUMNS`. */
function indexValues(index: IndexRow): [string, number | null, string | null, number | null] {
  const { status, endedAt, wake } = index
  const dueMs = wake === undefined || wake.kind === 'ready' ? null : wake.dueMs
  return [status, endedAt ?? null, wake?.kind ?? null, dueMs]
}
