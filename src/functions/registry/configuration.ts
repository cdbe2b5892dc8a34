/** From the members of a request to a stored configuration (spec 02 §2.5–2.7), and what is wrong with them. */
import { ApiError, invalidParameter } from '../../protocol/errors.ts'
import type { InputOf } from '../../protocol/operations.ts'
import type { DurableConfig } from '../../protocol/shapes.ts'
import { reservedVariables } from '../environment.ts'
import type { RegistryFacts } from './change.ts'
import { usedLayers } from './layers.ts'
import type { StoredConfig } from './record.ts'
import { requireRuntime } from './runtimes.ts'
import { requireDestination } from './settings.ts'

type CreateInput = InputOf<'CreateFunction'>
type UpdateInput = InputOf<'UpdateFunctionConfiguration'>
type Given = Omit<UpdateInput, 'FunctionName' | 'RevisionId'>

const ENVIRONMENT_BYTES = 4_096
const MAX_MEMORY_MB = 10_240
const MAX_TIMEOUT_SECONDS = 900
const DEFAULT_RETENTION_DAYS = 14

/** Configuration of a function that is being created. */
export function firstConfig(input: CreateInput, facts: RegistryFacts): StoredConfig {
  if (input.PackageType === 'Image' || input.Code.ImageUri !== undefined) throw imagesAreNotRun()
  const { Runtime, Handler } = input
  if (Runtime === undefined || Handler === undefined || Handler === '') {
    const missing = Runtime === undefined ? (Handler === undefined ? 'Runtime and Handler' : 'Runtime') : 'Handler'
    throw invalidParameter(
      `${missing} ${missing.includes('and') ? 'are' : 'is'} mandatory for functions created with deployment packages.`,
    )
  }
  const defaults: StoredConfig = {
    role: input.Role,
    runtime: Runtime,
    handler: Handler,
    description: '',
    timeoutSeconds: 3,
    memoryMb: 128,
    architectures: input.Architectures ?? ['x86_64'],
    ephemeralStorageMb: 512,
    tracing: 'PassThrough',
    snapStart: 'None',
    logging: { format: 'Text' },
    ...(input.TenancyConfig === undefined ? undefined : { perTenant: true as const }),
  }
  return changedConfig(defaults, input, facts)
}

/** The configuration with the members that are given; the others stay (spec 02 §2.5). */
export function changedConfig(config: StoredConfig, given: Given, facts: RegistryFacts): StoredConfig {
  requireLegal(given)
  const { durable: _durable, layers: _layers, ...rest } = config
  const layers = given.Layers === undefined ? config.layers : usedLayers(given.Layers, facts)
  const durable = given.DurableConfig === undefined ? config.durable : durableOf(given.DurableConfig)
  return {
    ...rest,
    ...present('role', given.Role),
    ...present('runtime', given.Runtime),
    ...present('handler', given.Handler),
    ...present('description', given.Description),
    ...present('timeoutSeconds', given.Timeout),
    ...present('memoryMb', given.MemorySize),
    ...present('environment', given.Environment === undefined ? undefined : { ...given.Environment.Variables }),
    ...present('ephemeralStorageMb', given.EphemeralStorage?.Size),
    ...present('tracing', given.TracingConfig?.Mode),
    ...present('snapStart', given.SnapStart?.ApplyOn),
    ...present('logging', given.LoggingConfig === undefined ? undefined : loggingOf(given.LoggingConfig, config)),
    ...present(
      'deadLetterTarget',
      given.DeadLetterConfig === undefined ? undefined : (given.DeadLetterConfig.TargetArn ?? ''),
    ),
    ...present('kmsKeyArn', given.KMSKeyArn),
    ...present('layers', layers?.length === 0 ? undefined : layers),
    ...present(
      'vpc',
      given.VpcConfig === undefined
        ? undefined
        : { subnetIds: given.VpcConfig.SubnetIds ?? [], securityGroupIds: given.VpcConfig.SecurityGroupIds ?? [] },
    ),
    ...present('fileSystems', given.FileSystemConfigs),
    ...present('durable', durable),
  }
}

/** What was published last differs in nothing that a version keeps: publishing again gives no new number. */
export function sameConfig(a: StoredConfig, b: StoredConfig): boolean {
  return canonical(a) === canonical(b)
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  )
}

function requireLegal(given: Given): void {
  if (given.Runtime !== undefined) requireRuntime(given.Runtime)
  requireDestination(given.DeadLetterConfig?.TargetArn)
  if (given.ImageConfig !== undefined) throw imagesAreNotRun()
  const variables = given.Environment?.Variables
  if (variables !== undefined) requireEnvironment({ ...variables })
  if (given.MemorySize !== undefined && given.MemorySize > MAX_MEMORY_MB) {
    throw invalidParameter(
      `'MemorySize' value failed to satisfy constraint: Member must have value less than or equal to ${MAX_MEMORY_MB}`,
    )
  }
  if (given.Timeout !== undefined && given.Timeout > MAX_TIMEOUT_SECONDS) {
    throw new ApiError(
      'ValidationException',
      `1 validation error detected: Value '${given.Timeout}' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to ${MAX_TIMEOUT_SECONDS}`,
    )
  }
}

function requireEnvironment(variables: Readonly<Record<string, string>>): void {
  const reserved = Object.keys(variables).filter((name) => reservedVariables.has(name))
  if (reserved.length > 0) {
    throw invalidParameter(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    )
  }
  const json = JSON.stringify(variables)
  if (Buffer.byteLength(json) > ENVIRONMENT_BYTES) {
    throw invalidParameter(
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${json}`,
    )
  }
}

function durableOf(given: NonNullable<Given['DurableConfig']>): DurableConfig {
  const { ExecutionTimeout } = given
  if (ExecutionTimeout === undefined) {
    throw invalidParameter('ExecutionTimeout must be provided when DurableConfig is specified.')
  }
  const { RetentionPeriodInDays = DEFAULT_RETENTION_DAYS, KMSKeyArn } = given
  return { ExecutionTimeout, RetentionPeriodInDays, ...(KMSKeyArn ? { KMSKeyArn } : undefined) }
}

function loggingOf(given: NonNullable<Given['LoggingConfig']>, before: StoredConfig): StoredConfig['logging'] {
  const format = given.LogFormat ?? before.logging.format
  if (format === 'Text' && (given.ApplicationLogLevel !== undefined || given.SystemLogLevel !== undefined)) {
    throw invalidParameter(
      'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.',
    )
  }
  const group = given.LogGroup ?? before.logging.group
  if (format === 'Text') return { format, ...present('group', group) }
  return {
    format,
    ...present('group', group),
    applicationLevel: given.ApplicationLogLevel ?? before.logging.applicationLevel ?? 'INFO',
    systemLevel: given.SystemLogLevel ?? before.logging.systemLevel ?? 'INFO',
  }
}

const imagesAreNotRun = (): ApiError =>
  invalidParameter(
    'Functions from container images are not run by this server: deploy a zip package, or attach a worker that runs the image.',
  )

function present<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [K in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [K in Name]?: Value }
}
