/** `GET /perdure/v1/workers?function=`: the workers that are attached. */
import { ok } from '../reply.ts'
import type { Route } from '../route.ts'

export const perdureWorkers: Route = {
  name: 'perdure.Workers',
  method: 'GET',
  path: '/perdure/v1/workers',
  async handle({ query }, { functions }) {
    const wanted = query.get('function')?.[0]
    const workers = functions.workers?.() ?? []
    return ok({ workers: workers.filter(({ functionName }) => wanted === undefined || functionName === wanted) })
  },
}
