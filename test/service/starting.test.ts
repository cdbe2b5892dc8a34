import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rejectsWith } from './open-call.ts'
import { ScriptedFunctions } from './scripted-functions.ts'
import { World } from './world.ts'

const DAY_MS = 86_400_000

async function worldWith(functions = new ScriptedFunctions()): Promise<World> {
  functions.durable('f', async () => ({ Status: 'SUCCEEDED', Result: '1' }))
  functions.durable('f', async () => ({ Status: 'SUCCEEDED', Result: '2' }), { version: '2' })
  functions.durable('sleepy', () => new Promise(() => {}))
  return World.open({ functions })
}

describe('a start without a name', () => {
  it('is a new execution each time, named by its id', async () => {
    const world = await worldWith()
    const [a, b] = await Promise.all([world.start('f'), world.start('f')])
    assert.notEqual(a.executionId, b.executionId)
    assert.equal((await world.describe(a)).DurableExecutionName, a.executionId)
    assert.equal(world.arn(a).executionId, a.executionId)
  })

  it('is invoked although somebody had asked for it just before it was there', async () => {
    const world = await worldWith()
    const write = world.store.hold()
    const starting = world.start('f')
    await new Promise(setImmediate)
    const target = world.store.batches[0]?.items[0]?.target
    assert.ok(target !== undefined && 'create' in target)
    const { promise: told, resolve: tell } = Promise.withResolvers<void>()
    const { findById } = world.store
    world.store.findById = async (id) => {
      const nothing = await findById(id)
      await told
      return nothing
    }
    const asked = world.describe(target.create.arn)
    await new Promise(setImmediate)
    write()
    const started = await starting
    tell()
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED', result: '1' })
    assert.equal((await asked).DurableExecutionArn, started.arn)
  })

  it('attaches to the execution that the same client call started, for a quarter of an hour', async () => {
    const world = await worldWith()
    const first = await world.start('f', { sdkInvocationId: 'call-1' })
    assert.deepEqual(await world.start('f', { sdkInvocationId: 'call-1' }), first)
    assert.notDeepEqual(await world.start('f', { sdkInvocationId: 'call-2' }), first)
    await world.clock.advance(900_000)
    assert.deepEqual(await world.start('f', { sdkInvocationId: 'call-1' }), first)
    await world.clock.advance(1)
    assert.notDeepEqual(await world.start('f', { sdkInvocationId: 'call-1' }), first)
  })

  it('attaches also while the first attempt is not durable yet', async () => {
    const world = await worldWith()
    const release = world.store.hold()
    const attempts = [1, 2, 3].map(() => world.start('f', { sdkInvocationId: 'call-1' }))
    await new Promise(setImmediate)
    release()
    const [first, ...others] = await Promise.all(attempts)
    for (const other of others) assert.deepEqual(other, first)
  })
})

describe('a start by name', () => {
  it('finds the running execution of that name', async () => {
    const world = await worldWith()
    const first = await world.start('sleepy', { name: 'n', input: '{"a":1}' })
    assert.deepEqual(await world.start('sleepy', { name: 'n', input: '{"a":1}' }), first)
  })

  it('is refused with the other ARN when the payload or the version differs', async () => {
    const world = await worldWith()
    const first = await world.start('f', { name: 'n', input: '{"a":1}' })
    const conflict = rejectsWith('DurableExecutionAlreadyStartedException', `Execution already started: ${first.arn}`)
    await assert.rejects(world.start('f', { name: 'n', input: '{"a": 1}' }), conflict)
    await assert.rejects(world.start('f', { name: 'n', input: '{"a":1}', version: '2' }), conflict)
    const drawn = await world.start('f', { name: 'n', input: '{"a":1}', version: '2', versionDrawn: true })
    assert.deepEqual(drawn, first)
  })

  it('finds the closed execution and its outcome', async () => {
    const world = await worldWith()
    const first = await world.start('f', { name: 'n' })
    await world.end(first)
    const again = await world.start('f', { name: 'n' })
    assert.deepEqual(again, first)
    assert.deepEqual(await world.end(again), { status: 'SUCCEEDED', result: '1' })
  })

  it('shares the name with no other function', async () => {
    const world = await worldWith()
    assert.notDeepEqual(await world.start('f', { name: 'n' }), await world.start('sleepy', { name: 'n' }))
  })

  it('races with others of that name and all get the same execution', async () => {
    const world = await worldWith()
    const starts = await Promise.all(Array.from({ length: 20 }, () => world.start('f', { name: 'n' })))
    assert.equal(new Set(starts.map(({ executionId }) => executionId)).size, 1)
    await world.settle()
    assert.equal(world.functions.invocationsOf('f'), 1)
  })

  it('gets a new execution when the retention of the old one is over', async () => {
    const world = await worldWith()
    const first = await world.start('f', { name: 'n' })
    await world.end(first)
    await world.clock.advance(14 * DAY_MS - 1)
    assert.deepEqual(await world.start('f', { name: 'n' }), first)
    await world.clock.advance(1)
    const second = await world.start('f', { name: 'n', input: '"another"' })
    assert.notEqual(second.executionId, first.executionId)
    await assert.rejects(world.describe(first), rejectsWith('ResourceNotFoundException'))
  })

  it('is durable once, whatever the store says about it', async () => {
    const world = await worldWith()
    world.store.failAppends('afterCommit')
    const first = await world.start('f', { name: 'n' })
    assert.deepEqual(await world.end(first), { status: 'SUCCEEDED', result: '1' })
    world.store.failAppends('beforeCommit')
    const second = await world.start('f', { name: 'm' })
    assert.deepEqual(await world.end(second), { status: 'SUCCEEDED', result: '1' })
    assert.equal(world.functions.invocationsOf('f'), 2)
  })

  it('is refused for now when the store does not work', async () => {
    const world = await worldWith()
    world.store.failReads(1)
    await assert.rejects(world.start('f', { name: 'n' }), rejectsWith('ServiceException'))
    assert.equal(world.log.at(-1)?.message, 'A request failed')
  })
})

describe('retention', () => {
  it('removes expired executions every hour, and only those', async () => {
    const world = await worldWith()
    const old = await world.start('f', { name: 'old' })
    await world.end(old)
    await world.clock.advance(7 * DAY_MS)
    const young = await world.start('f', { name: 'young' })
    const open = await world.start('sleepy')
    await world.clock.advance(7 * DAY_MS)
    await world.clock.advance(3_600_000)
    assert.equal(await world.disk.findById(old.executionId), undefined)
    assert.notEqual(await world.disk.findById(young.executionId), undefined)
    assert.notEqual(await world.disk.findById(open.executionId), undefined)
    await assert.rejects(world.describe(old), rejectsWith('ResourceNotFoundException'))
  })

  it('removes expired executions soon after a start, for servers that never live for an hour', async () => {
    const world = await worldWith()
    const old = await world.start('f', { name: 'old' })
    await world.end(old)
    await world.clock.advance(14 * DAY_MS)
    const reborn = await world.crash()
    await reborn.clock.advance(10_000)
    assert.equal(await reborn.disk.findById(old.executionId), undefined)
  })
})
