/** Spec 07 §7.1–7.5 with 02 §2.1 and decision 19: what an Invoke of a durable function is answered. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { eventually } from './eventually.ts'
import type { Execution } from './execution.ts'
import { row, rowOnDisk, type TestServer, tables } from './harness.ts'
import { boom, callback, execution, wait } from './updates.ts'
import { executedVersion, VersionedServer } from './versioned-server.ts'
import { assertError, okBody, type WireAnswer } from './wire.ts'

const API = '/2025-12-01/durable-executions'
const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const UNQUALIFIED = 'You cannot invoke a durable function using an unqualified ARN.'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const TYPES = ['RequestResponse', 'Event', 'DryRun'] as const

const arnOf = (answer: WireAnswer): string => String(answer.headers['x-amz-durable-execution-arn'])
const started = (answer: WireAnswer): string => {
  assert.equal(answer.status, 202, answer.text)
  return arnOf(answer)
}
const conflict = (answer: WireAnswer, arn: string): void =>
  assertError(answer, 409, 'DurableExecutionAlreadyStartedException', `Execution already started: ${arn}`)

const executionsNamed = async (server: TestServer, functionName: string, name: string): Promise<number> => {
  const path = `/2025-12-01/functions/${functionName}/durable-executions?DurableExecutionName=${name}`
  return okBody<{ DurableExecutions: unknown[] }>(await server.get(path)).DurableExecutions.length
}

/** The same start again, as the execution's own caller would send it. */
const again = (run: Execution, type: 'Event' | 'RequestResponse', input = '{}'): Promise<WireAnswer> =>
  run.server.invoke('puppet:$LATEST', { name: run.name, type, input })

tables('the path of an Invoke (07 §7.1)', (server) => {
  row('07-7.1-qualifier-conflict', async () => {
    const text = 'The derived qualifier from the function name does not match the specified qualifier.'
    for (const type of TYPES) {
      assertError(
        await server.invoke('puppet:$LATEST', { query: '?Qualifier=1', type }),
        400,
        'InvalidParameterValueException',
        text,
      )
    }
    assert.equal((await server.invoke('puppet:$LATEST', { query: '?Qualifier=%24LATEST', type: 'DryRun' })).status, 204)
  })

  row('07-7.1-forms', async () => {
    for (const [name, query] of [
      ['puppet:$LATEST', ''],
      ['puppet', '?Qualifier=%24LATEST'],
      ['000000000000:function:puppet:$LATEST', ''],
      ['000000000000:function:puppet', '?Qualifier=%24LATEST'],
      [`${FUNCTION_ARN}:puppet:$LATEST`, ''],
      [`${FUNCTION_ARN}:puppet`, '?Qualifier=%24LATEST'],
    ] as const) {
      assert.equal((await server.invoke(name, { query, type: 'DryRun' })).status, 204, name)
    }
  })

  row('07-7.1-unknown', async () => {
    for (const [name, arn] of [
      ['nobody', `${FUNCTION_ARN}:nobody`],
      ['puppet:7', `${FUNCTION_ARN}:puppet:7`],
      ['puppet:prod', `${FUNCTION_ARN}:puppet:prod`],
    ] as const) {
      for (const type of TYPES) {
        assertError(await server.invoke(name, { type }), 404, 'ResourceNotFoundException', `Function not found: ${arn}`)
      }
    }
  })

  row('07-7.1-elsewhere', async () => {
    assertError(
      await server.invoke('arn:aws:lambda:eu-west-1:000000000000:function:puppet:$LATEST'),
      404,
      'ResourceNotFoundException',
      "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    )
    assertError(
      await server.invoke('arn:aws:lambda:us-east-1:111111111111:function:puppet:$LATEST'),
      403,
      'AccessDeniedException',
      /./,
    )
  })

  row('07-7.1-name-pattern', async () => {
    assertError(
      await server.invoke('a b'),
      400,
      'ValidationException',
      /^1 validation error detected: Value 'a b' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: /,
    )
  })

  row('07-7.1-unqualified', async () => {
    for (const name of ['puppet', '000000000000:function:puppet', `${FUNCTION_ARN}:puppet`]) {
      for (const type of TYPES)
        assertError(await server.invoke(name, { type }), 400, 'InvalidParameterValueException', UNQUALIFIED)
    }
  })

  row('07-7.1-dry-run', async () => {
    const name = server.freshName()
    const answer = await server.invoke('puppet:$LATEST', { name, type: 'DryRun', input: '{}' })
    assert.deepEqual([answer.status, answer.text], [204, ''])
    for (const header of ['x-amz-executed-version', 'x-amz-durable-execution-arn', 'content-length'])
      assert.ok(!(header in answer.headers), header)
    assert.equal(await executionsNamed(server, 'puppet', name), 0)
    assert.equal(server.puppets.count(name), 0)
  })

  row('07-7.1-type', async () => {
    assertError(
      await server.invoke('puppet:$LATEST', { type: 'Later' }),
      400,
      'ValidationException',
      "1 validation error detected: Value 'Later' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]",
    )
    assertError(
      await server.invoke('puppet:$LATEST', { headers: { 'x-amz-log-type': 'All' } }),
      400,
      'ValidationException',
      /at 'logType' failed to satisfy constraint: Member must satisfy enum value set: \[None, Tail\]/,
    )
  })

  row('07-7.1-json', async () => {
    for (const type of ['RequestResponse', 'Event']) {
      for (const input of ['{', 'undefined', '{"a":1}x', Buffer.from([0x22, 0xff, 0x22])]) {
        assertError(
          await server.invoke('puppet:$LATEST', { type, input }),
          400,
          'InvalidRequestContentException',
          /^Could not parse request body into json: /,
        )
      }
    }
  })

  row('07-7.1-size', async () => {
    const text = (bytes: number) => JSON.stringify('x'.repeat(bytes - 2))
    for (const [type, limit] of [
      ['Event', 1_048_576],
      ['RequestResponse', 6_291_456],
    ] as const) {
      assertError(
        await server.invoke('puppet:$LATEST', { type, input: text(limit + 1) }),
        413,
        'RequestTooLargeException',
        /payload is too large/,
      )
    }
    const name = server.freshName()
    started(await server.invoke('puppet:$LATEST', { type: 'Event', name, input: text(1_048_576) }))
    const [operation] = (await server.puppets.nextOfExecution(name)).event.InitialExecutionState.Operations
    assert.equal(operation?.ExecutionDetails?.InputPayload, text(1_048_576))
  })

  row('07-7.1-any-json', async () => {
    for (const input of ['null', '""', '0', '[]', ' {"a" : 1.0}\n', '"\\ud800"']) {
      await using run = await server.execution({ input })
      assert.equal(run.initialOperations[0]?.ExecutionDetails?.InputPayload, input)
    }
    const name = server.freshName()
    started(await server.invoke('puppet:$LATEST', { type: 'Event', name }))
    const [operation] = (await server.puppets.nextOfExecution(name)).event.InitialExecutionState.Operations
    assert.equal(operation?.ExecutionDetails?.InputPayload, '{}')
  })

  row('07-7.1-tenant', async () => {
    const headers = { 'x-amz-tenant-id': 'blue' }
    for (const type of TYPES) {
      assertError(
        await server.invoke('tenanted:$LATEST', { type }),
        400,
        'InvalidParameterValueException',
        /tenant id is required/,
      )
      assertError(
        await server.invoke('puppet:$LATEST', { type, headers }),
        400,
        'InvalidParameterValueException',
        /no tenant id/,
      )
    }
    assertError(
      await server.invoke('tenanted:$LATEST', { headers: { 'x-amz-tenant-id': 'a*b' } }),
      400,
      'ValidationException',
      /at 'tenantId'/,
    )
    assert.equal((await server.invoke('tenanted:$LATEST', { type: 'DryRun', headers })).status, 204)
    const name = server.freshName()
    started(await server.invoke('tenanted:$LATEST', { type: 'Event', name, headers }))
    ;(await server.puppets.nextOfExecution(name)).respond({ Status: 'SUCCEEDED' })
  })

  row('07-7.1-alias', async () => {
    await using versioned = await VersionedServer.open()
    assert.equal(executedVersion(await versioned.invoke('prod', 'a')), '1')
    assert.equal(executedVersion(await versioned.invoke('2', 'b')), '2')
    assert.equal(executedVersion(await versioned.invoke('$LATEST', 'c')), '$LATEST')
    versioned.functions.alias = '2'
    // Pinned at its start, and found by its name before the alias is looked at.
    assert.equal(executedVersion(await versioned.invoke('prod', 'a')), '1')
    assert.equal(executedVersion(await versioned.invoke('prod', 'd')), '2')
  })

  row('01-1.5-alias', async () => {
    await using versioned = await VersionedServer.open()
    for (const [qualifier, name] of [
      ['1', 'a'],
      ['2', 'b'],
      ['$LATEST', 'c'],
    ] as const)
      executedVersion(await versioned.invoke(qualifier, name))
    const listed = async (query: string) =>
      okBody<{ DurableExecutions: { DurableExecutionName: string }[] }>(
        await versioned.get(`/2025-12-01/functions/orders/durable-executions${query}`),
      )
        .DurableExecutions.map(({ DurableExecutionName }) => DurableExecutionName)
        .toSorted()
    assert.deepEqual(await listed(''), ['a', 'b', 'c'])
    assert.deepEqual(await listed('?Qualifier=prod'), ['a'])
    assert.deepEqual(await listed('?Qualifier=2'), ['b'])
    assert.deepEqual(await listed('?Qualifier=%24LATEST'), ['c'])
    versioned.functions.alias = '2'
    assert.deepEqual(await listed('?Qualifier=prod'), ['b'])
  })
})

tables(
  'a lenient server (07 §7.1)',
  (server) => {
    row('07-7.1-lenient', async () => {
      const name = server.freshName()
      assert.match(started(await server.invoke('puppet', { name, type: 'Event' })), /:function:puppet:\$LATEST\//)
      assert.equal((await server.invoke('puppet', { type: 'DryRun' })).status, 204)
    })
  },
  { allowUnqualified: true },
)

tables('name and ARN (07 §7.2)', (server) => {
  row('07-7.2-name', async () => {
    for (const name of ['a', 'A-z_0', 'n'.repeat(64)]) {
      const arn = started(await server.invoke('puppet:$LATEST', { name, type: 'Event' }))
      assert.equal(arn.split('/').at(-2), name)
      assert.match(arn.split('/').at(-1) ?? '', UUID)
    }
    for (const name of ['n'.repeat(65), 'a.b', 'a/b', 'é']) {
      assertError(
        await server.invoke('puppet:$LATEST', { name, type: 'Event' }),
        400,
        'ValidationException',
        /at 'durableExecutionName'/,
      )
    }
  })

  row('07-7.2-generated', async () => {
    const arn = started(await server.invoke('puppet:$LATEST', { type: 'Event' }))
    const { DurableExecutionName } = okBody<{ DurableExecutionName: string }>(
      await server.get(`${API}/${encodeURIComponent(arn)}`),
    )
    assert.match(DurableExecutionName, UUID)
    assert.equal(arn.split('/').at(-2), DurableExecutionName)
  })

  row('07-7.2-header', async () => {
    const run = await server.execution({ mode: 'sync' })
    await run.succeed('1')
    assert.equal(arnOf(await run.invokeAnswer()), run.arn)
    const failed = await server.execution({ mode: 'sync' })
    await failed.fail(boom)
    assert.equal(arnOf(await failed.invokeAnswer()), failed.arn)
    assert.equal(started(await again(run, 'Event')), run.arn)
  })

  row('07-7.2-plain', async () => {
    assertError(await server.invoke('plain', { name: 'x' }), 400, 'InvalidParameterValueException', /name/)
  })
})

tables('idempotency by name (07 §7.3)', (server) => {
  row('07-7.3-none', async () => {
    const name = server.freshName()
    const arn = started(await server.invoke('puppet:$LATEST', { name, type: 'Event' }))
    assert.equal(await executionsNamed(server, 'puppet', name), 1)
    assert.equal((await server.puppets.nextOfExecution(name)).event.DurableExecutionArn, arn)
  })

  row('07-7.3-running-identical', 'Event', async () => {
    await using run = await server.execution()
    assert.equal(started(await again(run, 'Event')), run.arn)
    assert.equal(await executionsNamed(server, 'puppet', run.name), 1)
    assert.equal(server.puppets.count(run.name), 1)
  })

  row('07-7.3-running-identical', 'RequestResponse', async () => {
    const run = await server.execution()
    const waiting = Promise.all([again(run, 'RequestResponse'), again(run, 'RequestResponse')])
    await run.succeed('"for all"')
    for (const answer of await waiting) {
      assert.deepEqual([answer.status, answer.text, arnOf(answer)], [200, '"for all"', run.arn])
    }
    assert.equal(server.puppets.count(run.name), 1)
  })

  row('07-7.3-running-identical', 'at the same time', async () => {
    const name = server.freshName()
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => server.invoke('puppet:$LATEST', { name, type: 'Event', input: '1' })),
    )
    assert.equal(new Set(answers.map(started)).size, 1)
    assert.equal(await executionsNamed(server, 'puppet', name), 1)
  })

  for (const type of ['Event', 'RequestResponse'] as const) {
    row('07-7.3-running-different', type, async () => {
      await using run = await server.execution()
      conflict(await again(run, type, '{"a":1}'), run.arn)
      assert.equal((await run.describe()).Status, 'RUNNING')
    })

    row('07-7.3-closed-different', type, async () => {
      const run = await server.execution()
      await run.succeed('1')
      conflict(await again(run, type, '{"a":1}'), run.arn)
      assert.equal(await executionsNamed(server, 'puppet', run.name), 1)
    })
  }

  for (const status of ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'] as const) {
    row('07-7.3-closed-identical', status, async () => {
      const run = await server.execution({ function: 'brief' })
      if (status === 'SUCCEEDED') await run.succeed('"done"')
      else if (status === 'FAILED') await run.fail(boom)
      else if (status === 'STOPPED') await run.stop(boom)
      else await server.advance(60_000)
      const repeated = { name: run.name, input: '{}' }
      const answer = await server.invoke('brief:$LATEST', repeated)
      assert.deepEqual([answer.status, arnOf(answer)], [200, run.arn])
      if (status === 'SUCCEEDED') assert.equal(answer.text, '"done"')
      else assert.equal(answer.headers['x-amz-function-error'], 'Unhandled')
      assert.equal(started(await server.invoke('brief:$LATEST', { ...repeated, type: 'Event' })), run.arn)
      assert.equal(server.puppets.count(run.name), 1)
    })
  }

  row('07-7.3-scope', async () => {
    await using run = await server.execution()
    const other = started(await server.invoke('brief:$LATEST', { name: run.name, type: 'Event', input: '{"a":1}' }))
    assert.notEqual(other, run.arn)
  })

  row('07-7.3-version', async () => {
    await using versioned = await VersionedServer.open()
    const first = await versioned.invoke('1', 'a')
    executedVersion(first)
    for (const type of ['Event', 'RequestResponse'] as const) {
      conflict(await versioned.invoke('2', 'a', type), arnOf(first))
      conflict(await versioned.invoke('$LATEST', 'a', type), arnOf(first))
    }
    assert.equal(executedVersion(await versioned.invoke('1', 'a')), '1')
  })

  row('07-7.3-bytes', async () => {
    await using run = await server.execution({ input: '{"a":1,"b":2}' })
    for (const input of ['{"a":1, "b":2}', '{"b":2,"a":1}', '{"a":1,"b":2}\n', '{"a":1.0,"b":2}']) {
      conflict(await again(run, 'Event', input), run.arn)
    }
    assert.equal(started(await again(run, 'Event', '{"a":1,"b":2}')), run.arn)
  })

  row('07-7.3-empty', async () => {
    const name = server.freshName()
    const first = started(await server.invoke('puppet:$LATEST', { name, type: 'Event' }))
    assert.equal(started(await server.invoke('puppet:$LATEST', { name, type: 'Event', input: '' })), first)
  })

  row('07-7.3-unnamed', async () => {
    const arns = await Promise.all(
      Array.from({ length: 3 }, () => server.invoke('puppet:$LATEST', { type: 'Event', input: '{}' }).then(started)),
    )
    assert.equal(new Set(arns).size, 3)
  })

  row('07-7.3-others', async () => {
    await using run = await server.execution({ mode: 'sync' })
    const headers = { 'x-amzn-trace-id': 'Root=1-0', 'x-amz-log-type': 'Tail', 'content-type': 'text/plain' }
    assert.equal(
      started(await server.invoke('puppet:$LATEST', { name: run.name, type: 'Event', input: '{}', headers })),
      run.arn,
    )
  })

  row('07-7.3-retention', async () => {
    const name = server.freshName()
    const first = started(await server.invoke('retained:$LATEST', { name, type: 'Event', input: '1' }))
    okBody(await server.postJson(`${API}/${encodeURIComponent(first)}/stop`, {}))
    await server.advance(86_400_000 - 1)
    conflict(await server.invoke('retained:$LATEST', { name, type: 'Event', input: '2' }), first)
    await server.advance(1)
    const second = started(await server.invoke('retained:$LATEST', { name, type: 'Event', input: '2' }))
    assert.notEqual(second, first)
  })
})

tables('RequestResponse (07 §7.4)', (server) => {
  row('07-7.4-timeout', async () => {
    assertError(
      await server.invoke('patient:$LATEST'),
      400,
      'InvalidParameterValueException',
      'You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.',
    )
    assert.equal((await server.invoke('patient:$LATEST', { type: 'DryRun' })).status, 204)
  })

  row('07-7.4-suspension', async () => {
    await using run = await server.execution({ mode: 'sync' })
    await run.checkpoint([wait.start('w1', 300)])
    await run.resumedAfter(300)
    await run.checkpoint([callback.start('k1')])
    const id = await run.callbackId('k1')
    await run.suspend()
    await server.callbackAccepted(id, 'succeed', '1')
    await run.resumed()
    await run.succeed('{"after" : "two suspensions"}')
    const answer = await run.invokeAnswer()
    assert.deepEqual([answer.status, answer.text], [200, '{"after" : "two suspensions"}'])
    assert.equal(answer.headers['x-amz-executed-version'], '$LATEST')
  })

  row('07-7.4-disconnect', async () => {
    const name = server.freshName()
    const call = request(`${server.endpoint}/2015-03-31/functions/puppet%3A%24LATEST/invocations`, {
      method: 'POST',
      headers: { 'x-amz-durable-execution-name': name },
    })
    const broken = once(call, 'error')
    call.end('{}')
    const invocation = await server.puppets.nextOfExecution(name)
    call.destroy(new Error('gone'))
    await broken
    invocation.respond({ Status: 'SUCCEEDED', Result: '"went on"' })
    const answer = await server.invoke('puppet:$LATEST', { name, input: '{}' })
    assert.equal(answer.text, '"went on"')
  })

  row('07-7.4-SUCCEEDED', async () => {
    const run = await server.execution({ mode: 'sync' })
    await run.succeed(' {"verbatim":1}')
    const answer = await run.invokeAnswer()
    assert.deepEqual([answer.status, answer.text], [200, ' {"verbatim":1}'])
    assert.ok(!('x-amz-function-error' in answer.headers))
    assert.equal(answer.headers['x-amz-executed-version'], '$LATEST')
    assert.equal(arnOf(answer), run.arn)
  })

  row('07-7.4-no-result', async () => {
    const run = await server.execution({ mode: 'sync' })
    await run.succeed()
    assert.equal((await run.invokeAnswer()).text, 'null')
  })

  const failed = (answer: WireAnswer, body: object): void => {
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['x-amz-function-error'], 'Unhandled')
    assert.equal(answer.headers['x-amz-executed-version'], '$LATEST')
    assert.deepEqual(JSON.parse(answer.text), body)
  }

  for (const [variation, error, body] of [
    [
      'all members',
      { ...boom, StackTrace: ['at a', 'at b'] },
      { errorType: 'Boom', errorMessage: 'it broke', stackTrace: ['at a', 'at b'] },
    ],
    ['a message only', { ErrorMessage: 'm' }, { errorMessage: 'm' }],
    ['nothing', {}, {}],
  ] as const) {
    row('07-7.4-FAILED', variation, async () => {
      const run = await server.execution({ mode: 'sync' })
      await run.fail(error)
      failed(await run.invokeAnswer(), body)
    })
  }

  row('07-7.4-TIMED_OUT', async () => {
    const run = await server.execution({ function: 'brief', mode: 'sync' })
    await server.advance(60_000)
    failed(await run.invokeAnswer(), { errorMessage: 'Execution timed out after 60 seconds.' })
  })

  row('07-7.4-STOPPED', async () => {
    const run = await server.execution({ mode: 'sync' })
    await run.stop(boom)
    failed(await run.invokeAnswer(), { errorType: 'Boom', errorMessage: 'it broke' })
  })

  row('07-7.4-log', async () => {
    const run = await server.execution({ mode: 'sync' })
    const headers = { 'x-amz-log-type': 'Tail' }
    const tailed = () => server.invoke('puppet:$LATEST', { name: run.name, input: '{}', headers })
    const answer = tailed()
    await run.failedAndRetried(1)
    run.invocation.respond({ Status: 'SUCCEEDED', Result: '1' })
    const { status, text, headers: told } = await answer
    assert.deepEqual([status, text], [200, '1'])
    const log = Buffer.from(String(told['x-amz-log-result']), 'base64').toString()
    assert.deepEqual(log.match(/^(START|END|REPORT)(?= RequestId: )/gm), ['START', 'END', 'REPORT'])
    for (const other of [await run.invokeAnswer(), await tailed()]) {
      assert.deepEqual([other.text, other.headers['x-amz-log-result']], ['1', undefined])
    }
  })

  row('07-7.4-checkpointed', async () => {
    const run = await server.execution({ mode: 'sync' })
    await run.checkpoint([execution.succeed('"large"')])
    await run.succeed('')
    assert.equal((await run.invokeAnswer()).text, '"large"')
  })

  for (const how of ['stop', 'kill'] as const) {
    rowOnDisk(server, '07-7.4-restart', how, async () => {
      const run = await server.execution({ mode: 'sync' })
      await run.checkpoint([callback.start('k1')])
      const id = await run.callbackId('k1')
      await run.suspend()
      // A killed server cuts the connection; one that shuts down says so (see 01-1.0-ServiceException).
      const cut = run.invokeAnswer().then(
        ({ status }) => status,
        () => 'cut',
      )
      await server.restart(how)
      assert.equal(await cut, how === 'kill' ? 'cut' : 500)
      const attached = again(run, 'RequestResponse')
      await server.callbackAccepted(id, 'succeed', '1')
      await run.resumed()
      run.invocation.respond({ Status: 'SUCCEEDED', Result: '"across"' })
      assert.deepEqual(
        [(await attached).status, (await attached).text, arnOf(await attached)],
        [200, '"across"', run.arn],
      )
    })
  }

  rowOnDisk(server, '01-1.0-ServiceException', async () => {
    const run = await server.execution({ mode: 'sync' })
    await run.checkpoint([callback.start('k1')])
    await run.suspend()
    const waiting = run.invokeAnswer()
    await server.restart('stop')
    const answer = await waiting
    assertError(answer, 500, 'ServiceException', /shutting down/)
    assert.ok('Message' in (JSON.parse(answer.text) as object))
    okBody(await server.postJson(`${API}/${encodeURIComponent(run.arn)}/stop`, {}))
  })
})

tables('Event (07 §7.5)', (server) => {
  row('07-7.5-answer', async () => {
    const answer = await server.invoke('puppet:$LATEST', { type: 'Event', input: '{}' })
    assert.deepEqual([answer.status, answer.text], [202, ''])
    assert.ok(arnOf(answer).startsWith(`${FUNCTION_ARN}:puppet:$LATEST/durable-execution/`))
    assert.ok(!('x-amz-executed-version' in answer.headers))
    assert.equal(
      okBody<{ Status: string }>(await server.get(`${API}/${encodeURIComponent(arnOf(answer))}`)).Status,
      'RUNNING',
    )
  })

  row('07-7.5-timeout', async () => {
    await using run = await server.execution({ function: 'patient' })
    await run.checkpoint([wait.start('w1', 31_000_000)])
    await run.resumedAfter(31_000_000)
    await run.succeed('1').catch(() => {})
    await eventually('the end', async () => ((await run.describe()).Status === 'SUCCEEDED' ? true : undefined))
  })

  row('07-7.5-result', async () => {
    const fits = await server.execution()
    const text = JSON.stringify('x'.repeat(1_048_574))
    assert.equal((await fits.succeed(text)).Result?.length, 1_048_576)
    const large = await server.execution()
    const { Status, Error: error } = await large.succeed(JSON.stringify('x'.repeat(1_048_575)))
    assert.equal(Status, 'FAILED')
    assert.match(error?.ErrorMessage ?? '', /1048576 bytes/)
  })

  row('07-7.5-no-retry', async () => {
    const run = await server.execution()
    await run.fail(boom)
    await server.advance(300_000)
    assert.equal(server.puppets.count(run.name), 1)
    assert.equal(await executionsNamed(server, 'puppet', run.name), 1)
  })

  rowOnDisk(server, '07-7.5-durable', async () => {
    const name = server.freshName()
    started(await server.invoke('puppet:$LATEST', { type: 'Event', name }))
    await server.restart('kill')
    const invocation = await server.puppets.next((one) => one.executionName === name && one.held)
    invocation.respond({ Status: 'SUCCEEDED', Result: '1' })
    // The process of the killed server may have been given the first invocation, which its successor supersedes.
    const answer = server.invoke('puppet:$LATEST', { name })
    void server.puppets
      .nextOfExecution(name)
      .then((superseding) => superseding.respond({ Status: 'SUCCEEDED', Result: '1' }))
    assert.equal((await answer).text, '1')
  })
})

tables('a repeated client call (decision 19)', (server) => {
  const call = (id: string) => ({ 'amz-sdk-invocation-id': id })

  row('d19-start', async () => {
    const headers = call('11111111-aaaa')
    const arns = await Promise.all(
      Array.from({ length: 3 }, () => server.invoke('puppet:$LATEST', { type: 'Event', headers }).then(started)),
    )
    arns.push(started(await server.invoke('puppet:$LATEST', { type: 'Event', headers })))
    assert.equal(new Set(arns).size, 1)
    assert.notEqual(
      started(await server.invoke('puppet:$LATEST', { type: 'Event', headers: call('another') })),
      arns[0],
    )
    assert.notEqual(started(await server.invoke('brief:$LATEST', { type: 'Event', headers })), arns[0])
  })

  row('d19-window', async () => {
    const headers = call('22222222-aaaa')
    const first = started(await server.invoke('puppet:$LATEST', { type: 'Event', headers }))
    await server.advance(900_000)
    assert.equal(started(await server.invoke('puppet:$LATEST', { type: 'Event', headers })), first)
    await server.advance(1)
    assert.notEqual(started(await server.invoke('puppet:$LATEST', { type: 'Event', headers })), first)
  })

  row('d19-sync', async () => {
    const headers = call('33333333-aaaa')
    const answers = Promise.all([
      server.invoke('child:$LATEST', { headers }),
      server.invoke('child:$LATEST', { headers }),
    ])
    const invocation = await server.puppets.nextOfFunction('child')
    invocation.respond({ Status: 'SUCCEEDED', Result: '"once"' })
    const [one, other] = await answers
    assert.deepEqual([one.text, other.text, arnOf(one)], ['"once"', '"once"', arnOf(other)])
  })

  rowOnDisk(server, 'd19-restart', async () => {
    const headers = call('44444444-aaaa')
    const first = started(await server.invoke('puppet:$LATEST', { type: 'Event', headers }))
    await server.restart('kill')
    assert.equal(started(await server.invoke('puppet:$LATEST', { type: 'Event', headers })), first)
  })

  row('d19-callback', async () => {
    await using run = await server.execution()
    await run.checkpoint([callback.start('k1')])
    const path = `/2025-12-01/durable-execution-callbacks/${await run.callbackId('k1')}/succeed`
    for (let repeat = 0; repeat < 2; repeat += 1) okBody(await server.postJson(path, '1', call('55555555-aaaa')))
    assertError(await server.postJson(path, '1', call('other')), 400, 'CallbackTimeoutException', /./)
  })
})

tables(
  'a full server (02 §2.1)',
  (server) => {
    row('01-1.0-TooManyRequestsException', async () => {
      const answer = await server.invoke('puppet:$LATEST', { type: 'Event' })
      assertError(answer, 429, 'TooManyRequestsException', 'Rate Exceeded.')
      const body = JSON.parse(answer.text) as { Reason: string; message: string }
      assert.deepEqual([body.Reason, body.message], ['ConcurrentInvocationLimitExceeded', 'Rate Exceeded.'])
      assert.equal(answer.headers['retry-after'], '1')
      assert.equal((await server.get('/2025-12-01/functions/puppet/durable-executions')).status, 200)
    })
  },
  { limits: { invokesInFlight: 0 } },
)
