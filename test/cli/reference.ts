/** The parts of `docs/cli.md` that are made of the command table: for each command its usage and its options. */
import type { Command } from '../../src/cli/command.ts'

const begin = (name: string) => `<!-- command: ${name} -->`
const end = '<!-- end of command -->'

/** Told once for all commands, under "What holds for all". */
const SHARED = ['endpoint', 'output', 'help']

export function blockOf(command: Command): string {
  const usage = ['perdure', command.name, command.operands, '[options]'].filter((part) => part !== undefined).join(' ')
  const options = Object.entries(command.options).filter(
    ([name]) => !SHARED.includes(name) && !(name === 'json' && 'output' in command.options),
  )
  const rows = options.map(([name, option]) => [
    `${option.short === undefined ? '' : `\`-${option.short}\` `}\`--${name}${option.value === undefined ? '' : ` ${option.value}`}\``.replaceAll(
      '|',
      '\\|',
    ),
    option.help.replaceAll('|', '\\|').replaceAll('<', '\\<'),
  ])
  return [
    begin(command.name),
    '',
    '```text',
    usage,
    '```',
    '',
    ...(rows.length === 0 ? [] : [...table([['option', ''], ...rows]), '']),
    ...('endpoint' in command.options ? ['Also `--endpoint`, `--output` and `--json`.', ''] : []),
    '```sh',
    ...command.examples,
    '```',
    '',
    end,
  ].join('\n')
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = [0, 1].map((column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)]
}

/** The names of the commands that a page has blocks for, in order. */
export const blockNames = (page: string): readonly string[] =>
  [...page.matchAll(/^<!-- command: (.*) -->$/gm)].map(([, name = '']) => name)

/** The page with each of its blocks as it should be. */
export function withBlocks(page: string, commands: readonly Command[]): string {
  let text = page
  for (const command of commands) {
    const from = text.indexOf(begin(command.name))
    if (from < 0) continue
    const to = text.indexOf(end, from) + end.length
    text = text.slice(0, from) + blockOf(command) + text.slice(to)
  }
  return text
}
