import { DeclarationError } from './declaration-error.ts'
import type { LogBounds } from './logs/log-store.ts'

/** How much of what functions print is kept on disk, and for how long. The oldest goes first. */
export interface LogKeeping {
  /** 1–3,650. Default 14. A file is removed when its newest line is older; it holds the lines of a day at most. */
  readonly retentionDays?: number
  /** MB of all functions together, 64–1,048,576. Default 1,024. One function has at most 64 MB of it. */
  readonly totalMb?: number
}

export const logKeepingKeys: readonly (keyof LogKeeping)[] = ['retentionDays', 'totalMb']

const dayMs = 86_400_000
const mb = 1_048_576

/** Throws a DeclarationError. */
export function logBounds({ retentionDays, totalMb }: LogKeeping): Partial<LogBounds> {
  check('retentionDays', retentionDays, 1, 3_650)
  check('totalMb', totalMb, 64, 1_048_576)
  return {
    ...(retentionDays === undefined ? {} : { retentionMs: retentionDays * dayMs }),
    ...(totalMb === undefined ? {} : { totalBytes: totalMb * mb }),
  }
}

function check(key: keyof LogKeeping, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return
  throw new DeclarationError(
    `"${key}" of "functionLogs" is ${JSON.stringify(value)}.`,
    'Nothing is served.',
    `Give a whole number from ${least} to ${most}.`,
  )
}
