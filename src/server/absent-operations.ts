/**
 * Operations of the real service that make no sense here. Tools that try them are told why, in an error that they can
 * read, rather than that nobody knows the path.
 */
import { ApiError, type ErrorName } from '../protocol/errors.ts'

interface Area {
  readonly path: RegExp
  readonly reason: string
  readonly error?: ErrorName
}

const AREAS: readonly Area[] = [
  {
    path: /^\/2020-04-22\/code-signing-configs(\/|$)|^\/2020-06-30\/functions\/[^/]+\/code-signing-config$/,
    reason: 'This server checks no signatures of code.',
  },
  {
    path: /^\/2015-03-31\/event-source-mappings(\/|$)/,
    reason: 'This server reads no event sources: have something that does invoke the function.',
  },
  {
    path: /^\/2021-10-31\/functions\/[^/]+\/urls?$/,
    reason: 'Functions have no URLs here: they are invoked with Invoke.',
  },
  {
    path: /^\/2025-11-30\/(capacity-providers(\/|$)|functions\/[^/]+\/function-scaling-config$)/,
    reason: 'This server runs functions on its own machine and has no capacity providers.',
  },
  {
    path: /^\/2026-07-09\/resource-policy\//,
    reason: 'Policies are not enforced here; those of AddPermission are stored.',
  },
  {
    path: /^\/2014-11-13\/functions\/[^/]+\/invoke-async$/,
    reason: 'InvokeAsync is deprecated and not there: use Invoke with the invocation type Event.',
  },
  {
    path: /^\/2021-11-15\/functions\/[^/]+\/response-streaming-invocations$/,
    reason: 'This server streams no responses: use Invoke.',
    error: 'ModeNotSupportedException',
  },
]

/** The error for a path that no route has. */
export function absentOperation(path: string): ApiError | undefined {
  const area = AREAS.find((each) => each.path.test(path))
  return area === undefined ? undefined : new ApiError(area.error ?? 'InvalidParameterValueException', area.reason)
}
