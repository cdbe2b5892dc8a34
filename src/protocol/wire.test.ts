import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { HistoryEvent, Operation } from './shapes.ts'
import { epochSeconds, wireEvent, wireExecution, wireFunctionError, wireOperation } from './wire.ts'

const MS = 1_764_547_200_123
const S = 1_764_547_200.123

describe('timestamps', () => {
  test('[01 §1.0] have at most three decimals and name their millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
        const text = JSON.stringify(epochSeconds(ms))
        assert.match(text, /^\d+(\.\d{1,3})?$/)
        assert.equal(Math.round(Number(text) * 1000), ms)
      }),
      { numRuns: 5_000 },
    )
  })

  test('[03 §3.4] of operations: all four', () => {
    const step: Operation = {
      Id: 's',
      Type: 'STEP',
      Status: 'PENDING',
      StartTimestamp: MS,
      EndTimestamp: MS,
      StepDetails: { Attempt: 1, NextAttemptTimestamp: MS },
    }
    assert.deepEqual(wireOperation(step), {
      ...step,
      StartTimestamp: S,
      EndTimestamp: S,
      StepDetails: { Attempt: 1, NextAttemptTimestamp: S },
    })
    const wait: Operation = {
      Id: 'w',
      Type: 'WAIT',
      Status: 'STARTED',
      StartTimestamp: MS,
      WaitDetails: { ScheduledEndTimestamp: MS },
    }
    assert.deepEqual(wireOperation(wait), { ...wait, StartTimestamp: S, WaitDetails: { ScheduledEndTimestamp: S } })
  })

  test('[03 §3.6] of events: their own and those in their details; durations stay', () => {
    const wait: HistoryEvent = {
      EventId: 2,
      EventType: 'WaitStarted',
      EventTimestamp: MS,
      WaitStartedDetails: { Duration: 5, ScheduledEndTimestamp: MS },
    }
    assert.deepEqual(wireEvent(wait), {
      ...wait,
      EventTimestamp: S,
      WaitStartedDetails: { Duration: 5, ScheduledEndTimestamp: S },
    })
    const started: HistoryEvent = {
      EventId: 1,
      EventType: 'ExecutionStarted',
      EventTimestamp: MS,
      ExecutionStartedDetails: { ExecutionTimeout: 900, Input: { Payload: '{"StartTimestamp":1}', Truncated: false } },
    }
    assert.deepEqual(wireEvent(started), { ...started, EventTimestamp: S })
  })

  test('[03 §3.7] of executions', () => {
    assert.deepEqual(wireExecution({ StartTimestamp: MS, EndTimestamp: MS }), { StartTimestamp: S, EndTimestamp: S })
    assert.deepEqual(wireExecution({ StartTimestamp: MS }), { StartTimestamp: S })
  })

  test('nothing of the original is changed, absent members stay absent', () => {
    const wait: Operation = Object.freeze({
      Id: 'w',
      Type: 'WAIT',
      Status: 'STARTED',
      StartTimestamp: MS,
      WaitDetails: Object.freeze({}),
    })
    const wire = wireOperation(wait)
    assert.deepEqual(Object.keys(wire), Object.keys(wait))
    assert.deepEqual(wire.WaitDetails, {})
  })
})

test('[07 §7.4] a function error is lower camel case without what is absent', () => {
  assert.deepEqual(wireFunctionError({ ErrorType: 't', ErrorData: 'd' }), { errorType: 't' })
  assert.deepEqual(wireFunctionError(undefined), {})
})
