/** A point in time as people give it on the command line. */
import { parseTimestamp } from '../protocol/timestamps.ts'
import { usageFailure } from './failure.ts'

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Epoch milliseconds; undefined when the option was not given.
 *
 *     2025-06-01T12:00:00Z        → that moment
 *     2025-06-01T14:00:00+02:00   → the same
 *     90m                         → an hour and a half before `nowMs`
 */
export function moment(option: string, text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  if (count !== undefined && unit !== undefined) return nowMs - Number(count) * (unitMs[unit] ?? 0)
  const at = text.includes('T') ? parseTimestamp(text) : undefined
  if (at !== undefined) return at
  throw usageFailure(
    `--${option} "${text}" is neither an ISO 8601 timestamp nor a time ago`,
    `for example --${option} 2025-06-01T12:00:00Z, or --${option} 2h`,
  )
}
