/** The `logging` of a declaration: what the Lambda API would say to it, and what it means. */
import { ApiError } from '../protocol/errors.ts'
import { LOGGING_CONFIG } from '../protocol/function-constraints.ts'
import { readJson } from '../protocol/validate.ts'
import { Violations } from '../protocol/violations.ts'
import type { FunctionLogging } from '../service/ports.ts'
import type { LoggingConfig } from './declaration.ts'
import { loggingOf } from './logging.ts'

export function declaredLogging(functionName: string, given: LoggingConfig): FunctionLogging {
  const { LogFormat: format, LogGroup: group, ApplicationLogLevel, SystemLogLevel } = given
  return loggingOf(functionName, { format, group, applicationLevel: ApplicationLogLevel, systemLevel: SystemLogLevel })
}

/** Undefined: it is valid, or not there. */
export function loggingRefusal(given: LoggingConfig | undefined): string | undefined {
  const violations = new Violations()
  try {
    readJson(LOGGING_CONFIG, given, 'logging', violations)
    violations.throwIfAny()
  } catch (error) {
    if (error instanceof ApiError) return error.message
    throw error
  }
  const { LogFormat = 'Text', ApplicationLogLevel, SystemLogLevel } = given ?? {}
  const hasLevels = ApplicationLogLevel !== undefined || SystemLogLevel !== undefined
  return LogFormat === 'Text' && hasLevels ? 'levels need the LogFormat JSON' : undefined
}
