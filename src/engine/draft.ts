/**
 * A draft is an entry in the making: the events so far, and an overlay with the operations they touched. The state
 * below is only read, so dropping a draft leaves no trace (invariant I1).
 */
import type { OperationType } from '../protocol/shapes.ts'
import { foldEvent } from './apply.ts'
import {
  type Arrival,
  type Drained,
  ENTRY_VERSION,
  type ExecutionState,
  type JournalEvent,
  type OperationState,
} from './model.ts'
import { callbackCompleted } from './operations/callback.ts'
import { invokeCompleted } from './operations/chained-invoke.ts'
import { readied } from './operations/step.ts'
import { MODULES, TYPE_OF_EVENT } from './operations/table.ts'

export class Draft {
  readonly state: ExecutionState
  readonly at: number
  readonly events: JournalEvent[] = []
  readonly drained: Drained[] = []
  readonly #overlay = new Map<string, OperationState>()
  #created = 0

  constructor(state: ExecutionState, now: number) {
    this.state = state
    // Time never goes back within an execution, whatever the clock does (decision 13).
    this.at = Math.max(now, state.at)
  }

  get(id: string): OperationState | undefined {
    return this.#overlay.get(id) ?? this.state.operations.get(id)
  }

  /** The ordinal that the next new operation gets. */
  get nextOrdinal(): number {
    return this.state.ids.length + this.#created
  }

  add(event: JournalEvent): void {
    this.events.push(event)
    const type = TYPE_OF_EVENT[event.type]
    if (type === undefined || event.id === undefined) return
    this.#put(event.id, type, event)
  }

  #put(id: string, type: OperationType, event: JournalEvent): void {
    const current = this.get(id)
    const ordinal = current?.ordinal ?? this.nextOrdinal
    if (current === undefined) this.#created += 1
    this.#overlay.set(id, foldEvent(current, event, type, { at: this.at, ordinal, text: event.result }))
  }

  /** Number of operations that the draft creates. */
  get created(): number {
    return this.#created
  }

  /** A completion from outside becomes part of this entry. */
  complete(arrival: Arrival): void {
    const operation = this.get(arrival.id)
    if (operation === undefined) throw new Error(`completion of unknown operation ${arrival.id}`)
    this.drained.push({ id: arrival.id, kind: 'arrival' })
    this.add(arrival.kind === 'callback' ? callbackCompleted(operation, arrival) : invokeCompleted(operation, arrival))
  }

  /** A timer of this operation is over. */
  fire(operation: OperationState): void {
    const event = MODULES[operation.type].fire(operation, this.at)
    this.drained.push({ id: operation.id, kind: event === undefined ? 'ready' : 'timer' })
    if (event === undefined) this.#overlay.set(operation.id, readied(operation))
    else this.add(event)
  }

  /** What every entry begins with. */
  base() {
    const { at, events, drained } = this
    const some = drained.length === 0 ? undefined : { drained }
    return { v: ENTRY_VERSION, at, firstEventId: this.state.nextEventId, events, ...some }
  }
}
