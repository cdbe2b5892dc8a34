/** Backups of a server under load: whatever was acknowledged before one began is in what is restored from it. */
import { join } from 'node:path'
import { restore, verifyFolder } from '../../src/data-folder.ts'
import { perdure } from '../cli/program.ts'
import { history } from '../kill/api.ts'
import { Puppeteer } from '../tables/puppeteer.ts'
import type { Tally } from './tally.ts'
import { type Acknowledged, serverOn, Workload } from './workload.ts'

export async function backUpUnderLoad(folder: string, times: number, tally: Tally): Promise<void> {
  const workload = await Workload.start(join(folder, 'served'))
  try {
    for (let time = 0; time < times; time += 1) {
      await workload.work(100)
      const certain = workload.acknowledged()
      const began = workload.steps
      const [backup, restored] = [join(folder, `backup-${time}`), join(folder, `restored-${time}`)]
      // In a process of its own, so that the callers of the server go on.
      const made = await perdure(['backup', backup, '--data', workload.data])
      tally.check(made.code === 0, `backup ${time}: ${made.err}`)
      tally.count('steps acknowledged while backups were made', workload.steps - began)
      await restore(backup, restored)
      const { findings } = verifyFolder(restored)
      tally.check(findings.length === 0, `restored backup ${time}: ${findings[0]}`)
      await compareServed(restored, certain, tally)
      tally.count('backups under load')
    }
    // Beside a server that works, verify finds nothing either.
    const beside = verifyFolder(workload.data)
    tally.check(beside.inUse && beside.findings.length === 0, `verify beside a server: ${beside.findings[0]}`)
  } finally {
    await workload.stop()
    workload.close()
  }
}

/** A server on the restored folder has every step in its histories. */
async function compareServed(data: string, certain: readonly Acknowledged[], tally: Tally): Promise<void> {
  const puppets = await Puppeteer.open()
  const server = await serverOn(data, puppets.address, 0, {})
  try {
    for (const { name, arn, steps } of certain)
      tally.check(await hasAll(server.endpoint, arn, steps, tally), `${name}: a step is not in the backup`)
  } finally {
    await server.kill()
    puppets.close()
  }
}

export async function hasAll(
  endpoint: string,
  arn: string,
  steps: ReadonlySet<string>,
  tally: Tally,
): Promise<boolean> {
  const ids = new Set<string | undefined>()
  const events = await history(endpoint, arn)
  for (const { EventType, Id } of events) if (EventType === 'StepSucceeded') ids.add(Id)
  tally.count('acknowledged entries checked', steps.size)
  return [...steps].every((id) => ids.has(id)) && events.every(({ EventId }, index) => EventId === index + 1)
}
