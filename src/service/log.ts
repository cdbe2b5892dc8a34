/** What a record is about, where that is known. Ids only: payloads and tokens stay out of the log. */
export interface LogSubject {
  readonly requestId?: string
  readonly executionId?: string
  readonly executionArn?: string
  readonly functionName?: string
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Where the service says what an operator should know; never used for what a caller is told. */
export type ServiceLog = (level: LogLevel, message: string, error?: unknown, about?: LogSubject) => void
