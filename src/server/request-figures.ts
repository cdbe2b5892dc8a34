/** Counts and times requests by operation and status. Handles are kept: a request costs two lookups in small maps. */
import type { Counter, Histogram, Metrics } from '../service/ports.ts'

/** A request that no route was found for, and bytes that were no request. */
export const UNKNOWN_OPERATION = 'unknown'
const NO_REQUEST = 'none'
/** The client went away before its answer. */
export const GONE = 'gone'

interface OperationFigures {
  readonly duration: Histogram
  readonly byStatus: Map<number | string, Counter>
}

export class RequestFigures {
  readonly #metrics: Metrics
  readonly #operations = new Map<string, OperationFigures>()

  constructor(metrics: Metrics) {
    this.#metrics = metrics
  }

  now(): number {
    return this.#metrics.now()
  }

  answered(operation: string, status: number | typeof GONE, tookMs: number): void {
    const { duration, byStatus } = this.#of(operation)
    let counter = byStatus.get(status)
    if (counter === undefined) {
      counter = this.#counter(operation, String(status))
      byStatus.set(status, counter)
    }
    counter.add()
    duration.observe(tookMs / 1_000)
  }

  /** What came was no HTTP, or never became a request. */
  refused(status: number): void {
    this.#counter(NO_REQUEST, String(status)).add()
  }

  #counter(operation: string, status: string): Counter {
    return this.#metrics.counter('perdure_http_requests_total', operation, status)
  }

  #of(operation: string): OperationFigures {
    const known = this.#operations.get(operation)
    if (known !== undefined) return known
    const duration = this.#metrics.histogram('perdure_http_request_duration_seconds', operation)
    const figures = { duration, byStatus: new Map<number | string, Counter>() }
    this.#operations.set(operation, figures)
    return figures
  }
}
