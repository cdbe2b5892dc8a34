/** Layers through the official client, unmodified, against a server on disk that is killed in the middle. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, type TestContext, test } from 'node:test'
import * as lambda from '@aws-sdk/client-lambda'
import { hashOf } from '../../src/functions/registry/code.ts'
import { temporaryDirectory } from '../journal/temporary-directory.ts'
import { type PerdureProcess, startPerdureProcess } from '../start-perdure.ts'
import { zipOf } from './zip-of.ts'

const ROLE = 'arn:aws:iam::000000000000:role/any'
const ARN = 'arn:aws:lambda:us-east-1:000000000000:layer'
const LayerName = 'shared'

const content = (text: string): Buffer =>
  zipOf(
    { name: 'nodejs/node_modules/shared/index.js', content: `module.exports = ${JSON.stringify(text)}` },
    { name: 'python/shared.py', content: `text = ${JSON.stringify(text)}` },
  )

async function serverOn(t: TestContext, data: string): Promise<PerdureProcess> {
  const server = await startPerdureProcess({ data, functions: [], log: { level: 'error' } })
  t.after(() => server.kill())
  return server
}

function clientOf(t: TestContext, { endpoint }: PerdureProcess): lambda.LambdaClient {
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  const client = new lambda.LambdaClient({ endpoint, region: 'us-east-1', credentials, maxAttempts: 1 })
  t.after(() => client.destroy())
  return client
}

const publishing = (ZipFile: Buffer, more: Partial<lambda.PublishLayerVersionCommandInput> = {}) =>
  new lambda.PublishLayerVersionCommand({ LayerName, Content: { ZipFile }, ...more })

const nodeFunction = (FunctionName: string, Layers: string[]) =>
  new lambda.CreateFunctionCommand({
    FunctionName,
    Role: ROLE,
    Runtime: 'nodejs22.x',
    Handler: 'index.handler',
    Code: { ZipFile: zipOf({ name: 'index.js', content: "exports.handler = async () => require('shared')" }) },
    Layers,
  })

async function answerOf(client: lambda.LambdaClient, FunctionName: string): Promise<unknown> {
  const { Payload, FunctionError } = await client.send(new lambda.InvokeCommand({ FunctionName }))
  const text = Buffer.from(Payload ?? []).toString()
  assert.equal(FunctionError, undefined, text)
  return JSON.parse(text)
}

const hasPython = (() => {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()

describe('the life of a layer', () => {
  test('published, shown, listed, used, permitted, deleted and still used, over kills in the middle', async (t) => {
    const data = temporaryDirectory(t)
    const first = await serverOn(t, data)
    let client = clientOf(t, first)

    // Published.
    const one = content('one')
    const published = await client.send(
      publishing(one, {
        Description: 'first',
        LicenseInfo: 'MIT',
        CompatibleRuntimes: ['nodejs22.x', 'python3.13'],
        CompatibleArchitectures: ['x86_64'],
      }),
    )
    assert.equal(published.$metadata.httpStatusCode, 201)
    const { Location, ...kept } = published.Content ?? {}
    assert.deepEqual(kept, { CodeSha256: hashOf(one), CodeSize: one.length })
    assert.deepEqual(Buffer.from(await (await fetch(Location ?? '')).arrayBuffer()), one)
    assert.deepEqual(
      [published.LayerArn, published.LayerVersionArn, published.Version, published.LicenseInfo],
      [`${ARN}:shared`, `${ARN}:shared:1`, 1, 'MIT'],
    )
    assert.match(published.CreatedDate ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/)
    await client.send(publishing(content('two'), { CompatibleRuntimes: ['nodejs22.x'] }))
    await client.send(publishing(one, { LayerName: `${ARN}:other` }))

    // Used.
    const created = await client.send(nodeFunction('orders', [`${ARN}:shared:1`]))
    assert.deepEqual(created.Layers, [{ Arn: `${ARN}:shared:1`, CodeSize: one.length }])
    assert.equal(await answerOf(client, 'orders'), 'one')
    if (hasPython) {
      await client.send(
        new lambda.CreateFunctionCommand({
          FunctionName: 'snake',
          Role: ROLE,
          Runtime: 'python3.13',
          Handler: 'app.handler',
          Code: {
            ZipFile: zipOf({
              name: 'app.py',
              content: 'import shared\ndef handler(event, context): return shared.text\n',
            }),
          },
          Layers: [`${ARN}:shared:2`],
        }),
      )
      assert.equal(await answerOf(client, 'snake'), 'two')
    }

    // Permitted.
    const VersionNumber = 1
    const permission = { LayerName, VersionNumber, Action: 'lambda:GetLayerVersion', Principal: '*' }
    const added = await client.send(
      new lambda.AddLayerVersionPermissionCommand({ ...permission, StatementId: 'everybody' }),
    )
    assert.equal(JSON.parse(added.Statement ?? '').Resource, `${ARN}:shared:1`)

    // Killed: everything that was answered is there again.
    const shown = await everythingOf(client)
    await first.kill()
    const second = await serverOn(t, data)
    client = clientOf(t, second)
    assert.deepEqual(await everythingOf(client), shown)
    assert.deepEqual(shown.layers, [
      ['other', 1],
      ['shared', 2],
    ])
    assert.deepEqual(shown.versions, [2, 1])
    assert.deepEqual(shown.forPython, [1])
    assert.equal(shown.policy.RevisionId, added.RevisionId)

    // Deleted: gone for all that is new, there for those that have it, also after another kill.
    await client.send(
      new lambda.RemoveLayerVersionPermissionCommand({ LayerName, VersionNumber, StatementId: 'everybody' }),
    )
    const deleted = await client.send(new lambda.DeleteLayerVersionCommand({ LayerName, VersionNumber }))
    assert.equal(deleted.$metadata.httpStatusCode, 204)
    await client.send(new lambda.DeleteLayerVersionCommand({ LayerName: 'other', VersionNumber }))
    await client.send(new lambda.DeleteLayerVersionCommand({ LayerName, VersionNumber }))
    await assert.rejects(client.send(new lambda.GetLayerVersionCommand({ LayerName, VersionNumber })), {
      name: 'ResourceNotFoundException',
    })
    await assert.rejects(client.send(nodeFunction('late', [`${ARN}:shared:1`])), {
      name: 'InvalidParameterValueException',
      message: `Layer version ${ARN}:shared:1 does not exist.`,
    })
    await second.kill()
    const third = await serverOn(t, data)
    client = clientOf(t, third)
    await client.send(new lambda.UpdateFunctionConfigurationCommand({ FunctionName: 'orders', Timeout: 9 }))
    assert.equal(await answerOf(client, 'orders'), 'one')

    // Numbers are not used again, and the code goes with the last function.
    assert.equal((await client.send(publishing(content('three')))).Version, 3)
    assert.equal((await fetch(new URL(new URL(Location ?? '').pathname, third.endpoint))).status, 200)
    await client.send(new lambda.UpdateFunctionConfigurationCommand({ FunctionName: 'orders', Layers: [] }))
    const { Configuration } = await client.send(new lambda.GetFunctionCommand({ FunctionName: 'orders' }))
    assert.equal(Configuration?.Layers, undefined)
    assert.equal((await fetch(new URL(new URL(Location ?? '').pathname, third.endpoint))).status, 404)
  })

  test('lists go through pages', async (t) => {
    const client = clientOf(t, await serverOn(t, temporaryDirectory(t)))
    for (let version = 1; version <= 11; version += 1) await client.send(publishing(content('same')))
    for (const name of ['a', 'b', 'c']) await client.send(publishing(content('same'), { LayerName: name }))
    const numbers: (number | undefined)[] = []
    for await (const page of lambda.paginateListLayerVersions({ client, pageSize: 4 }, { LayerName })) {
      assert.ok((page.LayerVersions ?? []).length <= 4)
      numbers.push(...(page.LayerVersions ?? []).map(({ Version }) => Version))
    }
    assert.deepEqual(numbers, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1])
    const names: (string | undefined)[] = []
    for await (const page of lambda.paginateListLayers({ client, pageSize: 3 }, {})) {
      names.push(...(page.Layers ?? []).map((layer) => layer.LayerName))
    }
    assert.deepEqual(names, ['a', 'b', 'c', 'shared'])
    const none = await client.send(new lambda.ListLayerVersionsCommand({ LayerName: 'nobody' }))
    assert.deepEqual(none.LayerVersions, [])
  })

  test('of publications at once each has a number of its own', async (t) => {
    const client = clientOf(t, await serverOn(t, temporaryDirectory(t)))
    const published = await Promise.all([...'abcdefgh'].map((text) => client.send(publishing(content(text)))))
    assert.deepEqual(published.map(({ Version }) => Version).sort(), [1, 2, 3, 4, 5, 6, 7, 8])
  })
})

async function everythingOf(client: lambda.LambdaClient) {
  const { Layers = [] } = await client.send(new lambda.ListLayersCommand({}))
  const { LayerVersions } = await client.send(new lambda.ListLayerVersionsCommand({ LayerName }))
  const forPython = await client.send(
    new lambda.ListLayerVersionsCommand({
      LayerName,
      CompatibleRuntime: 'python3.13',
      CompatibleArchitecture: 'x86_64',
    }),
  )
  const version = await client.send(new lambda.GetLayerVersionCommand({ LayerName, VersionNumber: 1 }))
  const byArn = await client.send(new lambda.GetLayerVersionByArnCommand({ Arn: `${ARN}:shared:1` }))
  const { Policy, RevisionId } = await client.send(
    new lambda.GetLayerVersionPolicyCommand({ LayerName, VersionNumber: 1 }),
  )
  const { Configuration } = await client.send(new lambda.GetFunctionCommand({ FunctionName: 'orders' }))
  const { AccountUsage } = await client.send(new lambda.GetAccountSettingsCommand({}))
  const shownVersion = (each: lambda.GetLayerVersionResponse) => ({
    ...each,
    $metadata: undefined,
    Content: { ...each.Content, Location: undefined },
  })
  assert.deepEqual(shownVersion(byArn), shownVersion(version))
  return {
    layers: Layers.map((each) => [each.LayerName, each.LatestMatchingVersion?.Version]),
    versions: LayerVersions?.map(({ Version }) => Version),
    forPython: forPython.LayerVersions?.map(({ Version }) => Version),
    version: shownVersion(version),
    policy: { Policy, RevisionId },
    layersOfFunction: Configuration?.Layers,
    usage: AccountUsage,
  }
}
