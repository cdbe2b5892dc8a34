/** Policies of functions and of versions of layers: statements under ids, with a revision (spec 02 §2.6). */
import { ApiError } from '../../protocol/errors.ts'
import { requireRevision } from './change.ts'
import type { StoredPolicy } from './record.ts'

interface Writing {
  /** That the caller means; undefined: whichever there is. */
  readonly given: string | undefined
  /** Of the policy as it will be. */
  readonly next: () => string
  /** The operation that tells the revision, for the error that it is another one. */
  readonly toldBy?: string
}

export function withStatement(
  before: StoredPolicy | undefined,
  statement: StoredPolicy['statements'][number],
  { given, next, toldBy }: Writing,
): StoredPolicy {
  if (given !== undefined) requireRevision(before?.revisionId ?? '', given, toldBy)
  if (before?.statements.some(({ id }) => id === statement.id)) {
    throw new ApiError(
      'ResourceConflictException',
      `The statement id (${statement.id}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
    )
  }
  return { revisionId: next(), statements: [...(before?.statements ?? []), statement] }
}

/** Undefined: the policy is gone with its last statement. */
export function withoutStatement(
  before: StoredPolicy,
  id: string,
  { given, next, toldBy }: Writing,
): StoredPolicy | undefined {
  requireRevision(before.revisionId, given, toldBy)
  const statements = before.statements.filter((each) => each.id !== id)
  if (statements.length === before.statements.length) throw statementNotFound(id)
  return statements.length === 0 ? undefined : { revisionId: next(), statements }
}

export const statementNotFound = (id: string): ApiError =>
  new ApiError('ResourceNotFoundException', `Statement ${id} is not found in resource policy.`)

/** As JSON, with its revision. */
export function shownPolicy({ revisionId, statements }: StoredPolicy): {
  readonly json: string
  readonly revisionId: string
} {
  const all = statements.map(({ json }) => JSON.parse(json) as unknown)
  return { json: JSON.stringify({ Version: '2012-10-17', Id: 'default', Statement: all }), revisionId }
}
