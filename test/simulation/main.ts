/**
 * `npm run simulate -- --seeds 1000`: simulated worlds one after another, from a first seed on (default: 1).
 *
 *     --seed N         one world;  --log prints its whole log
 *     --seeds N        so many worlds;  --from N the first of them
 *
 * One seed in ten runs twice: the logs must be the same, byte for byte. A failure prints its seed and the end of its
 * log, and goes on with the next one.
 */
import { parseArgs } from 'node:util'
import { type Run, simulate } from './simulation.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    log: { type: 'boolean', default: false },
  },
})

const SHOWN_LINES = 40
const TWICE_EVERY = 10

const single = values.seed === undefined ? undefined : Number(values.seed)
const first = single ?? Number(values.from)
const count = single === undefined ? Number(values.seeds) : 1
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1)
  throw new Error('seeds are whole numbers')

const totals = { passed: 0, failed: 0, simulatedMs: 0, happenings: 0, executions: 0, acknowledged: 0, crashes: 0 }
const begunMs = performance.now()
for (let seed = first; seed < first + count; seed++) {
  const run = await simulate(seed)
  const failure =
    run.violation ?? (seed % TWICE_EVERY === 0 || single !== undefined ? await divergence(run) : undefined)
  if (values.log) console.log(run.log.join('\n'))
  if (failure === undefined) totals.passed++
  else tellFailure(run, failure)
  for (const figure of ['simulatedMs', 'happenings', 'executions', 'acknowledged', 'crashes'] as const) {
    totals[figure] += run[figure]
  }
}
tellTotals((performance.now() - begunMs) / 1_000)

/** Runs the seed again: anything that is not the same is a defect of the simulation or of the service. */
async function divergence({ seed, log }: Run): Promise<string | undefined> {
  const again = await simulate(seed)
  const line = log.findIndex((text, index) => text !== again.log[index])
  if (line < 0 && log.length === again.log.length) return undefined
  return `the same seed gave another log, from line ${line + 1} on: ${again.log[line]}`
}

function tellFailure({ seed, log }: Run, failure: string): void {
  totals.failed++
  console.log(`\nseed ${seed} failed: ${failure}`)
  if (!values.log) console.log(log.slice(-SHOWN_LINES).join('\n'))
  console.log(`  again: npm run simulate -- --seed ${seed} --log`)
  process.exitCode = 1
}

function tellTotals(seconds: number): void {
  const { passed, failed, simulatedMs, happenings, executions, acknowledged, crashes } = totals
  const hours = (simulatedMs / 3_600_000).toFixed(1)
  console.log(
    `${(count / seconds).toFixed(1)} seeds/s, ${seconds.toFixed(1)} s; ${hours} simulated hours, ${happenings} events, ` +
      `${executions} executions, ${crashes} crashes, ${acknowledged} promises held`,
  )
  console.log(`${passed} passed, ${failed} failed, 0 skipped`)
}
