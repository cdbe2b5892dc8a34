/** Spec 01 §1.5. Without a qualifier: the executions of all versions (spec 12.2 row 2). */
import { OPERATIONS } from '../../protocol/operations.ts'
import { wireExecution } from '../../protocol/wire.ts'
import { findTarget } from '../function-target.ts'
import { given, pageSize, parseAround } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

const { name, method, path } = OPERATIONS.ListDurableExecutionsByFunction

export const listDurableExecutionsByFunction: Route = {
  name,
  method,
  path,
  async handle(request, { service, functions, place }) {
    const input = parseAround(name, request)
    const target = findTarget(input, { functions, place })
    const page = await service.list({
      functionName: target.version.name,
      oldestFirst: input.ReverseOrder ?? false,
      ...given({
        version: target.qualifier === undefined ? undefined : target.version.version,
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
