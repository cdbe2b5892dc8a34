/** `GET /readyz`: recovery is done, the store works, new executions are welcome. */
import { json, ok } from '../reply.ts'
import type { Route } from '../route.ts'

export const readyz: Route = {
  name: 'perdure.Readiness',
  method: 'GET',
  path: '/readyz',
  admission: 'always',
  async handle(_request, { service, waits }) {
    if (waits.closed) return json(503, { status: 'shutting down' })
    if (service.ready) return ok({ status: 'ready' })
    return json(503, { status: service.storeFailed ? 'store failed' : 'recovering' })
  },
}
