/** Asking before something is done that was not asked for by name. */
import type { OptionSpecs, Surroundings } from '../command.ts'
import { CliFailure, EXIT } from '../failure.ts'

export const YES_OPTION = {
  yes: { type: 'boolean', short: 'y', help: 'Do not ask; needed for deletions where nobody can be asked' },
} as const satisfies OptionSpecs

export interface Confirmation {
  readonly question: string
  /** Without a terminal it has to be confirmed with --yes. */
  readonly needed: boolean
  /** What needs confirmation, and what does not happen without. */
  readonly cause: string
  readonly consequence: string
  readonly yes: boolean
  readonly ask: Surroundings['ask']
}

/** Throws a `CliFailure` when the answer is no, or when nobody can be asked. */
export async function confirmed({ question, needed, cause, consequence, yes, ask }: Confirmation): Promise<void> {
  if (yes) return
  if (ask === undefined) {
    if (!needed) return
    throw new CliFailure({ cause, consequence, fix: 'say --yes if that is meant' }, EXIT.usage)
  }
  const answer = (await ask(`${question} [y/N] `)).trim().toLowerCase()
  if (answer === 'y' || answer === 'yes') return
  throw new CliFailure({ cause: 'you did not say yes', consequence, fix: 'say --yes to go ahead without being asked' })
}
