/**
 * That the checker refuses what the protocol forbids and explains what it allows, by histories made by hand: every
 * call with its beginning and end on a small time axis. And that it explains whatever a sequential run can have been.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  type Answer,
  type Call,
  isHarmless,
  NOTHING_PENDING,
  type OperationView,
  type Output,
  REFUSAL,
  type Request,
  type Update,
} from './calls.ts'
import { check, shrink } from './checker.ts'
import { model } from './model.ts'
import { playSequentially, stretched } from './sequential.ts'
import { timeline } from './timeline.ts'

const NEVER = Number.POSITIVE_INFINITY
const UNKNOWN = undefined

function call(from: number, to: number, request: Request, answer: Answer | undefined): Call {
  return { client: 'c', from, to, request, answer }
}

// ------------------------------------------------------------------------------------------------------ requests

const start = (payload = '1'): Request => ({ kind: 'start', payload })
const started = (arn = 'A1'): Answer => ({ kind: 'started', arn })
const refused = (error: string): Answer => ({ kind: 'refused', error })

const checkpoint = (token: string, updates: readonly Update[] = [], clientToken?: string, arn = 'A1'): Request => ({
  kind: 'checkpoint',
  arn,
  token,
  mintedFor: 'A1',
  clientToken,
  updates,
})
const accepted = (token: string | undefined, ...operations: readonly OperationView[]): Answer => ({
  kind: 'checkpointed',
  token,
  operations,
  rest: operations.length === 0 ? '' : 'at 1',
})
const stale = refused(REFUSAL.token)

const begin = (id: string): Update => ({ type: 'STEP', action: 'START', id })
const succeed = (id: string, text: string): Update => ({ type: 'STEP', action: 'SUCCEED', id, text })
const openCallback = (id: string): Update => ({ type: 'CALLBACK', action: 'START', id })
const close = (text: string): Update => ({ type: 'EXECUTION', action: 'SUCCEED', text })

const view = (id: string, status: OperationView['status'], text?: string, callbackId?: string): OperationView => ({
  id,
  status,
  text,
  callbackId,
})

const invocation: Request = { kind: 'invocation' }
const invoked = (number: number, token: string, ...operations: readonly OperationView[]): Answer => ({
  kind: 'invoked',
  requestId: `r${number}`,
  arn: 'A1',
  token,
  operations,
})
const end = (requestId: string, output: Output): Request => ({ kind: 'end', requestId, output })

const complete = (callbackId: string, text: string, attempt?: string): Request => ({
  kind: 'callback',
  verb: 'succeed',
  callbackId,
  text,
  attempt,
})
const DONE: Answer = { kind: 'done' }
const late = refused(REFUSAL.callback)

const history: Request = { kind: 'history', arn: 'A1' }
const events = (...lines: readonly string[]): Answer => ({ kind: 'events', events: ['ExecutionStarted 1', ...lines] })
const describeIt: Request = { kind: 'describe', arn: 'A1' }
const running: Answer = { kind: 'described', status: 'RUNNING', text: undefined, endedAt: undefined }
const ended = (status: 'SUCCEEDED' | 'FAILED' | 'STOPPED', text: string, endedAt: number): Answer => ({
  kind: 'described',
  status,
  text,
  endedAt,
})
const DELETING: Answer = { kind: 'described', status: 'DELETING', text: undefined, endedAt: 9 }
const stop: Request = { kind: 'stop', arn: 'A1', error: 'Enough: x' }
const stopped = (at: number): Answer => ({ kind: 'stopped', at })
const remove: Request = { kind: 'delete', arn: 'A1' }
const absent = refused(REFUSAL.absent)

/** Started and invoked: the token `t1` is out. */
const BEGUN = [call(1, 2, start(), started()), call(0, 4, invocation, invoked(1, 't1'))]
/** The callback `k` is open as `c1`, and the current token is `t2`. */
const WITH_CALLBACK = [
  ...BEGUN,
  call(5, 6, checkpoint('t1', [openCallback('k')]), accepted('t2', view('k', 'STARTED', undefined, 'c1'))),
]
const STOPPED = [...BEGUN, call(5, 6, stop, stopped(9))]

function refutes(what: string, stuckOn: Request['kind'], ...calls: readonly Call[]): void {
  test(`refuses ${what}`, () => {
    const verdict = check(model, calls)
    assert.ok(!verdict.linearizable, timeline(calls, calls[0] as Call))
    assert.equal(verdict.stuckAt.request.kind, stuckOn)
  })
}

function explains(what: string, ...calls: readonly Call[]): void {
  test(`explains ${what}`, () => {
    const verdict = check(model, calls)
    assert.ok(verdict.linearizable, verdict.linearizable ? '' : timeline(calls, verdict.stuckAt))
  })
}

describe('what must not be', () => {
  refutes(
    'a stale token that is accepted',
    'checkpoint',
    ...BEGUN,
    call(5, 6, checkpoint('t1'), accepted('t2')),
    call(7, 8, checkpoint('t1'), accepted('t3')),
  )
  refutes(
    'two accepts of one token, at the same time',
    'checkpoint',
    ...BEGUN,
    call(5, 9, checkpoint('t1', [begin('a')], 'x'), accepted('t2', view('a', 'STARTED'))),
    call(6, 8, checkpoint('t1', [begin('b')], 'y'), accepted('t3', view('b', 'STARTED'))),
  )
  refutes('a token that is given out twice', 'checkpoint', ...BEGUN, call(5, 6, checkpoint('t1'), accepted('t1')))
  refutes(
    'a token of an older invocation that is accepted',
    'checkpoint',
    ...BEGUN,
    call(5, NEVER, end('r1', { kind: 'crashed' }), UNKNOWN),
    call(0, 8, invocation, invoked(2, 't2')),
    call(9, 10, checkpoint('t1'), accepted('t3')),
  )
  refutes(
    'a current token that is refused',
    'checkpoint',
    ...BEGUN,
    call(5, 6, checkpoint('t1'), accepted('t2')),
    call(7, 8, checkpoint('t2'), stale),
  )
  refutes(
    'an acknowledged update that the history has lost',
    'history',
    ...BEGUN,
    call(5, 6, checkpoint('t1', [begin('a')]), accepted('t2', view('a', 'STARTED'))),
    call(7, 8, history, events()),
  )
  refutes(
    'an acknowledged update that is lost with a killed server',
    'invocation',
    ...BEGUN,
    call(5, 6, checkpoint('t1', [begin('a')]), accepted('t2', view('a', 'STARTED'))),
    call(7, 8, { kind: 'kill' }, DONE),
    call(0, 10, invocation, invoked(2, 't3')),
  )
  refutes(
    'half a checkpoint',
    'history',
    ...BEGUN,
    call(5, 6, checkpoint('t1', [begin('a'), begin('b')]), accepted('t2', view('a', 'STARTED'), view('b', 'STARTED'))),
    call(7, 8, history, events('StepStarted a')),
  )
  refutes(
    'a refused checkpoint that leaves a trace',
    'history',
    ...BEGUN,
    call(5, 6, checkpoint('t1', [begin('a')]), accepted('t2', view('a', 'STARTED'))),
    call(7, 8, checkpoint('t2', [begin('b'), begin('a')]), refused(REFUSAL.startStep)),
    call(9, 10, history, events('StepStarted a', 'StepStarted b')),
  )
  refutes(
    'a refused checkpoint that consumes its token',
    'checkpoint',
    ...BEGUN,
    call(5, 6, checkpoint('t1', [begin('a')]), accepted('t2', view('a', 'STARTED'))),
    call(7, 8, checkpoint('t2', [begin('a')]), refused(REFUSAL.startStep)),
    call(9, 10, checkpoint('t2'), stale),
  )
  refutes(
    'a repeat with another answer',
    'checkpoint',
    ...BEGUN,
    call(5, 6, checkpoint('t1', [], 'x'), accepted('t2')),
    call(7, 8, checkpoint('t1', [], 'x'), accepted('t3')),
  )
  refutes(
    'a repeat that is applied a second time',
    'history',
    ...BEGUN,
    call(5, 6, checkpoint('t1', [succeed('a', 'p')], 'x'), accepted('t2', view('a', 'SUCCEEDED', 'p'))),
    call(7, 8, checkpoint('t1', [succeed('a', 'p')], 'x'), accepted('t2', view('a', 'SUCCEEDED', 'p'))),
    call(9, 10, history, events('StepSucceeded a p', 'StepSucceeded a p')),
  )
  refutes(
    'a repeat without a ClientToken',
    'checkpoint',
    ...BEGUN,
    call(5, 6, checkpoint('t1', [begin('a')]), accepted('t2', view('a', 'STARTED'))),
    call(7, 8, checkpoint('t1', [begin('a')]), accepted('t2', view('a', 'STARTED'))),
  )
  refutes(
    'a repeat of the invocation before',
    'checkpoint',
    ...BEGUN,
    call(5, 6, checkpoint('t1', [], 'x'), accepted('t2')),
    call(7, NEVER, end('r1', { kind: 'crashed' }), UNKNOWN),
    call(0, 10, invocation, invoked(2, 't3')),
    call(11, 12, checkpoint('t1', [], 'x'), accepted('t2')),
  )
  refutes('two invocations at once', 'invocation', ...BEGUN, call(0, 6, invocation, invoked(2, 't2')))
  refutes(
    'a callback that is accepted twice',
    'callback',
    ...WITH_CALLBACK,
    call(7, 10, complete('c1', 'one'), DONE),
    call(8, 9, complete('c1', 'two'), DONE),
  )
  refutes(
    'a callback that is accepted and lost',
    'checkpoint',
    ...WITH_CALLBACK,
    call(7, 8, complete('c1', 'one'), DONE),
    call(9, 10, checkpoint('t2'), accepted('t3')),
  )
  refutes(
    'a callback whose loser is the one that is recorded',
    'checkpoint',
    ...WITH_CALLBACK,
    call(7, 10, complete('c1', 'one'), DONE),
    call(8, 9, complete('c1', 'two'), late),
    call(11, 12, checkpoint('t2'), accepted('t3', view('k', 'SUCCEEDED', 'two', 'c1'))),
  )
  refutes(
    'a callback that is refused although it is open',
    'callback',
    ...WITH_CALLBACK,
    call(7, 8, complete('c1', 'one'), late),
  )
  refutes(
    'an acknowledged callback that is not recorded when the execution ends',
    'history',
    ...WITH_CALLBACK,
    call(7, 8, complete('c1', 'one'), DONE),
    call(9, 10, stop, stopped(9)),
    call(11, 12, history, events('CallbackStarted k', 'ExecutionStopped Enough: x')),
  )
  refutes(
    'a callback of an execution that has ended',
    'callback',
    ...WITH_CALLBACK,
    call(7, 8, stop, stopped(9)),
    call(9, 10, complete('c1', 'one'), DONE),
  )
  refutes('a checkpoint after the end', 'checkpoint', ...STOPPED, call(7, 8, checkpoint('t1'), accepted('t2')))
  refutes(
    'an event after the last one',
    'history',
    ...STOPPED,
    call(7, 8, history, events('ExecutionStopped Enough: x', 'InvocationCompleted r1')),
  )
  refutes('another end than the first', 'stop', ...STOPPED, call(7, 8, stop, stopped(10)))
  refutes('an end that is taken back', 'describe', ...STOPPED, call(7, 8, describeIt, running))
  refutes(
    'a stop that beats an outcome that was fixed before',
    'describe',
    ...BEGUN,
    call(5, 6, checkpoint('t1', [close('p')]), accepted(undefined)),
    call(7, 8, stop, stopped(9)),
    call(9, 10, describeIt, ended('STOPPED', 'Enough: x', 9)),
  )
  refutes(
    'a read that goes back behind another',
    'history',
    ...BEGUN,
    call(5, 20, checkpoint('t1', [begin('a')]), accepted('t2', view('a', 'STARTED'))),
    call(6, 8, history, events('StepStarted a')),
    call(9, 11, history, events()),
  )
  refutes(
    'a read that goes back behind an unknown outcome that it showed',
    'history',
    ...BEGUN,
    call(5, NEVER, checkpoint('t1', [begin('a')]), UNKNOWN),
    call(6, 8, history, events('StepStarted a')),
    call(9, 11, history, events()),
  )
  refutes(
    'an unknown outcome that shows after its server has died',
    'history',
    ...BEGUN,
    call(5, 7, checkpoint('t1', [begin('a')]), UNKNOWN),
    call(8, 9, history, events()),
    call(10, 11, history, events('StepStarted a')),
  )
  refutes(
    'a state that is shown to an older token',
    'state',
    ...BEGUN,
    call(5, 6, checkpoint('t1'), accepted('t2')),
    call(7, 8, { kind: 'state', arn: 'A1', token: 't1', mintedFor: 'A1' }, { kind: 'operations', operations: [] }),
  )
  refutes('two executions of one name', 'start', call(1, 5, start(), started('A1')), call(2, 6, start(), started('A2')))
  refutes(
    'a start with another payload that attaches',
    'start',
    call(1, 2, start('1'), started('A1')),
    call(3, 4, start('2'), started('A1')),
  )
  refutes(
    'a start that is refused although the name is free',
    'start',
    call(1, 2, start('1'), { kind: 'taken', arn: 'A1' }),
  )
  refutes(
    'an acknowledged start that is lost',
    'describe',
    call(1, 2, start(), started()),
    call(3, 4, describeIt, absent),
  )
  refutes(
    'a deleted execution that comes back',
    'describe',
    ...STOPPED,
    call(7, 8, remove, { kind: 'deleted', at: 9 }),
    call(9, 10, describeIt, absent),
    call(11, 12, describeIt, DELETING),
  )
  refutes('the deletion of a running execution', 'delete', ...BEGUN, call(5, 6, remove, { kind: 'deleted', at: 9 }))
  refutes(
    'a token of another execution that is refused like a stale one',
    'checkpoint',
    ...BEGUN,
    call(5, 6, checkpoint('t1', [], undefined, 'A2'), stale),
  )
})

describe('what may be', () => {
  explains(
    'reads that overlap a write and see it or not',
    ...BEGUN,
    call(5, 20, checkpoint('t1', [begin('a')]), accepted('t2', view('a', 'STARTED'))),
    call(6, 12, history, events()),
    call(7, 9, history, events('StepStarted a')),
  )
  explains(
    'rivals with one token of which one wins',
    ...BEGUN,
    call(5, 9, checkpoint('t1', [begin('a')], 'x'), stale),
    call(6, 10, checkpoint('t1', [begin('b')], 'y'), accepted('t2', view('b', 'STARTED'))),
    call(7, 8, checkpoint('t1', [begin('c')], 'z'), stale),
  )
  explains(
    'an unknown outcome that is never applied',
    ...BEGUN,
    call(5, NEVER, checkpoint('t1', [begin('a')]), UNKNOWN),
    call(7, 8, checkpoint('t1', [begin('b')]), accepted('t2', view('b', 'STARTED'))),
    call(9, 10, history, events('StepStarted b')),
  )
  explains(
    'an unknown outcome that is applied late',
    ...BEGUN,
    call(5, NEVER, checkpoint('t1', [begin('a')]), UNKNOWN),
    call(7, 8, history, events()),
    call(9, 10, history, events('StepStarted a')),
    call(11, 12, checkpoint('t1'), stale),
  )
  explains(
    'an unknown outcome whose repeat tells the token',
    ...BEGUN,
    call(5, NEVER, checkpoint('t1', [begin('a')], 'x'), UNKNOWN),
    call(7, 8, history, events('StepStarted a')),
    call(9, 10, checkpoint('t1', [begin('a')], 'x'), accepted('t2', view('a', 'STARTED'))),
    call(11, 12, checkpoint('t2'), accepted('t3')),
  )
  explains(
    'a repeat that comes after later checkpoints, and with other updates',
    ...BEGUN,
    call(5, 6, checkpoint('t1', [begin('a')], 'x'), accepted('t2', view('a', 'STARTED'))),
    call(7, 8, checkpoint('t2', [succeed('a', 'p')]), accepted('t3', view('a', 'SUCCEEDED', 'p'))),
    call(9, 10, checkpoint('t1', [begin('b')], 'x'), accepted('t2', view('a', 'STARTED'))),
    call(11, 12, checkpoint('t3'), accepted('t4')),
  )
  explains(
    'a callback that is answered while the invocation runs, and recorded by its next checkpoint',
    ...WITH_CALLBACK,
    call(7, 8, complete('c1', 'one'), DONE),
    call(9, 10, history, events('CallbackStarted k')),
    call(11, 12, checkpoint('t2', [begin('a')]), {
      ...accepted('t3', view('k', 'SUCCEEDED', 'one', 'c1'), view('a', 'STARTED')),
    }),
    call(13, 14, history, events('CallbackStarted k', 'CallbackSucceeded k one', 'StepStarted a')),
  )
  explains(
    'a callback whose call is repeated as the same call, also after the end',
    ...WITH_CALLBACK,
    call(7, NEVER, complete('c1', 'one', 'call'), UNKNOWN),
    call(9, 10, complete('c1', 'one', 'call'), DONE),
    call(11, 12, stop, stopped(9)),
    call(13, 14, complete('c1', 'one', 'call'), DONE),
    call(15, 16, complete('c1', 'two'), late),
  )
  explains(
    'a callback that ends a suspension',
    ...WITH_CALLBACK,
    call(7, NEVER, end('r1', { kind: 'pending' }), UNKNOWN),
    call(8, 9, complete('c1', 'one'), DONE),
    call(0, 12, invocation, invoked(2, 't3', view('k', 'SUCCEEDED', 'one', 'c1'))),
    call(13, 14, history, events('CallbackStarted k', 'InvocationCompleted r1', 'CallbackSucceeded k one')),
  )
  explains(
    'an end that nobody saw recorded, until somebody does',
    ...BEGUN,
    call(5, NEVER, end('r1', { kind: 'succeeded', text: 'p' }), UNKNOWN),
    call(6, 7, describeIt, running),
    call(8, 9, describeIt, ended('SUCCEEDED', 'p', 9)),
    call(10, 11, history, events('InvocationCompleted r1', 'ExecutionSucceeded p')),
  )
  explains(
    'a function that suspends for nothing and has failed',
    ...BEGUN,
    call(5, NEVER, end('r1', { kind: 'pending' }), UNKNOWN),
    call(8, 9, describeIt, ended('FAILED', NOTHING_PENDING, 9)),
  )
  explains(
    'a fixed outcome that a stop does not change',
    ...BEGUN,
    call(5, 6, checkpoint('t1', [close('p')], 'x'), accepted(undefined)),
    call(7, 8, checkpoint('t1', [close('p')], 'x'), accepted(undefined)),
    call(9, 10, stop, stopped(9)),
    call(11, 12, describeIt, ended('SUCCEEDED', 'p', 9)),
  )
  explains(
    'starts that race, with two payloads',
    call(1, 6, start('1'), { kind: 'taken', arn: 'A1' }),
    call(2, 5, start('2'), started('A1')),
    call(3, 8, start('2'), started('A1')),
    call(4, 7, start('1'), UNKNOWN),
  )
  explains(
    'a lost start that took the name',
    call(1, NEVER, start('2'), UNKNOWN),
    call(2, 3, start('1'), { kind: 'taken', arn: 'A1' }),
    call(4, 5, start('2'), started('A1')),
  )
  explains(
    'a killed server: the invocation is repeated, its old token is good until then',
    ...BEGUN,
    call(5, 6, { kind: 'kill' }, DONE),
    call(7, 8, checkpoint('t1', [begin('a')]), accepted('t2', view('a', 'STARTED'))),
    call(0, 10, invocation, invoked(2, 't3', view('a', 'STARTED'))),
    call(11, 12, checkpoint('t2'), stale),
    call(13, 14, history, events('StepStarted a', 'InvocationCompleted r1')),
  )
  explains(
    'a killed server whose invocation reached nobody',
    call(1, 2, start(), started()),
    call(0, 5, invocation, UNKNOWN),
    call(4, 6, { kind: 'kill' }, DONE),
    call(0, 8, invocation, invoked(2, 't2')),
    call(9, 10, history, events('InvocationCompleted r1')),
    call(11, 12, history, events('InvocationCompleted r1')),
  )
  explains(
    'a killed server whose function had fixed the outcome',
    ...BEGUN,
    call(5, 6, checkpoint('t1', [close('p')]), accepted(undefined)),
    call(7, 8, { kind: 'kill' }, DONE),
    call(8, NEVER, { kind: 'recovery' }, UNKNOWN),
    call(9, 10, history, events('InvocationCompleted r1', 'ExecutionSucceeded p')),
  )
  explains(
    'a deleted execution that lingers, is gone, and gives its name away',
    ...STOPPED,
    call(7, 8, remove, { kind: 'deleted', at: 9 }),
    call(9, 10, start(), { kind: 'taken', arn: 'A1' }),
    call(11, 12, describeIt, DELETING),
    call(13, 14, start('2'), started('A2')),
    call(15, 16, describeIt, absent),
    call(17, 18, checkpoint('t1'), stale),
  )
})

describe('the picture of a refused history', () => {
  const calls = [
    ...BEGUN,
    call(5, 6, describeIt, running),
    call(7, 8, checkpoint('t1', [begin('a')]), accepted('t2', view('a', 'STARTED'))),
    call(9, 10, history, events()),
    call(11, 12, describeIt, running),
  ]

  test('holds what is needed for the refusal and nothing after it', () => {
    const kinds = shrink(model, calls, isHarmless).map(({ request }) => request.kind)
    assert.deepEqual(kinds, ['start', 'invocation', 'checkpoint', 'history'])
  })

  test('marks the call that nothing explains', () => {
    const verdict = check(model, calls)
    assert.ok(!verdict.linearizable)
    const marked = timeline(calls, verdict.stuckAt)
      .split('\n')
      .filter((line) => line.startsWith('✗'))
    assert.equal(marked.length, 1)
    assert.match(marked[0] ?? '', /├─*┤\s+c\s+history A1 → 1 events/)
  })
})

describe('any sequential run', () => {
  test('is explained, however its calls are stretched and whichever answers are lost', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 5, max: 60 }), (seed, length) => {
        const calls = stretched(playSequentially(seed, length), seed)
        const verdict = check(model, calls)
        assert.ok(verdict.linearizable, verdict.linearizable ? '' : timeline(calls, verdict.stuckAt))
      }),
      { numRuns: 300 },
    )
  })

  test('is refused when one consumed token is said to have been accepted again', () => {
    let changed = 0
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 20, max: 60 }), (seed, length) => {
        const calls = playSequentially(seed, length, 0)
        const consumed = new Set<string>()
        const place = calls.findIndex(({ request, answer }) => {
          if (request.kind !== 'checkpoint') return false
          if (answer?.kind === 'checkpointed') consumed.add(request.token)
          return answer?.kind === 'refused' && answer.error === REFUSAL.token && consumed.has(request.token)
        })
        if (place < 0) return
        changed += 1
        const lie = calls.map((one, index) => (index === place ? { ...one, answer: accepted('another') } : one))
        assert.ok(!check(model, lie).linearizable)
      }),
      { numRuns: 300 },
    )
    assert.ok(changed > 100, `only ${changed} histories could be changed`)
  })
})
