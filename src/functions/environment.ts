/**
 * The environment of a function process (spec 10 §10.2). Nothing of the server's own environment reaches it but what
 * a program needs to run at all: a server's secrets are not its functions'.
 */
import type { FunctionLogging } from '../service/ports.ts'
import type { Launch } from './launch.ts'

export interface EnvironmentOf {
  /** Variables of the server (`isolation/isolation.ts`). */
  readonly inherited: Readonly<Record<string, string>>
  readonly functionName: string
  readonly version: string
  readonly memoryMb: number
  /** Invocations at a time in the process. */
  readonly maxConcurrency: number
  readonly region: string
  /** `127.0.0.1:port` of the process's own listener. */
  readonly runtimeAuthority: string
  readonly logStream: string
  readonly logging: FunctionLogging
}

/** Set by the server alone; a declaration that names one is refused. */
export const reservedVariables: ReadonlySet<string> = new Set([
  '_HANDLER',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_MAX_CONCURRENCY',
  'AWS_LAMBDA_RUNTIME_API',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
])

export function environmentOf(launch: Launch, place: EnvironmentOf): Readonly<Record<string, string>> {
  return {
    ...place.inherited,
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    AWS_REGION: place.region,
    AWS_DEFAULT_REGION: place.region,
    // Any credentials will do for this server; without some, clients search for them and wait.
    AWS_ACCESS_KEY_ID: 'perdure',
    AWS_SECRET_ACCESS_KEY: 'perdure',
    AWS_SESSION_TOKEN: 'perdure',
    AWS_LAMBDA_LOG_FORMAT: place.logging.format,
    ...(place.logging.format === 'JSON' ? { AWS_LAMBDA_LOG_LEVEL: place.logging.applicationLevel } : {}),
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    AWS_XRAY_DAEMON_ADDRESS: '127.0.0.1:2000',
    AWS_ENDPOINT_URL_LAMBDA: `http://${place.runtimeAuthority}`,
    ...launch.defaults,
    ...launch.environment,
    AWS_LAMBDA_RUNTIME_API: place.runtimeAuthority,
    AWS_LAMBDA_FUNCTION_NAME: place.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: place.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(place.memoryMb),
    ...(place.maxConcurrency === 1 ? {} : { AWS_LAMBDA_MAX_CONCURRENCY: String(place.maxConcurrency) }),
    AWS_LAMBDA_LOG_GROUP_NAME: place.logging.group,
    AWS_LAMBDA_LOG_STREAM_NAME: place.logStream,
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    ...(launch.runtime === undefined ? {} : { AWS_EXECUTION_ENV: `AWS_Lambda_${launch.runtime}` }),
    LAMBDA_TASK_ROOT: launch.taskRoot,
    LAMBDA_RUNTIME_DIR: launch.runtimeDirectory,
    _HANDLER: launch.handler,
  }
}
