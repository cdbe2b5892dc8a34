/**
 * Who runs where: warm processes per (function version, tenant), and a queue per function (decision 23).
 *
 * A reservation waits in its function's queue, first come first served, until a process of its version and tenant is
 * idle. Processes are started on demand, one per reservation that none is on its way for, within three bounds: the
 * function's concurrency (a process serves one invocation at a time, so as many processes), the server's process
 * limit, and a few starts at a time per function. When a bound is reached an idle process is ended to make room,
 * the function's own first, else the one that was idle longest anywhere. Idle processes end after a while.
 *
 * A process here is
 *
 *   starting → idle → taken → returning → idle …
 *
 * and leaves the pool when it ends, from any of these, or when room is made. `taken` from the reservation on, until
 * the invocation ended or the slot was released; `returning` until the process asks for its next event. A process
 * that ends while starting hands its failure to the first reservation that waits for one of its kind.
 */
import { availableParallelism } from 'node:os'
import type { Clock, FunctionVersion, InvocationRequest, InvocationResult, Slot, Timers } from '../service/ports.ts'
import type { Sandbox, SandboxEvents, StartFailure } from './sandbox.ts'

export interface PoolOptions {
  readonly start: (version: FunctionVersion, events: SandboxEvents) => Sandbox
  readonly clock: Clock
  readonly timers: Timers
  /** Processes of all functions together. */
  readonly processLimit: number
  /** How long a process may be idle. */
  readonly idleMs: number
}

export interface Pool {
  reserve(version: FunctionVersion, tenantId: string | undefined, signal: AbortSignal): Promise<Slot>
  close(): Promise<void>
}

interface PooledProcess {
  readonly pooledFunction: PooledFunction
  readonly tenant: string | undefined
  sandbox: Sandbox
  state: 'starting' | 'idle' | 'taken' | 'returning' | 'gone'
  /** When it came into its state. */
  since: number
}

interface Reservation {
  readonly order: number
  readonly tenant: string | undefined
  readonly grant: (slot: Slot) => void
  readonly refuse: (reason: unknown) => void
}

interface PooledFunction {
  readonly version: FunctionVersion
  readonly processes: Set<PooledProcess>
  /** In order of arrival. */
  readonly queue: Set<Reservation>
}

/** How long a process is expected to take from its answer to its next question; it takes less than one, usually. */
const returningMs = 50

const startsAtOnce = Math.max(2, availableParallelism())

export function createPool(options: PoolOptions): Pool {
  return new ProcessPool(options)
}

class ProcessPool implements Pool {
  readonly #options: PoolOptions
  readonly #functions = new Map<string, PooledFunction>()
  /** Idle processes of all functions, the longest idle first. */
  readonly #idle = new Set<PooledProcess>()
  /** Every sandbox that has not ended, those that had to make room included. */
  readonly #alive = new Set<Sandbox>()
  #processCount = 0
  #arrivals = 0
  #closed = false
  #cancelSweep: (() => void) | undefined
  #cancelDispatch: (() => void) | undefined

  constructor(options: PoolOptions) {
    this.#options = options
  }

  reserve(version: FunctionVersion, tenantId: string | undefined, signal: AbortSignal): Promise<Slot> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      if (this.#closed) return reject(closedError())
      const pooled = this.#functionOf(version)
      const abort = (): void => {
        pooled.queue.delete(reservation)
        reject(signal.reason)
      }
      const reservation: Reservation = {
        order: this.#arrivals++,
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

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelSweep?.()
    this.#cancelDispatch?.()
    for (const { queue } of this.#functions.values()) {
      for (const reservation of queue) reservation.refuse(closedError())
      queue.clear()
    }
    await Promise.all([...this.#alive].map((sandbox) => sandbox.end()))
  }

  #functionOf(version: FunctionVersion): PooledFunction {
    let pooled = this.#functions.get(version.arn)
    if (pooled === undefined) {
      pooled = { version, processes: new Set(), queue: new Set() }
      this.#functions.set(version.arn, pooled)
    }
    return pooled
  }

  /** Serves the queues, the function first whose head waits longest, so that none starves at the process limit. */
  #dispatch(): void {
    const waiting: { readonly order: number; readonly pooled: PooledFunction }[] = []
    for (const pooled of this.#functions.values()) {
      const [head] = pooled.queue
      if (head !== undefined) waiting.push({ order: head.order, pooled })
    }
    waiting.sort((a, b) => a.order - b.order)
    for (const { pooled } of waiting) this.#serveQueue(pooled)
  }

  #serveQueue(pooled: PooledFunction): void {
    const onTheWay = this.#countOnTheWay(pooled)
    for (const reservation of pooled.queue) {
      const idle = this.#idleFor(pooled, reservation.tenant)
      if (idle !== undefined) {
        pooled.queue.delete(reservation)
        this.#setState(idle, 'taken')
        reservation.grant(this.#slotOf(idle))
        continue
      }
      const coming = onTheWay.get(reservation.tenant) ?? 0
      if (coming > 0) {
        onTheWay.set(reservation.tenant, coming - 1)
        continue
      }
      if (this.#closed || !this.#makeRoom(pooled)) return
      this.#start(pooled, reservation.tenant)
    }
  }

  /** How many processes of each tenant will be idle soon. One that works on after its answer is not counted for long. */
  #countOnTheWay(pooled: PooledFunction): Map<string | undefined, number> {
    const counts = new Map<string | undefined, number>()
    const now = this.#options.clock.now()
    for (const { state, tenant, since } of pooled.processes) {
      if (state === 'returning' && now - since < returningMs) this.#dispatchAt(since + returningMs)
      else if (state !== 'starting') continue
      counts.set(tenant, (counts.get(tenant) ?? 0) + 1)
    }
    return counts
  }

  #dispatchAt(dueMs: number): void {
    this.#cancelDispatch ??= this.#options.timers.at(dueMs, () => {
      this.#cancelDispatch = undefined
      this.#dispatch()
    })
  }

  /** The process that was idle for the shortest time: its caches are warm, and the others can end. */
  #idleFor(pooled: PooledFunction, tenant: string | undefined): PooledProcess | undefined {
    let found: PooledProcess | undefined
    for (const candidate of pooled.processes) {
      if (candidate.state !== 'idle' || candidate.tenant !== tenant) continue
      if (found === undefined || candidate.since >= found.since) found = candidate
    }
    return found
  }

  #makeRoom(pooled: PooledFunction): boolean {
    let starting = 0
    for (const { state } of pooled.processes) if (state === 'starting') starting += 1
    if (starting >= startsAtOnce) return false
    if (pooled.processes.size >= pooled.version.concurrency) {
      // Idle ones of this function are of other tenants, or the reservation would have got one.
      for (const idle of this.#idle) if (idle.pooledFunction === pooled) return this.#retire(idle)
      return false
    }
    if (this.#processCount < this.#options.processLimit) return true
    const [longestIdle] = this.#idle
    return longestIdle !== undefined && this.#retire(longestIdle)
  }

  #start(pooled: PooledFunction, tenant: string | undefined): void {
    const events: SandboxEvents = {
      idle: () => {
        if (pooledProcess.state === 'gone') return
        this.#setState(pooledProcess, 'idle')
        this.#sweepLater()
        this.#dispatch()
      },
      ended: (failure) => {
        this.#alive.delete(pooledProcess.sandbox)
        // One that had to make room is already gone from here: its end changes nothing.
        if (!this.#remove(pooledProcess)) return
        if (failure !== undefined) this.#handOutFailure(pooled, tenant, failure)
        if (!this.#closed) this.#dispatch()
      },
    }
    const pooledProcess: PooledProcess = {
      pooledFunction: pooled,
      tenant,
      sandbox: this.#options.start(pooled.version, events),
      state: 'starting',
      since: this.#options.clock.now(),
    }
    this.#alive.add(pooledProcess.sandbox)
    pooled.processes.add(pooledProcess)
    this.#processCount += 1
  }

  #handOutFailure(pooled: PooledFunction, tenant: string | undefined, failure: StartFailure): void {
    for (const reservation of pooled.queue) {
      if (reservation.tenant !== tenant) continue
      pooled.queue.delete(reservation)
      reservation.grant({ run: async (request) => failure.resultFor(request), release: () => {} })
      return
    }
  }

  #slotOf(taken: PooledProcess): Slot {
    let used = false
    const use = (): void => {
      if (used) throw new Error('A slot is used once: it was already run or released')
      used = true
    }
    return {
      run: async (request: InvocationRequest): Promise<InvocationResult> => {
        use()
        const result = await taken.sandbox.invoke(request)
        // It may already ask for its next event, or be gone.
        if (taken.state === 'taken') this.#setState(taken, 'returning')
        return result
      },
      release: () => {
        use()
        if (taken.state !== 'taken') return
        this.#setState(taken, 'idle')
        this.#sweepLater()
        this.#dispatch()
      },
    }
  }

  #setState(pooledProcess: PooledProcess, state: PooledProcess['state']): void {
    pooledProcess.state = state
    pooledProcess.since = this.#options.clock.now()
    this.#idle.delete(pooledProcess)
    if (state === 'idle') this.#idle.add(pooledProcess)
  }

  #retire(idle: PooledProcess): true {
    this.#remove(idle)
    void idle.sandbox.end()
    return true
  }

  #remove(pooledProcess: PooledProcess): boolean {
    if (!pooledProcess.pooledFunction.processes.delete(pooledProcess)) return false
    this.#setState(pooledProcess, 'gone')
    this.#processCount -= 1
    return true
  }

  #sweepLater(): void {
    const [longestIdle] = this.#idle
    if (this.#cancelSweep !== undefined || longestIdle === undefined || this.#closed) return
    this.#cancelSweep = this.#options.timers.at(longestIdle.since + this.#options.idleMs, () => {
      this.#cancelSweep = undefined
      const before = this.#options.clock.now() - this.#options.idleMs
      for (const idle of this.#idle) if (idle.since <= before) this.#retire(idle)
      this.#sweepLater()
    })
  }
}

const closedError = (): Error => new Error('The server is shutting down: no function can be invoked any more')
