/**
 * What is counted about executions and their invocations, by function (spec 08 §8.9). Open executions are counted from
 * the index rows at start and then along with what this process commits, so their number is as approximate as the real
 * service's. Counters begin at 0 with the process, as is the custom.
 */
import type { ExecutionState } from '../engine/model.ts'
import type { Counter, Histogram, InvocationResult, Metrics } from './ports.ts'

interface FunctionFigures {
  running: number
  readonly started: Counter
  readonly duration: Histogram
  readonly operations: Histogram
  readonly storedBytes: Histogram
}

export class ExecutionFigures {
  readonly #metrics: Metrics
  readonly #functions = new Map<string, FunctionFigures>()

  constructor(metrics: Metrics) {
    this.#metrics = metrics
    metrics.read('perdure_executions_running', () =>
      [...this.#functions].map(([name, { running }]) => ({ labels: [name], value: running })),
    )
  }

  /** An execution that was open when the service started. */
  recovered(functionName: string): void {
    this.#of(functionName).running += 1
  }

  started(functionName: string): void {
    const figures = this.#of(functionName)
    figures.running += 1
    figures.started.add()
  }

  /** Its last entry is durable. */
  ended({ start, startedAt, endedAt, status, operations, storedBytes }: ExecutionState): void {
    const figures = this.#of(start.functionName)
    figures.running -= 1
    figures.duration.observe(((endedAt ?? startedAt) - startedAt) / 1_000)
    figures.operations.observe(operations.size)
    figures.storedBytes.observe(storedBytes)
    this.#metrics.counter('perdure_executions_ended_total', start.functionName, status).add()
  }

  /** An invocation began at `began` of the metrics' clock and has ended. */
  invoked(functionName: string, began: number, { kind }: InvocationResult): void {
    this.#metrics.counter('perdure_invocations_total', functionName, kind).add()
    this.#metrics
      .histogram('perdure_invocation_duration_seconds', functionName)
      .observe((this.#metrics.now() - began) / 1_000)
  }

  #of(functionName: string): FunctionFigures {
    const known = this.#functions.get(functionName)
    if (known !== undefined) return known
    const figures = {
      running: 0,
      started: this.#metrics.counter('perdure_executions_started_total', functionName),
      duration: this.#metrics.histogram('perdure_execution_duration_seconds', functionName),
      operations: this.#metrics.histogram('perdure_execution_operations', functionName),
      storedBytes: this.#metrics.histogram('perdure_execution_stored_bytes', functionName),
    }
    this.#functions.set(functionName, figures)
    return figures
  }
}
