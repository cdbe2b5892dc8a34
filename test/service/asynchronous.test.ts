/** Asynchronous invocations by their configuration (spec 07 §7.7), and whom their rows hold up: nobody else. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Fifo } from '../../src/service/fifo.ts'
import { FunctionError, ScriptedFunctions } from './scripted-functions.ts'
import { invoke } from './updates.ts'
import { World } from './world.ts'

const MINUTE_MS = 60_000

const fails = async (): Promise<string> => {
  throw new FunctionError({ ErrorType: 'Oops', ErrorMessage: 'no' })
}

const enqueue = (world: World, { name = 'plain', qualifier = '$LATEST' } = {}) =>
  world.service.enqueuePlain({ target: world.functions.target(name), qualifier, payload: '{"n":1}' })

const rowsOf = (world: World) => world.disk.listOutbox({ afterId: '', limit: 10 })

describe('retries of an asynchronous invocation', () => {
  it('are as many as the configuration of the qualifier says, and of no other', async () => {
    const functions = new ScriptedFunctions()
      .plain('plain', fails)
      .configure('plain', { retryAttempts: 0 })
      .configure('plain', { retryAttempts: 1 }, 'live')
    const world = await World.open({ functions })
    for (const [qualifier, attempts] of [
      ['$LATEST', 1],
      ['live', 2],
      ['other', 3],
    ] as const) {
      const before = functions.invocationsOf('plain')
      await enqueue(world, { qualifier })
      await world.clock.advance(10 * MINUTE_MS)
      assert.equal(functions.invocationsOf('plain') - before, attempts, qualifier)
      assert.deepEqual(await rowsOf(world), [])
    }
  })

  it('follow the configuration as it is when they are due', async () => {
    const world = await World.open({ functions: new ScriptedFunctions().plain('plain', fails) })
    await enqueue(world)
    await world.clock.advance(MINUTE_MS)
    assert.equal(world.functions.invocationsOf('plain'), 2)
    world.functions.configure('plain', { retryAttempts: 1 })
    await enqueue(world)
    await world.clock.advance(10 * MINUTE_MS)
    // The one that is tried for the third time was promised so when it failed; the other ends with its second try.
    assert.equal(world.functions.invocationsOf('plain'), 5)
  })

  it('wait after a process could not be had, and do not count', async () => {
    let tries = 0
    const functions = new ScriptedFunctions().configure('plain', { retryAttempts: 0 }).plain('plain', async () => {
      tries += 1
      if (tries < 4) throw new FunctionError({ ErrorMessage: 'no process' }, 'platform')
      return 'null'
    })
    const world = await World.open({ functions })
    await enqueue(world)
    for (const [ms, expected] of [
      [999, 1],
      [1, 2],
      [1_999, 2],
      [1, 3],
      [3_999, 3],
      [1, 4],
    ] as const) {
      await world.clock.advance(ms)
      assert.equal(tries, expected)
    }
    assert.deepEqual(await rowsOf(world), [])
  })
})

describe('the age of an event', () => {
  it('ends an invocation that waits for its next try', async () => {
    const functions = new ScriptedFunctions().plain('plain', fails).configure('plain', { eventAgeSeconds: 90 })
    const world = await World.open({ functions })
    await enqueue(world)
    await world.clock.advance(90_000 - 1)
    assert.equal(functions.invocationsOf('plain'), 2)
    assert.equal((await rowsOf(world)).length, 1)
    await world.clock.advance(1)
    assert.deepEqual(await rowsOf(world), [])
    assert.equal(functions.invocationsOf('plain'), 2)
    assert.match(world.log.at(-1)?.message ?? '', /was dropped: it is too old$/)
  })

  it('ends one that waits for a place, and lets the next one have it', async () => {
    let finish = (): void => {}
    const functions = new ScriptedFunctions().configure('plain', { eventAgeSeconds: 60 }).plain(
      'plain',
      () =>
        new Promise((resolve) => {
          finish = () => resolve('null')
        }),
      { concurrency: 1 },
    )
    const world = await World.open({ functions })
    await enqueue(world)
    await world.clock.advance(1_000)
    await enqueue(world)
    await world.clock.advance(30_000)
    await enqueue(world)
    await world.clock.advance(30_000)
    assert.equal((await rowsOf(world)).length, 2, 'the second is over, the first runs on')
    finish()
    await world.settle()
    assert.equal(functions.invocationsOf('plain'), 2)
    finish()
    await world.settle()
    assert.deepEqual(await rowsOf(world), [])
  })

  it('ends one whose function is not there, also across a crash', async () => {
    const functions = new ScriptedFunctions().plain('plain', fails).configure('plain', { eventAgeSeconds: 600 })
    const world = await World.open({ functions })
    const target = functions.target('plain')
    functions.remove('plain')
    await world.service.enqueuePlain({ target, qualifier: '$LATEST', payload: '1' })
    await world.clock.advance(300_000)
    assert.deepEqual(
      world.service.holds.map(({ jobs }) => jobs),
      [1],
    )
    const next = await world.crash()
    await next.clock.advance(299_999)
    assert.equal((await rowsOf(next)).length, 1)
    await next.clock.advance(1)
    assert.deepEqual(await rowsOf(next), [])
    assert.deepEqual(next.service.holds, [])
  })
})

describe('an event that becomes too old between its queue and a process', () => {
  it('is given up when it gets none', async () => {
    const functions = new ScriptedFunctions().plain('plain', fails).configure('plain', { eventAgeSeconds: 60 })
    const world = await World.open({ functions })
    const target = functions.target('plain')
    functions.remove('plain')
    await world.service.enqueuePlain({ target, qualifier: '$LATEST', payload: '1' })
    await world.clock.advance(59_500)
    functions.failReserves(1)
    functions.plain('plain', fails)
    await world.settle()
    functions.remove('plain')
    await world.clock.advance(1_500)
    assert.deepEqual(
      world.service.holds.map(({ jobs }) => jobs),
      [1],
    )
    await world.clock.advance(5_000)
    assert.deepEqual(world.service.holds, [])
    assert.deepEqual(await rowsOf(world), [])
    assert.equal(functions.invocationsOf('plain'), 0)
  })

  it('is given up at once while it waits for a process that others have, and leaves the next one its place', async () => {
    const functions = new ScriptedFunctions()
      .configure('plain', { eventAgeSeconds: 60 })
      .plain('plain', async () => 'null', { concurrency: 2 })
    const world = await World.open({ functions })
    // Whoever invokes synchronously takes part in the function's concurrency, and not in its queue here.
    const { signal } = new AbortController()
    const slots = [await functions.reserve(functions.target('plain'), undefined, signal)]
    slots.push(await functions.reserve(functions.target('plain'), undefined, signal))
    for (let n = 0; n < 3; n++) await enqueue(world)
    await world.clock.advance(30_000)
    await enqueue(world)
    await world.clock.advance(30_000)
    assert.equal((await rowsOf(world)).length, 1)
    for (const slot of slots) slot.release()
    await world.settle()
    assert.deepEqual(await rowsOf(world), [])
    assert.equal(functions.invocationsOf('plain'), 1)
  })
})

describe('the channels of the outbox', () => {
  it('more than may be known of a function that is not there hold up nothing else, also after a crash', async () => {
    const functions = new ScriptedFunctions().plain('gone', async () => 'null').plain('plain', async () => '"x"')
    functions.durable('parent', async (call) => {
      const ended = call.operations.find(({ Id }) => Id === 'i')
      if (ended === undefined) await call.checkpoint([invoke('i', 'plain')])
      if (ended?.Status !== 'SUCCEEDED') return { Status: 'PENDING' }
      return { Status: 'SUCCEEDED', Result: ended.ChainedInvokeDetails?.Result ?? '' }
    })
    const world = await World.open({ functions })
    const target = functions.target('gone')
    functions.remove('gone')
    for (let posted = 0; posted < 11_000; posted += 1_000) {
      const post = () => world.service.enqueuePlain({ target, qualifier: '$LATEST', payload: '1' })
      await Promise.all(Array.from({ length: 1_000 }, post))
    }
    assert.equal((await world.end(await world.start('parent'))).result, '"x"')
    const next = await world.crash()
    await next.settle()
    assert.equal((await next.end(await next.start('parent'))).result, '"x"')
    assert.equal(next.service.holds[0]?.jobs, 10_000)
    next.functions.plain('gone', async () => 'null', { concurrency: 50 })
    while ((await rowsOf(next)).length > 0) await next.settle()
    assert.equal(new Set(next.functions.requests.map(({ request }) => request.requestId)).size, 11_000 + 3)
    assert.equal(next.functions.invocationsOf('gone'), 11_000)
  })
})

describe('a queue', () => {
  type Entry = { readonly id: string }
  const entries = (count: number): Entry[] => Array.from({ length: count }, (_, n) => ({ id: `${n}` }))
  const filled = (count: number): Fifo<Entry> => {
    const queue = new Fifo<Entry>()
    for (const entry of entries(count)) queue.push(entry)
    return queue
  }
  const rest = (queue: Fifo<Entry>): string[] => {
    const taken: string[] = []
    for (let next = queue.take(); next !== undefined; next = queue.take()) taken.push(next.id)
    return taken
  }

  it('gives what was not removed, in order, while it is filled, emptied and tidied', () => {
    const queue = filled(5_000)
    const taken: string[] = []
    const removed = new Set<string>()
    for (let n = 0; n < 5_000; n++) {
      if (n % 3 === 0 && queue.remove(`${n}`) !== undefined) removed.add(`${n}`)
      if (n % 2 === 0) taken.push(queue.take()?.id ?? '')
    }
    queue.push({ id: 'last' })
    assert.equal(queue.size, 5_001 - taken.length - removed.size)
    const expected = entries(5_000).flatMap(({ id }) => (removed.has(id) ? [] : [id]))
    assert.deepEqual([...taken, ...rest(queue)], [...expected, 'last'])
  })

  it('keeps its order when nearly everything is removed from the middle, again and again', () => {
    const queue = filled(1)
    for (let round = 0; round < 20; round++) {
      for (let n = 0; n < 1_000; n++) queue.push({ id: `${round}/${n}` })
      for (let n = 1; n < 1_000; n++) assert.equal(queue.remove(`${round}/${n}`)?.id, `${round}/${n}`)
    }
    assert.equal(queue.remove('3/7'), undefined)
    assert.deepEqual(rest(queue), ['0', ...Array.from({ length: 20 }, (_, round) => `${round}/0`)])
    assert.equal(queue.take(), undefined)
  })
})
