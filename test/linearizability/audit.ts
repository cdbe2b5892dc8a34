/** Checks the histories of a run one after another, keeps count, and shows those that nothing explains. */
import type { Figures } from '../proof/machine.ts'
import { type Call, isHarmless, wordsOf, wordsOfAnswer } from './calls.ts'
import { check, shrink } from './checker.ts'
import { choicesIn, model, type Name, replies } from './model.ts'
import type { Subject } from './subject.ts'
import { timeline } from './timeline.ts'

const SHOWN_ANSWERS = 2

const isByClient = ({ client, request }: Call): boolean => client !== 'service' && request.kind !== 'end'

export class Audit {
  #histories = 0
  #refuted = 0
  #killed = 0
  #largestSearch = 0
  #longestCheckMs = 0
  /** Of calls, by what they were and what came of them. */
  readonly #counts = new Map<string, number>()

  get explained(): number {
    return this.#histories - this.#refuted
  }

  get refuted(): number {
    return this.#refuted
  }

  get figures(): Figures {
    const count = (what: string): number => this.#counts.get(what) ?? 0
    return {
      histories: this.#histories,
      calls: count('call'),
      'unknown outcomes': count('unknown'),
      'checkpoints accepted': count('checkpoint accepted'),
      'checkpoints refused': count('checkpoint refused'),
      'callbacks accepted': count('callback accepted'),
      'callbacks refused': count('callback refused'),
      invocations: count('invocation accepted'),
      'histories with a kill': this.#killed,
      'largest search (configurations)': this.#largestSearch,
      'longest check (ms)': Math.round(this.#longestCheckMs),
    }
  }

  /** `title` says which history it is, `again` how to repeat it. */
  check(subject: Subject, title: string, again: string): void {
    const { calls } = subject.recorder
    const began = performance.now()
    const verdict = check(model, calls)
    this.#longestCheckMs = Math.max(this.#longestCheckMs, performance.now() - began)
    this.#largestSearch = Math.max(this.#largestSearch, verdict.visited)
    this.#count(calls)
    if (verdict.linearizable && subject.failures.length === 0) return
    this.#refuted += 1
    for (const failure of subject.failures) console.log(`\n${title}: the service failed: ${failure}`)
    if (verdict.linearizable) return
    const { stuckAt, possible } = verdict
    console.log(`\n${title} is not linearizable. Again: ${again}`)
    console.log(timeline(shrink(model, calls, isHarmless), stuckAt))
    console.log(
      `✗ ${stuckAt.client}: ${wordsOf(stuckAt.request)} → ${wordsOfAnswer(stuckAt.answer)}: nothing explains it`,
    )
    tellExpected(stuckAt, possible)
  }

  #count(calls: readonly Call[]): void {
    this.#histories += 1
    if (calls.some(({ request }) => request.kind === 'kill')) this.#killed += 1
    for (const call of calls) {
      const { request, answer } = call
      this.#add('call')
      if (answer === undefined && isByClient(call)) this.#add('unknown')
      if (answer !== undefined) this.#add(`${request.kind} ${answer.kind === 'refused' ? 'refused' : 'accepted'}`)
    }
  }

  #add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
  }
}

/** What would have been an answer. */
function tellExpected({ request, answer }: Call, possible: readonly Name[]): void {
  const expected = possible.flatMap((name) => replies(name, request, choicesIn(answer)).map((step) => step.answer))
  const words = [...new Set(expected.map(wordsOfAnswer))]
  for (const some of words.slice(0, SHOWN_ANSWERS)) console.log(`  it could have been: ${some}`)
  if (words.length > SHOWN_ANSWERS) console.log(`  or one of ${words.length - SHOWN_ANSWERS} others`)
  console.log(
    `  the service was in this state (or one of ${possible.length - 1} others): ${JSON.stringify(possible[0])}`,
  )
}
