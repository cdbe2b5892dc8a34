/**
 * Everybody outside: clients that start executions and wait for them, race for names, stop some; people who answer
 * callbacks, twice or too late, and send heartbeats; readers. They retry as real clients do, and whatever they are
 * told goes into the ledger.
 */
import { type ExecutionArn, parseExecutionArn } from '../../src/protocol/arn.ts'
import { ApiError } from '../../src/protocol/errors.ts'
import type { DurableConfig } from '../../src/protocol/shapes.ts'
import type { DurableService, Started } from '../../src/service/api.ts'
import type { FunctionVersion } from '../../src/service/ports.ts'
import { type Agenda, FOREVER } from './agenda.ts'
import { CALL_REPEATS_MS, type CallbackRecord, type Ledger, type StartCall } from './ledger.ts'
import { isRetryable, type Network, TransportError } from './network.ts'
import { type Act, DURABLE, PLAIN } from './program.ts'
import type { Promises } from './promises.ts'
import type { Scenario } from './scenario.ts'
import type { SeededRandom } from './seeded-random.ts'
import { type Shadows, shortOf } from './shadow.ts'
import type { VirtualClock } from './virtual-clock.ts'

export interface OutsideWorld {
  readonly agenda: Agenda
  readonly clock: VirtualClock
  readonly random: SeededRandom
  readonly network: Network
  readonly ledger: Ledger
  readonly shadows: Shadows
  readonly promises: Promises
  readonly scenario: Scenario
  readonly log: (line: string) => void
  /** The version that the running server has declared. */
  readonly resolve: (name: string) => FunctionVersion | undefined
}

type CallbackAct = Act & { kind: 'callback' }
type Durable = FunctionVersion & { durable: DurableConfig }

const WAIT_MS = 120_000

export class Outside {
  readonly #world: OutsideWorld
  #errands = 0
  #calls = 0

  constructor(world: OutsideWorld) {
    this.#world = world
  }

  /** Nobody wants anything any more. */
  get idle(): boolean {
    return this.#errands === 0
  }

  /** Plans what everybody does while new things happen. */
  begin(): void {
    const { agenda, random, scenario } = this.#world
    const { chaosMs, starts, names, plains, reads, atOnce } = scenario
    const soon = (): number => random.between(0, Math.floor(chaosMs * 0.7))
    for (let i = 0; i < starts; i++)
      this.#planStart(names[i % names.length], atOnce ? random.between(0, 1_000) : soon())
    for (let i = plains; i > 0; i--) {
      agenda.after(soon(), FOREVER, () => this.#errand('enqueue', () => this.#enqueuePlain()))
    }
    for (let i = reads; i > 0; i--) {
      agenda.after(random.between(0, chaosMs), FOREVER, () => this.#errand('read', () => this.#read()))
    }
  }

  #planStart(name: string | undefined, afterMs: number): void {
    const { agenda, random, scenario } = this.#world
    const program = scenario.program(random)
    const rivals = name !== undefined && random.chance(0.5) ? random.between(1, scenario.rivals) : 0
    agenda.after(afterMs, FOREVER, () => {
      for (let edition = 0; edition <= rivals; edition++) {
        // A rival that wants something else under the same name has to be refused, or refuses the others.
        const wanted = edition > 0 && random.chance(0.2) ? { ...scenario.program(random), edition } : program
        this.#errand(`start ${name ?? 'unnamed'}`, () => this.#start(name, JSON.stringify(wanted)))
      }
    })
  }

  /** A callback id has come out into the world. */
  callbackKnown(arn: ExecutionArn, operationId: string, callbackId: string, act: CallbackAct): void {
    const { executionId } = arn
    const { heartbeatSeconds } = act
    const { ledger } = this.#world
    if (!ledger.callbackKnown({ callbackId, executionId, operationId, heartbeatSeconds })) return
    const record = ledger.callbacks.get(callbackId)
    if (record === undefined) return
    if (heartbeatSeconds > 0) this.#errand('heartbeats', () => this.#sendHeartbeats(record, act))
    if (act.answeredAfterMs === undefined) return
    const answers = this.#world.random.chance(0.25) ? 2 : 1
    for (let i = 0; i < answers; i++) this.#errand('callback', () => this.#answer(record, act, i > 0))
  }

  #errand(what: string, work: () => Promise<void>): void {
    this.#errands++
    work()
      .catch((error: unknown) =>
        this.#world.promises.report(`${what}: ${error instanceof Error ? error.stack : error}`),
      )
      .finally(() => this.#errands--)
  }

  // -------------------------------------------------------------------------------------------------------- starts

  async #start(name: string | undefined, input: string): Promise<void> {
    const { random, clock, scenario } = this.#world
    const sync = random.chance(scenario.waitedFor)
    const call = { functionName: DURABLE, name, sdkInvocationId: this.#callId(), firstSentMs: clock.now() }
    const started = await this.#started(call, input, sync)
    if (started === undefined) return
    if (random.chance(scenario.stopped)) this.#errand('stop', () => this.#stop(started))
    if (random.chance(scenario.deleted)) this.#errand('delete', () => this.#delete(started))
    if (sync) await this.#waitForEnd(call, input, started)
  }

  /** Until the service says yes, or that the name is taken by something else. */
  async #started(call: StartCall, input: string, sync: boolean): Promise<Started | undefined> {
    const { name, sdkInvocationId, functionName } = call
    const mode = sync ? 'sync' : 'async'
    const request = (service: DurableService): Promise<Started> => {
      const target = this.#world.resolve(functionName)
      if (target?.durable === undefined) return Promise.reject(new ApiError('TooManyRequestsException', 'no function'))
      return service.start({ target: target as Durable, name, input, mode, sdkInvocationId })
    }
    try {
      return await this.persist(request, (started) => {
        this.#world.log(`start of ${name ?? 'unnamed'} is ${shortOf(started.executionId)}`)
        this.#world.ledger.started(call, started)
      })
    } catch (error) {
      if (error instanceof ApiError && error.code === 'DurableExecutionAlreadyStartedException') return undefined
      throw error
    }
  }

  /** A synchronous caller: whose connection breaks finds its execution again by starting it again. */
  async #waitForEnd(call: StartCall, input: string, first: Started): Promise<void> {
    const { agenda, clock, network, ledger, random } = this.#world
    let started = first
    for (let attempt = 0; attempt < 10; attempt++) {
      const { executionId } = started
      const disconnect = new AbortController()
      if (random.chance(0.1))
        agenda.after(random.between(0, 60_000), FOREVER, () => disconnect.abort(new TransportError()))
      try {
        await network.call(
          FOREVER,
          (service) => service.waitForEnd(executionId, disconnect.signal),
          (end) => ledger.ended(executionId, end),
          WAIT_MS,
        )
        return
      } catch (error) {
        if (isNotFound(error)) return ledger.notFound(executionId)
        if (!isRetryable(error)) throw error
      }
      await agenda.pause(random.between(10, 2_000), FOREVER)
      // A call without a name finds its execution again for 15 minutes; later it would start another one.
      if (call.name === undefined && clock.latestMs - call.firstSentMs > CALL_REPEATS_MS - 120_000) return
      const again = await this.#started(call, input, true)
      if (again === undefined) return ledger.refusedAgain(executionId)
      started = again
    }
  }

  async #stop({ arn: text, executionId }: Started): Promise<void> {
    const { agenda, random, ledger, scenario } = this.#world
    const arn = parseExecutionArn(text)
    if (arn === undefined) return
    await agenda.pause(random.between(0, scenario.whimMs), FOREVER)
    ledger.stopsAsked.add(executionId)
    try {
      await this.persist(
        (service) => service.stop({ arn, error: { ErrorType: 'Stop', ErrorMessage: 'enough' } }),
        ({ StopTimestamp }) => ledger.stopped(executionId, StopTimestamp),
      )
    } catch (error) {
      if (!isNotFound(error)) throw error
      ledger.notFound(executionId)
    }
  }

  /** Tries a few times: who runs is not deleted, and not everybody waits for the end. */
  async #delete({ arn: text, executionId }: Omit<Started, 'version'>): Promise<void> {
    const { agenda, random, ledger, scenario } = this.#world
    const arn = parseExecutionArn(text)
    if (arn === undefined) return
    for (let attempt = 0; attempt < 20; attempt++) {
      await agenda.pause(random.between(0, scenario.whimMs), FOREVER)
      try {
        await this.persist(
          (service) => service.delete({ arn }),
          ({ DeletionRequestTimestamp }) => ledger.deleted(executionId, DeletionRequestTimestamp),
        )
        return
      } catch (error) {
        if (isNotFound(error)) return ledger.notFound(executionId)
        if (!(error instanceof ApiError) || error.code !== 'ResourceConflictException') throw error
      }
    }
  }

  async #enqueuePlain(): Promise<void> {
    const { random, ledger } = this.#world
    const payload = JSON.stringify(random.chance(0.3) ? 'throw' : 'answer')
    await this.persist(
      (service) => {
        const target = this.#world.resolve(PLAIN)
        if (target === undefined) return Promise.reject(new ApiError('TooManyRequestsException', 'no function'))
        return service.enqueuePlain({ target, qualifier: '$LATEST', payload })
      },
      ({ requestId }) => ledger.plainInvoked(requestId),
    )
  }

  // ----------------------------------------------------------------------------------------------------- callbacks

  async #answer(record: CallbackRecord, act: CallbackAct, rival: boolean): Promise<void> {
    const { agenda, random, ledger } = this.#world
    const { callbackId } = record
    await agenda.pause((act.answeredAfterMs ?? 0) + (rival ? random.between(0, 30_000) : 0), FOREVER)
    const id = this.#callId()
    const sdkInvocationId = random.chance(0.8) ? id : undefined
    const outcome = act.succeeds ? 'SUCCEEDED' : 'FAILED'
    const what = act.succeeds ? { result: `answer ${id}` } : { error: { ErrorType: 'Rejected', ErrorMessage: id } }
    const identified = sdkInvocationId === undefined ? undefined : { sdkInvocationId }
    try {
      await this.persist(
        (service) => service.completeCallback({ callbackId, outcome, ...what, ...identified }),
        () => ledger.callbackCompleted(record, { id, outcome, ...what }),
      )
    } catch (error) {
      if (!isClosed(error)) throw error
      ledger.callbackRefused(record, sdkInvocationId)
    }
  }

  /** Alive until it answers; who never answers falls silent after a while. */
  async #sendHeartbeats(
    record: CallbackRecord,
    { heartbeatSeconds, answeredAfterMs = 30_000 }: CallbackAct,
  ): Promise<void> {
    const { agenda, clock, network, random, ledger } = this.#world
    const { callbackId } = record
    const untilMs = agenda.nowMs + answeredAfterMs
    while (agenda.nowMs < untilMs) {
      const sentMs = clock.now()
      try {
        await network.call(
          FOREVER,
          (service) => service.heartbeatCallback({ callbackId }),
          () => ledger.heartbeatAccepted(record, sentMs),
        )
      } catch (error) {
        if (isClosed(error)) return ledger.callbackRefused(record, undefined)
        if (!isRetryable(error)) throw error
      }
      await agenda.pause(Math.floor(heartbeatSeconds * 1_000 * (0.01 + 0.8 * random.fraction())), FOREVER)
    }
  }

  // ------------------------------------------------------------------------------------------------------- readers

  async #read(): Promise<void> {
    const { random, shadows, ledger, promises, scenario } = this.#world
    const known = [...shadows.byId.values()]
    if (known.length === 0) return
    const { id, state } = random.pick(known)
    const arn = parseExecutionArn(state.start.arn)
    if (arn === undefined) {
      promises.report(`${state.start.arn} is no ARN`)
      return
    }
    // Who looks at a child may delete it: its parent has to learn how it ended all the same.
    if (state.start.parent !== undefined && random.chance(scenario.deleted)) {
      this.#errand('delete', () => this.#delete({ arn: arn.text, executionId: id }))
    }
    try {
      await this.#readExecution(id, arn)
      await this.#readList(state.start.functionName)
    } catch (error) {
      if (isNotFound(error)) return ledger.notFound(id)
      if (!isRetryable(error)) throw error
    }
  }

  async #readExecution(id: string, arn: ExecutionArn): Promise<void> {
    const { network, random, ledger } = this.#world
    await network.call(
      FOREVER,
      (service) => service.describe({ arn, includeData: true }),
      (description) => ledger.described(id, description),
    )
    let marker: string | undefined
    let firstEventId = 1
    do {
      const from = firstEventId
      const after = marker === undefined ? undefined : { marker }
      const request = { arn, includeData: true, reverse: false, maxItems: random.between(1, 20), ...after }
      const page = await network.call(
        FOREVER,
        (service) => service.history(request),
        (page) => ledger.historyRead(id, page, from),
      )
      firstEventId += page.Events.length
      marker = page.NextMarker
    } while (marker !== undefined)
  }

  /** All pages together: no execution twice, and every one that there was before the first page. */
  async #readList(functionName: string): Promise<void> {
    const { network, random, shadows, ledger } = this.#world
    const expected = [...shadows.byId.values()].filter(({ state }) => state.start.functionName === functionName)
    const listed: string[] = []
    let marker: string | undefined
    do {
      const after = marker === undefined ? undefined : { marker }
      const request = { functionName, oldestFirst: true, maxItems: random.between(1, 4), ...after }
      const page = await network.call(FOREVER, (service) => service.list(request))
      listed.push(...page.DurableExecutions.map(({ DurableExecutionArn }) => DurableExecutionArn))
      marker = page.NextMarker
    } while (marker !== undefined)
    ledger.listed(
      listed,
      expected.map(({ id, state }) => ({ id, arn: state.start.arn })),
    )
  }

  /** Tries until the service has answered. */
  async persist<T>(
    request: (service: DurableService) => Promise<T>,
    released: (answer: T) => void = () => {},
  ): Promise<T> {
    const { agenda, network, random, scenario } = this.#world
    for (;;) {
      try {
        return await network.call(FOREVER, request, released)
      } catch (error) {
        if (!isRetryable(error)) throw error
      }
      await agenda.pause(random.between(100, scenario.retryMs), FOREVER)
    }
  }

  #callId(): string {
    this.#calls += 1
    return `call-${this.#calls}`
  }
}

const isClosed = (error: unknown): boolean => error instanceof ApiError && error.code === 'CallbackTimeoutException'
const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.code === 'ResourceNotFoundException'
