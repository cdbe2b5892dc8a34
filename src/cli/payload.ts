/** A payload given on the command line: JSON text itself, `@file` for a file's content, `@-` for standard input. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Surroundings } from './command.ts'
import { CliFailure, usageFailure } from './failure.ts'

type Source = Pick<Surroundings, 'cwd' | 'readStdin'>

/** The text that `argument` means. */
export async function readText(argument: string, source: Source): Promise<string> {
  if (argument === '@-') return await source.readStdin()
  if (!argument.startsWith('@')) return argument
  const file = resolve(source.cwd, argument.slice(1))
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : String(error)
    throw new CliFailure({ cause: `the payload file ${file} ${reason}`, fix: 'check the path after "@"' })
  }
}

/** The same, refused here when it is not JSON: the message can then name the option. */
export async function readJson(option: string, argument: string, source: Source): Promise<string> {
  const text = await readText(argument, source)
  try {
    JSON.parse(text)
  } catch (error) {
    throw usageFailure(
      `--${option} is not JSON: ${(error as Error).message}`,
      `quote it for the shell, for example --${option} '{"name": "Ada"}', or give a file with --${option} @input.json`,
    )
  }
  return text
}
