/**
 * What a journal says and what an answer claims, in the same words. Each fact is one line:
 *
 *     token <checkpoint token>     the token was given out, so what it follows (a checkpoint, a start of an invocation) is
 *                                  in the journal
 *     started <arn>  closed <arn>  deleted <arn>
 *     completed <callback id>      the callback has its completion
 *     queued <request id>          the invocation of a plain function is kept
 *     entry <execution> <seq>      in the workload without a server (`storing.ts`)
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { apply, found } from '../../src/engine/apply.ts'
import { decodeEntry } from '../../src/engine/codec.ts'
import { indexOf } from '../../src/engine/effects.ts'
import type { Entry, ExecutionState } from '../../src/engine/model.ts'
import { currentToken } from '../../src/engine/token.ts'
import { executionRow } from '../../src/journal/sqlite/sql/executions.ts'
import { markerOf } from '../journal/marker.ts'
import type { TraceRecord } from './trace.ts'

export interface Reading {
  /** Facts that the database holds and did not hold when it was last asked. */
  readonly facts: readonly string[]
  /** What is wrong with it. */
  readonly wrong: readonly string[]
}

/** Follows one database through its commits. */
export interface Reader {
  read(db: DatabaseSync): Reading
}

interface Row {
  readonly rowid: number
  readonly execution: number
  readonly seq: number
  readonly first_event_id: number
  readonly text: string
}

function* newRows(db: DatabaseSync, after: number): Generator<Row> {
  const statement = db.prepare(
    'SELECT rowid, execution, seq, first_event_id, text FROM journal WHERE rowid > ? ORDER BY rowid',
  )
  for (const row of statement.iterate(after)) yield row as unknown as Row
}

/** Folds the journals of a server: every index row must be what the fold makes of its journal (decision 6). */
export class JournalReader implements Reader {
  readonly #states = new Map<number, ExecutionState>()
  readonly #queued = new Set<string>()
  #newestRow = 0

  read(db: DatabaseSync): Reading {
    const facts: string[] = []
    const wrong: string[] = []
    for (const row of newRows(db, this.#newestRow)) {
      this.#newestRow = row.rowid
      facts.push(...this.#fold(row, wrong))
    }
    for (const row of db.prepare('SELECT * FROM executions').all()) this.#compare(row, wrong)
    for (const { id } of db.prepare("SELECT id FROM outbox WHERE id LIKE 'run:%/0'").all()) {
      const requestId = String(id).split('/')[2] ?? ''
      if (!this.#queued.has(requestId)) facts.push(`queued ${requestId}`)
      this.#queued.add(requestId)
    }
    return { facts, wrong }
  }

  #fold({ execution, seq, first_event_id: firstEventId, text }: Row, wrong: string[]): string[] {
    const entry = decodeEntry(text)
    let state = this.#states.get(execution)
    const before = state?.status
    if (seq !== (state?.seq ?? 0) + 1) wrong.push(`entry ${seq} of ${execution} follows ${state?.seq ?? 0}`)
    if (firstEventId !== entry.firstEventId) wrong.push(`row and entry ${seq} of ${execution} disagree on EventIds`)
    if (state === undefined) {
      state = found(entry)
      this.#states.set(execution, state)
    } else {
      apply(state, entry)
    }
    return factsOf(state, entry, before)
  }

  #compare(row: Record<string, SQLOutputValue>, wrong: string[]): void {
    const state = this.#states.get(Number(row['key']))
    if (state === undefined) {
      wrong.push(`execution ${row['name']} has an index row and no journal`)
      return
    }
    const { status, endedAt, wake } = executionRow(row)
    const [is, expected] = [JSON.stringify({ status, endedAt, wake }), JSON.stringify(indexOf(state))]
    if (is !== expected) wrong.push(`the index row of ${state.start.name} is ${is}, its journal says ${expected}`)
  }
}

function factsOf(state: ExecutionState, entry: Entry, before: ExecutionState['status'] | undefined): string[] {
  const { arn } = state.start
  const facts: string[] = []
  const token = currentToken(state)
  if (token !== undefined) facts.push(`token ${token}`)
  if (before === undefined) facts.push(`started ${arn}`)
  if (before === 'RUNNING' && state.status !== 'RUNNING') facts.push(`closed ${arn}`)
  if (entry.kind === 'deleted') facts.push(`deleted ${arn}`)
  const completed = entry.events.flatMap(({ type, id }) => (/^Callback(Succeeded|Failed)$/.test(type) ? [id] : []))
  if (entry.kind === 'arrived') completed.push(entry.arrival.id)
  for (const id of completed) facts.push(`completed ${state.operations.get(id ?? '')?.callbackId}`)
  return facts
}

/** The journals of `storing.ts`, whose entries name their places. */
export class MarkerReader implements Reader {
  #newestRow = 0

  read(db: DatabaseSync): Reading {
    const facts: string[] = []
    const wrong: string[] = []
    const idOf = db.prepare('SELECT execution_id FROM executions WHERE key = ?')
    for (const { rowid, execution, seq, text } of newRows(db, this.#newestRow)) {
      this.#newestRow = rowid
      const id = String(idOf.get(execution)?.['execution_id'])
      if (!text.startsWith(markerOf(id, seq))) wrong.push(`entry ${seq} of ${id} is ${text.slice(0, 80)}`)
      facts.push(`entry ${id} ${seq}`)
    }
    // An execution was closed with the entry of the number that its index row has for the time.
    const halves = db.prepare(
      `SELECT execution_id FROM executions WHERE coalesce((SELECT max(seq) FROM journal WHERE execution = key), 0)
         <> coalesce(ended_at, (SELECT max(seq) FROM journal WHERE execution = key), -1)`,
    )
    for (const { execution_id: id } of halves.all()) wrong.push(`the index row and the journal of ${id} disagree`)
    return { facts, wrong }
  }
}

/** The file in which a program without a server says what it was told. */
export const ACKNOWLEDGED = 'acknowledged'

/** What the process has told somebody with this record; `byRequestId` are claims of answers that do not say themselves. */
export function claimsOf(record: TraceRecord, byRequestId: ReadonlyMap<string, string>): string[] {
  if (record.kind === 'written' && record.path === ACKNOWLEDGED) return record.data.toString().trim().split('\n')
  if (record.kind !== 'answered') return []
  const { head } = record
  const claims: string[] = []
  const token = /"CheckpointToken":"(01[0-9a-f]{80})"/.exec(head)?.[1]
  if (token !== undefined) claims.push(`token ${token}`)
  const arn = header(head, 'x-amz-durable-execution-arn')
  if (arn !== undefined) claims.push(`${head.startsWith('HTTP/1.1 202') ? 'started' : 'closed'} ${arn}`)
  const known = byRequestId.get(header(head, 'x-amzn-RequestId') ?? '')
  if (known !== undefined) claims.push(known)
  return claims
}

const header = (head: string, name: string): string | undefined =>
  new RegExp(`^${name}: ([^\\r]*)\\r$`, 'im').exec(head)?.[1]
