/** The full life of functions through the official client, unmodified, against a server on disk that is killed in the middle. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import * as lambda from '@aws-sdk/client-lambda'
import { temporaryDirectory } from '../journal/temporary-directory.ts'
import { type PerdureProcess, startPerdureProcess } from '../start-perdure.ts'
import { zipOf } from './zip-of.ts'

const ROLE = 'arn:aws:iam::000000000000:role/any'
const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:orders'

const packageOf = (answer: string): Buffer =>
  zipOf({ name: 'index.mjs', content: `export const handler = async () => ${JSON.stringify(answer)}\n` })

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64')

function clientOf(t: TestContext, { endpoint }: PerdureProcess): lambda.LambdaClient {
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  const client = new lambda.LambdaClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
  t.after(() => client.destroy())
  return client
}

async function serverOn(t: TestContext, data: string): Promise<PerdureProcess> {
  const server = await startPerdureProcess({ data, functions: [], log: { level: 'error' } })
  t.after(() => server.kill())
  return server
}

const creation = (bytes: Uint8Array, more: Partial<lambda.CreateFunctionCommandInput> = {}) =>
  new lambda.CreateFunctionCommand({
    FunctionName: 'orders',
    Role: ROLE,
    Runtime: 'nodejs24.x',
    Handler: 'index.handler',
    Code: { ZipFile: bytes },
    ...more,
  })

describe('the life of a function', () => {
  test('created, changed, published, pointed to, set up, shown, listed and deleted, over a kill in the middle', async (t) => {
    const data = temporaryDirectory(t)
    const first = await serverOn(t, data)
    let client = clientOf(t, first)
    const FunctionName = 'orders'
    const waiting = { client, maxWaitTime: 30, minDelay: 1 }

    // Created.
    const one = packageOf('one')
    const durable = { ExecutionTimeout: 600, RetentionPeriodInDays: 3 }
    const created = await client.send(
      creation(one, { Environment: { Variables: { STAGE: 'b' } }, Tags: { team: 'x' }, DurableConfig: durable }),
    )
    assert.equal(created.$metadata.httpStatusCode, 201)
    assert.deepEqual(
      [created.FunctionArn, created.Version, created.CodeSha256, created.CodeSize, created.DurableConfig],
      [ARN, '$LATEST', sha256(one), one.length, durable],
    )
    assert.match(created.LastModified ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/)
    await lambda.waitUntilFunctionExists(waiting, { FunctionName })
    await lambda.waitUntilFunctionActiveV2(waiting, { FunctionName })

    // Changed, under a revision.
    const configured = await client.send(
      new lambda.UpdateFunctionConfigurationCommand({
        FunctionName,
        Timeout: 7,
        MemorySize: 256,
        ...(created.RevisionId !== undefined && { RevisionId: created.RevisionId }),
      }),
    )
    assert.deepEqual([configured.Timeout, configured.Environment], [7, { Variables: { STAGE: 'b' } }])
    await lambda.waitUntilFunctionUpdatedV2(waiting, { FunctionName })
    const two = packageOf('two')
    await assert.rejects(
      client.send(new lambda.UpdateFunctionCodeCommand({ FunctionName, ZipFile: two, RevisionId: created.RevisionId })),
      (error: lambda.LambdaServiceException) =>
        error.name === 'PreconditionFailedException' && error.$metadata.httpStatusCode === 412,
    )

    // Published: the same again gives the same number.
    const versionOne = await client.send(new lambda.PublishVersionCommand({ FunctionName, Description: 'first' }))
    assert.deepEqual([versionOne.Version, versionOne.FunctionArn], ['1', `${ARN}:1`])
    assert.equal((await client.send(new lambda.PublishVersionCommand({ FunctionName }))).Version, '1')
    const updated = await client.send(
      new lambda.UpdateFunctionCodeCommand({ FunctionName, ZipFile: two, Publish: true }),
    )
    assert.deepEqual([updated.Version, updated.FunctionArn, updated.CodeSha256], ['2', `${ARN}:2`, sha256(two)])

    // Tried: nothing is kept.
    const three = packageOf('three')
    const tried = await client.send(
      new lambda.UpdateFunctionCodeCommand({ FunctionName, ZipFile: three, DryRun: true }),
    )
    assert.equal(tried.CodeSha256, sha256(three))

    // Pointed to.
    const alias = await client.send(
      new lambda.CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1', Description: 'of users' }),
    )
    assert.deepEqual([alias.AliasArn, alias.FunctionVersion], [`${ARN}:live`, '1'])
    const RoutingConfig = { AdditionalVersionWeights: { 2: 0.25 } }
    const weighted = await client.send(new lambda.UpdateAliasCommand({ FunctionName, Name: 'live', RoutingConfig }))
    assert.deepEqual(weighted.RoutingConfig, RoutingConfig)
    await assert.rejects(client.send(new lambda.DeleteFunctionCommand({ FunctionName, Qualifier: '2' })), {
      name: 'ResourceConflictException',
    })

    // Set up.
    await client.send(new lambda.PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 3 }))
    await client.send(
      new lambda.PutFunctionEventInvokeConfigCommand({
        FunctionName,
        Qualifier: 'live',
        MaximumRetryAttempts: 1,
        DestinationConfig: { OnFailure: { Destination: `${ARN}:1` } },
      }),
    )
    const Resource = ARN
    await client.send(new lambda.TagResourceCommand({ Resource, Tags: { stage: 'test', team: 'y' } }))
    await client.send(new lambda.UntagResourceCommand({ Resource, TagKeys: ['stage'] }))
    const permission = await client.send(
      new lambda.AddPermissionCommand({
        FunctionName,
        StatementId: 's1',
        Action: 'lambda:InvokeFunction',
        Principal: 's3.amazonaws.com',
      }),
    )
    assert.equal(JSON.parse(permission.Statement ?? '').Sid, 's1')
    await client.send(
      new lambda.PutProvisionedConcurrencyConfigCommand({
        FunctionName,
        Qualifier: 'live',
        ProvisionedConcurrentExecutions: 1,
      }),
    )
    await client.send(new lambda.PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: 'Allow' }))
    await client.send(new lambda.PutRuntimeManagementConfigCommand({ FunctionName, UpdateRuntimeOn: 'FunctionUpdate' }))

    // Killed: everything that was answered is there again.
    const shown = await everythingOf(client, FunctionName)
    await first.kill()
    const second = await serverOn(t, data)
    client = clientOf(t, second)
    assert.deepEqual(await everythingOf(client, FunctionName), shown)
    assert.deepEqual(shown.tags, { team: 'y' })
    assert.deepEqual(shown.concurrency, 3)
    assert.deepEqual(shown.versions, ['$LATEST', '1', '2'])
    assert.deepEqual(shown.aliases, [['live', '1', RoutingConfig]])

    // Downloaded, each version as it was uploaded.
    for (const [Qualifier, bytes] of [
      [undefined, two],
      ['1', one],
      ['live', one],
      ['2', two],
    ] as const) {
      const { Code, Configuration } = await client.send(
        new lambda.GetFunctionCommand({ FunctionName, ...(Qualifier && { Qualifier }) }),
      )
      const answer = await fetch(Code?.Location ?? '')
      assert.equal(answer.headers.get('content-type'), 'application/zip')
      assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes)
      assert.equal(Configuration?.FunctionArn, Qualifier === undefined ? ARN : `${ARN}:${Qualifier}`)
    }

    // Taken apart, and gone with its code.
    await client.send(new lambda.DeleteAliasCommand({ FunctionName, Name: 'live' }))
    await client.send(new lambda.DeleteFunctionCommand({ FunctionName, Qualifier: '1' }))
    const location = (await client.send(new lambda.GetFunctionCommand({ FunctionName }))).Code?.Location ?? ''
    const deleted = await client.send(new lambda.DeleteFunctionCommand({ FunctionName }))
    assert.equal(deleted.$metadata.httpStatusCode, 204)
    await assert.rejects(client.send(new lambda.GetFunctionCommand({ FunctionName })), {
      name: 'ResourceNotFoundException',
      message: `Function not found: ${ARN}`,
    })
    assert.equal((await fetch(location)).status, 404)
    const again = await client.send(creation(three))
    assert.equal(again.Version, '$LATEST')
  })

  test('lists go through pages, and name every version when asked', async (t) => {
    const client = clientOf(t, await serverOn(t, temporaryDirectory(t)))
    const bytes = packageOf('same')
    const names = Array.from({ length: 5 }, (_, index) => `f${index}`)
    for (const FunctionName of names)
      await client.send(creation(bytes, { FunctionName, Publish: FunctionName === 'f1' }))
    const listed: (string | undefined)[] = []
    for await (const { Functions = [] } of lambda.paginateListFunctions({ client, pageSize: 2 }, {})) {
      assert.ok(Functions.length <= 2)
      assert.ok(Functions.every(({ State, LastUpdateStatus }) => State === undefined && LastUpdateStatus === undefined))
      listed.push(...Functions.map(({ FunctionArn }) => FunctionArn?.split(':function:')[1]))
    }
    assert.deepEqual(listed, names)
    const all = await client.send(new lambda.ListFunctionsCommand({ FunctionVersion: 'ALL' }))
    assert.deepEqual(
      all.Functions?.map(({ FunctionArn }) => FunctionArn?.split(':function:')[1]),
      ['f0:$LATEST', 'f1:$LATEST', 'f1:1', 'f2:$LATEST', 'f3:$LATEST', 'f4:$LATEST'],
    )
    const { AccountUsage } = await client.send(new lambda.GetAccountSettingsCommand({}))
    assert.deepEqual(AccountUsage, { FunctionCount: 5, TotalCodeSize: 6 * bytes.length })
  })

  test('of two that are created at once with one name, one is', async (t) => {
    const client = clientOf(t, await serverOn(t, temporaryDirectory(t)))
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map((text) => client.send(creation(packageOf(text)))))
    const refused = outcomes.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []))
    assert.deepEqual(refused, Array(2).fill('ResourceConflictException: Function already exist: orders'))
  })
})

async function everythingOf(client: lambda.LambdaClient, FunctionName: string) {
  const { Configuration, Concurrency, Tags } = await client.send(new lambda.GetFunctionCommand({ FunctionName }))
  const { Versions } = await client.send(new lambda.ListVersionsByFunctionCommand({ FunctionName }))
  const { Aliases } = await client.send(new lambda.ListAliasesCommand({ FunctionName }))
  const eventInvoke = await client.send(new lambda.ListFunctionEventInvokeConfigsCommand({ FunctionName }))
  const { Policy } = await client.send(new lambda.GetPolicyCommand({ FunctionName }))
  const provisioned = await client.send(
    new lambda.GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier: 'live' }),
  )
  const { RecursiveLoop } = await client.send(new lambda.GetFunctionRecursionConfigCommand({ FunctionName }))
  const { UpdateRuntimeOn } = await client.send(new lambda.GetRuntimeManagementConfigCommand({ FunctionName }))
  return {
    configuration: Configuration,
    concurrency: Concurrency?.ReservedConcurrentExecutions,
    tags: Tags,
    versions: Versions?.map(({ Version }) => Version),
    aliases: Aliases?.map(({ Name, FunctionVersion, RoutingConfig }) => [Name, FunctionVersion, RoutingConfig]),
    eventInvoke: eventInvoke.FunctionEventInvokeConfigs,
    policy: Policy,
    provisioned: provisioned.RequestedProvisionedConcurrentExecutions,
    RecursiveLoop,
    UpdateRuntimeOn,
  }
}
