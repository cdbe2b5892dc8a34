/** The pool's promises, with processes that the test moves by hand. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { createPool, type Pool } from '../../src/functions/pool.ts'
import type { Sandbox, SandboxEvents } from '../../src/functions/sandbox.ts'
import type { FunctionVersion, InvocationResult, Slot } from '../../src/service/ports.ts'

const never = new AbortController().signal

function version(name: string, options: Partial<FunctionVersion> = {}): FunctionVersion {
  return {
    name,
    version: '$LATEST',
    arn: `arn:${name}:$LATEST`,
    timeoutSeconds: 1,
    memoryMb: 128,
    concurrency: 2,
    durable: undefined,
    perTenant: false,
    ...options,
  }
}

class FakeProcess implements Sandbox {
  readonly functionName: string
  readonly events: SandboxEvents
  ended = false
  /** Ends the latest invocation. */
  answer: (() => void) | undefined
  readonly answers: (() => void)[] = []

  constructor(functionName: string, events: SandboxEvents) {
    this.functionName = functionName
    this.events = events
  }

  invoke(): Promise<InvocationResult> {
    return new Promise((resolve) => {
      this.answer = () => resolve({ kind: 'response', body: new Uint8Array(), logTail: '' })
      this.answers.push(this.answer)
    })
  }

  async end(): Promise<void> {
    this.ended = true
    this.events.ended(undefined)
  }
}

interface Bench {
  readonly pool: Pool
  readonly processes: FakeProcess[]
  /** Moves the clock and fires what is due. */
  advance(ms: number): void
  readonly alive: () => number
}

function bench(processLimit = 100): Bench {
  const processes: FakeProcess[] = []
  let now = 0
  let alarms: { readonly dueMs: number; readonly call: () => void }[] = []
  const pool = createPool({
    start: (of, events) => {
      const process = new FakeProcess(of.name, events)
      processes.push(process)
      return process
    },
    clock: { now: () => now },
    timers: {
      at: (dueMs, call) => {
        const alarm = { dueMs, call }
        alarms.push(alarm)
        return () => {
          alarms = alarms.filter((other) => other !== alarm)
        }
      },
    },
    processLimit,
    idleMs: 1000,
  })
  return {
    pool,
    processes,
    advance: (ms) => {
      now += ms
      const due = alarms.filter(({ dueMs }) => dueMs <= now)
      alarms = alarms.filter(({ dueMs }) => dueMs > now)
      for (const { call } of due) call()
    },
    alive: () => processes.filter(({ ended }) => !ended).length,
  }
}

/** A reservation whose grant can be seen. */
function reserve(pool: Pool, of: FunctionVersion, tenant?: string, signal: AbortSignal = never) {
  const reservation: { slot?: Slot; readonly promise: Promise<void> } = {
    promise: pool.reserve(of, tenant, signal).then((slot) => {
      reservation.slot = slot
    }),
  }
  return reservation
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function process(bench: Bench, index: number): FakeProcess {
  const found = bench.processes[index]
  if (found === undefined) throw new Error(`process ${index} was not started; there are ${bench.processes.length}`)
  return found
}

test('the versions of a function share its concurrency, and have processes of their own', async () => {
  const b = bench()
  const one = version('f', { version: '1', arn: 'arn:f:1' })
  const two = version('f', { version: '2', arn: 'arn:f:2' })
  const [first, second, third] = [reserve(b.pool, one), reserve(b.pool, two), reserve(b.pool, two)]
  for (const started of b.processes) started.events.idle()
  await settled()
  assert.ok(first.slot !== undefined && second.slot !== undefined)
  assert.equal(third.slot, undefined, 'two invocations run, of whatever version')
  assert.deepEqual(
    b.pool.loads().map(({ functionName, running, waiting }) => [functionName, running, waiting]),
    [['f', 2, 1]],
  )
  first.slot.release()
  await settled()
  assert.ok(third.slot !== undefined)
})

test('other bounds of a version leave its processes as they are', async () => {
  const b = bench()
  const f = version('f', { concurrency: 1 })
  const [first, second] = [reserve(b.pool, f), reserve(b.pool, f)]
  process(b, 0).events.idle()
  await settled()
  assert.ok(first.slot !== undefined)
  assert.equal(second.slot, undefined)
  b.pool.rebound({ ...f, concurrency: 2 })
  process(b, 1).events.idle()
  await settled()
  assert.ok(second.slot !== undefined)
  assert.equal(b.alive(), 2)
})

test('a removed version is forgotten with its last process', async () => {
  const b = bench()
  const f = version('f')
  const busy = reserve(b.pool, f)
  process(b, 0).events.idle()
  await settled()
  b.pool.remove(f)
  assert.equal(b.pool.loads().length, 1, 'an invocation of it still runs')
  busy.slot?.release()
  assert.deepEqual(b.pool.loads(), [])
  assert.equal(b.alive(), 0)
})

test('first come, first served, by whichever process is ready first', async () => {
  const b = bench()
  const f = version('f')
  const order: number[] = []
  const reservations = [0, 1, 2].map((n) => {
    const reservation = reserve(b.pool, f)
    void reservation.promise.then(() => order.push(n))
    return reservation
  })
  assert.equal(b.processes.length, 2, 'as many as the concurrency allows')
  process(b, 1).events.idle()
  await settled()
  assert.deepEqual(order, [0])
  const running = reservations[0]?.slot?.run({ requestId: 'r', event: '{}' })
  process(b, 1).answer?.()
  await running
  assert.deepEqual(order, [0], 'an answer is not yet a process that asks for more')
  process(b, 1).events.idle()
  await settled()
  assert.deepEqual(order, [0, 1])
  process(b, 0).events.idle()
  await settled()
  assert.deepEqual(order, [0, 1, 2])
  assert.equal(b.processes.length, 2)
})

test('a process that is on its way is waited for, not doubled', async () => {
  const b = bench()
  const f = version('f', { concurrency: 10 })
  const first = reserve(b.pool, f)
  process(b, 0).events.idle()
  await first.promise
  const running = first.slot?.run({ requestId: 'r', event: '{}' })
  process(b, 0).answer?.()
  await running
  const second = reserve(b.pool, f)
  assert.equal(b.processes.length, 1, 'the one that just answered will ask in a moment')
  process(b, 0).events.ended(undefined)
  assert.equal(b.processes.length, 2, 'it ended instead')
  process(b, 1).events.idle()
  await second.promise
})

test('a process that works on after its answer is not waited for', async () => {
  const b = bench()
  const f = version('f')
  const first = reserve(b.pool, f)
  process(b, 0).events.idle()
  await first.promise
  const running = first.slot?.run({ requestId: 'r', event: '{}' })
  process(b, 0).answer?.()
  await running
  const second = reserve(b.pool, f)
  assert.equal(b.processes.length, 1)
  b.advance(50)
  assert.equal(b.processes.length, 2)
  process(b, 1).events.idle()
  await second.promise
})

test('a failed start goes to one reservation, the others go on', async () => {
  const b = bench()
  const f = version('f', { concurrency: 1 })
  const [first, second] = [reserve(b.pool, f), reserve(b.pool, f)]
  const failed: InvocationResult = { kind: 'error', error: { ErrorType: 'X' }, body: '{}', logTail: '' }
  process(b, 0).events.ended({ resultFor: () => failed })
  await first.promise
  assert.equal(await first.slot?.run({ requestId: 'r', event: '{}' }), failed)
  assert.equal(second.slot, undefined)
  process(b, 1).events.idle()
  await second.promise
})

test('room for another tenant is made by ending the longest idle process of the function', async () => {
  const b = bench()
  const f = version('f', { concurrency: 2, perTenant: true })
  for (const tenant of ['a', 'b']) {
    const reservation = reserve(b.pool, f, tenant)
    process(b, b.processes.length - 1).events.idle()
    await reservation.promise
    reservation.slot?.release()
    b.advance(1)
  }
  reserve(b.pool, f, 'c')
  assert.deepEqual(
    b.processes.map(({ ended }) => ended),
    [true, false, false],
  )
})

test('the process limit: idle processes of others make room, busy ones are waited for, the longest waiting goes first', async () => {
  const b = bench(2)
  const [f, g, h] = [version('f'), version('g'), version('h')]
  const [forF, forG] = [reserve(b.pool, f), reserve(b.pool, g)]
  process(b, 0).events.idle()
  process(b, 1).events.idle()
  await Promise.all([forF.promise, forG.promise])
  const forH = reserve(b.pool, h)
  const againForF = reserve(b.pool, f)
  assert.equal(b.processes.length, 2, 'both are busy')
  forG.slot?.release()
  assert.equal(process(b, 1).ended, true, "g's process made room")
  assert.equal(process(b, 2).functionName, 'h')
  assert.equal(b.alive(), 2)
  process(b, 2).events.idle()
  await forH.promise
  assert.equal(againForF.slot, undefined)
  forF.slot?.release()
  await againForF.promise
  assert.equal(b.processes.length, 3)
})

test('idle processes end after a while, the busy ones stay', async () => {
  const b = bench()
  const f = version('f')
  const [first, second] = [reserve(b.pool, f), reserve(b.pool, f)]
  process(b, 0).events.idle()
  process(b, 1).events.idle()
  await Promise.all([first.promise, second.promise])
  first.slot?.release()
  b.advance(600)
  assert.equal(b.alive(), 2)
  b.advance(400)
  assert.deepEqual(
    b.processes.map(({ ended }) => ended),
    [true, false],
  )
  second.slot?.release()
  b.advance(999)
  assert.equal(b.alive(), 1)
  b.advance(1)
  assert.equal(b.alive(), 0)
})

test('an idle process that dies is replaced when it is needed', async () => {
  const b = bench()
  const f = version('f')
  const first = reserve(b.pool, f)
  process(b, 0).events.idle()
  await first.promise
  first.slot?.release()
  process(b, 0).events.ended(undefined)
  const second = reserve(b.pool, f)
  process(b, 1).events.idle()
  await second.promise
})

test('a burst starts a few processes at a time', () => {
  const b = bench()
  const f = version('f', { concurrency: 100 })
  for (let n = 0; n < 50; n += 1) reserve(b.pool, f)
  const atOnce = b.processes.length
  assert.ok(atOnce >= 2 && atOnce < 50, `${atOnce} at once`)
  process(b, 0).events.idle()
  assert.equal(b.processes.length, atOnce + 1)
})

test('a function whose processes hang while starting does not hold up another', async () => {
  const b = bench()
  const stuck = version('stuck', { concurrency: 100 })
  for (let n = 0; n < 50; n += 1) reserve(b.pool, stuck)
  const hanging = b.processes.length
  const fine = reserve(b.pool, version('fine'))
  process(b, hanging).events.idle()
  await fine.promise
})

test('a process of several places serves as many reservations before another one starts', async () => {
  const b = bench()
  const f = version('f', { concurrency: 5, maxConcurrency: 2 })
  const reservations = Array.from({ length: 6 }, () => reserve(b.pool, f))
  for (let started = 0; started < b.processes.length && started < 5; started += 1) {
    process(b, started).events.idle()
    process(b, started).events.idle()
    await settled()
  }
  assert.equal(b.processes.length, 3, 'five places in processes of two')
  assert.equal(
    reservations.filter(({ slot }) => slot !== undefined).length,
    5,
    'the concurrency bounds, not the places',
  )
  assert.equal(b.pool.loads()[0]?.running, 5)
  reservations[0]?.slot?.release()
  await settled()
  assert.ok(reservations[5]?.slot !== undefined)
})

test('the next question may come before the answer has been told: places and bounds are counted right', async () => {
  const b = bench()
  const f = version('f', { concurrency: 1 })
  const [first, second] = [reserve(b.pool, f), reserve(b.pool, f)]
  process(b, 0).events.idle()
  await first.promise
  const running = first.slot?.run({ requestId: 'r', event: '{}' })
  process(b, 0).answer?.()
  process(b, 0).events.idle()
  assert.equal(second.slot, undefined)
  await running
  await second.promise
  assert.equal(b.processes.length, 1)
})

test('the process with the fewest invocations is taken', async () => {
  const b = bench()
  const f = version('f', { concurrency: 4, maxConcurrency: 2 })
  const [first, second, third] = [reserve(b.pool, f), reserve(b.pool, f), reserve(b.pool, f)]
  for (const { events } of [...b.processes, ...b.processes]) events.idle()
  await Promise.all([first.promise, second.promise, third.promise])
  assert.equal(b.processes.length, 2)
  first.slot?.release()
  second.slot?.release()
  third.slot?.release()
  const runs = await Promise.all([1, 2].map(() => b.pool.reserve(f, undefined, never)))
  for (const slot of runs) void slot.run({ requestId: 'r', event: '{}' })
  assert.deepEqual(
    b.processes.map(({ answers }) => answers.length),
    [1, 1],
  )
})

test('how long the first of those who wait has waited', async () => {
  const b = bench()
  const f = version('f', { concurrency: 1 })
  const first = reserve(b.pool, f)
  b.advance(30)
  reserve(b.pool, f)
  b.advance(12)
  assert.deepEqual(b.pool.loads(), [
    { functionName: 'f', running: 0, processes: 1, idleProcesses: 0, waiting: 2, oldestWaitMs: 42 },
  ])
  process(b, 0).events.idle()
  await first.promise
  assert.deepEqual(b.pool.loads(), [
    { functionName: 'f', running: 1, processes: 1, idleProcesses: 0, waiting: 1, oldestWaitMs: 12 },
  ])
})

test('replaced code: idle processes end, a busy one serves nobody else and ends when it is idle', async () => {
  const b = bench()
  const f = version('f', { concurrency: 2 })
  const [busy, idle] = [reserve(b.pool, f), reserve(b.pool, f)]
  process(b, 0).events.idle()
  process(b, 1).events.idle()
  await Promise.all([busy.promise, idle.promise])
  idle.slot?.release()
  const running = busy.slot?.run({ requestId: 'r', event: '{}' })
  b.pool.replace(f)
  assert.deepEqual(
    b.processes.map(({ ended }) => ended),
    [false, true],
  )
  const next = reserve(b.pool, f)
  process(b, 2).events.idle()
  await next.promise
  process(b, 0).answer?.()
  await running
  process(b, 0).events.idle()
  assert.equal(process(b, 0).ended, true)
})

test('a removed function refuses who waits; its idle processes end', async () => {
  const b = bench()
  const f = version('f', { concurrency: 1 })
  const first = reserve(b.pool, f)
  process(b, 0).events.idle()
  await first.promise
  const waiting = assert.rejects(b.pool.reserve(f, undefined, never), /"f" was removed/)
  b.pool.remove(f)
  await waiting
  assert.equal(b.alive(), 1, 'what runs may end')
  first.slot?.release()
  assert.equal(b.alive(), 0)
})

test('warm processes are kept beyond the idle time, up to the number, and replaced after a second', () => {
  const b = bench()
  const f = version('f', { concurrency: 3 })
  b.pool.keepWarm(f, 2)
  assert.equal(b.processes.length, 2)
  for (const { events } of b.processes) events.idle()
  b.advance(5_000)
  assert.equal(b.alive(), 2)
  void process(b, 0).end()
  assert.equal(b.processes.length, 2)
  b.advance(1_000)
  assert.equal(b.processes.length, 3)
})

test('closing refuses who waits and ends everything', async () => {
  const b = bench()
  const f = version('f', { concurrency: 1 })
  const first = reserve(b.pool, f)
  process(b, 0).events.idle()
  await first.promise
  const waiting = assert.rejects(b.pool.reserve(f, undefined, never), /shutting down/)
  await b.pool.close()
  await waiting
  assert.equal(b.alive(), 0)
  await assert.rejects(b.pool.reserve(f, undefined, never), /shutting down/)
})

test('random lives: the bounds hold at every step, order is kept within a function, and everybody is served', async () => {
  for (let seed = 1; seed <= 30; seed += 1) await randomLives(seed)
})

async function randomLives(seed: number): Promise<void> {
  let state = seed
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >>> 8) % below
  }
  const limit = 4
  const b = bench(limit)
  const functions = [version('f', { concurrency: 3 }), version('g', { concurrency: 2, perTenant: true })]
  const granted = functions.map((): number[] => [])
  const held: { readonly slot: Slot; done?: Promise<unknown> }[] = []
  let wanted = 0
  const check = (): void => {
    assert.ok(b.alive() <= limit, `seed ${seed}: ${b.alive()} processes`)
    for (const of of functions) {
      const own = b.processes.filter(({ ended, functionName }) => !ended && functionName === of.name).length
      assert.ok(own <= of.concurrency, `seed ${seed}: ${own} processes of ${of.name}`)
    }
  }
  const step = async (): Promise<void> => {
    const living = b.processes.filter(({ ended }) => !ended)
    const one = living[random(Math.max(1, living.length))]
    switch (random(5)) {
      case 0: {
        const which = random(functions.length)
        const of = functions[which]
        if (of === undefined || wanted > 200) break
        const number = wanted++
        const slot = b.pool.reserve(of, of.perTenant ? `t${random(3)}` : undefined, never)
        void slot.then((taken) => {
          granted[which]?.push(number)
          held.push({ slot: taken })
        })
        break
      }
      case 1:
        if (one !== undefined && started(one)) one.events.idle()
        break
      case 2: {
        const taken = held.splice(random(Math.max(1, held.length)), 1)[0]
        taken?.slot.release()
        break
      }
      case 3: {
        const taken = held.splice(random(Math.max(1, held.length)), 1)[0]
        void taken?.slot.run({ requestId: 'r', event: '{}' })
        break
      }
      default:
        if (one?.answer !== undefined) {
          one.answer()
          one.answer = undefined
          await settled()
          one.events.idle()
        }
    }
    await settled()
    check()
  }
  const idleOnce = new Set<FakeProcess>()
  const started = (process: FakeProcess): boolean => {
    if (idleOnce.has(process)) return false
    idleOnce.add(process)
    return true
  }
  for (let n = 0; n < 400; n += 1) await step()
  // Everybody answers from here on.
  for (let n = 0; n < 2000 && granted.flat().length < wanted; n += 1) {
    for (const living of b.processes.filter(({ ended }) => !ended)) {
      if (started(living)) living.events.idle()
      if (living.answer !== undefined) {
        living.answer()
        living.answer = undefined
        await settled()
        living.events.idle()
      }
    }
    await settled()
    for (const { slot } of held.splice(0)) slot.release()
    check()
  }
  assert.equal(granted.flat().length, wanted, `seed ${seed}: everybody is served`)
  const first = granted[0] ?? []
  assert.deepEqual(
    first,
    [...first].sort((x, y) => x - y),
    `seed ${seed}: in order of arrival`,
  )
}
