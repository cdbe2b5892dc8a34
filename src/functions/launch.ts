/** How a process of a function is started: what the runtimes say and the sandboxes do. */
import type { Lines } from './spawn-process.ts'

export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly lines: Lines
  /** What of the machine the process needs beside the programs of the system; all other paths here are as it sees them. */
  readonly mounts: readonly Mount[]
  /** Room for temporary files, where that can be bounded. */
  readonly temporaryMb: number
  /** The working directory, and what the function knows as its own: `LAMBDA_TASK_ROOT`. */
  readonly taskRoot: string
  /** `LAMBDA_RUNTIME_DIR`. */
  readonly runtimeDirectory: string
  /** As `_HANDLER` shows it. */
  readonly handler: string
  /** What `AWS_EXECUTION_ENV` calls the runtime; absent for an operating system alone. */
  readonly runtime?: string
  /** Variables of the runtime, which the function's own precede. */
  readonly defaults: Readonly<Record<string, string>>
  /** The function's own variables. */
  readonly environment: Readonly<Record<string, string>>
}

/** A file or folder of the machine and where the process sees it: the same place, unless it is isolated. */
export interface Mount {
  readonly from: string
  readonly at: string
}

/** The function cannot be started as it is: a fault of its own, told with the error types of the real service. */
export class LaunchRefusal extends Error {
  readonly errorType: string

  constructor(errorType: string, message: string) {
    super(message)
    this.name = 'LaunchRefusal'
    this.errorType = errorType
  }
}
