/** A state as text and back: a droppable cache of the fold (decision 7), valid for one FOLD_VERSION only. */
import type { ExecutionState, OperationState } from './model.ts'
import { ABSENT } from './operations/operation.ts'

export function writeSnapshot(state: ExecutionState): string {
  return JSON.stringify({
    ...state,
    nextDueAt: Number.isFinite(state.nextDueAt) ? state.nextDueAt : null,
    operations: [...state.operations.values()],
    pending: [...state.pending],
    completedBy: [...state.completedBy],
    unseen: [...state.unseen],
  })
}

/** Restores what `writeSnapshot` wrote: the same state, member for member, as folding the journal gives. */
export function readSnapshot(text: string): ExecutionState {
  const raw = JSON.parse(text)
  const operations: OperationState[] = raw.operations
  return {
    ...raw,
    endedAt: raw.endedAt,
    deletedAt: raw.deletedAt,
    result: raw.result,
    error: raw.error,
    invocation: raw.invocation === undefined ? undefined : { ...raw.invocation, outcome: raw.invocation.outcome },
    invokeAt: raw.invokeAt,
    failingSince: raw.failingSince,
    nextDueAt: raw.nextDueAt ?? Number.POSITIVE_INFINITY,
    // JSON leaves out what is undefined.
    operations: new Map(operations.map((operation) => [operation.id, { ...ABSENT, ...operation }])),
    pending: new Set(raw.pending),
    completedBy: new Map(raw.completedBy),
    unseen: new Set(raw.unseen),
  }
}
