/**
 * Spec 01 §1.5. Without a qualifier: the executions of all versions (spec 12.2 row 2). A function or version that is not
 * there any more has its executions listed as long as they are kept, for somebody must find those that still wait.
 */
import { functionArn } from '../../protocol/arn.ts'
import { OPERATIONS } from '../../protocol/operations.ts'
import { wireExecution } from '../../protocol/wire.ts'
import { functionNotFound, readReference } from '../function-target.ts'
import { given, pageSize, parseAround } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route, RouteDeps } from '../route.ts'

const { name, method, path } = OPERATIONS.ListDurableExecutionsByFunction

export const listDurableExecutionsByFunction: Route = {
  name,
  method,
  path,
  async handle(request, deps) {
    const input = parseAround(name, request)
    const reference = readReference(input, deps.place)
    const { name: functionName, qualifier } = reference
    const version = deps.functions.resolve(functionName, qualifier)?.version ?? (await gone(reference, deps))
    const page = await deps.service.list({
      functionName,
      oldestFirst: input.ReverseOrder ?? false,
      ...given({
        version: qualifier === undefined ? undefined : version,
        name: input.DurableExecutionName,
        statuses: input.Statuses,
        startedAfter: input.StartedAfter,
        startedBefore: input.StartedBefore,
        marker: input.Marker,
        maxItems: pageSize(input.MaxItems),
      }),
    })
    return ok({
      DurableExecutions: page.DurableExecutions.map(wireExecution),
      ...given({ NextMarker: page.NextMarker }),
    })
  },
}

/** The version that is not there and has executions; else the error that there is none. */
async function gone(
  { name: functionName, qualifier }: ReturnType<typeof readReference>,
  { service, place }: RouteDeps,
): Promise<string | undefined> {
  const all = { functionName, ...given({ version: qualifier }), oldestFirst: false, maxItems: 1 }
  const { DurableExecutions } = await service.list(all)
  if (DurableExecutions.length > 0) return qualifier
  throw functionNotFound(functionArn(place, functionName, qualifier))
}
