/**
 * What a function process sees of the machine: all of it (`none`), or what it needs (`bubblewrap.ts`). A sandbox starts
 * its process through one of these, asks it to end, and reads its end, in the same way.
 */
import type { ProcessEnd } from '../failure-texts.ts'
import type { Launch } from '../launch.ts'
import { signalGroup } from '../process-group.ts'

/** `auto`: with bubblewrap where it works, else without. */
export type IsolationKind = 'none' | 'bubblewrap' | 'auto'

export const isolationKinds: readonly IsolationKind[] = ['none', 'bubblewrap', 'auto']

export interface Isolation {
  /** Processes see the places of their `mounts`, and not where these lie on the machine. */
  readonly hides: boolean
  /** Variables of the server's own environment, or what stands for them. */
  readonly inherited: Readonly<Record<string, string>>
  /** What is started for a launch. Throws a `LaunchRefusal`. */
  begin(launch: Launch): Beginning
  /** Asks the processes of the function to end; `leader` is the process that was started. */
  ask(leader: number): void
  /** What the end of the process that was started says of the function's own. */
  endOf(end: ProcessEnd): ProcessEnd
}

export interface Beginning {
  readonly command: string
  readonly args: readonly string[]
  readonly workingDirectory: string
}

/** Kept from the server: where programs, the user's files and temporary files are. */
const kept = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'TMPDIR',
  'TEMP',
  'TMP',
  'LD_LIBRARY_PATH',
  'SystemRoot',
  'APPDATA',
]

export const noIsolation: Isolation = {
  hides: false,
  get inherited() {
    const given = kept.flatMap((name) => {
      const value = process.env[name]
      return value === undefined ? [] : [[name, value] as const]
    })
    return Object.fromEntries(given)
  },
  begin: ({ command, args, taskRoot }) => ({ command, args, workingDirectory: taskRoot }),
  ask: (leader) => {
    signalGroup(leader, 'SIGTERM')
  },
  endOf: (end) => end,
}
