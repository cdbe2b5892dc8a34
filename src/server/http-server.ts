/**
 * The HTTP room: routes to service and functions. This file holds what every request goes through, in this order:
 *
 *   local safety → route by path → admission → body → the route (parse, authorise, call, answer) → response
 *
 * An error of any of these is an `ApiError` and becomes a modelled answer; anything else that is thrown is a defect,
 * is logged, and becomes a 500 with the request id. Nothing escapes a request: its promise never rejects.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Place } from '../protocol/arn.ts'
import { ApiError } from '../protocol/errors.ts'
import type { Limits } from '../protocol/limits.ts'
import type { DurableService } from '../service/api.ts'
import type { Clock, Entropy, Functions, Logs } from '../service/ports.ts'
import { Admission, type Hold } from './admission.ts'
import { clientGone } from './client-gone.ts'
import { FunctionQueues } from './function-queues.ts'
import { type HostRule, localSafety } from './local-safety.ts'
import { announcedBytes, ClientGone, readBody } from './read-body.ts'
import { errorReply, type Reply, write } from './reply.ts'
import { parseQuery, splitTarget } from './request-path.ts'
import type { ClockControl, Route, RouteDeps, RouteRequest } from './route.ts'
import { Router } from './router.ts'
import { ROUTES } from './routes/index.ts'
import { SyncWaits } from './sync-waits.ts'
import { spelledFor } from './token-casing.ts'

export { type Listening, listen } from './listen.ts'
export type { HostRule } from './local-safety.ts'
export type { ClockControl } from './route.ts'

export interface RequestListenerDeps {
  readonly service: DurableService
  readonly functions: Functions
  readonly logs: Logs
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
}

/** A defect that a request came upon. */
export interface ServerLogRecord {
  readonly at: number
  readonly level: 'error'
  readonly message: string
  readonly requestId: string
  readonly method: string
  readonly path: string
  readonly error: unknown
}

export interface PerdureListener {
  readonly listener: RequestListener
  /** The same server behind another door, with its own idea of a good Host: load and waits are counted together. */
  listenerFor(hosts: HostRule): RequestListener
  /** Ends synchronous waits with a 500 that clients retry and takes no new Invoke; everything else goes on. */
  shutdown(): void
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
  return { listener: listenerFor(deps.hosts), listenerFor, shutdown: () => server.shutdown() }
}

type RequireLocal = (request: IncomingMessage) => void

const NO_BODY = Buffer.alloc(0)
const NO_HOLD: Hold = { release: () => {} }

class RequestServer {
  readonly #deps: RequestListenerDeps
  readonly #routeDeps: RouteDeps
  readonly #router = new Router(ROUTES)
  readonly #waits = new SyncWaits()
  readonly #admission: Admission

  constructor(deps: RequestListenerDeps) {
    this.#deps = deps
    this.#admission = new Admission(deps.limits)
    this.#routeDeps = {
      service: deps.service,
      functions: deps.functions,
      logs: deps.logs,
      clockControl: deps.clockControl,
      place: deps.place,
      limits: deps.limits,
      allowUnqualified: deps.allowUnqualified,
      queues: new FunctionQueues(deps.limits),
      waits: this.#waits,
    }
  }

  shutdown(): void {
    this.#waits.close()
  }

  async serve(request: IncomingMessage, response: ServerResponse, requireLocal: RequireLocal): Promise<void> {
    const requestId = this.#deps.entropy.uuid()
    try {
      requireLocal(request)
      this.#write(response, requestId, await this.#answer(request, response, requestId))
    } catch (error) {
      this.#refuse(request, response, requestId, error)
    }
  }

  async #answer(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<Reply> {
    const { path, query } = splitTarget(request.url ?? '')
    const { route, label } = this.#router.find(request.method ?? '', path)
    const rule = bodyRule(route, request, this.#deps.limits)
    const bytes = rule === undefined ? 0 : announcedBytes(request, rule)
    if (rule !== undefined && bytes > rule.maxBytes) throw rule.tooLarge()
    const gone = clientGone(response)
    const admitted = this.#admit(route, bytes, gone)
    const hold = admitted instanceof Promise ? await admitted : admitted
    try {
      const body = rule === undefined || bytes === 0 ? NO_BODY : await readBody(request, rule)
      const call: RouteRequest = {
        requestId,
        label,
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

  #refuse(request: IncomingMessage, response: ServerResponse, requestId: string, error: unknown): void {
    if (error instanceof ClientGone) return
    const known = error instanceof ApiError ? error : this.#report(request, requestId, error)
    this.#write(response, requestId, errorReply(spelledFor(known, request.headers['user-agent'])))
  }

  #write(response: ServerResponse, requestId: string, reply: Reply): void {
    write(response, requestId, reply, this.#deps.limits.requestTimeoutMs)
  }

  #report(request: IncomingMessage, requestId: string, error: unknown): ApiError {
    const { path } = splitTarget(request.url ?? '')
    const message = error instanceof Error ? error.message : String(error)
    const { log, clock } = this.#deps
    log({ at: clock.now(), level: 'error', message, requestId, method: request.method ?? '', path, error })
    return new ApiError('ServiceException', `An internal error occurred. Request id: ${requestId}`)
  }
}

function bodyRule({ body }: Route, request: IncomingMessage, limits: Limits) {
  if (body === undefined) return undefined
  const maxBytes = body.maxBytes(limits, request.headers)
  return { maxBytes, tooLarge: () => body.tooLarge(maxBytes, request.headers) }
}
