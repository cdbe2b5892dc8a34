/**
 * Every property that a function of a template may have, and what becomes of it. One table: for reading templates and
 * for the page that users read (`docs/guides/deploying.md`, compared by a test).
 */

import { text } from '../protocol/constraints.ts'
import {
  ARCHITECTURES,
  DEAD_LETTER_CONFIG,
  DESCRIPTION,
  DURABLE_CONFIG,
  ENVIRONMENT,
  EPHEMERAL_STORAGE,
  FILE_SYSTEM_CONFIGS,
  FUNCTION_TIMEOUT,
  HANDLER,
  LOGGING_CONFIG,
  MEMORY_MB,
  RECURSIVE_LOOP,
  RESERVED_CONCURRENCY,
  ROLE,
  RUNTIME,
  SNAP_START,
  TENANCY_CONFIG,
  TRACING_CONFIG,
  VPC_CONFIG,
} from '../protocol/function-constraints.ts'
import type { Configuration } from './desired.ts'
import type { TemplateNode } from './template/node.ts'
import { readValue } from './values.ts'

export type FunctionType = 'AWS::Serverless::Function' | 'AWS::Lambda::Function'

export interface FunctionProperty {
  /** Default: of both. */
  readonly of?: FunctionType
  /** The members of the configuration that it is. */
  readonly configure?: (node: TemplateNode) => Configuration
  /** Why nothing comes of it. */
  readonly ignored?: string
  /** What to do instead: a function that has it is not deployed. */
  readonly refused?: string
}

const SERVERLESS = 'AWS::Serverless::Function'
const LAMBDA = 'AWS::Lambda::Function'
const ARN = text(0, 2048)

/** Read by `functions.ts`, `package-source.ts` or `aliases.ts`. */
const TAKEN: FunctionProperty = {}
const NO_PERMISSIONS = { of: SERVERLESS, ignored: 'nothing checks permissions here' } as const

export const FUNCTION_PROPERTIES: Readonly<Record<string, FunctionProperty>> = {
  Architectures: TAKEN,
  AssumeRolePolicyDocument: NO_PERMISSIONS,
  AutoPublishAlias: { of: SERVERLESS },
  AutoPublishAliasAllProperties: {
    of: SERVERLESS,
    ignored: 'a change of code or configuration is always published',
  },
  AutoPublishCodeSha256: { of: SERVERLESS, ignored: 'the package itself is compared' },
  CapacityProviderConfig: { ignored: 'functions run on the machine of the server' },
  Code: { of: LAMBDA },
  CodeSigningConfigArn: { ignored: 'code is not signed here' },
  CodeUri: { of: SERVERLESS },
  DeadLetterConfig: {
    of: LAMBDA,
    configure: (node) => ({ deadLetterConfig: readValue(DEAD_LETTER_CONFIG, node, 'DeadLetterConfig') }),
  },
  DeadLetterQueue: { of: SERVERLESS },
  DeploymentPreference: { of: SERVERLESS, ignored: 'aliases move at once' },
  Description: { configure: (node) => ({ description: readValue(DESCRIPTION, node, 'Description') }) },
  DurableConfig: { configure: (node) => ({ durableConfig: readValue(DURABLE_CONFIG, node, 'DurableConfig') }) },
  Environment: { configure: (node) => ({ environment: readValue(ENVIRONMENT, node, 'Environment') }) },
  EphemeralStorage: {
    configure: (node) => ({ ephemeralStorage: readValue(EPHEMERAL_STORAGE, node, 'EphemeralStorage') }),
  },
  EventInvokeConfig: { of: SERVERLESS },
  Events: { of: SERVERLESS, ignored: 'what triggers functions is not part of Perdure: let a program call Invoke' },
  FileSystemConfigs: {
    configure: (node) => ({ fileSystemConfigs: readValue(FILE_SYSTEM_CONFIGS, node, 'FileSystemConfigs') }),
  },
  FunctionName: TAKEN,
  FunctionScalingConfig: { ignored: 'functions run on the machine of the server' },
  FunctionUrlConfig: {
    of: SERVERLESS,
    ignored: 'there are no function URLs: call Invoke, or put an HTTP server in front',
  },
  Handler: { configure: (node) => ({ handler: readValue(HANDLER, node, 'Handler') }) },
  ImageConfig: { refused: 'container images are not run: deploy a zip package' },
  ImageUri: { of: SERVERLESS, refused: 'container images are not run: deploy a zip package' },
  InlineCode: { of: SERVERLESS },
  KmsKeyArn: { configure: (node) => ({ kmsKeyArn: readValue(ARN, node, 'KmsKeyArn') }) },
  Layers: TAKEN,
  LoggingConfig: { configure: (node) => ({ loggingConfig: readValue(LOGGING_CONFIG, node, 'LoggingConfig') }) },
  MemorySize: { configure: (node) => ({ memorySize: readValue(MEMORY_MB, node, 'MemorySize') }) },
  PackageType: TAKEN,
  PermissionsBoundary: NO_PERMISSIONS,
  Policies: NO_PERMISSIONS,
  PropagateTags: { of: SERVERLESS, ignored: 'the function has its tags in any case' },
  ProvisionedConcurrencyConfig: { of: SERVERLESS },
  PublishToLatestPublished: { ignored: 'publish with AutoPublishAlias or an AWS::Lambda::Version' },
  RecursiveLoop: TAKEN,
  ReservedConcurrentExecutions: TAKEN,
  Role: { configure: (node) => ({ role: readValue(ROLE, node, 'Role') }) },
  RolePath: NO_PERMISSIONS,
  Runtime: { configure: (node) => ({ runtime: readValue(RUNTIME, node, 'Runtime') }) },
  RuntimeManagementConfig: { ignored: 'functions run on the runtimes of the machine' },
  SnapStart: { configure: (node) => ({ snapStart: readValue(SNAP_START, node, 'SnapStart') }) },
  SourceKMSKeyArn: { of: SERVERLESS, ignored: 'packages are not encrypted here' },
  Tags: TAKEN,
  TenancyConfig: TAKEN,
  Timeout: { configure: (node) => ({ timeout: readValue(FUNCTION_TIMEOUT, node, 'Timeout') }) },
  Tracing: {
    of: SERVERLESS,
    configure: (node) => ({
      tracingConfig: { mode: readValue(TRACING_CONFIG.members.Mode.constraint, node, 'Tracing') },
    }),
  },
  TracingConfig: {
    of: LAMBDA,
    configure: (node) => ({ tracingConfig: readValue(TRACING_CONFIG, node, 'TracingConfig') }),
  },
  VersionDeletionPolicy: { of: SERVERLESS, ignored: 'versions stay: executions may run on them' },
  VersionDescription: { of: SERVERLESS },
  VpcConfig: { configure: (node) => ({ vpcConfig: readValue(VPC_CONFIG, node, 'VpcConfig') }) },
}

/** The names that a function of the type may have. */
export const propertyNames = (type: FunctionType): readonly string[] =>
  Object.entries(FUNCTION_PROPERTIES).flatMap(([name, { of }]) => (of === undefined || of === type ? [name] : []))

export const FUNCTION_CONSTRAINTS = {
  Architectures: ARCHITECTURES,
  RecursiveLoop: RECURSIVE_LOOP,
  ReservedConcurrentExecutions: RESERVED_CONCURRENCY,
  TenancyConfig: TENANCY_CONFIG,
} as const
