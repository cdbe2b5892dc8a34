/** The log of one invocation: what the function printed, framed by the platform's lines (spec 02 "Log tail"). */
import { isAtLeast, type LogLevel } from '../protocol/logs/log-line.ts'
import {
  type Clock,
  defaultLogGroup,
  type FunctionVersion,
  type InvocationRequest,
  type LogRecord,
} from '../service/ports.ts'
import type { InvocationEnd } from './failure-texts.ts'
import { keepsPrinted, plainLogging } from './logging.ts'
import { type InvocationStatus, type PlatformLine, platformLines } from './platform-lines.ts'

export const logTailBytes = 4096

/** Keeps the newest lines that fit into the tail. */
export interface Tail {
  add(line: string): void
  text(): string
}

export function createTail(): Tail {
  const lines: string[] = []
  let bytes = 0
  const size = (line: string): number => Buffer.byteLength(line) + 1
  return {
    add: (line) => {
      lines.push(line)
      bytes += size(line)
      // The oldest line may stick out: it is cut when the text is asked for.
      for (let [oldest] = lines; oldest !== undefined && bytes - size(oldest) >= logTailBytes; [oldest] = lines) {
        bytes -= size(oldest)
        lines.shift()
      }
    },
    text: () => {
      const text = Buffer.from(lines.map((line) => `${line}\n`).join(''))
      return text.subarray(Math.max(0, text.byteLength - logTailBytes)).toString('utf8')
    },
  }
}

/** Where lines go: the log of a process, in the format of its function. */
export interface ProcessLog {
  /** What the function printed; left out when its level is too low. Answers whether it was kept. */
  printed(stream: 'stdout' | 'stderr', line: string, invocation: Invocation | undefined): boolean
  /** What the platform says. */
  said(line: PlatformLine, invocation: Invocation | undefined): boolean
}

type Invocation = Pick<LogRecord, 'requestId' | 'executionArn'>

export function createProcessLog(options: {
  readonly version: FunctionVersion
  readonly logStream: string
  readonly clock: Clock
  readonly log: (record: LogRecord) => void
}): ProcessLog {
  const { version, logStream, clock, log } = options
  const logging = version.logging ?? plainLogging(version.name)
  const identity = {
    functionName: version.name,
    version: version.version,
    logStream,
    ...(logging.group === defaultLogGroup(version.name) ? {} : { group: logging.group }),
  }
  return {
    printed: (stream, line, invocation = {}) => {
      const keeps = keepsPrinted(logging, line)
      if (keeps) log({ at: clock.now(), ...identity, ...invocation, stream, line })
      return keeps
    },
    said: ({ level, line }, invocation = {}) => {
      const keeps = logging.format === 'Text' || isAtLeast(level, logging.systemLevel)
      if (keeps) log({ at: clock.now(), ...identity, ...invocation, stream: 'platform', level, line })
      return keeps
    },
  }
}

export interface InvocationLog {
  printed(stream: 'stdout' | 'stderr', line: string): void
  /** A line of this server's own. */
  notice(level: LogLevel, line: string): void
  /** Writes END and REPORT; answers the tail. */
  end(end: InvocationEnd, facts: { readonly maxRssKb: number | undefined; readonly initMs: number | undefined }): string
}

/** Writes START at once. `initTail`: what the process printed before its first invocation. */
export function beginInvocationLog(options: {
  readonly version: FunctionVersion
  readonly request: InvocationRequest
  readonly clock: Clock
  readonly log: ProcessLog
  readonly initTail: string
}): InvocationLog {
  const { version, request, clock, log } = options
  const { requestId, executionArn } = request
  const startedAt = clock.now()
  const lines = platformLines(version.logging?.format ?? 'Text')
  const tail = createTail()
  const invocation = { requestId, ...(executionArn === undefined ? {} : { executionArn }) }
  const say = (said: PlatformLine): void => {
    if (log.said(said, invocation)) tail.add(said.line)
  }
  // The store has these lines already, from when they were printed.
  for (const text of options.initTail.split('\n')) if (text !== '') tail.add(text)
  say(lines.start(startedAt, requestId, version.version))
  return {
    printed: (stream, line) => {
      if (log.printed(stream, line, invocation)) tail.add(line)
    },
    notice: (level, line) => say(lines.notice(clock.now(), requestId, level, line)),
    end: (end, { maxRssKb, initMs }) => {
      const now = clock.now()
      const report = {
        requestId,
        status: statusOf(end),
        errorType: end.kind === 'response' ? undefined : end.error.ErrorType,
        durationMs: now - startedAt,
        memorySizeMb: version.memoryMb,
        maxMemoryUsedMb: Math.ceil((maxRssKb ?? 0) / 1024),
        initMs,
      }
      say(lines.end(now, report))
      say(lines.report(now, report))
      return tail.text()
    },
  }
}

function statusOf(end: InvocationEnd): InvocationStatus {
  if (end.kind === 'response') return 'success'
  if (end.kind === 'platform') return 'failure'
  const { ErrorType: type = '' } = end.error
  if (type === 'Sandbox.Timedout') return 'timeout'
  return type === 'Runtime.ExitError' ? 'failure' : 'error'
}
