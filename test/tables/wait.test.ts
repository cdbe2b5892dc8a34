/** Spec 04 §4.10: waits. */
import assert from 'node:assert/strict'
import { idsOf, inMs, only } from './execution.ts'
import { row, tables } from './harness.ts'
import { bare, boom, wait } from './updates.ts'

tables('WAIT (04 §4.10)', (server) => {
  row('04-4.10-START', async () => {
    await using run = await server.execution()
    await server.advance(321)
    const started = inMs(await run.checkpointed('w1', [wait.start('w1', 5, { Name: 'cool down' })]))
    assert.deepEqual(started, {
      Id: 'w1',
      Name: 'cool down',
      Type: 'WAIT',
      SubType: 'Wait',
      Status: 'STARTED',
      StartTimestamp: server.nowMs,
      WaitDetails: { ScheduledEndTimestamp: server.nowMs + 5000 },
    })
    const { Duration, ScheduledEndTimestamp } = await run.details('WaitStarted', 'w1')
    assert.equal(Duration, 5)
    assert.equal(Math.round(Number(ScheduledEndTimestamp) * 1000), server.nowMs + 5000)
  })

  row('04-4.10-START-options', async () => {
    await using run = await server.execution()
    const message = 'Update for WAIT operation requires WaitOptions.'
    await run.refused([wait.start('w1', 5, { WaitOptions: undefined })], message)
  })

  for (const [member, value] of [
    ['Payload', '1'],
    ['Error', boom],
  ] as const) {
    row('04-4.10-START-members', member, async () => {
      await using run = await server.execution()
      // The specification names no text for a refusal, so a START that carries one is taken as a START (as in 04 §4.11).
      const started = await run.checkpointed('w1', [wait.start('w1', 5, { [member]: value })])
      assert.deepEqual(Object.keys(started.WaitDetails ?? {}), ['ScheduledEndTimestamp'])
      assert.deepEqual(Object.keys(await run.details('WaitStarted', 'w1')), ['Duration', 'ScheduledEndTimestamp'])
    })
  }

  row('04-4.10-START-existing', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 500), wait.start('w2', 500), wait.start('w3', 1)])
    await run.checkpoint([wait.cancel('w2')])
    await server.advance(1000)
    await run.checkpoint([])
    for (const id of ['w1', 'w2', 'w3']) {
      await run.refused([wait.start(id, 5)], 'Cannot start a WAIT that already exist.')
    }
  })

  for (const [variation, error] of [
    ['without Error', undefined],
    ['with Error', boom],
  ] as const) {
    row('04-4.10-CANCEL', variation, async () => {
      await using run = await server.execution()
      await run.checkpoint([wait.start('w1', 5)])
      await server.advance(2000)
      const cancelled = inMs(await run.checkpointed('w1', [wait.cancel('w1', { Error: error })]))
      assert.equal(cancelled.Status, 'CANCELLED')
      assert.equal(cancelled.EndTimestamp, server.nowMs)
      assert.deepEqual(await run.timeline(), ['WaitStarted w1', 'WaitCancelled w1'])
      assert.deepEqual(
        await run.details('WaitCancelled', 'w1'),
        error === undefined ? {} : { Error: { Payload: error, Truncated: false } },
      )
      // Its timer is gone.
      await server.advance(10_000)
      assert.deepEqual(idsOf((await run.checkpoint([])).NewExecutionState.Operations), [])
      assert.equal((await run.operation('w1')).Status, 'CANCELLED')
    })
  }

  row('04-4.10-CANCEL-refused', async () => {
    await using run = await server.execution()
    const message = 'Cannot cancel a WAIT that does not exist or has already completed.'
    await run.refused([wait.cancel('w1')], message)
    await run.checkpoint([wait.start('w1', 1), wait.start('w2', 500)])
    await run.checkpoint([wait.cancel('w2')])
    await server.advance(1000)
    await run.checkpoint([])
    await run.refused([wait.cancel('w1')], message)
    await run.refused([wait.cancel('w2')], message)
  })

  row('04-4.10-CANCEL-refused', 'a wait that is due completes before it can be cancelled', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 1)])
    await server.advance(1000)
    await run.refused([wait.cancel('w1')], 'Cannot cancel a WAIT that does not exist or has already completed.')
  })

  for (const action of ['SUCCEED', 'FAIL', 'RETRY']) {
    // The permitted actions (04 §4.5) are checked first, so theirs is the text that a client sees.
    row('04-4.10-action', action, async () => {
      await using run = await server.execution()
      await run.checkpoint([wait.start('w1', 5)])
      await run.refused([bare('WAIT', action, 'w1')], 'Invalid action for the given operation type.')
    })
  }

  row('04-4.10-timer', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5)])
    await run.resumedAfter(5)
    assert.deepEqual(await run.timeline(), ['WaitStarted w1', 'InvocationCompleted', 'WaitSucceeded w1'])
    assert.equal((await run.details('WaitSucceeded', 'w1'))['Duration'], 5)
    assert.equal(only(run.initialOperations, 'w1').Status, 'SUCCEEDED')
    assert.deepEqual(run.invocation.event.UpdatedOperationIds, ['w1'])
  })

  row('04-4.10-scheduled', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5)])
    const scheduled = server.nowMs + 5000
    // The invocation keeps running past the due time: the wait completes at the next checkpoint.
    await server.advance(8000)
    const done = inMs(await run.checkpointed('w1', []))
    assert.equal(done.Status, 'SUCCEEDED')
    assert.deepEqual(done.WaitDetails, { ScheduledEndTimestamp: scheduled })
    assert.equal(done.EndTimestamp, server.nowMs)
    assert.equal(server.nowMs, scheduled + 3000)
  })

  row('04-4.10-never-early', 'while an invocation runs', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5)])
    await server.advance(4999)
    assert.deepEqual(idsOf((await run.checkpoint([])).NewExecutionState.Operations), [])
    assert.equal((await run.operation('w1')).Status, 'STARTED')
    await server.advance(1)
    assert.equal((await run.checkpointed('w1', [])).Status, 'SUCCEEDED')
  })

  row('04-4.10-never-early', 'while suspended', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5)])
    const due = server.nowMs + 5000
    await run.suspend()
    await server.advance(4999)
    assert.deepEqual(await run.timeline(), ['WaitStarted w1', 'InvocationCompleted'])
    await server.advance(1)
    await run.resumed()
    assert.equal(only(run.initialOperations, 'w1').EndTimestamp, due)
  })

  row('04-4.10-never-early', 'waits beyond 24.8 days', async () => {
    await using run = await server.execution({ function: 'patient' })
    const days = 60
    await run.checkpoint([wait.start('w1', days * 86_400)])
    const due = server.nowMs + days * 86_400_000
    await run.suspend()
    await server.advance((days - 1) * 86_400_000)
    assert.deepEqual(await run.timeline(), ['WaitStarted w1', 'InvocationCompleted'])
    await server.advance(86_400_000)
    await run.resumed()
    assert.equal(only(run.initialOperations, 'w1').EndTimestamp, due)
  })
})
