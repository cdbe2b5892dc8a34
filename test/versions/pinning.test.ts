/** Executions stay with the version that they started on, on a real server, through the official client. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetDurableExecutionCommand,
  type GetDurableExecutionCommandOutput,
  GetDurableExecutionHistoryCommand,
  InvokeCommand,
  LambdaClient,
  ListDurableExecutionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  SendDurableExecutionCallbackSuccessCommand,
  TooManyRequestsException,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda'
import { temporaryDirectory } from '../journal/temporary-directory.ts'
import { type PerdureProcess, startPerdureProcess } from '../start-perdure.ts'
import { eventually } from '../tables/eventually.ts'
import { durablePackage } from './durable-package.ts'
import { packageOf } from './registered.ts'

interface Server {
  readonly client: LambdaClient
  readonly process: PerdureProcess
}

async function serve(t: TestContext, data: string): Promise<Server> {
  const process = await startPerdureProcess({ data, functions: [], log: { level: 'error' } })
  t.after(() => process.kill())
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  const client = new LambdaClient({ endpoint: process.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
  t.after(() => client.destroy())
  return { client, process }
}

/** Tells its version, waits for a callback, and tells it again. */
const suspending = (label: string): Promise<Buffer> =>
  durablePackage(`async (_event, context) => {
    const before = await context.step('before', async () => '${label} ' + process.env.AWS_LAMBDA_FUNCTION_VERSION)
    const [callback] = await context.createCallback('signal')
    await callback
    return [before, '${label} ' + process.env.AWS_LAMBDA_FUNCTION_VERSION]
  }`)

const FunctionName = 'orders'

const creation = (ZipFile: Uint8Array, durable: boolean): CreateFunctionCommand =>
  new CreateFunctionCommand({
    FunctionName,
    Role: 'arn:aws:iam::000000000000:role/any',
    Runtime: 'nodejs24.x',
    Handler: 'index.handler',
    Code: { ZipFile },
    MemorySize: 512,
    Timeout: 30,
    ...(durable ? { DurableConfig: { ExecutionTimeout: 600 } } : undefined),
  })

async function callbackOf(client: LambdaClient, DurableExecutionArn: string | undefined): Promise<string> {
  return eventually(`the callback of ${DurableExecutionArn}`, async () => {
    const { Events = [] } = await client.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn }))
    const suspended = Events.at(-1)?.EventType === 'InvocationCompleted'
    const started = Events.find(({ EventType }) => EventType === 'CallbackStarted')
    return suspended ? started?.CallbackStartedDetails?.CallbackId : undefined
  })
}

function endOf(
  client: LambdaClient,
  DurableExecutionArn: string | undefined,
): Promise<GetDurableExecutionCommandOutput> {
  return eventually(`the end of ${DurableExecutionArn}`, async () => {
    const execution = await client.send(new GetDurableExecutionCommand({ DurableExecutionArn }))
    return execution.Status === 'RUNNING' ? undefined : execution
  })
}

const notFound = (version: string) => ({
  ErrorType: 'ResourceNotFoundException',
  ErrorMessage: `Function not found: arn:aws:lambda:us-east-1:000000000000:function:orders:${version}`,
})

async function errorOf(client: LambdaClient, arn: string | undefined): Promise<unknown> {
  const closed = await endOf(client, arn)
  assert.equal(closed.Status, 'FAILED')
  return closed.Error
}

async function resultOf(client: LambdaClient, arn: string | undefined): Promise<unknown> {
  const closed = await endOf(client, arn)
  assert.equal(closed.Status, 'SUCCEEDED', JSON.stringify(closed.Error))
  return JSON.parse(closed.Result ?? 'null')
}

test('an execution that was suspended on version 1 goes on there after 2 and 3, and a restart of the server', async (t) => {
  const data = temporaryDirectory(t)
  const first = await serve(t, data)
  let { client } = first
  const start = async (Qualifier: string): Promise<string | undefined> => {
    const started = await client.send(new InvokeCommand({ FunctionName, Qualifier, InvocationType: 'Event' }))
    return started.DurableExecutionArn
  }
  const release = async (CallbackId: string): Promise<void> => {
    await client.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: '"go"' }))
  }
  const publish = async (label: string): Promise<void> => {
    await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await suspending(label) }))
    await client.send(new PublishVersionCommand({ FunctionName }))
  }
  await client.send(creation(await suspending('one'), true))
  await client.send(new PublishVersionCommand({ FunctionName }))
  await client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }))

  const [pinned, aliased, latest] = [await start('1'), await start('live'), await start('$LATEST')]
  assert.match(pinned ?? '', /:function:orders:1\/durable-execution\//)
  assert.match(aliased ?? '', /:function:orders:1\/durable-execution\//)
  assert.match(latest ?? '', /:function:orders:\$LATEST\/durable-execution\//)
  const callbacks = [
    await callbackOf(client, pinned),
    await callbackOf(client, aliased),
    await callbackOf(client, latest),
  ]

  await publish('two')
  await publish('three')
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await suspending('four') }))
  await client.send(new UpdateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '3' }))
  const [pinnedCallback = '', ...others] = callbacks
  await release(pinnedCallback)
  assert.deepEqual(await resultOf(client, pinned), ['one 1', 'one 1'])

  client.destroy()
  await first.process.kill()
  client = (await serve(t, data)).client
  for (const callback of others) await release(callback)
  assert.deepEqual(await resultOf(client, aliased), ['one 1', 'one 1'])
  assert.deepEqual(await resultOf(client, latest), ['one $LATEST', 'four $LATEST'], '$LATEST follows the code')

  const fresh = await start('live')
  await release(await callbackOf(client, fresh))
  assert.deepEqual(await resultOf(client, fresh), ['three 3', 'three 3'])
})

test('starts through a weighted alias are drawn once; a named one is found again whatever is drawn', async (t) => {
  const { client } = await serve(t, temporaryDirectory(t))
  const telling = (label: string) => durablePackage(`async () => '${label} ' + process.env.AWS_LAMBDA_FUNCTION_VERSION`)
  await client.send(creation(await telling('one'), true))
  await client.send(new PublishVersionCommand({ FunctionName }))
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await telling('two'), Publish: true }))
  const RoutingConfig = { AdditionalVersionWeights: { 2: 0.5 } }
  await client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1', RoutingConfig }))

  const invoke = async (DurableExecutionName?: string): Promise<string> => {
    const answer = await client.send(new InvokeCommand({ FunctionName, Qualifier: 'live', DurableExecutionName }))
    const result = JSON.parse(answer.Payload?.transformToString() ?? 'null') as string
    assert.equal(result, { 1: 'one 1', 2: 'two 2' }[answer.ExecutedVersion ?? ''], 'what was drawn is what ran')
    return answer.ExecutedVersion ?? ''
  }
  const drawn = new Set<string>()
  // That one of two equal chances does not come in 60 draws is less likely than a broken processor.
  for (let n = 0; n < 60 && drawn.size < 2; n++) drawn.add(await invoke())
  assert.deepEqual([...drawn].sort(), ['1', '2'])

  const named = await invoke('once')
  for (let n = 0; n < 20; n++) assert.equal(await invoke('once'), named)
})

test('nothing reserved: who waits is refused, what is queued runs as soon as something is', async (t) => {
  const { client } = await serve(t, temporaryDirectory(t))
  await client.send(creation(await durablePackage('async () => 1'), true))
  const reserve = (ReservedConcurrentExecutions: number) =>
    client.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }))
  await reserve(0)
  const Qualifier = '$LATEST'
  await assert.rejects(client.send(new InvokeCommand({ FunctionName, Qualifier })), (error) => {
    assert.ok(error instanceof TooManyRequestsException)
    assert.equal(error.Reason, 'ReservedFunctionConcurrentInvocationLimitExceeded')
    assert.equal(error.$metadata.httpStatusCode, 429)
    return true
  })
  const queued = await client.send(new InvokeCommand({ FunctionName, Qualifier, InvocationType: 'Event' }))
  assert.equal(queued.StatusCode, 202)
  const [execution] =
    (await client.send(new ListDurableExecutionsByFunctionCommand({ FunctionName }))).DurableExecutions ?? []
  assert.equal(execution?.Status, 'RUNNING')
  await reserve(1)
  assert.equal(await resultOf(client, queued.DurableExecutionArn), 1)
})

test('an execution whose version was deleted fails when it needs it, and the others go on', async (t) => {
  const { client } = await serve(t, temporaryDirectory(t))
  await client.send(creation(await suspending('one'), true))
  await client.send(new PublishVersionCommand({ FunctionName }))
  const started = await client.send(new InvokeCommand({ FunctionName, Qualifier: '1', InvocationType: 'Event' }))
  const CallbackId = await callbackOf(client, started.DurableExecutionArn)
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await suspending('two'), Publish: true }))
  await client.send(new DeleteFunctionCommand({ FunctionName, Qualifier: '1' }))
  await client.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: '"go"' }))

  const other = await client.send(new InvokeCommand({ FunctionName, Qualifier: '2', InvocationType: 'Event' }))
  const otherCallback = await callbackOf(client, other.DurableExecutionArn)
  await client.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId: otherCallback, Result: '"go"' }))
  assert.deepEqual(await resultOf(client, other.DurableExecutionArn), ['two 2', 'two 2'])
  assert.deepEqual(await errorOf(client, started.DurableExecutionArn), notFound('1'))
})

test('a function that is created again under the name is another one, over a kill of the server', async (t) => {
  const data = temporaryDirectory(t)
  const first = await serve(t, data)
  let { client } = first
  const start = async (Qualifier: string) => {
    const { DurableExecutionArn } = await client.send(
      new InvokeCommand({ FunctionName, Qualifier, InvocationType: 'Event' }),
    )
    return { arn: DurableExecutionArn, callback: await callbackOf(client, DurableExecutionArn) }
  }
  const release = (CallbackId: string) =>
    client.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: '"go"' }))
  await client.send(creation(await suspending('old'), true))
  await client.send(new PublishVersionCommand({ FunctionName }))
  const [old, pinned] = [await start('$LATEST'), await start('1')]
  await client.send(new DeleteFunctionCommand({ FunctionName }))
  await release(old.callback)
  assert.deepEqual(await errorOf(client, old.arn), notFound('$LATEST'))

  client.destroy()
  await first.process.kill()
  client = (await serve(t, data)).client
  await assert.rejects(client.send(new InvokeCommand({ FunctionName, Qualifier: '1' })), {
    name: 'ResourceNotFoundException',
  })
  await client.send(creation(await suspending('new'), true))
  const published = await client.send(new PublishVersionCommand({ FunctionName }))
  assert.equal(published.Version, '2', 'number 1 belongs to the one before')
  await release(pinned.callback)
  assert.deepEqual(await errorOf(client, pinned.arn), notFound('1'))
  const fresh = await start('$LATEST')
  await release(fresh.callback)
  assert.deepEqual(await resultOf(client, fresh.arn), ['new $LATEST', 'new $LATEST'])

  await client.send(new DeleteFunctionCommand({ FunctionName }))
  const listed = async (Qualifier?: string) => {
    const list = new ListDurableExecutionsByFunctionCommand({ FunctionName, Qualifier, ReverseOrder: true })
    return (await client.send(list)).DurableExecutions?.map(({ DurableExecutionArn }) => DurableExecutionArn)
  }
  assert.deepEqual(await listed(), [old.arn, pinned.arn, fresh.arn], 'executions are found as long as they are kept')
  assert.deepEqual(await listed('1'), [pinned.arn])
  await assert.rejects(listed('3'), { name: 'ResourceNotFoundException' })
})

test('a plain function: the version that ran is told, also behind an alias', async (t) => {
  const { client } = await serve(t, temporaryDirectory(t))
  const saying = (text: string): Buffer =>
    packageOf({ 'index.mjs': `export const handler = async () => ${JSON.stringify(text)}` })
  await client.send(creation(saying('one'), false))
  await client.send(new PublishVersionCommand({ FunctionName }))
  await client.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile: saying('two') }))
  await client.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }))
  for (const [Qualifier, text, version] of [
    [undefined, 'two', '$LATEST'],
    ['$LATEST', 'two', '$LATEST'],
    ['1', 'one', '1'],
    ['live', 'one', '1'],
    ['$LATEST.PUBLISHED', 'one', '1'],
  ] as const) {
    const answer = await client.send(new InvokeCommand({ FunctionName, Qualifier }))
    assert.deepEqual([answer.Payload?.transformToString(), answer.ExecutedVersion], [JSON.stringify(text), version])
  }
})
