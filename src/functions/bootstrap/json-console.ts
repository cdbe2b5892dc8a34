/**
 * With the log format JSON, what a function logs by `console` is one JSON object per line, as the official client of the
 * Runtime API writes it:
 *
 *     console.warn('late', 5)         → {"timestamp":"…","level":"WARN","requestId":"8f…","message":"late 5"}
 *     console.log({ order: 7 })       → {"timestamp":"…","level":"INFO","requestId":"8f…","message":{"order":7}}
 *     console.error('no', new Error)  → … ,"errorType":"Error","errorMessage":"","stackTrace":[…]}
 */
import { format } from 'node:util'

type Level = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL'
const LEVELS: readonly string[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] satisfies Level[]

const METHODS = {
  trace: 'TRACE',
  debug: 'DEBUG',
  info: 'INFO',
  log: 'INFO',
  warn: 'WARN',
  error: 'ERROR',
  fatal: 'FATAL',
} as const satisfies Readonly<Record<string, Level>>

export type LogLine = (level: Level, ...values: readonly unknown[]) => void

export interface Identity {
  readonly requestId: string | undefined
  readonly tenantId: string | undefined
}

/** Puts its own methods into `console`; those below `leastLevel` do nothing. Returns what they print with. */
export function logAsJson(leastLevel: string | undefined, current: () => Identity): LogLine {
  const least = Math.max(0, LEVELS.indexOf(leastLevel?.toUpperCase() ?? ''))
  const print: LogLine = (level, ...values) => {
    if (LEVELS.indexOf(level) >= least) process.stdout.write(`${jsonLine(level, current(), values)}\n`)
  }
  for (const [method, level] of Object.entries(METHODS)) {
    Object.assign(console, { [method]: (...values: readonly unknown[]) => print(level, ...values) })
  }
  return print
}

function jsonLine(level: Level, { requestId, tenantId }: Identity, values: readonly unknown[]): string {
  const line = { timestamp: new Date().toISOString(), level, requestId, tenantId }
  if (values.length === 1) {
    const [message] = values
    try {
      return JSON.stringify({ ...line, message }, errorsWhole)
    } catch {
      // Circular, or a BigInt: shown as the console shows it.
      return JSON.stringify({ ...line, message: format(message) })
    }
  }
  const error = values.find((value) => value instanceof Error)
  return JSON.stringify({ ...line, message: format(...values), ...(error === undefined ? {} : partsOf(error)) })
}

const errorsWhole = (_key: string, value: unknown): unknown =>
  value instanceof Error ? { ...partsOf(value), ...value } : value

const partsOf = (error: Error) => ({
  errorType: error.constructor?.name ?? 'UnknownError',
  errorMessage: error.message,
  stackTrace: typeof error.stack === 'string' ? error.stack.split('\n') : [],
})
