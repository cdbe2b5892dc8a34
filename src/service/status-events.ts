/**
 * Events about changes of an execution's status (spec 08 §8.10), for whoever the configuration names: RUNNING when it
 * starts, its last status when it ends. Each is a row of the outbox, written with the entry that it tells of.
 *
 * The executions of functions that are themselves told of events have none: they would be told of themselves for ever.
 */
import { hash } from 'node:crypto'
import type { ExecutionState } from '../engine/model.ts'
import type { Place } from '../protocol/arn.ts'
import { uuidOf } from './clock-adapters.ts'
import { deliveryRow } from './deliveries.ts'
import { DestinationError, reachableOf } from './destinations.ts'
import type { OwedRow } from './outbox.ts'

export class StatusEvents {
  readonly #destinations: readonly string[]
  readonly #place: Place
  readonly #listeners = new Set<string>()

  /** Throws a `DestinationError` when a destination is neither a URL nor a function. */
  constructor(destinations: readonly string[], place: Place) {
    this.#destinations = destinations
    this.#place = place
    for (const destination of destinations) {
      const reachable = reachableOf(destination, place)
      if (reachable === undefined) throw new DestinationError('Each event about an execution', destination)
      if (reachable.kind === 'function') this.#listeners.add(reachable.name)
    }
  }

  /** What is owed for the status that the execution has since its newest entry: that of its start, or of its end. */
  owedBy(state: ExecutionState): readonly OwedRow[] {
    const { start, status, startedAt, endedAt } = state
    if (this.#destinations.length === 0 || this.#listeners.has(start.functionName)) return []
    const { executionId, arn, functionName } = start
    const queuedAt = endedAt ?? startedAt
    const subject = `${executionId}/${status}`
    const body = JSON.stringify(this.#event(state, uuidOf(hash('sha256', subject))))
    return this.#destinations.map((destination) =>
      deliveryRow({
        of: 'statusChange',
        destination,
        subject,
        executionId,
        body,
        queuedAt,
        about: { executionId, executionArn: arn, functionName },
      }),
    )
  }

  /** As EventBridge gives it to its targets. */
  #event({ start, status, startedAt, endedAt }: ExecutionState, id: string): object {
    const iso = (atMs: number): string => new Date(atMs).toISOString()
    return {
      version: '0',
      id,
      'detail-type': 'Durable Execution Status Change',
      source: 'aws.lambda',
      account: this.#place.account,
      // Whole seconds, as in all events.
      time: `${iso(endedAt ?? startedAt).slice(0, 19)}Z`,
      region: this.#place.region,
      resources: [],
      detail: {
        durableExecutionArn: start.arn,
        durableExecutionName: start.name,
        functionArn: start.functionArn,
        status,
        startTimestamp: iso(startedAt),
        ...(endedAt === undefined ? undefined : { endTimestamp: iso(endedAt) }),
      },
    }
  }
}
