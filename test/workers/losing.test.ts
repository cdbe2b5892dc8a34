/** Workers that vanish, in every way there is: the invocation goes on elsewhere, and no finished step runs twice. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  durable,
  marking,
  marksOf,
  proxyTo,
  type Scene,
  scene,
  until,
  type WorkerProgram,
  workerProgram,
} from './scene.ts'

/** Its second step lasts until the ledger says `go`. */
const files = {
  'long.ts': `${marking}
import { readFileSync } from 'node:fs'
export const handler = withDurableExecution(async (_event: unknown, context: DurableContext) => {
  await context.step('first', async () => mark('first'))
  const at = await context.step('second', async () => {
    mark('second in ' + process.ppid)
    while (!readFileSync(process.env.LEDGER ?? '', 'utf8').includes('go\\n')) await moment(20)
    mark('second is done in ' + process.ppid)
    return process.ppid
  })
  return at
})`,
}

const longestNoticeMs = 10_000

async function begin(s: Scene, name: string): Promise<void> {
  await s.client.invoke({
    functionName: 'long',
    qualifier: '$LATEST',
    durableExecutionName: name,
    invocationType: 'Event',
    payload: '{}',
  })
}

/** The process that the second step runs in is a child of the worker. */
const runs = (s: Scene, worker: WorkerProgram) => marksOf(s.folder).includes(`second in ${worker.pid}`)

const go = async (s: Scene): Promise<void> => {
  const { appendFileSync } = await import('node:fs')
  appendFileSync(`${s.folder}/ledger`, 'go\n')
}

async function outcomeOf(s: Scene, name: string): Promise<{ readonly status: string; readonly result?: string }> {
  const { durableExecutions } = await s.client.listDurableExecutionsByFunction({ functionName: 'long' })
  const arn = durableExecutions.find(({ durableExecutionName }) => durableExecutionName === name)?.durableExecutionArn
  assert.ok(arn !== undefined)
  const { status, result } = await s.client.getDurableExecution({ durableExecutionArn: arn })
  return { status, ...(result === undefined ? {} : { result }) }
}

async function succeeds(s: Scene, name: string, worker: WorkerProgram): Promise<void> {
  await until('the execution to end', async () => (await outcomeOf(s, name)).status !== 'RUNNING')
  assert.deepEqual(await outcomeOf(s, name), { status: 'SUCCEEDED', result: String(worker.pid) })
  assert.equal(marksOf(s.folder).filter((mark) => mark === 'first').length, 1, 'the finished step ran once')
}

/** One worker runs the second step and is lost to `lose`; how long it took until another runs it. */
async function handedOver(t: TestContext, s: Scene, lose: (first: WorkerProgram) => void, endpoint?: string) {
  const through =
    endpoint === undefined ? {} : { endpoint, args: ['--header', `Host: ${new URL(s.server.endpoint).host}`] }
  const first = await workerProgram(t, s, 'long', ['long.ts'], through)
  await begin(s, 'one')
  await until('the first worker to run it', () => runs(s, first))
  const second = await workerProgram(t, s, 'long', ['long.ts'])
  const before = performance.now()
  lose(first)
  await until('the second worker to run it', () => runs(s, second))
  const tookMs = performance.now() - before
  assert.ok(tookMs < longestNoticeMs, `noticed after ${Math.round(tookMs)} ms`)
  assert.match(
    s.log(),
    new RegExp(`Worker \\\\"${first.name}\\\\" of long:\\$LATEST is lost: .*; what it ran is repeated: 1`),
  )
  return { first, second }
}

test('a worker that is killed', async (t) => {
  const s = await scene(t, [durable('long')], files)
  const { first, second } = await handedOver(t, s, (worker) => worker.signal('SIGKILL'))
  await go(s)
  await succeeds(s, 'one', second)
  assert.ok(!marksOf(s.folder).includes(`second is done in ${first.pid}`), 'its processes ended with it')
  assert.match(await s.client.metrics(), /perdure_workers_lost_total\{function="long"\} 1/)
})

test('a worker that is stopped, and its late answer when it goes on', async (t) => {
  const s = await scene(t, [durable('long')], files)
  const { first, second } = await handedOver(t, s, (worker) => worker.signal('SIGSTOP'))
  // The child of the stopped worker runs on, and gets to its end first.
  await go(s)
  await until('the child of the stopped worker to get to its end', () =>
    marksOf(s.folder).includes(`second is done in ${first.pid}`),
  )
  first.signal('SIGCONT')
  await succeeds(s, 'one', second)
  await until('the worker to be attached again', async () =>
    (await s.workers('long')).some(({ name }) => name === first.name),
  )
  assert.deepEqual(await outcomeOf(s, 'one'), { status: 'SUCCEEDED', result: String(second.pid) })
})

test('a connection that swallows everything without closing, and lets it through later', async (t) => {
  const s = await scene(t, [durable('long')], files)
  const proxy = await proxyTo(t, s.server.endpoint)
  const { first, second } = await handedOver(t, s, () => proxy.swallow(), proxy.endpoint)
  await until('the worker to notice', () => /nothing was heard for 4 s/.test(first.said()))
  await go(s)
  await succeeds(s, 'one', second)
  proxy.heal()
  proxy.release()
  await until('the worker to be attached again', async () =>
    (await s.workers('long')).some(({ name }) => name === first.name),
  )
  assert.deepEqual(await outcomeOf(s, 'one'), { status: 'SUCCEEDED', result: String(second.pid) })
})

test('a server that is killed: the worker attaches to the next one by itself, and the execution goes on', async (t) => {
  const s = await scene(t, [durable('long')], files)
  const worker = await workerProgram(t, s, 'long', ['long.ts'])
  await begin(s, 'one')
  await until('the worker to run it', () => runs(s, worker))
  await s.restart()
  await until(
    'the worker to run it again',
    () => marksOf(s.folder).filter((mark) => mark.startsWith('second in')).length === 2,
  )
  await go(s)
  await succeeds(s, 'one', worker)
  assert.match(worker.said(), /no server at .*; the next try is in/)
})

test('a server that is stopped in good order, and whose worker keeps what is idle', async (t) => {
  const s = await scene(t, [durable('long')], files)
  const worker = await workerProgram(t, s, 'long', ['long.ts'])
  await go(s)
  await begin(s, 'one')
  await until('the first to end', async () => (await outcomeOf(s, 'one')).status === 'SUCCEEDED')
  const port = new URL(s.server.endpoint).port
  await s.server.stop()
  await s.restart()
  assert.equal(new URL(s.server.endpoint).port, port)
  await begin(s, 'two')
  await until('the second to end', async () => (await outcomeOf(s, 'two')).status === 'SUCCEEDED')
  assert.match(worker.said(), /the server shuts down/)
  assert.doesNotMatch(s.log(), /is lost/)
})

test('no worker for a while: the work is held, and it shows', async (t) => {
  const s = await scene(t, [durable('long')], files)
  await go(s)
  await begin(s, 'one')
  await until('the work to be held', async () =>
    /perdure_held_jobs\{function="long"\} 1/.test(await s.client.metrics()),
  )
  assert.match(s.log(), /Holding work for the durable function long:\$LATEST: no worker is attached to it/)
  assert.equal((await outcomeOf(s, 'one')).status, 'RUNNING')
  const worker = await workerProgram(t, s, 'long', ['long.ts'])
  await succeeds(s, 'one', worker)
  const [attached] = await s.workers('long')
  assert.deepEqual(
    { ...attached, attachedAt: 0 },
    {
      functionName: 'long',
      version: '$LATEST',
      name: worker.name,
      address: '127.0.0.1',
      attachedAt: 0,
      processes: 1,
      running: 0,
      leaving: false,
    },
  )
})

test('what waited for a place at the last worker is held too when that has left', async (t) => {
  const s = await scene(t, [durable('long')], files)
  const first = await workerProgram(t, s, 'long', ['long.ts'])
  await begin(s, 'one')
  await until('the first to run', () => runs(s, first))
  await begin(s, 'two')
  await begin(s, 'three')
  first.signal('SIGTERM')
  await until('the others to be held', async () =>
    /perdure_held_jobs\{function="long"\} 2/.test(await s.client.metrics()),
  )
  await go(s)
  await succeeds(s, 'one', first)
  assert.equal(await first.exited, 0)
  const second = await workerProgram(t, s, 'long', ['long.ts'])
  for (const name of ['two', 'three']) {
    await until('it to end', async () => (await outcomeOf(s, name)).status !== 'RUNNING')
    assert.deepEqual(await outcomeOf(s, name), { status: 'SUCCEEDED', result: String(second.pid) })
  }
})
