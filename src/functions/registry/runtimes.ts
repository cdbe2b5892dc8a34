/** The runtimes that a function may name (spec 02 §2.4), and what family of them runs it here. */
import { invalidParameter } from '../../protocol/errors.ts'

/** `provided`: an executable `bootstrap`. `other`: known to the real service and not run by this one. */
export type RuntimeFamily = 'node' | 'python' | 'java' | 'provided' | 'other'

const FAMILIES: Readonly<Record<RuntimeFamily, readonly string[]>> = {
  node: ['nodejs20.x', 'nodejs22.x', 'nodejs24.x', 'nodejs26.x'],
  python: ['python3.10', 'python3.11', 'python3.12', 'python3.13', 'python3.14', 'python3.15'],
  java: ['java8.al2', 'java11', 'java17', 'java21', 'java25', 'java8.al2023', 'java11.al2023', 'java17.al2023'],
  provided: ['provided.al2', 'provided.al2023'],
  other: ['dotnet8', 'dotnet10', 'ruby3.2', 'ruby3.3', 'ruby3.4', 'ruby4.0'],
}

const RETIRED =
  /^(nodejs(\d|1\d)(\.x)?(-edge)?|nodejs|python2\.7|python3\.[6-9]|java8|dotnet(core\d.*|[67])|ruby2\.\d|go1\.x|provided)$/

const FAMILY_OF: ReadonlyMap<string, RuntimeFamily> = new Map(
  (Object.entries(FAMILIES) as [RuntimeFamily, readonly string[]][]).flatMap(([family, names]) =>
    names.map((name) => [name, family] as const),
  ),
)

export const RUNTIMES: readonly string[] = [...FAMILY_OF.keys()]

export const familyOf = (runtime: string): RuntimeFamily => FAMILY_OF.get(runtime) ?? 'other'

/** Throws an `ApiError` unless the runtime may be given to a function (spec 02 §2.6). */
export function requireRuntime(runtime: string): void {
  if (FAMILY_OF.has(runtime)) return
  if (RETIRED.test(runtime)) {
    throw invalidParameter(
      `The runtime parameter of ${runtime} is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.`,
    )
  }
  throw invalidParameter(
    `Value ${runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${RUNTIMES.join(', ')}] or be a valid ARN`,
  )
}
