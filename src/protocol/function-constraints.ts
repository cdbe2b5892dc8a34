/**
 * What the members of the function management operations may be (spec 02 §2.4, 2.5). As in `constraints.ts`: data only.
 * Rules that need more than one member, or the record of the function, are in `functions/registry`.
 */
import {
  BOOLEAN,
  blob,
  integer,
  list,
  map,
  number,
  oneOf,
  sensitiveText,
  structure,
  text,
  UNBOUNDED,
} from './constraints.ts'
import { DESTINATION_PATTERN } from './destination.ts'

const ROLE_PATTERN = 'arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+'
/** An ARN of any service: stored and echoed. */
const OPTIONAL_ARN = text(0, 2048)

export const NEW_FUNCTION_NAME = text(
  1,
  140,
  '(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?',
)
export const ROLE = text(1, 2048, ROLE_PATTERN)
export const RUNTIME = text(0, 64)
export const HANDLER = text(0, 128, '[^\\s]*')
export const DESCRIPTION = text(0, 256)
export const FUNCTION_TIMEOUT = integer(1, 5_400)
export const MEMORY_MB = integer(128, 32_768)
export const REVISION_ID = text(0, UNBOUNDED)
export const CODE_SHA256 = text(0, UNBOUNDED)
export const ALIAS_NAME = text(1, 128, '(?!^[0-9]+$)([a-zA-Z0-9-_]+)')
export const VERSION_NUMBER = text(1, 1024, '(\\$LATEST|[0-9]+)')
export const STATEMENT_ID = text(1, 100, '([a-zA-Z0-9-_]+)')
export const PERMISSION_ACTION = text(1, 256, '(lambda:[*]|lambda:[a-zA-Z]+|[*])')
export const TAGGED_RESOURCE = text(1, 10_000)
export const TAG_KEYS = list(text(1, 128), 1, 50)
export const TAGS = map(text(1, 128), text(0, 256), 50)
export const PUBLISH_TO = oneOf(['LATEST_PUBLISHED'])
export const PACKAGE_TYPE = oneOf(['Zip', 'Image'])
export const ARCHITECTURES = list(oneOf(['x86_64', 'arm64']), 1, 1)
/** How many there may be, and what their names are like, is for `functions/registry` to say, with its own errors. */
export const LAYERS = list(text(1, 2048), 0, UNBOUNDED)
export const RECURSIVE_LOOP = oneOf(['Allow', 'Terminate'])
export const UPDATE_RUNTIME_ON = oneOf(['Auto', 'Manual', 'FunctionUpdate'])
export const RESERVED_CONCURRENCY = integer(0, 1_000_000)
export const PROVISIONED_CONCURRENCY = integer(1, 1_000_000)
export const RETRY_ATTEMPTS = integer(0, 2)
export const EVENT_AGE_SECONDS = integer(60, 21_600)

/** Bytes in base64; how many there may be is for `functions/registry` to say, with its own error. */
export const ZIP_FILE = blob(UNBOUNDED)

export const FUNCTION_CODE = structure({
  ZipFile: { constraint: ZIP_FILE },
  S3Bucket: { constraint: text(3, 63) },
  S3Key: { constraint: text(1, 1024) },
  S3ObjectVersion: { constraint: text(1, 1024) },
  ImageUri: { constraint: text(0, 2048) },
  SourceKMSKeyArn: { constraint: OPTIONAL_ARN },
})

/** Values are the user's secrets and are never repeated. */
export const ENVIRONMENT = structure({
  Variables: { constraint: map(text(1, 2048, '[a-zA-Z]([a-zA-Z0-9_])+'), sensitiveText(0, UNBOUNDED), UNBOUNDED) },
})

export const DEAD_LETTER_CONFIG = structure({ TargetArn: { constraint: text(0, 2048, DESTINATION_PATTERN) } })
export const TRACING_CONFIG = structure({ Mode: { constraint: oneOf(['Active', 'PassThrough']) } })
export const EPHEMERAL_STORAGE = structure({ Size: { constraint: integer(512, 10_240), required: true } })
export const SNAP_START = structure({ ApplyOn: { constraint: oneOf(['PublishedVersions', 'None']) } })
export const LOGGING_CONFIG = structure({
  LogFormat: { constraint: oneOf(['JSON', 'Text']) },
  ApplicationLogLevel: { constraint: oneOf(['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']) },
  SystemLogLevel: { constraint: oneOf(['DEBUG', 'INFO', 'WARN']) },
  LogGroup: { constraint: text(1, 512, '[\\.\\-_/#A-Za-z0-9]+') },
})
export const VPC_CONFIG = structure({
  SubnetIds: { constraint: list(text(0, 1024), 0, 16) },
  SecurityGroupIds: { constraint: list(text(0, 1024), 0, 5) },
  Ipv6AllowedForDualStack: { constraint: BOOLEAN },
})
export const FILE_SYSTEM_CONFIGS = list(
  structure({
    Arn: { constraint: text(0, 200), required: true },
    LocalMountPath: { constraint: text(0, 160, '/mnt/[a-zA-Z0-9-_.]+'), required: true },
  }),
  0,
  1,
)
export const IMAGE_CONFIG = structure({
  EntryPoint: { constraint: list(text(0, 1024), 0, 1500) },
  Command: { constraint: list(text(0, 1024), 0, 1500) },
  WorkingDirectory: { constraint: text(0, 1000) },
})
export const TENANCY_CONFIG = structure({
  TenantIsolationMode: { constraint: oneOf(['PER_TENANT']), required: true },
})
/** Spec 02 §2.7; that ExecutionTimeout has to be there is a rule with its own text. */
export const DURABLE_CONFIG = structure({
  ExecutionTimeout: { constraint: integer(1, 31_622_400) },
  RetentionPeriodInDays: { constraint: integer(1, 90) },
  KMSKeyArn: { constraint: OPTIONAL_ARN },
})
export const ROUTING_CONFIG = structure({
  AdditionalVersionWeights: { constraint: map(text(1, 1024, '[0-9]+'), number(0, 1), UNBOUNDED) },
})
const DESTINATION = structure({ Destination: { constraint: text(0, 350, DESTINATION_PATTERN) } })
export const DESTINATION_CONFIG = structure({
  OnSuccess: { constraint: DESTINATION },
  OnFailure: { constraint: DESTINATION },
})
