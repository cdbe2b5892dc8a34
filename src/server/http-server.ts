/**
 * The HTTP room: routes to service and functions. This file holds what every request goes through, in this order:
 *
 *   one reading, local safety → route by path → admission → body → the route (parse, authorise, call, answer) → response
 *
 * A request to attach a worker goes the same way as far as its route, and hands its connection over.
 *
 * An error of any of these is an `ApiError` and becomes a modelled answer; anything else that is thrown is a defect,
 * is logged, and becomes a 500 with the request id. Nothing escapes a request: its promise never rejects.
 */
import { type IncomingMessage, type RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { crashPoint } from '../crash-point.ts'
import { type Place, parseExecutionArn } from '../protocol/arn.ts'
import { ApiError } from '../protocol/errors.ts'
import type { Limits } from '../protocol/limits.ts'
import { ATTACH_PATH } from '../protocol/worker-attach.ts'
import type { DurableService } from '../service/api.ts'
import { MetricRegistry } from '../service/metrics.ts'
import type { Clock, Entropy, FunctionManagement, Functions, Logs } from '../service/ports.ts'
import { Admission, type Hold } from './admission.ts'
import { clientGone } from './client-gone.ts'
import { FunctionQueues } from './function-queues.ts'
import type { Upgrades } from './listen.ts'
import { type HostRule, localSafety } from './local-safety.ts'
import { announcedBytes, ClientGone, readBody } from './read-body.ts'
import { errorReply, type Reply, write } from './reply.ts'
import { GONE, RequestFigures, UNKNOWN_OPERATION } from './request-figures.ts'
import { requireOneReading, SeveralReadings } from './request-head.ts'
import { parseQuery, splitTarget } from './request-path.ts'
import type { ClockControl, Route, RouteDeps, RouteRequest } from './route.ts'
import { Router } from './router.ts'
import { ROUTES } from './routes/index.ts'
import { perdureAttachWorker } from './routes/perdure-attach-worker.ts'
import { SyncWaits } from './sync-waits.ts'
import { spelledFor } from './token-casing.ts'

export { type Listening, listen } from './listen.ts'
export type { HostRule } from './local-safety.ts'
export type { ClockControl } from './route.ts'

export interface RequestListenerDeps {
  readonly service: DurableService
  readonly functions: Functions
  readonly management: FunctionManagement
  readonly logs: Logs
  /** Takes over the connection of a worker, or throws an `ApiError` that says why not. Absent: workers cannot attach. */
  readonly attach?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Absent unless the server runs on a manual clock. */
  readonly clockControl?: ClockControl
  readonly place: Place
  readonly limits: Limits
  /** Treat an unqualified Invoke of a durable function as one of `$LATEST`. */
  readonly allowUnqualified: boolean
  /** Which `Host` and `Origin` are this server's own. */
  readonly hosts: HostRule
  readonly entropy: Entropy
  readonly clock: Clock
  readonly log: (record: ServerLogRecord) => void
  /** Told of every answered request. Absent: nobody wants to know. */
  readonly requestLog?: (record: RequestLogRecord) => void
  /** Default: one of its own. */
  readonly metrics?: MetricRegistry
}

/** A defect that a request came upon. */
export interface ServerLogRecord {
  readonly at: number
  readonly level: 'error'
  readonly message: string
  readonly requestId: string
  readonly executionArn?: string
  readonly method: string
  /** Without the query and without callback ids: who knows one may complete the callback. */
  readonly path: string
  readonly error: unknown
}

export interface RequestLogRecord {
  readonly requestId: string
  readonly operation: string
  readonly executionArn?: string
  /** `gone`: the client went away first. */
  readonly status: number | 'gone'
  readonly durationMs: number
}

export interface PerdureListener {
  readonly listener: RequestListener
  /** The same server behind another door, with its own idea of a good Host: load and waits are counted together. */
  listenerFor(hosts: HostRule): RequestListener
  /** For the listener's own door only: functions have no business attaching. */
  readonly upgrades: Upgrades
  /** Ends synchronous waits with a 500 that clients retry and takes no new Invoke; everything else goes on. */
  shutdown(): void
  /** Something that was no request was answered with the status. */
  refused(status: number): void
}

export function createRequestListener(deps: RequestListenerDeps): PerdureListener {
  const server = new RequestServer(deps)
  const listenerFor = (hosts: HostRule): RequestListener => {
    const requireLocal = localSafety(hosts)
    return (request, response) => {
      // Not even a failing logger may end the process: the connection is cut and the client tries again.
      server.serve(request, response, requireLocal).catch(() => response.destroy())
    }
  }
  return {
    listener: listenerFor(deps.hosts),
    listenerFor,
    upgrades: {
      wanted: isAttach,
      take: (request, socket, head) => server.attach(request, socket, head, localSafety(deps.hosts)),
    },
    shutdown: () => server.shutdown(),
    refused: (status) => server.refused(status),
  }
}

type RequireLocal = (request: IncomingMessage) => void

/** One request on its way through the server. */
interface Exchange {
  readonly requestId: string
  readonly began: number
  operation: string
  labels: readonly string[]
}

const isAttach = ({ method, url = '', headers }: IncomingMessage): boolean =>
  method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket' && splitTarget(url).path === ATTACH_PATH

const NO_BODY = Buffer.alloc(0)
const NO_HOLD: Hold = { release: () => {} }

class RequestServer {
  readonly #deps: RequestListenerDeps
  readonly #routeDeps: RouteDeps
  readonly #router = new Router(ROUTES)
  readonly #waits = new SyncWaits()
  readonly #admission: Admission
  readonly #figures: RequestFigures
  /** Connections that had a request of several readings: whether what follows it was meant as a request, nobody knows. */
  readonly #unreadable = new WeakSet<Socket>()

  constructor(deps: RequestListenerDeps) {
    this.#deps = deps
    const admission = new Admission(deps.limits)
    this.#admission = admission
    const metrics = deps.metrics ?? new MetricRegistry(() => performance.now())
    this.#figures = new RequestFigures(metrics)
    metrics.read('perdure_admission_requests', () => admission.requests)
    metrics.read('perdure_admission_invokes', () => admission.invokes)
    metrics.read('perdure_admission_body_bytes', () => admission.bytes)
    metrics.read('perdure_admission_queued', () => admission.queued)
    metrics.read('perdure_sync_waits', () => this.#waits.count)
    this.#routeDeps = {
      service: deps.service,
      functions: deps.functions,
      management: deps.management,
      logs: deps.logs,
      clockControl: deps.clockControl,
      place: deps.place,
      limits: deps.limits,
      allowUnqualified: deps.allowUnqualified,
      queues: new FunctionQueues(deps.limits),
      waits: this.#waits,
      metrics,
    }
  }

  refused(status: number): void {
    this.#figures.refused(status)
  }

  shutdown(): void {
    this.#waits.close()
  }

  async serve(request: IncomingMessage, response: ServerResponse, requireLocal: RequireLocal): Promise<void> {
    if (this.#unreadable.has(request.socket)) return
    const requestId = this.#deps.entropy.uuid()
    const exchange: Exchange = { requestId, began: this.#figures.now(), operation: UNKNOWN_OPERATION, labels: [] }
    try {
      requireOneReading(request)
      requireLocal(request)
      this.#write(response, exchange, await this.#answer(request, response, exchange))
    } catch (error) {
      this.#refuse(request, response, exchange, error)
    }
  }

  /** The connection is the worker's from here on, or is closed with the reason why not. */
  attach(request: IncomingMessage, socket: Duplex, head: Buffer, requireLocal: RequireLocal): void {
    const requestId = this.#deps.entropy.uuid()
    const exchange: Exchange = {
      requestId,
      began: this.#figures.now(),
      operation: perdureAttachWorker.name,
      labels: [],
    }
    socket.on('error', () => {
      // The worker went away meanwhile.
    })
    try {
      requireOneReading(request)
      requireLocal(request)
      const { attach } = this.#deps
      if (attach === undefined) throw new ApiError('UnknownOperationException', 'Workers cannot attach to this server')
      attach(request, socket, head)
      this.#answered(exchange, 101)
    } catch (error) {
      const response = new ServerResponse(request)
      response.assignSocket(socket as Socket)
      response.shouldKeepAlive = false
      response.once('finish', () => socket.end(() => socket.destroy()))
      this.#refuse(request, response, exchange, error)
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, exchange: Exchange): Promise<Reply> {
    const { path, query } = splitTarget(request.url ?? '')
    const { route, labels } = this.#router.find(request.method ?? '', path, query)
    exchange.operation = route.name
    exchange.labels = labels
    const rule = bodyRule(route, request, this.#deps.limits)
    const bytes = rule === undefined ? 0 : announcedBytes(request, rule)
    if (rule !== undefined && bytes > rule.maxBytes) throw rule.tooLarge()
    const gone = clientGone(response)
    const admitted = this.#admit(route, bytes, gone)
    const hold = admitted instanceof Promise ? await admitted : admitted
    try {
      const body = rule === undefined || bytes === 0 ? NO_BODY : await readBody(request, rule)
      const call: RouteRequest = {
        requestId: exchange.requestId,
        labels,
        query: parseQuery(query),
        headers: request.headers,
        body,
        gone,
        release: hold.release,
      }
      return await route.handle(call, this.#routeDeps)
    } finally {
      hold.release()
    }
  }

  #admit(route: Route, bytes: number, gone: { readonly signal: AbortSignal }): Hold | Promise<Hold> {
    if (route.admission === 'always') return NO_HOLD
    return route.admission === 'shed' ? this.#admission.invoke(bytes) : this.#admission.request(bytes, gone)
  }

  #refuse(request: IncomingMessage, response: ServerResponse, exchange: Exchange, error: unknown): void {
    if (error instanceof ClientGone) {
      this.#answered(exchange, GONE)
      return
    }
    if (error instanceof SeveralReadings) this.#unreadable.add(request.socket)
    const known = error instanceof ApiError ? error : this.#report(request, exchange, error)
    this.#write(response, exchange, errorReply(spelledFor(known, request.headers['user-agent'])))
  }

  #write(response: ServerResponse, exchange: Exchange, reply: Reply): void {
    const gone = response.destroyed
    crashPoint('answer-made')
    write(response, exchange.requestId, reply, this.#deps.limits.requestTimeoutMs)
    crashPoint('answer-sent')
    this.#answered(exchange, gone ? GONE : reply.status, reply.headers?.['x-amz-durable-execution-arn'])
  }

  #answered(exchange: Exchange, status: number | typeof GONE, started?: string): void {
    const { requestId, operation, began } = exchange
    const durationMs = this.#figures.now() - began
    this.#figures.answered(operation, status, durationMs)
    const execution = started === undefined ? executionOf(exchange) : { executionArn: started }
    this.#deps.requestLog?.({ requestId, operation, ...execution, status, durationMs })
  }

  #report(request: IncomingMessage, exchange: Exchange, error: unknown): ApiError {
    const { requestId } = exchange
    const path = withoutCallbackId(splitTarget(request.url ?? '').path)
    const message = error instanceof Error ? error.message : String(error)
    const { log, clock } = this.#deps
    const about = { requestId, ...executionOf(exchange), method: request.method ?? '', path }
    log({ at: clock.now(), level: 'error', message, ...about, error })
    return new ApiError('ServiceException', `An internal error occurred. Request id: ${requestId}`)
  }
}

/** The execution that the path names, if it does. */
function executionOf({ labels: [label] }: Exchange): { readonly executionArn?: string } {
  return label === undefined || parseExecutionArn(label) === undefined ? {} : { executionArn: label }
}

const withoutCallbackId = (path: string): string =>
  path.replace(/(\/durable-execution-callbacks\/).+(\/\w*)$/, '$1{CallbackId}$2')

function bodyRule({ body }: Route, request: IncomingMessage, limits: Limits) {
  if (body === undefined) return undefined
  const maxBytes = body.maxBytes(limits, request.headers)
  return { maxBytes, tooLarge: () => body.tooLarge(maxBytes, request.headers) }
}
