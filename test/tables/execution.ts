/**
 * One durable execution in the hands of a test: the function's end (its invocations, which the test answers) and the
 * wire's end (checkpoints with the current token, history, state). Disposing of it stops it and lets its invocation go.
 */
import assert from 'node:assert/strict'
import type { ErrorObject, HistoryEvent, Operation } from '../../src/protocol/shapes.ts'
import { eventually } from './eventually.ts'
import type { TestServer } from './harness.ts'
import type { Invocation } from './puppeteer.ts'
import type { Update } from './updates.ts'
import { assertError, ms, okBody, type WireAnswer } from './wire.ts'

const API = '/2025-12-01/durable-executions'

export interface CheckpointBody {
  readonly CheckpointToken?: string
  readonly NewExecutionState: { readonly Operations: readonly Operation[]; readonly NextMarker?: string }
}

export interface Description {
  readonly Status: string
  readonly Result?: string
  readonly Error?: ErrorObject
}

export interface StatePage {
  readonly Operations: readonly Operation[]
  readonly NextMarker?: string
}

interface StartedAs {
  readonly functionName: string
  readonly name: string
  readonly mode: 'sync' | 'async'
  readonly input: string
}

export class Execution implements AsyncDisposable {
  readonly server: TestServer
  readonly #as: StartedAs
  /** The answer to the Invoke that started a synchronous execution. */
  readonly #syncAnswer: Promise<WireAnswer> | undefined
  #invocation: Invocation
  /** The token that is current, as far as the function knows. */
  token: string

  private constructor(
    server: TestServer,
    as: StartedAs,
    first: Invocation,
    syncAnswer: Promise<WireAnswer> | undefined,
  ) {
    this.server = server
    this.#as = as
    this.#invocation = first
    this.#syncAnswer = syncAnswer
    this.token = first.event.CheckpointToken
  }

  static async start(server: TestServer, as: StartedAs): Promise<Execution> {
    const answer = invoke(server, as, as.mode)
    if (as.mode === 'async') assert.equal((await answer).status, 202, (await answer).text)
    const first = server.puppets.nextOfExecution(as.name)
    // A synchronous Invoke that is answered before the function ran was refused.
    const refused = as.mode === 'sync' ? answer.then((early) => Promise.reject(new Error(early.text))) : first
    const syncAnswer = as.mode === 'sync' ? answer : undefined
    return new Execution(server, as, await Promise.race([first, refused]), syncAnswer)
  }

  get arn(): string {
    return this.invocation.event.DurableExecutionArn
  }

  get name(): string {
    return this.#as.name
  }

  /** Id of the EXECUTION operation: the last segment of the ARN (spec 09 §9.1). */
  get id(): string {
    return this.arn.split('/').at(-1) ?? ''
  }

  /** The newest invocation that the test holds or held. */
  get invocation(): Invocation {
    return this.#invocation
  }

  /** Operations as handed to the newest invocation; timestamps in epoch milliseconds. */
  get initialOperations(): readonly Operation[] {
    return this.invocation.event.InitialExecutionState.Operations
  }

  get startedAtMs(): number {
    const [first] = this.initialOperations
    assert.equal(first?.Type, 'EXECUTION')
    return first.StartTimestamp
  }

  // ------------------------------------------------------------------------------------------------ the wire's end

  /** Sends a checkpoint and tells the answer, whatever it is. Takes the newest token unless told otherwise. */
  send(request: {
    readonly token?: string
    readonly clientToken?: string
    readonly updates?: readonly Update[]
    readonly arn?: string
    readonly headers?: Readonly<Record<string, string>>
  }): Promise<WireAnswer> {
    const path = `${API}/${encodeURIComponent(request.arn ?? this.arn)}/checkpoint`
    const body = {
      CheckpointToken: request.token ?? this.token,
      ClientToken: request.clientToken,
      Updates: request.updates,
    }
    return this.server.postJson(path, body, request.headers)
  }

  /** A checkpoint that must be accepted; its token becomes the newest. */
  async checkpoint(updates: readonly Update[], clientToken?: string): Promise<CheckpointBody> {
    const request = clientToken === undefined ? { updates } : { updates, clientToken }
    const body = okBody<CheckpointBody>(await this.send(request))
    this.token = body.CheckpointToken ?? this.token
    return body
  }

  /** A checkpoint of which only what it answers about one operation matters. */
  async checkpointed(id: string, updates: readonly Update[]): Promise<Operation> {
    return only((await this.checkpoint(updates)).NewExecutionState.Operations, id)
  }

  /**
   * A checkpoint that must be refused with this text and leave no trace: same history, same operations, and its token
   * takes the next checkpoint (spec 04 §4.1 point 5, 05 §5.2).
   */
  async refused(
    updates: readonly Update[],
    message: string | RegExp,
    code = 'InvalidParameterValueException',
  ): Promise<void> {
    const before = { events: await this.events(), operations: await this.operations() }
    assertError(await this.send({ updates }), 400, code, message)
    assert.deepEqual({ events: await this.events(), operations: await this.operations() }, before)
    await this.checkpoint([])
  }

  /** A checkpoint that must be refused for its token. */
  async staleToken(request: Parameters<Execution['send']>[0], message = 'Invalid checkpoint token'): Promise<void> {
    assertError(await this.send(request), 400, 'InvalidParameterValueException', message)
  }

  statePage(query: { token?: string; marker?: string; maxItems?: number } = {}): Promise<WireAnswer> {
    const parameters = new URLSearchParams({ CheckpointToken: query.token ?? this.token })
    if (query.marker !== undefined) parameters.set('Marker', query.marker)
    if (query.maxItems !== undefined) parameters.set('MaxItems', String(query.maxItems))
    return this.server.get(`${API}/${encodeURIComponent(this.arn)}/state?${parameters}`)
  }

  /** All visible operations by GetDurableExecutionState; timestamps in seconds. */
  async operations(): Promise<readonly Operation[]> {
    const operations: Operation[] = []
    let marker: string | undefined
    do {
      const page: StatePage = okBody(
        await this.statePage({ maxItems: 1000, ...(marker === undefined ? {} : { marker }) }),
      )
      operations.push(...page.Operations)
      marker = page.NextMarker
    } while (marker !== undefined && marker !== '')
    assert.equal(new Set(operations.map(({ Id }) => Id)).size, operations.length, 'no operation twice')
    return operations
  }

  async operation(id: string): Promise<Operation> {
    return only(await this.operations(), id)
  }

  /** The CallbackId of a callback. */
  async callbackId(id: string): Promise<string> {
    const { CallbackDetails } = await this.operation(id)
    assert.ok(CallbackDetails?.CallbackId !== undefined, `${id} is a callback`)
    return CallbackDetails.CallbackId
  }

  /** The whole history; asserts what holds for every history (spec 11 §11.1, §11.2). */
  async events(): Promise<readonly HistoryEvent[]> {
    const events: HistoryEvent[] = []
    let marker = ''
    do {
      const query = `IncludeExecutionData=true&MaxItems=1000${marker === '' ? '' : `&Marker=${encodeURIComponent(marker)}`}`
      const page = okBody<{ Events: HistoryEvent[]; NextMarker?: string }>(
        await this.server.get(`${API}/${encodeURIComponent(this.arn)}/history?${query}`),
      )
      events.push(...page.Events)
      marker = page.NextMarker ?? ''
    } while (marker !== '')
    for (const [index, event] of events.entries()) {
      assert.equal(event.EventId, index + 1, 'EventIds are 1..n')
      assert.ok(event.EventTimestamp >= (events[index - 1]?.EventTimestamp ?? 0), 'times do not go back')
      assert.deepEqual(
        Object.keys(event).filter((member) => member.endsWith('Details')),
        [`${event.EventType}Details`],
      )
    }
    return events
  }

  /** The history in short, without its first event: `StepStarted s1`, `InvocationCompleted`. */
  async timeline(): Promise<readonly string[]> {
    const [, ...later] = await this.events()
    return later.map(({ EventType, Id }) => (Id === undefined || Id === this.id ? EventType : `${EventType} ${Id}`))
  }

  /** The details of the newest event of that type (of that operation). */
  async details(type: HistoryEvent['EventType'], id?: string): Promise<Readonly<Record<string, unknown>>> {
    const event = await this.event(type, id)
    return event[`${type}Details`] ?? {}
  }

  async event(type: HistoryEvent['EventType'], id?: string): Promise<HistoryEvent> {
    const found = (await this.events()).findLast(
      (event) => event.EventType === type && (id === undefined || event.Id === id),
    )
    assert.ok(found, `an event ${type} ${id ?? ''}`)
    return found
  }

  async describe(): Promise<Description> {
    return okBody(await this.server.get(`${API}/${encodeURIComponent(this.arn)}`))
  }

  async stop(error?: ErrorObject): Promise<void> {
    okBody(await this.server.postJson(`${API}/${encodeURIComponent(this.arn)}/stop`, error ?? {}))
  }

  /** When each ended invocation began, in epoch milliseconds. */
  async invocationStarts(): Promise<number[]> {
    return (await this.events()).flatMap(({ InvocationCompletedDetails: details }) =>
      details === undefined ? [] : [ms(Number(details['StartTimestamp']))],
    )
  }

  // -------------------------------------------------------------------------------------------- the function's end

  /** The function answers PENDING; resolves when the end of this invocation is recorded. */
  async suspend(): Promise<void> {
    this.invocation.respond({ Status: 'PENDING' })
    await this.invocationRecorded()
  }

  /** Resolves when the history tells the end of the newest invocation. */
  async invocationRecorded(): Promise<HistoryEvent> {
    return await eventually('the end of the invocation', async () =>
      (await this.events()).find(
        (event) => event.InvocationCompletedDetails?.['RequestId'] === this.invocation.requestId,
      ),
    )
  }

  /** Resolves when the server has taken the end of the newest invocation, even if it means nothing any more: its log tells. */
  async invocationOver(): Promise<void> {
    const { requestId } = this.invocation
    await eventually('the end of the invocation in the log', async () => {
      const answer = await this.server.get(`/perdure/v1/logs?request=${requestId}`)
      assert.equal(answer.status, 200, answer.text)
      return answer.text.includes(`REPORT RequestId: ${requestId}`) ? true : undefined
    })
  }

  /** The next invocation, with its fresh token. */
  async resumed(): Promise<Invocation> {
    this.#invocation = await this.server.puppets.nextOfExecution(this.name)
    this.token = this.#invocation.event.CheckpointToken
    return this.#invocation
  }

  /** Suspends, moves the clock and resumes. */
  async resumedAfter(seconds: number): Promise<Invocation> {
    await this.suspend()
    await this.server.advance(seconds * 1000)
    return await this.resumed()
  }

  /** The function's process dies; the invocation is retried after its back-off (spec 06 §6.4). */
  async crashedAndRetried(): Promise<Invocation> {
    this.invocation.exit(1)
    await this.invocationRecorded()
    await this.server.advance(1000)
    return await this.resumed()
  }

  /** The handler throws; the invocation is retried after this back-off. */
  async failedAndRetried(seconds: number): Promise<Invocation> {
    this.invocation.throw('Oops', 'thrown')
    await this.invocationRecorded()
    await this.server.advance(seconds * 1000)
    return await this.resumed()
  }

  /** The function answers SUCCEEDED; resolves when the execution is closed. */
  async succeed(result?: string): Promise<Description> {
    this.invocation.respond({ Status: 'SUCCEEDED', Result: result })
    return await this.closed()
  }

  /** The function answers FAILED; resolves when the execution is closed. */
  async fail(error?: ErrorObject): Promise<Description> {
    this.invocation.respond({ Status: 'FAILED', Error: error })
    return await this.closed()
  }

  /** Resolves when the execution is closed: a repeated named Invoke waits for its end (spec 07 §7.3). */
  async closed(): Promise<Description> {
    await this.invokeAnswer()
    return await this.describe()
  }

  /** What a caller who waits for the execution is answered. */
  async invokeAnswer(): Promise<WireAnswer> {
    return await (this.#syncAnswer ?? invoke(this.server, this.#as, 'sync'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    if (this.#invocation.held) this.#invocation.respond({ Status: 'PENDING' })
  }
}

function invoke(server: TestServer, as: StartedAs, mode: 'sync' | 'async'): Promise<WireAnswer> {
  return server.postJson(
    `/2015-03-31/functions/${encodeURIComponent(`${as.functionName}:$LATEST`)}/invocations`,
    as.input,
    {
      'x-amz-invocation-type': mode === 'sync' ? 'RequestResponse' : 'Event',
      'x-amz-durable-execution-name': as.name,
    },
  )
}

/** The one operation of that id in a list. */
export function only(operations: readonly Operation[], id: string): Operation {
  const found = operations.filter((operation) => operation.Id === id)
  const [operation] = found
  assert.ok(operation !== undefined && found.length === 1, `operation ${id} once in ${JSON.stringify(operations)}`)
  return operation
}

export const idsOf = (operations: readonly Operation[]): string[] => operations.map(({ Id }) => Id)

/** `Operation` of an HTTP answer with its timestamps turned into epoch milliseconds, as in the function's event. */
export function inMs(operation: Operation): Operation {
  const { EndTimestamp, StepDetails, WaitDetails } = operation
  return {
    ...operation,
    StartTimestamp: ms(operation.StartTimestamp),
    ...(EndTimestamp === undefined ? {} : { EndTimestamp: ms(EndTimestamp) }),
    ...(StepDetails?.NextAttemptTimestamp === undefined
      ? {}
      : { StepDetails: { ...StepDetails, NextAttemptTimestamp: ms(StepDetails.NextAttemptTimestamp) } }),
    ...(WaitDetails?.ScheduledEndTimestamp === undefined
      ? {}
      : { WaitDetails: { ScheduledEndTimestamp: ms(WaitDetails.ScheduledEndTimestamp) } }),
  }
}
