/** Spec 01 §1.4. */
import { OPERATIONS } from '../../protocol/operations.ts'
import { wireEvent } from '../../protocol/wire.ts'
import { authoriseExecution, given, pageSize, parseAround } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

const { name, method, path } = OPERATIONS.GetDurableExecutionHistory

export const getDurableExecutionHistory: Route = {
  name,
  method,
  path,
  async handle(request, { service, place }) {
    const input = parseAround(name, request)
    const arn = authoriseExecution(input.DurableExecutionArn, place)
    const page = await service.history({
      arn,
      includeData: input.IncludeExecutionData ?? true,
      reverse: input.ReverseOrder ?? false,
      ...given({ marker: input.Marker, maxItems: pageSize(input.MaxItems) }),
    })
    return ok({ Events: page.Events.map(wireEvent), ...given({ NextMarker: page.NextMarker }) })
  },
}
