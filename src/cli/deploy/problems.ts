/** What is wrong with a template, as a failure of the command. */
import { CliFailure, formatFailure } from '../failure.ts'
import type { Terminal } from '../terminal.ts'
import { deploying } from './modules.ts'

/** Prints all problems but the last, and gives that as the failure; any other error is given as it is. */
export async function deployFailure(error: unknown, terminal: Terminal, consequence: string): Promise<unknown> {
  const { DeployProblems, placeText, TemplateProblem } = await deploying()
  const problems = error instanceof DeployProblems ? error.problems : error instanceof TemplateProblem ? [error] : []
  const texts = problems.map(({ place, cause, fix }) => ({
    cause: place === undefined ? cause : `${placeText(place)}: ${cause}`,
    fix,
  }))
  const last = texts.at(-1)
  if (last === undefined) return error
  for (const text of texts.slice(0, -1)) for (const line of formatFailure(text)) terminal.err(line)
  return new CliFailure({ ...last, consequence })
}
