/** Spec 01 §1.7. The body is the result itself, kept as text and never parsed; none means no result. */
import { isUtf8 } from 'node:buffer'
import { invalidParameter } from '../../protocol/errors.ts'
import { OPERATIONS } from '../../protocol/operations.ts'
import { ENDING, violation } from '../../protocol/violations.ts'
import { given, parseAround, sdkInvocationId } from '../parse.ts'
import { EMPTY } from '../reply.ts'
import type { Route } from '../route.ts'

const { name, method, path } = OPERATIONS.SendDurableExecutionCallbackSuccess

export const sendDurableExecutionCallbackSuccess: Route = {
  name,
  method,
  path,
  body: {
    maxBytes: (limits) => limits.callbackResultBytes,
    tooLarge: (limit) => violation('result', undefined, ENDING.maxLength(limit)),
  },
  async handle(request, { service }) {
    const input = parseAround(name, request)
    // The callback id is the authorisation: it holds a secret (decision 12).
    if (!isUtf8(request.body)) throw invalidParameter('The result of a callback must be valid UTF-8.')
    await service.completeCallback({
      callbackId: input.CallbackId,
      outcome: 'SUCCEEDED',
      ...given({
        result: request.body.length === 0 ? undefined : request.body.toString(),
        sdkInvocationId: sdkInvocationId(request.headers),
      }),
    })
    return EMPTY
  },
}
