/** What a function process may take of the machine. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import test from 'node:test'
import type { InvocationResult } from '../../src/service/ports.ts'
import { startPerdureProcess } from '../start-perdure.ts'
import { type WireAnswer, WireClient } from '../tables/wire.ts'
import { gone } from './living-process.ts'
import { answer, invoke, project, serveOne } from './project.ts'

const onLinux = { skip: process.platform === 'linux' ? false : 'looks into /proc' }

function assertKilledFor(result: InvocationResult, cause: RegExp): void {
  if (result.kind !== 'error') throw new Error(`expected an error, got ${JSON.stringify(result)}`)
  assert.equal(result.error.ErrorType, 'Runtime.ExitError')
  assert.match(result.error.ErrorMessage ?? '', /^RequestId: \S+ Error: Runtime exited with error: signal: killed$/)
  assert.match(result.logTail, cause)
}

test(
  'a function that takes more memory outside of its heap than it declared is killed, and replaced',
  onLinux,
  async (t) => {
    const functions = await serveOne(
      t,
      'a.mjs',
      `const kept = []
     export const handler = async ({ eat }) => {
       while (eat) { kept.push(Buffer.alloc(8_388_608, 1)); await new Promise((resolve) => setTimeout(resolve, 10)) }
       return process.pid
     }`,
      { memory: 128, concurrency: 1 },
    )
    const before = await answer(functions)
    const eaten = await invoke(functions, { eat: true })
    assertKilledFor(
      eaten,
      /\[perdure\] The process and what it forked are killed: \d+ MB of memory are used, 128 MB are declared/,
    )
    const [, usedMb = ''] = /Max Memory Used: (\d+) MB/.exec(eaten.logTail) ?? []
    assert.ok(Number(usedMb) > 128, `it used ${usedMb} MB`)
    assert.notEqual(await answer(functions), before)
  },
)

test('what it forks counts: children that eat memory end with it', onLinux, async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `import { spawn } from 'node:child_process'
     const eater = 'const kept = []; setInterval(() => kept.push(Buffer.alloc(8_388_608, 1)), 10)'
     export const handler = async ({ eat }) => {
       if (!eat) return
       const child = spawn(process.execPath, ['-e', eater])
       console.log('child', child.pid)
       await new Promise(() => setInterval(() => {}, 1000))
     }`,
    { memory: 128 },
  )
  const eaten = await invoke(functions, { eat: true })
  assertKilledFor(eaten, /128 MB are declared/)
  const [, pid] = /child (\d+)/.exec(eaten.logTail) ?? []
  await gone(Number(pid))
})

test('more processes than the real service allows are killed together', onLinux, async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `import { spawn } from 'node:child_process'
     export const handler = async () => {
       spawn('/bin/sh', ['-c', 'i=0; while [ $i -lt 1100 ]; do sleep 60 & i=$((i + 1)); done; wait'])
       await new Promise(() => setInterval(() => {}, 1000))
     }`,
    // On a busy machine the crowd, which comes after all others, takes its time to grow.
    { memory: 4096, timeout: 300 },
  )
  assertKilledFor(await invoke(functions), /\d+ processes run, 1024 may/)
})

test('a heap that is full ends the process as the real service says it', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    'export const handler = async () => { const kept = []; for (;;) kept.push(new Array(10_000).fill({})) }',
    { memory: 128 },
  )
  const result = await invoke(functions)
  assert.equal(result.kind, 'error')
  assert.match(result.kind === 'error' ? (result.error.ErrorMessage ?? '') : '', /signal: (aborted|killed)$/)
})

test('all threads of a function, and what it forks, come after the server', onLinux, async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `import { execFileSync } from 'node:child_process'
     export const handler = async () => [process.pid, execFileSync('cat', ['/proc/self/stat']).toString()]`,
  )
  const [pid, childStat] = (await answer(functions)) as [number, string]
  const nicenessOf = (stat: string): number => Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16])
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'),
  )
  const own = nicenessOf(readFileSync('/proc/self/stat', 'utf8'))
  assert.ok(threads.length > 1)
  for (const stat of [...threads, childStat]) assert.ok(nicenessOf(stat) > own, `${nicenessOf(stat)} against ${own}`)
  assert.equal(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim(), '500')
})

test('a function that forks a crowd comes after all others', onLinux, async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    `import { spawn } from 'node:child_process'
     import { getPriority } from 'node:os'
     export const handler = async () => {
       const children = Array.from({ length: 20 }, () => spawn('sleep', ['60']))
       while (children.some(({ pid }) => getPriority(pid) < 19)) await new Promise((resolve) => setTimeout(resolve, 20))
       for (const child of children) child.kill()
       return 'all were lowered'
     }`,
    { timeout: 20 },
  )
  assert.equal(await answer(functions), 'all were lowered')
})

test('warm processes are there before the first invocation, and again after one has died', async (t) => {
  const functions = await serveOne(
    t,
    'a.mjs',
    'export const handler = async ({ die }) => die ? process.exit(1) : process.pid',
    { warm: 2, concurrency: 3 },
    { idleMs: 50 },
  )
  const warm = async (): Promise<void> => {
    while (functions.loads()[0]?.idleProcesses !== 2) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await warm()
  await invoke(functions, { die: true })
  assert.equal(functions.loads()[0]?.processes, 1)
  await warm()
})

test(
  '[I7] a server without a free descriptor lives on, and starts processes again when there are some',
  onLinux,
  async (t) => {
    const root = project(t, {
      'a.mjs': `import { spawn } from 'node:child_process'
      // With a child in sight, all processes are looked at.
      const child = spawn('sleep', ['60'], { stdio: 'ignore' })
      export const handler = (e) => new Promise((resolve) => setTimeout(resolve, e.ms, child.pid))`,
    })
    const declared = { file: join(root, 'a.mjs'), durable: false as const, concurrency: 1 }
    let stderr = ''
    const server = await startPerdureProcess(
      {
        data: join(root, 'data'),
        functions: [
          { ...declared, name: 'f' },
          { ...declared, name: 'g' },
        ],
      },
      (text) => {
        stderr += text
      },
      ['sh', '-c', 'ulimit -n 150 && exec "$@"', 'sh'],
    )
    const client = new WireClient(server.endpoint)
    const sockets: net.Socket[] = []
    t.after(async () => {
      for (const socket of sockets) socket.destroy()
      client.close()
      await server.stop()
    })
    const call = (name: string, ms: number): Promise<WireAnswer> =>
      client.send({ method: 'POST', path: `/2015-03-31/functions/${name}/invocations`, body: JSON.stringify({ ms }) })
    assert.equal((await call('f', 0)).status, 200)

    for (let n = 0; n < 200; n++) {
      const socket = net.connect(Number(new URL(server.endpoint).port), '127.0.0.1')
      socket.on('error', () => {})
      sockets.push(socket)
    }
    const openFiles = (): number => readdirSync(`/proc/${server.pid}/fd`).length
    while (openFiles() < 150) await new Promise(setImmediate)
    // Longer than the pause between two looks at the processes.
    assert.equal((await call('f', 1_000)).status, 200)
    assert.ok(openFiles() >= 150)

    for (const socket of sockets) socket.destroy()
    while (openFiles() > 100) await new Promise(setImmediate)
    assert.equal((await call('g', 0)).status, 200)
    assert.equal(stderr, '')
  },
)
