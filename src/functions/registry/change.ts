/** What all commands of the registry have in common. */
import { functionArn, type Place } from '../../protocol/arn.ts'
import { ApiError } from '../../protocol/errors.ts'
import { aliasOf, type CodeReference, type FunctionRecord, versionOf } from './record.ts'

/** What a command needs of the world. */
export interface RegistryFacts {
  readonly now: number
  readonly place: Place
  readonly uuid: () => string
  /** The package of a version of a layer of this place; undefined when there is none, or it was deleted. */
  readonly layerCode: (name: string, version: number) => CodeReference | undefined
}

/** The record as it is after a command, and what the caller is told. A refusal is thrown as an `ApiError`. */
export interface Change<T, Record = FunctionRecord> {
  readonly record: Record
  readonly answer: T
}

export const notFound = (arn: string): ApiError =>
  new ApiError('ResourceNotFoundException', `Function not found: ${arn}`)

/** Optimistic locking: a caller who names a revision means that one and no other (spec 02 §2.6). */
export function requireRevision(current: string, given: string | undefined, toldBy = 'GetFunction/GetAlias'): void {
  if (given === undefined || given === current) return
  throw new ApiError(
    'PreconditionFailedException',
    `The Revision Id provided does not match the latest Revision Id. Call the ${toldBy} API to retrieve the latest Revision Id`,
  )
}

/** A qualifier under which settings are kept: `$LATEST` when none is given; an unknown one is not found. */
export function knownQualifier(record: FunctionRecord, qualifier: string | undefined, place: Place): string {
  const key = qualifier ?? '$LATEST'
  if (versionOf(record, key) !== undefined || aliasOf(record, key) !== undefined) return key
  throw notFound(functionArn(place, record.name, qualifier))
}

/** A copy of a table of settings without one of them. */
export function without<Value>(table: Readonly<Record<string, Value>>, key: string): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(table).filter(([name]) => name !== key))
}
