/**
 * `npm run oracle`: a real server, on both stores, against an independent model of the API (`model/`), which was
 * written from the specification alone and shares no code with the product.
 *
 *     --seconds N   how long (default 50): first situations and every cell of the coverage table on purpose, then random
 *                   sequences; the part on purpose is always played to its end
 *     --from N      the first seed of the random sequences (default 1)
 *     --seed N      only this sequence, printed; 0 are the ones on purpose
 *     --only TEXT   only those on purpose whose title contains the text
 *
 * Every answer, every event that a function is handed, and everything that can be read of every execution is compared
 * exactly. A sequence that shows a difference is shortened, and the run goes on. It fails on any difference, on a
 * reachable cell that was not hit, and on an unreachable one that was.
 */
import { parseArgs } from 'node:util'
import { report } from '../proof/machine.ts'
import { CELLS, Coverage, cellName, REACHABLE, UNREACHABLE, whyUnreachable } from './cells.ts'
import type { Command } from './commands.ts'
import { directed } from './directed.ts'
import { randomSequence } from './generator.ts'
import { shrink } from './shrink.ts'
import { situations } from './situations.ts'
import { Subject } from './subject.ts'
import { askThird } from './third-opinion.ts'
import { told, trial } from './trial.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '50' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    only: { type: 'string' },
  },
})

/** After so many differences a run says no more. */
const ENOUGH_FAILURES = 5
/** In the directed sequences, which are refusals that leave no trace, everything is looked at after so many commands. */
const DIRECTED_LOOK_EVERY = 25

const began = performance.now()
const secondsSince = (): number => (performance.now() - began) / 1000
const coverage = new Coverage()
let sequences = 0
let commands = 0
let failed = 0

const subjects = await Promise.all([Subject.open('memory'), Subject.open('sqlite')])

async function play(seed: number, title: string, sequence: readonly Command[], lookEvery: number): Promise<void> {
  sequences += 1
  commands += sequence.length
  const verdict = await trial(sequence, subjects, { judged: coverage.judged, lookEvery })
  if (verdict === undefined) return
  failed += 1
  const seen = sequence.slice(0, verdict.at + 1)
  const fails = async (candidate: readonly Command[]) => (await trial(candidate, subjects)) !== undefined
  console.log(`seed ${seed} failed: ${title}, after ${seen.length} commands: ${verdict.difference}`)
  const shortest = (await fails(seen)) ? await shrink(seen, fails) : seen
  const again = await trial(shortest, subjects)
  console.log(`the shortest sequence that shows a difference:\n${told(shortest, again ?? verdict)}`)
  console.log(`  again: npm run oracle -- ${seed === 0 ? `--only "${title}"` : `--seed ${seed}`}\n`)
}

async function playOnPurpose(text: string): Promise<void> {
  const all = [
    ...directed().map((sequence) => ({ ...sequence, lookEvery: DIRECTED_LOOK_EVERY })),
    ...situations().map((sequence) => ({ ...sequence, lookEvery: 1 })),
  ]
  for (const { title, commands: sequence, lookEvery } of all) {
    if (failed < ENOUGH_FAILURES && title.includes(text)) await play(0, title, sequence, lookEvery)
  }
}

let seed = Number(values.from)
const third = await askThird(seed)
for (const disagreement of third.disagreements) console.log(`seed 0 failed: third opinion: ${disagreement}`)
failed += third.disagreements.length
try {
  if (values.only !== undefined || values.seed === '0') {
    await playOnPurpose(values.only ?? '')
  } else if (values.seed === undefined) {
    await playOnPurpose('')
    for (; secondsSince() < Number(values.seconds) && failed < ENOUGH_FAILURES; seed += 1) {
      await play(seed, 'a random sequence', randomSequence(seed), 1)
    }
  } else {
    const sequence = randomSequence(Number(values.seed))
    console.log(told(sequence, { store: 'memory', difference: 'the whole sequence', at: -1 }))
    await play(Number(values.seed), 'a random sequence', sequence, 1)
  }
} finally {
  await Promise.all(subjects.map((subject) => subject.close()))
}

/** One line per reason: how many cells it declares unreachable. */
function reasons(): string {
  const lines = UNREACHABLE.map(({ because }) => {
    const count = CELLS.filter((cell) => whyUnreachable(cell) === because).length
    return `  ${String(count).padStart(5)}  ${because}`
  })
  return ['cells that cannot be hit, and why:', ...lines].join('\n')
}

const whole = values.seed === undefined && values.only === undefined && failed < ENOUGH_FAILURES
console.log(`\n${coverage.table()}\n\n${reasons()}`)
for (const cell of coverage.refuted) console.log(`seed 0 failed: hit, though declared unreachable: ${cellName(cell)}`)
if (whole) for (const cell of coverage.missed) console.log(`seed 0 failed: reachable, and never hit: ${cellName(cell)}`)
const uncovered = coverage.refuted.length + (whole ? coverage.missed.length : 0)

report({
  machine: 'oracle',
  passed: sequences + third.sequences - failed,
  failed: failed + uncovered,
  figures: {
    stores: subjects.map(({ store }) => store).join(', '),
    sequences,
    commands,
    'cells covered': coverage.covered,
    'cells reachable': REACHABLE.length,
    'cells declared unreachable': CELLS.length - REACHABLE.length,
    'sequences with a third opinion': third.sequences,
    'comparisons with a third opinion': third.comparisons,
    seeds: seed > Number(values.from) ? `${values.from} to ${seed - 1}` : (values.seed ?? 'none'),
  },
  seconds: secondsSince(),
})
