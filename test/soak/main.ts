/**
 * `npm run soak`: a real server lives through hours of work and trouble, and is believed in nothing. Functions write
 * their effects into a ledger outside, the driver remembers what was acknowledged, and every execution that ends is
 * compared with both. What the server needs for it is sampled, drawn, and asked whether it grows.
 *
 *     --hours N | --minutes N | --seconds N    of load (default: half a minute, which tries the machine itself)
 *     --share 0.25     of the executions per second that a calibration at the start measures
 *     --rate N         executions per second, in place of a share
 *     --seed N --out <folder>
 *
 * The folder keeps samples.csv, faults.csv, charts, summary.md and summary.json; after a violation also the server's data and log.
 */
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { report } from '../proof/machine.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { Api } from './api.ts'
import { Backups } from './backups.ts'
import { calibrate, Expiring, RETENTION_DAYS } from './calibration.ts'
import { Disturbances } from './disturbances.ts'
import { Faults, LONG_LIFE, type Phase } from './faults.ts'
import { Keeper } from './keeper.ts'
import { Ledger } from './ledger.ts'
import { Measures } from './measures.ts'
import { soakOptions } from './options.ts'
import { readSamples, Sampler } from './samples.ts'
import { Server } from './server.ts'
import { growths, type Mark, writeCharts, writeSummary } from './summary.ts'
import { Violations } from './violations.ts'
import { LATENESS_BOUND_MS, Workload } from './workload.ts'

const DRAIN_PATIENCE_MS = 300_000
const MOST_STORIES_PER_SECOND = 3
/** Of the quick executions; a story takes some ten invocations where a quick one takes one. */
const STORY_SHARE = 1 / 40
const MS_PER_DAY = 86_400_000

if (process.platform !== 'linux') {
  console.log('the soak finds function processes in /proc: skipped on this platform')
  report({ machine: 'soak', passed: 0, failed: 0, skipped: 1, figures: {}, seconds: 0 })
  process.exit()
}

const began = performance.now()
const options = soakOptions()
const { seed, durationMs } = options
const random = new SeededRandom(seed)
const between = (low: number, value: number, high: number): number => Math.min(high, Math.max(low, value))
/** Or until the signal, which is no error here. */
const pause = (ms: number, signal?: AbortSignal): Promise<void> => setTimeout(ms, undefined, { signal }).catch(() => {})
const elapsed = (): string => `${((performance.now() - began) / 1_000).toFixed(0).padStart(5)} s`
const say = (words: string): void => console.log(`${elapsed()}  ${words}`)

const folder = freshFolder()
const paths = {
  config: join(folder, 'perdure.config.json'),
  data: join(folder, 'data'),
  log: join(folder, 'server.log'),
  reports: folder,
}
const ledgerFolder = join(folder, 'ledger')
mkdirSync(ledgerFolder, { recursive: true })
say(`seed ${seed}, ${durationMs / 60_000} minutes, in ${folder}`)

const functionOf = (file: string, exportName: string, concurrency: number) => ({
  name: exportName === 'handler' ? file : exportName,
  file: join(import.meta.dirname, `${file}.ts`),
  exportName,
  concurrency,
  maxConcurrency: 16,
  environment: { LEDGER: ledgerFolder },
  durable: { ExecutionTimeout: 900, RetentionPeriodInDays: RETENTION_DAYS },
})
writeFileSync(
  paths.config,
  JSON.stringify({
    functions: [
      functionOf('stories', 'story', 32),
      functionOf('stories', 'child', 16),
      functionOf('quick', 'handler', 32),
    ],
  }),
)

const violations = new Violations(join(folder, 'violations.log'))
// A rejection that nobody waited for is a defect of the soak, or an answer that no server may give: both must be seen.
process.on('unhandledRejection', (error) =>
  violations.add('server', error instanceof Error ? (error.stack ?? '') : String(error)),
)
const marks: Mark[] = []
let loadBeganMs = Number.NaN
const disturbances = new Disturbances((kind, atMs) => {
  const seconds = (atMs - loadBeganMs) / 1_000
  marks.push({ kind, seconds })
  appendFileSync(join(folder, 'faults.csv'), `${seconds.toFixed(3)},${kind}\n`)
})
const server = await Server.at(paths, (words) => {
  violations.add('server', words)
  void server.start()
})
const api = new Api(server.endpoint)

// Yesterday: what ends now reaches the end of its retention at some moment of the run.
const calibrationMs = between(5_000, durationMs * 0.05, 30_000)
const yesterdayMs = Date.now() - MS_PER_DAY * RETENTION_DAYS
await server.start({ serverMs: yesterdayMs + calibrationMs, speed: (durationMs * 0.8) / calibrationMs })
const capacity = await calibrate(api, random.fork('calibration'), calibrationMs)
await server.terminate()
await server.start()
const expiring = await Expiring.of(capacity.arns, api, violations)
const rate = options.rate ?? capacity.executionsPerSecond * options.share
const progress = (): number => (Date.now() - loadBeganMs) / durationMs
const longestWaitSeconds = between(3, durationMs / 12_000, 120)
const rates = {
  quickPerSecond: rate,
  storiesPerSecond: between(1, rate * STORY_SHARE, MOST_STORIES_PER_SECOND),
  // No long waits at the end, or the soak would wait for them.
  longestWaitSeconds: () => between(2, ((1 - progress()) * durationMs) / 3_000, longestWaitSeconds),
}
say(
  `${capacity.executionsPerSecond.toFixed(0)} quick executions/s measured; ${rate.toFixed(1)}/s and ${rates.storiesPerSecond.toFixed(2)} stories/s from now on`,
)

const measures = new Measures()
const ledger = new Ledger(ledgerFolder)
const keeper = new Keeper(api, random.fork('keeper'), violations, between(5_000, durationMs / 12, 300_000))
const workload = new Workload({ api, ledger, keeper, measures, disturbances, violations, random: random.fork('work') })
loadBeganMs = Date.now()
const samplesFile = join(folder, 'samples.csv')
const sampler = new Sampler(samplesFile, paths.data, server, measures, workload, loadBeganMs)
const phase = (): Phase =>
  progress() >= 1 ? 'draining' : progress() >= LONG_LIFE.from && progress() < LONG_LIFE.to ? 'long life' : 'storm'

const over = new AbortController()
const every = async (periodMs: number, work: () => Promise<unknown>): Promise<void> => {
  while (!over.signal.aborted) {
    await pause(periodMs, over.signal)
    await work()
  }
}
const backups = new Backups(paths.data, folder, keeper, violations)
const background = [
  every(between(1_000, durationMs / 300, 5_000), () => sampler.sample()),
  every(500, () => keeper.compareOne()),
  every(1_000, () => expiring.checkOne()),
  every(between(10_000, durationMs / 12, 600_000), () => backups.take()),
  every(60_000, async () =>
    say(
      `${phase()}: ${measures.executions} ended, ${workload.open} open, ${keeper.deleted} deleted, ${marks.length} faults, ${violations.count} violations`,
    ),
  ),
]
workload.run(rates)
const faults = new Faults(
  server,
  random.fork('faults'),
  disturbances,
  violations,
  between(2_500, durationMs / 200, 15_000),
)
await faults.run(phase).catch((error: unknown) => violations.add('server', `no more faults: ${error}`))
const loadSeconds = (Date.now() - loadBeganMs) / 1_000

say(`draining ${workload.open} open executions`)
workload.run({ ...rates, quickPerSecond: 0, storiesPerSecond: 0 })
for (const deadline = performance.now() + DRAIN_PATIENCE_MS; workload.open > 0 && performance.now() < deadline; )
  await pause(200)
for (const words of workload.unfinished()) violations.add('P7', `${words} has not ended`)
over.abort()
await Promise.all(background)
workload.stop()

say('comparing what is kept once more, after a last kill')
disturbances.count('server killed')
await server.kill()
await server.start()
await keeper.compareAll()
const code = await server.terminate()
violations.check(code === 0, 'server', () => `the last server ended with ${code}`)
api.close()
ledger.close()
const left = readDatabase()

const samples = readSamples(samplesFile)
const grown = growths(samples, loadSeconds)
// A machine that is shared has latencies of its own, and the driver is not what is promised.
const leaks = grown.filter(
  ({ verdict, unit, name }) => verdict === 'grows' && unit === 'MB' && !name.startsWith('driver'),
)
for (const { name, first, last, unit } of leaks)
  violations.add('server', `${name} grew from ${first} to ${last} ${unit}`)
const title = `Seed ${seed}: ${(loadSeconds / 3_600).toFixed(2)} hours at ${rate.toFixed(0)} quick executions/s (measured: at most ${capacity.executionsPerSecond.toFixed(0)}) and ${rates.storiesPerSecond.toFixed(1)} SDK executions/s`
const charts = writeCharts(folder, samples, marks, { title, seconds: loadSeconds })
const figures = figuresOfRun()
writeSummary(folder, { title, figures, growths: grown, charts, violations: violations.count })

console.log('\nDoes anything grow? Medians of the first and last third of the second half of the long life:')
for (const { name, unit, first, last, perHour, allowed, verdict } of grown) {
  console.log(
    `  ${name}: ${first.toFixed(1)} → ${last.toFixed(1)} ${unit} (${perHour.toFixed(1)} per hour; ${allowed.toFixed(1)} pass): ${verdict}`,
  )
}
rmSync(ledgerFolder, { recursive: true, force: true })
if (violations.count === 0) {
  for (const path of [paths.data, paths.log, paths.config]) rmSync(path, { recursive: true, force: true })
} else console.log(`\nrepeat with --seed ${seed}; what explains it is in ${folder}`)
report({
  machine: 'soak',
  passed: violations.checked - violations.count,
  failed: violations.count,
  figures,
  seconds: (performance.now() - began) / 1_000,
})
console.log(`\n${folder}`)
process.exit()

function figuresOfRun(): Record<string, number | string> {
  const ms = (value: number | undefined): number | string =>
    value === undefined ? 'none' : Number(value.toFixed(value < 10 ? 2 : 0))
  const meanOf = (column: 'serverRssMb', part: readonly (typeof samples)[number][]): number => {
    const values = part.flatMap((sample) => sample[column] ?? [])
    return Math.round(values.reduce((sum, value) => sum + value, 0) / values.length)
  }
  const quarter = Math.floor(samples.length / 4)
  const { checkpointMs, startToEndMs, latenessMs, latenessAfterFaultMs, recoveryMs } = measures
  return {
    hours: Number((loadSeconds / 3_600).toFixed(3)),
    executions: measures.executions,
    checkpoints: measures.checkpoints,
    violations: violations.count,
    checks: violations.checked,
    'effects in the ledger': ledger.lines,
    'server processes': server.lives,
    'slowest start of a server, ms': Math.round(server.slowestStartMs),
    ...Object.fromEntries([...disturbances.counts].map(([kind, count]) => [`fault: ${kind}`, count])),
    'timers checked': measures.timers,
    'timer lateness in peace p50 / p99 / max, ms': [0.5, 0.99, 1]
      .map((q) => ms(latenessMs.run.quantile(q)))
      .join(' / '),
    'timer lateness around faults p50 / p99 / max, ms': [0.5, 0.99, 1]
      .map((q) => ms(latenessAfterFaultMs.run.quantile(q)))
      .join(' / '),
    'the same, from the end of the fault p50 / p99 / max, ms': [0.5, 0.99, 1]
      .map((q) => ms(recoveryMs.run.quantile(q)))
      .join(' / '),
    'lateness that breaks the promise, ms': LATENESS_BOUND_MS,
    'checkpoint p50 / p99 / max, ms': [0.5, 0.99, 1].map((q) => ms(checkpointMs.run.quantile(q))).join(' / '),
    'start to end p50 / p99 / max, ms': [0.5, 0.99, 1].map((q) => ms(startToEndMs.run.quantile(q))).join(' / '),
    'finished executions compared again': keeper.compared,
    'executions deleted': keeper.deleted,
    'backups while it worked': backups.taken,
    'retention: found there / gone': `${expiring.foundThere} / ${expiring.foundGone}`,
    'retention: executions of the calibration / not removed yet': `${capacity.executions} / ${left.expired}`,
    'executions in the database at the end': left.executions,
    'database at the end, MB': Number((samples.at(-1)?.databaseMb ?? 0).toFixed(1)),
    'database at most, MB': Number(
      samples.reduce((most, { databaseMb = 0 }) => Math.max(most, databaseMb), 0).toFixed(1),
    ),
    'server memory, first quarter, MB': meanOf('serverRssMb', samples.slice(0, quarter)),
    'server memory, last quarter, MB': meanOf('serverRssMb', samples.slice(-quarter)),
    'answers by status': [...api.statuses]
      .toSorted(([a], [b]) => a - b)
      .map(([status, count]) => `${status}: ${count}`)
      .join(', '),
    'starts held back': workload.heldBack,
    'effects after the end': workload.lateNotes,
  }
}

/** The closed database, without the server: SQLite finds it whole, and what retention should have removed is counted. */
function readDatabase(): { readonly executions: number; readonly expired: number } {
  const database = new DatabaseSync(join(paths.data, 'journal.db'), { readOnly: true })
  const number = (sql: string): number => Number(Object.values(database.prepare(sql).get() ?? {})[0])
  const [verdict] = Object.values(database.prepare('PRAGMA integrity_check').get() ?? {})
  violations.check(verdict === 'ok', 'P1', () => `SQLite says of the database: ${verdict}`)
  const counts = {
    executions: number('SELECT count(*) FROM executions'),
    expired: number(`SELECT count(*) FROM executions WHERE expires_at <= ${Date.now()}`),
  }
  database.close()
  return counts
}

/** The folder that was asked for, or the first free one under the temporary folder. */
function freshFolder(): string {
  const { out } = options
  if (out !== undefined) {
    const wanted = resolve(out)
    if (existsSync(join(wanted, 'data'))) throw new Error(`${wanted} holds an earlier soak`)
    mkdirSync(wanted, { recursive: true })
    return wanted
  }
  for (let tries = 1; ; tries++) {
    const wanted = join(tmpdir(), tries === 1 ? `soak-${seed}` : `soak-${seed}-${tries}`)
    if (existsSync(wanted)) continue
    mkdirSync(wanted)
    return wanted
  }
}
