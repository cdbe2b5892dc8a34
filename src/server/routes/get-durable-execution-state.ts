/** Spec 01 §1.2, 05 §5.7. */
import { OPERATIONS } from '../../protocol/operations.ts'
import { wireOperation } from '../../protocol/wire.ts'
import { executionArn, given, pageSize, parseAround } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

const { name, method, path } = OPERATIONS.GetDurableExecutionState

export const getDurableExecutionState: Route = {
  name,
  method,
  path,
  async handle(request, { service }) {
    const input = parseAround(name, request)
    // Authorised by the token, as a checkpoint is.
    const page = await service.state({
      arn: executionArn(input.DurableExecutionArn),
      token: input.CheckpointToken,
      ...given({ marker: input.Marker, maxItems: pageSize(input.MaxItems) }),
    })
    return ok({ Operations: page.Operations.map(wireOperation), NextMarker: page.NextMarker })
  },
}
