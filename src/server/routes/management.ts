/**
 * Spec 02 §2.5: the operations that manage functions. All are alike: the request becomes typed input, its function is
 * found to be one of this place, the registry does the rest.
 */
import { type ApiError, invalidParameter } from '../../protocol/errors.ts'
import { FUNCTION_OPERATIONS } from '../../protocol/function-operations.ts'
import { type InputOf, OPERATIONS, type OperationSpec } from '../../protocol/operations.ts'
import { ENDING, violation } from '../../protocol/violations.ts'
import { listedFunction } from '../function-configuration.ts'
import { readReference } from '../function-target.ts'
import type { Route, RouteDeps } from '../route.ts'
import { managementRoute } from './management-route.ts'

type Managed = keyof typeof FUNCTION_OPERATIONS

const NAME_LENGTH = 64

const routeOf = <Name extends Managed>(name: Name): Route =>
  managementRoute(name, async (input, _request, deps) => {
    const given = authorise(name, input, deps)
    return versionsOfDeclared(name, given, deps) ?? (await deps.management.perform(name, given))
  })

// --------------------------------------------------------------------------------------- of which function (spec 09 §9.2)

/** The members that say which function is meant; the table tells which an operation has. */
interface References {
  readonly FunctionName?: string
  readonly Qualifier?: string
  readonly Resource?: string
}

/** The input with plain names in place of references; or the error that no function of this place is meant. */
function authorise<Name extends Managed>(name: Name, input: InputOf<Name>, { place }: RouteDeps): InputOf<Name> {
  const { FunctionName, Qualifier, Resource, ...others }: References = input
  if (Resource !== undefined) return { ...input, Resource: taggedArn(Resource, place) }
  if (FunctionName === undefined) return input
  const reference = readReference({ FunctionName, ...(Qualifier !== undefined && { Qualifier }) }, place)
  if (name === 'CreateFunction' && reference.name.length > NAME_LENGTH) throw nameTooLong(FunctionName)
  const { input: members }: OperationSpec = OPERATIONS[name]
  if (reference.qualifier !== undefined && members['Qualifier'] === undefined) throw notQualified()
  const qualified = reference.qualifier === undefined ? undefined : { Qualifier: reference.qualifier }
  return { ...others, FunctionName: reference.name, ...qualified } as unknown as InputOf<Name>
}

/** The ARN of a function, without a qualifier. */
function taggedArn(text: string, place: RouteDeps['place']): string {
  if (!/^arn:[^:]+:lambda:[^:]*:[^:]*:function:[^:]+(:[^:]+)?$/.test(text)) {
    throw violation(
      'resource',
      text,
      ENDING.pattern('arn:aws[a-zA-Z-]*:lambda:[a-z0-9-]+:\\d{12}:function:[a-zA-Z0-9-_]+'),
    )
  }
  const { qualifier } = readReference({ FunctionName: text }, place)
  if (qualifier === undefined) return text
  throw invalidParameter('Tags on function aliases and versions are not supported. Please specify a function ARN.')
}

const notQualified = (): ApiError =>
  invalidParameter(
    'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
  )

const nameTooLong = (text: string): ApiError =>
  invalidParameter(
    `1 validation error detected: Value '${text}' at 'functionName' failed to satisfy constraint: Member must ${ENDING.maxLength(NAME_LENGTH)}`,
  )

/** A declared function has one version, which the server describes as it does everywhere. */
function versionsOfDeclared<Name extends Managed>(
  name: Name,
  input: InputOf<Name>,
  { functions, management, limits }: RouteDeps,
): object | undefined {
  const { FunctionName }: References = input
  if (name !== 'ListVersionsByFunction' || FunctionName === undefined || management.has(FunctionName)) return undefined
  const version = functions.resolve(FunctionName, undefined)
  return version === undefined ? undefined : { Versions: [listedFunction(version, version.arn, limits)] }
}

const names = Object.keys(FUNCTION_OPERATIONS) as Managed[]

export const MANAGEMENT: readonly Route[] = names.map((name) => routeOf(name))
