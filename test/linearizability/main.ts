/**
 * `npm run linearizability`: clients race on few executions against real servers, on both stores, and what they were
 * answered is checked against a sequential model of the token protocol. On SQLite the server is killed under some of
 * them. The default is a minute of it.
 *
 *     --seconds N      so long
 *     --seed N         of the first scene; the next has the next one
 *     --scenes N       so many at most
 *
 * What clients try follows from the seed of their scene; what comes of it is the machine's.
 */
import { parseArgs } from 'node:util'
import { report } from '../proof/machine.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { Audit } from './audit.ts'
import { Ticks } from './recorder.ts'
import { playScene } from './scene.ts'
import { Site, type StoreName } from './site.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '50' },
    seed: { type: 'string', default: String(process.pid * 1000) },
    scenes: { type: 'string', default: '1000000' },
  },
})
const SECONDS = Number(values.seconds)
const SCENES = Number(values.scenes)
const FIRST_SEED = Number(values.seed)
if (![SECONDS, SCENES, FIRST_SEED].every(Number.isSafeInteger)) throw new Error('options are whole numbers')

/** Scenes that run side by side on one server. */
const SIDE_BY_SIDE = 4
/** Of the rounds on SQLite, from the first on. */
const KILL_EVERY = 2
/** In beginnings and ends of calls since the round began, of which there are some six hundred. */
const KILL_AT = { low: 20, high: 450 } as const
/** Nobody needs to see more histories that are wrong. */
const ENOUGH = 3

const begun = performance.now()
const elapsedSeconds = (): number => (performance.now() - begun) / 1000
const audit = new Audit()
let scenes = 0
let kills = 0
let stopped = 0

console.log(`seed ${FIRST_SEED}, ${SECONDS} s`)
await Promise.all([playOn('sqlite'), playOn('memory')])
report({
  machine: 'linearizability',
  passed: audit.explained,
  failed: audit.refuted + stopped,
  figures: { scenes, ...audit.figures, 'server kills': kills },
  seconds: elapsedSeconds(),
})

async function playOn(store: StoreName): Promise<void> {
  const site = await Site.open(store)
  const goesOn = (): boolean => elapsedSeconds() < SECONDS && scenes < SCENES && audit.refuted < ENOUGH
  let whole = true
  try {
    for (let round = 0; goesOn(); round++) await playRound(site, store === 'sqlite' && round % KILL_EVERY === 0)
  } catch (error) {
    whole = false
    stopped += 1
    console.log(`the races on ${store} came to a stop:`, error)
  }
  kills += site.kills
  await site.close({ keep: store === 'sqlite' && (!whole || audit.refuted > 0) })
}

/** Some scenes at once; `killed`: the server dies under them. */
async function playRound(site: Site, killed: boolean): Promise<void> {
  const count = Math.min(SIDE_BY_SIDE, SCENES - scenes)
  const seeds = Array.from({ length: count }, (_, index) => FIRST_SEED + scenes + index)
  scenes += seeds.length
  const ticks = new Ticks()
  const playing = Promise.all(seeds.map(async (seed) => ({ seed, subjects: await playScene(site, seed, ticks) })))
  const [played] = await Promise.all([playing, killed ? killUnder(playing, site, seeds[0] ?? 0, ticks) : undefined])
  for (const { seed, subjects } of played) {
    const again = `npm run linearizability -- --seed ${seed}`
    for (const subject of subjects) audit.check(subject, `${subject.name} on ${site.store}`, again)
  }
  site.releaseAll()
}

/** With the first acknowledgement after a moment that the seed chooses: what was acknowledged last is lost first. */
async function killUnder(playing: Promise<unknown>, site: Site, seed: number, ticks: Ticks): Promise<void> {
  const moment = new SeededRandom(seed, 'kill').between(KILL_AT.low, KILL_AT.high)
  const over = await Promise.race([playing.then(() => true), ticks.acknowledgement(moment).then(() => false)])
  if (!over) await site.kill()
}
