/**
 * The store that keeps everything in maps: for tests, for embedding without a disk, and as the plainest statement of
 * what a store does. Nothing survives the process, so here "durable" means "done". Each method takes effect at its
 * call; an append costs a few map look-ups, whatever the number of executions.
 */
import type { FunctionRow, FunctionStore, LayerRow } from '../../functions/registry/function-store.ts'
import { checkBatch, openExecutionKept } from '../batch-rules.ts'
import { seqHoldingEvent, takeWithinBytes } from '../journal-range.ts'
import type {
  AppendBatch,
  AppendItem,
  AppendResult,
  ExecutionKey,
  ExecutionRow,
  IndexRow,
  JournalRow,
  ListQuery,
  NewExecution,
  OutboxRow,
  Snapshot,
  Store,
} from '../store.ts'
import { storeClosed } from '../store-error.ts'
import { ExecutionIndexes, type Indexed } from './execution-indexes.ts'
import { OrderedSet } from './ordered-set.ts'

interface Execution extends Indexed {
  readonly journal: JournalRow[]
  snapshot: Snapshot | undefined
}

export class MemoryStore implements Store, FunctionStore {
  readonly #executions = new Map<ExecutionKey, Execution>()
  readonly #indexes = new ExecutionIndexes<Execution>()
  readonly #duties = new Map<string, OutboxRow>()
  readonly #dutiesById = new OrderedSet<OutboxRow>((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
  readonly #functions = new Map<string, FunctionRow>()
  readonly #layers = new Map<string, LayerRow>()
  readonly #code = new Map<string, Uint8Array>()
  #lastKey = 0
  #closed = false

  async append(batch: AppendBatch): Promise<readonly AppendResult[]> {
    this.#assertOpen()
    checkBatch(batch)
    for (const id of batch.settled) this.#settle(id)
    for (const row of batch.posted ?? []) this.#owe(row)
    return batch.items.map((item) => this.#appendItem(item))
  }

  async findById(executionId: string): Promise<ExecutionRow | undefined> {
    this.#assertOpen()
    return optionalRow(this.#indexes.byId(executionId))
  }

  async findByName(query: { functionName: string; name: string }): Promise<ExecutionRow | undefined> {
    this.#assertOpen()
    return optionalRow(this.#indexes.byName(query.functionName, query.name))
  }

  async findBySdkInvocation(query: {
    functionName: string
    sdkInvocationId: string
    sinceMs: number
  }): Promise<ExecutionRow | undefined> {
    this.#assertOpen()
    const newest = this.#indexes.newestBySdkInvocation(query.functionName, query.sdkInvocationId)
    return newest !== undefined && newest.start.startedAt >= query.sinceMs ? rowOf(newest) : undefined
  }

  async readJournal(query: { key: ExecutionKey; afterSeq: number; maxBytes: number }): Promise<readonly JournalRow[]> {
    this.#assertOpen()
    const journal = this.#executions.get(query.key)?.journal ?? []
    return takeWithinBytes(rowsFrom(journal, Math.max(0, query.afterSeq)), query.maxBytes)
  }

  async readEntry(query: { key: ExecutionKey; seq: number }): Promise<JournalRow | undefined> {
    this.#assertOpen()
    return this.#executions.get(query.key)?.journal[query.seq - 1]
  }

  async readHistory(query: {
    key: ExecutionKey
    fromEventId: number
    toEventId: number
  }): Promise<readonly JournalRow[]> {
    this.#assertOpen()
    const journal = this.#executions.get(query.key)?.journal ?? []
    if (query.fromEventId > query.toEventId) return []
    const firstEventIdOf = (seq: number) => journal[seq - 1]?.firstEventId ?? 0
    const first = seqHoldingEvent(journal.length, query.fromEventId, firstEventIdOf)
    const rows: JournalRow[] = []
    for (const row of rowsFrom(journal, first - 1)) {
      if (row.firstEventId > query.toEventId) break
      rows.push(row)
    }
    return rows
  }

  async list(query: ListQuery): Promise<readonly ExecutionRow[]> {
    this.#assertOpen()
    return this.#indexes.list(query).map(rowOf)
  }

  async listOpen(query: { afterId: string; limit: number }): Promise<readonly ExecutionRow[]> {
    this.#assertOpen()
    return this.#indexes.open(query.afterId, query.limit).map(rowOf)
  }

  async listOutbox(query: { afterId: string; limit: number }): Promise<readonly OutboxRow[]> {
    this.#assertOpen()
    return this.#dutiesById
      .ascending((row) => row.id <= query.afterId)
      .take(query.limit)
      .toArray()
  }

  async listExpired(query: { nowMs: number; limit: number }): Promise<readonly ExecutionRow[]> {
    this.#assertOpen()
    return this.#indexes.expired(query.nowMs, query.limit).map(rowOf)
  }

  async readSnapshot(query: { key: ExecutionKey }): Promise<Snapshot | undefined> {
    this.#assertOpen()
    return this.#executions.get(query.key)?.snapshot
  }

  async writeSnapshot(query: { key: ExecutionKey; snapshot: Snapshot }): Promise<void> {
    this.#assertOpen()
    const execution = this.#executions.get(query.key)
    if (execution !== undefined) execution.snapshot = query.snapshot
  }

  async purge(query: { key: ExecutionKey }): Promise<void> {
    this.#assertOpen()
    const execution = this.#executions.get(query.key)
    if (execution === undefined) return
    if (execution.index.endedAt === undefined) throw openExecutionKept(execution.start.executionId)
    this.#indexes.remove(execution)
    this.#executions.delete(query.key)
  }

  async listFunctions(): Promise<readonly FunctionRow[]> {
    this.#assertOpen()
    return inOrder(this.#functions)
  }

  async putFunction({ row, replaces }: { readonly row: FunctionRow; readonly replaces: number }): Promise<boolean> {
    this.#assertOpen()
    return putIn(this.#functions, row, replaces)
  }

  async listLayers(): Promise<readonly LayerRow[]> {
    this.#assertOpen()
    return inOrder(this.#layers)
  }

  async putLayer({ row, replaces }: { readonly row: LayerRow; readonly replaces: number }): Promise<boolean> {
    this.#assertOpen()
    return putIn(this.#layers, row, replaces)
  }

  async putCode({ sha256, bytes }: { readonly sha256: string; readonly bytes: Uint8Array }): Promise<void> {
    this.#assertOpen()
    this.#code.set(sha256, new Uint8Array(bytes))
  }

  async readCode({ sha256 }: { readonly sha256: string }): Promise<Uint8Array | undefined> {
    this.#assertOpen()
    const bytes = this.#code.get(sha256)
    return bytes === undefined ? undefined : new Uint8Array(bytes)
  }

  async listCode(): Promise<readonly string[]> {
    this.#assertOpen()
    return [...this.#code.keys()].sort()
  }

  async removeCode({ sha256 }: { readonly sha256: string }): Promise<void> {
    this.#assertOpen()
    this.#code.delete(sha256)
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #appendItem(item: AppendItem): AppendResult {
    const found = 'create' in item.target ? this.#found(item.target.create, item) : this.#extend(item.target.key, item)
    if (typeof found === 'string') return { ok: false, reason: found }
    item.entries.forEach((entry, index) => {
      found.journal.push({ seq: item.firstSeq + index, firstEventId: entry.firstEventId, text: entry.text })
    })
    for (const duty of item.outbox) this.#owe(duty)
    return { ok: true, key: found.key }
  }

  /** The new execution, in all indexes, or why there can be none. */
  #found(start: NewExecution, item: AppendItem): Execution | 'exists' | 'conflict' | 'nameTaken' {
    if (this.#indexes.byId(start.executionId) !== undefined) return 'exists'
    if (item.firstSeq !== 1 || item.index === undefined) return 'conflict'
    if (this.#indexes.byName(start.functionName, start.name) !== undefined) return 'nameTaken'
    this.#lastKey += 1
    const key = this.#lastKey as ExecutionKey
    const execution: Execution = { key, start, index: item.index, journal: [], snapshot: undefined }
    this.#executions.set(key, execution)
    this.#indexes.add(execution)
    return execution
  }

  /** The execution that the item's entries continue, with its new index row, or `conflict`. */
  #extend(key: ExecutionKey, item: AppendItem): Execution | 'conflict' {
    const execution = this.#executions.get(key)
    if (execution === undefined || item.firstSeq !== execution.journal.length + 1) return 'conflict'
    if (item.index !== undefined) this.#indexes.update(execution, item.index)
    return execution
  }

  #owe(duty: OutboxRow): void {
    if (this.#duties.has(duty.id)) return
    this.#duties.set(duty.id, duty)
    this.#dutiesById.add(duty)
  }

  #settle(id: string): void {
    const duty = this.#duties.get(id)
    if (duty === undefined) return
    this.#duties.delete(id)
    this.#dutiesById.delete(duty)
  }

  #assertOpen(): void {
    if (this.#closed) throw storeClosed()
  }
}

function inOrder(records: ReadonlyMap<string, FunctionRow>): readonly FunctionRow[] {
  return [...records.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function putIn(records: Map<string, FunctionRow>, row: FunctionRow, replaces: number): boolean {
  if ((records.get(row.name)?.revision ?? 0) !== replaces) return false
  records.set(row.name, row)
  return true
}

function* rowsFrom(journal: readonly JournalRow[], afterSeq: number): Generator<JournalRow> {
  for (let index = afterSeq; index < journal.length; index += 1) yield journal[index] as JournalRow
}

const rowOf = (execution: { key: ExecutionKey; start: NewExecution; index: IndexRow }): ExecutionRow => ({
  key: execution.key,
  ...execution.start,
  ...execution.index,
})

const optionalRow = (execution: Execution | undefined): ExecutionRow | undefined =>
  execution === undefined ? undefined : rowOf(execution)
