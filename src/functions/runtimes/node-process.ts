/** Processes of our bootstrap for Node, under the Node that the server itself runs on. */
import { dirname } from 'node:path'
import type { HandlerSource } from '../bootstrap/load-handler.ts'
import type { Launch, Mount } from '../launch.ts'

/** What all function processes of a server are started with. */
export interface NodeBootstrap {
  /** Its file, and where processes see it. */
  readonly file: Mount
  /** A directory for compiled code, of all functions; absent where these are kept apart. */
  readonly compileCache: string | undefined
}

/** A handler in a module. */
export interface ModuleCode {
  readonly source: HandlerSource
  /** As `_HANDLER` shows it. */
  readonly handler: string
  /** The working directory: the package that the handler belongs to. */
  readonly taskRoot: string
  readonly mounts: readonly Mount[]
  readonly temporaryMb: number
  readonly environment: Readonly<Record<string, string>>
}

export interface NodeProcess {
  readonly mode: 'serve' | 'probe'
  readonly memoryMb: number
  /** Invocations at a time. */
  readonly maxConcurrency: number
  /** A debugger may attach, at a port of the process's own that it prints. */
  readonly inspect: boolean
}

export function launchNode(bootstrap: NodeBootstrap, code: ModuleCode, options: NodeProcess): Launch {
  const { file, compileCache } = bootstrap
  const { mode, memoryMb, maxConcurrency, inspect } = options
  return {
    command: process.execPath,
    args: [
      '--enable-source-maps',
      // Whether a project names its module type is not the business of every function's log.
      '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
      // The heap gets nine tenths of the memory, as in the official runtime.
      `--max-old-space-size=${Math.max(64, Math.floor(memoryMb * 0.9))}`,
      ...(inspect ? ['--inspect=127.0.0.1:0'] : []),
      file.at,
      JSON.stringify({ mode, compileCache, maxConcurrency, ...code.source }),
    ],
    lines: maxConcurrency > 1 ? 'server and labelled' : 'server',
    mounts: [...code.mounts, file, { from: process.execPath, at: process.execPath }],
    temporaryMb: code.temporaryMb,
    taskRoot: code.taskRoot,
    runtimeDirectory: dirname(file.at),
    handler: code.handler,
    runtime: `nodejs${process.versions.node.split('.')[0]}.x`,
    defaults: {},
    environment: code.environment,
  }
}
