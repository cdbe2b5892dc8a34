/** `POST /perdure/v1/clock/advance {"ms": 5000}`: moves a manual clock (decision 24). */
import { ApiError, invalidParameter } from '../../protocol/errors.ts'
import { requireManualClock } from '../manual-clock.ts'
import { parseJson } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

export const perdureClockAdvance: Route = {
  name: 'perdure.AdvanceClock',
  method: 'POST',
  path: '/perdure/v1/clock/advance',
  body: {
    maxBytes: () => 1_024,
    tooLarge: (limit) => new ApiError('RequestEntityTooLargeException', `Request must be smaller than ${limit} bytes.`),
  },
  async handle(request, { clockControl }) {
    const clock = requireManualClock(clockControl)
    await clock.advance(readMs(parseJson(request.body)))
    return ok({ now: clock.now() })
  },
}

function readMs(body: unknown): number {
  const ms = typeof body === 'object' && body !== null && 'ms' in body ? body.ms : undefined
  if (typeof ms === 'number' && Number.isSafeInteger(ms) && ms >= 0) return ms
  throw invalidParameter('The body must be {"ms": <milliseconds>}, a whole number of 0 or more.')
}
