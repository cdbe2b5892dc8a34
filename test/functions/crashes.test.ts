import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import test from 'node:test'
import { createSystemTimers, systemClock } from '../../src/service/clock-adapters.ts'
import { gone, isAlive } from './living-process.ts'
import { answer, invoke, project, responseOf, serve, serveOne } from './project.ts'

const endings: readonly { readonly name: string; readonly code: string; readonly message: string }[] = [
  { name: 'exit with a code', code: 'process.exit(3)', message: 'Runtime exited with error: exit status 3' },
  { name: 'exit without one', code: 'process.exit(0)', message: 'Runtime exited without providing a reason' },
  {
    name: 'SIGKILL',
    code: "process.kill(process.pid, 'SIGKILL')",
    message: 'Runtime exited with error: signal: killed',
  },
  { name: 'abort', code: 'process.abort()', message: 'Runtime exited with error: signal: aborted' },
]

for (const { name, code, message } of endings) {
  test(`the process ends during an invocation: ${name}`, async (t) => {
    const functions = await serveOne(
      t,
      'a.mjs',
      `export const handler = async (e) => { if (e.end) { console.log('last words'); ${code}; await new Promise(() => {}) } return process.pid }`,
    )
    const before = await answer(functions)
    const result = await invoke(functions, { end: true }, { requestId: 'r-1' })
    const text = { errorType: 'Runtime.ExitError', errorMessage: `RequestId: r-1 Error: ${message}` }
    assert.equal(result.kind, 'error')
    assert.deepEqual(JSON.parse(result.body), text)
    assert.deepEqual(result.error, { ErrorType: text.errorType, ErrorMessage: text.errorMessage })
    assert.match(result.logTail, /last words\n(.*\n)*RequestId: r-1 Error: .*\nEND RequestId: r-1\n/)
    assert.notEqual(await answer(functions), before, 'the process was replaced')
  })
}

test('SIGKILL from outside', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `import http from 'node:http'
     export const handler = (e) => new Promise(() => { http.get(process.env.AWS_ENDPOINT_URL_LAMBDA + '/' + process.pid) })`,
    {},
    { lambdaApi: (request) => process.kill(Number(request.url?.slice(1)), 'SIGKILL') },
  )
  const result = await invoke(functions, {}, { requestId: 'r-1' })
  assert.equal(
    result.kind === 'error' && result.error.ErrorMessage,
    'RequestId: r-1 Error: Runtime exited with error: signal: killed',
  )
})

test('an uncaught exception is posted, then the process exits with 129', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `export const handler = (e) => e.end ? new Promise(() => setImmediate(() => { throw new RangeError('loose') })) : Promise.resolve(process.pid)`,
  )
  const before = await answer(functions)
  const result = await invoke(functions, { end: true })
  assert.equal(result.kind, 'error')
  assert.equal(result.error.ErrorType, 'RangeError')
  assert.equal(result.error.ErrorMessage, 'loose')
  assert.notEqual(await answer(functions), before)
})

test('an unhandled rejection is posted with its own type', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `export const handler = (e) => e.end ? new Promise((r) => { Promise.reject(new Error('forgotten')); setTimeout(r, 1000) }) : Promise.resolve(process.pid)`,
  )
  const before = await answer(functions)
  const result = await invoke(functions, { end: true })
  assert.equal(result.kind, 'error')
  assert.equal(result.error.ErrorType, 'Runtime.UnhandledPromiseRejection')
  assert.equal(result.error.ErrorMessage, 'Error: forgotten')
  assert.notEqual(await answer(functions), before)
})

test('a timeout ends the whole group, forked children included, and the process is replaced', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `import { spawn } from 'node:child_process'
     export const handler = async (e) => {
       if (!e.hang) return process.pid
       const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
       console.log('child ' + child.pid)
       for (;;) {}
     }`,
    { timeout: 1 },
  )
  const before = await answer(functions)
  const startedAt = performance.now()
  const result = await invoke(functions, { hang: true }, { requestId: 'r-1' })
  const elapsedMs = performance.now() - startedAt
  assert.equal(result.kind, 'error')
  assert.deepEqual(JSON.parse(result.body), {
    errorType: 'Sandbox.Timedout',
    errorMessage: 'RequestId: r-1 Error: Task timed out after 1.00 seconds',
  })
  assert.ok(elapsedMs >= 1000, `after ${elapsedMs} ms`)
  const child = Number(/child (\d+)/.exec(result.logTail)?.[1])
  await gone(child)
  await gone(Number(before))
  assert.equal(typeof (await answer(functions)), 'number')
})

test('what a process forked ends with it, whatever it ended of', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `import { spawn } from 'node:child_process'
     import { writeSync } from 'node:fs'
     export const handler = async () => {
       writeSync(1, 'child ' + spawn('sleep', ['1000'], { stdio: 'inherit' }).pid + '\\n')
       process.exit(1)
     }`,
  )
  const result = await invoke(functions)
  await gone(Number(/child (\d+)/.exec(result.logTail)?.[1]))
})

test('under a debugger there is no deadline', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `import { url } from 'node:inspector'
     export const handler = async (e, c) => {
       for (const until = Date.now() + 1200; Date.now() < until; );
       return [url(), c.getRemainingTimeInMillis()]
     }`,
    { timeout: 1 },
    { inspect: true },
  )
  const [url, left] = (await answer(functions)) as [string, number]
  assert.match(url, /^ws:\/\/127\.0\.0\.1:\d+/)
  assert.ok(left > 80_000_000)
})

test('an initialisation that never ends is ended and told; the next reservation starts a new process', async (t) => {
  const real = createSystemTimers(systemClock)
  const initLimitMs = 1_000_000
  let giveUp = (): void => assert.fail('no limit was set')
  const functions = await serveOne(
    t,
    'a.mjs',
    `console.log('stuck')
     fetch(process.env.AWS_ENDPOINT_URL_LAMBDA).catch(() => {})
     await new Promise(() => setInterval(() => {}, 1000))
     export const handler = async () => 1`,
    {},
    {
      initLimitMs,
      // The limit passes when the module has told that it is stuck.
      lambdaApi: () => giveUp(),
      timers: {
        at: (dueMs, call) => {
          if (dueMs - systemClock.now() < initLimitMs / 2) return real.at(dueMs, call)
          giveUp = call
          return () => {}
        },
      },
    },
  )
  for (let round = 0; round < 2; round += 1) {
    const result = await invoke(functions, {}, { requestId: 'r-1' })
    assert.deepEqual(result.kind === 'error' && result.error, {
      ErrorType: 'Sandbox.Timedout',
      ErrorMessage: 'RequestId: r-1 Error: Task timed out after 1000.00 seconds',
    })
    assert.match(result.logTail, /^stuck\nSTART RequestId: r-1/)
  }
})

test('a process that cannot be put on record is ended and told, and the next one is started', async (t) => {
  const dataDirectory = project(t, {})
  const functions = await serveOne(t, 'a.mjs', 'export const handler = async () => process.pid', {}, { dataDirectory })
  const records = join(dataDirectory, 'processes')
  rmSync(records, { recursive: true })
  const result = await invoke(functions)
  assert.equal(result.kind, 'platform')
  assert.match(
    result.kind === 'platform' ? (result.error.ErrorMessage ?? '') : '',
    /could not be started: Error: ENOENT/,
  )
  mkdirSync(records)
  assert.equal(typeof (await answer(functions)), 'number')
})

test('an initialisation that exits is told with its status', async (t) => {
  const functions = await serveOne(t, 'a.mjs', 'process.exit(7)')
  const result = await invoke(functions, {}, { requestId: 'r-1' })
  assert.equal(
    result.kind === 'error' && result.error.ErrorMessage,
    'RequestId: r-1 Error: Runtime exited with error: exit status 7',
  )
})

test("a crashed process's last request is with the server before its invocation ends", async (t) => {
  const arrived: string[] = []
  const lambdaApi: RequestListener = (request, response) => {
    const [kind, number] = (request.url ?? '').slice(1).split('-')
    if (kind === 'checkpoint') {
      request.on('data', () => {})
      request.on('end', () => arrived.push(number ?? ''))
    } else {
      // The server is busy from the answer on, until the process is gone: it finds the end and the request at once.
      response.end('go on', () => {
        for (const until = performance.now() + 5_000; isAlive(Number(number)) && performance.now() < until; );
      })
    }
  }
  const handler = `import net from 'node:net'
    const { port } = new URL(process.env.AWS_ENDPOINT_URL_LAMBDA)
    export const handler = (event) => new Promise(async () => {
      await (await fetch(process.env.AWS_ENDPOINT_URL_LAMBDA + '/hold-' + process.pid)).text()
      const body = 'x'.repeat(50_000)
      const head = 'POST /checkpoint-' + event.n + ' HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: ' + body.length + '\\r\\n\\r\\n'
      const socket = net.connect(port, '127.0.0.1', () => socket.write(head + body, () => process.exit(1)))
    })`
  const functions = await serveOne(t, 'a.mjs', handler, {}, { lambdaApi })
  for (let n = 0; n < 5; n += 1) {
    const result = await invoke(functions, { n })
    assert.equal(result.kind, 'error')
    assert.equal(arrived.at(-1), String(n))
  }
})

test('an answer that was sent whole counts, even when the process is gone before it is read', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `import net from 'node:net'
     const authority = process.env.AWS_LAMBDA_RUNTIME_API
     export const handler = (event, context) => new Promise(() => {
       const body = JSON.stringify(event.n)
       const post = ['POST /2018-06-01/runtime/invocation/' + context.awsRequestId + '/response HTTP/1.1',
         'Host: ' + authority, 'Content-Length: ' + body.length, '', body].join('\\r\\n')
       const socket = net.connect(authority.split(':')[1], '127.0.0.1', () => socket.write(post, () => process.exit(1)))
     })`,
  )
  for (let n = 0; n < 5; n += 1) assert.equal(await answer(functions, { n }), n)
})

test('a function whose memory is exhausted does not take others with it', async (t) => {
  const root = project(t, {
    'hog.mjs':
      'const kept = []\nexport const handler = async () => { for (;;) kept.push(new Array(100_000).fill(kept.length)) }',
    'calm.mjs': 'export const handler = async () => "calm"',
  })
  const functions = await serve(t, [
    { name: 'hog', file: join(root, 'hog.mjs'), memory: 128, durable: false },
    { name: 'calm', file: join(root, 'calm.mjs'), durable: false },
  ])
  const [hog, calm] = await Promise.all([
    invoke(functions, {}, { name: 'hog' }),
    invoke(functions, {}, { name: 'calm' }),
  ])
  assert.equal(hog.kind === 'error' && hog.error.ErrorType, 'Runtime.ExitError')
  assert.equal(responseOf(calm), 'calm')
})
