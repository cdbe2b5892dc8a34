/**
 * The server's own log: one record per line on standard error, for people (`text`) or for programs (`json`). A record
 * holds ids and the text of errors; payloads, checkpoint tokens and callback ids are never written.
 *
 * A JSON record: `{"time", "level", "message", "requestId"?, "executionId"?, "executionArn"?, "function"?, …,
 * "error"?: {"name", "message", "stack"?}}`.
 */
import { LOG_LEVELS, type LogLevel, type LogSubject } from '../service/log.ts'

export const LOG_FORMATS = ['json', 'text'] as const
export type LogFormat = (typeof LOG_FORMATS)[number]

/** What a record may say beside its message; undefined members are left out. */
export interface LogDetails extends LogSubject {
  readonly operation?: string
  readonly method?: string
  readonly path?: string
  readonly status?: number | string
  readonly durationMs?: number
}

export interface LogWriter {
  /** Whether records of the level are written: ask before making an expensive one. */
  writes(level: LogLevel): boolean
  log(level: LogLevel, message: string, error?: unknown, details?: LogDetails): void
}

export function createLogWriter(options: {
  readonly format: LogFormat
  /** The lowest level that is written. */
  readonly level: LogLevel
  readonly now: () => number
  readonly write: (line: string) => void
  /** Told of every record, written or not. */
  readonly counted?: (level: LogLevel) => void
}): LogWriter {
  const least = LOG_LEVELS.indexOf(options.level)
  const line = options.format === 'json' ? jsonLine : textLine
  const writes = (level: LogLevel): boolean => LOG_LEVELS.indexOf(level) >= least
  return {
    writes,
    log(level, message, error, details) {
      options.counted?.(level)
      if (writes(level)) options.write(`${line({ at: options.now(), level, message, error, details })}\n`)
    },
  }
}

interface LogEntry {
  readonly at: number
  readonly level: LogLevel
  readonly message: string
  readonly error: unknown
  readonly details: LogDetails | undefined
}

function jsonLine({ at, level, message, error, details = {} }: LogEntry): string {
  const { functionName, ...rest } = details
  return JSON.stringify({
    time: new Date(at).toISOString(),
    level,
    message,
    ...rest,
    ...(functionName === undefined ? undefined : { function: functionName }),
    ...(error === undefined ? undefined : { error: errorMembers(error) }),
  })
}

function errorMembers(error: unknown) {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { name, message, stack, cause } = error
  return { name, message, stack, ...(cause === undefined ? undefined : { cause: String(cause) }) }
}

/** `perdure warn: message [request …, execution …]: stack`. */
function textLine({ level, message, error, details = {} }: LogEntry): string {
  const { requestId, operation, method, path, status, durationMs } = details
  const about = [
    requestId === undefined ? undefined : `request ${requestId}`,
    operation ?? (method === undefined ? undefined : `${method} ${path ?? ''}`),
    status === undefined ? undefined : String(status),
    durationMs === undefined ? undefined : `${durationMs} ms`,
  ].filter((part) => part !== undefined)
  const aside = about.length === 0 ? '' : ` (${about.join(', ')})`
  const detail =
    error === undefined ? '' : `: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  return `perdure ${level}: ${message}${aside}${detail}`
}
