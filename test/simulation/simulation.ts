/**
 * One simulated world: the service with its timers, queues and outbox, a store, functions and clients, in one thread
 * on one agenda. First everything goes wrong that the seed says; then the world is fair, and within a bounded time
 * every execution has to end, every duty to be done and every promise to be kept.
 */
import type { Store } from '../../src/journal/store.ts'
import { DEFAULT_PLACE, parseExecutionArn } from '../../src/protocol/arn.ts'
import { DEFAULT_LIMITS, type Limits } from '../../src/protocol/limits.ts'
import type { DurableService } from '../../src/service/api.ts'
import { uuidOf } from '../../src/service/clock-adapters.ts'
import { createDurableService } from '../../src/service/durable-service.ts'
import type { Clock, Functions, FunctionVersion, Timers } from '../../src/service/ports.ts'
import { Agenda, FOREVER, type Life } from './agenda.ts'
import { type Disk, memoryDisk, sqliteDisk } from './disks.ts'
import { Faults } from './faults.ts'
import { FaultyStore, InjectedFailure, type Tear } from './faulty-store.ts'
import { Gate, type Port, PortCalls } from './gate.ts'
import { boundMs, checkEnds, checkStore, checkTold, Overdue } from './invariants.ts'
import { Ledger } from './ledger.ts'
import { LostBatches } from './lost-batches.ts'
import { Network, type Server, TransportError } from './network.ts'
import { Outside } from './outside.ts'
import { type Counts, type PromiseName, Promises } from './promises.ts'
import { type Scenario, type ScenarioName, scenarioOf } from './scenario.ts'
import { SeededRandom } from './seeded-random.ts'
import { Shadows } from './shadow.ts'
import { drawVersions, SimulatedFunctions } from './simulated-functions.ts'
import { DEAD_LETTERS, DEAD_LETTERS_AT, LISTENER, SimulatedWebhooks, Told } from './simulated-webhooks.ts'
import { VirtualClock } from './virtual-clock.ts'

/** Deliberate defects, to see that they are noticed. */
export interface Sabotage {
  readonly store?: (store: Store) => Store
  readonly service?: (service: DurableService) => DurableService
  readonly clock?: (clock: Clock) => Clock
  readonly timers?: (timers: Timers) => Timers
  readonly functions?: (functions: Functions) => Functions
  /** What a crash leaves of a batch, in place of what the store's contract leaves. */
  readonly tear?: Tear
}

/** Which world: the same answer to this question is the same run. */
export interface WorldId {
  readonly seed: number
  readonly scenario: ScenarioName
  /** The server crashes at these calls over its ports, counted from 1 through all its lives. */
  readonly crashAt?: readonly number[]
}

export interface Run {
  readonly world: WorldId
  /** The first invariant that did not hold. */
  readonly violation: string | undefined
  readonly log: readonly string[]
  readonly simulatedMs: number
  readonly happenings: number
  readonly executions: number
  readonly acknowledged: number
  readonly crashes: number
  readonly portCalls: number
  readonly crashesAt: Counts<Port>
  readonly checked: Counts<PromiseName>
  readonly faults: ReadonlyMap<string, number>
  readonly sqlite: boolean
  /** The latest that a timer of an execution at rest fired while nothing else went wrong. */
  readonly latestTimerMs: number
}

export async function simulate(world: WorldId, sabotage: Sabotage = {}): Promise<Run> {
  return new World(world, sabotage).run()
}

/** A server process: alive from its boot, listening from when its recovery is done. */
interface Booted {
  readonly life: Life
  readonly gate: Gate
  readonly store: FaultyStore
  readonly functions: SimulatedFunctions
  readonly webhooks: SimulatedWebhooks
  server: Server | undefined
  draining: boolean
}

const told = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

/** The share of worlds whose store is SQLite. */
const SQLITE_SHARE = 0.15
const AFTERMATH_MS = 60_000
/** The most that a disk takes which is in order, one way. */
const FAST_DISK_MS = 2
const DRAIN_GRACE_MS = 10_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

class World {
  readonly #id: WorldId
  readonly #scenario: Scenario
  readonly #portCalls: PortCalls
  readonly #sabotage: Sabotage
  readonly #log: string[] = []
  readonly #random: SeededRandom
  readonly #faults: Faults
  readonly #agenda: Agenda
  readonly #clock: VirtualClock
  readonly #disk: Disk
  /** One batch is one transaction. */
  readonly #atomic: boolean
  readonly #sqlite: boolean
  readonly #promises: Promises
  readonly #shadows: Shadows
  readonly #ledger: Ledger
  readonly #told: Told
  readonly #lost: LostBatches
  readonly #network: Network
  readonly #outside: Outside
  #overdue = new Overdue()
  readonly #versions: readonly FunctionVersion[]
  readonly #limits: Limits
  readonly #cacheBytes: number
  #booted: Booted | undefined
  #boots = 0
  #crashes = 0
  #violation: string | undefined
  #calmSinceMs: number | undefined
  /** When the server that now listens began to, and what the last faults left was over: by the clock. */
  #listensSinceMs: number | undefined
  #fairFromMs: number | undefined
  /** When the disk answers again, by the agenda. */
  #stalledUntilMs = 0
  #latestTimerMs = 0
  /** Everything owed has happened. */
  #atRest = false

  constructor(id: WorldId, sabotage: Sabotage) {
    this.#id = id
    this.#sabotage = sabotage
    const random = new SeededRandom(id.seed, id.scenario === 'storm' ? '' : id.scenario)
    this.#random = random
    const scenario = scenarioOf(id.scenario, random.fork('scenario'))
    this.#scenario = scenario
    this.#portCalls = new PortCalls(id.crashAt ?? [])
    this.#faults = new Faults(random.fork('faults'), {
      fair: scenario.fair,
      minuteMs: scenario.faultMinuteMs,
      always: scenario.always,
    })
    this.#agenda = new Agenda(random.fork('agenda'))
    const lateness = random.fork('lateness')
    this.#clock = new VirtualClock(this.#agenda, () =>
      this.#faults.strikes('timerLate') ? lateness.between(1, 20_000) : 0,
    )
    this.#sqlite = random.chance(SQLITE_SHARE)
    this.#disk = this.#sqlite ? sqliteDisk() : memoryDisk()
    this.#atomic = this.#sqlite || random.chance(0.5)
    this.#promises = new Promises(this.#report)
    this.#shadows = new Shadows({
      promises: this.#promises,
      latestMs: () => this.#clock.latestMs,
      nowMs: () => this.#clock.now(),
      fairSinceMs: () => this.#fairSinceMs,
      firedLate: (lateMs) => {
        this.#latestTimerMs = Math.max(this.#latestTimerMs, lateMs)
      },
      runs: (requestId) => this.#booted?.functions.runs(requestId) ?? false,
      heartbeatDueMs: (...of) => this.#ledger.heartbeatDueMs(...of),
      produced: (...result) => this.#ledger.produced(...result),
      log: this.#note,
    })
    this.#told = new Told(this.#report)
    this.#lost = new LostBatches(this.#shadows)
    this.#ledger = new Ledger({ shadows: this.#shadows, promises: this.#promises, clock: this.#clock })
    this.#network = new Network({
      agenda: this.#agenda,
      faults: this.#faults,
      random: random.fork('network'),
      server: () => this.#booted?.server,
    })
    this.#outside = new Outside({
      ...this.#common('outside'),
      scenario,
      resolve: (name) => this.#booted?.functions.resolve(name, '$LATEST'),
    })
    const { executionTimeoutSeconds: ExecutionTimeout, retentionDays: RetentionPeriodInDays } = scenario
    this.#versions = drawVersions(random, { ExecutionTimeout, RetentionPeriodInDays }, scenario.concurrency)
    this.#limits = { ...DEFAULT_LIMITS, eventOperations: random.pick([2, 5, 1_000]) }
    this.#cacheBytes = random.pick([1, 20_000, 268_435_456])
  }

  async run(): Promise<Run> {
    const unhandled = (error: unknown): void => this.#report(`nobody handles ${told(error)}`)
    process.on('unhandledRejection', unhandled)
    try {
      await this.#live()
    } catch (error) {
      this.#report(`the world broke: ${told(error)}`)
    }
    // Rejections that nobody handles are reported between macrotasks.
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', unhandled)
    this.#disk.discard()
    return {
      world: this.#id,
      violation: this.#violation,
      log: this.#log,
      simulatedMs: this.#agenda.nowMs,
      happenings: this.#agenda.taken,
      executions: this.#shadows.byId.size,
      acknowledged: this.#ledger.acknowledged,
      crashes: this.#crashes,
      portCalls: this.#portCalls.count,
      crashesAt: this.#portCalls.crashesAt,
      checked: this.#promises.checked,
      faults: this.#faults.struck,
      sqlite: this.#sqlite,
      latestTimerMs: this.#latestTimerMs,
    }
  }

  async #live(): Promise<void> {
    const store = this.#sqlite ? 'SQLite' : this.#atomic ? 'memory, batch by batch' : 'memory, item by item'
    this.#note(`${this.#id.scenario} ${this.#id.seed}, store: ${store}, faults: ${this.#faults}`)
    this.#boot()
    this.#outside.begin()
    this.#tick()
    await this.#agenda.run(() => this.#failed, this.#scenario.chaosMs)
    this.#becomeCalm()
    await this.#agenda.run(() => this.#failed || this.#settled, Number.POSITIVE_INFINITY)
    this.#atRest = true
    if (!this.#failed) await this.#checkEnd()
  }

  readonly #report = (violation: string): void => {
    this.#note(`VIOLATION ${violation}`)
    this.#violation ??= violation
  }

  readonly #note = (line: string): void => {
    this.#log.push(`${(this.#agenda.nowMs / 1_000).toFixed(3).padStart(10)} ${line}`)
  }

  /** How long what was slow or late before the calm may still be under way: two slow or stalled calls, a late timer. */
  get #aftermathMs(): number {
    return this.#scenario.fair ? 0 : AFTERMATH_MS + 2 * this.#scenario.stallMs
  }

  /** Since when nothing has gone wrong, while a server listens (P4). */
  get #fairSinceMs(): number | undefined {
    const fairFromMs = this.#scenario.fair ? 0 : this.#fairFromMs
    if (fairFromMs === undefined || this.#listensSinceMs === undefined) return undefined
    if (this.#booted?.server === undefined || this.#booted.draining) return undefined
    return Math.max(fairFromMs, this.#listensSinceMs)
  }

  get #failed(): boolean {
    return this.#violation !== undefined
  }

  // --------------------------------------------------------------------------------------------- the server's lives

  #common(name: string) {
    return {
      agenda: this.#agenda,
      clock: this.#clock,
      faults: this.#faults,
      random: this.#random.fork(name),
      network: this.#network,
      ledger: this.#ledger,
      shadows: this.#shadows,
      promises: this.#promises,
      log: this.#note,
    }
  }

  #boot(): void {
    const name = `server ${++this.#boots}`
    const life: Life = { alive: true }
    this.#note(`${name} boots`)
    const { callbackKnown } = this.#outside
    const gate = new Gate({
      life,
      faults: this.#faults,
      calls: this.#portCalls,
      crash: (why) => this.#crash(why),
    })
    const functions = new SimulatedFunctions(
      { ...this.#common(`functions of ${name}`), callbackKnown: callbackKnown.bind(this.#outside) },
      life,
      this.#versions,
    )
    const webhooks = new SimulatedWebhooks(this.#common(`webhooks of ${name}`), life, this.#told)
    const store = new FaultyStore({
      ...this.#common(`store of ${name}`),
      store: this.#disk.open(),
      life,
      gate,
      atomic: this.#atomic,
      lost: this.#lost,
      tear: this.#sabotage.tear,
      slowestMs: () => (this.#faults.isCalm ? FAST_DISK_MS : this.#scenario.diskMs),
      stalledMs: () => Math.max(0, this.#stalledUntilMs - this.#agenda.nowMs),
      crash: (why) => this.#crash(why),
    })
    const booted: Booted = { life, gate, store, functions, webhooks, server: undefined, draining: false }
    this.#booted = booted
    this.#serve(name, booted).catch((error: unknown) => {
      // As a process that cannot start: its supervisor tries again.
      if (life.alive) this.#crash(`recovery failed: ${error}`)
      if (!(error instanceof InjectedFailure)) this.#report(`${name} cannot start: ${error}`)
    })
  }

  async #serve(name: string, booted: Booted): Promise<void> {
    const { life, gate, store } = booted
    const { service: sabotaged, store: broken, clock: wrong, timers: odd, functions: rogue } = this.#sabotage
    const chance = this.#random.fork(`entropy of ${name}`)
    const clock = gate.clock(this.#clock)
    const timers = gate.timers(this.#clock.timersOf(life))
    const functions = gate.functions(booted.functions)
    await this.#lost.check(this.#disk.open(), this.#report)
    const service = await createDurableService({
      store: broken?.(store) ?? store,
      functions: rogue?.(functions) ?? functions,
      clock: wrong?.(clock) ?? clock,
      timers: odd?.(timers) ?? timers,
      entropy: gate.entropy({ hex: (bytes) => chance.hex(bytes), uuid: () => uuidOf(chance.hex(16)) }),
      place: DEFAULT_PLACE,
      limits: this.#limits,
      webhooks: gate.webhooks(booted.webhooks),
      destinations: { [DEAD_LETTERS]: DEAD_LETTERS_AT },
      events: [LISTENER],
      cacheBytes: this.#cacheBytes,
      nextTurn: gate.nextTurn((call) => this.#agenda.after(0, life, call)),
      wall: { clock, timers },
      log: (level, message, error) => this.#serviceSays(life, level, message, error),
    })
    if (!life.alive) return
    this.#note(`${name} listens`)
    this.#listensSinceMs = this.#clock.now()
    booted.server = { life, gate, service: sabotaged?.(service) ?? service, connections: new Set() }
  }

  #serviceSays(life: Life, level: string, message: string, error: unknown): void {
    if (!life.alive) return
    this.#note(`service ${level}: ${message}${error === undefined ? '' : ` (${error})`}`)
    const expected = error instanceof InjectedFailure || error === undefined
    if (level === 'error' && !expected) this.#report(`the service says: ${message} (${told(error)})`)
  }

  #crash(why: string): void {
    const booted = this.#booted
    if (booted === undefined) return
    this.#note(`server crashes ${why}`)
    this.#crashes++
    this.#end(booted)
  }

  /** The process is gone, and with it all that it had in memory; another one comes up after a while. */
  #end({ life, store, functions, server }: Booted): void {
    life.alive = false
    this.#booted = undefined
    store.severed()
    functions.serverDied()
    for (const broken of server?.connections ?? []) broken(new TransportError('connection reset'))
    this.#agenda.after(this.#random.between(0, this.#random.pick(this.#scenario.downMs)), FOREVER, () => this.#boot())
  }

  /** A restart as operators do it: the service may end what it does first. */
  #restart(booted: Booted): void {
    const { server, life } = booted
    if (server === undefined || booted.draining) return
    this.#note('server drains')
    booted.draining = true
    void server.service.drain(DRAIN_GRACE_MS).then(() => {
      if (!life.alive) return
      this.#note('server has drained')
      this.#end(booted)
    })
  }

  // -------------------------------------------------------------------------------------------------- what happens

  #tick(): void {
    if (this.#calmSinceMs === undefined) this.#misfortunes()
    else if (this.#atRest) return
    else this.#checkProgress(this.#agenda.nowMs - this.#calmSinceMs)
    this.#agenda.after(this.#scenario.tickMs, FOREVER, () => this.#tick())
  }

  #checkProgress(calmMs: number): void {
    // Nothing can be done in time while no server listens: from its recovery on.
    if (this.#booted?.server === undefined || calmMs < this.#aftermathMs) this.#overdue = new Overdue()
    this.#overdue.check(this.#shadows, this.#agenda.nowMs, this.#clock.now(), this.#promises)
    if (!this.#settled && calmMs > boundMs(this.#shadows)) {
      this.#report(`the world has not come to rest: ${this.#unrest()} (I5)`)
    }
  }

  #misfortunes(): void {
    const random = this.#random
    const { tickMs, forwardMs, backMs, stallMs } = this.#scenario
    const strikes = (kind: Parameters<Faults['strikes']>[0]): boolean => this.#faults.strikesWithin(kind, tickMs)
    if (strikes('crashPerMinute')) this.#crash('out of the blue')
    if (strikes('restartPerMinute') && this.#booted !== undefined) this.#restart(this.#booted)
    if (strikes('clockForwardPerMinute')) this.#jump(random.between(1, random.pick(forwardMs)))
    if (strikes('clockBackPerMinute')) this.#jump(-random.between(1, random.pick(backMs)))
    if (strikes('functionGonePerMinute')) this.#withdraw()
    if (strikes('diskStallsPerMinute')) this.#stall(random.between(1, stallMs))
  }

  /** The disk answers nobody for a while; requests time out meanwhile. */
  #stall(forMs: number): void {
    this.#note(`disk stalls for ${forMs} ms`)
    this.#stalledUntilMs = this.#agenda.nowMs + forMs
  }

  #jump(byMs: number): void {
    this.#note(`clock jumps by ${byMs} ms`)
    this.#clock.jump(byMs)
  }

  #withdraw(): void {
    const functions = this.#booted?.functions
    if (functions === undefined) return
    const { name } = this.#random.pick(this.#versions)
    this.#note(`function ${name} is withdrawn`)
    functions.declare(name, false)
    const forMs = this.#random.between(1_000, this.#scenario.withdrawnMs)
    this.#agenda.after(forMs, FOREVER, () => functions.declare(name, true))
  }

  #becomeCalm(): void {
    this.#note('calm')
    this.#calmSinceMs = this.#agenda.nowMs
    this.#fairFromMs = this.#clock.now() + this.#aftermathMs
    this.#stalledUntilMs = 0
    this.#faults.calm()
    this.#clock.rearm()
    for (const { name } of this.#versions) this.#booted?.functions.declare(name, true)
  }

  // ----------------------------------------------------------------------------------------------------- the end

  get #settled(): boolean {
    const booted = this.#booted
    if (booted?.server === undefined || booted.draining || booted.functions.slotsInUse > 0) return false
    if (!this.#outside.idle || this.#shadows.outbox.size > 0) return false
    return this.#shadows.byId.values().every(({ state }) => state.status !== 'RUNNING')
  }

  #unrest(): string {
    const open = [...this.#shadows.byId.values()].filter(({ state }) => state.status === 'RUNNING')
    const slots = this.#booted?.functions.slotsInUse
    const people = this.#outside.idle ? '' : ', somebody waits for an answer'
    return `open ${open.map(({ id }) => id)}, outbox ${[...this.#shadows.outbox.keys()]}, ${slots} slots${people}`
  }

  async #checkEnd(): Promise<void> {
    checkEnds({ shadows: this.#shadows, ledger: this.#ledger, told: this.#told }, this.#limits, this.#promises)
    checkTold(this.#shadows, this.#ledger, this.#told, this.#promises)
    await checkStore(this.#disk.open(), this.#shadows, this.#promises)
    await this.#happens('the last read', HOUR_MS, () => this.#readAll())
    if (!this.#failed) await this.#happens('the retention sweep', 6 * HOUR_MS, () => this.#retire())
    const service = this.#booted?.server?.service
    if (service !== undefined && !this.#failed)
      await this.#happens('the last drain', MINUTE_MS, () => service.drain(DRAIN_GRACE_MS))
  }

  /** Lets the world happen until the work is done. */
  async #happens(what: string, withinMs: number, work: () => Promise<void>): Promise<void> {
    let done = false
    work().then(
      () => {
        done = true
      },
      (error: unknown) => this.#report(`${what}: ${told(error)}`),
    )
    const ended = await this.#agenda.run(() => done || this.#failed, this.#agenda.nowMs + withinMs)
    if (!ended) this.#report(`${what} does not end`)
  }

  /** Every execution as the API shows it is as the journal says. */
  async #readAll(): Promise<void> {
    for (const { id, state, history } of this.#shadows.byId.values()) {
      if (this.#ledger.isGone(id)) continue
      const arn = parseExecutionArn(state.start.arn)
      if (arn === undefined) return this.#report(`${state.start.arn} is no ARN`)
      const description = await this.#outside.persist((service) => service.describe({ arn, includeData: true }))
      if (description.Status !== state.status) this.#report(`${id} is shown as ${description.Status}`)
      this.#ledger.described(id, description)
      const request = { arn, includeData: true, reverse: false, maxItems: 1_000 }
      const { Events } = await this.#outside.persist((service) => service.history(request))
      const same = JSON.stringify(Events) === `[${history.join(',')}]`
      this.#promises.expect('P5', same, () => `${id} has another history (I6)`)
    }
  }

  /** When retention is over, nothing is left (spec 08 §8.6). */
  async #retire(): Promise<void> {
    // What still queues for a busy function on behalf of executions that have ended goes first.
    await this.#agenda.pause(MINUTE_MS, FOREVER)
    this.#jump((this.#scenario.retentionDays + 1) * DAY_MS)
    // Whose first sweep a crash interrupts sweeps an hour after it is back.
    await this.#agenda.pause(4 * HOUR_MS, FOREVER)
    const store = this.#disk.open()
    for (const { id } of this.#shadows.byId.values()) {
      if ((await store.findById(id)) !== undefined) this.#report(`${id} outlives its retention`)
    }
  }
}
