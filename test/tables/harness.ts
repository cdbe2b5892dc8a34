/**
 * The bench of the table tests: one real server process per file and store, on a clock that only the test moves, with
 * puppet functions (`puppet.mjs`) whose invocations the test answers itself. `row` gives a test its row's id and name.
 *
 * With `PERDURE_LIST_ROWS` in the environment nothing is run: `row` only notes its id, for `tools/row-coverage.ts`.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, describe, test } from 'node:test'
import type { FunctionDeclaration } from '../../src/functions/declaration.ts'
import type { PerdureOptions } from '../../src/index.ts'
import { type PerdureProcess, startPerdureProcess } from '../start-perdure.ts'
import { Execution } from './execution.ts'
import { Puppeteer } from './puppeteer.ts'
import { type RowId, rowOf } from './rows.ts'
import { assertError, okBody, type WireAnswer, WireClient } from './wire.ts'

const listing = process.env['PERDURE_LIST_ROWS'] !== undefined
const puppetFile = join(import.meta.dirname, 'puppet.mjs')

/** Ids of the rows for which a test was defined, in order of definition. */
export const definedRows: string[] = []

const testTimeoutMs = 60_000

/** Defines a test of a row. Several tests of one row say in `variation` what each is about. */
export function row(id: RowId, ...rest: [() => Promise<void>] | [variation: string, () => Promise<void>]): void {
  const [variation, run] = rest.length === 1 ? [undefined, rest[0]] : rest
  if (listing) {
    definedRows.push(id)
    return
  }
  test(`${id} ${rowOf(id).name}${variation === undefined ? '' : `: ${variation}`}`, { timeout: testTimeoutMs }, run)
}

/** A test of a row that only a store which remembers can pass. */
export function rowOnDisk(
  server: TestServer,
  id: RowId,
  ...rest: [() => Promise<void>] | [string, () => Promise<void>]
) {
  if (server.remembers) row(id, ...rest)
}

type Store = 'sqlite' | 'memory'
const STORES: readonly Store[] = ['sqlite', 'memory']

/** Defines the tests of a table, once for each store, each with a server of its own. */
export function tables(title: string, define: (server: TestServer) => void, options: ServerOptions = {}): void {
  if (listing) {
    define(new TestServer('sqlite', options))
    return
  }
  for (const store of STORES) {
    describe(`${title}, ${store} store`, () => {
      const server = new TestServer(store, options)
      before(() => server.open())
      afterEach(() => server.puppets.releaseAll())
      after(() => server.close())
      define(server)
    })
  }
}

export type ServerOptions = Pick<PerdureOptions, 'limits' | 'allowUnqualified'>

/** ExecutionTimeout of the functions that tests start. */
export const TIMEOUT_SECONDS = { puppet: 900, brief: 60, patient: 31_622_400, child: 900, briefChild: 30 } as const
export type DurableName = keyof typeof TIMEOUT_SECONDS

function declarations(puppeteerAddress: string): FunctionDeclaration[] {
  const puppet = {
    file: puppetFile,
    timeout: 900,
    concurrency: 32,
    environment: { PUPPETEER: puppeteerAddress },
  }
  const durable = Object.entries(TIMEOUT_SECONDS).map(([name, ExecutionTimeout]) => ({
    ...puppet,
    name,
    durable: { ExecutionTimeout },
  }))
  // Tests take the invocations of `plain`; those of `unheeded` may come when their test is over.
  const plain = ['plain', 'unheeded'].map((name) => ({ ...puppet, name, durable: false as const }))
  const single = { ...puppet, name: 'single', durable: false as const, concurrency: 1 }
  const hasty = { ...single, name: 'hasty', timeout: 1 }
  const retained = { ...puppet, name: 'retained', durable: { ExecutionTimeout: 900, RetentionPeriodInDays: 1 } }
  const tenancy = 'PER_TENANT' as const
  const tenanted = { ...puppet, name: 'tenanted', tenancy, durable: { ExecutionTimeout: 900 } }
  const tenantedPlain = { ...puppet, name: 'tenantedPlain', tenancy, durable: false as const }
  return [...durable, ...plain, single, hasty, retained, tenanted, tenantedPlain]
}

type Headers = Readonly<Record<string, string>>

export class TestServer {
  readonly #store: Store
  readonly #options: ServerOptions
  #directory = ''
  #process: PerdureProcess | undefined
  #wire: WireClient | undefined
  #puppets: Puppeteer | undefined
  #nowMs = 0
  #names = 0

  constructor(store: Store, options: ServerOptions) {
    this.#store = store
    this.#options = options
  }

  async open(): Promise<void> {
    this.#puppets = await Puppeteer.open()
    this.#directory = await mkdtemp(join(tmpdir(), 'perdure-tables-'))
    await this.#start()
  }

  async #start(): Promise<void> {
    this.#process = await startPerdureProcess({
      data: this.#store === 'memory' ? { kind: 'memory' } : this.#directory,
      functions: declarations(this.puppets.address),
      clock: 'manual',
      ...this.#options,
    })
    this.#wire = new WireClient(this.#process.endpoint)
  }

  /** Ends the server and starts another on the same data; only a disk remembers anything. Its clock is the system's again. */
  async restart(how: 'stop' | 'kill'): Promise<void> {
    if (how === 'stop') await this.#process?.stop()
    else await this.#process?.kill()
    this.wire.close()
    await this.#start()
  }

  get endpoint(): string {
    assert.ok(this.#process, 'the server is open')
    return this.#process.endpoint
  }

  get remembers(): boolean {
    return this.#store === 'sqlite'
  }

  /** Where the server keeps its data. */
  get directory(): string {
    return this.#directory
  }

  async close(): Promise<void> {
    this.puppets.letGo()
    this.wire.close()
    await this.#process?.stop()
    this.puppets.close()
    await rm(this.#directory, { recursive: true, force: true })
  }

  get wire(): WireClient {
    assert.ok(this.#wire, 'the server is open')
    return this.#wire
  }

  get puppets(): Puppeteer {
    assert.ok(this.#puppets, 'the server is open')
    return this.#puppets
  }

  /** The server's time. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Moves the server's clock; whatever that makes due is on its way when this resolves. */
  async advance(milliseconds: number): Promise<void> {
    const { now } = okBody<{ now: number }>(await this.postJson('/perdure/v1/clock/advance', { ms: milliseconds }))
    this.#nowMs = now
  }

  postJson(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<WireAnswer> {
    return this.wire.send({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  }

  get(path: string): Promise<WireAnswer> {
    return this.wire.send({ method: 'GET', path })
  }

  delete(path: string): Promise<WireAnswer> {
    return this.wire.send({ method: 'DELETE', path })
  }

  /** An Invoke; the function as given, with its qualifier. Default: synchronous, no name, an empty body. */
  invoke(
    functionName: string,
    wanted: { name?: string; type?: string; input?: string | Buffer; query?: string; headers?: Headers } = {},
  ): Promise<WireAnswer> {
    return this.wire.send({
      method: 'POST',
      path: `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations${wanted.query ?? ''}`,
      headers: {
        ...(wanted.type === undefined ? {} : { 'x-amz-invocation-type': wanted.type }),
        ...(wanted.name === undefined ? {} : { 'x-amz-durable-execution-name': wanted.name }),
        ...wanted.headers,
      },
      ...(wanted.input === undefined ? {} : { body: wanted.input }),
    })
  }

  /** A name that no other execution of this server has. */
  freshName(): string {
    return `name-${++this.#names}`
  }

  /** Starts an execution of a puppet function and resolves when its first invocation is in the test's hands. */
  async execution(
    wanted: { function?: DurableName; mode?: 'sync' | 'async'; input?: string } = {},
  ): Promise<Execution> {
    const functionName = wanted.function ?? 'puppet'
    const name = `${functionName}-${++this.#names}`
    const execution = await Execution.start(this, {
      functionName,
      name,
      mode: wanted.mode ?? 'async',
      input: wanted.input ?? '{}',
    })
    this.#nowMs = execution.startedAtMs
    return execution
  }

  /** Completes a callback from outside. */
  callback(callbackId: string, verb: 'succeed' | 'fail' | 'heartbeat', body?: string | Buffer): Promise<WireAnswer> {
    return this.wire.send({
      method: 'POST',
      path: `/2025-12-01/durable-execution-callbacks/${encodeURIComponent(callbackId)}/${verb}`,
      headers: { 'content-type': verb === 'succeed' ? 'application/octet-stream' : 'application/json' },
      ...(body === undefined ? {} : { body }),
    })
  }

  async callbackAccepted(callbackId: string, verb: 'succeed' | 'fail' | 'heartbeat', body?: string): Promise<void> {
    assert.deepEqual(okBody(await this.callback(callbackId, verb, body)), {})
  }

  /** Asserts that a callback takes nothing more (spec 08 §8.5). */
  async callbackClosed(callbackId: string): Promise<void> {
    for (const verb of ['succeed', 'fail', 'heartbeat'] as const) {
      const answer = await this.callback(callbackId, verb, verb === 'heartbeat' ? undefined : '{}')
      assertError(answer, 400, 'CallbackTimeoutException', 'The callback is either timed out or already completed')
    }
  }
}
