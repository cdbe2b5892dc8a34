/** `GET /perdure/v1/logs?execution=&function=&request=&after=&limit=`: what functions printed, for the command line. */
import { invalidParameter } from '../../protocol/errors.ts'
import { parseTimestamp } from '../../protocol/timestamps.ts'
import { given } from '../parse.ts'
import { ok } from '../reply.ts'
import type { Route, RouteRequest } from '../route.ts'

const DEFAULT_RECORDS = 1_000
const MOST_RECORDS = 10_000

export const perdureLogs: Route = {
  name: 'perdure.Logs',
  method: 'GET',
  path: '/perdure/v1/logs',
  async handle(request, { logs }) {
    const one = (name: string): string | undefined => request.query.get(name)?.[0]
    const records = await logs.query({
      limit: readLimit(request),
      ...given({
        executionArn: one('execution'),
        functionName: one('function'),
        requestId: one('request'),
        afterMs: readAfter(one('after')),
      }),
    })
    return ok({ records })
  },
}

function readLimit({ query }: RouteRequest): number {
  const text = query.get('limit')?.[0] ?? String(DEFAULT_RECORDS)
  const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (limit < 1 || limit > MOST_RECORDS) throw invalidParameter(`'limit' must be a number from 1 to ${MOST_RECORDS}.`)
  return limit
}

/** Epoch milliseconds, as the records carry them, or an ISO timestamp. */
function readAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = /^\d{1,15}$/.test(text) ? Number(text) : text.includes('T') ? parseTimestamp(text) : undefined
  if (ms === undefined) throw invalidParameter("'after' must be epoch milliseconds or an ISO-8601 timestamp.")
  return ms
}
