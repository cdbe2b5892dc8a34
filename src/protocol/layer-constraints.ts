/**
 * What the members of the layer operations may be: the rules of the real service's model. As in `constraints.ts`: data
 * only.
 */
import { integer, list, oneOf, structure, text, UNBOUNDED } from './constraints.ts'
import { FUNCTION_CODE } from './function-constraints.ts'

const PLACE_PATTERN = 'arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:\\d{12}'

export const LAYER_VERSION_ARN_PATTERN = `(${PLACE_PATTERN}:layer:[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+)`

/** A name, or an ARN without a version. */
export const LAYER_NAME = text(1, 2048, `(${PLACE_PATTERN}:layer:[a-zA-Z0-9-_]{1,140}|[a-zA-Z0-9-_]{1,140})`)
export const LAYER_VERSION_ARN = text(1, 2048, `(${LAYER_VERSION_ARN_PATTERN})`)
/** Numbers begin with 1: whoever asks for another one is told so in words of its own. */
export const LAYER_VERSION_NUMBER = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
export const LICENSE_INFO = text(0, 512)
export const LAYER_PAGE = integer(1, 50)
export const LAYER_ACTION = text(0, 22, 'lambda:GetLayerVersion')
export const LAYER_PRINCIPAL = text(0, 10_000, '\\d{12}|\\*|arn:(aws[a-zA-Z-]*):iam::\\d{12}:root')
export const ORGANIZATION_ID = text(0, 34, 'o-[a-z0-9]{10,32}')
export const ARCHITECTURE = oneOf(['x86_64', 'arm64'])
export const COMPATIBLE_ARCHITECTURES = list(ARCHITECTURE, 0, 2)

/** All that there ever were: a layer may be of use to functions that are older than this server. */
export const LAYER_RUNTIME = oneOf([
  ...['nodejs', 'nodejs4.3', 'nodejs4.3-edge', 'nodejs6.10', 'nodejs8.10', 'nodejs10.x', 'nodejs12.x', 'nodejs14.x'],
  ...['nodejs16.x', 'nodejs18.x', 'nodejs20.x', 'nodejs22.x', 'nodejs24.x', 'nodejs26.x'],
  ...['java8', 'java8.al2', 'java8.al2023', 'java11', 'java11.al2023', 'java17', 'java17.al2023', 'java21', 'java25'],
  ...['python2.7', 'python3.6', 'python3.7', 'python3.8', 'python3.9', 'python3.10', 'python3.11', 'python3.12'],
  ...['python3.13', 'python3.14', 'python3.15'],
  ...['dotnetcore1.0', 'dotnetcore2.0', 'dotnetcore2.1', 'dotnetcore3.1', 'dotnet6', 'dotnet8', 'dotnet10'],
  ...['ruby2.5', 'ruby2.7', 'ruby3.2', 'ruby3.3', 'ruby3.4', 'ruby4.0'],
  ...['go1.x', 'provided', 'provided.al2', 'provided.al2023', 'custom'],
])
export const COMPATIBLE_RUNTIMES = list(LAYER_RUNTIME, 0, 15)

export const LAYER_CONTENT = structure({
  ZipFile: FUNCTION_CODE.members.ZipFile,
  S3Bucket: FUNCTION_CODE.members.S3Bucket,
  S3Key: FUNCTION_CODE.members.S3Key,
  S3ObjectVersion: FUNCTION_CODE.members.S3ObjectVersion,
})

export const LAYER_REVISION = text(0, UNBOUNDED)
