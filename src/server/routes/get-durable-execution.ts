/** Spec 01 §1.3. */
import { OPERATIONS } from '../../protocol/operations.ts'
import { wireExecution } from '../../protocol/wire.ts'
import { authoriseExecution, parseAround } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

const { name, method, path } = OPERATIONS.GetDurableExecution

export const getDurableExecution: Route = {
  name,
  method,
  path,
  async handle(request, { service, place }) {
    const input = parseAround(name, request)
    const arn = authoriseExecution(input.DurableExecutionArn, place)
    const description = await service.describe({ arn, includeData: input.IncludeExecutionData ?? true })
    return ok(wireExecution(description))
  },
}
