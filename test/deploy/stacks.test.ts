/** CloudFormation's own resources, assemblies of the CDK, config files, and what goes wrong on the way. */
import assert from 'node:assert/strict'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { writeZip } from '../../src/deploy/package/zip.ts'
import { inRepository, running } from '../cli/program.ts'
import { zipOf } from '../management/zip-of.ts'
import { actions, outcomes, type Site, siteOf } from './site.ts'

const answer = async ({ client }: Site, functionName: string, qualifier?: string): Promise<unknown> => {
  const { payload, functionError } = await client.invoke({ functionName, qualifier })
  assert.equal(functionError, undefined, payload)
  return JSON.parse(payload)
}

const inline = (text: string) => `{ ZipFile: "exports.handler = async () => ${text}" }`

/** The package that is made of code in a template. */
const inlinePackage = (text: string): Buffer =>
  writeZip([{ path: 'index.js', content: Buffer.from(text), executable: false }])

const functionOf = (name: string, code: string, more = '') => `
  ${name}:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: ${name.toLowerCase()}
      Runtime: nodejs24.x
      Handler: index.handler
      Role: arn:aws:iam::000000000000:role/any
      Code: ${code}
${more}`

describe('CloudFormation', () => {
  test('versions are published once for each logical id, and aliases move between them', async (t) => {
    const site = await siteOf(t)
    const template = (code: string, version: string, weights = '') =>
      `Resources:${functionOf('Orders', code, '      ReservedConcurrentExecutions: 5\n      RecursiveLoop: Allow')}
  ${version}:
    Type: AWS::Lambda::Version
    Properties: { FunctionName: !Ref Orders }
  Live:
    Type: AWS::Lambda::Alias
    Properties:
      FunctionName: !Ref Orders
      FunctionVersion: !GetAtt ${version}.Version
      Name: live
      ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 1 }
${weights}
  Async:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: { FunctionName: !Ref Orders, Qualifier: live, MaximumEventAgeInSeconds: 120 }
  Allow:
    Type: AWS::Lambda::Permission
    Properties: { FunctionName: !Ref Live, Action: lambda:InvokeFunction, Principal: events.amazonaws.com, SourceArn: !GetAtt Rule.Arn }
  Rule: { Type: AWS::Events::Rule }
`
    await site.write({ 'template.yaml': template(inline('1'), 'VersionA') })
    assert.deepEqual(outcomes(await site.deploy('--stack-name', 'orders')), { orders: 'created' })
    assert.equal(await answer(site, 'orders', 'live'), 1)
    assert.deepEqual(actions(await site.deploy('--stack-name', 'orders')), { orders: 'unchanged' })

    const { concurrency, tags } = await site.client.getFunction({ functionName: 'orders' })
    assert.equal(concurrency?.reservedConcurrentExecutions, 5)
    assert.equal(tags?.['perdure:version:VersionA'], '1')
    const at = { functionName: 'orders', qualifier: 'live' }
    assert.equal((await site.client.getFunctionRecursionConfig({ functionName: 'orders' })).recursiveLoop, 'Allow')
    assert.equal((await site.client.getProvisionedConcurrencyConfig(at)).requestedProvisionedConcurrentExecutions, 1)
    assert.equal((await site.client.getFunctionEventInvokeConfig(at)).maximumEventAgeInSeconds, 120)
    assert.match((await site.client.getPolicy(at)).policy, /"Service":"events\.amazonaws\.com"/)

    // Code alone publishes nothing: the version is another one when its logical id is.
    await site.write({ 'template.yaml': template(inline('2'), 'VersionA') })
    assert.deepEqual((await site.deploy('--stack-name', 'orders')).Functions[0]?.Changes, ['code'])
    assert.deepEqual([await answer(site, 'orders', 'live'), await answer(site, 'orders')], [1, 2])

    const weights = '      RoutingConfig: { AdditionalVersionWeights: [{ FunctionVersion: "1", FunctionWeight: 0 }] }'
    await site.write({ 'template.yaml': template(inline('2'), 'VersionB', weights) })
    await site.deploy('--stack-name', 'orders')
    assert.equal(await answer(site, 'orders', 'live'), 2)
    const alias = await site.client.getAlias({ functionName: 'orders', name: 'live' })
    assert.deepEqual([alias.functionVersion, alias.routingConfig?.additionalVersionWeights], ['2', { '1': 0 }])
    assert.deepEqual(actions(await site.deploy('--stack-name', 'orders')), { orders: 'unchanged' })
    assert.equal(await answer(site, 'orders', '1'), 1, 'a version stays that the template no longer has')

    // What the template no longer says goes, and what others made stays.
    await site.client.createAlias({ functionName: 'orders', name: 'mine', functionVersion: '1' })
    await site.write({ 'template.yaml': `Resources:${functionOf('Orders', inline('2'))}` })
    await site.deploy('--stack-name', 'orders')
    const { aliases } = await site.client.listAliases({ functionName: 'orders' })
    assert.deepEqual(
      aliases.map(({ name }) => name),
      ['mine'],
    )
    const bare = await site.client.getFunction({ functionName: 'orders' })
    assert.deepEqual(
      [bare.concurrency, Object.keys(bare.tags ?? {}).toSorted()],
      [undefined, ['perdure:logical-id', 'perdure:stack']],
    )
    assert.deepEqual(actions(await site.deploy('--stack-name', 'orders')), { orders: 'unchanged' })
  })

  test('every setting is settled after one deployment, and goes back to its default after another', async (t) => {
    const site = await siteOf(t)
    const settings = `
      Description: all of it
      Timeout: 11
      MemorySize: 300
      Environment: { Variables: { STAGE: dev, OTHER: '' } }
      EphemeralStorage: { Size: 1024 }
      Tracing: Active
      SnapStart: { ApplyOn: PublishedVersions }
      LoggingConfig: { LogFormat: JSON, ApplicationLogLevel: WARN, LogGroup: /shop/orders }
      KmsKeyArn: arn:aws:kms:us-east-1:000000000000:key/1
      DeadLetterQueue: { Type: SQS, TargetArn: !GetAtt Dead.Arn }
      VpcConfig: { SubnetIds: [subnet-1], SecurityGroupIds: [sg-1], Ipv6AllowedForDualStack: true }
      FileSystemConfigs: [{ Arn: arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-1, LocalMountPath: /mnt/x }]
      Architectures: [arm64]
      Layers: [!Ref Words]
      ReservedConcurrentExecutions: 2
      RecursiveLoop: Allow
      AutoPublishAlias: live
      ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 1 }
      EventInvokeConfig: { MaximumRetryAttempts: 0, DestinationConfig: { OnFailure: { Type: SQS, Destination: !GetAtt Dead.Arn } } }
      Tags: { team: x }`
    const template = (more: string) => `Resources:
  Dead: { Type: AWS::SQS::Queue }
  Words:
    Type: AWS::Serverless::LayerVersion
    Properties: { ContentUri: layer/ }
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: orders
      Runtime: nodejs24.x
      Handler: index.handler
      InlineCode: exports.handler = async () => 1
${more}
`
    await site.write({ 'layer/words.txt': 'words', 'template.yaml': template(settings) })
    await site.deploy('--stack-name', 'shop')
    assert.deepEqual(actions(await site.deploy('--stack-name', 'shop')), { orders: 'unchanged' })
    await site.write({ 'template.yaml': template('') })
    assert.deepEqual(outcomes(await site.deploy('--stack-name', 'shop')), { orders: 'changed' })
    assert.deepEqual(actions(await site.deploy('--stack-name', 'shop')), { orders: 'unchanged' })
    const { configuration, concurrency } = await site.client.getFunction({ functionName: 'orders' })
    const { timeout, memorySize, layers, deadLetterConfig, tracingConfig, architectures, kmsKeyArn } = configuration
    assert.deepEqual(
      [timeout, memorySize, layers, deadLetterConfig, tracingConfig, architectures, kmsKeyArn, concurrency],
      [3, 128, undefined, undefined, { mode: 'PassThrough' }, ['x86_64'], undefined, undefined],
    )
    const { aliases } = await site.client.listAliases({ functionName: 'orders' })
    assert.deepEqual(aliases, [])
  })

  test('a layer is published when it differs, and its functions follow', async (t) => {
    const site = await siteOf(t)
    await site.write({
      'layer/nodejs/node_modules/words/index.js': "module.exports = 'first'",
      'template.yaml': `Resources:
  Words:
    Type: AWS::Serverless::LayerVersion
    Properties: { LayerName: words, ContentUri: layer/, CompatibleRuntimes: [nodejs24.x] }
${functionOf('Speaker', inline("require('words')"), '      Layers: [!Ref Words]')}`,
    })
    const first = await site.deploy()
    assert.deepEqual(
      [first.Layers[0]?.Action, outcomes(first)],
      ['create', { 'words:1': 'published', speaker: 'created' }],
    )
    assert.equal(await answer(site, 'speaker'), 'first')
    const again = await site.deploy()
    assert.deepEqual([again.Layers[0]?.Action, actions(again)], ['unchanged', { speaker: 'unchanged' }])
    await site.write({ 'layer/nodejs/node_modules/words/index.js': "module.exports = 'second'" })
    assert.deepEqual(outcomes(await site.deploy()), { 'words:2': 'published', speaker: 'changed' })
    assert.equal(await answer(site, 'speaker'), 'second')
  })
})

describe('what "sam build" made', () => {
  test('is deployed as it is, under the name of the project', async (t) => {
    const site = await siteOf(t)
    await site.write({
      '.aws-sam/build/template.yaml': `Resources:
  Hello:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: esbuild, BuildProperties: { EntryPoints: [src/hello.ts] }, SamResourceId: Hello }
    Properties: { CodeUri: Hello, Handler: hello.handler, Runtime: nodejs24.x, FunctionName: hello }
`,
      '.aws-sam/build/Hello/hello.js': "exports.handler = async () => 'built'",
      '.aws-sam/build/Hello/requirements.txt': 'nothing-that-there-is',
    })
    const report = await site.deploy('.aws-sam/build/template.yaml')
    assert.deepEqual([report.Stack, outcomes(report)], ['project', { hello: 'created' }])
    assert.equal(await answer(site, 'hello'), 'built')
  })

  test('samconfig names the template', async (t) => {
    const site = await siteOf(t)
    await site.write({
      'samconfig.toml': '[default.global.parameters]\nstack_name = "shop"\ntemplate_file = "infra/sam.yaml"\n',
      'infra/sam.yaml': `Resources:${functionOf('Orders', inline('1'))}`,
    })
    const report = await site.deploy()
    assert.deepEqual([report.Stack, outcomes(report)], ['shop', { orders: 'created' }])
  })
})

describe('an assembly of the CDK', () => {
  /** As `cdk synth` lays it out: a stack of the application's own, and one in a stage. */
  const assembly = {
    'cdk.out/manifest.json': JSON.stringify({
      version: '48.0.0',
      artifacts: {
        'shop.assets': { type: 'cdk:asset-manifest', properties: { file: 'shop.assets.json' } },
        shop: {
          type: 'aws:cloudformation:stack',
          properties: { templateFile: 'shop.template.json' },
          dependencies: ['shop.assets'],
          displayName: 'shop',
        },
        'assembly-Prod': { type: 'cdk:cloud-assembly', properties: { directoryName: 'assembly-Prod' } },
        Tree: { type: 'cdk:tree', properties: { file: 'tree.json' } },
      },
    }),
    'cdk.out/shop.assets.json': JSON.stringify({
      version: '48.0.0',
      files: {
        abc: {
          source: { path: 'asset.abc', packaging: 'zip' },
          destinations: { current: { bucketName: 'cdk-assets', objectKey: 'abc.zip' } },
        },
      },
    }),
    'cdk.out/asset.abc/index.js': "exports.handler = async () => 'from ' + process.env.STACK",
    'cdk.out/shop.template.json': JSON.stringify({
      Resources: {
        Role1ABC: { Type: 'AWS::IAM::Role', Properties: {} },
        Hello1ABC: {
          Type: 'AWS::Lambda::Function',
          Properties: {
            Code: { S3Bucket: { 'Fn::Sub': ['cdk-assets-$', '{AWS::Region}'].join('') }, S3Key: 'abc.zip' },
            Environment: { Variables: { STACK: { Ref: 'AWS::StackName' } } },
            Handler: 'index.handler',
            Role: { 'Fn::GetAtt': ['Role1ABC', 'Arn'] },
            Runtime: 'nodejs24.x',
          },
          DependsOn: ['Role1ABC'],
          Metadata: { 'aws:cdk:path': 'shop/Hello/Resource', 'aws:asset:path': 'asset.abc' },
        },
        HelloCurrentVersion1ABC: {
          Type: 'AWS::Lambda::Version',
          Properties: { FunctionName: { Ref: 'Hello1ABC' } },
        },
        HelloAlias1ABC: {
          Type: 'AWS::Lambda::Alias',
          Properties: {
            FunctionName: { Ref: 'Hello1ABC' },
            FunctionVersion: { 'Fn::GetAtt': ['HelloCurrentVersion1ABC', 'Version'] },
            Name: 'live',
          },
        },
        CDKMetadata: { Type: 'AWS::CDK::Metadata', Properties: { Analytics: 'v2' } },
      },
      Parameters: {
        BootstrapVersion: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/cdk-bootstrap/hnb659fds/version' },
      },
      Rules: { CheckBootstrapVersion: { Assertions: [] } },
    }),
    'cdk.out/assembly-Prod/manifest.json': JSON.stringify({
      version: '48.0.0',
      artifacts: {
        ProdShop: {
          type: 'aws:cloudformation:stack',
          properties: { templateFile: 'Prod.template.json', stackName: 'Prod-shop' },
          displayName: 'Prod/shop',
        },
      },
    }),
    'cdk.out/assembly-Prod/Prod.template.json': JSON.stringify({
      Resources: {
        Inline: {
          Type: 'AWS::Lambda::Function',
          Properties: {
            Code: { ZipFile: "exports.handler = async () => 'inline'" },
            Handler: 'index.handler',
            Role: 'arn:aws:iam::000000000000:role/any',
            Runtime: 'nodejs24.x',
          },
        },
      },
    }),
  }

  test('is deployed stack by stack, its stages too, and the second time there is nothing to change', async (t) => {
    const site = await siteOf(t)
    await site.write(assembly)
    const stacks = await site.deployAll()
    assert.deepEqual(
      stacks.map((stack) => [stack.Stack, outcomes(stack)]),
      [
        ['shop', { 'shop-Hello1ABC': 'created' }],
        ['Prod-shop', { 'Prod-shop-Inline': 'created' }],
      ],
    )
    assert.deepEqual(
      [await answer(site, 'shop-Hello1ABC', 'live'), await answer(site, 'Prod-shop-Inline')],
      ['from shop', 'inline'],
    )
    const again = await site.deployAll('cdk.out')
    assert.deepEqual(again.map(actions), [{ 'shop-Hello1ABC': 'unchanged' }, { 'Prod-shop-Inline': 'unchanged' }])
    const one = await site.deploy('cdk.out', '--stack-name', 'shop')
    assert.equal(one.Stack, 'shop')
    const none = await site.run('deploy', '--stack-name', 'Shop')
    assert.equal(none.code, 1)
    assert.match(none.err, /cdk\.out has no stack Shop\n.*\n {2}fix: it has shop, Prod-shop/)
  })

  test('that is broken is refused', async (t) => {
    const site = await siteOf(t)
    await site.write({ 'cdk.out/manifest.json': '{}' })
    assert.match((await site.run('deploy')).err, /manifest\.json is no manifest of a cloud assembly/)
    await site.write({
      'cdk.out/manifest.json': JSON.stringify({
        artifacts: { a: { type: 'aws:cloudformation:stack', properties: { templateFile: '../../etc/passwd' } } },
      }),
    })
    assert.match((await site.run('deploy')).err, /names \.\.\/\.\.\/etc\/passwd, which is not in the assembly/)
  })
})

describe('a config file', () => {
  test('brings its functions to a server with the settings that it gives them', async (t) => {
    const site = await siteOf(t)
    await symlink(inRepository('node_modules'), join(site.folder, 'node_modules'))
    await site.write({
      'perdure.config.yaml': `events: [plain]
functionLogs: { retentionDays: 3 }
functions:
  - { name: elsewhere, remote: true, durable: false }
  - { handler: ./greet.ts, asynchronous: { retryAttempts: 1, onFailure: plain }, environment: { GREETING: Hei }, timeout: 7, memory: 192, concurrency: 3, warm: 1, logging: { LogFormat: JSON, LogGroup: greetings } }
  - { handler: ./plain.mjs.run, name: plain }
`,
      'greet.ts': `import { withDurableExecution } from '@aws/durable-execution-sdk-js'
import { suffix } from './suffix'
export const handler = withDurableExecution<{ name: string }, string>((event, context) =>
  context.step('greet', async () => process.env.GREETING + ', ' + event.name + suffix))
`,
      'suffix.ts': "export enum Mark { Loud = '!' }\nexport const suffix = Mark.Loud",
      'plain.mjs': 'export const run = async () => 7',
    })
    const report = await site.deploy('--stack-name', 'greetings')
    assert.deepEqual(outcomes(report), { greet: 'created', plain: 'created' })
    assert.deepEqual(
      report.Ignored.map(({ What }) => What),
      ['greet.warm', 'elsewhere', 'functionLogs', 'events'],
    )
    const { configuration, concurrency } = await site.client.getFunction({ functionName: 'greet' })
    assert.deepEqual(
      [
        configuration.timeout,
        configuration.memorySize,
        configuration.durableConfig?.retentionPeriodInDays,
        concurrency?.reservedConcurrentExecutions,
      ],
      [7, 192, 14, 3],
    )
    const logging = { logFormat: 'JSON', logGroup: 'greetings', applicationLogLevel: 'INFO', systemLogLevel: 'INFO' }
    assert.deepEqual(configuration.loggingConfig, logging)
    const { maximumRetryAttempts, destinationConfig } = await site.client.getFunctionEventInvokeConfig({
      functionName: 'greet',
    })
    assert.deepEqual(
      [maximumRetryAttempts, destinationConfig?.onFailure?.destination],
      [1, 'arn:aws:lambda:us-east-1:000000000000:function:plain'],
    )
    const invocation = { functionName: 'greet', qualifier: '$LATEST', payload: '{"name":"Ada"}' }
    assert.equal((await site.client.invoke(invocation)).payload, '"Hei, Ada!"')
    assert.equal(await answer(site, 'plain'), 7)
    const again = await site.run('deploy', '--stack-name', 'greetings')
    assert.equal(again.err, 'stack greetings: nothing to change\n')
  })
})

describe('a deletion', () => {
  test('leaves what its DeletionPolicy retains', async (t) => {
    const site = await siteOf(t)
    const precious = functionOf('Precious', inline('1')).replace(
      '    Properties',
      '    DeletionPolicy: Retain\n    Properties',
    )
    await site.write({ 'template.yaml': `Resources:${precious}${functionOf('Other', inline('2'))}` })
    await site.deploy('--stack-name', 'shop')
    await site.write({ 'template.yaml': `Resources:${functionOf('Other', inline('2'))}` })
    const planned = await site.run('deploy', '--stack-name', 'shop')
    assert.equal(planned.err, 'stack shop: nothing to change\n')
    assert.match(planned.out, /^ {2}kept +precious +the stack no longer has it, and its DeletionPolicy was Retain$/m)
    const destroyed = await site.run('destroy', 'shop', '--yes')
    assert.deepEqual([destroyed.code, destroyed.out], [0, 'deleted other\n'])
    assert.equal(destroyed.err, 'precious stays: its DeletionPolicy is Retain\n')
    assert.equal(await answer(site, 'precious'), 1)
    // In the template again without the policy, it is one like the others.
    await site.write({ 'template.yaml': `Resources:${functionOf('Precious', inline('1'))}` })
    assert.deepEqual(actions(await site.deploy('--stack-name', 'shop')), { precious: 'change' })
    assert.equal((await site.run('destroy', 'shop', '--yes')).out, 'deleted precious\n')
  })

  test('says how many executions lose the function', async (t) => {
    const site = await siteOf(t)
    await symlink(inRepository('node_modules'), join(site.folder, 'node_modules'))
    await site.write({
      'perdure.config.yaml': 'functions:\n  - { handler: ./nap.ts }\n  - { handler: ./plain.mjs }\n',
      'nap.ts': `import { withDurableExecution } from '@aws/durable-execution-sdk-js'
export const handler = withDurableExecution((_event, context) => context.wait('nap', { seconds: 3_600 }))
`,
      'plain.mjs': 'export const handler = async () => 7',
    })
    await site.deploy('--stack-name', 'naps')
    for (const durableExecutionName of ['one', 'two']) {
      await site.client.invoke({
        functionName: 'nap',
        qualifier: '$LATEST',
        invocationType: 'Event',
        durableExecutionName,
      })
    }
    await site.write({ 'perdure.config.yaml': 'functions:\n  - { handler: ./plain.mjs }\n' })
    const planned = await site.run('deploy', '--stack-name', 'naps', '--plan')
    assert.match(
      planned.out,
      /^ {2}delete +nap +the stack no longer has it \(2 running executions will fail when invoked next\)$/m,
    )
    const refused = await site.run('destroy', 'naps')
    assert.match(
      refused.err,
      /the stack naps has 2 functions: nap, plain \(2 running executions will fail when invoked next\)/,
    )
    assert.match((await site.run('destroy', 'nap')).err, /has no function of a stack nap\n.*\n +fix: it has naps$/m)
    const destroyed = await site.run('destroy', 'naps', '--yes', '--json')
    assert.deepEqual(JSON.parse(destroyed.out), {
      Stack: 'naps',
      Outcomes: [
        { FunctionName: 'nap', Done: 'deleted' },
        { FunctionName: 'plain', Done: 'deleted' },
      ],
    })
  })
})

describe('what goes wrong', () => {
  test('a mistake is told with file, line, consequence and fix, and nothing is deployed', async (t) => {
    const site = await siteOf(t)
    await site.write({
      'template.yaml': `Resources:${functionOf('Good', inline('1'))}${functionOf('Bad', inline('1'), '      Tiemout: 3\n      MemorySize: 1')}`,
    })
    const { code, err, out } = await site.run('deploy')
    assert.equal(code, 1)
    assert.equal(out, '')
    assert.equal(
      err,
      `perdure: template.yaml:19:7: a function of type AWS::Lambda::Function has no property Tiemout
  fix: did you mean Timeout?
perdure: template.yaml:20:19: MemorySize cannot be "1"
  so: nothing was deployed
  fix: it must have value greater than or equal to 128
`,
    )
    assert.deepEqual((await site.client.listFunctions()).functions, [])
  })

  test('a function that the server refuses holds up no other, and the next deployment goes on from there', async (t) => {
    const site = await siteOf(t)
    const zip = zipOf({ name: 'index.js', content: 'exports.handler = async () => 1' })
    await site.write({
      'template.yaml': `Resources:${functionOf('Bad', './code.zip')}${functionOf('Good', inline('1'))}`,
    })
    await writeFile(join(site.folder, 'code.zip'), 'no zip')
    const failed = await site.run('deploy', '--json')
    assert.equal(failed.code, 1)
    const { Stacks } = JSON.parse(failed.out) as {
      Stacks: { Outcomes: { FunctionName: string; Done: string; Failure?: { Step: string } }[] }[]
    }
    assert.deepEqual(
      Stacks[0]?.Outcomes.map(({ FunctionName, Done, Failure }) => [FunctionName, Done, Failure?.Step]),
      [
        ['bad', 'failed', 'create'],
        ['good', 'created', undefined],
      ],
    )
    assert.match(failed.err, /failed bad, at create: InvalidParameterValueException: Could not unzip uploaded file/)
    assert.match(failed.err, /1 function could not be deployed: bad\n {2}so: what was done before stays as it is/)
    await writeFile(join(site.folder, 'code.zip'), zip)
    assert.deepEqual(outcomes(await site.deploy()), { bad: 'created', good: 'unchanged' })
  })

  test('a deployment that was interrupted between two calls is gone on with', async (t) => {
    const site = await siteOf(t)
    const template = (answer: string) => `Transform: AWS::Serverless-2016-10-31
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: { FunctionName: orders, Runtime: nodejs24.x, Handler: index.handler, AutoPublishAlias: live, InlineCode: "exports.handler = async () => ${answer}" }
`
    await site.write({ 'template.yaml': template('1') })
    await site.deploy('--stack-name', 'shop')
    // As if the update of the code were the last that was done.
    await site.client.updateFunctionCode({
      functionName: 'orders',
      zipFile: inlinePackage('exports.handler = async () => 2'),
    })
    await site.write({ 'template.yaml': template('2') })
    const report = await site.deploy('--stack-name', 'shop')
    assert.deepEqual(report.Functions[0]?.Changes, ['a version', 'alias live → a new version'])
    assert.equal(await answer(site, 'orders', 'live'), 2)
  })

  test('an interruption from the keyboard ends after the function that is under way, with 130', async (t) => {
    const site = await siteOf(t)
    const names = Array.from({ length: 150 }, (_, index) => `F${index}`)
    await site.write({ 'template.yaml': `Resources:${names.map((name) => functionOf(name, inline('1'))).join('')}` })
    const env = { PERDURE_ENDPOINT: site.server.endpoint }
    const deploying = running(t, ['deploy', '--stack-name', 'many'], { cwd: site.folder, env })
    while ((await deploying.errLine()) !== 'created f3') {
      // Those before it.
    }
    assert.equal(await deploying.end('SIGINT'), 130)
    const created = []
    for await (const { functionName } of site.client.functions()) created.push(functionName)
    assert.ok(created.length >= 4 && created.length < names.length, `${created.length} were created`)
    assert.equal((await site.run('deploy', '--stack-name', 'many')).code, 0)
    assert.equal((await site.run('deploy', '--stack-name', 'many')).err, 'stack many: nothing to change\n')
  })

  test('functions of others are not taken over, unless they are handed over', async (t) => {
    const site = await siteOf(t, [{ name: 'declared', remote: true, durable: false }])
    await site.write({ 'template.yaml': `Resources:${functionOf('Declared', inline('1'))}` })
    assert.match(
      (await site.run('deploy')).err,
      /template\.yaml:2:3: the server has a function declared already, which was not deployed with a stack/,
    )
    const code = { zipFile: zipOf({ name: 'index.js', content: 'exports.handler = async () => 0' }) }
    const role = 'arn:aws:iam::000000000000:role/any'
    const { functionArn } = await site.client.createFunction({
      functionName: 'orders',
      role,
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      code,
    })
    await site.write({ 'template.yaml': `Resources:${functionOf('Orders', inline('1'))}` })
    const refused = await site.run('deploy', '--stack-name', 'shop')
    assert.equal(refused.code, 1)
    assert.match(
      refused.err,
      /template\.yaml:2:3: the server has a function orders already, which was not deployed with a stack/,
    )
    assert.match(refused.err, /tag it perdure:stack=shop/)
    await site.client.tagResource({ resource: functionArn, tags: { 'perdure:stack': 'shop' } })
    assert.deepEqual(outcomes(await site.deploy('--stack-name', 'shop')), { orders: 'changed' })
    assert.equal(await answer(site, 'orders'), 1)
    const other = await site.run('deploy', '--stack-name', 'market')
    assert.match(other.err, /a function orders already, which belongs to the stack shop/)
  })

  test('what a function cannot lose is told before anything is done', async (t) => {
    const site = await siteOf(t)
    const durable = functionOf('Orders', inline('1'), '      DurableConfig: { ExecutionTimeout: 60 }')
    await site.write({ 'template.yaml': `Resources:${durable}` })
    await site.deploy('--stack-name', 'shop')
    await site.write({ 'template.yaml': `Resources:${functionOf('Orders', inline('2'))}` })
    const refused = await site.run('deploy', '--stack-name', 'shop')
    assert.match(refused.err, /the function orders is durable, which cannot be taken from it/)
    assert.equal(refused.code, 1)
  })

  test('without anything to deploy, with a folder, a name or a server that is none', async (t) => {
    const site = await siteOf(t)
    assert.match((await site.run('deploy')).err, /there is no template\.yaml, cdk\.out or perdure\.config\.\* in /)
    assert.match((await site.run('deploy', 'nothing.yaml')).err, /nothing\.yaml does not exist/)
    await site.write({ 'template.yaml': `Resources:${functionOf('Orders', inline('1'))}` })
    assert.match((await site.run('deploy', '--stack-name', '1st')).err, /"1st" is no name of a stack/)
    assert.match(
      (await site.run('deploy', '--parameter', 'Stage')).err,
      /--parameter "Stage" is not a name with a value/,
    )
    const away = await site.run('deploy', '--endpoint', 'http://127.0.0.1:1')
    assert.match(away.err, /no Perdure server answers at http:\/\/127\.0\.0\.1:1/)
    await site.write({ 'samconfig.toml': '[default.deploy.parameters\n' })
    assert.match((await site.run('deploy')).err, /samconfig\.toml:1:\d+: this is not TOML/)
  })
})
