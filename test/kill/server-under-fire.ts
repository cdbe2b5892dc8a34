/** A server on SQLite that is killed and started again on the same port and data, and the processes below it. */
import { readdirSync, readFileSync } from 'node:fs'
import net from 'node:net'
import type { PerdureOptions } from '../../src/index.ts'
import { type PerdureProcess, startPerdureProcess } from '../start-perdure.ts'

export class ServerUnderFire {
  readonly endpoint: string
  readonly #options: PerdureOptions
  #process: PerdureProcess

  private constructor(options: PerdureOptions, process: PerdureProcess) {
    this.#options = options
    this.#process = process
    this.endpoint = process.endpoint
  }

  static async start(options: PerdureOptions): Promise<ServerUnderFire> {
    const fixed = { ...options, port: await freePort() }
    return new ServerUnderFire(fixed, await startPerdureProcess(fixed))
  }

  /** SIGKILL, and nothing else. */
  kill(): Promise<void> {
    return this.#process.kill()
  }

  async restart(): Promise<void> {
    this.#process = await startPerdureProcess(this.#options)
  }

  stop(): Promise<void> {
    return this.#process.stop()
  }

  /** Function processes of the running server: its children, by their parent in /proc. */
  functionProcesses(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => parentOf(pid) === this.#process.pid)
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    // It has ended between the listing and the look.
    return undefined
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
