/** One name that clients race on: the history of all calls on it, and what the clients know of it, which they share. */
import type { Invocation } from '../tables/puppeteer.ts'
import type { Answer, Output, Request } from './calls.ts'
import { Recorder, Symbols, type Ticks } from './recorder.ts'
import { type Addressee, errorObject, viewsOf } from './wire.ts'

export type Checkpoint = Request & { readonly kind: 'checkpoint' }
export type Completion = Request & { readonly kind: 'callback' }

/** As it is on the wire: clients use it on other names too. */
export interface Token {
  readonly text: string
  /** The ARN of its execution. */
  readonly mintedFor: string
}

/** An invocation whose function waits for somebody to say how it ends. */
interface Held {
  readonly invocation: Invocation
  readonly requestId: string
}

export class Subject implements Addressee {
  readonly name: string
  readonly functionName: string
  /** Its function's processes run one invocation each, so that one may end. */
  readonly mortal: boolean
  readonly recorder: Recorder
  readonly symbols = new Symbols()
  /** Newest last. */
  readonly arns: string[] = []
  readonly tokens: Token[] = []
  readonly callbacks: string[] = []
  /** For those who send again what was sent before. */
  readonly checkpoints: Checkpoint[] = []
  readonly completions: Completion[] = []
  #held: Held[] = []
  #news = Promise.withResolvers<void>()
  #texts = 0

  constructor(name: string, functionName: string, mortal: boolean, ticks: Ticks) {
    this.name = name
    this.functionName = functionName
    this.mortal = mortal
    this.recorder = new Recorder(ticks)
  }

  /** A text that nobody else writes. */
  freshText(): string {
    this.#texts += 1
    return `p${this.#texts}`
  }

  /** Resolves when the next invocation reaches its function. */
  get news(): Promise<void> {
    return this.#news.promise
  }

  learn(request: Request, answer: Answer): void {
    if (answer.kind === 'started' || answer.kind === 'taken') this.#learnArn(answer.arn)
    if (answer.kind === 'checkpointed' && answer.token !== undefined && request.kind === 'checkpoint') {
      this.#learnToken(answer.token, request.arn)
    }
    if (!('operations' in answer)) return
    for (const { callbackId } of answer.operations) {
      if (callbackId !== undefined && !this.callbacks.includes(callbackId)) this.callbacks.push(callbackId)
    }
  }

  #learnArn(arn: string): void {
    if (!this.arns.includes(arn)) this.arns.push(arn)
  }

  #learnToken(token: string, arn: string): void {
    const text = this.symbols.textOf(token)
    if (this.tokens.some((known) => known.text === text)) return
    this.tokens.push({ text, mintedFor: this.symbols.textOf(arn) })
  }

  /** A function has it: from now on clients know its token. */
  invoked(invocation: Invocation): void {
    const { event } = invocation
    const answer = {
      kind: 'invoked',
      requestId: this.symbols.of('r', invocation.requestId),
      arn: this.symbols.of('A', event.DurableExecutionArn),
      token: this.symbols.of('t', event.CheckpointToken),
      operations: viewsOf(event.InitialExecutionState.Operations, this.symbols),
    } as const
    this.recorder.happened({ kind: 'invocation' }, answer)
    this.learn({ kind: 'invocation' }, answer)
    this.#learnArn(answer.arn)
    this.#learnToken(answer.token, answer.arn)
    this.#held.push({ invocation, requestId: answer.requestId })
    this.#news.resolve()
    this.#news = Promise.withResolvers()
  }

  /** Whether some function waits to be told how to end. */
  get holds(): boolean {
    return this.#held.length > 0
  }

  /** Ends the newest invocation that is held, if any. */
  endInvocation(client: string, output: Output, byExit: boolean): void {
    const held = this.#held.pop()
    if (held === undefined) return
    this.recorder.begin(client, { kind: 'end', requestId: held.requestId, output })
    const { invocation } = held
    switch (output.kind) {
      case 'crashed':
        if (byExit && this.mortal) invocation.exit(1)
        else invocation.throw('Oops', 'thrown')
        return
      case 'pending':
        invocation.respond({ Status: 'PENDING' })
        return
      case 'succeeded':
        invocation.respond({ Status: 'SUCCEEDED', Result: output.text })
        return
      case 'failed':
        invocation.respond({ Status: 'FAILED', Error: errorObject(output.text) })
        return
    }
  }

  /** The functions' processes died with their server. */
  loseInvocations(): void {
    this.#held = []
  }

  /** The history is over: functions that still wait may go, whatever they say means nothing any more. */
  release(): void {
    for (const { invocation } of this.#held) if (invocation.held) invocation.respond({ Status: 'PENDING' })
    this.#held = []
  }
}
