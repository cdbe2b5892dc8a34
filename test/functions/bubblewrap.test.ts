/** Function processes in namespaces of their own: what they see, how they end, and what happens where it cannot be had. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import * as lambda from '@aws-sdk/client-lambda'
import { openIsolation } from '../../src/functions/isolation/bubblewrap.ts'
import { noIsolation } from '../../src/functions/isolation/isolation.ts'
import { temporaryDirectory } from '../journal/temporary-directory.ts'
import { startPerdureProcess } from '../start-perdure.ts'
import { packageOf } from '../versions/registered.ts'
import { serveRegistered, until } from '../versions/serving.ts'
import { noBubblewrap, succeeds } from './bubblewrap.ts'
import { logged } from './logged.ts'
import { answer, invoke, project, serve } from './project.ts'

const skip = noBubblewrap()
const isolation = 'bubblewrap'
const node = { Runtime: 'nodejs22.x', Handler: 'index.handler' } as const

/** Processes of this machine whose command line holds the text. */
const withText = (text: string): readonly string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(text)
    } catch {
      return false
    }
  })

/** A number of seconds that no other test sleeps. */
const longTime = (): string => `${86_400 + Math.floor(Math.random() * 1e9)}`

describe('what a process sees', { skip }, () => {
  test('its code to be read, layers in /opt, a /tmp of its own, no process but its own', async (t) => {
    const data = project(t, { 'secret.txt': 'of the server' })
    const { registered, answer: ask } = await serveRegistered(t, { isolation, dataDirectory: data })
    const Layers = [registered.publishLayer('l', { 'tool.txt': 'from a layer' })]
    const handler = `const fs = require('node:fs')
const attempt = (work) => { try { return work() ?? 'done' } catch ({ code }) { return code } }
exports.handler = async ({ data, home, server }) => ({
  code: fs.readdirSync('/var/task'), here: process.cwd(), root: process.env.LAMBDA_TASK_ROOT,
  layer: fs.readFileSync('/opt/tool.txt', 'utf8'),
  writes: ['/var/task/x', '/opt/x', '/var/runtime/x', '/x', '/usr/x', '/etc/x', '/dev/x', '/dev/shm/x', '/tmp/x']
    .map((path) => attempt(() => fs.writeFileSync(path, 'x'))),
  room: fs.statfsSync('/tmp').blocks * fs.statfsSync('/tmp').bsize,
  hidden: [data, home, '/etc/shadow', '/proc/' + server].map((path) => attempt(() => fs.readdirSync(path).length)),
  kill: attempt(() => process.kill(server, 0)),
  processes: fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name)),
  capabilities: /CapEff:\\s*(\\w+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1],
})`
    registered.create('f', { 'index.js': handler }, { ...node, Layers, EphemeralStorage: { Size: 600 } })
    const event = { data, home: homedir(), server: process.pid }
    const seen = (await ask('f', undefined, event)) as Record<string, unknown>
    const { writes, hidden, ...rest } = seen
    assert.deepEqual(rest, {
      code: ['index.js'],
      here: '/var/task',
      root: '/var/task',
      layer: 'from a layer',
      room: 600 * 1_048_576,
      kill: 'ESRCH',
      processes: ['1', '2'],
      capabilities: '0'.repeat(16),
    })
    assert.deepEqual((writes as readonly string[]).slice(0, -1), Array(8).fill('EROFS'))
    assert.equal((writes as readonly string[]).at(-1), 'done')
    // A folder above something that it does see is there, and empty but for that.
    const [dataSeen, homeSeen, ...others] = hidden as readonly unknown[]
    assert.equal(dataSeen, 'ENOENT')
    assert.ok(homeSeen === 'ENOENT' || Number(homeSeen) <= 1, String(homeSeen))
    assert.deepEqual(others, ['ENOENT', 'ENOENT'])
  })

  test('of a declared function: its project to be read, and not the data folder that lies in it', async (t) => {
    const root = project(t, {
      'package.json': '{}',
      'f.ts': `import { readdirSync, writeFileSync } from 'node:fs'
import { withDurableExecution } from '@aws/durable-execution-sdk-js'
enum Kind { Bundled = 'bundled' }
export const handler = async () => {
  const written = (() => { try { writeFileSync(import.meta.dirname + '/x', '') } catch (error) { return (error as { code: string }).code } })()
  return [Kind.Bundled, typeof withDurableExecution, readdirSync(import.meta.dirname + '/.perdure').filter((name) => name !== 'code'), written]
}`,
    })
    const dataDirectory = join(root, '.perdure')
    mkdirSync(dataDirectory)
    writeFileSync(join(dataDirectory, 'journal.db'), 'secret')
    // Without a word on durability: the module is looked at in isolation too.
    const functions = await serve(t, [{ name: 'f', file: join(root, 'f.ts') }], { isolation, dataDirectory })
    assert.deepEqual(await answer(functions), ['bundled', 'function', [], 'EROFS'])
  })

  const noPython = !succeeds('python3', '--version') && 'there is no Python on this machine'
  test('Python finds its packages and the server', { skip: noPython }, async (t) => {
    const { registered, answer: ask } = await serveRegistered(t, { isolation })
    const Layers = [registered.publishLayer('l', { 'python/shared.py': "text = 'from a layer'" })]
    registered.create(
      'f',
      {
        'app.py':
          'import os, shared\ndef handler(event, context): return [shared.text, os.getcwd(), os.listdir("/tmp")]',
      },
      { Runtime: 'python3.13', Handler: 'app.handler', Layers },
    )
    assert.deepEqual(await ask('f'), ['from a layer', '/var/task', []])
  })

  test('provided: the bootstrap is that of the layer in /opt, and one that cannot be run is told as always', async (t) => {
    const { registered, invoke: call } = await serveRegistered(t, { isolation })
    const Layers = [registered.publishLayer('l', { bootstrap: '#!/bin/sh\necho "$0 for $_HANDLER"\nexit 3\n' })]
    registered.create('f', { x: 'x' }, { Runtime: 'provided.al2023', Handler: 'any', Layers })
    const ended = await call('f')
    assert.match(ended.logTail, /\/opt\/bootstrap for any/)
    assert.match(JSON.stringify(ended), /Runtime exited with error: exit status 3/)
    registered.create('g', { bootstrap: 'no program' }, { Runtime: 'provided.al2023', Handler: 'any' })
    assert.match(
      JSON.stringify(await call('g')),
      /Runtime\.InvalidEntrypoint.*fork\/exec \/var\/task\/bootstrap: permission denied/,
    )
  })
})

test('all threads come after the server, at the latest when the process is looked at', { skip }, async (t) => {
  const root = project(t, {
    'f.mjs': `import { readdirSync, readFileSync } from 'node:fs'
const nicenessOf = (path) => { const stat = readFileSync(path + '/stat', 'utf8'); return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]) }
export const handler = async () => [...readdirSync('/proc/self/task').map((name) => '/proc/self/task/' + name), '/proc/1'].map(nicenessOf)`,
  })
  const functions = await serve(t, [{ name: 'f', file: join(root, 'f.mjs'), durable: false }], { isolation })
  const deadline = performance.now() + 10_000
  for (;;) {
    const niceness = (await answer(functions)) as readonly number[]
    assert.ok(niceness.length > 2)
    if (niceness.every((value) => value >= 5)) return
    assert.ok(performance.now() < deadline, niceness.join())
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
})

describe('how a process ends', { skip }, () => {
  const source = `import { spawn } from 'node:child_process'
process.on('SIGTERM', () => { console.log('asked to end'); process.exit(0) })
export const handler = async ({ how, seconds }) => {
  console.log('last words')
  if (how === 'exit') process.exit(3)
  if (how === 'crash') process.kill(process.pid, 'SIGSEGV')
  if (how === 'memory') { const all = []; for (;;) { all.push(Buffer.alloc(8_000_000, 1)); await new Promise((r) => setTimeout(r, 5)) } }
  if (how === 'hang') { spawn('sleep', [seconds], { detached: true, stdio: 'ignore' }).unref(); await new Promise(() => setInterval(() => {}, 1_000)) }
  return 'well'
}`
  const served = async (t: Parameters<typeof serve>[0]) => {
    const root = project(t, { 'f.mjs': source })
    return serve(t, [{ name: 'f', file: join(root, 'f.mjs'), durable: false, memory: 256, timeout: 2 }], { isolation })
  }

  const ENDS: readonly (readonly [how: string, said: RegExp])[] = [
    ['exit', /Runtime exited with error: exit status 3/],
    ['crash', /Runtime exited with error: signal: segmentation fault/],
    ['memory', /Runtime exited with error: signal: killed/],
  ]
  for (const [how, said] of ENDS) {
    test(`${how}: told as without isolation, with its last words`, async (t) => {
      const functions = await served(t)
      const result = await invoke(functions, { how })
      assert.match(JSON.stringify(result), said)
      assert.match(result.logTail, /last words/)
      if (how === 'memory') assert.match(result.logTail, /MB of memory are used, 256 MB are declared/)
      assert.equal(await answer(functions, {}), 'well')
    })
  }

  test('a timeout ends all that it started, also what left its group', async (t) => {
    const functions = await served(t)
    const seconds = longTime()
    assert.match(
      JSON.stringify(await invoke(functions, { how: 'hang', seconds })),
      /Task timed out after 2\.00 seconds/,
    )
    await until('the sleep is gone', () => withText(seconds).length === 0)
  })

  test('one that is idle is asked first', async (t) => {
    const { registered, functions, answer: ask } = await serveRegistered(t, { isolation })
    registered.create('f', { 'index.mjs': source }, node)
    assert.equal(await ask('f'), 'well')
    registered.configure('f', { Timeout: 11 })
    const printed = async () => (await logged(functions.logs)).map(({ line }) => line)
    const deadline = performance.now() + 10_000
    while (!(await printed()).includes('asked to end')) {
      assert.ok(performance.now() < deadline, 'it was never asked')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })

  test('the death of the server ends it with everything in it', async (t) => {
    const data = temporaryDirectory(t)
    const server = await startPerdureProcess({ data, functions: [], isolation, log: { level: 'error' } })
    t.after(() => server.kill())
    const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
    const client = new lambda.LambdaClient({
      endpoint: server.endpoint,
      region: 'us-east-1',
      credentials,
      maxAttempts: 1,
    })
    t.after(() => client.destroy())
    const seconds = longTime()
    await client.send(
      new lambda.CreateFunctionCommand({
        FunctionName: 'f',
        Role: 'arn:aws:iam::000000000000:role/any',
        Code: { ZipFile: packageOf({ 'index.mjs': source }) },
        Timeout: 300,
        ...node,
      }),
    )
    const Payload = JSON.stringify({ how: 'hang', seconds })
    const call = assert.rejects(client.send(new lambda.InvokeCommand({ FunctionName: 'f', Payload })))
    await until('it runs', () => withText(seconds).length > 0)
    await server.kill()
    await call
    await until('nothing of it runs', () => withText(seconds).length === 0)
  })
})

describe('where isolation cannot be had', { skip: process.platform !== 'linux' && 'it is for Linux alone' }, () => {
  const options = (t: Parameters<typeof temporaryDirectory>[0], program: string) => {
    const directory = temporaryDirectory(t)
    return { hidden: directory, directory: join(directory, 'isolation'), program }
  }
  /** As bwrap is where user namespaces are forbidden. */
  const forbidden = (t: Parameters<typeof temporaryDirectory>[0]): string => {
    const program = join(temporaryDirectory(t), 'bwrap')
    const script = '#!/bin/sh\n[ "$1" = --help ] && exit 0\necho "setting up uid map: Permission denied" >&2\nexit 1\n'
    writeFileSync(program, script)
    chmodSync(program, 0o755)
    return program
  }

  test('a program that is not there is told at the start, with what to install', async (t) => {
    await assert.rejects(openIsolation({ kind: 'bubblewrap', ...options(t, '/nowhere/bwrap') }), {
      name: 'DeclarationError',
      message:
        /^bubblewrap \(\/nowhere\/bwrap\) cannot be started: there is no such program\.\nFunctions would run without .*\nInstall it \(apt-get install bubblewrap/,
    })
  })

  test('one that may make no namespaces is told with its own words, and what to permit', async (t) => {
    await assert.rejects(openIsolation({ kind: 'bubblewrap', ...options(t, forbidden(t)) }), {
      name: 'DeclarationError',
      message: /may not make namespaces here: setting up uid map: Permission denied\.\n.*\nPermit user namespaces/s,
    })
  })

  test('auto does without, and none does not ask', async (t) => {
    for (const program of ['/nowhere/bwrap', forbidden(t)]) {
      assert.equal(await openIsolation({ kind: 'auto', ...options(t, program) }), noIsolation)
    }
    const asked = join(temporaryDirectory(t), 'asked')
    const given = options(t, asked)
    assert.equal(await openIsolation({ kind: 'none', ...given }), noIsolation)
    assert.equal(existsSync(given.directory), false)
  })
})
