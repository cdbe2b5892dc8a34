/**
 * Configurations of functions, wanted and present, in one form in which they can be compared: with the defaults of what
 * is left out, for what a template no longer says has to go back to them.
 */
import type { FunctionConfiguration } from '../client/responses.ts'
import type { Configuration, DesiredFunction } from './desired.ts'

/** Each member is there, whatever it is. */
export type WholeConfiguration = { readonly [Member in keyof Configuration]-?: Configuration[Member] }

/** A template's members and the defaults of the API (spec 02 §2.4). */
export function wanted({ name, configuration }: Pick<DesiredFunction, 'name' | 'configuration'>): WholeConfiguration {
  const { loggingConfig, durableConfig } = configuration
  return {
    ...defaultsOf(name),
    ...given(configuration),
    loggingConfig: logging(name, loggingConfig),
    environment: { variables: { ...configuration.environment?.variables } },
    vpcConfig: vpc(configuration.vpcConfig),
    durableConfig: durable(durableConfig),
  }
}

export function present(of: FunctionConfiguration): WholeConfiguration {
  const { functionName: name } = of
  return {
    ...defaultsOf(name),
    ...given({
      role: of.role,
      handler: of.handler,
      runtime: of.runtime,
      description: of.description,
      timeout: of.timeout,
      memorySize: of.memorySize,
      kmsKeyArn: of.kmsKeyArn,
      ephemeralStorage: of.ephemeralStorage?.size === undefined ? undefined : { size: of.ephemeralStorage.size },
      deadLetterConfig: of.deadLetterConfig,
      layers: of.layers?.flatMap(({ arn }) => arn ?? []),
    }),
    tracingConfig: { mode: of.tracingConfig?.mode === 'Active' ? 'Active' : 'PassThrough' },
    snapStart: { applyOn: of.snapStart?.applyOn === 'PublishedVersions' ? 'PublishedVersions' : 'None' },
    fileSystemConfigs: (of.fileSystemConfigs ?? []).map(({ arn = '', localMountPath = '' }) => ({
      arn,
      localMountPath,
    })),
    // What the server says of it is of what it took.
    loggingConfig: logging(name, of.loggingConfig as Configuration['loggingConfig']),
    environment: { variables: { ...of.environment?.variables } },
    vpcConfig: vpc(of.vpcConfig),
    durableConfig: durable(of.durableConfig),
  }
}

/** The members in which they differ. */
export function differences(before: WholeConfiguration, after: WholeConfiguration): readonly (keyof Configuration)[] {
  const members = Object.keys(after) as (keyof Configuration)[]
  return members.filter((member) => canonical(before[member]) !== canonical(after[member]))
}

const DEFAULT_RETENTION_DAYS = 14

function defaultsOf(name: string): WholeConfiguration {
  return {
    role: undefined,
    handler: undefined,
    runtime: undefined,
    description: '',
    timeout: 3,
    memorySize: 128,
    vpcConfig: { subnetIds: [], securityGroupIds: [] },
    deadLetterConfig: { targetArn: '' },
    environment: { variables: {} },
    kmsKeyArn: '',
    tracingConfig: { mode: 'PassThrough' },
    layers: [],
    fileSystemConfigs: [],
    imageConfig: undefined,
    ephemeralStorage: { size: 512 },
    snapStart: { applyOn: 'None' },
    loggingConfig: logging(name, undefined),
    durableConfig: undefined,
  }
}

const given = (configuration: Configuration): Configuration =>
  Object.fromEntries(Object.entries(configuration).filter(([, value]) => value !== undefined))

function logging(name: string, config: Configuration['loggingConfig']): Configuration['loggingConfig'] {
  const format = config?.logFormat ?? 'Text'
  const logGroup = config?.logGroup ?? `/aws/lambda/${name}`
  if (format === 'Text') return { logFormat: format, logGroup }
  return {
    logFormat: format,
    logGroup,
    applicationLogLevel: config?.applicationLogLevel ?? 'INFO',
    systemLogLevel: config?.systemLogLevel ?? 'INFO',
  }
}

const vpc = (config: Configuration['vpcConfig']): Configuration['vpcConfig'] => ({
  subnetIds: config?.subnetIds ?? [],
  securityGroupIds: config?.securityGroupIds ?? [],
})

function durable(config: Configuration['durableConfig']): Configuration['durableConfig'] {
  if (config === undefined) return undefined
  const { executionTimeout, retentionPeriodInDays = DEFAULT_RETENTION_DAYS, kmsKeyArn } = config
  return { executionTimeout, retentionPeriodInDays, ...(kmsKeyArn && { kmsKeyArn }) }
}

/** Equal texts for equal values, whatever the order of their members. */
export function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_name, member: unknown) =>
      typeof member === 'object' && member !== null && !Array.isArray(member)
        ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
        : member,
    ) ?? ''
  )
}
