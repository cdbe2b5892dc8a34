import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openCall, rejectsWith } from './open-call.ts'
import { FunctionError, ScriptedFunctions } from './scripted-functions.ts'
import { callback, retryIn, stepDone, wait } from './updates.ts'
import { START_MS, World } from './world.ts'

/** What the functions do after the crash: tell which operations they see, and succeed. */
const telling = (): ScriptedFunctions =>
  new ScriptedFunctions().durable('f', async (call) => ({
    Status: 'SUCCEEDED',
    Result: call.operations
      .slice(1)
      .map(({ Id, Status }) => `${Id} ${Status}`)
      .join(', '),
  }))

describe('after a crash', () => {
  it('an execution that was started and not invoked yet is invoked', async () => {
    const world = await World.open()
    // A function that never gets a slot.
    world.functions.durable('f', async () => ({ Status: 'SUCCEEDED' }), { concurrency: 0 })
    const started = await world.start('f')
    const next = await world.crash({ functions: telling() })
    assert.deepEqual(await next.end(started), { status: 'SUCCEEDED', result: '' })
  })

  it('an invocation that ran is superseded, and what it still sends is refused', async () => {
    const world = await World.open()
    const { call, started } = await openCall(world)
    await call.checkpoint(stepDone('s'))
    const next = await world.crash({ functions: telling() })
    assert.deepEqual(await next.end(started), { status: 'SUCCEEDED', result: 's SUCCEEDED' })
    const { Events } = await next.history(started)
    assert.deepEqual(
      Events.map(({ EventType }) => EventType),
      [
        'ExecutionStarted',
        'StepStarted',
        'StepSucceeded',
        'InvocationCompleted',
        'InvocationCompleted',
        'ExecutionSucceeded',
      ],
    )
    const lost = Events[3]?.['InvocationCompletedDetails']?.['Error'] as { Payload: { ErrorType: string } }
    assert.equal(lost.Payload.ErrorType, 'Runtime.ExitError')
    const late = next.service.checkpoint({ arn: call.arn, token: call.token, updates: [] })
    await assert.rejects(late, rejectsWith('InvalidParameterValueException', 'Invalid checkpoint token'))
  })

  it('waits, retries and callbacks go on where they were', async () => {
    const world = await World.open()
    const { call, end, started } = await openCall(world)
    await call.checkpoint([{ Id: 's', Type: 'STEP', Action: 'START' }])
    await call.checkpoint([wait('w', 10), retryIn('s', 20), callback('c', { TimeoutSeconds: 30 })])
    await end({ Status: 'PENDING' })
    const functions = new ScriptedFunctions().durable('f', async (again) => ({
      Status: again.statusOf('c') === 'STARTED' ? 'PENDING' : 'SUCCEEDED',
    }))
    const next = await world.crash({ functions })
    await next.settle()
    assert.equal(functions.invocationsOf('f'), 0)
    await next.clock.advance(10_000)
    assert.equal(functions.invocationsOf('f'), 1)
    await next.clock.advance(10_000)
    assert.equal(functions.invocationsOf('f'), 2)
    await next.clock.advance(10_000)
    assert.equal((await next.describe(started)).Status, 'SUCCEEDED')
    assert.equal(functions.invocationsOf('f'), 3)
  })

  it('what came due meanwhile is done at once', async () => {
    const world = await World.open()
    const { call, end, started } = await openCall(world)
    await call.checkpoint([wait('w', 10)])
    await end({ Status: 'PENDING' })
    const next = await world.crash({ functions: telling(), nowMs: START_MS + 60_000 })
    await next.clock.advance(0)
    assert.deepEqual(await next.end(started), { status: 'SUCCEEDED', result: 'w SUCCEEDED' })
  })

  it('the back-off of a failed invocation is kept', async () => {
    const world = await World.open()
    world.functions.durable('f', async () => {
      throw new FunctionError({ ErrorType: 'Runtime.ExitError', ErrorMessage: 'exit status 1' })
    })
    const started = await world.start('f')
    await world.settle()
    const functions = telling()
    const next = await world.crash({ functions })
    await next.clock.advance(999)
    assert.equal(functions.invocationsOf('f'), 0)
    await next.clock.advance(1)
    assert.equal((await next.describe(started)).Status, 'SUCCEEDED')
  })

  it('a completion that arrived during the lost invocation is delivered', async () => {
    const world = await World.open()
    const { call, started } = await openCall(world)
    const { NewExecutionState } = await call.checkpoint([callback('c')])
    const callbackId = NewExecutionState.Operations[0]?.CallbackDetails?.CallbackId ?? ''
    await world.service.completeCallback({ callbackId, outcome: 'SUCCEEDED', result: 'yes' })
    const next = await world.crash({ functions: telling() })
    assert.deepEqual(await next.end(started), { status: 'SUCCEEDED', result: 'c SUCCEEDED' })
    await assert.rejects(
      next.service.completeCallback({ callbackId, outcome: 'SUCCEEDED', result: 'again' }),
      rejectsWith('CallbackTimeoutException'),
    )
  })

  it('an outcome that the lost invocation had checkpointed ends the execution', async () => {
    const world = await World.open()
    const { call, started } = await openCall(world)
    await call.checkpoint([{ Id: 'x', Type: 'EXECUTION', Action: 'SUCCEED', Payload: '"kept"' }])
    const next = await world.crash({ functions: telling() })
    assert.deepEqual(await next.end(started), { status: 'SUCCEEDED', result: '"kept"' })
    assert.equal(next.functions.invocationsOf('f'), 0)
  })

  it('the execution timeout still counts from the start', async () => {
    const world = await World.open()
    const config = { ExecutionTimeout: 60 }
    const { started } = await openCall(world, 'f', { config })
    const next = await world.crash({ functions: new ScriptedFunctions() })
    await next.clock.advance(59_999)
    assert.equal((await next.describe(started)).Status, 'RUNNING')
    await next.clock.advance(1)
    assert.equal((await next.describe(started)).Status, 'TIMED_OUT')
  })

  it('closed executions are left alone', async () => {
    const world = await World.open()
    world.functions.durable('f', async () => ({ Status: 'SUCCEEDED', Result: '1' }))
    const started = await world.start('f')
    await world.end(started)
    const functions = telling()
    const next = await world.crash({ functions })
    await next.clock.advance(1_000_000)
    assert.equal(functions.invocationsOf('f'), 0)
    assert.deepEqual(await next.end(started), { status: 'SUCCEEDED', result: '1' })
  })

  it('an entry in flight is there as a whole or not at all', async () => {
    for (const fault of ['dieBeforeCommit', 'dieAfterCommit'] as const) {
      const world = await World.open()
      const { call, started } = await openCall(world)
      world.store.failAppends(fault)
      void call.checkpoint([...stepDone('s'), wait('w', 5)])
      await new Promise(setImmediate)
      await new Promise(setImmediate)
      const next = await world.crash({ functions: new ScriptedFunctions() })
      const events = await next.events(started)
      const expected =
        fault === 'dieBeforeCommit'
          ? ['ExecutionStarted']
          : ['ExecutionStarted', 'StepStarted', 'StepSucceeded', 'WaitStarted']
      assert.deepEqual(events, expected)
    }
  })

  it('thousands of open executions are taken up page by page, whatever their state', async () => {
    const world = await World.open()
    world.functions.durable('f', async (call) => {
      if (call.statusOf('w') !== undefined) return { Status: 'SUCCEEDED' }
      await call.checkpoint([wait('w', 60)])
      return { Status: 'PENDING' }
    })
    const all = await Promise.all(Array.from({ length: 1_200 }, () => world.start('f')))
    await world.settle()
    const next = await world.crash({ cacheBytes: 100_000 })
    await next.clock.advance(60_000)
    for (const started of all) assert.equal((await next.describe(started)).Status, 'SUCCEEDED')
  })
})

describe('a function that is not declared', () => {
  it('holds its executions visibly until it is', async () => {
    const world = await World.open()
    const { started, call } = await openCall(world)
    await call.checkpoint(stepDone('s'))
    const functions = new ScriptedFunctions()
    const next = await world.crash({ functions })
    await next.clock.advance(120_000)
    assert.deepEqual(next.service.holds, [{ functionName: 'f', version: '$LATEST', jobs: 1 }])
    assert.match(next.log.find(({ level }) => level === 'warn')?.message ?? '', /Holding work .* f:\$LATEST/)
    assert.equal((await next.describe(started)).Status, 'RUNNING')
    functions.durable('f', async (again) => ({ Status: 'SUCCEEDED', Result: again.statusOf('s') ?? '' }))
    assert.deepEqual(await next.end(started), { status: 'SUCCEEDED', result: 'SUCCEEDED' })
    assert.deepEqual(next.service.holds, [])
  })

  it('holds them also when it is no longer durable', async () => {
    const world = await World.open()
    await openCall(world)
    const functions = new ScriptedFunctions().plain('f', async () => '"what is this event?"')
    const next = await world.crash({ functions })
    await next.settle()
    assert.equal(next.service.holds.length, 1)
    assert.equal(functions.requests.length, 0)
  })

  it('delays nobody else', async () => {
    const world = await World.open()
    await openCall(world, 'gone')
    const functions = telling()
    const next = await world.crash({ functions })
    const other = await next.start('f')
    assert.deepEqual(await next.end(other), { status: 'SUCCEEDED', result: '' })
  })
})
