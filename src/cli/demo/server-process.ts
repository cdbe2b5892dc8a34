/**
 * A Perdure server in a process of its own, for the demo to kill.
 *
 * down → `start` → up → `kill` (SIGKILL, nothing is closed) or `stop` (SIGTERM, drains) → down. It listens on the same
 * port each time. The process is tied to this one by its IPC channel and ends with it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CliFailure } from '../failure.ts'

/** The command line beside this file: its source in development, its compiled form in the published package. */
const program = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? '../main.ts' : '../main.js', import.meta.url))

export interface ServerProcessOptions {
  readonly config: string
  readonly data: string
  readonly ledger: string
  readonly port: number
}

export class ServerProcess {
  readonly #options: ServerProcessOptions
  #child: ChildProcess | undefined
  #port: number

  constructor(options: ServerProcessOptions) {
    this.#options = options
    this.#port = options.port
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Resolves with the endpoint when the server is ready; rejects with what it said when it ends instead. */
  async start(): Promise<string> {
    const { config, data, ledger } = this.#options
    const args = ['start', '--config', config, '--data', data, '--port', String(this.#port), '--json']
    const child = spawn(process.execPath, [...process.execArgv, program, ...args], {
      env: { ...process.env, PERDURE_LEDGER: ledger },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    })
    this.#child = child
    let complaint = ''
    child.stderr?.on('data', (chunk: Buffer) => {
      complaint += chunk.toString('utf8')
    })
    const endpoint = await firstEndpoint(child)
    if (endpoint === undefined) {
      throw new CliFailure({
        cause: `the demo's server did not start: ${complaint.trim().replace(/^perdure: /, '') || 'it said nothing'}`,
      })
    }
    this.#port = Number(new URL(endpoint).port)
    return endpoint
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
}

/** The endpoint on the first line that the process prints; undefined when it ends without one. */
async function firstEndpoint(child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) return undefined
  for await (const line of createInterface({ input: child.stdout })) {
    const { endpoint } = JSON.parse(line) as { endpoint: string }
    child.stdout.resume()
    return endpoint
  }
  return undefined
}
