/**
 * What a line of a log says about itself: the members of a JSON object, and its level, in the forms in which runtimes
 * and loggers write them.
 */

/** From what is told least often to what matters most. */
export const LOG_LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export type Fields = Readonly<Record<string, unknown>>

/** The line as a JSON object; undefined when it is none. */
export function jsonObject(line: string): Fields | undefined {
  const text = line.trimStart()
  if (!text.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
  } catch {
    // Text that happens to begin like an object.
    return undefined
  }
}

/** Names that loggers of other languages give to levels. */
const SYNONYMS: { readonly [name: string]: LogLevel } = {
  WARNING: 'WARN',
  CRITICAL: 'FATAL',
  ERR: 'ERROR',
  NOTICE: 'INFO',
  INFORMATION: 'INFO',
  VERBOSE: 'DEBUG',
}

export function levelNamed(name: string): LogLevel | undefined {
  const upper = name.toUpperCase()
  return LOG_LEVELS.find((level) => level === upper) ?? SYNONYMS[upper]
}

export const isAtLeast = (level: LogLevel, least: LogLevel): boolean =>
  LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(least)

/** `2026-01-01T12:00:00.000Z  <request id>  WARN  …` of Node.js; `[WARNING]  …` of Python; `ERROR  Invoke Error  …`. */
const NODE_LINE = /^\d{4}-\d\d-\d\dT[\d:.]+Z\t[^\t]*\t([A-Z]+)\t/
const PYTHON_LINE = /^\[([A-Z]+)\](\s|$)/
const BARE_LEVEL = /^([A-Z]+)\t/

/**
 * The level that a line tells of itself; undefined: it tells none.
 *
 *     {"level":"warning","message":"late"}            → WARN
 *     2026-01-01T12:00:00.000Z\t8f…\tERROR\tno stock  → ERROR
 *     [INFO]\t2026-01-01T12:00:00.000Z\t8f…\tdone     → INFO
 */
export function levelOf(line: string, fields: Fields | undefined = jsonObject(line)): LogLevel | undefined {
  if (fields !== undefined) {
    const told = fields['level'] ?? fields['log_level'] ?? fields['severity']
    return typeof told === 'string' ? levelNamed(told) : undefined
  }
  const name = (NODE_LINE.exec(line) ?? PYTHON_LINE.exec(line) ?? BARE_LEVEL.exec(line))?.[1]
  return name === undefined ? undefined : levelNamed(name)
}
