/** Spec 01 §1.1. The hot path: everything about it is straight code. */
import { readCheckpoint } from '../../protocol/checkpoint-input.ts'
import { ApiError } from '../../protocol/errors.ts'
import { OPERATIONS } from '../../protocol/operations.ts'
import { wireOperation } from '../../protocol/wire.ts'
import { executionArn, parseJson } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

const { name, method, path } = OPERATIONS.CheckpointDurableExecution

export const checkpointDurableExecution: Route = {
  name,
  method,
  path,
  body: {
    maxBytes: (limits) => limits.checkpointBodyBytes,
    tooLarge: (limit) =>
      new ApiError(
        'RequestEntityTooLargeException',
        `Request must be smaller than ${limit} bytes for the ${name} operation`,
      ),
  },
  async handle(request, { service, limits }) {
    const input = readCheckpoint(request.labels[0] ?? '', parseJson(request.body), limits)
    // Whoever holds the token may checkpoint; an ARN of another place has none and is answered as a bad token.
    const result = await service.checkpoint({
      arn: executionArn(input.DurableExecutionArn),
      token: input.CheckpointToken,
      updates: input.Updates,
      ...(input.ClientToken === undefined ? undefined : { clientToken: input.ClientToken }),
    })
    return ok({
      ...(result.CheckpointToken === undefined ? undefined : { CheckpointToken: result.CheckpointToken }),
      NewExecutionState: { Operations: result.NewExecutionState.Operations.map(wireOperation) },
    })
  },
}
