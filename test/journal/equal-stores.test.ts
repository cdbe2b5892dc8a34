/**
 * Property: whatever is asked of a store in whatever order, memory and SQLite answer the same. The memory store is so
 * plain that it can be read as the definition; the property makes SQLite follow it.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { MemoryStore } from '../../src/journal/memory/memory-store.ts'
import { openSqliteStore } from '../../src/journal/sqlite/sqlite-store.ts'
import type { AppendItem, AppendResult, ExecutionKey, IndexRow, ListQuery, Store } from '../../src/journal/store.ts'
import { StoreError } from '../../src/journal/store-error.ts'

const RUNS = 40
const STEPS = 60

// ------------------------------------------------------------------------- what is asked: small worlds, many collisions

/** Plain objects, as the stores give them, so that answers can be compared strictly. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(model, { noNullPrototype: true }) as unknown as fc.Arbitrary<T>

const smallInt = fc.integer({ min: 0, max: 6 })
const id = fc.integer({ min: 0, max: 9 }).map((n) => `e${n}`)
const functionName = fc.constantFrom('orders', 'mail')
const name = fc.constantFrom('a', 'b', 'c', '\ud800', '😀', 'n\0ul')
const version = fc.constantFrom('1', '2')
const sdkInvocationId = fc.constantFrom('call-1', 'call-2', undefined)
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('\udc00', 'x\ud83d', '"😀"', '\0', '', '\ufeff'),
)
const status = fc.constantFrom('SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED', 'DELETING')
const startedAt = fc.integer({ min: 1_000, max: 1_004 })
const closedIndex = record({ status, endedAt: fc.integer({ min: 2_000, max: 2_003 }), wake: fc.constant(undefined) })
const openIndex: fc.Arbitrary<IndexRow> = record({
  status: fc.constant('RUNNING'),
  endedAt: fc.constant(undefined),
  wake: fc.oneof(
    record({ kind: fc.constantFrom('running', 'suspended'), dueMs: fc.integer({ min: 0, max: 4e12 }) }),
    fc.constant({ kind: 'ready' } as const),
  ),
})
const index: fc.Arbitrary<IndexRow> = fc.oneof(openIndex, closedIndex)
const duty = record({ id: smallInt.map((n) => `d${n}`), executionId: id, text })
const outbox = fc.array(duty, { maxLength: 2 })
/** `events`: how many the entry holds; its `firstEventId` follows from those before it. */
const entries = fc.array(record({ events: fc.nat(3), text }), { maxLength: 3 })
/** Which of the executions created so far; some are gone by then. */
const which = fc.nat(30)

const newExecution = record({
  executionId: id,
  arn: text,
  name,
  functionName,
  version,
  startedAt,
  inputHash: fc.constantFrom('h1', 'h2'),
  retentionDays: fc.integer({ min: 1, max: 2 }),
  sdkInvocationId,
})

const item = fc.oneof(
  record({
    kind: fc.constant('create' as const),
    create: newExecution,
    firstSeq: fc.constantFrom(1, 1, 1, 2),
    entries: fc.array(record({ events: fc.nat(3), text }), { minLength: 1, maxLength: 2 }),
    index,
    outbox,
  }),
  record({
    kind: fc.constant('extend' as const),
    which,
    /** How far from the right place the item is aimed. */
    miss: fc.constantFrom(0, 0, 0, 0, -1, 1),
    entries,
    index: fc.option(index, { nil: undefined }),
    outbox,
  }),
)

const listQuery = fc.record(
  {
    functionName,
    version,
    name,
    statuses: fc.array(fc.oneof(fc.constant('RUNNING' as const), status), { maxLength: 3 }),
    startedAfter: fc.integer({ min: 999, max: 1_004 }),
    startedBefore: fc.integer({ min: 1_000, max: 1_005 }),
    oldestFirst: fc.boolean(),
    after: record({ startedAt, executionId: id }),
    limit: fc.nat(5),
  },
  { requiredKeys: ['functionName', 'limit'], noNullPrototype: true },
) as fc.Arbitrary<ListQuery>

const page = { afterId: fc.constantFrom('', 'd2', 'e3', 'z'), limit: fc.nat(6) }

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: record({
      ask: fc.constant('append' as const),
      items: fc.array(item, { maxLength: 4 }),
      settled: fc.array(
        smallInt.map((n) => `d${n}`),
        { maxLength: 2 },
      ),
      posted: outbox,
    }),
  },
  record({ ask: fc.constant('findById' as const), id }),
  record({ ask: fc.constant('findByName' as const), query: record({ functionName, name }) }),
  record({
    ask: fc.constant('findBySdkInvocation' as const),
    query: record({ functionName, sdkInvocationId: fc.constantFrom('call-1', 'call-2'), sinceMs: startedAt }),
  }),
  {
    weight: 2,
    arbitrary: record({ ask: fc.constant('readJournal' as const), which, afterSeq: smallInt, maxBytes: fc.nat(60) }),
  },
  record({ ask: fc.constant('readEntry' as const), which, seq: smallInt }),
  {
    weight: 2,
    arbitrary: record({
      ask: fc.constant('readHistory' as const),
      which,
      fromEventId: fc.nat(12),
      toEventId: fc.nat(12),
    }),
  },
  { weight: 3, arbitrary: record({ ask: fc.constant('list' as const), query: listQuery }) },
  record({ ask: fc.constant('listOpen' as const), ...page }),
  record({ ask: fc.constant('listOutbox' as const), ...page }),
  record({
    ask: fc.constant('listExpired' as const),
    nowMs: fc.integer({ min: 86_401_000, max: 172_804_000 }),
    limit: fc.nat(6),
  }),
  record({ ask: fc.constant('readSnapshot' as const), which }),
  record({
    ask: fc.constant('writeSnapshot' as const),
    which,
    snapshot: record({ foldVersion: smallInt, seq: smallInt, text }),
  }),
  { weight: 2, arbitrary: record({ ask: fc.constant('purge' as const), which }) },
  record({ ask: fc.constant('reopen' as const) }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

// ------------------------------------------------------------------------------------------------ two stores, one world

interface Place {
  key: ExecutionKey
  newestSeq: number
  nextEventId: number
}

/** What a caller would know: the executions it created, and where their journals end. */
class World {
  readonly places: Place[] = []

  at(which: number): Place {
    // The last place stands for a key that never was.
    return this.places[which % (this.places.length + 1)] ?? { key: 9_999 as ExecutionKey, newestSeq: 0, nextEventId: 1 }
  }

  batchOf(items: readonly (typeof item extends fc.Arbitrary<infer I> ? I : never)[]): AppendItem[] {
    const touched = new Set<Place>()
    return items.flatMap((wish): AppendItem[] => {
      if (wish.kind === 'create') {
        const { create, firstSeq, index, outbox } = wish
        return [{ target: { create }, firstSeq, entries: numbered(wish.entries, 1), index, outbox }]
      }
      const place = this.at(wish.which)
      // The second item on one execution is aimed as if the first had not been there: it must lose.
      const firstSeq = Math.max(1, place.newestSeq + 1 + wish.miss)
      if (touched.has(place) && wish.entries.length === 0) return []
      touched.add(place)
      const entries = numbered(wish.entries, place.nextEventId)
      return [{ target: { key: place.key }, firstSeq, entries, index: wish.index, outbox: wish.outbox }]
    })
  }

  note(items: readonly AppendItem[], results: readonly AppendResult[]): void {
    results.forEach((result, at) => {
      const sent = items[at]
      if (!result.ok || sent === undefined) return
      const newest = sent.firstSeq + sent.entries.length - 1
      const nextEventId = (sent.entries.at(-1)?.firstEventId ?? 0) + 3
      const known = this.places.find((place) => place.key === result.key)
      if (known === undefined) this.places.push({ key: result.key, newestSeq: newest, nextEventId })
      else if (sent.entries.length > 0) Object.assign(known, { newestSeq: newest, nextEventId })
    })
  }
}

function numbered(entries: readonly { events: number; text: string }[], firstEventId: number) {
  let next = firstEventId
  return entries.map((entry) => {
    const numberedEntry = { firstEventId: next, text: entry.text }
    next += entry.events
    return numberedEntry
  })
}

/** One step on one store: what it answers, or how it refuses. */
async function take(store: Store, asked: Step, items: readonly AppendItem[], world: World): Promise<unknown> {
  try {
    return await ask(store, asked, items, world)
  } catch (error) {
    if (error instanceof StoreError) return { refusedAs: error.consequence }
    throw error
  }
}

function ask(store: Store, asked: Step, items: readonly AppendItem[], world: World): Promise<unknown> {
  switch (asked.ask) {
    case 'append':
      return store.append({ items, settled: asked.settled, posted: asked.posted })
    case 'findById':
      return store.findById(asked.id)
    case 'findByName':
      return store.findByName(asked.query)
    case 'findBySdkInvocation':
      return store.findBySdkInvocation(asked.query)
    case 'readJournal':
      return store.readJournal({ key: world.at(asked.which).key, afterSeq: asked.afterSeq, maxBytes: asked.maxBytes })
    case 'readEntry':
      return store.readEntry({ key: world.at(asked.which).key, seq: asked.seq })
    case 'readHistory': {
      const { fromEventId, toEventId } = asked
      return store.readHistory({ key: world.at(asked.which).key, fromEventId, toEventId })
    }
    case 'list':
      return store.list(asked.query)
    case 'listOpen':
      return store.listOpen({ afterId: asked.afterId, limit: asked.limit })
    case 'listOutbox':
      return store.listOutbox({ afterId: asked.afterId, limit: asked.limit })
    case 'listExpired':
      return store.listExpired({ nowMs: asked.nowMs, limit: asked.limit })
    case 'readSnapshot':
      return store.readSnapshot({ key: world.at(asked.which).key })
    case 'writeSnapshot':
      return store.writeSnapshot({ key: world.at(asked.which).key, snapshot: asked.snapshot })
    case 'purge':
      return store.purge({ key: world.at(asked.which).key })
    case 'reopen':
      return Promise.resolve(undefined)
  }
}

test('memory and SQLite answer any sequence of requests alike', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: STEPS, size: 'max' }), async (steps) => {
      const directory = mkdtempSync(join(tmpdir(), 'perdure-equal-'))
      const memory = new MemoryStore()
      let sqlite = await openSqliteStore({ directory })
      try {
        const world = new World()
        for (const asked of steps) {
          if (asked.ask === 'reopen') {
            await sqlite.close()
            sqlite = await openSqliteStore({ directory })
            continue
          }
          const items = asked.ask === 'append' ? world.batchOf(asked.items) : []
          const expected = await take(memory, asked, items, world)
          assert.deepStrictEqual(await take(sqlite, asked, items, world), expected)
          if (asked.ask === 'append' && Array.isArray(expected)) world.note(items, expected)
        }
      } finally {
        await sqlite.close()
        rmSync(directory, { recursive: true, force: true })
      }
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: 60_000 },
  )
})
