/** Records as the answers of the API show them (spec 02 §2.4–2.5). */
import { functionArn, type Place } from '../../protocol/arn.ts'
import type {
  EventInvokeConfig,
  FunctionRecord,
  ProvisionedConcurrency,
  RuntimeUpdates,
  StoredAlias,
  StoredConfig,
  StoredVersion,
} from './record.ts'
import { aliasOf } from './record.ts'

/** `2025-01-01T00:00:00.000+0000`: functions say it as text, with an offset without a colon. */
export const lastModifiedText = (ms: number): string => new Date(ms).toISOString().replace('Z', '+0000')

/** In a list: without its state (spec 02 §2.4). */
export function listed({ version, revisionId, lastModified, code, config }: StoredVersion, name: string, arn: string) {
  return {
    FunctionName: name,
    FunctionArn: arn,
    Runtime: config.runtime,
    Role: config.role,
    Handler: config.handler,
    CodeSize: code.bytes,
    Description: config.description,
    Timeout: config.timeoutSeconds,
    MemorySize: config.memoryMb,
    LastModified: lastModifiedText(lastModified),
    CodeSha256: code.sha256,
    Version: version,
    TracingConfig: { Mode: config.tracing },
    RevisionId: revisionId,
    PackageType: 'Zip',
    Architectures: config.architectures,
    EphemeralStorage: { Size: config.ephemeralStorageMb },
    SnapStart: { ApplyOn: config.snapStart, OptimizationStatus: 'Off' },
    LoggingConfig: loggingOf(config, name),
    ...(config.environment === undefined ? undefined : { Environment: { Variables: config.environment } }),
    ...(config.deadLetterTarget ? { DeadLetterConfig: { TargetArn: config.deadLetterTarget } } : undefined),
    ...(config.kmsKeyArn ? { KMSKeyArn: config.kmsKeyArn } : undefined),
    ...(config.layers === undefined
      ? undefined
      : { Layers: config.layers.map(({ arn, code: { bytes } }) => ({ Arn: arn, CodeSize: bytes })) }),
    ...(config.vpc === undefined ? undefined : { VpcConfig: vpcOf(config.vpc) }),
    ...(config.fileSystems === undefined ? undefined : { FileSystemConfigs: config.fileSystems }),
    ...(config.durable === undefined ? undefined : { DurableConfig: config.durable }),
    ...(config.perTenant === true ? { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } } : undefined),
  }
}

/** On its own. `arn` is qualified with exactly what was asked for. Everything is ready as soon as it is stored. */
export function described(stored: StoredVersion, name: string, arn: string) {
  return { ...listed(stored, name, arn), State: 'Active', LastUpdateStatus: 'Successful' }
}

function loggingOf({ logging }: StoredConfig, name: string) {
  const { format, group, applicationLevel, systemLevel } = logging
  return {
    LogFormat: format,
    ...(applicationLevel === undefined ? undefined : { ApplicationLogLevel: applicationLevel }),
    ...(systemLevel === undefined ? undefined : { SystemLogLevel: systemLevel }),
    LogGroup: group ?? `/aws/lambda/${name}`,
  }
}

/** A network that is not there has no id. */
const vpcOf = ({ subnetIds, securityGroupIds }: NonNullable<StoredConfig['vpc']>) => ({
  SubnetIds: subnetIds,
  SecurityGroupIds: securityGroupIds,
  VpcId: '',
})

export function describedAlias(alias: StoredAlias, functionName: string, place: Place) {
  const { name, version, description, other, revisionId } = alias
  return {
    AliasArn: functionArn(place, functionName, name),
    Name: name,
    FunctionVersion: version,
    Description: description,
    ...(other === undefined
      ? undefined
      : { RoutingConfig: { AdditionalVersionWeights: { [other.version]: other.weight } } }),
    RevisionId: revisionId,
  }
}

export function describedEventInvoke(config: EventInvokeConfig, functionName: string, key: string, place: Place) {
  const { lastModified, retryAttempts, eventAgeSeconds, onSuccess, onFailure } = config
  return {
    LastModified: lastModified / 1000,
    FunctionArn: functionArn(place, functionName, key),
    ...(retryAttempts === undefined ? undefined : { MaximumRetryAttempts: retryAttempts }),
    ...(eventAgeSeconds === undefined ? undefined : { MaximumEventAgeInSeconds: eventAgeSeconds }),
    DestinationConfig: {
      OnSuccess: onSuccess === undefined ? {} : { Destination: onSuccess },
      OnFailure: onFailure === undefined ? {} : { Destination: onFailure },
    },
  }
}

/** Processes that are to be ready are started at once, so what was asked for is there. */
export function describedProvisioned({ requested, lastModified }: ProvisionedConcurrency) {
  return {
    RequestedProvisionedConcurrentExecutions: requested,
    AvailableProvisionedConcurrentExecutions: requested,
    AllocatedProvisionedConcurrentExecutions: requested,
    Status: 'READY',
    LastModified: lastModifiedText(lastModified),
  }
}

export function describedRuntimeUpdates(
  updates: RuntimeUpdates | undefined,
  functionName: string,
  qualifier: string,
  place: Place,
) {
  return {
    UpdateRuntimeOn: updates?.on ?? 'Auto',
    ...(updates?.runtimeVersionArn === undefined ? undefined : { RuntimeVersionArn: updates.runtimeVersionArn }),
    FunctionArn: functionArn(place, functionName, qualifier),
  }
}

/** The stored version that a qualifier shows: the alias's own one for an alias. */
export function shownVersion(record: FunctionRecord, qualifier: string | undefined): StoredVersion | undefined {
  const asked = qualifier ?? '$LATEST'
  if (asked === '$LATEST.PUBLISHED') return record.published.at(-1) ?? record.latest
  const version = aliasOf(record, asked)?.version ?? asked
  return version === '$LATEST' ? record.latest : record.published.find((each) => each.version === version)
}
