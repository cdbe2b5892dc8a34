/**
 * Whether something leaks: a figure over the second half of the server's long life, by its slope and by what the last
 * third of it lies above the first.
 */

export interface Growth {
  readonly name: string
  readonly unit: string
  /** Medians of the first and the last third. */
  readonly first: number
  readonly last: number
  /** By least squares. */
  readonly perHour: number
  /** The largest growth between the thirds that passes. */
  readonly allowed: number
  readonly verdict: 'steady' | 'grows' | 'too short to say'
}

/** What may be lost in the noise: a share of what there is, and at least so much. */
export interface Tolerance {
  readonly share: number
  readonly atLeast: number
}

const SHORTEST_SECONDS = 300
const FEWEST_POINTS = 30

export function growthOf(
  name: string,
  unit: string,
  points: readonly (readonly [seconds: number, value: number])[],
  tolerance: Tolerance,
): Growth {
  const third = Math.floor(points.length / 3)
  const values = points.map(([, value]) => value)
  const first = median(values.slice(0, third))
  const last = median(values.slice(-third))
  const allowed = Math.max(tolerance.atLeast, first * tolerance.share)
  const spanSeconds = (points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0)
  const enough = spanSeconds >= SHORTEST_SECONDS && points.length >= FEWEST_POINTS
  const verdict = !enough ? 'too short to say' : last - first > allowed ? 'grows' : 'steady'
  return { name, unit, first, last, perHour: slopeOf(points) * 3_600, allowed, verdict }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Of the straight line nearest to the points. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (of: 0 | 1): number => points.reduce((sum, point) => sum + point[of], 0) / points.length
  const [meanX, meanY] = [mean(0), mean(1)]
  const products = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0)
  const squares = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0)
  return squares === 0 ? 0 : products / squares
}
