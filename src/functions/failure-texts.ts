/** How a failed invocation is told, word for word as the real service does (spec 02 §2.1, 06 §6.4). */
import type { ErrorObject } from '../protocol/shapes.ts'
import type { InvocationResult } from '../service/ports.ts'
import type { LaunchRefusal } from './launch.ts'

/** An invocation's end, before the tail of its log is known. */
export type InvocationEnd =
  | { readonly kind: 'response'; readonly body: Uint8Array }
  | { readonly kind: 'error'; readonly error: ErrorObject; readonly body: string }
  | { readonly kind: 'platform'; readonly error: ErrorObject }

export function withTail(end: InvocationEnd, logTail: string): InvocationResult {
  return { ...end, logTail }
}

/** The largest response of a plain function. */
export const maxResponseBytes = 6_291_556
/** An envelope quotes a result of 6 MB; every byte of it escaped as `\u00xx` stays below this. */
export const maxEnvelopeBytes = 6 * maxResponseBytes

/** How a process ended, as `child_process` says it. */
export interface ProcessEnd {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
}

export function timedOut(requestId: string, seconds: number): InvocationEnd {
  return failure(
    'Sandbox.Timedout',
    `RequestId: ${requestId} Error: Task timed out after ${seconds.toFixed(2)} seconds`,
  )
}

export function exited(requestId: string, { exitCode, signal }: ProcessEnd): InvocationEnd {
  return failure('Runtime.ExitError', `RequestId: ${requestId} Error: ${exitReason(exitCode, signal)}`)
}

function exitReason(exitCode: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `Runtime exited with error: signal: ${signalTexts[signal] ?? signal}`
  if (exitCode === null || exitCode === 0) return 'Runtime exited without providing a reason'
  return `Runtime exited with error: exit status ${exitCode}`
}

/** As the C library names them, in lower case. */
const signalTexts: Readonly<Partial<Record<NodeJS.Signals, string>>> = {
  SIGABRT: 'aborted',
  SIGBUS: 'bus error',
  SIGFPE: 'floating point exception',
  SIGHUP: 'hangup',
  SIGILL: 'illegal instruction',
  SIGINT: 'interrupt',
  SIGKILL: 'killed',
  SIGPIPE: 'broken pipe',
  SIGQUIT: 'quit',
  SIGSEGV: 'segmentation fault',
  SIGTERM: 'terminated',
  SIGTRAP: 'trace/breakpoint trap',
}

/** No process can be started from what was deployed. */
export function launchRefused(requestId: string, { errorType, message }: LaunchRefusal): InvocationEnd {
  return failure(errorType, `RequestId: ${requestId} Error: ${message}`)
}

/** The runtime broke the Runtime API's rules during an invocation (spec 10 §10.1). */
export function misused(requestId: string): InvocationEnd {
  return failure(
    'Runtime.InvalidStateTransition',
    `RequestId: ${requestId} Error: the runtime asked for the next invocation before it ended this one`,
  )
}

export function responseTooLarge(): InvocationEnd {
  const errorMessage = `Response payload size exceeded maximum allowed payload size (${maxResponseBytes} bytes).`
  const errorType = 'Function.ResponseSizeTooLarge'
  return {
    kind: 'error',
    error: { ErrorType: errorType, ErrorMessage: errorMessage },
    body: JSON.stringify({ errorMessage, errorType }),
  }
}

/** A failure on the server's side: the function is not to blame and the invocation may be repeated (decision 17). */
export function platformFailure(message: string): InvocationEnd {
  return { kind: 'platform', error: { ErrorType: 'ServiceException', ErrorMessage: message } }
}

/** Another invocation ended the process that both had: this one did not fail and may be repeated. */
export function neighbourEnded(): InvocationEnd {
  return platformFailure('Another invocation in the same process ended it')
}

/** The body that a runtime posted goes to the caller as it is; the ErrorObject is read from it as far as it can be. */
export function posted(body: string, errorTypeHeader: string | undefined): InvocationEnd {
  const parsed = parseObject(body)
  if (parsed === undefined) {
    const errorType = errorTypeHeader ?? 'Unhandled'
    return {
      kind: 'error',
      error: { ErrorType: errorType, ErrorMessage: body },
      body: JSON.stringify({ errorType, errorMessage: body }),
    }
  }
  const type = text(parsed['errorType']) ?? errorTypeHeader
  const message = text(parsed['errorMessage'])
  const trace = lines(parsed['trace']) ?? lines(parsed['stackTrace'])
  return {
    kind: 'error',
    error: {
      ...(type === undefined ? {} : { ErrorType: type }),
      ...(message === undefined ? {} : { ErrorMessage: message }),
      ...(trace === undefined ? {} : { StackTrace: trace }),
    },
    body,
  }
}

function failure(errorType: string, errorMessage: string): InvocationEnd {
  return {
    kind: 'error',
    error: { ErrorType: errorType, ErrorMessage: errorMessage },
    body: JSON.stringify({ errorType, errorMessage }),
  }
}

function parseObject(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body)
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
    return value as Readonly<Record<string, unknown>>
  } catch {
    // Not JSON: the caller wraps the text.
    return undefined
  }
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

function lines(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((line) => typeof line === 'string') ? value : undefined
}
