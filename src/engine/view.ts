/** What clients see of operations (spec 03 §3.4, 04 §4.8). */
import type { Operation } from '../protocol/shapes.ts'
import type { Entry, ExecutionState, OperationState, StoredText, TextRef } from './model.ts'
import { MODULES } from './operations/table.ts'

export { textOfEntry } from './apply.ts'

export type ReadText = (ref: TextRef) => string

/** Long texts that must be fetched from the journal before the operations can be shown. */
export function textRefs(operations: Iterable<OperationState>): TextRef[] {
  const refs: TextRef[] = []
  for (const { result } of operations) if (typeof result === 'object') refs.push(result)
  return refs
}

export function showOperation(operation: OperationState, readText: ReadText): Operation {
  const text = (stored: StoredText | undefined) => (typeof stored === 'object' ? readText(stored) : stored)
  const { id, parentId, name, subType, type, startedAt, endedAt, status } = operation
  return {
    Id: id,
    ...(parentId === undefined ? undefined : { ParentId: parentId }),
    ...(name === undefined ? undefined : { Name: name }),
    Type: type,
    ...(subType === undefined ? undefined : { SubType: subType }),
    StartTimestamp: startedAt,
    ...(endedAt === undefined ? undefined : { EndTimestamp: endedAt }),
    Status: status,
    ...MODULES[type].details(operation, text),
  }
}

/**
 * The operations that a replay needs, in order of creation, EXECUTION first. What lies under a context that has ended
 * without ReplayChildren is left out, however deep (spec 04 §4.8).
 */
export function visibleOperations(state: ExecutionState): OperationState[] {
  const closed = new Set<string>()
  const visible: OperationState[] = []
  for (const operation of state.operations.values()) {
    const hidden = operation.parentId !== undefined && closed.has(operation.parentId)
    if (hidden || hidesChildren(operation)) closed.add(operation.id)
    if (!hidden) visible.push(operation)
  }
  return visible
}

const hidesChildren = ({ type, endedAt, replayChildren }: OperationState): boolean =>
  type === 'CONTEXT' && endedAt !== undefined && replayChildren !== true

/** Whether an ended context above the operation hides it. */
export function isHidden(state: ExecutionState, operation: OperationState): boolean {
  let above = operation.parentId === undefined ? undefined : state.operations.get(operation.parentId)
  while (above !== undefined) {
    if (hidesChildren(above)) return true
    above = above.parentId === undefined ? undefined : state.operations.get(above.parentId)
  }
  return false
}

/**
 * The operations that a checkpoint's answer shows (spec 05 §5.5), in order of creation: what its updates touched, and
 * what was drained unless an ended context hides it.
 */
export function answeredOperations(state: ExecutionState, entry: Entry): OperationState[] {
  if (entry.kind !== 'checkpointed') return []
  const shown = new Map<string, OperationState>()
  for (const { id } of entry.drained ?? []) {
    const operation = state.operations.get(id)
    if (operation !== undefined && !isHidden(state, operation)) shown.set(id, operation)
  }
  for (const id of entry.touched) {
    const operation = state.operations.get(id)
    if (operation !== undefined) shown.set(id, operation)
  }
  const operations = [...shown.values()]
  return operations.length < 2 ? operations : operations.sort((a, b) => a.ordinal - b.ordinal)
}
