import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { HandlerSource } from './bootstrap/load-handler.ts'

/** Descriptor 3 of a function process: its line to the server. */
export const serverLine = 3

/** Descriptor 4: what is printed by a process of several invocations, labelled (`bootstrap/current-invocation.ts`). */
export const labelledLine = 4

export interface BootstrapTask extends HandlerSource {
  readonly mode: 'serve' | 'probe'
  /** A directory for compiled code. */
  readonly compileCache: string
  /** Invocations at a time. */
  readonly maxConcurrency: number
}

/**
 * Starts the bootstrap in a process group of its own. Rejects when no process came into being. The caller listens to
 * `exit`; standard output, error and the line are pipes.
 */
export async function spawnBootstrap(options: {
  readonly bootstrapFile: string
  readonly task: BootstrapTask
  readonly memoryMb: number
  /** A debugger may attach, at a port of the process's own that it prints. */
  readonly inspect?: boolean
  readonly workingDirectory: string
  readonly environment: Readonly<Record<string, string>>
}): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn(
    process.execPath,
    [
      '--enable-source-maps',
      // Whether a project names its module type is not the business of every function's log.
      '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
      // The heap gets nine tenths of the memory, as in the official runtime.
      `--max-old-space-size=${Math.max(64, Math.floor(options.memoryMb * 0.9))}`,
      ...(options.inspect === true ? ['--inspect=127.0.0.1:0'] : []),
      options.bootstrapFile,
      JSON.stringify(options.task),
    ],
    {
      cwd: options.workingDirectory,
      env: options.environment,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', ...(options.task.maxConcurrency > 1 ? ['pipe' as const] : [])],
      detached: process.platform !== 'win32',
    },
  )
  if (!hasStarted(child)) throw (await once(child, 'error'))[0]
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
