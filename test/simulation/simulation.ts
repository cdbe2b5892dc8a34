/**
 * One simulated world: the service with its timers, queues and outbox, a store, functions and clients, in one thread
 * on one agenda. First everything goes wrong that the seed says; then the world is fair, and within a bounded time
 * every execution has to end, every duty to be done and every promise to be kept.
 */
import { MemoryStore } from '../../src/journal/memory/memory-store.ts'
import type { Store } from '../../src/journal/store.ts'
import { DEFAULT_PLACE, parseExecutionArn } from '../../src/protocol/arn.ts'
import { DEFAULT_LIMITS, type Limits } from '../../src/protocol/limits.ts'
import type { DurableService } from '../../src/service/api.ts'
import { uuidOf } from '../../src/service/clock-adapters.ts'
import { createDurableService } from '../../src/service/durable-service.ts'
import type { Clock, FunctionVersion, Timers } from '../../src/service/ports.ts'
import { Agenda, FOREVER, type Life } from './agenda.ts'
import { Faults } from './faults.ts'
import { FaultyStore, InjectedFailure } from './faulty-store.ts'
import { boundMs, checkEnds, checkStore, Overdue } from './invariants.ts'
import { Ledger } from './ledger.ts'
import { Network, type Server, TransportError } from './network.ts'
import { Outside } from './outside.ts'
import { SeededRandom } from './seeded-random.ts'
import { Shadows } from './shadow.ts'
import { drawVersions, SimulatedFunctions } from './simulated-functions.ts'
import { VirtualClock } from './virtual-clock.ts'

/** Deliberate defects, to see that they are noticed. */
export interface Sabotage {
  readonly store?: (store: Store) => Store
  readonly service?: (service: DurableService) => DurableService
  readonly clock?: (clock: Clock) => Clock
  readonly timers?: (timers: Timers) => Timers
}

export interface Run {
  readonly seed: number
  /** The first invariant that did not hold. */
  readonly violation: string | undefined
  readonly log: readonly string[]
  readonly simulatedMs: number
  readonly happenings: number
  readonly executions: number
  readonly acknowledged: number
  readonly crashes: number
}

export async function simulate(seed: number, sabotage: Sabotage = {}): Promise<Run> {
  return new World(seed, sabotage).run()
}

/** A server process: alive from its boot, listening from when its recovery is done. */
interface Booted {
  readonly life: Life
  readonly store: FaultyStore
  readonly functions: SimulatedFunctions
  server: Server | undefined
  draining: boolean
}

const told = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error))

const TICK_MS = 5_000
const DRAIN_GRACE_MS = 10_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

class World {
  readonly #seed: number
  readonly #sabotage: Sabotage
  readonly #log: string[] = []
  readonly #random: SeededRandom
  readonly #faults: Faults
  readonly #agenda: Agenda
  readonly #clock: VirtualClock
  readonly #store = new MemoryStore()
  readonly #shadows: Shadows
  readonly #ledger: Ledger
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

  constructor(seed: number, sabotage: Sabotage) {
    this.#seed = seed
    this.#sabotage = sabotage
    const random = new SeededRandom(seed)
    this.#random = random
    this.#faults = new Faults(random.fork('faults'))
    this.#agenda = new Agenda(random.fork('agenda'))
    const lateness = random.fork('lateness')
    this.#clock = new VirtualClock(this.#agenda, () =>
      this.#faults.strikes('timerLate') ? lateness.between(1, 20_000) : 0,
    )
    this.#shadows = new Shadows(this.#report, {
      latestMs: () => this.#clock.latestMs,
      runs: (requestId) => this.#booted?.functions.runs(requestId) ?? false,
      heartbeatDueMs: (...of) => this.#ledger.heartbeatDueMs(...of),
      produced: (...result) => this.#ledger.produced(...result),
      log: this.#note,
    })
    this.#ledger = new Ledger({ shadows: this.#shadows, report: this.#report, clock: this.#clock })
    this.#network = new Network({
      agenda: this.#agenda,
      faults: this.#faults,
      random: random.fork('network'),
      server: () => this.#booted?.server,
    })
    this.#outside = new Outside({
      ...this.#common('outside'),
      resolve: (name) => this.#booted?.functions.resolve(name, '$LATEST'),
    })
    this.#versions = drawVersions(random, random.pick([30, 600, 864_000, 864_000]))
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
    return {
      seed: this.#seed,
      violation: this.#violation,
      log: this.#log,
      simulatedMs: this.#agenda.nowMs,
      happenings: this.#agenda.taken,
      executions: this.#shadows.byId.size,
      acknowledged: this.#ledger.acknowledged,
      crashes: this.#crashes,
    }
  }

  async #live(): Promise<void> {
    this.#note(`seed ${this.#seed}, faults: ${this.#faults}`)
    const chaosMs = this.#random.pick([30_000, 120_000, 600_000])
    this.#boot()
    this.#outside.begin(chaosMs)
    this.#tick()
    await this.#agenda.run(() => this.#failed, chaosMs)
    this.#becomeCalm()
    await this.#agenda.run(() => this.#failed || this.#settled, Number.POSITIVE_INFINITY)
    if (!this.#failed) await this.#checkEnd()
  }

  readonly #report = (violation: string): void => {
    this.#note(`VIOLATION ${violation}`)
    this.#violation ??= violation
  }

  readonly #note = (line: string): void => {
    this.#log.push(`${(this.#agenda.nowMs / 1_000).toFixed(3).padStart(10)} ${line}`)
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
      report: this.#report,
      log: this.#note,
    }
  }

  #boot(): void {
    const name = `server ${++this.#boots}`
    const life: Life = { alive: true }
    this.#note(`${name} boots`)
    const { callbackKnown } = this.#outside
    const functions = new SimulatedFunctions(
      { ...this.#common(`functions of ${name}`), callbackKnown: callbackKnown.bind(this.#outside) },
      life,
      this.#versions,
    )
    const store = new FaultyStore({
      ...this.#common(`store of ${name}`),
      store: this.#store,
      life,
      crash: (why) => this.#crash(why),
    })
    const booted: Booted = { life, store, functions, server: undefined, draining: false }
    this.#booted = booted
    this.#serve(name, booted).catch((error: unknown) => {
      // As a process that cannot start: its supervisor tries again.
      if (life.alive) this.#crash(`recovery failed: ${error}`)
      if (!(error instanceof InjectedFailure)) this.#report(`${name} cannot start: ${error}`)
    })
  }

  async #serve(name: string, booted: Booted): Promise<void> {
    const { life, functions, store } = booted
    const { service: sabotaged, store: broken, clock: wrong, timers: odd } = this.#sabotage
    const entropy = this.#random.fork(`entropy of ${name}`)
    const timers = this.#clock.timersOf(life)
    const service = await createDurableService({
      store: broken?.(store) ?? store,
      functions,
      clock: wrong?.(this.#clock) ?? this.#clock,
      timers: odd?.(timers) ?? timers,
      entropy: { hex: (bytes) => entropy.hex(bytes), uuid: () => uuidOf(entropy.hex(16)) },
      place: DEFAULT_PLACE,
      limits: this.#limits,
      cacheBytes: this.#cacheBytes,
      nextTurn: (call) => this.#agenda.after(0, life, call),
      wall: { clock: this.#clock, timers },
      log: (level, message, error) => this.#serviceSays(life, level, message, error),
    })
    if (!life.alive) return
    this.#note(`${name} listens`)
    booted.server = { life, service: sabotaged?.(service) ?? service, connections: new Set() }
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
    this.#agenda.after(this.#random.between(0, this.#random.pick([10, 1_000, 30_000])), FOREVER, () => this.#boot())
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
    else this.#checkProgress(this.#agenda.nowMs - this.#calmSinceMs)
    this.#agenda.after(TICK_MS, FOREVER, () => this.#tick())
  }

  #checkProgress(calmMs: number): void {
    // Nothing can be done in time while no server listens: from its recovery on.
    if (this.#booted?.server === undefined) this.#overdue = new Overdue()
    this.#overdue.check(this.#shadows, this.#agenda.nowMs, this.#clock.now(), this.#report)
    if (!this.#settled && calmMs > boundMs(this.#shadows)) {
      this.#report(`the world has not come to rest: ${this.#unrest()} (I5)`)
    }
  }

  #misfortunes(): void {
    const { rates } = this.#faults
    const random = this.#random
    const now = (perMinute: number): boolean => random.chance((perMinute * TICK_MS) / 60_000)
    if (now(rates.crashPerMinute)) this.#crash('out of the blue')
    if (now(rates.restartPerMinute) && this.#booted !== undefined) this.#restart(this.#booted)
    if (now(rates.clockForwardPerMinute)) this.#jump(random.between(1, random.pick([2_000, 60_000, 3_600_000])))
    if (now(rates.clockBackPerMinute)) this.#jump(-random.between(1, 3_000))
    if (now(rates.functionGonePerMinute)) this.#withdraw()
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
    this.#agenda.after(this.#random.between(1_000, 60_000), FOREVER, () => functions.declare(name, true))
  }

  #becomeCalm(): void {
    this.#note('calm')
    this.#calmSinceMs = this.#agenda.nowMs
    this.#faults.calm()
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
    checkEnds(this.#shadows, this.#ledger, this.#limits, this.#report)
    await checkStore(this.#store, this.#shadows, this.#report)
    await this.#happens('the last read', MINUTE_MS, () => this.#readAll())
    if (!this.#failed) await this.#happens('the retention sweep', 3 * HOUR_MS, () => this.#retire())
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
      const arn = parseExecutionArn(state.start.arn)
      if (arn === undefined) return this.#report(`${state.start.arn} is no ARN`)
      const description = await this.#network.call(FOREVER, (service) => service.describe({ arn, includeData: true }))
      if (description.Status !== state.status) this.#report(`${id} is shown as ${description.Status}`)
      this.#ledger.described(id, description)
      const request = { arn, includeData: true, reverse: false, maxItems: 1_000 }
      const { Events } = await this.#network.call(FOREVER, (service) => service.history(request))
      if (JSON.stringify(Events) !== `[${history.join(',')}]`) this.#report(`${id} has another history (I6)`)
    }
  }

  /** When retention is over, nothing is left (spec 08 §8.6). */
  async #retire(): Promise<void> {
    // What still queues for a busy function on behalf of executions that have ended goes first.
    await this.#agenda.pause(MINUTE_MS, FOREVER)
    this.#jump(8 * DAY_MS)
    await this.#agenda.pause(2 * HOUR_MS, FOREVER)
    for (const { id } of this.#shadows.byId.values()) {
      if ((await this.#store.findById(id)) !== undefined) this.#report(`${id} outlives its retention`)
    }
  }
}
