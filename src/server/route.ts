/**
 * The shape of a route. Every file in `routes/` holds one: it parses the request, authorises it, calls the service and
 * makes the answer. What all have in common (safety, admission, body, errors) is done around it by `http-server.ts`.
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Place } from '../protocol/arn.ts'
import type { ApiError } from '../protocol/errors.ts'
import type { Limits } from '../protocol/limits.ts'
import type { Method } from '../protocol/operations.ts'
import type { DurableService } from '../service/api.ts'
import type { MetricRegistry } from '../service/metrics.ts'
import type { FunctionManagement, Functions, Logs } from '../service/ports.ts'
import type { FunctionQueues } from './function-queues.ts'
import type { Reply } from './reply.ts'
import type { SyncWaits } from './sync-waits.ts'

/** A clock that only moves when told to (decision 24). */
export interface ClockControl {
  readonly now: () => number
  /** Resolves when everything that came due has been set in motion. */
  readonly advance: (ms: number) => Promise<void> | void
}

/** What routes may use. */
export interface RouteDeps {
  readonly service: DurableService
  readonly functions: Functions
  readonly management: FunctionManagement
  readonly logs: Logs
  readonly clockControl: ClockControl | undefined
  readonly place: Place
  readonly limits: Limits
  readonly allowUnqualified: boolean
  readonly queues: FunctionQueues
  readonly waits: SyncWaits
  readonly metrics: MetricRegistry
}

export interface RouteRequest {
  readonly requestId: string
  /** The labels of the path, decoded, in its order. */
  readonly labels: readonly string[]
  readonly query: ReadonlyMap<string, readonly string[]>
  readonly headers: IncomingHttpHeaders
  /** Empty unless the route has a body rule. */
  readonly body: Buffer
  /** Aborts with `ClientGone` when the connection ends before the answer. */
  readonly gone: { readonly signal: AbortSignal }
  /** Gives back what admission holds for this request before its end: for long waits. */
  readonly release: () => void
}

export interface RouteBody {
  readonly maxBytes: (limits: Limits, headers: IncomingHttpHeaders) => number
  readonly tooLarge: (limitBytes: number, headers: IncomingHttpHeaders) => ApiError
}

export interface Route {
  readonly name: string
  readonly method: Method
  /** A template as in `protocol/operations.ts`. */
  readonly path: string
  /** Absent: a body is not read. */
  readonly body?: RouteBody
  /** `shed`: refused when the server is busy. `wait` (default): read when there is room. `always`: never held up. */
  readonly admission?: 'shed' | 'wait' | 'always'
  readonly handle: (request: RouteRequest, deps: RouteDeps) => Promise<Reply>
}
