/** What each duty of an execution means, and how it is done: once or several times with the same effect. */
import { crashPoint } from '../crash-point.ts'
import type { Command, Duty } from '../engine/model.ts'
import type { OutboxRow, Store } from '../journal/store.ts'
import { functionArn, type Place } from '../protocol/arn.ts'
import type { Limits } from '../protocol/limits.ts'
import type { ExecutionEnd } from './api.ts'
import type { DeadLetters } from './dead-letters.ts'
import { executionNotFound, functionDeleted, isNotFound } from './failures.ts'
import { hasLostItsFunction } from './function-queues.ts'
import type { Lanes } from './lanes.ts'
import type { ServiceLog } from './log.ts'
import type { PlainRuns } from './plain-runs.ts'
import type { Functions, InvocationResult } from './ports.ts'
import type { Starts } from './starts.ts'
import type { Texts } from './texts.ts'
import { readEnd } from './waiters.ts'

/** One that needs a function of this place. */
type TargetDuty = Extract<Duty, { readonly functionName: string }>
type Completion = Omit<Command & { kind: 'completeInvoke' }, 'kind' | 'operationId'>

export class Duties {
  readonly #store: Store
  readonly #functions: Functions
  readonly #place: Place
  readonly #lanes: Lanes
  readonly #texts: Texts
  readonly #starts: Starts
  readonly #plainRuns: PlainRuns
  readonly #deadLetters: DeadLetters
  readonly #limits: Limits
  readonly #log: ServiceLog

  constructor(deps: {
    store: Store
    functions: Functions
    place: Place
    lanes: Lanes
    texts: Texts
    starts: Starts
    plainRuns: PlainRuns
    deadLetters: DeadLetters
    limits: Limits
    log: ServiceLog
  }) {
    this.#store = deps.store
    this.#functions = deps.functions
    this.#place = deps.place
    this.#lanes = deps.lanes
    this.#texts = deps.texts
    this.#starts = deps.starts
    this.#plainRuns = deps.plainRuns
    this.#deadLetters = deps.deadLetters
    this.#limits = deps.limits
    this.#log = deps.log
  }

  async deliver(row: OutboxRow, duty: Duty): Promise<'done' | 'later'> {
    switch (duty.kind) {
      case 'startChild':
        return this.#startChild(row.executionId, duty)
      case 'invokePlain':
        return this.#invokePlain(row, duty)
      case 'completeParent':
        return this.#completeParent(row.executionId, duty.parentExecutionId, duty.operationId)
      case 'purge':
        return this.#purge(row.executionId, duty)
    }
  }

  async #startChild(executionId: string, duty: Duty & { kind: 'startChild' }): Promise<'done' | 'later'> {
    const { functionName: name, version, generation, childId } = duty
    const found = this.#functions.resolve(name, version)
    if (!hasLostItsFunction(this.#functions, { name, version, generation }, found)) {
      return (await this.#starts.startChild(executionId, duty)) ? 'done' : 'later'
    }
    // It may have been started before, and then tells its end by itself.
    if ((await this.#store.findById(childId)) !== undefined) return 'done'
    return this.#targetDeleted(executionId, duty)
  }

  #targetDeleted(executionId: string, { operationId, functionName, version }: TargetDuty): Promise<'done'> {
    const error = functionDeleted(functionArn(this.#place, functionName, version))
    return this.#complete(executionId, operationId, { outcome: 'FAILED', error })
  }

  async #invokePlain(row: OutboxRow, duty: Duty & { kind: 'invokePlain' }): Promise<'done' | 'later'> {
    const { functionName, version, generation, tenantId, input = '{}' } = duty
    const run = { id: row.id, functionName, version, generation, tenantId, payload: input }
    const result = await this.#plainRuns.run(run)
    // The platform's failure is not the function's: it is tried again (spec 07 §7.6 "Throttles are retried").
    if (result.kind === 'platform') return 'later'
    if (result.kind === 'deleted') return this.#targetDeleted(row.executionId, duty)
    return this.#complete(row.executionId, duty.operationId, this.#completionOfPlain(result))
  }

  #completionOfPlain(result: Exclude<InvocationResult, { kind: 'platform' }>): Completion {
    if (result.kind === 'error') return { outcome: 'FAILED', error: result.error }
    const limit = this.#limits.chainedPayloadBytes
    if (result.body.byteLength > limit) {
      const ErrorMessage = `CHAINED_INVOKE output payload size must be less than or equal to ${limit} bytes.`
      return { outcome: 'FAILED', error: { ErrorMessage } }
    }
    const text = textOf(result.body)
    if (text !== undefined) return { outcome: 'SUCCEEDED', result: text }
    return { outcome: 'FAILED', error: { ErrorMessage: 'CHAINED_INVOKE response could not be decoded as UTF-8.' } }
  }

  async #completeParent(childId: string, parentExecutionId: string, operationId: string): Promise<'done'> {
    const end = await this.#unlessGone(childId, () => readEnd(this.#lanes, this.#texts, childId))
    if (end === 'gone') return 'done'
    if (end === undefined) throw new Error(`execution ${childId} owes its end and is open`)
    const timeoutSeconds = end.status === 'TIMED_OUT' ? await this.#timeoutOf(childId) : 0
    return this.#complete(parentExecutionId, operationId, completionOfChild(end, timeoutSeconds))
  }

  /** Before nobody knows the execution any more, a parent that waits for its end, or a dead-letter target, must be told. */
  async #purge(executionId: string, { parent }: Duty & { kind: 'purge' }): Promise<'done' | 'later'> {
    const row = await this.#store.findById(executionId)
    if (row === undefined) return 'done'
    if (await this.#deadLetters.owes(executionId)) return 'later'
    if (parent !== undefined) await this.#completeParent(executionId, parent.executionId, parent.operationId)
    crashPoint('purge-due')
    await this.#store.purge({ key: row.key })
    this.#lanes.forget(executionId)
    return 'done'
  }

  #timeoutOf(executionId: string): Promise<number> {
    return this.#lanes.of(executionId).read({
      absent: executionNotFound,
      look: ({ start }) => start.config.ExecutionTimeout,
    })
  }

  /** Repeats and late answers are ignored by the engine. A parent that is gone has nobody to be told. */
  async #complete(executionId: string, operationId: string, completion: Completion): Promise<'done'> {
    await this.#unlessGone(executionId, () =>
      this.#lanes.of(executionId).submit({
        command: { kind: 'completeInvoke', operationId, ...completion },
        absent: executionNotFound,
        look: () => undefined,
      }),
    )
    return 'done'
  }

  async #unlessGone<T>(executionId: string, work: () => Promise<T>): Promise<T | 'gone'> {
    try {
      return await work()
    } catch (error) {
      if (!isNotFound(error)) throw error
      const message = `Execution ${executionId} is gone: the end of a chained invoke is not passed on`
      this.#log('warn', message, undefined, { executionId })
      return 'gone'
    }
  }
}

/** How a durable child's end becomes the end of the parent's operation (spec 07 §7.6). */
export function completionOfChild(end: ExecutionEnd, executionTimeoutSeconds: number): Completion {
  switch (end.status) {
    case 'SUCCEEDED':
      return { outcome: 'SUCCEEDED', ...(end.result === undefined ? undefined : { result: end.result }) }
    case 'TIMED_OUT': {
      const ErrorMessage = `CHAINED_INVOKE timed out after ${executionTimeoutSeconds} seconds.`
      return { outcome: 'TIMED_OUT', error: { ErrorType: 'ChainedInvoke.Timeout', ErrorMessage } }
    }
    case 'FAILED':
    case 'STOPPED':
      return { outcome: end.status, ...(end.error === undefined ? undefined : { error: end.error }) }
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}
