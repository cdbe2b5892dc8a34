/** A real Perdure server in a process of its own, for tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { PerdureOptions } from '../src/index.ts'

export interface PerdureProcess {
  readonly endpoint: string
  readonly pid: number
  /** Asks it to close and waits until it has ended. */
  stop(): Promise<void>
  kill(): Promise<void>
}

/** `data` is a folder of the caller's; the process also ends when this one does. */
export async function startPerdureProcess(
  options: PerdureOptions,
  /** Told what the server writes to its standard error; absent: it goes to this process's own. */
  stderr?: (text: string) => void,
  /** A command that runs the server as its last arguments, such as a tracer. */
  under: readonly string[] = [],
): Promise<PerdureProcess> {
  const program = join(import.meta.dirname, 'tables', 'server-process.ts')
  const server = [process.execPath, program, JSON.stringify({ port: 0, ...options })]
  const [command = process.execPath, ...args] = [...under, ...server]
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', stderr === undefined ? 'inherit' : 'pipe'],
  })
  if (stderr !== undefined) child.stderr?.setEncoding('utf8').on('data', stderr)
  const ended = once(child, 'exit')
  const endpoint = await readEndpoint(child)
  return {
    endpoint,
    pid: child.pid ?? 0,
    async stop() {
      child.stdin?.end()
      await ended
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function readEndpoint(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the server has no standard output')
  const lines = createInterface({ input: child.stdout })
  const [line] = await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the server ended with ${code} before it was ready`)
    }),
  ])
  return (JSON.parse(line as string) as { endpoint: string }).endpoint
}
