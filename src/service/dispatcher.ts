/**
 * Invocations of durable functions. An offered execution waits for its function; when a slot is free,
 * `startInvocation` commits, then the event is handed over (decision 21), and the outcome becomes `endInvocation`.
 *
 *     offered → waiting | held → slot reserved → invocation recorded → running → end recorded
 *                      └→ its function was deleted: failed
 *
 * An execution is never offered while its invocation runs here: `startInvocation` would supersede it.
 */
import { crashPoint } from '../crash-point.ts'
import type { InvocationOutcome, OperationState } from '../engine/model.ts'
import { visibleOperations } from '../engine/view.ts'
import type { ExecutionKey } from '../journal/store.ts'
import type { Limits } from '../protocol/limits.ts'
import type { Activity } from './activity.ts'
import type { ExecutionFigures } from './execution-figures.ts'
import { executionNotFound, functionDeleted, isNotFound, isTemporary } from './failures.ts'
import { type Admission, type FunctionQueues, hasLostItsFunction } from './function-queues.ts'
import { eventText, pageOf } from './invocation-event.ts'
import type { Seen } from './lane.ts'
import type { Lanes } from './lanes.ts'
import type { LogSubject, ServiceLog } from './log.ts'
import type { LogTails } from './log-tails.ts'
import type { Entropy, Functions, FunctionVersion, InvocationResult, Metrics, Slot } from './ports.ts'
import type { Pauses } from './retries.ts'
import { settled, type Texts } from './texts.ts'

/** An execution whose next invocation is due. */
export interface DueExecution {
  readonly executionId: string
  readonly functionName: string
  readonly version: string
}

/** What `startInvocation` recorded, with what the event will show. */
interface Invocation {
  readonly requestId: string
  readonly arn: string
  readonly token: string
  readonly updated: readonly string[]
  readonly operations: readonly OperationState[]
  readonly nextMarker: string
  readonly key: ExecutionKey
  readonly tenantId: string | undefined
  readonly traceHeader: string | undefined
}

export class Dispatcher {
  readonly #lanes: Lanes
  readonly #texts: Texts
  readonly #queues: FunctionQueues
  readonly #functions: Functions
  readonly #entropy: Entropy
  readonly #limits: Limits
  readonly #activity: Activity
  readonly #pauses: Pauses
  readonly #log: ServiceLog
  readonly #lookAgain: (executionId: string) => void
  readonly #metrics: Metrics
  readonly #figures: ExecutionFigures
  readonly #logTails: LogTails
  /** Executions whose invocation this process has recorded and not seen the end of. */
  readonly #running = new Set<string>()
  #stopped = false

  constructor(deps: {
    lanes: Lanes
    texts: Texts
    queues: FunctionQueues
    functions: Functions
    entropy: Entropy
    limits: Limits
    activity: Activity
    pauses: Pauses
    log: ServiceLog
    lookAgain: (executionId: string) => void
    metrics: Metrics
    figures: ExecutionFigures
    logTails: LogTails
  }) {
    this.#lanes = deps.lanes
    this.#texts = deps.texts
    this.#queues = deps.queues
    this.#functions = deps.functions
    this.#entropy = deps.entropy
    this.#limits = deps.limits
    this.#activity = deps.activity
    this.#pauses = deps.pauses
    this.#log = deps.log
    this.#lookAgain = deps.lookAgain
    this.#metrics = deps.metrics
    this.#figures = deps.figures
    this.#logTails = deps.logTails
  }

  get running(): number {
    return this.#running.size
  }

  offer(due: DueExecution): void {
    const { executionId, functionName, version } = due
    if (this.#stopped || this.#running.has(executionId)) return
    this.#queues.enqueue({
      id: executionId,
      kind: 'durable',
      functionName,
      version,
      admit: (version) => this.#admit(executionId, version),
      run: (slot, _version, begun) => this.#invoke(due, slot, begun),
    })
  }

  /** Starts no more invocations; those that run may end. */
  stop(): void {
    this.#stopped = true
  }

  /** An execution belongs to the function that it was started on, not to whatever has its name later (decision 34). */
  async #admit(executionId: string, version: FunctionVersion | undefined): Promise<Admission> {
    const lane = this.#lanes.of(executionId)
    const start = await lane.read({ absent: executionNotFound, look: ({ start }) => start })
    const { functionName: name, generation } = start
    if (!hasLostItsFunction(this.#functions, { name, version: start.version, generation }, version)) {
      return version === undefined ? { kind: 'held' } : { kind: 'run', tenantId: start.tenantId }
    }
    await this.#lanes.of(executionId).submit({
      command: { kind: 'abandon', error: functionDeleted(start.functionArn) },
      absent: executionNotFound,
      look: () => undefined,
    })
    this.#log('info', `Execution ${executionId} has ended: its function was deleted`, undefined, {
      executionId,
      functionName: name,
    })
    return { kind: 'over' }
  }

  async #invoke(due: DueExecution, slot: Slot, begun: () => void): Promise<void> {
    const { executionId } = due
    if (this.#stopped || this.#running.has(executionId)) return slot.release()
    crashPoint('invocation-due')
    const invocation = await this.#record(due, begun)
    if (invocation === undefined) {
      slot.release()
      // Nothing was due after all (the clock may have been set back), and its alarm was disarmed for the offer.
      this.#lookAgain(executionId)
      return
    }
    crashPoint('invocation-recorded')
    const event = await this.#event(due, invocation)
    if (event === undefined) return slot.release()
    const { requestId, arn, tenantId, traceHeader } = invocation
    this.#activity.invocationBegan()
    const began = this.#metrics.now()
    const result = await slot.run({
      requestId,
      event,
      executionArn: arn,
      ...(tenantId === undefined ? undefined : { tenantId }),
      ...(traceHeader === undefined ? undefined : { traceHeader }),
    })
    crashPoint('outcome-known')
    this.#logTails.ended(executionId, result.logTail)
    this.#figures.invoked(due.functionName, began, result)
    void this.#end(due, requestId, outcomeOf(result)).finally(() => this.#activity.invocationEnded())
  }

  /** `undefined`: nothing is due any more, or the service could not record it and will try again. */
  async #record(due: DueExecution, begun: () => void): Promise<Invocation | undefined> {
    const { executionId } = due
    const requestId = this.#entropy.uuid()
    try {
      return await this.#lanes.of(executionId).submit({
        command: { kind: 'startInvocation', requestId },
        absent: executionNotFound,
        look: (seen) => {
          const invocation = this.#invocationOf(seen, requestId)
          if (invocation !== undefined) this.#running.add(executionId)
          begun()
          return invocation
        },
      })
    } catch (error) {
      this.#running.delete(executionId)
      begun()
      if (isTemporary(error)) void this.#offerLater(due)
      else this.#log('warn', `Execution ${executionId} could not be invoked`, error, subjectOf(due, requestId))
      return undefined
    }
  }

  #invocationOf({ state, key, answer }: Seen, requestId: string): Invocation | undefined {
    if (answer.kind !== 'invocation') return undefined
    const { arn, tenantId, traceHeader } = state.start
    const limit = { items: this.#limits.eventOperations, bytes: this.#limits.eventBytes }
    const page = pageOf(visibleOperations(state), -1, limit)
    return { requestId, arn, token: answer.token, updated: answer.updated, ...page, key, tenantId, traceHeader }
  }

  /** The event's text. When it cannot be made the invocation ends as the platform's failure. */
  async #event(due: DueExecution, invocation: Invocation): Promise<string | undefined> {
    try {
      const shown = this.#texts.show(invocation.operations, invocation.key)
      return eventText({ ...invocation, operations: await settled(shown) })
    } catch (error) {
      this.#log('error', `No event for execution ${due.executionId}`, error, subjectOf(due, invocation.requestId))
      const failure = { ErrorType: 'ServiceException', ErrorMessage: 'The state of the execution could not be read.' }
      void this.#end(due, invocation.requestId, { kind: 'platform', error: failure })
      return undefined
    }
  }

  /** Records how the invocation ended; tried until the store takes it or the service stops. */
  async #end(due: DueExecution, requestId: string, outcome: InvocationOutcome): Promise<void> {
    const { executionId } = due
    // From here on the execution may be offered again: its lane keeps the order.
    this.#running.delete(executionId)
    this.#activity.begin()
    try {
      for (let failures = 0; ; failures++) {
        try {
          await this.#lanes.of(executionId).submit({
            command: { kind: 'endInvocation', requestId, outcome },
            absent: executionNotFound,
            look: () => undefined,
          })
          crashPoint('outcome-recorded')
          return
        } catch (error) {
          // A stopped service leaves the invocation recorded as running: the next one supersedes it.
          if (isTemporary(error) && this.#stopped) return
          if (isNotFound(error)) {
            const message = `Execution ${executionId} is gone: it was deleted before invocation ${requestId} had ended`
            this.#log('info', message, undefined, subjectOf(due, requestId))
            return
          }
          if (!isTemporary(error)) {
            this.#log('warn', `The end of invocation ${requestId} was not recorded`, error, subjectOf(due, requestId))
            return
          }
          this.#activity.end()
          await this.#pauses.afterFailures(failures)
          this.#activity.begin()
        }
      }
    } finally {
      this.#activity.end()
    }
  }

  async #offerLater(due: DueExecution): Promise<void> {
    await this.#pauses.afterFailures(0)
    this.offer(due)
  }
}

const subjectOf = ({ executionId, functionName }: DueExecution, requestId: string): LogSubject => ({
  requestId,
  executionId,
  functionName,
})

const utf8 = new TextDecoder()

function outcomeOf(result: InvocationResult): InvocationOutcome {
  switch (result.kind) {
    case 'response':
      return { kind: 'response', body: utf8.decode(result.body) }
    case 'error':
      return { kind: 'error', error: result.error }
    case 'platform':
      return { kind: 'platform', error: result.error }
  }
}
