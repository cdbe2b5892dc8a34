/** `GET /metrics`: everything that is measured, for Prometheus. `docs/metrics.md` says what each figure means. */
import { PROMETHEUS_CONTENT_TYPE, prometheusText } from '../prometheus-text.ts'
import type { Route } from '../route.ts'

export const metrics: Route = {
  name: 'perdure.Metrics',
  method: 'GET',
  path: '/metrics',
  admission: 'always',
  async handle(_request, deps) {
    return { status: 200, contentType: PROMETHEUS_CONTENT_TYPE, body: prometheusText(deps.metrics.families()) }
  },
}
