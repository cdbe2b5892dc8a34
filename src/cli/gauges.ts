/** Reads single figures out of a server's `/metrics` page. Pure. */

/** The values of one metric by one of its labels; empty when the server does not have the metric. */
export function gaugeBy(page: string, metric: string, label: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>()
  for (const line of page.split('\n')) {
    if (!line.startsWith(metric)) continue
    const [, labels = '', value] = /^\w+(?:\{(.*)\})? (\S+)/.exec(line) ?? []
    if (value === undefined || (line[metric.length] !== '{' && line[metric.length] !== ' ')) continue
    const named = new RegExp(`(?:^|,)${label}="([^"]*)"`).exec(labels)?.[1] ?? ''
    values.set(named, (values.get(named) ?? 0) + Number(value))
  }
  return values
}
