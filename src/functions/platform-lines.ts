/**
 * What the platform says about an invocation (spec 02 "Log tail"): as text, or as JSON in the shapes of the real
 * service's system logs. Each line has the level by which SystemLogLevel chooses.
 */
import type { LogLevel } from '../protocol/logs/log-line.ts'
import type { FunctionLogging } from '../service/ports.ts'

export interface PlatformLine {
  readonly level: LogLevel
  readonly line: string
}

/** `failure`: the process did not live to answer. */
export type InvocationStatus = 'success' | 'error' | 'failure' | 'timeout'

export interface Report {
  readonly requestId: string
  readonly status: InvocationStatus
  readonly errorType: string | undefined
  readonly durationMs: number
  readonly memorySizeMb: number
  readonly maxMemoryUsedMb: number
  /** Of the first invocation of a process. */
  readonly initMs: number | undefined
}

export interface PlatformLines {
  start(at: number, requestId: string, version: string): PlatformLine
  end(at: number, report: Report): PlatformLine
  report(at: number, report: Report): PlatformLine
  /** What only this server says. */
  notice(at: number, requestId: string | undefined, level: LogLevel, text: string): PlatformLine
}

export const platformLines = (format: FunctionLogging['format']): PlatformLines => (format === 'JSON' ? json : text)

const text: PlatformLines = {
  start: (_at, requestId, version) => info(`START RequestId: ${requestId} Version: ${version}`),
  end: (_at, { requestId }) => info(`END RequestId: ${requestId}`),
  report: (_at, { requestId, durationMs, memorySizeMb, maxMemoryUsedMb, initMs }) =>
    info(
      [
        `REPORT RequestId: ${requestId}`,
        `Duration: ${durationMs.toFixed(2)} ms`,
        `Billed Duration: ${Math.ceil(durationMs)} ms`,
        `Memory Size: ${memorySizeMb} MB`,
        `Max Memory Used: ${maxMemoryUsedMb} MB`,
        initMs === undefined ? '' : `Init Duration: ${initMs.toFixed(2)} ms\t`,
      ].join('\t'),
    ),
  notice: (_at, _requestId, level, line) => ({ level, line }),
}

const json: PlatformLines = {
  start: (at, requestId, version) => event(at, 'INFO', 'platform.start', { requestId, version }),
  end: (at, { requestId, status, errorType, durationMs }) =>
    event(at, status === 'success' ? 'DEBUG' : 'WARN', 'platform.runtimeDone', {
      requestId,
      status,
      errorType,
      metrics: { durationMs: hundredths(durationMs) },
    }),
  report: (at, { requestId, status, errorType, durationMs, memorySizeMb, maxMemoryUsedMb, initMs }) =>
    event(at, status === 'success' ? 'INFO' : 'WARN', 'platform.report', {
      requestId,
      metrics: {
        durationMs: hundredths(durationMs),
        billedDurationMs: Math.ceil(durationMs),
        memorySizeMB: memorySizeMb,
        maxMemoryUsedMB: maxMemoryUsedMb,
        initDurationMs: initMs === undefined ? undefined : hundredths(initMs),
      },
      status,
      errorType,
    }),
  notice: (at, requestId, level, message) => ({
    level,
    line: JSON.stringify({ timestamp: new Date(at).toISOString(), level, requestId, message }),
  }),
}

const info = (line: string): PlatformLine => ({ level: 'INFO', line })

function event(at: number, level: LogLevel, type: string, record: object): PlatformLine {
  return { level, line: JSON.stringify({ time: new Date(at).toISOString(), type, record }) }
}

const hundredths = (ms: number): number => Math.round(ms * 100) / 100
