import { type Failure, failureOf, RuntimeError } from './failure.ts'
import { createContext } from './invocation-context.ts'
import type { Handler } from './load-handler.ts'
import type { Invocation } from './runtime-client.ts'

export type Outcome =
  | { readonly kind: 'response'; readonly body: string }
  | { readonly kind: 'failure'; readonly failure: Failure }

/**
 * Runs the handler once. The first of these decides the outcome: the callback was called, the promise settled, a
 * plain value was returned, or the event loop ran empty, in which case nothing can call back any more: a handler
 * that promised something has failed, a callback-style one answers `null`.
 *
 * With `several` invocations in the process nothing says what of the event loop belongs to this one: a callback's
 * result is posted at once, and a handler that takes no callback and returns nothing answers `null` at once.
 */
export function serve(handler: Handler, invocation: Invocation, several: boolean): Promise<Outcome> {
  return new Promise((resolve) => {
    const context = createContext(invocation, !several)
    let decided = false
    let promised = false

    const settle = (decide: () => Outcome): void => {
      process.removeListener('beforeExit', onEmptyLoop)
      resolve(decide())
    }
    const onEmptyLoop = (): void => {
      if (decided) return
      decided = true
      settle(() => (promised ? { kind: 'failure', failure: failureOf(neverSettled()) } : respond(undefined)))
    }
    const decide = (outcome: () => Outcome): void => {
      if (decided) return
      decided = true
      settle(outcome)
    }
    const callback = (error?: unknown, result?: unknown): void => {
      if (decided) return
      decided = true
      const failed = error !== undefined && error !== null
      const outcome = (): Outcome => (failed ? fail(error) : respond(result))
      // Errors are posted at once; a result waits for whatever the function left running (the documented default).
      if (failed || !context.callbackWaitsForEmptyEventLoop) settle(outcome)
      else process.once('beforeExit', () => settle(outcome))
    }

    process.on('beforeExit', onEmptyLoop)
    try {
      const result = handler(JSON.parse(invocation.event), context, callback)
      if (isThenable(result)) {
        promised = true
        result.then(
          (value) => decide(() => respond(value)),
          (error) => decide(() => fail(error)),
        )
      } else if (result !== undefined || (several && handler.length < 3)) {
        decide(() => respond(result))
      }
    } catch (error) {
      decide(() => fail(error))
    }
  })
}

function respond(value: unknown): Outcome {
  try {
    return { kind: 'response', body: JSON.stringify(value) ?? 'null' }
  } catch (error) {
    return fail(new RuntimeError('Runtime.MarshalError', `Unable to stringify response body: ${String(error)}`))
  }
}

const fail = (thrown: unknown): Outcome => ({ kind: 'failure', failure: failureOf(thrown) })

const neverSettled = (): Error =>
  new RuntimeError(
    'Runtime.NodeJsExit',
    'The handler returned a promise that was not settled when nothing was left to run, so it never can be.',
  )

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  )
}
