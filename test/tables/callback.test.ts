/** Spec 04 §4.11 with 08 §8.4–8.5: callbacks, completed from outside or by their timers. */
import assert from 'node:assert/strict'
import type { Operation } from '../../src/protocol/shapes.ts'
import { type Execution, inMs, only } from './execution.ts'
import { row, tables } from './harness.ts'
import { boom, callback } from './updates.ts'

const TIMED_OUT = { ErrorType: 'Callback.Timeout', ErrorMessage: 'Callback timed out' }
const HEARTBEAT_MISSED = { ErrorType: 'Callback.Heartbeat', ErrorMessage: 'Callback timed out on heartbeat' }

const idOf = (operation: Operation): string => {
  const id = operation.CallbackDetails?.CallbackId
  assert.ok(id !== undefined, 'the operation has a CallbackId')
  return id
}

/** Starts callback k1 and tells its id. */
async function started(run: Execution, options?: Parameters<typeof callback.start>[1]): Promise<string> {
  return idOf(await run.checkpointed('k1', [callback.start('k1', options)]))
}

tables('CALLBACK (04 §4.11)', (server) => {
  for (const [variation, options, details] of [
    ['without options', undefined, {}],
    ['both timeouts', { TimeoutSeconds: 60, HeartbeatTimeoutSeconds: 10 }, { Timeout: 60, HeartbeatTimeout: 10 }],
    ['timeout only', { TimeoutSeconds: 60 }, { Timeout: 60 }],
  ] as const) {
    row('04-4.11-START', variation, async () => {
      await using run = await server.execution()
      const operation = inMs(await run.checkpointed('k1', [callback.start('k1', options, { Name: 'approval' })]))
      const CallbackId = idOf(operation)
      assert.match(CallbackId, /^[A-Za-z0-9+/]+={0,2}$/)
      assert.ok(CallbackId.length <= 1024)
      assert.deepEqual(operation, {
        Id: 'k1',
        Name: 'approval',
        Type: 'CALLBACK',
        SubType: 'Callback',
        Status: 'STARTED',
        StartTimestamp: server.nowMs,
        CallbackDetails: { CallbackId },
      })
      assert.deepEqual(await run.details('CallbackStarted', 'k1'), { CallbackId, ...details })
    })
  }

  row('04-4.11-START-existing', async () => {
    await using run = await server.execution()
    const id = await started(run)
    const message = 'Cannot start a CALLBACK that already exist.'
    await run.refused([callback.start('k1')], message)
    await server.callbackAccepted(id, 'succeed', '1')
    await run.checkpoint([])
    await run.refused([callback.start('k1')], message)
  })

  row('04-4.11-START-payload', async () => {
    await using run = await server.execution()
    const operation = await run.checkpointed('k1', [callback.start('k1', {}, { Payload: '"ignored"' })])
    assert.deepEqual(Object.keys(operation.CallbackDetails ?? {}), ['CallbackId'])
    await server.callbackAccepted(idOf(operation), 'succeed')
    assert.ok(!('Result' in ((await run.checkpointed('k1', [])).CallbackDetails ?? {})))
  })

  for (const [variation, body, result] of [
    ['JSON', '{"approved":true}', { Payload: '{"approved":true}', Truncated: false }],
    ['any text', 'not JSON é', { Payload: 'not JSON é', Truncated: false }],
    ['an empty body', '', { Truncated: false }],
  ] as const) {
    row('04-4.11-success', variation, async () => {
      await using run = await server.execution()
      const id = await started(run)
      await run.suspend()
      await server.advance(1234)
      await server.callbackAccepted(id, 'succeed', body)
      await run.resumed()
      const done = only(run.initialOperations, 'k1')
      assert.equal(done.Status, 'SUCCEEDED')
      assert.equal(done.EndTimestamp, server.nowMs)
      assert.deepEqual(done.CallbackDetails, { CallbackId: id, ...(body === '' ? {} : { Result: body }) })
      assert.deepEqual(run.invocation.event.UpdatedOperationIds, ['k1'])
      assert.deepEqual(await run.timeline(), ['CallbackStarted k1', 'InvocationCompleted', 'CallbackSucceeded k1'])
      assert.deepEqual(await run.details('CallbackSucceeded', 'k1'), { Result: result })
      await server.callbackClosed(id)
    })
  }

  for (const [variation, error] of [
    [
      'with an error',
      { ErrorType: 'RejectedError', ErrorMessage: 'not approved', ErrorData: '{}', StackTrace: ['at a'] },
    ],
    ['with an empty error', {}],
  ] as const) {
    row('04-4.11-failure', variation, async () => {
      await using run = await server.execution()
      const id = await started(run)
      await run.suspend()
      await server.callbackAccepted(id, 'fail', JSON.stringify(error))
      await run.resumed()
      const done = only(run.initialOperations, 'k1')
      assert.equal(done.Status, 'FAILED')
      assert.deepEqual(done.CallbackDetails?.Error ?? {}, error)
      assert.deepEqual(await run.timeline(), ['CallbackStarted k1', 'InvocationCompleted', 'CallbackFailed k1'])
      const { Error: told } = (await run.details('CallbackFailed', 'k1')) as { Error?: { Payload?: object } }
      assert.deepEqual(told?.Payload ?? {}, error)
      await server.callbackClosed(id)
    })
  }

  for (const [id, options, error] of [
    ['04-4.11-timeout', { TimeoutSeconds: 10 }, TIMED_OUT],
    ['04-4.11-heartbeat-timeout', { HeartbeatTimeoutSeconds: 10 }, HEARTBEAT_MISSED],
  ] as const) {
    row(id, 'while suspended', async () => {
      await using run = await server.execution()
      const callbackId = await started(run, options)
      await run.suspend()
      await server.advance(9999)
      assert.deepEqual(await run.timeline(), ['CallbackStarted k1', 'InvocationCompleted'])
      await server.advance(1)
      await run.resumed()
      const done = only(run.initialOperations, 'k1')
      assert.equal(done.Status, 'TIMED_OUT')
      assert.equal(done.EndTimestamp, server.nowMs)
      assert.deepEqual(done.CallbackDetails, { CallbackId: callbackId, Error: error })
      assert.deepEqual(await run.timeline(), ['CallbackStarted k1', 'InvocationCompleted', 'CallbackTimedOut k1'])
      const { Error: told } = (await run.details('CallbackTimedOut', 'k1')) as { Error: { Payload: object } }
      assert.partialDeepStrictEqual(told.Payload, { ErrorType: error.ErrorType })
      await server.callbackClosed(callbackId)
    })

    row(id, 'while an invocation runs', async () => {
      await using run = await server.execution()
      const callbackId = await started(run, options)
      await server.advance(10_000)
      // Due is due, recorded or not: the callback takes nothing more.
      await server.callbackClosed(callbackId)
      const done = await run.checkpointed('k1', [])
      assert.equal(done.Status, 'TIMED_OUT')
      assert.deepEqual(done.CallbackDetails?.Error, error)
    })
  }

  row('04-4.11-heartbeat', async () => {
    await using run = await server.execution()
    const id = await started(run, { HeartbeatTimeoutSeconds: 10 })
    await run.suspend()
    for (let beat = 0; beat < 3; beat++) {
      await server.advance(9000)
      await server.callbackAccepted(id, 'heartbeat')
    }
    await server.advance(9999)
    assert.deepEqual(await run.timeline(), ['CallbackStarted k1', 'InvocationCompleted'])
    // The deadline carries up to 5 % of slack (decision 16): late, never early.
    await server.advance(1 + 500)
    await run.resumed()
    assert.deepEqual(only(run.initialOperations, 'k1').CallbackDetails?.Error, HEARTBEAT_MISSED)
    assert.deepEqual(await run.timeline(), ['CallbackStarted k1', 'InvocationCompleted', 'CallbackTimedOut k1'])
  })

  row('04-4.11-heartbeat', 'without heartbeat timeout it is accepted and has no effect', async () => {
    await using run = await server.execution()
    const id = await started(run, { TimeoutSeconds: 10 })
    await server.advance(9000)
    await server.callbackAccepted(id, 'heartbeat')
    await server.advance(1000)
    assert.deepEqual((await run.checkpointed('k1', [])).CallbackDetails?.Error, TIMED_OUT)
  })

  row('04-4.11-id-stays', async () => {
    await using run = await server.execution()
    const { NewExecutionState } = await run.checkpoint([
      callback.start('k1'),
      callback.start('k2'),
      callback.start('k3', { TimeoutSeconds: 5 }),
    ])
    const ids = NewExecutionState.Operations.map(idOf)
    assert.equal(new Set(ids).size, 3)
    const [first = '', second = ''] = ids
    await server.callbackAccepted(first, 'succeed', '1')
    await server.callbackAccepted(second, 'fail', JSON.stringify(boom))
    await server.advance(5000)
    const after = (await run.checkpoint([])).NewExecutionState.Operations
    assert.deepEqual(
      after.map(({ Id, Status }) => [Id, Status]),
      [
        ['k1', 'SUCCEEDED'],
        ['k2', 'FAILED'],
        ['k3', 'TIMED_OUT'],
      ],
    )
    assert.deepEqual(after.map(idOf), ids)
  })

  for (const [variation, options, error] of [
    ['the timeout comes first', { TimeoutSeconds: 5, HeartbeatTimeoutSeconds: 10 }, TIMED_OUT],
    ['the heartbeat timeout comes first', { TimeoutSeconds: 10, HeartbeatTimeoutSeconds: 5 }, HEARTBEAT_MISSED],
    ['0 is no timeout', { TimeoutSeconds: 0, HeartbeatTimeoutSeconds: 5 }, HEARTBEAT_MISSED],
  ] as const) {
    row('04-4.11-timers', variation, async () => {
      await using run = await server.execution()
      await started(run, options)
      await server.advance(4999)
      await run.checkpoint([])
      assert.equal((await run.operation('k1')).Status, 'STARTED')
      await server.advance(1)
      assert.deepEqual((await run.checkpointed('k1', [])).CallbackDetails?.Error, error)
    })
  }

  row('04-4.11-timers', 'heartbeats do not prolong the timeout', async () => {
    await using run = await server.execution()
    const id = await started(run, { TimeoutSeconds: 12, HeartbeatTimeoutSeconds: 10 })
    await server.advance(8000)
    await server.callbackAccepted(id, 'heartbeat')
    await server.advance(4000)
    assert.deepEqual((await run.checkpointed('k1', [])).CallbackDetails?.Error, TIMED_OUT)
  })

  row('04-4.11-response', async () => {
    await using run = await server.execution()
    const { NewExecutionState } = await run.checkpoint([callback.start('k1')])
    const id = idOf(only(NewExecutionState.Operations, 'k1'))
    // Usable at once, while the invocation that created it still runs.
    await server.callbackAccepted(id, 'succeed', '1')
    const done = await run.checkpointed('k1', [])
    assert.equal(done.CallbackDetails?.Result, '1')
    assert.equal(idOf(done), id)
  })
})
