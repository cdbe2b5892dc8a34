import assert from 'node:assert/strict'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { createTail } from '../../src/functions/invocation-log.ts'
import { type LogBounds, openLogStore } from '../../src/functions/logs/log-store.ts'
import {
  createAllowance,
  createOutputLines,
  floodBurstBytes,
  floodBytesPerSecond,
  maxLineBytes,
} from '../../src/functions/output-lines.ts'
import type { LogReading, LogRecord, LogSelection } from '../../src/service/ports.ts'
import { logged } from './logged.ts'
import { project } from './project.ts'

const record = (functionName: string, at: number, more: Partial<LogRecord> = {}): LogRecord => ({
  at,
  functionName,
  version: '$LATEST',
  stream: 'stdout',
  line: `line ${at}`,
  ...more,
})

const arnOf = (name: string): string =>
  `arn:aws:lambda:us-east-1:000000000000:function:${name}:$LATEST/durable-execution/n/id-${name}`

const dayMs = 86_400_000

/** On a clock that stands at the beginning of time, so that nothing is too old. */
function open(directory: string | undefined, bounds: Partial<LogBounds> = {}, now: () => number = () => 0) {
  return openLogStore({ directory, bounds, clock: { now }, timers: { at: () => () => {} } })
}

for (const kind of ['files', 'memory'] as const) {
  const begin = (t: Parameters<typeof project>[0]) => open(kind === 'memory' ? undefined : join(project(t, {}), 'logs'))

  test(`${kind}: the newest by execution, function, request and time, the oldest of them first`, async (t) => {
    const store = begin(t)
    for (let at = 1; at <= 1000; at += 1) {
      store.write(record('f', at, at % 10 === 0 ? { executionArn: arnOf('f'), requestId: `r-${at}` } : {}))
      if (at % 100 === 0) store.write(record('g', at + 0.5))
    }
    const at = async (selection: LogSelection, limit = 3): Promise<number[]> => {
      const { records } = await store.read(selection, { direction: 'backward', limit })
      return records.map((found) => found.at)
    }
    const f = { functionNames: new Set(['f']) }
    assert.deepEqual(await at(f), [998, 999, 1000])
    assert.deepEqual(await at({ executionArns: new Set([arnOf('f')]) }), [980, 990, 1000])
    assert.deepEqual(await at({ executionArns: new Set([arnOf('f'), arnOf('g')]) }), [980, 990, 1000])
    assert.deepEqual(await at({ requestId: 'r-500' }), [500])
    assert.deepEqual(await at({ functionNames: new Set(['g']), sinceMs: 901 }), [1000.5])
    assert.deepEqual(await at({ group: '/aws/lambda/g' }, 2), [900.5, 1000.5])
    assert.deepEqual(await at({ where: ({ line }) => line === 'line 7' }), [7])
    assert.deepEqual(await at({}), [999, 1000, 1000.5])
    assert.deepEqual(await at({ ...f, requestId: 'r-500', executionArns: new Set([arnOf('g')]) }), [])
    assert.deepEqual(await at({ functionNames: new Set(['nobody']) }), [])
    assert.equal((await at(f, 5000)).length, 1000)
    const { records, complete } = await store.read(f, { direction: 'backward', limit: 5000, maxBytes: 10_000 })
    assert.ok(records.length > 10 && records.length < 120 && !complete, `${records.length} records`)
    assert.equal(records.at(-1)?.at, 1000)
    await store.close()
  })

  test(`${kind}: four are read at a time, whoever asks, and a reading that fails gives its turn to the next`, async (t) => {
    const store = begin(t)
    store.write(record('f', 1))
    const under = new Set<number>()
    let most = 0
    const readings = Array.from({ length: 40 }, async (_, reader) => {
      const where = (): boolean => {
        most = Math.max(most, under.add(reader).size)
        if (reader % 2 === 0) throw new Error('a fault')
        return true
      }
      try {
        return (await store.read({ where }, { direction: 'backward', limit: 1 })).records.length
      } catch {
        return 0
      } finally {
        under.delete(reader)
      }
    })
    const found = await Promise.all(readings)
    assert.equal(
      found.reduce((sum, each) => sum + each, 0),
      20,
    )
    assert.ok(most <= 4, `${most} at a time`)
    await store.close()
  })

  test(`${kind}: a line that tells its execution and request is found by them`, async (t) => {
    const store = begin(t)
    const line = JSON.stringify({ level: 'INFO', durableExecutionArn: arnOf('f'), requestId: 'r-1' })
    store.write(record('f', 1, { line }))
    store.write(record('f', 2))
    assert.equal((await logged(store, { executionArns: new Set([arnOf('f')]) })).length, 1)
    assert.equal((await logged(store, { requestId: 'r-1' })).length, 1)
    await store.close()
  })

  test(`${kind}: pages forward and backward leave nothing out and show nothing twice, of several functions`, async (t) => {
    const store = begin(t)
    const written = 500
    for (let n = 0; n < written; n += 1)
      store.write(record(`f${n % 3}`, 1_000 + Math.floor(n / 50), { line: String(n) }))
    for (const limit of [1, 7, 499, 500, 501]) {
      const forward: string[] = []
      const reading: LogReading = { direction: 'forward', after: -1, limit, maxBytes: 3_000 }
      for (let after = -1; ; ) {
        const page = await store.read({}, { ...reading, after })
        assert.ok(page.records.length <= limit)
        assert.ok(page.complete || page.position > after, 'a page makes headway')
        forward.push(...page.records.map(({ line }) => line))
        after = page.position
        if (page.complete) break
      }
      assert.deepEqual(
        forward,
        Array.from({ length: written }, (_, n) => String(n)),
      )
      const backward: string[] = []
      for (let before = Number.MAX_SAFE_INTEGER; ; ) {
        const { records } = await store.read({}, { direction: 'backward', before, limit })
        const [oldest] = records
        if (oldest === undefined) break
        backward.unshift(...records.map(({ line }) => line))
        before = oldest.position
      }
      assert.deepEqual(backward, forward)
    }
    await store.close()
  })

  test(`${kind}: who goes on where a page ended sees every line once, while functions write`, async (t) => {
    const store = begin(t)
    const seen: string[] = []
    let after = -1
    const poll = async (): Promise<void> => {
      const page = await store.read({}, { direction: 'forward', after, limit: 10_000 })
      seen.push(...page.records.map(({ line }) => line))
      after = page.position
    }
    for (let n = 0; n < 2_000; n += 1) {
      // All in one millisecond, of many functions.
      store.write(record(`f${n % 7}`, 5, { line: String(n) }))
      if (n % 13 === 0) await Promise.all([poll(), new Promise((resolve) => setImmediate(resolve))])
    }
    await poll()
    assert.deepEqual(
      seen,
      Array.from({ length: 2_000 }, (_, n) => String(n)),
    )
    await store.close()
  })

  test(`${kind}: groups and streams`, async (t) => {
    const store = begin(t)
    store.write(record('f', 1, { logStream: 's1' }))
    store.write(record('f', 3, { logStream: 's1' }))
    store.write(record('f', 2, { logStream: 's2' }))
    store.write(record('g', 4, { group: '/shop', logStream: 's3' }))
    store.write(record('h', 5, { logStream: 's4' }))
    store.write(record('h', 6, { group: '/shop', logStream: 's4' }))
    const groups = store.groups()
    assert.deepEqual(
      groups.map(({ name, functionNames }) => [name, [...functionNames].sort()]),
      [
        ['/aws/lambda/f', ['f']],
        ['/aws/lambda/h', ['h']],
        ['/shop', ['g', 'h']],
      ],
    )
    const [f, , shop] = groups
    assert.ok(f !== undefined && shop !== undefined)
    assert.deepEqual(await store.streams(f), [
      { name: 's1', firstAt: 1, lastAt: 3 },
      { name: 's2', firstAt: 2, lastAt: 2 },
    ])
    assert.deepEqual(
      (await store.streams(shop)).map(({ name, firstAt }) => [name, firstAt]),
      [
        ['s3', 4],
        ['s4', 6],
      ],
    )
    await store.close()
  })
}

test('segments are begun within their bound, the oldest go, and a reading goes across them', async (t) => {
  const directory = join(project(t, {}), 'logs')
  const store = open(directory, { segmentBytes: 10_000, functionBytes: 30_000 })
  let after = -1
  const followed: number[] = []
  for (let at = 1; at <= 2000; at += 1) {
    store.write(record('f', at))
    // A batch is never split over files, so the batches are kept small here.
    if (at % 20 !== 0) continue
    const page = await store.read({}, { direction: 'forward', after, limit: 100 })
    followed.push(...page.records.map((found) => found.at))
    after = page.position
  }
  const found = await logged(store)
  const files = readdirSync(directory)
  assert.ok(files.length >= 3 && files.length <= 4, files.join())
  for (const file of files) assert.ok(statSync(join(directory, file)).size <= 10_000, file)
  assert.ok(found.length > 150 && found.length < 1000, `${found.length} records are left`)
  assert.deepEqual(
    found.map(({ at }) => at),
    Array.from({ length: found.length }, (_, index) => 2001 - found.length + index),
  )
  assert.deepEqual(
    followed,
    Array.from({ length: 2000 }, (_, index) => index + 1),
    'whoever followed saw what is gone by now',
  )
  await store.close()
})

test('what an earlier server wrote is found, and written on, in positions beyond', async (t) => {
  const directory = join(project(t, {}), 'logs')
  const first = open(directory)
  first.write(record('f', 1, { line: 'ä'.repeat(300_000) }))
  await first.close()
  const second = open(directory)
  // The clock was set back meanwhile.
  second.write(record('f', 0))
  second.write(record('g', 0))
  const found = await logged(second)
  assert.deepEqual(
    found.map(({ functionName, at, line }) => [functionName, at, line.length]),
    [
      ['f', 1, 300_000],
      ['f', 0, 6],
      ['g', 0, 6],
    ],
  )
  await second.close()
})

test('files of earlier versions stay readable, in their order', async (t) => {
  const directory = join(project(t, {}), 'logs')
  mkdirSync(directory)
  const text = (...ats: number[]): string => ats.map((at) => `${JSON.stringify(record('f', at))}\n`).join('')
  writeFileSync(join(directory, 'f.2.ndjson'), text(1, 1, 2))
  writeFileSync(join(directory, 'f.1.ndjson'), text(2, 2, 3))
  writeFileSync(join(directory, 'f.ndjson'), `${text(3, 4)}{"at":5,"functionN`)
  const store = open(directory)
  store.write(record('f', 6))
  const found = await logged(store, { functionNames: new Set(['f']) })
  assert.deepEqual(
    found.map(({ at }) => at),
    [1, 1, 2, 2, 2, 3, 3, 4, 6],
  )
  assert.equal(new Set(found.map(({ position }) => position)).size, found.length)
  await store.close()
  assert.ok(
    readdirSync(directory).every((file) => /^f\.\d{16}\.ndjson$/.test(file)),
    'each became a segment',
  )
  const again = open(directory)
  assert.deepEqual(await logged(again), found)
  await again.close()
})

test('a line that broke off when the power did costs itself alone', async (t) => {
  const directory = join(project(t, {}), 'logs')
  const first = open(directory)
  for (let at = 1; at <= 3; at += 1) first.write(record('f', at))
  await first.close()
  const [file = ''] = readdirSync(directory)
  truncateSync(join(directory, file), statSync(join(directory, file)).size - 9)
  const second = open(directory)
  second.write(record('f', 4))
  assert.deepEqual(
    (await logged(second)).map(({ at }) => at),
    [1, 2, 4],
  )
  await second.close()
  appendFileSync(join(directory, file), 'not a record\n')
  const third = open(directory)
  third.write(record('f', 5))
  assert.deepEqual(
    (await logged(third)).map(({ at }) => at),
    [1, 2, 4, 5],
  )
  await third.close()
})

test('all logs together are bounded: what was written longest ago goes first, of whichever function', async (t) => {
  const directory = join(project(t, {}), 'logs')
  const store = open(directory, { totalBytes: 100_000, segmentBytes: 5_000 })
  for (let at = 1; at <= 400; at += 1) {
    for (const name of ['busy', at <= 100 ? 'early' : 'late']) store.write(record(name, at, { line: 'x'.repeat(200) }))
    await store.read({}, { direction: 'backward', limit: 1 })
  }
  await store.close()
  const bytes = readdirSync(directory).reduce((sum, file) => sum + statSync(join(directory, file)).size, 0)
  assert.ok(bytes <= 105_000 && bytes > 50_000, `${bytes} bytes are kept`)
  const again = open(directory)
  const found = await logged(again)
  assert.ok(!found.some(({ functionName }) => functionName === 'early'), 'the function that stopped first is gone')
  assert.equal(found.at(-1)?.at, 400)
  assert.deepEqual(
    again.groups().map(({ name }) => name),
    ['/aws/lambda/busy', '/aws/lambda/late'],
  )
  await again.close()
})

test('what is older than the retention goes, with the groups of functions that are no more', async (t) => {
  const directory = join(project(t, {}), 'logs')
  let now = 1_000 * dayMs
  let sweep = (): void => assert.fail('nothing was armed')
  const options = { directory, bounds: { retentionMs: 3 * dayMs }, clock: { now: () => now } }
  const store = openLogStore({
    ...options,
    timers: {
      at: (_due, call) => {
        sweep = call
        return () => {}
      },
    },
  })
  store.write(record('gone', now, { group: '/shop' }))
  store.write(record('alive', now))
  await logged(store)
  now += 2 * dayMs
  store.write(record('alive', now))
  await logged(store)
  now += 2 * dayMs
  sweep()
  for (let tries = 0; tries < 100 && readdirSync(directory).length > 2; tries += 1) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.deepEqual(
    (await logged(store)).map(({ functionName, at }) => [functionName, at / dayMs]),
    [['alive', 1_002]],
  )
  assert.deepEqual(
    store.groups().map(({ name }) => name),
    ['/aws/lambda/alive'],
  )
  assert.equal(readFileSync(join(directory, 'groups.json'), 'utf8'), '{}')
  await store.close()
})

test('ten thousand functions keep few files open', {
  skip: process.platform !== 'linux' && 'counts in /proc',
}, async (t) => {
  const openFiles = (): number => readdirSync('/proc/self/fd').length
  const before = openFiles()
  const store = open(join(project(t, {}), 'logs'))
  let most = 0
  for (let n = 0; n < 10_000; n += 1) {
    store.write(record(`f${n}`, 1))
    if (n % 500 !== 0) continue
    await new Promise((resolve) => setImmediate(resolve))
    most = Math.max(most, openFiles())
  }
  const page = await store.read({}, { direction: 'backward', limit: 3 })
  most = Math.max(most, openFiles())
  assert.deepEqual(
    page.records.map(({ functionName }) => functionName),
    ['f9997', 'f9998', 'f9999'],
  )
  assert.ok(most - before <= 100, `${most - before} files were open`)
  await store.close()
  assert.ok(openFiles() - before <= 2, 'all are closed in the end')
})

test('a log that cannot be written is told once, and goes on when it can be again', async (t) => {
  const directory = join(project(t, {}), 'logs')
  const warnings: string[] = []
  const hear = ({ message }: Error): void => void warnings.push(message)
  process.on('warning', hear)
  t.after(() => process.off('warning', hear))
  const store = open(directory)
  rmSync(directory, { recursive: true })
  for (let at = 1; at <= 3; at += 1) {
    store.write(record('f', at))
    assert.deepEqual(await logged(store), [])
  }
  mkdirSync(directory)
  store.write(record('f', 4))
  assert.deepEqual(
    (await logged(store)).map(({ at }) => at),
    [4],
  )
  await store.close()
  assert.deepEqual(
    warnings.map((message) => /^The log of function "f" cannot be written: .*ENOENT/.test(message)),
    [true],
  )
})

test('a log that cannot be written fast enough drops lines and says how many', async (t) => {
  const store = open(join(project(t, {}), 'logs'), { queueBytes: 10_000 })
  for (let at = 1; at <= 1000; at += 1) store.write(record('f', at))
  await logged(store)
  store.write(record('f', 1001))
  const found = await logged(store)
  const notice = found.find(({ stream }) => stream === 'platform')
  const dropped = Number(/(\d+) lines were dropped/.exec(notice?.line ?? '')?.[1])
  assert.equal(dropped + found.length - 1, 1001)
  assert.equal(found.at(-1)?.at, 1001)
  await store.close()
})

test('a store in memory forgets the oldest, of the function that has most', async () => {
  const store = open(undefined, { memoryBytes: 100_000, totalMemoryBytes: 150_000 })
  for (let at = 1; at <= 5000; at += 1) store.write(record('f', at))
  for (let n = 0; n < 400; n += 1) store.write(record(`g${n % 20}`, 5001))
  const found = await logged(store)
  const ofF = found.filter(({ functionName }) => functionName === 'f')
  assert.ok(found.length < 750, `${found.length} records are kept`)
  assert.ok(ofF.length > 150 && ofF.length < 500, `${ofF.length} of the largest`)
  assert.equal(found.length - ofF.length, 400, 'the small ones are whole')
  assert.equal(ofF.at(-1)?.at, 5000)
})

function lines(now: () => number = () => 0) {
  const out: string[] = []
  return { out, output: createOutputLines(createAllowance({ now }), (line) => out.push(line)) }
}

test('lines: chunks of any size, characters across chunks, a last line without end', () => {
  const { out, output } = lines()
  const text = Buffer.from('one\r\nzwei ä€😀\n\nlast')
  for (const byte of text) output.write(Buffer.from([byte]))
  assert.deepEqual(out, ['one', 'zwei ä€😀', ''])
  output.flush()
  output.flush()
  assert.deepEqual(out, ['one', 'zwei ä€😀', '', 'last'])
})

test('lines: a long line is cut and says by how much', () => {
  const { out, output } = lines()
  for (let n = 0; n < 10; n += 1) output.write(Buffer.from('x'.repeat(10_000)))
  output.write(Buffer.from('\nnext\n'))
  assert.equal(out.length, 2)
  assert.equal(
    out[0],
    `${'x'.repeat(maxLineBytes)} [perdure] ${100_000 - maxLineBytes} more bytes of this line were cut`,
  )
  assert.equal(out[1], 'next')
})

test('lines: a clock that is set back makes none of them too many', () => {
  let now = 3_600_000
  const { out, output } = lines(() => now)
  output.write(Buffer.from('before\n'))
  now = 0
  output.write(Buffer.from('after\n'))
  assert.deepEqual(out, ['before', 'after'])
})

test('lines: a flood is dropped, counted, and over when the function calms down', () => {
  let now = 0
  const { out, output } = lines(() => now)
  const line = Buffer.from(`${'x'.repeat(999)}\n`)
  const sent = 10_000
  for (let n = 0; n < sent; n += 1) output.write(line)
  assert.ok(out.length <= floodBurstBytes / 1000 + 1)
  const kept = out.length
  now += 1000
  output.write(Buffer.from('calm\n'))
  assert.equal(out.at(-1), 'calm')
  assert.match(
    out.at(-2) ?? '',
    new RegExp(`^\\[perdure\\] ${sent - kept} lines \\(${(sent - kept) * 1000} bytes\\) were dropped`),
  )
  assert.ok(floodBytesPerSecond > 5)
})

test('the tail is the last four kilobytes', () => {
  const tail = createTail()
  tail.add('first')
  assert.equal(tail.text(), 'first\n')
  for (let n = 0; n < 1000; n += 1) tail.add(`line ${n}`)
  assert.equal(Buffer.byteLength(tail.text()), 4096)
  assert.match(tail.text(), /line 998\nline 999\n$/)
  tail.add('y'.repeat(10_000))
  assert.equal(tail.text(), `${'y'.repeat(4095)}\n`)
})
