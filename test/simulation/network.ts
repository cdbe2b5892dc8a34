/**
 * The network between everyone and the service. A request may be lost, doubled or slow, so may its answer, and a
 * server that dies takes its connections with it. A packet once sent outlives its sender.
 */
import { ApiError } from '../../src/protocol/errors.ts'
import type { DurableService } from '../../src/service/api.ts'
import { type Agenda, FOREVER, type Life } from './agenda.ts'
import type { Faults } from './faults.ts'
import type { SeededRandom } from './seeded-random.ts'

/** No answer: nobody knows whether the request was carried out. */
export class TransportError extends Error {}

/** Whether clients try again after this error (spec 05 §5.9). */
export function isRetryable(error: unknown): boolean {
  if (error instanceof TransportError) return true
  return error instanceof ApiError && (error.httpStatus >= 500 || error.httpStatus === 429)
}

/** A service that answers, until it dies. */
export interface Server {
  readonly life: Life
  readonly service: DurableService
  /** Fail when the server dies. */
  readonly connections: Set<(error: TransportError) => void>
}

const CLIENT_TIMEOUT_MS = 20_000

export class Network {
  readonly #agenda: Agenda
  readonly #faults: Faults
  readonly #random: SeededRandom
  readonly #server: () => Server | undefined

  constructor(deps: {
    agenda: Agenda
    faults: Faults
    random: SeededRandom
    /** Who listens now; undefined while the service is down. */
    server: () => Server | undefined
  }) {
    this.#agenda = deps.agenda
    this.#faults = deps.faults
    this.#random = deps.random
    this.#server = deps.server
  }

  /**
   * One request. `released` sees the answer at the moment when the service gives it away, whether or not it arrives.
   * Rejects with what the service rejected with, or with a TransportError.
   */
  call<T>(
    caller: Life,
    request: (service: DurableService) => Promise<T>,
    released: (answer: T) => void = () => {},
    timeoutMs = CLIENT_TIMEOUT_MS,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#agenda.after(timeoutMs, caller, () => reject(new TransportError('no answer in time')))
      // Nobody looks at what comes for the dead.
      const home = (deliver: () => void): void => {
        if (!this.#faults.strikes('answerLost')) this.#agenda.after(this.#latencyMs(), caller, deliver)
      }
      const copies = this.#faults.strikes('requestDoubled') ? 2 : 1
      for (let copy = 0; copy < copies; copy++) {
        if (this.#faults.strikes('requestLost')) continue
        this.#agenda.after(this.#latencyMs(), FOREVER, () => {
          const server = this.#server()
          if (server === undefined) return home(() => reject(new TransportError('connection refused')))
          this.#serve(server, request, released, home, resolve, reject)
        })
      }
    })
  }

  #serve<T>(
    server: Server,
    request: (service: DurableService) => Promise<T>,
    released: (answer: T) => void,
    home: (deliver: () => void) => void,
    resolve: (answer: T) => void,
    reject: (error: unknown) => void,
  ): void {
    const broken = (error: TransportError): void => home(() => reject(error))
    server.connections.add(broken)
    request(server.service).then(
      (answer) => {
        if (!server.life.alive) return
        server.connections.delete(broken)
        released(answer)
        home(() => resolve(answer))
      },
      (error: unknown) => {
        if (!server.life.alive) return
        server.connections.delete(broken)
        home(() => reject(error))
      },
    )
  }

  #latencyMs(): number {
    if (this.#faults.strikes('packetSlow')) return this.#random.between(100, 15_000)
    return this.#random.between(0, 3)
  }
}
