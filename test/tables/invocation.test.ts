/** Spec 06 §6.3–6.6: what the service makes of the ways in which an invocation can end, and when the next one comes. */
import assert from 'node:assert/strict'
import { type Execution, idsOf, only } from './execution.ts'
import { row, tables } from './harness.ts'
import { boom, callback, context, execution, invoke, step, type Update, wait } from './updates.ts'

const NOTHING_PENDING = 'Cannot return PENDING status with no pending operations.'

/** Asserts that the service itself failed the execution, with this text. */
async function failedByService(run: Execution, message: string): Promise<void> {
  const described = await run.closed()
  assert.equal(described.Status, 'FAILED')
  assert.equal(described.Error?.ErrorMessage, message)
  assert.deepEqual((await run.timeline()).slice(-2), ['InvocationCompleted', 'ExecutionFailed'])
}

const callbackId = async (run: Execution, id: string): Promise<string> =>
  (await run.operation(id)).CallbackDetails?.CallbackId ?? assert.fail('the operation has a CallbackId')

tables('outcomes of an invocation (06 §6.3)', (server) => {
  for (const [variation, result] of [
    ['with Result', '{"ok":true}'],
    ['without Result', undefined],
  ] as const) {
    row('06-6.3-succeeded', variation, async () => {
      await using run = await server.execution()
      const described = await run.succeed(result)
      assert.equal(described.Status, 'SUCCEEDED')
      assert.equal(described.Result, result)
      assert.deepEqual(await run.timeline(), ['InvocationCompleted', 'ExecutionSucceeded'])
      assert.ok(!('Error' in (await run.details('InvocationCompleted'))))
    })
  }

  for (const [variation, error] of [
    ['with Error', { ...boom, ErrorData: '{"n":1}', StackTrace: ['at a', 'at b'] }],
    ['without Error', undefined],
  ] as const) {
    row('06-6.3-failed', variation, async () => {
      await using run = await server.execution()
      const described = await run.fail(error)
      assert.equal(described.Status, 'FAILED')
      assert.deepEqual(described.Error ?? {}, error ?? {})
      const { Error: failed } = (await run.details('ExecutionFailed')) as { Error: { Payload?: object } }
      assert.deepEqual(failed.Payload ?? {}, error ?? {})
      if (error === undefined) return
      assert.deepEqual((await run.details('InvocationCompleted'))['Error'], { Payload: error, Truncated: false })
    })
  }

  const pending: readonly (readonly [string, Update])[] = [
    ['a step to be retried', step.retry('x1', 100)],
    ['a wait', wait.start('x1', 100)],
    ['a callback without timeout', callback.start('x1')],
    ['a chained invoke', invoke.start('x1', 'unheeded')],
  ]
  for (const [variation, update] of pending) {
    row('06-6.3-pending-kinds', variation, async () => {
      await using run = await server.execution()
      await run.checkpoint([update])
      await run.suspend()
      assert.equal((await run.timeline()).at(-1), 'InvocationCompleted')
      assert.equal((await run.describe()).Status, 'RUNNING')
    })
  }

  const notPending: readonly (readonly [string, readonly Update[]])[] = [
    ['a started step', [step.start('x1')]],
    ['an open context', [context.start('x1')]],
    ['closed operations', [step.succeed('x1', '1'), invoke.start('x2', 'nobody')]],
  ]
  for (const [variation, updates] of notPending) {
    row('06-6.3-pending-kinds', `${variation}: not pending`, async () => {
      await using run = await server.execution()
      await run.checkpoint(updates)
      run.invocation.respond({ Status: 'PENDING' })
      await failedByService(run, NOTHING_PENDING)
    })
  }

  row('06-6.3-pending', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5)])
    const began = server.nowMs
    await server.advance(400)
    await run.suspend()
    const { StartTimestamp, EndTimestamp, RequestId, ...rest } = await run.details('InvocationCompleted')
    assert.equal(Math.round(Number(StartTimestamp) * 1000), began)
    assert.equal(Math.round(Number(EndTimestamp) * 1000), server.nowMs)
    assert.equal(RequestId, run.invocation.requestId)
    assert.deepEqual(rest, {})
    await server.advance(4600)
    const before = RequestId
    await run.resumed()
    assert.notEqual(run.invocation.requestId, before)
  })

  row('06-6.3-crossed', async () => {
    await using run = await server.execution()
    await run.checkpoint([callback.start('k1'), wait.start('w1', 500)])
    await server.callbackAccepted(await callbackId(run, 'k1'), 'succeed', '1')
    assert.equal((await run.checkpointed('k1', [])).Status, 'SUCCEEDED')
    // The function decided to suspend before it read that answer.
    await run.suspend()
    await run.resumed()
    assert.equal(only(run.initialOperations, 'k1').Status, 'SUCCEEDED')
    // Once only: it suspends again, and now the wait is awaited.
    await run.suspend()
    await server.advance(499_999)
    assert.equal((await run.timeline()).at(-1), 'InvocationCompleted')
    await server.advance(1)
    await run.resumed()
    assert.deepEqual(run.invocation.event.UpdatedOperationIds, ['w1'])
  })

  row('06-6.3-unseen', async () => {
    await using run = await server.execution()
    await run.checkpoint([callback.start('k1'), wait.start('w1', 500)])
    await server.callbackAccepted(await callbackId(run, 'k1'), 'succeed', '1')
    await run.suspend()
    await run.resumed()
    assert.deepEqual(run.invocation.event.UpdatedOperationIds, ['k1'])
    assert.deepEqual((await run.timeline()).slice(2), ['InvocationCompleted', 'CallbackSucceeded k1'])
  })

  row('06-6.3-delivered', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5)])
    await server.advance(5000)
    assert.equal((await run.checkpointed('w1', [])).Status, 'SUCCEEDED')
    await run.checkpoint([step.succeed('s1', '1')])
    await run.suspend()
    await run.resumed()
    assert.equal((await run.describe()).Status, 'RUNNING')
    // Once only.
    run.invocation.respond({ Status: 'PENDING' })
    await failedByService(run, NOTHING_PENDING)
  })

  row('06-6.3-nothing', async () => {
    await using run = await server.execution()
    run.invocation.respond({ Status: 'PENDING' })
    await failedByService(run, NOTHING_PENDING)
    assert.equal((await run.describe()).Error?.ErrorType, 'InvalidParameterValueException')
  })

  for (const [variation, output] of [
    ['null', null],
    ['a string', 'done'],
    ['a number', 7],
    ['a list', ['SUCCEEDED']],
    ['no Status', { Result: '1' }],
    ['an unknown Status', { Status: 'DONE' }],
  ] as const) {
    row('06-6.3-no-status', variation, async () => {
      await using run = await server.execution()
      run.invocation.respond(output)
      await failedByService(run, 'Invalid Status in invocation output.')
    })
  }

  row('06-6.3-succeeded-error', async () => {
    await using run = await server.execution()
    run.invocation.respond({ Status: 'SUCCEEDED', Error: boom })
    await failedByService(run, 'Cannot provide an Error for SUCCEEDED status.')
  })

  row('06-6.3-failed-result', async () => {
    await using run = await server.execution()
    run.invocation.respond({ Status: 'FAILED', Result: '1' })
    await failedByService(run, 'Cannot provide a Result for FAILED status.')
  })

  for (const [mode, bytes] of [
    ['sync', 6_291_456],
    ['async', 1_048_576],
  ] as const) {
    row('06-6.3-too-large', mode, async () => {
      await using run = await server.execution({ mode })
      run.invocation.respond({ Status: 'SUCCEEDED', Result: 'x'.repeat(bytes + 1) })
      await failedByService(run, `Execution output payload size must be less than or equal to ${bytes} bytes.`)
      await using largest = await server.execution({ mode })
      assert.equal((await largest.succeed('x'.repeat(bytes))).Status, 'SUCCEEDED')
    })
  }

  row('06-6.3-runtime-error', async () => {
    await using run = await server.execution()
    run.invocation.throw('Oops', 'thrown')
    const { InvocationCompletedDetails } = await run.invocationRecorded()
    assert.ok(InvocationCompletedDetails?.['Error'])
    assert.equal((await run.describe()).Status, 'RUNNING')
    await server.advance(1000)
    await run.resumed()
    assert.equal((await run.succeed('1')).Status, 'SUCCEEDED')
    assert.deepEqual(await run.timeline(), ['InvocationCompleted', 'InvocationCompleted', 'ExecutionSucceeded'])
  })

  const endings: readonly (readonly [string, (run: Execution) => void])[] = [
    ['SUCCEEDED', (run) => run.invocation.respond({ Status: 'SUCCEEDED', Result: '"other"' })],
    ['FAILED', (run) => run.invocation.respond({ Status: 'FAILED', Error: boom })],
    ['PENDING', (run) => run.invocation.respond({ Status: 'PENDING' })],
    ['nonsense', (run) => run.invocation.respond('nonsense')],
    ['a thrown error', (run) => run.invocation.throw('Oops', 'thrown')],
    ['a crash', (run) => run.invocation.exit(1)],
  ]
  for (const [variation, end] of endings) {
    row('06-6.3-update-wins', variation, async () => {
      await using run = await server.execution()
      await run.checkpoint([execution.succeed('"mine"')])
      end(run)
      const described = await run.closed()
      assert.equal(described.Status, 'SUCCEEDED')
      assert.equal(described.Result, '"mine"')
      assert.deepEqual(await run.timeline(), ['InvocationCompleted', 'ExecutionSucceeded'])
    })
  }
})

tables('retry of failed invocations (06 §6.4)', (server) => {
  /** Fails invocation after invocation; the next has to come after each delay, to the millisecond. */
  async function failsAndReturnsAfter(run: Execution, ...delaysSeconds: readonly number[]): Promise<void> {
    const expected = [server.nowMs]
    const earlier = (await run.invocationStarts()).length
    for (const seconds of delaysSeconds) {
      run.invocation.throw('Oops', 'thrown')
      await run.invocationRecorded()
      // In two moves: were the next invocation early, it would begin at the first.
      await server.advance(seconds * 1000 - 1)
      await server.advance(1)
      expected.push(server.nowMs)
      await run.resumed()
    }
    assert.deepEqual((await run.invocationStarts()).slice(earlier), expected.slice(0, -1))
    assert.equal(server.puppets.count(run.name), earlier + expected.length)
  }

  row('06-6.4-back-off', async () => {
    await using run = await server.execution()
    await failsAndReturnsAfter(run, 1, 2, 4, 8, 16, 32, 60, 60, 60)
  })

  row('06-6.4-reset', async () => {
    await using run = await server.execution()
    await failsAndReturnsAfter(run, 1, 2, 4)
    await run.checkpoint([wait.start('w1', 5)])
    await run.resumedAfter(5)
    await failsAndReturnsAfter(run, 1, 2)
  })

  row('06-6.4-each', async () => {
    await using run = await server.execution()
    const requestIds = [run.invocation.requestId]
    for (const seconds of [1, 2]) {
      await run.failedAndRetried(seconds)
      requestIds.push(run.invocation.requestId)
    }
    await run.succeed('1')
    const completed = (await run.events()).filter(({ EventType }) => EventType === 'InvocationCompleted')
    assert.deepEqual(
      completed.map(({ InvocationCompletedDetails }) => InvocationCompletedDetails?.['RequestId']),
      requestIds,
    )
    assert.deepEqual(
      completed.map(({ InvocationCompletedDetails }) => 'Error' in (InvocationCompletedDetails ?? {})),
      [true, true, false],
    )
  })

  row('06-6.4-thrown', async () => {
    await using run = await server.execution()
    run.invocation.throw('Oops', 'thrown by the handler')
    await run.invocationRecorded()
    const { Error: told } = await run.details('InvocationCompleted')
    const { Payload } = told as { Payload: { StackTrace?: readonly string[] } }
    assert.partialDeepStrictEqual(Payload, { ErrorType: 'Oops', ErrorMessage: 'thrown by the handler' })
    assert.ok((Payload.StackTrace?.length ?? 0) > 0)
  })

  row('06-6.4-exit', async () => {
    await using run = await server.execution()
    run.invocation.exit(3)
    const { InvocationCompletedDetails } = await run.invocationRecorded()
    assert.deepEqual(InvocationCompletedDetails?.['Error'], {
      Payload: {
        ErrorType: 'Runtime.ExitError',
        ErrorMessage: `RequestId: ${run.invocation.requestId} Error: Runtime exited with error: exit status 3`,
      },
      Truncated: false,
    })
  })
})

tables(
  'giving up (06 §6.4)',
  (server) => {
    row('06-6.4-give-up', async () => {
      await using run = await server.execution()
      const began = server.nowMs
      for (const delay of [1, 2, 4, 8]) {
        run.invocation.throw('Oops', `at ${server.nowMs - began} ms`)
        await run.invocationRecorded()
        assert.equal((await run.describe()).Status, 'RUNNING')
        await server.advance(delay * 1000)
        await run.resumed()
      }
      run.invocation.throw('Oops', 'the last')
      const described = await run.closed()
      assert.equal(described.Status, 'FAILED')
      assert.partialDeepStrictEqual(described.Error, { ErrorType: 'Oops', ErrorMessage: 'the last' })
      assert.equal((await run.timeline()).at(-1), 'ExecutionFailed')
    })
  },
  { limits: { invocationRetryGiveUpMs: 10_000 } },
)

tables('triggers (06 §6.5)', (server) => {
  row('06-6.5-one', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5), step.retry('s1', 5), callback.start('k1', { TimeoutSeconds: 5 })])
    await server.advance(60_000)
    assert.equal(server.puppets.count(run.name), 1)
    await run.suspend()
    await run.resumed()
    assert.deepEqual(run.invocation.event.UpdatedOperationIds.toSorted(), ['k1', 's1', 'w1'])
    await run.succeed()
    assert.equal(server.puppets.count(run.name), 2)
    assert.equal((await run.invocationStarts()).length, 2)
  })

  row('06-6.5-merged', async () => {
    await using run = await server.execution()
    await run.checkpoint([
      wait.start('w1', 5),
      wait.start('w2', 5),
      step.retry('s1', 5),
      callback.start('k1', { TimeoutSeconds: 5 }),
      wait.start('w3', 6),
    ])
    await run.resumedAfter(5)
    assert.deepEqual(run.invocation.event.UpdatedOperationIds.toSorted(), ['k1', 's1', 'w1', 'w2'])
    assert.deepEqual(
      run.initialOperations.map(({ Status }) => Status),
      ['STARTED', 'SUCCEEDED', 'SUCCEEDED', 'READY', 'TIMED_OUT', 'STARTED'],
    )
  })

  row('06-6.5-each', async () => {
    await using run = await server.execution()
    await run.checkpoint([callback.start('k1'), callback.start('k2'), wait.start('w1', 5)])
    const first = await callbackId(run, 'k1')
    const second = await callbackId(run, 'k2')
    await run.suspend()
    await server.advance(1000)
    await server.callbackAccepted(second, 'succeed', '2')
    await run.resumed()
    assert.deepEqual(run.invocation.event.UpdatedOperationIds, ['k2'])
    await run.suspend()
    await server.advance(1000)
    await server.callbackAccepted(first, 'fail', '{}')
    await run.resumed()
    assert.deepEqual(run.invocation.event.UpdatedOperationIds, ['k1'])
    await run.resumedAfter(3)
    assert.deepEqual(run.invocation.event.UpdatedOperationIds, ['w1'])
    assert.deepEqual((await run.timeline()).slice(3), [
      'InvocationCompleted',
      'CallbackSucceeded k2',
      'InvocationCompleted',
      'CallbackFailed k1',
      'InvocationCompleted',
      'WaitSucceeded w1',
    ])
  })

  row('06-6.5-before', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5)])
    await run.resumedAfter(5)
    await run.checkpoint([step.start('s1')])
    assert.deepEqual(await run.timeline(), [
      'WaitStarted w1',
      'InvocationCompleted',
      'WaitSucceeded w1',
      'StepStarted s1',
    ])
  })

  row('06-6.5-inbox', 'at the next checkpoint, in order of arrival, before its updates', async () => {
    await using run = await server.execution()
    await run.checkpoint([callback.start('k1'), callback.start('k2')])
    await server.callbackAccepted(await callbackId(run, 'k2'), 'succeed', '2')
    await server.callbackAccepted(await callbackId(run, 'k1'), 'succeed', '1')
    assert.deepEqual(await run.timeline(), ['CallbackStarted k1', 'CallbackStarted k2'])
    assert.equal((await run.operation('k1')).Status, 'STARTED')
    await run.checkpoint([step.start('s1')])
    assert.deepEqual((await run.timeline()).slice(2), [
      'CallbackSucceeded k2',
      'CallbackSucceeded k1',
      'StepStarted s1',
    ])
  })

  row('06-6.5-inbox', 'at the end of the invocation, after InvocationCompleted', async () => {
    await using run = await server.execution()
    await run.checkpoint([callback.start('k1'), wait.start('w1', 5)])
    await server.callbackAccepted(await callbackId(run, 'k1'), 'succeed', '1')
    await server.advance(5000)
    await run.suspend()
    await run.resumed()
    assert.deepEqual((await run.timeline()).slice(2).toSorted(), [
      'CallbackSucceeded k1',
      'InvocationCompleted',
      'WaitSucceeded w1',
    ])
    assert.equal((await run.timeline())[2], 'InvocationCompleted')
    assert.deepEqual(run.invocation.event.UpdatedOperationIds.toSorted(), ['k1', 'w1'])
  })

  row('06-6.5-inbox', 'a refused checkpoint records nothing of it', async () => {
    await using run = await server.execution()
    await run.checkpoint([callback.start('k1')])
    await server.callbackAccepted(await callbackId(run, 'k1'), 'succeed', '1')
    await run.refused([step.start('s1', { ParentId: 'nobody' })], 'Invalid parent operation id.')
    assert.deepEqual(await run.timeline(), ['CallbackStarted k1', 'CallbackSucceeded k1'])
  })

  row('06-6.5-delivered', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5), wait.start('w2', 50)])
    await server.advance(5000)
    assert.deepEqual(idsOf((await run.checkpoint([])).NewExecutionState.Operations), ['w1'])
    // The next answer carries nothing new, so the function has surely read the one before.
    await run.checkpoint([])
    await run.suspend()
    assert.equal((await run.timeline()).at(-1), 'InvocationCompleted')
    await server.advance(45_000)
    await run.resumed()
    assert.deepEqual(run.invocation.event.UpdatedOperationIds, ['w2'])
  })
})

tables('the end of an execution (06 §6.6)', (server) => {
  row('06-6.6-history', async () => {
    await using run = await server.execution({ mode: 'sync' })
    await run.checkpoint([step.start('s1'), step.succeed('s1', '1')])
    run.invocation.respond({ Status: 'SUCCEEDED', Result: '"done"' })
    const answer = await run.invokeAnswer()
    assert.equal(answer.status, 200)
    assert.equal(answer.text, '"done"')
    assert.deepEqual(await run.timeline(), [
      'StepStarted s1',
      'StepSucceeded s1',
      'InvocationCompleted',
      'ExecutionSucceeded',
    ])
  })

  for (const variation of ['stop', 'timeout'] as const) {
    row('06-6.6-terminal-last', variation, async () => {
      await using run = await server.execution({ function: 'brief' })
      if (variation === 'stop') await run.stop(boom)
      else await server.advance(60_000)
      await run.closed()
      const terminal = variation === 'stop' ? 'ExecutionStopped' : 'ExecutionTimedOut'
      assert.deepEqual(await run.timeline(), [terminal])
      run.invocation.respond({ Status: 'SUCCEEDED', Result: '1' })
      await run.invocationOver()
      assert.deepEqual(await run.timeline(), [terminal])
    })
  }
})
