/** From a function reference and a Qualifier to the version that is meant (spec 02 §2.1, 09 §9.2). */
import { functionArn, type Place, parseFunctionReference } from '../protocol/arn.ts'
import { FUNCTION_NAME } from '../protocol/constraints.ts'
import { ApiError, invalidParameter } from '../protocol/errors.ts'
import { ENDING, violation } from '../protocol/violations.ts'
import type { Functions, FunctionVersion } from '../service/ports.ts'

export interface FunctionTarget {
  readonly version: FunctionVersion
  /** As asked for: `prod`, `3`, `$LATEST`; undefined when nothing was. */
  readonly qualifier: string | undefined
  /** Qualified with exactly what was asked for. */
  readonly arn: string
}

export function findTarget(
  input: { readonly FunctionName: string; readonly Qualifier?: string },
  deps: { readonly functions: Functions; readonly place: Place },
): FunctionTarget {
  const { name, qualifier } = readReference(input, deps.place)
  const arn = functionArn(deps.place, name, qualifier)
  const version = deps.functions.resolve(name, qualifier)
  if (version === undefined) throw functionNotFound(arn)
  return { version, qualifier, arn }
}

export const functionNotFound = (arn: string): ApiError =>
  new ApiError('ResourceNotFoundException', `Function not found: ${arn}`)

/** The name and the qualifier, wherever it was given; or the error that no function of this place can be meant. */
export function readReference(
  input: { readonly FunctionName: string; readonly Qualifier?: string },
  place: Place,
): { readonly name: string; readonly qualifier: string | undefined } {
  const reference = parseFunctionReference(input.FunctionName)
  if (reference === undefined) throw malformed(input.FunctionName)
  requireThisPlace(reference, place)
  if (reference.qualifier !== undefined && input.Qualifier !== undefined && reference.qualifier !== input.Qualifier) {
    throw invalidParameter('The derived qualifier from the function name does not match the specified qualifier.')
  }
  return { name: reference.name, qualifier: reference.qualifier ?? input.Qualifier }
}

function requireThisPlace(
  reference: { readonly region: string | undefined; readonly account: string | undefined },
  place: Place,
): void {
  const { region, account } = reference
  if (region !== undefined && region !== place.region) {
    const text = `Functions from '${region}' are not reachable in this region ('${place.region}')`
    throw new ApiError('ResourceNotFoundException', text)
  }
  if (account !== undefined && account !== place.account) {
    throw new ApiError('AccessDeniedException', `Functions of account '${account}' are not reachable here.`)
  }
}

/** An ARN that lacks parts passes the pattern (spec 09 §9.2 rule 2) and is answered as if it did not. */
const malformed = (functionName: string): ApiError =>
  violation('functionName', functionName, ENDING.pattern(FUNCTION_NAME.pattern ?? ''))
