/**
 * A line chart as a self-contained SVG: light background, axes with units, a legend that says which line is which and
 * what it came to at most, bands for phases, and a strip below that marks the faults. Knows nothing of what it shows.
 */

export interface Series {
  readonly name: string
  readonly color: string
  /** x, and y where there is one; a gap breaks the line. */
  readonly points: readonly (readonly [x: number, y: number | undefined])[]
  /** A lighter line, drawn below the others. */
  readonly faint?: boolean
  /** Figures that come now and then: dots in place of a line. */
  readonly dots?: boolean
}

/** A row of the strip below the plot. */
export interface Lane {
  readonly name: string
  readonly color: string
  readonly at: readonly number[]
}

export interface Chart {
  readonly title: string
  readonly subtitle: string
  /** Of the y axis. */
  readonly unit: string
  readonly xLabel: string
  readonly xMax: number
  readonly series: readonly Series[]
  readonly lanes: readonly Lane[]
  readonly bands: readonly { readonly from: number; readonly to: number; readonly name: string }[]
  /** For figures over several powers of ten. */
  readonly logarithmic?: boolean
}

const WIDTH = 1_000
const PLOT = { left: 78, right: 976, top: 92, bottom: 350 } as const
const LANE_HEIGHT = 15
const INK = '#1f2933'
const MUTED = '#5b6875'
const GRID = '#e4e8ec'
const BAND = '#f3f6f9'
const FONT = 'font-family="system-ui, \'Segoe UI\', Helvetica, Arial, sans-serif"'
/** A line has at most so many points: more cannot be seen, only stored. */
const MOST_POINTS = 900

export function drawChart(chart: Chart): string {
  const top = highest(chart.series)
  const yTicks = chart.logarithmic === true ? powersOfTen(lowest(chart.series), top) : roundTicks(top)
  const x = scale(0, chart.xMax, PLOT.left, PLOT.right)
  const y =
    chart.logarithmic === true
      ? through(Math.log10, scale(Math.log10(yTicks[0] ?? 1), Math.log10(yTicks.at(-1) ?? 10), PLOT.bottom, PLOT.top))
      : scale(0, yTicks.at(-1) ?? 1, PLOT.bottom, PLOT.top)
  const lanesTop = PLOT.bottom + 46
  const height = lanesTop + chart.lanes.length * LANE_HEIGHT + 16
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" ${FONT} role="img">`,
    `<title>${escaped(chart.title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(PLOT.left, 28, chart.title, { size: 17, weight: 600 }),
    text(PLOT.left, 47, chart.subtitle, { size: 12, color: MUTED }),
    ...chart.bands.flatMap((band) => drawBand(band, x)),
    ...yTicks.flatMap((tick) => [
      line(PLOT.left, y(tick), PLOT.right, y(tick), GRID),
      text(PLOT.left - 8, y(tick) + 4, figure(tick), { size: 11, color: MUTED, anchor: 'end' }),
    ]),
    `<text transform="translate(20 ${(PLOT.top + PLOT.bottom) / 2}) rotate(-90)" font-size="12" fill="${MUTED}" text-anchor="middle">${escaped(chart.unit)}</text>`,
    ...roundTicks(chart.xMax, 10)
      .filter((tick) => tick <= chart.xMax)
      .flatMap((tick) => [
        line(x(tick), PLOT.bottom, x(tick), PLOT.bottom + 5, MUTED),
        text(x(tick), PLOT.bottom + 19, figure(tick), { size: 11, color: MUTED, anchor: 'middle' }),
      ]),
    line(PLOT.left, PLOT.bottom, PLOT.right, PLOT.bottom, MUTED),
    text((PLOT.left + PLOT.right) / 2, PLOT.bottom + 36, chart.xLabel, { size: 12, color: MUTED, anchor: 'middle' }),
    ...chart.series
      .toSorted((a, b) => Number(b.faint ?? false) - Number(a.faint ?? false))
      .map((series) => drawSeries(series, x, y)),
    ...drawLegend(chart.series),
    ...chart.lanes.flatMap((lane, index) => drawLane(lane, lanesTop + index * LANE_HEIGHT, x)),
    '</svg>',
  ]
  return `${parts.join('\n')}\n`
}

type Scale = (value: number) => number

const scale =
  (from: number, to: number, low: number, high: number): Scale =>
  (value) =>
    low + ((value - from) / (to - from || 1)) * (high - low)

const through =
  (first: Scale, then: Scale): Scale =>
  (value) =>
    then(first(value))

function drawSeries({ color, points, faint = false, dots = false }: Series, x: Scale, y: Scale): string {
  let path = ''
  let broken = true
  for (const [at, value] of thinned(points)) {
    if (value === undefined) {
      broken = true
      continue
    }
    const place = `${x(at).toFixed(1)} ${Math.min(PLOT.bottom, y(value)).toFixed(1)}`
    // A line without length has round ends: a dot.
    path += broken || dots ? `M${place}L${place}` : `L${place}`
    broken = false
  }
  const width = dots ? 4 : faint ? 1.2 : 1.8
  return `<path d="${path}" fill="none" stroke="${color}" stroke-width="${width}" stroke-linejoin="round" stroke-linecap="round"${faint ? ' stroke-opacity="0.75"' : ''}/>`
}

/** Of neighbours the highest remains: a peak must not vanish. */
function thinned(points: Series['points']): Series['points'] {
  const size = Math.ceil(points.length / MOST_POINTS)
  if (size <= 1) return points
  return Array.from({ length: Math.ceil(points.length / size) }, (_, index) => {
    const group = points.slice(index * size, (index + 1) * size)
    return group.reduce((best, point) => ((point[1] ?? -1) > (best[1] ?? -1) ? point : best))
  })
}

function drawLegend(series: readonly Series[]): string[] {
  let left: number = PLOT.left
  return series.flatMap(({ name, color, points }) => {
    const values = points.flatMap(([, y]) => (y === undefined ? [] : [y]))
    const words =
      values.length === 0 ? `${name} (none)` : `${name} (max ${figure(values.reduce((a, b) => Math.max(a, b)))})`
    const at = left
    left += 34 + words.length * 7.4
    return [
      `<line x1="${at}" y1="70" x2="${at + 18}" y2="70" stroke="${color}" stroke-width="3" stroke-linecap="round"/>`,
      text(at + 24, 74, words, { size: 12 }),
    ]
  })
}

function drawBand({ from, to, name }: Chart['bands'][number], x: Scale): string[] {
  return [
    `<rect x="${x(from).toFixed(1)}" y="${PLOT.top}" width="${(x(to) - x(from)).toFixed(1)}" height="${PLOT.bottom - PLOT.top}" fill="${BAND}"/>`,
    text(x(from) + 6, PLOT.top + 14, name, { size: 11, color: MUTED }),
  ]
}

function drawLane({ name, color, at }: Lane, top: number, x: Scale): string[] {
  const ticks = at.map((value) => `M${x(value).toFixed(1)} ${top + 3}v${LANE_HEIGHT - 6}`).join('')
  return [
    line(PLOT.left, top + LANE_HEIGHT / 2, PLOT.right, top + LANE_HEIGHT / 2, GRID),
    text(PLOT.left - 8, top + LANE_HEIGHT / 2 + 3.5, name, { size: 10, color: MUTED, anchor: 'end' }),
    `<path d="${ticks}" stroke="${color}" stroke-width="1.6"/>`,
  ]
}

const line = (x1: number, y1: number, x2: number, y2: number, color: string): string =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${color}"/>`

function text(
  x: number,
  y: number,
  words: string,
  style: {
    readonly size: number
    readonly color?: string
    readonly weight?: number
    readonly anchor?: 'middle' | 'end'
  },
): string {
  const { size, color = INK, weight, anchor } = style
  const more = `${weight === undefined ? '' : ` font-weight="${weight}"`}${anchor === undefined ? '' : ` text-anchor="${anchor}"`}`
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="${size}" fill="${color}"${more}>${escaped(words)}</text>`
}

const escaped = (words: string): string =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const valuesOf = (series: readonly Series[]): number[] =>
  series.flatMap(({ points }) => points.flatMap(([, y]) => (y === undefined ? [] : [y])))

const highest = (series: readonly Series[]): number => valuesOf(series).reduce((a, b) => Math.max(a, b), 0)
const lowest = (series: readonly Series[]): number =>
  valuesOf(series).reduce((a, b) => (b > 0 ? Math.min(a, b) : a), Number.POSITIVE_INFINITY)

/** From 0 in steps of 1, 2 or 5 times a power of ten, until `top` is covered: 37 → 0 10 20 30 40. */
function roundTicks(top: number, wanted = 5): number[] {
  const rough = Math.max(top, 1e-3) / wanted
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10)
  return Array.from({ length: Math.max(1, Math.ceil(top / step)) + 1 }, (_, index) =>
    Number((index * step).toPrecision(6)),
  )
}

/** The powers of ten around the values: 3 to 240 → 1 10 100 1000. */
function powersOfTen(low: number, high: number): number[] {
  const first = Math.floor(Math.log10(Number.isFinite(low) ? Math.max(low, 0.1) : 1))
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(high, 1e-3))))
  return Array.from({ length: last - first + 1 }, (_, index) => Number((10 ** (first + index)).toPrecision(6)))
}

/** As people write it: 12,000; 3.4; 0.25. */
const figure = (value: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: value >= 100 ? 0 : value >= 10 ? 1 : 2 })
