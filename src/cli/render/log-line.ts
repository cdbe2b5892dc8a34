/** One line of a function's log as people read it. Pure. */
import type { LoggedLine } from '../../client/client.ts'
import { jsonObject, type LogLevel, levelOf } from '../../protocol/logs/log-line.ts'
import { type Paint, plain, type Style } from '../terminal.ts'
import { printable } from './amounts.ts'

const STYLES: { readonly [level in LogLevel]?: Style } = {
  TRACE: 'dim',
  DEBUG: 'dim',
  WARN: 'yellow',
  ERROR: 'red',
  FATAL: 'red',
}
const levelWidth = 5
const requestIdWidth = 8
/** Of a stack, under the line. */
const mostFrames = 20

/** Of a server's log, or of a worker's own. */
export type ShownLine = Omit<LoggedLine, 'position'>

/** What the columns before it, and every reader of a log, know already. */
const SHOWN_ELSEWHERE = new Set([
  'timestamp',
  'time',
  'level',
  'log_level',
  'severity',
  'message',
  'msg',
  'requestId',
  'executionArn',
  'durableExecutionArn',
  'errorType',
  'errorMessage',
  'stackTrace',
])

/**
 *     12:00:03.120  order  8f0f1c2d  WARN   few are left  operationName=reserve
 *     12:00:03.121  order  8f0f1c2d         REPORT RequestId: 8f0f1c2d-…
 *
 * Level, request and time of a line are in the columns, and no more in the text. What the platform says is dim; what came
 * from standard error and tells no level is marked with `!`.
 */
export function logLine(record: ShownLine, paint: Paint = plain): string {
  const { at, functionName, requestId = '', stream, line } = record
  const fields = record.fields ?? jsonObject(line)
  const level = record.level ?? levelOf(line, fields)
  const { text, details, frames } = contentOf(line, stream, fields)
  const head = paint(
    'dim',
    `${clock(at)}  ${functionName}  ${requestId.slice(0, requestIdWidth).padEnd(requestIdWidth)}`,
  )
  const style = level === undefined ? undefined : STYLES[level]
  const mark = (stream === 'platform' ? '' : (level ?? (stream === 'stderr' ? '!' : ''))).padEnd(levelWidth)
  const column = style === undefined ? (mark.startsWith('!') ? paint('yellow', mark) : mark) : paint(style, mark)
  const body =
    stream === 'platform' && style === undefined ? paint('dim', safe(text)) : emphasised(safe(text), level, paint)
  const extra = details === '' ? '' : `  ${paint('dim', safe(details))}`
  const below = frames.map((frame) => `\n${paint('dim', `    ${safe(frame.trim())}`)}`).join('')
  return `${head}  ${column}  ${body}${extra}${below}`
}

/** Errors are read first. */
const emphasised = (text: string, level: LogLevel | undefined, paint: Paint): string =>
  level === 'ERROR' || level === 'FATAL' ? paint('red', text) : text

interface Content {
  readonly text: string
  readonly details: string
  readonly frames: readonly string[]
}

function contentOf(line: string, stream: ShownLine['stream'], fields: LoggedLine['fields']): Content {
  if (fields === undefined) return { text: stream === 'platform' ? line : withoutPrefix(line), details: '', frames: [] }
  const message = fields['message'] ?? fields['msg']
  if (message === undefined) {
    const { type, record } = fields
    const isEvent = typeof type === 'string' && type.startsWith('platform.')
    return { text: isEvent ? `${type} ${shortly(record)}` : line, details: '', frames: [] }
  }
  const error = { ...fields, ...(isObject(message) ? message : undefined) }
  const named = typeof error['errorType'] === 'string' ? `${error['errorType']}: ${error['errorMessage'] ?? ''}` : ''
  const [first = '', ...rest] = (isObject(message) && named !== '' ? named : shortly(message)).split('\n')
  const details = Object.entries(fields).filter(([name]) => !SHOWN_ELSEWHERE.has(name))
  const stack = error['stackTrace']
  // A message with its error ends with the stack that is told apart as well.
  const frames = Array.isArray(stack) ? stack.slice(1).map(String) : rest
  return {
    text: named === '' || first.includes(named) ? first : `${first}  ${named}`,
    details: details.map(([name, value]) => `${name}=${shortly(value)}`).join(' '),
    frames: frames.slice(0, mostFrames),
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const shortly = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

/** Time, request and level as the runtimes of Node.js and Python put them before a text. */
const withoutPrefix = (line: string): string =>
  line
    .replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z\t[^\t]*\t[A-Z]+\t/, '')
    .replace(/^\[[A-Z]+\]\t\d{4}-\d\d-\d\dT[\d:.]+Z\t[^\t]*\t/, '')

function clock(at: number): string {
  const time = new Date(at)
  const parts = [time.getHours(), time.getMinutes(), time.getSeconds()].map((n) => String(n).padStart(2, '0'))
  return `${parts.join(':')}.${String(time.getMilliseconds()).padStart(3, '0')}`
}

/** Tabs are the platform's own separators and harmless; everything else that drives terminals is escaped. */
const safe = (text: string): string => text.split('\t').map(printable).join('\t')
