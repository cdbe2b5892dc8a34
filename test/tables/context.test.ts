/** Spec 04 §4.8: contexts, their transitions, and which of their descendants the function gets to see. */
import assert from 'node:assert/strict'
import { idsOf, inMs } from './execution.ts'
import { row, tables } from './harness.ts'
import { boom, context, step, wait } from './updates.ts'

const CLOSED = 'Invalid current CONTEXT state to close.'
const replaying = { ContextOptions: { ReplayChildren: true } }
const notReplaying = { ContextOptions: { ReplayChildren: false } }

tables('CONTEXT (04 §4.8)', (server) => {
  row('04-4.8-START', async () => {
    await using run = await server.execution()
    const started = inMs(await run.checkpointed('c1', [context.start('c1', { Name: 'outer' })]))
    assert.partialDeepStrictEqual(started, {
      Id: 'c1',
      Type: 'CONTEXT',
      SubType: 'RunInChildContext',
      Name: 'outer',
      Status: 'STARTED',
      StartTimestamp: server.nowMs,
    })
    assert.ok(!('EndTimestamp' in started))
    assert.deepEqual(await run.details('ContextStarted', 'c1'), {})
  })

  row('04-4.8-SUCCEED', async () => {
    await using run = await server.execution()
    await run.checkpoint([context.start('c1')])
    await server.advance(1500)
    const closed = inMs(await run.checkpointed('c1', [context.succeed('c1', '{"n":1}', replaying)]))
    assert.equal(closed.Status, 'SUCCEEDED')
    assert.equal(closed.EndTimestamp, server.nowMs)
    assert.equal(closed.StartTimestamp, server.nowMs - 1500)
    assert.deepEqual(closed.ContextDetails, { Result: '{"n":1}', ReplayChildren: true })
    assert.deepEqual(await run.details('ContextSucceeded', 'c1'), { Result: { Payload: '{"n":1}', Truncated: false } })
  })

  row('04-4.8-SUCCEED', 'without Payload, and with an empty one', async () => {
    await using run = await server.execution()
    await run.checkpoint([context.start('c1'), context.start('c2')])
    const none = await run.checkpointed('c1', [context.succeed('c1')])
    assert.ok(!('Result' in (none.ContextDetails ?? {})))
    assert.deepEqual(await run.details('ContextSucceeded', 'c1'), { Result: { Truncated: false } })
    const empty = await run.checkpointed('c2', [context.succeed('c2', '')])
    assert.equal(empty.ContextDetails?.Result, '')
  })

  row('04-4.8-SUCCEED-error', async () => {
    await using run = await server.execution()
    await run.checkpoint([context.start('c1')])
    await run.refused([context.succeed('c1', '1', { Error: boom })], 'Cannot provide an Error for SUCCEED action.')
  })

  row('04-4.8-FAIL', async () => {
    await using run = await server.execution()
    await run.checkpoint([context.start('c1')])
    const closed = inMs(await run.checkpointed('c1', [context.fail('c1', boom)]))
    assert.equal(closed.Status, 'FAILED')
    assert.equal(closed.EndTimestamp, server.nowMs)
    assert.deepEqual(closed.ContextDetails?.Error, boom)
    assert.ok(!('Result' in closed.ContextDetails))
    assert.deepEqual(await run.details('ContextFailed', 'c1'), { Error: { Payload: boom, Truncated: false } })
  })

  row('04-4.8-FAIL-payload', async () => {
    await using run = await server.execution()
    await run.checkpoint([context.start('c1')])
    await run.refused([context.fail('c1', boom, { Payload: '1' })], 'Cannot provide a Payload for FAIL action.')
  })

  row('04-4.8-START-existing', async () => {
    await using run = await server.execution()
    await run.checkpoint([context.start('c1'), context.succeed('c2', '1'), context.fail('c3', boom)])
    for (const id of ['c1', 'c2', 'c3']) {
      await run.refused([context.start(id)], 'Cannot start a CONTEXT that already exist.')
    }
  })

  row('04-4.8-close-closed', async () => {
    await using run = await server.execution()
    await run.checkpoint([context.succeed('c1', '1'), context.fail('c2', boom)])
    for (const id of ['c1', 'c2']) {
      await run.refused([context.succeed(id, '1')], CLOSED)
      await run.refused([context.fail(id, boom)], CLOSED)
    }
  })

  row('04-4.8-close-absent', async () => {
    await using run = await server.execution()
    await server.advance(700)
    const succeeded = inMs(await run.checkpointed('c1', [context.succeed('c1', '1')]))
    const failed = inMs(await run.checkpointed('c2', [context.fail('c2', boom)]))
    for (const closed of [succeeded, failed]) {
      assert.equal(closed.StartTimestamp, server.nowMs)
      assert.equal(closed.EndTimestamp, server.nowMs)
    }
    assert.equal(succeeded.Status, 'SUCCEEDED')
    assert.equal(failed.Status, 'FAILED')
    assert.deepEqual(await run.timeline(), ['ContextSucceeded c1', 'ContextFailed c2'])
  })

  for (const [variation, atStart, atClose, expected] of [
    ['given nowhere', {}, {}, false],
    ['given by START only', replaying, {}, true],
    ['given by the close only', {}, replaying, true],
    ['true at START, false at the close', replaying, notReplaying, false],
    ['false at START, true at the close', notReplaying, replaying, true],
  ] as const) {
    row('04-4.8-replay-children', variation, async () => {
      await using run = await server.execution()
      await run.checkpoint([context.start('c1', atStart), step.succeed('s1', '1', { ParentId: 'c1' })])
      const closed = await run.checkpointed('c1', [context.succeed('c1', '1', atClose)])
      assert.equal(closed.ContextDetails?.ReplayChildren ?? false, expected)
      assert.deepEqual(idsOf(await run.operations()), expected ? [run.id, 'c1', 's1'] : [run.id, 'c1'])
    })
  }

  /** Closes a context with a step and a wait inside, beside a root wait that resumes the execution. */
  const family = [
    context.start('c1'),
    step.succeed('s1', '1', { ParentId: 'c1' }),
    wait.start('inner', 5, { ParentId: 'c1' }),
    wait.start('outer', 5),
  ]

  row('04-4.8-hidden-event', async () => {
    await using run = await server.execution()
    await run.checkpoint(family)
    await run.checkpoint([context.succeed('c1', '1')])
    await run.resumedAfter(5)
    assert.deepEqual(idsOf(run.initialOperations), [run.id, 'c1', 'outer'])
  })

  row('04-4.8-hidden-state', async () => {
    await using run = await server.execution()
    await run.checkpoint(family)
    assert.deepEqual(idsOf(await run.operations()), [run.id, 'c1', 's1', 'inner', 'outer'])
    await run.checkpoint([context.fail('c1', boom)])
    assert.deepEqual(idsOf(await run.operations()), [run.id, 'c1', 'outer'])
  })

  row('04-4.8-hidden-new', async () => {
    await using run = await server.execution()
    await run.checkpoint(family)
    await run.checkpoint([context.succeed('c1', '1')])
    await server.advance(5000)
    const { NewExecutionState } = await run.checkpoint([])
    assert.deepEqual(idsOf(NewExecutionState.Operations), ['outer'])
  })

  row('04-4.8-hidden-history', async () => {
    await using run = await server.execution()
    await run.checkpoint(family)
    await run.checkpoint([context.succeed('c1', '1')])
    await run.resumedAfter(5)
    assert.deepEqual(await run.timeline(), [
      'ContextStarted c1',
      'StepSucceeded s1',
      'WaitStarted inner',
      'WaitStarted outer',
      'ContextSucceeded c1',
      'InvocationCompleted',
      'WaitSucceeded inner',
      'WaitSucceeded outer',
    ])
    assert.equal((await run.event('WaitSucceeded', 'inner')).ParentId, 'c1')
  })

  row('04-4.8-hidden-deep', async () => {
    await using run = await server.execution()
    await run.checkpoint([
      context.start('c1'),
      context.start('c2', { ParentId: 'c1', ...replaying }),
      context.start('c3', { ParentId: 'c2', ...replaying }),
      step.succeed('s1', '1', { ParentId: 'c3' }),
      context.succeed('c3', '1', { ParentId: 'c2' }),
      context.succeed('c2', '1', { ParentId: 'c1' }),
    ])
    assert.deepEqual(idsOf(await run.operations()), [run.id, 'c1', 'c2', 'c3', 's1'])
    await run.checkpoint([context.succeed('c1', '1')])
    assert.deepEqual(idsOf(await run.operations()), [run.id, 'c1'])
  })

  row('04-4.8-replayed', async () => {
    await using run = await server.execution()
    await run.checkpoint([
      context.start('c1', replaying),
      step.succeed('s1', '1', { ParentId: 'c1' }),
      context.start('c2', { ParentId: 'c1' }),
      step.succeed('s2', '2', { ParentId: 'c2' }),
      context.succeed('c2', '2', { ParentId: 'c1' }),
      context.succeed('c1', ''),
    ])
    assert.deepEqual(idsOf(await run.operations()), [run.id, 'c1', 's1', 'c2'])
  })
})
