/** Metrics in the Prometheus text exposition format, version 0.0.4. */
import type { Family, Sample } from '../service/metrics.ts'

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export function prometheusText(families: readonly Family[]): string {
  const lines: string[] = []
  for (const { name, spec, samples } of families) {
    lines.push(`# HELP ${name} ${escapeHelp(spec.help)}`, `# TYPE ${name} ${spec.kind}`)
    for (const sample of samples) lines.push(`${name}${sample.suffix}${labelsOf(sample)} ${numberText(sample)}`)
  }
  return `${lines.join('\n')}\n`
}

function labelsOf({ labels }: Sample): string {
  if (labels.length === 0) return ''
  return `{${labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',')}}`
}

function numberText({ value }: Sample): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"')
