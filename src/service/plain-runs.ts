/** Runs plain (non-durable) functions for the service: through the same queues as everything else. */
import type { Activity } from './activity.ts'
import type { ExecutionFigures } from './execution-figures.ts'
import type { FunctionQueues } from './function-queues.ts'
import type { Entropy, InvocationResult, Metrics } from './ports.ts'

export interface PlainRun {
  /** Unique among the runs under way. */
  readonly id: string
  readonly functionName: string
  readonly version: string
  readonly payload: string
  readonly tenantId: string | undefined
  readonly traceHeader?: string | undefined
  /** Default: a new one. */
  readonly requestId?: string
}

/** There is no such version any more, nor will there be (`Functions.wasDeleted`). */
export interface Deleted {
  readonly kind: 'deleted'
}

export class PlainRuns {
  readonly #queues: FunctionQueues
  readonly #entropy: Entropy
  readonly #activity: Activity
  readonly #metrics: Metrics
  readonly #figures: ExecutionFigures

  constructor(deps: {
    queues: FunctionQueues
    entropy: Entropy
    activity: Activity
    metrics: Metrics
    figures: ExecutionFigures
  }) {
    this.#queues = deps.queues
    this.#entropy = deps.entropy
    this.#activity = deps.activity
    this.#metrics = deps.metrics
    this.#figures = deps.figures
  }

  /**
   * Resolves when the function has run, or when it turns out that it was deleted; stays open while it is held, and for
   * good when the service stops first.
   */
  run(run: PlainRun): Promise<InvocationResult | Deleted> {
    const { id, functionName, version, payload, tenantId, traceHeader } = run
    const requestId = run.requestId ?? this.#entropy.uuid()
    return new Promise((resolve) => {
      this.#queues.enqueue({
        id,
        kind: 'plain',
        functionName,
        version,
        admit: async (admitted) => {
          if (admitted !== undefined) return { kind: 'run', tenantId }
          resolve({ kind: 'deleted' })
          return { kind: 'over' }
        },
        run: async (slot, _version, begun) => {
          begun()
          this.#activity.invocationBegan()
          const began = this.#metrics.now()
          const result = await slot.run({
            requestId,
            event: payload,
            ...(tenantId === undefined ? undefined : { tenantId }),
            ...(traceHeader === undefined ? undefined : { traceHeader }),
          })
          this.#figures.invoked(functionName, began, result)
          resolve(result)
          this.#activity.invocationEnded()
        },
      })
    })
  }
}
