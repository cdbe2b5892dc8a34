/** `GET /healthz`: the process answers. */
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

export const healthz: Route = {
  name: 'perdure.Health',
  method: 'GET',
  path: '/healthz',
  admission: 'always',
  async handle() {
    return ok({ status: 'ok' })
  },
}
