/** A client that does, call after call, what chance says: mostly what races with what the others do. */
import type { SeededRandom } from '../simulation/seeded-random.ts'
import type { Output, Update } from './calls.ts'
import type { Site } from './site.ts'
import type { Subject, Token } from './subject.ts'
import { type ClientRequest, Wire } from './wire.ts'

/** Few, so that clients get in each other's way. */
const STEPS = ['s1', 's2', 's3', 's4', 's5', 's6']
const CALLBACKS = ['k1', 'k2', 'k3', 'k4']
/** The two payloads that one name is started with. */
export const PAYLOADS = ['1', '1', '1', '2'] as const
const NEWS_PATIENCE_MS = 60
const CUT_MS = 4

/** How often what is done, in parts. */
const USUAL = {
  checkpoint: 40,
  again: 8,
  completion: 14,
  completionAgain: 4,
  heartbeat: 4,
  end: 9,
  start: 5,
  stop: 2,
  delete: 3,
  describe: 4,
  history: 4,
  state: 5,
}
type Deed = keyof typeof USUAL

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

  /** Starts a name and then makes so many calls. */
  async run(calls: number): Promise<void> {
    for (const subject of this.#subjects) await this.#do('start', subject)
    for (let made = 0; made < calls; made++) {
      const subject = this.#random.pick(this.#subjects)
      if (subject.tokens.length === 0) await this.#site.patience(subject.news, `an invocation of ${subject.name}`)
      await this.#do(this.#deed(), subject)
    }
    this.#wire.close()
  }

  #deed(): Deed {
    let lot = this.#random.between(
      1,
      Object.values(USUAL).reduce((sum, parts) => sum + parts),
    )
    for (const [deed, parts] of Object.entries(USUAL)) {
      lot -= parts
      if (lot <= 0) return deed as Deed
    }
    return 'checkpoint'
  }

  async #do(deed: Deed, subject: Subject): Promise<void> {
    if (deed === 'end') return this.#endInvocation(subject)
    const request = this.#request(deed, subject)
    if (request === undefined) return
    const cut = this.#random.chance(0.1) ? this.#random.between(0, CUT_MS) : undefined
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
    if (outcome.kind !== 'answered') return false
    call.answered(outcome.answer)
    subject.learn(request, outcome.answer)
    return true
  }

  async #endInvocation(subject: Subject): Promise<void> {
    if (!subject.holds) return
    const outputs: readonly Output['kind'][] = [
      'pending',
      'pending',
      'pending',
      'crashed',
      'crashed',
      'succeeded',
      'failed',
    ]
    const kind = this.#random.pick(outputs)
    const text = subject.freshText()
    const { news } = subject
    const output: Output =
      kind === 'pending' || kind === 'crashed' ? { kind } : { kind, text: kind === 'failed' ? `Boom: ${text}` : text }
    subject.endInvocation(this.#name, output, this.#random.chance(0.5))
    // Some go on with the old token, some wait for the next one.
    if (this.#random.chance(0.5)) await this.#site.atMost(NEWS_PATIENCE_MS, news)
  }

  #request(deed: Exclude<Deed, 'end'>, subject: Subject): ClientRequest | undefined {
    const random = this.#random
    if (deed === 'start') return { kind: 'start', payload: random.pick(PAYLOADS) }
    const arn = random.chance(0.9) ? subject.arns.at(-1) : subject.arns.at(0)
    if (arn === undefined) return undefined
    const callbackId = random.chance(0.6) ? subject.callbacks.at(-1) : pickFrom(random, subject.callbacks)
    switch (deed) {
      case 'checkpoint':
        return this.#checkpoint(subject, arn)
      case 'again':
        return this.#again(subject)
      case 'state': {
        const token = this.#token(subject)
        return token === undefined ? undefined : { kind: 'state', arn, ...token }
      }
      case 'completion': {
        if (callbackId === undefined) return undefined
        const verb = random.chance(0.7) ? 'succeed' : 'fail'
        const text = subject.freshText()
        const attempt = random.chance(0.6) ? `${this.#name}-${text}` : undefined
        const completion = {
          kind: 'callback',
          verb,
          callbackId,
          text: verb === 'fail' ? `No: ${text}` : text,
          attempt,
        } as const
        subject.completions.push(completion)
        return completion
      }
      case 'completionAgain':
        return pickFrom(random, subject.completions.slice(-3))
      case 'heartbeat':
        return callbackId === undefined
          ? undefined
          : { kind: 'callback', verb: 'heartbeat', callbackId, text: '', attempt: undefined }
      case 'stop':
        return { kind: 'stop', arn, error: `Enough: ${subject.freshText()}` }
      case 'delete':
      case 'describe':
      case 'history':
        return { kind: deed, arn }
    }
  }

  #checkpoint(subject: Subject, arn: string): ClientRequest | undefined {
    const token = this.#token(subject)
    if (token === undefined) return undefined
    const clientToken = this.#random.chance(0.75) ? subject.freshText() : undefined
    const request = { kind: 'checkpoint', arn, ...token, clientToken, updates: this.#updates(subject) } as const
    subject.checkpoints.push(request)
    return request
  }

  /** What somebody has sent before; now and then with other updates, which must not matter. */
  #again(subject: Subject): ClientRequest | undefined {
    const request = pickFrom(this.#random, subject.checkpoints.slice(-3))
    if (request === undefined || this.#random.chance(0.8)) return request
    return { ...request, updates: this.#updates(subject) }
  }

  /** Mostly the newest; an older one; now and then one of the other name. */
  #token(subject: Subject): { readonly token: string; readonly mintedFor: string } | undefined {
    const random = this.#random
    const others = random.chance(0.03) ? this.#subjects.filter((other) => other !== subject) : []
    const { tokens } = others[0] ?? subject
    const token: Token | undefined = random.chance(0.8) ? tokens.at(-1) : pickFrom(random, tokens)
    if (token === undefined) return undefined
    return { token: subject.symbols.of('t', token.text), mintedFor: subject.symbols.of('A', token.mintedFor) }
  }

  #updates(subject: Subject): readonly Update[] {
    const random = this.#random
    const updates: Update[] = []
    const count = random.pick([0, 1, 1, 1, 2, 3])
    for (let i = 0; i < count; i++) updates.push(...this.#update(subject))
    if (random.chance(0.03)) updates.push({ type: 'EXECUTION', action: 'SUCCEED', text: subject.freshText() })
    return updates
  }

  #update(subject: Subject): readonly Update[] {
    const random = this.#random
    const id = random.pick(STEPS)
    const start = { type: 'STEP', action: 'START', id } as const
    const succeed = { type: 'STEP', action: 'SUCCEED', id, text: subject.freshText() } as const
    switch (random.pick(['callback', 'callback', 'both', 'both', 'start', 'succeed', 'fail'] as const)) {
      case 'callback':
        return [{ type: 'CALLBACK', action: 'START', id: random.pick(CALLBACKS) }]
      case 'both':
        return [start, succeed]
      case 'start':
        return [start]
      case 'succeed':
        return [succeed]
      case 'fail':
        return [{ type: 'STEP', action: 'FAIL', id, text: `Boom: ${succeed.text}` }]
    }
  }
}

const pickFrom = <T>(random: SeededRandom, from: readonly T[]): T | undefined =>
  from.length === 0 ? undefined : random.pick(from)
