/**
 * Legal histories, made up: the model itself plays the service, one call after another, and then the calls' beginnings
 * and ends are pulled apart, so that they overlap. Each still has its moment between them, so the checker must explain
 * what comes out.
 */
import { SeededRandom } from '../simulation/seeded-random.ts'
import type { Answer, Call, Request } from './calls.ts'
import { chooseDeed, chooseOutput, chooseRequest } from './choosing.ts'
import type { Choices } from './execution.ts'
import { Knowledge } from './knowledge.ts'
import { model, replies } from './model.ts'

/** Between a call's moment and the next call's. */
const APART = 10
/** How far a call's beginning and end may lie from its moment. */
const STRETCH = 45

/** `lost`: of the answers, those that reach nobody. */
export function playSequentially(seed: number, length: number, lost = 0.15): readonly Call[] {
  const random = new SeededRandom(seed, 'sequential')
  const known = new Knowledge()
  const choices = new FreshChoices()
  const calls: Call[] = []
  const requestIds: string[] = []
  let name = model.initial
  for (let at = APART; calls.length < length; at += APART) {
    const request = chooseCall(random, known, requestIds)
    if (request === undefined) continue
    const possible = replies(name, request, choices.next())
    if (possible.length === 0) continue
    const step = random.pick(possible)
    name = step.name
    const byService = request.kind === 'invocation' || request.kind === 'kill' || request.kind === 'recovery'
    const unseen = !byService && (request.kind === 'end' || random.chance(lost))
    calls.push({ client: 'c', request, answer: unseen ? undefined : step.answer, from: at, to: at + 1 })
    if (unseen) continue
    known.learn(request, step.answer)
    if (step.answer.kind === 'invoked') requestIds.push(step.answer.requestId)
  }
  return calls
}

function chooseCall(random: SeededRandom, known: Knowledge, requestIds: readonly string[]): Request | undefined {
  if (random.chance(0.25)) return { kind: 'invocation' }
  if (random.chance(0.02)) return { kind: random.pick(['kill', 'recovery']) }
  const deed = chooseDeed(random)
  if (deed !== 'end') return chooseRequest(deed, known, random)
  const requestId = requestIds.at(-1)
  return requestId === undefined ? undefined : { kind: 'end', requestId, output: chooseOutput(known, random) }
}

/** Ids, tokens and times that nobody has had before. */
class FreshChoices {
  #used = 0

  next(): Choices {
    const fresh = (letter: string): string => {
      this.#used += 1
      return `${letter}${this.#used}`
    }
    this.#used += 1
    const at = this.#used
    const [arn, token, requestId] = [fresh('A'), fresh('t'), fresh('r')]
    return { arn, token, requestId, at, rest: `at ${at}`, callbackId: () => fresh('c'), completed: () => undefined }
  }
}

/** The same calls, each begun earlier and ended later; one without an answer may have no end. */
export function stretched(calls: readonly Call[], seed: number): readonly Call[] {
  const random = new SeededRandom(seed, 'stretched')
  const later = (answer: Answer | undefined, to: number): number =>
    answer === undefined && random.chance(0.7) ? Number.POSITIVE_INFINITY : to + random.between(0, STRETCH)
  return calls.map((call) => ({
    ...call,
    from: Math.max(0, call.from - random.between(0, STRETCH)),
    to: later(call.answer, call.to),
  }))
}
