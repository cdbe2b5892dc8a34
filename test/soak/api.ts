/**
 * The soak's calls of the API. Nothing is retried behind the caller's back: whoever calls learns that no answer came,
 * and what it means that none came is theirs to say.
 */
import { Agent, request } from 'node:http'
import type { HistoryEvent } from '../../src/protocol/shapes.ts'
import type { Order } from './orders.ts'

export interface Answer {
  readonly status: number
  readonly text: string
  readonly arn: string | undefined
}

export interface Description {
  readonly Status: string
  readonly Result?: string
  readonly StartTimestamp: number
  readonly EndTimestamp?: number
}

/** A read that found the execution, found that there is none, or found no server. */
export type Found<T> = { readonly is: T } | 'gone' | 'unanswered'

interface Wanted {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The connection is cut so long after the request was written; 0: at once. */
  readonly cutAfterMs?: number
}

const TIMEOUT_MS = 30_000

export class Api {
  readonly endpoint: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 128 })
  /** Answers by status, for the summary. */
  readonly statuses = new Map<number, number>()

  constructor(endpoint: string) {
    this.endpoint = endpoint
  }

  /** Undefined: no answer came. */
  call(method: string, path: string, wanted: Wanted = {}): Promise<Answer | undefined> {
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>()
    const { body, cutAfterMs } = wanted
    const headers = { ...wanted.headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) }
    const agent = cutAfterMs === undefined ? this.#agent : false
    const call = request(new URL(path, this.endpoint), { method, headers, agent, timeout: TIMEOUT_MS }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', () => resolve(undefined))
      response.once('close', () => resolve(undefined))
      response.once('end', () => {
        const status = response.statusCode ?? 0
        this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
        const arn = response.headers['x-amz-durable-execution-arn']
        resolve({ status, text: Buffer.concat(chunks).toString(), arn: typeof arn === 'string' ? arn : undefined })
      })
    })
    call.once('timeout', () => call.destroy())
    call.on('error', () => resolve(undefined))
    call.end(body, () => {
      if (cutAfterMs === undefined) return
      setTimeout(() => {
        call.destroy()
        resolve(undefined)
      }, cutAfterMs)
    })
    return promise
  }

  /** The start of an execution by its name. `body` in place of the order is a start that contradicts it. */
  start(
    order: Order,
    wanted: { readonly type: 'Event' | 'RequestResponse'; readonly body?: string; readonly cutAfterMs?: number },
  ): Promise<Answer | undefined> {
    return this.call('POST', `/2015-03-31/functions/${order.fn}:$LATEST/invocations`, {
      headers: { 'x-amz-invocation-type': wanted.type, 'x-amz-durable-execution-name': order.name },
      body: wanted.body ?? JSON.stringify(order),
      ...(wanted.cutAfterMs === undefined ? {} : { cutAfterMs: wanted.cutAfterMs }),
    })
  }

  async describe(arn: string): Promise<Found<Description>> {
    return found(await this.call('GET', pathOf(arn)))
  }

  async history(arn: string): Promise<Found<HistoryEvent[]>> {
    const events: HistoryEvent[] = []
    let marker = ''
    do {
      const query = `?MaxItems=1000&IncludeExecutionData=true${marker === '' ? '' : `&Marker=${encodeURIComponent(marker)}`}`
      const page = found<{ Events: HistoryEvent[]; NextMarker?: string }>(
        await this.call('GET', `${pathOf(arn)}/history${query}`),
      )
      if (typeof page === 'string') return page
      events.push(...page.is.Events)
      marker = page.is.NextMarker ?? ''
    } while (marker !== '')
    return { is: events }
  }

  stop(arn: string): Promise<Answer | undefined> {
    return this.call('POST', `${pathOf(arn)}/stop`, {
      body: '{"ErrorType":"Soak","ErrorMessage":"stopped on purpose"}',
    })
  }

  remove(arn: string): Promise<Answer | undefined> {
    return this.call('DELETE', pathOf(arn))
  }

  callback(id: string, result: string): Promise<Answer | undefined> {
    return this.call('POST', `/2025-12-01/durable-execution-callbacks/${encodeURIComponent(id)}/succeed`, {
      body: result,
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

const pathOf = (arn: string): string => `/2025-12-01/durable-executions/${encodeURIComponent(arn)}`

/** Anything but a failure of the server, which says nothing about what was asked. */
export const answered = (answer: Answer | undefined): answer is Answer =>
  answer !== undefined && answer.status < 500 && answer.status !== 429

function found<T>(answer: Answer | undefined): Found<T> {
  if (!answered(answer)) return 'unanswered'
  if (answer.status === 200) return { is: JSON.parse(answer.text) as T }
  if (answer.status === 404) return 'gone'
  throw new Error(`a read was refused: ${answer.status} ${answer.text}`)
}
