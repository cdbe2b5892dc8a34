/**
 * `npm run test:kill`: mixed executions under load on SQLite while the server is SIGKILLed at random moments, most of
 * them with a checkpoint in flight, and function processes too. A ledger outside proves what was finished; at the end
 * everything that was acknowledged must be in the histories, once, and every execution must have ended right.
 *
 *     --server-kills 25 --function-kills 25 --executions 40 --seed 1 --max-concurrency 1
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { HistoryEvent } from '../../src/protocol/shapes.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { Puppeteer } from '../tables/puppeteer.ts'
import { answerCallback, describe, history, startNamed } from './api.ts'
import { MIXED_RESULT } from './functions.ts'
import { Hammer } from './hammer.ts'
import { ServerUnderFire } from './server-under-fire.ts'

const { values } = parseArgs({
  options: {
    'server-kills': { type: 'string', default: '25' },
    'function-kills': { type: 'string', default: '25' },
    executions: { type: 'string', default: '40' },
    seed: { type: 'string', default: String(process.pid) },
    'max-concurrency': { type: 'string', default: '1' },
  },
})
const SERVER_KILLS = Number(values['server-kills'])
const FUNCTION_KILLS = Number(values['function-kills'])
const EXECUTIONS = Number(values.executions)
const HAMMERS = 3
const PATIENCE_MS = 180_000

if (process.platform !== 'linux') {
  console.log('the kill test finds function processes in /proc: skipped on this platform')
  console.log('0 passed, 0 failed, 1 skipped')
  process.exit(0)
}

// A run can be described by its seed; what the machine does with it is not repeatable.
const chance = new SeededRandom(Number(values.seed))
const random = (): number => chance.fraction()
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const folder = mkdtempSync(join(tmpdir(), 'perdure-kill-'))
const ledgerFile = join(folder, 'ledger')
writeFileSync(ledgerFile, '')
const ledger = (): string[][] =>
  readFileSync(ledgerFile, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' '))

const puppets = await Puppeteer.open()
const here = import.meta.dirname
const server = await ServerUnderFire.start({
  data: join(folder, 'data'),
  functions: [
    ...['mixed', 'child'].map((name) => ({
      name,
      exportName: name,
      file: join(here, 'functions.ts'),
      concurrency: 4,
      maxConcurrency: Number(values['max-concurrency']),
      environment: { LEDGER: ledgerFile },
    })),
    {
      name: 'hammer',
      file: join(here, '..', 'tables', 'puppet.mjs'),
      durable: { ExecutionTimeout: 3600 },
      concurrency: HAMMERS,
      environment: { PUPPETEER: puppets.address },
    },
  ],
})
const { endpoint } = server
console.log(
  `seed ${values.seed}: ${EXECUTIONS} executions, ${SERVER_KILLS} server kills, ${FUNCTION_KILLS} function kills`,
)

const hammers = Array.from({ length: HAMMERS }, (_, index) => new Hammer(endpoint, puppets, `hammer-${index}`))
const hammerArns = await Promise.all(hammers.map(({ name }) => startNamed(endpoint, 'hammer', name)))
for (const hammer of hammers) void hammer.run()

let over = false
const arns = new Map<string, string>()
const starting = (async () => {
  for (let i = 0; i < EXECUTIONS; i++) {
    const name = `mixed-${i}`
    arns.set(name, await startNamed(endpoint, 'mixed', name))
    await sleep(random() * 1_000)
  }
})()

/** Answers every callback that a submitter wrote down. */
const answering = (async () => {
  const answered = new Set<string>()
  while (!over) {
    for (const [kind, , callbackId = ''] of ledger()) {
      if (kind !== 'callback' || answered.has(callbackId)) continue
      await answerCallback(endpoint, callbackId, '"approved"')
      answered.add(callbackId)
    }
    await sleep(100)
  }
})()

let inFlightKills = 0
let functionKills = 0
for (let kill = 0; kill < SERVER_KILLS; kill++) {
  await sleep(300 + random() * 1_200)
  const wanted = Math.ceil((FUNCTION_KILLS * (kill + 1)) / SERVER_KILLS) - functionKills
  for (let i = 0; i < wanted; i++) {
    const processes = server.functionProcesses()
    const victim = processes[Math.floor(random() * processes.length)]
    if (victim === undefined) continue
    process.kill(victim, 'SIGKILL')
    functionKills += 1
    await sleep(random() * 300)
  }
  for (let tries = 0; tries < 2_000 && !hammers.some(({ inFlight }) => inFlight); tries++) await sleep(1)
  if (hammers.some(({ inFlight }) => inFlight)) inFlightKills += 1
  await server.kill()
  await server.restart()
}
while (functionKills < FUNCTION_KILLS) {
  const processes = server.functionProcesses()
  const victim = processes[Math.floor(random() * processes.length)]
  if (victim !== undefined) {
    process.kill(victim, 'SIGKILL')
    functionKills += 1
  }
  await sleep(100)
}
console.log(
  `killed: server ${SERVER_KILLS} times, ${inFlightKills} with a checkpoint in flight; functions ${functionKills} times`,
)
for (const hammer of hammers) hammer.finish()
await starting

const failures: string[] = []
let passed = 0
function check(holds: boolean, words: string): void {
  if (holds) passed += 1
  else failures.push(words)
}

const deadline = performance.now() + PATIENCE_MS
async function ended(name: string, arn: string): Promise<string> {
  for (;;) {
    const { Status, Result, Error: error } = await describe(endpoint, arn)
    if (Status !== 'RUNNING') return `${Status} ${Result ?? JSON.stringify(error)}`
    if (performance.now() > deadline) return `RUNNING after ${PATIENCE_MS / 1000} s of peace (${name})`
    await sleep(200)
  }
}

function checkHistory(name: string, events: readonly HistoryEvent[]): Map<string, number> {
  check(
    events.every(({ EventId }, index) => EventId === index + 1),
    `${name}: its history has a gap`,
  )
  check(events.at(-1)?.EventType.startsWith('Execution') ?? false, `${name}: its last event is not terminal`)
  const successes = new Map<string, number>()
  for (const { EventType, Id = '', Name, StepSucceededDetails } of events) {
    const retried = (StepSucceededDetails?.['RetryDetails'] as { NextAttemptDelaySeconds?: number } | undefined)
      ?.NextAttemptDelaySeconds
    if (EventType !== 'StepSucceeded' || retried !== undefined) continue
    const key = Name ?? Id
    successes.set(key, (successes.get(key) ?? 0) + 1)
  }
  check(
    [...successes.values()].every((count) => count === 1),
    `${name}: a step's success is recorded twice`,
  )
  return successes
}

for (const [index, arn] of hammerArns.entries()) {
  const hammer = hammers[index] as Hammer
  const end = await ended(hammer.name, arn)
  check(end === 'SUCCEEDED "hammered"', `${hammer.name} ended as ${end}`)
  for (const words of hammer.broken) failures.push(words)
  const successes = checkHistory(hammer.name, await history(endpoint, arn))
  check(
    [...hammer.acknowledged].every((id) => successes.has(id)),
    `${hammer.name}: an acknowledged checkpoint is missing`,
  )
  check(
    [...successes.keys()].every((id) => hammer.sent.has(id)),
    `${hammer.name}: a step was recorded that nobody sent`,
  )
}

const successesOf = new Map<string, Map<string, number>>()
for (const [name, arn] of arns) {
  const end = await ended(name, arn)
  check(end === `SUCCEEDED ${MIXED_RESULT}`, `${name} ended as ${end}`)
  const events = await history(endpoint, arn)
  successesOf.set(name, checkHistory(name, events))
  const childArn = events.find(({ EventType }) => EventType === 'ChainedInvokeStarted')?.ChainedInvokeStartedDetails?.[
    'DurableExecutionArn'
  ] as string
  successesOf.set(`${name}-child`, checkHistory(`${name}-child`, await history(endpoint, childArn)))
}

const finished = new Set<string>()
let doneLines = 0
for (const [kind, execution = '', step = ''] of ledger()) {
  const key = `${execution} ${step}`
  if (kind === 'ran') check(!finished.has(key), `${key} ran again after it was finished`)
  if (kind !== 'done') continue
  doneLines += 1
  finished.add(key)
  check(successesOf.get(execution)?.get(step) === 1, `${key} was finished, but its success is not in the history once`)
}
check(inFlightKills >= Math.floor(SERVER_KILLS * 0.6), `only ${inFlightKills} kills met a checkpoint in flight`)

over = true
await Promise.race([answering, sleep(2_000)])
await server.stop()
puppets.close()
rmSync(folder, { recursive: true, force: true })

const hammered = hammers.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0)
console.log(
  `${hammered} acknowledged hammer checkpoints, ${doneLines} finished steps in the ledger, ${arns.size} executions`,
)
for (const words of failures) console.error(`FAILED: ${words}`)
console.log(`${passed} passed, ${failures.length} failed, 0 skipped`)
process.exit(failures.length > 0 ? 1 : 0)
