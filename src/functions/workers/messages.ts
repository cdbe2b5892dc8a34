/**
 * What a server and a worker say to each other, over one WebSocket for each worker (decision 61). A message is a text
 * frame of JSON. One with `bytes` is followed by its payload, in binary frames of at most 64 KB; other messages may
 * come between these, but no second payload. Frames of anything else end the connection.
 *
 * A worker attaches with `GET /perdure/v1/workers/attach?function=&qualifier=&name=&processes=&deadlines=` and the
 * subprotocol `perdure-worker.v1`; what is wrong with that is answered as any API request is, before the upgrade.
 *
 *     server                                worker
 *       welcome {settings}            →
 *                                     ←     started {process}           it starts a process
 *                                     ←     asks {process}              one of its places asks for an event
 *       invoke {process, request} …   →
 *                                     ←     begun {process, requestId}  it has the event: its time runs
 *                                     ←     log {process, lines}        any time
 *                                     ←     result {process, result} …
 *       end {process}                 →                                 it is to be ended, for whatever reason
 *                                     ←     ended {process, failed}     it is gone
 *                                     ←     drain                       hand over nothing more
 *       leave                         →                                 drain, and attach anew: settings have changed
 *       beat                          →←    beat                        every second
 *
 * Processes have numbers, given by the worker, never used twice on a connection. An invocation is known by its request
 * id: a result for any other is ignored. `ended` with `failed` says that the process never asked for an event; it may
 * be handed one invocation all the same, and answers with why.
 */

import { LOG_LEVELS, type LogLevel } from '../../protocol/logs/log-line.ts'
import type { DurableConfig, ErrorObject } from '../../protocol/shapes.ts'
import type { FunctionVersion, InvocationRequest, InvocationResult, LogRecord } from '../../service/ports.ts'
import { maxEnvelopeBytes, maxResponseBytes } from '../failure-texts.ts'

/** Of one message and of one part of a payload. */
export const maxMessageBytes = 1_048_576
export const partBytes = 65_536
/** How long a payload may take from when there is memory for it. */
export const payloadLimitMs = 120_000
/** How many lines' worth of a log message are taken at a time. */
export const maxLogBytes = 262_144
/** Processes of one worker. */
export const mostProcessesOfWorker = 1_000
export const beatMs = 1_000
/** A peer of which nothing was heard for so many beats is lost. */
export const silentBeats = 4

/** How WebSockets are closed, beyond the codes of RFC 6455. */
export const closing = { left: 1000, broken: 1002, defect: 1011, restarting: 1012, silent: 4408 } as const

/** What the worker's processes are to be: the version as it is at the server. */
export interface Settings {
  readonly version: FunctionVersion
  /** Variables that the function was given. */
  readonly environment: Readonly<Record<string, string>>
  readonly region: string
}

/** One line of the log of a process; times are the server's. */
export interface RemoteLine {
  readonly stream: LogRecord['stream']
  readonly line: string
  readonly requestId?: string
  readonly level?: LogLevel
  /** Which process of the worker printed it. */
  readonly logStream?: string
}

export type FromServer =
  | { readonly type: 'welcome'; readonly settings: Settings }
  | {
      readonly type: 'invoke'
      readonly process: number
      readonly bytes: number
      readonly request: Omit<InvocationRequest, 'event'>
    }
  | { readonly type: 'end'; readonly process: number }
  | { readonly type: 'leave' }
  | { readonly type: 'beat' }

export type FromWorker =
  | { readonly type: 'started' | 'asks'; readonly process: number }
  | { readonly type: 'begun'; readonly process: number; readonly requestId: string }
  | { readonly type: 'ended'; readonly process: number; readonly failed: boolean }
  | { readonly type: 'log'; readonly process: number; readonly lines: readonly RemoteLine[] }
  | {
      readonly type: 'result'
      readonly process: number
      readonly requestId: string
      readonly kind: InvocationResult['kind']
      readonly logTail: string
      readonly bytes: number
    }
  | { readonly type: 'drain' }
  | { readonly type: 'beat' }

type Fields = Readonly<Record<string, unknown>>

/** What a worker sent. Throws a `BrokenProtocol` for anything that it should not have. */
export function readFromWorker(fields: Fields): FromWorker {
  const { type } = fields
  switch (type) {
    case 'started':
    case 'asks':
      return { type, process: count(fields, 'process') }
    case 'begun':
      return { type, process: count(fields, 'process'), requestId: text(fields, 'requestId') }
    case 'ended':
      return { type, process: count(fields, 'process'), failed: fields['failed'] === true }
    case 'log':
      return { type, process: count(fields, 'process'), lines: linesOf(fields) }
    case 'result':
      return {
        type,
        process: count(fields, 'process'),
        requestId: text(fields, 'requestId'),
        kind: oneOf(fields, 'kind', resultKinds),
        logTail: text(fields, 'logTail'),
        bytes: count(fields, 'bytes'),
      }
    case 'drain':
    case 'beat':
      return { type }
    default:
      throw new BrokenProtocol(`a message of type ${shown(type)}`)
  }
}

/** What a server sent, which is trusted but for being of this protocol. */
export function readFromServer(fields: Fields): FromServer {
  const { type } = fields
  switch (type) {
    case 'invoke':
      text(fields['request'] as Fields, 'requestId')
      return { ...fields, type, process: count(fields, 'process'), bytes: count(fields, 'bytes') } as FromServer
    case 'end':
      return { type, process: count(fields, 'process') }
    case 'welcome':
    case 'leave':
    case 'beat':
      return fields as FromServer
    default:
      throw new BrokenProtocol(`a message of type ${shown(type)}`)
  }
}

/** The peer said what is not of this protocol, or not at this time. */
export class BrokenProtocol extends Error {
  constructor(what: string) {
    super(`The protocol was broken: ${what}`)
    this.name = 'BrokenProtocol'
  }
}

const resultKinds = ['response', 'error', 'platform'] as const
const streams = ['stdout', 'stderr', 'platform'] as const
/** As CloudWatch Logs has them. */
const logStreamName = /^[^:*]{1,512}$/

function count(fields: Fields, name: string): number {
  const value = fields[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new BrokenProtocol(`"${name}" is ${shown(value)}`)
}

function text(fields: Fields, name: string): string {
  const value = fields[name]
  if (typeof value === 'string') return value
  throw new BrokenProtocol(`"${name}" is ${shown(value)}`)
}

function oneOf<const T extends string>(fields: Fields, name: string, values: readonly T[]): T {
  const found = values.find((value) => value === fields[name])
  if (found === undefined) throw new BrokenProtocol(`"${name}" is ${shown(fields[name])}`)
  return found
}

function linesOf({ lines }: Fields): readonly RemoteLine[] {
  if (!Array.isArray(lines)) throw new BrokenProtocol(`"lines" is ${shown(lines)}`)
  return lines.map((each: unknown) => {
    const fields = (typeof each === 'object' && each !== null ? each : {}) as Fields
    const { requestId, level, logStream } = fields
    return {
      stream: oneOf(fields, 'stream', streams),
      line: text(fields, 'line'),
      ...(typeof requestId === 'string' ? { requestId } : {}),
      ...(level === undefined ? {} : { level: oneOf(fields, 'level', LOG_LEVELS) }),
      ...(typeof logStream === 'string' && logStreamName.test(logStream) ? { logStream } : {}),
    }
  })
}

const shown = (value: unknown): string => String(JSON.stringify(value)).slice(0, 80)

// ---------------------------------------------------------------------------------------------------------- payloads

/** Of a response its body; of a failure its error, with the body that the caller gets. */
export function payloadOf(result: InvocationResult): Uint8Array {
  if (result.kind === 'response') return result.body
  const { error } = result
  return Buffer.from(JSON.stringify(result.kind === 'error' ? { error, body: result.body } : { error }))
}

/** The most that a result's payload may have; an error quotes its body. */
export function mostPayloadBytes(kind: InvocationResult['kind'], durable: DurableConfig | undefined): number {
  return kind === 'response' && durable === undefined ? maxResponseBytes : maxEnvelopeBytes
}

export function resultOf(kind: InvocationResult['kind'], logTail: string, payload: Buffer): InvocationResult {
  if (kind === 'response') return { kind, body: payload, logTail }
  const fields = objectIn(payload)
  const error = errorIn(fields['error'])
  if (kind === 'platform') return { kind, error, logTail }
  return { kind, error, body: text(fields, 'body'), logTail }
}

function objectIn(payload: Buffer): Fields {
  let value: unknown
  try {
    value = JSON.parse(payload.toString('utf8'))
  } catch {
    // Said below.
  }
  if (typeof value === 'object' && value !== null) return value as Fields
  throw new BrokenProtocol('the payload of a failure is no object')
}

function errorIn(value: unknown): ErrorObject {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Fields
  const texts = (['ErrorType', 'ErrorMessage', 'ErrorData'] as const).flatMap((name) =>
    typeof fields[name] === 'string' ? [[name, fields[name]] as const] : [],
  )
  const trace = fields['StackTrace']
  const isTrace = Array.isArray(trace) && trace.every((line): line is string => typeof line === 'string')
  return { ...Object.fromEntries(texts), ...(isTrace ? { StackTrace: trace } : {}) }
}
