/**
 * What waits for a function to run it: one first-come queue per function version, and never more jobs under way than
 * the version's concurrency, so that a slow or broken function delays nobody else's (invariant I7). A version that is
 * not there, or not of the kind that the jobs need, or has nowhere to run, *holds* its jobs visibly until the functions
 * change (decision 17).
 * One that was deleted never comes back: each of its jobs is told, and ends (decision 34).
 */
import { isNotFound, isTemporary } from './failures.ts'
import { Fifo } from './fifo.ts'
import type { LogSubject, ServiceLog } from './log.ts'
import type { DeletableVersion, Functions, FunctionVersion, Metrics, Slot } from './ports.ts'
import type { Pauses } from './retries.ts'

/** Executions go to durable functions only, plain invocations to plain ones only. */
export type JobKind = 'durable' | 'plain'

export interface Job {
  /** Unique among the jobs that wait or begin; a second one of the same id is dropped. */
  readonly id: string
  readonly kind: JobKind
  readonly functionName: string
  readonly version: string
  /**
   * What becomes of it, looked up only when it is the job's turn. Without a version: the one it is for may have been
   * deleted. Rejects to drop the job; with what is temporary, to be asked again later.
   */
  readonly admit: (version: FunctionVersion | undefined) => Promise<Admission>
  /**
   * Runs the job, or releases the slot; resolves when the slot is free again. `begun` says that another job of this
   * id may be taken from now on.
   */
  readonly run: (slot: Slot, version: FunctionVersion, begun: () => void) => Promise<void>
}

export type Admission =
  /** In the processes of this tenant. */
  | { readonly kind: 'run'; readonly tenantId: string | undefined }
  /** Its function was deleted, and whoever waits for the job was told. */
  | { readonly kind: 'over' }
  /** It is not for what was deleted, and waits for its function to be there again. */
  | { readonly kind: 'held' }

/** Jobs that wait for a function to be declared, or for a version to be there again. */
export interface Hold {
  readonly functionName: string
  readonly version: string
  readonly jobs: number
}

/** A job and when it came into the queue, by the metrics' clock. */
interface QueuedJob {
  readonly id: string
  readonly job: Job
  readonly since: number
  /** How often in a row it could not be looked up. */
  readonly failures: number
}

interface Queue {
  readonly kind: JobKind
  readonly functionName: string
  readonly version: string
  readonly waiting: Fifo<QueuedJob>
  /** Jobs that were looked at in vain: they wait for the functions to change. */
  readonly setAside: Fifo<QueuedJob>
  /** Jobs that have left the queue and not begun, and how each is told to give up. */
  readonly starting: Map<string, AbortController>
  underWay: number
  held: boolean
}

/** Why work is held whose function is not there, or not of its kind. */
const ABSENT = 'there is no such function'

/** Jobs of deleted functions that are told so at a time: each may have to be read from the store first. */
const TOLD_AT_A_TIME = 16

export class FunctionQueues {
  readonly #functions: Functions
  readonly #pauses: Pauses
  readonly #log: ServiceLog
  readonly #metrics: Metrics
  readonly #queues = new Map<string, Queue>()
  #stopped = false

  constructor(deps: { functions: Functions; pauses: Pauses; log: ServiceLog; metrics: Metrics }) {
    this.#functions = deps.functions
    this.#pauses = deps.pauses
    this.#log = deps.log
    this.#metrics = deps.metrics
    const read = (look: (queue: Queue) => number) => () =>
      [...this.#queues.values()].map((queue) => ({ labels: [queue.functionName], value: look(queue) }))
    deps.metrics.read(
      'perdure_ready_jobs',
      read(({ waiting }) => waiting.size),
    )
    deps.metrics.read(
      'perdure_jobs_under_way',
      read(({ underWay }) => underWay),
    )
    deps.metrics.read('perdure_held_jobs', read(heldJobs))
    deps.functions.onChange(() => {
      for (const queue of this.#queues.values()) {
        for (let aside = queue.setAside.take(); aside !== undefined; aside = queue.setAside.take()) {
          queue.waiting.push(aside)
        }
        this.#serve(queue)
      }
    })
  }

  enqueue(job: Job): void {
    this.#enqueue(job, 0)
  }

  #enqueue(job: Job, failures: number): void {
    if (this.#stopped) return
    const queue = this.#queueOf(job)
    const { waiting, setAside, starting } = queue
    if (waiting.has(job.id) || setAside.has(job.id) || starting.has(job.id)) return
    queue.waiting.push({ id: job.id, job, since: this.#metrics.now(), failures })
    this.#serve(queue)
  }

  /** The job is not to run; false when it does already, or does not wait here just now. */
  withdraw({ id, kind, functionName, version }: Omit<Job, 'admit' | 'run'>): boolean {
    const queue = this.#queues.get(keyOf({ kind, functionName, version }))
    if (queue === undefined) return false
    const turn = queue.starting.get(id)
    turn?.abort(new Error('The job was withdrawn.'))
    if (turn !== undefined) return true
    if ((queue.waiting.remove(id) ?? queue.setAside.remove(id)) === undefined) return false
    this.#forgetIfEmpty(queue)
    return true
  }

  get holds(): readonly Hold[] {
    return [...this.#queues.values()]
      .map((queue) => ({ functionName: queue.functionName, version: queue.version, jobs: heldJobs(queue) }))
      .filter(({ jobs }) => jobs > 0)
  }

  /** Begins nothing more. */
  stop(): void {
    this.#stopped = true
    for (const { waiting, setAside, starting } of this.#queues.values()) {
      waiting.clear()
      setAside.clear()
      for (const turn of starting.values()) turn.abort(new Error('The service is shutting down.'))
    }
  }

  #queueOf({ kind, functionName, version }: Job): Queue {
    const key = keyOf({ kind, functionName, version })
    const known = this.#queues.get(key)
    if (known !== undefined) return known
    const [waiting, setAside] = [new Fifo<QueuedJob>(), new Fifo<QueuedJob>()]
    const queue: Queue = {
      kind,
      functionName,
      version,
      waiting,
      setAside,
      starting: new Map(),
      underWay: 0,
      held: false,
    }
    this.#queues.set(key, queue)
    return queue
  }

  #serve(queue: Queue): void {
    if (queue.waiting.size === 0 && queue.starting.size === 0) return
    const version = this.#versionFor(queue)
    const deleted = version === undefined && this.#wasDeleted(queue)
    const reason = version === undefined ? (deleted ? undefined : ABSENT) : this.#functions.heldBecause?.(version)
    // What is not for the one that was deleted is still held, until it turns out that there is none of it left.
    this.#setHeld(queue, reason ?? (deleted && queue.held ? ABSENT : undefined))
    if (reason !== undefined) return
    while (queue.underWay < (version?.concurrency ?? TOLD_AT_A_TIME)) {
      const taken = queue.waiting.take()
      if (taken === undefined) return
      const turn = new AbortController()
      queue.starting.set(taken.id, turn)
      queue.underWay += 1
      void this.#run(queue, taken, version, turn.signal)
    }
  }

  #versionFor({ kind, functionName, version }: Queue): FunctionVersion | undefined {
    const found = this.#functions.resolve(functionName, version)
    return found !== undefined && (found.durable !== undefined) === (kind === 'durable') ? found : undefined
  }

  #wasDeleted({ functionName: name, version }: Queue): boolean {
    return this.#functions.wasDeleted?.({ name, version }) ?? false
  }

  #setHeld(queue: Queue, reason: string | undefined): void {
    const held = reason !== undefined
    if (held === queue.held) return
    queue.held = held
    const what = `${queue.kind} function ${queue.functionName}:${queue.version}`
    const subject = { functionName: queue.functionName }
    if (held) this.#log('warn', `Holding work for the ${what}: ${reason}`, undefined, subject)
    else this.#log('info', `The ${what} is there again: its work goes on`, undefined, subject)
  }

  async #run(queue: Queue, queued: QueuedJob, version: FunctionVersion | undefined, turn: AbortSignal): Promise<void> {
    const { job, since } = queued
    const begun = (): boolean => queue.starting.delete(job.id)
    try {
      const admission = await this.#admissionOf(queued, version)
      if (admission === undefined || admission.kind === 'over') return
      if (admission.kind === 'held' || version === undefined) return this.#setAside(queue, queued)
      // Another function has its name since it was looked at: it is looked at again.
      if (this.#versionFor(queue)?.generation !== version.generation) return queue.waiting.push(queued)
      const slot = await this.#slotFor(job, version, admission.tenantId, turn)
      if (slot === undefined) return
      // It came when nobody wanted it any more.
      if (turn.aborted) return slot.release()
      const waited = this.#metrics.histogram('perdure_ready_wait_seconds', job.functionName)
      waited.observe((this.#metrics.now() - since) / 1_000)
      await job.run(slot, version, begun)
    } catch (error) {
      if (isNotFound(error)) {
        const message = `Execution ${job.id} is gone: it was deleted while it waited for its function`
        this.#log('info', message, undefined, subjectOf(job))
      } else if (!this.#stopped) {
        this.#log('error', `Job ${job.id} of ${job.functionName} was dropped`, error, subjectOf(job))
      }
    } finally {
      begun()
      queue.underWay -= 1
      if (!this.#stopped) this.#serve(queue)
      this.#forgetIfEmpty(queue)
    }
  }

  #forgetIfEmpty(queue: Queue): void {
    const { underWay, waiting, setAside } = queue
    if (underWay === 0 && waiting.size === 0 && setAside.size === 0) this.#queues.delete(keyOf(queue))
  }

  /**
   * `undefined`: it cannot be looked up now, and comes again. Meanwhile it keeps nobody's place: one that can never be
   * read would keep it for good.
   */
  async #admissionOf(
    { job, failures }: QueuedJob,
    version: FunctionVersion | undefined,
  ): Promise<Admission | undefined> {
    try {
      return await job.admit(version)
    } catch (error) {
      if (!isTemporary(error) || this.#stopped) throw error
      void this.#pauses.afterFailures(failures).then(() => this.#enqueue(job, failures + 1))
      return undefined
    }
  }

  /** Unless the functions have changed while it was looked at. */
  #setAside(queue: Queue, queued: QueuedJob): void {
    if (this.#versionFor(queue) !== undefined) {
      queue.waiting.push(queued)
      return
    }
    queue.setAside.push(queued)
    this.#setHeld(queue, ABSENT)
  }

  /** `undefined`: none could be had. The job queues again, where it is held if its function is gone. */
  async #slotFor(
    job: Job,
    version: FunctionVersion,
    tenantId: string | undefined,
    turn: AbortSignal,
  ): Promise<Slot | undefined> {
    try {
      return await this.#functions.reserve(version, tenantId, turn)
    } catch (error) {
      if (!turn.aborted) {
        const message = `No slot for job ${job.id} of ${job.functionName}: it will be tried again`
        this.#log('warn', message, error, subjectOf(job))
        void this.#pauses.afterFailures(0).then(() => this.enqueue(job))
      }
      return undefined
    }
  }
}

/**
 * Whether what was started on a version, or is owed to it, has lost its function (decision 34). `found` is what the name
 * means now. Without a generation it was meant for what is declared, and belongs to whatever has the name.
 */
export function hasLostItsFunction(
  functions: Functions,
  { name, version, generation }: DeletableVersion,
  found: FunctionVersion | undefined,
): boolean {
  if (generation === undefined) return false
  if (found === undefined) return functions.wasDeleted?.({ name, version, generation }) ?? false
  // A declared version has no generation: it serves whoever was started on its name.
  return found.generation !== undefined && found.generation !== generation
}

const keyOf = ({ kind, functionName, version }: Pick<Job, 'kind' | 'functionName' | 'version'>): string =>
  `${kind}:${functionName}:${version}`

/** Those that have left the queue for a slot that they cannot get now are held as well. */
const heldJobs = ({ held, waiting, starting, setAside }: Queue): number =>
  (held ? waiting.size + starting.size : 0) + setAside.size

/** A durable job's id is its execution's. */
const subjectOf = ({ id, kind, functionName }: Job): LogSubject => ({
  functionName,
  ...(kind === 'durable' ? { executionId: id } : undefined),
})
