/** Spec 01 §1.8. The body is the ErrorObject itself; an empty one, or none, means that no error was given. */
import { invalidParameter } from '../../protocol/errors.ts'
import { OPERATIONS } from '../../protocol/operations.ts'
import { given, parse, sdkInvocationId } from '../parse.ts'
import { EMPTY } from '../reply.ts'
import type { Route } from '../route.ts'

const { name, method, path } = OPERATIONS.SendDurableExecutionCallbackFailure

export const sendDurableExecutionCallbackFailure: Route = {
  name,
  method,
  path,
  body: {
    maxBytes: (limits) => limits.callbackErrorBytes,
    tooLarge: (limit) => invalidParameter(`Error object size must be less than or equal to ${limit} bytes.`),
  },
  async handle(request, { service }) {
    const input = parse(name, request)
    // The callback id is the authorisation: it holds a secret (decision 12).
    await service.completeCallback({
      callbackId: input.CallbackId,
      outcome: 'FAILED',
      error: input.Error ?? {},
      ...given({ sdkInvocationId: sdkInvocationId(request.headers) }),
    })
    return EMPTY
  },
}
