/**
 * The kinds of worlds. A *storm* lasts minutes, and everything may go wrong that the seed says. In a *crowd* many come at
 * once and the disk is slow, so batches are large, and crashes tear them. *Months* is the life of
 * an installation: waits of days and of a whole year, retention and deletion, names that are used again, restarts all
 * the time. *Brief* is a fair world that does one of each thing: small enough to crash the server at every single call.
 */
import type { FaultRates } from './faults.ts'
import { drawLongProgram, drawProgram, ONE_OF_EACH, type Program } from './program.ts'
import type { SeededRandom } from './seeded-random.ts'

export const SCENARIOS = ['storm', 'crowd', 'months', 'brief'] as const
export type ScenarioName = (typeof SCENARIOS)[number]

const SECOND_MS = 1_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

export interface Scenario {
  readonly name: ScenarioName
  /** Nothing goes wrong of itself. */
  readonly fair: boolean
  /** What goes wrong here whatever the seed draws. */
  readonly always: Partial<FaultRates>
  /** How long faults strike and people come with something new. */
  readonly chaosMs: number
  /** A minute of the fault rates. */
  readonly faultMinuteMs: number
  /** How often misfortunes are drawn, and in the end how often somebody looks for what is overdue. */
  readonly tickMs: number
  /** By how much the clock may jump. */
  readonly forwardMs: readonly number[]
  readonly backMs: readonly number[]
  /** The most that a call of the disk takes, one way, until the calm. A slow disk makes batches of many items. */
  readonly diskMs: number
  /** For how long the disk may stall, a server stay down, and a function be withdrawn. */
  readonly stallMs: number
  readonly downMs: readonly number[]
  readonly withdrawnMs: number
  /** How long a client may pause before it tries again, and people before they change their mind. */
  readonly retryMs: number
  readonly whimMs: number
  readonly executionTimeoutSeconds: number
  readonly retentionDays: number
  /** The most invocations of one function at a time. */
  readonly concurrency: number
  readonly starts: number
  /** All come within a second. */
  readonly atOnce: boolean
  readonly names: readonly (string | undefined)[]
  readonly plains: number
  readonly reads: number
  /** How likely an execution is stopped, deleted when it has ended, and waited for. */
  readonly stopped: number
  readonly deleted: number
  readonly waitedFor: number
  readonly rivals: number
  program(random: SeededRandom): Program
}

export function scenarioOf(name: ScenarioName, random: SeededRandom): Scenario {
  return { storm, crowd, months, brief }[name](random)
}

function storm(random: SeededRandom): Scenario {
  const starts = random.between(1, 6)
  return {
    name: 'storm',
    fair: random.chance(0.1),
    always: {},
    chaosMs: random.pick([30, 120, 600]) * SECOND_MS,
    faultMinuteMs: MINUTE_MS,
    tickMs: 5 * SECOND_MS,
    forwardMs: [2 * SECOND_MS, MINUTE_MS, HOUR_MS],
    backMs: [3 * SECOND_MS],
    diskMs: random.pick([2, 2, 2, 50]),
    stallMs: MINUTE_MS,
    downMs: [10, SECOND_MS, 30 * SECOND_MS],
    withdrawnMs: MINUTE_MS,
    retryMs: 3 * SECOND_MS,
    whimMs: MINUTE_MS,
    executionTimeoutSeconds: random.pick([30, 600, 864_000, 864_000]),
    retentionDays: 7,
    concurrency: 5,
    starts,
    atOnce: false,
    names: Array.from({ length: starts }, (_, i) => (random.chance(0.5) ? `name-${i}` : undefined)),
    plains: random.between(0, 3),
    reads: random.between(0, 20),
    stopped: 0.1,
    deleted: 0.2,
    waitedFor: 0.4,
    rivals: 3,
    program: drawProgram,
  }
}

function crowd(random: SeededRandom): Scenario {
  const starts = random.between(8, 20)
  return {
    ...storm(random),
    name: 'crowd',
    fair: false,
    always: { crashWithinBatch: 0.1, appendFailsAfter: 0.02 },
    chaosMs: 60 * SECOND_MS,
    diskMs: random.pick([20, 200, 1_000]),
    executionTimeoutSeconds: 864_000,
    concurrency: 40,
    starts,
    atOnce: true,
    names: Array.from({ length: starts }, (_, i) => (random.chance(0.5) ? `name-${i}` : undefined)),
  }
}

function months(random: SeededRandom): Scenario {
  return {
    name: 'months',
    fair: random.chance(0.1),
    always: {},
    chaosMs: random.pick([30, 90, 400]) * DAY_MS,
    faultMinuteMs: DAY_MS,
    tickMs: 6 * HOUR_MS,
    forwardMs: [MINUTE_MS, HOUR_MS, 3 * DAY_MS],
    backMs: [3 * SECOND_MS],
    diskMs: 2,
    stallMs: 10 * MINUTE_MS,
    downMs: [SECOND_MS, MINUTE_MS, 2 * DAY_MS],
    withdrawnMs: 3 * DAY_MS,
    retryMs: 4 * HOUR_MS,
    whimMs: 20 * DAY_MS,
    executionTimeoutSeconds: random.pick([20, 366, 366]) * (DAY_MS / SECOND_MS),
    retentionDays: random.pick([1, 7, 30, 90]),
    concurrency: 5,
    starts: random.between(4, 16),
    atOnce: false,
    // Every month the same name again: taken while its execution is kept, free after that.
    names: ['invoices', 'report', undefined],
    plains: random.between(0, 5),
    reads: random.between(0, 20),
    stopped: 0.1,
    deleted: 0.3,
    waitedFor: 0.1,
    rivals: 1,
    program: drawLongProgram,
  }
}

function brief(): Scenario {
  return {
    name: 'brief',
    fair: true,
    always: {},
    chaosMs: 0,
    faultMinuteMs: MINUTE_MS,
    tickMs: 5 * SECOND_MS,
    forwardMs: [],
    backMs: [],
    diskMs: 2,
    stallMs: 0,
    downMs: [SECOND_MS, 10 * SECOND_MS],
    withdrawnMs: 0,
    retryMs: 500,
    whimMs: 5 * SECOND_MS,
    executionTimeoutSeconds: 3_600,
    retentionDays: 1,
    concurrency: 5,
    starts: 1,
    atOnce: false,
    names: ['one-of-each'],
    plains: 1,
    reads: 1,
    stopped: 0,
    deleted: 1,
    waitedFor: 1,
    rivals: 1,
    program: () => ONE_OF_EACH,
  }
}
