/** The lean transport: what the SDK gets of it, and real functions of the real SDK over it. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { DurableExecutionClient } from '@aws/durable-execution-sdk-js'
import { isDurableExecutionClientError } from '@aws/durable-execution-sdk-js'
import { PerdureClient } from '../../src/client/client.ts'
import { durableClient } from '../../src/client/durable-client.ts'
import { startPerdureProcess } from '../start-perdure.ts'
import { refuse, standIn } from './stand-in.ts'

const DurableExecutionArn = 'arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST/durable-execution/n/0123'

describe('the transport', () => {
  test('makes the two calls of the SDK, and gives it dates', async (context) => {
    const server = await standIn(context, (response, { url }) => {
      const operation = {
        Id: 'a',
        Type: 'STEP',
        Status: 'PENDING',
        StartTimestamp: 1_735_689_600.123,
        StepDetails: { Attempt: 1, NextAttemptTimestamp: 1_735_689_605.5 },
      }
      const answer = url.includes('/state?')
        ? { Operations: [operation], NextMarker: 'm' }
        : { CheckpointToken: 'eA==', NewExecutionState: { Operations: [operation] } }
      response.end(JSON.stringify(answer))
    })
    const client: DurableExecutionClient & { close(): void } = durableClient({ endpoint: server.endpoint })
    context.after(() => client.close())

    const checkpoint = await client.checkpoint({
      DurableExecutionArn,
      CheckpointToken: 'dDE=',
      Updates: [{ Id: 'a', Type: 'STEP', Action: 'START', Name: undefined }],
    })
    const { ClientToken, ...body } = JSON.parse(server.asked[0]?.body ?? '')
    assert.match(ClientToken, /^[0-9a-f-]{36}$/)
    assert.deepEqual(body, { CheckpointToken: 'dDE=', Updates: [{ Id: 'a', Type: 'STEP', Action: 'START' }] })
    assert.equal(
      server.asked[0]?.url,
      `/2025-12-01/durable-executions/${encodeURIComponent(DurableExecutionArn)}/checkpoint`,
    )
    assert.equal(checkpoint.CheckpointToken, 'eA==')
    assert.deepEqual(checkpoint.NewExecutionState?.Operations?.[0]?.StartTimestamp, new Date(1_735_689_600_123))

    const state = await client.getExecutionState({
      DurableExecutionArn,
      CheckpointToken: 'a+b/c=',
      Marker: 'x y+z',
      MaxItems: 10,
    })
    const query = server.asked[1]?.url.split('?')[1] ?? ''
    assert.equal(query, 'CheckpointToken=a%2Bb%2Fc%3D&Marker=x%20y%2Bz&MaxItems=10')
    assert.deepEqual(state.Operations?.[0]?.StepDetails?.NextAttemptTimestamp, new Date(1_735_689_605_500))
    assert.equal(state.NextMarker, 'm')
    assert.equal(server.connections(), 1)
  })

  const scopes: readonly [string, number, string, string, 'INVOCATION' | 'EXECUTION'][] = [
    ['a stale token', 400, 'InvalidParameterValueException', 'Invalid checkpoint token', 'INVOCATION'],
    ['the same in the old spelling', 400, 'InvalidParameterValueException', 'Invalid Checkpoint Token', 'INVOCATION'],
    ['a refused update', 400, 'InvalidParameterValueException', 'Invalid operation', 'EXECUTION'],
    ['a violated constraint', 400, 'ValidationException', '1 validation error', 'EXECUTION'],
    ['throttling', 429, 'TooManyRequestsException', 'Rate Exceeded.', 'INVOCATION'],
    ['a fault of the server', 500, 'ServiceException', 'oops', 'INVOCATION'],
    ['an unusable key', 502, 'KMSDisabledException', 'disabled', 'EXECUTION'],
  ]
  for (const [what, status, code, message, scope] of scopes) {
    test(`${what} ends the ${scope.toLowerCase()}`, async (context) => {
      const server = await standIn(context, (response) => refuse(response, status, code, { message }))
      const client = durableClient({ endpoint: server.endpoint, retry: { baseDelayMs: 1 } })
      context.after(() => client.close())
      await assert.rejects(client.checkpoint({ DurableExecutionArn, CheckpointToken: 'dDE=' }), (error) => {
        assert.ok(isDurableExecutionClientError(error), 'the SDK recognises it')
        assert.equal(error.scope, scope)
        assert.equal(error.message, message)
        return true
      })
      assert.equal(server.asked.length, status === 429 || status === 500 ? 3 : 1)
      assert.equal(new Set(server.asked.map(({ body }) => body)).size, 1, 'each attempt carries the same client token')
    })
  }

  test('has no endpoint but the one that it is told', () => {
    const { AWS_ENDPOINT_URL_LAMBDA, PERDURE_ENDPOINT } = process.env
    delete process.env['AWS_ENDPOINT_URL_LAMBDA']
    delete process.env['PERDURE_ENDPOINT']
    try {
      assert.throws(() => durableClient(), /no endpoint/)
    } finally {
      if (AWS_ENDPOINT_URL_LAMBDA !== undefined) process.env['AWS_ENDPOINT_URL_LAMBDA'] = AWS_ENDPOINT_URL_LAMBDA
      if (PERDURE_ENDPOINT !== undefined) process.env['PERDURE_ENDPOINT'] = PERDURE_ENDPOINT
    }
  })
})

test('a function of the official SDK runs over it, and the typed client sees all of it', async (context) => {
  const file = fileURLToPath(new URL('../../examples/lean.ts', import.meta.url))
  const server = await startPerdureProcess({ functions: [{ name: 'lean', file }], data: { kind: 'memory' } })
  context.after(() => server.stop())
  using client = new PerdureClient(server.endpoint)
  const call = { functionName: 'lean', qualifier: '$LATEST', payload: '{"from":3}', durableExecutionName: 'c-1' }

  const answer = await client.invoke({ ...call, logType: 'Tail' })
  assert.equal(answer.functionError, undefined, answer.payload)
  assert.equal(answer.payload, '"3, 2, 1, go"')
  assert.equal(answer.executedVersion, '$LATEST')
  const durableExecutionArn = answer.durableExecutionArn ?? ''

  const types: string[] = []
  const retries: (number | undefined)[] = []
  for await (const event of client.events({ durableExecutionArn, includeExecutionData: true })) {
    types.push(event.eventType)
    if (event.stepSucceededDetails) retries.push(event.stepSucceededDetails.retryDetails?.currentAttempt)
  }
  assert.deepEqual(types.slice(0, 2), ['ExecutionStarted', 'StepStarted'])
  assert.equal(types.filter((type) => type === 'StepSucceeded').length, 3)
  assert.deepEqual(retries, [1, 1, 1])
  assert.ok(types.includes('WaitSucceeded'))

  const described = await client.getDurableExecution({ durableExecutionArn })
  assert.equal(described.status, 'SUCCEEDED')
  assert.equal(described.inputPayload, '{"from":3}')
  assert.ok((described.endTimestamp ?? 0) > described.startTimestamp)
  const again = await client.invoke(call)
  assert.equal(again.durableExecutionArn, durableExecutionArn, 'the same name and payload run once')

  const [listed] = (await client.listDurableExecutionsByFunction({ functionName: 'lean', statuses: ['SUCCEEDED'] }))
    .durableExecutions
  assert.equal(listed?.durableExecutionArn, durableExecutionArn)
  assert.equal((await client.getFunction({ functionName: 'lean' })).configuration.durableConfig?.executionTimeout, 900)

  const stopped = await client.stopDurableExecution({ durableExecutionArn })
  assert.equal(stopped.stopTimestamp, described.endTimestamp)
  const deleted = await client.deleteDurableExecution({ durableExecutionArn })
  assert.ok(deleted.deletionRequestTimestamp >= stopped.stopTimestamp)
})
