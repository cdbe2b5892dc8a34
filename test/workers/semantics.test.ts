/** A function means the same at a worker as in a process of the server: the official SDK, the Runtime API, every way to fail. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { durable, marking, marksOf, ownWorker, plain, type Scene, scene, until, workerProgram } from './scene.ts'

const files = {
  'story.ts': `${marking}
export const handler = withDurableExecution(async (event: { name: string }, context: DurableContext) => {
  mark('begin ' + event.name)
  const greeting = await context.step('greet', async () => { mark('step greet'); return 'hello ' + event.name })
  await context.wait('rest', { seconds: 1 })
  return context.step('shout', async () => { mark('step shout'); return greeting.toUpperCase() })
})`,
  'crash.ts': `${marking}
export const handler = withDurableExecution(async (_event: unknown, context: DurableContext) => {
  await context.step('before', async () => mark('before'))
  await context.step('crashing', async () => {
    mark('crashing')
    const { readFileSync } = await import('node:fs')
    const times = readFileSync(process.env.LEDGER ?? '', 'utf8').split('\\n').filter((line) => line === 'crashing')
    if (times.length === 1) process.exit(7)
  })
  return 'survived'
})`,
  'last-word.ts': `${marking}
export const handler = withDurableExecution(async (_event: unknown, context: DurableContext) => {
  await context.step('only-once', async () => mark('only-once'))
  const { readFileSync } = await import('node:fs')
  const text = readFileSync(process.env.LEDGER ?? '', 'utf8')
  mark('after')
  if (!text.includes('after')) process.kill(process.pid, 'SIGKILL')
  return 'done'
})`,
  'plain.mjs': `
export const handler = async (event, context) => {
  if (event.throw) throw Object.assign(new RangeError(event.throw), { name: 'RangeError' })
  if (event.exit !== undefined) process.exit(event.exit)
  if (event.sleepMs) await new Promise((resolve) => setTimeout(resolve, event.sleepMs))
  if (event.bytes) return 'x'.repeat(event.bytes)
  if (event.size) return JSON.stringify(event).length
  if (event.print) console.log(event.print)
  if (event.lines) process.stdout.write('x\\n'.repeat(event.lines) + 'the last of many\\n')
  if (event.line) process.stdout.write('y'.repeat(event.line) + '\\n')
  const { clientContext, tenantId, functionName, functionVersion, memoryLimitInMB, invokedFunctionArn } = context
  return {
    clientContext, tenantId, functionName, functionVersion, memoryLimitInMB, invokedFunctionArn,
    pid: process.pid, stage: process.env.STAGE, leftMs: context.getRemainingTimeInMillis(),
  }
}`,
  'broken.mjs': `throw new Error('this module never loads')`,
  'runtime.mjs': `
const base = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime/'
for (;;) {
  const next = await fetch(base + 'invocation/next')
  const id = next.headers.get('lambda-runtime-aws-request-id')
  const event = await next.json()
  if (event.exit !== undefined) process.exit(event.exit)
  if (event.fail) {
    await fetch(base + 'invocation/' + id + '/error', {
      method: 'POST', headers: { 'Lambda-Runtime-Function-Error-Type': 'Mine.Own' },
      body: JSON.stringify({ errorType: 'Mine.Own', errorMessage: event.fail, trace: ['a', 'b'] }),
    })
  } else {
    const body = JSON.stringify({ event, name: process.env.AWS_LAMBDA_FUNCTION_NAME, secret: process.env.OF_THE_WORKER })
    await fetch(base + 'invocation/' + id + '/response', { method: 'POST', body })
  }
}`,
}

const functions = [
  durable('story'),
  durable('crash'),
  durable('last-word'),
  plain('plain', { memory: 256, timeout: 2, environment: { STAGE: 'test' } }),
  plain('loud', { timeout: 60 }),
  plain('tenants', { tenancy: 'PER_TENANT' }),
  plain('broken', { timeout: 2 }),
  plain('runtime'),
]

/** The value that a plain function answers, or the failure that its caller gets. */
async function call(s: Scene, functionName: string, event: unknown = {}, more: { readonly tenantId?: string } = {}) {
  const answer = await s.client.invoke({ functionName, payload: JSON.stringify(event), ...more })
  return { value: JSON.parse(answer.payload) as Record<string, unknown>, error: answer.functionError }
}

async function flood(s: Scene) {
  const response = await fetch(`${s.server.endpoint}/2015-03-31/functions/loud/invocations`, {
    method: 'POST',
    body: '{"line":8000000}',
  })
  assert.equal(response.headers.get('x-amz-function-error'), null, await response.clone().text())
  return { requestId: response.headers.get('x-amzn-requestid') }
}

const run = async (s: Scene, functionName: string, payload: string) => {
  const answer = await s.client.invoke({ functionName, qualifier: '$LATEST', payload })
  return { value: answer.payload, arn: answer.durableExecutionArn ?? '', error: answer.functionError }
}

test('a function at a worker', async (t: TestContext) => {
  const s = await scene(t, functions, files)

  await t.test('the official SDK: steps, a wait, a result', async (t) => {
    await ownWorker(t, s, 'story', 'story.ts')
    const { value, arn } = await run(s, 'story', '{"name":"ada"}')
    assert.equal(value, '"HELLO ADA"')
    assert.deepEqual(marksOf(s.folder), ['begin ada', 'step greet', 'begin ada', 'step shout'])
    const lines = await s.client.logs({ executionArn: arn })
    assert.equal(lines.filter(({ line }) => line.startsWith('REPORT')).length, 2, 'its log is the server’s')
  })

  await t.test('a process that ends within a step: the step runs again, what was done does not', async (t) => {
    await ownWorker(t, s, 'crash', 'crash.ts')
    const { value } = await run(s, 'crash', '{}')
    assert.equal(value, '"survived"')
    const marks = marksOf(s.folder).filter((mark) => mark === 'before' || mark === 'crashing')
    assert.deepEqual(marks, ['before', 'crashing', 'crashing'])
  })

  await t.test('a process that is killed right after a checkpoint: the checkpoint counts', async (t) => {
    await ownWorker(t, s, 'last-word', 'last-word.ts')
    const { value, arn } = await run(s, 'last-word', '{}')
    assert.equal(value, '"done"')
    assert.equal(marksOf(s.folder).filter((mark) => mark === 'only-once').length, 1)
    const events: string[] = []
    for await (const { eventType, invocationCompletedDetails } of s.client.events({ durableExecutionArn: arn })) {
      if (eventType === 'InvocationCompleted') events.push(JSON.stringify(invocationCompletedDetails ?? {}))
    }
    assert.match(events[0] ?? '', /signal: killed/)
  })

  await t.test('a plain function: context, environment, log tail', async (t) => {
    const worker = await ownWorker(t, s, 'plain', 'plain.mjs')
    const context = Buffer.from('{"client":{"title":"äπ"}}').toString('base64')
    const response = await fetch(`${s.server.endpoint}/2015-03-31/functions/plain/invocations`, {
      method: 'POST',
      headers: { 'x-amz-client-context': context, 'x-amz-log-type': 'Tail' },
      body: '{"print":"printed here"}',
    })
    const { pid, leftMs, ...rest } = (await response.json()) as Record<string, unknown>
    assert.deepEqual(rest, {
      clientContext: { client: { title: 'äπ' } },
      functionName: 'plain',
      functionVersion: '$LATEST',
      memoryLimitInMB: '256',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:plain:$LATEST',
      stage: 'test',
    })
    assert.ok(Number(pid) !== s.server.pid && Number(leftMs) > 0 && Number(leftMs) <= 2_000)
    const tail = Buffer.from(response.headers.get('x-amz-log-result') ?? '', 'base64').toString('utf8')
    assert.match(tail, /^START RequestId: .*\nprinted here\nEND RequestId: .*\nREPORT /)
    assert.ok(worker.printed.includes('printed here'), 'the worker shows what its processes print')

    const before = (await call(s, 'plain')).value['pid']
    const thrown = await call(s, 'plain', { throw: 'bad' })
    assert.equal(thrown.error, 'Unhandled')
    assert.deepEqual([thrown.value['errorType'], thrown.value['errorMessage']], ['RangeError', 'bad'])
    assert.equal((await call(s, 'plain')).value['pid'], before, 'the process goes on after an error')

    const exited = await call(s, 'plain', { exit: 3 })
    assert.match(String(exited.value['errorMessage']), /Runtime exited with error: exit status 3/)
    assert.equal(exited.value['errorType'], 'Runtime.ExitError')

    const late = await call(s, 'plain', { sleepMs: 10_000 })
    assert.equal(late.value['errorType'], 'Sandbox.Timedout')
    assert.match(String(late.value['errorMessage']), /Task timed out after 2.00 seconds/)
    assert.notEqual((await call(s, 'plain')).value['pid'], before, 'another process has taken its place')
  })

  await t.test('large events and results', async (t) => {
    await ownWorker(t, s, 'plain', 'plain.mjs')
    const event = { size: true, pad: 'y'.repeat(6_000_000) }
    assert.equal((await call(s, 'plain', event)).value, JSON.stringify(event).length)
    assert.equal((await call(s, 'plain', { bytes: 6_000_000 })).value.length, 6_000_000)
    const tooLarge = await call(s, 'plain', { bytes: 6_291_555 })
    assert.equal(tooLarge.value['errorType'], 'Function.ResponseSizeTooLarge')
  })

  await t.test('tenants never share a process, even when there is but one', async (t) => {
    await ownWorker(t, s, 'tenants', 'plain.mjs')
    const pids = new Map<string, Set<unknown>>()
    for (const tenantId of ['acme', 'acme', 'zeta', 'acme', 'zeta']) {
      const { value } = await call(s, 'tenants', {}, { tenantId })
      assert.equal(value['tenantId'], tenantId)
      pids.set(tenantId, (pids.get(tenantId) ?? new Set()).add(value['pid']))
    }
    assert.ok(pids.get('acme')?.isDisjointFrom(pids.get('zeta') ?? new Set()))
  })

  await t.test('a handler that cannot be loaded is told to whoever waits for it', async (t) => {
    const worker = await ownWorker(t, s, 'broken', 'broken.mjs')
    const { value, error } = await call(s, 'broken')
    assert.equal(error, 'Unhandled')
    assert.equal(value['errorMessage'], 'this module never loads')
    await until('the worker to say so', () => worker.news.includes('notStarted'))
  })

  await t.test('a program that is not there is told by its name', async (t) => {
    const worker = await ownWorker(t, s, 'broken', ['/no/such/program'])
    const cause = 'fork/exec /no/such/program: no such file or directory'
    await until('the worker to say so', () => worker.news.includes(cause))
    const { value } = await call(s, 'broken')
    assert.match(String(value['errorMessage']), /Error: fork\/exec \/no\/such\/program: no such file/)
  })

  await t.test('any program that speaks the Runtime API', async (t) => {
    process.env['OF_THE_WORKER'] = 'a secret of its host'
    await ownWorker(t, s, 'runtime', [process.execPath, 'runtime.mjs'])
    const told = await call(s, 'runtime', { n: 1 })
    assert.deepEqual(told.value, { event: { n: 1 }, name: 'runtime', secret: 'a secret of its host' })
    const failed = await call(s, 'runtime', { fail: 'as I like' })
    assert.deepEqual(failed.value, { errorType: 'Mine.Own', errorMessage: 'as I like', trace: ['a', 'b'] })
    assert.match(String((await call(s, 'runtime', { exit: 5 })).value['errorMessage']), /exit status 5/)
    assert.deepEqual((await call(s, 'runtime', { n: 2 })).value['event'], { n: 2 })
  })

  await t.test('thirty thousand lines of one letter', async (t) => {
    const worker = await ownWorker(t, s, 'loud', 'plain.mjs')
    assert.equal((await call(s, 'loud', { lines: 30_000 })).error, undefined)
    assert.deepEqual(worker.news, ['attached'], 'the link has held')
    await until('the last of them', async () =>
      (await s.client.logs({ functionName: 'loud', limit: 100 })).some(({ line }) => line === 'the last of many'),
    )
  })

  await t.test('a function that prints too much loses lines, and is told so', async (t) => {
    await ownWorker(t, s, 'loud', 'plain.mjs')
    const { requestId } = await flood(s)
    await until('the last lines', async () => {
      const lines = (await s.client.logs({ functionName: 'loud', limit: 200 })).map(({ line }) => line)
      return (
        lines.some((line) => /^\[perdure\] \d+ lines \(\d+ bytes\) were dropped/.test(line)) &&
        lines.some((line) => line.startsWith(`END RequestId: ${requestId}`))
      )
    })
  })

  await t.test('without time limits an invocation takes as long as it takes', async (t) => {
    await ownWorker(t, s, 'plain', 'plain.mjs', { noTimeout: true })
    const { value, error } = await call(s, 'plain', { sleepMs: 3_000 })
    assert.equal(error, undefined)
    assert.ok(Number(value['leftMs']) > 3_600_000)
  })

  await t.test('a debugger can attach to the process', async (t) => {
    const worker = await workerProgram(t, s, 'plain', ['plain.mjs'], { args: ['--inspect'] })
    assert.equal((await call(s, 'plain')).error, undefined)
    await until('the address of the debugger', () => /Debugger listening on ws:\/\//.test(worker.said()))
  })
})
