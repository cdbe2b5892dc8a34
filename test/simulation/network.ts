/**
 * The network between everyone and the service. A request may be lost, doubled, slow or overtaken by later ones, and so
 * may its answer; a server that dies takes its connections with it. A packet once sent outlives its sender.
 */
import { ApiError } from '../../src/protocol/errors.ts'
import type { DurableService } from '../../src/service/api.ts'
import { type Agenda, FOREVER, type Life } from './agenda.ts'
import type { Faults } from './faults.ts'
import type { Gate } from './gate.ts'
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
  readonly gate: Gate
  readonly service: DurableService
  /** Fail when the server dies. */
  readonly connections: Set<(error: TransportError) => void>
}

const CLIENT_TIMEOUT_MS = 20_000
/** What is held back until others have passed goes on alone when nobody comes. */
const OVERTAKEN_WITHIN_MS = 5_000

/** The two ways of a packet, each with faults of its own. */
const WAYS = {
  there: {
    lost: 'requestLost',
    doubled: 'requestDoubled',
    slow: 'requestSlow',
    overtaken: 'requestOvertaken',
  },
  back: { lost: 'answerLost', doubled: 'answerDoubled', slow: 'answerSlow', overtaken: 'answerOvertaken' },
} as const

export class Network {
  readonly #agenda: Agenda
  readonly #faults: Faults
  readonly #random: SeededRandom
  readonly #server: () => Server | undefined
  readonly #held: Record<keyof typeof WAYS, (() => void)[]> = { there: [], back: [] }

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
      const inTime = this.#agenda.after(timeoutMs, caller, () => reject(new TransportError('no answer in time')))
      // Nobody looks at what comes for the dead.
      const home = (deliver: () => void): void =>
        this.#send('back', caller, () => {
          inTime()
          deliver()
        })
      this.#send('there', FOREVER, () => {
        const server = this.#server()
        if (server?.gate.pass('transport') !== true) {
          return home(() => reject(new TransportError('connection refused')))
        }
        this.#serve(server, request, released, home, resolve, reject)
      })
    })
  }

  /** One packet on one way: it arrives, once or twice or never, soon or late. */
  #send(way: keyof typeof WAYS, receiver: Life, arrive: () => void): void {
    const { lost, doubled, overtaken } = WAYS[way]
    const copies = this.#faults.strikes(doubled) ? 2 : 1
    for (let copy = 0; copy < copies; copy++) {
      if (this.#faults.strikes(lost)) continue
      const passed = (): void => {
        arrive()
        for (const held of this.#held[way].splice(0)) this.#agenda.after(1, FOREVER, held)
      }
      if (this.#faults.strikes(overtaken)) this.#holdBack(way, receiver, arrive)
      else this.#agenda.after(this.#latencyMs(way), receiver, passed)
    }
  }

  /** Until a packet that was sent later has passed. */
  #holdBack(way: keyof typeof WAYS, receiver: Life, arrive: () => void): void {
    let waits = true
    const release = (): void => {
      if (!waits) return
      waits = false
      if (receiver.alive) arrive()
    }
    this.#held[way].push(release)
    this.#agenda.after(OVERTAKEN_WITHIN_MS, FOREVER, release)
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
        if (!server.gate.pass('transport')) return
        server.connections.delete(broken)
        released(answer)
        home(() => resolve(answer))
      },
      (error: unknown) => {
        if (!server.gate.pass('transport')) return
        server.connections.delete(broken)
        home(() => reject(error))
      },
    )
  }

  #latencyMs(way: keyof typeof WAYS): number {
    if (this.#faults.strikes(WAYS[way].slow)) return this.#random.between(100, 15_000)
    return this.#random.between(0, 3)
  }
}
