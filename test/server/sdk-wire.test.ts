/** The official client against the real listener: paths, members, timestamps and errors as it sends and reads them. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import {
  CheckpointDurableExecutionCommand,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  GetDurableExecutionStateCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListDurableExecutionsByFunctionCommand,
  ListFunctionsCommand,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackHeartbeatCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
} from '@aws-sdk/client-lambda'
import { ApiError, TEXT } from '../../src/protocol/errors.ts'
import type { ExecutionDescription } from '../../src/service/api.ts'
import {
  ARN,
  DURABLE,
  FixedFunctions,
  FUNCTIONS,
  STARTED_MS,
  SUCCEEDED,
  startServer,
  type TestServerOptions,
} from './stand-ins.ts'

async function start(t: TestContext, options: TestServerOptions = {}, agent?: [string, string][]) {
  const server = await startServer(t, options)
  const client = new LambdaClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
    maxAttempts: 1,
    ...(agent === undefined ? undefined : { customUserAgent: agent }),
  })
  t.after(() => client.destroy())
  return { server, client }
}

const started = { arn: ARN, executionId: 'e1', version: '$LATEST' }

describe('the official client', () => {
  test('[01 §1.1] checkpoints: the ARN is one encoded segment, times come back as dates with milliseconds', async (t) => {
    const { server, client } = await start(t, {
      answers: {
        checkpoint: async () => ({
          CheckpointToken: 'dDI=',
          NewExecutionState: {
            Operations: [
              {
                Id: 'w',
                Type: 'WAIT',
                Status: 'STARTED',
                StartTimestamp: STARTED_MS,
                WaitDetails: { ScheduledEndTimestamp: STARTED_MS + 5000 },
              },
            ],
          },
        }),
      },
    })
    const answer = await client.send(
      new CheckpointDurableExecutionCommand({
        DurableExecutionArn: ARN,
        CheckpointToken: 'dDE=',
        ClientToken: 'c1',
        Updates: [{ Id: 'w', Type: 'WAIT', Action: 'START', WaitOptions: { WaitSeconds: 5 } }],
      }),
    )
    const { arn, ...request } = server.service.lastRequest as { arn: { text: string; executionId: string } }
    assert.equal(arn.text, ARN)
    assert.equal(arn.executionId, 'e1')
    assert.deepEqual(request, {
      token: 'dDE=',
      clientToken: 'c1',
      updates: [{ Id: 'w', Type: 'WAIT', Action: 'START', WaitOptions: { WaitSeconds: 5 } }],
    })
    assert.equal(answer.CheckpointToken, 'dDI=')
    const [operation] = answer.NewExecutionState?.Operations ?? []
    assert.equal(operation?.StartTimestamp?.getTime(), STARTED_MS)
    assert.equal(operation?.WaitDetails?.ScheduledEndTimestamp?.getTime(), STARTED_MS + 5000)
  })

  test('[05 §5.6] a checkpoint answer without a token has none', async (t) => {
    const { client } = await start(t, {
      answers: { checkpoint: async () => ({ NewExecutionState: { Operations: [] } }) },
    })
    const answer = await client.send(
      new CheckpointDurableExecutionCommand({ DurableExecutionArn: ARN, CheckpointToken: 'dDE=' }),
    )
    assert.equal('CheckpointToken' in answer && answer.CheckpointToken !== undefined, false)
  })

  test('[01 §1.2] reads state with token, marker and page size', async (t) => {
    const { server, client } = await start(t, {
      answers: { state: async () => ({ Operations: [], NextMarker: '' }) },
    })
    const answer = await client.send(
      new GetDurableExecutionStateCommand({
        DurableExecutionArn: ARN,
        CheckpointToken: 'a+/b==',
        Marker: 'm&=+1',
        MaxItems: 1000,
      }),
    )
    const { arn: _, ...request } = server.service.lastRequest as { arn: unknown }
    assert.deepEqual(request, { token: 'a+/b==', marker: 'm&=+1', maxItems: 1000 })
    assert.equal(answer.NextMarker, '')
  })

  test('[01 §1.3] describes an execution, with data unless told otherwise', async (t) => {
    const description: ExecutionDescription = {
      DurableExecutionArn: ARN,
      DurableExecutionName: 'n1',
      FunctionArn: 'arn:aws:lambda:us-east-1:123456789012:function:orders:$LATEST',
      Status: 'SUCCEEDED',
      StartTimestamp: STARTED_MS,
      EndTimestamp: STARTED_MS + 1,
      Version: '$LATEST',
      InputPayload: '{}',
      Result: '1',
      DurableConfig: DURABLE,
      ExecutionDataIncluded: true,
    }
    const { server, client } = await start(t, { answers: { describe: async () => description } })
    const answer = await client.send(new GetDurableExecutionCommand({ DurableExecutionArn: ARN }))
    assert.equal(server.service.lastRequest['includeData'], true)
    assert.equal(answer.StartTimestamp?.getTime(), STARTED_MS)
    assert.equal(answer.EndTimestamp?.getTime(), STARTED_MS + 1)
    assert.equal(answer.Result, '1')
    await client.send(new GetDurableExecutionCommand({ DurableExecutionArn: ARN, IncludeExecutionData: false }))
    assert.equal(server.service.lastRequest['includeData'], false)
  })

  test('[01 §1.4] reads history, newest first if asked', async (t) => {
    const { server, client } = await start(t, {
      answers: {
        history: async () => ({
          Events: [
            {
              EventId: 4,
              EventType: 'InvocationCompleted',
              EventTimestamp: STARTED_MS,
              InvocationCompletedDetails: { StartTimestamp: STARTED_MS - 7, EndTimestamp: STARTED_MS, RequestId: 'r' },
            },
          ],
          NextMarker: '3',
        }),
      },
    })
    const answer = await client.send(
      new GetDurableExecutionHistoryCommand({ DurableExecutionArn: ARN, ReverseOrder: true, MaxItems: 0, Marker: '5' }),
    )
    const { arn: _, ...request } = server.service.lastRequest as { arn: unknown }
    assert.deepEqual(request, { includeData: true, reverse: true, marker: '5' })
    assert.equal(answer.Events?.[0]?.EventTimestamp?.getTime(), STARTED_MS)
    assert.equal(answer.Events?.[0]?.InvocationCompletedDetails?.StartTimestamp?.getTime(), STARTED_MS - 7)
    assert.equal(answer.NextMarker, '3')
  })

  test('[01 §1.5] lists executions by every filter; an alias means its version', async (t) => {
    const { server, client } = await start(t, { answers: { list: async () => ({ DurableExecutions: [] }) } })
    const answer = await client.send(
      new ListDurableExecutionsByFunctionCommand({
        FunctionName: 'orders',
        Qualifier: 'prod',
        DurableExecutionName: 'n1',
        Statuses: ['RUNNING', 'FAILED'],
        StartedAfter: new Date(STARTED_MS),
        StartedBefore: new Date(STARTED_MS + 1),
        ReverseOrder: true,
        Marker: 'm',
        MaxItems: 7,
      }),
    )
    assert.deepEqual(server.service.last?.request, {
      functionName: 'orders',
      oldestFirst: true,
      version: '3',
      name: 'n1',
      statuses: ['RUNNING', 'FAILED'],
      startedAfter: STARTED_MS,
      startedBefore: STARTED_MS + 1,
      marker: 'm',
      maxItems: 7,
    })
    assert.deepEqual(answer.DurableExecutions, [])
    assert.equal(answer.NextMarker, undefined)
    await client.send(new ListDurableExecutionsByFunctionCommand({ FunctionName: 'orders' }))
    assert.deepEqual(server.service.last?.request, { functionName: 'orders', oldestFirst: false })
  })

  test('[01 §1.6] stops with and without an error', async (t) => {
    const { server, client } = await start(t, { answers: { stop: async () => ({ StopTimestamp: STARTED_MS }) } })
    const error = { ErrorMessage: 'm', ErrorType: 't', ErrorData: 'd', StackTrace: ['s'] }
    const answer = await client.send(new StopDurableExecutionCommand({ DurableExecutionArn: ARN, Error: error }))
    assert.equal(answer.StopTimestamp?.getTime(), STARTED_MS)
    assert.deepEqual(server.service.lastRequest['error'], error)
    await client.send(new StopDurableExecutionCommand({ DurableExecutionArn: ARN }))
    assert.deepEqual(server.service.lastRequest['error'], {})
  })

  test('[01 §1.7] completes callbacks with raw bytes; the id may hold slashes; no body is no result', async (t) => {
    const { server, client } = await start(t, { answers: { completeCallback: async () => {} } })
    const CallbackId = 'ab/+c=='
    const text = '\ufeff{"ä": 1'
    await client.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from(text) }))
    const { sdkInvocationId, ...request } = server.service.lastRequest as { sdkInvocationId: string }
    assert.deepEqual(request, { callbackId: CallbackId, outcome: 'SUCCEEDED', result: text })
    assert.match(String(sdkInvocationId), /^[0-9a-f-]{36}$/)
    await client.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId }))
    assert.equal('result' in server.service.lastRequest, false)
  })

  test('[01 §1.8] [01 §1.9] fails and keeps alive callbacks', async (t) => {
    const { server, client } = await start(t, {
      answers: { completeCallback: async () => {}, heartbeatCallback: async () => {} },
    })
    await client.send(
      new SendDurableExecutionCallbackFailureCommand({ CallbackId: 'abc', Error: { ErrorType: 'RejectedError' } }),
    )
    const { sdkInvocationId: _, ...request } = server.service.lastRequest as { sdkInvocationId: string }
    assert.deepEqual(request, { callbackId: 'abc', outcome: 'FAILED', error: { ErrorType: 'RejectedError' } })
    await client.send(new SendDurableExecutionCallbackHeartbeatCommand({ CallbackId: 'abc' }))
    assert.deepEqual(server.service.last, { method: 'heartbeatCallback', request: { callbackId: 'abc' } })
  })

  test('[07 §7.4] invokes synchronously and reads result, version and ARN', async (t) => {
    const { server, client } = await start(t, {
      answers: { start: async () => started, waitForEnd: async () => SUCCEEDED },
    })
    const answer = await client.send(
      new InvokeCommand({ FunctionName: 'orders:$LATEST', Payload: '{"a":1}', DurableExecutionName: 'n1' }),
    )
    const { target, sdkInvocationId, ...request } = server.service.requestOf('start')
    assert.deepEqual(request, { name: 'n1', input: '{"a":1}', mode: 'sync' })
    assert.equal(target, FUNCTIONS[0])
    assert.match(String(sdkInvocationId), /^[0-9a-f-]{36}$/)
    assert.equal(answer.StatusCode, 200)
    assert.equal(Buffer.from(answer.Payload ?? []).toString(), '{"ok":true}')
    assert.equal(answer.ExecutedVersion, '$LATEST')
    assert.equal(answer.DurableExecutionArn, ARN)
    assert.equal(answer.FunctionError, undefined)
  })

  test('[07 §7.4] a failed execution is a function error in lower camel case', async (t) => {
    const error = { ErrorType: 'Oops', ErrorMessage: 'no', ErrorData: 'secret', StackTrace: ['at x'] }
    const { client } = await start(t, {
      answers: { start: async () => started, waitForEnd: async () => ({ status: 'FAILED', error }) },
    })
    const answer = await client.send(new InvokeCommand({ FunctionName: 'orders', Qualifier: '3' }))
    assert.equal(answer.StatusCode, 200)
    assert.equal(answer.FunctionError, 'Unhandled')
    assert.deepEqual(JSON.parse(Buffer.from(answer.Payload ?? []).toString()), {
      errorType: 'Oops',
      errorMessage: 'no',
      stackTrace: ['at x'],
    })
  })

  test('[07 §7.5] invokes asynchronously: 202, no body, the ARN', async (t) => {
    const { server, client } = await start(t, { answers: { start: async () => started } })
    const answer = await client.send(new InvokeCommand({ FunctionName: 'orders:prod', InvocationType: 'Event' }))
    assert.equal(answer.StatusCode, 202)
    assert.equal(answer.DurableExecutionArn, ARN)
    assert.equal(answer.Payload?.length ?? 0, 0)
    assert.deepEqual(
      server.service.calls.map(({ method }) => method),
      ['start'],
    )
    assert.equal(server.service.lastRequest['input'], '{}')
    assert.equal(server.service.lastRequest['mode'], 'async')
  })

  test('[02 §2.1] runs a plain function and returns the tail of its log', async (t) => {
    const functions = new FixedFunctions({
      versions: FUNCTIONS,
      run: async ({ event }) => ({
        kind: 'response',
        body: Buffer.from(`{"got":${event}}`),
        logTail: 'x'.repeat(5000),
      }),
    })
    const { client } = await start(t, { functions })
    const answer = await client.send(
      new InvokeCommand({
        FunctionName: 'plain',
        Payload: '[1]',
        LogType: 'Tail',
        ClientContext: Buffer.from('{"custom":{}}').toString('base64'),
      }),
    )
    assert.equal(Buffer.from(answer.Payload ?? []).toString(), '{"got":[1]}')
    assert.equal(Buffer.from(answer.LogResult ?? '', 'base64').toString(), 'x'.repeat(4096))
    assert.equal(answer.ExecutedVersion, '$LATEST')
    assert.equal(answer.DurableExecutionArn, undefined)
    assert.equal(functions.runs[0]?.request.clientContext, '{"custom":{}}')
  })

  test('[02 §2.4] describes and lists functions', async (t) => {
    const { client } = await start(t)
    const one = await client.send(new GetFunctionCommand({ FunctionName: 'orders', Qualifier: 'prod' }))
    assert.equal(one.Configuration?.FunctionArn, 'arn:aws:lambda:us-east-1:123456789012:function:orders:prod')
    assert.equal(one.Configuration?.Version, '3')
    assert.deepEqual(one.Configuration?.DurableConfig, DURABLE)
    const slow = await client.send(new GetFunctionConfigurationCommand({ FunctionName: 'slow' }))
    assert.deepEqual(slow.DurableConfig, { ExecutionTimeout: 901, RetentionPeriodInDays: 14 })
    const plain = await client.send(new GetFunctionConfigurationCommand({ FunctionName: 'plain' }))
    assert.equal(plain.FunctionArn, 'arn:aws:lambda:us-east-1:123456789012:function:plain')
    assert.equal(plain.State, 'Active')
    assert.equal(plain.LastUpdateStatus, 'Successful')
    assert.equal(plain.DurableConfig, undefined)
    const list = await client.send(new ListFunctionsCommand({ MaxItems: 2 }))
    assert.deepEqual(
      list.Functions?.map((f) => f.FunctionName),
      ['orders', 'plain'],
    )
    assert.equal(list.Functions?.[0]?.State, undefined)
    const rest = await client.send(new ListFunctionsCommand({ MaxItems: 2, Marker: list.NextMarker }))
    assert.deepEqual(
      rest.Functions?.map((f) => f.FunctionName),
      ['slow'],
    )
    assert.equal(rest.NextMarker, undefined)
    const all = await client.send(new ListFunctionsCommand({ FunctionVersion: 'ALL' }))
    assert.deepEqual(
      all.Functions?.map((f) => `${f.FunctionName} ${f.Version}`),
      ['orders $LATEST', 'orders 3', 'plain $LATEST', 'slow $LATEST'],
    )
  })

  test('[01 §1.0] errors arrive as exceptions of their name with message, status and request id', async (t) => {
    const { client } = await start(t, {
      answers: {
        describe: async () => {
          throw new ApiError('ResourceNotFoundException', TEXT.executionNotFound)
        },
      },
    })
    const failure = client.send(new GetDurableExecutionCommand({ DurableExecutionArn: ARN }))
    await assert.rejects(failure, (error: Error & { $metadata: { httpStatusCode: number; requestId: string } }) => {
      assert.equal(error.name, 'ResourceNotFoundException')
      assert.equal(error.message, TEXT.executionNotFound)
      assert.equal(error.$metadata.httpStatusCode, 404)
      assert.match(error.$metadata.requestId, /^[0-9a-f-]{36}$/)
      return true
    })
  })

  test('[05 §5.3] an SDK that looks for capitals gets them, others the real spelling', async (t) => {
    const answers = {
      checkpoint: async () => {
        throw new ApiError('InvalidParameterValueException', TEXT.invalidToken)
      },
    }
    const command = () => new CheckpointDurableExecutionCommand({ DurableExecutionArn: ARN, CheckpointToken: 'dDE=' })
    const old = await start(t, { answers }, [['aws-durable-execution-sdk-js', '2.4.0']])
    await assert.rejects(old.client.send(command()), {
      name: 'InvalidParameterValueException',
      message: 'Invalid Checkpoint Token',
    })
    const other = await start(t, { answers })
    await assert.rejects(other.client.send(command()), { message: 'Invalid checkpoint token' })
  })

  test('[01 §1.0] throttling carries its reason and when to try again', async (t) => {
    const { client } = await start(t, { limits: { invokesInFlight: 0 } })
    const failure = client.send(new InvokeCommand({ FunctionName: 'orders:prod', InvocationType: 'Event' }))
    await assert.rejects(failure, (error: Error & { Reason?: string; retryAfterSeconds?: string }) => {
      assert.equal(error.name, 'TooManyRequestsException')
      assert.equal(error.message, 'Rate Exceeded.')
      assert.equal(error.Reason, 'ConcurrentInvocationLimitExceeded')
      assert.equal(error.retryAfterSeconds, '1')
      return true
    })
  })
})
