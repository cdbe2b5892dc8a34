/** A client of one scene: call after call, without a rest, on whichever name. */
import type { SeededRandom } from '../simulation/seeded-random.ts'
import { chooseDeed, chooseOutput, chooseRequest, type Deed } from './choosing.ts'
import type { Site } from './site.ts'
import type { Subject } from './subject.ts'
import { type ClientRequest, Wire } from './wire.ts'

const NEWS_PATIENCE_MS = 60
const START_AGAIN_MS = 5_000
/** Of the calls: the client hangs up before it is answered. */
const CUT = 0.1
const CUT_MS = 4

export class Client {
  readonly #name: string
  readonly #random: SeededRandom
  readonly #subjects: readonly Subject[]
  readonly #site: Site
  readonly #wire: Wire

  constructor(name: string, random: SeededRandom, subjects: readonly Subject[], site: Site) {
    this.#name = name
    this.#random = random
    this.#subjects = subjects
    this.#site = site
    this.#wire = new Wire(site.endpoint)
  }

  /** Starts its name, as others do, and then makes so many calls on whichever. */
  async run(own: Subject, calls: number): Promise<void> {
    await this.#do('start', own)
    for (let made = 0; made < calls; made++) {
      const subject = this.#random.pick(this.#subjects)
      if (subject.known.tokens.length === 0) await this.#firstInvocation(subject)
      await this.#do(chooseDeed(this.#random), subject)
    }
    this.#wire.close()
  }

  async #firstInvocation(subject: Subject): Promise<void> {
    const { news } = subject
    await this.#site.atMost(START_AGAIN_MS, news)
    if (subject.known.tokens.length > 0) return
    // A server that was killed may have taken every start of the name along, and nobody sent one again.
    await this.#do('start', subject)
    await this.#site.patience(news, `the first invocation of ${subject.name}`)
  }

  async #do(deed: Deed, subject: Subject): Promise<void> {
    if (deed === 'end') return this.#endInvocation(subject)
    const other = this.#random.pick(this.#subjects.filter((one) => one !== subject))
    const request = chooseRequest(deed, subject.known, this.#random, () => subject.foreign(other))
    if (request === undefined) return
    const cut = this.#random.chance(CUT) ? this.#random.between(0, CUT_MS) : undefined
    const answered = await this.#send(subject, request, cut)
    if (answered || this.#random.chance(0.4)) return
    // As SDKs do: the same again.
    await this.#send(subject, request, undefined)
  }

  async #send(subject: Subject, request: ClientRequest, cutAfterMs: number | undefined): Promise<boolean> {
    await this.#site.up
    const call = subject.recorder.begin(this.#name, request)
    const outcome = await this.#wire.send(request, subject, cutAfterMs)
    if (outcome.kind === 'unsent') call.withdrawn()
    if (outcome.kind === 'unknown') subject.failed(outcome.because)
    if (outcome.kind !== 'answered') return false
    call.answered(outcome.answer)
    subject.known.learn(request, outcome.answer)
    return true
  }

  async #endInvocation(subject: Subject): Promise<void> {
    if (!subject.holds) return
    const { news } = subject
    subject.endInvocation(this.#name, chooseOutput(subject.known, this.#random), this.#random.chance(0.5))
    // Some go on with the old token, some wait for the next one.
    if (this.#random.chance(0.5)) await this.#site.atMost(NEWS_PATIENCE_MS, news)
  }
}
