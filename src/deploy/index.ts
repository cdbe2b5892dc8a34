/**
 * Deploying: from what users have (a SAM or CloudFormation template, an assembly of the CDK, functions that a
 * configuration declares) to functions on a server, through the API that every other program uses.
 *
 *     text → template/ → stack.ts → the stack as it is to be ┐
 *                        package/ → packages                 ├→ plan.ts → steps → apply.ts
 *              the server → actual.ts → what is there        ┘
 *
 * Everything up to the plan changes nothing but caches of build tools, and everything but `package/`, `actual.ts` and
 * `apply.ts` is pure.
 */
import type { PerdureClient } from '../client/client.ts'
import { type ActualStack, readActual } from './actual.ts'
import type { DesiredStack } from './desired.ts'
import { type BuiltPackage, buildLayer, buildPackage } from './package/build.ts'
import { deletionsOf, keptOf, planStack, type StackPlan, uploadsOf } from './plan.ts'
import { DeployProblems, Problems } from './problem.ts'
import { STACK_TAG } from './tags.ts'

export { applyPlan, deleteFunction, type FunctionOutcome } from './apply.ts'
export { type AssemblyStack, readAssembly } from './assembly.ts'
export { type Declared, declaredStack } from './declared.ts'
export type { DesiredStack } from './desired.ts'
export { type Deletion, type FunctionPlan, isSettled, type StackPlan } from './plan.ts'
export { DeployProblems, type Problem, placeText, TemplateProblem } from './problem.ts'
export { readSamConfig, type SamConfig } from './samconfig.ts'
export { readStack } from './stack.ts'
export { worldOf } from './template/pseudo-parameters.ts'

export interface PreparedStack {
  readonly plan: StackPlan
  /** Of the functions and layers whose code is uploaded, by logical id: the others' need no memory. */
  readonly packages: ReadonlyMap<string, Uint8Array>
}

/** Builds the packages, asks the server what it has, and says what there is to do. Throws `DeployProblems`. */
export async function prepareStack(client: PerdureClient, desired: DesiredStack): Promise<PreparedStack> {
  const problems = new Problems()
  const packages = new Map<string, BuiltPackage>()
  const made: (readonly [string, () => Promise<BuiltPackage>])[] = [
    ...desired.layers.map((each) => [each.logicalId, () => buildLayer(each)] as const),
    ...desired.functions.map((each) => [each.logicalId, () => buildPackage(each)] as const),
  ]
  for (const [logicalId, build] of made) {
    const built = await problems.attemptAsync(build)
    if (built !== undefined) packages.set(logicalId, built)
  }
  problems.throwIfAny()
  const actual = await readActual(client, desired.name, desired)
  const hashes = new Map([...packages].map(([logicalId, { sha256 }]) => [logicalId, sha256]))
  const plan = planStack(desired, actual, hashes)
  if (plan.problems.length > 0) throw new DeployProblems(plan.problems)
  const uploads = uploadsOf(plan)
  const needed = [...packages].filter(([logicalId]) => uploads.has(logicalId))
  return { plan, packages: new Map(needed.map(([logicalId, { bytes }]) => [logicalId, bytes])) }
}

/** In the order of their names. */
export async function stackNames(client: PerdureClient): Promise<readonly string[]> {
  const names = new Set<string>()
  for await (const { functionArn } of client.functions()) {
    const { tags } = await client.listTags({ resource: functionArn })
    if (tags[STACK_TAG] !== undefined) names.add(tags[STACK_TAG])
  }
  return [...names].sort()
}

/** The functions that a server has of a stack: what is deleted with it, and what stays. */
export async function functionsOf(
  client: PerdureClient,
  stackName: string,
): Promise<Pick<StackPlan, 'deletions' | 'kept'>> {
  const { functions }: ActualStack = await readActual(client, stackName, { functions: [], layers: [] })
  const own = [...functions.values()].filter(({ tags }) => tags[STACK_TAG] === stackName)
  return { deletions: deletionsOf(own), kept: keptOf(own) }
}
