/**
 * The registry of metrics: every figure of `metric-table.ts`, kept in memory until somebody asks. Counting is an
 * addition and observing a short walk over fixed bounds, so that the hot path can afford both; everything that can be
 * read off the parts themselves (sizes of queues, pools, caches) is read only when somebody asks.
 *
 * The number of series is bounded: a label value beyond `MAX_SERIES` of its metric is counted as `other`.
 */
import {
  type CounterName,
  type GaugeName,
  type HistogramName,
  type LabelValues,
  METRICS,
  type MetricName,
  type MetricSpec,
} from './metric-table.ts'
import type { Counter, Histogram, Metrics, Reading } from './ports.ts'

/** Label combinations of one metric. */
export const MAX_SERIES = 1_000
const OTHER = 'other'

/** One line of the exposition. */
export interface Sample {
  /** What the line's name has after the metric's: `_bucket`, `_sum`, `_count` or nothing. */
  readonly suffix: string
  readonly labels: readonly (readonly [name: string, value: string])[]
  readonly value: number
}

export interface Family {
  readonly name: MetricName
  readonly spec: MetricSpec
  readonly samples: readonly Sample[]
}

class Count implements Counter {
  value = 0

  add(count = 1): void {
    this.value += count
  }
}

class Buckets implements Histogram {
  readonly bounds: readonly number[]
  /** Not cumulative; the last holds what is above every bound. */
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(value: number): void {
    const { bounds, counts } = this
    let place = 0
    while (place < bounds.length && value > (bounds[place] ?? Number.POSITIVE_INFINITY)) place += 1
    counts[place] = (counts[place] ?? 0) + 1
    this.sum += value
  }
}

interface Series<Value> {
  readonly labels: readonly string[]
  readonly value: Value
}

/** The series of one metric by their label values. */
class SeriesByLabels<Value> {
  readonly #series = new Map<string, Series<Value>>()
  readonly #make: () => Value

  constructor(make: () => Value) {
    this.#make = make
  }

  of(labels: readonly string[]): Value {
    const key = labels.join('\u0000')
    const known = this.#series.get(key)
    if (known !== undefined) return known.value
    if (this.#series.size >= MAX_SERIES && labels.some((label) => label !== OTHER)) {
      return this.of(labels.map(() => OTHER))
    }
    const made = { labels, value: this.#make() }
    this.#series.set(key, made)
    return made.value
  }

  all(): Iterable<Series<Value>> {
    return this.#series.values()
  }
}

export class MetricRegistry implements Metrics {
  readonly now: () => number
  readonly #counters = new Map<MetricName, SeriesByLabels<Count>>()
  readonly #histograms = new Map<MetricName, SeriesByLabels<Buckets>>()
  readonly #readings = new Map<MetricName, (() => Reading)[]>()

  /** `now`: milliseconds of a clock that never goes back, with fractions. */
  constructor(now: () => number) {
    this.now = now
  }

  counter<Name extends CounterName>(name: Name, ...labels: LabelValues<Name>): Counter {
    let series = this.#counters.get(name)
    if (series === undefined) {
      series = new SeriesByLabels(() => new Count())
      this.#counters.set(name, series)
    }
    return series.of(labels)
  }

  histogram<Name extends HistogramName>(name: Name, ...labels: LabelValues<Name>): Histogram {
    let series = this.#histograms.get(name)
    if (series === undefined) {
      const { bounds } = METRICS[name]
      series = new SeriesByLabels(() => new Buckets(bounds))
      this.#histograms.set(name, series)
    }
    return series.of(labels)
  }

  read(name: GaugeName | CounterName, reading: () => Reading): void {
    const readings = this.#readings.get(name)
    if (readings === undefined) this.#readings.set(name, [reading])
    else readings.push(reading)
  }

  /** Every metric that has something to say, in the order of the table. */
  families(): readonly Family[] {
    return (Object.keys(METRICS) as MetricName[])
      .map((name) => ({ name, spec: METRICS[name], samples: this.#samplesOf(name) }))
      .filter(({ samples }) => samples.length > 0)
  }

  #samplesOf(name: MetricName): readonly Sample[] {
    const named = (values: readonly string[]) =>
      METRICS[name].labels.map((label, place) => [label, values[place] ?? ''] as const)
    const samples: Sample[] = []
    for (const { labels, value } of this.#counters.get(name)?.all() ?? []) {
      samples.push({ suffix: '', labels: named(labels), value: value.value })
    }
    for (const { labels, value } of this.#histograms.get(name)?.all() ?? []) {
      samples.push(...bucketSamples(named(labels), value))
    }
    for (const { labels, value } of readNow(this.#readings.get(name) ?? [])) {
      samples.push({ suffix: '', labels: named(labels), value })
    }
    return samples
  }
}

/** Several readers, or several values of one, with the same labels are parts of one figure: they are added up. */
function readNow(readings: readonly (() => Reading)[]): readonly { labels: readonly string[]; value: number }[] {
  const series = new SeriesByLabels(() => new Count())
  for (const reading of readings) {
    const read = reading()
    if (typeof read === 'number') series.of([]).add(read)
    else if (read !== undefined) for (const { labels, value } of read) series.of(labels).add(value)
  }
  return [...series.all()].map(({ labels, value }) => ({ labels, value: value.value }))
}

function bucketSamples(labels: Sample['labels'], { bounds, counts, sum }: Buckets): readonly Sample[] {
  const samples: Sample[] = []
  let total = 0
  for (const [place, count] of counts.entries()) {
    total += count
    const bound = bounds[place]
    const le = ['le', bound === undefined ? '+Inf' : String(bound)] as const
    samples.push({ suffix: '_bucket', labels: [...labels, le], value: total })
  }
  samples.push({ suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: total })
  return samples
}
