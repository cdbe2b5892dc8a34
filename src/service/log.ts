/** Where the service says what an operator should know; never used for what a caller is told. */
export type ServiceLog = (level: 'info' | 'warn' | 'error', message: string, error?: unknown) => void
