/**
 * Whether a history of concurrent calls can be explained by a sequential model: whether every call can be given one
 * moment between its beginning and its end at which it takes effect, so that the model, taking the calls in the order
 * of these moments, gives the answers that were given (Herlihy and Wing's linearizability).
 *
 * The search is Lowe's just-in-time linearization. It walks through the beginnings and ends of calls in the order of
 * time and keeps every *configuration* that could be: a state of the model, and which of the open calls have taken
 * effect. Nothing is decided before it must be: only when a call ends do configurations in which it has not taken
 * effect yet let open calls take effect, in every order that leads there. Equal configurations are kept once. When no
 * configuration is left, the call that just ended is the one that nothing explains.
 *
 * Two things keep the search small. A call takes effect as soon as it can do so without changing anything: whatever
 * could follow without it can follow with it. And a call whose answer nobody saw is never forced: it stays open until its window
 * closes (for ever, when it has none), and may take effect once or never.
 */

export interface Call<Request, Answer> {
  readonly client: string
  readonly request: Request
  /** `undefined`: nobody knows. The call may have taken effect between `from` and `to`, or not at all. */
  readonly answer: Answer | undefined
  readonly from: number
  readonly to: number
}

export interface Model<State, Request, Answer> {
  readonly initial: State
  /**
   * Every state that the call may lead to if it is answered so, or in any way when the answer is unknown. Where it leads
   * only to the state itself, it must not be able to do anything else later: the search relies on it.
   */
  step(state: State, request: Request, answer: Answer | undefined): readonly State[]
  /** Equal texts for equal states. */
  key(state: State): string
}

export interface Explained {
  readonly linearizable: true
  /** Configurations that were looked at. */
  readonly visited: number
}

export interface Refuted<State, C> {
  readonly linearizable: false
  readonly visited: number
  /** The call whose answer nothing explains. */
  readonly stuckAt: C
  /** The states that were possible while it was open. */
  readonly possible: readonly State[]
}

export type Verdict<State, C> = Explained | Refuted<State, C>

interface Configuration<State> {
  readonly state: State
  readonly stateKey: string
  /** Open calls that have taken effect, by their index. */
  readonly done: ReadonlySet<number>
}

interface Moment {
  readonly at: number
  readonly kind: 'from' | 'to'
  readonly index: number
}

export function check<State, Request, Answer>(
  model: Model<State, Request, Answer>,
  calls: readonly Call<Request, Answer>[],
): Verdict<State, Call<Request, Answer>> {
  return new Search(model, calls).run()
}

class Search<State, Request, Answer> {
  readonly #model: Model<State, Request, Answer>
  readonly #calls: readonly Call<Request, Answer>[]
  readonly #open = new Set<number>()
  #configurations: Configuration<State>[]
  #visited = 1

  constructor(model: Model<State, Request, Answer>, calls: readonly Call<Request, Answer>[]) {
    this.#model = model
    this.#calls = calls
    this.#configurations = [{ state: model.initial, stateKey: model.key(model.initial), done: new Set() }]
  }

  run(): Verdict<State, Call<Request, Answer>> {
    for (const { kind, index } of momentsOf(this.#calls)) {
      if (kind === 'from') this.#begin(index)
      else if (this.#call(index).answer === undefined) this.#forget(index)
      else {
        const seen = this.#end(index)
        if (this.#configurations.length > 0) continue
        const possible = unique(seen, ({ stateKey }) => stateKey).map(({ state }) => state)
        return { linearizable: false, visited: this.#visited, stuckAt: this.#call(index), possible }
      }
    }
    return { linearizable: true, visited: this.#visited }
  }

  #call(index: number): Call<Request, Answer> {
    const call = this.#calls[index]
    if (call === undefined) throw new RangeError(`no call ${index}`)
    return call
  }

  #begin(index: number): void {
    this.#open.add(index)
    this.#configurations = this.#configurations.map((configuration) => this.#settled(configuration, [index]))
  }

  /** The call must have taken effect. Returns every configuration that was possible on the way. */
  #end(index: number): Configuration<State>[] {
    const { seen, reached } = this.#untilDone(index)
    this.#open.delete(index)
    this.#configurations = reached
    return seen
  }

  /** The window of a call with an unknown answer is over: either it has taken effect by now, or it never will. */
  #forget(index: number): void {
    const { reached } = this.#untilDone(index)
    this.#open.delete(index)
    const never = this.#configurations.filter(({ done }) => !done.has(index))
    this.#configurations = unique([...never, ...reached], keyOf)
  }

  /** Lets open calls take effect, in every order, until this one has. */
  #untilDone(index: number): { readonly seen: Configuration<State>[]; readonly reached: Configuration<State>[] } {
    const seen = new Map(this.#configurations.map((configuration) => [keyOf(configuration), configuration]))
    const reached: Configuration<State>[] = []
    const waiting = [...seen.values()]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (next.done.has(index)) {
        reached.push(without(next, index))
        continue
      }
      for (const later of this.#successors(next)) {
        const key = keyOf(later)
        if (seen.has(key)) continue
        seen.set(key, later)
        waiting.push(later)
        this.#visited += 1
      }
    }
    return { seen: [...seen.values()], reached: unique(reached, keyOf) }
  }

  *#successors(from: Configuration<State>): Generator<Configuration<State>> {
    for (const index of this.#open) {
      if (from.done.has(index)) continue
      const { request, answer } = this.#call(index)
      for (const state of this.#model.step(from.state, request, answer)) {
        const stateKey = this.#model.key(state)
        if (stateKey === from.stateKey && answer === undefined) continue
        yield this.#settled({ state, stateKey, done: new Set(from.done).add(index) }, this.#open)
      }
    }
  }

  /** Lets every call take effect whose answer is right as things are and which changes nothing. */
  #settled(configuration: Configuration<State>, candidates: Iterable<number>): Configuration<State> {
    let done: Set<number> | undefined
    for (const index of candidates) {
      const { request, answer } = this.#call(index)
      if (answer === undefined || configuration.done.has(index)) continue
      const after = this.#model.step(configuration.state, request, answer)
      if (after.length !== 1 || this.#model.key(after[0] as State) !== configuration.stateKey) continue
      done ??= new Set(configuration.done)
      done.add(index)
    }
    return done === undefined ? configuration : { ...configuration, done }
  }
}

function momentsOf(calls: readonly Call<unknown, unknown>[]): Moment[] {
  const moments = calls.flatMap(({ from, to }, index): Moment[] => [
    { at: from, kind: 'from', index },
    ...(to === Number.POSITIVE_INFINITY ? [] : [{ at: to, kind: 'to', index } as const]),
  ])
  // Calls that touch at one moment overlap.
  return moments.sort((a, b) => a.at - b.at || (a.kind === b.kind ? a.index - b.index : a.kind === 'from' ? -1 : 1))
}

function without<State>(configuration: Configuration<State>, index: number): Configuration<State> {
  const done = new Set(configuration.done)
  done.delete(index)
  return { ...configuration, done }
}

const keyOf = ({ stateKey, done }: Configuration<unknown>): string =>
  done.size === 0 ? stateKey : `${[...done].sort((a, b) => a - b).join()}|${stateKey}`

function unique<T>(items: Iterable<T>, key: (item: T) => string): T[] {
  return [...new Map(Array.from(items, (item) => [key(item), item])).values()]
}

/**
 * A smaller history that is refuted too: nothing after the call that got stuck, and of the rest only what is needed.
 * Only calls that can have changed nothing (`harmless`) are left out: without them an explainable history stays so.
 */
export function shrink<State, Request, Answer>(
  model: Model<State, Request, Answer>,
  calls: readonly Call<Request, Answer>[],
  harmless: (call: Call<Request, Answer>) => boolean,
): readonly Call<Request, Answer>[] {
  const verdict = check(model, calls)
  if (verdict.linearizable) return calls
  const { stuckAt } = verdict
  let kept = calls.filter(({ from }) => from <= stuckAt.to)
  for (const call of kept.filter((one) => one !== stuckAt && harmless(one))) {
    const fewer = kept.filter((one) => one !== call)
    const again = check(model, fewer)
    if (!again.linearizable && again.stuckAt === stuckAt) kept = fewer
  }
  return kept
}
