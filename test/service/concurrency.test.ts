import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MemoryStore } from '../../src/journal/memory/memory-store.ts'
import type { ErrorObject, HistoryEvent } from '../../src/protocol/shapes.ts'
import { openCall } from './open-call.ts'
import { FunctionError, ScriptedFunctions } from './scripted-functions.ts'
import { callback, invoke, stepDone, wait } from './updates.ts'
import { World } from './world.ts'

describe('concurrency', () => {
  it('is not kept by executions that cannot be read', async () => {
    const disk = new MemoryStore()
    const damaged = new Set<string>()
    disk.findById = async (id) => {
      if (damaged.has(id)) throw new Error('the row is damaged')
      return MemoryStore.prototype.findById.call(disk, id)
    }
    const world = await World.open({ store: disk })
    world.functions.durable('f', async () => ({ Status: 'SUCCEEDED' }), { concurrency: 0 })
    for (let n = 0; n < 3; n++) damaged.add((await world.start('f')).executionId)
    const sound = await world.start('f')
    const functions = new ScriptedFunctions().durable('f', async () => ({ Status: 'SUCCEEDED' }), { concurrency: 2 })
    const next = await world.crash({ functions })
    assert.deepEqual(await next.end(sound), { status: 'SUCCEEDED' })
    const [mended = ''] = damaged
    damaged.delete(mended)
    await next.clock.advance(120_000)
    assert.equal(functions.invocationsOf('f'), 2, 'what can be read again goes on by itself')
  })

  it('is bounded per function, and one function waits for no other', async () => {
    const world = await World.open()
    const open: (() => void)[] = []
    world.functions.durable(
      'narrow',
      async () => {
        await new Promise<void>((resolve) => open.push(resolve))
        return { Status: 'SUCCEEDED' }
      },
      { concurrency: 3 },
    )
    world.functions.durable('wide', async () => ({ Status: 'SUCCEEDED', Result: '1' }))
    const narrow = await Promise.all(Array.from({ length: 10 }, () => world.start('narrow')))
    await world.settle()
    assert.equal(open.length, 3)
    assert.deepEqual(await world.end(await world.start('wide')), { status: 'SUCCEEDED', result: '1' })
    while (open.length > 0) {
      open.shift()?.()
      await world.settle()
      assert.ok(open.length <= 3)
    }
    for (const started of narrow) assert.equal((await world.describe(started)).Status, 'SUCCEEDED')
    assert.equal(world.functions.peak.get('narrow'), 3)
  })

  it('is first come, first served', async () => {
    const world = await World.open()
    world.functions.durable('f', async (call) => ({ Status: 'SUCCEEDED', Result: call.arn.name }), { concurrency: 1 })
    for (const name of ['a', 'b', 'c', 'd']) await world.start('f', { name })
    await world.settle()
    const order = world.functions.requests.map(({ request }) => request.executionArn?.split('/').at(-2))
    assert.deepEqual(order, ['a', 'b', 'c', 'd'])
  })

  it('counts no suspended execution', async () => {
    const world = await World.open()
    world.functions.durable(
      'f',
      async (call) => {
        if (call.statusOf('w') !== undefined) return { Status: 'SUCCEEDED' }
        await call.checkpoint([wait('w', 60)])
        return { Status: 'PENDING' }
      },
      { concurrency: 1 },
    )
    await Promise.all(Array.from({ length: 20 }, () => world.start('f')))
    await world.settle()
    assert.equal(world.functions.invocationsOf('f'), 20)
  })

  it('never runs two invocations of an execution', async () => {
    const world = await World.open()
    let running = 0
    let most = 0
    world.functions.durable('f', async (call) => {
      running += 1
      most = Math.max(most, running)
      const round = call.operations.filter(({ Type }) => Type === 'CALLBACK').length
      if (round < 5) {
        const { NewExecutionState } = await call.checkpoint([callback(`c${round}`), callback(`d${round}`)])
        for (const { CallbackDetails } of NewExecutionState.Operations) {
          const callbackId = CallbackDetails?.CallbackId ?? ''
          void world.service.completeCallback({ callbackId, outcome: 'SUCCEEDED' })
        }
      }
      await new Promise(setImmediate)
      running -= 1
      return { Status: round < 5 ? 'PENDING' : 'SUCCEEDED' }
    })
    const started = await world.start('f')
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED' })
    assert.equal(most, 1)
  })
})

/** The error that an InvocationCompleted event carries. */
function errorOf(completed: HistoryEvent | undefined): ErrorObject {
  const details = completed?.['InvocationCompletedDetails']?.['Error'] as { readonly Payload: ErrorObject } | undefined
  return details?.Payload ?? {}
}

describe('what an invocation leaves behind', () => {
  it('a stop ends the execution at once, and the late answer is ignored', async () => {
    const world = await World.open()
    const { call, started, end } = await openCall(world)
    await call.checkpoint(stepDone('s'))
    const { StopTimestamp } = await world.service.stop({ arn: call.arn, error: { ErrorMessage: 'enough' } })
    assert.deepEqual(await world.end(started), { status: 'STOPPED', error: { ErrorMessage: 'enough' } })
    await end({ Status: 'SUCCEEDED', Result: '"late"' })
    assert.deepEqual((await world.events(started)).slice(-1), ['ExecutionStopped'])
    const again = await world.service.stop({ arn: call.arn, error: { ErrorMessage: 'more' } })
    assert.equal(again.StopTimestamp, StopTimestamp)
  })

  it('the platform’s failures never count against the function', async () => {
    const world = await World.open({ limits: { invocationRetryGiveUpMs: 5_000 } })
    let failures = 30
    world.functions.durable(
      'f',
      async () => {
        if (failures-- > 0) throw new FunctionError({ ErrorType: 'Spawn', ErrorMessage: 'no memory' }, 'platform')
        return { Status: 'SUCCEEDED' }
      },
      { config: { ExecutionTimeout: 100_000 } },
    )
    const started = await world.start('f')
    await world.clock.advance(30 * 60_000)
    assert.equal((await world.describe(started)).Status, 'SUCCEEDED')
  })

  it('its end is recorded when the store works again', async () => {
    const world = await World.open()
    const { started, end } = await openCall(world)
    world.store.failAppends(...Array.from({ length: 5 }, () => 'beforeCommit' as const))
    await end({ Status: 'SUCCEEDED', Result: '1' })
    assert.equal((await world.describe(started)).Status, 'RUNNING')
    await world.clock.advance(1_000)
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED', result: '1' })
  })

  it('an invocation whose start could not be recorded is tried again', async () => {
    const world = await World.open()
    world.functions.durable('f', async () => ({ Status: 'SUCCEEDED', Result: '1' }))
    let attempts = 5
    world.store.beforeAppend = async ({ items }) => {
      const starts = items.some(({ entries }) => entries.some(({ text }) => text.includes('invocationStarted')))
      if (starts && attempts-- > 0) throw new Error('not now')
    }
    const started = await world.start('f')
    await world.clock.advance(5_000)
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED', result: '1' })
    assert.equal(world.functions.invocationsOf('f'), 1)
    assert.equal(attempts, -1)
  })

  it('a slot that cannot be had is asked for again', async () => {
    const world = await World.open()
    world.functions.durable('f', async () => ({ Status: 'SUCCEEDED', Result: '1' }))
    world.functions.failReserves(2)
    const started = await world.start('f')
    await world.settle()
    assert.equal(world.functions.invocationsOf('f'), 0)
    await world.clock.advance(2_000)
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED', result: '1' })
  })

  it('an event that cannot be made fails the invocation as the platform’s fault', async () => {
    const world = await World.open()
    const long = JSON.stringify('x'.repeat(20_000))
    world.functions.durable('f', async () => ({ Status: 'SUCCEEDED', Result: '1' }))
    world.store.beforeAppend = async ({ items }) => {
      const starts = items.some(({ entries }) => entries.some(({ text }) => text.includes('invocationStarted')))
      if (starts) world.store.failReads(1)
      if (starts) world.store.beforeAppend = undefined
    }
    const started = await world.start('f', { input: long })
    await world.settle()
    assert.equal(world.functions.invocationsOf('f'), 0)
    await world.clock.advance(1_000)
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED', result: '1' })
    const [, completed] = (await world.history(started)).Events
    const { ErrorType } = errorOf(completed)
    assert.equal(ErrorType, 'ServiceException')
  })

  it('a plain target and its parent share nothing but the answer', async () => {
    const world = await World.open()
    world.functions.plain('plain', async () => '"x"', { concurrency: 1 })
    world.functions.durable(
      'f',
      async (call) => {
        if (call.operations.length === 1) {
          await call.checkpoint(Array.from({ length: 20 }, (_, i) => invoke(`i${i}`, 'plain')))
          return { Status: 'PENDING' }
        }
        const open = call.operations.filter(({ Status }, i) => i > 0 && Status === 'STARTED')
        return { Status: open.length > 0 ? 'PENDING' : 'SUCCEEDED' }
      },
      { concurrency: 1 },
    )
    const started = await world.start('f')
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED' })
    assert.equal(world.functions.invocationsOf('plain'), 20)
    assert.equal(world.functions.peak.get('plain'), 1)
  })
})
