/** Spec 04 §4.9: steps, their attempts, and the ways in which SDKs report them. */
import assert from 'node:assert/strict'
import type { Operation } from '../../src/protocol/shapes.ts'
import { type Execution, idsOf, inMs, only } from './execution.ts'
import { row, type TestServer, tables } from './harness.ts'
import { bare, boom, step, type Update, wait } from './updates.ts'

const MESSAGES = {
  START: 'Invalid current STEP state to start.',
  SUCCEED: 'Invalid current STEP state to close.',
  FAIL: 'Invalid current STEP state to close.',
  RETRY: 'Invalid current STEP state to re-attempt.',
} as const

const updateOf = {
  START: step.start('s1'),
  SUCCEED: step.succeed('s1', '"out"'),
  FAIL: step.fail('s1', boom),
  RETRY: step.retry('s1', 7),
} as const
type Action = keyof typeof updateOf

/** Brings step s1 into a status. */
async function bringTo(server: TestServer, run: Execution, status: string): Promise<void> {
  if (status === 'absent') return
  if (status === 'STARTED') await run.checkpoint([step.start('s1')])
  if (status === 'PENDING') await run.checkpoint([step.retry('s1', 5)])
  if (status === 'SUCCEEDED') await run.checkpoint([step.succeed('s1', '1')])
  if (status === 'FAILED') await run.checkpoint([step.fail('s1', boom)])
  if (status === 'READY') {
    await run.checkpoint([step.retry('s1', 5)])
    await server.advance(5000)
    await run.checkpoint([])
  }
  assert.equal((await run.operation('s1')).Status, status)
}

const openFor = { START: ['absent', 'READY'], other: ['absent', 'STARTED', 'READY'] }
const STATUSES = ['absent', 'STARTED', 'READY', 'PENDING', 'SUCCEEDED', 'FAILED']

tables('STEP transitions (04 §4.9)', (server) => {
  const results = {
    START: ['STARTED', 'StepStarted'],
    SUCCEED: ['SUCCEEDED', 'StepSucceeded'],
    FAIL: ['FAILED', 'StepFailed'],
    RETRY: ['PENDING', 'StepSucceeded'],
  } as const
  for (const action of ['START', 'SUCCEED', 'FAIL', 'RETRY'] as const satisfies Action[]) {
    const open = openFor[action === 'START' ? 'START' : 'other']
    for (const status of STATUSES) {
      if (open.includes(status)) {
        row(`04-4.9-${action}`, `from ${status}`, async () => {
          await using run = await server.execution()
          await bringTo(server, run, status)
          const events = (await run.events()).length
          const [after, event] = results[action]
          assert.equal((await run.checkpointed('s1', [updateOf[action]])).Status, after)
          assert.equal((await run.operation('s1')).Status, after)
          assert.deepEqual((await run.timeline()).slice(events - 1), [`${event} s1`])
        })
      } else {
        row(`04-4.9-${action}-refused`, `from ${status}`, async () => {
          await using run = await server.execution()
          await bringTo(server, run, status)
          await run.refused([updateOf[action]], MESSAGES[action])
        })
      }
    }
  }

  row('04-4.9-RETRY', 'with an Error emits StepFailed, with a Payload StepSucceeded', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.retry('s1', 2, { Error: boom }), step.retry('s2', 3, { Payload: '"state"' })])
    assert.deepEqual(await run.timeline(), ['StepFailed s1', 'StepSucceeded s2'])
    assert.deepEqual(await run.details('StepFailed', 's1'), {
      Error: { Payload: boom, Truncated: false },
      RetryDetails: { CurrentAttempt: 1, NextAttemptDelaySeconds: 2 },
    })
    assert.deepEqual(await run.details('StepSucceeded', 's2'), {
      Result: { Payload: '"state"', Truncated: false },
      RetryDetails: { CurrentAttempt: 1, NextAttemptDelaySeconds: 3 },
    })
  })

  row('04-4.9-pending', async () => {
    await using run = await server.execution()
    await bringTo(server, run, 'PENDING')
    for (const action of ['START', 'SUCCEED', 'FAIL', 'RETRY'] as const) {
      await run.refused([updateOf[action]], MESSAGES[action])
    }
  })
})

tables('STEP members (04 §4.9)', (server) => {
  const options = { StepOptions: { NextAttemptDelaySeconds: 1 } }
  const INVALID_OPTIONS = 'Invalid StepOptions for the given action.'
  const refusals: readonly (readonly [Parameters<typeof row>[0], string, Update, string | RegExp])[] = [
    ['04-4.9-START-options', '', step.start('s1', options), INVALID_OPTIONS],
    ['04-4.9-SUCCEED-options', '', step.succeed('s1', '1', options), INVALID_OPTIONS],
    ['04-4.9-FAIL-options', '', step.fail('s1', boom, options), INVALID_OPTIONS],
    ['04-4.9-RETRY-options', '', { ...step.retry('s1', 1), StepOptions: undefined }, INVALID_OPTIONS],
    [
      '04-4.9-RETRY-both',
      '',
      step.retry('s1', 1, { Error: boom, Payload: '1' }),
      'Cannot provide both error and payload to RETRY a STEP.',
    ],
    [
      '04-4.9-SUCCEED-error',
      '',
      step.succeed('s1', '1', { Error: boom }),
      'Cannot provide an Error for SUCCEED action.',
    ],
    ['04-4.9-FAIL-payload', '', step.fail('s1', boom, { Payload: '1' }), 'Cannot provide a Payload for FAIL action.'],
    // The permitted actions (04 §4.5) are checked first, so theirs is the text that a client sees.
    ['04-4.9-action', 'CANCEL', bare('STEP', 'CANCEL', 's1'), 'Invalid action for the given operation type.'],
  ]
  for (const [id, variation, update, message] of refusals) {
    row(id, variation === '' ? 'of a new step' : `${variation}, of a new step`, async () => {
      await using run = await server.execution()
      await run.refused([update], message)
    })
    if (update['Action'] === 'START') continue
    row(id, variation === '' ? 'of a started step' : `${variation}, of a started step`, async () => {
      await using run = await server.execution()
      await run.checkpoint([step.start('s1')])
      await run.refused([update], message)
    })
  }

  for (const [variation, more] of [
    ['Payload', { Payload: '"ignored"' }],
    ['Error', { Error: boom }],
  ] as const) {
    // The specification names no text for a refusal, so a START that carries one is taken as a START (as in 04 §4.11).
    row('04-4.9-START-members', variation, async () => {
      await using run = await server.execution()
      const started = await run.checkpointed('s1', [step.start('s1', more)])
      assert.equal(started.Status, 'STARTED')
      assert.ok(
        started.StepDetails !== undefined && !('Result' in started.StepDetails || 'Error' in started.StepDetails),
      )
      assert.deepEqual(await run.details('StepStarted', 's1'), {})
    })
  }
})

tables('STEP bookkeeping (04 §4.9)', (server) => {
  const attempt = (operation: Operation): number => operation.StepDetails?.Attempt ?? 0

  row('04-4.9-attempt', async () => {
    await using run = await server.execution()
    assert.equal(attempt(await run.checkpointed('s1', [step.start('s1')])), 0)
    assert.equal(attempt(await run.checkpointed('s1', [step.retry('s1', 1, { Error: boom })])), 1)
    await server.advance(1000)
    assert.equal(attempt(await run.checkpointed('s1', [])), 1)
    assert.equal(attempt(await run.checkpointed('s1', [step.start('s1')])), 1)
    assert.equal(attempt(await run.checkpointed('s1', [step.retry('s1', 1)])), 2)
    await server.advance(1000)
    await run.checkpoint([step.start('s1')])
    assert.equal(attempt(await run.checkpointed('s1', [step.succeed('s1', '1')])), 3)
    assert.equal(attempt(await run.checkpointed('s2', [step.fail('s2', boom)])), 1)
    assert.equal(attempt(await run.operation('s1')), 3)
  })

  row('04-4.9-retry-details', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1')])
    const failed = inMs(await run.checkpointed('s1', [step.retry('s1', 7, { Error: boom })]))
    assert.equal(failed.Status, 'PENDING')
    assert.ok(!('EndTimestamp' in failed))
    assert.deepEqual(failed.StepDetails, { Attempt: 1, NextAttemptTimestamp: server.nowMs + 7000, Error: boom })
    await server.advance(7000)
    await run.checkpoint([])
    const polled = inMs(await run.checkpointed('s1', [step.retry('s1', 3, { Payload: '"state"' })]))
    assert.deepEqual(polled.StepDetails, {
      Attempt: 2,
      NextAttemptTimestamp: server.nowMs + 3000,
      Result: '"state"',
    })
    await server.advance(3000)
    await run.checkpoint([])
    const bare = inMs(await run.checkpointed('s1', [step.retry('s1', 2)]))
    assert.deepEqual(bare.StepDetails, { Attempt: 3, NextAttemptTimestamp: server.nowMs + 2000 })
  })

  row('04-4.9-ready', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.retry('s1', 5, { Payload: '"state"' }), step.retry('s2', 5, { Error: boom })])
    await run.suspend()
    const before = (await run.events()).length
    await server.advance(4999)
    await server.advance(1)
    await run.resumed()
    assert.equal((await run.events()).length, before)
    const due = server.nowMs
    const ready = only(run.initialOperations, 's1')
    assert.equal(ready.Status, 'READY')
    assert.deepEqual(ready.StepDetails, { Attempt: 1, Result: '"state"' })
    assert.deepEqual(only(run.initialOperations, 's2').StepDetails, { Attempt: 1, Error: boom })
    assert.deepEqual(run.invocation.event.UpdatedOperationIds.toSorted(), ['s1', 's2'])
    await server.advance(1)
    await run.succeed()
    assert.equal((await run.invocationStarts()).at(-1), due)
  })

  row('04-4.9-restart', async () => {
    await using run = await server.execution()
    const first = server.nowMs
    await run.checkpoint([step.start('s1'), step.start('s2')])
    await run.checkpoint([step.retry('s1', 5, { Payload: '"state"' }), step.retry('s2', 5, { Error: boom })])
    await server.advance(5000)
    const { NewExecutionState } = await run.checkpoint([step.start('s1'), step.start('s2')])
    const [one, two] = NewExecutionState.Operations.map(inMs)
    assert.partialDeepStrictEqual(one, {
      Id: 's1',
      Status: 'STARTED',
      StartTimestamp: first,
      StepDetails: { Attempt: 1, Result: '"state"' },
    })
    assert.partialDeepStrictEqual(two, {
      Id: 's2',
      Status: 'STARTED',
      StartTimestamp: first,
      StepDetails: { Attempt: 1, Error: boom },
    })
    // After a crash in STARTED the state of a polled condition is still there.
    await run.crashedAndRetried()
    assert.deepEqual(only(run.initialOperations, 's1').StepDetails, { Attempt: 1, Result: '"state"' })
  })

  row('04-4.9-close-details', async () => {
    await using run = await server.execution()
    const first = server.nowMs
    await run.checkpoint([step.retry('s1', 5, { Error: boom }), step.retry('s2', 5, { Payload: '"state"' })])
    await server.advance(6000)
    const { NewExecutionState } = await run.checkpoint([step.succeed('s1', '"out"'), step.fail('s2', boom)])
    const [succeeded, failed] = NewExecutionState.Operations.map(inMs)
    assert.partialDeepStrictEqual(succeeded, { Status: 'SUCCEEDED', StartTimestamp: first, EndTimestamp: server.nowMs })
    assert.deepEqual(succeeded?.StepDetails, { Attempt: 2, Result: '"out"' })
    assert.partialDeepStrictEqual(failed, { Status: 'FAILED', StartTimestamp: first, EndTimestamp: server.nowMs })
    assert.deepEqual(failed?.StepDetails, { Attempt: 2, Error: boom })
  })

  row('04-4.9-never-started', async () => {
    await using run = await server.execution()
    await server.advance(250)
    for (const update of [step.succeed('s1', '1'), step.fail('s2', boom)]) {
      const closed = inMs(await run.checkpointed(String(update['Id']), [update]))
      assert.equal(closed.StartTimestamp, server.nowMs)
      assert.equal(closed.EndTimestamp, server.nowMs)
    }
  })

  row('04-4.9-event-details', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1', { Name: 'reserve' }), step.retry('s1', 4, { Error: boom, Name: 'reserve' })])
    await server.advance(4000)
    await run.checkpoint([step.start('s1'), step.succeed('s1', '"out"'), step.start('s2'), step.fail('s2', boom)])
    assert.deepEqual(await run.details('StepStarted', 's1'), {})
    assert.deepEqual(await run.details('StepFailed', 's1'), {
      Error: { Payload: boom, Truncated: false },
      RetryDetails: { CurrentAttempt: 1, NextAttemptDelaySeconds: 4 },
    })
    assert.deepEqual(await run.details('StepSucceeded', 's1'), {
      Result: { Payload: '"out"', Truncated: false },
      RetryDetails: { CurrentAttempt: 2 },
    })
    assert.deepEqual(await run.details('StepFailed', 's2'), {
      Error: { Payload: boom, Truncated: false },
      RetryDetails: { CurrentAttempt: 1 },
    })
    for (const { Id, Name, SubType } of (await run.events()).filter((event) => event.Id === 's1')) {
      assert.deepEqual({ Id, Name, SubType }, { Id: 's1', Name: 'reserve', SubType: 'Step' })
    }
  })
})

tables('STEP patterns of SDKs (04 §4.9)', (server) => {
  row('04-4.9-pattern-at-least-once', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1'), step.succeed('s1', '1'), step.start('s2'), step.start('s3')])
    await run.checkpoint([step.fail('s2', boom), step.retry('s3', 5, { Error: boom })])
    assert.deepEqual(await run.timeline(), [
      'StepStarted s1',
      'StepSucceeded s1',
      'StepStarted s2',
      'StepStarted s3',
      'StepFailed s2',
      'StepFailed s3',
    ])
  })

  for (const [variation, update, status] of [
    ['SUCCEED', step.succeed('s1', '1'), 'SUCCEEDED'],
    ['FAIL', step.fail('s1', boom), 'FAILED'],
    ['RETRY', step.retry('s1', 5, { Error: boom }), 'PENDING'],
  ] as const) {
    row('04-4.9-pattern-at-most-once', variation, async () => {
      await using run = await server.execution()
      assert.equal((await run.checkpointed('s1', [step.start('s1')])).Status, 'STARTED')
      assert.equal((await run.checkpointed('s1', [update])).Status, status)
    })
  }

  row('04-4.9-pattern-rerun', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1')])
    await run.crashedAndRetried()
    assert.equal(only(run.initialOperations, 's1').Status, 'STARTED')
    await run.checkpoint([step.succeed('s1', '1')])
    assert.deepEqual(await run.timeline(), ['StepStarted s1', 'InvocationCompleted', 'StepSucceeded s1'])
  })

  for (const [variation, update, status] of [
    ['FAIL', step.fail('s1', boom), 'FAILED'],
    ['RETRY', step.retry('s1', 5, { Error: boom }), 'PENDING'],
  ] as const) {
    row('04-4.9-pattern-interrupted', variation, async () => {
      await using run = await server.execution()
      await run.checkpoint([step.start('s1')])
      await run.crashedAndRetried()
      const reported = await run.checkpointed('s1', [update])
      assert.equal(reported.Status, status)
      assert.equal(reported.StepDetails?.Attempt, 1)
      assert.deepEqual(await run.timeline(), ['StepStarted s1', 'InvocationCompleted', 'StepFailed s1'])
    })
  }

  row('04-4.9-pattern-ready', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('s1'), step.retry('s1', 5, { Error: boom })])
    await run.resumedAfter(5)
    assert.equal(only(run.initialOperations, 's1').Status, 'READY')
    await run.checkpoint([step.start('s1')])
    await run.checkpoint([step.succeed('s1', '1')])
    assert.deepEqual(await run.timeline(), [
      'StepStarted s1',
      'StepFailed s1',
      'InvocationCompleted',
      'StepStarted s1',
      'StepSucceeded s1',
    ])
  })

  row('04-4.9-pattern-pending', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.retry('s1', 5, { Error: boom }), wait.start('w1', 100)])
    await server.advance(4999)
    assert.deepEqual(idsOf((await run.checkpoint([])).NewExecutionState.Operations), [])
    assert.equal((await run.operation('s1')).Status, 'PENDING')
    await server.advance(1)
    assert.equal((await run.checkpointed('s1', [])).Status, 'READY')
  })

  row('04-4.9-pattern-condition', async () => {
    await using run = await server.execution()
    const SubType = 'WaitForCondition'
    await run.checkpoint([step.start('s1', { SubType }), step.retry('s1', 5, { SubType, Payload: '1' })])
    await run.resumedAfter(5)
    assert.equal(only(run.initialOperations, 's1').StepDetails?.Result, '1')
    await run.checkpoint([step.start('s1', { SubType }), step.retry('s1', 5, { SubType, Payload: '2' })])
    await run.resumedAfter(5)
    assert.equal(only(run.initialOperations, 's1').StepDetails?.Result, '2')
    await run.checkpoint([step.start('s1', { SubType }), step.succeed('s1', '3', { SubType })])
    const steps = (await run.events()).filter((event) => event.Id === 's1')
    assert.deepEqual(
      steps.map(({ EventType, SubType, StepSucceededDetails }) => [EventType, SubType, StepSucceededDetails ?? null]),
      [
        ['StepStarted', SubType, null],
        [
          'StepSucceeded',
          SubType,
          {
            Result: { Payload: '1', Truncated: false },
            RetryDetails: { CurrentAttempt: 1, NextAttemptDelaySeconds: 5 },
          },
        ],
        ['StepStarted', SubType, null],
        [
          'StepSucceeded',
          SubType,
          {
            Result: { Payload: '2', Truncated: false },
            RetryDetails: { CurrentAttempt: 2, NextAttemptDelaySeconds: 5 },
          },
        ],
        ['StepStarted', SubType, null],
        ['StepSucceeded', SubType, { Result: { Payload: '3', Truncated: false }, RetryDetails: { CurrentAttempt: 3 } }],
      ],
    )
  })
})
