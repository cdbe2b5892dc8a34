/** How results are printed: tables for people, JSON as a whole or line by line for programs. */
import type { OptionSpecs } from './command.ts'
import { usageFailure } from './failure.ts'
import { forPrograms } from './json.ts'
import type { Terminal } from './terminal.ts'

const formats = ['table', 'json', 'ndjson'] as const
export type Format = (typeof formats)[number]

export const OUTPUT_OPTIONS = {
  output: {
    type: 'string',
    short: 'o',
    value: '<format>',
    choices: formats,
    help: 'table (default), json, or ndjson: one JSON object per line',
  },
  json: { type: 'boolean', help: 'The same as --output json' },
} as const satisfies OptionSpecs

interface OutputValues {
  readonly output: string | undefined
  readonly json: boolean | undefined
}

export function formatOf(values: OutputValues): Format {
  const format = formats.find((each) => each === (values.output ?? 'table'))
  if (format === undefined) {
    throw usageFailure(`there is no output format "${values.output}"`, `one of ${formats.join(', ')}`)
  }
  if (values.json !== true) return format
  if (values.output !== undefined && format !== 'json') {
    throw usageFailure(`--json and --output ${values.output} exclude each other`, 'leave one of them out')
  }
  return 'json'
}

/** Prints one result; `lines` makes what people see. */
export function printOne(
  terminal: Terminal,
  values: OutputValues,
  result: unknown,
  lines: () => readonly string[] | string,
): void {
  const format = formatOf(values)
  if (format === 'table') for (const line of [lines()].flat()) terminal.out(line)
  else terminal.out(forPrograms(result, format === 'json' ? 2 : 0))
}

/** Prints results in their order: line by line as they come, or all when the last is known. */
export async function printAll<T>(
  terminal: Terminal,
  values: OutputValues,
  results: AsyncIterable<T> | Iterable<T>,
  lines: (all: readonly T[]) => readonly string[],
): Promise<void> {
  const format = formatOf(values)
  const all: T[] = []
  for await (const result of results) {
    if (format === 'ndjson') terminal.out(forPrograms(result, 0))
    else all.push(result)
  }
  if (format === 'json') terminal.out(forPrograms(all))
  else if (format === 'table') for (const line of lines(all)) terminal.out(line)
}
