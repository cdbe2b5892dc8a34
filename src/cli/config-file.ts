/** Which config file a server's functions come from. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { CliFailure } from './failure.ts'

export const configNames = ['ts', 'mts', 'js', 'mjs', 'cjs', 'yaml', 'yml', 'json'].map(
  (ending) => `perdure.config.${ending}`,
)

/** The config file of a folder, if it has one. */
export function configIn(folder: string): string | undefined {
  return configNames.map((name) => resolve(folder, name)).find((file) => existsSync(file))
}

/** The config file that was named, or the one in the working directory. */
export function findConfig(named: string | undefined, cwd: string, consequence = 'the server was not started'): string {
  if (named !== undefined) {
    const file = resolve(cwd, named)
    if (existsSync(file)) return file
    throw new CliFailure({
      cause: `the config file ${file} does not exist`,
      consequence,
      fix: 'check the path; the option --config of "perdure start" and the operand of "perdure config check" name it',
    })
  }
  const found = configIn(cwd)
  if (found !== undefined) return found
  throw new CliFailure({
    cause: `there is no perdure.config.ts, .js or .yaml in ${cwd}`,
    consequence: `${consequence}: there are no functions to serve`,
    fix: 'write one, name one with --config <file>, or serve handlers directly with "perdure dev <paths>"',
  })
}
