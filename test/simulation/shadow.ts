/**
 * What the store was made to hold, kept beside it: each execution's journal as it was committed, folded entry by
 * entry. Every entry is checked against the invariants as it arrives, mostly from the bare events, so that the fold
 * itself is under test too.
 */
import { apply, found } from '../../src/engine/apply.ts'
import { decodeEntry } from '../../src/engine/codec.ts'
import { indexOf } from '../../src/engine/effects.ts'
import { historyEvents } from '../../src/engine/history.ts'
import type { Entry, ExecutionState, JournalEvent } from '../../src/engine/model.ts'
import { answeredOperations, showOperation, textOfEntry, visibleOperations } from '../../src/engine/view.ts'
import type { AppendItem, AppendResult, ExecutionKey, IndexRow, OutboxRow } from '../../src/journal/store.ts'
import { parseFunctionReference } from '../../src/protocol/arn.ts'
import { expired } from '../../src/service/retention.ts'
import type { PromiseName, Promises } from './promises.ts'

/** A checkpoint in the journal, with the answer that it has to get, now and whenever it is repeated. */
export interface AcceptedCheckpoint {
  readonly invocation: number
  readonly n: number
  readonly nonce: string
  readonly clientToken: string | undefined
  readonly events: readonly JournalEvent[]
  readonly closes: boolean
  /** The operations of the answer, as JSON. */
  readonly shown: string
}

/** What an invocation's event has to show. */
export interface ExpectedEvent {
  readonly invocation: number
  readonly nonce: string
  readonly ids: readonly string[]
  /** The operations at that time, as JSON by id. */
  readonly shown: ReadonlyMap<string, string>
  readonly updated: readonly string[]
}

/**
 * How late a timer may fire in a world without faults: after its time, or after the recovery that found it overdue. Here
 * the store answers within 4 ms and no function is in the way, so this is what the service itself adds.
 */
export const TIMER_BOUND_MS = 1_000

const CLOSING = /^(Step|Wait|Callback|Context|ChainedInvoke)(Succeeded|Failed|TimedOut|Stopped|Cancelled)$/
const CLOSING_EXECUTION = /^Execution(Succeeded|Failed|TimedOut|Stopped)$/

export type Log = (line: string) => void

/** What the entry checks need to know of the world outside the journal. */
export interface Witness {
  readonly promises: Promises
  /** The latest time that any clock has shown. */
  latestMs(): number
  /** What the clock shows. */
  nowMs(): number
  /** Since when, by the clock, a server has listened and nothing has gone wrong; undefined: not even now. */
  fairSinceMs(): number | undefined
  /** A timer of an execution at rest was seen to fire so late. */
  firedLate(lateMs: number): void
  /** The process of this invocation is alive, under the server that now lives. */
  runs(requestId: string): boolean
  /** The earliest time at which this callback may miss its heartbeat. */
  heartbeatDueMs(executionId: string, operationId: string, startedDueMs: number): number
  /** The code of a step has run and this is its result. */
  produced(executionId: string, operationId: string, result: string): boolean
  log(line: string): void
}

export class Shadow {
  readonly key: ExecutionKey
  readonly state: ExecutionState
  readonly entries: Entry[] = []
  readonly texts: string[] = []
  /** History events as JSON, as clients see them. */
  readonly history: string[] = []
  readonly checkpoints = new Map<string, AcceptedCheckpoint>()
  readonly invocations = new Map<string, ExpectedEvent>()
  index: IndexRow
  /** Its rows were removed from the store: whoever asks for it is told that there is none. */
  gone = false
  readonly #report: (violation: string) => void
  readonly #witness: Witness
  readonly #ended = new Set<string>()
  readonly #completed = new Set<string>()
  readonly #arrived = new Set<string>()
  /** When the timer of an operation may fire at the earliest. */
  readonly #due = new Map<string, number>()

  constructor(key: ExecutionKey, item: AppendItem, witness: Witness) {
    const [first] = item.entries
    if (first === undefined || item.index === undefined) throw new Error('a new execution without entry or index')
    this.key = key
    this.#report = (violation) => witness.promises.report(`${this.id}: ${violation}`)
    this.#witness = witness
    const entry = decodeEntry(first.text)
    this.state = found(entry)
    this.index = item.index
    this.#keep(entry, first.text)
    this.take({ ...item, entries: item.entries.slice(1) }, [entry])
  }

  get id(): string {
    return this.state.start.executionId
  }

  /** It has ended and its retention is over, by a clock that may have been set back since (spec 08 §8.6). */
  get expired(): boolean {
    return expired(this.state.endedAt, this.state.start.config.RetentionPeriodInDays ?? 0, this.#witness.latestMs())
  }

  /** The entries of an item that the store has accepted. */
  take(item: AppendItem, first: readonly Entry[] = []): void {
    const before = this.entries.length
    for (const { text, firstEventId } of item.entries) {
      const entry = decodeEntry(text)
      if (firstEventId !== entry.firstEventId) this.#report(`row and entry disagree on firstEventId ${firstEventId}`)
      this.#check(entry)
      apply(this.state, entry)
      this.#keep(entry, text)
      this.#remember(entry)
    }
    if (item.index !== undefined) this.index = item.index
    const index = JSON.stringify(indexOf(this.state))
    if (JSON.stringify(this.index) !== index) {
      this.#report(`index row ${JSON.stringify(this.index)} is not ${index} (decision 6)`)
    }
    this.#checkDuties([...first, ...this.entries.slice(before)], item.outbox)
  }

  /** The store has removed it. Only what has ended goes, when its time is over or somebody asked. */
  purged(): void {
    this.gone = true
    const { deletedAt, endedAt } = this.state
    const due = endedAt !== undefined && (deletedAt !== undefined || this.expired)
    this.#expect('P5', due, () => 'was removed before its time')
  }

  #expect(name: PromiseName, holds: boolean, violation: () => string): void {
    this.#witness.promises.expect(name, holds, () => `${this.id}: ${violation()}`)
  }

  readText = (ref: { seq: number; index: number }): string => {
    const entry = this.entries[ref.seq - 1]
    if (entry === undefined) throw new Error(`no entry ${ref.seq}`)
    return textOfEntry(entry, ref.index)
  }

  #keep(entry: Entry, text: string): void {
    this.entries.push(entry)
    this.texts.push(text)
    for (const event of historyEvents(entry, this.state.start, true)) this.history.push(JSON.stringify(event))
    const events = entry.events.map(({ type, id }) => (id === undefined || id === this.id ? type : `${type} ${id}`))
    this.#witness.log(`commit ${shortOf(this.id)}#${this.entries.length} ${entry.kind} [${events.join(', ')}]`)
  }

  // ------------------------------------------------------------------------------------ before the entry is folded

  #check(entry: Entry): void {
    const { state } = this
    const last = entry.kind === 'deleted' && state.endedAt !== undefined && state.deletedAt === undefined
    const follows = last ? entry.events.length === 0 : state.status === 'RUNNING' && entry.kind !== 'deleted'
    this.#expect('P5', follows, () => `entry ${entry.kind} after the end (I4)`)
    if (entry.firstEventId !== this.history.length + 1) {
      this.#report(`entry begins at event ${entry.firstEventId} after ${this.history.length} events (I6)`)
    }
    if (entry.at < state.at) this.#report(`time goes back from ${state.at} to ${entry.at}`)
    if (entry.at > this.#witness.latestMs()) this.#report(`entry ${entry.kind} is dated ${entry.at}, in the future`)
    this.#checkLateness(entry)
    for (const { id, kind } of entry.drained ?? []) if (kind === 'ready') this.#checkDue(id, entry.at, 'is READY')
    for (const [index, event] of entry.events.entries()) this.#checkEvent(event, entry, index)
    if (entry.kind === 'invocationStarted') this.#checkInvocation(entry)
    if (entry.kind === 'checkpointed') this.#checkCheckpoint(entry)
    if (entry.kind === 'arrived') this.#checkArrival(entry.arrival.id)
    if (entry.kind !== 'invocationEnded') return
    const ends = state.invocation?.requestId === entry.requestId
    this.#expect('P2', ends, () => `the end of ${entry.requestId}, which is not the current invocation`)
  }

  /** A timer of an execution at rest fires soon: after its time, or after the recovery that found it overdue. */
  #checkLateness(entry: Entry): void {
    const { promises, fairSinceMs, nowMs, firedLate } = this.#witness
    const fairSince = fairSinceMs()
    const dueMs = this.#dueOf(entry)
    if (fairSince === undefined || dueMs === undefined) return
    const lateMs = nowMs() - Math.max(fairSince, this.state.at, dueMs)
    firedLate(lateMs)
    promises.expect('P4', lateMs <= TIMER_BOUND_MS, () => `${this.id}: a timer fired ${lateMs} ms late`)
  }

  /**
   * When the timer was due that this entry says has fired; undefined when it says no such thing. An execution that waits
   * for its function is not at rest: its invocation is due, and looks at all timers when it begins.
   */
  #dueOf({ kind, events, drained = [] }: Entry): number | undefined {
    const { invokeAt } = this.state
    if (kind === 'woke' && invokeAt !== undefined && invokeAt <= this.state.at) return undefined
    if (kind === 'woke') return drained.some((one) => one.kind !== 'arrival') ? this.state.nextDueAt : undefined
    const timedOut = kind === 'closed' && events.some(({ type }) => type === 'ExecutionTimedOut')
    return timedOut ? this.#deadlineMs : undefined
  }

  get #deadlineMs(): number {
    return this.state.startedAt + this.state.start.config.ExecutionTimeout * 1_000
  }

  #checkEvent(event: JournalEvent, entry: Entry, index: number): void {
    const { type, id = '' } = event
    if (CLOSING_EXECUTION.test(type)) {
      if (index !== entry.events.length - 1) this.#report(`${type} is not the last event`)
      if (type === 'ExecutionTimedOut') this.#expect('P4', entry.at >= this.#deadlineMs, () => 'timed out early')
      return
    }
    if (type === 'InvocationCompleted') {
      const { requestId = '' } = event
      this.#expect('P2', !this.#completed.has(requestId), () => `invocation ${requestId} completed twice`)
      this.#completed.add(requestId)
      return
    }
    if (this.#ended.has(id)) this.#report(`${type} of ${id}, which has ended (I6)`)
    if (type === 'WaitSucceeded') this.#checkDue(id, entry.at, type)
    if (type === 'CallbackTimedOut') this.#checkCallbackTimeout(event, entry.at)
    this.#noteTimers(event, entry.at)
    if (CLOSING.test(type) && event.delaySeconds === undefined) {
      this.#ended.add(id)
      this.#due.delete(id)
    }
    if (type === 'StepSucceeded' && event.delaySeconds === undefined && event.subType === 'Step') {
      const { result = '' } = event
      if (!this.#witness.produced(this.id, id, result)) this.#report(`step ${id} has a result that no run produced`)
    }
  }

  #noteTimers(
    { type, id = '', durationSeconds, delaySeconds, timeoutSeconds, heartbeatTimeoutSeconds }: JournalEvent,
    at: number,
  ) {
    if (type === 'WaitStarted') this.#due.set(id, at + (durationSeconds ?? 0) * 1_000)
    if (delaySeconds !== undefined) this.#due.set(id, at + delaySeconds * 1_000)
    if (type !== 'CallbackStarted') return
    this.#due.set(`${id} timeout`, at + (timeoutSeconds ?? Number.POSITIVE_INFINITY) * 1_000)
    this.#due.set(`${id} heartbeat`, at + (heartbeatTimeoutSeconds ?? Number.POSITIVE_INFINITY) * 1_000)
  }

  #checkDue(id: string, at: number, what: string): void {
    const due = this.#due.get(id)
    this.#expect('P4', due !== undefined, () => `${what} of ${id} without a timer`)
    if (due !== undefined) this.#expect('P4', at >= due, () => `${what} of ${id} ${due - at} ms early`)
  }

  #checkCallbackTimeout({ id = '', error }: JournalEvent, at: number): void {
    this.#expect('P6', !this.#arrived.has(id), () => `callback ${id} timed out after its completion was accepted`)
    if (error?.ErrorType === 'Callback.Timeout') {
      this.#checkDue(`${id} timeout`, at, 'timeout')
      return
    }
    const due = this.#due.get(`${id} heartbeat`) ?? Number.POSITIVE_INFINITY
    const earliest = this.#witness.heartbeatDueMs(this.id, id, due)
    this.#expect('P4', at >= earliest, () => `heartbeat of callback ${id} missed ${earliest - at} ms early`)
  }

  /** At most one invocation is current; one that still runs is not superseded. */
  #checkInvocation({ requestId, events }: Entry & { kind: 'invocationStarted' }): void {
    const current = this.state.invocation
    const alone = current === undefined || events[0]?.type === 'InvocationCompleted'
    this.#expect('P2', alone, () => `${requestId} begins while another is current`)
    if (current === undefined) return
    const runs = this.#witness.runs(current.requestId)
    this.#expect('P2', !runs, () => `${requestId} supersedes ${current.requestId}, which runs`)
  }

  #checkCheckpoint({ n, outcome }: Entry & { kind: 'checkpointed' }): void {
    const { invocation } = this.state
    this.#expect('P2', invocation !== undefined, () => 'a checkpoint without an invocation (I4)')
    if (invocation === undefined) return
    this.#expect('P2', invocation.n === n, () => `token ${n} is consumed, ${invocation.n} is current (I3)`)
    const consumed = this.checkpoints.has(`${invocation.number}/${n}`)
    this.#expect('P3', !consumed, () => `token ${n} is consumed twice (I3)`)
    if (invocation.outcome !== undefined) this.#report(`a checkpoint after an EXECUTION update, ${outcome}`)
  }

  #checkArrival(id: string): void {
    const again = this.#ended.has(id) || this.#arrived.has(id)
    this.#expect('P6', !again, () => `a second completion of ${id} arrived`)
    this.#arrived.add(id)
  }

  // ------------------------------------------------------------------------------------- after the entry is folded

  #remember(entry: Entry): void {
    const { invocation } = this.state
    if (invocation === undefined) return
    const { number, nonce, requestId } = invocation
    if (entry.kind === 'invocationStarted') {
      const visible = visibleOperations(this.state)
      const shown = new Map(visible.map((one) => [one.id, JSON.stringify(showOperation(one, this.readText))]))
      this.invocations.set(requestId, {
        invocation: number,
        nonce,
        ids: [...shown.keys()],
        shown,
        updated: entry.updated,
      })
    }
    if (entry.kind !== 'checkpointed') return
    const shown = answeredOperations(this.state, entry).map((operation) => showOperation(operation, this.readText))
    this.checkpoints.set(`${number}/${entry.n}`, {
      invocation: number,
      n: entry.n,
      nonce,
      clientToken: entry.clientToken,
      events: entry.events,
      closes: entry.outcome !== undefined,
      shown: JSON.stringify(shown),
    })
  }

  /** What the entries owe to others is in the outbox with them (decision 3). */
  #checkDuties(entries: readonly Entry[], outbox: readonly OutboxRow[]): void {
    const owed = entries.flatMap((entry) => dutiesOf(entry, this.state))
    const posted = outbox.map(nameOf)
    if (owed.sort().join() !== [...posted].sort().join()) this.#report(`owes ${owed}, posts ${posted}`)
  }
}

/** Enough of an id to tell executions apart in a log. */
export const shortOf = (id: string): string => id.slice(0, 8)

/** Deliveries by what they tell, everything else by its id. */
function nameOf({ id, text }: OutboxRow): string {
  return id.startsWith('send:') ? `told ${JSON.parse(JSON.parse(text).body).detail.status}` : id
}

/** One that nobody waits for has failed, was stopped or took too long (spec 07 §7.5). */
export const leavesDeadLetter = ({ start, status }: ExecutionState): boolean =>
  start.mode === 'async' && start.parent === undefined && status !== 'RUNNING' && status !== 'SUCCEEDED'

function dutiesOf(entry: Entry, state: ExecutionState): string[] {
  const { start, status } = state
  if (entry.kind === 'started') return ['told RUNNING']
  if (entry.kind === 'deleted') return [`${start.executionId}/${start.executionId}/purge`]
  return entry.events.flatMap(({ type, id, functionName, executedVersion, childArn }) => {
    if (type === 'ChainedInvokeStarted' && executedVersion !== undefined) {
      if (childArn !== undefined) return [`${start.executionId}/${id}/startChild`]
      return [`plain:${parseFunctionReference(functionName ?? '')?.name}/${start.executionId}/${id}/invokePlain`]
    }
    if (!CLOSING_EXECUTION.test(type)) return []
    const { executionId, parent } = start
    return [
      `told ${status}`,
      ...(leavesDeadLetter(state) ? [`${executionId}/deadLetter`] : []),
      ...(parent === undefined ? [] : [`${executionId}/${parent.operationId}/completeParent`]),
    ]
  })
}

/** All executions, and the outbox. */
export class Shadows {
  readonly byId = new Map<string, Shadow>()
  readonly outbox = new Map<string, OutboxRow>()
  readonly #byKey = new Map<ExecutionKey, Shadow>()
  /** Who holds a name, by function and name. */
  readonly #byName = new Map<string, Shadow>()
  readonly #witness: Witness

  constructor(witness: Witness) {
    this.#witness = witness
  }

  /** What the store did with a batch: called when it did it, before anybody is told. */
  committed(items: readonly AppendItem[], results: readonly AppendResult[]): void {
    for (const [index, item] of items.entries()) {
      const result = results[index]
      if (!result?.ok) continue
      try {
        this.#take(item, result.key)
      } catch (error) {
        this.#witness.promises.report(`the journal cannot be folded: ${error}`)
      }
    }
  }

  post(rows: readonly OutboxRow[]): void {
    for (const row of rows) if (!this.outbox.has(row.id)) this.outbox.set(row.id, row)
  }

  /** The sequence number that the next entry has to have. */
  nextSeq(key: ExecutionKey): number | undefined {
    const shadow = this.#byKey.get(key)
    return shadow === undefined || shadow.gone ? undefined : shadow.entries.length + 1
  }

  purged(key: ExecutionKey): void {
    const shadow = this.#byKey.get(key)
    if (shadow === undefined || shadow.gone) return
    this.#witness.log(`removed ${shortOf(shadow.id)}`)
    shadow.purged()
    const parent = shadow.state.start.parent
    const waits = parent !== undefined && this.#waits(parent.executionId, parent.operationId)
    if (waits) this.#witness.promises.report(`${shadow.id} was removed and its parent waits for its end (I5)`)
  }

  #waits(executionId: string, operationId: string): boolean {
    const state = this.byId.get(executionId)?.state
    if (state?.status !== 'RUNNING' || state.inbox.some(({ arrival }) => arrival.id === operationId)) return false
    return state.operations.get(operationId)?.status === 'STARTED'
  }

  settle(ids: readonly string[]): void {
    for (const id of ids) this.outbox.delete(id)
  }

  #take(item: AppendItem, key: ExecutionKey): void {
    if ('create' in item.target) this.#create(item, key)
    else {
      const shadow = this.#byKey.get(key)
      if (shadow === undefined) {
        this.#witness.promises.report(`an append to an unknown execution ${key}`)
        return
      }
      const { promises } = this.#witness
      promises.expect('P5', !shadow.gone, () => `${shadow.id}: an entry was accepted after its removal`)
      const next = item.firstSeq === shadow.entries.length + 1
      promises.expect('P2', next, () => {
        return `${shadow.id}: entry ${item.firstSeq} was accepted after ${shadow.entries.length}`
      })
      if (!next) return
      shadow.take(item)
    }
    this.post(item.outbox)
  }

  #create(item: AppendItem, key: ExecutionKey): void {
    const { promises } = this.#witness
    const shadow = new Shadow(key, item, this.#witness)
    if (this.byId.has(shadow.id)) {
      promises.report(`${shadow.id} was created twice`)
      return
    }
    const { functionName, name, parent, arn } = shadow.state.start
    const holder = this.#byName.get(`${functionName}/${name}`)
    promises.expect('P7', holder?.gone !== false, () => `${shadow.id} has the name of ${holder?.id}, which is there`)
    this.byId.set(shadow.id, shadow)
    this.#byKey.set(key, shadow)
    this.#byName.set(`${functionName}/${name}`, shadow)
    if (parent === undefined) return
    const invoke = this.byId.get(parent.executionId)?.state.operations.get(parent.operationId)
    if (invoke?.childArn !== arn) promises.report(`${shadow.id} is a child that no parent named`)
  }
}
