/** Programs that builds need: found, run to their end, their words kept for when they fail. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'

export interface ProgramOutcome {
  /** Undefined when the program is not there. */
  readonly code: number | null | undefined
  /** The end of what it said. */
  readonly said: string
}

const KEPT_CHARS = 4_000

export async function runProgram(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Promise<ProgramOutcome> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-KEPT_CHARS)
    })
  }
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, said: said.trim() }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return { code: undefined, said: '' }
  }
}

/** The first of the programs that is there and answers the question with success. */
export async function findProgram(
  commands: readonly (readonly [command: string, ...args: string[]])[],
  question: readonly string[],
  cwd: string,
): Promise<readonly [command: string, ...args: string[]] | undefined> {
  for (const [command, ...args] of commands) {
    const { code } = await runProgram(command, [...args, ...question], { cwd })
    if (code === 0) return [command, ...args]
  }
  return undefined
}

/** The last lines, for an error's text. */
export const lastLines = (said: string, count = 3): string =>
  said
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .join(' | ')
