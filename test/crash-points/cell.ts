/** One cell of the matrix: a folder, a server that is struck at one point, a story, and what it all proved. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Claims, type WireEvent } from './claims.ts'
import { Clients } from './client.ts'
import { atRest, auditJournal, type Effect, readLedger, recorded } from './evidence.ts'
import { processesOf } from './processes.ts'
import { type Blow, Server } from './server.ts'
import type { Story } from './stories.ts'

const PATIENCE_MS = 60_000

export interface Outcome {
  /** Absent when the point was not reached. */
  readonly recoveredMs: number | undefined
  readonly claims: number
  readonly timeouts: number
  readonly broken: readonly string[]
}

/** Tells a story to a server that is struck, or only traced. The folder of a cell that failed is kept. */
export async function tell(story: Story, order: Blow | { readonly trace: string }): Promise<Outcome> {
  const cell = await Cell.of(story, order)
  try {
    await story.tell(cell)
  } catch (error) {
    cell.claims.broken.push(`the story broke off: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    await cell.server.abandon()
  }
  return cell.outcome()
}

export class Cell {
  readonly server: Server
  readonly clients: Clients
  readonly claims = new Claims()
  readonly #folder: string
  readonly #story: Story
  readonly #order: Blow | string
  readonly #arns = new Map<string, string>()
  /** Executions that may be gone. */
  readonly #removed = new Set<string>()

  static async of(story: Story, order: Blow | { readonly trace: string }): Promise<Cell> {
    const folder = mkdtempSync(join(tmpdir(), 'perdure-crash-points-'))
    const ledger = join(folder, 'ledger')
    writeFileSync(ledger, '')
    const common = {
      file: join(import.meta.dirname, 'functions.mjs'),
      environment: { LEDGER: ledger },
      concurrency: 8,
      maxConcurrency: 8,
    }
    const functions = [
      {
        ...common,
        name: 'workflow',
        exportName: 'workflow',
        durable: { ExecutionTimeout: 600, RetentionPeriodInDays: 1 },
      },
      { ...common, name: 'errands', exportName: 'errands', durable: false as const },
    ]
    const log = { format: 'json', level: 'warn' } as const
    const options = { data: join(folder, 'data'), functions, log, ...story.options }
    const server: Server = await Server.on(folder, options, () => cell.isAllRecorded())
    const cell: Cell = new Cell(story, folder, server, 'trace' in order ? `trace:${order.trace}` : order)
    return cell
  }

  private constructor(story: Story, folder: string, server: Server, order: Blow | string) {
    this.#story = story
    this.#folder = folder
    this.#order = order
    this.server = server
    const deadline = performance.now() + PATIENCE_MS
    this.clients = new Clients(server.endpoint, () => {
      if (performance.now() > deadline) return `nothing more came within ${PATIENCE_MS / 1_000} s`
      return server.faults.length > 0 ? 'the server did what it must not' : undefined
    })
  }

  /** P1, at this very moment: whatever was acknowledged is in the journal. */
  isAllRecorded(): void {
    const { arns, steps } = recorded(join(this.#folder, 'data'))
    for (const [name, arn] of this.#arns) this.claims.check(arns.has(arn), `${name} was acknowledged, not recorded`)
    for (const { word, execution, detail } of this.ledger()) {
      if (word !== 'done' || this.#removed.has(execution)) continue
      const held = steps.has(`${execution} ${detail}`)
      this.claims.check(held, `${execution}: step ${detail} was acknowledged, not recorded`)
    }
  }

  outcome(): Outcome {
    const broken = [...this.claims.broken, ...this.server.faults]
    if (broken.length === 0) rmSync(this.#folder, { recursive: true, force: true })
    else broken.push(`what is left of it: ${this.#folder}`)
    return {
      recoveredMs: this.server.recoveredMs,
      claims: this.claims.held + this.server.checked,
      timeouts: this.clients.timeouts,
      broken,
    }
  }

  // ------------------------------------------------------------------------------------------------- the server's part

  /** Begins the server that will be struck. */
  begin(): Promise<void> {
    return this.server.begin(this.#order)
  }

  /** Begins one that will not be. */
  prelude(): Promise<void> {
    return this.server.begin()
  }

  /** The story is over: what it owes is done, every promise is asked, the server ends with all its processes, its journal is audited. */
  async close(): Promise<void> {
    const data = join(this.#folder, 'data')
    await this.clients.until(() => (atRest(data).length === 0 ? true : undefined))
    for (const name of this.#arns.keys()) await this.proves(name)
    await this.server.stop()
    await this.clients.until(() => (processesOf(this.#folder).length === 0 ? true : undefined))
    const { questions, wrong } = auditJournal(data)
    for (const words of wrong) this.claims.check(false, words)
    this.claims.held += questions - wrong.length
  }

  /** Asks the promises of an execution that has ended. */
  proves(name: string): Promise<void> {
    const struck = typeof this.#order === 'object' && this.#order.action === 'SIGKILL' ? 1 : 0
    return this.#ask(name, this.#arns.get(name) ?? '', (this.#story.kills ?? 0) + struck)
  }

  async #ask(name: string, arn: string, mayLose: number): Promise<void> {
    const events = await this.#history(arn)
    const ledger = this.ledger()
    this.claims.history(name, events)
    this.claims.steps(name, events, ledger, mayLose)
    this.claims.waits(name, events, ledger)
    for (const { ChainedInvokeStartedDetails: details } of events) {
      if (details?.DurableExecutionArn === undefined) continue
      await this.#ask(`${name}-child`, details.DurableExecutionArn, mayLose)
    }
    await this.#isOnly(name, arn)
  }

  /** P7: however often it was started, there is one. */
  async #isOnly(name: string, arn: string): Promise<void> {
    const own = arn.split('/').at(-2) ?? ''
    const path = `/2025-12-01/functions/workflow/durable-executions?DurableExecutionName=${encodeURIComponent(own)}`
    const { status, text } = await this.clients.call({ path })
    const found =
      (JSON.parse(text) as { DurableExecutions?: { DurableExecutionArn: string }[] }).DurableExecutions ?? []
    this.claims.check(
      status === 200 && found.length === 1 && found[0]?.DurableExecutionArn === arn,
      `${name}: the list has ${found.length} executions of its name: ${status} ${text.slice(0, 300)}`,
    )
  }

  // ------------------------------------------------------------------------------------------------ the clients' part

  /** Two clients start the same execution at the same time; `name` is the ledger's, its own name may be another. */
  async start(plan: string, name: string, own = name): Promise<string> {
    const call = {
      method: 'POST',
      path: '/2015-03-31/functions/workflow:$LATEST/invocations',
      headers: { 'x-amz-invocation-type': 'Event', 'x-amz-durable-execution-name': own },
      body: JSON.stringify({ plan, name }),
    } as const
    const answers = await Promise.all([this.clients.call(call), this.clients.call(call)])
    for (const { status, text, headers } of answers) {
      if (status !== 202) throw new Error(`the start of ${name} got ${status} ${text}`)
      this.acknowledged(name, headers.get('x-amz-durable-execution-arn') ?? '')
    }
    return this.#arns.get(name) ?? ''
  }

  /** A client was told that the execution exists. */
  acknowledged(name: string, arn: string): void {
    const known = this.#arns.get(name)
    this.claims.check(known === undefined || known === arn, `${name}: two starts, two executions: ${known} and ${arn}`)
    this.#arns.set(name, arn)
  }

  /** The executions may be removed from now on. */
  forget(names: readonly string[]): void {
    for (const name of names) {
      this.#arns.delete(name)
      this.#removed.add(name)
    }
  }

  /** P6: two clients complete the callback, each with an answer of its own; at most one is told that it was first. */
  async rivalAnswers(name: string, callbackId: string): Promise<void> {
    const path = `/2025-12-01/durable-execution-callbacks/${encodeURIComponent(callbackId)}/succeed`
    const rivals = await Promise.all(
      ['left', 'right'].map(async (rival) => {
        const { status, text } = await this.clients.call({ method: 'POST', path, body: JSON.stringify(rival) })
        const closed = text.includes('either timed out or already completed')
        this.claims.check(status === 200 || closed, `${name}: the callback of ${rival} got ${status} ${text}`)
        return { rival, accepted: status === 200 }
      }),
    )
    const first = rivals.filter(({ accepted }) => accepted)
    this.claims.check(first.length <= 1, `${name}: its callback was accepted twice`)
    const [{ rival } = { rival: undefined }] = first
    const { result } = await this.#end(name)
    this.claims.check(rival === undefined || result.includes(rival), `${name}: ${rival} was accepted, not ${result}`)
  }

  async ends(name: string, right: RegExp): Promise<void> {
    const { status, result } = await this.#end(name)
    this.claims.check(status === 'SUCCEEDED' && right.test(result), `${name} ended as ${status} ${result}`)
  }

  async delete(arn: string, name: string): Promise<void> {
    this.forget([name])
    const { status, text } = await this.clients.call({ method: 'DELETE', path: executionPath(arn) })
    // A deletion whose answer was lost may already be done.
    this.claims.check(status < 300 || status === 404, `the deletion of ${name} got ${status} ${text}`)
    await this.clients.until(async () => ((await this.isGone(arn)) ? true : undefined))
  }

  async isGone(arn: string): Promise<boolean> {
    return (await this.clients.call({ path: executionPath(arn) })).status === 404
  }

  async advance(ms: number): Promise<void> {
    await this.clients.call({
      method: 'POST',
      path: '/perdure/v1/clock/advance',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ms }),
      attemptMs: 5_000,
    })
  }

  ledger(): Effect[] {
    return readLedger(join(this.#folder, 'ledger'))
  }

  /** Resolves with the effect when it is in the ledger. */
  noted(word: string, execution: string): Promise<Effect> {
    return this.clients.until(() => this.ledger().find((line) => line.word === word && line.execution === execution))
  }

  #end(name: string): Promise<{ readonly status: string; readonly result: string }> {
    const path = executionPath(this.#arns.get(name) ?? '')
    return this.clients.until(async () => {
      const { status, text } = await this.clients.call({ path })
      if (status !== 200) throw new Error(`${name}, which was acknowledged, is not found: ${status} ${text}`)
      const { Status, Result, Error: error } = JSON.parse(text) as { Status: string; Result?: string; Error?: unknown }
      return Status === 'RUNNING' ? undefined : { status: Status, result: Result ?? JSON.stringify(error) }
    })
  }

  async #history(arn: string): Promise<WireEvent[]> {
    const { status, text } = await this.clients.call({ path: `${executionPath(arn)}/history?MaxItems=1000` })
    if (status !== 200) throw new Error(`the history of ${arn} got ${status} ${text}`)
    return (JSON.parse(text) as { Events: WireEvent[] }).Events
  }
}

const executionPath = (arn: string): string => `/2025-12-01/durable-executions/${encodeURIComponent(arn)}`
