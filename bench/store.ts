/**
 * What an append costs: appends per second and main-thread CPU per append, with 1, 32 and 512 callers at a time, each of
 * which appends one entry of half a kilobyte and waits for it. Machines are noisy, so the cases take turns, round after
 * round, and the medians are shown. Throughput counts only what the store reported as durable.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryStore } from '../src/journal/memory/memory-store.ts'
import { openSqliteStore } from '../src/journal/sqlite/sqlite-store.ts'
import type { ExecutionKey, Store } from '../src/journal/store.ts'

const ROUNDS = 5
const ROUND_MS = 600
const CALLERS = [1, 32, 512]
const EXECUTIONS = 2_000
const ENTRY = JSON.stringify({ v: 1, at: 1_700_000_000_000, kind: 'checkpointed', payload: 'x'.repeat(440) })

interface Journal {
  readonly key: ExecutionKey
  seq: number
}

interface Subject {
  readonly name: string
  readonly store: Store
  readonly journals: readonly Journal[]
}

interface Sample {
  readonly appendsPerSecond: number
  readonly mainMicros: number
  readonly processMicros: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'perdure-bench-'))
  const subjects = [
    await prepare('memory', new MemoryStore()),
    await prepare('sqlite', await openSqliteStore({ directory })),
  ]
  try {
    const samples = await takeTurns(subjects)
    for (const subject of subjects) {
      for (const callers of CALLERS) show(subject.name, callers, samples.get(`${subject.name} ${callers}`) ?? [])
    }
  } finally {
    for (const subject of subjects) await subject.store.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function prepare(name: string, store: Store): Promise<Subject> {
  const journals = await Promise.all(
    Array.from({ length: EXECUTIONS }, async (_, number): Promise<Journal> => {
      const executionId = `e${number}`
      const [result] = await store.append({
        items: [
          {
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
          },
        ],
        settled: [],
      })
      if (result?.ok !== true) throw new Error(`${name}: an execution could not be created.`)
      return { key: result.key, seq: 1 }
    }),
  )
  return { name, store, journals }
}

async function takeTurns(subjects: readonly Subject[]): Promise<Map<string, Sample[]>> {
  const samples = new Map<string, Sample[]>()
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const callers of CALLERS) {
      for (const subject of subjects) {
        const sample = await measure(subject, callers)
        // The first round warms up.
        if (round > 0)
          samples.set(`${subject.name} ${callers}`, [...(samples.get(`${subject.name} ${callers}`) ?? []), sample])
      }
    }
  }
  return samples
}

async function measure(subject: Subject, callers: number): Promise<Sample> {
  const latenciesMs: number[] = []
  const main = process.threadCpuUsage()
  const whole = process.cpuUsage()
  const begin = performance.now()
  const deadline = begin + ROUND_MS
  await Promise.all(
    Array.from({ length: callers }, (_, caller) => appendUntil(subject, caller, callers, deadline, latenciesMs)),
  )
  const seconds = (performance.now() - begin) / 1_000
  const mainUsed = process.threadCpuUsage(main)
  const wholeUsed = process.cpuUsage(whole)
  const appends = latenciesMs.length
  latenciesMs.sort((a, b) => a - b)
  return {
    appendsPerSecond: appends / seconds,
    mainMicros: (mainUsed.user + mainUsed.system) / appends,
    processMicros: (wholeUsed.user + wholeUsed.system) / appends,
    p50Ms: latenciesMs[Math.floor(appends * 0.5)] ?? 0,
    p99Ms: latenciesMs[Math.floor(appends * 0.99)] ?? 0,
  }
}

/** One caller, with its own share of the executions. */
async function appendUntil(
  subject: Subject,
  caller: number,
  callers: number,
  deadline: number,
  latenciesMs: number[],
): Promise<void> {
  let at = caller
  let now = performance.now()
  while (now < deadline) {
    const journal = subject.journals[at] as Journal
    at = at + callers < subject.journals.length ? at + callers : caller
    const [result] = await subject.store.append({
      items: [
        {
          target: { key: journal.key },
          firstSeq: journal.seq + 1,
          entries: [{ firstEventId: journal.seq + 1, text: ENTRY }],
          index: undefined,
          outbox: [],
        },
      ],
      settled: [],
    })
    if (result?.ok !== true) throw new Error(`${subject.name}: an append lost although nobody else writes.`)
    journal.seq += 1
    const after = performance.now()
    latenciesMs.push(after - now)
    now = after
  }
}

function show(name: string, callers: number, samples: readonly Sample[]): void {
  const median = (of: (sample: Sample) => number): number => {
    const sorted = samples.map(of).sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)] ?? 0
  }
  if (name === 'memory' && callers === CALLERS[0]) {
    console.log('store    callers   appends/s   main µs   process µs   p50 ms   p99 ms')
  }
  console.log(
    [
      name.padEnd(8),
      String(callers).padStart(7),
      median((sample) => sample.appendsPerSecond)
        .toFixed(0)
        .padStart(11),
      median((sample) => sample.mainMicros)
        .toFixed(1)
        .padStart(9),
      median((sample) => sample.processMicros)
        .toFixed(1)
        .padStart(12),
      median((sample) => sample.p50Ms)
        .toFixed(2)
        .padStart(8),
      median((sample) => sample.p99Ms)
        .toFixed(2)
        .padStart(8),
    ].join(' '),
  )
}

if (import.meta.main) await run()
