/** Prints what a server's functions print, from now on, until told to end. */
import { PerdureClient } from '../client/client.ts'
import { UnreachableError } from '../client/errors.ts'
import { LogFollower } from '../client/log-follower.ts'
import { pause } from './pause.ts'
import { logLine } from './render/log-line.ts'
import type { Terminal } from './terminal.ts'

const pollMs = 200
/** Between two looks hardly more is printed; what is beyond can be read with `perdure logs`. */
const mostLines = 1_000

export interface LogPrinter {
  /** Prints what is left and ends. */
  end(): Promise<void>
}

export function printLogs(endpoint: string, terminal: Terminal): LogPrinter {
  const client = new PerdureClient(endpoint)
  const over = new AbortController()
  const follower = new LogFollower(client, { limit: mostLines, afterMs: Date.now() })
  const done = (async () => {
    while (!over.signal.aborted) {
      await pause(pollMs, over.signal)
      for (const line of await follower.poll()) terminal.out(logLine(line, terminal.paint))
    }
  })().catch((error: unknown) => {
    // The server may be gone before its log was read to the end.
    if (!(error instanceof UnreachableError)) throw error
  })
  return {
    async end() {
      over.abort()
      await done
      client.close()
    },
  }
}
