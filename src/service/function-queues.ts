/**
 * What waits for a function to run it: one first-come queue per function version, and never more jobs under way than
 * the version's concurrency, so that a slow or broken function delays nobody else's (invariant I7). A version that is
 * not there, or not of the kind that the jobs need, *holds* its jobs visibly until the functions change (decision 17).
 */
import { Fifo } from './fifo.ts'
import type { ServiceLog } from './log.ts'
import type { Functions, FunctionVersion, Slot } from './ports.ts'
import type { Pauses } from './retries.ts'

/** Executions go to durable functions only, plain invocations to plain ones only. */
export type JobKind = 'durable' | 'plain'

export interface Job {
  /** Unique among the jobs that wait or begin; a second one of the same id is dropped. */
  readonly id: string
  readonly kind: JobKind
  readonly functionName: string
  readonly version: string
  /** The tenant whose processes may run it; looked up only when it is the job's turn. Rejects to drop the job. */
  readonly tenantId: () => Promise<string | undefined>
  /**
   * Runs the job, or releases the slot; resolves when the slot is free again. `begun` says that another job of this
   * id may be taken from now on.
   */
  readonly run: (slot: Slot, version: FunctionVersion, begun: () => void) => Promise<void>
}

/** Jobs that wait for a function to be declared. */
export interface Hold {
  readonly functionName: string
  readonly version: string
  readonly jobs: number
}

interface Queue {
  readonly kind: JobKind
  readonly functionName: string
  readonly version: string
  readonly waiting: Fifo<Job>
  /** Ids of jobs that have left the queue and not begun. */
  readonly starting: Set<string>
  underWay: number
  held: boolean
}

export class FunctionQueues {
  readonly #functions: Functions
  readonly #pauses: Pauses
  readonly #log: ServiceLog
  readonly #queues = new Map<string, Queue>()
  readonly #stop = new AbortController()

  constructor(deps: { functions: Functions; pauses: Pauses; log: ServiceLog }) {
    this.#functions = deps.functions
    this.#pauses = deps.pauses
    this.#log = deps.log
    deps.functions.onChange(() => {
      for (const queue of this.#queues.values()) this.#serve(queue)
    })
  }

  enqueue(job: Job): void {
    if (this.#stop.signal.aborted) return
    const queue = this.#queueOf(job)
    if (queue.waiting.has(job.id) || queue.starting.has(job.id)) return
    queue.waiting.push(job)
    this.#serve(queue)
  }

  get holds(): readonly Hold[] {
    return [...this.#queues.values()]
      .filter(({ held, waiting }) => held && waiting.size > 0)
      .map(({ functionName, version, waiting }) => ({ functionName, version, jobs: waiting.size }))
  }

  /** Begins nothing more. */
  stop(): void {
    this.#stop.abort(new Error('The service is shutting down.'))
    for (const { waiting } of this.#queues.values()) waiting.clear()
  }

  #queueOf({ kind, functionName, version }: Job): Queue {
    const key = `${kind}:${functionName}:${version}`
    const known = this.#queues.get(key)
    if (known !== undefined) return known
    const waiting = new Fifo<Job>()
    const queue: Queue = { kind, functionName, version, waiting, starting: new Set(), underWay: 0, held: false }
    this.#queues.set(key, queue)
    return queue
  }

  #serve(queue: Queue): void {
    if (queue.waiting.size === 0) return
    const version = this.#versionFor(queue)
    this.#setHeld(queue, version === undefined)
    if (version === undefined) return
    while (queue.underWay < version.concurrency) {
      const job = queue.waiting.take()
      if (job === undefined) return
      queue.starting.add(job.id)
      queue.underWay += 1
      void this.#run(queue, job, version)
    }
  }

  #versionFor({ kind, functionName, version }: Queue): FunctionVersion | undefined {
    const found = this.#functions.resolve(functionName, version)
    return found !== undefined && (found.durable !== undefined) === (kind === 'durable') ? found : undefined
  }

  #setHeld(queue: Queue, held: boolean): void {
    if (held === queue.held) return
    queue.held = held
    const what = `${queue.kind} function ${queue.functionName}:${queue.version}`
    if (held) this.#log('warn', `Holding work for the ${what}: no such function is declared`)
    else this.#log('info', `The ${what} is there again: its work goes on`)
  }

  async #run(queue: Queue, job: Job, version: FunctionVersion): Promise<void> {
    const begun = (): boolean => queue.starting.delete(job.id)
    try {
      const tenantId = await job.tenantId()
      const slot = await this.#slotFor(job, version, tenantId)
      if (slot !== undefined) await job.run(slot, version, begun)
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#log('error', `Job ${job.id} of ${job.functionName} was dropped`, error)
    } finally {
      begun()
      queue.underWay -= 1
      if (!this.#stop.signal.aborted) this.#serve(queue)
      if (queue.underWay === 0 && queue.waiting.size === 0) {
        this.#queues.delete(`${queue.kind}:${queue.functionName}:${queue.version}`)
      }
    }
  }

  /** `undefined`: none could be had. The job queues again, where it is held if its function is gone. */
  async #slotFor(job: Job, version: FunctionVersion, tenantId: string | undefined): Promise<Slot | undefined> {
    const { signal } = this.#stop
    try {
      return await this.#functions.reserve(version, tenantId, signal)
    } catch (error) {
      if (!signal.aborted) {
        this.#log('warn', `No slot for job ${job.id} of ${job.functionName}: it will be tried again`, error)
        void this.#pauses.afterFailures(0).then(() => this.enqueue(job))
      }
      return undefined
    }
  }
}
