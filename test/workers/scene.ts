/** What the tests of workers share: a real server, workers in processes of their own or in the test's, and a ledger. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { type AttachedWorker, PerdureClient } from '../../src/client/client.ts'
import type { FunctionDeclaration, PerdureOptions } from '../../src/index.ts'
import { type StartWorkerOptions, startWorker, type WorkerCode } from '../../src/worker.ts'
import { type PerdureProcess, startPerdureProcess } from '../start-perdure.ts'

const root = join(import.meta.dirname, '..', '..')
const program = join(root, 'src', 'cli', 'main.ts')

/** A folder with the files, that finds this repository's packages. Gone when the test ends. */
export function project(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'perdure-workers-'))
  t.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  appendFileSync(join(folder, 'ledger'), '')
  return folder
}

/** Begins every durable handler of these tests. `mark` writes a line to the ledger that no server touches. */
export const marking = `
import { appendFileSync } from 'node:fs'
import { withDurableExecution, type DurableContext } from '@aws/durable-execution-sdk-js'
const mark = (text: string): void => appendFileSync(process.env.LEDGER ?? '', text + '\\n')
const moment = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
`

export const marksOf = (folder: string): readonly string[] =>
  readFileSync(join(folder, 'ledger'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')

export interface Scene {
  readonly folder: string
  readonly client: PerdureClient
  server: PerdureProcess
  /** What the server wrote to its log so far. */
  readonly log: () => string
  /** Kills the server and starts another at the same port, over the same data. */
  restart(): Promise<void>
  workers(functionName?: string): Promise<readonly AttachedWorker[]>
}

export async function scene(
  t: TestContext,
  functions: readonly FunctionDeclaration[],
  files: Readonly<Record<string, string>>,
  options: Partial<PerdureOptions> = {},
): Promise<Scene> {
  const folder = project(t, files)
  let log = ''
  const start = (port: number): Promise<PerdureProcess> =>
    startPerdureProcess({ port, data: join(folder, 'data'), functions, ...options }, (text) => {
      log += text
    })
  const made: Scene = {
    folder,
    server: await start(0),
    client: new PerdureClient('http://127.0.0.1'),
    log: () => log,
    restart: async () => {
      await made.server.kill()
      made.server = await start(Number(new URL(made.server.endpoint).port))
    },
    workers: (functionName) => made.client.workers({ functionName }),
  }
  const client = new PerdureClient(made.server.endpoint, { retry: { maxAttempts: 10 } })
  t.after(async () => {
    client.close()
    await made.server.kill()
  })
  return Object.assign(made, { client })
}

export const durable = (name: string, more: Partial<FunctionDeclaration> = {}): FunctionDeclaration => ({
  name,
  remote: true,
  durable: { ExecutionTimeout: 300 },
  ...more,
})

export const plain = (name: string, more: Partial<FunctionDeclaration> = {}): FunctionDeclaration => ({
  name,
  remote: true,
  durable: false,
  ...more,
})

export interface WorkerProgram {
  readonly pid: number
  readonly name: string
  signal(signal: NodeJS.Signals): void
  /** Resolves with the exit code. */
  readonly exited: Promise<number | null>
  /** What it wrote to standard error so far. */
  readonly said: () => string
}

let programs = 0

/** `perdure worker` in a process of its own, attached when this resolves unless told not to wait. */
export async function workerProgram(
  t: TestContext,
  { folder, server }: Pick<Scene, 'folder' | 'server'>,
  functionName: string,
  code: readonly string[],
  options: { readonly endpoint?: string; readonly args?: readonly string[]; readonly attaches?: boolean } = {},
): Promise<WorkerProgram> {
  programs += 1
  const name = `worker-${programs}`
  const args = ['worker', '--function', functionName, '--server', options.endpoint ?? server.endpoint, '--json']
  const child = spawn(process.execPath, [program, ...args, '--name', name, ...(options.args ?? []), ...code], {
    cwd: folder,
    env: { ...process.env, LEDGER: join(folder, 'ledger') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  t.after(async () => {
    child.kill('SIGCONT')
    child.kill('SIGKILL')
    await exited
  })
  if (options.attaches !== false) await firstLine(child, () => said)
  return { pid: child.pid ?? 0, name, signal: (signal) => void child.kill(signal), exited, said: () => said }
}

async function firstLine(child: ChildProcess, said: () => string): Promise<void> {
  if (child.stdout === null) throw new Error('the worker has no standard output')
  const lines = createInterface({ input: child.stdout })
  await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the worker ended with ${code} before it was attached: ${said()}`)
    }),
  ])
}

export interface OwnWorker {
  drain(): Promise<void>
  readonly printed: readonly string[]
  readonly news: readonly string[]
}

/** A worker in the test's own process, whose function processes are real; attached when this resolves. */
export async function ownWorker(
  t: TestContext,
  { server, folder }: { readonly server: { readonly endpoint: string }; readonly folder: string },
  functionName: string,
  code: string | readonly [command: string, ...args: string[]],
  options: Partial<StartWorkerOptions> = {},
): Promise<OwnWorker> {
  process.env['LEDGER'] = join(folder, 'ledger')
  const attached = Promise.withResolvers<void>()
  const printed: string[] = []
  const news: string[] = []
  const worker = await startWorker({
    server: new URL(server.endpoint),
    functionName,
    code: codeOf(code, folder),
    printed: ({ line }) => printed.push(line),
    tell: (each) => {
      news.push(each.kind)
      if (each.kind === 'notStarted' && each.cause !== undefined) news.push(each.cause)
      if (each.kind === 'attached') attached.resolve()
    },
    ...options,
  })
  const drain = async (): Promise<void> => {
    worker.drain()
    await worker.ended
  }
  t.after(drain)
  await Promise.race([attached.promise, worker.ended])
  return { drain, printed, news }
}

function codeOf(code: string | readonly [command: string, ...args: string[]], folder: string): WorkerCode {
  if (typeof code === 'string') return { kind: 'module', file: join(folder, code), exportName: undefined }
  const [command, ...args] = code
  return { kind: 'command', command, args, directory: folder }
}

const patienceMs = 30_000

/** Looks until it is so. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + patienceMs
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`gave up waiting for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** A connection's middle: passes bytes on, or swallows them and stays silent. */
export interface Proxy {
  readonly endpoint: string
  /** Nothing that comes from now on arrives, in either direction, and nobody is told. */
  swallow(): void
  /** New connections are passed on again; those of before stay as they are. */
  heal(): void
  /** What was swallowed arrives after all. */
  release(): void
}

/** `bytesPerSecond` of each connection and direction; absent: as fast as it goes. */
export async function proxyTo(t: TestContext, endpoint: string, bytesPerSecond?: number): Promise<Proxy> {
  const target = new URL(endpoint)
  let swallows = false
  const held: { readonly to: Socket; readonly bytes: Buffer }[] = []
  const muted = new WeakSet<Socket>()
  const sockets = new Set<Socket>()
  const pass = (from: Socket, to: Socket): void => {
    from.on('data', (bytes: Buffer) => {
      if (muted.has(from)) held.push({ to, bytes })
      else to.write(bytes)
      if (bytesPerSecond === undefined) return
      from.pause()
      setTimeout(() => from.resume(), (bytes.byteLength / bytesPerSecond) * 1_000)
    })
    from.on('close', () => {
      if (!muted.has(from)) to.destroy()
    })
    from.on('error', () => {})
  }
  const proxy = createServer((incoming) => {
    const outgoing = connect(Number(target.port), target.hostname)
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket)
      if (swallows) muted.add(socket)
    }
    pass(incoming, outgoing)
    pass(outgoing, incoming)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  const address = proxy.address()
  assert.ok(address !== null && typeof address === 'object')
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    swallow: () => {
      swallows = true
      for (const socket of sockets) muted.add(socket)
    },
    heal: () => {
      swallows = false
    },
    release: () => {
      for (const { to, bytes } of held.splice(0)) to.write(bytes)
    },
  }
}
