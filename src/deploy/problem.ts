/**
 * What is wrong with what somebody wrote, where, and what to do about it. Reading goes on as far as it can, so that one
 * run tells all of it.
 */
import { nearest } from '../functions/nearest.ts'
import type { Place } from './template/node.ts'

export interface Problem {
  /** Undefined where there is no text to point at. */
  readonly place: Place | undefined
  readonly cause: string
  readonly fix: string
}

/** Ends the reading of one value. */
export class TemplateProblem extends Error implements Problem {
  readonly place: Place | undefined
  override readonly cause: string
  readonly fix: string

  constructor(place: Place | undefined, cause: string, fix: string) {
    super(place === undefined ? cause : `${placeText(place)}: ${cause}`)
    this.name = 'TemplateProblem'
    this.place = place
    this.cause = cause
    this.fix = fix
  }
}

/** What was found, in the order of the text. */
export class DeployProblems extends Error {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(problems.map(problemText).join('\n'))
    this.name = 'DeployProblems'
    this.problems = problems
  }
}

/** Whoever has more of them has one behind them, or means harm: each looks through all names there are. */
const MOST_TOLD = 50

export class Problems {
  readonly #found: Problem[] = []

  add(place: Place | undefined, cause: string, fix: string): void {
    this.#note({ place, cause, fix })
  }

  /** The value, or undefined with the problem noted. */
  attempt<Value>(read: () => Value): Value | undefined {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof TemplateProblem)) throw error
      this.#note({ place: error.place, cause: error.cause, fix: error.fix })
      return undefined
    }
  }

  async attemptAsync<Value>(read: () => Promise<Value>): Promise<Value | undefined> {
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof TemplateProblem)) throw error
      this.#note({ place: error.place, cause: error.cause, fix: error.fix })
      return undefined
    }
  }

  /** The same value may be read for several reasons; what is wrong with it is told once. */
  #note(problem: Problem): void {
    const text = problemText(problem)
    if (!this.#found.some((each) => problemText(each) === text)) this.#found.push(problem)
    if (this.#found.length === MOST_TOLD) this.throwIfAny()
  }

  throwIfAny(): void {
    if (this.#found.length === 0) return
    throw new DeployProblems(
      this.#found.toSorted((a, b) => (a.place?.line ?? 0) - (b.place?.line ?? 0) || columnOf(a) - columnOf(b)),
    )
  }
}

const columnOf = ({ place }: Problem): number => place?.column ?? 0

export const placeText = ({ file, line, column }: Place): string => `${file}:${line}:${column}`

export const problemText = ({ place, cause }: Problem): string =>
  place === undefined ? cause : `${placeText(place)}: ${cause}`

/** The fix for a name that is not known. */
export const didYouMean = (name: string, known: readonly string[]): string => `did you mean ${nearest(name, known)}?`
