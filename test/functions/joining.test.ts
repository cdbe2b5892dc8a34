/** The pool's promises about processes that were started elsewhere, with processes that the test moves by hand. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { createPool, type Pool } from '../../src/functions/pool.ts'
import type { Sandbox, SandboxEvents } from '../../src/functions/sandbox.ts'
import type { FunctionVersion, InvocationResult, Slot } from '../../src/service/ports.ts'

const never = new AbortController().signal

const version = (options: Partial<FunctionVersion> = {}): FunctionVersion => ({
  name: 'f',
  version: '$LATEST',
  arn: 'arn:f:$LATEST',
  timeoutSeconds: 1,
  memoryMb: 128,
  concurrency: 2,
  durable: undefined,
  perTenant: false,
  ...options,
})

class FakeProcess implements Sandbox {
  readonly events: SandboxEvents
  ended = false
  answer = (): void => {}

  constructor(events: SandboxEvents) {
    this.events = events
  }

  invoke(): Promise<InvocationResult> {
    return new Promise((resolve) => {
      this.answer = () => resolve({ kind: 'response', body: new Uint8Array(), logTail: '' })
    })
  }

  async end(): Promise<void> {
    this.ended = true
    this.events.ended(undefined)
  }
}

function bench(startsHere: () => boolean = () => false) {
  const started: FakeProcess[] = []
  let now = 0
  let alarms: { readonly dueMs: number; readonly call: () => void }[] = []
  const pool = createPool({
    start: (_, events) => {
      const process = new FakeProcess(events)
      started.push(process)
      return process
    },
    startsHere,
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
    processLimit: 1,
    idleMs: 1_000,
  })
  return {
    pool,
    started,
    join: (of: FunctionVersion): FakeProcess => {
      let joined: FakeProcess | undefined
      pool.join(of, (events) => {
        joined = new FakeProcess(events)
        return joined
      })
      assert.ok(joined !== undefined)
      return joined
    },
    advance: (ms: number): void => {
      now += ms
      const due = alarms.filter(({ dueMs }) => dueMs <= now)
      alarms = alarms.filter(({ dueMs }) => dueMs > now)
      for (const { call } of due) call()
    },
  }
}

/** A reservation whose grant can be seen. */
function reserve(pool: Pool, of: FunctionVersion, tenant?: string) {
  const reservation: { slot?: Slot } = {}
  void pool.reserve(of, tenant, never).then((slot) => {
    reservation.slot = slot
  })
  return reservation
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const request = { requestId: 'r', event: '{}' }

test('a reservation waits for a process to join, and none is started for it', async () => {
  const b = bench()
  const waiting = reserve(b.pool, version())
  await settled()
  assert.equal(b.started.length, 0)
  const joined = b.join(version())
  await settled()
  assert.equal(waiting.slot, undefined, 'it has not asked for an event yet')
  joined.events.idle()
  await settled()
  assert.ok(waiting.slot !== undefined)
})

test('those that join count in no limit of processes, but in the concurrency of the function', async () => {
  const b = bench()
  const processes = [b.join(version()), b.join(version()), b.join(version())]
  for (const { events } of processes) events.idle()
  const reservations = [1, 2, 3].map(() => reserve(b.pool, version()))
  await settled()
  assert.deepEqual(
    reservations.map(({ slot }) => slot !== undefined),
    [true, true, false],
  )
  reservations[0]?.slot?.release()
  await settled()
  assert.ok(reservations[2]?.slot !== undefined)
})

test('idle ones stay, however long', async () => {
  const b = bench()
  const joined = b.join(version())
  joined.events.idle()
  b.advance(1_000_000)
  await settled()
  assert.equal(joined.ended, false)
})

test('one that is leaving is ended when it is idle, and what was promised to it is kept', async () => {
  const b = bench()
  const [idle, busy] = [b.join(version()), b.join(version())]
  busy.events.idle()
  const promised = reserve(b.pool, version())
  await settled()
  idle.events.idle()
  for (const { events } of [idle, busy]) events.leaving()
  const next = reserve(b.pool, version())
  await settled()
  assert.equal(idle.ended, true)
  assert.equal(busy.ended, false, 'a slot was granted that is not used yet')
  assert.equal(next.slot, undefined)
  const result = promised.slot?.run(request)
  await settled()
  busy.answer()
  assert.equal((await result)?.kind, 'response')
  busy.events.idle()
  await settled()
  assert.equal(busy.ended, true)
})

test('a function that runs here gives way while others serve it, and comes back', async () => {
  let here = true
  const b = bench(() => here)
  const first = reserve(b.pool, version())
  await settled()
  const [own] = b.started
  own?.events.idle()
  await settled()
  first.slot?.release()
  here = false
  const joined = b.join(version())
  joined.events.idle()
  b.pool.reconsider(version())
  await settled()
  assert.equal(own?.ended, true)
  const second = reserve(b.pool, version())
  await settled()
  assert.ok(second.slot !== undefined)
  second.slot.release()
  await joined.end()
  const third = reserve(b.pool, version())
  await settled()
  assert.equal(third.slot, undefined)
  here = true
  b.pool.reconsider(version())
  b.started[1]?.events.idle()
  await settled()
  assert.ok(third.slot !== undefined)
})

test('new code does not touch what runs elsewhere', async () => {
  const b = bench()
  const joined = b.join(version())
  joined.events.idle()
  b.pool.replace(version())
  await settled()
  assert.equal(joined.ended, false)
})

test('one belongs to the tenant that it first serves; another tenant makes it end, once', async () => {
  const b = bench()
  const of = version({ perTenant: true })
  const [first, second] = [b.join(of), b.join(of)]
  for (const { events } of [first, second]) events.idle()
  const acme = [reserve(b.pool, of, 'acme'), reserve(b.pool, of, 'acme')]
  await settled()
  for (const { slot } of acme) slot?.release()
  const zeta = reserve(b.pool, of, 'zeta')
  await settled()
  const ended = [first, second].filter((each) => each.ended)
  assert.equal(ended.length, 1, 'one makes room, and the other waits for what comes of it')
  assert.equal(zeta.slot, undefined)
  const third = b.join(of)
  third.events.idle()
  await settled()
  assert.ok(zeta.slot !== undefined)
  const again = reserve(b.pool, of, 'acme')
  await settled()
  assert.ok(again.slot !== undefined, 'its own process is still there')
})

test('when nobody joins in the place of one that made room, the next does', async () => {
  const b = bench()
  const of = version({ perTenant: true })
  const processes = [b.join(of), b.join(of)]
  for (const { events } of processes) events.idle()
  const acme = [reserve(b.pool, of, 'acme'), reserve(b.pool, of, 'acme')]
  await settled()
  for (const { slot } of acme) slot?.release()
  reserve(b.pool, of, 'zeta')
  await settled()
  b.advance(2_000)
  await settled()
  assert.ok(processes.every(({ ended }) => ended))
})

test('why one could not be started is told to whoever waits, of whatever tenant', async () => {
  const b = bench()
  const of = version({ perTenant: true })
  const waiting = reserve(b.pool, of, 'acme')
  const joined = b.join(of)
  const told: InvocationResult = { kind: 'platform', error: { ErrorMessage: 'why' }, logTail: '' }
  joined.events.ended({ resultFor: async () => told })
  await settled()
  assert.equal(await waiting.slot?.run(request), told)
})
