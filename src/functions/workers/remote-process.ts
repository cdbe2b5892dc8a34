/**
 * A process that a worker runs, as the server has it: the pool knows it for a `Sandbox`. What it is and does is said by
 * the worker (`worker/`), which keeps the same rules as the server keeps for processes of its own; here is kept what must
 * hold even if the worker does not: an invocation ends once, and in time.
 *
 *   starting   it has not asked for an event         → serving, failed, ended
 *   serving    it has, for each of its places once   → ended
 *   failed     it ended without ever asking; it may be handed one invocation, to say why
 *   ended      final; whatever the worker still says about it is ignored
 */
import type { Clock, InvocationRequest, InvocationResult, Timers } from '../../service/ports.ts'
import { platformFailure, timedOut, withTail } from '../failure-texts.ts'
import { logTailBytes } from '../invocation-log.ts'
import { type Allowance, createAllowance } from '../output-lines.ts'
import type { Sandbox, SandboxEvents } from '../sandbox.ts'
import { BrokenProtocol, type FromServer, payloadLimitMs } from './messages.ts'

export interface RemoteProcessHost {
  readonly clock: Clock
  readonly timers: Timers
  readonly timeoutSeconds: number
  readonly places: number
  /** Its invocations have no deadlines: somebody looks at them with a debugger. */
  readonly unhurried: boolean
  readonly send: (message: FromServer, payload?: Uint8Array) => void
  /** The result of the invocation is just coming in. */
  readonly receives: (requestId: string) => boolean
  /** The worker does not do what it is asked to. */
  readonly fail: (reason: string) => void
}

interface Running {
  readonly request: InvocationRequest
  begun: boolean
  /** From now on it has so long; undefined: as long as it takes. */
  readonly watch: (ms: number | undefined) => void
  readonly settle: (result: InvocationResult) => void
}

/** Past its deadline, which the worker watches, an invocation gets this long for its end to begin to arrive. */
const lateMs = 10_000
const notBegun = 'The worker did not take the event in time'
/** How long a worker may take to end a process, which it gives a second to tidy up. */
const endLimitMs = 15_000

export class RemoteProcess implements Sandbox {
  readonly number: number
  readonly allowance: Allowance
  readonly #host: RemoteProcessHost
  readonly #events: SandboxEvents
  readonly #running = new Map<string, Running>()
  readonly #gone = Promise.withResolvers<void>()
  #state: 'starting' | 'serving' | 'failed' | 'ended' = 'starting'
  #asking = 0

  constructor(number: number, host: RemoteProcessHost, events: SandboxEvents) {
    this.number = number
    this.#host = host
    this.#events = events
    this.allowance = createAllowance(host.clock)
  }

  get running(): number {
    return this.#running.size
  }

  requestOf(requestId: string): InvocationRequest | undefined {
    return this.#running.get(requestId)?.request
  }

  asks(): void {
    if (this.#state === 'failed' || this.#asking + this.#running.size >= this.#host.places) {
      throw new BrokenProtocol(`process ${this.number} asks for more than it has places for`)
    }
    this.#state = 'serving'
    this.#asking += 1
    this.#events.idle()
  }

  /** Nothing more is to be handed to it; it is ended as soon as it is idle. */
  leave(): void {
    this.#events.leaving()
  }

  invoke(request: InvocationRequest): Promise<InvocationResult> {
    if (this.#state !== 'serving' || this.#asking === 0) {
      return Promise.resolve(withTail(platformFailure('The process ended before it was given the event'), ''))
    }
    this.#asking -= 1
    return this.#handOver(request, () => this.#overdue(request))
  }

  /** The worker has the event, and watches its deadline from now on. */
  begun(requestId: string): void {
    const { timeoutSeconds, unhurried } = this.#host
    const running = this.#running.get(requestId)
    if (running === undefined || running.begun) return
    running.begun = true
    running.watch(unhurried ? undefined : timeoutSeconds * 1_000 + lateMs)
  }

  end(): Promise<void> {
    if (this.#state !== 'ended' && this.#state !== 'failed') {
      const { clock, timers, send, fail } = this.#host
      send({ type: 'end', process: this.number })
      const cancel = timers.at(clock.now() + endLimitMs, () => fail(`process ${this.number} was not ended when asked`))
      void this.#gone.promise.then(cancel)
    }
    return this.#gone.promise
  }

  /** The worker says how an invocation ended. One that is over here, or never was one of this process, is ignored. */
  answered(requestId: string, result: InvocationResult): void {
    const { logTail } = result
    const tail = Buffer.byteLength(logTail) > logTailBytes ? logTail.slice(-logTailBytes) : logTail
    this.#running.get(requestId)?.settle({ ...result, logTail: tail })
  }

  /** The worker says that it is gone. */
  ended(failed: boolean): void {
    if (failed && this.#state === 'starting') {
      this.#state = 'failed'
      this.#gone.resolve()
      this.#events.ended({ resultFor: (request) => this.#explained(request) })
    } else this.lost('The process ended without a word about the invocation')
  }

  /** It cannot be reached any more. */
  lost(reason: string): void {
    const known = this.#state === 'starting' || this.#state === 'serving'
    this.#state = 'ended'
    this.#asking = 0
    for (const { settle } of [...this.#running.values()]) settle(withTail(platformFailure(reason), ''))
    this.#gone.resolve()
    if (known) this.#events.ended(undefined)
  }

  #handOver(request: InvocationRequest, late: () => void): Promise<InvocationResult> {
    const { clock, timers, send, receives } = this.#host
    const { event, ...about } = request
    const payload = Buffer.from(event)
    return new Promise((resolve) => {
      let cancel = (): void => {}
      const watch = (ms: number | undefined): void => {
        cancel()
        if (ms === undefined) return
        cancel = timers.at(clock.now() + ms, () => (receives(request.requestId) ? watch(lateMs) : late()))
      }
      this.#running.set(request.requestId, {
        request,
        begun: false,
        watch,
        settle: (result) => {
          cancel()
          this.#running.delete(request.requestId)
          resolve(result)
        },
      })
      watch(payloadLimitMs)
      send({ type: 'invoke', process: this.number, bytes: payload.byteLength, request: about }, payload)
    })
  }

  /** Why it could not be started is known at the worker, in the words of an invocation that it was started for. */
  #explained(request: InvocationRequest): Promise<InvocationResult> {
    const unexplained = withTail(platformFailure('The process ended while it was starting'), '')
    if (this.#state !== 'failed') return Promise.resolve(unexplained)
    return this.#handOver(request, () => this.answered(request.requestId, unexplained))
  }

  /** The worker was to end it long ago, or to begin it. */
  #overdue({ requestId }: InvocationRequest): void {
    const { timeoutSeconds, send } = this.#host
    const running = this.#running.get(requestId)
    const end = running?.begun === true ? timedOut(requestId, timeoutSeconds) : platformFailure(notBegun)
    running?.settle(withTail(end, ''))
    send({ type: 'end', process: this.number })
    this.lost('Another invocation in the same process did not end in time')
  }
}
