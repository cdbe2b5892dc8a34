/**
 * `npm run simulate`: simulated worlds, one after another.
 *
 *     --seeds N            so many storms (default 1000) and their share of crowds and of worlds of months
 *     --from N             the first seed (default 1)
 *     --crash-everywhere   only this: one brief world, again and again, with a crash at every call over a port
 *     --seed N             one storm, twice; with --world crowd, months or brief another kind; with --crash-at K,L crashes
 *     --log                prints whole logs
 *
 * One seed in ten runs twice: the logs must be the same, byte for byte. A failure prints how to repeat it and the end
 * of its log, and the run goes on with the next one.
 */
import { parseArgs } from 'node:util'
import { report } from '../proof/machine.ts'
import { SCENARIOS } from './scenario.ts'
import { SeededRandom } from './seeded-random.ts'
import { type Run, simulate, type WorldId } from './simulation.ts'
import { Totals } from './totals.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    world: { type: 'string', default: 'storm' },
    'crash-at': { type: 'string' },
    'crash-everywhere': { type: 'boolean', default: false },
    log: { type: 'boolean', default: false },
  },
})

const SHOWN_LINES = 40
const TWICE_EVERY = 10
/** Storms to one crowd, and to one world of months. */
const STORMS_PER_CROWD = 40
const STORMS_PER_MONTHS = 40
/** The second crash comes within so many calls after the first: often while the next server recovers. */
const SECOND_CRASH_WITHIN = 60

const totals = new Totals()
let passed = 0
let failed = 0

function wholeNumber(text: string, least: number): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < least)
    throw new Error(`"${text}" must be a whole number from ${least} on`)
  return value
}

async function look(world: WorldId, twice: boolean): Promise<Run> {
  const run = await simulate(world)
  const failure = run.violation ?? (twice ? await divergence(run) : undefined)
  if (values.log) console.log(run.log.join('\n'))
  totals.add(run)
  if (failure === undefined) passed++
  else tellFailure(run, failure)
  return run
}

/** Runs the world again: anything that is not the same is a defect of the simulation or of the service. */
async function divergence({ world, log }: Run): Promise<string | undefined> {
  const again = await simulate(world)
  const line = log.findIndex((text, index) => text !== again.log[index])
  if (line >= 0 || log.length !== again.log.length) {
    return `the same seed gave another log, from line ${line + 1} on: ${again.log[line]}`
  }
  totals.replayed()
  return undefined
}

function tellFailure({ world, log }: Run, failure: string): void {
  failed++
  const { seed, scenario, crashAt } = world
  const kind = scenario === 'storm' ? '' : ` --world ${scenario}`
  const crashes = crashAt === undefined ? '' : ` --crash-at ${crashAt}`
  console.log(`\nseed ${seed} failed: ${failure}`)
  if (!values.log) console.log(log.slice(-SHOWN_LINES).join('\n'))
  console.log(`  again: npm run simulate -- --seed ${seed}${kind}${crashes} --log`)
}

/** A crash at every call over a port that a brief world makes, and in every other run another one soon after. */
async function crashEverywhere(seed: number): Promise<void> {
  const { portCalls } = await look({ seed, scenario: 'brief' }, true)
  const random = new SeededRandom(seed, 'second crashes')
  for (let call = 1; call <= portCalls; call++) {
    const second = call + random.between(1, SECOND_CRASH_WITHIN)
    const crashAt = call % 2 === 0 ? [call, second] : [call]
    await look({ seed, scenario: 'brief', crashAt }, call % (TWICE_EVERY * TWICE_EVERY) === 0)
  }
}

async function everything(first: number, storms: number): Promise<void> {
  for (let seed = first; seed < first + storms; seed++) {
    const twice = seed % TWICE_EVERY === 0
    await look({ seed, scenario: 'storm' }, twice)
    if (seed % STORMS_PER_CROWD === 0) await look({ seed, scenario: 'crowd' }, twice)
    if (seed % STORMS_PER_MONTHS === 0) await look({ seed, scenario: 'months' }, twice)
  }
  await crashEverywhere(first)
}

const begunMs = performance.now()
const scenario = SCENARIOS.find((name) => name === values.world)
if (scenario === undefined) throw new Error(`--world must be one of ${SCENARIOS.join(', ')}`)
const first = wholeNumber(values.seed ?? values.from, 0)
if (values['crash-everywhere']) await crashEverywhere(first)
else if (values.seed === undefined) await everything(first, wholeNumber(values.seeds, 1))
else {
  const crashAt = values['crash-at']?.split(',').map((call) => wholeNumber(call, 1))
  await look({ seed: first, scenario, ...(crashAt === undefined ? undefined : { crashAt }) }, true)
}
const seconds = (performance.now() - begunMs) / 1_000
report({ machine: 'simulation', passed, failed, figures: totals.figures(seconds), seconds })
