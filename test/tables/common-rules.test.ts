/** Spec 01 §1.0: what holds for every operation: paths, members, timestamps, errors, pages. */
import assert from 'node:assert/strict'
import { row, type TestServer, tables } from './harness.ts'
import { callback, step, wait } from './updates.ts'
import { assertError, okBody, type WireAnswer } from './wire.ts'

const API = '/2025-12-01/durable-executions'
const FUNCTIONS = '/2025-12-01/functions'
const ABSENT_ID = '00000000-0000-4000-8000-000000000000'

const violationOf = (answer: WireAnswer, text: string | RegExp): void =>
  assertError(answer, 400, 'ValidationException', text)

/** The body of an error answer. */
const errorBody = (answer: WireAnswer): Record<string, unknown> => JSON.parse(answer.text) as Record<string, unknown>

const listed = (server: TestServer, query: string): Promise<WireAnswer> =>
  server.get(`${FUNCTIONS}/puppet/durable-executions?${query}`)

interface Listed {
  readonly DurableExecutions: readonly { readonly DurableExecutionName: string; readonly StartTimestamp: number }[]
  readonly NextMarker?: string
}

tables('paths (01 §1.0)', (server) => {
  row('01-1.0-encoded', async () => {
    await using run = await server.execution()
    const encoded = encodeURIComponent(run.arn)
    assert.match(encoded, /%3A.*%24.*%2F/)
    assert.equal(
      okBody<{ DurableExecutionArn: string }>(await server.get(`${API}/${encoded}`)).DurableExecutionArn,
      run.arn,
    )
    assert.equal((await server.invoke('plain:$LATEST', { type: 'DryRun' })).status, 204)
  })

  row('01-1.0-raw', async () => {
    await using run = await server.execution()
    assert.equal(
      okBody<{ DurableExecutionArn: string }>(await server.get(`${API}/${run.arn}`)).DurableExecutionArn,
      run.arn,
    )
    okBody(await server.get(`${API}/${run.arn}/history`))
    okBody(await server.get(`${API}/${run.arn}/state?CheckpointToken=${run.token}`))
    okBody(await server.postJson(`${API}/${run.arn}/checkpoint`, { CheckpointToken: run.token }))
    okBody(await server.postJson(`${API}/${run.arn}/stop`, {}))
  })

  row('01-1.0-decoded-once', async () => {
    await using run = await server.execution()
    violationOf(await server.get(`${API}/${encodeURIComponent(encodeURIComponent(run.arn))}`), /^1 validation error/)
  })

  for (const authorization of [
    undefined,
    'AWS4-HMAC-SHA256 Credential=x/20250101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0',
  ]) {
    row('01-1.0-signature', authorization === undefined ? 'none' : 'of another key', async () => {
      const headers = authorization === undefined ? {} : { authorization }
      assert.equal((await server.invoke('plain', { type: 'DryRun', headers })).status, 204)
    })
  }
})

tables('members (01 §1.0)', (server) => {
  row('01-1.0-unknown', async () => {
    await using run = await server.execution()
    const update = { ...step.succeed('s1', '1'), Unheard: { Of: [1] }, id: 'other' }
    const body = { CheckpointToken: run.token, Updates: [update], checkpointToken: 'x', More: null }
    okBody(await server.postJson(`${API}/${encodeURIComponent(run.arn)}/checkpoint`, body))
    okBody(await listed(server, 'Unheard=1'))
  })

  row('01-1.0-null', async () => {
    await using run = await server.execution()
    const update = { ...step.succeed('s1', '1'), Name: null, ParentId: null, Error: null, StepOptions: null }
    const body = { CheckpointToken: run.token, Updates: [update], ClientToken: null }
    okBody(await server.postJson(`${API}/${encodeURIComponent(run.arn)}/checkpoint`, body))
    const missing = { CheckpointToken: null }
    violationOf(
      await server.postJson(`${API}/${encodeURIComponent(run.arn)}/checkpoint`, missing),
      "1 validation error detected: Value null at 'checkpointToken' failed to satisfy constraint: Member must not be null",
    )
  })

  row('01-1.0-seconds', async () => {
    await using run = await server.execution()
    await run.checkpoint([wait.start('w1', 5)])
    const described = await server.get(`${API}/${encodeURIComponent(run.arn)}`)
    const { StartTimestamp } = okBody<{ StartTimestamp: number }>(described)
    assert.equal(StartTimestamp, run.startedAtMs / 1000)
    for (const text of [described.text, (await run.statePage()).text]) {
      const timestamps = text.match(/"(Start|End|ScheduledEnd)Timestamp":[^,}]*/g) ?? []
      assert.ok(timestamps.length > 0)
      for (const timestamp of timestamps) assert.match(timestamp, /:\d{10}(\.\d{1,3})?$/)
    }
  })

  row('01-1.0-query-timestamps', async () => {
    await using run = await server.execution()
    const before = new Date(run.startedAtMs - 1).toISOString()
    for (const text of [before, before.replace(/(\.\d{3})Z/, '$1000Z'), String((run.startedAtMs - 1) / 1000)]) {
      const { DurableExecutions } = okBody<Listed>(
        await listed(server, `DurableExecutionName=${run.name}&StartedAfter=${encodeURIComponent(text)}`),
      )
      assert.equal(DurableExecutions.length, 1, text)
    }
    assertError(await listed(server, 'StartedAfter=yesterday'), 400, 'SerializationException', /startedAfter/)
  })

  row('01-1.0-query-booleans', async () => {
    await using run = await server.execution()
    const of = (text: string) => server.get(`${API}/${encodeURIComponent(run.arn)}?IncludeExecutionData=${text}`)
    assert.equal(okBody<{ ExecutionDataIncluded: boolean }>(await of('true')).ExecutionDataIncluded, true)
    assert.equal(okBody<{ ExecutionDataIncluded: boolean }>(await of('false')).ExecutionDataIncluded, false)
    for (const text of ['1', 'TRUE', ''])
      assertError(await of(text), 400, 'SerializationException', /includeExecutionData/)
  })

  row('01-1.0-query-lists', async () => {
    await using run = await server.execution()
    const names = async (statuses: string) =>
      okBody<Listed>(await listed(server, `DurableExecutionName=${run.name}&${statuses}`)).DurableExecutions.length
    assert.equal(await names('Statuses=FAILED&Statuses=RUNNING'), 1)
    assert.equal(await names('Statuses=FAILED&Statuses=STOPPED'), 0)
  })

  for (const [variation, headers] of [
    ['octet-stream', { 'content-type': 'application/octet-stream' }],
    ['no content-type', {}],
  ] as const) {
    row('01-1.0-blob', variation, async () => {
      await using run = await server.execution()
      const { CallbackDetails } = await run.checkpointed('k1', [callback.start('k1')])
      const path = `/2025-12-01/durable-execution-callbacks/${CallbackDetails?.CallbackId}/succeed`
      const answer = await server.wire.send({ method: 'POST', path, headers, body: '{"not": parsed' })
      assert.deepEqual(okBody(answer), {})
      assert.equal(
        (await run.checkpoint([])).NewExecutionState.Operations[0]?.CallbackDetails?.Result,
        '{"not": parsed',
      )
    })
  }

  for (const body of ['{}', '', undefined]) {
    row('01-1.0-no-error', body === undefined ? 'no body' : `body '${body}'`, async () => {
      await using run = await server.execution()
      const { CallbackDetails } = await run.checkpointed('k1', [callback.start('k1')])
      okBody(await server.callback(CallbackDetails?.CallbackId ?? '', 'fail', body))
      const [failed] = (await run.checkpoint([])).NewExecutionState.Operations
      assert.equal(failed?.Status, 'FAILED')
      assert.deepEqual(failed.CallbackDetails?.Error ?? {}, {})
      const path = `${API}/${encodeURIComponent(run.arn)}/stop`
      okBody(await server.wire.send({ method: 'POST', path, ...(body === undefined ? {} : { body }) }))
      assert.deepEqual((await run.describe()).Error ?? {}, {})
    })
  }

  row('01-1.0-empty-success', async () => {
    await using run = await server.execution()
    const { CallbackDetails } = await run.checkpointed('k1', [callback.start('k1')])
    const answer = await server.callback(CallbackDetails?.CallbackId ?? '', 'heartbeat')
    assert.deepEqual([answer.status, answer.text], [200, '{}'])
  })

  row('01-1.0-request-id', async () => {
    const answers = [
      await server.get('/healthz'),
      await listed(server, ''),
      await server.get('/nowhere'),
      await server.get(`${API}/x`),
      await server.invoke('plain', { type: 'DryRun' }),
    ]
    const ids = answers.map(({ headers }) => String(headers['x-amzn-requestid']))
    for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(new Set(ids).size, ids.length)
  })
})

tables('errors (01 §1.0)', (server) => {
  /** Status, fault and the spelling of the text, by exception. */
  const told = (answer: WireAnswer, status: number, code: string, member: 'message' | 'Message'): void => {
    assertError(answer, status, code, /./)
    const body = errorBody(answer)
    assert.ok(typeof body[member] === 'string', answer.text)
    assert.ok(!((member === 'message' ? 'Message' : 'message') in body), answer.text)
  }

  row('01-1.0-InvalidParameterValueException', async () => {
    told(await listed(server, 'Marker=nonsense'), 400, 'InvalidParameterValueException', 'message')
  })
  row('01-1.0-ValidationException', async () => {
    told(await listed(server, 'MaxItems=1001'), 400, 'ValidationException', 'message')
  })
  row('01-1.0-SerializationException', async () => {
    await using run = await server.execution()
    told(
      await server.postJson(`${API}/${encodeURIComponent(run.arn)}/checkpoint`, '{'),
      400,
      'SerializationException',
      'message',
    )
  })
  row('01-1.0-CallbackTimeoutException', async () => {
    await using run = await server.execution()
    const { CallbackDetails } = await run.checkpointed('k1', [callback.start('k1')])
    const id = CallbackDetails?.CallbackId ?? ''
    await server.callbackAccepted(id, 'succeed', '1')
    told(await server.callback(id, 'succeed', '1'), 400, 'CallbackTimeoutException', 'Message')
  })
  row('01-1.0-ResourceNotFoundException', async () => {
    told(await server.get(`${FUNCTIONS}/nobody/durable-executions`), 404, 'ResourceNotFoundException', 'Message')
  })
  row('01-1.0-ResourceConflictException', async () => {
    await using run = await server.execution()
    told(await server.delete(`${API}/${encodeURIComponent(run.arn)}`), 409, 'ResourceConflictException', 'Message')
  })
  row('01-1.0-DurableExecutionAlreadyStartedException', async () => {
    await using run = await server.execution()
    const answer = await server.invoke('puppet:$LATEST', { name: run.name, input: '{"another":1}', type: 'Event' })
    told(answer, 409, 'DurableExecutionAlreadyStartedException', 'Message')
  })
  row('01-1.0-AccessDeniedException', async () => {
    const other = 'arn:aws:lambda:us-east-1:111111111111:function:puppet:$LATEST'
    told(await server.invoke(other), 403, 'AccessDeniedException', 'Message')
  })
  row('01-1.0-json', async () => {
    for (const answer of [
      await server.get('/nowhere'),
      await server.get('/2015-03-31/functions/%E0%A4%A/invocations'),
    ]) {
      assert.ok(answer.status >= 400)
      assert.match(String(answer.headers['x-amzn-errortype']), /Exception$/)
      assert.equal(errorBody(answer)['Type'], 'User')
      assert.equal(answer.headers['content-type'], 'application/json')
    }
  })

  const checkpointWith = async (members: object): Promise<WireAnswer> => {
    await using run = await server.execution()
    return server.postJson(`${API}/${encodeURIComponent(run.arn)}/checkpoint`, {
      CheckpointToken: run.token,
      ...members,
    })
  }
  const one = '1 validation error detected: '

  row('01-1.0-max-length', async () => {
    const name = 'n'.repeat(65)
    violationOf(
      await server.invoke('puppet:$LATEST', { name }),
      `${one}Value '${name}' at 'durableExecutionName' failed to satisfy constraint: Member must have length less than or equal to 64`,
    )
  })
  row('01-1.0-min-length', async () => {
    violationOf(
      await checkpointWith({ Updates: [step.start('s1', { Name: '' })] }),
      /Value '' at 'updates\.1\.member\.name' failed to satisfy constraint: Member must have length greater than or equal to 1/,
    )
  })
  row('01-1.0-max-value', async () => {
    violationOf(
      await listed(server, 'MaxItems=1001'),
      `${one}Value '1001' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000`,
    )
  })
  row('01-1.0-min-value', async () => {
    violationOf(
      await listed(server, 'MaxItems=-1'),
      `${one}Value '-1' at 'maxItems' failed to satisfy constraint: Member must have value greater than or equal to 0`,
    )
  })
  row('01-1.0-pattern', async () => {
    violationOf(
      await server.invoke('puppet:$LATEST', { name: 'a b' }),
      `${one}Value 'a b' at 'durableExecutionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+`,
    )
  })
  row('01-1.0-enum', async () => {
    violationOf(
      await listed(server, 'Statuses=LOST'),
      `${one}Value 'LOST' at 'statuses.1.member' failed to satisfy constraint: Member must satisfy enum value set: [RUNNING, SUCCEEDED, FAILED, TIMED_OUT, STOPPED, PAUSED, PAUSING, DELETING]`,
    )
  })
  row('01-1.0-not-null', async () => {
    await using run = await server.execution()
    violationOf(
      await server.get(`${API}/${encodeURIComponent(run.arn)}/state`),
      `${one}Value null at 'checkpointToken' failed to satisfy constraint: Member must not be null`,
    )
  })
  row('01-1.0-several', async () => {
    violationOf(
      await checkpointWith({ Updates: [wait.start('w1', 0), wait.start('w2', 31_622_401)] }),
      "2 validation errors detected: Value '0' at 'updates.1.member.waitOptions.waitSeconds' failed to satisfy constraint: Member must have value greater than or equal to 1; " +
        "Value '31622401' at 'updates.2.member.waitOptions.waitSeconds' failed to satisfy constraint: Member must have value less than or equal to 31622400",
    )
  })
  row('01-1.0-semantic', async () => {
    assertError(
      await checkpointWith({ Updates: [step.retry('s1', 1, { StepOptions: undefined })] }),
      400,
      'InvalidParameterValueException',
      /./,
    )
    assertError(await checkpointWith({ Updates: [step.retry('s1', 0)] }), 400, 'ValidationException', /./)
  })
})

tables('pages (01 §1.0)', (server) => {
  row('01-1.0-page-size', async () => {
    const many = Array.from({ length: 101 }, () => server.invoke('brief:$LATEST', { type: 'Event' }))
    for (const answer of await Promise.all(many)) assert.equal(answer.status, 202)
    const pageOf = async (query: string) =>
      okBody<Listed>(await server.get(`${FUNCTIONS}/brief/durable-executions?${query}`))
    for (const query of ['', 'MaxItems=0']) assert.equal((await pageOf(query)).DurableExecutions.length, 100)
    assert.equal((await pageOf('MaxItems=1')).DurableExecutions.length, 1)
    const all = await pageOf('MaxItems=1000')
    assert.equal(all.DurableExecutions.length, 101)
    assert.ok(!('NextMarker' in all), 'the last page has no NextMarker')
  })

  row('01-1.0-last-page', async () => {
    await using run = await server.execution()
    const body = okBody<Listed>(await listed(server, `DurableExecutionName=${run.name}`))
    assert.ok(!('NextMarker' in body))
    const history = okBody<object>(await server.get(`${API}/${encodeURIComponent(run.arn)}/history`))
    assert.ok(!('NextMarker' in history))
  })

  row('01-1.0-marker-invalid', async () => {
    await using run = await server.execution()
    const arn = encodeURIComponent(run.arn)
    for (const path of [
      `${FUNCTIONS}/puppet/durable-executions?Marker=x`,
      `${API}/${arn}/history?Marker=x`,
      `${API}/${arn}/history?Marker=99`,
      `${API}/${arn}/state?CheckpointToken=${run.token}&Marker=x`,
      `${API}/${arn}/state?CheckpointToken=${run.token}&Marker=99`,
    ]) {
      assertError(await server.get(path), 400, 'InvalidParameterValueException', 'Invalid Marker')
    }
  })

  row('01-1.0-marker-position', async () => {
    const names: string[] = []
    for (let i = 0; i < 4; i += 1) {
      await server.advance(1000)
      names.push((await server.execution({ function: 'child' })).name)
    }
    const pageOf = async (query: string) =>
      okBody<Listed>(await server.get(`${FUNCTIONS}/child/durable-executions?${query}`))
    const namesOf = ({ DurableExecutions }: Listed) =>
      DurableExecutions.map(({ DurableExecutionName }) => DurableExecutionName)
    const first = await pageOf('MaxItems=2')
    assert.deepEqual(namesOf(first), [names[3], names[2]])
    await server.advance(1000)
    await server.execution({ function: 'child' })
    const second = await pageOf(`MaxItems=2&Marker=${encodeURIComponent(first.NextMarker ?? '')}`)
    assert.deepEqual(namesOf(second), [names[1], names[0]])
    const arn = `arn:aws:lambda:us-east-1:000000000000:function:child:$LATEST/durable-execution/x/${ABSENT_ID}`
    assertError(await server.get(`${API}/${encodeURIComponent(arn)}`), 404, 'ResourceNotFoundException', /./)
  })
})
