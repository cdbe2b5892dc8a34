/** What a soak leaves behind: charts of its samples, and a summary for people and one for programs. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Figures } from '../proof/machine.ts'
import { drawChart, type Lane, type Series } from './chart.ts'
import type { FaultKind } from './disturbances.ts'
import { LONG_LIFE } from './faults.ts'
import { type Growth, growthOf } from './growth.ts'
import type { Column, Sample } from './samples.ts'

export interface Mark {
  readonly kind: FaultKind
  readonly seconds: number
}

const BLUE = '#0b62a4'
const ORANGE = '#d1630a'
const GREEN = '#26845b'
const PURPLE = '#7a4fa3'
const GREY = '#66788a'

const LANES: readonly { readonly name: string; readonly color: string; readonly kinds: readonly FaultKind[] }[] = [
  { name: 'kill', color: '#b42318', kinds: ['server killed'] },
  { name: 'restart', color: ORANGE, kinds: ['server restarted'] },
  { name: 'stop', color: PURPLE, kinds: ['server stopped'] },
  { name: 'functions', color: BLUE, kinds: ['function killed', 'function stopped'] },
  { name: 'clients', color: GREEN, kinds: ['slow clients', 'hostile requests'] },
]

type Line = readonly [column: Column, name: string, color: string, style?: 'faint' | 'dots']

interface ChartPlan {
  readonly file: string
  readonly title: string
  readonly unit: string
  readonly lines: readonly Line[]
  readonly logarithmic?: boolean
}

const CHARTS: readonly ChartPlan[] = [
  {
    file: 'throughput',
    title: 'Executions and checkpoints',
    unit: 'per second',
    lines: [
      ['checkpointsPerSecond', 'checkpoints', GREEN],
      ['executionsPerSecond', 'executions ended', BLUE],
    ],
  },
  { file: 'open', title: 'Open executions', unit: 'executions', lines: [['openExecutions', 'open', BLUE]] },
  {
    file: 'checkpoints',
    title: 'Checkpoint latency, as the function sees it',
    unit: 'milliseconds (logarithmic)',
    lines: [
      ['checkpointP50Ms', 'median', BLUE],
      ['checkpointP99Ms', '99th percentile', ORANGE, 'faint'],
    ],
    logarithmic: true,
  },
  {
    file: 'start-to-end',
    title: 'From the start of a quick execution to its end',
    unit: 'milliseconds (logarithmic)',
    lines: [
      ['startToEndP50Ms', 'median', BLUE],
      ['startToEndP99Ms', '99th percentile', ORANGE, 'faint'],
    ],
    logarithmic: true,
  },
  {
    file: 'timers',
    title: 'Lateness of timers',
    unit: 'milliseconds (logarithmic)',
    lines: [
      ['timerLatenessP50Ms', 'median', BLUE, 'dots'],
      ['timerLatenessMaxMs', 'maximum', ORANGE, 'dots'],
      ['timerLatenessAfterFaultMaxMs', 'maximum, due during a fault', GREY, 'dots'],
    ],
    logarithmic: true,
  },
  {
    file: 'memory',
    title: 'Memory of the server and of the driver',
    unit: 'MB',
    lines: [
      ['serverRssMb', 'server, resident', BLUE],
      ['serverHeapMb', 'server, heap in use', GREEN],
      ['serverCacheMb', 'of it folded executions', PURPLE],
      ['driverRssMb', 'driver, resident', GREY, 'faint'],
    ],
  },
  {
    file: 'event-loop',
    title: 'Delay of the server’s event loop',
    unit: 'milliseconds (logarithmic)',
    lines: [
      ['eventLoopDelayP99Ms', '99th percentile', BLUE],
      ['eventLoopDelayMaxMs', 'maximum', ORANGE, 'faint'],
    ],
    logarithmic: true,
  },
  {
    file: 'files',
    title: 'Size of the server’s files',
    unit: 'MB',
    lines: [
      ['databaseMb', 'database', BLUE],
      ['walMb', 'write-ahead log', ORANGE],
      ['logsMb', 'function logs', GREY],
    ],
  },
  { file: 'cpu', title: 'CPU of the server', unit: 'cores', lines: [['serverCpuCores', 'server', BLUE]] },
]

/** Writes one SVG per chart; resolves the names of the files. */
export function writeCharts(
  folder: string,
  samples: readonly Sample[],
  marks: readonly Mark[],
  run: { readonly title: string; readonly seconds: number },
): string[] {
  mkdirSync(folder, { recursive: true })
  const minutes = run.seconds >= 180
  const per = minutes ? 60 : 1
  const lanes: Lane[] = LANES.map(({ name, color, kinds }) => ({
    name,
    color,
    at: marks.filter(({ kind }) => kinds.includes(kind)).map(({ seconds }) => seconds / per),
  }))
  const band = { from: (run.seconds * LONG_LIFE.from) / per, to: (run.seconds * LONG_LIFE.to) / per }
  return CHARTS.map(({ file, title, unit, lines, logarithmic = false }) => {
    const series: Series[] = lines.map(([column, name, color, style]) => ({
      name,
      color,
      faint: style === 'faint',
      dots: style === 'dots',
      points: samples.map((sample) => [(sample.seconds ?? 0) / per, sample[column]] as const),
    }))
    const svg = drawChart({
      title,
      subtitle: run.title,
      unit,
      xLabel: `${minutes ? 'minutes' : 'seconds'} since the load began; the strip marks faults`,
      xMax: Math.max(run.seconds, samples.at(-1)?.seconds ?? 0) / per,
      series,
      lanes,
      bands: [{ ...band, name: 'long life: no restarts' }],
      logarithmic,
    })
    writeFileSync(join(folder, `${file}.svg`), svg)
    return `${file}.svg`
  })
}

/** Whether memory, files or latency grow over the second half of the long life, where no restart hides it. */
export function growths(samples: readonly Sample[], runSeconds: number): Growth[] {
  const from = runSeconds * ((LONG_LIFE.from + LONG_LIFE.to) / 2)
  const to = runSeconds * LONG_LIFE.to
  const span = samples.filter(({ seconds = 0 }) => seconds >= from && seconds <= to)
  const points = (value: (sample: Sample) => number | undefined): (readonly [number, number])[] =>
    span.flatMap((sample) => {
      const y = value(sample)
      return sample.seconds === undefined || y === undefined ? [] : [[sample.seconds, y] as const]
    })
  return [
    // What the cache of executions holds is bounded by its own size, and fills slowly.
    growthOf(
      'server memory beside its cache',
      'MB',
      points(({ serverRssMb, serverCacheMb }) =>
        serverRssMb === undefined || serverCacheMb === undefined ? undefined : serverRssMb - serverCacheMb,
      ),
      { share: 0.15, atLeast: 32 },
    ),
    growthOf('server heap beside its cache', 'MB', points(heapBesideCache), { share: 0.25, atLeast: 32 }),
    growthOf(
      'database and log',
      'MB',
      points(({ databaseMb = 0, walMb = 0 }) => databaseMb + walMb),
      {
        share: 0.1,
        atLeast: 16,
      },
    ),
    growthOf(
      'checkpoint latency, median',
      'ms',
      points(({ checkpointP50Ms }) => checkpointP50Ms),
      {
        share: 0.5,
        atLeast: 5,
      },
    ),
    growthOf(
      'start to end, median',
      'ms',
      points(({ startToEndP50Ms }) => startToEndP50Ms),
      {
        share: 0.5,
        atLeast: 10,
      },
    ),
    growthOf(
      'driver memory',
      'MB',
      points(({ driverRssMb }) => driverRssMb),
      { share: 0.25, atLeast: 48 },
    ),
  ]
}

const heapBesideCache = ({ serverHeapMb, serverCacheMb }: Sample): number | undefined =>
  serverHeapMb === undefined || serverCacheMb === undefined ? undefined : serverHeapMb - serverCacheMb

export interface Summary {
  readonly title: string
  readonly figures: Figures
  readonly growths: readonly Growth[]
  readonly charts: readonly string[]
  readonly violations: number
}

export function writeSummary(folder: string, summary: Summary): void {
  writeFileSync(join(folder, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
  writeFileSync(join(folder, 'summary.md'), asMarkdown(summary))
}

function asMarkdown({ title, figures, growths: grown, charts, violations }: Summary): string {
  const rows = Object.entries(figures).map(([name, value]) => `| ${name} | ${shown(value)} |`)
  return [
    '# Soak',
    '',
    `${title}. ${violations === 0 ? 'No promise was seen broken.' : `**${violations} violations**: see violations.log.`}`,
    '',
    '| figure | value |',
    '| --- | --- |',
    ...rows,
    '',
    '## Does anything grow?',
    '',
    'Medians of the first and the last third of the second half of the long life, in which the server was not restarted.',
    '',
    '| figure | first | last | per hour | growth that passes | verdict |',
    '| --- | ---: | ---: | ---: | ---: | --- |',
    ...grown.map(
      ({ name, unit, first, last, perHour, allowed, verdict }) =>
        `| ${name}, ${unit} | ${first.toFixed(1)} | ${last.toFixed(1)} | ${perHour.toFixed(1)} | ${allowed.toFixed(1)} | ${verdict} |`,
    ),
    '',
    ...charts.map((file) => `![${file.replace('.svg', '')}](${file})`),
    '',
  ].join('\n')
}

const shown = (value: number | string): string => (typeof value === 'number' ? value.toLocaleString('en-US') : value)
