/** A line of figures every few seconds: what the server says of itself, what the system says, what the driver measures. */
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Measures } from './measures.ts'
import type { Server } from './server.ts'
import type { Workload } from './workload.ts'

/** The columns of `samples.csv`, units last. A figure that could not be had is empty. */
export const COLUMNS = [
  'seconds',
  'serverLife',
  'serverRssMb',
  'serverHeapMb',
  'serverCacheMb',
  'serverCpuCores',
  'functionsRssMb',
  'driverRssMb',
  'eventLoopDelayP99Ms',
  'eventLoopDelayMaxMs',
  'databaseMb',
  'walMb',
  'logsMb',
  'executionsPerSecond',
  'checkpointsPerSecond',
  'openExecutions',
  'checkpointP50Ms',
  'checkpointP99Ms',
  'startToEndP50Ms',
  'startToEndP99Ms',
  'timerLatenessP50Ms',
  'timerLatenessP99Ms',
  'timerLatenessMaxMs',
  'timerLatenessAfterFaultMaxMs',
] as const

export type Column = (typeof COLUMNS)[number]
export type Sample = Readonly<Record<Column, number | undefined>>

const MB = 1_048_576

export class Sampler {
  readonly #file: string
  readonly #data: string
  readonly #server: Server
  readonly #measures: Measures
  readonly #workload: Workload
  readonly #beganMs: number
  #lastMs: number
  #executions = 0
  #checkpoints = 0
  #cpu: { readonly life: number; readonly seconds: number } | undefined

  constructor(file: string, data: string, server: Server, measures: Measures, workload: Workload, beganMs: number) {
    this.#file = file
    this.#data = data
    this.#server = server
    this.#measures = measures
    this.#workload = workload
    this.#beganMs = beganMs
    this.#lastMs = beganMs
    writeFileSync(file, `${COLUMNS.join(',')}\n`)
  }

  async sample(): Promise<Sample> {
    const metrics = await scrape(this.#server.endpoint)
    const nowMs = Date.now()
    const seconds = (nowMs - this.#lastMs) / 1_000
    const { checkpointMs, startToEndMs, latenessMs, latenessAfterFaultMs, executions, checkpoints } = this.#measures
    const sample: Sample = {
      seconds: (nowMs - this.#beganMs) / 1_000,
      serverLife: this.#server.lives,
      serverRssMb: rssMb(this.#server.pid),
      serverHeapMb: inMb(metrics('nodejs_heap_size_used_bytes')),
      serverCacheMb: inMb(metrics('perdure_cache_bytes')),
      serverCpuCores: this.#cores(metrics('process_cpu_seconds_total'), seconds),
      functionsRssMb: this.#server.functionProcesses().reduce((sum, pid) => sum + (rssMb(pid) ?? 0), 0),
      driverRssMb: process.memoryUsage.rss() / MB,
      eventLoopDelayP99Ms: inMs(metrics('nodejs_eventloop_lag_p99_seconds')),
      eventLoopDelayMaxMs: inMs(metrics('nodejs_eventloop_lag_max_seconds')),
      ...fileSizes(this.#data),
      executionsPerSecond: (executions - this.#executions) / seconds,
      checkpointsPerSecond: (checkpoints - this.#checkpoints) / seconds,
      openExecutions: this.#workload.open,
      checkpointP50Ms: checkpointMs.recent.quantile(0.5),
      checkpointP99Ms: checkpointMs.recent.quantile(0.99),
      startToEndP50Ms: startToEndMs.recent.quantile(0.5),
      startToEndP99Ms: startToEndMs.recent.quantile(0.99),
      timerLatenessP50Ms: latenessMs.recent.quantile(0.5),
      timerLatenessP99Ms: latenessMs.recent.quantile(0.99),
      timerLatenessMaxMs: latenessMs.recent.quantile(1),
      timerLatenessAfterFaultMaxMs: latenessAfterFaultMs.recent.quantile(1),
    }
    this.#lastMs = nowMs
    this.#executions = executions
    this.#checkpoints = checkpoints
    for (const { recent } of [checkpointMs, startToEndMs, latenessMs, latenessAfterFaultMs]) recent.clear()
    appendFileSync(this.#file, `${COLUMNS.map((column) => sample[column]?.toFixed(3) ?? '').join(',')}\n`)
    return sample
  }

  #cores(total: number | undefined, seconds: number): number | undefined {
    const before = this.#cpu
    const { lives } = this.#server
    this.#cpu = total === undefined ? undefined : { life: lives, seconds: total }
    return total === undefined || before?.life !== lives ? undefined : (total - before.seconds) / seconds
  }
}

export function readSamples(file: string): Sample[] {
  const [, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => {
    const figures = line.split(',').map((text) => (text === '' ? undefined : Number(text)))
    return Object.fromEntries(COLUMNS.map((column, index) => [column, figures[index]])) as Sample
  })
}

/** The server's metrics page, by name (of those without labels); a server that is down has none. */
async function scrape(endpoint: string): Promise<(name: string) => number | undefined> {
  let page = ''
  try {
    page = await (await fetch(`${endpoint}/metrics`, { signal: AbortSignal.timeout(3_000) })).text()
  } catch {
    // Down, or stopped.
  }
  return (name) => {
    const [, value] = new RegExp(`^${name} (\\S+)$`, 'm').exec(page) ?? []
    return value === undefined ? undefined : Number(value)
  }
}

const inMb = (bytes: number | undefined): number | undefined => (bytes === undefined ? undefined : bytes / MB)
const inMs = (seconds: number | undefined): number | undefined => (seconds === undefined ? undefined : seconds * 1_000)

function rssMb(pid: number): number | undefined {
  try {
    const [, kb] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kb === undefined ? undefined : Number(kb) / 1_024
  } catch {
    // It has ended.
    return undefined
  }
}

function fileSizes(data: string): Pick<Sample, 'databaseMb' | 'walMb' | 'logsMb'> {
  const sizes = { databaseMb: 0, walMb: 0, logsMb: 0 }
  for (const file of readdirSync(data, { recursive: true, encoding: 'utf8' })) {
    const size = statSync(join(data, file), { throwIfNoEntry: false })
    if (!size?.isFile()) continue
    if (file.endsWith('-wal')) sizes.walMb += size.size / MB
    else if (file.endsWith('.ndjson')) sizes.logsMb += size.size / MB
    else if (file.endsWith('.db')) sizes.databaseMb += size.size / MB
  }
  return sizes
}
