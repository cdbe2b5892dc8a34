/** The judge must see what the soak hopes never to see: one broken fact in a good case, one finding. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HistoryEvent } from '../../src/protocol/shapes.ts'
import { growthOf } from './growth.ts'
import { type Case, judge } from './judge.ts'
import type { Note } from './ledger.ts'

const event = (
  EventId: number,
  EventType: HistoryEvent['EventType'],
  more: Partial<HistoryEvent> = {},
): HistoryEvent => ({
  EventId,
  EventType,
  EventTimestamp: EventId * 10,
  ...more,
})

const note = (kind: Note['kind'], what: string, atMs: number, more = '-'): Note => ({
  kind,
  execution: 'a',
  what,
  atMs,
  more,
})

const GOOD = {
  order: { fn: 'story', name: 'a', kind: 'sleeper', waits: [5], size: 1 },
  description: { Status: 'SUCCEEDED', Result: '1', StartTimestamp: 10, EndTimestamp: 60 },
  notes: [
    note('ran', 'first', 11_000),
    note('threw', 'first', 11_001),
    note('ran', 'first', 12_001),
    note('done', 'first', 12_100),
    note('begin', 'pause', 12_200, '5'),
    note('begin', 'pause', 17_300, '5'),
    note('woke', 'pause', 17_301, '5'),
  ],
  events: [
    event(1, 'ExecutionStarted'),
    event(2, 'StepStarted', { Id: 's', Name: 'first' }),
    event(3, 'StepSucceeded', { Id: 's', Name: 'first', StepSucceededDetails: { RetryDetails: {} } }),
    event(4, 'WaitStarted', { Id: 'w', WaitStartedDetails: { ScheduledEndTimestamp: 45 } }),
    event(5, 'WaitSucceeded', { Id: 'w' }),
    event(6, 'CallbackSucceeded', { Id: 'c', CallbackSucceededDetails: { Result: { Payload: 'yes' } } }),
    event(7, 'ExecutionSucceeded'),
  ],
  accepted: ['yes'],
} as const satisfies Case

/** The good case with one event or note replaced. */
const withEvent = (id: number, changed: HistoryEvent): Case => ({ ...GOOD, events: GOOD.events.with(id - 1, changed) })
const withNotes = (...notes: Note[]): Case => ({ ...GOOD, notes: [...GOOD.notes, ...notes] })

const BROKEN: readonly (readonly [words: string, promise: string, found: Case])[] = [
  ['another result', 'P1', { ...GOOD, description: { ...GOOD.description, Result: '2' } }],
  ['a failure', 'P1', { ...GOOD, description: { ...GOOD.description, Status: 'FAILED' } }],
  ['a stop that nobody asked for', 'P5', { ...GOOD, description: { ...GOOD.description, Status: 'STOPPED' } }],
  ['a success after an acknowledged stop', 'P5', { ...GOOD, stopAskedMs: 50_000, stoppedMs: 50_010 }],
  ['a step that runs after it was finished', 'P1', withNotes(note('ran', 'first', 20_000))],
  ['an acknowledged step that is not recorded', 'P1', withNotes(note('done', 'second', 20_000))],
  ['an acknowledged checkpoint that is not recorded', 'P1', withNotes(note('acknowledged', 'step-1', 20_000))],
  ['a retry before its time', 'P4', withNotes(note('threw', 'x', 20_000), note('ran', 'x', 20_999))],
  ['a wait that ends early outside', 'P4', withNotes(note('begin', 'x', 20_000, '2'), note('woke', 'x', 21_999, '2'))],
  [
    'a wait that ends early in the journal',
    'P4',
    withEvent(5, event(5, 'WaitSucceeded', { Id: 'w', EventTimestamp: 44.999 })),
  ],
  ['a wait that ends twice', 'P1', withEvent(3, event(3, 'WaitSucceeded', { Id: 'w', EventTimestamp: 50 }))],
  ['a consumed token that is accepted', 'P2', withNotes(note('stale', 'x', 20_000, '200'))],
  ['a repeated checkpoint with another answer', 'P3', withNotes(note('repeated', 'x', 20_000, 'different'))],
  ['a callback that is accepted twice', 'P6', { ...GOOD, accepted: ['yes', 'no'] }],
  ['a callback that ends with another answer', 'P6', { ...GOOD, accepted: ['no'] }],
  ['a gap in the history', 'P1', withEvent(2, event(8, 'StepStarted', { Id: 's' }))],
  ['an event after the end', 'P5', withEvent(6, event(6, 'ExecutionSucceeded'))],
]

describe('the judge of the soak', () => {
  it('finds nothing where nothing is broken', () => {
    assert.deepEqual(judge(GOOD).findings, [])
    assert.deepEqual(judge(GOOD).timers, [{ dueMs: 45_000, firedMs: 50_000 }])
  })
  for (const [words, promise, found] of BROKEN) {
    it(`finds ${words}`, () => {
      assert.ok(judge(found).findings.some((finding) => finding.promise === promise))
    })
  }
})

describe('growth', () => {
  const points = (perSecond: number, seconds: number) =>
    Array.from({ length: 60 }, (_, i) => [(i * seconds) / 60, 100 + (perSecond * i * seconds) / 60] as const)
  const tolerance = { share: 0.1, atLeast: 5 }

  it('tells what grows from what is steady, and says when it cannot', () => {
    assert.equal(growthOf('x', 'MB', points(0.05, 1_200), tolerance).verdict, 'grows')
    assert.equal(growthOf('x', 'MB', points(0.005, 1_200), tolerance).verdict, 'steady')
    assert.equal(growthOf('x', 'MB', points(5, 60), tolerance).verdict, 'too short to say')
    assert.equal(Math.round(growthOf('x', 'MB', points(0.05, 1_200), tolerance).perHour), 180)
  })
})
