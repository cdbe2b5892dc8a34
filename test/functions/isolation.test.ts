import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test, { type TestContext } from 'node:test'
import { gone, isAlive } from './living-process.ts'
import { logged } from './logged.ts'
import { answer, invoke, project, responseOf, serve, serveOne } from './project.ts'

test('a function process has the environment of the specification, and nothing else of the server', async (t) => {
  process.env['SECRET_OF_THE_SERVER'] = 'do not tell'
  process.env['NODE_OPTIONS_OF_SERVER'] = 'x'
  t.after(() => {
    delete process.env['SECRET_OF_THE_SERVER']
    delete process.env['NODE_OPTIONS_OF_SERVER']
  })
  const functions = await serveOne(
    t,
    'orders.ts',
    'export const create = async () => ({ env: process.env, argv: process.argv.slice(1), execArgv: process.execArgv.length })',
    { exportName: 'create', environment: { TABLE: 'orders', AWS_ACCESS_KEY_ID: 'mine' }, memory: 256 },
  )
  const { env, argv } = (await answer(functions)) as { env: Record<string, string>; argv: string[] }
  const authority = env['AWS_LAMBDA_RUNTIME_API'] ?? ''
  assert.match(authority, /^127\.0\.0\.1:\d+$/)
  const expected: Record<string, string> = {
    _HANDLER: 'orders.create',
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'mine',
    AWS_SECRET_ACCESS_KEY: 'perdure',
    AWS_SESSION_TOKEN: 'perdure',
    AWS_LAMBDA_FUNCTION_NAME: 'f',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/f',
    AWS_LAMBDA_LOG_FORMAT: 'Text',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    AWS_ENDPOINT_URL_LAMBDA: `http://${authority}`,
    TZ: ':UTC',
    LANG: 'en_US.UTF-8',
    TABLE: 'orders',
  }
  for (const [name, value] of Object.entries(expected)) assert.equal(env[name], value, name)
  assert.match(env['AWS_EXECUTION_ENV'] ?? '', /^AWS_Lambda_nodejs\d+\.x$/)
  const others = Object.keys(env).filter(
    (name) => !(name in expected) && !/^(AWS_LAMBDA_|AWS_XRAY_|AWS_EXECUTION_ENV|LAMBDA_|_X_AMZN)/.test(name),
  )
  const allowed = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'TEMP', 'TMP', 'LD_LIBRARY_PATH']
  assert.deepEqual(
    others.filter((name) => !allowed.includes(name)),
    [],
  )
  assert.equal(argv.length, 1)
  assert.match(argv[0] ?? '', /orders\.ts$/)
})

test('the Lambda API is reached through the own listener of each process', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `export const handler = async (e) => {
       const answer = await fetch(process.env.AWS_ENDPOINT_URL_LAMBDA + '/2025-12-01/x?y=1', { method: 'POST', body: 'b' })
       return [answer.status, await answer.text()]
     }`,
    {},
    {
      lambdaApi: (request, response) => {
        request.setEncoding('utf8')
        request.on('data', (body) => response.writeHead(418).end(`${request.method} ${request.url} ${body}`))
      },
    },
  )
  assert.deepEqual(await answer(functions), [418, 'POST /2025-12-01/x?y=1 b'])
})

test('tenants have processes of their own; functions that are not per tenant share', async (t) => {
  const root = project(t, { 'a.mjs': 'export const handler = async () => process.pid' })
  const file = join(root, 'a.mjs')
  const functions = await serve(t, [
    { name: 'isolated', file, durable: false, tenancy: 'PER_TENANT', concurrency: 4 },
    { name: 'shared', file, durable: false, concurrency: 4 },
  ])
  const pidOf = async (name: string, tenantId: string): Promise<unknown> =>
    responseOf(await invoke(functions, {}, { name, tenantId }))
  const acme = await pidOf('isolated', 'acme')
  const umbrella = await pidOf('isolated', 'umbrella')
  assert.notEqual(acme, umbrella)
  assert.equal(await pidOf('isolated', 'acme'), acme)
  assert.equal(await pidOf('isolated', 'umbrella'), umbrella)
  assert.equal(await pidOf('shared', 'acme'), await pidOf('shared', 'umbrella'))
})

test('concurrency 8: a hundred reservations never have more than eight processes at work, and all are served', async (t) => {
  let atWork = 0
  let most = 0
  const pids = new Set<string>()
  const functions = await serveOne(
    t,
    'a.mjs',
    `export const handler = async (e) => {
       const answer = await fetch(process.env.AWS_ENDPOINT_URL_LAMBDA + '/' + process.pid)
       await answer.text()
       return e.n
     }`,
    { concurrency: 8 },
    {
      lambdaApi: (request, response) => {
        pids.add(request.url ?? '')
        atWork += 1
        most = Math.max(most, atWork)
        setTimeout(() => {
          atWork -= 1
          response.end('ok')
        }, 20)
      },
    },
  )
  const results = await Promise.all(Array.from({ length: 100 }, (_, n) => answer(functions, { n })))
  assert.deepEqual(
    results,
    Array.from({ length: 100 }, (_, n) => n),
  )
  assert.ok(most <= 8, `${most} at work`)
  assert.ok(most >= 2 && pids.size <= 8, `${pids.size} processes, ${most} at work`)
})

test('closing the room ends idle processes and its own files', async (t) => {
  const root = project(t, { 'a.mjs': 'export const handler = async () => process.pid' })
  const functions = await serve(t, [{ name: 'f', file: join(root, 'a.mjs'), durable: false }], {
    dataDirectory: join(root, 'data'),
  })
  const pid = Number(await answer(functions))
  assert.deepEqual(readdirSync(join(root, 'data', 'processes')), [String(pid)])
  await functions.close()
  assert.equal(isAlive(pid), false)
  assert.deepEqual(readdirSync(join(root, 'data', 'processes')), [])
})

test('a process gets SIGTERM and a moment before it is killed', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `process.on('SIGTERM', () => { console.log('tidied up'); process.exit(0) })
     export const handler = async () => process.pid`,
  )
  await answer(functions)
  await functions.close()
  const records = await logged(functions.logs, { functionNames: new Set(['f']) })
  assert.ok(records.some(({ line }) => line === 'tidied up'))
})

/** A program that opens a room with the function `f` of `f.mjs`; what its handler sends to the Lambda API is printed. */
function serverScript(root: string, dataDirectory: string | undefined, then: string): string {
  const room = (path: string): string => JSON.stringify(join(import.meta.dirname, '..', '..', 'src', path))
  return `
    import { createLocalFunctions } from ${room('functions/local-functions.ts')}
    import { createSystemEntropy, createSystemTimers, systemClock } from ${room('service/clock-adapters.ts')}
    import { DEFAULT_PLACE } from ${room('protocol/arn.ts')}
    const entropy = createSystemEntropy()
    const functions = await createLocalFunctions({
      declarations: [{ name: 'f', file: ${JSON.stringify(join(root, 'f.mjs'))}, durable: false }],
      place: DEFAULT_PLACE,
      lambdaApi: (request, response) => { console.log(request.url.slice(1)); response.end() },
      dataDirectory: ${JSON.stringify(dataDirectory)},
      clock: systemClock, timers: createSystemTimers(systemClock), entropy,
    })
    const slot = await functions.reserve(functions.resolve('f'), undefined, new AbortController().signal)
    await slot.run({ requestId: 'r-1', event: '{}' })
    ${then}
  `
}

/** A server that can be killed; resolves when the handler told its process ids. */
async function startServer(t: TestContext, root: string, dataDirectory: string | undefined) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', serverScript(root, dataDirectory, '')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })
  const [line] = (await once(lines, 'line')) as [string]
  const pids = line.split(',').map(Number)
  t.after(() => {
    for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL')
  })
  return { child, pids }
}

/** Tells the process ids, of itself and of a child, then never gives up the event loop. */
const busyHandler = `import { spawn } from 'node:child_process'
  export const handler = async () => {
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
    await (await fetch(process.env.AWS_ENDPOINT_URL_LAMBDA + '/' + process.pid + ',' + child.pid)).text()
    for (;;) {}
  }`

test('a server killed by SIGKILL leaves no orphans: not a busy handler, not what it forked', async (t) => {
  const root = project(t, { 'f.mjs': busyHandler })
  const { child, pids } = await startServer(t, root, join(root, 'data'))
  assert.equal(pids.length, 2)
  assert.ok(pids.every(isAlive))
  child.kill('SIGKILL')
  await Promise.all(pids.map(gone))
})

test('what survives even the watchdog is killed when a server starts with the same data', async (t) => {
  const root = project(t, { 'f.mjs': busyHandler })
  const dataDirectory = join(root, 'data')
  const { child, pids } = await startServer(t, root, dataDirectory)
  // The watchdog is the one child of the server that is no function process.
  const watchdog = childrenOf(child.pid ?? 0).filter((pid) => !pids.includes(pid))
  for (const pid of watchdog) process.kill(pid, 'SIGKILL')
  child.kill('SIGKILL')
  await Promise.all([gone(child.pid ?? 0), ...watchdog.map(gone)])
  assert.ok(pids.every(isAlive), 'a busy process cannot notice that its server is gone')
  const functions = await serve(t, [], { dataDirectory })
  await Promise.all(pids.map(gone))
  assert.deepEqual(readdirSync(join(dataDirectory, 'processes')), [])
  await functions.close()
})

test('a record of a process whose number was given to another is not acted on', async (t) => {
  const { mkdirSync, writeFileSync } = await import('node:fs')
  const root = project(t, {})
  const bystander = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' })
  t.after(() => bystander.kill('SIGKILL'))
  mkdirSync(join(root, 'data', 'processes'), { recursive: true })
  writeFileSync(join(root, 'data', 'processes', String(bystander.pid)), 'another-boot 12345')
  await serve(t, [], { dataDirectory: join(root, 'data') })
  assert.ok(isAlive(bystander.pid ?? 0))
  assert.deepEqual(readdirSync(join(root, 'data', 'processes')), [])
})

function childrenOf(parent: number): readonly number[] {
  return execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid] : []))
}

test('a program that only opens and closes a room ends by itself', async (t) => {
  const root = project(t, { 'f.mjs': 'export const handler = async () => 1' })
  const script = serverScript(root, undefined, "console.log('closing'); await functions.close()")
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [exitCode] = await once(child, 'exit')
  assert.equal(exitCode, 0)
})
