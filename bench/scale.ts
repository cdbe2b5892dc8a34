/**
 * `npm run bench -- scale [finished] [suspended]`: a store with 10⁶ finished and 10⁵ suspended executions, made through
 * the product's own decide and store. How large it is, how soon a server on it is ready, how much memory that takes,
 * how fast list, get and history pages are, how late due timers fire, and what a checkpoint costs beside a server on an
 * empty store, in interleaved rounds.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from '../src/journal/sqlite/sqlite-store.ts'
import { systemClock } from '../src/service/clock-adapters.ts'
import { fill } from './fill.ts'
import { quantile } from './load.ts'
import { measure, median, Server, startLanes } from './server-under-load.ts'

const READS = 300
const LANES = 64
const ROUNDS = 3
const ROUND_MS = 3_000
/** Timers that come due while the benchmark looks: so many, over so long, beginning so long after the fill. */
const DUE = 5_000
const DUE_OVER_MS = 20_000
const DUE_AFTER_MS = 60_000

const ms = (values: readonly number[]): string => {
  const sorted = [...values].sort((a, b) => a - b)
  return `p50 ${quantile(sorted, 0.5).toFixed(1)} ms, p95 ${quantile(sorted, 0.95).toFixed(1)} ms, max ${(sorted.at(-1) ?? 0).toFixed(1)} ms`
}

export async function run(args: readonly string[]): Promise<void> {
  const finished = Number(args[0] ?? 1_000_000)
  const suspended = Number(args[1] ?? 100_000)
  const folder = mkdtempSync(join(tmpdir(), 'perdure-scale-'))
  const full = join(folder, 'full')
  try {
    const { sample, due, dueFromMs } = await fillStore(full, finished, suspended)
    const bytes = ['journal.db', 'journal.db-wal'].reduce((sum, file) => sum + sizeOf(join(full, file)), 0)
    console.log(
      `file size: ${(bytes / 1e9).toFixed(2)} GB, ${Math.round(bytes / (finished + suspended))} bytes per execution`,
    )
    await measureServers(folder, full, sample, due, dueFromMs)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0

async function fillStore(directory: string, finished: number, suspended: number) {
  const store = await openSqliteStore({ directory })
  const begun = performance.now()
  const nowMs = systemClock.now()
  const sample = await fill(
    store,
    finished,
    (index) => nowMs - (finished - index) * 10,
    () => undefined,
  )
  const far = nowMs + 300 * 86_400_000
  await fill(
    store,
    suspended - DUE,
    () => nowMs,
    (index) => far + index * 1_000,
  )
  const filledS = (performance.now() - begun) / 1000
  const dueFromMs = systemClock.now() + DUE_AFTER_MS
  const due = await fill(
    store,
    DUE,
    () => systemClock.now(),
    (index) => dueFromMs + (index * DUE_OVER_MS) / DUE,
  )
  await store.close()
  console.log(`${finished} finished and ${suspended} suspended executions, made in ${filledS.toFixed(0)} s`)
  return { sample, due, dueFromMs }
}

async function measureServers(
  folder: string,
  full: string,
  sample: readonly string[],
  due: readonly string[],
  dueFromMs: number,
): Promise<void> {
  const arns = new Map<string, string>()
  const emptyArns = new Map<string, string>()
  const begun = performance.now()
  const server = await Server.start(['perdure', full], (arn, token) => arns.set(arn, token))
  const { port } = server
  console.log(`time to ready: ${((performance.now() - begun) / 1000).toFixed(2)} s, process start included`)
  console.log(`memory when ready: ${(await server.rssMb()).toFixed(0)} MB`)
  await reads(port, sample)
  const lateMs = await lateness(port, due, dueFromMs)
  console.log(`lateness of ${DUE} timers over ${DUE_OVER_MS / 1000} s (sample of ${lateMs.length}): ${ms(lateMs)}`)

  const empty = await Server.start(['perdure', join(folder, 'empty')], (arn, token) => emptyArns.set(arn, token))
  const sides = [
    { name: 'full store', server, lanes: await startLanes(port, LANES, arns), us: [] as number[] },
    { name: 'empty store', server: empty, lanes: await startLanes(empty.port, LANES, emptyArns), us: [] as number[] },
  ]
  for (let round = 0; round < ROUNDS; round++) {
    for (const { server: side, lanes, us } of sides) {
      const calls = lanes.map((lane) => () => lane.checkpoint())
      us.push((await measure(side, calls, ROUND_MS)).cpuUs)
    }
  }
  for (const { name, us } of sides) console.log(`server CPU per checkpoint, ${name}: ${median(us).toFixed(1)} µs`)
  console.log(`memory at the end: ${(await server.rssMb()).toFixed(0)} MB`)
  server.stop()
  empty.stop()
}

async function timed(url: string): Promise<{ tookMs: number; body: unknown }> {
  const begun = performance.now()
  const response = await fetch(url)
  const body = await response.json()
  if (response.status !== 200) throw new Error(`${url}: ${response.status}`)
  return { tookMs: performance.now() - begun, body }
}

async function reads(port: number, sample: readonly string[]): Promise<void> {
  const base = `http://127.0.0.1:${port}/2025-12-01`
  const list: number[] = []
  let marker = ''
  for (let i = 0; i < READS; i++) {
    const query = `MaxItems=100${marker === '' ? '' : `&Marker=${encodeURIComponent(marker)}`}`
    const { tookMs, body } = await timed(`${base}/functions/quick/durable-executions?${query}`)
    marker = (body as { NextMarker?: string }).NextMarker ?? ''
    list.push(tookMs)
  }
  const [get, history]: number[][] = [[], []]
  for (let i = 0; i < READS; i++) {
    const arn = encodeURIComponent(sample[i % sample.length] ?? '')
    get?.push((await timed(`${base}/durable-executions/${arn}`)).tookMs)
    history?.push((await timed(`${base}/durable-executions/${arn}/history`)).tookMs)
  }
  console.log(`list pages of 100: ${ms(list)}`)
  console.log(`get: ${ms(get ?? [])}`)
  console.log(`history pages: ${ms(history ?? [])}`)
}

/** How late a sample of waits that came due was recorded, by the events of their histories. */
async function lateness(port: number, arns: readonly string[], dueFromMs: number): Promise<number[]> {
  const lastDueMs = dueFromMs + DUE_OVER_MS
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, lastDueMs + 3_000 - systemClock.now())))
  const late: number[] = []
  for (const arn of arns) {
    const url = `http://127.0.0.1:${port}/2025-12-01/durable-executions/${encodeURIComponent(arn)}/history`
    const { body } = await timed(url)
    const events = (
      body as {
        Events: { EventType: string; EventTimestamp: number; WaitStartedDetails?: { ScheduledEndTimestamp: number } }[]
      }
    ).Events
    const scheduled = events.find(({ EventType }) => EventType === 'WaitStarted')?.WaitStartedDetails
      ?.ScheduledEndTimestamp
    const fired = events.find(({ EventType }) => EventType === 'WaitSucceeded')?.EventTimestamp
    if (scheduled === undefined || fired === undefined) throw new Error(`a timer that is due has not fired: ${arn}`)
    late.push((fired - scheduled) * 1000)
  }
  return late
}
