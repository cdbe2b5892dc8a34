/** Spec 01 §1.6. The body is the ErrorObject itself; none, or an empty one, stores an empty error. */
import { invalidParameter } from '../../protocol/errors.ts'
import { OPERATIONS } from '../../protocol/operations.ts'
import { epochSeconds } from '../../protocol/wire.ts'
import { authoriseExecution, parse } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

const { name, method, path } = OPERATIONS.StopDurableExecution

export const stopDurableExecution: Route = {
  name,
  method,
  path,
  body: {
    maxBytes: (limits) => limits.callbackErrorBytes,
    tooLarge: (limit) => invalidParameter(`Error object size must be less than or equal to ${limit} bytes.`),
  },
  async handle(request, { service, place }) {
    const input = parse(name, request)
    const arn = authoriseExecution(input.DurableExecutionArn, place)
    const { StopTimestamp } = await service.stop({ arn, error: input.Error ?? {} })
    return ok({ StopTimestamp: epochSeconds(StopTimestamp) })
  },
}
