/** Spec 08 §8.3, §8.5 and 09 §9.5: stopping executions and completing callbacks from outside. */
import assert from 'node:assert/strict'
import type { Execution } from './execution.ts'
import { row, tables } from './harness.ts'
import { boom, callback } from './updates.ts'
import { assertError, okBody } from './wire.ts'

const API = '/2025-12-01/durable-executions'

async function started(run: Execution): Promise<string> {
  const { CallbackDetails } = await run.checkpointed('k1', [callback.start('k1')])
  return CallbackDetails?.CallbackId ?? assert.fail('the operation has a CallbackId')
}

tables('stop (08 §8.3)', (server) => {
  row('08-8.3-unknown', async () => {
    await using run = await server.execution()
    const arn = run.arn.replace(run.id, '00000000-0000-4000-8000-000000000000')
    assertError(
      await server.postJson(`${API}/${encodeURIComponent(arn)}/stop`, {}),
      404,
      'ResourceNotFoundException',
      'Durable Execution does not exist',
    )
  })

  for (const variation of ['stopped', 'succeeded'] as const) {
    row('08-8.3-idempotent', variation, async () => {
      await using run = await server.execution()
      if (variation === 'stopped') await run.stop(boom)
      else await run.succeed('1')
      const ended = server.nowMs
      const before = { events: await run.events(), described: await run.describe() }
      await server.advance(5000)
      const path = `${API}/${encodeURIComponent(run.arn)}/stop`
      const { StopTimestamp } = okBody<{ StopTimestamp: number }>(
        await server.postJson(path, { ErrorType: 'Another', ErrorMessage: 'too late' }),
      )
      assert.equal(Math.round(StopTimestamp * 1000), ended)
      assert.deepEqual({ events: await run.events(), described: await run.describe() }, before)
    })
  }

  row('08-8.3-no-error', async () => {
    await using run = await server.execution()
    await run.stop()
    assert.deepEqual((await run.describe()).Error ?? {}, {})
    assert.deepEqual((await run.details('ExecutionStopped'))['Error'], { Payload: {}, Truncated: false })
  })

  row('08-8.3-waiter', async () => {
    await using run = await server.execution({ mode: 'sync' })
    await run.stop(boom)
    const answer = await run.invokeAnswer()
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['x-amz-function-error'], 'Unhandled')
    assert.equal(answer.headers['x-amz-durable-execution-arn'], run.arn)
    assert.deepEqual(JSON.parse(answer.text), { errorType: boom.ErrorType, errorMessage: boom.ErrorMessage })
  })
})

tables('callbacks from outside (08 §8.5, 09 §9.5)', (server) => {
  row('08-8.5-first-wins', async () => {
    await using run = await server.execution()
    const id = await started(run)
    const answers = await Promise.all([
      server.callback(id, 'succeed', '1'),
      server.callback(id, 'fail', JSON.stringify(boom)),
      server.callback(id, 'succeed', '2'),
    ])
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    for (const answer of answers) {
      if (answer.status === 200) continue
      assertError(answer, 400, 'CallbackTimeoutException', 'The callback is either timed out or already completed')
    }
    await server.callbackClosed(id)
    await run.checkpoint([])
    assert.equal((await run.timeline()).length, 2)
  })

  row('08-8.5-malformed', async () => {
    for (const id of ['abc', 'dDE=', 'f'.repeat(72)]) {
      for (const verb of ['succeed', 'fail', 'heartbeat'] as const) {
        const answer = await server.callback(id, verb, verb === 'heartbeat' ? undefined : '{}')
        assertError(answer, 400, 'InvalidParameterValueException', 'Invalid callback id')
      }
    }
  })

  row('08-8.5-unknown', async () => {
    await using run = await server.execution()
    const id = await started(run)
    const executionHex = run.id.replaceAll('-', '')
    await server.callbackClosed(id.replace(executionHex, '0'.repeat(32)))
  })

  row('08-8.5-forged', async () => {
    await using run = await server.execution()
    const id = await started(run)
    await server.callbackClosed(id.slice(0, -1) + (id.at(-1) === '0' ? '1' : '0'))
    await server.callbackAccepted(id, 'succeed', '1')
  })

  row('08-8.5-while-running', async () => {
    await using run = await server.execution()
    const id = await started(run)
    await server.callbackAccepted(id, 'succeed', '"early"')
    await server.callbackClosed(id)
    assert.equal((await run.checkpointed('k1', [])).CallbackDetails?.Result, '"early"')
  })

  for (const [variation, body] of [
    ['a string', '"no"'],
    ['a list', '[]'],
    ['not JSON', 'no'],
  ] as const) {
    row('08-8.5-failure-body', variation, async () => {
      await using run = await server.execution()
      const id = await started(run)
      assertError(await server.callback(id, 'fail', body), 400, 'SerializationException', /./)
      await server.callbackAccepted(id, 'fail', '{}')
    })
  }

  row('08-8.5-sizes', 'result', async () => {
    await using run = await server.execution()
    const id = await started(run)
    assertError(
      await server.callback(id, 'succeed', 'x'.repeat(1_048_577)),
      400,
      'ValidationException',
      /^1 validation error detected: Value at 'result' failed to satisfy constraint: Member must have length less than or equal to 1048576$/,
    )
    await server.callbackAccepted(id, 'succeed', 'x'.repeat(1_048_576))
    assert.equal((await run.checkpointed('k1', [])).CallbackDetails?.Result?.length, 1_048_576)
  })

  row('08-8.5-sizes', 'error', async () => {
    await using run = await server.execution()
    const id = await started(run)
    const errorOf = (bytes: number): string => JSON.stringify({ ErrorMessage: 'x'.repeat(bytes - 19) })
    assert.equal(errorOf(100).length, 100)
    assertError(
      await server.callback(id, 'fail', errorOf(1_048_577)),
      400,
      'InvalidParameterValueException',
      'Error object size must be less than or equal to 1048576 bytes.',
    )
    await server.callbackAccepted(id, 'fail', errorOf(1_048_576))
  })

  row('09-9.5-alphabet', async () => {
    await using run = await server.execution()
    const id = await started(run)
    assert.match(id, /^[0-9a-f]+$/)
    const path = `/2025-12-01/durable-execution-callbacks/${id}/succeed`
    assert.deepEqual(okBody(await server.wire.send({ method: 'POST', path, body: '1' })), {})
  })
})
