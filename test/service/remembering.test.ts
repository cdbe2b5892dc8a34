import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FOLD_VERSION } from '../../src/engine/model.ts'
import { openCall } from './open-call.ts'
import { callback, stepDone, wait } from './updates.ts'
import { World } from './world.ts'

describe('the cache', () => {
  it('gives a replay all its long results, each from its own entry', async () => {
    const world = await World.open()
    const resultOf = (i: number): string => JSON.stringify(`${i}-${'x'.repeat(600)}`)
    const steps = 40
    world.functions.durable('f', async (call) => {
      if (call.operations.length === 1) {
        for (let i = 0; i < steps; i++) await call.checkpoint(stepDone(`s${i}`, resultOf(i)))
        await call.checkpoint([wait('w', 1)])
        return { Status: 'PENDING' }
      }
      const results = call.operations.slice(1, -1).map(({ StepDetails }) => StepDetails?.Result)
      const all = results.length === steps && results.every((result, i) => result === resultOf(i))
      return { Status: 'SUCCEEDED', Result: String(all) }
    })
    const started = await world.start('f')
    await world.clock.advance(2_000)
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED', result: 'true' })
  })

  it('forgets whole executions and reads them again, unnoticed', async () => {
    const world = await World.open({ cacheBytes: 25_000 })
    world.functions.durable('f', async (call) => {
      const done = call.operations.filter(({ Type }) => Type === 'STEP').length
      if (done === 4)
        return {
          Status: 'SUCCEEDED',
          Result: call.operations
            .map(({ Id }) => Id)
            .slice(1)
            .join(),
        }
      await call.checkpoint(stepDone(`s${done}`, JSON.stringify('x'.repeat(2_000))))
      await call.checkpoint([wait(`w${done}`, 1 + done)])
      return { Status: 'PENDING' }
    })
    const all = await Promise.all(Array.from({ length: 20 }, () => world.start('f')))
    await world.clock.advance(20_000)
    for (const started of all) {
      const { result } = await world.end(started)
      assert.equal(result, 's0,w0,s1,w1,s2,w2,s3,w3')
    }
  })

  it('never forgets an execution that is at work', async () => {
    const world = await World.open({ cacheBytes: 1 })
    const { call } = await openCall(world)
    const release = world.store.hold()
    const checkpoint = call.checkpoint(stepDone('s'))
    const others = Array.from({ length: 5 }, () => world.start('f'))
    await new Promise(setImmediate)
    release()
    await Promise.all([checkpoint, ...others])
    await call.checkpoint(stepDone('t'))
    assert.equal((await world.service.state({ arn: call.arn, token: call.token })).Operations.length, 3)
  })
})

describe('snapshots', () => {
  /** An execution that suspends after `checkpoints` checkpoints of one step each. */
  async function suspended(world: World, checkpoints: number, payload?: string) {
    const { call, started, end } = await openCall(world)
    for (let i = 0; i < checkpoints; i++) await call.checkpoint(stepDone(`s${i}`, payload))
    await call.checkpoint([callback('c')])
    await end({ Status: 'PENDING' })
    return started
  }

  async function snapshotOf(world: World, executionId: string) {
    const row = (await world.disk.findById(executionId)) ?? assert.fail('no row')
    return { row, snapshot: await world.disk.readSnapshot({ key: row.key }) }
  }

  it('are written when an execution suspends with a long tail, and only then', async () => {
    const world = await World.open()
    const short = await suspended(world, 100)
    const long = await suspended(world, 257)
    const heavy = await suspended(world, 6, JSON.stringify('x'.repeat(200_000)))
    assert.equal((await snapshotOf(world, short.executionId)).snapshot, undefined)
    assert.equal((await snapshotOf(world, heavy.executionId)).snapshot?.foldVersion, FOLD_VERSION)
    const { snapshot, row } = await snapshotOf(world, long.executionId)
    assert.equal(snapshot?.foldVersion, FOLD_VERSION)
    const journal = await world.disk.readJournal({ key: row.key, afterSeq: 0, maxBytes: 10_000_000 })
    assert.equal(snapshot?.seq, journal.at(-1)?.seq)
  })

  it('are as good as the journal, and one of another version is ignored', async () => {
    const world = await World.open()
    const started = await suspended(world, 300)
    const described = await world.describe(started)
    const state = async (of: World) => {
      of.functions.durable('f', async (call) => ({ Status: 'SUCCEEDED', Result: JSON.stringify(call.operations) }))
      const row = (await of.disk.findById(started.executionId)) ?? assert.fail('no row')
      return row.key
    }
    const key = await state(world)
    const next = await world.crash()
    assert.deepEqual(await next.describe(started), described)
    const good = await next.disk.readSnapshot({ key })
    assert.ok(good !== undefined)
    const text = 'what another release wrote'
    await next.disk.writeSnapshot({ key, snapshot: { ...good, foldVersion: FOLD_VERSION + 1, text } })
    const third = await next.crash()
    assert.deepEqual(await third.describe(started), described)
  })
})
