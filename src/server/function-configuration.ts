/**
 * A function version as a FunctionConfiguration, as far as it is known here: what it says is true of the function as
 * Perdure runs it, what a deployment would have to tell (role, runtime, code hash) is left out (spec 02 §2.4).
 */
import type { Limits } from '../protocol/limits.ts'
import { defaultLogGroup, type FunctionVersion } from '../service/ports.ts'

/** In a list: without its state (spec 02 §2.4). */
export function listedFunction(version: FunctionVersion, arn: string, limits: Limits): object {
  return {
    FunctionName: version.name,
    FunctionArn: arn,
    Version: version.version,
    Description: '',
    PackageType: 'Zip',
    Timeout: version.timeoutSeconds,
    MemorySize: version.memoryMb,
    TracingConfig: { Mode: 'PassThrough' },
    SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
    LoggingConfig: loggingConfig(version),
    ...(version.durable === undefined
      ? undefined
      : { DurableConfig: { RetentionPeriodInDays: limits.retentionDays, ...version.durable } }),
    ...(version.perTenant ? { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } } : undefined),
  }
}

/** On its own. `arn` is qualified with exactly what was asked for. */
export function describeFunction(version: FunctionVersion, arn: string, limits: Limits): object {
  return { ...listedFunction(version, arn, limits), State: 'Active', LastUpdateStatus: 'Successful' }
}

function loggingConfig({ name, logging }: FunctionVersion): object {
  const { format = 'Text', group = defaultLogGroup(name), applicationLevel, systemLevel } = logging ?? {}
  const levels = format === 'JSON' ? { ApplicationLogLevel: applicationLevel, SystemLogLevel: systemLevel } : undefined
  return { LogFormat: format, ...levels, LogGroup: group }
}
