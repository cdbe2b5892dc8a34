/** Spec 08 §8.1, §8.2, §8.4, §8.5 and §8.6: statuses, timeouts, timers, callbacks and retention of executions. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { eventually } from './eventually.ts'
import { type Execution, only } from './execution.ts'
import { row, rowOnDisk, type TestServer, tables } from './harness.ts'
import { boom, callback, step, wait } from './updates.ts'
import { assertError, ms, okBody } from './wire.ts'

const API = '/2025-12-01/durable-executions'
const DAY_MS = 86_400_000
const STATUSES = ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'] as const

const pathOf = (arn: string): string => `${API}/${encodeURIComponent(arn)}`

async function closedAs(server: TestServer, status: (typeof STATUSES)[number]): Promise<Execution> {
  const run = await server.execution({ function: 'brief' })
  if (status === 'SUCCEEDED') await run.succeed('1')
  else if (status === 'FAILED') await run.fail(boom)
  else if (status === 'STOPPED') await run.stop(boom)
  else await server.advance(60_000)
  return run
}

tables('statuses (08 §8.1)', (server) => {
  const last = {
    SUCCEEDED: 'ExecutionSucceeded',
    FAILED: 'ExecutionFailed',
    TIMED_OUT: 'ExecutionTimedOut',
    STOPPED: 'ExecutionStopped',
  } as const

  for (const status of STATUSES) {
    row(`08-8.1-${status}`, async () => {
      const run = await closedAs(server, status)
      const { Status, Result, Error: error } = await run.describe()
      assert.equal(Status, status)
      assert.deepEqual(
        [Result, error],
        {
          SUCCEEDED: ['1', undefined],
          FAILED: [undefined, boom],
          TIMED_OUT: [undefined, { ErrorMessage: 'Execution timed out after 60 seconds.' }],
          STOPPED: [undefined, boom],
        }[status],
      )
      assert.equal((await run.timeline()).at(-1), last[status])
      if (status === 'TIMED_OUT') assert.deepEqual(await run.details('ExecutionTimedOut'), {})
    })

    row('08-8.1-final', status, async () => {
      const run = await closedAs(server, status)
      const before = { events: await run.events(), described: await run.describe() }
      await run.stop({ ErrorMessage: 'late' })
      await run.staleToken({ updates: [step.succeed('s1', '1')] })
      if (run.invocation.held) {
        run.invocation.respond({ Status: 'FAILED', Error: boom })
        await run.invocationOver()
      }
      await server.advance(120_000)
      assert.deepEqual({ events: await run.events(), described: await run.describe() }, before)
    })
  }

  row('08-8.1-suspended', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 60)])
    await run.suspend()
    assert.equal((await run.describe()).Status, 'RUNNING')
  })
})

tables('ExecutionTimeout (08 §8.2)', (server) => {
  for (const suspended of [true, false]) {
    row('08-8.2-deadline', suspended ? 'suspended' : 'while an invocation runs', async () => {
      const run = await server.execution({ function: 'brief' })
      await run.checkpoint([wait.start('w1', 600), callback.start('k1'), step.retry('s1', 300)])
      const id = await run.callbackId('k1')
      if (suspended) await run.suspend()
      await server.advance(59_999)
      assert.equal((await run.describe()).Status, 'RUNNING')
      await server.advance(1)
      assert.equal((await run.describe()).Status, 'TIMED_OUT')
      await run.staleToken({})
      await server.callbackClosed(id)
      const events = await run.events()
      await server.advance(600_000)
      assert.deepEqual(await run.events(), events)
      if (!suspended) assert.ok(run.invocation.held, 'running code is not interrupted')
    })
  }

  row('08-8.2-frozen', async () => {
    await using run = await server.execution({ function: 'brief' })
    const { ExecutionTimeout } = (await run.event('ExecutionStarted')).ExecutionStartedDetails as {
      ExecutionTimeout: number
    }
    assert.equal(ExecutionTimeout, 60)
  })
})

tables('timers (08 §8.4)', (server) => {
  row('08-8.4-wait', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 10)])
    await run.suspend()
    await server.advance(9_999)
    assert.deepEqual(await run.timeline(), ['WaitStarted w1', 'InvocationCompleted'])
    await server.advance(1)
    await run.resumed()
    assert.deepEqual(await run.details('WaitSucceeded', 'w1'), { Duration: 10 })
    assert.equal(only(run.initialOperations, 'w1').EndTimestamp, server.nowMs)
  })

  row('08-8.4-retry', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.retry('s1', 10, { Error: boom })])
    await run.suspend()
    const before = await run.timeline()
    await server.advance(9_999)
    assert.equal(server.puppets.count(run.name), 1)
    await server.advance(1)
    await run.resumed()
    assert.equal(only(run.initialOperations, 's1').Status, 'READY')
    assert.deepEqual(await run.timeline(), before)
  })

  for (const [id, options, error] of [
    ['08-8.4-callback', { TimeoutSeconds: 10 }, { ErrorMessage: 'Callback timed out', ErrorType: 'Callback.Timeout' }],
    [
      '08-8.4-heartbeat',
      { HeartbeatTimeoutSeconds: 10 },
      { ErrorMessage: 'Callback timed out on heartbeat', ErrorType: 'Callback.Heartbeat' },
    ],
  ] as const) {
    row(id, async () => {
      await using run = await server.execution()
      await run.checkpoint([callback.start('k1', options)])
      const callbackId = await run.callbackId('k1')
      await run.suspend()
      if (id === '08-8.4-heartbeat') {
        await server.advance(6_000)
        await server.callbackAccepted(callbackId, 'heartbeat')
      }
      await server.advance(9_999)
      assert.equal(server.puppets.count(run.name), 1)
      await server.advance(1_000)
      await run.resumed()
      const { Status, CallbackDetails } = only(run.initialOperations, 'k1')
      assert.deepEqual([Status, CallbackDetails?.Error], ['TIMED_OUT', error])
      const { Error: told } = (await run.details('CallbackTimedOut', 'k1')) as { Error: { Payload: object } }
      assert.deepEqual(told.Payload, error)
    })
  }

  for (const options of [undefined, {}, { TimeoutSeconds: 0, HeartbeatTimeoutSeconds: 0 }]) {
    row('08-8.4-none', JSON.stringify(options) ?? 'no options', async () => {
      await using run = await server.execution({ function: 'patient' })
      await run.checkpoint([callback.start('k1', options)])
      const callbackId = await run.callbackId('k1')
      await run.suspend()
      await server.advance(30 * DAY_MS)
      await server.callbackAccepted(callbackId, 'succeed', '1')
      await run.resumed()
      assert.equal(only(run.initialOperations, 'k1').Status, 'SUCCEEDED')
    })
  }

  row('08-8.4-invocation', async () => {
    await using run = await server.execution()
    run.invocation.exit(1)
    await run.invocationRecorded()
    await server.advance(999)
    assert.equal(server.puppets.count(run.name), 1)
    await server.advance(1)
    await run.resumed()
  })

  row('08-8.4-long', async () => {
    await using run = await server.execution({ function: 'patient' })
    // Beyond what a timer of 32 bits can hold.
    const seconds = 100 * 86_400
    await run.checkpoint([wait.start('w1', seconds)])
    await run.suspend()
    await server.advance(25 * DAY_MS)
    assert.equal(server.puppets.count(run.name), 1)
    await server.advance(75 * DAY_MS - 1)
    assert.equal(server.puppets.count(run.name), 1)
    await server.advance(1)
    await run.resumed()
    assert.equal(only(run.initialOperations, 'w1').Status, 'SUCCEEDED')
  })
})

tables('callbacks (08 §8.5)', (server) => {
  row('08-8.5-anywhere', async () => {
    await using run = await server.execution()
    await run.checkpoint([callback.start('k1')])
    const id = await run.callbackId('k1')
    await run.suspend()
    await server.callbackAccepted(id, 'succeed', '{"by":"hand"}')
    await run.resumed()
    assert.equal(only(run.initialOperations, 'k1').CallbackDetails?.Result, '{"by":"hand"}')
  })

  row('08-8.5-no-heartbeat-timeout', async () => {
    await using run = await server.execution()
    await run.checkpoint([callback.start('k1')])
    const before = await run.events()
    await server.callbackAccepted(await run.callbackId('k1'), 'heartbeat')
    assert.deepEqual(await run.events(), before)
  })

  row('08-8.5-user-error', async () => {
    await using run = await server.execution()
    await run.checkpoint([callback.start('k1')])
    const error = { ErrorType: 'RejectedError', ErrorMessage: 'no' }
    await server.callbackAccepted(await run.callbackId('k1'), 'fail', JSON.stringify(error))
    const [failed] = (await run.checkpoint([])).NewExecutionState.Operations
    assert.deepEqual([failed?.Status, failed?.CallbackDetails?.Error], ['FAILED', error])
  })
})

tables('retention (08 §8.6)', (server) => {
  for (const [functionName, days] of [
    ['brief', 14],
    ['retained', 1],
  ] as const) {
    row('08-8.6-gone', `${days} days`, async () => {
      const name = server.freshName()
      await server.invoke(`${functionName}:$LATEST`, { name, type: 'Event' })
      const { event } = await server.puppets.nextOfExecution(name)
      const arn = event.DurableExecutionArn
      const checkpoint = { CheckpointToken: event.CheckpointToken, Updates: [callback.start('k1')] }
      const { NewExecutionState } = okBody<{
        NewExecutionState: { Operations: { CallbackDetails: { CallbackId: string } }[] }
      }>(await server.postJson(`${pathOf(arn)}/checkpoint`, checkpoint))
      const id = NewExecutionState.Operations[0]?.CallbackDetails.CallbackId ?? ''
      okBody(await server.postJson(`${pathOf(arn)}/stop`, {}))
      await server.advance(days * DAY_MS - 1)
      okBody(await server.get(pathOf(arn)))
      await server.advance(1)
      const missing = 'Durable Execution does not exist'
      assertError(await server.get(pathOf(arn)), 404, 'ResourceNotFoundException', missing)
      assertError(await server.get(`${pathOf(arn)}/history`), 404, 'ResourceNotFoundException', missing)
      assertError(await server.postJson(`${pathOf(arn)}/stop`, {}), 404, 'ResourceNotFoundException', missing)
      assertError(await server.delete(pathOf(arn)), 404, 'ResourceNotFoundException', missing)
      assertError(
        await server.get(`${pathOf(arn)}/state?CheckpointToken=${event.CheckpointToken}`),
        400,
        'InvalidParameterValueException',
        'Invalid checkpoint token',
      )
      await server.callbackClosed(id)
      const list = `/2025-12-01/functions/${functionName}/durable-executions?DurableExecutionName=${name}`
      assert.deepEqual(okBody(await server.get(list)), { DurableExecutions: [] })
    })
  }

  row('08-8.6-from-end', async () => {
    const run = await server.execution({ function: 'patient' })
    await run.checkpoint([wait.start('w1', 20 * 86_400)])
    await run.resumedAfter(20 * 86_400)
    await run.stop()
    await server.advance(13 * DAY_MS)
    assert.equal((await run.describe()).Status, 'STOPPED')
  })

  rowOnDisk(server, '08-8.14-sweep', async () => {
    const name = server.freshName()
    const answer = await server.invoke('retained:$LATEST', { name, type: 'Event' })
    okBody(await server.postJson(`${pathOf(String(answer.headers['x-amz-durable-execution-arn']))}/stop`, {}))
    const kept = (): number => {
      using database = new DatabaseSync(join(server.directory, 'journal.db'), { readOnly: true })
      return Number(database.prepare('SELECT count(*) AS kept FROM executions WHERE name = ?').get(name)?.['kept'])
    }
    assert.equal(kept(), 1)
    await server.advance(DAY_MS + 3_600_000)
    await eventually('the sweep', async () => (kept() === 0 ? true : undefined))
  })
})

const PAYLOADS = {
  syncPayloadBytes: 4_000,
  asyncPayloadBytes: 3_000,
  operationPayloadBytes: 100,
  chainedPayloadBytes: 200,
  updateErrorBytes: 50,
  callbackResultBytes: 60,
  callbackErrorBytes: 70,
} as const

tables(
  'configured limits (08 §8.7, §8.14)',
  (server) => {
    const text = (bytes: number) => JSON.stringify('x'.repeat(bytes - 2))
    const errorOf = (bytes: number) => ({ ErrorMessage: 'x'.repeat(bytes - '{"ErrorMessage":""}'.length) })

    row('08-8.7-sync', async () => {
      assertError(
        await server.invoke('puppet:$LATEST', { input: text(4_001) }),
        413,
        'RequestTooLargeException',
        /4000 bytes/,
      )
      const fits = await server.execution({ mode: 'sync', input: text(4_000) })
      assert.equal((await fits.succeed(text(4_000))).Status, 'SUCCEEDED')
      const large = await server.execution({ mode: 'sync' })
      const { Status, Error: error } = await large.succeed(text(4_001))
      assert.equal(Status, 'FAILED')
      assert.match(error?.ErrorMessage ?? '', /4000 bytes/)
    })

    row('08-8.7-async', async () => {
      assertError(
        await server.invoke('puppet:$LATEST', { type: 'Event', input: text(3_001) }),
        413,
        'RequestTooLargeException',
        /3000 bytes/,
      )
      const large = await server.execution({ input: text(3_000) })
      const description = large.succeed(text(3_001))
      assert.equal((await description).Status, 'FAILED')
    })

    row('08-8.7-operation', async () => {
      await using run = await server.execution()
      await run.refused(
        [step.succeed('s1', text(101))],
        'STEP output payload size must be less than or equal to 100 bytes.',
      )
      await run.checkpoint([step.succeed('s1', text(100))])
    })

    row('08-8.7-chained', async () => {
      await using run = await server.execution()
      const start = (bytes: number) => ({
        Id: 'i1',
        Type: 'CHAINED_INVOKE',
        Action: 'START',
        Payload: text(bytes),
        ChainedInvokeOptions: { FunctionName: 'unheeded' },
      })
      await run.refused([start(201)], 'CHAINED_INVOKE input payload size must be less than or equal to 200 bytes.')
      await run.checkpoint([start(200)])
    })

    row('08-8.7-error', async () => {
      await using run = await server.execution()
      await run.refused([step.fail('s1', errorOf(50))], 'Error object size must be less than 50 bytes.')
      await run.checkpoint([step.fail('s1', errorOf(49))])
    })

    row('08-8.7-callback', async () => {
      await using run = await server.execution()
      await run.checkpoint([callback.start('k1'), callback.start('k2')])
      const [one, two] = [await run.callbackId('k1'), await run.callbackId('k2')]
      assertError(
        await server.callback(one, 'succeed', 'x'.repeat(61)),
        400,
        'ValidationException',
        /less than or equal to 60/,
      )
      await server.callbackAccepted(one, 'succeed', 'x'.repeat(60))
      assertError(
        await server.callback(two, 'fail', JSON.stringify(errorOf(71))),
        400,
        'InvalidParameterValueException',
        'Error object size must be less than or equal to 70 bytes.',
      )
      await server.callbackAccepted(two, 'fail', JSON.stringify(errorOf(70)))
    })
  },
  { limits: PAYLOADS },
)

tables('names and ids (08 §8.7)', (server) => {
  for (const [member, longest, spelled] of [
    ['Id', 64, 'id'],
    ['Name', 256, 'name'],
    ['SubType', 32, 'subType'],
  ] as const) {
    row('08-8.7-ids', member, async () => {
      await using run = await server.execution()
      const of = (length: number) => step.start('s1', { [member]: 'n'.repeat(length) })
      assertError(
        await run.send({ updates: [of(longest + 1)] }),
        400,
        'ValidationException',
        new RegExp(`at 'updates\\.1\\.member\\.${spelled}' .* length less than or equal to ${longest}$`),
      )
      await run.checkpoint([of(longest)])
    })
  }

  row('08-8.14-not-enforced', async () => {
    await using run = await server.execution()
    for (let batch = 0; batch < 4; batch += 1) {
      await run.checkpoint(Array.from({ length: 1_000 }, (_, i) => step.start(`s${batch}-${i}`)))
    }
    assert.equal((await run.operations()).length, 4_001)
  })

  row('08-8.14-retry', async () => {
    await using run = await server.execution()
    for (const seconds of [1, 2, 4, 8, 16, 32, 60, 60]) await run.failedAndRetried(seconds)
    assert.equal(server.puppets.count(run.name), 9)
  })
})

tables(
  'configured totals (08 §8.8, §8.14)',
  (server) => {
    row('08-8.14-operations', async () => {
      await using run = await server.execution()
      await run.checkpoint([step.start('s1'), step.start('s2')])
      assertError(
        await run.send({ updates: [step.start('s3'), step.start('s4')] }),
        400,
        'InvalidParameterValueException',
        /./,
      )
      await run.checkpoint([step.succeed('s1', '1'), step.start('s3')])
    })

    row('08-8.14-storage', async () => {
      await using run = await server.execution()
      await run.checkpoint([step.succeed('s1', 'x'.repeat(600))])
      assertError(
        await run.send({ updates: [step.succeed('s2', 'x'.repeat(600))] }),
        400,
        'InvalidParameterValueException',
        /./,
      )
      await run.checkpoint([step.succeed('s2', 'x'.repeat(100))])
    })

    row('08-8.14-retention', async () => {
      const run = await server.execution({ function: 'brief' })
      await run.stop()
      assert.equal(ms(okBody<{ EndTimestamp: number }>(await server.get(pathOf(run.arn))).EndTimestamp), server.nowMs)
      await server.advance(3 * DAY_MS)
      assert.equal((await server.get(pathOf(run.arn))).status, 404)
    })
  },
  { limits: { operationsPerExecution: 4, storagePerExecutionBytes: 1_000, retentionDays: 3 } },
)
