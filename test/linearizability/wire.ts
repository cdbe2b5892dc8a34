/** The calls of clients on the wire: what is sent for a request, and what the answer says in the words of `calls.ts`. */
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { ErrorObject, HistoryEvent, Operation } from '../../src/protocol/shapes.ts'
import { callback, execution, step, type Update as WireUpdate } from '../tables/updates.ts'
import { type Answer, type OperationView, REFUSAL, type Request, type Update } from './calls.ts'
import type { Symbols } from './recorder.ts'

const EXECUTIONS = '/2025-12-01/durable-executions'
const CALLBACKS = '/2025-12-01/durable-execution-callbacks'

/** A server that says nothing for so long will not answer any more. */
const PATIENCE_MS = 30_000

/** What clients ask; the rest of the history's calls are made by the service and its functions. */
export type ClientRequest = Exclude<Request, { readonly kind: 'invocation' | 'end' | 'kill' | 'recovery' }>

/** The name that a start is for; and the words for everything on it. */
export interface Addressee {
  readonly name: string
  readonly functionName: string
  readonly symbols: Symbols
}

export type Outcome =
  | { readonly kind: 'answered'; readonly answer: Answer }
  /** The connection ended first, or the service says that it failed. */
  | { readonly kind: 'unknown'; readonly because?: string }
  /** There was no server, or it would not take the call: nothing happened. */
  | { readonly kind: 'unsent' }

interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** One client's connection. */
export class Wire {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #endpoint: URL

  constructor(endpoint: string) {
    this.#endpoint = new URL(endpoint)
  }

  close(): void {
    this.#agent.destroy()
  }

  /** With `cutAfterMs` the client hangs up so long after it has sent everything. */
  async send(request: ClientRequest, to: Addressee, cutAfterMs?: number): Promise<Outcome> {
    const answer = await this.#exchange(httpRequestFor(request, to), cutAfterMs)
    if (typeof answer === 'string') return { kind: answer }
    if (answer.status === 429) return { kind: 'unsent' }
    if (answer.status >= 500) return { kind: 'unknown', because: answer.text }
    return { kind: 'answered', answer: answerTo(request, answer, to.symbols) }
  }

  #exchange(wanted: HttpRequest, cutAfterMs: number | undefined): Promise<HttpAnswer | 'unknown' | 'unsent'> {
    const { promise, resolve } = Promise.withResolvers<HttpAnswer | 'unknown' | 'unsent'>()
    const { hostname: host, port } = this.#endpoint
    const { method, path, headers, body } = wanted
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const call = httpRequest(
      { agent: this.#agent, host, port, method, path, headers: { ...headers, ...length }, timeout: PATIENCE_MS },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', () => resolve('unknown'))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        )
      },
    )
    call.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED' ? 'unsent' : 'unknown'))
    call.on('timeout', () => call.destroy(new Error('no answer')))
    call.end(body, () => {
      if (cutAfterMs !== undefined) setTimeout(() => call.destroy(), cutAfterMs)
    })
    return promise
  }
}

function httpRequestFor(request: ClientRequest, { name, functionName, symbols }: Addressee): HttpRequest {
  const json = { 'content-type': 'application/json' }
  const executionPath = (arn: string) => `${EXECUTIONS}/${encodeURIComponent(symbols.textOf(arn))}`
  switch (request.kind) {
    case 'start':
      return {
        method: 'POST',
        path: `/2015-03-31/functions/${encodeURIComponent(`${functionName}:$LATEST`)}/invocations`,
        headers: { ...json, 'x-amz-invocation-type': 'Event', 'x-amz-durable-execution-name': name },
        body: request.payload,
      }
    case 'checkpoint':
      return {
        method: 'POST',
        path: `${executionPath(request.arn)}/checkpoint`,
        headers: json,
        body: JSON.stringify({
          CheckpointToken: symbols.textOf(request.token),
          ClientToken: request.clientToken,
          Updates: request.updates.map(wireUpdate),
        }),
      }
    case 'state': {
      const query = new URLSearchParams({ CheckpointToken: symbols.textOf(request.token), MaxItems: '1000' })
      return { method: 'GET', path: `${executionPath(request.arn)}/state?${query}` }
    }
    case 'describe':
      return { method: 'GET', path: executionPath(request.arn) }
    case 'history':
      return { method: 'GET', path: `${executionPath(request.arn)}/history?IncludeExecutionData=true&MaxItems=1000` }
    case 'delete':
      return { method: 'DELETE', path: executionPath(request.arn) }
    case 'stop': {
      const body = JSON.stringify(errorObject(request.error))
      return { method: 'POST', path: `${executionPath(request.arn)}/stop`, headers: json, body }
    }
    case 'callback': {
      const { verb, callbackId, text, attempt } = request
      const body = verb === 'succeed' ? text : JSON.stringify(errorObject(text))
      return {
        method: 'POST',
        path: `${CALLBACKS}/${encodeURIComponent(symbols.textOf(callbackId))}/${verb}`,
        headers: {
          'content-type': verb === 'succeed' ? 'application/octet-stream' : 'application/json',
          ...(attempt === undefined ? {} : { 'amz-sdk-invocation-id': attempt }),
        },
        ...(verb === 'heartbeat' ? {} : { body }),
      }
    }
  }
}

function wireUpdate(update: Update): WireUpdate {
  switch (update.type) {
    case 'CALLBACK':
      return callback.start(update.id)
    case 'EXECUTION':
      return update.action === 'FAIL' ? execution.fail(errorObject(update.text)) : execution.succeed(update.text)
    case 'STEP':
      if (update.action === 'START') return step.start(update.id)
      return update.action === 'FAIL'
        ? step.fail(update.id, errorObject(update.text))
        : step.succeed(update.id, update.text)
  }
}

/** An error of these histories is `Type: message`. */
export function errorObject(text: string): ErrorObject {
  const [ErrorType = '', ErrorMessage = ''] = text.split(': ')
  return { ErrorType, ErrorMessage }
}

const textOfError = ({ ErrorType = '', ErrorMessage = '' }: ErrorObject): string => `${ErrorType}: ${ErrorMessage}`

function answerTo(request: ClientRequest, { status, headers, text }: HttpAnswer, symbols: Symbols): Answer {
  if (status >= 300) return refusal(status, headers, text, symbols)
  const told = (): Record<string, never> => JSON.parse(text)
  switch (request.kind) {
    case 'start':
      return { kind: 'started', arn: symbols.of('A', String(headers['x-amz-durable-execution-arn'])) }
    case 'checkpoint': {
      const { CheckpointToken, NewExecutionState } = told() as unknown as {
        CheckpointToken?: string
        NewExecutionState: { Operations: Operation[] }
      }
      const operations = NewExecutionState.Operations
      return {
        kind: 'checkpointed',
        token: CheckpointToken === undefined ? undefined : symbols.of('t', CheckpointToken),
        operations: operations.map((operation) => viewOf(operation, symbols)),
        rest: operations.map(({ StartTimestamp, EndTimestamp = '' }) => `${StartTimestamp}-${EndTimestamp}`).join(),
      }
    }
    case 'state':
      return {
        kind: 'operations',
        operations: viewsOf((told() as unknown as { Operations: Operation[] }).Operations, symbols),
      }
    case 'describe': {
      const {
        Status,
        Result,
        Error: error,
        EndTimestamp,
      } = told() as unknown as {
        Status: (Answer & { kind: 'described' })['status']
        Result?: string
        Error?: ErrorObject
        EndTimestamp?: number
      }
      return {
        kind: 'described',
        status: Status,
        text: error === undefined ? Result : textOfError(error),
        endedAt: EndTimestamp,
      }
    }
    case 'history':
      return { kind: 'events', events: eventsOf((told() as unknown as { Events: HistoryEvent[] }).Events, symbols) }
    case 'stop':
      return { kind: 'stopped', at: Number(told()['StopTimestamp']) }
    case 'delete':
      return { kind: 'deleted', at: Number(told()['DeletionRequestTimestamp']) }
    case 'callback':
      return { kind: 'done' }
  }
}

function refusal(status: number, headers: IncomingHttpHeaders, text: string, symbols: Symbols): Answer {
  const code = String(headers['x-amzn-errortype'] ?? status)
  const body = JSON.parse(text) as { message?: string; Message?: string }
  const message = body.message ?? body.Message ?? ''
  const [, taken] = /^Execution already started: (.+)$/.exec(message) ?? []
  if (taken !== undefined) return { kind: 'taken', arn: symbols.of('A', taken) }
  return { kind: 'refused', error: status === 409 ? REFUSAL.running : `${code}: ${message}` }
}

/** What a state or an invocation's event shows, but for the EXECUTION itself. */
export function viewsOf(operations: readonly Operation[], symbols: Symbols): OperationView[] {
  const [first, ...others] = operations
  if (first?.Type !== 'EXECUTION') throw new Error('the EXECUTION comes first')
  return others.map((operation) => viewOf(operation, symbols))
}

function viewOf({ Id, Status, StepDetails, CallbackDetails }: Operation, symbols: Symbols): OperationView {
  const { Result, Error: error } = StepDetails ?? CallbackDetails ?? {}
  const callbackId = CallbackDetails?.CallbackId
  return {
    id: Id,
    status: Status as OperationView['status'],
    text: error === undefined ? Result : textOfError(error),
    callbackId: callbackId === undefined ? undefined : symbols.of('c', callbackId),
  }
}

/** One event a line: its type, what it is about, what it carries. A gap in the numbers is a line of its own. */
function eventsOf(events: readonly HistoryEvent[], symbols: Symbols): string[] {
  return events.map((event, index) => {
    const { EventId, EventType, Id } = event
    if (EventId !== index + 1) return `event ${EventId} at place ${index + 1}`
    const details = (event[`${EventType}Details`] ?? {}) as {
      Input?: { Payload?: string }
      Result?: { Payload?: string }
      Error?: { Payload?: ErrorObject }
      RequestId?: string
    }
    if (EventType === 'InvocationCompleted') return `${EventType} ${symbols.of('r', details.RequestId ?? '')}`
    const error = details.Error?.Payload
    const text = error === undefined ? (details.Result ?? details.Input)?.Payload : textOfError(error)
    const about = EventType.startsWith('Execution') ? undefined : Id
    return [EventType, about, text].filter((part) => part !== undefined).join(' ')
  })
}
