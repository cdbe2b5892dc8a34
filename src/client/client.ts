/**
 * A small client of the API for programs on this side of the wire: the commands, the demo and tests. It speaks the
 * same HTTP as the official SDKs, over kept-alive connections, unsigned. Timestamps come back as epoch milliseconds;
 * failures are those of `errors.ts`. Text that a function produced (payloads, results) is passed through untouched.
 */
import type { DurableConfig, ErrorObject, ExecutionStatus, HistoryEvent } from '../protocol/shapes.ts'
import { ForeignServerError, RefusedError, UnreachableError } from './errors.ts'
import { type HttpAnswer, type HttpCall, HttpTransport } from './http-transport.ts'

export interface InvokeAnswer {
  readonly StatusCode: number
  readonly ExecutedVersion?: string
  readonly DurableExecutionArn?: string
  /** `Unhandled` when the function failed; `Payload` is then its error. */
  readonly FunctionError?: string
  /** The body as text; empty for an asynchronous invocation. */
  readonly Payload: string
}

export interface ListedExecution {
  readonly DurableExecutionArn: string
  readonly DurableExecutionName: string
  readonly FunctionArn: string
  readonly Status: ExecutionStatus
  readonly StartTimestamp: number
  readonly EndTimestamp?: number
}

export interface DescribedExecution extends ListedExecution {
  readonly Version?: string
  readonly InputPayload?: string
  readonly Result?: string
  readonly Error?: ErrorObject
  readonly DurableConfig?: DurableConfig
}

export interface ListedFunction {
  readonly FunctionName: string
  readonly FunctionArn: string
  readonly Version: string
  readonly Timeout?: number
  readonly MemorySize?: number
  readonly DurableConfig?: DurableConfig
}

export interface HistoryPage {
  readonly Events: readonly HistoryEvent[]
  readonly NextMarker?: string
}

/** One line that a function printed, or that the platform says about one of its invocations. */
export interface LoggedLine {
  readonly at: number
  readonly functionName: string
  readonly version: string
  readonly requestId?: string
  readonly executionArn?: string
  readonly stream: 'stdout' | 'stderr' | 'platform'
  readonly line: string
}

export interface LogsCall {
  readonly functionName?: string
  readonly executionArn?: string
  /** Epoch milliseconds, exclusive. */
  readonly afterMs?: number
  readonly limit?: number
  readonly signal?: AbortSignal
}

export interface InvokeCall {
  readonly functionName: string
  readonly qualifier?: string
  readonly payload?: string
  /** `Event` returns at once; default `RequestResponse` waits for the end. */
  readonly type?: 'RequestResponse' | 'Event'
  readonly executionName?: string
  readonly tenantId?: string
  readonly signal?: AbortSignal
}

export interface ListCall {
  readonly functionName: string
  readonly statuses?: readonly string[]
  readonly executionName?: string
  readonly oldestFirst?: boolean
  readonly maxItems?: number
  readonly marker?: string
}

export interface HistoryCall {
  readonly arn: string
  readonly includeData?: boolean
  readonly marker?: string
  readonly maxItems?: number
  readonly signal?: AbortSignal
}

const executionPath = (arn: string) => `/2025-12-01/durable-executions/${encodeURIComponent(arn)}`
const callbackPath = (id: string) => `/2025-12-01/durable-execution-callbacks/${encodeURIComponent(id)}`

/** Of a `MaxItems` this large the server fills a page whenever it can. */
const largestPage = 1000

export class PerdureClient {
  readonly #transport: HttpTransport

  /** `endpoint` is an absolute http or https URL; anything else is a `TypeError`. */
  constructor(endpoint: string) {
    this.#transport = new HttpTransport(endpoint)
  }

  get endpoint(): string {
    return this.#transport.endpoint
  }

  async invoke(call: InvokeCall): Promise<InvokeAnswer> {
    const answer = await this.#send({
      method: 'POST',
      path: `/2015-03-31/functions/${encodeURIComponent(call.functionName)}/invocations${query({ Qualifier: call.qualifier })}`,
      headers: {
        'x-amz-invocation-type': call.type ?? 'RequestResponse',
        ...(call.executionName !== undefined && { 'x-amz-durable-execution-name': call.executionName }),
        ...(call.tenantId !== undefined && { 'x-amz-tenant-id': call.tenantId }),
      },
      body: call.payload ?? '',
      ...(call.signal !== undefined && { signal: call.signal }),
    })
    return {
      StatusCode: answer.status,
      ...member('ExecutedVersion', answer.headers['x-amz-executed-version']),
      ...member('DurableExecutionArn', answer.headers['x-amz-durable-execution-arn']),
      ...member('FunctionError', answer.headers['x-amz-function-error']),
      Payload: answer.body.toString('utf8'),
    }
  }

  /** Every function, all pages. */
  async listFunctions(): Promise<readonly ListedFunction[]> {
    const functions: ListedFunction[] = []
    let marker: string | undefined
    do {
      const page = await this.#get<{ Functions: ListedFunction[]; NextMarker?: string | null }>(
        `/2015-03-31/functions${query({ Marker: marker })}`,
      )
      functions.push(...page.Functions)
      marker = page.NextMarker || undefined
    } while (marker !== undefined)
    return functions
  }

  async listExecutions(
    call: ListCall,
  ): Promise<{ readonly DurableExecutions: readonly ListedExecution[]; readonly NextMarker?: string }> {
    return await this.#get(
      `/2025-12-01/functions/${encodeURIComponent(call.functionName)}/durable-executions${query({
        Statuses: call.statuses,
        DurableExecutionName: call.executionName,
        ReverseOrder: call.oldestFirst,
        MaxItems: call.maxItems,
        Marker: call.marker,
      })}`,
    )
  }

  async getExecution(arn: string, includeData = true): Promise<DescribedExecution> {
    return await this.#get(executionPath(arn) + query({ IncludeExecutionData: includeData }))
  }

  async historyPage(call: HistoryCall): Promise<HistoryPage> {
    const path = `${executionPath(call.arn)}/history${query({
      IncludeExecutionData: call.includeData ?? true,
      MaxItems: call.maxItems ?? largestPage,
      Marker: call.marker,
    })}`
    return await this.#get(path, call.signal)
  }

  /** Every event from the marker on, all pages. */
  async history(call: HistoryCall): Promise<readonly HistoryEvent[]> {
    const events: HistoryEvent[] = []
    let marker = call.marker
    do {
      const page = await this.historyPage({ ...call, ...(marker !== undefined && { marker }) })
      events.push(...page.Events)
      marker = page.NextMarker || undefined
    } while (marker !== undefined)
    return events
  }

  async stopExecution(arn: string, error?: ErrorObject): Promise<{ readonly StopTimestamp: number }> {
    return await this.#json({ method: 'POST', path: `${executionPath(arn)}/stop`, ...jsonBody(error ?? {}) })
  }

  /** `result` is stored byte for byte; none leaves the callback without a result. */
  async succeedCallback(callbackId: string, result?: string | Uint8Array): Promise<void> {
    await this.#send({
      method: 'POST',
      path: `${callbackPath(callbackId)}/succeed`,
      headers: { 'content-type': 'application/octet-stream' },
      body: result ?? '',
    })
  }

  async failCallback(callbackId: string, error: ErrorObject): Promise<void> {
    await this.#send({ method: 'POST', path: `${callbackPath(callbackId)}/fail`, ...jsonBody(error) })
  }

  async heartbeatCallback(callbackId: string): Promise<void> {
    await this.#send({ method: 'POST', path: `${callbackPath(callbackId)}/heartbeat` })
  }

  /** The newest lines that match, oldest first. Not part of the compatible API. */
  async logs(call: LogsCall): Promise<readonly LoggedLine[]> {
    const path = `/perdure/v1/logs${query({
      function: call.functionName,
      execution: call.executionArn,
      after: call.afterMs,
      limit: call.limit,
    })}`
    const { records } = await this.#get<{ readonly records: readonly LoggedLine[] }>(path, call.signal)
    return records
  }

  /** True once the server accepts commands; false while it recovers or drains. */
  async ready(signal?: AbortSignal): Promise<boolean> {
    const answer = await this.#transport.send({
      method: 'GET',
      path: '/readyz',
      ...(signal !== undefined && { signal }),
    })
    return answer.status === 200
  }

  close(): void {
    this.#transport.close()
  }

  async #get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return await this.#json({ method: 'GET', path, ...(signal !== undefined && { signal }) })
  }

  async #json<T>(call: HttpCall): Promise<T> {
    const answer = await this.#send(call)
    const parsed = parseJson(answer.body)
    if (parsed === undefined) throw new ForeignServerError(this.endpoint, `HTTP ${answer.status} without a JSON body`)
    return parsed as T
  }

  async #send(call: HttpCall): Promise<HttpAnswer> {
    const answer = await this.#transport.send(call)
    if (answer.status >= 400) throw this.#refusal(answer)
    if (answer.status >= 300) throw new ForeignServerError(this.endpoint, `HTTP ${answer.status}`)
    return answer
  }

  #refusal(answer: HttpAnswer): Error {
    const errorType = first(answer.headers['x-amzn-errortype'])?.split(':')[0]
    const body = parseJson(answer.body)
    if (errorType === undefined || typeof body !== 'object' || body === null) {
      if (answer.status === 503) return new UnreachableError(this.endpoint, 'HTTP 503')
      return new ForeignServerError(this.endpoint, `HTTP ${answer.status} without x-amzn-ErrorType`)
    }
    const { message, Message } = body as { message?: unknown; Message?: unknown }
    return new RefusedError(errorType, String(message ?? Message ?? errorType), answer.status)
  }
}

const first = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)

function member<K extends string>(name: K, value: string | string[] | undefined): { readonly [key in K]?: string } {
  const text = first(value)
  return text === undefined ? {} : ({ [name]: text } as { [key in K]?: string })
}

const jsonBody = (value: unknown) => ({
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})

type QueryValue = string | number | boolean | readonly string[] | undefined

/** `{A: 'x', B: ['1', '2'], C: undefined}` → `?A=x&B=1&B=2`; nothing set → the empty string. */
function query(members: Readonly<Record<string, QueryValue>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(members)) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) search.append(name, String(one))
  }
  return search.size === 0 ? '' : `?${search.toString()}`
}

/** JSON with epoch seconds turned into milliseconds (spec 01 §1.0); undefined when the bytes are not JSON. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'), (name, value: unknown) =>
      name.endsWith('Timestamp') && typeof value === 'number' ? Math.round(value * 1000) : value,
    )
  } catch {
    return undefined
  }
}
