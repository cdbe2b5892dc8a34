/**
 * The inbox of completions (spec 06 §6.5 "The mechanism", decision 13). While an invocation runs, what happens
 * outside waits here (callbacks and ended chained invokes as `arrived` entries, timers simply by being due) and is
 * drained by the next checkpoint or by the end of the invocation, so that EventIds are deterministic. While none
 * runs it is drained at once.
 */
import type { Draft } from './draft.ts'
import type { ExecutionState, OperationState } from './model.ts'
import { MODULES } from './operations/table.ts'

/** Takes everything that has arrived or is due into the draft, in order of arrival or due time. */
export function drain(draft: Draft): void {
  const { state } = draft
  if (state.inbox.length === 0 && state.nextDueAt > draft.at) return
  const due = dueOperations(state, draft.at)
  const waiting = [
    ...state.inbox.map(({ arrival, at }) => ({ at, take: () => draft.complete(arrival) })),
    ...due.map((operation) => ({ at: dueAt(operation), take: () => draft.fire(operation) })),
  ]
  waiting.sort((a, b) => a.at - b.at)
  for (const { take } of waiting) take()
}

const dueAt = (operation: OperationState): number => MODULES[operation.type].dueAt(operation)

/** Operations whose timer is over, earliest first; one whose completion already arrived keeps that completion. */
function dueOperations(state: ExecutionState, now: number): OperationState[] {
  if (state.nextDueAt > now) return []
  const arrived = new Set(state.inbox.map(({ arrival }) => arrival.id))
  const due: OperationState[] = []
  for (const id of state.pending) {
    const operation = state.operations.get(id)
    if (operation !== undefined && !arrived.has(id) && dueAt(operation) <= now) due.push(operation)
  }
  return due.sort((a, b) => dueAt(a) - dueAt(b) || a.ordinal - b.ordinal)
}

/** Callback completions that were acknowledged and not drained: they are recorded even at the end (decision 14). */
export function drainAcknowledged(draft: Draft): void {
  for (const { arrival } of draft.state.inbox) if (arrival.kind === 'callback') draft.complete(arrival)
}

/** A completion of this operation has been accepted and waits to be drained. */
export function hasArrived(state: ExecutionState, id: string): boolean {
  return state.inbox.some(({ arrival }) => arrival.id === id)
}
