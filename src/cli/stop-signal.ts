/**
 * SIGINT and SIGTERM as an AbortSignal. The first asks the command to finish what it does and return; the second ends
 * the process at once, for whoever does not want to wait.
 */
import { EXIT } from './failure.ts'
import type { Terminal } from './terminal.ts'

export function stopSignal(terminal: Terminal): AbortSignal {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) {
      terminal.err('perdure: stopped without waiting')
      process.exit(EXIT.interrupted)
    }
    controller.abort(new Error('stopped by a signal'))
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return controller.signal
}
