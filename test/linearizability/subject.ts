/** One name that clients race on: the history of all calls on it, what clients know of it, the functions that wait. */
import type { Invocation } from '../tables/puppeteer.ts'
import type { Output } from './calls.ts'
import { Knowledge, type Token } from './knowledge.ts'
import { Recorder, Symbols, type Ticks } from './recorder.ts'
import { type Addressee, errorObject, viewsOf } from './wire.ts'

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
  readonly known = new Knowledge()
  /** What the service could not do, in its own words: with a sound disk there is nothing of the kind. */
  readonly failures: string[] = []
  #held: Held[] = []
  #news = Promise.withResolvers<void>()

  constructor(name: string, functionName: string, mortal: boolean, ticks: Ticks) {
    this.name = name
    this.functionName = functionName
    this.mortal = mortal
    this.recorder = new Recorder(ticks)
  }

  failed(because: string | undefined): void {
    if (because !== undefined) this.failures.push(because)
  }

  /** Resolves when the next invocation reaches its function. */
  get news(): Promise<void> {
    return this.#news.promise
  }

  /** A token of another name, in the words of this one. */
  foreign(other: Subject): Token | undefined {
    const newest = other.known.tokens.at(-1)
    if (newest === undefined) return undefined
    const token = this.symbols.of('t', other.symbols.textOf(newest.token))
    return { token, mintedFor: this.symbols.of('A', other.symbols.textOf(newest.mintedFor)) }
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
    this.known.learn({ kind: 'invocation' }, answer)
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
