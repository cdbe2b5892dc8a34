/** Runs plain (non-durable) functions for the service: through the same queues as everything else. */
import type { Activity } from './activity.ts'
import { Alarms } from './alarms.ts'
import type { ExecutionFigures } from './execution-figures.ts'
import { type FunctionQueues, hasLostItsFunction, type Job } from './function-queues.ts'
import type { Clock, Entropy, Functions, InvocationResult, Metrics, Timers } from './ports.ts'

/** How soon after its time a run is looked at that had got no process, and was to wait a moment for the next try. */
const LOOK_AGAIN_MS = 5_000

export interface PlainRun {
  /** Unique among the runs under way. */
  readonly id: string
  readonly functionName: string
  readonly version: string
  readonly generation: number | undefined
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

/** It had not begun in time. */
export interface Expired {
  readonly kind: 'expired'
}

export class PlainRuns {
  readonly #functions: Functions
  readonly #queues: FunctionQueues
  readonly #entropy: Entropy
  readonly #activity: Activity
  readonly #metrics: Metrics
  readonly #figures: ExecutionFigures
  readonly #clock: Clock
  /** Runs that are not to begin after a time, and how they are told that it has passed. */
  readonly #expiring = new Map<string, () => void>()
  readonly #expiries: Alarms

  constructor(deps: {
    functions: Functions
    queues: FunctionQueues
    entropy: Entropy
    activity: Activity
    metrics: Metrics
    figures: ExecutionFigures
    clock: Clock
    timers: Timers
  }) {
    this.#functions = deps.functions
    this.#queues = deps.queues
    this.#entropy = deps.entropy
    this.#activity = deps.activity
    this.#metrics = deps.metrics
    this.#figures = deps.figures
    this.#clock = deps.clock
    this.#expiries = new Alarms({ ...deps, ring: (id) => this.#expiring.get(id)?.() })
  }

  /**
   * Resolves when the function has run, or when it turns out that it was deleted; stays open while it is held, and for
   * good when the service stops first.
   */
  async run(run: PlainRun): Promise<InvocationResult | Deleted> {
    const result = await this.runBefore(run, Number.POSITIVE_INFINITY)
    if (result.kind === 'expired') throw new Error(`Run ${run.id} has no end of its time and was told that it is over`)
    return result
  }

  /** The same, but for one that has not begun at `expiresAtMs`. */
  runBefore(run: PlainRun, expiresAtMs: number): Promise<InvocationResult | Deleted | Expired> {
    return new Promise((resolve) => {
      const over = (result: InvocationResult | Deleted | Expired): void => {
        this.#expiring.delete(run.id)
        this.#expiries.clear(run.id)
        resolve(result)
      }
      const job = this.#jobOf(run, expiresAtMs, over)
      if (Number.isFinite(expiresAtMs)) {
        this.#expiring.set(run.id, () => {
          // It runs, or comes back to wait in a moment.
          if (this.#queues.withdraw(job)) over({ kind: 'expired' })
          else this.#expiries.set(run.id, this.#clock.now() + LOOK_AGAIN_MS, true)
        })
        this.#expiries.set(run.id, expiresAtMs, true)
      }
      this.#queues.enqueue(job)
    })
  }

  /** Runs that wait are not told any more that their time is over. */
  stop(): void {
    this.#expiries.stop()
  }

  #jobOf(run: PlainRun, expiresAtMs: number, resolve: (result: InvocationResult | Deleted | Expired) => void): Job {
    const { id, functionName, version, generation, payload, tenantId, traceHeader } = run
    const requestId = run.requestId ?? this.#entropy.uuid()
    return {
      id,
      kind: 'plain',
      functionName,
      version,
      admit: async (admitted) => {
        if (!hasLostItsFunction(this.#functions, { name: functionName, version, generation }, admitted)) {
          return admitted === undefined ? { kind: 'held' } : { kind: 'run', tenantId }
        }
        resolve({ kind: 'deleted' })
        return { kind: 'over' }
      },
      run: async (slot, _version, begun) => {
        begun()
        if (this.#clock.now() >= expiresAtMs) {
          slot.release()
          return resolve({ kind: 'expired' })
        }
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
    }
  }
}
