/** Spec 01 §1.10. Answered when the request is durable; the data goes afterwards. */
import { OPERATIONS } from '../../protocol/operations.ts'
import { epochSeconds } from '../../protocol/wire.ts'
import { authoriseExecution, parseAround } from '../parse.ts'
import { json } from '../reply.ts'
import type { Route } from '../route.ts'

const { name, method, path, status } = OPERATIONS.DeleteDurableExecution

export const deleteDurableExecution: Route = {
  name,
  method,
  path,
  async handle(request, { service, place }) {
    const input = parseAround(name, request)
    const arn = authoriseExecution(input.DurableExecutionArn, place)
    const { DeletionRequestTimestamp } = await service.delete({ arn })
    return json(status, { DeletionRequestTimestamp: epochSeconds(DeletionRequestTimestamp) })
  },
}
