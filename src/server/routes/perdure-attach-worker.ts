/**
 * `GET /perdure/v1/workers/attach`, when it came without the wish to make a WebSocket of its connection. With it the
 * request does not come here (`http-server.ts`).
 */
import { invalidParameter } from '../../protocol/errors.ts'
import { ATTACH_PATH } from '../../protocol/worker-attach.ts'
import type { Route } from '../route.ts'

export const perdureAttachWorker: Route = {
  name: 'perdure.AttachWorker',
  method: 'GET',
  path: ATTACH_PATH,
  async handle() {
    throw invalidParameter('Workers attach with a WebSocket: a proxy on the way must pass these on.')
  },
}
