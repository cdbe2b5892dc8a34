/**
 * `npm run hostile`: a hundred and fifty thousand hostile requests against a real server, each drawn from a seed, while honest
 * executions run and functions misbehave. There is no table of answers: what must hold is that every answer has the
 * modelled form and is one that the table of operations allows, that what is refused changes nothing, and that the
 * server stays well.
 *
 *     --seed 1 --requests 150000 --rogues 60
 *     --seed 1 --only 4711       one attack, shown with its answer
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { report } from '../proof/machine.ts'
import { attackAll, newTally } from './attackers.ts'
import { attackOf } from './attacks.ts'
import { beSlow } from './dawdlers.ts'
import { workHonestly } from './honest-work.ts'
import { misbehave } from './rogues.ts'
import { Scene } from './scene.ts'
import { takePulse, vitalsOf, watchMemory } from './vitals.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    requests: { type: 'string', default: '150000' },
    connections: { type: 'string', default: '6' },
    rogues: { type: 'string', default: '60' },
    only: { type: 'string' },
  },
})
const seed = Number(values.seed)

/** A run that takes longer waits for something that will not come: this, and so much for each attack. */
const PATIENCE_MS = 120_000
const PATIENCE_PER_REQUEST_MS = 3
/** Resident memory may grow by so much: heaps grow under load, and bodies of half a megabyte are among it. */
const MEMORY_GROWTH_MB = 300
/** Files that the server may have open at the end beyond those that it had: of function processes that it keeps. */
const FILES_MORE = 60

const begun = performance.now()
const scene = await Scene.open()
const { target } = scene
const faults: string[] = []
/** Told at once: what follows may wait for a server that answers nobody any more. */
const fault = (words: string): void => {
  faults.push(words)
  console.log(`\nFAILED ${words}`)
}
const must = (holds: boolean, otherwise: string): void => {
  if (!holds) fault(otherwise)
}
const escaped = (bytes: Buffer, most: number): string =>
  JSON.stringify(bytes.toString('latin1')).slice(0, most) + (bytes.length > most ? ` … (${bytes.length} bytes)` : '')

if (values.only !== undefined) {
  const number = Number(values.only)
  const attack = attackOf(seed, number, target)
  console.log(`attack ${number} of seed ${seed}, ${attack.family}: ${attack.title}\n${escaped(attack.bytes, 4_000)}\n`)
  const tally = newTally(({ what }) => console.log(`FAILED: ${what}`))
  await attackAll({ seed, numbers: [number], connections: 1, target, tally })
  for (const kind of tally.kinds.keys()) console.log(`answered: ${kind}`)
  await scene.close(false)
  console.log(`\n${1 - tally.failed.length} passed, ${tally.failed.length} failed, 0 skipped`)
  process.exit(tally.failed.length)
}

const before = await scene.snapshot()
const honest = workHonestly(scene)
const rogues = misbehave(scene, seed, Number(values.rogues))
const dawdlers = beSlow(target)
const atRest = vitalsOf(scene.pid)
const memory = watchMemory(scene.pid)
const pulse = takePulse(target.port)

const requests = Number(values.requests)
const tally = newTally(({ number, attack, what }) =>
  fault(
    `attack ${number} (${attack.family}: ${attack.title}): ${what}\n    ${escaped(attack.bytes, 1_500)}\n` +
      `    repeat it: npm run hostile -- --seed ${seed} --only ${number}`,
  ),
)
const patienceMs = PATIENCE_MS + requests * PATIENCE_PER_REQUEST_MS
setTimeout(() => {
  fault(`the run does not end: after ${tally.requests} attacks nobody gets on for ${patienceMs / 1_000} s`)
  process.exit(1)
}, patienceMs).unref()
console.log(`seed ${seed}: ${requests.toLocaleString('en-US')} attacks on ${values.connections} connections`)
const attackingSince = performance.now()
await attackAll({ seed, numbers: numbersBelow(requests), connections: Number(values.connections), target, tally })
const attackSeconds = (performance.now() - attackingSince) / 1_000
const [misbehaved, dawdled, worked] = [await rogues, await dawdlers, await honest.finish()]
const pulses = await pulse()
memory.stop()

// ---------------------------------------------------------------------------------------------- what must have held

for (const words of [...misbehaved.faults, ...dawdled.faults, ...worked.faults]) fault(words)
const held = async (check: () => Promise<void>): Promise<void> => {
  // What is not even answered any more is a fault as any other.
  await check().catch((error: unknown) => must(false, String(error)))
}
await held(async () => must((await scene.get('/readyz')).status === 200, 'the server is not ready afterwards'))
await held(async () => {
  const after = await scene.snapshot()
  must(after === before, `what was refused changed something:\n${newLines(before, after)}`)
})
await held(async () => must(await scene.goesOn(), 'the execution under attack does not go on'))
const metrics = await scene.metrics()
const fiveHundreds = [...metrics].filter(([name]) => /^perdure_http_requests_total\{.*status="5/.test(name))
must(fiveHundreds.length === 0, `answers of 500: ${fiveHundreds.map(([name, value]) => `${name} ${value}`).join(', ')}`)
must((metrics.get('perdure_log_records_total{level="error"}') ?? 0) === 0, 'the server logged errors')
for (const name of ['requests', 'invokes', 'body_bytes', 'queued']) {
  must(metrics.get(`perdure_admission_${name}`) === 0, `admission still holds ${name}`)
}
must(metrics.get('perdure_sync_waits') === 0, 'somebody still waits')
const atEnd = vitalsOf(scene.pid)
const peakMb = memory.peakMb()
if (atRest !== undefined && atEnd !== undefined) {
  must(peakMb - atRest.rssMb < MEMORY_GROWTH_MB, `memory grew from ${atRest.rssMb} to ${peakMb} MB`)
  must(
    atEnd.openFiles - atRest.openFiles < FILES_MORE,
    `open files grew from ${atRest.openFiles} to ${atEnd.openFiles}`,
  )
}
must(scene.stderr === '', `the server wrote to its standard error:\n${scene.stderr.slice(0, 4_000)}`)
const failed = faults.length > 0
if (failed) appendFileSync(join(scene.folder, 'faults.txt'), faults.join('\n\n'))
await scene.close(failed)
must(scene.stderr === '', `the server wrote to its standard error while it closed:\n${scene.stderr.slice(0, 4_000)}`)

// ------------------------------------------------------------------------------------------------------------ report

const sorted = (counts: ReadonlyMap<string, number>) => [...counts].sort(([, a], [, b]) => b - a)
for (const [title, counts] of [
  ['family', tally.families],
  ['answer', tally.kinds],
  ['misbehaviour', misbehaved.ends],
] as const) {
  console.log(`\n${title}`)
  for (const [name, count] of sorted(counts)) console.log(`  ${String(count).padStart(7)}  ${name}`)
}
if (failed) console.log(`\nthe server's data, and all faults: ${scene.folder}`)

const at = (share: number): string =>
  (pulses[Math.min(pulses.length - 1, Math.floor(pulses.length * share))] ?? Number.NaN).toFixed(1)
const sum = (of: RegExp): number =>
  sorted(tally.kinds).reduce((all, [kind, count]) => (of.test(kind) ? all + count : all), 0)
report({
  machine: 'hostile',
  passed: Math.max(0, tally.requests + misbehaved.count + dawdled.count + worked.count - faults.length),
  failed: faults.length,
  seconds: (performance.now() - begun) / 1_000,
  figures: {
    seed,
    'hostile requests': tally.requests,
    'hostile requests per second': Math.round(tally.requests / attackSeconds),
    'distinct shapes': tally.shapes.size,
    connections: tally.connections,
    'answers of success': sum(/^2/),
    'answers of 4xx': sum(/^4/),
    'answers of 5xx': fiveHundreds.reduce((all, [, count]) => all + count, 0),
    'kinds of answers': tally.kinds.size,
    'slow and broken connections': dawdled.count,
    'misbehaving invocations': misbehaved.count,
    'honest executions finished': worked.count,
    'server memory before, MB': Math.round(atRest?.rssMb ?? Number.NaN),
    'server memory at most, MB': Math.round(peakMb),
    'answers to health, ms (p50, p99, most)': `${at(0.5)}, ${at(0.99)}, ${at(1)}`,
  },
})

function newLines(before: string, after: string): string {
  const known = new Set(before.split('\n'))
  return after
    .split('\n')
    .filter((line) => !known.has(line))
    .join('\n')
}

function* numbersBelow(end: number): Generator<number> {
  for (let number = 0; number < end; number++) yield number
}
