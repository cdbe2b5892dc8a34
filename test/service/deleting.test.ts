import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Started } from '../../src/service/api.ts'
import { openCall, rejectsWith } from './open-call.ts'
import { stepDone, wait } from './updates.ts'
import { START_MS, World } from './world.ts'

const notFound = rejectsWith('ResourceNotFoundException', 'Durable Execution does not exist')

const remove = (world: World, started: Started) => world.service.delete({ arn: world.arn(started) })

async function closed(world: World, options: Parameters<World['start']>[1] = {}): Promise<Started> {
  world.functions.durable('quick', async (call) => {
    await call.checkpoint(stepDone('s', JSON.stringify('x'.repeat(20_000))))
    return { Status: 'SUCCEEDED', Result: '"done"' }
  })
  const started = await world.start('quick', options)
  await world.end(started)
  await world.settle()
  return started
}

async function listed(world: World, statuses?: readonly string[]) {
  const filter = statuses === undefined ? {} : { statuses }
  const { DurableExecutions } = await world.service.list({ functionName: 'quick', oldestFirst: true, ...filter })
  return DurableExecutions.map(({ DurableExecutionArn, Status }) => [DurableExecutionArn, Status])
}

describe('deletion', () => {
  it('is shown as DELETING until the data is gone, and then as nothing', async () => {
    const world = await World.open()
    const started = await closed(world)
    const release = world.store.holdPurges()
    await world.clock.advance(2_000)
    const { DeletionRequestTimestamp } = await remove(world, started)
    assert.equal(DeletionRequestTimestamp, START_MS + 2_000)

    const { Status, EndTimestamp, InputPayload, Result, Error: error } = await world.describe(started)
    assert.deepEqual(
      [Status, EndTimestamp, InputPayload, Result, error],
      ['DELETING', START_MS, '{}', undefined, undefined],
    )
    assert.deepEqual(await listed(world), [[started.arn, 'DELETING']])
    assert.deepEqual(await listed(world, ['DELETING']), [[started.arn, 'DELETING']])
    assert.deepEqual(await listed(world, ['SUCCEEDED']), [])

    release()
    await world.settle()
    await assert.rejects(world.describe(started), notFound)
    await assert.rejects(world.history(started), notFound)
    assert.deepEqual(await listed(world), [])
    assert.equal(await world.disk.findById(started.executionId), undefined)
    assert.deepEqual(await world.disk.listOutbox({ afterId: '', limit: 10 }), [])
  })

  it('may be asked for again', async () => {
    const world = await World.open()
    const started = await closed(world)
    const release = world.store.holdPurges()
    const first = await remove(world, started)
    assert.deepEqual(await remove(world, started), first)
    assert.equal((await world.service.stop({ arn: world.arn(started), error: {} })).StopTimestamp, START_MS)
    release()
    await world.settle()
    await assert.rejects(remove(world, started), notFound)
  })

  it('of a running execution is a conflict and changes nothing', async () => {
    const world = await World.open()
    const { started, call, end } = await openCall(world)
    await assert.rejects(remove(world, started), rejectsWith('ResourceConflictException'))
    await call.checkpoint([wait('w', 60)])
    await end({ Status: 'PENDING' })
    await assert.rejects(remove(world, started), rejectsWith('ResourceConflictException'))
    assert.equal((await world.describe(started)).Status, 'RUNNING')
  })

  it('frees the name when the data is gone, and not before', async () => {
    const world = await World.open()
    const first = await closed(world, { name: 'order-1' })
    const release = world.store.holdPurges()
    await remove(world, first)
    await assert.rejects(
      world.start('quick', { name: 'order-1' }),
      rejectsWith('DurableExecutionAlreadyStartedException', `Execution already started: ${first.arn}`),
    )
    release()
    await world.settle()
    const second = await world.start('quick', { name: 'order-1' })
    assert.notEqual(second.arn, first.arn)
    await assert.rejects(world.describe(first), notFound)
  })

  it('of an execution that still waits for its function is no failure when its turn comes', async () => {
    const world = await World.open()
    const { promise: busy, resolve: free } = Promise.withResolvers<void>()
    world.functions.durable(
      'narrow',
      async () => {
        await busy
        return { Status: 'SUCCEEDED', Result: '""' }
      },
      { concurrency: 1 },
    )
    await world.start('narrow')
    const waiting = await world.start('narrow')
    await world.settle()
    await world.service.stop({ arn: world.arn(waiting), error: {} })
    await remove(world, waiting)
    await world.settle()
    await assert.rejects(world.describe(waiting), notFound)
    free()
    await world.settle()
    assert.deepEqual(
      world.log.map(({ level, message }) => [level, message]),
      [['info', `Execution ${waiting.executionId} is gone: it was deleted while it waited for its function`]],
    )
  })

  it('of an execution whose last invocation still ends is no failure either', async () => {
    const world = await World.open()
    const { started, end } = await openCall(world)
    await world.service.stop({ arn: world.arn(started), error: {} })
    await remove(world, started)
    await world.settle()
    await assert.rejects(world.describe(started), notFound)
    await end({ Status: 'SUCCEEDED', Result: '""' })
    const gone = new RegExp(
      `^Execution ${started.executionId} is gone: it was deleted before invocation \\S+ had ended$`,
    )
    const [line, ...others] = world.log
    assert.deepEqual([line?.level, line?.error, others], ['info', undefined, []])
    assert.match(line?.message ?? '', gone)
  })

  it('that was answered survives a crash and is finished by the next start', async () => {
    const world = await World.open()
    const started = await closed(world)
    world.store.holdPurges()
    await remove(world, started)
    const next = await world.crash()
    await next.settle()
    await assert.rejects(next.describe(started), notFound)
    assert.equal(await next.disk.findById(started.executionId), undefined)
    assert.deepEqual(await next.disk.listOutbox({ afterId: '', limit: 10 }), [])
  })

  it('that was never answered has not happened, or has happened as a whole', async () => {
    for (const fault of ['dieBeforeCommit', 'dieAfterCommit'] as const) {
      const world = await World.open()
      const started = await closed(world)
      world.store.failAppends(fault)
      void remove(world, started)
      await new Promise(setImmediate)
      const next = await world.crash()
      await next.settle()
      if (fault === 'dieBeforeCommit') assert.equal((await next.describe(started)).Status, 'SUCCEEDED')
      else await assert.rejects(next.describe(started), notFound)
    }
  })

  it('tells a waiting parent how the child ended before the child is gone, and leaves children alone', async () => {
    const world = await World.open()
    world.functions.durable('child', async () => ({ Status: 'SUCCEEDED', Result: '"of the child"' }))
    const { call, started, end } = await openCall(world, 'parent')
    const update = {
      Id: 'i',
      Type: 'CHAINED_INVOKE',
      Action: 'START',
      ChainedInvokeOptions: { FunctionName: 'child:$LATEST' },
    } as const
    await call.checkpoint([update])
    await world.settle()
    const { DurableExecutions } = await world.service.list({ functionName: 'child', oldestFirst: true })
    const [child] = DurableExecutions
    assert.equal(child?.Status, 'SUCCEEDED')

    await end({ Status: 'SUCCEEDED', Result: 'null' })
    await world.service.delete({ arn: world.arn(started) })
    await world.settle()
    await assert.rejects(world.describe(started), notFound)
    assert.equal((await world.describe(child?.DurableExecutionArn ?? '')).Result, '"of the child"')

    await world.service.delete({ arn: world.arn(child?.DurableExecutionArn ?? '') })
    await world.settle()
    await assert.rejects(world.describe(child?.DurableExecutionArn ?? ''), notFound)
  })

  it('forgets a state that is being read while the data goes', async () => {
    const world = await World.open({ cacheBytes: 1 })
    const started = await closed(world)
    const release = world.store.holdPurges()
    await remove(world, started)
    const looks = Array.from({ length: 20 }, () =>
      world.describe(started).then(
        ({ Status }) => Status,
        () => 'gone',
      ),
    )
    release()
    for (const seen of await Promise.all(looks)) assert.ok(seen === 'DELETING' || seen === 'gone', seen)
    await world.settle()
    await assert.rejects(world.describe(started), notFound)
  })

  it('is tried again when the store fails to remove the data', async () => {
    const world = await World.open()
    const started = await closed(world)
    world.store.failReads(1)
    await remove(world, started)
    await world.settle()
    await world.clock.advance(60_000)
    await assert.rejects(world.describe(started), notFound)
  })
})
