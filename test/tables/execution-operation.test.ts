/** Spec 04 §4.7: the EXECUTION operation and the updates that close an execution. */
import assert from 'node:assert/strict'
import { inMs, only } from './execution.ts'
import { row, tables } from './harness.ts'
import { bare, boom, execution, step } from './updates.ts'

tables('EXECUTION (04 §4.7)', (server) => {
  row('04-4.7-created', async () => {
    await using run = await server.execution({ input: '{ "k": [1, "é"] }' })
    const expected = {
      Id: run.id,
      Type: 'EXECUTION',
      Status: 'STARTED',
      Name: run.name,
      StartTimestamp: server.nowMs,
      ExecutionDetails: { InputPayload: '{ "k": [1, "é"] }' },
    }
    assert.deepEqual(run.initialOperations, [expected])
    await run.checkpoint([step.start('s1')])
    const [first, second] = await run.operations()
    assert.ok(first)
    assert.deepEqual(inMs(first), expected)
    assert.equal(second?.Id, 's1')
    await run.checkpoint([step.retry('s1', 5)])
    await run.resumedAfter(5)
    assert.deepEqual(run.initialOperations[0], expected)
  })

  row('04-4.7-id', async () => {
    await using run = await server.execution()
    assert.equal(only(run.initialOperations, run.id).Type, 'EXECUTION')
    const [started] = await run.events()
    assert.equal(started?.Id, run.id)
    assert.equal(started?.Name, run.name)
  })

  for (const [variation, result] of [
    ['with Payload', '{"ok":true}'],
    ['without Payload', undefined],
    ['with an empty Payload', ''],
  ] as const) {
    row('04-4.7-SUCCEED', variation, async () => {
      await using run = await server.execution()
      await run.checkpoint([execution.succeed(result)])
      const described = await run.succeed('"ignored"')
      assert.equal(described.Status, 'SUCCEEDED')
      assert.equal(described.Result, result)
      assert.deepEqual(await run.details('ExecutionSucceeded'), {
        Result: result === undefined ? { Truncated: false } : { Payload: result, Truncated: false },
      })
    })
  }

  row('04-4.7-SUCCEED-error', async () => {
    await using run = await server.execution()
    await run.refused([execution.succeed('1', { Error: boom })], 'Cannot provide an Error for SUCCEED action.')
  })

  for (const [variation, error] of [
    ['with Error', boom],
    ['without Error', undefined],
  ] as const) {
    row('04-4.7-FAIL', variation, async () => {
      await using run = await server.execution()
      await run.checkpoint([execution.fail(error)])
      const described = await run.fail({ ErrorType: 'Ignored' })
      assert.equal(described.Status, 'FAILED')
      assert.deepEqual(described.Error ?? {}, error ?? {})
      const { Error: told } = (await run.details('ExecutionFailed')) as { Error?: { Payload?: object } }
      assert.deepEqual(told?.Payload ?? {}, error ?? {})
    })
  }

  row('04-4.7-FAIL-payload', async () => {
    await using run = await server.execution()
    await run.refused([execution.fail(boom, { Payload: '1' })], 'Cannot provide a Payload for FAIL action.')
  })

  for (const action of ['START', 'RETRY', 'CANCEL']) {
    // The permitted actions (04 §4.5) are checked first, so theirs is the text that a client sees.
    row('04-4.7-other', action, async () => {
      await using run = await server.execution()
      await run.refused([bare('EXECUTION', action, run.id)], 'Invalid action for the given operation type.')
    })
  }

  for (const variation of ['a fresh id', 'its own id', 'the id of a step'] as const) {
    row('04-4.7-any-id', variation, async () => {
      await using run = await server.execution()
      await run.checkpoint([step.start('s1')])
      const id = { 'a fresh id': 'execution-result-1764547200123', 'its own id': run.id, 'the id of a step': 's1' }[
        variation
      ]
      await run.checkpoint([execution.succeed('"done"', { Id: id })])
      assert.equal((await run.succeed('')).Result, '"done"')
    })
  }

  for (const [variation, update, terminal] of [
    ['SUCCEED', execution.succeed('1'), 'ExecutionSucceeded'],
    ['FAIL', execution.fail(boom), 'ExecutionFailed'],
  ] as const) {
    row('04-4.7-event-deferred', variation, async () => {
      await using run = await server.execution()
      await run.checkpoint([step.start('s1'), update])
      assert.deepEqual(await run.timeline(), ['StepStarted s1'])
      assert.equal((await run.describe()).Status, 'RUNNING')
      run.invocation.respond({ Status: 'SUCCEEDED', Result: '' })
      await run.closed()
      assert.deepEqual(await run.timeline(), ['StepStarted s1', 'InvocationCompleted', terminal])
    })

    row('04-4.7-token', variation, async () => {
      await using run = await server.execution()
      const before = run.token
      const answer = await run.checkpoint([update])
      assert.ok(!('CheckpointToken' in answer))
      assert.deepEqual(answer.NewExecutionState.Operations, [])
      await run.staleToken({ token: before, updates: [] })
      await run.staleToken({ token: before, updates: [step.start('s1')] })
      run.invocation.respond({ Status: 'SUCCEEDED', Result: '' })
      await run.closed()
      await run.staleToken({ token: before, updates: [step.start('s1')] })
      assert.deepEqual(await run.timeline(), ['InvocationCompleted', terminal])
    })
  }
})
