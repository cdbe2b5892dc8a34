/**
 * The test's end of the puppet functions: receives every invocation that the server's function processes run and lets
 * the test say how each ends. An invocation is *unclaimed* until a test asks for it, *held* until it was answered.
 */
import assert from 'node:assert/strict'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DurableInvocationEvent } from '../../src/protocol/shapes.ts'

/** One invocation, as the function's process sees it. */
export class Invocation {
  readonly functionName: string
  readonly requestId: string
  /** The event as parsed JSON; of a plain function whatever the caller sent. */
  readonly payload: unknown
  readonly #reply: ServerResponse
  #answered = false

  constructor(told: { functionName: string; requestId: string; event: unknown }, reply: ServerResponse) {
    this.functionName = told.functionName
    this.requestId = told.requestId
    this.payload = told.event
    this.#reply = reply
  }

  get held(): boolean {
    return !this.#answered
  }

  /** The event of a durable function (spec 06 §6.1). */
  get event(): DurableInvocationEvent {
    return this.payload as DurableInvocationEvent
  }

  /** Name of the execution that the invocation belongs to; undefined for plain functions. */
  get executionName(): string | undefined {
    const arn = (this.payload as Partial<DurableInvocationEvent> | null)?.DurableExecutionArn
    return arn?.split('/').at(-2)
  }

  /** The handler returns this value. */
  respond(value: unknown): void {
    this.#tell({ kind: 'return', value })
  }

  /** The handler throws. */
  throw(name: string, message: string): void {
    this.#tell({ kind: 'throw', value: { name, message } })
  }

  /** The process ends at once, without a word. */
  exit(code: number): void {
    this.#tell({ kind: 'exit', value: code })
  }

  #tell(instruction: { kind: 'return' | 'throw' | 'exit'; value: unknown }): void {
    assert.ok(!this.#answered, 'an invocation is answered once')
    this.#answered = true
    this.#reply.end(JSON.stringify(instruction))
  }
}

/** What an invocation ends with that no test cares about. */
const NOTHING = { Status: 'SUCCEEDED' }

type Wanted = (invocation: Invocation) => boolean

export class Puppeteer {
  readonly #server: Server
  #unclaimed: Invocation[] = []
  #held: Invocation[] = []
  #lettingGo = false
  readonly #counts = new Map<string, number>()
  #waiting: { wanted: Wanted; take: (invocation: Invocation) => void }[] = []

  private constructor(server: Server) {
    this.#server = server
  }

  static async open(): Promise<Puppeteer> {
    const server = createServer()
    const puppeteer = new Puppeteer(server)
    server.on('request', (request, reply) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => puppeteer.#arrived(new Invocation(JSON.parse(Buffer.concat(chunks).toString()), reply)))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return puppeteer
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`
  }

  /** The next invocation of that kind: one that came already, or the first to come. */
  next(wanted: Wanted): Promise<Invocation> {
    const here = this.#unclaimed.find(wanted)
    if (here !== undefined) {
      this.#unclaimed = this.#unclaimed.filter((other) => other !== here)
      return Promise.resolve(here)
    }
    const { promise, resolve } = Promise.withResolvers<Invocation>()
    this.#waiting.push({ wanted, take: resolve })
    return promise
  }

  nextOfExecution(name: string): Promise<Invocation> {
    return this.next((invocation) => invocation.executionName === name)
  }

  nextOfFunction(name: string): Promise<Invocation> {
    return this.next((invocation) => invocation.functionName === name)
  }

  /** How many invocations of the execution have come so far. */
  count(executionName: string): number {
    return this.#counts.get(executionName) ?? 0
  }

  /** Lets go of everything: held and unclaimed invocations end with a successful nothing. */
  releaseAll(): void {
    for (const invocation of this.#held) if (invocation.held) invocation.respond(NOTHING)
    this.#held = []
    this.#unclaimed = []
    this.#waiting = []
  }

  /** From now on nothing is held: what still comes ends at once. */
  letGo(): void {
    this.#lettingGo = true
    this.releaseAll()
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #arrived(invocation: Invocation): void {
    if (this.#lettingGo) {
      invocation.respond(NOTHING)
      return
    }
    const { executionName } = invocation
    if (executionName !== undefined) this.#counts.set(executionName, this.count(executionName) + 1)
    this.#held = [...this.#held.filter((other) => other.held), invocation]
    const waiting = this.#waiting.find(({ wanted }) => wanted(invocation))
    if (waiting === undefined) {
      this.#unclaimed.push(invocation)
      return
    }
    this.#waiting = this.#waiting.filter((other) => other !== waiting)
    waiting.take(invocation)
  }
}
