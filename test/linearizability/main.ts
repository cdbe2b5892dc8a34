/**
 * `npm run linearizability`: clients race on few executions against real servers, on both stores, and what they were
 * answered is checked against a sequential model of the token protocol. On SQLite the server is killed under some of
 * them. The default is a minute of it.
 *
 *     --seconds N      so long;  --seed N  the first seed (what a scene tries follows from its seed; what the machine
 *                      makes of it does not);  --scenes N  so many at most
 */
import { parseArgs } from 'node:util'
import { report } from '../proof/machine.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { type Call, isHarmless, wordsOfAnswer } from './calls.ts'
import { check, shrink } from './checker.ts'
import { choicesIn, model, type Name, replies } from './model.ts'
import { Ticks } from './recorder.ts'
import { playScene } from './scene.ts'
import { Site, type StoreName } from './site.ts'
import type { Subject } from './subject.ts'
import { timeline } from './timeline.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(process.pid * 1000) },
    scenes: { type: 'string', default: '1000000' },
  },
})
const SECONDS = Number(values.seconds)
const SCENES = Number(values.scenes)
const firstSeed = Number(values.seed)

/** Scenes that run side by side on one server. */
const SIDE_BY_SIDE = 4
/** Of the rounds on SQLite. */
const KILL_EVERY = 3
/** In beginnings and ends of calls since the round began, of which there are some six hundred. */
const KILL_AT = { low: 20, high: 450 } as const
const SHOWN_STATES = 2

const begun = performance.now()
const elapsedSeconds = (): number => (performance.now() - begun) / 1000
const figures = {
  histories: 0,
  calls: 0,
  'unknown outcomes': 0,
  executions: 0,
  'checkpoints accepted': 0,
  'checkpoints refused': 0,
  'callbacks accepted': 0,
  'callbacks refused': 0,
  invocations: 0,
  'server kills': 0,
  'histories with a kill': 0,
  'largest search (configurations)': 0,
  'longest check (ms)': 0,
}
let failed = 0
let refuted = 0

let scenes = 0
console.log(`seed ${firstSeed}, ${SECONDS} s`)
await Promise.all([playOn('sqlite'), playOn('memory')])
report({
  machine: 'linearizability',
  passed: figures.histories - refuted,
  failed,
  figures: { ...figures, 'longest check (ms)': Math.round(figures['longest check (ms)']) },
  seconds: elapsedSeconds(),
})

async function playOn(store: StoreName): Promise<void> {
  const site = await Site.open(store)
  const failedBefore = failed
  try {
    for (let round = 0; elapsedSeconds() < SECONDS && scenes < SCENES; round++) {
      await playRound(site, store === 'sqlite' && round % KILL_EVERY === 0)
    }
  } catch (error) {
    failed += 1
    console.log(`the races on ${store} came to a stop:`, error)
  }
  figures['server kills'] += site.kills
  await site.close(store === 'sqlite' && failed > failedBefore)
}

/** Some scenes at once; `kills`: the server dies under them. */
async function playRound(site: Site, kills: boolean): Promise<void> {
  const seeds = Array.from({ length: SIDE_BY_SIDE }, (_, index) => firstSeed + scenes + index)
  scenes += seeds.length
  const ticks = new Ticks()
  const playing = Promise.all(seeds.map(async (seed) => ({ seed, subjects: await playScene(site, seed, ticks) })))
  const [played] = await Promise.all([playing, kills ? killUnder(playing, site, seeds[0] ?? 0, ticks) : undefined])
  for (const { seed, subjects } of played) for (const subject of subjects) checkHistory(site, seed, subject)
  site.releaseAll()
}

/** At a moment that the seed chooses, unless everything is over by then. */
async function killUnder(playing: Promise<unknown>, site: Site, seed: number, ticks: Ticks): Promise<void> {
  const moment = new SeededRandom(seed, 'kill').between(KILL_AT.low, KILL_AT.high)
  const over = await Promise.race([playing.then(() => true), ticks.at(moment).then(() => false)])
  if (!over) await site.kill()
}

function checkHistory(site: Site, seed: number, subject: Subject): void {
  const { calls } = subject.recorder
  const from = performance.now()
  const verdict = check(model, calls)
  figures['longest check (ms)'] = Math.max(figures['longest check (ms)'], performance.now() - from)
  figures['largest search (configurations)'] = Math.max(figures['largest search (configurations)'], verdict.visited)
  figures.histories += 1
  figures.calls += calls.length
  figures.executions += subject.known.arns.length
  figures['unknown outcomes'] += calls.filter(
    ({ client, request, answer }) => answer === undefined && client !== 'service' && request.kind !== 'end',
  ).length
  for (const { request, answer } of calls) {
    if (answer?.kind === 'invoked') figures.invocations += 1
    if (answer === undefined || (request.kind !== 'checkpoint' && request.kind !== 'callback')) continue
    figures[`${request.kind}s ${answer.kind === 'refused' ? 'refused' : 'accepted'}`] += 1
  }
  if (calls.some(({ request }) => request.kind === 'kill')) figures['histories with a kill'] += 1
  if (verdict.linearizable) return
  refuted += 1
  failed += 1
  console.log(
    `\n${subject.name} on ${site.store} is not linearizable. Again: npm run linearizability -- --seed ${seed}`,
  )
  const { stuckAt, possible } = verdict
  console.log(timeline(shrink(model, calls, isHarmless), stuckAt))
  console.log(`nothing explains this answer of ${stuckAt.client}: ${wordsOfAnswer(stuckAt.answer)}`)
  tellExpected(stuckAt, possible)
}

/** What would have been an answer. */
function tellExpected({ request, answer }: Call, possible: readonly Name[]): void {
  const expected = possible.flatMap((name) => replies(name, request, choicesIn(answer)).map((step) => step.answer))
  const told = [...new Set(expected.map(wordsOfAnswer))]
  for (const words of told.slice(0, SHOWN_STATES)) console.log(`  it could have been: ${words}`)
  if (told.length > SHOWN_STATES) console.log(`  or one of ${told.length - SHOWN_STATES} others`)
  console.log(`  for the service was in this state (or ${possible.length - 1} others): ${JSON.stringify(possible[0])}`)
}
