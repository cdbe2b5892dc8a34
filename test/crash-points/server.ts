/**
 * A server on one port and folder that is struck at a crash point: killed there, upon which it is started again, or
 * stopped there for a while, in which nobody may be answered and nobody may take its place.
 *
 *     begin ─→ serving ─→ (struck ─→ serving) ─→ stop ─→ ended
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CrashPoint } from '../../src/crash-point.ts'
import type { PerdureOptions } from '../../src/index.ts'
import { isStopped, processesOf } from './processes.ts'

export const ACTIONS = ['SIGKILL', 'SIGSTOP'] as const
export type Action = (typeof ACTIONS)[number]

export interface Blow {
  readonly point: CrashPoint
  readonly hit: number
  readonly action: Action
}

const PROGRAM = join(import.meta.dirname, '..', 'tables', 'server-process.ts')
/** How long nobody is answered while the server is stopped. */
const STOPPED_MS = 700
const LOOK_MS = 10
const PATIENCE_MS = 60_000

interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

class Run {
  readonly child: ChildProcess
  readonly pid: number
  readonly serving: Promise<void>
  readonly ended: Promise<Ending>
  readonly blow: Blow | undefined
  errors = ''
  /** Whoever ends it now means to. */
  closing = false

  constructor(options: PerdureOptions, order: Blow | string | undefined) {
    this.blow = typeof order === 'object' ? order : undefined
    const text = typeof order === 'object' ? `${order.point}:${order.hit}:${order.action}` : order
    const environment: NodeJS.ProcessEnv = { ...process.env }
    delete environment['PERDURE_CRASH_POINT']
    this.child = spawn(process.execPath, [PROGRAM, JSON.stringify(options)], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: text === undefined ? environment : { ...environment, PERDURE_CRASH_POINT: text },
    })
    this.pid = this.child.pid ?? 0
    this.child.stderr?.setEncoding('utf8').on('data', (words: string) => {
      this.errors += words
    })
    this.child.stdin?.on('error', () => {
      // It has ended: told by 'exit'.
    })
    this.ended = once(this.child, 'exit').then(([code, signal]) => ({ code, signal }))
    this.serving = new Promise((resolve) => {
      if (this.child.stdout !== null) createInterface({ input: this.child.stdout }).once('line', () => resolve())
    })
  }
}

export class Server {
  readonly endpoint: string
  /** What the servers did that they must not. */
  readonly faults: string[] = []
  /** From the restart, or the SIGCONT, until a client was answered; undefined until the point was hit. */
  recoveredMs: number | undefined
  /** Claims of the blow itself that were looked at and held. */
  checked = 0
  readonly #options: PerdureOptions
  readonly #folder: string
  readonly #whileStopped: () => void
  #run: Run | undefined
  #striking: Promise<void> = Promise.resolve()

  private constructor(options: PerdureOptions, folder: string, whileStopped: () => void) {
    this.#options = options
    this.#folder = folder
    this.#whileStopped = whileStopped
    this.endpoint = `http://127.0.0.1:${options.port}`
  }

  /** `whileStopped` is called when a stopped server has kept silent for a while. */
  static async on(folder: string, options: PerdureOptions, whileStopped: () => void): Promise<Server> {
    return new Server({ ...options, port: await freePort() }, folder, whileStopped)
  }

  /** Resolves when a server serves: the second, when the first is killed on its way. */
  async begin(order?: Blow | string): Promise<void> {
    const run = new Run(this.#options, order)
    this.#run = run
    void this.#mourn(run)
    if (run.blow?.action === 'SIGSTOP') this.#striking = this.#faultless(this.#freeze(run))
    await this.#serving()
  }

  /** Ends it in order, and once more when it was killed on its way to the end. */
  async stop(): Promise<void> {
    for (;;) {
      const run = await this.#current()
      run.closing = true
      run.child.stdin?.end()
      const { code, signal } = await run.ended
      await this.#striking
      if (isKilledBy(run.blow, signal)) await this.#revive()
      else if (code !== 0) this.#fault(`it ended with ${code ?? signal} when it was told to close`, run)
      if (!isKilledBy(run.blow, signal)) return
    }
  }

  /** SIGKILL from outside. */
  async kill(): Promise<void> {
    const run = await this.#current()
    run.closing = true
    run.child.kill('SIGKILL')
    await run.ended
  }

  /** Leaves nothing behind, whatever state things are in. */
  async abandon(): Promise<void> {
    if (this.#run !== undefined) this.#run.closing = true
    for (const { pid } of processesOf(this.#folder)) signal(pid, 'SIGKILL')
    await this.#run?.ended
  }

  async #current(): Promise<Run> {
    await this.#serving()
    if (this.#run === undefined) throw new Error('no server was begun')
    return this.#run
  }

  async #serving(): Promise<void> {
    for (;;) {
      const run = this.#run
      if (run === undefined) return
      const ready = await Promise.race([run.serving.then(() => true), run.ended.then(() => false)])
      if (ready && run === this.#run) return
      await this.#striking
      if (this.faults.length > 0) throw new Error('no server serves')
    }
  }

  async #mourn(run: Run): Promise<void> {
    const { code, signal } = await run.ended
    if (run.closing) return
    if (isKilledBy(run.blow, signal)) this.#striking = this.#faultless(this.#revive())
    else this.#fault(`it ended by itself with ${code ?? signal}`, run)
  }

  async #revive(): Promise<void> {
    const began = performance.now()
    const run = new Run(this.#options, undefined)
    this.#run = run
    void this.#mourn(run)
    await Promise.race([run.serving, run.ended])
    await this.#answers(run)
    this.recoveredMs = performance.now() - began
    await this.#noOrphans(run)
  }

  /** The server is stopped at the point: for a while nobody is answered, and nobody may take its place. */
  async #freeze(run: Run): Promise<void> {
    let over = false
    void run.ended.then(() => {
      over = true
    })
    while (!over && !isStopped(run.pid)) await sleep(LOOK_MS)
    if (over) return
    await Promise.all([this.#nobodyAnswers(), this.#nobodyTakesOver(), sleep(STOPPED_MS)])
    this.#whileStopped()
    if (!isStopped(run.pid)) this.#fault('it went on before it was told to', run)
    const began = performance.now()
    signal(run.pid, 'SIGCONT')
    await this.#answers(run)
    this.recoveredMs = performance.now() - began
  }

  async #nobodyAnswers(): Promise<void> {
    try {
      const { status } = await fetch(`${this.endpoint}/healthz`, { signal: AbortSignal.timeout(STOPPED_MS / 2) })
      this.#fault(`it answered ${status} while it was stopped`)
    } catch {
      this.checked += 1
    }
  }

  async #nobodyTakesOver(): Promise<void> {
    const rival = new Run({ ...this.#options, port: 0 }, undefined)
    const ending = await Promise.race([rival.ended, rival.serving])
    // Its words may come after its exit.
    const refused = ending !== undefined && ending.code !== 0
    for (let looks = 0; refused && looks < 100 && !isRefusal(rival.errors); looks++) await sleep(LOOK_MS)
    if (refused && isRefusal(rival.errors)) this.checked += 1
    else this.#fault('a second server was not refused by the lock', rival)
    signal(rival.pid, 'SIGKILL')
  }

  async #answers(run: Run): Promise<void> {
    let over = false
    void run.ended.then(() => {
      over = true
    })
    for (const deadline = performance.now() + PATIENCE_MS; !over; ) {
      try {
        const { status } = await fetch(`${this.endpoint}/readyz`, { signal: AbortSignal.timeout(1_000) })
        if (status === 200 || run.closing) return
      } catch {
        // Not yet.
      }
      if (performance.now() > deadline) return this.#fault(`it was not ready within ${PATIENCE_MS / 1_000} s`, run)
      await sleep(LOOK_MS)
    }
  }

  /** Function processes of the server that was killed must be gone soon after the next one has started. */
  async #noOrphans(run: Run): Promise<void> {
    const orphans = (): number[] =>
      processesOf(this.#folder)
        .filter(({ pid, parent }) => pid !== run.pid && parent !== run.pid)
        .map(({ pid }) => pid)
    for (const deadline = performance.now() + 10_000; orphans().length > 0 && performance.now() < deadline; ) {
      await sleep(100)
    }
    const left = orphans()
    if (left.length > 0) this.#fault(`function processes of the killed server live on: ${left.join(', ')}`)
    else this.checked += 1
  }

  /** What goes wrong in the background is told by `faults`. */
  #faultless(work: Promise<void>): Promise<void> {
    return work.catch((error: unknown) => this.#fault(String(error)))
  }

  #fault(words: string, run?: Run): void {
    this.faults.push(
      `the server: ${words}${run === undefined || run.errors === '' ? '' : `\n${run.errors.slice(-2_000)}`}`,
    )
  }
}

const isKilledBy = (blow: Blow | undefined, signal: NodeJS.Signals | null): boolean =>
  blow?.action === 'SIGKILL' && signal === 'SIGKILL'

const isRefusal = (errors: string): boolean =>
  errors.includes(' is in use by ') && errors.includes('Two servers on one journal would run every execution twice')

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended.
  }
}

/** Below the range from which the kernel gives ports, so that nobody takes it between a death and a restart. */
const PORTS = { first: 10_240, count: 20_000 }

async function freePort(): Promise<number> {
  for (;;) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count)
    const probe = net.createServer()
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false))
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
    })
    if (free) return port
  }
}
