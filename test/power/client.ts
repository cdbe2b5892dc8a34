/** The outside of a server: it starts, checkpoints, completes, stops and deletes, and remembers what each answer claimed. */
import assert from 'node:assert/strict'
import type { SeededRandom } from '../simulation/seeded-random.ts'
import type { Invocation, Puppeteer } from '../tables/puppeteer.ts'
import { callback, step, type Update, wait } from '../tables/updates.ts'

const MOST_PAYLOAD = 6_000

export class Client {
  /** Facts by the id of the request whose answer said so. */
  readonly claims = new Map<string, string>()
  readonly #completed = new Set<string>()
  readonly #endpoint: string
  readonly #puppets: Puppeteer
  readonly #random: SeededRandom

  constructor(endpoint: string, puppets: Puppeteer, random: SeededRandom) {
    this.#endpoint = endpoint
    this.#puppets = puppets
    this.#random = random
  }

  async start(fn: string, name: string): Promise<string> {
    const headers = { 'x-amz-invocation-type': 'Event', 'x-amz-durable-execution-name': name }
    const path = `/2015-03-31/functions/${fn}:$LATEST/invocations`
    const { response } = await this.#send('POST', path, JSON.stringify({ name }), headers)
    assert.equal(response.status, 202)
    return response.headers.get('x-amz-durable-execution-arn') ?? ''
  }

  /** Checkpoints as a function does, one after another, and completes each callback that it creates. */
  async hammer(name: string, checkpoints: number): Promise<void> {
    await this.start('hammer', name)
    const { event } = await this.#puppets.nextOfExecution(name)
    let token = event.CheckpointToken
    for (let number = 0; number < checkpoints; number += 1) {
      const updates = this.#updates(number)
      const path = `/2025-12-01/durable-executions/${encodeURIComponent(event.DurableExecutionArn)}/checkpoint`
      const { text } = await this.#send('POST', path, JSON.stringify({ CheckpointToken: token, Updates: updates }))
      const answer = JSON.parse(text) as { CheckpointToken: string }
      token = answer.CheckpointToken
      const callbackId = /"CallbackId":"([0-9a-f]+)"/.exec(text)?.[1]
      // Once it is completed, the next answer shows it again.
      if (callbackId !== undefined && !this.#completed.has(callbackId)) await this.#complete(callbackId)
    }
  }

  async startPlain(fn: string): Promise<void> {
    const headers = { 'x-amz-invocation-type': 'Event' }
    const { response } = await this.#send('POST', `/2015-03-31/functions/${fn}/invocations`, '{}', headers)
    const requestId = response.headers.get('x-amzn-requestid') ?? ''
    this.claims.set(requestId, `queued ${requestId}`)
  }

  async stopAndDelete(name: string): Promise<void> {
    const arn = await this.start('hammer', name)
    const invocation: Invocation = await this.#puppets.nextOfExecution(name)
    const path = `/2025-12-01/durable-executions/${encodeURIComponent(arn)}`
    await this.#send('POST', `${path}/stop`, '{}', {}, `closed ${arn}`)
    invocation.respond({ Status: 'SUCCEEDED' })
    await this.#send('DELETE', path, undefined, {}, `deleted ${arn}`)
  }

  #updates(number: number): Update[] {
    const random = this.#random
    if (random.chance(0.1)) return [callback.start(`callback-${number}`, { TimeoutSeconds: 600 })]
    if (random.chance(0.05)) return [wait.start(`wait-${number}`, 1)]
    const payload = JSON.stringify('x'.repeat(random.chance(0.2) ? random.between(1_000, MOST_PAYLOAD) : 20))
    return Array.from({ length: random.between(1, 3) }, (_, i) => step.succeed(`step-${number}-${i}`, payload))
  }

  async #complete(callbackId: string): Promise<void> {
    this.#completed.add(callbackId)
    const path = `/2025-12-01/durable-execution-callbacks/${callbackId}/succeed`
    await this.#send('POST', path, '"done"', {}, `completed ${callbackId}`)
  }

  /** Any answer but a success ends the run: nothing disturbs this server. */
  async #send(
    method: string,
    path: string,
    body: string | undefined,
    headers: Record<string, string> = {},
    claim?: string,
  ): Promise<{ response: Response; text: string }> {
    const response = await fetch(this.#endpoint + path, { method, headers, ...(body !== undefined && { body }) })
    const text = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
    if (claim !== undefined) this.claims.set(response.headers.get('x-amzn-requestid') ?? '', claim)
    return { response, text }
  }
}
