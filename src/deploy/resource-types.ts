/**
 * Which resources of a template are deployed, and why the others are not. One table: for reading templates, for what the
 * plan says, and for the page that users read.
 */

/** What is made of each, in the words of the page. */
export const TAKEN_TYPES = {
  'AWS::Serverless::Function': 'a function; with AutoPublishAlias also versions and an alias',
  'AWS::Lambda::Function': 'a function',
  'AWS::Lambda::Version': 'a version, published once for each logical id; kept when it leaves the template',
  'AWS::Lambda::Alias': 'an alias, with weights and provisioned concurrency',
  'AWS::Lambda::EventInvokeConfig': 'retries, age and destinations of asynchronous invocations',
  'AWS::Lambda::Permission': 'a statement of the policy: stored and shown, not enforced',
  'AWS::Serverless::LayerVersion':
    'a version of a layer, published when its content or what is said of it changed; kept',
  'AWS::Lambda::LayerVersion': 'the same',
} as const

export type TakenType = keyof typeof TAKEN_TYPES

export const isTaken = (type: string): type is TakenType => Object.hasOwn(TAKEN_TYPES, type)

const NOT_OURS = 'not part of Perdure'
const TRIGGER = 'what triggers functions is not part of Perdure: let a program call Invoke'

/** By type, or by the beginning of a type; the first that fits. */
export const IGNORED_TYPES: readonly (readonly [type: string, reason: string])[] = [
  ['AWS::Lambda::LayerVersionPermission', 'nothing checks permissions here'],
  ['AWS::Lambda::EventSourceMapping', TRIGGER],
  ['AWS::Lambda::Url', 'there are no function URLs: call Invoke, or put an HTTP server in front'],
  ['AWS::Lambda::CodeSigningConfig', 'code is not signed here'],
  ['AWS::Serverless::SimpleTable', 'databases are yours to run: pass their address as a parameter'],
  ['AWS::Serverless::StateMachine', 'state machines are not part of Perdure: write a durable function'],
  ['AWS::Serverless::Application', 'nested applications are deployed by themselves'],
  ['AWS::Serverless::Connector', 'nothing checks permissions here'],
  ['AWS::Serverless::', TRIGGER],
  ['AWS::CloudFormation::Stack', 'nested stacks are deployed by themselves: perdure deploy <its template>'],
  ['AWS::CloudFormation::CustomResource', 'custom resources run in the cloud: do by hand what it does'],
  ['Custom::', 'custom resources run in the cloud: do by hand what it does'],
  ['AWS::CDK::Metadata', 'a note of the CDK for itself'],
  ['AWS::IAM::', 'nothing checks permissions here'],
  ['AWS::Events::', TRIGGER],
  ['AWS::Scheduler::', TRIGGER],
  ['AWS::ApiGateway', TRIGGER],
  ['AWS::Pipes::', TRIGGER],
  ['AWS::SQS::', TRIGGER],
  ['AWS::SNS::', TRIGGER],
  ['AWS::Logs::', 'logs are kept with the server: perdure logs'],
  ['AWS::CloudWatch::', 'metrics are at /metrics of the server'],
  ['AWS::DynamoDB::', 'databases are yours to run: pass their address as a parameter'],
  ['AWS::RDS::', 'databases are yours to run: pass their address as a parameter'],
  ['AWS::S3::', 'storage is yours to run: pass its address as a parameter'],
  ['AWS::StepFunctions::', 'state machines are not part of Perdure: write a durable function'],
  ['AWS::CodeDeploy::', 'aliases move at once'],
  ['AWS::', NOT_OURS],
]

/** Why a resource is not deployed; undefined for a type that nobody has. */
export function ignoredReason(type: string): string | undefined {
  const known = IGNORED_TYPES.find(([start]) =>
    start.endsWith('::') || start === 'AWS::ApiGateway' ? type.startsWith(start) : type === start,
  )
  if (known !== undefined) return known[1]
  // Types that organizations register, and modules of these.
  return /^\w+(::\w+){2,3}$/.test(type) ? NOT_OURS : undefined
}

/** Types of these services are known one by one: another name is a misspelling. */
export const CLOSED_SERVICES = ['AWS::Lambda::', 'AWS::Serverless::'] as const

export const KNOWN_TYPES: readonly string[] = [
  ...Object.keys(TAKEN_TYPES),
  ...IGNORED_TYPES.map(([type]) => type).filter((type) => !type.endsWith('::') && type !== 'AWS::ApiGateway'),
  'AWS::Serverless::Api',
  'AWS::Serverless::HttpApi',
  'AWS::Serverless::WebSocketApi',
  'AWS::Serverless::GraphQLApi',
  'AWS::Lambda::CapacityProvider',
]
