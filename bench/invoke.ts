/**
 * `npm run bench -- invoke [--json]`: what an invocation of a plain function costs beside its handler, which does nothing.
 *
 * - Warm: one and 64 at a time, by how many processes and places the function has, beside a bare node:http echo, in
 *   interleaved rounds. The ratios to the echo are the figures to compare.
 * - Cold: the first invocation of a process, by language, beside the bare start of the program that runs it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPerdureProcess } from '../test/start-perdure.ts'
import { cpuSeconds } from './cpu-seconds.ts'
import { type ColdStarts, coldStarts } from './invoke-cold.ts'
import { Connection, quantile } from './load.ts'
import { median, Server } from './server-under-load.ts'

const ROUNDS = 5
const ROUND_MS = 1_500
const WARM_UP_MS = 1_500
const MANY = 64
const SEVERAL = 4

interface Shape {
  readonly name: string
  /** The function of the server; undefined: the echo. */
  readonly functionName?: string
  readonly atATime: number
}

const SHAPES: readonly Shape[] = [
  { name: 'node:http echo', atATime: 1 },
  { name: 'one process', functionName: 'one', atATime: 1 },
  { name: `one process of ${MANY} places`, functionName: 'places', atATime: 1 },
  { name: 'node:http echo', atATime: MANY },
  { name: 'one process', functionName: 'one', atATime: MANY },
  { name: `${SEVERAL} processes`, functionName: 'several', atATime: MANY },
  { name: `one process of ${MANY} places`, functionName: 'places', atATime: MANY },
]

interface Round {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Absent where the system does not tell. */
  readonly serverCpuUs: number | undefined
}

interface Warm extends Round {
  readonly name: string
  readonly atATime: number
  /** The p50, and the rate, beside those of the echo with as many at a time in the same round. */
  readonly timesEcho: number
  readonly shareOfEcho: number
}

export async function run(args: readonly string[]): Promise<void> {
  const conditions = {
    node: process.version,
    cores: availableParallelism(),
    loadAverage: Number(loadavg()[0]?.toFixed(1)),
    platform: `${process.platform} ${process.arch}`,
    rounds: ROUNDS,
    roundMs: ROUND_MS,
  }
  const warm = await warmInvocations()
  const cold = await coldStarts()
  if (args.includes('--json')) console.log(JSON.stringify({ conditions, warm, cold }, undefined, 2))
  else print(conditions, warm, cold)
}

async function warmInvocations(): Promise<readonly Warm[]> {
  const folder = mkdtempSync(join(tmpdir(), 'perdure-invoke-'))
  const file = join(import.meta.dirname, 'invoke-functions.mjs')
  const server = await startPerdureProcess({
    data: folder,
    functions: [
      { name: 'one', file, durable: false, concurrency: 1 },
      { name: 'several', file, durable: false, concurrency: SEVERAL },
      { name: 'places', file, durable: false, concurrency: MANY, maxConcurrency: MANY },
    ],
    log: { level: 'error' },
  })
  const echo = await Server.start(['echo'], () => {})
  const connectTo = (port: number) => Promise.all(Array.from({ length: MANY }, () => Connection.open(port)))
  const connections = {
    server: await connectTo(Number(new URL(server.endpoint).port)),
    echo: await connectTo(echo.port),
  }

  const once = async ({ functionName, atATime }: Shape, forMs: number): Promise<Round> => {
    const used = async (): Promise<number | undefined> =>
      functionName === undefined ? await echo.cpuSeconds() : cpuSeconds(server.pid)?.server
    const path = functionName === undefined ? '/' : `/2015-03-31/functions/${functionName}/invocations`
    const lines = (functionName === undefined ? connections.echo : connections.server).slice(0, atATime)
    const latencies: number[] = []
    const before = await used()
    const begun = performance.now()
    const call = async (line: Connection): Promise<void> => {
      while (performance.now() - begun < forMs) {
        const sent = performance.now()
        const { status, body } = await line.post(path, '{"n":1}')
        if (status !== 200 || body.includes('errorType')) throw new Error(`${path}: ${status} ${body}`)
        latencies.push(performance.now() - sent)
      }
    }
    await Promise.all(lines.map(call))
    const seconds = (performance.now() - begun) / 1_000
    const after = await used()
    latencies.sort((a, b) => a - b)
    return {
      perSecond: latencies.length / seconds,
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
      serverCpuUs:
        before === undefined || after === undefined ? undefined : ((after - before) * 1e6) / latencies.length,
    }
  }

  const rounds = new Map<Shape, Round[]>(SHAPES.map((shape) => [shape, []]))
  // Those with the most connections first: one that asks for nothing is closed after a while.
  for (const shape of SHAPES.toReversed()) await once(shape, WARM_UP_MS)
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [shape, all] of rounds) all.push(await once(shape, ROUND_MS))
  }
  for (const line of [...connections.server, ...connections.echo]) line.close()
  echo.stop()
  await server.stop()
  rmSync(folder, { recursive: true, force: true })
  return [...rounds].map(([shape, all]) => {
    const echoes = [...rounds].find(([each]) => each.functionName === undefined && each.atATime === shape.atATime)?.[1]
    return besideEcho(shape, all, echoes ?? [])
  })
}

/** Medians of the rounds, and of the ratios to the echo of the same round. */
function besideEcho({ name, atATime }: Shape, rounds: readonly Round[], echoes: readonly Round[]): Warm {
  const of = (member: 'perSecond' | 'p50Ms' | 'p99Ms') => median(rounds.map((round) => round[member]))
  const ratio = (member: 'perSecond' | 'p50Ms') =>
    median(rounds.map((round, index) => round[member] / (echoes[index]?.[member] ?? Number.NaN)))
  const cpu = rounds.flatMap(({ serverCpuUs }) => serverCpuUs ?? [])
  return {
    name,
    atATime,
    perSecond: of('perSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    serverCpuUs: cpu.length === 0 ? undefined : median(cpu),
    timesEcho: ratio('p50Ms'),
    shareOfEcho: ratio('perSecond'),
  }
}

function print(conditions: object, warm: readonly Warm[], { rows, leftOut }: ColdStarts): void {
  console.log(
    Object.entries(conditions)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  )
  const right = (cells: readonly string[]): string => cells.map((cell) => cell.padStart(13)).join('')
  console.log(
    `\nwarm${' '.repeat(26)}${right(['at a time', 'per s', 'of the echo', 'p50 ms', 'p99 ms', '× the echo', 'server µs'])}`,
  )
  for (const row of warm) {
    const cells = [
      String(row.atATime),
      row.perSecond.toFixed(0),
      `${(row.shareOfEcho * 100).toFixed(0)} %`,
      row.p50Ms.toFixed(2),
      row.p99Ms.toFixed(2),
      row.timesEcho.toFixed(1),
      row.serverCpuUs?.toFixed(0) ?? '',
    ]
    console.log(`${row.name.padEnd(30)}${right(cells)}`)
  }
  console.log(`\ncold${' '.repeat(26)}${right(['first ms', 'next ms', 'bare ms', '× bare'])}`)
  for (const { name, firstMs, nextMs, bareMs, timesBare } of rows) {
    const cells = [firstMs.toFixed(0), nextMs.toFixed(1), bareMs.toFixed(0), timesBare.toFixed(1)]
    console.log(`${name.padEnd(30)}${right(cells)}`)
  }
  for (const what of leftOut) console.log(`left out: ${what}`)
}
