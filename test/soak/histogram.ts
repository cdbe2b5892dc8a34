/** Quantiles of any number of values in little memory: buckets a twentieth wide, from a microsecond to a day (in ms). */
const LOWEST = 0.001
const GROWTH = Math.log(1.05)

export class Histogram {
  #counts = new Map<number, number>()
  count = 0
  max = 0

  add(value: number): void {
    const bucket = value <= LOWEST ? 0 : Math.ceil(Math.log(value / LOWEST) / GROWTH)
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1)
    this.count += 1
    this.max = Math.max(this.max, value)
  }

  /** The upper edge of the bucket that holds the quantile, at most the maximum; undefined when there is nothing. */
  quantile(q: number): number | undefined {
    if (this.count === 0) return undefined
    let left = Math.ceil(this.count * q)
    for (const [bucket, count] of [...this.#counts].sort(([a], [b]) => a - b)) {
      left -= count
      if (left <= 0) return Math.min(this.max, LOWEST * Math.exp(bucket * GROWTH))
    }
    return this.max
  }

  clear(): void {
    this.#counts = new Map()
    this.count = 0
    this.max = 0
  }
}
