/** The exact texts of spec 02 §2.6, asked for over the wire. */
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import * as officialClient from '@aws-sdk/client-lambda'
import { OPERATIONS } from '../../src/protocol/operations.ts'
import { startServer } from '../server/stand-ins.ts'
import { zipOf } from './zip-of.ts'

const ARN = 'arn:aws:lambda:us-east-1:123456789012:function:f'
const PACKAGE = zipOf({ name: 'index.mjs', content: 'export {}' }).toString('base64')
const OTHER = zipOf({ name: 'index.mjs', content: 'export { }' }).toString('base64')
const F = '/2015-03-31/functions'
const L = '/2018-10-31/layers'
const LAYER = 'arn:aws:lambda:us-east-1:123456789012:layer'
const EVENTS = '/2019-09-25/functions/f/event-invoke-config'

interface Call {
  readonly line: string
  readonly body?: unknown
}
type Refused = readonly [status: number, error: string, message: string | RegExp]

const creation = (more: object = {}) => ({
  FunctionName: 'g',
  Role: 'arn:aws:iam::123456789012:role/r',
  Runtime: 'nodejs24.x',
  Handler: 'index.handler',
  Code: { ZipFile: PACKAGE },
  ...more,
})
const create = (more: object): Call => ({ line: `POST ${F}`, body: creation(more) })
const call = (line: string, body?: unknown): Call => ({ line, body })
const invalid = (message: string | RegExp): Refused => [400, 'InvalidParameterValueException', message]
const notFound = (message: string): Refused => [404, 'ResourceNotFoundException', message]
const conflict = (message: string): Refused => [409, 'ResourceConflictException', message]
const validation = (message: string | RegExp): Refused => [400, 'ValidationException', message]

const UNQUALIFIED =
  'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.'
const BROKEN = 'Could not unzip uploaded file. Please check your file, then try to upload again.'
const STALE =
  'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id'
const LONG = 'a'.repeat(65)

/** `f` has the versions 1 and 2 and the alias `live`; `orders` and `plain` are declared. */
const ROWS: readonly (readonly [title: string, call: Call, refused: Refused])[] = [
  ['create: the name is taken', create({ FunctionName: 'f' }), conflict('Function already exist: f')],
  ['create: the name is declared', create({ FunctionName: 'plain' }), conflict('Function already exist: plain')],
  [
    'create: an unknown runtime',
    create({ Runtime: 'cobol1' }),
    invalid(/^Value cobol1 at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: \[nodejs/),
  ],
  [
    'create: a retired runtime',
    create({ Runtime: 'nodejs12.x' }),
    invalid(
      'The runtime parameter of nodejs12.x is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.',
    ),
  ],
  [
    'create: a bad role',
    create({ Role: 'me' }),
    validation(
      /^1 validation error detected: Value 'me' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:/,
    ),
  ],
  [
    'create: a long name',
    create({ FunctionName: LONG }),
    invalid(
      `1 validation error detected: Value '${LONG}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 64`,
    ),
  ],
  [
    'create: a long ARN',
    create({ FunctionName: `${ARN}${'a'.repeat(100)}` }),
    validation(/ at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 140/),
  ],
  [
    'create: another region',
    create({ FunctionName: ARN.replace('us-east-1', 'eu-west-1') }),
    notFound("Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"),
  ],
  ['create: no zip', create({ Code: { ZipFile: 'aGVsbG8=' } }), invalid(BROKEN)],
  [
    'create: a zip that leads out',
    create({ Code: { ZipFile: zipOf({ name: '../x', content: '' }).toString('base64') } }),
    invalid(BROKEN),
  ],
  [
    'create: a bomb',
    create({ Code: { ZipFile: zipOf({ name: 'x', size: 262_144_001 }).toString('base64') } }),
    invalid('Unzipped size must be smaller than 262144000 bytes'),
  ],
  [
    'create: a bucket',
    create({ Code: { S3Bucket: 'abc', S3Key: 'k' } }),
    invalid(/upload the deployment package as ZipFile/),
  ],
  ['create: no code', create({ Code: {} }), invalid('Please provide a source for function code.')],
  [
    'create: a large environment',
    create({ Environment: { Variables: { STAGE: 'x'.repeat(4_096) } } }),
    invalid(
      /^Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: \{"STAGE":"x/,
    ),
  ],
  ['create: durable without a timeout', create({ DurableConfig: {} }), invalid(/ExecutionTimeout/)],
  [
    'code: an image',
    call(`PUT ${F}/f/code`, { ImageUri: 'i' }),
    invalid("Please don't provide ImageUri when updating a function with packageType Zip."),
  ],
  [
    'code: no such function',
    call(`PUT ${F}/nobody/code`, { ZipFile: PACKAGE }),
    notFound(`Function not found: ${ARN.slice(0, -1)}nobody`),
  ],
  [
    'code: a stale revision',
    call(`PUT ${F}/f/code`, { ZipFile: PACKAGE, RevisionId: 'r' }),
    [412, 'PreconditionFailedException', STALE],
  ],
  [
    'code: of a declared function',
    call(`PUT ${F}/plain/code`, { ZipFile: PACKAGE }),
    invalid(/^The function plain is declared in the configuration of this server/),
  ],
  ['code: of a version', call(`PUT ${F}/f%3A1/code`, { ZipFile: PACKAGE }), invalid(UNQUALIFIED)],
  [
    'configuration: durable from now on',
    call(`PUT ${F}/f/configuration`, { DurableConfig: { ExecutionTimeout: 5 } }),
    invalid(/^DurableConfig cannot be added to an existing function/),
  ],
  [
    'configuration: a stale revision',
    call(`PUT ${F}/f/configuration`, { RevisionId: 'r' }),
    [412, 'PreconditionFailedException', STALE],
  ],
  [
    'publish: other code',
    call(`POST ${F}/f/versions`, { CodeSha256: 'abc=' }),
    invalid(
      /^CodeSHA256 \(abc=\) is different from current CodeSHA256 in \$LATEST \(.+=\)\. Please try again with the CodeSHA256 in \$LATEST\.$/,
    ),
  ],
  [
    'delete: $LATEST',
    call(`DELETE ${F}/f?Qualifier=%24LATEST`),
    invalid('$LATEST version cannot be deleted without deleting the function.'),
  ],
  ['delete: a declared function', call(`DELETE ${F}/plain`), invalid(/^The function plain is declared/)],
  ['delete: no such version', call(`DELETE ${F}/f?Qualifier=9`), notFound(`Function not found: ${ARN}:9`)],
  [
    'delete: two qualifiers',
    call(`DELETE ${F}/f%3A1?Qualifier=2`),
    invalid('The derived qualifier from the function name does not match the specified qualifier.'),
  ],
  [
    'alias: is there',
    call(`POST ${F}/f/aliases`, { Name: 'live', FunctionVersion: '1' }),
    conflict(`Alias already exists: ${ARN}:live`),
  ],
  [
    'alias: no such version',
    call(`POST ${F}/f/aliases`, { Name: 'x', FunctionVersion: '9' }),
    notFound(`Function not found: ${ARN}:9`),
  ],
  [
    'alias: a number',
    call(`POST ${F}/f/aliases`, { Name: '12', FunctionVersion: '1' }),
    validation(/ at 'name' failed to satisfy constraint/),
  ],
  ['alias: get an unknown one', call(`GET ${F}/f/aliases/x`), notFound(`Cannot find alias arn: ${ARN}:x`)],
  ['alias: update an unknown one', call(`PUT ${F}/f/aliases/x`, {}), notFound(`Alias not found: ${ARN}:x`)],
  [
    'alias: a stale revision',
    call(`PUT ${F}/f/aliases/live`, { RevisionId: 'r' }),
    [412, 'PreconditionFailedException', STALE],
  ],
  [
    'alias: two other versions',
    call(`PUT ${F}/f/aliases/live`, { RoutingConfig: { AdditionalVersionWeights: { 2: 0.1, 3: 0.1 } } }),
    invalid('Number of items in AdditionalVersionWeights cannot be greater than 1'),
  ],
  [
    'alias: its own version',
    call(`PUT ${F}/f/aliases/live`, { RoutingConfig: { AdditionalVersionWeights: { 1: 0.1 } } }),
    invalid('Invalid function version 1. Function version 1 is already included in routing configuration.'),
  ],
  [
    'alias: $LATEST and another',
    call(`PUT ${F}/f/aliases/live`, {
      FunctionVersion: '$LATEST',
      RoutingConfig: { AdditionalVersionWeights: { 1: 0.1 } },
    }),
    invalid('$LATEST is not supported for an alias pointing to more than 1 version'),
  ],
  [
    'concurrency of an alias',
    call('PUT /2017-10-31/functions/f%3Alive/concurrency', { ReservedConcurrentExecutions: 1 }),
    invalid(UNQUALIFIED),
  ],
  [
    'event invoke: none',
    call(`GET ${EVENTS}`),
    notFound(`The function ${ARN}:$LATEST doesn't have an EventInvokeConfig`),
  ],
  [
    'event invoke: empty',
    call(`PUT ${EVENTS}`, {}),
    invalid('You must specify at least one of error handling or destination setting.'),
  ],
  [
    'event invoke: a destination of no form',
    call(`PUT ${EVENTS}`, { DestinationConfig: { OnFailure: { Destination: 'somewhere' } } }),
    validation(
      "1 validation error detected: Value 'somewhere' at 'destinationConfig.onFailure.destination' failed to satisfy constraint: Member must satisfy regular expression pattern: (|https?://[^\\s]+|kafka://[^\\s]+|arn:[^\\s]+)",
    ),
  ],
  [
    'event invoke: a URL that is none',
    call(`PUT ${EVENTS}`, { DestinationConfig: { OnFailure: { Destination: 'http://:x' } } }),
    invalid('The destination http://:x is not valid.'),
  ],
  [
    'create: a dead-letter target of no form',
    create({ DeadLetterConfig: { TargetArn: 'somewhere' } }),
    validation(
      "1 validation error detected: Value 'somewhere' at 'deadLetterConfig.targetArn' failed to satisfy constraint: Member must satisfy regular expression pattern: (|https?://[^\\s]+|kafka://[^\\s]+|arn:[^\\s]+)",
    ),
  ],
  [
    'event invoke: no such function',
    call(`PUT ${EVENTS.replace('/f/', '/nobody/')}`, { MaximumRetryAttempts: 1 }),
    notFound("The function doesn't exist."),
  ],
  [
    'tags of an alias',
    call(`GET /2017-03-31/tags/${encodeURIComponent(`${ARN}:live`)}`),
    invalid('Tags on function aliases and versions are not supported. Please specify a function ARN.'),
  ],
  ['tags of no ARN', call('GET /2017-03-31/tags/f'), validation(/ at 'resource' failed to satisfy constraint/)],
  ['policy: none', call(`GET ${F}/f/policy`), notFound('The resource you requested does not exist.')],
  [
    'account: another',
    call(`GET ${F}/${encodeURIComponent(ARN.replace('123456789012', '999999999999'))}/policy`),
    [403, 'AccessDeniedException', /999999999999/],
  ],
  ['marker: a bad one', call(`GET ${F}/f/aliases?Marker=x`), invalid('Invalid Marker')],
  [
    'layers of a function: none of that name',
    call(`PUT ${F}/f/configuration`, { Layers: [`${LAYER}:nobody:1`] }),
    invalid(`Layer version ${LAYER}:nobody:1 does not exist.`),
  ],
  [
    'layers of a function: six',
    create({ Layers: [1, 2, 3, 4, 5, 6].map((n) => `${LAYER}:l${n}:1`) }),
    invalid('Cannot reference more than 5 layers.'),
  ],
  [
    'layers of a function: no version',
    create({ Layers: [`${LAYER}:l`] }),
    validation(
      /^1 validation error detected: Value '\[arn:.*:layer:l\]' at 'layers' failed to satisfy constraint: Member must satisfy constraint: \[/,
    ),
  ],
  ['layer: none', call(`GET ${L}/l/versions/1`), notFound('The resource you requested does not exist.')],
  ['layer: number 0', call(`GET ${L}/l/versions/0`), invalid('Layer Version Cannot be less than 1')],
  ['layer: a number that is none', call(`GET ${L}/l/versions/one`), [400, 'SerializationException', /versionNumber/]],
  [
    'layer: none of that ARN',
    call(`GET ${L}?find=LayerVersion&Arn=${encodeURIComponent(`${LAYER}:l:1`)}`),
    notFound('The resource you requested does not exist.'),
  ],
  [
    'layer: one of everybody',
    call(`GET ${L}?find=LayerVersion&Arn=arn:aws:lambda:::awslayer:AmazonLinux1803`),
    notFound('The resource you requested does not exist.'),
  ],
  [
    'layer: an ARN without a version',
    call(`GET ${L}?find=LayerVersion&Arn=${LAYER}:l`),
    validation(/ at 'arn' failed to satisfy constraint: Member must satisfy regular expression pattern: /),
  ],
  [
    'layer: of another account',
    call(`GET ${L}/${encodeURIComponent(LAYER.replace('123456789012', '999999999999'))}%3Al/versions/1`),
    [403, 'AccessDeniedException', /999999999999/],
  ],
  [
    'layer: of another region',
    call(`GET ${L}/${encodeURIComponent(LAYER.replace('us-east-1', 'eu-west-1'))}%3Al/versions`),
    notFound("Layers from 'eu-west-1' are not reachable in this region ('us-east-1')"),
  ],
  ['layer: a bad name', call(`GET ${L}/a.b/versions/1`), validation(/^1 validation error .* 'a\.b' at 'layerName'/)],
  ['layer: no content', call(`POST ${L}/l/versions`, {}), validation(/Value null at 'content' failed/)],
  [
    'layer: empty content',
    call(`POST ${L}/l/versions`, { Content: {} }),
    invalid('Please provide a source for layer content.'),
  ],
  [
    'layer: a bucket',
    call(`POST ${L}/l/versions`, { Content: { S3Bucket: 'bucket', S3Key: 'key' } }),
    invalid(/^This server reads no buckets/),
  ],
  ['layer: a broken zip', call(`POST ${L}/l/versions`, { Content: { ZipFile: 'UEsDBA==' } }), invalid(BROKEN)],
  [
    'layer: an unknown runtime',
    call(`POST ${L}/l/versions`, { Content: { ZipFile: PACKAGE }, CompatibleRuntimes: ['cobol1'] }),
    validation(
      /'cobol1' at 'compatibleRuntimes\.1\.member' failed to satisfy constraint: Member must satisfy enum value set/,
    ),
  ],
  [
    'layer: sixteen runtimes',
    call(`POST ${L}/l/versions`, { Content: { ZipFile: PACKAGE }, CompatibleRuntimes: Array(16).fill('nodejs22.x') }),
    validation(
      / at 'compatibleRuntimes' failed to satisfy constraint: Member must have length less than or equal to 15/,
    ),
  ],
  ['layers: a long page', call(`GET ${L}?MaxItems=51`), validation(/ at 'maxItems' .* less than or equal to 50/)],
  ['layers: a bad marker', call(`GET ${L}?Marker=x`), invalid('Invalid Marker')],
  [
    'layer permission: another action',
    call(`POST ${L}/l/versions/1/policy`, { StatementId: 's', Action: 'lambda:GetLayer', Principal: '*' }),
    validation(
      /'lambda:GetLayer' at 'action' failed to satisfy constraint: Member must satisfy regular expression pattern: lambda:GetLayerVersion/,
    ),
  ],
  [
    'layer permission: no such version',
    call(`POST ${L}/l/versions/1/policy`, { StatementId: 's', Action: 'lambda:GetLayerVersion', Principal: '*' }),
    notFound(`Layer version ${LAYER}:l:1 does not exist.`),
  ],
]

type Ask = (
  line: string,
  body?: unknown,
) => Promise<{
  readonly status: number
  readonly error: string | null
  readonly body: Readonly<Record<string, unknown>>
}>

async function asker(t: TestContext): Promise<Ask> {
  const { endpoint } = await startServer(t)
  return async (line, body) => {
    const [method = '', target = ''] = line.split(' ')
    const answer = await fetch(`${endpoint}${target}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const text = await answer.text()
    return {
      status: answer.status,
      error: answer.headers.get('x-amzn-errortype'),
      body: text === '' ? {} : JSON.parse(text),
    }
  }
}

async function setUp(ask: Ask): Promise<void> {
  for (const [line, body] of [
    [`POST ${F}`, creation({ FunctionName: 'f', Publish: true })],
    [`PUT ${F}/f/code`, { ZipFile: OTHER, Publish: true }],
    [`POST ${F}/f/aliases`, { Name: 'live', FunctionVersion: '1' }],
  ] as const) {
    const { status, body: told } = await ask(line, body)
    assert.ok(status < 300, JSON.stringify(told))
  }
}

describe('[02 §2.6] what is refused, and how', () => {
  for (const [title, { line, body }, [status, error, message]] of ROWS) {
    test(title, async (t) => {
      const ask = await asker(t)
      await setUp(ask)
      const answer = await ask(line, body)
      const told = answer.body['message'] ?? answer.body['Message']
      assert.deepEqual([answer.status, answer.error], [status, error], String(told))
      if (typeof message === 'string') assert.equal(told, message)
      else assert.match(String(told), message)
    })
  }

  test('a package and a request that are too large', async (t) => {
    const ask = await asker(t)
    const large = Buffer.alloc(52_428_801).toString('base64')
    const zipped = await ask(`POST ${F}`, creation({ Code: { ZipFile: large } }))
    assert.deepEqual(
      [zipped.status, zipped.error, zipped.body['message']],
      [413, 'RequestEntityTooLargeException', 'Zipped size must be smaller than 52428800 bytes'],
    )
    const request = await ask(`POST ${F}`, creation({ Description: 'x'.repeat(70_167_211) }))
    assert.deepEqual(
      [request.status, request.error, request.body['message']],
      [
        413,
        'RequestEntityTooLargeException',
        'Request must be smaller than 70167211 bytes for the CreateFunction operation',
      ],
    )
  })
})

describe('operations that are not there', () => {
  type Schema = readonly [kind: number, namespace: string, name: string, traits: { http: [string, string] }]
  const schemas = (Object.values(officialClient) as unknown[]).filter(Array.isArray) as unknown as Schema[]
  const absent = schemas.filter(([kind, , name]) => kind === 9 && !(name in OPERATIONS))

  test('there are some', () => assert.ok(absent.length > 30))

  for (const [, , name, { http }] of absent) {
    test(`${name} says why`, async (t) => {
      const ask = await asker(t)
      const [method, path] = http
      const answer = await ask(`${method} ${path.replaceAll(/\{\w+\}/g, 'x')}`)
      assert.equal(answer.status, 400)
      assert.notEqual(answer.error, 'UnknownOperationException')
      assert.ok(String(answer.body['message']).length > 20)
    })
  }
})
