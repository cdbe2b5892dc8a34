/**
 * How a command fails: one message that names the cause, the consequence and the fix, and an exit code. A stack is
 * shown only for what nobody foresaw, because then it is the only clue.
 */
import { ForeignServerError, InvalidRequestError, RefusedError, UnreachableError } from '../client/errors.ts'

/** Exit codes are part of the interface: scripts depend on them. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const

export interface FailureText {
  /** What is wrong, in one sentence. */
  readonly cause: string
  /** What did not happen because of it. */
  readonly consequence?: string
  /** What to do now. */
  readonly fix?: string
}

export class CliFailure extends Error {
  readonly text: FailureText
  readonly exitCode: number

  constructor(text: FailureText, exitCode: number = EXIT.failed, options?: ErrorOptions) {
    super(text.cause, options)
    this.name = 'CliFailure'
    this.text = text
    this.exitCode = exitCode
  }
}

export const usageFailure = (cause: string, fix: string): CliFailure => new CliFailure({ cause, fix }, EXIT.usage)

const connectionReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'the host name is unknown',
  EAI_AGAIN: 'the host name could not be looked up',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'the host cannot be reached',
  'HTTP 503': 'the server is starting or draining',
}

/** The failure that an error means, or undefined when it is unforeseen. */
export function explain(error: unknown): CliFailure | undefined {
  if (error instanceof CliFailure) return error
  if (error instanceof UnreachableError) {
    return new CliFailure({
      cause: `no Perdure server answers at ${error.endpoint}: ${connectionReasons[error.reason] ?? error.reason}`,
      consequence: neverArrived.has(error.reason) ? 'nothing was done' : 'whether the server did anything is not known',
      fix: 'start one with "perdure start" or "perdure dev <paths>", or name another with --endpoint or PERDURE_ENDPOINT',
    })
  }
  if (error instanceof ForeignServerError) {
    return new CliFailure({
      cause: error.message,
      consequence: 'nothing was done',
      fix: 'check --endpoint and PERDURE_ENDPOINT: another program may listen on that port',
    })
  }
  if (error instanceof InvalidRequestError) {
    return new CliFailure(
      { cause: error.message, consequence: 'nothing was sent', fix: 'correct the value that it names' },
      EXIT.usage,
    )
  }
  if (error instanceof RefusedError) {
    const passing = error.httpStatus >= 500
    return new CliFailure({
      cause: `${error.code}: ${error.message}`,
      consequence: passing ? 'whether it was done is not known' : 'nothing was changed',
      fix: refusalFix(error),
    })
  }
  return undefined
}

/** Reasons for which a request cannot have been carried out. */
const neverArrived = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'HTTP 503'])

function refusalFix(error: RefusedError): string {
  switch (error.code) {
    case 'DurableExecutionAlreadyStartedException':
      return 'use another --name, or the payload that the existing execution was started with'
    case 'CallbackTimeoutException':
      return 'a callback can be completed once; "perdure executions history" shows which are still open'
    case 'TooManyRequestsException':
      return 'try again in a moment'
    case 'ResourceConflictException':
      return 'end the execution first: "perdure executions stop <execution>"'
    case 'ResourceNotFoundException':
      return error.message.startsWith('Function not found')
        ? '"perdure functions list" shows the functions that this server has'
        : '"perdure executions list" shows the executions that this server has'
    case 'RequestTooLargeException':
    case 'RequestEntityTooLargeException':
      return 'send less: keep large data elsewhere and pass where it is'
    case 'InvalidRequestContentException':
    case 'SerializationException':
      return 'send valid JSON'
    default:
      return error.consequence === 'retryable'
        ? "try again; the server's own log says more"
        : 'correct the value that it names; --help shows what a command takes'
  }
}

/** The lines that a failure prints on stderr. */
export function formatFailure(failure: FailureText): readonly string[] {
  return [
    `perdure: ${failure.cause}`,
    ...(failure.consequence === undefined ? [] : [`  so: ${failure.consequence}`]),
    ...(failure.fix === undefined ? [] : [`  fix: ${failure.fix}`]),
  ]
}
