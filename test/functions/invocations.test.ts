import assert from 'node:assert/strict'
import { once } from 'node:events'
import test from 'node:test'
import { logged } from './logged.ts'
import { answer, invoke, responseOf, serveOne, versionOf } from './project.ts'

const cases: readonly { readonly name: string; readonly handler: string; readonly value: unknown }[] = [
  { name: 'an async handler', handler: 'async (e) => ({ got: e.x })', value: { got: 1 } },
  { name: 'a handler that returns nothing', handler: 'async () => {}', value: null },
  { name: 'a plain value', handler: '(e) => e.x', value: 1 },
  { name: 'a callback', handler: '(e, c, done) => { setImmediate(() => done(null, e.x)) }', value: 1 },
  {
    name: 'a callback that waits for what was left running',
    handler: '(e, c, done) => { const r = { n: 0 }; setTimeout(() => { r.n = 5 }, 20); done(null, r) }',
    value: { n: 5 },
  },
  {
    name: 'a callback that does not wait',
    handler:
      '(e, c, done) => { c.callbackWaitsForEmptyEventLoop = false; const r = { n: 0 }; setTimeout(() => { r.n = 5 }, 20); done(null, r) }',
    value: { n: 0 },
  },
  { name: 'the first of two callbacks', handler: '(e, c, done) => { done(null, 1); done(null, 2) }', value: 1 },
  { name: 'a callback-style handler that never calls back', handler: '(e, c, done) => {}', value: null },
]

for (const { name, handler, value } of cases) {
  test(`answers: ${name}`, async (t) => {
    const functions = await serveOne(t, 'a.mjs', `export const handler = ${handler}`)
    assert.deepEqual(await answer(functions, { x: 1 }), value)
    assert.deepEqual(await answer(functions, { x: 1 }), value, 'the process serves the next invocation as well')
  })
}

const failures: readonly {
  readonly name: string
  readonly handler: string
  readonly type: string
  readonly message: RegExp
}[] = [
  { name: 'thrown', handler: 'async () => { throw new TypeError("bad") }', type: 'TypeError', message: /^bad$/ },
  { name: 'thrown by a plain function', handler: '() => { throw new Error("now") }', type: 'Error', message: /^now$/ },
  { name: 'thrown text', handler: 'async () => { throw "just text" }', type: 'string', message: /^just text$/ },
  {
    name: 'a callback error',
    handler: '(e, c, done) => done(new Error("called"))',
    type: 'Error',
    message: /^called$/,
  },
  {
    name: 'a promise that is never settled',
    handler: '() => new Promise(() => {})',
    type: 'Runtime.NodeJsExit',
    message: /not settled/,
  },
  {
    name: 'a result that is no JSON',
    handler: 'async () => 1n',
    type: 'Runtime.MarshalError',
    message: /^Unable to stringify response body/,
  },
]

for (const { name, handler, type, message } of failures) {
  test(`fails and goes on with the same process: ${name}`, async (t) => {
    const functions = await serveOne(
      t,
      'a.mjs',
      `const at = process.pid\nexport const pid = at\nconst f = ${handler}
      export const handler = (e, c, done) => (e.pid ? Promise.resolve(process.pid) : f(e, c, done))`,
    )
    const before = await answer(functions, { pid: true })
    const result = await invoke(functions)
    assert.equal(result.kind, 'error')
    assert.equal(result.error.ErrorType, type)
    assert.match(result.error.ErrorMessage ?? '', message)
    assert.equal(JSON.parse(result.body).errorMessage, result.error.ErrorMessage)
    assert.equal(await answer(functions, { pid: true }), before)
  })
}

test('the context has what the official client gives', async (t) => {
  const handler = `export const handler = async (event, context) => {
    const { getRemainingTimeInMillis, ...rest } = context
    return { rest, left: context.getRemainingTimeInMillis(), trace: process.env._X_AMZN_TRACE_ID }
  }`
  const functions = await serveOne(t, 'a.mjs', handler, { timeout: 7, memory: 256, tenancy: 'PER_TENANT' })
  const result = await invoke(
    functions,
    {},
    { requestId: 'r-1', tenantId: 'acme', clientContext: '{"client":{"title":"äπ"}}', traceHeader: 'Root=1-2-3' },
  )
  const { rest, left, trace } = responseOf(result) as { rest: Record<string, string>; left: number; trace: string }
  assert.match(rest['logStreamName'] ?? '', /^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/)
  assert.deepEqual(rest, {
    callbackWaitsForEmptyEventLoop: true,
    functionName: 'f',
    functionVersion: '$LATEST',
    memoryLimitInMB: '256',
    logGroupName: '/aws/lambda/f',
    logStreamName: rest['logStreamName'],
    invokedFunctionArn: versionOf(functions).arn,
    awsRequestId: 'r-1',
    clientContext: { client: { title: 'äπ' } },
    tenantId: 'acme',
  })
  assert.ok(left > 5000 && left <= 7000, `remaining time ${left}`)
  assert.equal(trace, 'Root=1-2-3')
})

test('large events and responses pass; a plain response over the limit fails the invocation', async (t) => {
  const functions = await serveOne(t, 'a.mjs', 'export const handler = async (e) => "x".repeat(e.n)')
  assert.equal(((await answer(functions, { n: 6_000_000, pad: 'y'.repeat(6_000_000) })) as string).length, 6_000_000)
  const result = await invoke(functions, { n: 6_291_555 })
  assert.deepEqual(result.kind === 'error' ? JSON.parse(result.body) : result, {
    errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
    errorType: 'Function.ResponseSizeTooLarge',
  })
  assert.equal(await answer(functions, { n: 1 }), 'x')
})

test('the envelope of a durable function is not cut at the response limit', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `export const handler = async () => ({ Status: 'SUCCEEDED', Result: JSON.stringify('"'.repeat(6_000_000)) })`,
    { durable: { ExecutionTimeout: 60 } },
  )
  const result = await invoke(functions)
  assert.equal(result.kind, 'response')
  assert.ok(result.body.byteLength > 24_000_000, `${result.body.byteLength} bytes`)
})

test('the log of an invocation is framed, attributed and cut to its tail', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `console.log('loading')
     export const handler = async (e) => { for (let i = 0; i < e.lines; i++) console.log('line ' + i); if (e.error) console.error(e.error) }`,
  )
  const first = await invoke(functions, { lines: 2 }, { requestId: 'r-1', executionArn: 'arn-1' })
  assert.match(
    first.logTail,
    /^loading\nSTART RequestId: r-1 Version: \$LATEST\nline 0\nline 1\nEND RequestId: r-1\nREPORT RequestId: r-1\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 512 MB\tMax Memory Used: [1-9]\d* MB\tInit Duration: \d+\.\d\d ms\t\n$/,
  )
  const second = await invoke(functions, { lines: 1000 }, { requestId: 'r-2' })
  assert.equal(Buffer.byteLength(second.logTail), 4096)
  assert.match(
    second.logTail,
    /line 998\nline 999\nEND RequestId: r-2\nREPORT RequestId: r-2\t[^\n]*Max Memory Used: \d+ MB\t\n$/,
  )
  await invoke(functions, { lines: 1, error: 'to stderr' }, { requestId: 'r-3', executionArn: 'arn-1' })
  const records = await logged(functions.logs, { requestId: 'r-3' })
  const said = records.map(({ stream, line }) => `${stream}: ${line.split('\t')[0]}`)
  assert.deepEqual(
    [said[0], ...said.slice(1, 3).sort(), ...said.slice(3)],
    [
      'platform: START RequestId: r-3 Version: $LATEST',
      'stderr: to stderr',
      'stdout: line 0',
      'platform: END RequestId: r-3',
      'platform: REPORT RequestId: r-3',
    ],
  )
  assert.ok(records.every(({ executionArn, functionName }) => executionArn === 'arn-1' && functionName === 'f'))
  const all = await logged(functions.logs, { requestId: 'r-2' })
  assert.equal(all.length, 1003, 'no line was given to another invocation')
})

test('a flood of output loses lines, says so, and leaves the answer and memory alone', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `import { writeSync } from 'node:fs'
     const block = Buffer.from(('x'.repeat(99) + '\\n').repeat(1000))
     export const handler = async () => {
       for (let i = 0; i < 400; i++) for (let at = 0; at < block.length; ) {
         try { at += writeSync(1, block, at) } catch (error) { if (error.code !== 'EAGAIN') throw error }
       }
       console.log('y'.repeat(100_000))
       return 'done'
     }`,
  )
  const result = await invoke(functions)
  assert.equal(responseOf(result), 'done')
  assert.match(result.logTail, /\[perdure\] \d+ lines \(\d+ bytes\) were dropped/)
  const records = await logged(functions.logs, { functionNames: new Set(['f']) })
  const kept = records.reduce((bytes, { line }) => bytes + line.length, 0)
  assert.ok(kept < 12_000_000, `${kept} bytes were kept of 40 MB`)
})

test('a process serves one invocation at a time and is used again', async (t) => {
  const functions = await serveOne(t, 'a.mjs', 'let n = 0\nexport const handler = async () => [process.pid, ++n]', {
    concurrency: 1,
  })
  const [first, second] = (await Promise.all([answer(functions), answer(functions)])) as [number, number][]
  assert.equal(first?.[0], second?.[0])
  assert.deepEqual([first?.[1], second?.[1]].sort(), [1, 2])
})

test('an aborted reservation rejects with the reason, and does not take a turn', async (t) => {
  const functions = await serveOne(t, 'a.mjs', 'export const handler = async () => 1', { concurrency: 1 })
  const version = versionOf(functions)
  const busy = await functions.reserve(version, undefined, new AbortController().signal)
  const abort = new AbortController()
  const waiting = functions.reserve(version, undefined, abort.signal)
  const reason = new Error('gave up')
  abort.abort(reason)
  await assert.rejects(waiting, reason)
  await assert.rejects(functions.reserve(version, undefined, AbortSignal.abort(reason)), reason)
  busy.release()
  assert.equal(await answer(functions), 1)
  assert.throws(() => busy.release(), /used once/)
})

test('a reservation that waits when the room closes is refused, and a running invocation is told as ours', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `import http from 'node:http'
     export const handler = () => new Promise(() => { http.get(process.env.AWS_ENDPOINT_URL_LAMBDA + '/running') })`,
    { concurrency: 1 },
    {
      lambdaApi: () => started.abort(),
    },
  )
  const running = invoke(functions)
  await once(started.signal, 'abort')
  const waiting = assert.rejects(
    functions.reserve(versionOf(functions), undefined, new AbortController().signal),
    /shutting down/,
  )
  await functions.close()
  const result = await running
  assert.equal(result.kind, 'platform')
  await waiting
})
const started = new AbortController()
