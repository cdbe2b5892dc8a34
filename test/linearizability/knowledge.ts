/** What clients have learnt of one name from answers, and what they have sent. They share it, so that they can race. */
import type { Answer, Request } from './calls.ts'

export type Checkpoint = Request & { readonly kind: 'checkpoint' }
export type Completion = Request & { readonly kind: 'callback' }

export interface Token {
  readonly token: string
  readonly mintedFor: string
}

export class Knowledge {
  /** Newest last, like all that follow. */
  readonly arns: string[] = []
  readonly tokens: Token[] = []
  readonly callbacks: string[] = []
  /** For those who send again what was sent before. */
  readonly checkpoints: Checkpoint[] = []
  readonly completions: Completion[] = []
  #texts = 0

  /** A text that nobody else writes. */
  freshText(): string {
    this.#texts += 1
    return `p${this.#texts}`
  }

  learn(request: Request, answer: Answer): void {
    if ('arn' in answer && !this.arns.includes(answer.arn)) this.arns.push(answer.arn)
    if (answer.kind === 'invoked') this.#learnToken(answer.token, answer.arn)
    if (answer.kind === 'checkpointed' && request.kind === 'checkpoint' && answer.token !== undefined) {
      this.#learnToken(answer.token, request.arn)
    }
    if (!('operations' in answer)) return
    for (const { callbackId } of answer.operations) {
      if (callbackId !== undefined && !this.callbacks.includes(callbackId)) this.callbacks.push(callbackId)
    }
  }

  #learnToken(token: string, mintedFor: string): void {
    if (!this.tokens.some((known) => known.token === token)) this.tokens.push({ token, mintedFor })
  }
}
