/**
 * What stands outside of the server and is told: a listener to changes of status, a place for records of asynchronous
 * invocations, and one for dead letters. Sometimes nobody answers, sometimes the answer is lost on its way, sometimes
 * one refuses. Whatever came in is kept, over all lives of the server.
 */
import type { WebhookAnswer, Webhooks } from '../../src/service/ports.ts'
import type { Agenda, Life } from './agenda.ts'
import type { Faults } from './faults.ts'
import type { SeededRandom } from './seeded-random.ts'

export const LISTENER = 'https://listener.invalid/'
export const RECORDS = 'https://records.invalid/'
/** An ARN that the configuration maps. */
export const DEAD_LETTERS = 'arn:aws:sqs:us-east-1:000000000000:dead'
export const DEAD_LETTERS_AT = 'https://dead.invalid/'

type Post = Parameters<Webhooks['post']>[0]

/** What was told, by what it tells of: `status <execution> <status>`, `record <request>`, `dead <request or execution>`. */
export class Told {
  readonly bodies = new Map<string, string>()
  /** Idempotency keys, by what was told and how: one each, however often it came. */
  readonly #keys = new Map<string, string>()
  readonly #report: (violation: string) => void

  constructor(report: (violation: string) => void) {
    this.#report = report
  }

  take({ url, headers, body }: Post): void {
    const what = whatOf(url, headers, body)
    const key = headers['Idempotency-Key'] ?? ''
    // A run that succeeded, and was forgotten with the server, may fail when it is run again: that is told by itself.
    const kind = `${headers['Perdure-Delivery']} ${what}`
    const before = this.#keys.get(kind) ?? key
    if (before !== key) this.#report(`${kind} is told as ${key}, and was told as ${before}`)
    this.#keys.set(kind, before)
    this.bodies.set(what, body)
  }
}

function whatOf(url: string, headers: Post['headers'], body: string): string {
  if (url === DEAD_LETTERS_AT) return `dead ${headers['RequestID']}`
  if (url === RECORDS) return `record ${JSON.parse(body).requestContext.requestId}`
  const { durableExecutionArn, status } = JSON.parse(body).detail
  return `status ${durableExecutionArn} ${status}`
}

export class SimulatedWebhooks implements Webhooks {
  readonly #world: { readonly agenda: Agenda; readonly faults: Faults; readonly random: SeededRandom }
  readonly #server: Life
  readonly #told: Told

  constructor(world: { agenda: Agenda; faults: Faults; random: SeededRandom }, server: Life, told: Told) {
    this.#world = world
    this.#server = server
    this.#told = told
  }

  post(post: Post, signal: AbortSignal): Promise<WebhookAnswer> {
    const { agenda, faults, random } = this.#world
    const delayMs = faults.strikes('webhookSlow') ? 10_000 : random.between(1, 300)
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve({ failure: 'no answer in time' }), { once: true })
      agenda.after(delayMs, this.#server, () => {
        if (signal.aborted) return
        if (faults.strikes('webhookDown')) return resolve({ failure: 'ECONNREFUSED' })
        if (faults.strikes('webhookRefuses')) return resolve({ status: random.pick([302, 400, 404, 429, 503]) })
        this.#told.take(post)
        resolve(faults.strikes('webhookAnswerLost') ? { failure: 'ECONNRESET' } : { status: 204 })
      })
    })
  }
}
