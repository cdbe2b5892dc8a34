/**
 * Runs the conformance requirements against a server of its own per store, or one that is already there.
 *
 *     npm run test:conformance -- --filter 4-9,step --store sqlite --repeat 3
 */
import { writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { FUNCTION_OF } from './functions.ts'
import { Limit } from './limit.ts'
import { explanation, junit, passed, row, type Verdict } from './report.ts'
import { loadRequirements, type Requirement } from './requirement.ts'
import { type Outcome, runRequirement } from './runner.ts'
import { ServiceUnderTest } from './service-under-test.ts'
import { startServer } from './start-server.ts'

const USAGE = `usage: npm run test:conformance -- [options]
  --requirements DIR           folder of requirement files; default ../shared/conformance/requirements
  --store memory|sqlite|both   default both
  --filter LIST                ids (4-9), beginnings of ids (4-) or groups (callback), with commas between
  --repeat N                   runs each requirement N times; default 1
  --concurrency N              requirements at a time; default 4 × cores, since each begins by starting a process
  --endpoint URL               uses the server there, which must have the functions of functions.ts
  --junit FILE                 writes the results as JUnit XML`

const { values: options } = parseArgs({
  options: {
    requirements: { type: 'string', default: join(import.meta.dirname, '../../../shared/conformance/requirements') },
    store: { type: 'string', default: 'both' },
    filter: { type: 'string' },
    repeat: { type: 'string', default: '1' },
    concurrency: { type: 'string', default: String(4 * availableParallelism()) },
    endpoint: { type: 'string' },
    junit: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (options.help) console.log(USAGE)
else process.exitCode = await main()

async function main(): Promise<number> {
  const all = await loadRequirements(options.requirements)
  if (all === undefined) {
    console.log(`There is no folder of requirements at ${options.requirements}, so nothing was run.`)
    return finish([], [...FUNCTION_OF.keys()])
  }
  const chosen = all.filter(isChosen)
  const verdicts: Verdict[] = []
  for (const store of stores()) {
    console.log(`\n${chosen.length} requirements on ${store}`)
    verdicts.push(...(await runOn(store, chosen)))
  }
  return finish(
    verdicts,
    all.filter((requirement) => !isChosen(requirement)).map(({ id }) => id),
  )
}

function isChosen(requirement: Requirement): boolean {
  if (options.filter === undefined) return true
  return options.filter.split(',').some((part) => {
    return (
      part === requirement.id || part === requirement.group || (part.endsWith('-') && requirement.id.startsWith(part))
    )
  })
}

function stores(): readonly ('memory' | 'sqlite' | 'endpoint')[] {
  if (options.endpoint !== undefined) return ['endpoint']
  if (options.store === 'both') return ['memory', 'sqlite']
  if (options.store === 'memory' || options.store === 'sqlite') return [options.store]
  throw new Error(`--store ${options.store}: expected memory, sqlite or both`)
}

async function runOn(
  store: 'memory' | 'sqlite' | 'endpoint',
  requirements: readonly Requirement[],
): Promise<readonly Verdict[]> {
  if (store === 'endpoint') return runAll(store, new ServiceUnderTest(options.endpoint ?? ''), requirements)
  const server = await startServer(
    store,
    requirements.map(({ id }) => id),
  )
  try {
    const verdicts = await runAll(store, new ServiceUnderTest(server.endpoint), requirements)
    const errors = await server.readErrors()
    if (errors !== '' && !verdicts.every(passed)) console.log(`\nThe server printed at last:\n${errors}`)
    return verdicts
  } finally {
    await server.stop()
  }
}

/** Runs many requirements at a time, since most of their time is waiting; shows them in their order. */
async function runAll(
  store: string,
  service: ServiceUnderTest,
  requirements: readonly Requirement[],
): Promise<readonly Verdict[]> {
  const limit = new Limit(Number(options.concurrency))
  const running = requirements.map(async (requirement): Promise<Verdict> => {
    const outcomes: Outcome[] = []
    for (let run = 0; run < Number(options.repeat); run += 1) {
      outcomes.push(await limit.run(() => runRequirement(service, requirement)))
    }
    return { requirement, store, outcomes }
  })
  const verdicts: Verdict[] = []
  for (const verdict of running) {
    verdicts.push(await verdict)
    console.log(row(await verdict))
  }
  service.close()
  return verdicts
}

async function finish(verdicts: readonly Verdict[], skipped: readonly string[]): Promise<number> {
  const failed = verdicts.filter((verdict) => !passed(verdict))
  for (const verdict of failed) console.log(`\n${explanation(verdict)}`)
  if (options.junit !== undefined) await writeFile(options.junit, junit(verdicts, skipped))
  console.log(`\n${verdicts.length - failed.length} passed, ${failed.length} failed, ${skipped.length} skipped`)
  return failed.length === 0 ? 0 : 1
}
