/** Spec 04 §4.12 with 07 §7.6: chained invokes of durable and plain functions. */
import assert from 'node:assert/strict'
import type { Operation } from '../../src/protocol/shapes.ts'
import { eventually } from './eventually.ts'
import { type Execution, inMs, only } from './execution.ts'
import { row, type TestServer, tables } from './harness.ts'
import type { Invocation } from './puppeteer.ts'
import { boom, invoke } from './updates.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'

/** Starts chained invoke i1 of a durable child, suspends, and takes the child's first invocation. */
async function withChild(server: TestServer, run: Execution, child: 'child' | 'briefChild'): Promise<Invocation> {
  await run.checkpoint([invoke.start('i1', `${child}:$LATEST`, '{"n":1}')])
  const invocation = await server.puppets.nextOfFunction(child)
  await run.suspend()
  return invocation
}

/** The operation i1 as the parent's next invocation sees it. */
async function finished(run: Execution): Promise<Operation> {
  await run.resumed()
  assert.deepEqual(run.invocation.event.UpdatedOperationIds, ['i1'])
  return only(run.initialOperations, 'i1')
}

const timelineWith = (ending: string): string[] => ['ChainedInvokeStarted i1', 'InvocationCompleted', `${ending} i1`]

tables('CHAINED_INVOKE (04 §4.12)', (server) => {
  row('04-4.12-START', 'durable target', async () => {
    await using run = await server.execution()
    const started = inMs(
      await run.checkpointed('i1', [invoke.start('i1', 'child:$LATEST', '{"n":1}', { Name: 'charge' })]),
    )
    assert.partialDeepStrictEqual(started, {
      Id: 'i1',
      Name: 'charge',
      Type: 'CHAINED_INVOKE',
      SubType: 'ChainedInvoke',
      Status: 'STARTED',
      StartTimestamp: server.nowMs,
    })
    const child = await server.puppets.nextOfFunction('child')
    assert.deepEqual(await run.details('ChainedInvokeStarted', 'i1'), {
      FunctionName: 'child:$LATEST',
      Input: { Payload: '{"n":1}', Truncated: false },
      ExecutedVersion: '$LATEST',
      DurableExecutionArn: child.event.DurableExecutionArn,
    })
    const [operation] = child.event.InitialExecutionState.Operations
    assert.equal(operation?.ExecutionDetails?.InputPayload, '{"n":1}')
  })

  row('04-4.12-START', 'plain target', async () => {
    await using run = await server.execution()
    assert.equal((await run.checkpointed('i1', [invoke.start('i1', 'plain', '{"n":1}')])).Status, 'STARTED')
    const target = await server.puppets.nextOfFunction('plain')
    assert.deepEqual(target.payload, { n: 1 })
    assert.deepEqual(await run.details('ChainedInvokeStarted', 'i1'), {
      FunctionName: 'plain',
      Input: { Payload: '{"n":1}', Truncated: false },
      ExecutedVersion: '$LATEST',
    })
  })

  for (const [variation, functionName, error] of [
    [
      'unknown function',
      'nobody:$LATEST',
      { ErrorType: 'ResourceNotFoundException', ErrorMessage: `Function not found: ${ARN}:nobody:$LATEST` },
    ],
    [
      'unknown version',
      `${ARN}:child:7`,
      { ErrorType: 'ResourceNotFoundException', ErrorMessage: `Function not found: ${ARN}:child:7` },
    ],
    [
      'durable target without qualifier',
      'child',
      {
        ErrorType: 'InvalidParameterValueException',
        ErrorMessage: 'You cannot invoke a durable function using an unqualified ARN.',
      },
    ],
  ] as const) {
    row('04-4.12-START-fails', variation, async () => {
      await using run = await server.execution()
      const failed = inMs(await run.checkpointed('i1', [invoke.start('i1', functionName, '1')]))
      assert.equal(failed.Status, 'FAILED')
      assert.equal(failed.EndTimestamp, server.nowMs)
      assert.deepEqual(failed.ChainedInvokeDetails?.Error, error)
      assert.deepEqual(await run.timeline(), ['ChainedInvokeStarted i1', 'ChainedInvokeFailed i1'])
      assert.deepEqual(await run.details('ChainedInvokeStarted', 'i1'), { FunctionName: functionName })
      assert.deepEqual(await run.details('ChainedInvokeFailed', 'i1'), { Error: { Payload: error, Truncated: false } })
    })
  }

  row('04-4.12-succeeded', 'durable target', async () => {
    await using run = await server.execution()
    const child = await withChild(server, run, 'child')
    await server.advance(1500)
    child.respond({ Status: 'SUCCEEDED', Result: '{"paid":true}' })
    const done = await finished(run)
    assert.equal(done.Status, 'SUCCEEDED')
    assert.equal(done.EndTimestamp, server.nowMs)
    assert.deepEqual(done.ChainedInvokeDetails, { Result: '{"paid":true}' })
    assert.deepEqual(await run.timeline(), timelineWith('ChainedInvokeSucceeded'))
    assert.deepEqual(await run.details('ChainedInvokeSucceeded', 'i1'), {
      Result: { Payload: '{"paid":true}', Truncated: false },
    })
  })

  row('04-4.12-succeeded', 'plain target', async () => {
    await using run = await server.execution()
    await run.checkpoint([invoke.start('i1', 'plain')])
    const target = await server.puppets.nextOfFunction('plain')
    assert.deepEqual(target.payload, {})
    await run.suspend()
    target.respond({ paid: true })
    assert.deepEqual((await finished(run)).ChainedInvokeDetails, { Result: '{"paid":true}' })
    assert.deepEqual(await run.timeline(), timelineWith('ChainedInvokeSucceeded'))
  })

  row('04-4.12-failed', 'durable target', async () => {
    await using run = await server.execution()
    const child = await withChild(server, run, 'child')
    child.respond({ Status: 'FAILED', Error: boom })
    const done = await finished(run)
    assert.equal(done.Status, 'FAILED')
    assert.deepEqual(done.ChainedInvokeDetails, { Error: boom })
    assert.deepEqual(await run.timeline(), timelineWith('ChainedInvokeFailed'))
    assert.deepEqual(await run.details('ChainedInvokeFailed', 'i1'), { Error: { Payload: boom, Truncated: false } })
  })

  row('04-4.12-failed', 'plain target', async () => {
    await using run = await server.execution()
    await run.checkpoint([invoke.start('i1', 'plain')])
    const target = await server.puppets.nextOfFunction('plain')
    await run.suspend()
    target.throw('Declined', 'no funds')
    const done = await finished(run)
    assert.equal(done.Status, 'FAILED')
    assert.partialDeepStrictEqual(done.ChainedInvokeDetails?.Error, { ErrorType: 'Declined', ErrorMessage: 'no funds' })
    assert.deepEqual(await run.timeline(), timelineWith('ChainedInvokeFailed'))
  })

  row('04-4.12-timed-out', async () => {
    await using run = await server.execution()
    const child = await withChild(server, run, 'briefChild')
    await server.advance(30_000)
    const done = await finished(run)
    assert.equal(done.Status, 'TIMED_OUT')
    assert.deepEqual(done.ChainedInvokeDetails, {
      Error: { ErrorType: 'ChainedInvoke.Timeout', ErrorMessage: 'CHAINED_INVOKE timed out after 30 seconds.' },
    })
    assert.deepEqual(await run.timeline(), timelineWith('ChainedInvokeTimedOut'))
    child.respond({ Status: 'SUCCEEDED' })
  })

  row('04-4.12-stopped', async () => {
    await using run = await server.execution()
    const child = await withChild(server, run, 'child')
    const arn = encodeURIComponent(child.event.DurableExecutionArn)
    const answer = await server.postJson(`/2025-12-01/durable-executions/${arn}/stop`, boom)
    assert.equal(answer.status, 200, answer.text)
    const done = await finished(run)
    assert.equal(done.Status, 'STOPPED')
    assert.deepEqual(done.ChainedInvokeDetails, { Error: boom })
    assert.deepEqual(await run.timeline(), timelineWith('ChainedInvokeStopped'))
    assert.deepEqual(await run.details('ChainedInvokeStopped', 'i1'), { Error: { Payload: boom, Truncated: false } })
    child.respond({ Status: 'PENDING' })
  })

  row('04-4.12-options', async () => {
    await using run = await server.execution()
    await run.refused(
      [invoke.start('i1', 'plain', '1', { ChainedInvokeOptions: undefined })],
      'Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.',
    )
  })

  row('04-4.12-existing', async () => {
    await using run = await server.execution()
    const message = 'Cannot start a CHAINED_INVOKE that already exist.'
    await run.checkpoint([invoke.start('i1', 'plain'), invoke.start('i2', 'nobody:$LATEST')])
    await run.refused([invoke.start('i1', 'plain')], message)
    await run.refused([invoke.start('i2', 'plain')], message)
    const target = await server.puppets.nextOfFunction('plain')
    target.respond(null)
    await eventually('the end of the chained invoke', async () => {
      const { NewExecutionState } = await run.checkpoint([])
      return NewExecutionState.Operations.find(({ Status }) => Status === 'SUCCEEDED')
    })
    await run.refused([invoke.start('i1', 'plain')], message)
  })

  for (const [id, functionName, message] of [
    [
      '04-4.12-account',
      'arn:aws:lambda:us-east-1:111122223333:function:child:$LATEST',
      'Cannot start a CHAINED_INVOKE on a function in another account.',
    ],
    [
      '04-4.12-account',
      '111122223333:function:child:$LATEST',
      'Cannot start a CHAINED_INVOKE on a function in another account.',
    ],
    [
      '04-4.12-region',
      'arn:aws:lambda:eu-west-1:000000000000:function:child:$LATEST',
      'Cannot start a CHAINED_INVOKE on a function in another region.',
    ],
    ['04-4.12-arn', 'arn:aws:lambda:us-east-1:child', "Invalid function ARN 'arn:aws:lambda:us-east-1:child'"],
  ] as const) {
    row(id, functionName, async () => {
      await using run = await server.execution()
      await run.refused([invoke.start('i1', functionName, '1')], message)
    })
  }

  row('04-4.12-everything-else', async () => {
    await using run = await server.execution()
    // An operation fails beside others that start; the request is accepted.
    const { NewExecutionState } = await run.checkpoint([
      invoke.start('i1', 'child'),
      invoke.start('i2', 'unheeded'),
      invoke.start('i3', 'plain:prod'),
    ])
    assert.deepEqual(
      NewExecutionState.Operations.map(({ Id, Status }) => [Id, Status]),
      [
        ['i1', 'FAILED'],
        ['i2', 'STARTED'],
        ['i3', 'FAILED'],
      ],
    )
  })
})
