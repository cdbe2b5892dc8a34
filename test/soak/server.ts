/**
 * The server under soak: `perdure start` as users run it, in a process of its own, on one port and one data folder over
 * all its lives. It ends with the soak by its IPC channel. When it ends without having been told to, `died` hears of it.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'

const PROGRAM = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts')
const PAST_LIFE = join(import.meta.dirname, 'past-life.ts')
const READY_LIMIT_MS = 120_000
/** Ten seconds of grace for what runs, and as much again and more for a busy machine. */
const STOP_LIMIT_MS = 40_000
const REPORT_MS = 2_000

export interface ServerPaths {
  readonly config: string
  readonly data: string
  readonly log: string
  /** Where a server that does not end says why. */
  readonly reports: string
}

export class Server {
  readonly endpoint: string
  readonly #port: number
  readonly #paths: ServerPaths
  readonly #died: (words: string) => void
  #process: ChildProcess | undefined
  #wanted = false
  /** How many processes there were, and how long each took until it was ready, at worst. */
  lives = 0
  slowestStartMs = 0

  private constructor(port: number, paths: ServerPaths, died: (words: string) => void) {
    this.#port = port
    this.#paths = paths
    this.#died = died
    this.endpoint = `http://127.0.0.1:${port}`
  }

  static async at(paths: ServerPaths, died: (words: string) => void): Promise<Server> {
    return new Server(await freePort(), paths, died)
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Resolves when it is ready. With `pastLife` on a clock of an earlier day. */
  async start(pastLife?: { readonly serverMs: number; readonly speed: number }): Promise<void> {
    const beganMs = performance.now()
    const log = openSync(this.#paths.log, 'a')
    const imports = pastLife === undefined ? [] : ['--import', PAST_LIFE]
    const { config, data } = this.#paths
    const args = ['start', '--config', config, '--data', data, '--port', String(this.#port), '--log-level', 'warn']
    const reports = ['--report-on-signal', `--report-directory=${this.#paths.reports}`]
    const child = spawn(process.execPath, [...process.execArgv, ...reports, ...imports, PROGRAM, ...args], {
      stdio: ['ignore', 'ignore', log, 'ipc'],
      env: {
        ...process.env,
        ...(pastLife === undefined
          ? {}
          : { PERDURE_PAST_LIFE: `${Date.now()} ${Math.round(pastLife.serverMs)} ${pastLife.speed}` }),
      },
    })
    closeSync(log)
    this.#process = child
    this.#wanted = true
    this.lives += 1
    child.once('exit', (code, signal) => {
      if (this.#wanted && this.#process === child) this.#died(`the server ended by itself: ${signal ?? `code ${code}`}`)
    })
    while (!(await this.#ready())) {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error('the server ended before it was ready')
      if (performance.now() - beganMs > READY_LIMIT_MS)
        throw new Error(`the server is not ready after ${READY_LIMIT_MS} ms`)
      await new Promise((resolve) => setTimeout(resolve, 25))
    }
    this.slowestStartMs = Math.max(this.slowestStartMs, performance.now() - beganMs)
  }

  /** SIGKILL, and nothing else. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** SIGTERM; resolves with the exit code. */
  async terminate(): Promise<number | null> {
    const patience = setTimeout(() => {
      // A report of what it still waits for comes into its folder; then it has to end.
      this.#process?.kill('SIGUSR2')
      setTimeout(() => this.#process?.kill('SIGKILL'), REPORT_MS)
    }, STOP_LIMIT_MS)
    const code = await this.#end('SIGTERM')
    clearTimeout(patience)
    return code
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal)
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const child = this.#process
    this.#wanted = false
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
    return child.exitCode
  }

  /** Function processes of the running server: the Node.js processes below it, by their parent in /proc. */
  functionProcesses(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => isFunctionOf(pid, this.pid))
  }

  async #ready(): Promise<boolean> {
    try {
      const response = await fetch(`${this.endpoint}/readyz`)
      await response.arrayBuffer()
      return response.status === 200
    } catch {
      // It does not listen yet.
      return false
    }
  }
}

/** Its watchdog is below the server too, and a shell. */
function isFunctionOf(pid: number, parent: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const afterName = stat.lastIndexOf(')')
    const [, parentOfPid] = stat.slice(afterName + 2).split(' ')
    return Number(parentOfPid) === parent && !stat.slice(0, afterName).endsWith('(sh')
  } catch {
    // It has ended between the listing and the look.
    return false
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as net.AddressInfo
      probe.close(() => resolve(port))
    })
  })
}
