/** Spec 01 §1.1–1.6: the members, defaults and errors of the calls on executions. */
import assert from 'node:assert/strict'
import { type Execution, idsOf } from './execution.ts'
import { row, type TestServer, tables } from './harness.ts'
import { boom, context, step, wait } from './updates.ts'
import { assertError, ms, okBody, type WireAnswer } from './wire.ts'

const API = '/2025-12-01/durable-executions'
const FUNCTIONS = '/2025-12-01/functions'
const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const ABSENT_ID = '00000000-0000-4000-8000-000000000000'

type Members = Readonly<Record<string, unknown>>

const pathOf = (arn: string): string => `${API}/${encodeURIComponent(arn)}`
const described = async (run: Execution, query = ''): Promise<Members> =>
  okBody<Members>(await run.server.get(`${pathOf(run.arn)}${query}`))

/** ARNs that name no execution here, and what each is answered (spec 01 §1.3). */
const foreign = (arn: string, id: string) =>
  [
    ['unknown id', arn.replace(id, ABSENT_ID), 404, 'ResourceNotFoundException', 'Durable Execution does not exist'],
    [
      'another name',
      arn.replace('/durable-execution/', '/durable-execution/x'),
      404,
      'ResourceNotFoundException',
      'Durable Execution does not exist',
    ],
    [
      'another account',
      arn.replace('000000000000', '111111111111'),
      404,
      'ResourceNotFoundException',
      'Durable Execution does not exist',
    ],
    ['another region', arn.replace('us-east-1', 'eu-west-1'), 404, 'ResourceNotFoundException', 'Function not found'],
    [
      'malformed',
      'arn:aws:lambda:us-east-1:000000000000:function:puppet',
      400,
      'ValidationException',
      /^1 validation error detected: Value '.*' at 'durableExecutionArn' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:/,
    ],
    [
      'too long',
      `${arn}${'x'.repeat(1024)}`,
      400,
      'ValidationException',
      /at 'durableExecutionArn' failed to satisfy constraint: Member must have length less than or equal to 1024/,
    ],
  ] as const

const CALLS = {
  '01-1.3-foreign': (server: TestServer, arn: string) => server.get(pathOf(arn)),
  '01-1.4-foreign': (server: TestServer, arn: string) => server.get(`${pathOf(arn)}/history`),
  '01-1.6-foreign': (server: TestServer, arn: string) => server.postJson(`${pathOf(arn)}/stop`, {}),
  '01-1.10-foreign': (server: TestServer, arn: string) => server.delete(pathOf(arn)),
} as const

tables('executions that are not here (01 §1.3–1.10)', (server) => {
  for (const [id, call] of Object.entries(CALLS)) {
    row(id as keyof typeof CALLS, async () => {
      await using run = await server.execution()
      for (const [variation, arn, status, code, message] of foreign(run.arn, run.id)) {
        const answer = await call(server, arn)
        try {
          assertError(answer, status, code, message)
        } catch (error) {
          throw new Error(variation, { cause: error })
        }
      }
      assert.equal((await run.describe()).Status, 'RUNNING')
    })
  }
})

tables('CheckpointDurableExecution (01 §1.1)', (server) => {
  row('01-1.1-response', async () => {
    await using run = await server.execution()
    const answer = await run.send({})
    assert.deepEqual(Object.keys(okBody<object>(answer)).sort(), ['CheckpointToken', 'NewExecutionState'])
    assert.deepEqual(okBody<{ NewExecutionState: object }>(answer).NewExecutionState, { Operations: [] })
  })

  row('01-1.1-client-token', async () => {
    await using run = await server.execution()
    for (const [clientToken, ending] of [
      ['', 'have length greater than or equal to 1'],
      ['x'.repeat(65), 'have length less than or equal to 64'],
      ['a b', 'satisfy regular expression pattern: [\\x21-\\x7E]+'],
    ] as const) {
      const answer = await run.send({ clientToken })
      assertError(answer, 400, 'ValidationException', /at 'clientToken' failed to satisfy constraint/)
      assert.ok(answer.text.includes(JSON.stringify(ending).slice(1, -1)), answer.text)
    }
    await run.checkpoint([], '~'.repeat(64))
  })

  row('01-1.1-not-found', async () => {
    await using run = await server.execution()
    await run.staleToken(
      { arn: run.arn.replace(run.id, ABSENT_ID) },
      'Checkpoint token is not valid for the durable execution ARN',
    )
  })
})

tables('GetDurableExecutionState (01 §1.2)', (server) => {
  row('01-1.2-order', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.start('z'), step.start('a')])
    await run.checkpoint([step.succeed('m', '1'), step.succeed('a', '2')])
    assert.deepEqual(idsOf(await run.operations()), [run.id, 'z', 'a', 'm'])
  })

  row('01-1.2-last-page', async () => {
    await using run = await server.execution()
    assert.equal(okBody<{ NextMarker: string }>(await run.statePage()).NextMarker, '')
  })

  row('01-1.2-token', async () => {
    await using run = await server.execution()
    okBody(await run.statePage())
    okBody(await run.statePage())
    await run.checkpoint([])
    assertError(
      await server.get(`${pathOf(run.arn)}/state`),
      400,
      'ValidationException',
      /'checkpointToken'.*not be null/,
    )
  })

  row('01-1.2-hidden', async () => {
    await using run = await server.execution()
    await run.checkpoint([context.start('c1'), step.succeed('s1', '1', { ParentId: 'c1' })])
    await run.checkpoint([context.start('c2'), step.succeed('s2', '2', { ParentId: 'c2' })])
    await run.checkpoint([
      context.succeed('c1', '1'),
      context.succeed('c2', '2', { ContextOptions: { ReplayChildren: true } }),
    ])
    assert.deepEqual(idsOf(await run.operations()), [run.id, 'c1', 'c2', 's2'])
  })
})

tables('GetDurableExecution (01 §1.3)', (server) => {
  row('01-1.3-running', async () => {
    await using run = await server.execution({ input: ' {"a" : 1}' })
    assert.deepEqual(await described(run), {
      DurableExecutionArn: run.arn,
      DurableExecutionName: run.name,
      FunctionArn: `${FUNCTION_ARN}:puppet:$LATEST`,
      Version: '$LATEST',
      Status: 'RUNNING',
      StartTimestamp: run.startedAtMs / 1000,
      InputPayload: ' {"a" : 1}',
      DurableConfig: { ExecutionTimeout: 900, RetentionPeriodInDays: 14 },
      ExecutionDataIncluded: true,
    })
  })

  row('01-1.3-succeeded', async () => {
    await using run = await server.execution()
    await server.advance(1500)
    await run.succeed('{"ok":\n1}')
    const { Status, Result, Error: error, EndTimestamp } = await described(run)
    assert.deepEqual([Status, Result, error], ['SUCCEEDED', '{"ok":\n1}', undefined])
    assert.equal(ms(Number(EndTimestamp)), run.startedAtMs + 1500)
  })

  for (const status of ['FAILED', 'TIMED_OUT', 'STOPPED'] as const) {
    row('01-1.3-error', status, async () => {
      await using run = await server.execution({ function: 'brief' })
      if (status === 'FAILED') await run.fail(boom)
      else if (status === 'STOPPED') await run.stop(boom)
      else await server.advance(60_000)
      const seen = await described(run)
      assert.equal(seen['Status'], status)
      const error = status === 'TIMED_OUT' ? { ErrorMessage: 'Execution timed out after 60 seconds.' } : boom
      assert.deepEqual([seen['Error'], seen['Result']], [error, undefined])
      assert.equal(ms(Number(seen['EndTimestamp'])), server.nowMs)
    })
  }

  row('01-1.3-default', async () => {
    await using run = await server.execution()
    assert.deepEqual(await described(run), await described(run, '?IncludeExecutionData=true'))
  })

  row('01-1.3-without-data', async () => {
    await using run = await server.execution()
    await run.succeed('1')
    const { InputPayload, Result, ExecutionDataIncluded, ...rest } = await described(run)
    assert.deepEqual([InputPayload, Result, ExecutionDataIncluded], ['{}', '1', true])
    assert.deepEqual(await described(run, '?IncludeExecutionData=false'), { ...rest, ExecutionDataIncluded: false })
    await using failed = await server.execution()
    await failed.fail(boom)
    assert.ok(!('Error' in (await described(failed, '?IncludeExecutionData=false'))))
  })

  row('01-1.3-trace', async () => {
    const name = server.freshName()
    const trace = 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1'
    const answer = await server.invoke('puppet:$LATEST', { name, type: 'Event', headers: { 'x-amzn-trace-id': trace } })
    const arn = String(answer.headers['x-amz-durable-execution-arn'])
    assert.deepEqual(okBody<Members>(await server.get(pathOf(arn)))['TraceHeader'], { XAmznTraceId: trace })
    okBody(await server.postJson(`${pathOf(arn)}/stop`, {}))
  })

  row('01-1.3-config', async () => {
    const answer = await server.invoke('retained:$LATEST', { type: 'Event' })
    const arn = String(answer.headers['x-amz-durable-execution-arn'])
    const { DurableConfig } = okBody<Members>(await server.get(pathOf(arn)))
    assert.deepEqual(DurableConfig, { ExecutionTimeout: 900, RetentionPeriodInDays: 1 })
    okBody(await server.postJson(`${pathOf(arn)}/stop`, {}))
  })
})

tables('GetDurableExecutionHistory (01 §1.4)', (server) => {
  row('01-1.4-order', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.succeed('s1', '1')])
    const idsWith = async (query: string) =>
      okBody<{ Events: { EventId: number }[] }>(await server.get(`${pathOf(run.arn)}/history${query}`)).Events.map(
        ({ EventId }) => EventId,
      )
    assert.deepEqual(await idsWith(''), [1, 2])
    assert.deepEqual(await idsWith('?ReverseOrder=false'), [1, 2])
    assert.deepEqual(await idsWith('?ReverseOrder=true'), [2, 1])
  })

  row('01-1.4-default', async () => {
    await using run = await server.execution()
    await run.checkpoint([step.succeed('s1', '1')])
    const textOf = async (query: string) => (await server.get(`${pathOf(run.arn)}/history${query}`)).text
    assert.equal(await textOf(''), await textOf('?IncludeExecutionData=true'))
    assert.match(await textOf(''), /"Payload":"1"/)
    assert.match(await textOf('?IncludeExecutionData=false'), /"Result":\{"Truncated":true\}/)
  })
})

interface Listed {
  readonly DurableExecutions: readonly Members[]
  readonly NextMarker?: string
}

tables('ListDurableExecutionsByFunction (01 §1.5)', (server) => {
  const list = (functionName: string, query: string): Promise<WireAnswer> =>
    server.get(`${FUNCTIONS}/${encodeURIComponent(functionName)}/durable-executions?${query}`)
  const names = async (functionName: string, query: string): Promise<unknown[]> =>
    okBody<Listed>(await list(functionName, query)).DurableExecutions.map(
      ({ DurableExecutionName }) => DurableExecutionName,
    )

  row('01-1.5-members', async () => {
    await using run = await server.execution()
    const only = async () =>
      okBody<Listed>(await list('puppet', `DurableExecutionName=${run.name}`)).DurableExecutions[0]
    const running = {
      DurableExecutionArn: run.arn,
      DurableExecutionName: run.name,
      FunctionArn: `${FUNCTION_ARN}:puppet:$LATEST`,
      Status: 'RUNNING',
      StartTimestamp: run.startedAtMs / 1000,
    }
    assert.deepEqual(await only(), running)
    await run.succeed('1')
    assert.deepEqual(await only(), { ...running, Status: 'SUCCEEDED', EndTimestamp: server.nowMs / 1000 })
  })

  row('01-1.5-function', async () => {
    await using run = await server.execution()
    const filter = `DurableExecutionName=${run.name}`
    for (const form of [
      'puppet',
      'puppet:$LATEST',
      '000000000000:function:puppet',
      `${FUNCTION_ARN}:puppet`,
      `${FUNCTION_ARN}:puppet:$LATEST`,
    ]) {
      assert.deepEqual(await names(form, filter), [run.name], form)
    }
    assertError(await list('no such', ''), 400, 'ValidationException', /at 'functionName'/)
    assertError(await list('x'.repeat(257), ''), 400, 'ValidationException', /at 'functionName'/)
  })

  row('01-1.5-unknown', async () => {
    assertError(
      await list('nobody', ''),
      404,
      'ResourceNotFoundException',
      `Function not found: ${FUNCTION_ARN}:nobody`,
    )
    assertError(
      await list('puppet', 'Qualifier=7'),
      404,
      'ResourceNotFoundException',
      `Function not found: ${FUNCTION_ARN}:puppet:7`,
    )
  })

  row('01-1.5-plain', async () => {
    assert.deepEqual(okBody(await list('plain', '')), { DurableExecutions: [] })
  })

  row('01-1.5-qualifier', async () => {
    await using run = await server.execution()
    const filter = `DurableExecutionName=${run.name}`
    assert.deepEqual(await names('puppet', filter), [run.name])
    assert.deepEqual(await names('puppet', `${filter}&Qualifier=${encodeURIComponent('$LATEST')}`), [run.name])
    assertError(
      await list('puppet:$LATEST', 'Qualifier=7'),
      400,
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
    )
    assertError(await list('puppet', `Qualifier=${'x'.repeat(129)}`), 400, 'ValidationException', /at 'qualifier'/)
  })

  row('01-1.5-name', async () => {
    await using run = await server.execution()
    await using _other = await server.execution()
    assert.deepEqual(await names('puppet', `DurableExecutionName=${run.name}`), [run.name])
    assert.deepEqual(await names('puppet', `DurableExecutionName=${run.name.slice(0, -1)}x`), [])
    assert.deepEqual(await names('brief', `DurableExecutionName=${run.name}`), [])
  })

  row('01-1.5-statuses', async () => {
    await using running = await server.execution({ function: 'brief' })
    await using stopped = await server.execution({ function: 'brief' })
    await stopped.stop()
    await using succeeded = await server.execution({ function: 'brief' })
    await succeeded.succeed()
    await using failed = await server.execution({ function: 'brief' })
    await failed.fail()
    const all = [failed, succeeded, stopped, running].map(({ name }) => name)
    const mine = async (query: string) => (await names('brief', query)).filter((name) => all.includes(String(name)))
    assert.deepEqual((await mine('')).toSorted(), all.toSorted())
    assert.deepEqual(await mine('Statuses=RUNNING'), [running.name])
    assert.deepEqual(await mine('Statuses=STOPPED'), [stopped.name])
    assert.deepEqual(await mine('Statuses=SUCCEEDED'), [succeeded.name])
    assert.deepEqual(await mine('Statuses=FAILED'), [failed.name])
    assert.deepEqual(
      (await mine('Statuses=FAILED&Statuses=RUNNING&Statuses=FAILED')).toSorted(),
      [failed.name, running.name].toSorted(),
    )
    await server.advance(60_000)
    assert.deepEqual(await mine('Statuses=TIMED_OUT'), [running.name])
    for (const status of ['PAUSED', 'PAUSING', 'DELETING']) assert.deepEqual(await mine(`Statuses=${status}`), [])
  })

  row('01-1.5-statuses-count', async () => {
    const many = (count: number) => Array.from({ length: count }, () => 'Statuses=RUNNING').join('&')
    okBody(await list('puppet', many(10)))
    assertError(
      await list('puppet', many(11)),
      400,
      'ValidationException',
      "1 validation error detected: Value at 'statuses' failed to satisfy constraint: Member must have length less than or equal to 10",
    )
  })

  row('01-1.5-started', async () => {
    await using run = await server.execution()
    const at = (offsetMs: number) => encodeURIComponent(new Date(run.startedAtMs + offsetMs).toISOString())
    const filter = `DurableExecutionName=${run.name}`
    assert.deepEqual(await names('puppet', `${filter}&StartedAfter=${at(-1)}&StartedBefore=${at(1)}`), [run.name])
    assert.deepEqual(await names('puppet', `${filter}&StartedAfter=${at(0)}`), [])
    assert.deepEqual(await names('puppet', `${filter}&StartedBefore=${at(0)}`), [])
    assert.deepEqual(
      await names(
        'puppet',
        `StartedAfter=${at(-1)}&StartedBefore=${at(1)}&DurableExecutionName=${run.name}&Statuses=RUNNING`,
      ),
      [run.name],
    )
  })

  row('01-1.5-order', async () => {
    const started: string[] = []
    for (let i = 0; i < 3; i += 1) {
      await server.advance(10)
      started.push((await server.execution({ function: 'child' })).name)
    }
    const mine = async (query: string) => (await names('child', query)).filter((name) => started.includes(String(name)))
    assert.deepEqual(await mine(''), started.toReversed())
    assert.deepEqual(await mine('ReverseOrder=false'), started.toReversed())
    assert.deepEqual(await mine('ReverseOrder=true'), started)
  })

  for (const reverse of [false, true]) {
    row('01-1.5-pages', reverse ? 'oldest first' : 'newest first', async () => {
      const started: string[] = []
      for (let i = 0; i < 5; i += 1) {
        // Two starts within one millisecond are told apart too.
        if (i % 2 === 0) await server.advance(10)
        started.push((await server.execution({ function: 'briefChild' })).name)
      }
      const seen: unknown[] = []
      let marker = ''
      do {
        const query = `MaxItems=2&ReverseOrder=${reverse}${marker === '' ? '' : `&Marker=${encodeURIComponent(marker)}`}`
        const page = okBody<Listed>(await list('briefChild', query))
        assert.ok(page.DurableExecutions.length > 0, 'no page is empty')
        seen.push(...page.DurableExecutions.map(({ DurableExecutionName }) => DurableExecutionName))
        marker = page.NextMarker ?? ''
      } while (marker !== '')
      assert.deepEqual(seen.toSorted(), [...new Set(seen)].toSorted(), 'nothing twice')
      for (const name of started) assert.ok(seen.includes(name), name)
      assert.deepEqual(seen, await names('briefChild', `MaxItems=1000&ReverseOrder=${reverse}`))
    })
  }
})

tables('StopDurableExecution (01 §1.6)', (server) => {
  const stop = (run: Execution, body: unknown): Promise<WireAnswer> => server.postJson(`${pathOf(run.arn)}/stop`, body)

  row('01-1.6-stopped', async () => {
    await using run = await server.execution()
    await server.advance(1234)
    assert.deepEqual(okBody(await stop(run, { ...boom, StackTrace: ['a'], Unheard: 1 })), {
      StopTimestamp: server.nowMs / 1000,
    })
    const { Status, Error: error } = await run.describe()
    assert.deepEqual([Status, error], ['STOPPED', { ...boom, StackTrace: ['a'] }])
  })

  for (const status of ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'] as const) {
    row('01-1.6-closed', status, async () => {
      await using run = await server.execution({ function: 'brief' })
      if (status === 'SUCCEEDED') await run.succeed('1')
      else if (status === 'FAILED') await run.fail(boom)
      else if (status === 'STOPPED') await run.stop(boom)
      else await server.advance(60_000)
      const ended = server.nowMs
      await server.advance(1000)
      assert.deepEqual(okBody(await stop(run, { ErrorMessage: 'late' })), { StopTimestamp: ended / 1000 })
      assert.equal((await run.describe()).Status, status)
    })
  }

  row('01-1.6-body', async () => {
    await using run = await server.execution()
    for (const body of ['[]', '"x"', '1', '{', '{"ErrorMessage":1}', '{"StackTrace":"a"}']) {
      assertError(await stop(run, body), 400, 'SerializationException', /./)
    }
    const large = { ErrorMessage: 'x'.repeat(1_048_577) }
    assertError(
      await stop(run, large),
      400,
      'InvalidParameterValueException',
      'Error object size must be less than or equal to 1048576 bytes.',
    )
    assert.equal((await run.describe()).Status, 'RUNNING')
  })

  row('01-1.6-suspended', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 100)])
    await run.suspend()
    okBody(await stop(run, boom))
    assert.equal((await run.describe()).Status, 'STOPPED')
  })
})
