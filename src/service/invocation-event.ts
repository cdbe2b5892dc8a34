/** The event that a durable function is invoked with (spec 06 §6.1), and how its operations are paged. */
import type { OperationState } from '../engine/model.ts'
import type { DurableInvocationEvent, Operation } from '../protocol/shapes.ts'
import { shownBytes } from './sizes.ts'

export interface OperationPage {
  readonly operations: readonly OperationState[]
  /** The position to go on from, or `""` when this was all (spec 12.2 row 8). */
  readonly nextMarker: string
}

/**
 * The operations after the one with ordinal `afterOrdinal` (-1: from the beginning). Positions are ordinals, so a
 * marker means the same whatever happens to the operations meanwhile. A page has at least one operation.
 */
export function pageOf(
  visible: readonly OperationState[],
  afterOrdinal: number,
  limit: { readonly items: number; readonly bytes: number },
): OperationPage {
  const operations: OperationState[] = []
  let bytes = 0
  for (const operation of visible) {
    if (operation.ordinal <= afterOrdinal) continue
    bytes += shownBytes(operation)
    const full = operations.length >= limit.items || bytes > limit.bytes
    const last = operations.at(-1)
    if (full && last !== undefined) return { operations, nextMarker: String(last.ordinal) }
    operations.push(operation)
  }
  return { operations, nextMarker: '' }
}

/** As JSON text; timestamps are epoch milliseconds here, as everywhere inside. */
export function eventText(event: {
  readonly arn: string
  readonly token: string
  readonly operations: readonly Operation[]
  readonly nextMarker: string
  readonly updated: readonly string[]
}): string {
  const { arn, token, operations, nextMarker, updated } = event
  const shape: DurableInvocationEvent = {
    DurableExecutionArn: arn,
    CheckpointToken: token,
    InitialExecutionState: { Operations: operations, NextMarker: nextMarker },
    UpdatedOperationIds: updated,
  }
  return JSON.stringify(shape)
}
