/** Templates to stacks: what is taken, and what is said of each mistake, with its file, line and column. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DesiredFunction, DesiredStack } from './desired.ts'
import { DeployProblems, placeText } from './problem.ts'
import { readStack } from './stack.ts'
import { worldOf } from './template/pseudo-parameters.ts'

const world = worldOf({ partition: 'aws', region: 'eu-north-1', account: '123456789012' }, 'shop')

interface Given {
  readonly parameters?: Readonly<Record<string, string>>
  readonly standIns?: Readonly<Record<string, string>>
  readonly assets?: Readonly<Record<string, string>>
}

function read(text: string, { parameters = {}, standIns = {}, assets = {} }: Given = {}): DesiredStack {
  return readStack({
    text,
    file: 'template.yaml',
    folder: '/project',
    world,
    parameters: new Map(Object.entries(parameters)),
    standIns: new Map(Object.entries(standIns)),
    assetOf: (key) => assets[key],
  })
}

/** The function of a template that has one. */
function only(text: string, given?: Given): DesiredFunction {
  const { functions } = read(text, given)
  const [first, ...others] = functions
  assert.ok(first !== undefined && others.length === 0)
  return first
}

const serverless = (properties: string, rest = ''): string => `
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: src/
      Handler: app.handler
      Runtime: nodejs24.x
${properties.replaceAll(/^/gm, '      ')}
${rest}`

describe('a function', () => {
  test('of SAM gets a name of the stack, a role, and what the globals say', () => {
    const { name, configuration, tags, source } = only(`
Globals:
  Function:
    Timeout: 30
    Environment:
      Variables: { AA: global, BB: global }
    Tags: { team: all }
${serverless('Timeout: 5\nEnvironment:\n  Variables: { BB: own, CC: own }\nTags: { part: orders }')}`)
    assert.equal(name, 'shop-Orders')
    assert.deepEqual(configuration, {
      handler: 'app.handler',
      runtime: 'nodejs24.x',
      timeout: 5,
      environment: { variables: { AA: 'global', BB: 'own', CC: 'own' } },
      role: 'arn:aws:iam::123456789012:role/perdure',
    })
    assert.deepEqual(tags, { team: 'all', part: 'orders' })
    assert.deepEqual(source.kind === 'path' && [source.path, source.build], ['/project/src', { method: 'by-runtime' }])
  })

  test('of a long name has one of its stack, which no other function has', () => {
    const named = (logicalId: string) => only(serverless('').replace('Orders', logicalId)).name
    const long = 'A'.repeat(70)
    assert.match(named(long), /^shop-A{50}-[0-9a-f]{8}$/)
    assert.equal(named(long), named(long))
    assert.notEqual(named(`${long}B`), named(`${long}C`))
    assert.equal(named('A'.repeat(59)), `shop-${'A'.repeat(59)}`)
  })

  test("of CloudFormation has lists of tags, code in the template, and kinds that are not its properties'", () => {
    const { configuration, tags, source, name } = only(
      JSON.stringify({
        Resources: {
          Hello: {
            Type: 'AWS::Lambda::Function',
            Properties: {
              FunctionName: { 'Fn::Join': ['-', [{ Ref: 'AWS::StackName' }, 'hello']] },
              Runtime: 'python3.13',
              Handler: 'index.handler',
              Timeout: '12',
              Role: { 'Fn::GetAtt': ['HelloRole', 'Arn'] },
              Code: { ZipFile: 'def handler(event, context): return 1' },
              Environment: { Variables: { PORT: 8080, ACCOUNT: { Ref: 'AWS::AccountId' }, ON: true } },
              Tags: [{ Key: 'team', Value: 'x' }],
              DeadLetterConfig: { TargetArn: { 'Fn::GetAtt': ['Dead', 'Arn'] } },
            },
          },
          HelloRole: { Type: 'AWS::IAM::Role', Properties: {} },
          Dead: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'dead' } },
        },
      }),
    )
    assert.equal(name, 'shop-hello')
    assert.deepEqual(configuration, {
      runtime: 'python3.13',
      handler: 'index.handler',
      timeout: 12,
      role: 'arn:aws:iam::123456789012:role/shop-HelloRole',
      environment: { variables: { PORT: '8080', ACCOUNT: '123456789012', ON: 'true' } },
      deadLetterConfig: { targetArn: 'arn:aws:sqs:eu-north-1:123456789012:dead' },
    })
    assert.deepEqual([tags, source], [{ team: 'x' }, { kind: 'inline', text: 'def handler(event, context): return 1' }])
  })

  test('text stays as it was written: leading zeros, dates, yes', () => {
    const { configuration } = only(
      serverless(
        'Environment:\n  Variables:\n    ZEROS: 012345678901\n    DATE: 2010-09-09\n    YES: yes\n    NUMBER: 1.50',
      ),
    )
    assert.deepEqual(configuration.environment?.variables, {
      ZEROS: '012345678901',
      DATE: '2010-09-09',
      YES: 'yes',
      NUMBER: '1.50',
    })
  })

  test('AWS::NoValue takes a property away, a false condition a resource', () => {
    const text = `
Parameters: { Stage: { Type: String, Default: dev } }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsDev: !Not [!Condition IsProd]
${serverless(
  'Timeout: !If [IsProd, 60, !Ref AWS::NoValue]\nEnvironment:\n  Variables:\n    AA: !If [IsDev, here, !Ref AWS::NoValue]\n    BB: !If [IsProd, here, !Ref AWS::NoValue]',
  '  Extra:\n    Type: AWS::Serverless::Function\n    Condition: IsProd\n    Properties: { CodeUri: x, Handler: a.b, Runtime: nodejs24.x }',
)}`
    const { configuration } = only(text)
    assert.equal(configuration.timeout, undefined)
    assert.deepEqual(configuration.environment?.variables, { AA: 'here' })
    const prod = read(text, { parameters: { Stage: 'prod' } })
    assert.deepEqual(
      prod.functions.map(({ name, configuration: { timeout } }) => [name, timeout]),
      [
        ['shop-Orders', 60],
        ['shop-Extra', undefined],
      ],
    )
  })

  test('AutoPublishAlias, retries and processes that are kept ready are of the alias', () => {
    const { aliases, eventInvoke } = only(
      serverless(
        'AutoPublishAlias: live\nProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: 2 }\nEventInvokeConfig:\n  MaximumRetryAttempts: 0\n  DestinationConfig:\n    OnFailure: { Type: SQS, Destination: !GetAtt Failed.Arn }',
        '  Failed: { Type: AWS::SQS::Queue }',
      ),
    )
    assert.deepEqual(aliases, [
      {
        logicalId: 'Orders.Alias',
        name: 'live',
        version: { kind: 'current' },
        description: '',
        other: undefined,
        provisionedConcurrency: 2,
      },
    ])
    assert.deepEqual(eventInvoke, [
      {
        qualifier: 'live',
        maximumRetryAttempts: 0,
        maximumEventAgeInSeconds: undefined,
        onSuccess: undefined,
        onFailure: 'arn:aws:sqs:eu-north-1:123456789012:shop-Failed',
      },
    ])
  })

  test('versions, aliases with weights and permissions are of the function that they name', () => {
    const { versions, aliases, permissions, eventInvoke } = only(
      serverless(
        '',
        `  One:
    Type: AWS::Lambda::Version
    Properties: { FunctionName: !Ref Orders, Description: first }
  Two:
    Type: AWS::Lambda::Version
    Properties: { FunctionName: !GetAtt Orders.Arn }
  Live:
    Type: AWS::Lambda::Alias
    Properties:
      FunctionName: !Ref Orders
      FunctionVersion: !GetAtt Two.Version
      Name: live
      RoutingConfig:
        AdditionalVersionWeights: [{ FunctionVersion: !GetAtt One.Version, FunctionWeight: 0.25 }]
  Async:
    Type: AWS::Lambda::EventInvokeConfig
    Properties: { FunctionName: !Ref Orders, Qualifier: !GetAtt Two.Version, MaximumRetryAttempts: 2 }
  Allow:
    Type: AWS::Lambda::Permission
    Properties: { FunctionName: !Ref Live, Action: lambda:InvokeFunction, Principal: events.amazonaws.com }`,
      ),
    )
    assert.deepEqual(versions, [
      { logicalId: 'One', description: 'first' },
      { logicalId: 'Two', description: undefined },
    ])
    assert.deepEqual(aliases[0]?.version, { kind: 'published', logicalId: 'Two' })
    assert.deepEqual(aliases[0]?.other, { version: { kind: 'published', logicalId: 'One' }, weight: 0.25 })
    assert.deepEqual(eventInvoke[0]?.qualifier, { kind: 'published', logicalId: 'Two' })
    assert.deepEqual(permissions, [
      {
        logicalId: 'Allow',
        qualifier: 'live',
        statement: { action: 'lambda:InvokeFunction', principal: 'events.amazonaws.com' },
      },
    ])
  })

  test('layers of the template are named by marks, those of other accounts are left out and told', () => {
    const { functions, layers, ignored } = read(
      serverless(
        'Layers:\n  - !Ref Libs\n  - arn:aws:lambda:eu-north-1:017000801446:layer:Powertools:7',
        '  Libs:\n    Type: AWS::Serverless::LayerVersion\n    Metadata: { BuildMethod: python3.13 }\n    Properties: { ContentUri: libs/, CompatibleRuntimes: [python3.13] }',
      ),
    )
    assert.deepEqual(
      layers.map(({ name, prefix, members, source }) => [name, prefix, members, source.path]),
      [['shop-Libs', 'python', { compatibleRuntimes: ['python3.13'] }, '/project/libs']],
    )
    assert.match(
      functions[0]?.configuration.layers?.join() ?? '',
      /^arn:aws:lambda:eu-north-1:123456789012:layer:shop-Libs:.version Libs.$/,
    )
    assert.deepEqual(
      ignored.map(({ what }) => what),
      ['Orders.Layers'],
    )
  })

  test('an asset of the CDK is found by its key', () => {
    const text = serverless('').replace('AWS::Serverless::Function', 'AWS::Lambda::Function')
    const code = `Code: { S3Bucket: !Sub "cdk-assets-\${AWS::Region}", S3Key: abc.zip }`
    const { source } = only(text.replace('CodeUri: src/', code), { assets: { 'abc.zip': '/out/asset.abc' } })
    assert.deepEqual(source.kind === 'path' && source.path, '/out/asset.abc')
  })

  test('of SAM without CodeUri is the folder of the template', () => {
    const { source } = only(serverless('').replace('      CodeUri: src/\n', ''))
    assert.deepEqual(source.kind === 'path' && source.path, '/project')
  })

  test('a path may lead out of the folder of the template', () => {
    const { source } = only(serverless('').replace('src/', '../../lib/'))
    assert.deepEqual(source.kind === 'path' && source.path, '/lib')
  })

  test('anchors and merged objects of YAML are followed', () => {
    const { configuration, tags } = only(
      serverless('Environment:\n  Variables: &base { AA: "1" }\nTags:\n  BB: "2"\n  <<: *base'),
    )
    assert.deepEqual([configuration.environment?.variables, tags], [{ AA: '1' }, { AA: '1', BB: '2' }])
  })
})

describe('what is not deployed is told with its reason', () => {
  test('resources, events and properties', () => {
    const { ignored } = read(
      serverless(
        'Policies: AWSLambdaBasicExecutionRole\nEvents:\n  Daily: { Type: Schedule, Properties: { Schedule: rate(1 day) } }',
        '  Table: { Type: AWS::DynamoDB::Table }\n  Anything: { Type: AWS::Glue::Job }\n  Ours: { Type: Acme::Net::Wall }\n  Allow:\n    Type: AWS::Lambda::Permission\n    Properties: { FunctionName: others, Action: lambda:InvokeFunction, Principal: "*" }',
      ),
    )
    assert.deepEqual(
      ignored.map(({ what, type, reason }) => `${what} ${type}: ${reason}`),
      [
        'Orders.Policies Policies: nothing checks permissions here',
        'Orders.Events.Daily Schedule: let cron or a timer of yours call it: perdure invoke <function> --event',
        'Table AWS::DynamoDB::Table: databases are yours to run: pass their address as a parameter',
        'Anything AWS::Glue::Job: not part of Perdure',
        'Ours Acme::Net::Wall: not part of Perdure',
        'Allow AWS::Lambda::Permission: of a function that this template does not have',
      ],
    )
  })

  test('an export and an attribute that is none here are what is given, and told', () => {
    const text = serverless(
      'Description: !Join ["", [!ImportValue Network, !GetAtt Words.Colour]]',
      '  Words: { Type: AWS::Serverless::LayerVersion, Properties: { ContentUri: words/ } }',
    )
    const { functions, standIns } = read(text, { standIns: { Network: 'net', 'Words.Colour': '-red' } })
    assert.equal(functions[0]?.configuration.description, 'net-red')
    assert.deepEqual(
      standIns.map(({ reference, value }) => [reference, value]),
      [
        ['Network', 'net'],
        ['Words.Colour', '-red'],
      ],
    )
  })

  test('what refers to it gets a stand-in, which may be given', () => {
    const text = serverless(
      `Environment:\n  Variables:\n    NAME: !Ref Table\n    ARN: !GetAtt Table.Arn\n    URL: !Sub "https://\${ServerlessRestApi}/x"`,
      '  Table: { Type: AWS::DynamoDB::Table }',
    )
    const { configuration } = only(text, { standIns: { ServerlessRestApi: 'api.example' } })
    assert.deepEqual(configuration.environment?.variables, {
      NAME: 'shop-Table',
      ARN: 'arn:aws:dynamodb:eu-north-1:123456789012:table/shop-Table',
      URL: 'https://api.example/x',
    })
    assert.deepEqual(
      read(text).standIns.map(({ reference, value }) => [reference, value]),
      [
        ['Table', 'shop-Table'],
        ['Table.Arn', 'arn:aws:dynamodb:eu-north-1:123456789012:table/shop-Table'],
        ['ServerlessRestApi', 'shop-ServerlessRestApi'],
      ],
    )
  })
})

/** Each: what is wrong, the template, and what is said: place, cause, fix. */
const BROKEN: readonly [string, string, ...(readonly [string, RegExp, RegExp])[]][] = [
  [
    'YAML that is none',
    'Resources:\n  A: [1, 2\n  B: 3\n',
    ['3:3', /this is not YAML: flow sequence in block collection/, /correct the text/],
  ],
  ['an empty file', '', ['1:1', /the template is empty/, /Resources/]],
  ['a list', '- 1', ['1:1', /not an object/, /Resources/]],
  ['the same name twice', 'Resources: {}\nResources: {}', ['2:1', /"Resources" is there twice/, /keep one/]],
  ['no resources', 'Parameters: {}', ['1:1', /no Resources/, /add a function/]],
  [
    'an unknown section',
    'Resource: {}\nResources: { A: { Type: AWS::S3::Bucket } }',
    ['1:1', /no section Resource/, /did you mean Resources\?/],
  ],
  ['an unknown tag', 'Resources: !Reff x', ['1:18', /!Reff is no function/, /did you mean !Ref\?/]],
  [
    'an unknown function',
    serverless('Timeout: { "Fn::Sum": [1, 2] }'),
    ['9:16', /Fn::Sum is no function/, /did you mean Fn::Sub\?/],
  ],
  [
    'an unknown parameter',
    serverless('Description: !Ref Stagee', 'Parameters: { Stage: { Type: String, Default: x } }'),
    ['9:25', /no parameter and no resource Stagee/, /did you mean Stage\?/],
  ],
  [
    'an unknown name in a text',
    serverless(`Description: !Sub "in \${Regon}"`),
    ['9:25', /no parameter and no resource Regon/, /did you mean/],
  ],
  [
    'a parameter without a value',
    serverless('', 'Parameters:\n  Stage: { Type: String }'),
    ['11:3', /the parameter Stage has no value/, /--parameter Stage=<value>/],
  ],
  [
    'a default that is not allowed',
    serverless('', 'Parameters:\n  Stage: { Type: String, AllowedValues: [a, b], Default: c }'),
    ['11:58', /the value "c" of the parameter Stage is not one of AllowedValues/, /give one of a, b/],
  ],
  [
    'a default that does not match',
    serverless('', 'Parameters:\n  Stage: { Type: String, AllowedPattern: "[a-z]+", Default: C }'),
    ['11:61', /does not match AllowedPattern/, /\[a-z\]\+/],
  ],
  [
    'a number that is none',
    serverless('', 'Parameters:\n  Count: { Type: Number, Default: many }'),
    ['11:35', /"many" of the parameter Count is no number/, /number/],
  ],
  [
    'a type of parameters that there is not',
    serverless('', 'Parameters:\n  Count: { Type: Integer, Default: 1 }'),
    ['11:18', /type Integer are not known/, /Number/],
  ],
  [
    'an unknown property',
    serverless('Tiemout: 3'),
    ['9:7', /AWS::Serverless::Function has no property Tiemout/, /did you mean Timeout\?/],
  ],
  [
    "another type's property",
    serverless('TracingConfig: { Mode: Active }'),
    ['9:7', /no property TracingConfig/, /did you mean LoggingConfig\?/],
  ],
  [
    'an unknown member',
    serverless('DurableConfig: { ExecutionTimeout: 60, RetentionDays: 3 }'),
    ['9:46', /DurableConfig has no member RetentionDays/, /did you mean RetentionPeriodInDays\?/],
  ],
  [
    'a durable function without a limit',
    serverless('DurableConfig: { RetentionPeriodInDays: 3 }'),
    ['9:22', /DurableConfig has no ExecutionTimeout/, /how many seconds/],
  ],
  ['a wrong kind', serverless('Timeout: soon'), ['9:16', /Timeout is "soon" where a whole number belongs/, /number/]],
  [
    'a list for a value',
    serverless('Timeout: [3]'),
    ['9:16', /Timeout is a list where a single value belongs/, /single value/],
  ],
  [
    'a value out of range',
    serverless('MemorySize: 64'),
    ['9:19', /MemorySize cannot be "64"/, /greater than or equal to 128/],
  ],
  ['a value of another set', serverless('Tracing: Loud'), ['9:16', /Tracing cannot be "Loud"/, /Active, PassThrough/]],
  [
    'a variable that cannot be one',
    serverless('Environment:\n  Variables:\n    1ST: x'),
    ['11:11', /the name 1ST in Environment.Variables cannot be "1ST"/, /pattern/],
  ],
  [
    'a secret that is a list, which is not repeated',
    serverless('Environment:\n  Variables:\n    KEY: [secret]'),
    ['11:16', /Environment\.Variables\.KEY is a list where a single value belongs$/, /single value/],
  ],
  [
    'resources in a circle',
    serverless(
      'Environment:\n  Variables: { OTHER: !Ref Other }',
      `  Other:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: x\n      Handler: a.b\n      Runtime: nodejs24.x\n      Description: !Sub "for \${Orders}"`,
    ),
    ['3:3', /in a circle: Orders → Other → Orders/, /take one of the references out/],
  ],
  [
    'a condition that needs itself',
    `Conditions: { A: !Not [!Condition B], B: !Not [!Condition A] }${serverless('Timeout: !If [A, 1, 2]')}`,
    ['1:59', /the condition A needs itself/, /circle/],
  ],
  [
    'a condition that is not there',
    serverless('Timeout: !If [IsProd, 1, 2]'),
    ['9:21', /there is no condition IsProd/, /define it in Conditions/],
  ],
  [
    'a mapping that is not there',
    `Mappings: { A: { b: { c: 1 } } }${serverless('Timeout: !FindInMap [A, b, d]')}`,
    ['9:27', /no A → b → d in Mappings/, /correct a name/],
  ],
  ['too few arguments', serverless('Timeout: !If [A, 1]'), ['9:20', /Fn::If has 2 arguments/, /list of 3/]],
  [
    'an element that is not there',
    serverless('Description: !Select [3, [a, b]]'),
    ['9:28', /element 3 of a list with 2/, /count from 0/],
  ],
  [
    'an attribute of what is not deployed',
    serverless('Description: !GetAtt Db.Endpoint.Address', '  Db: { Type: AWS::RDS::DBInstance }'),
    ['9:28', /Db is AWS::RDS::DBInstance, which is not deployed/, /--stand-in Db.Endpoint.Address=<value>/],
  ],
  [
    'a tag that says whose a function is',
    serverless('Tags: { "perdure:alias:live": Mine }'),
    ['9:13', /the tag perdure:alias:live is one that "perdure deploy" sets itself/, /leave it out/],
  ],
  [
    'an export of another stack',
    serverless('Description: !ImportValue Network'),
    ['9:33', /Network is exported by another stack/, /--stand-in Network=<value>/],
  ],
  [
    'a secret to be looked up',
    serverless('Description: "{{resolve:ssm:/a/b}}"'),
    ['9:20', /\{\{resolve:ssm:\/a\/b\}\} is looked up in a service/, /--parameter/],
  ],
  [
    'a number of a version in a variable',
    serverless(
      `Description: !Sub "v\${One.Version}"`,
      '  One: { Type: AWS::Lambda::Version, Properties: { FunctionName: other } }',
    ),
    ['9:25', /known only when it is published/, /alias/],
    ['10:66', /One is of the function other, which this template does not have/, /put it into the template/],
  ],
  [
    'a misspelt type',
    serverless('').replace('::Function', '::Fucntion'),
    ['4:11', /no type of resource AWS::Serverless::Fucntion/, /AWS::Serverless::Function\?/],
  ],
  [
    'an unknown member of a resource',
    serverless('').replace('    Properties', '    Property: 1\n    Properties'),
    ['5:5', /no member Property/, /did you mean Properties\?/],
  ],
  [
    'code in S3',
    serverless('').replace('CodeUri: src/', 'CodeUri: s3://bucket/key'),
    ['6:16', /CodeUri is an object in S3/, /before "sam package"/],
  ],
  ['an image', serverless('PackageType: Image'), ['9:20', /container images are not run/, /zip/]],
  [
    'no code',
    serverless('').replace('AWS::Serverless', 'AWS::Lambda').replace('      CodeUri: src/\n', ''),
    ['3:3', /Orders has no Code/, /folder/],
  ],
  [
    'no handler',
    serverless('').replace('      Handler: app.handler\n', ''),
    ['3:3', /Orders has no Handler/, /give it one/],
  ],
  [
    'two mistakes, told at once',
    serverless('Timeout: soon\nTags: 3'),
    ['9:16', /"soon"/, /number/],
    ['10:13', /Tags is a single value/, /list/],
  ],
  [
    'an option of esbuild that is not known',
    serverless('').replace(
      '    Properties',
      '    Metadata: { BuildMethod: esbuild, BuildProperties: { Minfy: true } }\n    Properties',
    ),
    ['5:58', /BuildProperties has no member Minfy/, /did you mean Minify\?/],
  ],
  [
    'globals of nothing',
    `Globals: { Functions: {} }${serverless('')}`,
    ['1:12', /there are no Globals of Functions/, /did you mean Function\?/],
  ],
  [
    'a global that is not known',
    `Globals: { Function: { Handlr: x } }${serverless('')}`,
    ['1:24', /no property Handlr/, /did you mean Handler\?/],
  ],
]

describe('a broken template is refused with place, cause and fix', () => {
  for (const [what, text, ...expected] of BROKEN) {
    test(what, () => {
      assert.throws(
        () => read(text),
        (error) => {
          assert.ok(error instanceof DeployProblems, String(error))
          const found = error.problems.map(({ place, cause, fix }) => [
            place === undefined ? '' : placeText(place),
            cause,
            fix,
          ])
          assert.equal(found.length, expected.length, JSON.stringify(found))
          for (const [index, [place, cause, fix]] of expected.entries()) {
            assert.equal(found[index]?.[0], `template.yaml:${place}`, JSON.stringify(found))
            assert.match(found[index]?.[1] ?? '', cause)
            assert.match(found[index]?.[2] ?? '', fix)
          }
          return true
        },
      )
    })
  }

  test('names of names without end', () => {
    const chain = Array.from(
      { length: 3_000 },
      (_, index) =>
        `  F${index}: { Type: AWS::Lambda::Function, Properties: { FunctionName: !Sub "\${F${index + 1}}x" } }`,
    )
    assert.throws(() => read(`Resources:\n${chain.join('\n')}\n  F3000: { Type: AWS::SQS::Queue }`), DeployProblems)
    const conditions = Array.from({ length: 3_000 }, (_, index) => `  C${index}: !Not [!Condition C${index + 1}]`)
    const text = `Conditions:\n${conditions.join('\n')}\n  C3000: !Equals [a, a]${serverless('Timeout: !If [C0, 1, 2]')}`
    assert.throws(() => read(text), /this leads through more than 100 other names/)
  })

  test('thousands of mistakes, of which the first are told', () => {
    const names = Array.from({ length: 5_000 }, (_, index) => `      Name${index}: x`)
    assert.throws(
      () => read(`${serverless('')}`.replace('      CodeUri', `${names.join('\n')}\n      CodeUri`)),
      (error) => error instanceof DeployProblems && error.problems.length === 50,
    )
  })

  test('names of prototypes are only names', () => {
    assert.throws(() => read(serverless('constructor: 1')), /no property constructor/)
    assert.throws(
      () => read(serverless('Description: !GetAtt Q.constructor', '  Q: { Type: AWS::SQS::Queue }')),
      /its constructor is not known/,
    )
  })

  test('a value that was given for no parameter', () => {
    assert.throws(() => read(serverless(''), { parameters: { Stage: 'x' } }), /the template has no parameter Stage/)
  })
})
