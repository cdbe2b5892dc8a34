/**
 * How much this process takes on at a time (decision 18), counted in requests and in bytes of bodies.
 *
 * A request is *admitted* (it holds one unit and its bytes until it leaves), *queued* (its body is not read, so the
 * client's socket fills and the client waits) or, if it is an Invoke, *refused* with 429: new work is shed first, so
 * that what already runs can go on checkpointing. Queued requests are admitted first come, first served; one whose
 * client goes away leaves the queue.
 */
import { ApiError } from '../protocol/errors.ts'
import type { Limits } from '../protocol/limits.ts'

export type Hold = { readonly release: () => void }

type AdmissionLimits = Pick<Limits, 'bodyBytesInFlight' | 'invokesInFlight' | 'requestsInFlight'>

interface Queued {
  readonly bytes: number
  readonly admit: () => void
}

export class Admission {
  readonly #limits: AdmissionLimits
  readonly #queue: Queued[] = []
  #bytes = 0
  #requests = 0
  #invokes = 0

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
  }

  get queued(): number {
    return this.#queue.length
  }

  get invokes(): number {
    return this.#invokes
  }

  get requests(): number {
    return this.#requests
  }

  get bytes(): number {
    return this.#bytes
  }

  /** An Invoke: admitted at once or not at all. */
  invoke(bytes: number): Hold {
    const full = this.#invokes >= this.#limits.invokesInFlight || this.#queue.length > 0 || !this.#hasRoom(bytes)
    if (full) throw tooBusy('ConcurrentInvocationLimitExceeded')
    this.#invokes += 1
    this.#bytes += bytes
    return once(() => {
      this.#invokes -= 1
      this.#leave(bytes)
    })
  }

  /** Any other request: at once when there is room, else when its turn comes; rejects when the client goes before. */
  request(bytes: number, gone: { readonly signal: AbortSignal }): Hold | Promise<Hold> {
    if (this.#queue.length === 0 && this.#hasRoom(bytes)) return this.#admit(bytes)
    const { signal } = gone
    if (signal.aborted) return Promise.reject(signal.reason)
    return new Promise((resolve, reject) => {
      const queued = {
        bytes,
        admit: () => {
          signal.removeEventListener('abort', abandon)
          resolve(this.#admit(bytes))
        },
      }
      const abandon = () => {
        const index = this.#queue.indexOf(queued)
        if (index >= 0) this.#queue.splice(index, 1)
        reject(signal.reason)
        // What waited behind a large request may fit now.
        this.#admitQueued()
      }
      signal.addEventListener('abort', abandon, { once: true })
      this.#queue.push(queued)
    })
  }

  #admit(bytes: number): Hold {
    this.#requests += 1
    this.#bytes += bytes
    return once(() => {
      this.#requests -= 1
      this.#leave(bytes)
    })
  }

  #leave(bytes: number): void {
    this.#bytes -= bytes
    this.#admitQueued()
  }

  #admitQueued(): void {
    for (let next = this.#queue[0]; next !== undefined && this.#hasRoom(next.bytes); next = this.#queue[0]) {
      this.#queue.shift()
      next.admit()
    }
  }

  /** A body larger than the whole budget is let in when it is alone: a limit must not be a deadlock. */
  #hasRoom(bytes: number): boolean {
    if (this.#requests >= this.#limits.requestsInFlight) return false
    return this.#bytes === 0 || this.#bytes + bytes <= this.#limits.bodyBytesInFlight
  }
}

export function tooBusy(reason: string): ApiError {
  return new ApiError('TooManyRequestsException', 'Rate Exceeded.', {
    extra: { Reason: reason },
    headers: { 'retry-after': '1' },
  })
}

function once(call: () => void): Hold {
  let done = false
  return {
    release: () => {
      if (done) return
      done = true
      call()
    },
  }
}
