/**
 * Workflow programs: what the simulated durable functions do, as plain data drawn from the seed. A program is what a
 * user's handler would be: steps that fail and are tried again, waits, callbacks, chained invokes, child contexts,
 * parallel branches and races. The replayer runs it.
 */
import type { SeededRandom } from './seeded-random.ts'

export type Act =
  | {
      readonly kind: 'step'
      /** Attempts that fail before one succeeds. */
      readonly failures: number
      /** After this many failed attempts it fails for good. */
      readonly maxAttempts: number
      readonly delaySeconds: number
      readonly durationMs: number
      readonly atMostOnce: boolean
      readonly resultChars: number
    }
  /** waitForCondition: a step that succeeds after so many polls. */
  | { readonly kind: 'poll'; readonly polls: number; readonly delaySeconds: number }
  | { readonly kind: 'wait'; readonly seconds: number }
  | {
      readonly kind: 'callback'
      readonly timeoutSeconds: number
      readonly heartbeatSeconds: number
      /** When somebody outside answers, after the callback is known there; undefined: nobody does. */
      readonly answeredAfterMs: number | undefined
      readonly succeeds: boolean
    }
  | { readonly kind: 'invoke'; readonly target: string; readonly input: string }
  | { readonly kind: 'child'; readonly body: readonly Act[]; readonly replayChildren: boolean; readonly fails: boolean }
  /** All branches, each in a child context of its own. */
  | { readonly kind: 'parallel'; readonly branches: readonly (readonly Act[])[] }
  /** The first branch that ends; the others run on unheeded. */
  | { readonly kind: 'race'; readonly branches: readonly (readonly Act[])[] }

export interface Program {
  readonly acts: readonly Act[]
  /** How the handler ends: returns, returns after an EXECUTION update, throws, returns what is no output. */
  readonly end: 'return' | 'checkpoint' | 'throw' | 'nonsense'
  readonly resultChars: number
  /** Tells programs apart that do the same. */
  readonly edition?: number
}

export const DURABLE = 'workflow'
export const CHILD = 'child'
export const PLAIN = 'plain'

/** The longest text that stays in the folded state is 16,384 characters; some results are longer. */
const LONG = 17_000

export function drawProgram(random: SeededRandom): Program {
  return {
    acts: drawActs(random, random.between(1, random.pick([3, 6, 12])), 2),
    end: random.chance(0.25) ? random.pick(['throw', 'checkpoint', 'nonsense']) : 'return',
    resultChars: random.chance(0.05) ? LONG : 0,
  }
}

/** One act of every kind, one after another. */
export const ONE_OF_EACH: Program = {
  acts: [
    { ...plainStep(), failures: 1 },
    { ...plainStep(), atMostOnce: true },
    { kind: 'poll', polls: 2, delaySeconds: 1 },
    { kind: 'wait', seconds: 2 },
    { kind: 'callback', timeoutSeconds: 60, heartbeatSeconds: 5, answeredAfterMs: 3_000, succeeds: true },
    { kind: 'callback', timeoutSeconds: 2, heartbeatSeconds: 0, answeredAfterMs: undefined, succeeds: true },
    { kind: 'invoke', target: 'plain', input: '"answer"' },
    {
      kind: 'invoke',
      target: 'child:$LATEST',
      input: '{"acts":[{"kind":"wait","seconds":1}],"end":"return","resultChars":0}',
    },
    { kind: 'parallel', branches: [[{ kind: 'wait', seconds: 1 }], [plainStep()]] },
  ],
  end: 'return',
  resultChars: 0,
}

const DAY_SECONDS = 86_400
/** The longest wait that there is, and the longest execution: 366 days. */
const LEAP_YEAR_SECONDS = 366 * DAY_SECONDS

/** A workflow of a business: days pass between its acts. */
export function drawLongProgram(random: SeededRandom): Program {
  const acts = Array.from({ length: random.between(1, 5) }, () => drawLongAct(random))
  return { acts, end: random.chance(0.15) ? 'throw' : 'return', resultChars: 0 }
}

function drawLongAct(random: SeededRandom): Act {
  const lot = random.fraction()
  const days = (most: number): number => random.between(3_600, most * DAY_SECONDS)
  if (lot < 0.06) return { kind: 'wait', seconds: LEAP_YEAR_SECONDS }
  if (lot < 0.35) return { kind: 'wait', seconds: days(random.pick([3, 30, 120])) }
  if (lot < 0.5) return { kind: 'poll', polls: random.between(2, 10), delaySeconds: days(2) }
  if (lot < 0.75) return drawLongCallback(random, days)
  if (lot < 0.85) {
    const child: Program = { acts: [{ kind: 'wait', seconds: days(20) }], end: 'return', resultChars: 0 }
    return { kind: 'invoke', target: `${CHILD}:$LATEST`, input: JSON.stringify(child) }
  }
  if (lot < 0.95) return { ...plainStep(), failures: random.between(0, 4), maxAttempts: 5, delaySeconds: days(1) }
  const branches = [
    [{ kind: 'wait', seconds: days(30) }] as const,
    [plainStep(), { kind: 'wait', seconds: 60 }] as const,
  ]
  return { kind: random.pick(['parallel', 'race']), branches }
}

function drawLongCallback(random: SeededRandom, days: (most: number) => number): Act {
  const answered = random.chance(0.7)
  return {
    kind: 'callback',
    timeoutSeconds: random.chance(0.5) || !answered ? days(60) : 0,
    heartbeatSeconds: random.chance(0.3) ? days(4) : 0,
    answeredAfterMs: answered ? days(30) * 1_000 : undefined,
    succeeds: random.chance(0.8),
  }
}

function plainStep(): Act & { kind: 'step' } {
  return {
    kind: 'step',
    failures: 0,
    maxAttempts: 3,
    delaySeconds: 1,
    durationMs: 20,
    atMostOnce: false,
    resultChars: 0,
  }
}

/** What a chained child does: no further children below it. */
function drawChild(random: SeededRandom): Program {
  return { ...drawProgram(random), acts: drawActs(random, random.between(0, 3), 0) }
}

function drawActs(random: SeededRandom, count: number, depth: number): Act[] {
  return Array.from({ length: count }, () => drawAct(random, depth))
}

function drawBranches(random: SeededRandom, depth: number): Act[][] {
  return Array.from({ length: random.between(2, 4) }, () => drawActs(random, random.between(1, 3), depth - 1))
}

function drawAct(random: SeededRandom, depth: number): Act {
  const lot = random.fraction() * (depth > 0 ? 1 : 0.72)
  if (lot < 0.3) return drawStep(random)
  if (lot < 0.36) return drawPoll(random)
  if (lot < 0.52)
    return { kind: 'wait', seconds: random.chance(0.1) ? random.between(600, 7_200) : random.between(1, 30) }
  if (lot < 0.72) return drawCallback(random)
  if (lot < 0.8) return drawInvoke(random)
  if (lot < 0.88) {
    const body = drawActs(random, random.between(0, 4), depth - 1)
    return { kind: 'child', body, replayChildren: random.chance(0.3), fails: random.chance(0.15) }
  }
  if (lot < 0.96) return { kind: 'parallel', branches: drawBranches(random, depth) }
  return { kind: 'race', branches: drawBranches(random, depth) }
}

function drawStep(random: SeededRandom): Act {
  return {
    kind: 'step',
    failures: random.chance(0.3) ? random.between(1, 3) : 0,
    maxAttempts: random.between(2, 5),
    delaySeconds: random.between(1, 10),
    durationMs: random.chance(0.2) ? random.between(500, 8_000) : random.between(0, 50),
    atMostOnce: random.chance(0.3),
    resultChars: random.chance(0.05) ? LONG : 0,
  }
}

/** Now and then one so long that its execution gets a snapshot. */
function drawPoll(random: SeededRandom): Act {
  if (random.chance(0.02)) return { kind: 'poll', polls: random.between(60, 120), delaySeconds: 1 }
  return { kind: 'poll', polls: random.between(1, 4), delaySeconds: random.between(1, 5) }
}

function drawCallback(random: SeededRandom): Act {
  const timeoutSeconds = random.chance(0.4) ? random.between(1, 60) : 0
  const heartbeatSeconds = random.chance(0.3) ? random.between(2, 20) : 0
  const silent = (timeoutSeconds > 0 || heartbeatSeconds > 0) && random.chance(0.3)
  const answeredAfterMs = random.chance(0.3) ? random.between(0, 50) : random.between(0, 40_000)
  return {
    kind: 'callback',
    timeoutSeconds,
    heartbeatSeconds,
    answeredAfterMs: silent ? undefined : answeredAfterMs,
    succeeds: random.chance(0.7),
  }
}

function drawInvoke(random: SeededRandom): Act {
  const lot = random.fraction()
  if (lot < 0.15) return { kind: 'invoke', target: 'nowhere', input: '{}' }
  if (lot < 0.2) return { kind: 'invoke', target: CHILD, input: '{}' }
  if (lot < 0.5)
    return { kind: 'invoke', target: PLAIN, input: JSON.stringify(random.chance(0.3) ? 'throw' : 'answer') }
  return { kind: 'invoke', target: `${CHILD}:$LATEST`, input: JSON.stringify(drawChild(random)) }
}

/** How long the program takes at most when nothing goes wrong. */
export function longestMs(acts: readonly Act[]): number {
  return acts.reduce((sum, act) => sum + longestOf(act), 0)
}

function longestOf(act: Act): number {
  switch (act.kind) {
    case 'step':
      return act.maxAttempts * (act.durationMs + act.delaySeconds * 1_000 + 1_000)
    case 'poll':
      return act.polls * (act.delaySeconds * 1_000 + 1_000)
    case 'wait':
      return act.seconds * 1_000 + 1_000
    case 'callback':
      return (act.answeredAfterMs ?? 0) + (act.timeoutSeconds + act.heartbeatSeconds) * 1_100 + 10_000
    case 'invoke':
      return act.target === `${CHILD}:$LATEST` ? longestMs((JSON.parse(act.input) as Program).acts) + 5_000 : 5_000
    case 'child':
      return longestMs(act.body) + 1_000
    case 'parallel':
    case 'race':
      return longestMs(act.branches.flat()) + 1_000
  }
}
