/** A state as text and back: a droppable cache of the fold (decision 7), valid for one FOLD_VERSION only. */
import type { ExecutionState, OperationState } from './model.ts'

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
    operations: new Map(operations.map((operation) => [operation.id, { ...ABSENT, ...operation }])),
    pending: new Set(raw.pending),
    completedBy: new Map(raw.completedBy),
    unseen: new Set(raw.unseen),
  }
}

/** Members that JSON leaves out when they are undefined. */
const ABSENT = {
  parentId: undefined,
  name: undefined,
  subType: undefined,
  endedAt: undefined,
  result: undefined,
  error: undefined,
  nextAttemptAt: undefined,
  scheduledEndAt: undefined,
  durationSeconds: undefined,
  replayChildren: undefined,
  callbackId: undefined,
  timeoutAt: undefined,
  heartbeatAt: undefined,
  heartbeatTimeoutSeconds: undefined,
  heartbeatSetAt: undefined,
  functionName: undefined,
  tenantId: undefined,
  executedVersion: undefined,
  childArn: undefined,
}
