/** The disk of a running server fails: what it says, what it still does, and what is there afterwards. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { verifyFolder } from '../../src/data-folder.ts'
import { describe } from '../kill/api.ts'
import { compileShim, setFaults, underShim } from '../power/shim.ts'
import { hasAll } from './backups.ts'
import type { Tally } from './tally.ts'
import { until, Workload } from './workload.ts'

interface Scene {
  readonly title: string
  readonly rules: readonly string[]
  /** The store is over until a restart; else it goes on by itself when the fault is gone. */
  readonly fatal: boolean
}

export const SCENES: readonly Scene[] = [
  { title: 'a sync of the log fails', rules: ['sync journal.db-wal 0 * EIO'], fatal: true },
  { title: 'one sync of the log fails', rules: ['sync journal.db-wal 20 1 EIO'], fatal: true },
  { title: 'a write to the log fails', rules: ['write journal.db-wal 30 1 EIO'], fatal: true },
  { title: 'the file system becomes read-only', rules: ['write,truncate,sync,open * 0 * EROFS'], fatal: true },
  { title: 'the disk is full', rules: ['write journal.db-wal 7 * ENOSPC'], fatal: false },
  { title: 'the disk is full, all of it', rules: ['write * 0 * ENOSPC'], fatal: false },
  { title: 'the quota is used up', rules: ['write journal.db-wal 0 * EDQUOT'], fatal: true },
]

const SCENES_AT_A_TIME = 3

export async function failDisks(folder: string, tally: Tally): Promise<void> {
  const library = compileShim(folder)
  const scenes = SCENES.entries()
  // Servers mostly wait: for their start, their disk, their callers.
  await Promise.all(
    Array.from({ length: SCENES_AT_A_TIME }, async () => {
      for (const [index, scene] of scenes) {
        const place = join(folder, `fault-${index}`)
        mkdirSync(place)
        await failDisk(place, library, scene, tally)
      }
    }),
  )
}

async function failDisk(place: string, library: string, { title, rules, fatal }: Scene, tally: Tally): Promise<void> {
  const data = join(place, 'data')
  mkdirSync(data)
  const faults = join(place, 'faults')
  let log = ''
  const workload = await Workload.start(data, {
    under: underShim({ library, folder: data, faults }),
    log: (text) => {
      log += text
    },
  })
  const check = (holds: boolean, words: string): void => tally.check(holds, `${title}: ${words}`)
  try {
    await workload.work(30)
    setFaults(faults, rules)
    await until(() => said(log).length > 0, `${title}: the server says that the store fails`)
    tally.count('faults injected')
    const answer = await probe(workload)
    check(
      answer.status === 500 && answer.body.includes('"Type":"Service"'),
      `a start is answered with ${answer.status} ${answer.body}`,
    )
    check(
      (await describe(workload.endpoint, workload.arns[0] ?? '')).Status === 'RUNNING',
      'an execution cannot be read',
    )
    check((await status(workload, '/healthz')) === 200, 'the process does not answer')
    check((await status(workload, '/readyz')) === (fatal ? 503 : 200), `readiness is wrong, fatal: ${fatal}`)
    const figure = /^perdure_store_failed (\d)/m.exec(await textOf(workload, '/metrics'))?.[1]
    check(figure === (fatal ? '1' : '0'), `perdure_store_failed is ${figure}`)
    const before = workload.steps
    setFaults(faults, [])
    if (fatal) {
      const still = await probe(workload)
      check(still.status === 500, `a start is answered with ${still.status} though nobody knows what the disk holds`)
      check(workload.steps === before, 'a checkpoint was acknowledged after the fault')
      await workload.kill()
      await workload.restart()
    }
    await workload.work(30)
    // One line for each of the few reasons that there are, however often callers try again.
    check(said(log).length <= 3, `the log says it ${said(log).length} times`)
    for (const { arn, steps, name } of workload.acknowledged()) {
      check(await hasAll(workload.endpoint, arn, steps, tally), `${name}: an acknowledged step is gone`)
    }
    for (const hammer of workload.hammers) for (const words of hammer.broken) check(false, words)
    await workload.stop()
    const { findings } = verifyFolder(data)
    check(findings.length === 0, `verify: ${findings[0]}`)
  } finally {
    setFaults(faults, [])
    await workload.kill()
    workload.close()
  }
}

const said = (log: string): string[] => log.split('\n').filter((line) => line.includes('The store failed'))

/** A start that would have to be stored. */
async function probe({ endpoint }: Workload): Promise<{ readonly status: number; readonly body: string }> {
  const response = await fetch(`${endpoint}/2015-03-31/functions/hammer:$LATEST/invocations`, {
    method: 'POST',
    headers: { 'x-amz-invocation-type': 'Event', 'x-amz-durable-execution-name': 'probe' },
    body: '{}',
  })
  return { status: response.status, body: await response.text() }
}

const status = async ({ endpoint }: Workload, path: string): Promise<number> => (await fetch(endpoint + path)).status
const textOf = async ({ endpoint }: Workload, path: string): Promise<string> => (await fetch(endpoint + path)).text()
