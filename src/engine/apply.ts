/**
 * The fold: what an execution is after an entry. `apply` owns the state and mutates it; it only copies what the
 * entry says (decision 1), so no later rule can rewrite an old history.
 */
import type { OperationType } from '../protocol/shapes.ts'
import {
  type Drained,
  type Entry,
  type ExecutionState,
  INLINE_TEXT_CHARS,
  type Invocation,
  type JournalEvent,
  type OperationState,
  type StoredText,
} from './model.ts'
import { heartbeatTaken } from './operations/callback.ts'
import { readied } from './operations/step.ts'
import { MODULES, TYPE_OF_EVENT } from './operations/table.ts'

type Started = Entry & { kind: 'started' }

/** The state after the first entry. */
export function found(entry: Entry): ExecutionState {
  if (entry.kind !== 'started') throw new Error(`a journal begins with 'started', not '${entry.kind}'`)
  const { start } = entry as Started
  const event = entry.events[0]
  if (event === undefined) throw new Error("a 'started' entry carries the ExecutionStarted event")
  const input = storedText(event, 1, 0) ?? '{}'
  const state: ExecutionState = {
    start,
    startedAt: entry.at,
    seq: 1,
    nextEventId: entry.firstEventId + 1,
    at: entry.at,
    status: 'RUNNING',
    endedAt: undefined,
    deletedAt: undefined,
    result: undefined,
    error: undefined,
    input,
    operations: new Map(),
    ids: [],
    pending: new Set(),
    nextDueAt: Number.POSITIVE_INFINITY,
    inbox: [],
    completedBy: new Map(),
    invocation: undefined,
    invocations: 0,
    unseen: new Set([start.executionId]),
    invokeAt: entry.at,
    failures: 0,
    failingSince: undefined,
    platformFailures: 0,
    storedBytes: textLength(event),
  }
  put(state, foldEvent(undefined, event, 'EXECUTION', { at: entry.at, ordinal: 0, text: input }))
  return state
}

/** Makes the entry part of the state. Entries come in the order of their seq, each once. */
export function apply(state: ExecutionState, entry: Entry): void {
  if (entry.firstEventId !== state.nextEventId) {
    throw new Error(
      `journal gap: entry ${state.seq + 1} begins at event ${entry.firstEventId}, not ${state.nextEventId}`,
    )
  }
  state.seq += 1
  state.at = entry.at
  const { invocation } = state
  for (const drained of entry.drained ?? []) take(state, drained, entry)
  for (let index = 0; index < entry.events.length; index++) {
    const event = entry.events[index]
    if (event !== undefined) applyEvent(state, event, entry.at, index)
  }
  state.nextEventId += entry.events.length
  applyKind(state, entry, invocation)
}

/** `invocation` is the one that ran before the entry; a terminal event has ended it already. */
function applyKind(state: ExecutionState, entry: Entry, invocation: Invocation | undefined): void {
  switch (entry.kind) {
    case 'started':
      throw new Error("'started' can only be the first entry")
    case 'invocationStarted':
      state.invocations += 1
      state.invocation = {
        number: state.invocations,
        requestId: entry.requestId,
        nonce: entry.nonce,
        startedAt: entry.at,
        n: 0,
        accepted: [],
        outcome: undefined,
        lastAnswerHadCompletion: false,
        anyAnswerHadCompletion: false,
      }
      state.unseen.clear()
      state.invokeAt = undefined
      return
    case 'checkpointed':
      applyCheckpoint(state, entry, running(invocation))
      return
    case 'arrived':
      state.inbox.push({ arrival: entry.arrival, at: entry.at })
      if (entry.completedBy !== undefined) {
        state.completedBy.set(entry.completedBy.id, entry.completedBy.sdkInvocationId)
      }
      return
    case 'heartbeat': {
      const operation = state.operations.get(entry.id)
      if (operation !== undefined) put(state, heartbeatTaken(operation, entry.at))
      return
    }
    case 'woke':
      if (entry.completedBy !== undefined) {
        state.completedBy.set(entry.completedBy.id, entry.completedBy.sdkInvocationId)
      }
      state.invokeAt = Math.min(state.invokeAt ?? entry.at, entry.at)
      return
    case 'invocationEnded':
      applyInvocationEnd(state, entry)
      return
    case 'closed':
      return
    case 'deleted':
      state.deletedAt = entry.at
      return
  }
}

function applyCheckpoint(state: ExecutionState, entry: Entry & { kind: 'checkpointed' }, invocation: Invocation): void {
  const drainedAny = entry.drained !== undefined && entry.drained.length > 0
  invocation.n = entry.n + 1
  invocation.outcome = entry.outcome
  invocation.lastAnswerHadCompletion = drainedAny
  invocation.anyAnswerHadCompletion ||= drainedAny
  if (entry.clientToken !== undefined) {
    invocation.accepted.push({ n: entry.n, clientToken: entry.clientToken, at: entry.at, seq: state.seq })
  }
}

function applyInvocationEnd(state: ExecutionState, entry: Entry & { kind: 'invocationEnded' }): void {
  state.invocation = undefined
  if (state.status !== 'RUNNING') return
  if (entry.normal) {
    state.failures = 0
    state.failingSince = undefined
    state.platformFailures = 0
  } else if (entry.retry?.cause === 'platform') {
    state.platformFailures += 1
  } else {
    state.failures += 1
    state.failingSince ??= entry.at
  }
  state.invokeAt = entry.again === true || state.unseen.size > 0 ? entry.at : entry.retry?.dueMs
}

function running(invocation: Invocation | undefined): Invocation {
  if (invocation === undefined) throw new Error('no invocation is running')
  return invocation
}

/** A completion leaves the inbox, a step becomes READY; what the function has not been told yet is remembered. */
function take(state: ExecutionState, drained: Drained, entry: Entry): void {
  if (drained.kind === 'arrival') {
    const at = state.inbox.findIndex(({ arrival }) => arrival.id === drained.id)
    if (at >= 0) state.inbox.splice(at, 1)
  } else if (drained.kind === 'ready') {
    const operation = state.operations.get(drained.id)
    if (operation !== undefined) put(state, readied(operation))
  }
  // A checkpoint's answer, and the event of an invocation, tell the function; what else drains is still unseen.
  if (entry.kind === 'woke' || entry.kind === 'invocationEnded') state.unseen.add(drained.id)
}

function applyEvent(state: ExecutionState, event: JournalEvent, at: number, index: number): void {
  const type = TYPE_OF_EVENT[event.type]
  if (type === undefined || event.id === undefined) return
  const text = storedText(event, state.seq, index)
  state.storedBytes += textLength(event)
  const current = state.operations.get(event.id)
  const ordinal = current?.ordinal ?? state.ids.length
  const operation = foldEvent(current, event, type, { at, ordinal, text })
  put(state, operation)
  if (type === 'EXECUTION') close(state, operation, event, at, text)
}

/** Shared by the fold and by decisions, which try events on an overlay before they are written. */
export function foldEvent(
  current: OperationState | undefined,
  event: JournalEvent,
  type: OperationType,
  context: { readonly at: number; readonly ordinal: number; readonly text: StoredText | undefined },
): OperationState {
  return MODULES[type].fold(current, event, context)
}

function put(state: ExecutionState, operation: OperationState): void {
  const { id, ordinal } = operation
  if (ordinal === state.ids.length) state.ids.push(id)
  const module = MODULES[operation.type]
  const wasDueAt = state.pending.has(id) ? dueAtOf(state.operations.get(id)) : Number.POSITIVE_INFINITY
  state.operations.set(id, operation)
  if (module.pending(operation)) state.pending.add(id)
  else state.pending.delete(id)
  const dueAt = state.pending.has(id) ? module.dueAt(operation) : Number.POSITIVE_INFINITY
  if (dueAt <= state.nextDueAt) state.nextDueAt = dueAt
  else if (wasDueAt === state.nextDueAt) state.nextDueAt = earliestDueAt(state)
}

const dueAtOf = (operation: OperationState | undefined): number =>
  operation === undefined ? Number.POSITIVE_INFINITY : MODULES[operation.type].dueAt(operation)

function earliestDueAt(state: ExecutionState): number {
  let earliest = Number.POSITIVE_INFINITY
  for (const id of state.pending) earliest = Math.min(earliest, dueAtOf(state.operations.get(id)))
  return earliest
}

/** A terminal event: nothing of the execution changes any more (spec 04 §4.14). */
function close(
  state: ExecutionState,
  { status }: OperationState,
  event: JournalEvent,
  at: number,
  text: StoredText | undefined,
): void {
  if (status === 'STARTED') return
  state.status = status as ExecutionState['status']
  state.endedAt = at
  state.result = text
  state.error = event.error
  state.invocation = undefined
  state.invokeAt = undefined
  state.pending.clear()
  state.nextDueAt = Number.POSITIVE_INFINITY
  state.inbox.length = 0
  state.unseen.clear()
  // `completedBy` stays: a callback that was answered often ends its execution before the answer is asked for again.
}

const longText = ({ result, input }: JournalEvent): string | undefined => result ?? input
const textLength = (event: JournalEvent): number => longText(event)?.length ?? 0

/** The event's text, or its place in the journal when it is long (decision 7). Inputs of chained invokes are not kept. */
function storedText(event: JournalEvent, seq: number, index: number): StoredText | undefined {
  if (event.type === 'ChainedInvokeStarted') return undefined
  const text = longText(event)
  if (text === undefined || text.length <= INLINE_TEXT_CHARS) return text
  return { seq, index, length: text.length }
}

/** What a `TextRef` to event `index` of this entry means. */
export function textOfEntry(entry: Entry, index: number): string {
  const event = entry.events[index]
  const text = event === undefined ? undefined : longText(event)
  if (text === undefined) throw new Error(`journal entry has no text at event index ${index}`)
  return text
}
