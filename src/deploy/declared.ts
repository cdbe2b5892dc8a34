/** What a `perdure.config.*` declares as a stack, for a server that gets them instead of reading the file itself. */
import type { FunctionConfiguration } from '../client/responses.ts'
import { functionArn, type Place } from '../protocol/arn.ts'
import type { DesiredFunction, DesiredStack, Ignored } from './desired.ts'
import { functionReference } from './template/template.ts'

/** What is read of a config file. */
export interface Declared {
  readonly functions: readonly DeclaredFunction[]
  /** Names of functions without code: workers bring it. */
  readonly remote: readonly string[]
  /** Members beside `functions` that are of the server which reads the file. */
  readonly ofServer: readonly string[]
}

export interface DeclaredFunction {
  /** As a server that reads the declaration describes it, with all of its defaults. */
  readonly configuration: FunctionConfiguration
  /** Absolute. */
  readonly file: string
  readonly exportName: string
  readonly environment: Readonly<Record<string, string>>
  readonly concurrency: number | undefined
  readonly asynchronous: DeclaredAsynchronous
  /** Members of the declaration for which a function that is deployed has no place. */
  readonly left: readonly string[]
}

export interface DeclaredAsynchronous {
  readonly retryAttempts?: number
  readonly eventAgeSeconds?: number
  readonly onSuccess?: string
  readonly onFailure?: string
  readonly deadLetterTarget?: string
}

/** The newest one; functions run on the server's own Node.js whichever they name. */
const RUNTIME = 'nodejs24.x'

const LEFT: Readonly<Record<string, string>> = {
  maxConcurrency: 'processes of functions that are deployed take one invocation at a time',
  warm: 'keep processes ready with provisioned concurrency of a version',
}

export function declaredStack(stackName: string, place: Place, declared: Declared): DesiredStack {
  const { functions, remote, ofServer } = declared
  const ignored = (what: string, type: string, reason: string): Ignored => ({ place: undefined, what, type, reason })
  return {
    name: stackName,
    layers: [],
    functions: functions.map((each) => deployed(each, place)),
    ignored: [
      ...functions.flatMap(({ configuration: { functionName }, left }) =>
        left.map((member) => ignored(`${functionName}.${member}`, member, LEFT[member] ?? 'there is no such setting')),
      ),
      ...remote.map((name) => ignored(name, 'remote', 'it has no code here: attach its workers to the server')),
      ...ofServer.map((member) => ignored(member, member, 'a setting of the server itself: give it to that one')),
    ],
    standIns: [],
  }
}

/** In a declaration functions are named, in the API every destination but a URL is an ARN. */
function destination(given: string | undefined, place: Place): string | undefined {
  if (given === undefined || /^(arn|https?):/.test(given)) return given
  const { name, qualifier } = functionReference(given)
  return functionArn(place, name, qualifier)
}

function deployed(declared: DeclaredFunction, place: Place): DesiredFunction {
  const { configuration, file, exportName, environment, concurrency, asynchronous } = declared
  const { retryAttempts, eventAgeSeconds, onSuccess, onFailure, deadLetterTarget } = asynchronous
  const isSet = [retryAttempts, eventAgeSeconds, onSuccess, onFailure].some((each) => each !== undefined)
  const { functionName, timeout, memorySize, loggingConfig, durableConfig, tenancyConfig } = configuration
  return {
    logicalId: functionName,
    place: undefined,
    name: functionName,
    configuration: {
      runtime: RUNTIME,
      handler: `index.${exportName}`,
      role: `arn:${place.partition}:iam::${place.account}:role/perdure`,
      timeout,
      memorySize,
      environment: { variables: environment },
      // What the server says of it is of what it took.
      loggingConfig: loggingConfig as DesiredFunction['configuration']['loggingConfig'],
      durableConfig,
      ...(deadLetterTarget !== undefined && { deadLetterConfig: { targetArn: destination(deadLetterTarget, place) } }),
    },
    architecture: undefined,
    perTenant: tenancyConfig !== undefined,
    isKept: false,
    tags: {},
    source: { kind: 'module', file },
    reservedConcurrency: concurrency,
    recursiveLoop: undefined,
    versions: [],
    aliases: [],
    eventInvoke: isSet
      ? [
          {
            qualifier: '$LATEST',
            maximumRetryAttempts: retryAttempts,
            maximumEventAgeInSeconds: eventAgeSeconds,
            onSuccess: destination(onSuccess, place),
            onFailure: destination(onFailure, place),
          },
        ]
      : [],
    permissions: [],
  }
}
