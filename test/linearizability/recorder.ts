/**
 * Writes down the calls on one name as they happen. Time is a counter that moves at every beginning and every end of a
 * call: all clients live in this process, so it orders them as they really were, and no two moments are equal.
 */
import { type Answer, type Call, isHarmless, type Request } from './calls.ts'

export class Ticks {
  #now = 0
  #awaited: { readonly moment: number; readonly resolve: () => void } | undefined

  next(): number {
    this.#now += 1
    return this.#now
  }

  /** Somebody has just been told that something was done. */
  acknowledged(): void {
    if (this.#awaited === undefined || this.#now < this.#awaited.moment) return
    this.#awaited.resolve()
    this.#awaited = undefined
  }

  /** Resolves with the first acknowledgement after that moment, of which there may be none. */
  acknowledgement(moment: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#awaited = { moment, resolve }
    return promise
  }
}

/** A call on its way. Left alone, it stays one whose answer nobody knows. */
export interface Open {
  answered(answer: Answer): void
  /** It was never sent. */
  withdrawn(): void
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

export class Recorder {
  readonly #ticks: Ticks
  #calls: Mutable<Call>[] = []

  constructor(ticks: Ticks) {
    this.#ticks = ticks
  }

  /** In the order of their beginnings. */
  get calls(): readonly Call[] {
    return this.#calls
  }

  begin(client: string, request: Request): Open {
    return this.#open({ client, request, answer: undefined, from: this.#ticks.next(), to: Number.POSITIVE_INFINITY })
  }

  /** Something that the service did by itself at any time until now: nobody saw it begin. */
  happened(request: Request, answer: Answer): void {
    this.#open({ client: 'service', request, answer: undefined, from: 0, to: Number.POSITIVE_INFINITY }).answered(
      answer,
    )
  }

  /** The service may do this by itself from now on, or, if it is over, may have done it until now. */
  maybe(request: Request, when: 'until now' | 'from now on'): void {
    const now = this.#ticks.next()
    const [from, to] = when === 'until now' ? [0, now] : [now, Number.POSITIVE_INFINITY]
    this.#open({ client: 'service', request, answer: undefined, from, to })
  }

  /** Nothing that was sent until now can take effect any more. */
  closeWindows(): void {
    const now = this.#ticks.next()
    for (const call of this.#calls) if (call.to === Number.POSITIVE_INFINITY) call.to = now
  }

  #open(call: Mutable<Call>): Open {
    this.#calls.push(call)
    return {
      answered: (answer) => {
        call.answer = answer
        call.to = this.#ticks.next()
        if (!isHarmless(call)) this.#ticks.acknowledged()
      },
      withdrawn: () => {
        this.#calls = this.#calls.filter((other) => other !== call)
      },
    }
  }
}

/** Short names for the long texts of the wire, one to one. */
export class Symbols {
  readonly #symbols = new Map<string, string>()
  readonly #texts = new Map<string, string>()
  readonly #counts = new Map<string, number>()

  /** `A` for ARNs, `t` for tokens, `c` for callback ids, `r` for request ids. */
  of(letter: 'A' | 't' | 'c' | 'r', text: string): string {
    const key = `${letter}${text}`
    const known = this.#symbols.get(key)
    if (known !== undefined) return known
    const count = (this.#counts.get(letter) ?? 0) + 1
    this.#counts.set(letter, count)
    const symbol = `${letter}${count}`
    this.#symbols.set(key, symbol)
    this.#texts.set(symbol, text)
    return symbol
  }

  textOf(symbol: string): string {
    const text = this.#texts.get(symbol)
    if (text === undefined) throw new Error(`nothing is called ${symbol}`)
    return text
  }
}
