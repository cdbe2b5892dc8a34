/**
 * The coverage table: operation type × action × status before × outcome of one update in a checkpoint. A run has to
 * hit every cell but those that the table below declares unreachable, each with its reason; hitting one of these
 * refutes the table and fails the run as well.
 */
import type { Judgement } from './model/checkpoint.ts'

export const TYPES = ['EXECUTION', 'CONTEXT', 'STEP', 'WAIT', 'CALLBACK', 'CHAINED_INVOKE'] as const
export const ACTIONS = ['START', 'SUCCEED', 'FAIL', 'RETRY', 'CANCEL'] as const
export const STATUSES = [
  'STARTED',
  'PENDING',
  'READY',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'TIMED_OUT',
  'STOPPED',
] as const
export const PRIORS = ['none', 'another type', ...STATUSES] as const

/** What is found before an update is looked at by itself, in the order of spec 04 §4.1. */
const OF_THE_REQUEST = [
  'shape',
  'repeated',
  'stale token',
  'foreign token',
  'several EXECUTION updates',
  'EXECUTION not last',
  'twice in a request',
] as const
const BEFORE_THE_ACTION = ['invalid parent', 'payload too large', 'error too large'] as const
const OF_IDENTITY = ['another type', 'another subtype', 'another name', 'another parent'] as const
const OF_THE_TARGET = ['another account', 'another region', 'bad target'] as const
export const OUTCOMES = [
  ...OF_THE_REQUEST,
  ...BEFORE_THE_ACTION,
  'invalid action',
  ...OF_IDENTITY,
  'wrong status',
  'options missing',
  'options misplaced',
  'error with SUCCEED',
  'payload with FAIL',
  'error and payload',
  ...OF_THE_TARGET,
  'accepted',
] as const

export type Type = (typeof TYPES)[number]
export type Action = (typeof ACTIONS)[number]
export type Prior = (typeof PRIORS)[number]
export type OutcomeName = (typeof OUTCOMES)[number]
export interface Cell {
  readonly type: Type
  readonly action: Action
  readonly prior: Prior
  readonly outcome: OutcomeName
}

/** The statuses that operations of a type can have (spec 03 §3.1, 04 §4.14). */
export const STATUSES_OF: Readonly<Record<Type, readonly Prior[]>> = {
  EXECUTION: ['STARTED', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'],
  CONTEXT: ['STARTED', 'SUCCEEDED', 'FAILED'],
  STEP: ['STARTED', 'PENDING', 'READY', 'SUCCEEDED', 'FAILED'],
  WAIT: ['STARTED', 'SUCCEEDED', 'CANCELLED'],
  CALLBACK: ['STARTED', 'SUCCEEDED', 'FAILED', 'TIMED_OUT'],
  CHAINED_INVOKE: ['STARTED', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'],
}

/** The statuses from which each action is taken (spec 04 §4.5, §4.14); an action that is not here is none of the type's. */
const TAKEN_FROM: Readonly<Record<Type, Partial<Record<Action, readonly Prior[]>>>> = {
  EXECUTION: { SUCCEED: ['STARTED'], FAIL: ['STARTED'] },
  CONTEXT: { START: ['none'], SUCCEED: ['none', 'STARTED'], FAIL: ['none', 'STARTED'] },
  STEP: {
    START: ['none', 'READY'],
    SUCCEED: ['none', 'STARTED', 'READY'],
    FAIL: ['none', 'STARTED', 'READY'],
    RETRY: ['none', 'STARTED', 'READY'],
  },
  WAIT: { START: ['none'], CANCEL: ['STARTED'] },
  CALLBACK: { START: ['none'] },
  CHAINED_INVOKE: { START: ['none'] },
}

const isOne = (outcome: OutcomeName, of: readonly OutcomeName[]): boolean => of.includes(outcome)
const isOf = ({ type, action }: Cell): boolean => TAKEN_FROM[type][action] !== undefined
const isTaken = ({ type, action, prior }: Cell): boolean => TAKEN_FROM[type][action]?.includes(prior) === true

interface Unreachable {
  readonly because: string
  readonly holds: (cell: Cell) => boolean
}

/** Why a cell cannot be hit; the first that holds is the reason. */
export const UNREACHABLE: readonly Unreachable[] = [
  {
    because: '03 §3.1: an operation of this type never has this status',
    holds: ({ type, prior }) => prior !== 'none' && prior !== 'another type' && !STATUSES_OF[type].includes(prior),
  },
  {
    because: '04 §4.7: an EXECUTION update means the execution itself, which is always there',
    holds: ({ type, prior }) => type === 'EXECUTION' && (prior === 'none' || prior === 'another type'),
  },
  {
    because: '05 §5.3: the token of a closed execution is refused before anything else is looked at',
    holds: ({ type, prior, outcome }) =>
      type === 'EXECUTION' && prior !== 'STARTED' && !isOne(outcome, ['shape', 'stale token', 'foreign token']),
  },
  {
    because: '04 §4.2: the rule is about EXECUTION updates',
    holds: ({ type, outcome }) =>
      type !== 'EXECUTION' && isOne(outcome, ['several EXECUTION updates', 'EXECUTION not last']),
  },
  {
    because: '04 §4.7: id, parent and names of an EXECUTION update are not looked at',
    holds: ({ type, outcome }) =>
      type === 'EXECUTION' && isOne(outcome, ['twice in a request', 'invalid parent', ...OF_IDENTITY]),
  },
  {
    because: '04 §4.5: another action than the type has is refused before the rest is looked at',
    holds: (cell) => {
      const before = cell.type === 'EXECUTION' ? OF_THE_REQUEST : [...OF_THE_REQUEST, ...BEFORE_THE_ACTION]
      return !isOf(cell) && !isOne(cell.outcome, [...before, 'invalid action'])
    },
  },
  {
    because: '04 §4.5: the type has this action',
    holds: (cell) => isOf(cell) && cell.outcome === 'invalid action',
  },
  {
    because: '04 §4.7: SUCCEED takes no error and FAIL no payload, however large',
    holds: ({ type, action, outcome }) =>
      type === 'EXECUTION' && isOne(outcome, [action === 'SUCCEED' ? 'error too large' : 'payload too large']),
  },
  {
    because: '04 §4.6: there is nothing yet to be consistent with',
    holds: ({ prior, outcome }) => prior === 'none' && isOne(outcome, OF_IDENTITY),
  },
  {
    because: '04 §4.6: the type is compared first',
    holds: ({ prior, outcome }) =>
      prior === 'another type' &&
      !isOne(outcome, [...OF_THE_REQUEST, ...BEFORE_THE_ACTION, 'invalid action', 'another type']),
  },
  {
    because: '04 §4.6: the type is the same',
    holds: ({ prior, outcome }) => prior !== 'another type' && outcome === 'another type',
  },
  {
    because: '04 §4.9: the rule is about steps, and RETRY needs the options that other actions must not have',
    holds: ({ type, action, outcome }) => outcome === 'options misplaced' && (type !== 'STEP' || action === 'RETRY'),
  },
  {
    because: '04 §4.14: the action is not taken from this status',
    holds: (cell) =>
      !isTaken(cell) &&
      isOne(cell.outcome, [
        'accepted',
        'options missing',
        'error with SUCCEED',
        'payload with FAIL',
        'error and payload',
        ...OF_THE_TARGET,
      ]),
  },
  {
    because: '04 §4.14: the action is taken from this status',
    holds: (cell) => isTaken(cell) && cell.outcome === 'wrong status',
  },
  {
    because: '04 §4.9, §4.10, §4.12: only RETRY of a step, START of a wait and START of a chained invoke need options',
    holds: ({ type, action, outcome }) =>
      outcome === 'options missing' &&
      !['STEP RETRY', 'WAIT START', 'CHAINED_INVOKE START'].includes(`${type} ${action}`),
  },
  {
    because: '04 §4.7 to §4.9: the rule is about SUCCEED',
    holds: ({ action, outcome }) => outcome === 'error with SUCCEED' && action !== 'SUCCEED',
  },
  {
    because: '04 §4.7 to §4.9: the rule is about FAIL',
    holds: ({ action, outcome }) => outcome === 'payload with FAIL' && action !== 'FAIL',
  },
  {
    because: '04 §4.9: the rule is about RETRY',
    holds: ({ action, outcome }) => outcome === 'error and payload' && action !== 'RETRY',
  },
  {
    because: '04 §4.12: only chained invokes have a target',
    holds: ({ type, outcome }) => type !== 'CHAINED_INVOKE' && isOne(outcome, OF_THE_TARGET),
  },
]

export const CELLS: readonly Cell[] = TYPES.flatMap((type) =>
  ACTIONS.flatMap((action) =>
    PRIORS.flatMap((prior) => OUTCOMES.map((outcome): Cell => ({ type, action, prior, outcome }))),
  ),
)

export const whyUnreachable = (cell: Cell): string | undefined => UNREACHABLE.find(({ holds }) => holds(cell))?.because

export const REACHABLE: readonly Cell[] = CELLS.filter((cell) => whyUnreachable(cell) === undefined)

export const cellName = ({ type, action, prior, outcome }: Judgement | Cell): string =>
  `${type} ${action} from ${prior}: ${outcome}`

export class Coverage {
  readonly #hits = new Map<string, number>()

  readonly judged = (judgement: Judgement): void => {
    const name = cellName(judgement)
    this.#hits.set(name, (this.#hits.get(name) ?? 0) + 1)
  }

  hits(cell: Cell): number {
    return this.#hits.get(cellName(cell)) ?? 0
  }

  get missed(): readonly Cell[] {
    return REACHABLE.filter((cell) => this.hits(cell) === 0)
  }

  /** Cells that were hit although the table says that they cannot be. */
  get refuted(): readonly Cell[] {
    return CELLS.filter((cell) => whyUnreachable(cell) !== undefined && this.hits(cell) > 0)
  }

  get covered(): number {
    return REACHABLE.length - this.missed.length
  }

  /** One line per type and action; columns are the statuses before: cells hit of cells reachable. */
  table(): string {
    const width = Math.max(...PRIORS.map((prior) => prior.length))
    const head = ['type and action'.padEnd(24), ...PRIORS.map((prior) => prior.padStart(width))].join(' ')
    const rows = TYPES.flatMap((type) =>
      ACTIONS.map((action) => {
        const columns = PRIORS.map((prior) => {
          const cells = REACHABLE.filter((cell) => cell.type === type && cell.action === action && cell.prior === prior)
          const hit = cells.filter((cell) => this.hits(cell) > 0)
          return (cells.length === 0 ? '·' : `${hit.length}/${cells.length}`).padStart(width)
        })
        return [`${type} ${action}`.padEnd(24), ...columns].join(' ')
      }),
    )
    return [head, ...rows].join('\n')
  }
}
