/** How a function's log is written, from its LoggingConfig, and which of its own lines that leaves out. */
import { isAtLeast, jsonObject, type LogLevel, levelNamed, levelOf } from '../protocol/logs/log-line.ts'
import { defaultLogGroup, type FunctionLogging } from '../service/ports.ts'

/** What holds where nothing was said. */
export function plainLogging(functionName: string): FunctionLogging {
  return { format: 'Text', applicationLevel: 'INFO', systemLevel: 'INFO', group: defaultLogGroup(functionName) }
}

export function loggingOf(
  functionName: string,
  given: {
    readonly format?: 'Text' | 'JSON' | undefined
    readonly group?: string | undefined
    readonly applicationLevel?: string | undefined
    readonly systemLevel?: string | undefined
  },
): FunctionLogging {
  const plain = plainLogging(functionName)
  const level = (name: string | undefined): LogLevel => levelNamed(name ?? '') ?? 'INFO'
  return {
    format: given.format ?? plain.format,
    applicationLevel: level(given.applicationLevel),
    systemLevel: level(given.systemLevel),
    group: given.group ?? plain.group,
  }
}

/** What was cut or dropped of the function's output is told whatever level is wanted. */
const OWN_NOTICE = '[perdure] '
const TIMESTAMPS = ['timestamp', 'time', '@timestamp', 'Timestamp']
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)$/

/**
 * Whether what the function printed is kept. What tells no level is INFO; so is at least what tells no time, for the real
 * service takes a level only beside one.
 */
export function keepsPrinted({ format, applicationLevel }: FunctionLogging, line: string): boolean {
  if (format === 'Text' || line.startsWith(OWN_NOTICE)) return true
  const fields = jsonObject(line)
  const told = levelOf(line, fields) ?? 'INFO'
  const hasTime = fields === undefined || TIMESTAMPS.some((name) => isTime(fields[name]))
  return isAtLeast(hasTime || isAtLeast(told, 'INFO') ? told : 'INFO', applicationLevel)
}

const isTime = (value: unknown): boolean => typeof value === 'string' && RFC_3339.test(value)
