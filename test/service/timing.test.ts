import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { MemoryStore } from '../../src/journal/memory/memory-store.ts'
import { DEFAULT_PLACE, parseExecutionArn } from '../../src/protocol/arn.ts'
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts'
import { Activity } from '../../src/service/activity.ts'
import { Alarms } from '../../src/service/alarms.ts'
import {
  createManualClock,
  createSkippingClock,
  createSystemTimers,
  settle,
  systemClock,
} from '../../src/service/clock-adapters.ts'
import { DueHeap } from '../../src/service/due-heap.ts'
import { createDurableService } from '../../src/service/durable-service.ts'
import { openCall, rejectsWith } from './open-call.ts'
import { ScriptedFunctions } from './scripted-functions.ts'
import { callback, retryIn, stepDone, wait } from './updates.ts'
import { CountingEntropy, START_MS, World } from './world.ts'

describe('the heap of due times', () => {
  it('does what a sorted list does', () => {
    const id = fc.integer({ min: 0, max: 20 }).map(String)
    const action = fc.oneof(
      fc.record({ kind: fc.constant('set'), id, dueMs: fc.integer({ min: 0, max: 50 }) }),
      fc.record({ kind: fc.constant('delete'), id, dueMs: fc.constant(0) }),
      fc.record({ kind: fc.constant('take'), id, dueMs: fc.integer({ min: 0, max: 50 }) }),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const heap = new DueHeap()
        let model: { id: string; dueMs: number }[] = []
        const sorted = () => model.toSorted((a, b) => a.dueMs - b.dueMs)
        for (const { kind, id, dueMs } of actions) {
          if (kind === 'set') {
            heap.set(id, dueMs)
            model = [...model.filter((entry) => entry.id !== id), { id, dueMs }]
          } else if (kind === 'delete') {
            heap.delete(id)
            model = model.filter((entry) => entry.id !== id)
          } else {
            const first = sorted()[0]
            const expected = first !== undefined && first.dueMs <= dueMs ? first.id : undefined
            assert.equal(heap.takeDue(dueMs)?.id, expected)
            model = model.filter((entry) => entry.id !== expected)
          }
          assert.equal(heap.size, model.length)
          assert.equal(heap.peek()?.dueMs, sorted()[0]?.dueMs)
        }
      }),
    )
  })
})

describe('alarms', () => {
  it('ring in order, never early, and only for the newest time of an execution', async () => {
    const activity = new Activity()
    const clock = createManualClock({ startMs: 0, settle: () => settle(activity) })
    const rung: string[] = []
    const alarms = new Alarms({ clock, timers: clock.timers, ring: (id) => rung.push(`${id}@${clock.now()}`) })
    alarms.set('a', 30, false)
    alarms.set('b', 10, false)
    alarms.set('c', 20, false)
    alarms.set('a', 5, false)
    alarms.set('b', 40, false)
    alarms.clear('c')
    await clock.advance(100)
    assert.deepEqual(rung, ['a@5', 'b@40'])
    assert.equal(alarms.size, 0)
  })

  it('reach as far as an execution may last', async () => {
    const activity = new Activity()
    const clock = createManualClock({ startMs: 0, settle: () => settle(activity) })
    let rungAt = 0
    const alarms = new Alarms({ clock, timers: clock.timers, ring: () => (rungAt = clock.now()) })
    alarms.set('a', 31_622_400_000, true)
    await clock.advance(31_622_399_999)
    assert.equal(rungAt, 0)
    await clock.advance(1)
    assert.equal(rungAt, 31_622_400_000)
  })
})

describe('the system timers', () => {
  it('call back at or after the time of the clock', async () => {
    const timers = createSystemTimers(systemClock)
    const dueMs = systemClock.now() + 20
    await new Promise<void>((resolve) => timers.at(dueMs, resolve))
    assert.ok(systemClock.now() >= dueMs)
  })

  it('look at the wall clock again before they believe that the time has come', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let nowMs = 0
    const timers = createSystemTimers({ now: () => nowMs })
    let called = false
    timers.at(31_622_400_000, () => {
      called = true
    })
    // The machine's timers run, its wall clock stands still: nothing is due.
    for (let i = 0; i < 10; i++) t.mock.timers.tick(5_000)
    assert.equal(called, false)
    // The laptop slept for a year: the next look finds out.
    nowMs = 31_622_400_000
    t.mock.timers.tick(5_000)
    assert.equal(called, true)
  })

  it('can be cancelled, also twice and also afterwards', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const timers = createSystemTimers({ now: () => 0 })
    const cancel = timers.at(10_000, () => assert.fail('it was cancelled'))
    t.mock.timers.tick(5_000)
    cancel()
    cancel()
    t.mock.timers.tick(60_000)
  })
})

describe('time in an execution', () => {
  it('a step is retried when its delay is over', async () => {
    const world = await World.open()
    world.functions.durable('f', async (call) => {
      if (call.statusOf('s') === undefined) {
        await call.checkpoint([{ Id: 's', Type: 'STEP', Action: 'START' }])
        await call.checkpoint([retryIn('s', 3)])
        return { Status: 'PENDING' }
      }
      assert.equal(call.statusOf('s'), 'READY')
      await call.checkpoint(stepDone('s'))
      return { Status: 'SUCCEEDED' }
    })
    const started = await world.start('f')
    await world.clock.advance(2_999)
    assert.equal(world.functions.invocationsOf('f'), 1)
    await world.clock.advance(1)
    assert.deepEqual(await world.end(started), { status: 'SUCCEEDED' })
  })

  it('a callback times out, and a call that comes later is refused', async () => {
    const world = await World.open()
    const { call, end } = await openCall(world)
    const { NewExecutionState } = await call.checkpoint([callback('c', { TimeoutSeconds: 10 })])
    const callbackId = NewExecutionState.Operations[0]?.CallbackDetails?.CallbackId ?? ''
    await end({ Status: 'PENDING' })
    world.functions.durable('f', async (again) => ({ Status: 'SUCCEEDED', Result: `"${again.statusOf('c')}"` }))
    await world.clock.advance(10_000)
    const described = await world.describe(call.arn.text)
    assert.equal(described.Result, '"TIMED_OUT"')
    await assert.rejects(
      world.service.completeCallback({ callbackId, outcome: 'SUCCEEDED' }),
      rejectsWith('CallbackTimeoutException', 'The callback is either timed out or already completed'),
    )
  })

  it('heartbeats keep a callback open', async () => {
    const world = await World.open()
    const { call, end, started } = await openCall(world)
    const { NewExecutionState } = await call.checkpoint([callback('c', { HeartbeatTimeoutSeconds: 10 })])
    const callbackId = NewExecutionState.Operations[0]?.CallbackDetails?.CallbackId ?? ''
    await end({ Status: 'PENDING' })
    world.functions.durable('f', async (again) => ({ Status: 'SUCCEEDED', Result: `"${again.statusOf('c')}"` }))
    for (let beat = 0; beat < 5; beat++) {
      await world.clock.advance(9_000)
      await world.service.heartbeatCallback({ callbackId })
    }
    assert.equal((await world.describe(started)).Status, 'RUNNING')
    await world.clock.advance(11_000)
    assert.equal((await world.describe(started)).Result, '"TIMED_OUT"')
  })

  it('an execution times out while it is suspended, while it runs, and while it is held', async () => {
    const world = await World.open()
    const config = { ExecutionTimeout: 60 }
    const running = await openCall(world, 'running', { config })
    const suspended = await openCall(world, 'suspended', { config })
    await suspended.call.checkpoint([wait('w', 100)])
    await suspended.end({ Status: 'PENDING' })
    world.functions.durable('held', async () => ({ Status: 'SUCCEEDED' }), { config })
    const target = world.functions.durableTarget('held', '$LATEST')
    world.functions.remove('held')
    const held = await world.service.start({ target, name: undefined, input: '{}', mode: 'async' })
    const all = [running.started, suspended.started, held]
    await world.clock.advance(59_999)
    for (const started of all) assert.equal((await world.describe(started)).Status, 'RUNNING')
    await world.clock.advance(1)
    for (const started of all) assert.equal((await world.describe(started)).Status, 'TIMED_OUT')
    assert.equal(running.started.version, '$LATEST')
    await assert.rejects(
      running.call.checkpoint(),
      rejectsWith('InvalidParameterValueException', 'Invalid checkpoint token'),
    )
    await running.end({ Status: 'SUCCEEDED' })
    assert.deepEqual((await world.events(running.started)).at(-1), 'ExecutionTimedOut')
  })

  it('a time-out during an invocation waits for its next checkpoint', async () => {
    const world = await World.open()
    const { call, started } = await openCall(world)
    await call.checkpoint([wait('w', 1)])
    await world.clock.advance(5_000)
    assert.equal((await world.events(started)).includes('WaitSucceeded'), false)
    const { NewExecutionState } = await call.checkpoint()
    assert.equal(NewExecutionState.Operations[0]?.EndTimestamp, START_MS + 5_000)
  })

  it('many that come due together are all seen to', async () => {
    const world = await World.open()
    world.functions.durable('f', async (call) => {
      if (call.statusOf('w') !== undefined) return { Status: 'SUCCEEDED' }
      await call.checkpoint([wait('w', 60)])
      return { Status: 'PENDING' }
    })
    const all = await Promise.all(Array.from({ length: 500 }, () => world.start('f')))
    await world.clock.advance(60_000)
    for (const started of all) assert.equal((await world.describe(started)).Status, 'SUCCEEDED')
  })
})

describe('the skipping clock', () => {
  it('jumps over waits when nothing runs, but not to the end of the execution', async () => {
    const clock = createSkippingClock()
    const functions = new ScriptedFunctions()
    const service = await createDurableService({
      store: new MemoryStore(),
      functions,
      clock,
      timers: clock.timers,
      entropy: new CountingEntropy(),
      place: DEFAULT_PLACE,
      limits: DEFAULT_LIMITS,
      log: () => {},
    })
    functions.attach(service)
    clock.follow(service.activity, () => service.nextSkippableMs())
    functions.durable(
      'f',
      async (call) => {
        if (call.statusOf('w') === undefined) {
          await call.checkpoint([wait('w', 86_400)])
          return { Status: 'PENDING' }
        }
        await call.checkpoint([callback('c')])
        return { Status: 'PENDING' }
      },
      { config: { ExecutionTimeout: 31_622_400 } },
    )
    const before = clock.now()
    const target = functions.durableTarget('f', '$LATEST')
    const started = await service.start({ target, name: undefined, input: '{}', mode: 'async' })
    const arn = parseExecutionArn(started.arn) ?? assert.fail('no ARN')
    const history = () => service.history({ arn: arn, includeData: false, reverse: false })
    while (!(await history()).Events.some(({ EventType }) => EventType === 'CallbackStarted')) {
      await new Promise(setImmediate)
    }
    await settle(service.activity)
    assert.ok(clock.now() - before >= 86_400_000)
    assert.ok(clock.now() - before < 2 * 86_400_000)
    assert.equal((await service.describe({ arn: arn, includeData: false })).Status, 'RUNNING')
    await service.drain(0)
  })
})
