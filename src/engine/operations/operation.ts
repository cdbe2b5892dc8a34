/**
 * The shape that all operation types share. Each file beside this one describes one type, in the same order:
 * what an update may do (`decide`), what an event makes of the operation (`fold`), when the service itself moves it
 * (`dueAt`, `fire`), and what a client sees of it (`details`). Read one and you have read all (spec 04).
 */
import { type ApiError, invalidParameter } from '../../protocol/errors.ts'
import type { Operation, OperationType, OperationUpdate } from '../../protocol/shapes.ts'
import type { ChainedTarget, JournalEvent, OperationState, StoredText } from '../model.ts'

export interface UpdateContext {
  readonly at: number
  readonly executionId: string
  /** The ordinal that the operation has, or gets when this update creates it. */
  readonly ordinal: number
  /** 16 random bytes as hex, for this update alone. */
  readonly secret: () => string
  readonly target: ChainedTarget | undefined
}

export interface OperationModule {
  /** The events that the update becomes, or why it is refused. Identity, parent and sizes were checked before. */
  decide(
    current: OperationState | undefined,
    update: OperationUpdate,
    context: UpdateContext,
  ): readonly JournalEvent[] | ApiError
  /** What the operation is after the event. `text` replaces long texts by their place in the journal. */
  fold(current: OperationState | undefined, event: JournalEvent, context: FoldContext): OperationState
  /** Something outside the function will move the operation (spec 06 §6.3 "pending"). */
  pending(operation: OperationState): boolean
  /** When the service moves it by itself; Infinity for never. */
  dueAt(operation: OperationState): number
  /** The event of that move; undefined for a move without an event (a step becomes READY). */
  fire(operation: OperationState, now: number): JournalEvent | undefined
  details(operation: OperationState, text: (stored: StoredText | undefined) => string | undefined): Partial<Operation>
}

export interface FoldContext {
  readonly at: number
  readonly ordinal: number
  /** The event's result or input, or its place in the journal. */
  readonly text: StoredText | undefined
}

export const refuse = (message: string): ApiError => invalidParameter(message)
export const ERROR_ON_SUCCEED = 'Cannot provide an Error for SUCCEED action.'
export const PAYLOAD_ON_FAIL = 'Cannot provide a Payload for FAIL action.'

/** What every event of an operation repeats. */
export function identityOf({ id, parentId, name, subType }: Identity) {
  return {
    id,
    ...(parentId === undefined ? undefined : { parentId }),
    ...(name === undefined ? undefined : { name }),
    ...(subType === undefined ? undefined : { subType }),
  }
}

type Identity = Pick<OperationState, 'id' | 'parentId' | 'name' | 'subType'>

/** The same for an update: the stored names, or those of the update that creates the operation. */
export function identity(current: OperationState | undefined, update: OperationUpdate) {
  const { Id: id, ParentId: parentId, Name: name, SubType: subType } = update
  return identityOf(current ?? { id, parentId, name, subType })
}

/** The members that an operation may lack. All states have them all, and so one hidden class. */
export const ABSENT = {
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
} as const

/** An operation that has just come into being. */
export function created(type: OperationType, event: JournalEvent, context: FoldContext): OperationState {
  return {
    ...ABSENT,
    id: event.id ?? '',
    ordinal: context.ordinal,
    type,
    parentId: event.parentId,
    name: event.name,
    subType: event.subType,
    startedAt: context.at,
    status: 'STARTED',
    attempt: 0,
  }
}
