/**
 * The soak's work: starts executions at a fixed rate, plays the outside actors that they wait for, follows the ledger
 * and has every execution judged when it ends. Memory holds the open executions and nothing of the ended ones.
 */
import type { SeededRandom } from '../simulation/seeded-random.ts'
import { type Api, answered, type Description } from './api.ts'
import type { Disturbances } from './disturbances.ts'
import { judge } from './judge.ts'
import { hashOf, type Keeper } from './keeper.ts'
import type { Ledger, Note } from './ledger.ts'
import type { Measures } from './measures.ts'
import { drawQuick, drawStory, type Order } from './orders.ts'
import type { Violations } from './violations.ts'

interface Open {
  readonly order: Order
  readonly startedMs: number
  /** Set when the start was acknowledged and whatever was tried on its name is over. */
  arn: string | undefined
  readonly notes: Note[]
  readonly callbacks: Set<string>
  readonly accepted: string[]
  /** Calls to its callback whose outcome is not known yet. */
  answering: number
  stopAskedMs: number | undefined
  stoppedMs: number | undefined
  lookMs: number
  looking: boolean
}

export interface Rates {
  readonly quickPerSecond: number
  readonly storiesPerSecond: number
  readonly longestWaitSeconds: () => number
}

export interface WorkloadDeps {
  readonly api: Api
  readonly ledger: Ledger
  readonly keeper: Keeper
  readonly measures: Measures
  readonly disturbances: Disturbances
  readonly violations: Violations
  readonly random: SeededRandom
}

const TICK_MS = 50
const LOOKS_AT_A_TIME = 24
/** A note of its end may be lost with its process: then looking now and then finds that it has ended. */
const LOOK_AGAIN_MS = 10_000
const RETRY_MS = 100
/** Beyond so many seconds' worth of open quick executions nothing is started: a queue is not what is to be measured. */
const OPEN_SECONDS = 10
const OPEN_STORIES = 1_500
/** One in so many undisturbed quick executions has its history compared, those that lived through a fault all. */
const READ_WHOLLY = 0.05
/** A timer that is later than this, counted from the end of the last disturbance, breaks P4. */
export const LATENESS_BOUND_MS = 30_000
/** A timer is near a disturbance that was over so long before it was due. */
const AFTERMATH_MS = 2_000

export class Workload {
  readonly #deps: WorkloadDeps
  readonly #open = new Map<string, Open>()
  #openStories = 0
  #looks = 0
  #names = 0
  #quickOwed = 0
  #storiesOwed = 0
  #tickedMs = performance.now()
  #timer: NodeJS.Timeout | undefined
  #rates: Rates = { quickPerSecond: 0, storiesPerSecond: 0, longestWaitSeconds: () => 1 }
  started = 0
  /** Starts left out because too many executions were open. */
  heldBack = 0
  /** Notes of executions that had been judged already. */
  lateNotes = 0

  constructor(deps: WorkloadDeps) {
    this.#deps = deps
  }

  get open(): number {
    return this.#open.size
  }

  /** Begins, or goes on at other rates. */
  run(rates: Rates): void {
    this.#rates = rates
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Names of what has not ended, with what is known of it. */
  unfinished(): string[] {
    return [...this.#open.values()].map(
      ({ order, arn, notes }) => `${order.name} (${arn ?? 'start not acknowledged'}; ${notes.length} notes)`,
    )
  }

  #tick(): void {
    this.#startWhatIsOwed()
    this.#follow()
    this.#deps.keeper.deleteDue()
    const nowMs = Date.now()
    for (const open of this.#open.values()) {
      if (this.#looks >= LOOKS_AT_A_TIME) break
      if (open.looking || open.arn === undefined || open.lookMs > nowMs) continue
      this.#looks += 1
      open.looking = true
      void this.#look(open, open.arn).finally(() => {
        this.#looks -= 1
        open.looking = false
      })
    }
  }

  #startWhatIsOwed(): void {
    const nowMs = performance.now()
    const seconds = (nowMs - this.#tickedMs) / 1_000
    this.#tickedMs = nowMs
    const { quickPerSecond, storiesPerSecond, longestWaitSeconds } = this.#rates
    const { random } = this.#deps
    this.#quickOwed += seconds * quickPerSecond
    for (; this.#quickOwed >= 1; this.#quickOwed -= 1) {
      const full = this.#open.size - this.#openStories >= Math.max(50, quickPerSecond * OPEN_SECONDS)
      if (full) this.heldBack += 1
      else this.#begin(drawQuick(random, `quick-${++this.#names}`))
    }
    this.#storiesOwed += seconds * storiesPerSecond
    for (; this.#storiesOwed >= 1; this.#storiesOwed -= 1) {
      if (this.#openStories >= OPEN_STORIES) this.heldBack += 1
      else this.#begin(drawStory(random, `story-${++this.#names}`, longestWaitSeconds()))
    }
  }

  #begin(order: Order): void {
    const open: Open = {
      order,
      startedMs: Date.now(),
      arn: undefined,
      notes: [],
      callbacks: new Set(),
      accepted: [],
      answering: 0,
      stopAskedMs: undefined,
      stoppedMs: undefined,
      lookMs: Date.now() + LOOK_AGAIN_MS,
      looking: false,
    }
    this.#open.set(order.name, open)
    if (order.fn === 'story') this.#openStories += 1
    this.started += 1
    void this.#start(open)
  }

  /** P7: until it is acknowledged, then sometimes once more under the same name. */
  async #start(open: Open): Promise<void> {
    const { random, violations, disturbances, api } = this.#deps
    const { order } = open
    const sync = order.fn === 'quick' && random.chance(0.03)
    if (random.chance(0.01)) {
      disturbances.count('client connections cut')
      await api.start(order, { type: 'Event', cutAfterMs: random.between(0, 5) })
    }
    const arn = await this.#startUntilAcknowledged(order, sync)
    if (arn === undefined) return
    if (random.chance(0.03)) {
      disturbances.count('duplicate start')
      const again = await api.start(order, { type: 'Event' })
      if (answered(again)) {
        violations.check(
          again.arn === arn,
          'P7',
          () => `${order.name} is ${arn}, and started again ${again.arn} ${again.text}`,
        )
      }
    }
    if (random.chance(0.01)) {
      disturbances.count('contradicting start')
      const other = await api.start(order, { type: 'Event', body: JSON.stringify({ ...order, other: true }) })
      if (answered(other)) {
        violations.check(
          other.status === 409,
          'P7',
          () => `${order.name} was started with another input: ${other.status}`,
        )
      }
    }
    open.arn = arn
    if (order.fn === 'story' && order.kind === 'sleeper' && random.chance(0.1)) {
      setTimeout(() => void this.#stopExecution(open, arn), random.between(0, 8_000))
    }
  }

  async #startUntilAcknowledged(order: Order, sync: boolean): Promise<string | undefined> {
    const { api, violations } = this.#deps
    for (;;) {
      const answer = await api.start(order, { type: sync ? 'RequestResponse' : 'Event' })
      if (!answered(answer)) {
        await pause(RETRY_MS)
        continue
      }
      const right = sync ? answer.status === 200 && answer.text === JSON.stringify(order.name) : answer.status === 202
      violations.check(
        right && answer.arn !== undefined,
        'P7',
        () => `the start of ${order.name}: ${answer.status} ${answer.text}`,
      )
      if (answer.arn === undefined) this.#forget(order)
      return answer.arn
    }
  }

  async #stopExecution(open: Open, arn: string): Promise<void> {
    if (!this.#open.has(open.order.name)) return
    open.stopAskedMs = Date.now()
    const answer = await this.#deps.api.stop(arn)
    if (answer?.status !== 200) return
    this.#deps.disturbances.count('execution stopped')
    open.stoppedMs = Date.now()
    open.lookMs = 0
  }

  #follow(): void {
    for (const note of this.#deps.ledger.read()) {
      const open = this.#open.get(note.execution)
      if (open === undefined) this.lateNotes += note.execution.startsWith('past') ? 0 : 1
      else this.#heed(open, note)
    }
  }

  #heed(open: Open, note: Note): void {
    const { measures, disturbances } = this.#deps
    open.notes.push(note)
    if (note.kind === 'callback' && !open.callbacks.has(note.more)) {
      open.callbacks.add(note.more)
      void this.#answerCallback(open, note.more)
    } else if (note.kind === 'acknowledged') {
      measures.checkpoints += 1
      measures.checkpointMs.add(Number(note.more))
    } else if (note.kind === 'done') measures.checkpoints += 1
    else if (note.kind === 'lost') disturbances.count('answer lost')
    else if (note.kind === 'stale') disturbances.count('stale token')
    else if (note.kind === 'repeated') disturbances.count('repeated checkpoint')
    else if (note.kind === 'end') open.lookMs = 0
  }

  /** P6: sometimes two outsiders answer, at once or one after the other, and only one may be accepted. */
  async #answerCallback(open: Open, id: string): Promise<void> {
    const { random, disturbances } = this.#deps
    const bodies = random.chance(0.6) ? ['first', 'second'] : ['only']
    if (bodies.length > 1) disturbances.count('second callback answer')
    open.answering += bodies.length
    await pause(random.between(0, 3_000))
    const apartMs = random.chance(0.5) ? 0 : random.between(1, 500)
    await Promise.all(
      bodies.map(async (body, index) => {
        await pause(apartMs * index)
        await this.#complete(open, id, `${body}-${open.order.name}`)
        open.answering -= 1
      }),
    )
  }

  async #complete(open: Open, id: string, body: string): Promise<void> {
    const { api, violations } = this.#deps
    for (;;) {
      const answer = await api.callback(id, body)
      if (!answered(answer)) {
        await pause(RETRY_MS)
        continue
      }
      if (answer.status === 200) open.accepted.push(body)
      // The callback of a stopped execution, and one that has been answered, is refused in these words.
      const refused = answer.status === 400 && answer.text.includes('already completed')
      violations.check(
        answer.status === 200 || refused,
        'P6',
        () => `callback of ${open.order.name}: ${answer.status} ${answer.text}`,
      )
      return
    }
  }

  async #look(open: Open, arn: string): Promise<void> {
    const { api, violations } = this.#deps
    const found = await api.describe(arn)
    if (found === 'unanswered') {
      open.lookMs = Date.now() + RETRY_MS
    } else if (found === 'gone') {
      violations.add('P7', `${arn} was acknowledged and is not there`)
      this.#forget(open.order)
    } else if (found.is.Status === 'RUNNING') {
      violations.check(open.stoppedMs === undefined, 'P5', () => `${arn} runs after its stop was acknowledged`)
      const returned = open.notes.at(-1)?.kind === 'end'
      open.lookMs = Date.now() + (returned ? RETRY_MS : LOOK_AGAIN_MS)
    } else if (open.answering > 0) {
      open.lookMs = Date.now() + RETRY_MS
    } else {
      await this.#judge(open, arn, found.is)
    }
  }

  async #judge(open: Open, arn: string, description: Description): Promise<void> {
    const { api, keeper, measures, violations, random, disturbances } = this.#deps
    const { order, notes, accepted, startedMs, stopAskedMs, stoppedMs } = open
    const endedMs = Math.round((description.EndTimestamp ?? 0) * 1_000)
    const readWholly =
      order.fn === 'story' || disturbances.lastEnd(startedMs, endedMs) !== undefined || random.chance(READ_WHOLLY)
    const events = readWholly ? await api.history(arn) : undefined
    if (events === 'unanswered' || events === 'gone') {
      open.lookMs = Date.now() + RETRY_MS
      return
    }
    const childArn = events?.is.find(({ EventType }) => EventType === 'ChainedInvokeStarted')
      ?.ChainedInvokeStartedDetails?.['DurableExecutionArn']
    const childEvents = typeof childArn === 'string' ? await api.history(childArn) : undefined
    if (childEvents === 'unanswered') {
      open.lookMs = Date.now() + RETRY_MS
      return
    }
    const stopped = description.Status === 'STOPPED'
    // What was noted before its end has been written by now.
    this.#follow()
    const { findings, timers, checks } = judge({
      order,
      notes,
      description,
      accepted,
      ...(events === undefined ? {} : { events: events.is }),
      // The child of a stopped execution goes on by itself, so it may not have ended.
      ...(childEvents === undefined || childEvents === 'gone' || stopped ? {} : { childEvents: childEvents.is }),
      ...(stopAskedMs === undefined ? {} : { stopAskedMs }),
      ...(stoppedMs === undefined ? {} : { stoppedMs }),
    })
    violations.checked += checks
    for (const { promise, words } of findings) violations.add(promise, words)
    for (const { dueMs, firedMs } of timers) this.#measureTimer(order.name, dueMs, firedMs)
    measures.executions += 1
    if (order.fn === 'quick') measures.startToEndMs.add(endedMs - startedMs)
    this.#forget(order)
    keeper.take(arn, events === undefined ? undefined : hashOf(description, events.is))
    if (typeof childArn === 'string' && !stopped) keeper.take(childArn)
  }

  #measureTimer(name: string, dueMs: number, firedMs: number): void {
    const { measures, disturbances, violations } = this.#deps
    measures.timers += 1
    const disturbedUntilMs = disturbances.lastEnd(dueMs - AFTERMATH_MS, firedMs)
    const recoveryMs = firedMs - Math.max(dueMs, disturbedUntilMs ?? dueMs)
    if (disturbedUntilMs === undefined) measures.latenessMs.add(firedMs - dueMs)
    else {
      measures.latenessAfterFaultMs.add(firedMs - dueMs)
      measures.recoveryMs.add(recoveryMs)
    }
    violations.check(
      recoveryMs <= LATENESS_BOUND_MS,
      'P4',
      () => `${name}: a wait ended ${firedMs - dueMs} ms late, ${recoveryMs} ms after the last disturbance`,
    )
  }

  #forget(order: Order): void {
    if (this.#open.delete(order.name) && order.fn === 'story') this.#openStories -= 1
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
