/**
 * What Perdure promises, and how often this run has looked. Every check of a promise names it, so that a promise which
 * nobody has looked at shows as a zero and not as success.
 */
export const PROMISES = {
  P1: 'what was acknowledged survives every crash',
  P2: 'at most one invocation advances an execution, and a stale token changes nothing',
  P3: 'a checkpoint is all or nothing, and its repeat gets the same answer',
  P4: 'a timer fires once, never early, and late by no more than its bound',
  P5: 'a finished execution never changes',
  P6: 'a callback is accepted at most once',
  P7: 'no acknowledged start is lost, and one name is one execution',
} as const

export type PromiseName = keyof typeof PROMISES
export type Counts<Name extends string> = Record<Name, number>
export type Report = (violation: string) => void

export class Promises {
  readonly checked: Counts<PromiseName> = { P1: 0, P2: 0, P3: 0, P4: 0, P5: 0, P6: 0, P7: 0 }
  readonly report: Report

  constructor(report: Report) {
    this.report = report
  }

  /** One look at one promise; `violation` says what one sees when it does not hold. */
  expect(name: PromiseName, holds: boolean, violation: () => string): void {
    this.checked[name]++
    if (!holds) this.report(`${name}: ${violation()}`)
  }
}
