/**
 * The writing side of the database, in the writer's thread: the only place that changes it.
 *
 * A group of operations is one transaction. Each item of an append is checked before anything of it is written (its
 * seq, its name, its id), so one that loses leaves no trace and needs no savepoint.
 *
 * States: *writing*, and *failed* after a fault that makes the disk's content unknown (`failure.ts`). A failed writer
 * answers every group with that fault and touches the database no more.
 */
import type { DatabaseSync } from 'node:sqlite'
import { crashPoint } from '../../crash-point.ts'
import { openExecutionKept } from '../batch-rules.ts'
import type { AppendItem, AppendResult, ExecutionKey } from '../store.ts'
import { StoreError } from '../store-error.ts'
import type { CommitMark } from './commit-mark.ts'
import { closeLeavingLog } from './connection.ts'
import { type Failure, failureOf } from './failure.ts'
import { type FlatBatch, flatResult, itemsOf } from './flat-batch.ts'
import type { Committed, WriteOperation, WriteOutcome } from './messages.ts'
import * as code from './sql/code.ts'
import * as executions from './sql/executions.ts'
import * as journal from './sql/journal.ts'
import * as outbox from './sql/outbox.ts'
import * as purges from './sql/purges.ts'
import * as records from './sql/records.ts'
import * as snapshots from './sql/snapshots.ts'
import * as wal from './sql/wal.ts'
import { EMPTY_WAL } from './wal-policy.ts'

/** Entries removed by one step of a purge: a few milliseconds, so that appends between the steps hardly wait. */
const PURGED_ENTRIES_PER_STEP = 1_000
/** Pieces of code removed by one step: as many megabytes. */
const REMOVED_PIECES_PER_STEP = 4
/** Pages given back per step, and free pages that stay in the file for the next appends. */
const VACUUMED_PAGES_PER_STEP = 512
const KEPT_FREE_PAGES = 256

export class Writer {
  readonly #db: DatabaseSync
  readonly #sql: ReturnType<typeof prepare>
  /** Executions that are gone but whose journals are still being removed: the table `purges`. */
  #purging: Set<ExecutionKey>
  #failure: Failure | undefined
  readonly #mark: CommitMark | undefined
  /** The newest row of `journal` that is durable, and the newest that was written. */
  #durableRow: number
  #newestRow: number

  constructor(db: DatabaseSync, mark?: CommitMark) {
    this.#db = db
    this.#mark = mark
    this.#sql = prepare(db)
    this.#durableRow = this.#sql.newestRow()
    this.#newestRow = this.#durableRow
    this.#purging = this.#readPurging()
  }

  get unfinishedPurges(): readonly ExecutionKey[] {
    return [...this.#purging]
  }

  commit(operations: readonly WriteOperation[]): Committed {
    const outcomes = this.#commitGroup(operations)
    if (this.#failure !== undefined) return { outcomes, wal: EMPTY_WAL }
    const wal = this.#sql.walSize()
    this.#mark?.note(wal, this.#durableRow)
    return { outcomes, wal }
  }

  /** With `leaveLog` another thread has met a fault of the disk. */
  close(leaveLog: boolean): void {
    this.#mark?.close()
    if (leaveLog || this.#failure !== undefined) {
      closeLeavingLog(this.#db)
      return
    }
    try {
      crashPoint('wal-truncation-due')
      this.#sql.truncateWal()
      crashPoint('wal-truncated')
    } finally {
      this.#db.close()
    }
  }

  #commitGroup(operations: readonly WriteOperation[]): WriteOutcome[] {
    if (this.#failure !== undefined) return allFailed(operations, this.#failure)
    try {
      crashPoint('group-arrived')
      this.#db.exec('BEGIN IMMEDIATE')
      const outcomes = operations.map((operation) => this.#apply(operation))
      crashPoint('group-written')
      this.#db.exec('COMMIT')
      this.#durableRow = this.#newestRow
      crashPoint('group-committed')
      return outcomes
    } catch (error) {
      const failure = failureOf(error)
      this.#noteFailure(failure)
      this.#rollBack()
      // One operation that cannot be stored must not take down the others of its group.
      if (failure.consequence === 'refused' && operations.length > 1) {
        return operations.flatMap((operation) => this.#commitGroup([operation]))
      }
      return allFailed(operations, failure)
    }
  }

  #rollBack(): void {
    this.#newestRow = this.#durableRow
    try {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      if (this.#failure === undefined) this.#purging = this.#readPurging()
    } catch (error) {
      this.#noteFailure({ ...failureOf(error), consequence: 'failed' })
    }
  }

  #noteFailure(failure: Failure): void {
    if (failure.consequence === 'failed') this.#failure ??= failure
  }

  #apply(operation: WriteOperation): WriteOutcome {
    switch (operation.kind) {
      case 'append':
        return { kind: 'appended', results: this.#append(operation.batch) }
      case 'snapshot':
        this.#sql.upsertSnapshot(numberOf(operation.key), operation.snapshot)
        crashPoint('snapshot-written')
        return { kind: 'snapshotWritten' }
      case 'purge':
        return { kind: 'purged', done: this.#purgeStep(operation.key) }
      case 'putRecord':
        return { kind: 'compared', matched: this.#putRecord(operation) }
      case 'beginCode':
        return { kind: 'codeBegun', state: this.#beginCode(operation) }
      case 'codePiece':
        this.#writePiece(operation)
        return { kind: 'pieceWritten' }
      case 'removeCode':
        return { kind: 'codeRemoved', done: this.#removeCodeStep(operation.sha256) }
    }
  }

  #append(batch: FlatBatch): number[] {
    for (const id of batch.settled) this.#sql.deleteDuty(id)
    for (const row of batch.posted) this.#sql.insertDuty(row)
    return itemsOf(batch).map((item) => flatResult('create' in item.target ? this.#create(item) : this.#extend(item)))
  }

  #create(item: AppendItem): AppendResult {
    if (!('create' in item.target) || item.index === undefined) return { ok: false, reason: 'conflict' }
    const start = item.target.create
    if (this.#sql.executionIdTaken(start.executionId)) return { ok: false, reason: 'exists' }
    if (item.firstSeq !== 1) return { ok: false, reason: 'conflict' }
    if (this.#sql.nameTaken(start.functionName, start.name)) return { ok: false, reason: 'nameTaken' }
    const key = this.#sql.insertExecution(start, item.index)
    this.#write(key, item)
    return { ok: true, key: key as ExecutionKey }
  }

  #extend(item: AppendItem): AppendResult {
    if (!('key' in item.target)) return { ok: false, reason: 'conflict' }
    const key = numberOf(item.target.key)
    // No entries: the execution is gone, for every execution has its first. A purged one may have some left.
    const newestSeq = this.#sql.newestSeq(key)
    if (newestSeq === 0 || item.firstSeq !== newestSeq + 1 || this.#purging.has(item.target.key)) {
      return { ok: false, reason: 'conflict' }
    }
    if (item.index !== undefined) this.#sql.updateIndexRow(key, item.index)
    this.#write(key, item)
    return { ok: true, key: item.target.key }
  }

  #write(key: number, item: AppendItem): void {
    let seq = item.firstSeq
    for (const entry of item.entries) {
      this.#newestRow += 1
      this.#sql.insertEntry(this.#newestRow, key, seq, entry.firstEventId, entry.text)
      seq += 1
    }
    for (const duty of item.outbox) this.#sql.insertDuty(duty)
  }

  /** True when nothing is left to do. */
  #purgeStep(key: ExecutionKey): boolean {
    const number = numberOf(key)
    if (!this.#purging.has(key) && !this.#beginPurge(key)) return true
    this.#sql.keepNewestRow(this.#newestRow)
    const removed = this.#sql.deleteEntries(number, PURGED_ENTRIES_PER_STEP)
    this.#sql.vacuum(VACUUMED_PAGES_PER_STEP)
    if (removed === PURGED_ENTRIES_PER_STEP || this.#sql.freePages() > KEPT_FREE_PAGES) return false
    this.#sql.deletePurge(number)
    crashPoint('purge-written')
    this.#purging.delete(key)
    return true
  }

  /** False when there is no such execution. */
  #beginPurge(key: ExecutionKey): boolean {
    const execution = this.#sql.executionByKey(numberOf(key))
    if (execution === undefined) return false
    if (execution.endedAt === undefined) throw openExecutionKept(execution.executionId)
    this.#sql.deleteExecution(numberOf(key))
    this.#sql.deleteSnapshot(numberOf(key))
    this.#sql.insertPurge(numberOf(key))
    crashPoint('purge-begun')
    this.#purging.add(key)
    return true
  }

  #putRecord({ table, row, replaces }: Extract<WriteOperation, { kind: 'putRecord' }>): boolean {
    const { insert, replace } = this.#sql[table]
    return replaces === 0 ? insert(row) : replace(row, replaces)
  }

  #beginCode({ sha256, bytes }: Extract<WriteOperation, { kind: 'beginCode' }>): 'begun' | 'present' | 'unfinished' {
    const there = this.#sql.codeByHash(sha256)
    if (there !== undefined) return there.whole ? 'present' : 'unfinished'
    this.#sql.insertCode(sha256, bytes)
    return 'begun'
  }

  #writePiece({ sha256, number, bytes, last }: Extract<WriteOperation, { kind: 'codePiece' }>): void {
    const there = this.#sql.codeByHash(sha256)
    if (there === undefined) throw new StoreError('refused', `The code ${sha256} was not begun.`)
    this.#sql.insertPiece(there.key, number, bytes)
    if (last) this.#sql.markCode(there, true)
  }

  /** True when nothing is left to do. */
  #removeCodeStep(sha256: string): boolean {
    const there = this.#sql.codeByHash(sha256)
    if (there === undefined) return true
    if (there.whole) this.#sql.markCode(there, false)
    const removed = this.#sql.deletePieces(there.key, REMOVED_PIECES_PER_STEP)
    this.#sql.vacuum(VACUUMED_PAGES_PER_STEP)
    if (removed === REMOVED_PIECES_PER_STEP || this.#sql.freePages() > KEPT_FREE_PAGES) return false
    this.#sql.deleteCode(there.key)
    return true
  }

  #readPurging(): Set<ExecutionKey> {
    return new Set(this.#sql.unfinishedPurges().map((key) => key as ExecutionKey))
  }
}

function prepare(db: DatabaseSync) {
  return {
    newestSeq: journal.newestSeq(db),
    insertEntry: journal.insertEntry(db),
    newestRow: journal.newestRow(db),
    keepNewestRow: journal.keepNewestRow(db),
    deleteEntries: journal.deleteEntries(db),
    executionByKey: executions.executionByKey(db),
    executionIdTaken: executions.executionIdTaken(db),
    nameTaken: executions.nameTaken(db),
    insertExecution: executions.insertExecution(db),
    updateIndexRow: executions.updateIndexRow(db),
    deleteExecution: executions.deleteExecution(db),
    insertDuty: outbox.insertDuty(db),
    deleteDuty: outbox.deleteDuty(db),
    upsertSnapshot: snapshots.upsertSnapshot(db),
    deleteSnapshot: snapshots.deleteSnapshot(db),
    insertPurge: purges.insertPurge(db),
    deletePurge: purges.deletePurge(db),
    unfinishedPurges: purges.unfinishedPurges(db),
    freePages: purges.freePages(db),
    vacuum: purges.vacuum(db),
    functions: { insert: records.insertRecord(db, 'functions'), replace: records.replaceRecord(db, 'functions') },
    layers: { insert: records.insertRecord(db, 'layers'), replace: records.replaceRecord(db, 'layers') },
    codeByHash: code.codeByHash(db),
    insertCode: code.insertCode(db),
    markCode: code.markCode(db),
    deleteCode: code.deleteCode(db),
    insertPiece: code.insertPiece(db),
    deletePieces: code.deletePieces(db),
    walSize: wal.walSize(db),
    truncateWal: wal.truncateWal(db),
  }
}

const numberOf = (key: ExecutionKey): number => Number(key)

const allFailed = (operations: readonly WriteOperation[], failure: Failure): WriteOutcome[] =>
  operations.map(() => ({ kind: 'failed', failure }))
