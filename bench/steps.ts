/**
 * `npm run bench -- steps`: executions of 3 and of 10 steps through the official SDK in real function processes, 1 and
 * 64 at a time, with one and with several invocations per process. Steps per second, how long an execution takes, and
 * where the CPU goes: the function processes, the server, the load client.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPerdureProcess } from '../test/start-perdure.ts'
import { type CpuSeconds, cpuSeconds } from './cpu-seconds.ts'
import { quantile } from './load.ts'

const RUN_MS = 5_000
const WARM_UP_MS = 3_000
const PROCESSES = 4

interface Shape {
  readonly name: string
  /** Invocations that one process may run at a time. */
  readonly maxConcurrency: number
}

const SHAPES: readonly Shape[] = [
  { name: 'one invocation per process', maxConcurrency: 1 },
  { name: '16 invocations per process', maxConcurrency: 16 },
]

export async function run(): Promise<void> {
  console.log(`official SDK, SQLite with fsync, up to ${PROCESSES} function processes, ${RUN_MS / 1000} s each`)
  const heads = ['at a time', 'exec/s', 'steps/s', 'p50 ms', 'p99 ms', 'functions', 'server', 'client']
  for (const { name, maxConcurrency } of SHAPES) {
    console.log(`\n${name}\n${'function'.padEnd(10)}${heads.map((head) => head.padStart(11)).join('')}`)
    const folder = mkdtempSync(join(tmpdir(), 'perdure-steps-'))
    const server = await startPerdureProcess({
      data: folder,
      functions: ['three', 'ten'].map((exportName) => ({
        name: exportName,
        exportName,
        file: join(import.meta.dirname, 'steps-functions.ts'),
        concurrency: PROCESSES * maxConcurrency,
        ...(maxConcurrency === 1 ? undefined : { maxConcurrency }),
      })),
    })
    for (const [fn, steps] of [
      ['three', 3],
      ['ten', 10],
    ] as const) {
      for (const atATime of [1, 64]) await measure(server.endpoint, server.pid, fn, steps, atATime)
    }
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(endpoint: string, pid: number, fn: string, steps: number, atATime: number): Promise<void> {
  await load(endpoint, fn, atATime, WARM_UP_MS)
  const before = requireCpuSeconds(pid)
  const clientBefore = process.cpuUsage()
  const { latencies, seconds } = await load(endpoint, fn, atATime, RUN_MS)
  const after = requireCpuSeconds(pid)
  const { user, system } = process.cpuUsage(clientBefore)
  latencies.sort((a, b) => a - b)
  const used = {
    functions: after.functions - before.functions,
    server: after.server - before.server,
    client: (user + system) / 1e6,
  }
  const total = used.functions + used.server + used.client
  const share = (part: number) => `${((part / total) * 100).toFixed(0)} %`
  const perSecond = latencies.length / seconds
  const cells = [
    String(atATime),
    perSecond.toFixed(0),
    (perSecond * steps).toFixed(0),
    quantile(latencies, 0.5).toFixed(1),
    quantile(latencies, 0.99).toFixed(1),
    share(used.functions),
    share(used.server),
    share(used.client),
  ]
  console.log(fn.padEnd(10) + cells.map((cell) => cell.padStart(11)).join(''))
}

/** Synchronous invocations, `atATime` of them always open. */
async function load(endpoint: string, fn: string, atATime: number, runMs: number) {
  const latencies: number[] = []
  const begun = performance.now()
  const one = async (): Promise<void> => {
    while (performance.now() - begun < runMs) {
      const sent = performance.now()
      const response = await fetch(`${endpoint}/2015-03-31/functions/${fn}:$LATEST/invocations`, {
        method: 'POST',
        body: '{}',
      })
      const text = await response.text()
      if (response.status !== 200 || !/^\d+$/.test(text)) throw new Error(`${fn}: ${response.status} ${text}`)
      latencies.push(performance.now() - sent)
    }
  }
  await Promise.all(Array.from({ length: atATime }, one))
  return { latencies, seconds: (performance.now() - begun) / 1000 }
}

function requireCpuSeconds(server: number): CpuSeconds {
  const used = cpuSeconds(server)
  if (used === undefined) throw new Error('this benchmark reads CPU times from /proc: run it on Linux')
  return used
}
