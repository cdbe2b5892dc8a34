/**
 * `npm run power`: a server and a store run under a shim that sees every change of their files (`shim.c`). From what it
 * saw the disk is built again as it may be after a loss of power at any moment (`disk.ts`), and reopened: it must hold
 * a state that the database was in (`reference.ts`), with everything in it that somebody had been told (`facts.ts`). On
 * some of these disks a whole server starts and must bring every execution to its end (`finishing.ts`); on some the
 * next life begins, so that power also fails during and after a recovery.
 *
 *     --seed 1 --seconds 50
 *
 * Runs are not repeatable to the byte, since real processes and disks are not; so of what fails the image stays.
 */
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { report } from '../proof/machine.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { type Image, LOSSES } from './disk.ts'
import { diskAt, type Finding, imageAt, now } from './examination.ts'
import { examine } from './examiner.ts'
import { claimsOf, JournalReader, MarkerReader } from './facts.ts'
import { finishOn } from './finishing.ts'
import { placeIn, recordServer, recordStore } from './lives.ts'
import type { Recording } from './recording.ts'
import { referenceOf } from './reference.ts'
import { putImage } from './reopening.ts'
import { whyNoShim } from './shim.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(process.pid) },
    seconds: { type: 'string', default: '50' },
  },
})
const SEED = Number(values.seed)
const SECONDS = Number(values.seconds)
/** Each life is examined for so long; a look at all of it takes about as long. */
const EXAMINED_MS = 6_000
const FEWEST_LIVES = 4
const CHECKPOINTS = 30
const APPENDS = 100

const began = performance.now()
const secondsPassed = (): number => (performance.now() - began) / 1_000
const skip = whyNoShim()
const figures = {
  'traces recorded': 0,
  'lives that began on what a loss had left': 0,
  'changes of files recorded': 0,
  'syncs recorded': 0,
  commits: 0,
  'answers whose promise was checked': 0,
  'prefixes at which power failed': 0,
  'images dropped': 0,
  'images kept': 0,
  'images reordered': 0,
  'images torn (512)': 0,
  'images torn (4096)': 0,
  'images seen before': 0,
  'servers started on images': 0,
  'executions that they finished': 0,
}
const failures: string[] = []

/** What the next life begins on, and which loss left it. */
interface Left {
  readonly image: Image
  readonly words: string
}

interface Workload {
  readonly kind: 'store' | 'server'
  left: Left | undefined
}

if (skip !== false) {
  console.log(`${skip}: power loss was NOT tested`)
  report({ machine: 'power', passed: 0, failed: 0, skipped: 1, figures: {}, seconds: secondsPassed() })
} else {
  await run()
}

async function run(): Promise<void> {
  const root = mkdtempSync(join(memory(), 'perdure-power-'))
  console.log(`seed ${SEED}: ${SECONDS} s`)
  const workloads: Workload[] = [
    { kind: 'store', left: undefined },
    { kind: 'server', left: undefined },
  ]
  const finishing: Promise<void>[] = []
  for (let life = 0; life < FEWEST_LIVES || secondsPassed() < SECONDS; life += 1) {
    const workload = workloads[life % workloads.length] as Workload
    const folder = join(root, `life-${life}`)
    mkdirSync(folder)
    try {
      await live(workload, life, folder, finishing)
      if (failures.length === 0) rmSync(folder, { recursive: true, force: true })
    } catch (error) {
      failures.push(`life ${life} (${workload.kind}): ${error instanceof Error ? error.stack : String(error)}`)
    }
    if (failures.length > 0) break
    // Three lives of each kind with two losses between them, then one without a past.
    if (life % 6 >= 4) workload.left = undefined
  }
  await Promise.all(finishing)
  for (const words of failures) console.error(`FAILED: ${words}`)
  if (failures.length === 0) rmSync(root, { recursive: true, force: true })
  else console.error(`What is left of it is in ${root}; again: npm run power -- --seed ${SEED} --seconds ${SECONDS}`)
  const checked = figures['images seen before'] + imagesReopened() + figures['servers started on images']
  report({
    machine: 'power',
    passed: Math.max(0, checked - failures.length),
    failed: failures.length,
    figures,
    seconds: secondsPassed(),
  })
}

async function live(workload: Workload, life: number, folder: string, finishing: Promise<void>[]): Promise<void> {
  const recording = await record(workload, life, folder)
  workload.left = await judge(workload, recording, life, folder)
  if (workload.kind !== 'server' || failures.length > 0) return
  const { image, words } = someLoss(recording, new SeededRandom(SEED, `server of ${life}`))
  // One at a time, beside the next life.
  await Promise.all(finishing.splice(0))
  finishing.push(finishServer(image, words, `${folder}-finishing`))
}

async function record(workload: Workload, life: number, folder: string): Promise<Recording> {
  const place = placeIn(folder)
  if (workload.left !== undefined) {
    putImage(workload.left.image, place.watched)
    figures['lives that began on what a loss had left'] += 1
  }
  const seed = SEED * 1_000 + life
  const recording =
    workload.kind === 'store'
      ? await recordStore(place, { seed, appends: APPENDS })
      : await recordServer(place, { seed, checkpoints: CHECKPOINTS })
  const disk = diskAt(recording, recording.records.length)
  figures['traces recorded'] += 1
  figures['changes of files recorded'] += disk.changes
  figures['syncs recorded'] += disk.syncs
  return recording
}

/** Reopens the images of a recording; returns one of them for the next life. */
async function judge(workload: Workload, recording: Recording, life: number, folder: string): Promise<Left> {
  const about = `life ${life} (${workload.kind}${workload.left === undefined ? '' : `, after ${workload.left.words}`})`
  const reader = workload.kind === 'store' ? new MarkerReader() : new JournalReader()
  const reference = referenceOf(recording, reader, join(folder, 'reference'))
  failures.push(...reference.wrong.map((words) => `${about}: ${words}`))
  figures.commits += reference.states - 1
  for (const record of recording.records) {
    figures['answers whose promise was checked'] += claimsOf(record, recording.claims).length
  }
  const tally = await examine(recording, reference, {
    threads: Math.min(4, availableParallelism()),
    seed: SEED,
    scratch: join(folder, 'image'),
    untilMs: now() + EXAMINED_MS,
  })
  figures['prefixes at which power failed'] += tally.prefixes
  figures['images dropped'] += tally.images.dropped
  figures['images kept'] += tally.images.kept
  figures['images reordered'] += tally.images.reordered
  figures['images torn (512)'] += tally.images['torn-512']
  figures['images torn (4096)'] += tally.images['torn-4096']
  figures['images seen before'] += tally.repeated
  for (const finding of tally.findings) failures.push(`${about}: ${keep(finding, recording, folder)}`)
  return someLoss(recording, new SeededRandom(SEED, `life after ${life}`))
}

/** Leaves the image of a finding where it can be looked at. */
function keep({ prefix, loss, seed, words }: Finding, recording: Recording, folder: string): string {
  const kept = join(folder, `lost-${prefix}-${loss}-${seed}`)
  putImage(imageAt(diskAt(recording, prefix), prefix, loss, seed), kept)
  return `power lost after record ${prefix} of ${recording.records.length}, ${loss} (${kept}): ${words}`
}

/** A moment in the second half of the trace, when there is something to lose. */
function someLoss(recording: Recording, random: SeededRandom): Left {
  const { length } = recording.records
  const prefix = random.between(Math.floor(length / 2), length)
  const loss = random.pick(LOSSES)
  const seed = random.between(1, 1_000_000)
  return { image: imageAt(diskAt(recording, prefix), prefix, loss, seed), words: `${loss} at ${prefix} of ${length}` }
}

async function finishServer(image: Image, words: string, folder: string): Promise<void> {
  const finished = await finishOn(image, folder).catch((error: unknown) => ({ executions: 0, wrong: [String(error)] }))
  if (finished.wrong.length === 0) rmSync(folder, { recursive: true, force: true })
  figures['servers started on images'] += 1
  figures['executions that they finished'] += finished.executions
  failures.push(...finished.wrong.map((wrong) => `a server on ${words}, kept in ${folder}: ${wrong}`))
}

function imagesReopened(): number {
  return (
    figures['images dropped'] +
    figures['images kept'] +
    figures['images reordered'] +
    figures['images torn (512)'] +
    figures['images torn (4096)']
  )
}

/** The images need not survive anything themselves, so they are kept in memory where that is possible. */
function memory(): string {
  try {
    accessSync('/dev/shm', constants.W_OK)
    return '/dev/shm'
  } catch {
    return tmpdir()
  }
}
