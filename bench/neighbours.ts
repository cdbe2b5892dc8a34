/**
 * What poisonous functions do to an honest one on the same server: invocations of the honest one, one after another,
 * alone, beside two functions that want a processor each, and beside one that crashes, never answers, answers too much,
 * eats memory, forks or floods its log (each of them called again whenever it has ended). `server` is how long the server
 * itself takes to list its functions meanwhile. The measure is what two honest functions do that need the processor: no
 * poison may raise the p99 to more than twice of theirs. Each round is judged by itself, so that what else the machine
 * does meanwhile touches both, and the median of the rounds counts.
 *
 *     npm run bench -- neighbours [--seconds 2] [--rounds 5]
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { functionNiceness } from '../src/functions/process-group.ts'
import { type PerdureProcess, startPerdureProcess } from '../test/start-perdure.ts'
import { quantile } from './load.ts'

interface Scene {
  readonly name: string
  /** What runs beside, as often as it is named. */
  readonly beside: readonly string[]
}

/** The row that the others are held against, and how many times its p99 theirs may be. */
const measure = 'two busy ones'
const allowedRatio = 2

const scenes: readonly Scene[] = [
  { name: 'alone', beside: [] },
  { name: measure, beside: ['busy', 'busy'] },
  { name: 'crashes (x2)', beside: ['crashing', 'crashing'] },
  { name: 'answers 100 MB', beside: ['verbose'] },
  { name: 'never answers (x8)', beside: Array.from({ length: 8 }, () => 'silent') },
  { name: 'eats memory', beside: ['greedy'] },
  { name: 'forks', beside: ['forking'] },
  { name: 'floods its log', beside: ['flooding'] },
]

const file = join(import.meta.dirname, 'neighbour-functions.ts')
const functions = [
  { name: 'honest', warm: 1 },
  { name: 'busy', concurrency: 8 },
  { name: 'crashing' },
  { name: 'verbose', timeout: 10 },
  { name: 'silent', concurrency: 8, timeout: 2 },
  { name: 'greedy', timeout: 10, memory: 256 },
  { name: 'forking', timeout: 10 },
  { name: 'flooding', timeout: 10 },
].map((declared) => ({ ...declared, file, exportName: declared.name, durable: false as const }))

export async function run(args: readonly string[]): Promise<void> {
  const options = { seconds: { type: 'string', default: '2' }, rounds: { type: 'string', default: '5' } } as const
  const { values } = parseArgs({ args: [...args], options })
  const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)]
  console.log(`${cpus().length} cores; ${rounds} rounds of ${seconds} s each, interleaved; milliseconds`)
  console.log(
    `functions run at nice ${functionNiceness} and in no control group of their own, the server at 0; ${sessions()}\n`,
  )
  const seen = scenes.map(({ name }) => ({
    name,
    honest: [] as number[],
    /** Of each round. */
    p99s: [] as number[],
    server: [] as number[],
    ends: [] as string[],
  }))
  for (let round = 0; round < rounds; round++) {
    for (const [index, scene] of scenes.entries()) {
      const { honest, server, ends } = await play(scene, seconds)
      seen[index]?.honest.push(...honest)
      seen[index]?.p99s.push(quantile(sorted(honest), 0.99))
      seen[index]?.server.push(...server)
      seen[index]?.ends.push(...ends)
    }
  }
  const p99s = (name: string): readonly number[] => seen.find((one) => one.name === name)?.p99s ?? []
  const ratio = (name: string): number =>
    median(p99s(name).map((p99, round) => p99 / (p99s(measure)[round] ?? Number.NaN)))
  console.log(row(['beside', 'calls', 'p50', 'p99', 'most', 'ratio', 'server p50', 'server p99', 'neighbours ended']))
  for (const { name, honest, server, ends } of seen) {
    const cells = [...figures(honest, true), ratio(name).toFixed(2), ...figures(server, false), tally(ends)]
    console.log(row([name, String(honest.length), ...cells]))
  }
  const most = `${allowedRatio} times that of ${measure}, in the median of the rounds`
  const poisons = scenes.slice(2).map(({ name }) => name)
  const worse = poisons.filter((name) => ratio(name) > allowedRatio)
  console.log(worse.length === 0 ? `\nno p99 is above ${most}` : `\np99 above ${most}: ${worse.join(', ')}`)
  if (ratio('alone') > 1) console.log('Something else used the machine: alone was slower than in company.')
}

/** Linux can share the processor among sessions before it shares among processes; each function process leads one. */
function sessions(): string {
  try {
    const enabled = readFileSync('/proc/sys/kernel/sched_autogroup_enabled', 'utf8').trim() === '1'
    return enabled ? 'sessions share equally' : 'sessions do not count'
  } catch {
    return 'sessions do not count'
  }
}

async function play({ beside }: Scene, seconds: number) {
  const data = mkdtempSync(join(tmpdir(), 'perdure-neighbours-'))
  const perdure = await startPerdureProcess({ data, functions })
  const stop = new AbortController()
  try {
    const ends: string[] = []
    const neighbours = beside.map((name) => callAgainAndAgain(perdure, name, stop.signal, ends))
    for (let i = 0; i < 20; i++) await invoke(perdure, 'honest', stop.signal)
    const until = performance.now() + seconds * 1_000
    const [honest, server] = await Promise.all([
      times(until, 0, () => invoke(perdure, 'honest', stop.signal)),
      times(until, 20, () => read(`${perdure.endpoint}/2015-03-31/functions`, { signal: stop.signal })),
    ])
    stop.abort()
    await Promise.allSettled(neighbours)
    return { honest, server, ends }
  } finally {
    stop.abort()
    await perdure.stop()
    rmSync(data, { recursive: true, force: true })
  }
}

async function times(until: number, pauseMs: number, call: () => Promise<unknown>): Promise<number[]> {
  const taken: number[] = []
  while (performance.now() < until) {
    const begun = performance.now()
    await call()
    taken.push(performance.now() - begun)
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  return taken
}

async function callAgainAndAgain(perdure: PerdureProcess, name: string, signal: AbortSignal, ends: string[]) {
  while (!signal.aborted) ends.push(await invoke(perdure, name, signal))
}

/** How it ended. Anything but the honest function's success is for the table. */
async function invoke({ endpoint }: PerdureProcess, name: string, signal: AbortSignal): Promise<string> {
  const answer = await read(`${endpoint}/2015-03-31/functions/${name}/invocations`, {
    method: 'POST',
    body: '{}',
    signal,
  })
  if (name === 'honest' && answer.failed) throw new Error(`the honest function failed: ${answer.text}`)
  if (!answer.failed) return 'ok'
  return /Task timed out|signal: \w+|ResponseSizeTooLarge|exit status \d+/.exec(answer.text)?.[0] ?? answer.text
}

async function read(url: string, init: RequestInit): Promise<{ readonly failed: boolean; readonly text: string }> {
  const response = await fetch(url, init)
  return { failed: !response.ok || response.headers.has('x-amz-function-error'), text: await response.text() }
}

function tally(ends: readonly string[]): string {
  const counts = Map.groupBy(ends, (end) => end)
  return [...counts].map(([end, all]) => `${all.length} ${end}`).join(', ') || '-'
}

const median = (values: readonly number[]): number => quantile(sorted(values), 0.5)

const sorted = (taken: readonly number[]): number[] => taken.toSorted((a, b) => a - b)

function figures(taken: readonly number[], withMost: boolean): string[] {
  const all = sorted(taken)
  const shown = [quantile(all, 0.5), quantile(all, 0.99), ...(withMost ? [all.at(-1) ?? Number.NaN] : [])]
  return shown.map((ms) => ms.toFixed(1))
}

const widths = [20, 7, 8, 8, 8, 7, 11, 11, 0]
const row = (cells: readonly string[]): string =>
  cells.map((cell, index) => (index === 0 ? cell.padEnd(20) : ` ${cell.padStart(widths[index] ?? 0)}`)).join('')
