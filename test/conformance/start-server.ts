/** Starts and stops the server under test, a process of its own with a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface ServerSettings {
  readonly store: 'memory' | 'sqlite'
  /** Where the database is and what the server prints. The server removes it when it ends in good order. */
  readonly folder: string
  readonly requirementIds: readonly string[]
}

export interface RunningServer {
  readonly endpoint: string
  /** The end of what the server printed to its standard error. */
  readErrors(): Promise<string>
  stop(): Promise<void>
}

const STOP_LIMIT_MS = 15_000

export async function startServer(
  store: ServerSettings['store'],
  requirementIds: readonly string[],
): Promise<RunningServer> {
  const folder = await mkdtemp(join(tmpdir(), 'perdure-conformance-'))
  const errorFile = join(folder, 'stderr.txt')
  const settings: ServerSettings = { store, folder, requirementIds }
  const child = spawn(process.execPath, [join(import.meta.dirname, 'server-process.ts'), JSON.stringify(settings)], {
    stdio: ['pipe', 'pipe', openSync(errorFile, 'w')],
  })
  const readErrors = async () => (await readFile(errorFile, 'utf8')).slice(-4000)
  const stop = async () => {
    await end(child)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    return { endpoint: await readEndpoint(child, readErrors), readErrors, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function readEndpoint(child: ChildProcess, readErrors: () => Promise<string>): Promise<string> {
  if (child.stdout === null) throw new Error('the server has no standard output')
  for await (const line of createInterface({ input: child.stdout })) {
    if (!line.startsWith('{"endpoint"')) continue
    // Nobody reads on; a full pipe would hold the server up.
    setImmediate(() => child.stdout?.resume())
    return (JSON.parse(line) as { endpoint: string }).endpoint
  }
  throw new Error(`the server ended before it was ready:\n${await readErrors()}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
  await exited
  clearTimeout(limit)
}
