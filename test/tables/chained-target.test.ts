/** Spec 07 §7.6: what a chained invoke makes of its target, beyond the transitions of 04 §4.12. */
import assert from 'node:assert/strict'
import type { Operation } from '../../src/protocol/shapes.ts'
import { eventually } from './eventually.ts'
import { type Execution, only } from './execution.ts'
import { row, rowOnDisk, type TestServer, tables } from './harness.ts'
import type { Invocation } from './puppeteer.ts'
import { boom, execution, invoke } from './updates.ts'
import { response, VersionedServer } from './versioned-server.ts'
import { assertError, okBody } from './wire.ts'

const API = '/2025-12-01/durable-executions'
const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const CHAINED_BYTES = 1_048_576

const pathOf = (arn: string): string => `${API}/${encodeURIComponent(arn)}`
const withTenant = (functionName: string, TenantId: string) =>
  invoke.start('i1', functionName, '{}', { ChainedInvokeOptions: { FunctionName: functionName, TenantId } })

/** Starts chained invoke i1 and takes the target's invocation; the parent is suspended. */
async function started(server: TestServer, run: Execution, target: string, payload?: string): Promise<Invocation> {
  await run.checkpoint([invoke.start('i1', `${target}:$LATEST`, payload)])
  const invocation = await server.puppets.nextOfFunction(target)
  await run.suspend()
  return invocation
}

/** i1 as the parent's next invocation sees it. */
async function finished(run: Execution): Promise<Operation> {
  await run.resumed()
  return only(run.initialOperations, 'i1')
}

tables('resolution (07 §7.6)', (server) => {
  row('07-7.6-forms', async () => {
    await using run = await server.execution()
    const forms = [
      'unheeded',
      'unheeded:$LATEST',
      '000000000000:function:unheeded',
      `${FUNCTION_ARN}:unheeded`,
      `${FUNCTION_ARN}:unheeded:$LATEST`,
    ]
    const { NewExecutionState } = await run.checkpoint(forms.map((form, index) => invoke.start(`i${index}`, form)))
    assert.deepEqual(
      NewExecutionState.Operations.map(({ Status }) => Status),
      forms.map(() => 'STARTED'),
    )
  })

  row('07-7.6-elsewhere', async () => {
    await using run = await server.execution()
    for (const what of ['account', 'region']) {
      const arn =
        what === 'account'
          ? FUNCTION_ARN.replace('000000000000', '111111111111')
          : FUNCTION_ARN.replace('us-east-1', 'eu-west-1')
      await run.refused(
        [invoke.start('i1', `${arn}:plain`)],
        `Cannot start a CHAINED_INVOKE on a function in another ${what}.`,
      )
    }
  })

  for (const [id, functionName, ErrorType, ErrorMessage] of [
    ['07-7.6-unknown', 'nobody', 'ResourceNotFoundException', `Function not found: ${FUNCTION_ARN}:nobody:$LATEST`],
    ['07-7.6-unknown', 'child:7', 'ResourceNotFoundException', `Function not found: ${FUNCTION_ARN}:child:7`],
    ['07-7.6-unknown', 'plain:prod', 'ResourceNotFoundException', `Function not found: ${FUNCTION_ARN}:plain:prod`],
    [
      '07-7.6-unqualified',
      'child',
      'InvalidParameterValueException',
      'You cannot invoke a durable function using an unqualified ARN.',
    ],
  ] as const) {
    row(id, functionName, async () => {
      await using run = await server.execution()
      const failed = await run.checkpointed('i1', [invoke.start('i1', functionName, '1')])
      assert.deepEqual([failed.Status, failed.ChainedInvokeDetails?.Error], ['FAILED', { ErrorType, ErrorMessage }])
      assert.deepEqual(await run.timeline(), ['ChainedInvokeStarted i1', 'ChainedInvokeFailed i1'])
      assert.deepEqual(await run.details('ChainedInvokeStarted', 'i1'), { FunctionName: functionName })
    })
  }
})

tables(
  'a lenient server (07 §7.6)',
  (server) => {
    row('07-7.6-lenient', async () => {
      await using run = await server.execution()
      assert.equal((await run.checkpointed('i1', [invoke.start('i1', 'child')])).Status, 'STARTED')
    })
  },
  { allowUnqualified: true },
)

tables('plain targets (07 §7.6)', (server) => {
  row('07-7.6-plain-payload', async () => {
    await using run = await server.execution()
    const target = await started(server, run, 'plain')
    assert.deepEqual(target.payload, {})
    target.respond('a text')
    assert.deepEqual(await finished(run).then(({ Status, ChainedInvokeDetails }) => [Status, ChainedInvokeDetails]), [
      'SUCCEEDED',
      { Result: '"a text"' },
    ])
  })

  row('07-7.6-plain-error', async () => {
    await using run = await server.execution()
    const target = await started(server, run, 'plain')
    target.throw('Boom', 'it broke')
    const { Status, ChainedInvokeDetails } = await finished(run)
    assert.equal(Status, 'FAILED')
    assert.partialDeepStrictEqual(ChainedInvokeDetails?.Error, boom)
  })

  row('07-7.6-plain-once', async () => {
    await using run = await server.execution()
    const target = await started(server, run, 'single')
    target.throw('Boom', 'it broke')
    assert.equal((await finished(run)).Status, 'FAILED')
    await server.advance(600_000)
    // Had it been tried again, this would be the second attempt and not the caller's own payload.
    const mine = server.invoke('single', { input: '"mine"' })
    const next = await server.puppets.nextOfFunction('single')
    assert.equal(next.payload, 'mine')
    next.respond(1)
    assert.equal((await mine).text, '1')
  })

  row('07-7.6-plain-timeout', async () => {
    await using run = await server.execution()
    await started(server, run, 'hasty')
    const { Status, ChainedInvokeDetails } = await finished(run)
    assert.deepEqual([Status, ChainedInvokeDetails?.Error?.ErrorType], ['FAILED', 'Sandbox.Timedout'])
    assert.match(ChainedInvokeDetails?.Error?.ErrorMessage ?? '', /Task timed out after 1\.00 seconds/)
  })

  row('07-7.6-plain-size', async () => {
    await using run = await server.execution()
    const target = await started(server, run, 'plain')
    target.respond('x'.repeat(CHAINED_BYTES - 1))
    const { Status, ChainedInvokeDetails } = await finished(run)
    assert.equal(Status, 'FAILED')
    assert.deepEqual(ChainedInvokeDetails?.Error, {
      ErrorMessage: `CHAINED_INVOKE output payload size must be less than or equal to ${CHAINED_BYTES} bytes.`,
    })
    await using other = await server.execution()
    const fitting = await started(server, other, 'plain')
    fitting.respond('x'.repeat(CHAINED_BYTES - 2))
    assert.equal((await finished(other)).ChainedInvokeDetails?.Result?.length, CHAINED_BYTES)
  })

  row('07-7.6-plain-utf8', async () => {
    await using versioned = await VersionedServer.open()
    versioned.functions.run = async ({ name }, { event }) => {
      if (name === 'tool') return response(new Uint8Array([0x22, 0xff, 0x22]))
      const { DurableExecutionArn, CheckpointToken, InitialExecutionState } = JSON.parse(event)
      const known = InitialExecutionState.Operations.find(({ Id }: Operation) => Id === 'i1')
      if (known !== undefined)
        return response(JSON.stringify({ Status: 'SUCCEEDED', Result: JSON.stringify(known.ChainedInvokeDetails) }))
      okBody(
        await versioned.post(`${pathOf(DurableExecutionArn)}/checkpoint`, {
          CheckpointToken,
          Updates: [invoke.start('i1', 'tool')],
        }),
      )
      return response('{"Status":"PENDING"}')
    }
    const { text } = await versioned.invoke('1', 'a')
    assert.deepEqual(JSON.parse(text), {
      Error: { ErrorMessage: 'CHAINED_INVOKE response could not be decoded as UTF-8.' },
    })
  })

  row('07-7.6-plain-version', async () => {
    await using run = await server.execution()
    const operation = await run.checkpointed('i1', [invoke.start('i1', 'unheeded')])
    assert.equal(operation.Status, 'STARTED')
    assert.equal((await run.details('ChainedInvokeStarted', 'i1'))['ExecutedVersion'], '$LATEST')
  })
})

tables('durable targets (07 §7.6)', (server) => {
  row('07-7.6-child', async () => {
    await using run = await server.execution()
    const child = await started(server, run, 'child', '{"n":1}')
    const childArn = child.event.DurableExecutionArn
    assert.match(childArn, /durable-execution\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\/[0-9a-f-]{36}$/)
    assert.deepEqual(await run.details('ChainedInvokeStarted', 'i1'), {
      FunctionName: 'child:$LATEST',
      Input: { Payload: '{"n":1}', Truncated: false },
      ExecutedVersion: '$LATEST',
      DurableExecutionArn: childArn,
    })
    const { Events } = okBody<{ Events: { EventType: string }[] }>(await server.get(`${pathOf(childArn)}/history`))
    assert.deepEqual(
      Events.map(({ EventType }) => EventType),
      ['ExecutionStarted'],
    )
    child.respond({ Status: 'SUCCEEDED' })
  })

  row('07-7.6-child-timeout', async () => {
    await using run = await server.execution()
    const child = await started(server, run, 'patient')
    assert.equal(
      okBody<{ DurableConfig: { ExecutionTimeout: number } }>(await server.get(pathOf(child.event.DurableExecutionArn)))
        .DurableConfig.ExecutionTimeout,
      31_622_400,
    )
    child.respond({ Status: 'SUCCEEDED', Result: '1' })
    assert.equal((await finished(run)).Status, 'SUCCEEDED')
  })

  for (const text of [
    'null',
    '"a string"',
    '{"nested":{"list":[1,null,"é"]}}',
    JSON.stringify('x'.repeat(CHAINED_BYTES - 2)),
  ]) {
    row('07-7.6-texts', text.slice(0, 20), async () => {
      await using run = await server.execution()
      const child = await started(server, run, 'child', text)
      assert.equal(child.event.InitialExecutionState.Operations[0]?.ExecutionDetails?.InputPayload, text)
      child.respond({ Status: 'SUCCEEDED', Result: text })
      assert.deepEqual((await finished(run)).ChainedInvokeDetails, { Result: text })
    })
  }

  row('07-7.6-SUCCEEDED', async () => {
    await using run = await server.execution()
    ;(await started(server, run, 'child')).respond({ Status: 'SUCCEEDED', Result: '"r"' })
    const { Status, ChainedInvokeDetails } = await finished(run)
    assert.deepEqual([Status, ChainedInvokeDetails], ['SUCCEEDED', { Result: '"r"' }])
  })

  row('07-7.6-FAILED', async () => {
    await using run = await server.execution()
    ;(await started(server, run, 'child')).respond({ Status: 'FAILED', Error: { ...boom, ErrorData: 'd' } })
    const { Status, ChainedInvokeDetails } = await finished(run)
    assert.deepEqual([Status, ChainedInvokeDetails], ['FAILED', { Error: { ...boom, ErrorData: 'd' } }])
  })

  row('07-7.6-TIMED_OUT', async () => {
    await using run = await server.execution()
    await started(server, run, 'briefChild')
    await server.advance(30_000)
    const { Status, ChainedInvokeDetails } = await finished(run)
    assert.deepEqual(
      [Status, ChainedInvokeDetails?.Error],
      ['TIMED_OUT', { ErrorType: 'ChainedInvoke.Timeout', ErrorMessage: 'CHAINED_INVOKE timed out after 30 seconds.' }],
    )
  })

  row('07-7.6-STOPPED', async () => {
    await using run = await server.execution()
    const child = await started(server, run, 'child')
    okBody(await server.postJson(`${pathOf(child.event.DurableExecutionArn)}/stop`, boom))
    const { Status, ChainedInvokeDetails } = await finished(run)
    assert.deepEqual([Status, ChainedInvokeDetails?.Error], ['STOPPED', boom])
  })

  row('07-7.6-child-size', async () => {
    await using run = await server.execution()
    ;(await started(server, run, 'child')).respond({
      Status: 'SUCCEEDED',
      Result: JSON.stringify('x'.repeat(CHAINED_BYTES)),
    })
    const { Status, ChainedInvokeDetails } = await finished(run)
    assert.equal(Status, 'FAILED')
    assert.match(ChainedInvokeDetails?.Error?.ErrorMessage ?? '', /1048576 bytes/)
  })

  row('07-7.6-parent-closed', async () => {
    const run = await server.execution()
    const child = await started(server, run, 'child')
    await run.stop()
    const before = await run.events()
    child.respond({ Status: 'SUCCEEDED', Result: '1' })
    await eventually('the end of the child', async () =>
      okBody<{ Status: string }>(await server.get(pathOf(child.event.DurableExecutionArn))).Status === 'SUCCEEDED'
        ? true
        : undefined,
    )
    assert.deepEqual(await run.events(), before)
  })

  row('07-7.6-closing-batch', async () => {
    const run = await server.execution()
    await run.checkpoint([invoke.start('i1', 'child:$LATEST', '1'), execution.succeed('2')])
    const child = await server.puppets.nextOfFunction('child')
    assert.equal((await run.succeed('')).Result, '2')
    child.respond({ Status: 'SUCCEEDED' })
  })

  row('07-7.6-tenant', async () => {
    await using run = await server.execution()
    await run.checkpoint([withTenant('tenanted:$LATEST', 'blue')])
    const child = await server.puppets.nextOfFunction('tenanted')
    assert.equal((await run.details('ChainedInvokeStarted', 'i1'))['TenantId'], 'blue')
    await run.suspend()
    child.respond({ Status: 'SUCCEEDED', Result: '1' })
    assert.equal((await finished(run)).Status, 'SUCCEEDED')
  })

  row('07-7.6-tenant-missing', async () => {
    await using run = await server.execution()
    for (const [id, target] of [
      ['i1', 'tenanted:$LATEST'],
      ['i2', 'tenantedPlain'],
    ] as const) {
      const failed = await run.checkpointed(id, [invoke.start(id, target)])
      assert.deepEqual(
        [failed.Status, failed.ChainedInvokeDetails?.Error?.ErrorType],
        ['FAILED', 'InvalidParameterValueException'],
      )
    }
  })

  row('07-7.6-tenant-unwanted', async () => {
    await using run = await server.execution()
    const failed = await run.checkpointed('i1', [withTenant('child:$LATEST', 'blue')])
    assert.deepEqual(
      [failed.Status, failed.ChainedInvokeDetails?.Error?.ErrorType],
      ['FAILED', 'InvalidParameterValueException'],
    )
  })

  row('07-7.6-tenant-not-inherited', async () => {
    const headers = { 'x-amz-tenant-id': 'blue' }
    const name = server.freshName()
    assert.equal((await server.invoke('tenanted:$LATEST', { name, type: 'Event', headers })).status, 202)
    const parent = await server.puppets.nextOfExecution(name)
    const { DurableExecutionArn, CheckpointToken } = parent.event
    const body = { CheckpointToken, Updates: [invoke.start('i1', 'tenanted:$LATEST')] }
    const { NewExecutionState } = okBody<{ NewExecutionState: { Operations: Operation[] } }>(
      await server.postJson(`${pathOf(DurableExecutionArn)}/checkpoint`, body),
    )
    assert.equal(only(NewExecutionState.Operations, 'i1').Status, 'FAILED')
    parent.respond({ Status: 'SUCCEEDED' })
  })
})

tables('ordinary functions (07 §7.7)', (server) => {
  row('07-7.7-sync', async () => {
    const answer = server.invoke('plain', { input: '{"a":1}', headers: { 'x-amz-log-type': 'Tail' } })
    const invocation = await server.puppets.nextOfFunction('plain')
    assert.deepEqual(invocation.payload, { a: 1 })
    invocation.respond({ done: true })
    const { status, text, headers } = await answer
    assert.deepEqual([status, text, headers['x-amz-executed-version']], [200, '{"done":true}', '$LATEST'])
    assert.match(
      Buffer.from(String(headers['x-amz-log-result']), 'base64').toString(),
      /^START RequestId: .*REPORT RequestId: /s,
    )
    for (const header of ['x-amz-durable-execution-arn', 'x-amz-function-error'])
      assert.ok(!(header in headers), header)
  })

  row('07-7.7-error', async () => {
    const answer = server.invoke('plain')
    ;(await server.puppets.nextOfFunction('plain')).throw('Boom', 'it broke')
    const { status, text, headers } = await answer
    assert.deepEqual([status, headers['x-amz-function-error']], [200, 'Unhandled'])
    assert.partialDeepStrictEqual(JSON.parse(text), { errorType: 'Boom', errorMessage: 'it broke' })
  })

  row('07-7.7-dry-run', async () => {
    const answer = await server.invoke('plain', { type: 'DryRun', input: '{' })
    assert.deepEqual([answer.status, answer.text], [204, ''])
  })

  row('07-7.7-event', async () => {
    const answer = await server.invoke('single', { type: 'Event', input: '"queued"' })
    assert.deepEqual([answer.status, answer.text], [202, ''])
    assert.ok(!('x-amz-executed-version' in answer.headers))
    const invocation = await server.puppets.nextOfFunction('single')
    assert.deepEqual([invocation.payload, invocation.requestId], ['queued', answer.headers['x-amzn-requestid']])
    invocation.respond(1)
    assertError(
      await server.invoke('single', { type: 'Event', input: '{' }),
      400,
      'InvalidRequestContentException',
      /./,
    )
  })

  rowOnDisk(server, '07-7.7-durable', async () => {
    const { headers } = await server.invoke('single', { type: 'Event', input: '"kept"' })
    const lost = await server.puppets.nextOfFunction('single')
    await server.restart('kill')
    const again = await server.puppets.nextOfFunction('single')
    assert.deepEqual([again.payload, again.requestId], ['kept', headers['x-amzn-requestid']])
    assert.equal(lost.requestId, again.requestId)
    again.respond(1)
  })

  row('07-7.7-retries', async () => {
    await server.invoke('single', { type: 'Event', input: '"failing"' })
    const ended = async (attempt: Invocation): Promise<void> => {
      const reports = new RegExp(`REPORT RequestId: ${attempt.requestId}`, 'g')
      attempts += 1
      attempt.throw('Boom', 'it broke')
      await eventually('the end of the attempt', async () => {
        const { text } = await server.get(`/perdure/v1/logs?request=${attempt.requestId}`)
        return (text.match(reports)?.length ?? 0) >= attempts ? true : undefined
      })
    }
    let attempts = 0
    await ended(await server.puppets.nextOfFunction('single'))
    for (const minutes of [1, 2]) {
      // Not before its time: the only process would be taken.
      await server.advance(minutes * 60_000 - 1)
      const between = server.invoke('single', { input: '"between"' })
      const other = await server.puppets.nextOfFunction('single')
      assert.equal(other.payload, 'between')
      other.respond(1)
      await between
      await server.advance(1_000)
      const retry = await server.puppets.nextOfFunction('single')
      assert.equal(retry.payload, 'failing')
      await ended(retry)
    }
    await server.advance(3_600_000)
    const last = server.invoke('single', { input: '"last"' })
    const next = await server.puppets.nextOfFunction('single')
    assert.equal(next.payload, 'last')
    next.respond(1)
    await last
  })
})

tables(
  'a full queue (07 §7.7)',
  (server) => {
    row('07-7.7-queue', async () => {
      const first = server.invoke('single', { input: '1' })
      const running = await server.puppets.nextOfFunction('single')
      const answers = [server.invoke('single', { input: '2' }), server.invoke('single', { input: '3' })]
      const refused = await Promise.race(answers)
      assertError(refused, 429, 'TooManyRequestsException', 'Rate Exceeded.')
      assert.equal(
        (JSON.parse(refused.text) as { Reason: string }).Reason,
        'ReservedFunctionConcurrentInvocationLimitExceeded',
      )
      running.respond(1)
      ;(await server.puppets.nextOfFunction('single')).respond(2)
      assert.equal((await first).text, '1')
      assert.deepEqual((await Promise.all(answers)).map(({ status }) => status).toSorted(), [200, 429])
    })
  },
  { limits: { queuedPerFunction: 1 } },
)
