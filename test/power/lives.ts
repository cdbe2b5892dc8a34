/** The two workloads under the shim: a server with functions, and the store alone (`storing.ts`). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { PerdureOptions } from '../../src/index.ts'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { startPerdureProcess } from '../start-perdure.ts'
import { Puppeteer } from '../tables/puppeteer.ts'
import { Client } from './client.ts'
import { ACKNOWLEDGED } from './facts.ts'
import { filesOf, type Recording, recordingOf } from './recording.ts'
import { compileShim, setFaults, shimEnvironment, underShim } from './shim.ts'

export const DATA = 'deep/data'
const HAMMERS = 3
const MIXED = 2

/** A folder of the machine's own: the watched files, the trace, the shim and what else a life needs. */
export interface Place {
  readonly root: string
  readonly watched: string
  readonly library: string
  readonly faults: string
}

export function placeIn(root: string): Place {
  const watched = join(root, 'watched')
  mkdirSync(watched, { recursive: true })
  return { root, watched, library: compileShim(root), faults: join(root, 'faults') }
}

export function serverOptions(data: string, puppets: Puppeteer, ledger: string): PerdureOptions {
  const puppet = join(import.meta.dirname, '..', 'tables', 'puppet.mjs')
  const environment = { PUPPETEER: puppets.address }
  const mixed = (name: string) => ({
    name,
    exportName: name,
    file: join(import.meta.dirname, '..', 'kill', 'functions.ts'),
    concurrency: 2,
    maxConcurrency: 4,
    environment: { LEDGER: ledger },
  })
  return {
    data,
    functions: [
      mixed('mixed'),
      mixed('child'),
      { name: 'hammer', file: puppet, durable: { ExecutionTimeout: 3600 }, concurrency: HAMMERS + 2, environment },
      { name: 'plain', file: puppet, concurrency: 1, environment },
    ],
  }
}

/** A server with mixed executions, hammers and calls of every kind that changes something, then stopped in order. */
export async function recordServer(
  place: Place,
  life: { readonly seed: number; readonly checkpoints: number },
): Promise<Recording> {
  const { watched } = place
  const trace = join(place.root, `trace-${life.seed}`)
  const random = new SeededRandom(life.seed, 'server')
  const initial = filesOf(watched)
  slowSyncs(place, random)
  const puppets = await Puppeteer.open()
  const options = serverOptions(join(watched, DATA), puppets, join(place.root, 'ledger'))
  const log = join(place.root, 'server.log')
  const server = await startPerdureProcess(
    options,
    (text) => appendFileSync(log, text),
    underShim({ ...place, folder: watched, trace }),
  )
  const client = new Client(server.endpoint, puppets, random)
  void endOthers(puppets, life.seed)
  try {
    await Promise.all([
      ...Array.from({ length: MIXED }, (_, i) => client.start('mixed', `mixed-${life.seed}-${i}`)),
      ...Array.from({ length: HAMMERS }, (_, i) => client.hammer(`hammer-${life.seed}-${i}`, life.checkpoints)),
      client.stopAndDelete(`short-${life.seed}`),
      puppets.nextOfFunction('plain').then((invocation) => invocation.respond({})),
      client.startPlain('plain'),
    ])
  } finally {
    puppets.letGo()
    await server.stop()
    puppets.close()
  }
  return recordingOf({ folder: watched, trace, data: DATA, initial, claims: client.claims })
}

/** Hammers of an earlier life: nobody drives them any more, so they end when they are invoked. */
async function endOthers(puppets: Puppeteer, seed: number): Promise<never> {
  for (;;) {
    const invocation = await puppets.next(
      ({ executionName }) => executionName !== undefined && executionName.split('-')[1] !== String(seed),
    )
    invocation.respond({ Status: 'SUCCEEDED' })
  }
}

export async function recordStore(
  place: Place,
  life: { readonly seed: number; readonly appends: number },
): Promise<Recording> {
  const { watched } = place
  const trace = join(place.root, `trace-${life.seed}`)
  const initial = filesOf(watched)
  slowSyncs(place, new SeededRandom(life.seed, 'store'))
  const program = join(import.meta.dirname, 'storing.ts')
  const acknowledged = join(watched, ACKNOWLEDGED)
  const child = spawn(
    process.execPath,
    [program, join(watched, DATA), acknowledged, String(life.seed), String(life.appends)],
    {
      env: { ...process.env, ...shimEnvironment({ ...place, folder: watched, trace }) },
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`the store's process ended with ${code}`)
  return recordingOf({ folder: watched, trace, data: DATA, initial, claims: new Map() })
}

/** In memory a sync takes no time; on a disk it does, and other threads go on meanwhile. */
function slowSyncs(place: Place, random: SeededRandom): void {
  setFaults(place.faults, [`sync * 0 * wait=${random.pick([0, 200, 1_000, 3_000])}`])
}
