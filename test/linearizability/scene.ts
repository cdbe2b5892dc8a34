/**
 * One scene: eight clients race on two names, each of which may have several executions, and when they have gone a
 * last one reads everything there is to read, so that nothing that was lost can hide.
 */
import { SeededRandom } from '../simulation/seeded-random.ts'
import { type Answer, wordsOf } from './calls.ts'
import { PAYLOADS } from './choosing.ts'
import { Client } from './client.ts'
import type { Ticks } from './recorder.ts'
import type { Site } from './site.ts'
import type { Subject } from './subject.ts'
import { type ClientRequest, Wire } from './wire.ts'

const CLIENTS = 8
const CALLS = { low: 4, high: 12 } as const
/** Of the names: their functions' processes may end. */
const MORTAL = 0.12
const LOOK_MS = 10
const LOOKS = 3_000
const TRIES = 10

/** Resolves with the names when their histories are complete. */
export async function playScene(site: Site, seed: number, ticks: Ticks): Promise<readonly Subject[]> {
  const random = new SeededRandom(seed, 'scene')
  const [one, other] = [
    site.subject(`scene-${seed}-a`, random.chance(MORTAL), ticks),
    site.subject(`scene-${seed}-b`, random.chance(MORTAL), ticks),
  ]
  const subjects = [one, other]
  const calls = random.between(CALLS.low, CALLS.high)
  const clients = Array.from({ length: CLIENTS }, (_, index) => {
    const name = `c${index + 1}`
    return new Client(name, random.fork(name), subjects, site).run(index % 2 === 0 ? one : other, calls)
  })
  await Promise.all(clients)
  await Promise.all(subjects.map((subject) => new LastReader(site, subject).run(random.chance(0.5))))
  return subjects
}

class LastReader {
  readonly #site: Site
  readonly #subject: Subject
  readonly #wire: Wire

  constructor(site: Site, subject: Subject) {
    this.#site = site
    this.#subject = subject
    this.#wire = new Wire(site.endpoint)
  }

  async run(deletes: boolean): Promise<void> {
    await this.#send({ kind: 'start', payload: PAYLOADS[0] })
    await this.#readAll()
    // From here on no invocation begins; one that has begun and not arrived yet is one that nobody saw.
    for (const arn of this.#subject.known.arns) await this.#send({ kind: 'stop', arn, error: 'Over: last' })
    this.#subject.recorder.maybe({ kind: 'invocation' }, 'until now')
    await this.#readAll()
    if (deletes) for (const arn of this.#subject.known.arns) await this.#delete(arn)
    this.#wire.close()
  }

  async #readAll(): Promise<void> {
    const { known } = this.#subject
    for (const arn of known.arns) {
      await this.#send({ kind: 'describe', arn })
      await this.#send({ kind: 'history', arn })
      const newest = known.tokens.at(-1)
      if (newest !== undefined) await this.#send({ kind: 'state', arn, ...newest })
    }
  }

  /** Until it is gone. */
  async #delete(arn: string): Promise<void> {
    await this.#send({ kind: 'delete', arn })
    for (let looks = 0; looks < LOOKS; looks++) {
      const { kind } = await this.#send({ kind: 'describe', arn })
      if (kind === 'refused') return
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
    throw new Error(`${this.#subject.name}: ${arn} was deleted and does not go`)
  }

  /** Until it is answered. */
  async #send(request: ClientRequest): Promise<Answer> {
    for (let tries = 0; tries < TRIES; tries++) {
      await this.#site.up
      const call = this.#subject.recorder.begin('last', request)
      const outcome = await this.#wire.send(request, this.#subject)
      if (outcome.kind === 'unsent') call.withdrawn()
      if (outcome.kind === 'unknown') this.#subject.failed(outcome.because)
      if (outcome.kind !== 'answered') continue
      call.answered(outcome.answer)
      this.#subject.known.learn(request, outcome.answer)
      return outcome.answer
    }
    throw new Error(`${this.#subject.name}: no answer to ${wordsOf(request)}`)
  }
}
