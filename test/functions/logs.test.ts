import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { createTail } from '../../src/functions/invocation-log.ts'
import { DEFAULT_LOG_BOUNDS, openLogStore } from '../../src/functions/log-store.ts'
import {
  createAllowance,
  createOutputLines,
  floodBurstBytes,
  floodBytesPerSecond,
  maxLineBytes,
} from '../../src/functions/output-lines.ts'
import type { LogRecord } from '../../src/service/ports.ts'
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

for (const kind of ['files', 'memory'] as const) {
  test(`${kind}: queries by execution, function, request and time, newest last`, async (t) => {
    const store = openLogStore(kind === 'memory' ? undefined : join(project(t, {}), 'logs'))
    for (let at = 1; at <= 1000; at += 1) {
      store.write(record('f', at, at % 10 === 0 ? { executionArn: arnOf('f'), requestId: `r-${at}` } : {}))
      if (at % 100 === 0) store.write(record('g', at + 0.5))
    }
    const at = async (query: Omit<Parameters<typeof store.query>[0], 'limit'>, limit = 3): Promise<number[]> =>
      (await store.query({ ...query, limit })).map((found) => found.at)
    assert.deepEqual(await at({ functionName: 'f' }), [998, 999, 1000])
    assert.deepEqual(await at({ executionArn: arnOf('f') }), [980, 990, 1000])
    assert.deepEqual(await at({ requestId: 'r-500' }), [500])
    assert.deepEqual(await at({ functionName: 'g', afterMs: 900.5 }), [1000.5])
    assert.deepEqual(await at({}), [999, 1000, 1000.5])
    assert.deepEqual(await at({ functionName: 'f', requestId: 'r-500', executionArn: arnOf('g') }), [])
    assert.deepEqual(await at({ functionName: 'nobody' }), [])
    assert.deepEqual(await at({ functionName: 'f' }, 0), [])
    assert.equal((await at({ functionName: 'f' }, 5000)).length, 1000)
    await store.close()
  })
}

test('files are rotated within their bound, and a query reads across them', async (t) => {
  const directory = join(project(t, {}), 'logs')
  const store = openLogStore(directory, { fileBytes: 10_000, files: 3, memoryBytes: 1_000_000 })
  for (let at = 1; at <= 2000; at += 1) {
    store.write(record('f', at))
    // A batch is never split over files, so the batches are kept small here.
    if (at % 20 === 0) await store.query({ limit: 1 })
  }
  const found = await store.query({ functionName: 'f', limit: 10_000 })
  assert.deepEqual(readdirSync(directory).sort(), ['f.1.ndjson', 'f.2.ndjson', 'f.ndjson'])
  for (const file of readdirSync(directory)) assert.ok(statSync(join(directory, file)).size <= 10_000, file)
  assert.ok(found.length > 200 && found.length < 1000, `${found.length} records are left`)
  assert.deepEqual(
    found.map(({ at }) => at),
    Array.from({ length: found.length }, (_, index) => 2001 - found.length + index),
  )
  await store.close()
})

test('what an earlier server wrote is found, and written on', async (t) => {
  const directory = join(project(t, {}), 'logs')
  const first = openLogStore(directory)
  first.write(record('f', 1, { line: 'ä'.repeat(300_000) }))
  await first.close()
  const second = openLogStore(directory)
  second.write(record('f', 2))
  const found = await second.query({ limit: 10 })
  assert.deepEqual(
    found.map(({ at, line }) => [at, line.length]),
    [
      [1, 300_000],
      [2, 6],
    ],
  )
  await second.close()
})

test('a log that cannot be written fast enough drops lines and says how many', async (t) => {
  const store = openLogStore(join(project(t, {}), 'logs'), { ...DEFAULT_LOG_BOUNDS, memoryBytes: 10_000 })
  for (let at = 1; at <= 1000; at += 1) store.write(record('f', at))
  await store.query({ limit: 1 })
  store.write(record('f', 1001))
  const found = await store.query({ limit: 10_000 })
  const notice = found.find(({ stream }) => stream === 'platform')
  const dropped = Number(/(\d+) lines were dropped/.exec(notice?.line ?? '')?.[1])
  assert.equal(dropped + found.length - 1, 1001)
  assert.equal(found.at(-1)?.at, 1001)
  await store.close()
})

test('a store in memory forgets the oldest', async () => {
  const store = openLogStore(undefined, { ...DEFAULT_LOG_BOUNDS, memoryBytes: 100_000 })
  for (let at = 1; at <= 5000; at += 1) store.write(record('f', at))
  const found = await store.query({ limit: 10_000 })
  assert.ok(found.length > 300 && found.length < 500, `${found.length}`)
  assert.equal(found.at(-1)?.at, 5000)
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
