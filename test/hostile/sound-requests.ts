/**
 * For each operation a request that is valid and yet changes nothing: it reads, or names what is not there, or carries
 * a consumed token. What attacks change of it decides how it is refused.
 */
import type { Constraint } from '../../src/protocol/constraints.ts'
import { OPERATIONS, type OperationName, type OperationSpec } from '../../src/protocol/operations.ts'
import type { Target } from './attack.ts'
import { structure } from './values.ts'

export const ALL_OPERATIONS: readonly OperationSpec[] = Object.values(OPERATIONS)

export interface SoundRequest {
  readonly operation: OperationSpec
  readonly texts: Readonly<Record<string, readonly string[]>>
  /** Members of the JSON body, each as JSON text. */
  readonly fields: Readonly<Record<string, string>>
  /** Where the body is no structure of members. */
  readonly raw?: string
}

const NOT_THERE = 'nobody'
const NOBODY_ARN = `arn:aws:lambda:us-east-1:000000000000:function:${NOT_THERE}`
const nobody = { texts: { FunctionName: [NOT_THERE] } }
const alias = { texts: { FunctionName: [NOT_THERE], Name: ['live'] } }
const layer = { texts: { LayerName: [NOT_THERE], VersionNumber: ['1'] } }
const version = { texts: { FunctionName: [NOT_THERE], Qualifier: ['1'] } }

export function soundRequest(operation: OperationSpec, target: Target): SoundRequest {
  const { texts = {}, fields = {}, raw } = SOUND[operation.name as OperationName](target)
  return { operation, texts, fields, ...(raw === undefined ? {} : { raw }) }
}

type Sound = Partial<Omit<SoundRequest, 'operation'>>

const unknownArn = ({ arn }: Target): string =>
  `${arn.slice(0, arn.lastIndexOf('/'))}/00000000-0000-0000-0000-000000000000`
const unknownCallback = ({ callbackId }: Target): string => `${callbackId.slice(0, -32)}${'0'.repeat(32)}`

const SOUND: { readonly [name in OperationName]: (target: Target) => Sound } = {
  CheckpointDurableExecution: ({ arn, staleToken }) => ({
    texts: { DurableExecutionArn: [arn] },
    fields: { CheckpointToken: JSON.stringify(staleToken) },
  }),
  GetDurableExecutionState: ({ arn, token }) => ({ texts: { DurableExecutionArn: [arn], CheckpointToken: [token] } }),
  GetDurableExecutionHistory: ({ arn }) => ({ texts: { DurableExecutionArn: [arn] } }),
  GetDurableExecution: ({ arn }) => ({ texts: { DurableExecutionArn: [arn] } }),
  StopDurableExecution: (target) => ({ texts: { DurableExecutionArn: [unknownArn(target)] }, raw: '{}' }),
  DeleteDurableExecution: ({ arn }) => ({ texts: { DurableExecutionArn: [arn] } }),
  ListDurableExecutionsByFunction: () => ({ texts: { FunctionName: ['victim'] } }),
  SendDurableExecutionCallbackSuccess: (target) => ({ texts: { CallbackId: [unknownCallback(target)] }, raw: '"yes"' }),
  SendDurableExecutionCallbackFailure: (target) => ({ texts: { CallbackId: [unknownCallback(target)] }, raw: '{}' }),
  SendDurableExecutionCallbackHeartbeat: (target) => ({ texts: { CallbackId: [unknownCallback(target)] } }),
  Invoke: () => ({ texts: { FunctionName: [NOT_THERE] }, raw: '{}' }),
  GetFunctionConfiguration: () => ({ texts: { FunctionName: ['victim'] } }),
  GetFunction: () => ({ texts: { FunctionName: ['victim'] } }),
  ListFunctions: () => ({}),
  GetAccountSettings: () => ({}),
  // Refused for where its code is said to lie.
  CreateFunction: () => ({
    fields: {
      FunctionName: '"nobody"',
      Role: '"arn:aws:iam::000000000000:role/none"',
      Code: '{"S3Bucket":"bucket","S3Key":"key"}',
      Runtime: '"nodejs24.x"',
      Handler: '"index.handler"',
    },
  }),
  UpdateFunctionCode: () => ({ ...nobody, fields: { ZipFile: '"UEsDBA=="' } }),
  UpdateFunctionConfiguration: () => ({ ...nobody, fields: { Description: '"x"' } }),
  DeleteFunction: () => nobody,
  PublishVersion: () => ({ ...nobody, fields: { Description: '"x"' } }),
  ListVersionsByFunction: () => nobody,
  CreateAlias: () => ({ ...nobody, fields: { Name: '"live"', FunctionVersion: '"1"' } }),
  GetAlias: () => alias,
  UpdateAlias: () => ({ ...alias, fields: { FunctionVersion: '"1"' } }),
  DeleteAlias: () => alias,
  ListAliases: () => nobody,
  PutFunctionConcurrency: () => ({ ...nobody, fields: { ReservedConcurrentExecutions: '1' } }),
  GetFunctionConcurrency: () => nobody,
  DeleteFunctionConcurrency: () => nobody,
  PutFunctionEventInvokeConfig: () => ({ ...nobody, fields: { MaximumRetryAttempts: '1' } }),
  UpdateFunctionEventInvokeConfig: () => ({ ...nobody, fields: { MaximumRetryAttempts: '1' } }),
  GetFunctionEventInvokeConfig: () => nobody,
  DeleteFunctionEventInvokeConfig: () => nobody,
  ListFunctionEventInvokeConfigs: () => nobody,
  TagResource: () => ({ texts: { Resource: [NOBODY_ARN] }, fields: { Tags: '{"a":"b"}' } }),
  UntagResource: () => ({ texts: { Resource: [NOBODY_ARN], TagKeys: ['a'] } }),
  ListTags: () => ({ texts: { Resource: [NOBODY_ARN] } }),
  AddPermission: () => ({
    ...nobody,
    fields: { StatementId: '"s"', Action: '"lambda:InvokeFunction"', Principal: '"s3.amazonaws.com"' },
  }),
  RemovePermission: () => ({ texts: { FunctionName: [NOT_THERE], StatementId: ['s'] } }),
  GetPolicy: () => nobody,
  PutProvisionedConcurrencyConfig: () => ({ ...version, fields: { ProvisionedConcurrentExecutions: '1' } }),
  GetProvisionedConcurrencyConfig: () => version,
  DeleteProvisionedConcurrencyConfig: () => version,
  GetRuntimeManagementConfig: () => nobody,
  PutRuntimeManagementConfig: () => ({ ...nobody, fields: { UpdateRuntimeOn: '"Auto"' } }),
  GetFunctionRecursionConfig: () => nobody,
  PutFunctionRecursionConfig: () => ({ ...nobody, fields: { RecursiveLoop: '"Allow"' } }),
  GetFunctionCodeSigningConfig: () => nobody,
  // Refused for where its content is said to lie.
  PublishLayerVersion: () => ({
    texts: { LayerName: [NOT_THERE] },
    fields: { Content: '{"S3Bucket":"bucket","S3Key":"key"}' },
  }),
  GetLayerVersion: () => layer,
  GetLayerVersionByArn: () => ({ texts: { Arn: [`arn:aws:lambda:us-east-1:000000000000:layer:${NOT_THERE}:1`] } }),
  ListLayers: () => ({}),
  ListLayerVersions: () => ({ texts: { LayerName: [NOT_THERE] } }),
  DeleteLayerVersion: () => layer,
  AddLayerVersionPermission: () => ({
    ...layer,
    fields: { StatementId: '"s"', Action: '"lambda:GetLayerVersion"', Principal: '"*"' },
  }),
  RemoveLayerVersionPermission: () => ({ texts: { ...layer.texts, StatementId: ['s'] } }),
  GetLayerVersionPolicy: () => layer,
}

export function bodyOf({ fields, raw }: Pick<SoundRequest, 'fields' | 'raw'>): Buffer | undefined {
  if (raw !== undefined) return Buffer.from(raw)
  const members = Object.entries(fields)
  return members.length === 0 ? undefined : Buffer.from(structure(members))
}

/** The constraint of the body as a whole, where it has one. */
export function payloadConstraint({ input }: OperationSpec): Constraint | undefined {
  return Object.values(input).find(({ in: place }) => place === 'payload')?.constraint
}
