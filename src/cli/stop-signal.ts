/**
 * SIGINT and SIGTERM as an AbortSignal. The first asks the command to finish what it does and return; a later one ends
 * the process at once, for whoever does not want to wait. Signals that follow within a second are the same wish: a
 * Ctrl-C reaches the whole process group, and npm and the launcher pass on what they got as well.
 */
import { EXIT } from './failure.ts'
import type { Terminal } from './terminal.ts'

const sameWishMs = 1_000

export function stopSignalOf(terminal: Terminal): () => AbortSignal {
  let signal: AbortSignal | undefined
  return () => {
    signal ??= listen(terminal)
    return signal
  }
}

function listen(terminal: Terminal): AbortSignal {
  const controller = new AbortController()
  let firstAt = 0
  const onSignal = () => {
    if (controller.signal.aborted) {
      if (performance.now() - firstAt < sameWishMs) return
      terminal.err('perdure: stopped without waiting')
      process.exit(EXIT.interrupted)
    }
    firstAt = performance.now()
    controller.abort(new Error('stopped by a signal'))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return controller.signal
}
