/** The worker's end of a channel: answers each request in turn, and turns what is thrown into data. */
import { parentPort } from 'node:worker_threads'
import { failureOf } from './failure.ts'
import type { Closing, Reply } from './messages.ts'

export interface WorkerRole<Request extends { readonly kind: string }> {
  /** The value of the reply. */
  answer(request: Request): unknown
  close(request: Closing): void
}

/** Opens the role, reports its `ready` value as the first reply and serves until it is asked to close. */
export function serve<Request extends { readonly kind: string }>(
  open: () => { readonly role: WorkerRole<Request>; readonly ready: unknown },
): void {
  const port = parentPort
  if (port === null) throw new Error('This module is the entry of a worker thread.')
  const answered = attempt(open)
  if (!answered.ok) {
    port.postMessage(answered)
    return
  }
  const { role, ready } = answered.value
  port.on('message', (request: Request | Closing) => {
    if (isClosing(request)) {
      port.postMessage(attempt(() => role.close(request)))
      port.close()
      return
    }
    port.postMessage(attempt(() => role.answer(request)))
  })
  port.postMessage({ ok: true, value: ready })
}

function attempt<Value>(call: () => Value): Reply<Value> {
  try {
    return { ok: true, value: call() }
  } catch (error) {
    return { ok: false, failure: failureOf(error) }
  }
}

const isClosing = (request: { readonly kind: string }): request is Closing => request.kind === 'close'
