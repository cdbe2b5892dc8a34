/** Spec 01 §1.9. */
import { OPERATIONS } from '../../protocol/operations.ts'
import { parseAround } from '../parse.ts'
import { EMPTY } from '../reply.ts'
import type { Route } from '../route.ts'

const { name, method, path } = OPERATIONS.SendDurableExecutionCallbackHeartbeat

export const sendDurableExecutionCallbackHeartbeat: Route = {
  name,
  method,
  path,
  async handle(request, { service }) {
    const input = parseAround(name, request)
    // The callback id is the authorisation: it holds a secret (decision 12).
    await service.heartbeatCallback({ callbackId: input.CallbackId })
    return EMPTY
  },
}
