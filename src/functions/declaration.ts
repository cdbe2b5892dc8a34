import type { DurableConfig } from '../protocol/shapes.ts'

/** One function as an operator declares it, in `perdure.config.*` or by giving its path. */
export interface FunctionDeclaration {
  /** 1–64 of `[a-zA-Z0-9-_]`. */
  readonly name: string
  /** Path of the module, absolute after loading; `.ts .mts .mjs .js .cjs`. */
  readonly file: string
  /** Name of the exported handler. Default `handler`. */
  readonly exportName?: string
  /** Seconds per invocation, 1–900. Default 900 for durable functions, 60 for plain ones. */
  readonly timeout?: number
  /** MB. Default 512. */
  readonly memory?: number
  /** Invocations at a time. Default 2 × cores. */
  readonly concurrency?: number
  readonly tenancy?: 'PER_TENANT'
  readonly environment?: Readonly<Record<string, string>>
  /**
   * Makes the function durable. `undefined`: durable when its handler was wrapped by the official SDK, with generous
   * defaults (ExecutionTimeout 900 s so that synchronous Invoke works, RetentionPeriodInDays 14). `false`: plain.
   */
  readonly durable?: DurableConfig | false
}
