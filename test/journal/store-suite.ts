/** The contract of a store as tests (`src/journal/store.ts`). Every store of Perdure, and any other, must pass it. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { FunctionStore } from '../../src/functions/registry/function-store.ts'
import type { ExecutionKey, ListQuery, Store } from '../../src/journal/store.ts'
import { StoreError } from '../../src/journal/store-error.ts'
import {
  appended,
  appendOne,
  closedAt,
  creation,
  duty,
  ended,
  entry,
  extension,
  newExecution,
  RUNNING,
  started,
  texts,
} from './builders.ts'

const DAY_MS = 86_400_000

export interface StoreUnderTest {
  readonly name: string
  /** A new and empty store; whatever it needs is removed after the test. */
  open(t: TestContext): Promise<Store & FunctionStore>
}

export function storeSuite(subject: StoreUnderTest): void {
  const onStore = (name: string, story: (store: Store & FunctionStore) => Promise<void>) =>
    test(name, async (t) => {
      const store = await subject.open(t)
      try {
        await story(store)
      } finally {
        await store.close()
      }
    })

  describe(`${subject.name}: append`, () => {
    onStore('continues a journal only one past its newest entry', async (store) => {
      const key = await started(store, 'e1')
      assert.deepEqual(await appendOne(store, extension(key, 1)), { ok: false, reason: 'conflict' })
      assert.deepEqual(await appendOne(store, extension(key, 3)), { ok: false, reason: 'conflict' })
      assert.deepEqual(await appendOne(store, extension(key, 2)), { ok: true, key })
      assert.deepEqual(await appendOne(store, extension(key, 2)), { ok: false, reason: 'conflict' })
    })

    onStore('of many writers with the same seq exactly one wins', async (store) => {
      const key = await started(store, 'e1')
      const rivals = Array.from({ length: 20 }, (_, rival) =>
        appendOne(store, extension(key, 2, { entries: [entry(2, `"${rival}"`)] })),
      )
      const winners = (await Promise.all(rivals)).flatMap((result, rival) => (result.ok ? [rival] : []))
      assert.equal(winners.length, 1)
      assert.deepEqual((await texts(store, key)).slice(1), [`"${winners[0]}"`])
    })

    onStore('a losing item leaves no trace and the others of its batch are kept', async (store) => {
      const first = await started(store, 'e1')
      const second = await started(store, 'e2')
      const results = await store.append({
        items: [
          extension(first, 2),
          extension(second, 9, { index: closedAt(5), outbox: [duty('lost')] }),
          creation(newExecution('e3')),
          creation(newExecution('e4', { name: 'e1' }), { outbox: [duty('lost too')] }),
        ],
        settled: [],
      })
      assert.deepEqual(
        results.map((result) => (result.ok ? 'ok' : result.reason)),
        ['ok', 'conflict', 'ok', 'nameTaken'],
      )
      assert.equal((await texts(store, first)).length, 2)
      assert.equal((await texts(store, second)).length, 1)
      assert.equal((await store.findById('e2'))?.status, 'RUNNING')
      assert.equal(await store.findById('e4'), undefined)
      assert.deepEqual(await store.listOutbox({ afterId: '', limit: 10 }), [])
    })

    onStore('an item of several entries is all or nothing', async (store) => {
      const key = await started(store, 'e1')
      const three = [entry(2, '"a"'), entry(4, '"b"'), entry(4, '"c"')]
      assert.equal((await appendOne(store, extension(key, 3, { entries: three }))).ok, false)
      assert.equal((await texts(store, key)).length, 1)
      await appended(store, extension(key, 2, { entries: three }))
      assert.deepEqual((await texts(store, key)).slice(1), ['"a"', '"b"', '"c"'])
    })

    onStore('items of one batch follow one another on the same execution', async (store) => {
      const key = await started(store, 'e1')
      const results = await store.append({
        items: [extension(key, 2), extension(key, 3), extension(key, 3), extension(key, 4)],
        settled: [],
      })
      assert.deepEqual(
        results.map((result) => result.ok),
        [true, true, false, true],
      )
    })

    onStore('an item without entries writes its index row under the same condition', async (store) => {
      const key = await started(store, 'e1')
      const idle = { status: 'RUNNING', endedAt: undefined, wake: { kind: 'suspended', dueMs: 7 } } as const
      assert.equal((await appendOne(store, extension(key, 3, { entries: [], index: idle }))).ok, false)
      assert.deepEqual((await store.findById('e1'))?.wake, { kind: 'ready' })
      await appended(store, extension(key, 2, { entries: [], index: idle }))
      assert.deepEqual((await store.findById('e1'))?.wake, { kind: 'suspended', dueMs: 7 })
      await appended(store, extension(key, 2))
    })

    onStore('an empty batch is accepted', async (store) => {
      assert.deepEqual(await store.append({ items: [], settled: [] }), [])
    })

    onStore('refuses what no caller may send, and goes on', async (store) => {
      const noIndex = creation(newExecution('e1'), { index: undefined })
      const noEntry = creation(newExecution('e1'), { entries: [] })
      const key = await started(store, 'e0')
      for (const item of [noIndex, noEntry, extension(key, 0), extension(key, 1.5), extension(key, Number.NaN)]) {
        await assert.rejects(appendOne(store, item), refused)
      }
      assert.equal(await store.findById('e1'), undefined)
      await started(store, 'e1')
    })

    onStore('keeps a big batch in order', async (store) => {
      const keys: ExecutionKey[] = []
      for (let id = 0; id < 50; id += 1) keys.push(await started(store, `e${id}`))
      const items = Array.from({ length: 5_000 }, (_, n) =>
        extension(keys[n % 50] as ExecutionKey, 2 + Math.floor(n / 50), { entries: [entry(n, `${n}`)] }),
      )
      const results = await store.append({ items, settled: [] })
      assert.ok(results.every((result) => result.ok))
      assert.deepEqual(
        (await texts(store, keys[7] as ExecutionKey)).slice(1),
        Array.from({ length: 100 }, (_, round) => `${round * 50 + 7}`),
      )
    })

    onStore('takes a text of megabytes', async (store) => {
      const text = JSON.stringify('0123456789abcdef'.repeat(400_000))
      const key = await appended(store, creation(newExecution('e1'), { entries: [entry(1, text)] }))
      assert.equal((await store.readEntry({ key, seq: 1 }))?.text, text)
    })

    onStore('hundreds of concurrent callers each get their own answer', async (store) => {
      const keys = await Promise.all(Array.from({ length: 300 }, (_, id) => started(store, `e${id}`)))
      assert.equal(new Set(keys).size, 300)
      for (let seq = 2; seq < 5; seq += 1) {
        const results = await Promise.all(keys.map((key) => appendOne(store, extension(key, seq))))
        assert.deepEqual(
          results.map((result) => result.ok && result.key),
          keys,
        )
      }
    })

    onStore('what an append reported can be read at once', async (store) => {
      const key = await started(store, 'e1')
      for (let seq = 2; seq < 60; seq += 1) {
        await appended(store, extension(key, seq))
        assert.equal((await store.readEntry({ key, seq }))?.seq, seq)
      }
    })
  })

  describe(`${subject.name}: ids and names`, () => {
    onStore('an execution comes back as it was written', async (store) => {
      const start = newExecution('e1', { sdkInvocationId: 'call-1', version: '$LATEST', retentionDays: 30 })
      const key = await appended(store, creation(start))
      const expected = { key, ...start, ...RUNNING }
      assert.deepEqual(await store.findById('e1'), expected)
      assert.deepEqual(await store.findByName({ functionName: 'orders', name: 'e1' }), expected)
      const { sdkInvocationId: _, ...anonymous } = newExecution('e2')
      const second = await appended(store, creation({ ...anonymous, sdkInvocationId: undefined }))
      assert.deepEqual(await store.findById('e2'), { key: second, ...newExecution('e2'), ...RUNNING })
      assert.equal(await store.findById('e9'), undefined)
      assert.equal(await store.findByName({ functionName: 'orders', name: 'e9' }), undefined)
    })

    onStore('each wake row and each status comes back as it was written', async (store) => {
      const rows = [
        { status: 'RUNNING', endedAt: undefined, wake: { kind: 'running', dueMs: 12 } },
        { status: 'RUNNING', endedAt: undefined, wake: { kind: 'suspended', dueMs: 1_900_000_000_000 } },
        { status: 'RUNNING', endedAt: undefined, wake: { kind: 'ready' } },
        { status: 'FAILED', endedAt: 99, wake: undefined },
      ] as const
      const key = await started(store, 'e1')
      let seq = 2
      for (const index of rows) {
        await appended(store, extension(key, seq, { index }))
        const { status, endedAt, wake } = (await store.findById('e1')) ?? {}
        assert.deepEqual({ status, endedAt, wake }, index)
        seq += 1
      }
    })

    onStore('an execution id is given once; a repeated creation recognises itself', async (store) => {
      await started(store, 'e1')
      assert.deepEqual(await appendOne(store, creation(newExecution('e1'))), { ok: false, reason: 'exists' })
      const renamed = creation(newExecution('e1', { name: 'other', functionName: 'mail' }))
      assert.deepEqual(await appendOne(store, renamed), { ok: false, reason: 'exists' })
    })

    onStore('a name is unique within its function', async (store) => {
      await started(store, 'e1', { name: 'daily' })
      const again = creation(newExecution('e2', { name: 'daily' }))
      assert.deepEqual(await appendOne(store, again), { ok: false, reason: 'nameTaken' })
      await started(store, 'e3', { name: 'daily', functionName: 'mail' })
      assert.equal((await store.findByName({ functionName: 'mail', name: 'daily' }))?.executionId, 'e3')
    })

    onStore('of concurrent creations of one name exactly one wins', async (store) => {
      const rivals = Array.from({ length: 20 }, (_, id) =>
        appendOne(store, creation(newExecution(`e${id}`, { name: 'daily' }))),
      )
      const results = await Promise.all(rivals)
      assert.equal(results.filter((result) => result.ok).length, 1)
      assert.ok(results.every((result) => result.ok || result.reason === 'nameTaken'))
    })

    onStore('finds the newest execution that a client call started', async (store) => {
      await started(store, 'e1', { sdkInvocationId: 'call', startedAt: 10 })
      await started(store, 'e2', { sdkInvocationId: 'call', startedAt: 30 })
      await started(store, 'e3', { sdkInvocationId: 'call', startedAt: 20 })
      await started(store, 'e4', { sdkInvocationId: 'call', startedAt: 40, functionName: 'mail' })
      const query = { functionName: 'orders', sdkInvocationId: 'call', sinceMs: 0 }
      assert.equal((await store.findBySdkInvocation(query))?.executionId, 'e2')
      assert.equal((await store.findBySdkInvocation({ ...query, sinceMs: 30 }))?.executionId, 'e2')
      assert.equal(await store.findBySdkInvocation({ ...query, sinceMs: 31 }), undefined)
      assert.equal(await store.findBySdkInvocation({ ...query, sdkInvocationId: 'other' }), undefined)
    })
  })

  describe(`${subject.name}: texts`, () => {
    const awkward: Readonly<Record<string, string>> = {
      'a lone high surrogate': '{"x":"\ud800"}',
      'a lone low surrogate': '\udfff',
      'surrogates in the wrong order': 'a\udc00\ud800b',
      'a pair beside a lone one': '😀\ud83d',
      'what looks like an escape': '\\ud800 and \ud800',
      'an astral character': '{"x":"😀𝒳"}',
      'a NUL': 'before\0after\0',
      'a byte order mark': '\ufeff{"x":1}',
      noncharacters: '\uffff\ufffe\ufffd',
      'nothing at all': '',
    }
    for (const [what, text] of Object.entries(awkward)) {
      onStore(`${what} comes back unchanged`, async (store) => {
        const id = `d/${'x'.repeat(3)}`
        const outbox = [{ id, executionId: 'e1', text }]
        const key = await appended(store, creation(newExecution('e1'), { entries: [entry(1, text)], outbox }))
        await store.writeSnapshot({ key, snapshot: { foldVersion: 1, seq: 1, text } })
        assert.equal((await store.readEntry({ key, seq: 1 }))?.text, text)
        assert.equal((await store.readSnapshot({ key }))?.text, text)
        assert.equal((await store.listOutbox({ afterId: '', limit: 1 }))[0]?.text, text)
      })
    }

    onStore('names with awkward characters are found and told apart', async (store) => {
      const names = Object.values(awkward)
      for (const [number, name] of names.entries()) await started(store, `e${number}`, { name })
      for (const [number, name] of names.entries()) {
        assert.equal((await store.findByName({ functionName: 'orders', name }))?.executionId, `e${number}`)
        assert.equal((await appendOne(store, creation(newExecution(`f${number}`, { name })))).ok, false)
      }
    })
  })

  describe(`${subject.name}: reading a journal`, () => {
    onStore('pages by bytes, with one entry at least', async (store) => {
      const key = await started(store, 'e1')
      const text = JSON.stringify('é'.repeat(49)) // 100 bytes
      for (let seq = 2; seq <= 6; seq += 1) {
        await appended(store, extension(key, seq, { entries: [entry(seq, text)] }))
      }
      const seqs = async (afterSeq: number, maxBytes: number) =>
        (await store.readJournal({ key, afterSeq, maxBytes })).map((row) => row.seq)
      assert.deepEqual(await seqs(1, 300), [2, 3, 4])
      assert.deepEqual(await seqs(1, 299), [2, 3])
      assert.deepEqual(await seqs(4, 1_000), [5, 6])
      assert.deepEqual(await seqs(3, 0), [4])
      assert.deepEqual(await seqs(6, 1_000), [])
    })

    onStore('reads one entry or none', async (store) => {
      const key = await started(store, 'e1')
      assert.deepEqual(await store.readEntry({ key, seq: 1 }), { seq: 1, ...entry(1) })
      assert.equal(await store.readEntry({ key, seq: 0 }), undefined)
      assert.equal(await store.readEntry({ key, seq: 2 }), undefined)
    })

    onStore('finds the entries that hold a range of events', async (store) => {
      // seq:    1  2  3  4  5  6  7
      // events: 1  -  2  -  5  5  9   where 3 holds 2–4, 5 and 4 hold none, 6 holds 5–8
      const key = await started(store, 'e1')
      const firstEventIds = [2, 2, 5, 5, 5, 9]
      await appended(store, extension(key, 2, { entries: firstEventIds.map((id) => entry(id)) }))
      const seqs = async (fromEventId: number, toEventId: number) =>
        (await store.readHistory({ key, fromEventId, toEventId })).map((row) => row.seq)
      assert.deepEqual(await seqs(1, 1), [1])
      assert.deepEqual(await seqs(2, 4), [3])
      assert.deepEqual(await seqs(3, 3), [3])
      assert.deepEqual(await seqs(4, 5), [3, 4, 5, 6])
      assert.deepEqual(await seqs(8, 8), [6])
      assert.deepEqual(await seqs(8, 100), [6, 7])
      assert.deepEqual(await seqs(50, 60), [7])
      assert.deepEqual(await seqs(1, 100), [1, 2, 3, 4, 5, 6, 7])
      assert.deepEqual(await seqs(0, 0), [])
      assert.deepEqual(await seqs(5, 4), [])
    })

    onStore('pages through a long history without a gap', async (store) => {
      const key = await started(store, 'e1')
      const events = 2_000
      const entries = Array.from({ length: events }, (_, index) => entry(2 + index, `${2 + index}`))
      await appended(store, extension(key, 2, { entries }))
      for (let from = 2; from < events; from += 300) {
        const rows = await store.readHistory({ key, fromEventId: from, toEventId: from + 299 })
        assert.equal(rows[0]?.firstEventId, from)
        assert.equal(rows.at(-1)?.firstEventId, Math.min(from + 299, events + 1))
      }
    })
  })

  describe(`${subject.name}: lists`, () => {
    const filled = async (store: Store) => {
      const statuses = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'] as const
      for (let n = 0; n < 30; n += 1) {
        const key = await started(store, `e${String(n).padStart(2, '0')}`, {
          startedAt: 1_000 + Math.floor(n / 3),
          version: n % 2 === 0 ? '1' : '2',
          name: `name-${n}`,
        })
        const status = statuses[n % 5] ?? 'RUNNING'
        if (status !== 'RUNNING') {
          await appended(store, extension(key, 2, { index: { status, endedAt: 5_000, wake: undefined } }))
        }
      }
      await started(store, 'other', { functionName: 'mail' })
    }
    const idsOf = async (store: Store, query: Partial<ListQuery>) =>
      (await store.list({ functionName: 'orders', limit: 100, ...query })).map((row) =>
        Number(row.executionId.slice(1)),
      )
    const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

    onStore('lists newest first, or oldest first', async (store) => {
      await filled(store)
      assert.deepEqual(await idsOf(store, { oldestFirst: true }), numbers(0, 30))
      assert.deepEqual(await idsOf(store, {}), numbers(0, 30).reverse())
      assert.deepEqual(await idsOf(store, { limit: 4 }), [29, 28, 27, 26])
      assert.deepEqual(await idsOf(store, { limit: 0 }), [])
      assert.deepEqual(await idsOf(store, { functionName: 'nobody' }), [])
    })

    onStore('filters by status, version, name and start', async (store) => {
      await filled(store)
      const oldestFirst = true
      assert.deepEqual(await idsOf(store, { oldestFirst, statuses: ['RUNNING'] }), [0, 5, 10, 15, 20, 25])
      assert.deepEqual(
        await idsOf(store, { oldestFirst, statuses: ['STOPPED', 'RUNNING', 'STOPPED'], limit: 4 }),
        [0, 4, 5, 9],
      )
      assert.deepEqual(await idsOf(store, { statuses: [] }), [])
      assert.deepEqual(await idsOf(store, { oldestFirst, version: '2', statuses: ['RUNNING'] }), [5, 15, 25])
      assert.deepEqual(await idsOf(store, { name: 'name-7' }), [7])
      assert.deepEqual(await idsOf(store, { name: 'name-7', statuses: ['RUNNING'] }), [])
      assert.deepEqual(await idsOf(store, { name: 'name-7', version: '1' }), [])
      assert.deepEqual(await idsOf(store, { name: 'name-7', startedBefore: 1_002 }), [])
      assert.deepEqual(await idsOf(store, { oldestFirst, startedAfter: 1_001, startedBefore: 1_003 }), [6, 7, 8])
      assert.deepEqual(await idsOf(store, { startedAfter: 1_003, startedBefore: 1_002 }), [])
    })

    onStore('goes on after the last row of the page before, in either order', async (store) => {
      await filled(store)
      for (const oldestFirst of [true, false]) {
        for (const limit of [1, 4, 7]) {
          const query = { functionName: 'orders', startedBefore: 1_009, startedAfter: 1_000, limit, oldestFirst }
          const seen: number[] = []
          let page = await store.list(query)
          while (page.length > 0) {
            seen.push(...page.map((row) => Number(row.executionId.slice(1))))
            const last = page.at(-1)
            if (last === undefined) break
            page = await store.list({ ...query, after: { startedAt: last.startedAt, executionId: last.executionId } })
          }
          assert.deepEqual(seen, oldestFirst ? numbers(3, 27) : numbers(3, 27).reverse())
        }
      }
    })

    onStore('lists open executions by id, for recovery', async (store) => {
      for (const id of ['c', 'a', 'd', 'b']) await started(store, id)
      await ended(store, 'ab', 9)
      const page = async (afterId: string, limit: number) =>
        (await store.listOpen({ afterId, limit })).map((row) => row.executionId)
      assert.deepEqual(await page('', 10), ['a', 'b', 'c', 'd'])
      assert.deepEqual(await page('', 2), ['a', 'b'])
      assert.deepEqual(await page('b', 2), ['c', 'd'])
      assert.deepEqual(await page('d', 2), [])
      assert.deepEqual((await store.listOpen({ afterId: '', limit: 1 }))[0]?.wake, { kind: 'ready' })
    })

    onStore('lists what retention has passed, the longest overdue first', async (store) => {
      await ended(store, 'a', 2_000, { retentionDays: 2 })
      await ended(store, 'b', 3_000, { retentionDays: 1 })
      await ended(store, 'c', 1_000, { retentionDays: 1 })
      await started(store, 'open')
      const expired = async (nowMs: number, limit = 10) =>
        (await store.listExpired({ nowMs, limit })).map((row) => row.executionId)
      assert.deepEqual(await expired(DAY_MS + 999), [])
      assert.deepEqual(await expired(DAY_MS + 1_000), ['c'])
      assert.deepEqual(await expired(3 * DAY_MS), ['c', 'b', 'a'])
      assert.deepEqual(await expired(3 * DAY_MS, 2), ['c', 'b'])
    })
  })

  describe(`${subject.name}: outbox`, () => {
    onStore('keeps duties until they are settled', async (store) => {
      const key = await appended(store, creation(newExecution('e1'), { outbox: [duty('b'), duty('a')] }))
      await appended(store, extension(key, 2, { outbox: [duty('c')] }))
      assert.deepEqual(await store.listOutbox({ afterId: '', limit: 10 }), [duty('a'), duty('b'), duty('c')])
      assert.deepEqual(await store.listOutbox({ afterId: 'a', limit: 1 }), [duty('b')])
      await store.append({ items: [], settled: ['b', 'unknown'] })
      assert.deepEqual(await store.listOutbox({ afterId: '', limit: 10 }), [duty('a'), duty('c')])
    })

    onStore('a duty that is there already stays as it is', async (store) => {
      const key = await appended(store, creation(newExecution('e1'), { outbox: [duty('a')] }))
      await appended(store, extension(key, 2, { outbox: [{ ...duty('a'), text: '"other"' }] }))
      assert.deepEqual(await store.listOutbox({ afterId: '', limit: 10 }), [duty('a')])
    })

    onStore('settles before it adds', async (store) => {
      const key = await appended(store, creation(newExecution('e1'), { outbox: [duty('a')] }))
      const again = { ...duty('a'), text: '"again"' }
      await store.append({ items: [extension(key, 2, { outbox: [again] })], settled: ['a'] })
      assert.deepEqual(await store.listOutbox({ afterId: '', limit: 10 }), [again])
    })

    onStore('takes duties that belong to no item, and settles before it adds them', async (store) => {
      await store.append({ items: [], settled: [], posted: [duty('a'), duty('b')] })
      await store.append({ items: [], settled: ['a'], posted: [{ ...duty('b'), text: '"other"' }, duty('c')] })
      assert.deepEqual(await store.listOutbox({ afterId: '', limit: 10 }), [duty('b'), duty('c')])
    })

    onStore('posts duties that belong to no item, after it settled and before it appends', async (store) => {
      await store.append({ items: [], settled: [], posted: [duty('a'), duty('b')] })
      const item = creation(newExecution('e1'), { outbox: [{ ...duty('a'), text: '"late"' }] })
      const again = { ...duty('a'), text: '"again"' }
      await store.append({ items: [item], settled: ['a'], posted: [again, { ...duty('b'), text: '"other"' }] })
      assert.deepEqual(await store.listOutbox({ afterId: '', limit: 10 }), [again, duty('b')])
    })

    onStore('settles even when every item of the batch loses', async (store) => {
      const key = await appended(store, creation(newExecution('e1'), { outbox: [duty('a')] }))
      const [result] = await store.append({ items: [extension(key, 7)], settled: ['a'] })
      assert.equal(result?.ok, false)
      assert.deepEqual(await store.listOutbox({ afterId: '', limit: 10 }), [])
    })
  })

  describe(`${subject.name}: snapshots`, () => {
    onStore('keeps the last one written', async (store) => {
      const key = await started(store, 'e1')
      assert.equal(await store.readSnapshot({ key }), undefined)
      for (const seq of [1, 2]) {
        const snapshot = { foldVersion: 3, seq, text: `{"seq":${seq}}` }
        await store.writeSnapshot({ key, snapshot })
        assert.deepEqual(await store.readSnapshot({ key }), snapshot)
      }
    })
  })

  describe(`${subject.name}: purge`, () => {
    onStore('removes everything but unsettled duties, and frees the name', async (store) => {
      const key = await appended(
        store,
        creation(newExecution('e1', { sdkInvocationId: 'call' }), { outbox: [duty('a')] }),
      )
      await appended(store, extension(key, 2, { index: closedAt(10) }))
      await store.writeSnapshot({ key, snapshot: { foldVersion: 1, seq: 2, text: '{}' } })
      await store.purge({ key })

      assert.equal(await store.findById('e1'), undefined)
      assert.equal(await store.findByName({ functionName: 'orders', name: 'e1' }), undefined)
      assert.equal(
        await store.findBySdkInvocation({ functionName: 'orders', sdkInvocationId: 'call', sinceMs: 0 }),
        undefined,
      )
      assert.deepEqual(await texts(store, key), [])
      assert.equal(await store.readEntry({ key, seq: 1 }), undefined)
      assert.deepEqual(await store.readHistory({ key, fromEventId: 1, toEventId: 9 }), [])
      assert.equal(await store.readSnapshot({ key }), undefined)
      assert.deepEqual(await store.list({ functionName: 'orders', limit: 9 }), [])
      assert.deepEqual(await store.listExpired({ nowMs: Number.MAX_SAFE_INTEGER, limit: 9 }), [])
      assert.deepEqual(await store.listOutbox({ afterId: '', limit: 9 }), [duty('a')])

      const successor = await started(store, 'e2', { name: 'e1' })
      assert.notEqual(successor, key)
      assert.deepEqual(await appendOne(store, extension(key, 3)), { ok: false, reason: 'conflict' })
      assert.deepEqual(await appendOne(store, extension(key, 1)), { ok: false, reason: 'conflict' })
      await store.writeSnapshot({ key, snapshot: { foldVersion: 1, seq: 2, text: '{}' } })
      assert.equal(await store.readSnapshot({ key }), undefined)
    })

    onStore('an append that follows a purge without waiting finds nothing', async (store) => {
      const key = await ended(store, 'e1', 10)
      const purged = store.purge({ key })
      const appending = appendOne(store, extension(key, 3))
      await purged
      assert.deepEqual(await appending, { ok: false, reason: 'conflict' })
    })

    onStore('removes a long journal while appends go on', async (store) => {
      const long = await started(store, 'long')
      for (let round = 0; round < 5; round += 1) {
        const entries = Array.from({ length: 1_000 }, (_, index) => entry(2 + round * 1_000 + index))
        await appended(store, extension(long, 2 + round * 1_000, { entries }))
      }
      await appended(store, extension(long, 5_002, { entries: [], index: closedAt(10) }))
      const other = await started(store, 'other')
      const purged = store.purge({ key: long })
      for (let seq = 2; seq < 12; seq += 1) {
        assert.deepEqual(await appendOne(store, extension(long, 5_002)), { ok: false, reason: 'conflict' })
        await appended(store, extension(other, seq))
      }
      await purged
      assert.deepEqual(await texts(store, long), [])
      assert.equal((await texts(store, other)).length, 11)
    })

    onStore('does nothing twice, and nothing to an open execution', async (store) => {
      const key = await ended(store, 'e1', 10)
      const open = await started(store, 'e2')
      await Promise.all([store.purge({ key }), store.purge({ key })])
      await store.purge({ key })
      await assert.rejects(store.purge({ key: open }), refused)
      assert.equal((await texts(store, open)).length, 1)
    })
  })

  describe(`${subject.name}: functions`, () => {
    const row = (name: string, revision: number) => ({
      name,
      revision,
      text: `{"${name}":${revision},"lone":"\ud800"}`,
    })

    onStore('keeps one record for each name, in the order of the names', async (store) => {
      for (const name of ['orders', 'Mail', 'a-1', 'a']) {
        assert.equal(await store.putFunction({ row: row(name, 1), replaces: 0 }), true)
      }
      assert.deepEqual(await store.listFunctions(), [row('Mail', 1), row('a', 1), row('a-1', 1), row('orders', 1)])
    })

    onStore('lists many', async (store) => {
      const rows = Array.from({ length: 250 }, (_, index) => row(`f${String(index).padStart(3, '0')}`, 1))
      await Promise.all(rows.map((each) => store.putFunction({ row: each, replaces: 0 })))
      assert.deepEqual(await store.listFunctions(), rows)
    })

    onStore('replaces a record only in the place of the one that was meant', async (store) => {
      assert.equal(await store.putFunction({ row: row('f', 2), replaces: 1 }), false)
      assert.equal(await store.putFunction({ row: row('f', 1), replaces: 0 }), true)
      assert.equal(await store.putFunction({ row: row('f', 1), replaces: 0 }), false)
      assert.equal(await store.putFunction({ row: row('f', 2), replaces: 1 }), true)
      assert.equal(await store.putFunction({ row: row('f', 3), replaces: 1 }), false)
      assert.deepEqual(await store.listFunctions(), [row('f', 2)])
    })

    onStore('of many writers with the same revision exactly one wins', async (store) => {
      await store.putFunction({ row: row('f', 1), replaces: 0 })
      const rivals = Array.from({ length: 20 }, (_, rival) =>
        store.putFunction({ row: { ...row('f', 2), text: `${rival}` }, replaces: 1 }),
      )
      const winners = (await Promise.all(rivals)).flatMap((won, rival) => (won ? [rival] : []))
      assert.equal(winners.length, 1)
      assert.equal((await store.listFunctions())[0]?.text, `${winners[0]}`)
    })
  })

  describe(`${subject.name}: layers`, () => {
    const row = (name: string, revision: number) => ({ name, revision, text: `{"${name}":${revision}}` })

    onStore('are kept apart from functions of the same name, in the order of their names', async (store) => {
      await store.putFunction({ row: row('b', 7), replaces: 0 })
      for (const name of ['b', 'a']) assert.equal(await store.putLayer({ row: row(name, 1), replaces: 0 }), true)
      assert.deepEqual(await store.listLayers(), [row('a', 1), row('b', 1)])
      assert.deepEqual(await store.listFunctions(), [row('b', 7)])
    })

    onStore('are replaced only in the place of the record that was meant', async (store) => {
      assert.equal(await store.putLayer({ row: row('l', 2), replaces: 1 }), false)
      assert.equal(await store.putLayer({ row: row('l', 1), replaces: 0 }), true)
      const rivals = await Promise.all([1, 1].map((replaces) => store.putLayer({ row: row('l', 2), replaces })))
      assert.deepEqual(rivals.toSorted(), [false, true])
      assert.deepEqual(await store.listLayers(), [row('l', 2)])
    })
  })

  describe(`${subject.name}: code`, () => {
    const sha256 = 'hash+/='
    const bytesOf = (length: number, seed: number) =>
      Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8) + seed) & 255)

    for (const length of [0, 1, 1_048_576, 2_500_000]) {
      onStore(`gives back ${length} bytes as they were put`, async (store) => {
        const bytes = bytesOf(length, 1)
        await store.putCode({ sha256, bytes })
        assert.deepEqual(Buffer.from((await store.readCode({ sha256 })) ?? 'none'), Buffer.from(bytes))
        await store.putCode({ sha256, bytes })
        assert.deepEqual(await store.listCode(), [sha256])
      })
    }

    onStore('takes only the bytes that are meant, of a buffer with more', async (store) => {
      // A Buffer's own `slice` makes no copy.
      const bytes = Buffer.from(bytesOf(100, 1))
      await store.putCode({ sha256, bytes: bytes.subarray(10, 20) })
      bytes.fill(0)
      assert.deepEqual(
        Buffer.from((await store.readCode({ sha256 })) ?? 'none'),
        Buffer.from(bytesOf(100, 1).slice(10, 20)),
      )
    })

    onStore('removes what is there, and takes it again', async (store) => {
      const bytes = bytesOf(6_000_000, 2)
      await store.putCode({ sha256, bytes })
      await store.putCode({ sha256: 'other', bytes: bytesOf(10, 3) })
      await store.removeCode({ sha256 })
      await store.removeCode({ sha256 })
      assert.equal(await store.readCode({ sha256 }), undefined)
      assert.deepEqual(await store.listCode(), ['other'])
      await store.putCode({ sha256, bytes })
      assert.equal((await store.readCode({ sha256 }))?.length, bytes.length)
    })

    onStore('what is put and removed without waiting takes turns', async (store) => {
      const bytes = bytesOf(3_000_000, 4)
      await Promise.all([
        store.putCode({ sha256, bytes }),
        store.putCode({ sha256, bytes }),
        store.removeCode({ sha256 }),
        store.putCode({ sha256, bytes }),
      ])
      assert.deepEqual(Buffer.from((await store.readCode({ sha256 })) ?? 'none'), Buffer.from(bytes))
    })

    onStore('appends go on while code is put', async (store) => {
      const key = await started(store, 'e1')
      let put = false
      const putting = store.putCode({ sha256, bytes: bytesOf(20_000_000, 5) }).then(() => {
        put = true
      })
      let during = 0
      for (let seq = 2; seq < 500 && !put; seq += 1) {
        await appended(store, extension(key, seq))
        if (!put) during += 1
      }
      await putting
      assert.ok(subject.name === 'memory' || during >= 3, `only ${during} appends while 20 MB were put`)
    })
  })

  describe(`${subject.name}: close`, () => {
    test('everything accepted before is answered, everything after is refused', async (t) => {
      const store = await subject.open(t)
      const key = await started(store, 'e1')
      const last = appendOne(store, extension(key, 2))
      const closing = store.close()
      assert.deepEqual(await last, { ok: true, key })
      await closing
      await store.close()
      await assert.rejects(appendOne(store, extension(key, 3)), { consequence: 'closed' })
      await assert.rejects(store.findById('e1'), { consequence: 'closed' })
      await assert.rejects(store.purge({ key }), { consequence: 'closed' })
      await assert.rejects(store.listFunctions(), { consequence: 'closed' })
      await assert.rejects(store.putCode({ sha256: 'a', bytes: new Uint8Array(1) }), { consequence: 'closed' })
    })
  })
}

const refused = (error: unknown): boolean => error instanceof StoreError && error.consequence === 'refused'
