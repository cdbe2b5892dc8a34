/** `GET /perdure/v1/version`. */
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'
import { PERDURE_VERSION } from '../version.ts'

export const perdureVersion: Route = {
  name: 'perdure.Version',
  method: 'GET',
  path: '/perdure/v1/version',
  async handle(_request, { place }) {
    return ok({ name: 'perdure', version: PERDURE_VERSION, node: process.version, place })
  },
}
