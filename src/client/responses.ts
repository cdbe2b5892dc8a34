/**
 * What each operation answers (spec 01, 02, 03), as tables of the same kind as the requests': one source for the
 * decoder and for the types. Answers of Invoke are headers and bytes and have no table.
 */
import {
  BOOLEAN,
  type Constraint,
  ERROR_OBJECT,
  integer,
  list,
  map,
  number,
  oneOf,
  structure,
  TIMESTAMP,
  text,
  UNBOUNDED,
  type ValueOf,
} from '../protocol/constraints.ts'
import { OPERATION_TYPES, type OperationStatus } from '../protocol/shapes.ts'
import type { Spelt } from './member-names.ts'
import type { ClientOperation } from './operations.ts'

const TEXT = text(0, UNBOUNDED)
const COUNT = integer(0, UNBOUNDED)
const TEXTS = list(TEXT, 0, UNBOUNDED)
const MAP_OF_TEXTS = map(TEXT, TEXT, UNBOUNDED)

const required = <const C extends Constraint>(constraint: C) => ({ constraint, required: true }) as const
const optional = <const C extends Constraint>(constraint: C) => ({ constraint }) as const

const OPERATION_STATUS = oneOf([
  'STARTED',
  'PENDING',
  'READY',
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'TIMED_OUT',
  'STOPPED',
] satisfies OperationStatus[])
const EXECUTION_STATUS = oneOf(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED', 'DELETING'])

const outcome = { Result: optional(TEXT), Error: optional(ERROR_OBJECT) } as const

/** Spec 03 §3.4. */
export const OPERATION = structure({
  Id: required(TEXT),
  ParentId: optional(TEXT),
  Name: optional(TEXT),
  Type: required(oneOf(OPERATION_TYPES)),
  SubType: optional(TEXT),
  StartTimestamp: required(TIMESTAMP),
  EndTimestamp: optional(TIMESTAMP),
  Status: required(OPERATION_STATUS),
  ExecutionDetails: optional(structure({ InputPayload: optional(TEXT) })),
  ContextDetails: optional(structure({ ReplayChildren: optional(BOOLEAN), ...outcome })),
  StepDetails: optional(structure({ Attempt: optional(COUNT), NextAttemptTimestamp: optional(TIMESTAMP), ...outcome })),
  WaitDetails: optional(structure({ ScheduledEndTimestamp: optional(TIMESTAMP) })),
  CallbackDetails: optional(structure({ CallbackId: optional(TEXT), ...outcome })),
  ChainedInvokeDetails: optional(structure(outcome)),
})

const TRUNCATED = optional(BOOLEAN)
const EVENT_INPUT = structure({ Payload: optional(TEXT), Truncated: TRUNCATED })
const EVENT_RESULT = EVENT_INPUT
const EVENT_ERROR = structure({ Payload: optional(ERROR_OBJECT), Truncated: TRUNCATED })
const RETRY_DETAILS = structure({ CurrentAttempt: optional(COUNT), NextAttemptDelaySeconds: optional(COUNT) })

const NOTHING = structure({})
const WITH_RESULT = structure({ Result: optional(EVENT_RESULT) })
const WITH_ERROR = structure({ Error: optional(EVENT_ERROR) })

/** The details of an event, by its type (spec 03 §3.6). */
export const EVENT_DETAILS = {
  ExecutionStarted: structure({ Input: optional(EVENT_INPUT), ExecutionTimeout: optional(COUNT) }),
  ExecutionSucceeded: WITH_RESULT,
  ExecutionFailed: WITH_ERROR,
  ExecutionTimedOut: WITH_ERROR,
  ExecutionStopped: WITH_ERROR,
  ContextStarted: NOTHING,
  ContextSucceeded: WITH_RESULT,
  ContextFailed: WITH_ERROR,
  WaitStarted: structure({ Duration: optional(COUNT), ScheduledEndTimestamp: optional(TIMESTAMP) }),
  WaitSucceeded: structure({ Duration: optional(COUNT) }),
  WaitCancelled: WITH_ERROR,
  StepStarted: NOTHING,
  StepSucceeded: structure({ Result: optional(EVENT_RESULT), RetryDetails: optional(RETRY_DETAILS) }),
  StepFailed: structure({ Error: optional(EVENT_ERROR), RetryDetails: optional(RETRY_DETAILS) }),
  ChainedInvokeStarted: structure({
    FunctionName: optional(TEXT),
    TenantId: optional(TEXT),
    Input: optional(EVENT_INPUT),
    ExecutedVersion: optional(TEXT),
    DurableExecutionArn: optional(TEXT),
  }),
  ChainedInvokeSucceeded: WITH_RESULT,
  ChainedInvokeFailed: WITH_ERROR,
  ChainedInvokeTimedOut: WITH_ERROR,
  ChainedInvokeStopped: WITH_ERROR,
  CallbackStarted: structure({
    CallbackId: optional(TEXT),
    HeartbeatTimeout: optional(COUNT),
    Timeout: optional(COUNT),
  }),
  CallbackSucceeded: WITH_RESULT,
  CallbackFailed: WITH_ERROR,
  CallbackTimedOut: WITH_ERROR,
  InvocationCompleted: structure({
    StartTimestamp: optional(TIMESTAMP),
    EndTimestamp: optional(TIMESTAMP),
    RequestId: optional(TEXT),
    Error: optional(EVENT_ERROR),
  }),
} as const

export type EventType = keyof typeof EVENT_DETAILS
const EVENT_TYPES = Object.keys(EVENT_DETAILS) as EventType[]

type DetailsMembers = {
  readonly [Type in EventType as `${Type}Details`]: { readonly constraint: (typeof EVENT_DETAILS)[Type] }
}
const DETAILS_MEMBERS = Object.fromEntries(
  Object.entries(EVENT_DETAILS).map(([type, constraint]) => [`${type}Details`, { constraint }]),
) as DetailsMembers

/** Spec 03 §3.6. */
export const EVENT = structure({
  EventId: required(COUNT),
  EventType: required(oneOf(EVENT_TYPES)),
  EventTimestamp: required(TIMESTAMP),
  Id: optional(TEXT),
  ParentId: optional(TEXT),
  Name: optional(TEXT),
  SubType: optional(TEXT),
  ...DETAILS_MEMBERS,
})

const DURABLE_CONFIG = structure({
  ExecutionTimeout: required(COUNT),
  RetentionPeriodInDays: optional(COUNT),
  KMSKeyArn: optional(TEXT),
})

const LISTED_EXECUTION = {
  DurableExecutionArn: required(TEXT),
  DurableExecutionName: required(TEXT),
  FunctionArn: required(TEXT),
  Status: required(EXECUTION_STATUS),
  StartTimestamp: required(TIMESTAMP),
  EndTimestamp: optional(TIMESTAMP),
} as const

/** What is known here of a FunctionConfiguration (spec 02 §2.4). */
const FUNCTION_MEMBERS = {
  FunctionName: required(TEXT),
  FunctionArn: required(TEXT),
  Version: required(TEXT),
  Runtime: optional(TEXT),
  Role: optional(TEXT),
  Handler: optional(TEXT),
  CodeSize: optional(COUNT),
  CodeSha256: optional(TEXT),
  Description: optional(TEXT),
  Timeout: optional(COUNT),
  MemorySize: optional(COUNT),
  LastModified: optional(TEXT),
  RevisionId: optional(TEXT),
  PackageType: optional(TEXT),
  Architectures: optional(TEXTS),
  Environment: optional(structure({ Variables: optional(MAP_OF_TEXTS) })),
  EphemeralStorage: optional(structure({ Size: optional(COUNT) })),
  TracingConfig: optional(structure({ Mode: optional(TEXT) })),
  SnapStart: optional(structure({ ApplyOn: optional(TEXT), OptimizationStatus: optional(TEXT) })),
  LoggingConfig: optional(
    structure({
      LogFormat: optional(TEXT),
      ApplicationLogLevel: optional(TEXT),
      SystemLogLevel: optional(TEXT),
      LogGroup: optional(TEXT),
    }),
  ),
  DeadLetterConfig: optional(structure({ TargetArn: optional(TEXT) })),
  KMSKeyArn: optional(TEXT),
  Layers: optional(list(structure({ Arn: optional(TEXT), CodeSize: optional(COUNT) }), 0, UNBOUNDED)),
  VpcConfig: optional(structure({ SubnetIds: optional(TEXTS), SecurityGroupIds: optional(TEXTS) })),
  FileSystemConfigs: optional(list(structure({ Arn: optional(TEXT), LocalMountPath: optional(TEXT) }), 0, UNBOUNDED)),
  State: optional(TEXT),
  StateReason: optional(TEXT),
  LastUpdateStatus: optional(TEXT),
  LastUpdateStatusReason: optional(TEXT),
  DurableConfig: optional(DURABLE_CONFIG),
  TenancyConfig: optional(structure({ TenantIsolationMode: optional(TEXT) })),
} as const
const FUNCTION_CONFIGURATION = structure(FUNCTION_MEMBERS)

/** Spec 02 §2.5. */
const ALIAS_CONFIGURATION = structure({
  AliasArn: required(TEXT),
  Name: required(TEXT),
  FunctionVersion: required(TEXT),
  Description: optional(TEXT),
  RoutingConfig: optional(structure({ AdditionalVersionWeights: optional(map(TEXT, number(0, 1), UNBOUNDED)) })),
  RevisionId: optional(TEXT),
})

const DESTINATION = structure({ Destination: optional(TEXT) })
const EVENT_INVOKE_CONFIG = structure({
  LastModified: optional(TIMESTAMP),
  FunctionArn: required(TEXT),
  MaximumRetryAttempts: optional(COUNT),
  MaximumEventAgeInSeconds: optional(COUNT),
  DestinationConfig: optional(structure({ OnSuccess: optional(DESTINATION), OnFailure: optional(DESTINATION) })),
})

const CONCURRENCY = structure({ ReservedConcurrentExecutions: optional(COUNT) })
const PROVISIONED_CONCURRENCY = structure({
  RequestedProvisionedConcurrentExecutions: optional(COUNT),
  AvailableProvisionedConcurrentExecutions: optional(COUNT),
  AllocatedProvisionedConcurrentExecutions: optional(COUNT),
  Status: optional(TEXT),
  StatusReason: optional(TEXT),
  LastModified: optional(TEXT),
})
const RUNTIME_MANAGEMENT_CONFIG = structure({
  UpdateRuntimeOn: required(TEXT),
  RuntimeVersionArn: optional(TEXT),
  FunctionArn: optional(TEXT),
})
const RECURSION_CONFIG = structure({ RecursiveLoop: required(TEXT) })

/** Spec 02 §2.5; the versions of layers. */
const LAYER_VERSION = {
  LayerVersionArn: required(TEXT),
  Version: required(COUNT),
  Description: optional(TEXT),
  CreatedDate: optional(TEXT),
  CompatibleRuntimes: optional(TEXTS),
  CompatibleArchitectures: optional(TEXTS),
  LicenseInfo: optional(TEXT),
} as const
const LISTED_LAYER_VERSION = structure(LAYER_VERSION)
const DESCRIBED_LAYER_VERSION = structure({
  Content: required(structure({ Location: optional(TEXT), CodeSha256: required(TEXT), CodeSize: optional(COUNT) })),
  LayerArn: required(TEXT),
  ...LAYER_VERSION,
})

const nextMarker = { NextMarker: optional(TEXT) } as const

export const RESPONSES = {
  CheckpointDurableExecution: structure({
    CheckpointToken: optional(TEXT),
    NewExecutionState: required(structure({ Operations: optional(list(OPERATION, 0, UNBOUNDED)), ...nextMarker })),
  }),
  GetDurableExecutionState: structure({ Operations: required(list(OPERATION, 0, UNBOUNDED)), ...nextMarker }),
  GetDurableExecutionHistory: structure({ Events: required(list(EVENT, 0, UNBOUNDED)), ...nextMarker }),
  StopDurableExecution: structure({ StopTimestamp: required(TIMESTAMP) }),
  DeleteDurableExecution: structure({ DeletionRequestTimestamp: required(TIMESTAMP) }),
  GetDurableExecution: structure({
    ...LISTED_EXECUTION,
    Version: optional(TEXT),
    InputPayload: optional(TEXT),
    ...outcome,
    TraceHeader: optional(structure({ XAmznTraceId: optional(TEXT) })),
    DurableConfig: optional(DURABLE_CONFIG),
    ExecutionDataIncluded: optional(BOOLEAN),
  }),
  ListDurableExecutionsByFunction: structure({
    DurableExecutions: required(list(structure({ ...LISTED_EXECUTION, KMSKeyArn: optional(TEXT) }), 0, UNBOUNDED)),
    ...nextMarker,
  }),
  SendDurableExecutionCallbackSuccess: NOTHING,
  SendDurableExecutionCallbackFailure: NOTHING,
  SendDurableExecutionCallbackHeartbeat: NOTHING,
  GetFunctionConfiguration: FUNCTION_CONFIGURATION,
  GetFunction: structure({
    Configuration: required(FUNCTION_CONFIGURATION),
    Code: optional(structure({ RepositoryType: optional(TEXT), Location: optional(TEXT) })),
    Tags: optional(MAP_OF_TEXTS),
    Concurrency: optional(CONCURRENCY),
  }),
  ListFunctions: structure({ Functions: required(list(FUNCTION_CONFIGURATION, 0, UNBOUNDED)), ...nextMarker }),
  CreateFunction: FUNCTION_CONFIGURATION,
  UpdateFunctionCode: FUNCTION_CONFIGURATION,
  UpdateFunctionConfiguration: FUNCTION_CONFIGURATION,
  DeleteFunction: NOTHING,
  PublishVersion: FUNCTION_CONFIGURATION,
  ListVersionsByFunction: structure({ Versions: required(list(FUNCTION_CONFIGURATION, 0, UNBOUNDED)), ...nextMarker }),
  CreateAlias: ALIAS_CONFIGURATION,
  GetAlias: ALIAS_CONFIGURATION,
  UpdateAlias: ALIAS_CONFIGURATION,
  DeleteAlias: NOTHING,
  ListAliases: structure({ Aliases: required(list(ALIAS_CONFIGURATION, 0, UNBOUNDED)), ...nextMarker }),
  PutFunctionConcurrency: CONCURRENCY,
  GetFunctionConcurrency: CONCURRENCY,
  DeleteFunctionConcurrency: NOTHING,
  PutFunctionEventInvokeConfig: EVENT_INVOKE_CONFIG,
  UpdateFunctionEventInvokeConfig: EVENT_INVOKE_CONFIG,
  GetFunctionEventInvokeConfig: EVENT_INVOKE_CONFIG,
  DeleteFunctionEventInvokeConfig: NOTHING,
  ListFunctionEventInvokeConfigs: structure({
    FunctionEventInvokeConfigs: required(list(EVENT_INVOKE_CONFIG, 0, UNBOUNDED)),
    ...nextMarker,
  }),
  TagResource: NOTHING,
  UntagResource: NOTHING,
  ListTags: structure({ Tags: required(MAP_OF_TEXTS) }),
  GetAccountSettings: structure({
    AccountLimit: required(
      structure({
        TotalCodeSize: optional(COUNT),
        CodeSizeUnzipped: optional(COUNT),
        CodeSizeZipped: optional(COUNT),
        ConcurrentExecutions: optional(COUNT),
        UnreservedConcurrentExecutions: optional(COUNT),
      }),
    ),
    AccountUsage: required(structure({ TotalCodeSize: optional(COUNT), FunctionCount: optional(COUNT) })),
  }),
  /** The statement as JSON text. */
  AddPermission: structure({ Statement: required(TEXT) }),
  RemovePermission: NOTHING,
  /** The policy as JSON text. */
  GetPolicy: structure({ Policy: required(TEXT), RevisionId: optional(TEXT) }),
  PutProvisionedConcurrencyConfig: PROVISIONED_CONCURRENCY,
  GetProvisionedConcurrencyConfig: PROVISIONED_CONCURRENCY,
  DeleteProvisionedConcurrencyConfig: NOTHING,
  GetRuntimeManagementConfig: RUNTIME_MANAGEMENT_CONFIG,
  PutRuntimeManagementConfig: RUNTIME_MANAGEMENT_CONFIG,
  GetFunctionRecursionConfig: RECURSION_CONFIG,
  PutFunctionRecursionConfig: RECURSION_CONFIG,
  GetFunctionCodeSigningConfig: structure({ CodeSigningConfigArn: optional(TEXT), FunctionName: optional(TEXT) }),
  PublishLayerVersion: DESCRIBED_LAYER_VERSION,
  GetLayerVersion: DESCRIBED_LAYER_VERSION,
  GetLayerVersionByArn: DESCRIBED_LAYER_VERSION,
  ListLayers: structure({
    Layers: required(
      list(
        structure({
          LayerName: required(TEXT),
          LayerArn: required(TEXT),
          LatestMatchingVersion: optional(LISTED_LAYER_VERSION),
        }),
        0,
        UNBOUNDED,
      ),
    ),
    ...nextMarker,
  }),
  ListLayerVersions: structure({ LayerVersions: required(list(LISTED_LAYER_VERSION, 0, UNBOUNDED)), ...nextMarker }),
  DeleteLayerVersion: NOTHING,
  /** The statement as JSON text. */
  AddLayerVersionPermission: structure({ Statement: required(TEXT), RevisionId: optional(TEXT) }),
  RemoveLayerVersionPermission: NOTHING,
  /** The policy as JSON text. */
  GetLayerVersionPolicy: structure({ Policy: required(TEXT), RevisionId: optional(TEXT) }),
} as const satisfies Record<Exclude<ClientOperation, 'Invoke'>, Constraint>

/** Of an invocation: its outcome in headers, its payload as text. */
export interface InvokeResponse {
  readonly statusCode: number
  readonly executedVersion?: string
  readonly durableExecutionArn?: string
  /** `Unhandled` when the function failed; `payload` is then its error. */
  readonly functionError?: string
  /** The end of the function's log, when `logType: 'Tail'` asked for it. */
  readonly logTail?: string
  /** What the function returned, as JSON text; empty for an asynchronous invocation. */
  readonly payload: string
}

export type ResponseOf<Name extends ClientOperation> = Name extends keyof typeof RESPONSES
  ? Spelt<ValueOf<(typeof RESPONSES)[Name]>>
  : InvokeResponse

export type Operation = Spelt<ValueOf<typeof OPERATION>>
export type HistoryEvent = Spelt<ValueOf<typeof EVENT>>
export type ErrorObject = Spelt<ValueOf<typeof ERROR_OBJECT>>
export type DescribedExecution = ResponseOf<'GetDurableExecution'>
export type ListedExecution = ResponseOf<'ListDurableExecutionsByFunction'>['durableExecutions'][number]
export type AliasConfiguration = ResponseOf<'GetAlias'>
export type EventInvokeConfig = ResponseOf<'GetFunctionEventInvokeConfig'>
export type LayerVersion = ResponseOf<'ListLayerVersions'>['layerVersions'][number]
export type FunctionConfiguration = ResponseOf<'GetFunctionConfiguration'>
export type ExecutionStatus = ValueOf<typeof EXECUTION_STATUS>
