/**
 * Counts log records as the official runner does: it asks CloudWatch for the JSON lines of an execution, filtered by
 * `{ ($.durableExecutionArn = "…") || ($.executionArn = "…") }` (spec 08 §8.13), and counts those that match.
 */
import { type Bindings, substituteText } from './placeholder.ts'
import type { ExpectedLog } from './requirement.ts'

export function matchLogs(
  expected: readonly ExpectedLog[],
  lines: readonly string[],
  arn: string,
  bindings: Bindings,
): readonly string[] {
  const records = lines.flatMap(parseRecord).filter(({ durableExecutionArn, executionArn }) => {
    return durableExecutionArn === arn || executionArn === arn
  })
  return expected.flatMap(({ match, count }) => {
    const matching = records.filter((record) =>
      Object.entries(match).every(([key, value]) => matchesText(record[key], substituteText(value, bindings))),
    )
    if (matching.length === count) return []
    return [`${matching.length} log records match ${JSON.stringify(match)}, expected ${count}`]
  })
}

function parseRecord(line: string): readonly Readonly<Record<string, unknown>>[] {
  if (!line.startsWith('{')) return []
  try {
    return [JSON.parse(line) as Readonly<Record<string, unknown>>]
  } catch {
    // A JSON filter passes over lines that are not JSON.
    return []
  }
}

function matchesText(found: unknown, expected: string): boolean {
  const text = typeof found === 'string' ? found : JSON.stringify(found)
  if (text === undefined) return false
  const pattern = /^\/(.*)\/$/.exec(expected)?.[1]
  return pattern === undefined ? text === expected : new RegExp(pattern).test(text)
}
