/** Many workers for one function, workers that leave in good order, and workers for functions that run here as well. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { perdure } from '../cli/program.ts'
import { packageOf } from '../versions/registered.ts'
import { durable, marking, marksOf, ownWorker, plain, type Scene, scene, until, workerProgram } from './scene.ts'

const files = {
  'work.ts': `${marking}
export const handler = withDurableExecution(async ({ n }: { n: number }, context: DurableContext) =>
  context.step('work', async () => {
    mark('start ' + n + ' ' + process.ppid)
    await moment(150)
    mark('end ' + n)
    return n
  }))`,
  'where.mjs': `export const handler = async () => ({ parent: process.ppid, pid: process.pid, where: process.env.WHERE ?? 'elsewhere' })`,
  'slow.mjs': `
import { appendFileSync } from 'node:fs'
export const handler = async ({ ms }) => {
  appendFileSync(process.env.LEDGER, 'slow begins\\n')
  await new Promise((resolve) => setTimeout(resolve, ms))
  return process.ppid
}`,
  'several.mjs': `
let running = 0
let most = 0
export const handler = async () => {
  running += 1
  most = Math.max(most, running)
  await new Promise((resolve) => setTimeout(resolve, 200))
  running -= 1
  return { most, pid: process.pid }
}`,
}

const call = async (s: Scene, functionName: string, event: unknown = {}) => {
  const answer = await s.client.invoke({ functionName, payload: JSON.stringify(event) })
  assert.equal(answer.functionError, undefined, answer.payload)
  return JSON.parse(answer.payload)
}

async function runMany(s: Scene, count: number): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, n) =>
      s.client.invoke({ functionName: 'work', qualifier: '$LATEST', payload: JSON.stringify({ n }) }),
    ),
  )
  assert.deepEqual(
    answers.map(({ payload }) => payload),
    Array.from({ length: count }, (_, n) => String(n)),
  )
}

/** The most steps that ran at the same time. */
function mostAtATime(marks: readonly string[]): number {
  let running = 0
  let most = 0
  for (const mark of marks) {
    running += mark.startsWith('start') ? 1 : -1
    most = Math.max(most, running)
  }
  return most
}

test('workers share what there is to do, within the concurrency of the function', async (t) => {
  const s = await scene(t, [durable('work', { concurrency: 3 })], files)
  const workers = await Promise.all(
    [1, 2, 3].map(() => workerProgram(t, s, 'work', ['work.ts'], { args: ['--concurrency', '2'] })),
  )
  await until('all processes to be there', async () => (await s.workers()).every(({ processes }) => processes === 2))
  await runMany(s, 30)
  const marks = marksOf(s.folder)
  const ran = new Map<string, number>()
  for (const [, , parent = ''] of marks.filter((mark) => mark.startsWith('start')).map((mark) => mark.split(' '))) {
    ran.set(parent, (ran.get(parent) ?? 0) + 1)
  }
  assert.equal(mostAtATime(marks), 3)
  assert.equal(
    [...ran.values()].reduce((sum, each) => sum + each),
    30,
    'every step ran once',
  )
  assert.ok([...ran.keys()].every((parent) => workers.some(({ pid }) => String(pid) === parent)))
})

test('workers that come and go lose nothing: each step of sixty executions runs once', async (t) => {
  const s = await scene(t, [durable('work')], files)
  const busy = runMany(s, 60)
  let gone = 0
  for (let turn = 0; turn < 4; turn += 1) {
    const worker = await workerProgram(t, s, 'work', ['work.ts'], { args: ['--concurrency', '3'] })
    const enough = 10 * (turn + 1)
    await until('some work to be done', () => marksOf(s.folder).length > enough)
    if (turn === 3) break
    worker.signal('SIGTERM')
    assert.equal(await worker.exited, 0)
    gone += 1
  }
  await busy
  const starts = marksOf(s.folder).filter((mark) => mark.startsWith('start'))
  assert.equal(starts.length, 60)
  assert.equal((s.log().match(/has left/g) ?? []).length, gone)
  assert.doesNotMatch(s.log(), /is lost/)
})

test('workers that are killed again and again: every execution ends well', async (t) => {
  const s = await scene(t, [durable('work')], files)
  const busy = runMany(s, 40)
  for (let turn = 0; turn < 4; turn += 1) {
    const before = marksOf(s.folder).length
    const worker = await workerProgram(t, s, 'work', ['work.ts'], { args: ['--concurrency', '4'] })
    await until('some work to be done', () => marksOf(s.folder).length >= before + 9)
    if (turn < 3) worker.signal('SIGKILL')
  }
  await busy
  assert.match(await s.client.metrics(), /perdure_workers_lost_total\{function="work"\} 3/)
  assert.doesNotMatch(await s.client.metrics(), /perdure_executions_ended_total\{.*status="FAILED"/)
})

test('a worker that drains gives what it runs to its end, and takes nothing new', async (t) => {
  const s = await scene(t, [plain('slow')], files)
  const first = await workerProgram(t, s, 'slow', ['slow.mjs'], { args: ['--concurrency', '2'] })
  const running = call(s, 'slow', { ms: 1_500 })
  await until('it to run', () => marksOf(s.folder).includes('slow begins'))
  first.signal('SIGTERM')
  await until('it to leave', async () => (await s.workers()).some(({ leaving }) => leaving))
  const second = await workerProgram(t, s, 'slow', ['slow.mjs'])
  assert.equal(await call(s, 'slow', { ms: 1 }), second.pid)
  assert.equal(await running, first.pid)
  assert.equal(await first.exited, 0)
  assert.match(first.said(), /stopping; what runs may end first/)
})

test('several invocations in one process of a worker', async (t) => {
  const s = await scene(t, [plain('several', { maxConcurrency: 3 })], files)
  await ownWorker(t, s, 'several', 'several.mjs')
  const answers = await Promise.all([1, 2, 3].map(() => call(s, 'several')))
  assert.equal(new Set(answers.map(({ pid }) => pid)).size, 1)
  assert.equal(Math.max(...answers.map(({ most }) => most)), 3)
})

test('a declared function with a handler: its invocations go to a worker while one is attached', async (t) => {
  const s = await scene(t, [], files)
  await s.server.kill()
  const handler = {
    name: 'where',
    file: join(s.folder, 'where.mjs'),
    durable: false,
    environment: { WHERE: 'declared' },
  } as const
  const served = await scene(t, [handler], {})
  const at = { ...s, server: served.server, client: served.client }
  const here = await call(at, 'where')
  assert.equal(here.parent, served.server.pid)
  const worker = await workerProgram(t, at, 'where', ['where.mjs'])
  const there = await call(at, 'where')
  assert.equal(there.parent, worker.pid)
  assert.equal(there.where, 'declared', 'it has the variables of the function')
  worker.signal('SIGTERM')
  assert.equal(await worker.exited, 0)
  assert.equal((await call(at, 'where')).parent, served.server.pid)
})

test('a function that was created through the API, and one of its versions', async (t) => {
  const s = await scene(t, [], files)
  const create = async (path: string, body: object, method = 'POST') => {
    const response = await fetch(`${s.server.endpoint}${path}`, { method, body: JSON.stringify(body) })
    assert.ok(response.ok, await response.clone().text())
    return response.json() as Promise<{ readonly Version: string }>
  }
  const zip = packageOf({ 'index.mjs': files['where.mjs'] }).toString('base64')
  await create('/2015-03-31/functions', {
    FunctionName: 'made',
    Runtime: 'nodejs22.x',
    Role: 'arn:aws:iam::000000000000:role/any',
    Handler: 'index.handler',
    Code: { ZipFile: zip },
    Environment: { Variables: { WHERE: 'deployed' } },
  })
  const { Version } = await create('/2015-03-31/functions/made/versions', {})
  const worker = await workerProgram(t, s, 'made', ['where.mjs'], { args: ['--qualifier', Version] })
  const of = async (qualifier: string) =>
    JSON.parse((await s.client.invoke({ functionName: 'made', qualifier, payload: '{}' })).payload)
  assert.equal((await of(Version)).parent, worker.pid)
  assert.equal((await of('$LATEST')).parent, s.server.pid, 'the worker serves the version that it named')

  await t.test('settings that change: the worker attaches anew, with these', async () => {
    const latest = await workerProgram(t, s, 'made', ['where.mjs'])
    assert.equal((await of('$LATEST')).parent, latest.pid)
    const changed = { Environment: { Variables: { WHERE: 'changed' } } }
    await create('/2015-03-31/functions/made/configuration', changed, 'PUT')
    // While it is not attached the server's own processes serve the function.
    await until('the worker to be back', async () => {
      const { parent, where } = await of('$LATEST')
      assert.equal(where, 'changed')
      return parent === latest.pid
    })
    assert.equal((await of(Version)).where, 'deployed')
    assert.doesNotMatch(s.log(), /is lost/)
  })
})

test('the commands show who is attached', async (t) => {
  const s = await scene(t, [plain('slow')], files)
  const worker = await workerProgram(t, s, 'slow', ['slow.mjs'], { args: ['--concurrency', '2'] })
  await until('both processes', async () => (await s.workers())[0]?.processes === 2)
  const at = ['--endpoint', s.server.endpoint]
  const get = await perdure(['functions', 'get', 'slow', ...at])
  assert.match(get.out, new RegExp(`Worker +${worker.name} from 127.0.0.1, 2 processes, 0 running`))
  const { Workers } = JSON.parse((await perdure(['functions', 'get', 'slow', '--json', ...at])).out)
  assert.equal(Workers[0].Name, worker.name)
  assert.match((await perdure(['status', ...at])).out, /Workers +1 attached: slow 1/)
  assert.equal((await perdure(['worker', 'slow.mjs'])).code, 2)
  const both = await perdure(['worker', '--function', 'slow', 'slow.mjs', '--', 'node', 'slow.mjs'])
  assert.match(both.err, /both a file and a command/)
  const header = await perdure(['worker', '--function', 'slow', '--header', 'no header', '--', 'node', 'x'])
  assert.match(header.err, /is no header/)
})

test('a worker that the server does not want says why, and ends', async (t) => {
  const s = await scene(t, [plain('slow')], files)
  const unknown = await workerProgram(t, s, 'nobody', ['slow.mjs'], { attaches: false })
  assert.equal(await unknown.exited, 1)
  assert.match(unknown.said(), /refuses the worker: Function not found: there is no nobody:\$LATEST to work for/)
  const foreign = await workerProgram(t, s, 'slow', ['slow.mjs'], {
    attaches: false,
    args: ['--header', 'Host: evil.example'],
  })
  assert.equal(await foreign.exited, 1)
  assert.match(foreign.said(), /does not answer to the Host of the request/)
})

test('the same worker waits for a server that is not there yet', async (t) => {
  const s = await scene(t, [plain('slow')], files)
  await s.server.kill()
  const worker = await workerProgram(t, s, 'slow', ['slow.mjs'], { attaches: false })
  await until('it to try', () => worker.said().includes('no server at'))
  await s.restart()
  assert.equal(await call(s, 'slow', { ms: 1 }), worker.pid)
  assert.deepEqual(
    (await s.workers()).map(({ name }) => name),
    [worker.name],
  )
})
