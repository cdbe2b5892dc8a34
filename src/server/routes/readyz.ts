/** `GET /readyz`: recovery is done, new executions are welcome. */
import { json, ok } from '../reply.ts'
import type { Route } from '../route.ts'

export const readyz: Route = {
  name: 'perdure.Readiness',
  method: 'GET',
  path: '/readyz',
  admission: 'always',
  async handle(_request, { service, waits }) {
    if (waits.closed) return json(503, { status: 'shutting down' })
    return service.ready ? ok({ status: 'ready' }) : json(503, { status: 'recovering' })
  },
}
