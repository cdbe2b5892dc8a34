/**
 * `POST /perdure/v1/noop`: reads and parses the body and answers as many bytes as a checkpoint with two updates does.
 * The benchmark's floor: what HTTP alone costs.
 */
import { ApiError } from '../../protocol/errors.ts'
import { wireOperation } from '../../protocol/wire.ts'
import { parseJson } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

const STARTED_MS = 1_764_547_200_120
const STEP = { Name: 'reserve', Type: 'STEP', SubType: 'Step', StartTimestamp: STARTED_MS } as const
const OPERATIONS = [
  { ...STEP, Id: 'c4ca4238a0b92382', Status: 'STARTED', StepDetails: { Attempt: 0 } },
  {
    ...STEP,
    Id: 'c81e728d9d4c2f63',
    Status: 'SUCCEEDED',
    EndTimestamp: STARTED_MS,
    StepDetails: { Attempt: 1, Result: '{"ok":true}' },
  },
] as const

export const perdureNoop: Route = {
  name: 'perdure.Noop',
  method: 'POST',
  path: '/perdure/v1/noop',
  body: {
    maxBytes: (limits) => limits.checkpointBodyBytes,
    tooLarge: (limit) => new ApiError('RequestEntityTooLargeException', `Request must be smaller than ${limit} bytes.`),
  },
  async handle(request) {
    parseJson(request.body)
    return ok({ CheckpointToken: '0'.repeat(96), NewExecutionState: { Operations: OPERATIONS.map(wireOperation) } })
  },
}
