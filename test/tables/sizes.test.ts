/** Spec 04 §4.4: how large payloads and errors may be. */
import assert from 'node:assert/strict'
import { row, tables } from './harness.ts'
import { callback, context, execution, invoke, step, wait } from './updates.ts'

const OPERATION_BYTES = 262_144
const CHAINED_BYTES = 1_048_576
const SYNC_BYTES = 6_291_456
const ASYNC_BYTES = 1_048_576
const ERROR_BYTES = 32_768

const text = (bytes: number): string => 'x'.repeat(bytes)

/** An error whose JSON has exactly so many bytes. */
function errorOf(bytes: number): { ErrorMessage: string } {
  const empty = JSON.stringify({ ErrorMessage: '' }).length
  return { ErrorMessage: text(bytes - empty) }
}

tables('sizes (04 §4.4)', (server) => {
  row('04-4.4-utf8', async () => {
    await using run = await server.execution()
    const twoBytes = 'é'.repeat(OPERATION_BYTES / 2)
    await run.refused(
      [step.succeed('s1', `${twoBytes}x`)],
      'STEP output payload size must be less than or equal to 262144 bytes.',
    )
    const stored = await run.checkpointed('s1', [step.succeed('s1', twoBytes)])
    assert.equal(stored.StepDetails?.Result, twoBytes)
  })

  row('04-4.4-STEP', async () => {
    await using run = await server.execution()
    const message = 'STEP output payload size must be less than or equal to 262144 bytes.'
    await run.refused([step.succeed('s1', text(OPERATION_BYTES + 1))], message)
    await run.refused([step.retry('s1', 1, { Payload: text(OPERATION_BYTES + 1) })], message)
    await run.checkpoint([step.succeed('s1', text(OPERATION_BYTES))])
    assert.equal((await run.operation('s1')).StepDetails?.Result, text(OPERATION_BYTES))
    assert.deepEqual((await run.details('StepSucceeded', 's1'))['Result'], {
      Payload: text(OPERATION_BYTES),
      Truncated: false,
    })
  })

  row('04-4.4-CONTEXT', async () => {
    await using run = await server.execution()
    await run.refused(
      [context.succeed('c1', text(OPERATION_BYTES + 1))],
      'CONTEXT output payload size must be less than or equal to 262144 bytes.',
    )
    await run.checkpoint([context.succeed('c1', text(OPERATION_BYTES))])
    assert.equal((await run.operation('c1')).ContextDetails?.Result, text(OPERATION_BYTES))
  })

  row('04-4.4-WAIT-CALLBACK', async () => {
    await using run = await server.execution()
    const Payload = text(OPERATION_BYTES + 1)
    await run.refused(
      [wait.start('w1', 5, { Payload })],
      /^WAIT .*payload size must be less than or equal to 262144 bytes\.$/,
    )
    await run.refused(
      [callback.start('k1', {}, { Payload })],
      /^CALLBACK .*payload size must be less than or equal to 262144 bytes\.$/,
    )
  })

  row('04-4.4-CHAINED_INVOKE', async () => {
    await using run = await server.execution()
    await run.refused(
      [invoke.start('i1', 'plain', text(CHAINED_BYTES + 1))],
      'CHAINED_INVOKE input payload size must be less than or equal to 1048576 bytes.',
    )
    const input = JSON.stringify(text(CHAINED_BYTES - 2))
    const started = await run.checkpointed('i1', [invoke.start('i1', 'plain', input)])
    assert.equal(started.Status, 'STARTED')
    const target = await server.puppets.nextOfFunction('plain')
    assert.equal(JSON.stringify(target.payload), input)
  })

  row('04-4.4-EXECUTION-sync', async () => {
    await using run = await server.execution({ mode: 'sync' })
    // In two-byte characters: a longer text breaks the shape already (spec 03 §3.3).
    await run.refused(
      [execution.succeed(`${'é'.repeat(SYNC_BYTES / 2)}x`)],
      'Execution output payload size must be less than or equal to 6291456 bytes.',
    )
    await run.checkpoint([execution.succeed(text(SYNC_BYTES))])
    const { Status, Result } = await run.succeed('')
    assert.equal(Status, 'SUCCEEDED')
    assert.equal(Result, text(SYNC_BYTES))
  })

  row('04-4.4-EXECUTION-async', async () => {
    await using run = await server.execution({ mode: 'async' })
    await run.refused(
      [execution.succeed(text(ASYNC_BYTES + 1))],
      'Execution output payload size must be less than or equal to 1048576 bytes.',
    )
    await run.checkpoint([execution.succeed(text(ASYNC_BYTES))])
    assert.equal((await run.succeed('')).Result, text(ASYNC_BYTES))
  })

  row('04-4.4-error', async () => {
    await using run = await server.execution()
    const message = 'Error object size must be less than 32768 bytes.'
    await run.refused([step.fail('s1', errorOf(ERROR_BYTES))], message)
    await run.refused([step.retry('s1', 1, { Error: errorOf(ERROR_BYTES) })], message)
    await run.refused([context.fail('c1', errorOf(ERROR_BYTES))], message)
    await run.refused([execution.fail(errorOf(ERROR_BYTES))], message)
    const failed = await run.checkpointed('s1', [step.fail('s1', errorOf(ERROR_BYTES - 1))])
    assert.deepEqual(failed.StepDetails?.Error, errorOf(ERROR_BYTES - 1))
  })
})
