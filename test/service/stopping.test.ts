import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openCall, rejectsWith } from './open-call.ts'
import { ScriptedFunctions } from './scripted-functions.ts'
import { invoke, stepDone, wait } from './updates.ts'
import { World } from './world.ts'

const unavailable = rejectsWith('ServiceException')

describe('waiting for the end', () => {
  it('is answered once the end is durable, not before', async () => {
    const world = await World.open()
    const { started, end } = await openCall(world)
    let answered = false
    const waiting = world.end(started).then((answer) => {
      answered = true
      return answer
    })
    const release = world.store.hold()
    void end({ Status: 'SUCCEEDED', Result: '1' })
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
    assert.equal(answered, false)
    release()
    assert.deepEqual(await waiting, { status: 'SUCCEEDED', result: '1' })
  })

  it('is given up by the caller’s signal, and the execution goes on', async () => {
    const world = await World.open()
    const { started, end } = await openCall(world)
    const controller = new AbortController()
    const waiting = world.service.waitForEnd(started.executionId, controller.signal)
    const reason = new Error('the client went away')
    controller.abort(reason)
    await assert.rejects(waiting, reason)
    await assert.rejects(world.service.waitForEnd(started.executionId, controller.signal), reason)
    await end({ Status: 'SUCCEEDED' })
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED' })
  })

  it('is shared by all who wait, and rejected for an execution that is not there', async () => {
    const world = await World.open()
    const { started, end } = await openCall(world)
    const waiting = Promise.all([world.end(started), world.end(started), world.end(started)])
    await end({ Status: 'SUCCEEDED', Result: '7' })
    assert.equal(new Set((await waiting).map(({ result }) => result)).size, 1)
    await assert.rejects(
      world.service.waitForEnd('00000000-0000-4000-8000-000000000000', new AbortController().signal),
      rejectsWith('ResourceNotFoundException'),
    )
  })

  it('is answered even when the entry that ended the execution got lost on the way back', async () => {
    const world = await World.open()
    const { started, end } = await openCall(world)
    const waiting = world.end(started)
    world.store.failAppends('afterCommit')
    world.store.failReads(1)
    await end({ Status: 'SUCCEEDED', Result: '1' })
    await world.clock.advance(2_000)
    assert.deepEqual(await waiting, { status: 'SUCCEEDED', result: '1' })
  })
})

describe('draining', () => {
  it('refuses starts, tells waiters to try again, and lets what runs end', async () => {
    const world = await World.open()
    world.functions.plain('plain', async () => 'null')
    const { call, started, end } = await openCall(world)
    const waiting = world.end(started)
    const drained = world.service.drain(10_000)
    assert.equal(world.service.ready, false)
    await assert.rejects(waiting, unavailable)
    await assert.rejects(world.start('f'), unavailable)
    await assert.rejects(world.end(started), unavailable)
    await assert.rejects(
      world.service.enqueuePlain({ target: world.functions.target('plain'), qualifier: '$LATEST', payload: '1' }),
      unavailable,
    )
    await call.checkpoint([...stepDone('s'), wait('w', 1)])
    await end({ Status: 'PENDING' })
    await drained
    await assert.rejects(world.describe(started), unavailable)
    const next = await world.crash({
      functions: new ScriptedFunctions().durable('f', async () => ({ Status: 'SUCCEEDED' })),
    })
    await next.clock.advance(1_000)
    assert.deepEqual(await next.events(started), [
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

  it('waits for what runs no longer than the grace', async () => {
    const world = await World.open()
    const { call } = await openCall(world)
    let drained = false
    const draining = world.service.drain(5_000).then(() => {
      drained = true
    })
    await world.clock.advance(4_999)
    assert.equal(drained, false)
    await call.checkpoint(stepDone('s'))
    await world.clock.advance(1)
    await draining
    await assert.rejects(call.checkpoint(stepDone('t')), unavailable)
  })

  it('begins no invocation and delivers no duty any more; the next process does', async () => {
    const world = await World.open()
    const functions = world.functions.plain('plain', async () => '"p"')
    const { call, started, end } = await openCall(world)
    const drained = world.service.drain(10_000)
    await call.checkpoint([invoke('i', 'plain')])
    await end({ Status: 'PENDING' })
    await drained
    assert.equal(functions.invocationsOf('plain'), 0)
    const next = await world.crash({
      functions: new ScriptedFunctions()
        .plain('plain', async () => '"p"')
        .durable('f', async (again) => ({ Status: 'SUCCEEDED', Result: again.statusOf('i') ?? '' })),
    })
    assert.deepEqual(await next.end(started), { status: 'SUCCEEDED', result: 'SUCCEEDED' })
  })

  it('twice is once', async () => {
    const world = await World.open()
    await Promise.all([world.service.drain(0), world.service.drain(0)])
    await world.service.drain(0)
  })
})
