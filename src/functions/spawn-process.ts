import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { LaunchRefusal } from './launch.ts'

/** Descriptor 3 of a process that runs a bootstrap of ours: its line to the server. */
export const serverLine = 3

/** Descriptor 4: what is printed by a process of several invocations, labelled (`bootstrap/current-invocation.ts`). */
export const labelledLine = 4

/** The lines of a process to the server beside its standard output and error. */
export type Lines = 'none' | 'server' | 'server and labelled'

/**
 * Starts a program in a process group of its own. Rejects when no process came into being. The caller listens to
 * `exit`; standard output, error and the lines are pipes.
 */
export async function spawnProcess(options: {
  readonly command: string
  readonly args: readonly string[]
  readonly workingDirectory: string
  readonly environment: Readonly<Record<string, string>>
  readonly lines: Lines
}): Promise<ChildProcess & { readonly pid: number }> {
  const lines = { none: 0, server: 1, 'server and labelled': 2 }[options.lines]
  const child = spawn(options.command, options.args, {
    cwd: options.workingDirectory,
    env: options.environment,
    stdio: ['ignore', 'pipe', 'pipe', ...Array.from({ length: lines }, () => 'pipe' as const)],
    detached: process.platform !== 'win32',
  })
  if (!hasStarted(child)) throw refusal((await once(child, 'error'))[0], options)
  child.on('error', () => {
    // A signal that could not be sent; whether the process lives is told by 'exit'.
  })
  for (const line of [serverLine, labelledLine]) {
    child.stdio[line]?.on('error', () => {
      // A line only has to break when one side dies, and 'exit' tells that here.
    })
  }
  return child
}

function hasStarted(child: ChildProcess): child is ChildProcess & { readonly pid: number } {
  return child.pid !== undefined
}

/** A file that cannot be executed, or whose interpreter is not there, is the deployment's fault; anything else the machine's. */
function refusal(
  error: NodeJS.ErrnoException,
  { command, workingDirectory }: { readonly command: string; readonly workingDirectory: string },
): Error {
  const reason = { EACCES: 'permission denied', ENOENT: 'no such file or directory' }[error.code ?? '']
  if (reason === undefined || !existsSync(workingDirectory)) return error
  return new LaunchRefusal('Runtime.InvalidEntrypoint', `fork/exec ${command}: ${reason}`)
}
