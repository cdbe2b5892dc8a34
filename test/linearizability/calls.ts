/**
 * The calls of a history, as the model knows them: what was asked and what was answered, with everything left out that
 * no rule speaks about. ARNs, tokens, callback ids and request ids are short symbols (`A1`, `t4`, `c2`, `r1`) that
 * stand for the texts of the wire one to one.
 *
 * Not only clients make calls. That an invocation begins, how its function ends it, and what a killed server did
 * before it died, are calls of the *service* and its functions in the same history.
 */
import type { Call as AnyCall } from './checker.ts'

export type Update =
  | { readonly type: 'STEP'; readonly action: 'START'; readonly id: string }
  | { readonly type: 'STEP'; readonly action: 'SUCCEED' | 'FAIL'; readonly id: string; readonly text: string }
  | { readonly type: 'CALLBACK'; readonly action: 'START'; readonly id: string }
  | { readonly type: 'EXECUTION'; readonly action: 'SUCCEED' | 'FAIL'; readonly text: string }

/** How a function ends its invocation. */
export type Output =
  | { readonly kind: 'pending' }
  | { readonly kind: 'succeeded' | 'failed'; readonly text: string }
  /** It threw, or its process ended. */
  | { readonly kind: 'crashed' }

export type Request =
  | { readonly kind: 'start'; readonly payload: string }
  | {
      readonly kind: 'checkpoint'
      readonly arn: string
      readonly token: string
      /** The execution that the token was minted for. */
      readonly mintedFor: string
      readonly clientToken: string | undefined
      readonly updates: readonly Update[]
    }
  | { readonly kind: 'state'; readonly arn: string; readonly token: string; readonly mintedFor: string }
  | { readonly kind: 'describe' | 'history' | 'delete'; readonly arn: string }
  | { readonly kind: 'stop'; readonly arn: string; readonly error: string }
  | {
      readonly kind: 'callback'
      readonly verb: 'succeed' | 'fail' | 'heartbeat'
      readonly callbackId: string
      readonly text: string
      /** `amz-sdk-invocation-id`: the same in all attempts of one call. */
      readonly attempt: string | undefined
    }
  /** An invocation reached its function, or (answer unknown) was begun and never did because the server died. */
  | { readonly kind: 'invocation' }
  | { readonly kind: 'end'; readonly requestId: string; readonly output: Output }
  /** The server is killed: what ran is lost. */
  | { readonly kind: 'kill' }
  /** A server that starts finds an outcome that the lost invocation had fixed, and records it. */
  | { readonly kind: 'recovery' }

/** An operation but the EXECUTION itself. `text` is its result or error. */
export interface OperationView {
  readonly id: string
  readonly status: 'STARTED' | 'SUCCEEDED' | 'FAILED'
  readonly text: string | undefined
  readonly callbackId: string | undefined
}

export type Status = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'STOPPED' | 'DELETING'

export type Answer =
  | { readonly kind: 'started'; readonly arn: string }
  /** The name is taken by an execution with another payload, or one that is being deleted. */
  | { readonly kind: 'taken'; readonly arn: string }
  | {
      readonly kind: 'checkpointed'
      readonly token: string | undefined
      readonly operations: readonly OperationView[]
      /** What else the answer said (its times): a repeat must say it again. */
      readonly rest: string
    }
  | { readonly kind: 'operations'; readonly operations: readonly OperationView[] }
  | {
      readonly kind: 'described'
      readonly status: Status
      /** Its result or error; `undefined` while there is none. */
      readonly text: string | undefined
      readonly endedAt: number | undefined
    }
  | { readonly kind: 'events'; readonly events: readonly string[] }
  | { readonly kind: 'done' }
  | { readonly kind: 'stopped' | 'deleted'; readonly at: number }
  | {
      readonly kind: 'invoked'
      readonly requestId: string
      readonly arn: string
      readonly token: string
      readonly operations: readonly OperationView[]
    }
  | { readonly kind: 'refused'; readonly error: string }

export type Call = AnyCall<Request, Answer>

/** What is answered in words, where no rule needs more (spec 04, 05 §5.3, 08 §8.5, 01 §1.3, §1.10). */
export const REFUSAL = {
  token: 'InvalidParameterValueException: Invalid checkpoint token',
  foreignToken: 'InvalidParameterValueException: Checkpoint token is not valid for the durable execution ARN',
  callback: 'CallbackTimeoutException: The callback is either timed out or already completed',
  absent: 'ResourceNotFoundException: Durable Execution does not exist',
  running: 'ResourceConflictException: the execution is running',
  startStep: 'InvalidParameterValueException: Invalid current STEP state to start.',
  closeStep: 'InvalidParameterValueException: Invalid current STEP state to close.',
  startCallback: 'InvalidParameterValueException: Cannot start a CALLBACK that already exist.',
  twice: 'InvalidParameterValueException: Cannot update the same operation twice in a single request.',
} as const

/** What a function is told that suspends for nothing (spec 06 §6.3). */
export const NOTHING_PENDING =
  'InvalidParameterValueException: Cannot return PENDING status with no pending operations.'

/** Whether the call can have changed nothing, whatever the state was. */
export function isHarmless({ request, answer }: Call): boolean {
  if (answer === undefined) return false
  const reads = request.kind === 'describe' || request.kind === 'state' || request.kind === 'history'
  return reads || answer.kind === 'refused' || answer.kind === 'taken'
}

/** A call in a few words, for people. */
export function wordsOf(request: Request): string {
  switch (request.kind) {
    case 'start':
      return `start ${request.payload}`
    case 'checkpoint': {
      const updates = request.updates.map(({ action, ...update }) => {
        const what = update.type === 'EXECUTION' ? 'execution' : update.id
        return `${what} ${action}${'text' in update ? ` ${update.text}` : ''}`
      })
      const client = request.clientToken === undefined ? '' : ` #${request.clientToken}`
      return `checkpoint ${request.token}${client} [${updates.join(', ')}]`
    }
    case 'state':
      return `state ${request.token}`
    case 'callback': {
      const attempt = request.attempt === undefined ? '' : ` #${request.attempt}`
      return `${request.verb} ${request.callbackId}${attempt}${request.verb === 'heartbeat' ? '' : ` ${request.text}`}`
    }
    case 'stop':
      return `stop ${request.arn} ${request.error}`
    case 'end':
      return `${request.requestId} returns ${'text' in request.output ? `${request.output.kind} ${request.output.text}` : request.output.kind}`
    case 'describe':
    case 'history':
    case 'delete':
      return `${request.kind} ${request.arn}`
    default:
      return request.kind
  }
}

export function wordsOfAnswer(answer: Answer | undefined): string {
  if (answer === undefined) return '?'
  const shown = (operations: readonly OperationView[]) =>
    `{${operations.map(({ id, status, text, callbackId }) => [id, status, text, callbackId].filter((part) => part !== undefined).join(' ')).join(', ')}}`
  switch (answer.kind) {
    case 'started':
    case 'taken':
      return `${answer.kind} ${answer.arn}`
    case 'checkpointed':
      return `${answer.token ?? 'no token'} ${shown(answer.operations)} ${answer.rest}`
    case 'operations':
      return shown(answer.operations)
    case 'described':
      return [answer.status, answer.text, answer.endedAt].filter((part) => part !== undefined).join(' ')
    case 'events':
      return `${answer.events.length} events: ${answer.events.join(' | ')}`
    case 'stopped':
    case 'deleted':
      return `${answer.kind} at ${answer.at}`
    case 'invoked':
      return `${answer.requestId} of ${answer.arn} with ${answer.token} ${shown(answer.operations)}`
    case 'refused':
      return `refused: ${answer.error}`
    case 'done':
      return 'done'
  }
}
