/**
 * The oracle: the whole service, as naive as the specification allows. One logical clock, one list of executions, no
 * concurrency: every command is answered, and everything that it causes has happened, before the next one.
 *
 * It is written from the specification and the decisions (`docs/specification.md`, `docs/architecture.md`), which the
 * comments cite. Where both leave a choice, a comment says so with the word "Choice", here and in the files beside.
 */
import type { Command, Ending, TokenChoice } from '../commands.ts'
import { checkpoint, checkToken, childNameOf, type Judgement, resultTooLarge } from './checkpoint.ts'
import { FUNCTION_ARN, FUNCTIONS, LIMITS } from './configuration.ts'
import {
  type Arrival,
  arnOf,
  deadlineOf,
  description,
  type ErrorObject,
  type Execution,
  end,
  type Invocation,
  idOf,
  type Operation,
  type Outcome,
  operationOf,
  record,
  requestIdOf,
  shown,
  summary,
  timeoutSecondsOf,
  tokenOf,
  visible,
  withoutData,
  wrapped,
} from './execution.ts'
import { dueAt, hasArrived, isPending, takeIn, takeInAcknowledged } from './inbox.ts'
import { type Answer, Instant, invalid, present, Refusal, UNKNOWN, unknown } from './values.ts'

/** Decision 17. */
const FIRST_RETRY_MS = 1_000
const LONGEST_RETRY_MS = 60_000
const GIVE_UP_AFTER_MS = 600_000
/** Decision 16. */
const HEARTBEAT_SLACK = 0.05

/** A run of a plain function for a chained invoke. */
export interface PlainRun {
  readonly functionName: string
  readonly payload: string
}

/** Somebody whose synchronous Invoke has not been answered. */
interface Caller {
  readonly as: string
  /** Of the execution. */
  readonly key: string
}

export class World {
  now = 0
  readonly executions = new Map<string, Execution>()
  /** By parent's key, `/` and operation id. */
  readonly plainRuns = new Map<string, PlainRun>()
  callers: Caller[] = []
  readonly #judged: (judgement: Judgement) => void

  constructor(judged: (judgement: Judgement) => void = () => {}) {
    this.#judged = judged
  }

  /** Undefined: the command has no answer (yet), or is about an execution that there is not. */
  perform(command: Command): Answer | undefined {
    try {
      return this.#perform(command)
    } catch (refusal) {
      if (refusal instanceof Refusal) return refusal.answer
      throw refusal
    } finally {
      this.#settle()
    }
  }

  #perform(command: Command): Answer | undefined {
    if (command.do === 'invoke') return this.#invoke(command)
    if (command.do === 'list') return this.#list(command)
    if (command.do === 'advance') throw new Error('time is moved by `tick`')
    if (command.do === 'end target') return this.#endPlainRun(command.on, command.how)
    const execution = this.executions.get(command.on)
    if (execution === undefined) return undefined
    switch (command.do) {
      case 'checkpoint': {
        const { clientToken, updates } = command
        const request = { token: this.tokenFor(execution, command.token), clientToken, updates }
        misshapenToken(request.token)
        const accepted = checkpoint(execution, request, this.now, this.#judged)
        this.executions.set(execution.key, accepted.execution)
        return { status: 200, body: accepted.body }
      }
      case 'state':
        return this.#state(execution, this.tokenFor(execution, command.token))
      case 'get':
        exists(execution)
        return { status: 200, body: description(execution, command.data) }
      case 'history': {
        exists(execution)
        const events = command.data ? execution.history : execution.history.map(withoutData)
        return { status: 200, body: { Events: command.reverse ? events.toReversed() : events } }
      }
      case 'stop':
        return this.#stop(execution, command.error ?? {})
      case 'delete':
        return this.#delete(execution)
      case 'callback':
        return this.#callback(execution, command)
      case 'end':
        this.#endInvocation(execution, command.how)
        return undefined
    }
  }

  /** The token that a request carries; what the execution never had is made up. */
  tokenFor(execution: Execution, choice: TokenChoice): string {
    if (choice === 'random') return 'bm90IGEgdG9rZW4='
    if (choice === 'misshapen') return 'not a token'
    if (choice === 'foreign') {
      const other = [...this.executions.values()].find(({ key, tokens }) => key !== execution.key && tokens.length > 0)
      return other?.tokens.at(-1) ?? 'bm90IGEgdG9rZW4='
    }
    return execution.tokens.at(-1 - choice) ?? 'bm90IGEgdG9rZW4='
  }

  // ------------------------------------------------------------------------------------------------------- starting

  /** Spec 07 §7.1. */
  #invoke(command: Command & { do: 'invoke' }): Answer | undefined {
    const { as, mode } = command
    // An empty payload is `{}` (spec 12.3).
    const input = command.input === '' ? '{}' : command.input
    const [functionName = '', qualifier] = command.functionName.split(':')
    if (command.name !== undefined && !/^[a-zA-Z0-9-_]+$/.test(command.name.replaceAll(UNKNOWN, 'n'))) {
      const constraint = 'Member must satisfy regular expression pattern: [a-zA-Z0-9-_]+'
      const text = `1 validation error detected: Value '${command.name}' at 'durableExecutionName' failed to satisfy constraint: ${constraint}`
      throw new Refusal('name', 'ValidationException', text)
    }
    const target = FUNCTIONS[functionName]
    if (target?.executionTimeout === undefined || (qualifier !== undefined && qualifier !== '$LATEST')) {
      const arn = `${FUNCTION_ARN}:${functionName}${qualifier === undefined ? '' : `:${qualifier}`}`
      throw new Refusal('no function', 'ResourceNotFoundException', `Function not found: ${arn}`, 404)
    }
    if (qualifier === undefined) {
      throw invalid('unqualified', 'You cannot invoke a durable function using an unqualified ARN.')
    }
    if (mode === 'RequestResponse' && target.executionTimeout > 900) {
      const limit = 'an executionTimeout greater than 15 minutes'
      throw invalid('too long', `You cannot synchronously invoke a durable function with ${limit}.`)
    }
    if (mode === 'DryRun') return { status: 204 }
    if (!isJson(input)) throw new Refusal('not JSON', 'InvalidRequestContentException', undefined)

    // Spec 07 §7.3.
    const named = [...this.executions.values()].find(
      (each) => !each.deleted && each.functionName === functionName && each.name === command.name,
    )
    if (named !== undefined && named.input !== input) {
      const text = `Execution already started: ${arnOf(named)}`
      throw new Refusal('name taken', 'DurableExecutionAlreadyStartedException', text, 409)
    }
    const execution = named ?? this.#start(as, functionName, command.name ?? idOf(as), mode, input, undefined)
    if (mode === 'Event') return { status: 202, headers: { 'x-amz-durable-execution-arn': arnOf(execution) } }
    if (execution.status !== 'RUNNING') return outcomeOf(execution)
    this.callers.push({ as, key: execution.key })
    return undefined
  }

  #start(
    key: string,
    functionName: string,
    name: string,
    mode: 'Event' | 'RequestResponse',
    input: string,
    parent: Execution['parent'],
  ): Execution {
    const root: Operation = {
      id: idOf(key),
      type: 'EXECUTION',
      parentId: undefined,
      name,
      subType: undefined,
      startedAt: this.now,
      status: 'STARTED',
      attempt: 0,
    }
    const execution: Execution = {
      key,
      functionName,
      name,
      mode: mode === 'Event' ? 'async' : 'sync',
      input,
      startedAt: this.now,
      parent,
      status: 'RUNNING',
      endedAt: undefined,
      result: undefined,
      error: undefined,
      operations: [root],
      history: [],
      invocation: undefined,
      invocations: 0,
      arrivals: [],
      // Spec 06 §6.1: the first invocation lists the EXECUTION operation.
      untold: [root.id],
      invokeAt: this.now,
      failures: 0,
      failingSince: undefined,
      tokens: [],
      held: undefined,
      deleted: false,
      toStart: [],
    }
    const ExecutionTimeout = timeoutSecondsOf(execution)
    record(execution, this.now, 'ExecutionStarted', root, { Input: wrapped(input), ExecutionTimeout })
    this.executions.set(key, execution)
    return execution
  }

  // -------------------------------------------------------------------------------------------------------- reading

  /** Spec 05 §5.7. */
  #state(execution: Execution, token: string): Answer {
    misshapenToken(token)
    const refusal = checkToken(execution, token)
    if (refusal !== undefined) throw refusal
    return { status: 200, body: { Operations: visible(execution).map((operation) => shown(execution, operation)) } }
  }

  /** Spec 01 §1.5: newest first unless reversed. */
  #list({ functionName, status, name, reverse }: Command & { do: 'list' }): Answer {
    const listed = [...this.executions.values()]
      .filter((each) => !each.deleted && each.functionName === functionName)
      .filter((each) => status === undefined || each.status === status)
      .filter((each) => name === undefined || each.name === name)
      .sort((a, b) => (reverse ? a.startedAt - b.startedAt : b.startedAt - a.startedAt))
    return { status: 200, body: { DurableExecutions: listed.map(summary) } }
  }

  // --------------------------------------------------------------------------------------------- calls from outside

  /** Spec 08 §8.3. */
  #stop(execution: Execution, error: ErrorObject): Answer {
    exists(execution)
    if (execution.endedAt === undefined) this.#closeNow(execution, 'STOPPED', error)
    return { status: 200, body: { StopTimestamp: new Instant(execution.endedAt ?? this.now) } }
  }

  /** Spec 01 §1.10. */
  #delete(execution: Execution): Answer {
    exists(execution)
    if (execution.status === 'RUNNING') throw new Refusal('running', 'ResourceConflictException', undefined, 409)
    execution.deleted = true
    return { status: 202, body: { DeletionRequestTimestamp: new Instant(this.now) } }
  }

  /** Spec 08 §8.5. */
  #callback(execution: Execution, { operation: id, id: form, verb, body }: Command & { do: 'callback' }): Answer {
    if (form === 'misshapen') throw invalid('misshapen', 'Invalid callback id')
    if (verb === 'fail' && body !== undefined && body.length > LIMITS.callbackErrorBytes) {
      const text = `Error object size must be less than or equal to ${LIMITS.callbackErrorBytes} bytes.`
      throw invalid('error too large', text)
    }
    const callback = operationOf(execution, id)
    const known = form === 'real' && !execution.deleted && callback?.callbackId !== undefined
    const open = known && execution.status === 'RUNNING' && callback.status === 'STARTED' && !hasArrived(execution, id)
    // Decision 13: a timer that is due counts before the call.
    if (!open || dueAt(callback) <= this.now) {
      const text = 'The callback is either timed out or already completed'
      throw new Refusal('closed', 'CallbackTimeoutException', text)
    }
    if (verb === 'heartbeat') heartbeat(callback, this.now)
    else {
      const result = verb === 'succeed' && body !== '' ? body : undefined
      const error =
        verb === 'fail' ? (JSON.parse(body === undefined || body === '' ? '{}' : body) as ErrorObject) : undefined
      const status = verb === 'succeed' ? 'SUCCEEDED' : 'FAILED'
      this.#arrive(execution, { operationId: id, status, result, error, at: this.now })
    }
    return { status: 200, body: {} }
  }

  /** Spec 06 §6.5: into the inbox while an invocation runs, else at once. */
  #arrive(execution: Execution, arrival: Arrival): void {
    if (execution.invocation !== undefined) {
      execution.arrivals.push(arrival)
      return
    }
    const changed = takeIn(execution, this.now)
    const operation = operationOf(execution, arrival.operationId)
    if (operation === undefined) throw new Error(`no operation ${arrival.operationId}`)
    end(execution, operation, arrival, this.now)
    this.#wake(execution, [...changed, operation])
  }

  #wake(execution: Execution, changed: readonly Operation[]): void {
    execution.untold.push(...changed.map(({ id }) => id))
    execution.invokeAt = this.now
  }

  // ---------------------------------------------------------------------------------------------------- invocations

  /** Spec 06 §6.1. */
  #beginInvocation(execution: Execution): void {
    const changed = takeIn(execution, this.now)
    const updated = [...execution.untold, ...changed.map(({ id }) => id)]
    execution.invocations += 1
    const number = execution.invocations
    const token = tokenOf(execution.key, number, 0)
    execution.invocation = {
      number,
      startedAt: this.now,
      token,
      accepted: [],
      outcome: undefined,
      lastAnswerHadNews: false,
      anyAnswerHadNews: false,
      event: {
        DurableExecutionArn: arnOf(execution),
        CheckpointToken: token,
        InitialExecutionState: {
          Operations: visible(execution).map((operation) => shown(execution, operation)),
          NextMarker: '',
        },
        UpdatedOperationIds: [...new Set(updated)],
      },
    }
    execution.tokens.push(token)
    execution.held = number
    execution.untold = []
    execution.invokeAt = undefined
  }

  /** Spec 06 §6.3. */
  #endInvocation(execution: Execution, how: Ending): void {
    const { invocation, held } = execution
    execution.held = undefined
    // Not the running one of an open execution: whatever it says is ignored.
    if (held === undefined || execution.status !== 'RUNNING' || invocation?.number !== held) return
    if ('output' in how) this.#returned(execution, invocation, how.output)
    else this.#failed(execution, invocation, failureOf(execution.key, invocation, how))
  }

  #returned(execution: Execution, invocation: Invocation, output: unknown): void {
    const { Status, Result, Error: error } = (output ?? {}) as Output
    // Only the handler's own error is reported, not one that the service finds.
    const reported = Status === 'FAILED' && Result === undefined ? (error ?? {}) : undefined
    // An EXECUTION update beats the output.
    if (invocation.outcome !== undefined) this.#finish(execution, invocation, invocation.outcome, reported)
    else if (Status === 'PENDING') this.#suspend(execution, invocation)
    else this.#finish(execution, invocation, judged(execution, (output ?? {}) as Output), reported)
  }

  /** Spec 06 §6.3, the rows of PENDING. */
  #suspend(execution: Execution, invocation: Invocation): void {
    const unseen = execution.arrivals.length > 0 || execution.operations.some((each) => dueAt(each) <= this.now)
    const wouldPend = execution.operations.some(isPending)
    const toldSome = invocation.lastAnswerHadNews || invocation.anyAnswerHadNews
    if (!unseen && !toldSome && !wouldPend) {
      const text = 'Cannot return PENDING status with no pending operations.'
      this.#finish(execution, invocation, serviceFailure(text), undefined)
      return
    }
    this.#completed(execution, invocation, undefined)
    execution.untold.push(...takeIn(execution, this.now).map(({ id }) => id))
    const waits = execution.operations.some((each) => isPending(each) && each.status !== 'READY')
    const crossed = invocation.lastAnswerHadNews || (!waits && invocation.anyAnswerHadNews)
    if (unseen || crossed || waits) {
      execution.failures = 0
      execution.failingSince = undefined
      execution.invokeAt = unseen || crossed ? this.now : undefined
    } else {
      // Choice: only READY steps are left, and the function does not take them up: nothing outside would ever wake it.
      this.#retryLater(execution)
    }
  }

  /** Spec 06 §6.4, decision 17. */
  #failed(execution: Execution, invocation: Invocation, error: ErrorObject): void {
    const failingMs = execution.failingSince === undefined ? 0 : this.now - execution.failingSince
    if (invocation.outcome !== undefined) {
      this.#finish(execution, invocation, invocation.outcome, error)
    } else if (failingMs >= GIVE_UP_AFTER_MS) {
      this.#finish(execution, invocation, { status: 'FAILED', error }, error)
    } else {
      this.#completed(execution, invocation, error)
      execution.untold.push(...takeIn(execution, this.now).map(({ id }) => id))
      this.#retryLater(execution)
    }
  }

  /** After a back-off; at once when there is news for the function (spec 06 §6.4: "earlier is friendlier"). */
  #retryLater(execution: Execution): void {
    const backOff = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** execution.failures)
    execution.failures += 1
    execution.failingSince ??= this.now
    execution.invokeAt = execution.untold.length > 0 ? this.now : this.now + backOff
  }

  /** Spec 06 §6.6, decision 14. */
  #finish(execution: Execution, invocation: Invocation, outcome: Outcome, reported: ErrorObject | undefined): void {
    this.#completed(execution, invocation, reported)
    takeInAcknowledged(execution, this.now)
    this.#close(execution, outcome.status, outcome.result, outcome.error)
  }

  /** InvocationCompleted (spec 11 §11.2). */
  #completed(execution: Execution, invocation: Invocation, error: ErrorObject | undefined): void {
    execution.invocation = undefined
    record(execution, this.now, 'InvocationCompleted', undefined, {
      StartTimestamp: new Instant(invocation.startedAt),
      EndTimestamp: new Instant(this.now),
      RequestId: requestIdOf(execution.key, invocation.number),
      Error: error === undefined ? undefined : wrapped(error),
    })
  }

  /**
   * Stop or timeout: the terminal event at once (spec 06 §6.6), whatever runs. Choice: an outcome that an EXECUTION
   * update has fixed is kept, for its answer has left.
   */
  #closeNow(execution: Execution, status: 'STOPPED' | 'TIMED_OUT', error: ErrorObject): void {
    const fixed = execution.invocation?.outcome
    takeInAcknowledged(execution, this.now)
    if (fixed === undefined) this.#close(execution, status, undefined, error)
    else this.#close(execution, fixed.status, fixed.result, fixed.error)
  }

  /** Spec 08 §8.1. What is open stays as it is (spec 04 §4.14). */
  #close(
    execution: Execution,
    status: Exclude<Execution['status'], 'RUNNING'>,
    result: string | undefined,
    error: ErrorObject | undefined,
  ): void {
    const root = execution.operations[0]
    const event = { SUCCEEDED: 'Succeeded', FAILED: 'Failed', TIMED_OUT: 'TimedOut', STOPPED: 'Stopped' }[status]
    const details =
      status === 'TIMED_OUT'
        ? {}
        : status === 'SUCCEEDED'
          ? { Result: wrapped(result) }
          : { Error: wrapped(error ?? {}) }
    record(execution, this.now, `Execution${event}`, root, details)
    execution.status = status
    execution.endedAt = this.now
    execution.result = result
    execution.error = status === 'SUCCEEDED' ? undefined : (error ?? {})
    if (root !== undefined) root.status = status
    execution.invocation = undefined
    execution.invokeAt = undefined
    this.#tellParent(execution)
  }

  // ------------------------------------------------------------------------------------------------ chained invokes

  /** Spec 07 §7.6. */
  #startTargets(execution: Execution): void {
    for (const { operationId, functionName, payload } of execution.toStart.splice(0)) {
      const key = `${execution.key}/${operationId}`
      const input = payload ?? '{}'
      if (FUNCTIONS[functionName]?.executionTimeout === undefined) {
        this.plainRuns.set(key, { functionName, payload: input })
      } else {
        this.#start(key, functionName, childNameOf(key), 'Event', input, { key: execution.key, operationId })
      }
    }
  }

  #tellParent({ key, parent, status, result, error, functionName }: Execution): void {
    if (parent === undefined) return
    const seconds = timeoutSecondsOf({ functionName })
    const timedOut = {
      ErrorType: 'ChainedInvoke.Timeout',
      ErrorMessage: `CHAINED_INVOKE timed out after ${seconds} seconds.`,
    }
    this.#targetEnded(key, status as Operation['status'], result, status === 'TIMED_OUT' ? timedOut : error)
  }

  #endPlainRun(key: string, how: Ending): undefined {
    if (!this.plainRuns.delete(key)) return
    if ('output' in how) {
      const text = JSON.stringify(how.output)
      const tooLarge = new TextEncoder().encode(text).length > LIMITS.chainedPayloadBytes
      const limit = `must be less than or equal to ${LIMITS.chainedPayloadBytes} bytes`
      if (tooLarge)
        this.#targetEnded(key, 'FAILED', undefined, { ErrorMessage: `CHAINED_INVOKE output payload size ${limit}.` })
      else this.#targetEnded(key, 'SUCCEEDED', text, undefined)
    } else {
      this.#targetEnded(key, 'FAILED', undefined, plainFailureOf(key, how))
    }
  }

  /** A parent that has closed is not told. */
  #targetEnded(key: string, status: Operation['status'], result: string | undefined, error: ErrorObject | undefined) {
    const at = key.lastIndexOf('/')
    const parent = this.executions.get(key.slice(0, at))
    const operationId = key.slice(at + 1)
    if (parent === undefined || parent.status !== 'RUNNING') return
    this.#arrive(parent, { operationId, status, result, error, at: this.now })
  }

  // ----------------------------------------------------------------------------------------------------------- time

  /** The next moment at which something happens by itself; Infinity for never. */
  nextDue(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...[...this.executions.values()].map(wakesAt))
  }

  /** Moves the clock, at most to `nextDue()`. */
  tick(ms: number): void {
    this.now += ms
    this.#settle()
  }

  /** Everything that happens now by itself, until nothing more does. */
  #settle(): void {
    for (;;) {
      const moved = [...this.executions.values()].filter((execution) => this.#move(execution))
      if (moved.length === 0) return
    }
  }

  #move(execution: Execution): boolean {
    if (execution.toStart.length > 0) {
      this.#startTargets(execution)
      return true
    }
    if (execution.status !== 'RUNNING') return false
    if (this.now >= deadlineOf(execution)) {
      // Spec 08 §8.2.
      const ErrorMessage = `Execution timed out after ${timeoutSecondsOf(execution)} seconds.`
      this.#closeNow(execution, 'TIMED_OUT', { ErrorMessage })
      return true
    }
    if (execution.invocation !== undefined) return false
    const changed = takeIn(execution, this.now)
    if (changed.length > 0) this.#wake(execution, changed)
    if ((execution.invokeAt ?? Number.POSITIVE_INFINITY) <= this.now) {
      this.#beginInvocation(execution)
      return true
    }
    return false
  }

  // -------------------------------------------------------------------------------------------- synchronous callers

  /** The callers whose executions have ended, with their answers (spec 07 §7.4). */
  released(): { readonly as: string; readonly answer: Answer }[] {
    const released = []
    for (const caller of this.callers) {
      const execution = this.executions.get(caller.key)
      if (execution === undefined || execution.status === 'RUNNING') continue
      released.push({ as: caller.as, answer: outcomeOf(execution) })
      this.callers = this.callers.filter((other) => other !== caller)
    }
    return released
  }
}

function wakesAt(execution: Execution): number {
  if (execution.status !== 'RUNNING') return Number.POSITIVE_INFINITY
  if (execution.invocation !== undefined) return deadlineOf(execution)
  return Math.min(
    deadlineOf(execution),
    execution.invokeAt ?? Number.POSITIVE_INFINITY,
    ...execution.operations.map(dueAt),
  )
}

/** Spec 01 §1.3. */
function exists({ deleted }: Execution): void {
  if (deleted) throw new Refusal('gone', 'ResourceNotFoundException', 'Durable Execution does not exist', 404)
}

/** Spec 05 §5.3, third row. */
function misshapenToken(token: string): void {
  if (token.startsWith('«') || /^[A-Za-z0-9+/]+={0,2}$/.test(token)) return
  const pattern = 'satisfy regular expression pattern: [A-Za-z0-9+/]+={0,2}'
  const text = `1 validation error detected: Value '${token}' at 'checkpointToken' failed to satisfy constraint: Member must ${pattern}`
  throw new Refusal('misshapen token', 'ValidationException', text)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Decision 16: nearer heartbeats than a twentieth of the timeout are not kept, and deadlines carry that slack. */
function heartbeat(callback: Operation, now: number): void {
  const timeoutMs = (callback.heartbeatSeconds ?? 0) * 1000
  if (timeoutMs === 0) return
  const { lastHeartbeatAt } = callback
  if (lastHeartbeatAt !== undefined && now - lastHeartbeatAt < timeoutMs * HEARTBEAT_SLACK) return
  callback.lastHeartbeatAt = now
  callback.heartbeatDueAt = now + timeoutMs + Math.ceil(timeoutMs * HEARTBEAT_SLACK)
}

/** Spec 07 §7.4. */
function outcomeOf(execution: Execution): Answer {
  const headers = { 'x-amz-executed-version': '$LATEST', 'x-amz-durable-execution-arn': arnOf(execution) }
  if (execution.status === 'SUCCEEDED') return { status: 200, headers, body: execution.result ?? 'null' }
  const { ErrorMessage, ErrorType, StackTrace } = execution.error ?? {}
  return {
    status: 200,
    headers: { ...headers, 'x-amz-function-error': 'Unhandled' },
    body: present({ errorMessage: ErrorMessage, errorType: ErrorType, stackTrace: StackTrace }),
  }
}

/** Spec 06 §6.4 "InvocationCompleted.Error contents". */
function failureOf(key: string, { number }: Invocation, how: Exclude<Ending, { output: unknown }>): ErrorObject {
  if ('throws' in how) {
    const StackTrace = unknown('stack', `${key} ${number}`)
    return { ErrorType: how.throws.name, ErrorMessage: how.throws.message, StackTrace }
  }
  const reason = how.exits === 0 ? 'without providing a reason' : `with error: exit status ${how.exits}`
  const ErrorMessage = `RequestId: ${requestIdOf(key, number)} Error: Runtime exited ${reason}`
  return { ErrorType: 'Runtime.ExitError', ErrorMessage }
}

/** The same for a run of a plain function. */
function plainFailureOf(key: string, how: Exclude<Ending, { output: unknown }>): ErrorObject {
  if ('throws' in how) {
    const StackTrace = unknown('stack', key)
    return { ErrorType: how.throws.name, ErrorMessage: how.throws.message, StackTrace }
  }
  const reason = how.exits === 0 ? 'without providing a reason' : `with error: exit status ${how.exits}`
  return {
    ErrorType: 'Runtime.ExitError',
    ErrorMessage: `RequestId: ${unknown('request', key)} Error: Runtime exited ${reason}`,
  }
}

interface Output {
  readonly Status?: unknown
  readonly Result?: string
  readonly Error?: ErrorObject
}

/** What an output that is not PENDING makes of its execution (spec 06 §6.3). */
function judged(execution: Execution, { Status, Result, Error: error }: Output): Outcome {
  if (Status === 'SUCCEEDED') {
    if (error !== undefined) return serviceFailure('Cannot provide an Error for SUCCEEDED status.')
    const tooLarge = resultTooLarge(execution, Result)
    return tooLarge === undefined ? { status: 'SUCCEEDED', result: Result } : serviceFailure(tooLarge)
  }
  if (Status === 'FAILED') {
    if (Result !== undefined) return serviceFailure('Cannot provide a Result for FAILED status.')
    return { status: 'FAILED', error: error ?? {} }
  }
  return serviceFailure('Invalid Status in invocation output.')
}

const serviceFailure = (ErrorMessage: string): Outcome => ({
  status: 'FAILED',
  error: { ErrorType: 'InvalidParameterValueException', ErrorMessage },
})
