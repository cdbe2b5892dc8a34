/**
 * Who runs where: warm processes per (function version, tenant), and a queue per version (decision 23).
 *
 * A reservation waits in its version's queue, first come first served, until its function may run one more invocation,
 * of whatever version, and a process of its version and tenant has a free place. Processes are started on demand, none
 * for a reservation that a place is on its way for, within three bounds: the function's concurrency for each version,
 * in processes of `maxConcurrency` places, the server's process limit, and a few starts at a time per version. When a
 * bound is reached an idle process is ended to make room, the version's own first, else the one that was idle longest
 * anywhere. Idle processes end after a while, but for those that are to be kept warm.
 *
 * A place of a process is
 *
 *   coming   the process starts, or works on after an answer   → free (it asks)
 *   free     it asks for an event                              → taken (a reservation is granted)
 *   taken    until the invocation ended                        → coming; or until the slot was released → free
 *
 * and a process is
 *
 *   starting   no place has asked yet                           → serving, gone
 *   serving    idle when no place is taken, or on its way back  → gone (it ended, or had to make room)
 *   gone       it counts no more; its end may still be awaited
 *
 * A process that ends while starting hands its failure to the first reservation that waits for one of its kind. When a
 * version's code is replaced its processes are stale: they take no more reservations and end as soon as they are idle.
 *
 * A process may also have been started elsewhere, and *join*: it counts in no bound but the function's concurrency, and
 * ends when whoever started it says so. It belongs to no tenant before its first invocation; when all belong to others
 * than the one that waits, the longest idle is ended, in the hope that another joins in its place.
 */
import { availableParallelism } from 'node:os'
import type {
  Clock,
  FunctionLoad,
  FunctionVersion,
  InvocationRequest,
  InvocationResult,
  Slot,
  Timers,
} from '../service/ports.ts'
import type { Sandbox, SandboxEvents, StartFailure } from './sandbox.ts'

export interface PoolOptions {
  readonly start: (version: FunctionVersion, events: SandboxEvents) => Sandbox
  /** Whether processes of the version are started at all; else only those that join serve it. Default: always. */
  readonly startsHere?: (version: FunctionVersion) => boolean
  readonly clock: Clock
  readonly timers: Timers
  /** Processes of all functions together. */
  readonly processLimit: number
  /** How long a process may be idle. */
  readonly idleMs: number
}

export interface Pool {
  reserve(version: FunctionVersion, tenantId: string | undefined, signal: AbortSignal): Promise<Slot>
  /** What `start` starts for this version from now on differs: new invocations go to new processes only. */
  replace(version: FunctionVersion): void
  /** The bounds of this version are other ones from now on; its processes stay. */
  rebound(version: FunctionVersion): void
  /** `startsHere` says something else of this version than before. Those that were started give way, if it does not. */
  reconsider(version: FunctionVersion): void
  /** A process that was started elsewhere serves the version, until it has ended. */
  join(version: FunctionVersion, make: (events: SandboxEvents) => Sandbox): void
  /** Nothing of this version starts any more; what waits for it is refused. */
  remove(version: FunctionVersion): void
  /** So many processes of the version are kept ready, from now on. */
  keepWarm(version: FunctionVersion, processes: number): void
  /** Of the functions that have processes, or reservations that wait. */
  loads(): readonly FunctionLoad[]
  close(): Promise<void>
}

interface PooledProcess {
  readonly pooled: PooledVersion
  readonly origin: 'started' | 'joined'
  tenant: string | undefined | typeof nobody
  readonly places: number
  sandbox: Sandbox
  state: 'starting' | 'serving' | 'gone'
  stale: boolean
  free: number
  taken: number
  /** Since when each of the other places is on its way, the oldest first; while starting they all are. */
  readonly coming: number[]
  /** When a place last became free. */
  since: number
}

interface Reservation {
  readonly order: number
  readonly since: number
  readonly tenant: string | undefined
  readonly grant: (slot: Slot) => void
  readonly refuse: (reason: unknown) => void
}

interface PooledVersion {
  version: FunctionVersion
  readonly pooledFunction: PooledFunction
  readonly processes: Set<PooledProcess>
  /** In order of arrival. */
  readonly queue: Set<Reservation>
  warm: number
  removed: boolean
  /** Until then no further process that joined is ended for another tenant: one may join in the place of the last. */
  madeRoomUntil: number
}

/** What the versions of a function have in common. */
interface PooledFunction {
  readonly name: string
  readonly versions: Set<PooledVersion>
  /** Invocations of all versions. */
  running: number
  /** How many there may be. */
  concurrency: number
}

/** The tenant of a process that joined before it has served one. */
const nobody = Symbol('nobody')

/** How long a place is expected to take from its answer to its next question; it takes less than one, usually. */
const returningMs = 50
/** A warm process that ended is replaced after this, so that one that always ends soon does not keep the server busy. */
const rewarmMs = 1_000
/** How long one that made room for another tenant may take until the next joins. */
const rejoinMs = 2_000

const startsAtOnce = Math.max(2, availableParallelism())

export function createPool(options: PoolOptions): Pool {
  return new ProcessPool(options)
}

class ProcessPool implements Pool {
  readonly #options: PoolOptions
  readonly #functions = new Map<string, PooledFunction>()
  /** By ARN. */
  readonly #versions = new Map<string, PooledVersion>()
  /** Idle processes of all functions, the longest idle first. */
  readonly #idle = new Set<PooledProcess>()
  /** Every sandbox that has not ended, those that had to make room included. */
  readonly #alive = new Set<Sandbox>()
  #processCount = 0
  #arrivals = 0
  #closed = false
  #cancelSweep: (() => void) | undefined
  #cancelDispatch: (() => void) | undefined
  #cancelRewarm: (() => void) | undefined

  constructor(options: PoolOptions) {
    this.#options = options
  }

  reserve(version: FunctionVersion, tenantId: string | undefined, signal: AbortSignal): Promise<Slot> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      if (this.#closed) return reject(closedError())
      const pooled = this.#pooled(version)
      const abort = (): void => {
        pooled.queue.delete(reservation)
        reject(signal.reason)
      }
      const reservation: Reservation = {
        order: this.#arrivals++,
        since: this.#options.clock.now(),
        tenant: version.perTenant ? tenantId : undefined,
        grant: (slot) => {
          signal.removeEventListener('abort', abort)
          resolve(slot)
        },
        refuse: (reason) => {
          signal.removeEventListener('abort', abort)
          reject(reason)
        },
      }
      signal.addEventListener('abort', abort, { once: true })
      pooled.queue.add(reservation)
      this.#dispatch()
    })
  }

  replace(version: FunctionVersion): void {
    const known = this.#versions.get(version.arn)
    if (known !== undefined) this.#makeStale(known)
    this.rebound(version)
  }

  reconsider(version: FunctionVersion): void {
    const known = this.#versions.get(version.arn)
    if (known === undefined) return
    if (!this.#startsHere(known)) this.#makeStale(known)
    this.#dispatch()
    this.#warmUp(known)
  }

  join(version: FunctionVersion, make: (events: SandboxEvents) => Sandbox): void {
    const pooled = this.#pooled(version)
    pooled.madeRoomUntil = 0
    this.#add(pooled, 'joined', version.perTenant ? nobody : undefined, make)
  }

  rebound(version: FunctionVersion): void {
    const known = this.#versions.get(version.arn)
    if (known === undefined) return
    known.version = version
    known.removed = false
    known.pooledFunction.concurrency = version.concurrency
    this.#dispatch()
    this.#warmUp(known)
  }

  remove(version: FunctionVersion): void {
    const pooled = this.#versions.get(version.arn)
    if (pooled === undefined) return
    pooled.warm = 0
    const removed = new Error(`Version ${version.version} of function "${version.name}" was removed`)
    for (const reservation of pooled.queue) reservation.refuse(removed)
    pooled.queue.clear()
    pooled.removed = true
    this.#makeStale(pooled)
    this.#forgetRemoved(pooled)
  }

  keepWarm(version: FunctionVersion, processes: number): void {
    const pooled = this.#pooled(version)
    pooled.warm = processes
    this.#warmUp(pooled)
  }

  loads(): readonly FunctionLoad[] {
    const now = this.#options.clock.now()
    return [...this.#functions.values()].map(({ name, versions, running }) => {
      const processes = [...versions].flatMap((pooled) => [...pooled.processes])
      const queues = [...versions].map(({ queue }) => queue)
      const heads = queues.flatMap(([head]) => (head === undefined ? [] : [head]))
      return {
        functionName: name,
        running,
        processes: processes.length,
        idleProcesses: processes.filter(isIdle).length,
        waiting: queues.reduce((sum, { size }) => sum + size, 0),
        oldestWaitMs: Math.max(0, ...heads.map(({ since }) => now - since)),
      }
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelSweep?.()
    this.#cancelRewarm?.()
    this.#cancelDispatch?.()
    for (const { queue } of this.#versions.values()) {
      for (const reservation of queue) reservation.refuse(closedError())
      queue.clear()
    }
    await Promise.all([...this.#alive].map((sandbox) => sandbox.end()))
  }

  /** Those that were started here: what runs elsewhere is for others to renew. */
  #makeStale({ processes }: PooledVersion): void {
    for (const each of processes) if (each.origin === 'started') this.#makeProcessStale(each)
  }

  #makeProcessStale(pooledProcess: PooledProcess): void {
    pooledProcess.stale = true
    if (isIdle(pooledProcess)) this.#retire(pooledProcess)
  }

  #startsHere({ version }: PooledVersion): boolean {
    return this.#options.startsHere?.(version) ?? true
  }

  #pooled(version: FunctionVersion): PooledVersion {
    const known = this.#versions.get(version.arn)
    if (known !== undefined) return known
    const { name, concurrency } = version
    let pooledFunction = this.#functions.get(name)
    if (pooledFunction === undefined) {
      pooledFunction = { name, versions: new Set(), running: 0, concurrency }
      this.#functions.set(name, pooledFunction)
    }
    pooledFunction.concurrency = concurrency
    const pooled = { version, pooledFunction, processes: new Set<PooledProcess>(), queue: new Set<Reservation>() }
    const added: PooledVersion = { ...pooled, warm: 0, removed: false, madeRoomUntil: 0 }
    this.#versions.set(version.arn, added)
    pooledFunction.versions.add(added)
    return added
  }

  /** A version that was removed is forgotten with its last process, and its function with its last version. */
  #forgetRemoved(pooled: PooledVersion): void {
    const { version, pooledFunction, processes, removed } = pooled
    if (!removed || processes.size > 0) return
    this.#versions.delete(version.arn)
    pooledFunction.versions.delete(pooled)
    if (pooledFunction.versions.size === 0) this.#functions.delete(pooledFunction.name)
  }

  /** Serves the queues, the version first whose head waits longest, so that none starves at the process limit. */
  #dispatch(): void {
    const waiting: { readonly order: number; readonly pooled: PooledVersion }[] = []
    for (const pooled of this.#versions.values()) {
      const [head] = pooled.queue
      if (head !== undefined) waiting.push({ order: head.order, pooled })
    }
    waiting.sort((a, b) => a.order - b.order)
    for (const { pooled } of waiting) this.#serveQueue(pooled)
  }

  #serveQueue(pooled: PooledVersion): void {
    const onTheWay = this.#countOnTheWay(pooled)
    for (const reservation of pooled.queue) {
      if (pooled.pooledFunction.running >= pooled.pooledFunction.concurrency) return
      const ready = this.#readyFor(pooled, reservation.tenant)
      if (ready !== undefined) {
        pooled.queue.delete(reservation)
        reservation.grant(this.#take(ready, reservation.tenant))
        continue
      }
      const tenant = onTheWay.has(reservation.tenant) ? reservation.tenant : nobody
      const coming = onTheWay.get(tenant) ?? 0
      if (coming > 0) {
        if (coming === 1) onTheWay.delete(tenant)
        else onTheWay.set(tenant, coming - 1)
        continue
      }
      if (this.#closed) return
      if (!this.#startsHere(pooled)) {
        // Whoever waits behind may be of a tenant that has a process.
        if (!pooled.version.perTenant) return
        this.#askForAnother(pooled)
        continue
      }
      if (!this.#makeRoom(pooled)) return
      const started = this.#start(pooled, reservation.tenant)
      if (started.places > 1) onTheWay.set(reservation.tenant, started.places - 1)
    }
  }

  /** How many places of each tenant will be free soon. One that works on after its answer is not counted for long. */
  #countOnTheWay(pooled: PooledVersion): Map<PooledProcess['tenant'], number> {
    const counts = new Map<PooledProcess['tenant'], number>()
    const now = this.#options.clock.now()
    for (const { state, tenant, stale, coming } of pooled.processes) {
      if (stale) continue
      for (const since of coming) {
        if (state === 'serving' && now - since >= returningMs) continue
        if (state === 'serving') this.#dispatchAt(since + returningMs)
        counts.set(tenant, (counts.get(tenant) ?? 0) + 1)
      }
    }
    return counts
  }

  #dispatchAt(dueMs: number): void {
    this.#cancelDispatch ??= this.#options.timers.at(dueMs, () => {
      this.#cancelDispatch = undefined
      this.#dispatch()
    })
  }

  /** The one with the fewest invocations; of several the one free for the shortest time: its caches are warm. */
  #readyFor(pooled: PooledVersion, tenant: string | undefined): PooledProcess | undefined {
    return this.#readyOf(pooled, tenant) ?? this.#readyOf(pooled, nobody)
  }

  #readyOf(pooled: PooledVersion, tenant: PooledProcess['tenant']): PooledProcess | undefined {
    let found: PooledProcess | undefined
    for (const candidate of pooled.processes) {
      if (candidate.free === 0 || candidate.stale || candidate.tenant !== tenant) continue
      const { taken, since } = candidate
      if (found === undefined || taken < found.taken || (taken === found.taken && since >= found.since)) {
        found = candidate
      }
    }
    return found
  }

  /** All that joined are busy or of other tenants: the longest idle of these makes room. */
  #askForAnother(pooled: PooledVersion): void {
    const now = this.#options.clock.now()
    if (now < pooled.madeRoomUntil) return
    let idle: PooledProcess | undefined
    for (const each of pooled.processes) {
      if (isIdle(each) && !each.stale && (idle === undefined || each.since < idle.since)) idle = each
    }
    if (idle === undefined) return
    pooled.madeRoomUntil = now + rejoinMs
    this.#dispatchAt(pooled.madeRoomUntil)
    this.#retire(idle)
  }

  #makeRoom(pooled: PooledVersion): boolean {
    let starting = 0
    let fresh = 0
    for (const { state, stale, origin } of pooled.processes) {
      if (origin === 'joined') continue
      if (state === 'starting') starting += 1
      if (!stale) fresh += 1
    }
    if (starting >= startsAtOnce) return false
    if (fresh >= mostProcesses(pooled.version)) {
      // Idle ones of this version are of other tenants, or the reservation would have got one.
      for (const idle of this.#idle) if (idle.pooled === pooled) return this.#retire(idle)
      return false
    }
    if (this.#processCount < this.#options.processLimit) return true
    const [longestIdle] = this.#idle
    return longestIdle !== undefined && this.#retire(longestIdle)
  }

  #start(pooled: PooledVersion, tenant: string | undefined): PooledProcess {
    const { version } = pooled
    return this.#add(pooled, 'started', tenant, (events) => this.#options.start(version, events))
  }

  #add(
    pooled: PooledVersion,
    origin: PooledProcess['origin'],
    tenant: PooledProcess['tenant'],
    make: (events: SandboxEvents) => Sandbox,
  ): PooledProcess {
    const events: SandboxEvents = {
      idle: () => {
        if (pooledProcess.state === 'gone') return
        pooledProcess.state = 'serving'
        pooledProcess.coming.shift()
        this.#becameFree(pooledProcess)
      },
      leaving: () => this.#makeProcessStale(pooledProcess),
      ended: (failure) => {
        this.#alive.delete(pooledProcess.sandbox)
        // One that had to make room is already gone from here: its end changes nothing.
        if (!this.#remove(pooledProcess)) return
        if (failure !== undefined) this.#handOutFailure(pooled, pooledProcess.tenant, failure)
        if (this.#closed) return
        this.#dispatch()
        this.#rewarmLater()
      },
    }
    const now = this.#options.clock.now()
    const places = pooled.version.maxConcurrency ?? 1
    const pooledProcess: PooledProcess = {
      pooled,
      origin,
      tenant,
      places,
      sandbox: make(events),
      state: 'starting',
      stale: false,
      free: 0,
      taken: 0,
      coming: Array.from({ length: places }, () => now),
      since: now,
    }
    this.#alive.add(pooledProcess.sandbox)
    pooled.processes.add(pooledProcess)
    if (origin === 'started') this.#processCount += 1
    return pooledProcess
  }

  #becameFree(pooledProcess: PooledProcess): void {
    pooledProcess.free += 1
    pooledProcess.since = this.#options.clock.now()
    this.#noteIdle(pooledProcess)
    this.#dispatch()
  }

  #noteIdle(pooledProcess: PooledProcess): void {
    if (!isIdle(pooledProcess)) return
    if (pooledProcess.stale) {
      this.#retire(pooledProcess)
      return
    }
    // One that joined ends when those who started it want it to.
    if (pooledProcess.origin === 'joined') return
    this.#idle.add(pooledProcess)
    this.#sweepLater()
  }

  #handOutFailure(pooled: PooledVersion, tenant: PooledProcess['tenant'], failure: StartFailure): void {
    for (const reservation of pooled.queue) {
      if (tenant !== nobody && reservation.tenant !== tenant) continue
      pooled.queue.delete(reservation)
      reservation.grant({ run: async (request) => failure.resultFor(request), release: () => {} })
      return
    }
  }

  #take(pooledProcess: PooledProcess, tenant: string | undefined): Slot {
    pooledProcess.tenant = tenant
    pooledProcess.free -= 1
    pooledProcess.taken += 1
    pooledProcess.pooled.pooledFunction.running += 1
    this.#idle.delete(pooledProcess)
    let used = false
    const use = (): void => {
      if (used) throw new Error('A slot is used once: it was already run or released')
      used = true
    }
    const giveBack = (): void => {
      pooledProcess.taken -= 1
      pooledProcess.pooled.pooledFunction.running -= 1
    }
    return {
      run: async (request: InvocationRequest): Promise<InvocationResult> => {
        use()
        const result = await pooledProcess.sandbox.invoke(request)
        giveBack()
        if (pooledProcess.state !== 'gone') {
          // It may already have asked for its next event: then this place is one of the free ones.
          const known = pooledProcess.free + pooledProcess.taken + pooledProcess.coming.length
          if (known < pooledProcess.places) pooledProcess.coming.push(this.#options.clock.now())
          this.#noteIdle(pooledProcess)
        }
        this.#dispatch()
        return result
      },
      release: () => {
        use()
        giveBack()
        if (pooledProcess.state !== 'gone') this.#becameFree(pooledProcess)
        else this.#dispatch()
      },
    }
  }

  #retire(idle: PooledProcess): true {
    this.#remove(idle)
    void idle.sandbox.end()
    return true
  }

  #remove(pooledProcess: PooledProcess): boolean {
    if (!pooledProcess.pooled.processes.delete(pooledProcess)) return false
    pooledProcess.state = 'gone'
    pooledProcess.free = 0
    this.#idle.delete(pooledProcess)
    if (pooledProcess.origin === 'started') this.#processCount -= 1
    this.#forgetRemoved(pooledProcess.pooled)
    return true
  }

  #rewarmLater(): void {
    this.#cancelRewarm ??= this.#options.timers.at(this.#options.clock.now() + rewarmMs, () => {
      this.#cancelRewarm = undefined
      for (const pooled of this.#versions.values()) this.#warmUp(pooled)
    })
  }

  /** Within the bounds, and without making anybody else's process end. */
  #warmUp(pooled: PooledVersion): void {
    if (!this.#startsHere(pooled)) return
    const wanted = Math.min(pooled.warm, mostProcesses(pooled.version))
    const fresh = [...pooled.processes].filter(({ stale, origin }) => !stale && origin === 'started')
    let starting = fresh.filter(({ state }) => state === 'starting').length
    for (let count = fresh.length; count < wanted && this.#processCount < this.#options.processLimit; count += 1) {
      if (this.#closed) return
      if (starting >= startsAtOnce) {
        this.#rewarmLater()
        return
      }
      this.#start(pooled, undefined)
      starting += 1
    }
  }

  #isKeptWarm({ pooled: { processes, warm } }: PooledProcess): boolean {
    return processes.size <= warm
  }

  #sweepLater(): void {
    if (this.#cancelSweep !== undefined || this.#closed) return
    const longestIdle = [...this.#idle].find((idle) => !this.#isKeptWarm(idle))
    if (longestIdle === undefined) return
    this.#cancelSweep = this.#options.timers.at(longestIdle.since + this.#options.idleMs, () => {
      this.#cancelSweep = undefined
      const before = this.#options.clock.now() - this.#options.idleMs
      for (const idle of this.#idle) {
        if (idle.since <= before && !this.#isKeptWarm(idle)) this.#retire(idle)
      }
      this.#sweepLater()
    })
  }
}

function isIdle({ state, taken, coming }: PooledProcess): boolean {
  return state === 'serving' && taken === 0 && coming.length === 0
}

/** As many as its concurrency fills. */
export const mostProcesses = ({ concurrency, maxConcurrency }: FunctionVersion): number =>
  Math.ceil(concurrency / (maxConcurrency ?? 1))

const closedError = (): Error => new Error('The server is shutting down: no function can be invoked any more')
