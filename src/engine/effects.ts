/**
 * What the shell owes the world after an entry is durable, as data (`effects`), what it still owes after a crash, from
 * state alone (`resume`), and the index row of an execution (`indexOf`, decision 6).
 */
import { parseFunctionReference } from '../protocol/arn.ts'
import type { ClosedStatus } from '../protocol/shapes.ts'
import { deadlineOf } from './checkpoint.ts'
import type { Duty, Effect, Entry, ExecutionIndex, ExecutionState, JournalEvent, Wake } from './model.ts'

/** Call after `apply(state, entry)`; carry out after the commit. Duties go into the outbox with the entry itself. */
export function effects(state: ExecutionState, entry: Entry): readonly Effect[] {
  if (entry.kind === 'deleted') return [{ kind: 'duty', duty: purgeDuty(state) }]
  const owed: Effect[] = []
  for (const event of entry.events) {
    const duty = event.type === 'ChainedInvokeStarted' ? targetDuty(event) : undefined
    if (duty !== undefined) owed.push({ kind: 'duty', duty })
  }
  if (state.status === 'RUNNING') return isReady(state) ? [...owed, { kind: 'dispatch' }] : owed
  owed.push({ kind: 'closed', status: state.status as ClosedStatus })
  const { parent } = state.start
  if (parent !== undefined) {
    const duty = {
      kind: 'completeParent',
      parentExecutionId: parent.executionId,
      operationId: parent.operationId,
    } as const
    owed.push({ kind: 'duty', duty })
  }
  return owed
}

/** It names the parent because the data may be gone before the duty to tell the parent was done. */
function purgeDuty({ start: { executionId, parent } }: ExecutionState): Duty {
  return { kind: 'purge', operationId: executionId, ...(parent === undefined ? undefined : { parent }) }
}

/** The duty to run a chained invoke's target; none when it failed at once (then no version was resolved). */
function targetDuty(event: JournalEvent): Duty | undefined {
  const { id, executedVersion: version, generation, childArn, input, tenantId } = event
  // The event keeps the reference as the function gave it (spec 11 §11.2), with a qualifier or as an ARN.
  const functionName = parseFunctionReference(event.functionName ?? '')?.name
  if (id === undefined || functionName === undefined || version === undefined) return undefined
  const target = { operationId: id, functionName, version, generation, input, tenantId }
  if (childArn === undefined) return { kind: 'invokePlain', ...target }
  return { kind: 'startChild', ...target, childId: childArn.slice(childArn.lastIndexOf('/') + 1) }
}

/**
 * The dispatch that is owed at `now`. Duties need no resuming: their outbox rows are in the store. An invocation that
 * is recorded as running lost its process with the server that ran it.
 */
export function resume(state: ExecutionState, now: number): readonly Effect[] {
  if (state.status !== 'RUNNING') return []
  // Time never goes back within an execution, whatever the clock does (decision 13).
  const due = state.invokeAt !== undefined && state.invokeAt <= Math.max(now, state.at)
  return due || state.invocation !== undefined ? [{ kind: 'dispatch' }] : []
}

const isReady = (state: ExecutionState): boolean =>
  state.invocation === undefined && state.invokeAt !== undefined && state.invokeAt <= state.at

export function indexOf(state: ExecutionState): ExecutionIndex {
  const status = state.deletedAt === undefined ? state.status : 'DELETING'
  return { status, endedAt: state.endedAt, wake: wakeOf(state) }
}

function wakeOf(state: ExecutionState): Wake | undefined {
  if (state.status !== 'RUNNING') return undefined
  // Operations' timers wait for the invocation's next checkpoint or its end; the execution's own does not.
  if (state.invocation !== undefined) return { kind: 'running', dueMs: deadlineOf(state) }
  if (isReady(state)) return { kind: 'ready' }
  const dueMs = Math.min(deadlineOf(state), state.nextDueAt, state.invokeAt ?? Number.POSITIVE_INFINITY)
  return { kind: 'suspended', dueMs }
}
