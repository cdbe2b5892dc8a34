import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Admission, type Hold } from './admission.ts'
import { FunctionQueues } from './function-queues.ts'

const LIMITS = { bodyBytesInFlight: 100, invokesInFlight: 2, requestsInFlight: 2 }
const stays = { signal: new AbortController().signal }
const BUSY = { name: 'TooManyRequestsException', message: 'Rate Exceeded.' }

/** Admitted without waiting. */
function atOnce(hold: Hold | Promise<Hold>): Hold {
  assert.ok(!(hold instanceof Promise), 'was queued')
  return hold
}

function queued(hold: Hold | Promise<Hold>): Promise<Hold> {
  assert.ok(hold instanceof Promise, 'was admitted')
  return hold
}

describe('admission', () => {
  test('[decision 18] Invokes beyond the limit are refused, and taken again when one has left', () => {
    const admission = new Admission(LIMITS)
    const first = admission.invoke(1)
    admission.invoke(1)
    assert.throws(() => admission.invoke(1), BUSY)
    first.release()
    admission.invoke(1)
  })

  test('[decision 18] other requests wait their turn, and Invokes are shed while they do', async () => {
    const admission = new Admission(LIMITS)
    const first = atOnce(admission.request(10, stays))
    atOnce(admission.request(10, stays))
    const third = queued(admission.request(10, stays))
    const fourth = queued(admission.request(10, stays))
    assert.throws(() => admission.invoke(1), BUSY)
    first.release()
    const hold = await third
    assert.equal(admission.queued, 1)
    hold.release()
    await fourth
  })

  test('bytes count too, and a small request does not overtake a large one', async () => {
    const admission = new Admission({ ...LIMITS, requestsInFlight: 100 })
    const first = atOnce(admission.request(60, stays))
    const large = queued(admission.request(60, stays))
    const small = queued(admission.request(1, stays))
    first.release()
    await large
    await small
  })

  test('one request larger than the whole budget is let in alone', async () => {
    const admission = new Admission(LIMITS)
    const huge = atOnce(admission.request(1_000, stays))
    const next = queued(admission.request(1, stays))
    huge.release()
    await next
  })

  test('a client that goes leaves the queue and lets those behind it pass', async () => {
    const admission = new Admission({ ...LIMITS, requestsInFlight: 100 })
    atOnce(admission.request(60, stays))
    const controller = new AbortController()
    const large = queued(admission.request(60, { signal: controller.signal }))
    const small = queued(admission.request(1, stays))
    const reason = new Error('gone')
    controller.abort(reason)
    await assert.rejects(large, reason)
    await small
    assert.equal(admission.queued, 0)
  })

  test('a client that has gone already is not queued', async () => {
    const admission = new Admission({ ...LIMITS, requestsInFlight: 0 })
    const reason = new Error('gone')
    await assert.rejects(queued(admission.request(1, { signal: AbortSignal.abort(reason) })), reason)
    assert.equal(admission.queued, 0)
  })

  test('a hold given back twice counts once', () => {
    const admission = new Admission({ ...LIMITS, invokesInFlight: 1 })
    const first = admission.invoke(1)
    first.release()
    first.release()
    admission.invoke(1)
    assert.throws(() => admission.invoke(1), BUSY)
  })

  test('whatever the order of arrivals, releases and departures, nobody is forgotten', async () => {
    const step = fc.record({
      act: fc.constantFrom('request', 'invoke', 'release', 'leave'),
      bytes: fc.nat(150),
      pick: fc.nat(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const admission = new Admission(LIMITS)
        const holds: Hold[] = []
        const waiting: AbortController[] = []
        for (const { act, bytes, pick } of steps) {
          if (act === 'request') {
            const controller = new AbortController()
            const hold = admission.request(bytes, controller)
            if (hold instanceof Promise) {
              waiting.push(controller)
              hold.then(
                (admitted) => holds.push(admitted),
                () => {},
              )
            } else holds.push(hold)
          } else if (act === 'invoke') {
            try {
              holds.push(admission.invoke(bytes))
            } catch (error) {
              assert.equal((error as Error).name, 'TooManyRequestsException')
            }
          } else if (act === 'release') holds.splice(pick % (holds.length + 1), 1)[0]?.release()
          else waiting.splice(pick % (waiting.length + 1), 1)[0]?.abort(new Error('gone'))
          await Promise.resolve()
        }
        while (holds.length > 0) {
          holds.pop()?.release()
          await Promise.resolve()
          await Promise.resolve()
        }
        assert.equal(admission.queued, 0)
        atOnce(admission.request(100, stays))
      }),
    )
  })
})

describe('queues of plain functions', () => {
  test('[I7] a function fills its own queue and nobody else’s', () => {
    const queues = new FunctionQueues({ queuedPerFunction: 2, queuedBytesPerFunction: 100 })
    const first = queues.enter('slow', 1)
    queues.enter('slow', 1)
    assert.throws(() => queues.enter('slow', 1), BUSY)
    queues.enter('other', 1)
    first.release()
    queues.enter('slow', 1)
  })

  test('its bytes are bounded, but for one that comes alone', () => {
    const queues = new FunctionQueues({ queuedPerFunction: 9, queuedBytesPerFunction: 100 })
    const large = queues.enter('f', 500)
    assert.throws(() => queues.enter('f', 1), BUSY)
    large.release()
    queues.enter('f', 99)
    assert.throws(() => queues.enter('f', 2), BUSY)
  })
})
