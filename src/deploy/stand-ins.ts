/**
 * What stands for a resource that is not deployed, where a function refers to it: the name that the template gives it,
 * else one made of the stack's and its own, in the form that the real one would have.
 */
import type { World } from './template/pseudo-parameters.ts'

interface StandIn {
  /** The property that names the resource. */
  readonly name: string
  /** What `Ref` gives: the name itself unless told otherwise. */
  readonly ref?: (name: string, world: World) => string
  readonly attributes: Readonly<Record<string, (name: string, world: World) => string>>
}

const arnOf = (service: string, resource: (name: string) => string) => (name: string, world: World) =>
  `arn:${world.partition}:${service}:${world.region}:${world.account}:${resource(name)}`
const own = (name: string): string => name

const queueUrl = (name: string, { region, account, urlSuffix }: World): string =>
  `https://sqs.${region}.${urlSuffix}/${account}/${name}`
const table = (name: string) => ({ name, attributes: { Arn: arnOf('dynamodb', (each) => `table/${each}`) } })

const STAND_INS: Readonly<Record<string, StandIn>> = {
  'AWS::IAM::Role': {
    name: 'RoleName',
    attributes: { Arn: (name, { partition, account }) => `arn:${partition}:iam::${account}:role/${name}` },
  },
  'AWS::DynamoDB::Table': table('TableName'),
  'AWS::DynamoDB::GlobalTable': table('TableName'),
  'AWS::Serverless::SimpleTable': table('TableName'),
  'AWS::SQS::Queue': {
    name: 'QueueName',
    ref: queueUrl,
    attributes: { Arn: arnOf('sqs', own), QueueName: own, QueueUrl: queueUrl },
  },
  'AWS::SNS::Topic': {
    name: 'TopicName',
    ref: arnOf('sns', own),
    attributes: { TopicName: own, TopicArn: arnOf('sns', own) },
  },
  'AWS::S3::Bucket': {
    name: 'BucketName',
    attributes: { Arn: (name, { partition }) => `arn:${partition}:s3:::${name}` },
  },
  'AWS::Events::EventBus': {
    name: 'Name',
    attributes: { Arn: arnOf('events', (name) => `event-bus/${name}`), Name: own },
  },
  'AWS::Kinesis::Stream': { name: 'Name', attributes: { Arn: arnOf('kinesis', (name) => `stream/${name}`) } },
  'AWS::Logs::LogGroup': {
    name: 'LogGroupName',
    attributes: { Arn: arnOf('logs', (name) => `log-group:${name}:*`) },
  },
  'AWS::SecretsManager::Secret': {
    name: 'Name',
    ref: arnOf('secretsmanager', (name) => `secret:${name}`),
    attributes: { Id: arnOf('secretsmanager', (name) => `secret:${name}`) },
  },
  'AWS::SSM::Parameter': { name: 'Name', attributes: {} },
}

/** The property that names a resource of the type, where it is known. */
export const namePropertyOf = (type: string): string | undefined => STAND_INS[type]?.name

export function standInFor(type: string, name: string, world: World): string {
  return STAND_INS[type]?.ref?.(name, world) ?? name
}

/** Undefined for an attribute whose form is not known. That of an ARN is, more or less, for all types. */
export function attributeStandIn(type: string, name: string, attribute: string, world: World): string | undefined {
  const attributes = STAND_INS[type]?.attributes ?? {}
  const known = Object.hasOwn(attributes, attribute) ? attributes[attribute] : undefined
  if (known !== undefined) return known(name, world)
  if (attribute !== 'Arn') return undefined
  const [, service = '', resource = ''] = type.toLowerCase().split('::')
  return arnOf(service, (each) => `${resource}/${each}`)(name, world)
}
