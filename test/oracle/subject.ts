/**
 * A real server in a process of its own, on one store and a clock that only the trial moves; its functions are puppets
 * whose invocations the trial ends. Everything it answers is held against the oracle at once.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PerdureProcess, startPerdureProcess } from '../start-perdure.ts'
import { type Invocation, Puppeteer } from '../tables/puppeteer.ts'
import { type WireAnswer, WireClient, type WireRequest } from '../tables/wire.ts'
import type { Command, Ending } from './commands.ts'
import { Likeness } from './likeness.ts'
import { FUNCTIONS, LIMITS } from './model/configuration.ts'
import { arnOf, description, type Execution, idOf, requestIdOf, shown, visible } from './model/execution.ts'
import type { Answer } from './model/values.ts'
import type { World } from './model/world.ts'
import type { SymbolicRequest } from './requests.ts'

export type Store = 'memory' | 'sqlite'

/** What the server did otherwise than the oracle says. */
export class Difference extends Error {
  override readonly name = 'Difference'
}

const PATIENCE_MS = 30_000
const LAST_PATIENCE_MS = 2_000

export class Subject {
  readonly store: Store
  readonly #directory: string
  readonly #process: PerdureProcess
  readonly #wire: WireClient
  readonly #puppets: Puppeteer
  #trials = 0
  #like = new Likeness(0)
  #startedAfter = ''
  /** Invocations that the trial holds, by the execution's key or the plain run's. */
  #held = new Map<string, { readonly number: number; readonly invocation: Invocation }>()
  /** What was last seen of each execution: how many invocations and events. */
  #seen = new Map<string, string>()
  #callers = new Map<string, Promise<WireAnswer>>()

  private constructor(store: Store, directory: string, process: PerdureProcess, puppets: Puppeteer) {
    this.store = store
    this.#directory = directory
    this.#process = process
    this.#puppets = puppets
    this.#wire = new WireClient(process.endpoint)
  }

  static async open(store: Store): Promise<Subject> {
    const directory = await mkdtemp(join(tmpdir(), 'perdure-oracle-'))
    const puppets = await Puppeteer.open()
    const functions = Object.entries(FUNCTIONS).map(([name, { executionTimeout }]) => ({
      name,
      file: join(import.meta.dirname, '..', 'tables', 'puppet.mjs'),
      timeout: 900,
      concurrency: 64,
      environment: { PUPPETEER: puppets.address },
      durable: executionTimeout === undefined ? (false as const) : { ExecutionTimeout: executionTimeout },
    }))
    const data = store === 'memory' ? ({ kind: 'memory' } as const) : directory
    const options = { data, functions, clock: 'manual', limits: LIMITS, log: { level: 'error' } } as const
    return new Subject(store, directory, await startPerdureProcess(options), puppets)
  }

  async close(): Promise<void> {
    this.#puppets.letGo()
    this.#wire.close()
    await this.#process.stop()
    this.#puppets.close()
    await rm(this.#directory, { recursive: true, force: true })
  }

  // --------------------------------------------------------------------------------------------------------- trials

  /** A new sequence: nothing of the earlier ones is looked at again. */
  async begin(): Promise<void> {
    this.#trials += 1
    await this.#advance(1_000)
    const now = await this.#advance(0)
    this.#like = new Likeness(now)
    this.#startedAfter = new Date(now - 1).toISOString()
    this.#held.clear()
    this.#seen.clear()
    this.#callers.clear()
  }

  /** Stops what still runs and lets go of every process. */
  async end(world: World): Promise<void> {
    for (const execution of world.executions.values()) {
      if (execution.deleted) continue
      await this.#send({
        method: 'POST',
        segments: ['2025-12-01', 'durable-executions', arnOf(execution), 'stop'],
        body: {},
      })
    }
    this.#puppets.releaseAll()
    // After a difference some may wait for ever.
    const patience = Promise.withResolvers<void>()
    const timer = setTimeout(patience.resolve, LAST_PATIENCE_MS)
    await Promise.race([Promise.allSettled(this.#callers.values()), patience.promise])
    clearTimeout(timer)
  }

  async #advance(ms: number): Promise<number> {
    const answer = await this.#wire.send({
      method: 'POST',
      path: '/perdure/v1/clock/advance',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ms }),
    })
    if (answer.status !== 200) throw new Error(`the clock does not move: ${answer.text}`)
    return (JSON.parse(answer.text) as { now: number }).now
  }

  async tick(ms: number, world: World): Promise<void> {
    await this.#advance(ms)
    await this.settle(world, undefined)
  }

  /** Sends what the oracle has already answered. */
  async perform(command: Command, request: SymbolicRequest | undefined, answer: Answer | undefined): Promise<void> {
    if (command.do === 'end' || command.do === 'end target') return this.#endInvocation(command.on, command.how)
    if (request === undefined) return
    if (command.do === 'invoke' && answer === undefined) {
      this.#callers.set(command.as, this.#send(request))
      return
    }
    if (answer === undefined) throw new Error(`the oracle has no answer to ${command.do}`)
    const actual = request.paged === undefined ? await this.#send(request) : await this.#pages(request, answer)
    this.#expect(`the answer to ${command.do}`, answer, actual)
  }

  async #endInvocation(key: string, how: Ending): Promise<void> {
    const held = this.#held.get(key)
    if (held === undefined) return
    this.#held.delete(key)
    const { invocation } = held
    if ('output' in how) invocation.respond(how.output)
    else if ('throws' in how) invocation.throw(how.throws.name, how.throws.message)
    else invocation.exit(how.exits)
    await this.#taken(invocation)
  }

  /** The server has taken the end of the invocation, even if it means nothing any more: its log tells. */
  async #taken({ requestId }: Invocation): Promise<void> {
    await this.#eventually(`the end of invocation ${requestId} in the log`, async () => {
      const { text } = await this.#wire.send({ method: 'GET', path: `/perdure/v1/logs?request=${requestId}` })
      return text.includes(`REPORT RequestId: ${requestId}`)
    })
  }

  // ------------------------------------------------------------------------------------------------------- looking

  /**
   * Waits until everything has happened that the oracle says has happened, and compares all of it: histories first,
   * for they name children, then invocations, for they bring tokens, then descriptions and operations.
   */
  async settle(world: World, target: string | undefined): Promise<void> {
    for (const execution of world.executions.values()) {
      const seen = `${execution.history.length} ${execution.invocations} ${execution.status} ${execution.deleted}`
      if (this.#seen.get(execution.key) === seen && execution.key !== target) continue
      this.#seen.set(execution.key, seen)
      if (execution.deleted) await this.#gone(execution)
      else await this.#look(execution, world)
    }
    for (const [key, { functionName, payload }] of world.plainRuns) {
      if (this.#held.has(key)) continue
      const invocation = await this.#inTime(`the run of ${key}`, this.#puppets.nextOfFunction(functionName))
      this.#held.set(key, { number: 0, invocation })
      this.#like.bind(`«request ${key}»`, invocation.requestId)
      this.#same(`payload of ${key}`, JSON.parse(payload), invocation.payload, 'ms')
    }
  }

  /** What callers of synchronous invokes were answered whose executions have ended. */
  async answerCallers(released: readonly { readonly as: string; readonly answer: Answer }[]): Promise<void> {
    for (const { as, answer } of released) {
      const call = this.#callers.get(as)
      if (call === undefined) throw new Error(`nobody waits as ${as}`)
      this.#callers.delete(as)
      this.#expect(`the answer to the caller ${as}`, answer, await this.#inTime(`the answer to ${as}`, call))
    }
  }

  async #look(execution: Execution, world: World): Promise<void> {
    await this.#history(execution)
    await this.#invocation(execution, world)
    const one = ['2025-12-01', 'durable-executions', arnOf(execution)]
    const token = execution.status === 'RUNNING' ? execution.invocation?.token : undefined
    const [described, state] = await Promise.all([
      this.#send({ method: 'GET', segments: one }),
      token === undefined
        ? undefined
        : this.#send({
            method: 'GET',
            segments: [...one, 'state'],
            query: { CheckpointToken: token, MaxItems: '1000' },
          }),
    ])
    this.#expect(
      `GetDurableExecution of ${execution.key}`,
      { status: 200, body: description(execution, true) },
      described,
    )
    if (state === undefined) return
    const operations = visible(execution).map((operation) => shown(execution, operation))
    const body = { Operations: operations, NextMarker: '' }
    this.#expect(`GetDurableExecutionState of ${execution.key}`, { status: 200, body }, state)
  }

  async #history(execution: Execution): Promise<void> {
    const segments = ['2025-12-01', 'durable-executions', arnOf(execution), 'history']
    const request = { method: 'GET', segments, query: { MaxItems: '1000' } } as const
    let answer: WireAnswer | undefined
    await this.#eventually(
      `event ${execution.history.length} of ${execution.key}`,
      async () => {
        // A synchronous start is answered last.
        if (!this.#like.isBound(idOf(execution.key))) await this.#find(execution)
        answer = await this.#send(request)
        if (answer.status === 404) return false
        const { Events } = JSON.parse(answer.text) as { Events?: unknown[] }
        return Events === undefined || Events.length >= execution.history.length
      },
      () => answer?.text,
    )
    if (answer !== undefined) {
      this.#expect(`the history of ${execution.key}`, { status: 200, body: { Events: execution.history } }, answer)
    }
  }

  /** Binds the id of an execution whose caller has no answer yet: the one in the list that no other id means. */
  async #find(execution: Execution): Promise<void> {
    const request = {
      method: 'GET',
      segments: ['2025-12-01', 'functions', execution.functionName, 'durable-executions'],
      query: { MaxItems: '1000', StartedAfter: '«time before»' },
    } as const
    const { text } = await this.#send(request)
    const listed = (JSON.parse(text) as { DurableExecutions: { DurableExecutionArn: string }[] }).DurableExecutions
    const it = listed.find(
      ({ DurableExecutionArn }) => this.#like.difference(arnOf(execution), DurableExecutionArn, 's') === undefined,
    )
    if (it !== undefined) this.#same('the ARN', arnOf(execution), it.DurableExecutionArn, 's')
  }

  async #invocation(execution: Execution, world: World): Promise<void> {
    const { key, invocation, invocations } = execution
    const id = this.#like.known(idOf(key))
    const ofIt = ({ payload }: Invocation): boolean =>
      String((payload as { DurableExecutionArn?: unknown } | null)?.DurableExecutionArn).endsWith(`/${id}`)
    const held = this.#held.get(key)
    if (invocation !== undefined && held?.number !== invocation.number) {
      const taken = await this.#inTime(`invocation ${invocations} of ${key}`, this.#puppets.next(ofIt))
      this.#held.set(key, { number: invocation.number, invocation: taken })
      this.#same(`the event of invocation ${invocations} of ${key}`, invocation.event, taken.payload, 'ms')
      this.#same('the request id', requestIdOf(key, invocation.number), taken.requestId, 'ms')
    }
    // Functions may have executions of the same name.
    const namesakes = [...world.executions.values()].filter(({ name }) => name === execution.name)
    const expected = namesakes.reduce((sum, namesake) => sum + namesake.invocations, 0)
    const count = this.#puppets.count(this.#like.known(execution.name))
    if (count > expected) throw new Difference(`${key} was invoked ${count} times, not ${expected}`)
  }

  async #gone(execution: Execution): Promise<void> {
    const request = { method: 'GET', segments: ['2025-12-01', 'durable-executions', arnOf(execution)] } as const
    await this.#eventually(`the deletion of ${execution.key}`, async () => (await this.#send(request)).status === 404)
  }

  // --------------------------------------------------------------------------------------------------------- the wire

  #send({ method, segments, query, headers, body }: SymbolicRequest): Promise<WireAnswer> {
    const known = (text: string): string => this.#known(text)
    const path = segments.map((segment) => encodeURIComponent(known(segment))).join('/')
    const search = Object.entries(query ?? {}).map(([name, value]) => `${name}=${encodeURIComponent(known(value))}`)
    const request: WireRequest = {
      method,
      path: `/${path}${search.length === 0 ? '' : `?${search.join('&')}`}`,
      headers: Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, known(value)])),
      ...(body === undefined
        ? {}
        : { body: typeof body === 'string' ? known(body) : JSON.stringify(this.#like.knownIn(body)) }),
    }
    return this.#wire.send(request)
  }

  #known(text: string): string {
    if (text === '«time before»') return this.#startedAfter
    if (text === '«forged callback»') return `01${'0'.repeat(72)}`
    const name = /^«name (\w+)»$/.exec(text)
    // A name is this trial's own, for the server remembers those of the earlier ones.
    if (name !== null) this.#like.bind(text, `${name[1]}-${this.#trials}`)
    return this.#like.known(text)
  }

  /** Reads page after page: every page is full but the last (spec 11 §11.4), and put together they are the list. */
  async #pages(request: SymbolicRequest, answer: Answer): Promise<WireAnswer> {
    const { list, maxItems } = request.paged ?? { list: 'Events', maxItems: 100 }
    const elements: unknown[] = []
    let marker = ''
    for (;;) {
      const query = { ...request.query, MaxItems: String(maxItems), ...(marker === '' ? {} : { Marker: marker }) }
      const page = await this.#send({ ...request, query })
      if (page.status !== 200) return page
      const body = JSON.parse(page.text) as { [name: string]: unknown[] } & { NextMarker?: string }
      elements.push(...(body[list] ?? []))
      // Only GetDurableExecutionState marks its last page (spec 12.2 row 8).
      if (list === 'Operations' ? body.NextMarker === undefined : body.NextMarker === '') {
        throw new Difference(`the last page of ${list} has the NextMarker ${JSON.stringify(body.NextMarker)}`)
      }
      marker = body.NextMarker ?? ''
      if (marker === '') {
        if (body[list]?.length === 0 && elements.length > 0) throw new Difference(`the last page of ${list} is empty`)
        return { ...page, text: JSON.stringify({ [list]: elements }) }
      }
      if (body[list]?.length !== maxItems) throw new Difference(`a page of ${list} is not full: ${body[list]?.length}`)
      if (elements.length > 10_000) throw new Difference(`${list} never ends; expected ${JSON.stringify(answer.body)}`)
    }
  }

  #expect(what: string, expected: Answer, actual: WireAnswer): void {
    const seen = `${actual.status} ${actual.text.slice(0, 2_000)}`
    const { error } = expected
    if (error !== undefined) {
      const type = String(actual.headers['x-amzn-errortype'] ?? '').split(':')[0]
      const { message, Message } = (actual.status < 300 ? {} : JSON.parse(actual.text)) as {
        message?: string
        Message?: string
      }
      if (actual.status !== expected.status || type !== error.type) {
        throw new Difference(`${what}: expected ${expected.status} ${error.type} "${error.text ?? ''}", not ${seen}`)
      }
      if (error.text !== undefined) this.#same(`${what}, its text`, error.text, message ?? Message, 's')
      return
    }
    if (actual.status !== expected.status) {
      throw new Difference(`${what}: expected ${expected.status} ${JSON.stringify(expected.body)}, not ${seen}`)
    }
    for (const [name, value] of Object.entries(expected.headers ?? {})) {
      this.#same(`${what}, header ${name}`, value, actual.headers[name], 's')
    }
    const { body } = expected
    if (typeof body === 'string') this.#same(what, body, actual.text, 's')
    else if (body !== undefined) this.#same(what, body, JSON.parse(actual.text), 's')
  }

  #same(what: string, expected: unknown, actual: unknown, unit: 's' | 'ms'): void {
    const difference = this.#like.difference(expected, actual, unit)
    if (difference !== undefined) throw new Difference(`${what}${difference}`)
  }

  async #eventually(what: string, read: () => Promise<boolean>, seen?: () => string | undefined): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS
    while (!(await read())) {
      if (performance.now() > deadline) throw new Difference(`gave up waiting for ${what}; seen: ${seen?.() ?? ''}`)
    }
  }

  async #inTime<T>(what: string, promise: Promise<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new Difference(`gave up waiting for ${what}`)), PATIENCE_MS)
    try {
      return await Promise.race([promise, late])
    } finally {
      clearTimeout(timer)
    }
  }
}
