/** What becomes of the executions of a function that is deleted (spec 06 §6.4 "Function gone", decision 34). */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openCall } from './open-call.ts'
import type { ScriptedFunctions } from './scripted-functions.ts'
import { callback, invoke, stepDone, wait } from './updates.ts'
import { World } from './world.ts'

const GONE = {
  ErrorType: 'ResourceNotFoundException',
  ErrorMessage: 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST',
}

/** Waits for a day, once. */
const sleeping = (functions: ScriptedFunctions, generation: number): ScriptedFunctions =>
  functions.durable(
    'f',
    async (call) => {
      if (call.statusOf('w') === 'SUCCEEDED') return { Status: 'SUCCEEDED', Result: `"generation ${generation}"` }
      await call.checkpoint([wait('w', 86_400)])
      return { Status: 'PENDING' }
    },
    { generation, config: { ExecutionTimeout: 1_000_000 } },
  )

const DAY_MS = 86_400_000

describe('when its function is deleted', () => {
  it('a suspended execution fails at the time when it needs an invocation, and not before', async () => {
    const world = await World.open()
    sleeping(world.functions, 1)
    const started = await world.start('f')
    await world.settle()
    world.functions.delete('f')
    await world.clock.advance(DAY_MS - 1)
    assert.equal((await world.describe(started)).Status, 'RUNNING')
    await world.clock.advance(1)
    assert.deepEqual(await world.end(started), { status: 'FAILED', error: GONE })
    assert.deepEqual(await world.events(started), [
      'ExecutionStarted',
      'WaitStarted',
      'InvocationCompleted',
      'WaitSucceeded',
      'ExecutionFailed',
    ])
    assert.deepEqual(world.service.holds, [])
  })

  it('a running invocation may finish, and its checkpoints are accepted', async () => {
    const world = await World.open()
    const { call, end, started } = await openCall(world, 'f', { generation: 1 })
    world.functions.delete('f')
    await call.checkpoint(stepDone('s'))
    await end({ Status: 'SUCCEEDED', Result: '"in time"' })
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED', result: '"in time"' })
  })

  it('executions that wait for a process fail at once, however many there are', async () => {
    const world = await World.open()
    const { end, started: running } = await openCall(world, 'f', { generation: 1, concurrency: 1 })
    const waiting = []
    for (let n = 0; n < 50; n++) waiting.push(await world.start('f'))
    world.functions.delete('f')
    await end({ Status: 'SUCCEEDED' })
    for (const started of waiting) {
      assert.deepEqual(await world.end(started), { status: 'FAILED', error: GONE })
    }
    assert.equal((await world.describe(running)).Status, 'SUCCEEDED')
    assert.equal(world.functions.invocationsOf('f'), 1)
  })

  it('its executions do not go on with the function that is created under its name', async () => {
    const world = await World.open()
    sleeping(world.functions, 1)
    const old = await world.start('f')
    await world.settle()
    world.functions.delete('f')
    sleeping(world.functions, 2)
    const fresh = await world.start('f')
    await world.clock.advance(DAY_MS)
    assert.deepEqual(await world.end(old), { status: 'FAILED', error: GONE })
    assert.deepEqual(await world.end(fresh), { status: 'SUCCEEDED', result: '"generation 2"' })
  })

  it('a crash in between changes nothing: what ran or was due fails after it', async () => {
    const world = await World.open()
    const { call, started: running } = await openCall(world, 'f', { generation: 1, concurrency: 1 })
    await call.checkpoint([callback('c')])
    const due = await world.start('f')
    world.functions.delete('f')
    const next = await world.crash()
    for (const started of [running, due]) {
      assert.deepEqual(await next.end(started), { status: 'FAILED', error: GONE })
    }
    assert.deepEqual(await next.events(running), [
      'ExecutionStarted',
      'CallbackStarted',
      'InvocationCompleted',
      'ExecutionFailed',
    ])
    assert.deepEqual(await next.events(due), ['ExecutionStarted', 'ExecutionFailed'])
  })

  it('nor when that happens while it is being looked at', async () => {
    // It has to be read again, which fails at first.
    const world = await World.open({ cacheBytes: 0 })
    world.functions.durable('f', async () => ({ Status: 'SUCCEEDED' }), { generation: 1, concurrency: 0 })
    const started = await world.start('f')
    await world.settle()
    world.store.failReads(1)
    sleeping(world.functions, 1)
    await world.settle()
    world.functions.delete('f')
    sleeping(world.functions, 2)
    await world.clock.advance(1_000)
    assert.equal(world.functions.invocationsOf('f'), 0)
    assert.equal((await world.describe(started)).Status, 'FAILED')
  })

  it('an execution that was started on a declared function of the name is held, and goes on when it is back', async () => {
    const world = await World.open()
    sleeping(world.functions, 1)
    world.functions.delete('f')
    world.functions.durable('f', async () => ({ Status: 'SUCCEEDED' }), { concurrency: 0 })
    const started = await world.start('f')
    world.functions.remove('f')
    await world.settle()
    assert.equal((await world.describe(started)).Status, 'RUNNING')
    assert.deepEqual(world.service.holds, [{ functionName: 'f', version: '$LATEST', jobs: 1 }])
    world.functions.plain('another', async () => '1')
    await world.settle()
    assert.deepEqual(world.service.holds, [{ functionName: 'f', version: '$LATEST', jobs: 1 }])
    const told = world.log.filter(({ message }) => message.includes('function f:'))
    assert.deepEqual(
      told.map(({ message }) => message),
      ['Holding work for the durable function f:$LATEST: there is no such function'],
      'what is held is said once, whatever else changes',
    )
    world.functions.durable('f', async () => ({ Status: 'SUCCEEDED', Result: '"back"' }))
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED', result: '"back"' })
    assert.deepEqual(world.service.holds, [])
  })

  it('what is owed to a plain function ends with it, and not what is owed to a declared one of its name', async () => {
    const world = await World.open()
    const enqueue = (payload: string) =>
      world.service.enqueuePlain({ target: world.functions.target('g'), qualifier: '$LATEST', payload })
    const ran: string[] = []
    const g = (options: { concurrency?: number; generation?: number }) =>
      world.functions.plain('g', async (event) => `${ran.push(event)}`, options)
    g({ concurrency: 0, generation: 1 })
    await enqueue('"to the first"')
    world.functions.delete('g')
    g({ generation: 2 })
    await enqueue('"to the second"')
    await world.settle()
    assert.deepEqual(ran, ['"to the second"'], 'another function has the name')
    world.functions.delete('g')

    g({ concurrency: 0 })
    await enqueue('"to the declared"')
    world.functions.remove('g')
    await world.settle()
    assert.deepEqual(world.service.holds, [{ functionName: 'g', version: '$LATEST', jobs: 1 }])
    g({})
    await world.settle()
    assert.deepEqual(ran, ['"to the second"', '"to the declared"'])
  })

  it('a parent that waits for it is told so: a durable child, a plain one, and one that was not started yet', async () => {
    const world = await World.open()
    sleeping(world.functions, 1)
    world.functions.plain('g', async () => '1', { concurrency: 0, generation: 1 })
    const { call, end, started } = await openCall(world, 'parent', { config: { ExecutionTimeout: 1_000_000 } })
    world.functions.durable('h', async () => ({ Status: 'SUCCEEDED' }), { generation: 1 })
    const accepted = call.checkpoint([invoke('child', 'f:$LATEST'), invoke('plain', 'g'), invoke('late', 'h:$LATEST')])
    // Its target was found, and is gone before the duty to start it is delivered.
    world.functions.delete('h')
    await accepted
    await end({ Status: 'PENDING' })
    world.functions.durable('parent', async (again) => ({
      Status: again.operations.slice(1).some(({ Status }) => Status === 'STARTED') ? 'PENDING' : 'SUCCEEDED',
      Result: JSON.stringify(again.operations.slice(1).map(({ ChainedInvokeDetails }) => ChainedInvokeDetails?.Error)),
    }))
    world.functions.delete('f')
    world.functions.delete('g')
    await world.clock.advance(DAY_MS)
    const end2 = await world.end(started)
    assert.equal(end2.status, 'SUCCEEDED')
    const errors = JSON.parse(end2.result ?? '[]') as { ErrorType: string }[]
    assert.deepEqual(
      errors.map(({ ErrorType }) => ErrorType),
      Array(3).fill('ResourceNotFoundException'),
    )
  })
})
