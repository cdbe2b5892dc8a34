/**
 * A hammer checkpoints as fast as it can in the place of a function, so that most kills meet a checkpoint in flight.
 * It knows of each step whether its checkpoint was acknowledged. When an answer is lost it repeats the request until
 * a server answers; when its invocation has been superseded it goes on from the next one's event.
 */
import type { OperationUpdate } from '../../src/protocol/shapes.ts'
import type { Invocation, Puppeteer } from '../tables/puppeteer.ts'

export class Hammer {
  readonly name: string
  readonly acknowledged = new Set<string>()
  readonly sent = new Set<string>()
  /** Every claim that the server went back on, in words. */
  readonly broken: string[] = []
  inFlight = false
  #finishing = false
  readonly #endpoint: string
  readonly #puppets: Puppeteer
  #next = 0

  constructor(endpoint: string, puppets: Puppeteer, name: string) {
    this.#endpoint = endpoint
    this.#puppets = puppets
    this.name = name
  }

  /** After this every invocation ends the execution. */
  finish(): void {
    this.#finishing = true
  }

  /** Runs until the test is over: an invocation that it ends may be one whose process is long dead. */
  async run(): Promise<never> {
    for (;;) {
      const invocation = await this.#puppets.nextOfExecution(this.name)
      this.#compare(invocation)
      await this.#checkpoints(invocation)
    }
  }

  /** An event must hold every step that was acknowledged (its long history comes in pages, which it reads). */
  #compare({ event }: Invocation): void {
    if (event.InitialExecutionState.NextMarker !== '') return
    const finished = new Set(event.InitialExecutionState.Operations.map(({ Id }) => Id))
    for (const id of this.acknowledged) {
      if (!finished.has(id)) this.broken.push(`${this.name}: acknowledged ${id} is not in the next invocation's event`)
    }
  }

  /** Goes on until the invocation is superseded, or ends the execution when it is time. */
  async #checkpoints(invocation: Invocation): Promise<void> {
    const { DurableExecutionArn: arn } = invocation.event
    let token = invocation.event.CheckpointToken
    while (!this.#finishing) {
      this.#next += 1
      const id = `step-${this.#next}`
      this.sent.add(id)
      const answer = await this.#send(arn, token, id)
      if (answer === undefined) return
      this.acknowledged.add(id)
      token = answer
    }
    invocation.respond({ Status: 'SUCCEEDED', Result: '"hammered"' })
  }

  /** The next token; undefined when this invocation has been superseded. */
  async #send(arn: string, token: string, id: string): Promise<string | undefined> {
    const same = { Id: id, Type: 'STEP', SubType: 'Step' } as const
    const updates: OperationUpdate[] = [
      { ...same, Action: 'START' },
      { ...same, Action: 'SUCCEED', Payload: JSON.stringify(id) },
    ]
    const body = JSON.stringify({ CheckpointToken: token, ClientToken: `${id}-${token.slice(-8)}`, Updates: updates })
    const url = `${this.#endpoint}/2025-12-01/durable-executions/${encodeURIComponent(arn)}/checkpoint`
    for (;;) {
      try {
        this.inFlight = true
        const response = await fetch(url, { method: 'POST', body })
        const text = await response.text()
        this.inFlight = false
        if (response.status === 200) return JSON.parse(text).CheckpointToken
        if (text.includes('Invalid checkpoint token')) return undefined
        if (response.status < 500) this.broken.push(`${this.name}: ${id} got ${response.status} ${text}`)
      } catch {
        this.inFlight = false
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
