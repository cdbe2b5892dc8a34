/**
 * Compares a finished execution with what the outside knows of it: the notes of its functions, the answers that the
 * driver got, and the order that it was given. Pure; says what is broken, in words, by promise.
 */
import type { HistoryEvent } from '../../src/protocol/shapes.ts'
import type { Description } from './api.ts'
import type { Note } from './ledger.ts'
import { type Order, resultOf } from './orders.ts'
import type { PromiseName } from './violations.ts'

export interface Case {
  readonly order: Order
  readonly notes: readonly Note[]
  readonly description: Description
  /** Absent where only the description was looked at. */
  readonly events?: readonly HistoryEvent[]
  readonly childEvents?: readonly HistoryEvent[]
  /** Bodies with which its callback was completed, as far as the server said so. */
  readonly accepted: readonly string[]
  /** When a stop was asked for, and when the server said that it is done. */
  readonly stopAskedMs?: number
  readonly stoppedMs?: number
}

export interface Finding {
  readonly promise: PromiseName
  readonly words: string
}

export interface Timer {
  readonly dueMs: number
  readonly firedMs: number
}

export interface Judgement {
  readonly findings: readonly Finding[]
  readonly timers: readonly Timer[]
  /** Assertions that were made. */
  readonly checks: number
}

export const RETRY_MS = 1_000
const TERMINAL = /^Execution(Succeeded|Failed|TimedOut|Stopped)$/
const STALE_REFUSED = '400'

const msOf = (seconds: number): number => Math.round(seconds * 1_000)

class Assertions {
  readonly findings: Finding[] = []
  checks = 0

  readonly holds = (fact: boolean, promise: PromiseName, words: () => string): void => {
    this.checks += 1
    if (!fact) this.findings.push({ promise, words: words() })
  }
}

export function judge(found: Case): Judgement {
  const assertions = new Assertions()
  checkEnd(found, assertions)
  checkNotes(found, assertions)
  const timers: Timer[] = []
  for (const events of [found.events, found.childEvents]) {
    if (events === undefined) continue
    checkShape(found.order.name, events, assertions)
    timers.push(...checkTimers(found.order.name, events, assertions))
  }
  if (found.events !== undefined) {
    checkAcknowledged(found, [...found.events, ...(found.childEvents ?? [])], assertions)
    checkCallback(found, found.events, assertions)
  }
  return { findings: assertions.findings, timers, checks: assertions.checks }
}

/** P1 and P7: it ended, with the result that it must have; a stop that was acknowledged came before any other end. */
function checkEnd({ order, description, accepted, stopAskedMs, stoppedMs }: Case, { holds }: Assertions): void {
  const { Status, Result, EndTimestamp = 0 } = description
  const shown = `${order.name} ended as ${Status} ${Result?.slice(0, 200)}`
  if (Status === 'STOPPED') {
    holds(stopAskedMs !== undefined, 'P5', () => `${shown}, and nobody stopped it`)
    return
  }
  holds(Status === 'SUCCEEDED', 'P1', () => shown)
  if (stoppedMs !== undefined) {
    holds(msOf(EndTimestamp) <= stoppedMs, 'P5', () => `${shown} after its stop was acknowledged at ${stoppedMs}`)
  }
  const expected = resultOf(order)
  if (expected !== undefined) holds(Result === JSON.stringify(expected), 'P1', () => shown)
  else for (const body of accepted) holds(resultIs(Result, body), 'P6', () => `${shown}, and ${body} was accepted`)
}

/** The SDK hands a callback's answer on as the text that it is. */
const resultIs = (result: string | undefined, body: string): boolean =>
  result === JSON.stringify(body) || result === body

/** What the notes alone tell: finished steps do not run again, waits and retries are not early, tokens are used once. */
function checkNotes({ order: { name }, notes }: Case, { holds }: Assertions): void {
  const done = new Set<string>()
  const beganMs = new Map<string, number>()
  const threwMs = new Map<string, number>()
  for (const { kind, what, atMs, more } of notes) {
    if (kind === 'done') done.add(what)
    else if (kind === 'ran') {
      holds(!done.has(what), 'P1', () => `${name}: ${what} ran again after it was finished`)
      const threw = threwMs.get(what)
      threwMs.delete(what)
      if (threw === undefined) continue
      holds(atMs - threw >= RETRY_MS, 'P4', () => `${name}: ${what} was tried again after ${atMs - threw} ms`)
    } else if (kind === 'threw') threwMs.set(what, atMs)
    // A handler comes by the same line in every invocation; the first time is the earliest that the wait can have begun.
    else if (kind === 'begin' && !beganMs.has(what)) beganMs.set(what, atMs)
    else if (kind === 'woke') {
      const passedMs = atMs - (beganMs.get(what) ?? Number.NaN)
      holds(passedMs >= Number(more) * 1_000, 'P4', () => `${name}: ${what} of ${more} s ended after ${passedMs} ms`)
    } else if (kind === 'stale') {
      holds(more === STALE_REFUSED, 'P2', () => `${name}: a checkpoint with a consumed token got ${more}`)
    } else if (kind === 'repeated') {
      // Refused is right when the invocation was superseded meanwhile.
      holds(more !== 'different', 'P3', () => `${name}: a repeated checkpoint got another token`)
    }
  }
}

/** P5 and P1: EventIds without gaps, one terminal event, the last; each step succeeded once. */
function checkShape(name: string, events: readonly HistoryEvent[], { holds }: Assertions): void {
  holds(
    events.every(({ EventId }, index) => EventId === index + 1),
    'P1',
    () => `${name}: its history has a gap`,
  )
  const terminal = events.filter(({ EventType }) => TERMINAL.test(EventType))
  holds(terminal.length === 1 && terminal[0] === events.at(-1), 'P5', () => `${name}: it did not end once, and last`)
  const ends = new Set<string>()
  for (const event of events) {
    const { EventType, Id = '' } = event
    const retried = EventType.startsWith('Step') && nextAttemptSeconds(event) !== undefined
    if (retried || !/^(Step|Wait|Callback|ChainedInvoke)(Succeeded|Failed|TimedOut|Stopped)$/.test(EventType)) continue
    holds(!ends.has(Id), 'P1', () => `${name}: operation ${Id} ended twice`)
    ends.add(Id)
  }
}

const nextAttemptSeconds = (event: HistoryEvent): number | undefined =>
  (event[`${event.EventType}Details`]?.['RetryDetails'] as { NextAttemptDelaySeconds?: number } | undefined)
    ?.NextAttemptDelaySeconds

/** P4 by the journal: no wait ends before it is due. */
function checkTimers(name: string, events: readonly HistoryEvent[], { holds }: Assertions): Timer[] {
  const due = new Map<string, number>()
  const timers: Timer[] = []
  for (const { EventType, Id = '', EventTimestamp, WaitStartedDetails } of events) {
    if (EventType === 'WaitStarted') due.set(Id, msOf(Number(WaitStartedDetails?.['ScheduledEndTimestamp'])))
    if (EventType !== 'WaitSucceeded') continue
    const timer = { dueMs: due.get(Id) ?? Number.NaN, firedMs: msOf(EventTimestamp) }
    holds(timer.firedMs >= timer.dueMs, 'P4', () => `${name}: a wait ended ${timer.dueMs - timer.firedMs} ms early`)
    timers.push(timer)
  }
  return timers
}

/** P1: what a function was told to be durable is in the history. */
function checkAcknowledged(
  { order: { name }, notes }: Case,
  events: readonly HistoryEvent[],
  { holds }: Assertions,
): void {
  const succeeded = new Set(events.filter(({ EventType }) => EventType === 'StepSucceeded').map(({ Name }) => Name))
  const claimed = notes.filter(({ kind }) => kind === 'done' || kind === 'acknowledged')
  for (const step of new Set(claimed.map(({ what }) => what))) {
    holds(succeeded.has(step), 'P1', () => `${name}: ${step} was acknowledged and is not in its history`)
  }
}

/** P6: at most one completion was accepted, and it is the one in the history. */
function checkCallback(
  { order: { name }, accepted }: Case,
  events: readonly HistoryEvent[],
  { holds }: Assertions,
): void {
  holds(accepted.length <= 1, 'P6', () => `${name}: its callback was accepted ${accepted.length} times`)
  const ends = events.filter(({ EventType }) => EventType === 'CallbackSucceeded')
  for (const body of accepted) {
    const recorded = ends[0]?.CallbackSucceededDetails?.['Result'] as { Payload?: string } | undefined
    holds(recorded?.Payload === body, 'P6', () => `${name}: ${body} was accepted, ${recorded?.Payload} is recorded`)
  }
}
