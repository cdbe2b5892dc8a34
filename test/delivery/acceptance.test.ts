/**
 * A thousand asynchronous invocations, and a SIGKILL of the server in the middle. A ledger that the functions write
 * outside of Perdure says what ran when: each line is one append, so their order in the file is that of the world.
 */
import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as lambda from '@aws-sdk/client-lambda'
import { until } from './receiver.ts'
import { serve } from './serving.ts'

const INVOCATIONS = 1_000
const CONCURRENCY = 8
const CALLERS = 20

const SOURCE = `
  import { appendFileSync } from 'node:fs'
  const ledger = process.env.FOLDER + '/ledger'
  export const handler = async (id) => {
    appendFileSync(ledger, 'begin ' + id + ' ' + process.pid + '\\n')
    await new Promise((resolve) => setTimeout(resolve, 10))
    appendFileSync(ledger, 'end ' + id + ' ' + process.pid + '\\n')
  }`

type Line = readonly [what: string, id: string, pid: string]

test('1,000 asynchronous invocations run 8 at a time at most, and none is lost when the server is killed', async (t) => {
  const { server, folder, create, client, invoke } = await serve(t)
  const ledger = join(folder, 'ledger')
  const lines = (): Line[] =>
    existsSync(ledger)
      ? readFileSync(ledger, 'utf8')
          .split('\n')
          .slice(0, -1)
          .map((line) => line.split(' ') as unknown as Line)
      : []
  const ended = (): Set<string> => new Set(lines().flatMap(([what, id]) => (what === 'end' ? [id] : [])))
  await create('counted', SOURCE, { Timeout: 30 })
  const reserved = { FunctionName: 'counted', ReservedConcurrentExecutions: CONCURRENCY }
  await client.send(new lambda.PutFunctionConcurrencyCommand(reserved))

  // The kill strikes while callers still come: whoever was not answered comes again.
  let restarted: Promise<void> | undefined
  const killInTheMiddle = async (): Promise<void> => {
    const processes = server.functionProcesses()
    assert.ok(processes.length > 0)
    await server.kill()
    await until('its function processes to end', () => !processes.some(isAlive))
    appendFileSync(ledger, 'killed - -\n')
    await server.restart()
  }
  let next = 0
  const caller = async (): Promise<void> => {
    for (let id = next++; id < INVOCATIONS; id = next++) {
      for (;;) {
        try {
          const { StatusCode } = await invoke('counted', id)
          assert.equal(StatusCode, 202)
          break
        } catch (error) {
          if (error instanceof lambda.LambdaServiceException && error.$metadata.httpStatusCode !== 500) throw error
          await restarted
        }
      }
      if (id >= INVOCATIONS * 0.7 && ended().size >= 100) restarted ??= killInTheMiddle()
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  restarted ??= killInTheMiddle()
  await restarted
  await until(`the end of all, ${ended().size} so far`, () => ended().size === INVOCATIONS, 60_000)

  const all = lines()
  const killedAt = all.findIndex(([what]) => what === 'killed')
  const endedBefore = new Set(all.slice(0, killedAt).flatMap(([what, id]) => (what === 'end' ? [id] : [])))
  t.diagnostic(`${endedBefore.size} had ended before the kill; peak ${peakOf(all)} at a time`)
  assert.ok(endedBefore.size >= 100 && endedBefore.size < INVOCATIONS, 'the kill came in the middle')
  assert.equal(peakOf(all), CONCURRENCY)
  // Once each, but for what ran, or had not been settled, when the server was killed.
  const runs = all.filter(([what]) => what === 'begin').length
  assert.ok(runs < INVOCATIONS + 100, `${runs} runs`)
})

/** The most invocations that ran at a time. A kill ends those that run. */
function peakOf(all: readonly Line[]): number {
  let running = 0
  let peak = 0
  for (const [what] of all) {
    running = what === 'killed' ? 0 : running + (what === 'begin' ? 1 : -1)
    peak = Math.max(peak, running)
  }
  return peak
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
