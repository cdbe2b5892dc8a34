/**
 * What `samconfig.toml` (or .yaml) says of a deployment and Perdure has a use for: the stack's name, the values of
 * parameters, the template. Everything else is of the cloud.
 */
import { parse as parseToml, TomlError } from 'smol-toml'
import { parse as parseYaml, YAMLParseError } from 'yaml'
import { TemplateProblem } from './problem.ts'

export interface SamConfig {
  readonly stackName?: string
  /** Relative to the file. */
  readonly template?: string
  readonly parameters: ReadonlyMap<string, string>
}

type Table = Readonly<Record<string, unknown>>

const isTable = (value: unknown): value is Table => typeof value === 'object' && value !== null && !Array.isArray(value)

/** `environment`: SAM's --config-env. Throws a `TemplateProblem`. */
export function readSamConfig(text: string, file: string, environment = 'default'): SamConfig {
  const root = file.endsWith('.toml') ? fromToml(text, file) : fromYaml(text, file)
  const settings = isTable(root) ? root[environment] : undefined
  // What holds for all of SAM's commands, under what is said of this one.
  const {
    stack_name: stackName,
    template_file: template,
    parameter_overrides: overrides,
  }: Table = {
    ...parametersOf(settings, 'global'),
    ...parametersOf(settings, 'deploy'),
  }
  return {
    ...(typeof stackName === 'string' && { stackName }),
    ...(typeof template === 'string' && { template }),
    parameters: overridesOf(overrides),
  }
}

function fromToml(text: string, file: string): unknown {
  try {
    return parseToml(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const place = { file, line: error.line, column: error.column }
    const [first = ''] = error.message.split('\n')
    throw new TemplateProblem(place, `this is not TOML: ${first}`, 'correct it, or take the file away')
  }
}

function fromYaml(text: string, file: string): unknown {
  try {
    return parseYaml(text)
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error
    const [at] = error.linePos ?? [{ line: 1, col: 1 }]
    const [first = ''] = error.message.split(' at line')
    const place = { file, line: at.line, column: at.col }
    throw new TemplateProblem(place, `this is not YAML: ${first}`, 'correct it, or take the file away')
  }
}

function parametersOf(settings: unknown, command: string): Table {
  const of = isTable(settings) ? settings[command] : undefined
  const parameters = isTable(of) ? of['parameters'] : undefined
  return isTable(parameters) ? parameters : {}
}

/** `"A=1 B=\"two words\""`, a list of such, or a table. */
function overridesOf(overrides: unknown): ReadonlyMap<string, string> {
  if (isTable(overrides)) return new Map(Object.entries(overrides).map(([name, value]) => [name, String(value)]))
  const texts = [overrides].flat().filter((each) => typeof each === 'string')
  const pairs = texts.flatMap((text) => [...text.matchAll(/([A-Za-z0-9]+)=("(?:[^"\\]|\\.)*"|\S*)/g)])
  return new Map(pairs.map(([, name = '', value = '']) => [name, unquoted(value)]))
}

const unquoted = (value: string): string =>
  value.startsWith('"') && value.endsWith('"') && value.length > 1
    ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1')
    : value
