/** `perdure status`: whether a server is ready, and what it has to do. */
import type { PerdureClient } from '../../client/client.ts'
import { collect } from '../collect.ts'
import { CLIENT_OPTIONS, clientFor, defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { gaugeBy } from '../gauges.ts'
import { printOne } from '../output.ts'
import { counted } from '../render/amounts.ts'
import { describedLines } from '../render/description.ts'

export const status = defineCommand({
  name: 'status',
  summary: 'Show whether the server is ready, its clock, and how much it has to do',
  options: CLIENT_OPTIONS,
  notes: ['Exit code 0 when the server is ready, 1 when it starts, drains or does not answer.'],
  examples: ['perdure status', 'until perdure status >/dev/null 2>&1; do sleep 1; done', 'perdure status --json'],
  async run({ values, terminal, env }) {
    const client = clientFor(values, env)
    const report = await statusOf(client)
    client.close()
    printOne(terminal, values, report, () => describedLines(membersOf(report), terminal.paint))
    return report.readiness === 'ready' ? EXIT.ok : EXIT.failed
  },
})

interface StatusReport {
  readonly endpoint: string
  /** `ready`, or what the server does instead. */
  readonly readiness: string
  readonly version: string
  readonly node: string
  readonly region: string
  readonly account: string
  /** The time at which a manual clock stands. */
  readonly manualClockTimestamp?: number
  readonly functions: number
  readonly durableFunctions: number
  /** Workers that are attached. */
  readonly workers: readonly Figure[]
  readonly runningExecutions: readonly Figure[]
  /** Jobs that wait for a process of their function. */
  readonly waitingJobs: readonly Figure[]
  /** Jobs that nothing can run now: their function is not declared, or has no worker. */
  readonly heldJobs: readonly Figure[]
}

interface Figure {
  readonly functionName: string
  readonly count: number
}

async function statusOf(client: PerdureClient): Promise<StatusReport> {
  const [readiness, version, clock, functions, metrics] = await Promise.all([
    client.readiness(),
    client.version(),
    client.manualClock(),
    collect(client.functions()),
    client.metrics(),
  ])
  return {
    endpoint: client.endpoint,
    readiness,
    version: version.version,
    node: version.node,
    region: version.place.region,
    account: version.place.account,
    ...(clock !== undefined && { manualClockTimestamp: clock }),
    functions: functions.length,
    durableFunctions: functions.filter((each) => each.durableConfig !== undefined).length,
    workers: figures(metrics, 'perdure_workers'),
    runningExecutions: figures(metrics, 'perdure_executions_running'),
    waitingJobs: figures(metrics, 'perdure_ready_jobs'),
    heldJobs: figures(metrics, 'perdure_held_jobs'),
  }
}

const figures = (metrics: string, name: string): readonly Figure[] =>
  [...gaugeBy(metrics, name, 'function')]
    .filter(([, count]) => count > 0)
    .map(([functionName, count]) => ({ functionName, count }))
    .sort((a, b) => b.count - a.count)

function membersOf(report: StatusReport): readonly (readonly [string, string | undefined])[] {
  const clock = report.manualClockTimestamp
  return [
    ['Server', `${report.readiness}, at ${report.endpoint}`],
    ['Version', `perdure ${report.version} on Node ${report.node}`],
    ['Place', `${report.region}, account ${report.account}`],
    ['Clock', clock === undefined ? 'goes by itself' : `manual, stands at ${new Date(clock).toISOString()}`],
    ['Functions', `${report.functions}, of them ${report.durableFunctions} durable`],
    ['Workers', report.workers.length === 0 ? undefined : summed(report.workers, 'attached')],
    ['Executions', `${summed(report.runningExecutions, 'running')}`],
    ['Jobs', summed(report.waitingJobs, 'waiting for a process')],
    ['Held', report.heldJobs.length === 0 ? undefined : `${summed(report.heldJobs, 'that nothing can run now')}`],
  ]
}

/** `3 running: order 2, trip 1` */
function summed(parts: readonly Figure[], what: string): string {
  const sum = parts.reduce((total, { count }) => total + count, 0)
  const shown = parts.slice(0, mostShown).map(({ functionName, count }) => `${functionName} ${count}`)
  const more = parts.length > mostShown ? [`${counted(parts.length - mostShown, 'more function')}`] : []
  return sum === 0 ? `none ${what}` : `${sum} ${what}: ${[...shown, ...more].join(', ')}`
}

const mostShown = 5
