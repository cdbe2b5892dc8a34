/**
 * What an append costs: entries per second and CPU per entry, for entries of half a kilobyte on 2,000 executions in turn.
 * `batch of 32`: one caller appends 32 entries at a time and waits for them, as the service does. `32 callers`: each
 * appends one entry and waits for it; the store gathers them. Machines are noisy, so the cases take turns, round after
 * round, and the medians are shown. Only what the store reported as durable counts.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryStore } from '../src/journal/memory/memory-store.ts'
import { openSqliteStore } from '../src/journal/sqlite/sqlite-store.ts'
import type { AppendItem, ExecutionKey, Store } from '../src/journal/store.ts'

const ROUNDS = 5
const ROUND_MS = 600
const CASES: readonly Case[] = [
  { label: 'batch of 1', callers: 1, batch: 1 },
  { label: 'batch of 32', callers: 1, batch: 32 },
  { label: 'batch of 512', callers: 1, batch: 512 },
  { label: '32 callers', callers: 32, batch: 1 },
  { label: '512 callers', callers: 512, batch: 1 },
]
const EXECUTIONS = 2_000
const ENTRY = JSON.stringify({ v: 1, at: 1_700_000_000_000, kind: 'checkpointed', payload: 'x'.repeat(440) })

interface Case {
  readonly label: string
  readonly callers: number
  readonly batch: number
}

interface Journal {
  readonly key: ExecutionKey
  seq: number
}

interface Subject {
  readonly store: Store
  readonly journals: readonly Journal[]
}

interface Sample {
  readonly entriesPerSecond: number
  readonly mainMicros: number
  readonly processMicros: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'perdure-bench-'))
  const sqlite = await prepare(await openSqliteStore({ directory }))
  try {
    const samples = await takeTurns({
      // A new one each time: millions of entries on the heap would slow down whoever is measured next.
      memory: () => prepare(new MemoryStore()),
      sqlite: async () => sqlite,
    })
    console.log('store  case          entries/s  main µs  process µs   p50 ms   p99 ms')
    for (const [name, ofStore] of samples) show(name, ofStore)
  } finally {
    await sqlite.store.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function prepare(store: Store): Promise<Subject> {
  const items = Array.from({ length: EXECUTIONS }, (_, number) => firstItem(`e${number}`))
  const results = await store.append({ items, settled: [] })
  const journals = results.map((result) => {
    if (!result.ok) throw new Error('An execution could not be created.')
    return { key: result.key, seq: 1 }
  })
  return { store, journals }
}

function firstItem(executionId: string): AppendItem {
  return {
    target: {
      create: {
        executionId,
        arn: `arn:aws:lambda:us-east-1:000000000000:function:bench:1/durable-execution/${executionId}/${executionId}`,
        name: executionId,
        functionName: 'bench',
        version: '1',
        startedAt: 1_700_000_000_000,
        inputHash: 'none',
        retentionDays: 14,
        sdkInvocationId: undefined,
      },
    },
    firstSeq: 1,
    entries: [{ firstEventId: 1, text: ENTRY }],
    index: { status: 'RUNNING', endedAt: undefined, wake: { kind: 'ready' } },
    outbox: [],
  }
}

/** Samples by store and case, in the order of the table. */
async function takeTurns(subjects: Record<string, () => Promise<Subject>>): Promise<Map<string, Sample[]>> {
  const names = Object.keys(subjects).flatMap((name) => CASES.map(({ label }) => rowName(name, label)))
  const samples = new Map(names.map((name): [string, Sample[]] => [name, []]))
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const shape of CASES) {
      for (const [name, subject] of Object.entries(subjects)) {
        const sample = await measure(await subject(), shape)
        // The first round warms up.
        if (round > 0) samples.get(rowName(name, shape.label))?.push(sample)
      }
    }
  }
  return samples
}

const rowName = (store: string, label: string): string => store.padEnd(7) + label.padEnd(12)

async function measure(subject: Subject, { callers, batch }: Case): Promise<Sample> {
  const latenciesMs: number[] = []
  const main = process.threadCpuUsage()
  const whole = process.cpuUsage()
  const begin = performance.now()
  await Promise.all(
    Array.from({ length: callers }, (_, caller) => {
      const own = subject.journals.filter((_, number) => number % callers === caller)
      return appendUntil(subject.store, own, batch, begin + ROUND_MS, latenciesMs)
    }),
  )
  const seconds = (performance.now() - begin) / 1_000
  const mainUsed = process.threadCpuUsage(main)
  const wholeUsed = process.cpuUsage(whole)
  const entries = latenciesMs.length * batch
  latenciesMs.sort((a, b) => a - b)
  return {
    entriesPerSecond: entries / seconds,
    mainMicros: (mainUsed.user + mainUsed.system) / entries,
    processMicros: (wholeUsed.user + wholeUsed.system) / entries,
    p50Ms: latenciesMs[Math.floor(latenciesMs.length * 0.5)] ?? 0,
    p99Ms: latenciesMs[Math.floor(latenciesMs.length * 0.99)] ?? 0,
  }
}

/** One caller, on journals of its own. */
async function appendUntil(
  store: Store,
  journals: readonly Journal[],
  batch: number,
  deadline: number,
  latenciesMs: number[],
): Promise<void> {
  let next = 0
  let now = performance.now()
  while (now < deadline) {
    const items: AppendItem[] = []
    for (let item = 0; item < batch; item += 1) {
      const journal = journals[next] as Journal
      next = (next + 1) % journals.length
      journal.seq += 1
      items.push({
        target: { key: journal.key },
        firstSeq: journal.seq,
        entries: [{ firstEventId: journal.seq, text: ENTRY }],
        index: undefined,
        outbox: [],
      })
    }
    const results = await store.append({ items, settled: [] })
    if (!results.every((result) => result.ok)) throw new Error('An append lost although nobody else writes.')
    const after = performance.now()
    latenciesMs.push(after - now)
    now = after
  }
}

function show(name: string, samples: readonly Sample[]): void {
  const median = (of: (sample: Sample) => number, digits: number, width: number): string => {
    const sorted = samples.map(of).sort((a, b) => a - b)
    return (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(digits).padStart(width)
  }
  console.log(
    name +
      median((sample) => sample.entriesPerSecond, 0, 11) +
      median((sample) => sample.mainMicros, 1, 9) +
      median((sample) => sample.processMicros, 1, 12) +
      median((sample) => sample.p50Ms, 2, 9) +
      median((sample) => sample.p99Ms, 2, 9),
  )
}

if (import.meta.main) await run()
