#!/usr/bin/env -S node --max-semi-space-size=64
/**
 * The command line. Each command is one file in `commands/`, thin over the client (for commands that talk to a server)
 * or over the embedding API (for commands that are one). This file finds the command, gives it what it needs of the
 * process, and turns failures into one message and an exit code.
 */
import { readFileSync } from 'node:fs'
import { argv, cwd, env, stderr, stdin, stdout } from 'node:process'
import { createInterface } from 'node:readline/promises'
import { text } from 'node:stream/consumers'
import type { Command } from './command.ts'
import { COMMANDS } from './commands/index.ts'
import { EXIT, explain, formatFailure, usageFailure } from './failure.ts'
import { stopSignalOf } from './stop-signal.ts'
import { type Terminal, terminalOf } from './terminal.ts'

async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [first] = args
  if (first === undefined || first === '--help' || first === '-h' || first === 'help') {
    terminal.write(overview(COMMANDS))
    return EXIT.ok
  }
  if (first === '--version' || first === '-v') {
    terminal.out(version())
    return EXIT.ok
  }
  const command = COMMANDS.find(({ name }) => name.split(' ').every((word, index) => word === args[index]))
  if (command !== undefined) {
    return await command.execute(args.slice(command.name.split(' ').length), {
      terminal,
      env,
      cwd: cwd(),
      stopSignal: stopSignalOf(terminal),
      readStdin: () => text(stdin),
      ask: stdin.isTTY === true && stderr.isTTY === true ? askOnTerminal : undefined,
    })
  }
  const group = COMMANDS.filter(({ name }) => name.startsWith(`${first} `))
  if (group.length === 0) throw usageFailure(`there is no command "${first}"`, '"perdure --help" lists the commands')
  if (args.length === 1 || args.includes('--help') || args.includes('-h')) {
    terminal.write(overview(group))
    return args.length === 1 ? EXIT.usage : EXIT.ok
  }
  throw usageFailure(`there is no command "${first} ${args[1]}"`, `"perdure ${first} --help" lists the commands`)
}

async function askOnTerminal(question: string): Promise<string> {
  const terminal = createInterface({ input: stdin, output: stderr })
  try {
    return await terminal.question(question)
  } finally {
    terminal.close()
  }
}

function overview(commands: readonly Command[]): string {
  const widest = Math.max(...commands.map(({ name }) => name.length))
  return [
    'Usage: perdure <command> [options]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(widest)}  ${summary}`),
    '',
    '"perdure <command> --help" shows a command\'s options and examples.',
    '',
  ].join('\n')
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

async function main(): Promise<void> {
  const terminal = terminalOf(stdout, stderr, env)
  // A reader that went away (`perdure … | head`) ends the program quietly, as it ends every other.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit(EXIT.ok)
  })
  try {
    process.exitCode = await run(argv.slice(2), terminal)
  } catch (error) {
    const failure = explain(error)
    if (failure === undefined) throw error
    for (const line of formatFailure(failure.text)) terminal.err(line)
    process.exitCode = failure.exitCode
  }
}

await main()
