/** Timestamps as they arrive in query strings (spec 01 §1.0). */

const ISO = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}(?::\d{2})?)(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})?$/
const EPOCH_SECONDS = /^(-?)(\d{1,13})(\.\d{1,9})?$/
/** The range of a Date. */
const FARTHEST_MS = 8.64e15

/**
 * Epoch milliseconds, or undefined when the text is not a timestamp. Fractions below a millisecond are cut.
 *
 *     2025-01-01T00:00:00.500Z      → 1735689600500
 *     2025-01-01T00:00:00.500000Z   → 1735689600500   (boto3)
 *     2025-01-01T01:00:00+01:00     → 1735689600000
 *     1735689600.5                  → 1735689600500
 */
export function parseTimestamp(text: string): number | undefined {
  const iso = ISO.exec(text)
  if (iso !== null) {
    const [, date, time, fraction = '.0', zone = 'Z'] = iso
    const ms = Date.parse(`${date}T${time}${time?.length === 5 ? ':00' : ''}${fraction.slice(0, 4)}${withColon(zone)}`)
    return Number.isNaN(ms) ? undefined : ms
  }
  const epoch = EPOCH_SECONDS.exec(text)
  if (epoch === null) return undefined
  // Digits, not a product: 1735689600.001 × 1000 is a little less than it should be.
  const [, sign = '', seconds = '', fraction = '.'] = epoch
  const ms = Number(`${sign}${seconds}${fraction.slice(1, 4).padEnd(3, '0')}`)
  return Math.abs(ms) <= FARTHEST_MS ? ms : undefined
}

/** `+0100` → `+01:00`. */
const withColon = (zone: string): string => (zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone)
