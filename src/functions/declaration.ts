import type { ValueOf } from '../protocol/constraints.ts'
import type { LOGGING_CONFIG } from '../protocol/function-constraints.ts'
import type { DurableConfig } from '../protocol/shapes.ts'
import type { AsynchronousSettings } from '../service/ports.ts'

/** As the Lambda API has it: `LogFormat`, `ApplicationLogLevel`, `SystemLogLevel`, `LogGroup`. */
export type LoggingConfig = ValueOf<typeof LOGGING_CONFIG>

/** One function as an operator declares it, in `perdure.config.*` or by giving its path. */
export interface FunctionDeclaration {
  /** 1–64 of `[a-zA-Z0-9-_]`. */
  readonly name: string
  /** Path of the module, absolute after loading; `.ts .mts .mjs .js .cjs`. Absent only when the function is `remote`. */
  readonly file?: string
  /** Name of the exported handler. Default `handler`. */
  readonly exportName?: string
  /** Seconds per invocation, 1–900. Default 900 for durable functions, 60 for plain ones. */
  readonly timeout?: number
  /** MB of one process with everything it forked. Default 512. */
  readonly memory?: number
  /**
   * Invocations at a time, over all its processes. Default 2 × cores × `maxConcurrency`; 1,000 for a remote function,
   * whose workers bound it.
   */
  readonly concurrency?: number
  /**
   * Invocations at a time in one process, 1–1,000. Default 1. More suits handlers that mostly wait, and only those that
   * keep nothing of an invocation in module variables: when one crashes or times out, the others of its process end
   * with it and are repeated.
   */
  readonly maxConcurrency?: number
  /** Processes that are started before they are needed, and kept. Default 0. */
  readonly warm?: number
  /**
   * It has no handler here: workers run it (`perdure worker`), and while none is attached its work is held. It says
   * itself whether it is durable. Default false.
   */
  readonly remote?: boolean
  readonly tenancy?: 'PER_TENANT'
  readonly environment?: Readonly<Record<string, string>>
  /** How its log is written. Default: as text, in the group `/aws/lambda/<name>`. */
  readonly logging?: LoggingConfig
  /**
   * Makes the function durable. `undefined`: durable when its handler was wrapped by the official SDK, with generous
   * defaults (ExecutionTimeout 900 s so that synchronous Invoke works, RetentionPeriodInDays 14). `false`: plain.
   */
  readonly durable?: DurableConfig | false
  /** How often events are tried and for how long, and who is told how that ended. Default: as on AWS, and nobody. */
  readonly asynchronous?: AsynchronousSettings
}
