/** The functions of a `perdure.config.*` as a stack, for a server that gets them instead of reading the file itself. */
import type { FunctionConfiguration } from '../client/responses.ts'
import type { DesiredFunction, DesiredStack, Ignored } from './desired.ts'

export interface DeclaredFunction {
  /** As a server that reads the declaration describes it, with all of its defaults. */
  readonly configuration: FunctionConfiguration
  /** Absolute. */
  readonly file: string
  readonly exportName: string
  readonly environment: Readonly<Record<string, string>>
  readonly concurrency: number | undefined
  /** Members of the declaration for which a function that is deployed has no place. */
  readonly left: readonly string[]
}

/** The newest one; functions run on the server's own Node.js whichever they name. */
const RUNTIME = 'nodejs24.x'

const LEFT: Readonly<Record<string, string>> = {
  maxConcurrency: 'processes of functions that are deployed take one invocation at a time',
  warm: 'keep processes ready with provisioned concurrency of a version',
}

export function declaredStack(stackName: string, account: string, declared: readonly DeclaredFunction[]): DesiredStack {
  return {
    name: stackName,
    layers: [],
    functions: declared.map((each) => deployed(each, account)),
    ignored: declared.flatMap(({ configuration, left }) =>
      left.map((member): Ignored => {
        const what = `${configuration.functionName}.${member}`
        return { place: undefined, what, type: member, reason: LEFT[member] ?? 'there is no such setting' }
      }),
    ),
    standIns: [],
  }
}

function deployed(declared: DeclaredFunction, account: string): DesiredFunction {
  const { configuration, file, exportName, environment, concurrency } = declared
  const { functionName, timeout, memorySize, durableConfig, tenancyConfig } = configuration
  return {
    logicalId: functionName,
    place: undefined,
    name: functionName,
    configuration: {
      runtime: RUNTIME,
      handler: `index.${exportName}`,
      role: `arn:aws:iam::${account}:role/perdure`,
      timeout,
      memorySize,
      environment: { variables: environment },
      durableConfig,
    },
    architecture: undefined,
    perTenant: tenancyConfig !== undefined,
    tags: {},
    source: { kind: 'module', file },
    reservedConcurrency: concurrency,
    recursiveLoop: undefined,
    versions: [],
    aliases: [],
    eventInvoke: [],
    permissions: [],
  }
}
