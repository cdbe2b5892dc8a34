/**
 * Properties of the engine under random hostile batches: invariants I1 (atomic), I3 (ordered, once), I4 (fenced) and
 * I6 (monotone), and that the live state, the journal folded again and a snapshot with its tail are one and the same.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Driver, refold } from '../../test/engine/driver.ts'
import { OPERATION_ACTIONS, OPERATION_TYPES, type OperationUpdate } from '../protocol/shapes.ts'
import { apply } from './apply.ts'
import { decodeEntry } from './codec.ts'
import type { ExecutionState, OperationState } from './model.ts'
import { MODULES } from './operations/table.ts'
import { readSnapshot, writeSnapshot } from './snapshot.ts'
import { currentToken } from './token.ts'

const RUNS = 1_000
const TERMINAL = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT', 'STOPPED'])

const id = fc.constantFrom('a', 'b', 'c', 'd', 'x', 'y')
const text = fc.oneof(fc.constantFrom('', 'null', '"v"'), fc.constant('z'.repeat(600)), fc.string({ unit: 'binary' }))
const error = fc.record({ ErrorType: fc.constantFrom('E', 'F'), ErrorMessage: fc.string() }, { requiredKeys: [] })

const wildUpdate = fc.record(
  {
    Id: id,
    Type: fc.constantFrom(...OPERATION_TYPES),
    Action: fc.constantFrom(...OPERATION_ACTIONS),
    ParentId: fc.constantFrom('x', 'y', 'a'),
    Name: fc.constantFrom('n', 'm'),
    Payload: text,
    Error: error,
    ContextOptions: fc.record({ ReplayChildren: fc.boolean() }),
    StepOptions: fc.record({ NextAttemptDelaySeconds: fc.integer({ min: 1, max: 5 }) }),
    WaitOptions: fc.record({ WaitSeconds: fc.integer({ min: 1, max: 5 }) }),
    CallbackOptions: fc.record({
      TimeoutSeconds: fc.constantFrom(0, 3),
      HeartbeatTimeoutSeconds: fc.constantFrom(0, 2),
    }),
    ChainedInvokeOptions: fc.record({ FunctionName: fc.constantFrom('gone', 'plain', 'durable', 'foreign') }),
  },
  { requiredKeys: ['Id', 'Type', 'Action'] },
)

/** Updates that an SDK could send, so that random runs get somewhere. */
const sensible: fc.Arbitrary<OperationUpdate> = fc.oneof(
  fc.record({
    Id: id,
    Type: fc.constant('STEP' as const),
    Action: fc.constantFrom('START' as const, 'SUCCEED' as const, 'FAIL' as const),
  }),
  fc.record({
    Id: id,
    Type: fc.constant('STEP' as const),
    Action: fc.constant('RETRY' as const),
    StepOptions: fc.record({ NextAttemptDelaySeconds: fc.integer({ min: 1, max: 3 }) }),
    Payload: text,
  }),
  fc.record({
    Id: id,
    Type: fc.constant('WAIT' as const),
    Action: fc.constantFrom('START' as const, 'START' as const, 'CANCEL' as const),
    WaitOptions: fc.record({ WaitSeconds: fc.integer({ min: 1, max: 4 }) }),
  }),
  fc.record({
    Id: fc.constantFrom('x', 'y'),
    Type: fc.constant('CONTEXT' as const),
    Action: fc.constantFrom('START' as const, 'SUCCEED' as const, 'FAIL' as const),
  }),
  fc.record({
    Id: id,
    Type: fc.constant('CALLBACK' as const),
    Action: fc.constant('START' as const),
    CallbackOptions: fc.record({
      TimeoutSeconds: fc.constantFrom(0, 2),
      HeartbeatTimeoutSeconds: fc.constantFrom(0, 1),
    }),
  }),
  fc.record({
    Id: id,
    Type: fc.constant('CHAINED_INVOKE' as const),
    Action: fc.constant('START' as const),
    ChainedInvokeOptions: fc.record({ FunctionName: fc.constantFrom('plain', 'durable', 'gone') }),
  }),
)

const output = fc.constantFrom(
  { Status: 'PENDING' },
  { Status: 'PENDING' },
  { Status: 'PENDING' },
  { Status: 'PENDING' },
  { Status: 'PENDING' },
  { Status: 'PENDING' },
  { Status: 'PENDING' },
  { Status: 'PENDING' },
  { Status: 'SUCCEEDED', Result: '1' },
  { Status: 'FAILED', Error: { ErrorType: 'E' } },
  { Status: 'SUCCEEDED', Error: {} },
  'nonsense',
)

const action = fc.oneof(
  {
    weight: 60,
    arbitrary: fc.record({
      do: fc.constant('checkpoint' as const),
      updates: fc.array(sensible, { maxLength: 3 }),
      keyed: fc.boolean(),
    }),
  },
  {
    weight: 30,
    arbitrary: fc.record({
      do: fc.constant('checkpoint' as const),
      updates: fc.array(wildUpdate, { maxLength: 4 }),
      keyed: fc.boolean(),
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant('repeat' as const),
      back: fc.integer({ min: 0, max: 3 }),
      sameKey: fc.boolean(),
    }),
  },
  { weight: 30, arbitrary: fc.record({ do: fc.constant('invoke' as const) }) },
  { weight: 30, arbitrary: fc.record({ do: fc.constant('respond' as const), output }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
  {
    weight: 40,
    arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: -500, max: 3000 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1000, 130_000) }) },
  { weight: 30, arbitrary: fc.record({ do: fc.constant('complete' as const), pick: fc.nat(), ok: fc.boolean() }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('heartbeat' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abandon' as const) }) },
)
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

interface Sent {
  readonly token: string
  readonly clientToken: string | undefined
  readonly updates: readonly OperationUpdate[]
  readonly next: string | undefined
}

function perform(driver: Driver, action: Action, sent: Sent[]): void {
  const before = writeSnapshot(driver.state)
  const wasClosed = driver.state.status !== 'RUNNING'
  const result = attempt(driver, action, sent)
  if (result === 'refused') assert.equal(writeSnapshot(driver.state), before, 'a refusal leaves a trace')
  if (wasClosed) assert.equal(writeSnapshot(driver.state), before, 'a closed execution changed')
}

function attempt(driver: Driver, action: Action, sent: Sent[]): 'refused' | 'accepted' {
  const { state } = driver
  switch (action.do) {
    case 'checkpoint': {
      const token = currentToken(state) ?? 'ab'
      const clientToken = action.keyed ? `key-${sent.length}` : undefined
      const updates = action.updates as readonly OperationUpdate[]
      const request = { token, updates, ...(clientToken === undefined ? {} : { clientToken }) }
      const result = driver.send({ kind: 'checkpoint', ...request })
      if ('error' in result) return 'refused'
      assert.ok(result.answer.kind === 'checkpoint' && result.answer.replayOf === undefined)
      sent.push({ token, clientToken, updates, next: result.answer.token })
      return 'accepted'
    }
    case 'repeat': {
      const earlier = sent.at(-1 - action.back)
      if (earlier === undefined) return 'refused'
      const clientToken = action.sameKey ? earlier.clientToken : 'another'
      const length = driver.journal.length
      const request = { token: earlier.token, updates: [], ...(clientToken === undefined ? {} : { clientToken }) }
      const result = driver.send({ kind: 'checkpoint', ...request })
      assert.equal(driver.journal.length, length, 'a consumed token changed the journal (I3)')
      if ('error' in result) return 'refused'
      assert.equal(clientToken, earlier.clientToken, 'a repeat without its ClientToken was answered (I3)')
      assert.ok(result.answer.kind === 'checkpoint' && result.answer.replayOf !== undefined)
      assert.equal(result.answer.token, earlier.next, 'a repeat got another answer (I3)')
      return 'refused'
    }
    case 'invoke':
      // A shell begins an invocation only when none runs, or when it lost the one that ran.
      return driver.send({ kind: 'startInvocation', requestId: `r${driver.journal.length}` }) && 'accepted'
    case 'respond': {
      const requestId = state.invocation?.requestId ?? 'none'
      const body = JSON.stringify(action.output)
      driver.accept({ kind: 'endInvocation', requestId, outcome: { kind: 'response', body } })
      return 'accepted'
    }
    case 'crash': {
      const requestId = state.invocation?.requestId ?? 'none'
      driver.accept({ kind: 'endInvocation', requestId, outcome: { kind: 'error', error: { ErrorType: 'X' } } })
      return 'accepted'
    }
    case 'advance':
      driver.advance(action.ms)
      driver.accept({ kind: 'wake' })
      return 'accepted'
    case 'complete':
    case 'heartbeat': {
      const operation = pickOperation(state, action.pick)
      if (operation?.type === 'CHAINED_INVOKE' && action.do === 'complete') {
        const outcome = (['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'] as const)[action.pick % 4] ?? 'FAILED'
        driver.accept({ kind: 'completeInvoke', operationId: operation.id, outcome })
        return 'accepted'
      }
      const callbackId = operation?.callbackId ?? 'nonsense'
      const command =
        action.do === 'heartbeat'
          ? ({ kind: 'heartbeatCallback', callbackId } as const)
          : ({ kind: 'completeCallback', callbackId, outcome: action.ok ? 'SUCCEEDED' : 'FAILED' } as const)
      return 'error' in driver.send(command) ? 'refused' : 'accepted'
    }
    case 'abandon':
      driver.accept({ kind: 'abandon', error: { ErrorType: 'Gone' } })
      return 'accepted'
    case 'stop':
      driver.accept({ kind: 'stop', error: {} })
      return 'accepted'
  }
}

function pickOperation(state: ExecutionState, pick: number): OperationState | undefined {
  const operations = [...state.operations.values()].filter(
    ({ type }) => type === 'CALLBACK' || type === 'CHAINED_INVOKE',
  )
  return operations[pick % Math.max(1, operations.length)]
}

/** What is pending, and when the first of it is due, follows from the operations alone. */
function assertPending(state: ExecutionState): void {
  const pending = [...state.operations.values()].filter((operation) => MODULES[operation.type].pending(operation))
  const expected = state.status === 'RUNNING' ? pending : []
  assert.deepEqual(new Set(expected.map(({ id }) => id)), state.pending)
  const dueTimes = expected.map((operation) => MODULES[operation.type].dueAt(operation))
  assert.equal(Math.min(...dueTimes, Number.POSITIVE_INFINITY), state.nextDueAt)
}

function newDriver(): Driver {
  const driver = new Driver({ invocationRetryGiveUpMs: 20_000 }, 120)
  for (const operation of ['a', 'b', 'c', 'd', 'x', 'y']) driver.targets.set(operation, { kind: 'plain', version: '1' })
  driver.targets.set('b', { kind: 'failed', error: { ErrorType: 'ResourceNotFoundException' } })
  driver.targets.set('c', {
    kind: 'durable',
    version: '2',
    childId: 'child',
    childArn: 'arn:x/durable-execution/n/child',
  })
  driver.targets.set('d', {
    kind: 'refused',
    message: 'Cannot start a CHAINED_INVOKE on a function in another account.',
  })
  return driver
}

test('I1, I3, I4, I6: random hostile commands never break an execution, and its journal folds to what it is', () => {
  const reached = new Map<string, number>()
  fc.assert(
    fc.property(fc.array(action, { minLength: 5, maxLength: 80, size: 'max' }), fc.nat(60), (actions, cut) => {
      const driver = newDriver()
      const sent: Sent[] = []
      const terminal = new Map<string, string>()
      let snapshot = { text: writeSnapshot(driver.state), length: driver.journal.length }
      for (const [index, action] of actions.entries()) {
        perform(driver, action, sent)
        for (const { id, status } of driver.state.operations.values()) {
          const ended = terminal.get(id)
          assert.ok(ended === undefined || ended === status, `${id} left ${ended} for ${status} (I6)`)
          if (TERMINAL.has(status)) terminal.set(id, status)
        }
        if (index === cut) snapshot = { text: writeSnapshot(driver.state), length: driver.journal.length }
      }
      assertPending(driver.state)
      const { history } = driver
      assert.deepEqual(
        history.map(({ EventId }) => EventId),
        history.map((_, index) => index + 1),
        'EventIds have gaps (I6)',
      )
      for (let i = 1; i < history.length; i++) {
        assert.ok((history[i]?.EventTimestamp ?? 0) >= (history[i - 1]?.EventTimestamp ?? 0), 'time went back')
      }
      assert.deepEqual(refold(driver.journal), driver.state)
      const resumed = readSnapshot(snapshot.text)
      for (const text of driver.journal.slice(snapshot.length)) apply(resumed, decodeEntry(text))
      assert.deepEqual(resumed, driver.state)
      for (const { EventType } of history) reached.set(EventType, (reached.get(EventType) ?? 0) + 1)
    }),
    { numRuns: RUNS },
  )
  // The property says something only when the runs get everywhere.
  assert.ok(reached.size >= 22, `only ${reached.size} event types were reached: ${[...reached.keys()]}`)
})
