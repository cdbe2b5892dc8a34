/**
 * What a command is: its name, its options with a line of help each, examples, and what it does. `defineCommand` ties
 * the types of the parsed values to the declared options; the help page is made from the same declaration.
 */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { PerdureClient } from '../client/client.ts'
import { usageFailure } from './failure.ts'
import { OUTPUT_OPTIONS } from './output.ts'
import type { Environment, Terminal } from './terminal.ts'

export interface OptionSpec {
  readonly type: 'string' | 'boolean'
  readonly short?: string
  readonly multiple?: boolean
  /** What stands for the value in the help page, for example `<port>`. */
  readonly value?: string
  /** The values that there are; the command itself checks them, where it wants to be more tolerant than equality. */
  readonly choices?: readonly string[]
  readonly help: string
}
export type OptionSpecs = Readonly<Record<string, OptionSpec>>

type Value<O extends OptionSpec> = O extends { type: 'boolean' }
  ? boolean | undefined
  : O extends { multiple: true }
    ? readonly string[] | undefined
    : string | undefined
export type Values<O extends OptionSpecs> = { readonly [name in keyof O]: Value<O[name]> }

/** Everything a command may touch of the process it runs in. */
export interface Surroundings {
  readonly terminal: Terminal
  readonly env: Environment
  readonly cwd: string
  /**
   * From the first call on, SIGINT and SIGTERM abort the signal that it gives, always the same: finish what you do and
   * return. Until then they end the process at once, as is right for whoever has nothing to finish.
   */
  readonly stopSignal: () => AbortSignal
  readonly readStdin: () => Promise<string>
  /** Resolves with the line that was answered; undefined where nobody sits at a terminal. */
  readonly ask: ((question: string) => Promise<string>) | undefined
}

export interface CommandSpec<O extends OptionSpecs> {
  /** For example `executions list`. */
  readonly name: string
  readonly summary: string
  /** Positional arguments as the help page shows them, for example `<function> [<version>]`. */
  readonly operands?: string
  /** How many positional arguments there may be. Default: none. */
  readonly operandCount?: readonly [least: number, most: number]
  readonly options: O
  readonly notes?: readonly string[]
  readonly examples: readonly string[]
  /** Resolves with the exit code. `behindDashes` are those of the operands that came after `--`. */
  run(
    call: {
      readonly values: Values<O>
      readonly operands: readonly string[]
      readonly behindDashes: readonly string[]
    } & Surroundings,
  ): Promise<number>
}

export interface Command {
  readonly name: string
  readonly summary: string
  readonly operands: string | undefined
  /** With `--help`, which every command has. */
  readonly options: OptionSpecs
  readonly examples: readonly string[]
  readonly help: () => string
  execute(args: readonly string[], surroundings: Surroundings): Promise<number>
}

const helpOption: OptionSpec = { type: 'boolean', short: 'h', help: 'Show this page' }

export function defineCommand<const O extends OptionSpecs>(spec: CommandSpec<O>): Command {
  const help = () => helpPage(spec)
  return {
    name: spec.name,
    summary: spec.summary,
    operands: spec.operands,
    options: { ...spec.options, help: helpOption },
    examples: spec.examples,
    help,
    async execute(args, surroundings) {
      const { values, operands, behindDashes } = parse(spec, args)
      if (values['help'] === true) {
        surroundings.terminal.write(help())
        return 0
      }
      checkOperands(spec, operands)
      return await spec.run({ ...surroundings, values: values as Values<O>, operands, behindDashes })
    },
  }
}

function parse(spec: CommandSpec<OptionSpecs>, args: readonly string[]) {
  const options: ParseArgsOptionsConfig = {}
  for (const [name, option] of Object.entries({ ...spec.options, help: helpOption })) {
    options[name] = {
      type: option.type,
      ...(option.short !== undefined && { short: option.short }),
      ...(option.multiple === true && { multiple: true }),
    }
  }
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true, tokens: true })
    const dashes = parsed.tokens.find(({ kind }) => kind === 'option-terminator')
    const behindDashes = dashes === undefined ? [] : args.slice(dashes.index + 1)
    return { values: parsed.values, operands: parsed.positionals, behindDashes }
  } catch (error) {
    if (!(error instanceof TypeError) || !String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS')) {
      throw error
    }
    // Node adds advice about `--` after the first sentence; ours follows instead.
    const cause = error.message.split('. ')[0]?.split('\n')[0] ?? error.message
    throw usageFailure(`${spec.name}: ${cause.charAt(0).toLowerCase()}${cause.slice(1)}`, seeHelp(spec))
  }
}

function checkOperands(spec: CommandSpec<OptionSpecs>, operands: readonly string[]): void {
  const [least, most] = spec.operandCount ?? [0, 0]
  if (operands.length < least) {
    throw usageFailure(`${spec.name}: ${spec.operands} is missing`, seeHelp(spec))
  }
  if (operands.length > most) {
    throw usageFailure(`${spec.name}: unexpected argument "${operands[most]}"`, seeHelp(spec))
  }
}

const seeHelp = (spec: { readonly name: string }) => `"perdure ${spec.name} --help" shows how it is used`

export function helpPage(spec: CommandSpec<OptionSpecs>): string {
  const rows = Object.entries({ ...spec.options, help: helpOption }).map(([name, option]) => [
    `${option.short === undefined ? '    ' : `-${option.short}, `}--${name}${option.value === undefined ? '' : ` ${option.value}`}`,
    option.help,
  ])
  const widest = Math.max(...rows.map(([left]) => left?.length ?? 0))
  return [
    spec.summary,
    '',
    `Usage: perdure ${[spec.name, spec.operands, '[options]'].filter((part) => part !== undefined).join(' ')}`,
    '',
    'Options:',
    ...rows.map(([left, right]) => `  ${left?.padEnd(widest)}  ${right}`),
    ...(spec.notes === undefined ? [] : ['', ...spec.notes]),
    '',
    'Examples:',
    ...spec.examples.map((example) => `  ${example}`),
    '',
  ].join('\n')
}

// ------------------------------------------------------------------------------------------------ shared options

export const DEFAULT_ENDPOINT = 'http://127.0.0.1:7077'

/** Options of every command that talks to a server. */
export const CLIENT_OPTIONS = {
  endpoint: {
    type: 'string',
    value: '<url>',
    help: `Server to talk to (PERDURE_ENDPOINT; default ${DEFAULT_ENDPOINT})`,
  },
  ...OUTPUT_OPTIONS,
} as const satisfies OptionSpecs

/** The client that `--endpoint`, or else the environment, asks for. */
export function clientFor(values: { readonly endpoint: string | undefined }, env: Environment): PerdureClient {
  const endpoint = values.endpoint ?? (env['PERDURE_ENDPOINT'] || DEFAULT_ENDPOINT)
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw usageFailure(`"${endpoint}" is not an http or https URL`, `write --endpoint as ${DEFAULT_ENDPOINT}`)
  }
  return new PerdureClient(endpoint)
}

/** A whole number given as an option; undefined when it was not given. */
export function wholeNumber(option: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= least && value <= most)) {
    throw usageFailure(
      `--${option} "${text}" is not a whole number from ${least} to ${most}`,
      `for example --${option} ${least}`,
    )
  }
  return value
}
