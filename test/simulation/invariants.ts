/**
 * What has to hold of a whole world: nothing that is due stays undone once the faults are over (I5), and in the end
 * store, journal and every answer of the API say the same. What has to hold of every single entry and answer is
 * checked where these pass by: `shadow.ts` and `ledger.ts`.
 */
import { isDeepStrictEqual } from 'node:util'
import { apply, found } from '../../src/engine/apply.ts'
import { decodeEntry } from '../../src/engine/codec.ts'
import type { ExecutionState, JournalEvent } from '../../src/engine/model.ts'
import { readSnapshot, writeSnapshot } from '../../src/engine/snapshot.ts'
import type { Store } from '../../src/journal/store.ts'
import type { Limits } from '../../src/protocol/limits.ts'
import { DEFAULT_EVENT_AGE_SECONDS } from '../../src/service/queued-invocations.ts'
import { type Ledger, lineOf, textOf } from './ledger.ts'
import { longestMs, type Program } from './program.ts'
import type { Promises } from './promises.ts'
import { leavesDeadLetter, type Shadow, type Shadows } from './shadow.ts'
import type { Told } from './simulated-webhooks.ts'

/** How long something due may stay undone in a world without faults: a slow look, a queue before a busy function. */
const TIMER_GRACE_MS = 15_000
const INVOCATION_GRACE_MS = 300_000

/** Looks for what is overdue, now and then, once the faults are over. */
export class Overdue {
  readonly #since = new Map<string, number>()

  /** `agendaMs` never jumps, `wallMs` is what the service goes by. */
  check(shadows: Shadows, agendaMs: number, wallMs: number, promises: Promises): void {
    const overdue = new Map<string, number>()
    for (const { id, state } of shadows.byId.values()) {
      for (const [what, graceMs] of overdueOf(state, wallMs)) {
        const key = `${id}: ${what}`
        const since = this.#since.get(key) ?? agendaMs
        overdue.set(key, since)
        if (agendaMs - since > graceMs) promises.report(`${key} is overdue since ${agendaMs - since} ms (I5)`)
      }
    }
    this.#since.clear()
    for (const [key, since] of overdue) this.#since.set(key, since)
  }
}

function overdueOf(state: ExecutionState, now: number): [string, number][] {
  if (state.status !== 'RUNNING') return []
  const deadlineMs = state.startedAt + state.start.config.ExecutionTimeout * 1_000
  if (now >= deadlineMs) return [['the end of ExecutionTimeout', TIMER_GRACE_MS]]
  if (state.invocation !== undefined) return []
  if (state.inbox.length > 0) return [['a completion in the inbox', TIMER_GRACE_MS]]
  // What comes due while an invocation waits for its function is taken in when that begins.
  if (state.invokeAt !== undefined && state.invokeAt <= now) return [['an invocation', INVOCATION_GRACE_MS]]
  return state.nextDueAt <= now ? [[`a timer of ${state.nextDueAt}`, TIMER_GRACE_MS]] : []
}

const longest = new WeakMap<Shadow, number>()

/** How long all executions together may take when nothing goes wrong any more. */
export function boundMs(shadows: Shadows): number {
  let sum = 1_800_000
  for (const shadow of shadows.byId.values()) {
    const ms = longest.get(shadow) ?? longestOf(shadow)
    longest.set(shadow, ms)
    sum += ms
  }
  return sum
}

function longestOf({ state, readText }: Shadow): number {
  const input = typeof state.input === 'object' ? readText(state.input) : state.input
  return longestMs((JSON.parse(input) as Program).acts)
}

/** The store holds what it was made to hold, and folding it again gives the same state. */
export async function checkStore(store: Store, shadows: Shadows, promises: Promises): Promise<void> {
  for (const shadow of shadows.byId.values()) await checkRows(store, shadow, promises)
  const owed = await store.listOutbox({ afterId: '', limit: 100 })
  if (owed.length > 0) promises.report(`the outbox still holds ${owed.map(({ id }) => id)}`)
}

async function checkRows(store: Store, shadow: Shadow, promises: Promises): Promise<void> {
  const { report } = promises
  const { id, state } = shadow
  const row = await store.findById(id)
  if (state.deletedAt !== undefined) promises.expect('P1', shadow.gone, () => `${id} was deleted and is still there`)
  promises.expect('P1', (row === undefined) === shadow.gone, () => {
    return row === undefined ? `${id} is not in the store any more` : `${id} was removed and is in the store`
  })
  if (row === undefined) return
  const rows = await store.readJournal({ key: row.key, afterSeq: 0, maxBytes: Number.POSITIVE_INFINITY })
  const texts = rows.map(({ text }) => text)
  const same = texts.join('\n') === shadow.texts.join('\n')
  promises.expect('P1', same, () => `${id}: the store holds another journal (I2)`)
  const { status, endedAt, wake } = row
  if (JSON.stringify({ status, endedAt, wake }) !== JSON.stringify(shadow.index)) {
    report(`${id}: the store holds another index row`)
  }
  if (!isDeepStrictEqual(refold(texts), state)) report(`${id}: folding the journal gives another state (I8)`)
  if (!isDeepStrictEqual(readSnapshot(writeSnapshot(state)), state)) {
    report(`${id}: its snapshot gives another state (I8)`)
  }
}

function refold(texts: readonly string[]): ExecutionState {
  const [first = '', ...rest] = texts
  const state = found(decodeEntry(first))
  for (const text of rest) apply(state, decodeEntry(text))
  return state
}

const EVENT_AGE_MS = DEFAULT_EVENT_AGE_SECONDS * 1_000
/** How far the server's clock may have been from that of the world. */
const CLOCK_JUMPS_MS = 600_000

/** Every execution has ended, for a reason that somebody gave. */
export function checkEnds(
  { shadows, ledger, told }: { shadows: Shadows; ledger: Ledger; told: Told },
  limits: Limits,
  promises: Promises,
): void {
  for (const shadow of shadows.byId.values()) {
    const wrong = wrongEnd(shadow, ledger, limits)
    promises.expect('P7', wrong === undefined, () => `${shadow.id} ${wrong}`)
  }
  for (const [requestId, acceptedAt] of ledger.plainAccepted) {
    const { response, error } = ledger.plainEnds.get(requestId) ?? { response: 0, error: 0 }
    // Once with success, or given up after two retries or at its age (spec 07 §7.7).
    promises.expect('P7', response > 0 || error >= 3 || tooOld(told, requestId, acceptedAt), () => {
      return `plain invocation ${requestId} was accepted and is not done: ${error} failures`
    })
  }
}

/** It was told that the event had become too old, and it had: a server may be down for days. */
function tooOld(told: Told, requestId: string, acceptedAt: number): boolean {
  const record = JSON.parse(told.bodies.get(`record ${requestId}`) ?? '{}')
  const { condition } = record.requestContext ?? {}
  return condition === 'EventAgeExceeded' && Date.parse(record.timestamp) - acceptedAt >= EVENT_AGE_MS - CLOCK_JUMPS_MS
}

/** Whoever was to be told has been told (decision 52): of each start and end, and of what failed for good. */
export function checkTold(shadows: Shadows, ledger: Ledger, told: Told, promises: Promises): void {
  const expect = (what: string, isRight: (body: string) => boolean = () => true): void => {
    const body = told.bodies.get(what)
    promises.expect('P1', body !== undefined && isRight(body), () => `'${what}' was told as ${body}`)
  }
  for (const { id, state, readText } of shadows.byId.values()) {
    const { start, status } = state
    for (const each of ['RUNNING', status]) expect(`status ${start.arn} ${each}`)
    if (!leavesDeadLetter(state)) continue
    const input = typeof state.input === 'object' ? readText(state.input) : state.input
    expect(`dead ${id}`, (body) => body === input)
  }
  for (const requestId of ledger.plainAccepted.keys()) {
    expect(`record ${requestId}`)
    const { requestContext } = JSON.parse(told.bodies.get(`record ${requestId}`) ?? '{}')
    if (requestContext?.condition !== 'Success') expect(`dead ${requestId}`)
  }
}

function wrongEnd(shadow: Shadow, ledger: Ledger, limits: Limits): string | undefined {
  const { state, id } = shadow
  switch (state.status) {
    case 'RUNNING':
      return 'has not ended (I5)'
    case 'SUCCEEDED':
      return returnedBy(shadow, ledger)
        ? undefined
        : `succeeded with ${textOf(shadow, state.result)}, which nobody returned`
    case 'FAILED': {
      const error = lineOf(state.error ?? {})
      if (ledger.hasReturned(id, error) || givenUp(shadow, limits)) return undefined
      return `failed with ${error}, which nobody returned`
    }
    case 'STOPPED':
      return ledger.stopsAsked.has(id) ? undefined : 'was stopped by nobody'
    case 'TIMED_OUT':
      return undefined
  }
}

/** The result came with the response, or with an EXECUTION update before it. */
function returnedBy(shadow: Shadow, ledger: Ledger): boolean {
  const result = textOf(shadow, shadow.state.result) ?? ''
  if (ledger.hasReturned(shadow.id, result)) return true
  return shadow.entries.some((entry) => entry.kind === 'checkpointed' && entry.outcome?.result === result)
}

/** Its invocations failed for so long that it was given up with the last error (decision 17). */
function givenUp({ entries, state }: Shadow, limits: Limits): boolean {
  let failingSince: number | undefined
  for (const { events, ...entry } of entries) {
    const end = events.find((event: JournalEvent) => event.type === 'InvocationCompleted')
    if (end === undefined) continue
    if (entry.kind === 'invocationEnded' && entry.normal && state.endedAt !== entry.at) failingSince = undefined
    else failingSince ??= end.startedAt
    const sameError = JSON.stringify(end.error) === JSON.stringify(state.error)
    if (sameError && failingSince !== undefined && entry.at - failingSince >= limits.invocationRetryGiveUpMs)
      return true
  }
  return false
}
