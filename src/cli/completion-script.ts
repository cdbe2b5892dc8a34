/** Completion scripts, made of the command table. Pure: what they complete is known when they are written. */
import type { Command, OptionSpec } from './command.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

export function completionScript(shell: Shell, commands: readonly Command[]): string {
  return { bash, zsh, fish }[shell](commands)
}

/** The word that begins several commands, with the words that follow it: `executions` → list, get, … */
function groupsOf(commands: readonly Command[]): ReadonlyMap<string, readonly Command[]> {
  return Map.groupBy(
    commands.filter(({ name }) => name.includes(' ')),
    ({ name }) => name.split(' ')[0] ?? '',
  )
}

const groupSummaries: Readonly<Record<string, string>> = {
  executions: 'Look at executions, stop and delete them',
  callbacks: 'Complete callbacks',
  functions: 'Look at functions',
  config: 'Check configuration',
}

/** What may stand first, each with what it does. */
const firstWords = (commands: readonly Command[]): readonly (readonly [string, string])[] => [
  ...commands.filter(({ name }) => !name.includes(' ')).map(({ name, summary }) => [name, summary] as const),
  ...[...groupsOf(commands).keys()].map((group) => [group, groupSummaries[group] ?? group] as const),
]

const secondWord = ({ name }: Command): string => name.split(' ')[1] ?? ''

const flagsOf = (name: string, option: OptionSpec): readonly string[] =>
  option.short === undefined ? [`--${name}`] : [`-${option.short}`, `--${name}`]

/** Whether a value or an operand is a path. */
const isPath = (shown: string | undefined): boolean =>
  /<(file|folder|paths|json\|@file\|@-|text\|@file\|@-)>/.test(shown ?? '')

/** Operands that are one of some words: `bash|zsh|fish`. */
const operandChoices = ({ operands }: Command): readonly string[] =>
  operands !== undefined && /^\w+(\|\w+)+$/.test(operands) ? operands.split('|') : []

// ------------------------------------------------------------------------------------------------------------- bash

function bash(commands: readonly Command[]): string {
  const groups = groupsOf(commands)
  const values: string[] = []
  for (const { name, options } of commands) {
    for (const [option, spec] of Object.entries(options)) {
      if (spec.type === 'boolean') continue
      const patterns = flagsOf(option, spec).map((flag) => `'${name} ${flag}'`)
      const reply =
        spec.choices !== undefined
          ? `COMPREPLY=($(compgen -W '${spec.choices.join(' ')}' -- "$word"))`
          : isPath(spec.value)
            ? 'COMPREPLY=($(compgen -f -- "$word"))'
            : 'COMPREPLY=()'
      values.push(`    ${patterns.join(' | ')}) ${reply}; return ;;`)
    }
  }
  const flags = commands.map((command) => {
    const words = Object.entries(command.options).map(([name]) => `--${name}`)
    return `    '${command.name}') flags='${words.join(' ')}' operands='${operandChoices(command).join(' ')}' paths=${isPath(command.operands) ? 1 : 0} ;;`
  })
  return `# bash completion of perdure
_perdure() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  local flags='' operands='' paths=0
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W '${firstWords(commands)
      .map(([word]) => word)
      .join(' ')} --help --version' -- "$word"))
    return
  fi
  case $command in
${[...groups]
  .map(
    ([group, members]) => `    ${group})
      if (( COMP_CWORD == 2 )); then
        COMPREPLY=($(compgen -W '${members.map(secondWord).join(' ')}' -- "$word"))
        return
      fi
      command="$command \${COMP_WORDS[2]}" ;;`,
  )
  .join('\n')}
  esac
  case "$command $before" in
${values.join('\n')}
  esac
  case $command in
${flags.join('\n')}
  esac
  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$flags" -- "$word"))
  elif [[ -n $operands ]]; then COMPREPLY=($(compgen -W "$operands" -- "$word"))
  elif (( paths )); then COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _perdure perdure
`
}

// -------------------------------------------------------------------------------------------------------------- zsh

/** Text inside single quotes. */
const single = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
/** The same, where zsh's \`_arguments\` and \`_describe\` read it: colons and brackets have a meaning there. */
const described = (text: string): string => text.replaceAll(/[[\]:\\]/g, (char) => `\\${char}`)

function zsh(commands: readonly Command[]): string {
  const list = (words: readonly (readonly [string, string])[]) =>
    words.map(([word, summary]) => single(`${word}:${described(summary)}`)).join(' ')
  const groups = [...groupsOf(commands)].map(
    ([group, members]) => `    (${group})
      if (( CURRENT == 3 )); then
        choices=(${list(members.map((member) => [secondWord(member), member.summary]))})
        _describe 'command' choices
        return
      fi
      command="$command $words[3]"
      shift words
      (( CURRENT-- )) ;;`,
  )
  const cases = commands.map((command) => {
    const specs = Object.entries(command.options).map(([name, option]) => zshOption(name, option))
    const choices = operandChoices(command)
    const operand =
      choices.length > 0 ? `'*:operand:(${choices.join(' ')})'` : isPath(command.operands) ? `'*:file:_files'` : ''
    return `    (${single(command.name)}) _arguments ${[...specs, operand].filter((spec) => spec !== '').join(' ')} ;;`
  })
  return `#compdef perdure
_perdure() {
  local command=$words[2]
  local -a choices
  if (( CURRENT == 2 )); then
    choices=(${list(firstWords(commands))})
    _describe 'command' choices
    return
  fi
  case $command in
${groups.join('\n')}
  esac
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _perdure ]]; then _perdure "$@"; else compdef _perdure perdure; fi
`
}

function zshOption(name: string, option: OptionSpec): string {
  const flags = flagsOf(name, option)
  const value =
    option.type === 'boolean'
      ? ''
      : option.choices !== undefined
        ? `:${name}:(${option.choices.join(' ')})`
        : `:${name}:${isPath(option.value) ? '_files' : ''}`
  const help = `[${described(option.help)}]${value}`
  const head = option.multiple === true ? '*' : ''
  return flags.map((flag) => single(`${head}${flag}${help}`)).join(' ')
}

// ------------------------------------------------------------------------------------------------------------- fish

function fish(commands: readonly Command[]): string {
  const lines = [
    '# fish completion of perdure',
    'function __perdure_is',
    '    set -l words (commandline -opc)[2..-1]',
    '    test (count $words) -ge (count $argv); or return 1',
    '    test "$words[1..(count $argv)]" = "$argv"',
    'end',
    'complete -c perdure -f',
  ]
  const is = (name: string) => `-n '__perdure_is ${name}'`
  for (const [word, summary] of firstWords(commands)) {
    lines.push(`complete -c perdure -n 'test (count (commandline -opc)) -eq 1' -a ${word} -d ${single(summary)}`)
  }
  for (const [group, members] of groupsOf(commands)) {
    for (const member of members) {
      const here = `-n '__perdure_is ${group}; and test (count (commandline -opc)) -eq 2'`
      lines.push(`complete -c perdure ${here} -a ${secondWord(member)} -d ${single(member.summary)}`)
    }
  }
  for (const command of commands) {
    for (const [name, option] of Object.entries(command.options)) {
      const short = option.short === undefined ? '' : ` -s ${option.short}`
      const value =
        option.type === 'boolean'
          ? ''
          : option.choices !== undefined
            ? ` -x -a ${single(option.choices.join(' '))}`
            : isPath(option.value)
              ? ' -r -F'
              : ' -x'
      lines.push(`complete -c perdure ${is(command.name)}${short} -l ${name}${value} -d ${single(option.help)}`)
    }
    const choices = operandChoices(command)
    if (choices.length > 0) lines.push(`complete -c perdure ${is(command.name)} -a ${single(choices.join(' '))}`)
    else if (isPath(command.operands)) lines.push(`complete -c perdure ${is(command.name)} -F`)
  }
  return `${lines.join('\n')}\n`
}
