import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FunctionError } from './scripted-functions.ts'
import { stepDone, wait } from './updates.ts'
import { START_MS, World } from './world.ts'

describe('invocations', () => {
  it('run a function that succeeds at once', async () => {
    const world = await World.open()
    world.functions.durable('hello', async (call) => {
      assert.equal(call.operations.length, 1)
      return { Status: 'SUCCEEDED', Result: call.operations[0]?.ExecutionDetails?.InputPayload ?? 'none' }
    })
    const started = await world.start('hello', { input: '{"a":1}' })
    const end = await world.end(started)
    assert.deepEqual(end, { status: 'SUCCEEDED', result: '{"a":1}' })
    assert.deepEqual(await world.events(started), ['ExecutionStarted', 'InvocationCompleted', 'ExecutionSucceeded'])
  })

  it('hand over the event of the protocol', async () => {
    const world = await World.open()
    world.functions.durable('f', async () => ({ Status: 'SUCCEEDED' }))
    const started = await world.start('f', { name: 'n1', traceHeader: 'Root=1-2-3', input: '"in"' })
    await world.end(started)
    const [{ request } = assert.fail('not invoked')] = world.functions.requests
    const event = JSON.parse(request.event)
    assert.match(event.CheckpointToken, /^[0-9a-f]+$/)
    assert.deepEqual(event, {
      DurableExecutionArn: started.arn,
      CheckpointToken: event.CheckpointToken,
      InitialExecutionState: {
        Operations: [
          {
            Id: started.executionId,
            Name: 'n1',
            Type: 'EXECUTION',
            StartTimestamp: START_MS,
            Status: 'STARTED',
            ExecutionDetails: { InputPayload: '"in"' },
          },
        ],
        NextMarker: '',
      },
      UpdatedOperationIds: [started.executionId],
    })
    assert.equal(request.traceHeader, 'Root=1-2-3')
    assert.equal(request.executionArn, started.arn)
  })

  it('follow each other: a wait suspends, its end invokes again', async () => {
    const world = await World.open()
    world.functions.durable('f', async (call) => {
      if (call.statusOf('w') === 'SUCCEEDED') {
        assert.deepEqual(call.event.UpdatedOperationIds, ['w'])
        return { Status: 'SUCCEEDED', Result: '"done"' }
      }
      await call.checkpoint([...stepDone('s'), wait('w', 5)])
      return { Status: 'PENDING' }
    })
    const started = await world.start('f')
    await world.clock.advance(4_999)
    assert.equal((await world.describe(started)).Status, 'RUNNING')
    await world.clock.advance(1)
    assert.equal((await world.describe(started)).Status, 'SUCCEEDED')
    assert.deepEqual(await world.events(started), [
      'ExecutionStarted',
      'StepStarted',
      'StepSucceeded',
      'WaitStarted',
      'InvocationCompleted',
      'WaitSucceeded',
      'InvocationCompleted',
      'ExecutionSucceeded',
    ])
  })

  it('are tried again with back-off when the function fails', async () => {
    const world = await World.open()
    let failures = 2
    world.functions.durable('f', async () => {
      if (failures-- > 0) throw new FunctionError({ ErrorType: 'Runtime.ExitError', ErrorMessage: 'exit status 1' })
      return { Status: 'SUCCEEDED' }
    })
    const started = await world.start('f')
    await world.clock.advance(0)
    assert.equal(world.functions.invocationsOf('f'), 1)
    await world.clock.advance(999)
    assert.equal(world.functions.invocationsOf('f'), 1)
    await world.clock.advance(1)
    assert.equal(world.functions.invocationsOf('f'), 2)
    await world.clock.advance(2_000)
    assert.equal(world.functions.invocationsOf('f'), 3)
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED' })
  })
})
