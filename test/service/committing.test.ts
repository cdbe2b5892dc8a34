import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AppendItem } from '../../src/journal/store.ts'
import { openCall, rejectsWith } from './open-call.ts'
import { ScriptedFunctions } from './scripted-functions.ts'
import { callback, stepDone, wait } from './updates.ts'
import { World } from './world.ts'

const itemsOf = (world: World, from: number): AppendItem[] =>
  world.store.batches.slice(from).flatMap(({ items }) => items)

describe('group commit', () => {
  it('sends what many executions append in one turn as one batch', async () => {
    const world = await World.open()
    world.functions.durable('f', async () => ({ Status: 'PENDING' }), { concurrency: 100 })
    await Promise.all(Array.from({ length: 50 }, () => world.start('f')))
    const [first] = world.store.batches
    assert.equal(first?.items.length, 50)
  })

  it('collects while a batch is in flight', async () => {
    const world = await World.open()
    const { started, call } = await openCall(world)
    const release = world.store.hold()
    const before = world.store.batches.length
    const one = call.checkpoint(stepDone('a'))
    await new Promise(setImmediate)
    const others = Array.from({ length: 10 }, () => world.start('f'))
    await new Promise(setImmediate)
    assert.equal(world.store.batches.length, before + 1)
    release()
    await Promise.all([one, ...others])
    assert.equal(world.store.batches[before + 1]?.items.length, 10)
    assert.equal((await world.describe(started)).Status, 'RUNNING')
  })

  it('sheds new work, not what is under way, when the store does not keep up', async () => {
    const world = await World.open()
    const { call } = await openCall(world)
    const release = world.store.hold()
    const large = JSON.stringify('x'.repeat(1_000_000))
    const starts = Promise.allSettled(Array.from({ length: 80 }, () => world.start('f', { input: large })))
    const checkpoint = call.checkpoint(stepDone('s'))
    await assert.rejects(world.start('f'), rejectsWith('TooManyRequestsException', 'Rate Exceeded.'))
    release()
    await checkpoint
    const accepted = (await starts).filter(({ status }) => status === 'fulfilled').length
    assert.ok(accepted > 60 && accepted < 70, `${accepted} starts of 1 MB within 64 MB`)
    await world.start('f')
  })

  it('does not let an item that the store never takes block the others', async () => {
    const world = await World.open()
    const { call } = await openCall(world)
    const poisonous = new Error('this row is too large')
    world.store.beforeAppend = async ({ items }) => {
      if (items.some(({ entries }) => entries.some(({ text }) => text.includes('poison')))) throw poisonous
    }
    const bad = call.checkpoint([...stepDone('s', '"poison"')])
    const good = Array.from({ length: 5 }, () => world.start('f'))
    await assert.rejects(bad, rejectsWith('ServiceException'))
    assert.equal((await Promise.all(good)).length, 5)
    await call.checkpoint(stepDone('s', '"fine"'))
  })
})

describe('a lane', () => {
  it('decides what waits behind a commit as one item, in order of arrival', async () => {
    const world = await World.open()
    const { call, started } = await openCall(world)
    const answer = await call.checkpoint([callback('a'), callback('b'), callback('c')])
    const ids = answer.NewExecutionState.Operations.map((operation) => operation.CallbackDetails?.CallbackId ?? '')
    const release = world.store.hold()
    const before = world.store.batches.length
    const first = call.checkpoint(stepDone('s'))
    const completions = ids.map((callbackId) =>
      world.service.completeCallback({ callbackId, outcome: 'SUCCEEDED', result: callbackId }),
    )
    await new Promise(setImmediate)
    release()
    await Promise.all([first, ...completions])
    const items = itemsOf(world, before)
    assert.deepEqual(
      items.map(({ entries }) => entries.length),
      [1, 3],
    )
    const drained = await call.checkpoint()
    assert.deepEqual(
      drained.NewExecutionState.Operations.map(({ Id, Status }) => `${Id} ${Status}`),
      ['a SUCCEEDED', 'b SUCCEEDED', 'c SUCCEEDED'],
    )
    assert.equal((await world.events(started)).length, 1 + 3 + 2 + 3)
  })

  it('lets at most one of several checkpoints with the same token change anything', async () => {
    const world = await World.open()
    const { call } = await openCall(world)
    const { token, arn } = call
    const attempts = ['a', 'b', 'c'].map((id) => world.service.checkpoint({ arn, token, updates: stepDone(id) }))
    const results = await Promise.allSettled(attempts)
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected'],
    )
    for (const result of results.slice(1)) {
      rejectsWith(
        'InvalidParameterValueException',
        'Invalid checkpoint token',
      )((result as PromiseRejectedResult).reason)
    }
  })

  it('never shows a reader what is not durable', async () => {
    const world = await World.open()
    const { call, started } = await openCall(world)
    const release = world.store.hold()
    const checkpoint = call.checkpoint([...stepDone('s'), wait('w', 60)])
    await new Promise(setImmediate)
    let shown: string[] | undefined
    const reading = world.events(started).then((events) => {
      shown = events
    })
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    assert.equal(shown, undefined)
    release()
    await Promise.all([checkpoint, reading])
    assert.deepEqual(shown, ['ExecutionStarted', 'StepStarted', 'StepSucceeded', 'WaitStarted'])
  })

  it('answers after a failure that left nothing behind', async () => {
    const world = await World.open()
    const { call, started } = await openCall(world)
    world.store.failAppends('beforeCommit')
    const { NewExecutionState } = await call.checkpoint(stepDone('s'))
    assert.deepEqual(
      NewExecutionState.Operations.map(({ Status }) => Status),
      ['SUCCEEDED'],
    )
    assert.deepEqual(await world.events(started), ['ExecutionStarted', 'StepStarted', 'StepSucceeded'])
  })

  it('recognises its own entry after a failure that came too late', async () => {
    const world = await World.open()
    const { call, started } = await openCall(world)
    world.store.failAppends('afterCommit')
    // No ClientToken: only the journal itself can tell that this checkpoint was accepted.
    await call.checkpoint(stepDone('s'))
    await call.checkpoint(stepDone('t'))
    assert.deepEqual(await world.events(started), [
      'ExecutionStarted',
      'StepStarted',
      'StepSucceeded',
      'StepStarted',
      'StepSucceeded',
    ])
  })

  it('gives up after some failures, changes nothing, and works again when the store does', async () => {
    const world = await World.open()
    const { call, started } = await openCall(world)
    world.store.failAppends(...Array.from({ length: 5 }, () => 'beforeCommit' as const))
    await assert.rejects(call.checkpoint(stepDone('s')), rejectsWith('ServiceException'))
    assert.deepEqual(await world.events(started), ['ExecutionStarted'])
    await call.checkpoint(stepDone('s'))
    assert.deepEqual(await world.events(started), ['ExecutionStarted', 'StepStarted', 'StepSucceeded'])
  })

  it('says once that the store fails, however often callers try again, and once that it works', async () => {
    const world = await World.open()
    const { call } = await openCall(world)
    world.store.failAppends(...Array.from({ length: 10 }, () => 'beforeCommit' as const))
    await assert.rejects(call.checkpoint(stepDone('s')), rejectsWith('ServiceException'))
    await assert.rejects(call.checkpoint(stepDone('s')), rejectsWith('ServiceException'))
    await call.checkpoint(stepDone('s'))
    assert.deepEqual(
      world.log.filter(({ message }) => message.startsWith('The store')).map(({ level, message }) => [level, message]),
      [
        ['error', 'The store failed to append a batch'],
        ['info', 'The store appends again'],
      ],
    )
  })

  it('finds out later what became of an entry when the store could not even be read', async () => {
    const world = await World.open()
    const { call, started, end } = await openCall(world)
    await call.checkpoint([wait('w', 1)])
    world.store.failAppends('afterCommit')
    world.store.failReads(1)
    const ended = world.end(started)
    end({ Status: 'PENDING' })
    await world.settle()
    // The end of the invocation is in the journal, and nobody here knows: the wait must still be noticed.
    world.functions.durable('f', async () => ({ Status: 'SUCCEEDED', Result: '1' }))
    await world.clock.advance(5_000)
    assert.deepEqual(await ended, { status: 'SUCCEEDED', result: '1' })
    assert.equal((await world.events(started)).filter((type) => type === 'InvocationCompleted').length, 2)
  })

  it('folds what another writer did first and decides again', async () => {
    const a = await World.open()
    const { call, started } = await openCall(a)
    const { NewExecutionState } = await call.checkpoint([callback('x'), callback('y')])
    const [x = '', y = ''] = NewExecutionState.Operations.map((operation) => operation.CallbackDetails?.CallbackId)
    // A second service on the same store, which has no such function to run, knows the execution as of now…
    const b = await World.open({ store: a.disk, functions: new ScriptedFunctions(), entropy: a.entropy })
    await b.describe(started)
    // …then the first goes on without it.
    await a.service.completeCallback({ callbackId: x, outcome: 'SUCCEEDED', result: '1' })
    assert.equal(b.store.conflicts, 0)
    await b.service.completeCallback({ callbackId: y, outcome: 'SUCCEEDED', result: '2' })
    assert.equal(b.store.conflicts, 1)
    await assert.rejects(
      b.service.completeCallback({ callbackId: x, outcome: 'FAILED' }),
      rejectsWith('CallbackTimeoutException'),
    )
    // The first notices at its next entry, and delivers both.
    const drained = await call.checkpoint()
    assert.equal(a.store.conflicts, 1)
    assert.deepEqual(
      drained.NewExecutionState.Operations.map(({ Id, CallbackDetails }) => `${Id} ${CallbackDetails?.Result}`),
      ['x 1', 'y 2'],
    )
  })

  it('refuses a deluge for one execution instead of keeping it in memory', async () => {
    const world = await World.open()
    const { call } = await openCall(world)
    const release = world.store.hold()
    const first = call.checkpoint()
    await new Promise(setImmediate)
    const { arn, token } = call
    const flood = Array.from({ length: 10_100 }, () => world.service.checkpoint({ arn, token, updates: [] }))
    const outcomes = Promise.allSettled(flood)
    release()
    await first
    const refused = (await outcomes).filter(
      (outcome) => outcome.status === 'rejected' && outcome.reason.code === 'TooManyRequestsException',
    )
    assert.equal(refused.length, 100)
  })

  it('goes on with an execution that is asked for by more callers than may wait', async () => {
    const world = await World.open()
    world.functions.durable('f', async (call) => {
      if (call.statusOf('w') === 'SUCCEEDED') return { Status: 'SUCCEEDED' }
      await call.checkpoint([wait('w', 60)])
      return { Status: 'PENDING' }
    })
    const started = await world.start('f')
    await world.settle()
    const release = world.store.hold()
    const batches = world.store.batches.length
    // When it is recorded that its timer has rung, its next invocation is due.
    const rung = world.clock.advance(60_000)
    while (world.store.batches.length === batches) await new Promise(setImmediate)
    const flood = Promise.allSettled(Array.from({ length: 10_100 }, () => world.describe(started)))
    release()
    await Promise.all([rung, flood])
    await world.clock.advance(1_000)
    assert.equal((await world.describe(started)).Status, 'SUCCEEDED')
  })
})

describe('a repeated checkpoint', () => {
  it('gets the same answer, also when the state has moved on', async () => {
    const world = await World.open()
    const { call } = await openCall(world)
    const { arn, token } = call
    const first = await call.checkpoint([{ Id: 's', Type: 'STEP', Action: 'START' }, callback('c')], 'client-1')
    await call.checkpoint([{ Id: 's', Type: 'STEP', Action: 'SUCCEED', Payload: '1' }])
    const again = await world.service.checkpoint({ arn, token, clientToken: 'client-1', updates: [] })
    assert.deepEqual(again, first)
  })

  it('gets the same answer while the first attempt is being committed', async () => {
    const world = await World.open()
    const { call } = await openCall(world)
    const { arn, token } = call
    const request = { arn, token, clientToken: 'client-1', updates: stepDone('s') }
    const release = world.store.hold()
    const first = world.service.checkpoint(request)
    const second = world.service.checkpoint(request)
    await new Promise(setImmediate)
    release()
    assert.deepEqual(await second, await first)
  })
})

describe('long texts', () => {
  const long = JSON.stringify('x'.repeat(40_000))

  it('are shown from the entry at hand, from the journal, and across a restart', async () => {
    const world = await World.open()
    const { call, started } = await openCall(world)
    const { NewExecutionState } = await call.checkpoint(stepDone('s', long))
    assert.equal(NewExecutionState.Operations[0]?.StepDetails?.Result, long)
    const state = await world.service.state({ arn: call.arn, token: call.token })
    assert.equal(state.Operations[1]?.StepDetails?.Result, long)
    const next = await world.crash()
    const history = await next.history(started)
    const succeeded = history.Events.find(({ EventType }) => EventType === 'StepSucceeded')
    assert.deepEqual(succeeded?.['StepSucceededDetails']?.['Result'], { Payload: long, Truncated: false })
  })

  it('reach the function, the waiting caller and whoever describes the execution', async () => {
    const world = await World.open()
    world.functions.durable('echo', async (call) => ({
      Status: 'SUCCEEDED',
      Result: call.operations[0]?.ExecutionDetails?.InputPayload ?? '',
    }))
    const started = await world.start('echo', { input: long, mode: 'sync' })
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED', result: long })
    const described = await world.describe(started)
    assert.equal(described.InputPayload, long)
    assert.equal(described.Result, long)
  })
})
