/** The ways to find an execution in the memory store. Every change costs a fixed number of map and block operations. */
import { expiresAtMs } from '../batch-rules.ts'
import type { ExecutionKey, IndexRow, ListQuery, NewExecution } from '../store.ts'
import { OrderedSet } from './ordered-set.ts'

export interface Indexed {
  readonly key: ExecutionKey
  readonly start: NewExecution
  index: IndexRow
}

interface FunctionIndexes<Row> {
  readonly byName: Map<string, Row>
  readonly byStart: OrderedSet<Row>
  readonly bySdkInvocation: Map<string, OrderedSet<Row>>
}

export class ExecutionIndexes<Row extends Indexed> {
  readonly #byId = new Map<string, Row>()
  readonly #byFunction = new Map<string, FunctionIndexes<Row>>()
  readonly #open = new OrderedSet<Row>(compareId)
  readonly #closed = new OrderedSet<Row>((a, b) => expiryOf(a) - expiryOf(b) || compareId(a, b))

  byId(executionId: string): Row | undefined {
    return this.#byId.get(executionId)
  }

  byName(functionName: string, name: string): Row | undefined {
    return this.#byFunction.get(functionName)?.byName.get(name)
  }

  newestBySdkInvocation(functionName: string, sdkInvocationId: string): Row | undefined {
    const started = this.#byFunction.get(functionName)?.bySdkInvocation.get(sdkInvocationId)
    return started?.descending(() => false).next().value ?? undefined
  }

  add(row: Row): void {
    this.#byId.set(row.start.executionId, row)
    const indexes = this.#indexesOf(row.start.functionName)
    indexes.byName.set(row.start.name, row)
    indexes.byStart.add(row)
    this.#sdkInvocationSet(indexes, row)?.add(row)
    this.#lifecycleSet(row).add(row)
  }

  update(row: Row, index: IndexRow): void {
    this.#lifecycleSet(row).delete(row)
    row.index = index
    this.#lifecycleSet(row).add(row)
  }

  remove(row: Row): void {
    this.#byId.delete(row.start.executionId)
    const indexes = this.#indexesOf(row.start.functionName)
    indexes.byName.delete(row.start.name)
    indexes.byStart.delete(row)
    this.#forgetSdkInvocation(indexes, row)
    if (indexes.byName.size === 0) this.#byFunction.delete(row.start.functionName)
    this.#lifecycleSet(row).delete(row)
  }

  list(query: ListQuery): Row[] {
    const indexes = this.#byFunction.get(query.functionName)
    if (indexes === undefined) return []
    const { after, startedAfter = -Infinity, startedBefore = Infinity } = query
    const rows = query.oldestFirst
      ? indexes.byStart.ascending(
          (row) => row.start.startedAt <= startedAfter || (after !== undefined && compareStart(row.start, after) <= 0),
        )
      : indexes.byStart.descending(
          (row) => row.start.startedAt >= startedBefore || (after !== undefined && compareStart(row.start, after) >= 0),
        )
    return takeMatching(
      rows,
      query,
      query.oldestFirst ? (row) => row.start.startedAt >= startedBefore : (row) => row.start.startedAt <= startedAfter,
    )
  }

  open(afterId: string, limit: number): Row[] {
    return this.#open
      .ascending((row) => row.start.executionId <= afterId)
      .take(limit)
      .toArray()
  }

  expired(nowMs: number, limit: number): Row[] {
    const rows: Row[] = []
    for (const row of this.#closed.ascending(() => false).take(limit)) {
      if (expiryOf(row) > nowMs) break
      rows.push(row)
    }
    return rows
  }

  /** Open and closed executions are ordered differently; a row is in the one set that its index row says. */
  #lifecycleSet(row: Row): OrderedSet<Row> {
    return row.index.endedAt === undefined ? this.#open : this.#closed
  }

  #indexesOf(functionName: string): FunctionIndexes<Row> {
    const present = this.#byFunction.get(functionName)
    if (present !== undefined) return present
    const created = {
      byName: new Map(),
      byStart: new OrderedSet<Row>((a, b) => compareStart(a.start, b.start)),
      bySdkInvocation: new Map(),
    }
    this.#byFunction.set(functionName, created)
    return created
  }

  #sdkInvocationSet(indexes: FunctionIndexes<Row>, row: Row): OrderedSet<Row> | undefined {
    const id = row.start.sdkInvocationId
    if (id === undefined) return undefined
    const present = indexes.bySdkInvocation.get(id)
    if (present !== undefined) return present
    const created = new OrderedSet<Row>((a, b) => compareStart(a.start, b.start))
    indexes.bySdkInvocation.set(id, created)
    return created
  }

  #forgetSdkInvocation(indexes: FunctionIndexes<Row>, row: Row): void {
    const id = row.start.sdkInvocationId
    if (id === undefined) return
    const started = indexes.bySdkInvocation.get(id)
    started?.delete(row)
    if (started?.size === 0) indexes.bySdkInvocation.delete(id)
  }
}

function takeMatching<Row extends Indexed>(
  rows: Iterable<Row>,
  query: ListQuery,
  isPast: (row: Row) => boolean,
): Row[] {
  const taken: Row[] = []
  for (const row of rows) {
    if (taken.length >= query.limit || isPast(row)) break
    if (matches(row, query)) taken.push(row)
  }
  return taken
}

function matches(row: Indexed, query: ListQuery): boolean {
  return (
    (query.version === undefined || row.start.version === query.version) &&
    (query.name === undefined || row.start.name === query.name) &&
    (query.statuses === undefined || query.statuses.includes(row.index.status))
  )
}

type StartPlace = Pick<NewExecution, 'startedAt' | 'executionId'>

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const compareId = (a: Indexed, b: Indexed): number => compareText(a.start.executionId, b.start.executionId)
const compareStart = (a: StartPlace, b: StartPlace): number =>
  a.startedAt - b.startedAt || compareText(a.executionId, b.executionId)
const expiryOf = (row: Indexed): number => expiresAtMs(row.index.endedAt, row.start.retentionDays) ?? Infinity
