/** Spec 01 §1.7–1.9: the calls that complete callbacks. */
import assert from 'node:assert/strict'
import type { Operation } from '../../src/protocol/shapes.ts'
import type { Execution } from './execution.ts'
import { row, tables } from './harness.ts'
import { boom, callback } from './updates.ts'
import { assertError } from './wire.ts'

const RESULT_BYTES = 1_048_576

async function opened(run: Execution): Promise<string> {
  const { CallbackDetails } = await run.checkpointed('k1', [callback.start('k1')])
  return CallbackDetails?.CallbackId ?? assert.fail('the operation has a CallbackId')
}

async function delivered(run: Execution): Promise<Operation> {
  const [operation] = (await run.checkpoint([])).NewExecutionState.Operations
  return operation ?? assert.fail('no change was delivered')
}

tables('callbacks (01 §1.7–1.9)', (server) => {
  row('01-1.7-verbatim', async () => {
    await using run = await server.execution()
    const text = ' {"not json, é 😀\u0000\n'
    await server.callbackAccepted(await opened(run), 'succeed', text)
    assert.deepEqual((await delivered(run)).CallbackDetails?.Result, text)
  })

  row('01-1.7-empty', async () => {
    await using run = await server.execution()
    await server.callbackAccepted(await opened(run), 'succeed', '')
    const { Status, CallbackDetails } = await delivered(run)
    assert.equal(Status, 'SUCCEEDED')
    assert.ok(!('Result' in (CallbackDetails ?? {})))
    assert.deepEqual(await run.details('CallbackSucceeded', 'k1'), { Result: { Truncated: false } })
  })

  row('01-1.7-size', async () => {
    await using run = await server.execution()
    const id = await opened(run)
    assertError(
      await server.callback(id, 'succeed', 'x'.repeat(RESULT_BYTES + 1)),
      400,
      'ValidationException',
      `1 validation error detected: Value at 'result' failed to satisfy constraint: Member must have length less than or equal to ${RESULT_BYTES}`,
    )
    await server.callbackAccepted(id, 'succeed', 'x'.repeat(RESULT_BYTES))
    assert.equal((await delivered(run)).CallbackDetails?.Result?.length, RESULT_BYTES)
  })

  row('01-1.7-id', async () => {
    for (const verb of ['succeed', 'fail', 'heartbeat'] as const) {
      assertError(
        await server.callback('not-base64', verb),
        400,
        'ValidationException',
        /at 'callbackId' failed to satisfy constraint: Member must satisfy regular expression pattern/,
      )
      assertError(
        await server.callback('A'.repeat(1025), verb),
        400,
        'ValidationException',
        /at 'callbackId' .* length less than or equal to 1024/,
      )
      assertError(
        await server.callback('bm90aGluZw==', verb),
        400,
        'InvalidParameterValueException',
        'Invalid callback id',
      )
    }
  })

  row('01-1.8-error', async () => {
    await using run = await server.execution()
    const error = { ...boom, ErrorData: '{"n":1}', StackTrace: ['a', 'b'] }
    await server.callbackAccepted(await opened(run), 'fail', JSON.stringify(error))
    const { Status, CallbackDetails } = await delivered(run)
    assert.deepEqual([Status, CallbackDetails?.Error], ['FAILED', error])
  })

  row('01-1.8-size', async () => {
    await using run = await server.execution()
    const id = await opened(run)
    const of = (bytes: number) => JSON.stringify({ ErrorMessage: 'x'.repeat(bytes - '{"ErrorMessage":""}'.length) })
    assertError(
      await server.callback(id, 'fail', of(RESULT_BYTES + 1)),
      400,
      'InvalidParameterValueException',
      `Error object size must be less than or equal to ${RESULT_BYTES} bytes.`,
    )
    await server.callbackAccepted(id, 'fail', of(RESULT_BYTES))
  })

  row('01-1.8-body', async () => {
    await using run = await server.execution()
    const id = await opened(run)
    for (const body of ['[]', '"x"', 'null', 'x', '{"ErrorType":[]}']) {
      const answer = await server.callback(id, 'fail', body)
      if (body !== 'null') assertError(answer, 400, 'SerializationException', /./)
      else assert.equal(answer.status, 200)
    }
  })

  row('01-1.9-heartbeat', async () => {
    await using run = await server.execution()
    await server.callbackAccepted(await opened(run), 'heartbeat')
    assert.deepEqual((await run.checkpoint([])).NewExecutionState.Operations, [])
  })

  row('01-1.9-closed', async () => {
    await using run = await server.execution()
    const id = await opened(run)
    await server.callbackAccepted(id, 'succeed', '1')
    await server.callbackClosed(id)
    await using stopped = await server.execution()
    const other = await opened(stopped)
    await stopped.stop()
    await server.callbackClosed(other)
  })
})
