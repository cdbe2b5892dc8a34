/** Tells those who wait on behalf of a client that it has gone. */
import type { ServerResponse } from 'node:http'
import { ClientGone } from './read-body.ts'

/** The signal is made when first asked for: most requests never wait. */
export interface Gone {
  readonly signal: AbortSignal
}

export function clientGone(response: ServerResponse): Gone {
  let controller: AbortController | undefined
  return {
    get signal() {
      if (controller === undefined) {
        const made = new AbortController()
        controller = made
        if (response.destroyed || response.closed) made.abort(new ClientGone())
        // It is closed too when all is well: then nobody waits any more who would have to be told.
        else response.once('close', () => response.writableEnded || made.abort(new ClientGone()))
      }
      return controller.signal
    },
  }
}
