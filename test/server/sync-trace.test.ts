/**
 * Durable (invariant I2), seen from the kernel and from the client: what a checkpoint says is written to the WAL, then
 * the WAL is synced, and only then does a byte of the answer leave.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { temporaryDirectory } from '../journal/temporary-directory.ts'
import { callsOf, type SystemCall, whyUntraceable } from '../journal/trace.ts'
import { startPerdureProcess } from '../start-perdure.ts'
import { Puppeteer } from '../tables/puppeteer.ts'
import { step } from '../tables/updates.ts'
import { okBody, WireClient } from '../tables/wire.ts'

const CHECKPOINTS = 25

const markerOf = (index: number): string => `marker-${index}-of-the-trace`

test('a checkpoint is written, then synced, then answered', { skip: whyUntraceable(), timeout: 120_000 }, async (t) => {
  const calls = await tracedCheckpoints(t)
  for (let index = 0; index < CHECKPOINTS; index += 1) {
    const tells = ({ text }: SystemCall) => text.includes(markerOf(index))
    const write = the(calls, `the write of checkpoint ${index}`, (call) => isWalWrite(call) && tells(call))
    const sync = the(calls, `a sync after checkpoint ${index}`, (call) => isWalSync(call) && call.begin > write.end)
    const answers = calls.filter((call) => isAnswer(call) && tells(call))
    assert.equal(answers.length, 1, `checkpoint ${index} is answered once`)
    const [answer] = answers
    assert.ok(answer !== undefined && sync.end < answer.begin, `checkpoint ${index} was answered before it was synced`)
  }
})

/** Runs a server under strace and sends it checkpoints, one after another, whose answers repeat their markers. */
async function tracedCheckpoints(t: TestContext): Promise<readonly SystemCall[]> {
  const directory = temporaryDirectory(t)
  const trace = join(directory, 'trace')
  const puppeteer = await Puppeteer.open()
  t.after(() => puppeteer.close())
  const traced = 'trace=write,writev,sendto,sendmsg,pwrite64,pwritev,fsync,fdatasync'
  const declaration = {
    name: 'puppet',
    file: join(import.meta.dirname, '..', 'tables', 'puppet.mjs'),
    environment: { PUPPETEER: puppeteer.address },
    durable: { ExecutionTimeout: 900 },
  }
  const options = { data: join(directory, 'data'), functions: [declaration] }
  const strace = ['strace', '-f', '-y', '-s', '5000', '-e', traced, '-o', trace]
  const server = await startPerdureProcess(options, undefined, strace)
  const wire = new WireClient(server.endpoint)
  try {
    await checkpointMarkers(wire, puppeteer)
  } finally {
    puppeteer.letGo()
    wire.close()
    await server.stop()
  }
  return callsOf(readFileSync(trace, 'latin1'))
}

async function checkpointMarkers(wire: WireClient, puppeteer: Puppeteer): Promise<void> {
  const start = await wire.send({
    method: 'POST',
    path: '/2015-03-31/functions/puppet:$LATEST/invocations',
    headers: { 'x-amz-invocation-type': 'Event' },
    body: '{}',
  })
  assert.equal(start.status, 202, start.text)
  const { event } = await puppeteer.nextOfFunction('puppet')
  let token = event.CheckpointToken
  for (let index = 0; index < CHECKPOINTS; index += 1) {
    const answer = await wire.send({
      method: 'POST',
      path: `/2025-12-01/durable-executions/${encodeURIComponent(event.DurableExecutionArn)}/checkpoint`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ CheckpointToken: token, Updates: [step.succeed(`s${index}`, markerOf(index))] }),
    })
    token = okBody<{ CheckpointToken: string }>(answer).CheckpointToken
  }
}

const isWalWrite = ({ text }: SystemCall): boolean => /^pwrite\w*\(\d+<[^>]*journal\.db-wal>/.test(text)

const isWalSync = ({ text, succeeded }: SystemCall): boolean =>
  /^f(?:data)?sync\(\d+<[^>]*journal\.db-wal>/.test(text) && succeeded

const isAnswer = ({ text }: SystemCall): boolean =>
  /^(?:write|writev|sendto|sendmsg)\(\d+<socket:.*HTTP\/1\.1 200/.test(text)

function the(calls: readonly SystemCall[], what: string, is: (call: SystemCall) => boolean): SystemCall {
  const found = calls.find(is)
  assert.ok(found, `${what} is not in the trace`)
  return found
}
