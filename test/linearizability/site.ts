/** A real server that clients race on, with functions in our hands, and what is needed to kill it under them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServerUnderFire } from '../kill/server-under-fire.ts'
import { Puppeteer } from '../tables/puppeteer.ts'
import type { Ticks } from './recorder.ts'
import { Subject } from './subject.ts'

export type StoreName = 'sqlite' | 'memory'

const PATIENCE_MS = 120_000
/** No invocation waits for the end of another: functions are told late, or never, that they may end. */
const MANY = 256
/** A failed invocation is repeated at once: clients are to meet the next one. */
const LIMITS = { invocationRetryFirstMs: 1, invocationRetryCapMs: 20 }

export class Site {
  readonly store: StoreName
  readonly #server: ServerUnderFire
  readonly #puppets: Puppeteer
  readonly #directory: string
  #up: Promise<void> = Promise.resolve()
  #subjects: Subject[] = []
  kills = 0

  private constructor(store: StoreName, server: ServerUnderFire, puppets: Puppeteer, directory: string) {
    this.store = store
    this.#server = server
    this.#puppets = puppets
    this.#directory = directory
  }

  static async open(store: StoreName): Promise<Site> {
    const directory = await mkdtemp(join(tmpdir(), 'perdure-linearizability-'))
    const puppets = await Puppeteer.open()
    const puppet = {
      file: join(import.meta.dirname, '..', 'tables', 'puppet.mjs'),
      timeout: 900,
      environment: { PUPPETEER: puppets.address },
      durable: { ExecutionTimeout: 900 },
    }
    const server = await ServerUnderFire.start({
      data: store === 'memory' ? { kind: 'memory' } : join(directory, 'data'),
      functions: [
        { ...puppet, name: 'steady', concurrency: MANY, maxConcurrency: MANY },
        { ...puppet, name: 'mortal', concurrency: MANY },
      ],
      limits: LIMITS,
      log: { level: 'error' },
    })
    return new Site(store, server, puppets, directory)
  }

  get endpoint(): string {
    return this.#server.endpoint
  }

  /** Resolves when the server takes calls. */
  get up(): Promise<void> {
    return this.#up
  }

  /** A name that is new to this server; its invocations find it from now on. */
  subject(name: string, mortal: boolean, ticks: Ticks): Subject {
    const subject = new Subject(name, mortal ? 'mortal' : 'steady', mortal, ticks)
    this.#subjects.push(subject)
    this.#takeInvocations(subject).catch((error: unknown) => subject.failed(String(error)))
    return subject
  }

  /** Until the puppets are let go. */
  async #takeInvocations(subject: Subject): Promise<never> {
    for (;;) subject.invoked(await this.#puppets.nextOfExecution(subject.name))
  }

  /** The histories of all names are over. */
  releaseAll(): void {
    for (const subject of this.#subjects) subject.release()
    this.#subjects = []
    this.#puppets.releaseAll()
  }

  /** SIGKILL, and the server again on the same data. Resolves when it takes calls. */
  async kill(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#becomes(promise)
    const subjects = this.#subjects
    const killed = subjects.map(({ recorder }) => recorder.begin('service', { kind: 'kill' }))
    await this.#server.kill()
    for (const [index, subject] of subjects.entries()) {
      // An invocation that was recorded may have died on its way to the function.
      subject.recorder.maybe({ kind: 'invocation' }, 'until now')
      killed[index]?.answered({ kind: 'done' })
      subject.loseInvocations()
      subject.recorder.closeWindows()
      subject.recorder.maybe({ kind: 'recovery' }, 'from now on')
    }
    this.kills += 1
    await this.#server.restart().then(resolve, reject)
    await this.#up
  }

  #becomes(up: Promise<void>): void {
    // Whoever waits for it is told; if nobody does, that is no error of its own.
    up.catch(() => {})
    this.#up = up
  }

  /** Something that must happen. */
  async patience<T>(promise: Promise<T>, what: string): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Error(`waited too long for ${what}`)), PATIENCE_MS)
    return await Promise.race([promise, late]).finally(() => clearTimeout(timer))
  }

  /** Something that may happen. */
  async atMost(milliseconds: number, promise: Promise<void>): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, milliseconds)
    await Promise.race([promise, late]).finally(() => clearTimeout(timer))
  }

  /** `keep`: leaves the server's folder where it is, and says where. */
  async close({ keep }: { readonly keep: boolean }): Promise<void> {
    this.#becomes(Promise.reject(new Error('the site is closed')))
    this.releaseAll()
    this.#puppets.letGo()
    await this.#server.stop()
    this.#puppets.close()
    if (keep) console.log(`the ${this.store} server's folder: ${this.#directory}`)
    else await rm(this.#directory, { recursive: true, force: true })
  }
}
