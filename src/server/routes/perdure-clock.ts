/** `GET /perdure/v1/clock`: the time of a manual clock. */

import { requireManualClock } from '../manual-clock.ts'
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

export const perdureClock: Route = {
  name: 'perdure.Clock',
  method: 'GET',
  path: '/perdure/v1/clock',
  async handle(_request, { clockControl }) {
    return ok({ now: requireManualClock(clockControl).now() })
  },
}
