/** Programs of this machine that run functions: looked for when first needed, and again until they are found. */
import { execFile } from 'node:child_process'
import { familyOf, RUNTIMES } from '../registry/runtimes.ts'

/** What `ConfiguredPrograms` may name. */
export const configurableRuntimes: readonly string[] = [
  'python',
  'java',
  'java-client',
  ...RUNTIMES.filter((runtime) => ['python', 'java'].includes(familyOf(runtime))),
]

/**
 * Programs by runtime (`python3.13`) or family (`python`, `java`), which come before what is on the PATH; `java-client`
 * is a folder of jars.
 */
export type ConfiguredPrograms = Readonly<Record<string, string>>

export interface Program {
  readonly path: string
  /** What it answered to the question. */
  readonly answer: string
}

export interface Programs {
  /** The first of the commands that answers to the arguments without an error. */
  find(commands: readonly string[], question: readonly string[]): Promise<Program | undefined>
  readonly configured: ConfiguredPrograms
}

/** A program that does not answer in this time is none. */
const patienceMs = 20_000

export function createPrograms(configured: ConfiguredPrograms = {}): Programs {
  const found = new Map<string, Program>()
  return {
    configured,
    find: async (commands, question) => {
      const key = JSON.stringify([commands, question])
      const known = found.get(key)
      if (known !== undefined) return known
      for (const path of commands) {
        const answer = await ask(path, question)
        if (answer === undefined) continue
        found.set(key, { path, answer })
        return { path, answer }
      }
      return undefined
    },
  }
}

/** What it prints, on either stream; undefined when it is not there, or fails. */
function ask(command: string, question: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, question, { timeout: patienceMs }, (error, output, errors) =>
      resolve(error === null ? `${output}${errors}` : undefined),
    )
  })
}
