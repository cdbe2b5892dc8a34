/**
 * Puts the rooms together: store, functions, service and HTTP server, each handed what it needs of the others. The
 * only file that knows all of them. `startPerdure` (`index.ts`) is this with an operator's functions.
 *
 *     opening (store, functions, recovery) → serving → closing (no starts, drain, connections end) → closed
 */
import type { IncomingMessage, RequestListener } from 'node:http'
import { resolve } from 'node:path'
import type { Duplex } from 'node:stream'
import type { FunctionStore } from './functions/registry/function-store.ts'
import { createManagement } from './functions/registry/management.ts'
import type { RegisteredFunctions } from './functions/registry/ports.ts'
import { Registry } from './functions/registry/registry.ts'
import { MemoryStore } from './journal/memory/memory-store.ts'
import { openSqliteStore } from './journal/sqlite/sqlite-store.ts'
import type { Store } from './journal/store.ts'
import { DEFAULT_PLACE, type Place } from './protocol/arn.ts'
import { type Limits, resolveLimits } from './protocol/limits.ts'
import { measureFunctions } from './server/function-figures.ts'
import { createRequestListener, listen, type RequestLogRecord } from './server/http-server.ts'
import { createLogWriter, type LogFormat, type LogWriter } from './server/log-writer.ts'
import { measureProcess } from './server/process-figures.ts'
import { PERDURE_VERSION } from './server/version.ts'
import { Activity } from './service/activity.ts'
import {
  createManualClock,
  createSkippingClock,
  createSystemEntropy,
  createSystemTimers,
  settle,
  systemClock,
  systemStopwatch,
} from './service/clock-adapters.ts'
import { createDurableService, type RunningService } from './service/durable-service.ts'
import type { LogLevel, ServiceLog } from './service/log.ts'
import { MetricRegistry } from './service/metrics.ts'
import type { Clock, Entropy, Functions, Logs, Metrics, Timers } from './service/ports.ts'
import { createHttpWebhooks } from './webhooks/http-webhooks.ts'

/** What the functions room is given. */
export interface FunctionsSite {
  readonly place: Place
  /** Answers the API calls that functions make. */
  readonly lambdaApi: RequestListener
  readonly dataDirectory: string | undefined
  /** Those that were created through the API: to be run beside the declared ones. */
  readonly registered: RegisteredFunctions
  /** The system's: processes live in real time whatever the service's clock does. */
  readonly clock: Clock
  readonly timers: Timers
  readonly entropy: Entropy
  readonly log: ServiceLog
}

export interface HostedFunctions extends Functions {
  /** Whether a function of this name is declared, and not created through the API. Absent: all that it has are. */
  declares?(name: string): boolean
  /** What is to be installed before functions of this runtime can run. Absent: nothing ever is. */
  missingRuntime?(runtime: string): Promise<string | undefined>
  /** Takes over the connection of a worker. Absent: workers cannot attach. */
  attach?(request: IncomingMessage, socket: Duplex, head: Buffer): void
  readonly logs: Logs
  close(): Promise<void>
}

export interface AssemblyOptions {
  readonly host?: string
  readonly port?: number
  readonly data?: string | { readonly kind: 'memory' }
  readonly functions: (site: FunctionsSite) => Promise<HostedFunctions>
  readonly place?: Partial<Place>
  readonly limits?: Partial<Limits>
  readonly clock?: 'system' | 'manual' | 'skip'
  readonly allowUnqualified?: boolean
  readonly allowDurableUpdates?: boolean
  readonly destinations?: Readonly<Record<string, string>>
  readonly events?: readonly string[]
  readonly log?: LogOptions
}

/** The server's own log, on standard error. */
export interface LogOptions {
  /** Default: `text` on a terminal, else `json`. */
  readonly format?: LogFormat
  /** The lowest level that is written. Default `info`; `debug` has one record per request. */
  readonly level?: LogLevel
}

export interface Assembled {
  readonly endpoint: string
  readonly service: RunningService
  close(graceMs?: number): Promise<void>
}

export const DEFAULT_HOST = '127.0.0.1'
export const DEFAULT_PORT = 7077
export const DEFAULT_DATA = '.perdure'
const DEFAULT_GRACE_MS = 10_000
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '::1'])

export async function assemble(options: AssemblyOptions): Promise<Assembled> {
  const host = options.host ?? DEFAULT_HOST
  if (!LOOPBACK.has(host)) throw new Error(foreignHost(host))
  const place = { ...DEFAULT_PLACE, ...options.place }
  const limits = resolveLimits(options.limits)
  const metrics = new MetricRegistry(systemStopwatch)
  const logWriter = logWriterOf(options.log ?? {}, metrics)
  const { log } = logWriter
  const entropy = createSystemEntropy()
  const system = { clock: systemClock, timers: createSystemTimers(systemClock) }
  const dataDirectory = typeof options.data === 'object' ? undefined : resolve(options.data ?? DEFAULT_DATA)
  const store: Store & FunctionStore =
    dataDirectory === undefined ? new MemoryStore() : await openSqliteStore({ directory: dataDirectory })

  metrics.read('perdure_store_failed', () => (store.failure === undefined ? 0 : 1))
  if (store.walBytes !== undefined) metrics.read('perdure_store_wal_bytes', () => store.walBytes)

  // The functions call the server, the server calls the service, the service calls the functions: the knot is here.
  let answer: RequestListener = (_request, response) => response.writeHead(503).end()
  const processFigures = measureProcess(metrics, PERDURE_VERSION)
  const opened: { close(): Promise<void> | void }[] = [store, processFigures]
  try {
    const registry = await Registry.open(store, (message, error) => log('warn', message, error))
    const functions = await options.functions({
      place,
      lambdaApi: (request, response) => answer(request, response),
      dataDirectory,
      registered: registry,
      ...system,
      entropy,
      log,
    })
    opened.unshift(functions)
    measureFunctions(functions, metrics)
    const activity = new Activity()
    const time = timeOf(options.clock ?? 'system', activity)
    const { clock, timers } = time
    const { allowUnqualified = false, allowDurableUpdates = false, destinations = {}, events = [] } = options
    const common = { functions, clock, entropy, place, limits, allowUnqualified, metrics }
    const webhooks = createHttpWebhooks({ userAgent: `perdure/${PERDURE_VERSION}` })
    opened.unshift(webhooks)
    const outside = { webhooks, destinations, events }
    const service = await createDurableService({ ...common, ...outside, store, timers, activity, wall: system, log })
    opened.unshift({ close: () => service.drain(0) })
    time.follow(service)

    const http = createRequestListener({
      ...common,
      service,
      management: createManagement({
        registry,
        place,
        entropy,
        now: () => systemClock.now(),
        declares: (name) => functions.declares?.(name) ?? functions.resolve(name, undefined) !== undefined,
        missingRuntime: async (runtime) => functions.missingRuntime?.(runtime),
        allowDurableUpdates,
      }),
      logs: functions.logs,
      ...(functions.attach === undefined ? undefined : { attach: functions.attach.bind(functions) }),
      hosts: { host, anyPort: false },
      ...(time.control === undefined ? undefined : { clockControl: time.control }),
      log: ({ at: _at, level, message, error, ...details }) => log(level, message, error, details),
      ...(logWriter.writes('debug') && { requestLog: (record) => log('debug', 'Request', undefined, rounded(record)) }),
    })
    answer = http.listenerFor({ host, anyPort: true })
    const { port = DEFAULT_PORT } = options
    const listening = await listen(http.listener, {
      host,
      port,
      limits,
      refused: http.refused,
      upgrades: http.upgrades,
    })

    return {
      endpoint: listening.endpoint,
      service,
      async close(graceMs = DEFAULT_GRACE_MS) {
        const closed = listening.close()
        http.shutdown()
        await service.drain(graceMs)
        webhooks.close()
        await functions.close()
        listening.terminate()
        await closed
        await store.close()
        processFigures.close()
      },
    }
  } catch (error) {
    // Whatever was opened is closed again, the latest first; the first error is the one to tell.
    for (const part of opened) {
      try {
        await part.close()
      } catch (also) {
        log('warn', 'While giving up', also)
      }
    }
    throw error
  }
}

interface Time {
  readonly clock: Clock
  readonly timers: Timers
  readonly control?: { readonly now: () => number; readonly advance: (ms: number) => Promise<void> }
  /** Called when there is a service to follow. */
  readonly follow: (service: RunningService) => void
}

function timeOf(kind: 'system' | 'manual' | 'skip', activity: Activity): Time {
  if (kind === 'system') {
    return { clock: systemClock, timers: createSystemTimers(systemClock), follow: () => {} }
  }
  if (kind === 'skip') {
    const skipping = createSkippingClock()
    return {
      clock: skipping,
      timers: skipping.timers,
      follow: (service) => skipping.follow(service.activity, () => service.nextSkippableMs()),
    }
  }
  const manual = createManualClock({ startMs: systemClock.now(), settle: () => settle(activity) })
  return { clock: manual, timers: manual.timers, control: manual, follow: () => {} }
}

function foreignHost(host: string): string {
  return `Perdure does not listen on ${host}: whoever reaches it can run code and read every execution, and this version has no authentication. Use 127.0.0.1, and a tunnel or an authenticating proxy in front of it.`
}

const rounded = (record: RequestLogRecord): RequestLogRecord => ({
  ...record,
  durationMs: Math.round(record.durationMs * 1_000) / 1_000,
})

function logWriterOf({ format, level = 'info' }: LogOptions, metrics: Metrics): LogWriter {
  return createLogWriter({
    format: format ?? (process.stderr.isTTY === true ? 'text' : 'json'),
    level,
    now: () => systemClock.now(),
    write: (line) => void process.stderr.write(line),
    counted: (counted) => metrics.counter('perdure_log_records_total', counted).add(),
  })
}
