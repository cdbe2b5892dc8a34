/**
 * `npm run crash-points`: at every named moment of `src/crash-point.ts` a real server is killed, and in another run
 * stopped for a while and let go on, in the middle of real work with real function processes. Then everything that
 * clients were told must be in the histories, once, and every execution must end right.
 *
 * Which story reaches which point how often is found by telling each once under trace; a point that none reaches fails
 * the run. Each cell of the matrix (point × action) draws its hit from those. The first round gives a point to the
 * story that suits it; later ones draw among all that reach it.
 *
 *     --rounds 1 --seed 1 --parallel 4 --points <part of a name> --actions SIGKILL,SIGSTOP
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CRASH_POINTS, type CrashPoint } from '../../src/crash-point.ts'
import { report } from '../proof/machine.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { type Outcome, tell } from './cell.ts'
import { offCostNs } from './off-cost.ts'
import { ACTIONS, type Action } from './server.ts'
import { STORIES, type Story } from './stories.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    parallel: { type: 'string', default: '4' },
    points: { type: 'string', default: '' },
    actions: { type: 'string', default: ACTIONS.join(',') },
  },
})
const began = performance.now()
const actions = ACTIONS.filter((action) => values.actions.includes(action))
const points = CRASH_POINTS.filter((point) => point.includes(values.points))

if (process.platform !== 'linux') {
  console.log('the crash points are watched through /proc: skipped on this platform')
  report({
    machine: 'crash-points',
    passed: 0,
    failed: 0,
    skipped: points.length * actions.length,
    figures: {},
    seconds: 0,
  })
  process.exit()
}

const failures: string[] = []
const costNs = offCostNs()

// ------------------------------------------------------------------------------------- which story reaches what how often

const traces = mkdtempSync(join(tmpdir(), 'perdure-crash-points-traces-'))
// Shared by the servers of this run, of which there are hundreds: halves what starting one costs.
process.env['NODE_COMPILE_CACHE'] = join(traces, 'compiled')
const reached = new Map<Story, ReadonlyMap<string, number>>()
let claims = 0
await atATime(Number(values.parallel), STORIES, async (story) => {
  const trace = join(traces, story.name)
  const { broken, claims: held } = await tell(story, { trace })
  claims += held
  for (const words of broken) failures.push(`${story.name}, struck nowhere: ${words}`)
  const hits = new Map<string, number>()
  for (const line of existsSync(trace) ? readFileSync(trace, 'utf8').split('\n') : []) {
    hits.set(line, (hits.get(line) ?? 0) + 1)
  }
  reached.set(story, hits)
})

// ----------------------------------------------------------------------------------------------------------- the matrix

interface Cell {
  readonly point: CrashPoint
  readonly action: Action
  readonly story: Story
  /** The story that is known to reach the point in the life that is struck. */
  readonly suited: Story
  readonly hit: number
  readonly of: number
}

const chance = new SeededRandom(Number(values.seed), 'crash-points')
const cells: Cell[] = []
for (let round = 0; round < Number(values.rounds); round++) {
  for (const point of points) {
    const able = STORIES.filter((story) => (reached.get(story)?.get(point) ?? 0) > 0)
    const suited = able.find(({ prefers }) => prefers?.includes(point) ?? false) ?? able[0]
    if (suited === undefined) {
      if (round === 0) failures.push(`${point}: no story reaches it`)
      continue
    }
    for (const action of actions) {
      const story = round === 0 ? suited : chance.pick(able)
      const of = reached.get(story)?.get(point) ?? 1
      cells.push({ point, action, story, suited, hit: chance.between(1, of), of })
    }
  }
}

/** Enough to see what is wrong; the cells after them are left out. */
const ENOUGH_FAILED_CELLS = 6

const outcomes = new Map<Cell, Outcome & { readonly hit: number }>()
const failedCells = (): number => [...outcomes.values()].filter(({ broken }) => broken.length > 0).length
await atATime(Number(values.parallel), cells, async (cell) => {
  if (failures.length + failedCells() < ENOUGH_FAILED_CELLS) outcomes.set(cell, await strike(cell))
})

/** The work of a story is not the same twice: a hit that did not come is sought earlier, then in the suited story. */
async function strike({ point, action, story, suited, hit }: Cell): Promise<Outcome & { readonly hit: number }> {
  const outcome = await tell(story, { point, hit, action })
  if (outcome.recoveredMs !== undefined || outcome.broken.length > 0) return { ...outcome, hit }
  if (hit > 1) return strike({ point, action, story, suited, hit: Math.floor(hit / 2), of: 0 })
  if (story !== suited) return strike({ point, action, story: suited, suited, hit: 1, of: 0 })
  return { ...outcome, hit, broken: ['it was not reached'] }
}

rmSync(traces, { recursive: true, force: true })

// ------------------------------------------------------------------------------------------------------------ the report

let hits = 0
let timeouts = 0
let worstMs: Record<Action, number> = { SIGKILL: 0, SIGSTOP: 0 }
for (const [{ point, action, story }, { hit, recoveredMs, broken, claims: held, timeouts: late }] of outcomes) {
  claims += held
  timeouts += late
  if (recoveredMs !== undefined) {
    hits += 1
    worstMs = { ...worstMs, [action]: Math.max(worstMs[action], recoveredMs) }
  }
  for (const words of broken) failures.push(`${point}, ${action} at hit ${hit} of the story ${story.name}: ${words}`)
}

const shown = (point: CrashPoint, action: Action): string =>
  cells
    .filter((cell) => cell.point === point && cell.action === action)
    .map((cell) => {
      const outcome = outcomes.get(cell)
      if (outcome === undefined) return 'left out'
      const { hit, recoveredMs, broken } = outcome
      const recovered = recoveredMs === undefined ? 'not hit' : `${recoveredMs.toFixed(0)} ms`
      return `${cell.story.name} ${hit}/${cell.of} ${recovered}${broken.length > 0 ? ' FAILED' : ''}`
    })
    .join(', ')
console.log(`${'point'.padEnd(24)}${actions.map((action) => `${action}: hit, recovered`.padEnd(28)).join('')}`)
for (const point of points) {
  console.log(`${point.padEnd(24)}${actions.map((action) => shown(point, action).padEnd(28)).join('')}`)
}
for (const words of failures) console.error(`FAILED: ${words}`)
if (failures.length > 0) console.error(`repeat it with --seed ${values.seed} --rounds ${values.rounds}`)

report({
  machine: 'crash-points',
  passed: outcomes.size - failedCells(),
  failed: Math.max(failedCells(), failures.length > 0 ? 1 : 0),
  skipped: cells.length - outcomes.size,
  figures: {
    points: points.length,
    actions: actions.length,
    cells: cells.length,
    'points hit': hits,
    'claims that held': claims,
    'client attempts that timed out': timeouts,
    'worst recovery after SIGKILL, ms': Math.round(worstMs.SIGKILL),
    'worst recovery after SIGCONT, ms': Math.round(worstMs.SIGSTOP),
    'cost of a point when off, ns': costNs.toFixed(2),
    seed: Number(values.seed),
  },
  seconds: (performance.now() - began) / 1_000,
})

async function atATime<T>(most: number, all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  const waiting = [...all]
  const lane = async (): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) await work(one)
  }
  await Promise.all(Array.from({ length: most }, lane))
}
