/** What a family of runtimes is made of: one row of the table in `runtimes.ts`. */
import type { Launch } from '../launch.ts'
import type { NodeBootstrap } from './node-process.ts'
import type { Programs } from './programs.ts'

export interface Family {
  /** What is to be installed before functions of the runtime can run here; undefined when nothing is missing. */
  missing(runtime: string, programs: Programs): Promise<string | undefined>
  /** Rejects with a `LaunchRefusal` when the package cannot be started. */
  launch(deployment: Deployment, site: RuntimeSite): Promise<Launch>
}

/** A version of a function whose package is unpacked. */
export interface Deployment {
  readonly runtime: string
  /** As it was given, in the form that the runtime wants. */
  readonly handler: string
  readonly taskRoot: string
  readonly memoryMb: number
  /** Variables that follow from the configuration of the function. */
  readonly defaults: Readonly<Record<string, string>>
  /** The function's own variables. */
  readonly environment: Readonly<Record<string, string>>
}

/** What the server has for its runtimes. */
export interface RuntimeSite {
  readonly programs: Programs
  readonly bootstrap: NodeBootstrap
  /** The file of our bootstrap for Python. */
  readonly pythonBootstrapFile: string
  /** Debuggers may attach. */
  readonly inspect: boolean
}

/** Where libraries of a package are found: at its root and in its `lib`, before those of the machine. */
export function libraryPath(taskRoot: string): string {
  const inherited = process.env['LD_LIBRARY_PATH']
  return [taskRoot, `${taskRoot}/lib`, ...(inherited ? [inherited] : [])].join(':')
}
