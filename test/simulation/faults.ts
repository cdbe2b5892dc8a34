/**
 * What goes wrong in one simulated world. Each seed enables some kinds of faults and draws how often each strikes, so
 * that rare combinations meet (a world with lost answers only looks quite different from one where everything fails).
 * Faults strike until `calm`; from then on the world is fair, and everything owed has to happen.
 */
import type { SeededRandom } from './seeded-random.ts'

/** Probability per occasion; the comment says which occasion. */
export interface FaultRates {
  // the network, per request, and per answer
  readonly requestLost: number
  readonly requestDoubled: number
  readonly requestSlow: number
  readonly requestOvertaken: number
  readonly answerLost: number
  readonly answerDoubled: number
  readonly answerSlow: number
  readonly answerOvertaken: number
  // the store, per call and per minute
  readonly appendFailsBefore: number
  readonly appendFailsAfter: number
  readonly appendSlow: number
  readonly readFails: number
  readonly diskStallsPerMinute: number
  // the service, per commit, per call of a port and per minute
  readonly crashBeforeCommit: number
  readonly crashAfterCommit: number
  /** Per batch of several items. */
  readonly crashWithinBatch: number
  readonly crashAtStore: number
  readonly crashAtClock: number
  readonly crashAtTimers: number
  readonly crashAtEntropy: number
  readonly crashAtFunctions: number
  readonly crashAtTurn: number
  readonly crashAtTransport: number
  readonly crashPerMinute: number
  readonly restartPerMinute: number
  // time, per timer and per minute
  readonly timerLate: number
  readonly clockForwardPerMinute: number
  readonly clockBackPerMinute: number
  // functions, per invocation; the last two per checkpoint
  readonly slotCannotStart: number
  readonly slotSlow: number
  readonly platformFails: number
  readonly processDies: number
  readonly processHangs: number
  readonly outcomeSlow: number
  readonly diesBeforeAnswer: number
  readonly diesAfterAnswer: number
  /** Per crash of the service, per process: it lives on for a while, without its server. */
  readonly orphanSurvives: number
  /** Per minute: a function is not declared for a while. */
  readonly functionGonePerMinute: number
  // webhooks, per request
  readonly webhookSlow: number
  readonly webhookDown: number
  readonly webhookRefuses: number
  readonly webhookAnswerLost: number
}

const HIGHEST: FaultRates = {
  requestLost: 0.1,
  requestDoubled: 0.15,
  requestSlow: 0.1,
  requestOvertaken: 0.1,
  answerLost: 0.1,
  answerDoubled: 0.15,
  answerSlow: 0.1,
  answerOvertaken: 0.1,
  appendFailsBefore: 0.1,
  appendFailsAfter: 0.1,
  appendSlow: 0.1,
  readFails: 0.2,
  diskStallsPerMinute: 0.3,
  crashBeforeCommit: 0.03,
  crashAfterCommit: 0.03,
  crashWithinBatch: 0.5,
  crashAtStore: 0.01,
  crashAtClock: 0.003,
  crashAtTimers: 0.01,
  crashAtEntropy: 0.01,
  crashAtFunctions: 0.01,
  crashAtTurn: 0.01,
  crashAtTransport: 0.01,
  crashPerMinute: 0.5,
  restartPerMinute: 0.3,
  timerLate: 0.3,
  clockForwardPerMinute: 0.3,
  clockBackPerMinute: 0.5,
  slotCannotStart: 0.1,
  slotSlow: 0.1,
  platformFails: 0.1,
  processDies: 0.2,
  processHangs: 0.03,
  outcomeSlow: 0.2,
  diesBeforeAnswer: 0.05,
  diesAfterAnswer: 0.05,
  orphanSurvives: 0.5,
  functionGonePerMinute: 0.2,
  webhookSlow: 0.1,
  webhookDown: 0.5,
  webhookRefuses: 0.3,
  webhookAnswerLost: 0.2,
}

export const KINDS = Object.keys(HIGHEST) as (keyof FaultRates)[]
const NONE = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as unknown as FaultRates

export class Faults {
  /** How often each kind has struck. */
  readonly struck = new Map<string, number>()
  readonly #drawn: FaultRates
  readonly #random: SeededRandom
  readonly #minuteMs: number
  #calm = false

  /** Where time is long, a minute of faults may last longer than a minute. A fair world has no faults at all. */
  constructor(
    random: SeededRandom,
    { fair, minuteMs, always }: { fair: boolean; minuteMs: number; always: Partial<FaultRates> },
  ) {
    this.#random = random
    this.#minuteMs = minuteMs
    this.#drawn = { ...(fair ? NONE : drawRates(random)), ...always }
  }

  get isCalm(): boolean {
    return this.#calm
  }

  /** Does this fault strike now? */
  strikes(kind: keyof FaultRates): boolean {
    return this.#draw(kind, this.#drawn[kind])
  }

  /** Does this fault, whose rate is per minute, strike within the next `spanMs`? */
  strikesWithin(kind: keyof FaultRates, spanMs: number): boolean {
    return this.#draw(kind, (this.#drawn[kind] * spanMs) / this.#minuteMs)
  }

  #draw(kind: string, probability: number): boolean {
    if (this.#calm || !this.#random.chance(probability)) return false
    this.note(kind)
    return true
  }

  /** A fault that follows from others. */
  note(kind: string): void {
    this.struck.set(kind, (this.struck.get(kind) ?? 0) + 1)
  }

  /** No more faults. */
  calm(): void {
    this.#calm = true
  }

  toString(): string {
    const rates = Object.entries(this.#drawn).filter(([, rate]) => rate > 0)
    return rates.map(([kind, rate]) => `${kind} ${rate.toFixed(3)}`).join(', ') || 'none'
  }
}

/** One world in ten is fair; the others have about half of all kinds, each at its own rate. */
function drawRates(random: SeededRandom): FaultRates {
  if (random.chance(0.1)) return NONE
  const share = random.pick([0.15, 0.4, 0.6, 0.9])
  const rates = Object.entries(HIGHEST).map(([kind, highest]) => {
    const enabled = random.chance(share)
    const rate = highest * random.fraction() ** 2
    return [kind, enabled ? rate : 0]
  })
  return Object.fromEntries(rates) as FaultRates
}
