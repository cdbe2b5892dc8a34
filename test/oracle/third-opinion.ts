/**
 * A third opinion: the local checkpoint server of `@aws/durable-execution-sdk-js-testing`, which answers from a worker
 * thread. It has no clock, no tokens worth the name, no invocations of its own and no HTTP; so it is asked only what it
 * can judge: whether a checkpoint of steps, contexts, waits and callbacks is taken, why not, and what the operations are
 * then. It is held against the oracle, which was held against the servers.
 */
import { Worker } from 'node:worker_threads'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { BOOM } from './directed.ts'
import { type Execution, isHidden, type Operation, operationOf } from './model/execution.ts'
import { dueAt } from './model/inbox.ts'
import type { Update } from './model/shape.ts'
import { World } from './model/world.ts'

/** Where it differs from the service (spec 12 §12.1), or was found to differ; what is compared leaves these out. */
export const KNOWN_DIFFERENCES = [
  '"already exists" where the service says "already exist" (12.1)',
  'CANCEL of a callback or chained invoke is taken (12.1): not asked',
  'sizes of payloads, and identity of later updates, are not looked at (12.1, 04 §4.6): not asked',
  'waits of 0 seconds are taken (12.1): not asked',
  'stale tokens are taken, and repeats are not known (12.1): not asked',
  'parents and repeated ids are looked at in all updates before anything else in any: of several updates the texts are not compared',
  'the transitions of a batch are judged by the state before it (04 §4.1): a close after a START of an existing operation is not asked',
  'Attempt is absent until the first attempt has ended (12.1): taken as 0',
  'a second START leaves the step READY and forgets what RETRY stored: such a step is not compared any more',
  'RETRY of a step without a START stores neither payload nor error: these two are not compared for it',
  'CANCEL of a wait is taken and changes nothing: such a wait is not compared any more',
  'a step that is closed keeps NextAttemptTimestamp, and FAIL without an error stores none: not compared',
  'below a hidden context that has not ended itself, operations are still shown: what is hidden is not compared',
] as const

export interface ThirdOpinion {
  readonly sequences: number
  readonly comparisons: number
  readonly disagreements: readonly string[]
}

const SEQUENCES = 60
const CHECKPOINTS = 14

/** Plays so many sequences of its own, from this seed on. */
export async function askThird(from: number, sequences = SEQUENCES): Promise<ThirdOpinion> {
  const emulator = new Emulator()
  const disagreements: string[] = []
  let comparisons = 0
  try {
    for (let seed = from; seed < from + sequences; seed += 1) {
      const conversation = new Conversation(emulator, seed)
      const disagreement = await conversation.run()
      comparisons += conversation.comparisons
      if (disagreement !== undefined) disagreements.push(`sequence ${seed}: ${disagreement}`)
    }
  } finally {
    await emulator.close()
  }
  return { sequences, comparisons, disagreements }
}

type Fields = Readonly<Record<string, unknown>>

/** The worker thread, asked one thing at a time. */
class Emulator {
  readonly #worker: Worker
  readonly #waiting = new Map<string, PromiseWithResolvers<Fields>>()
  #asked = 0

  constructor() {
    const main = import.meta.resolve('@aws/durable-execution-sdk-js-testing')
    this.#worker = new Worker(new URL('../dist-cjs/checkpoint-server/index.js', main))
    this.#worker.on('message', ({ data }: { data: { requestId: string; response?: Fields; error?: unknown } }) => {
      const waiting = this.#waiting.get(data.requestId)
      this.#waiting.delete(data.requestId)
      if (data.error === undefined) waiting?.resolve(data.response ?? {})
      else waiting?.reject(data.error)
    })
  }

  ask(type: string, params: object): Promise<Fields> {
    this.#asked += 1
    const requestId = String(this.#asked)
    const waiting = Promise.withResolvers<Fields>()
    this.#waiting.set(requestId, waiting)
    this.#worker.postMessage({ type: 'API_REQUEST', data: { type, requestId, params } })
    return waiting.promise
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}

/** One execution that the oracle and the emulator are told the same about. */
class Conversation {
  comparisons = 0
  readonly #emulator: Emulator
  readonly #random: SeededRandom
  readonly #world = new World()
  /** Operations in which the emulator is known to differ from here on. */
  readonly #uncomparable = new Set<string>()
  /** Steps whose first update was a RETRY. */
  readonly #retriedUnstarted = new Set<string>()
  #executionId = ''
  #token = ''

  constructor(emulator: Emulator, seed: number) {
    this.#emulator = emulator
    this.#random = new SeededRandom(seed, 'third opinion')
    this.#world.perform({ do: 'invoke', as: 'e', functionName: 'patient:$LATEST', mode: 'Event', input: '{}' })
  }

  get #execution(): Execution {
    const execution = this.#world.executions.get('e')
    if (execution === undefined) throw new Error('the execution is there from the start')
    return execution
  }

  async run(): Promise<string | undefined> {
    const started = await this.#emulator.ask('StartDurableExecution', { invocationId: 'i', payload: '{}' })
    this.#executionId = String(started['executionId'])
    this.#token = String(started['checkpointToken'])
    for (let count = 0; count < CHECKPOINTS; count += 1) {
      await this.#passTime()
      await this.#completeCallbacks()
      // An empty one is taken whatever was refused before, and takes in what was due.
      const disagreement =
        (await this.#checkpoint(this.#updates())) ?? (await this.#checkpoint([])) ?? (await this.#compareOperations())
      if (disagreement !== undefined) return `checkpoint ${count + 1}: ${disagreement}`
    }
    return undefined
  }

  /** What comes due is told to the emulator, whose own timers are those of its runner. */
  async #passTime(): Promise<void> {
    if (this.#random.chance(0.5)) return
    this.#world.tick(this.#random.between(1, 6) * 1_000)
    const { now } = this.#world
    for (const operation of this.#execution.operations) {
      if (dueAt(operation) > now || operation.type === 'CALLBACK') continue
      const Status = operation.type === 'STEP' ? 'READY' : 'SUCCEEDED'
      await this.#emulator.ask('UpdateCheckpointData', {
        executionId: this.#executionId,
        operationId: operation.id,
        operationData: { Status },
      })
    }
  }

  async #completeCallbacks(): Promise<void> {
    const open = this.#execution.operations.filter(
      (each) => each.type === 'CALLBACK' && each.status === 'STARTED' && !isHidden(this.#execution, each),
    )
    const callback = open.find(() => this.#random.chance(0.3))
    if (callback === undefined) return
    const success = this.#random.chance(0.5)
    const body = success ? '"yes"' : JSON.stringify(BOOM)
    const verb = success ? 'succeed' : 'fail'
    this.#world.perform({ do: 'callback', on: 'e', operation: callback.id, id: 'real', verb, body })
    const { Operations } = await this.#state()
    const theirs = Operations.find(({ Id }) => Id === callback.id)
    const { CallbackId } = (theirs?.['CallbackDetails'] ?? {}) as Fields
    const about = { CallbackId, ...(success ? { Result: Buffer.from(body) } : { Error: BOOM }) }
    await this.#emulator.ask(`SendDurableExecutionCallback${success ? 'Success' : 'Failure'}`, about)
  }

  async #state(): Promise<{ Operations: readonly Fields[] }> {
    const state = await this.#emulator.ask('GetDurableExecutionState', { DurableExecutionArn: this.#executionId })
    return state as unknown as { Operations: readonly Fields[] }
  }

  /** Both take it, or both refuse it, and a single update with the same words. */
  async #checkpoint(updates: readonly Update[]): Promise<string | undefined> {
    const before = structuredClone(this.#execution.operations)
    const answer = this.#world.perform({ do: 'checkpoint', on: 'e', token: 0, updates })
    const ours = answer?.error === undefined ? 'taken' : (answer.error.text ?? answer.error.type)
    let theirs = 'taken'
    try {
      const DurableExecutionArn = this.#executionId
      const request = { DurableExecutionArn, CheckpointToken: this.#token, Updates: updates }
      const taken = await this.#emulator.ask('CheckpointDurableExecutionState', request)
      this.#token = String(taken['CheckpointToken'])
    } catch (refused) {
      theirs = (refused as Error).message.replace('already exists.', 'already exist.')
    }
    this.comparisons += 1
    const same = updates.length === 1 ? ours === theirs : (ours === 'taken') === (theirs === 'taken')
    if (!same) return `${JSON.stringify(updates)}: the oracle says "${ours}", the emulator "${theirs}"`
    if (ours === 'taken') for (const update of updates) this.#note(update, before)
    return undefined
  }

  #note({ Id = '', Type, Action }: Update, before: readonly Operation[]): void {
    const existed = before.some(({ id }) => id === Id)
    if (Type === 'WAIT' && Action === 'CANCEL') this.#uncomparable.add(Id)
    if (Type === 'STEP' && Action === 'START' && existed) this.#uncomparable.add(Id)
    if (Type === 'STEP' && Action === 'RETRY' && !existed) this.#retriedUnstarted.add(Id)
  }

  async #compareOperations(): Promise<string | undefined> {
    const { Operations } = await this.#state()
    for (const operation of this.#execution.operations) {
      if (operation.type === 'EXECUTION' || this.#uncomparable.has(operation.id)) continue
      if (isHidden(this.#execution, operation)) continue
      const theirs = Operations.find(({ Id }) => Id === operation.id)
      const [mine, other] = [
        this.#essence(operation),
        theirs === undefined ? 'absent' : this.#essenceOf(theirs, operation),
      ]
      this.comparisons += 1
      if (mine !== other) return `${operation.id}: the oracle has ${mine}, the emulator ${other}`
    }
    return undefined
  }

  #essence({ type, status, parentId, name, subType, attempt, result, error, id }: Operation): string {
    const data = this.#withData(id, type, status) ? [result, error] : []
    return JSON.stringify([type, status, parentId, name, subType, type === 'STEP' ? attempt : 0, ...data])
  }

  #essenceOf(theirs: Fields, { id, type, status }: Operation): string {
    const details = {
      ...(theirs['StepDetails'] ?? theirs['ContextDetails'] ?? theirs['CallbackDetails'] ?? {}),
    } as Fields
    const data = this.#withData(id, type, status) ? [details['Result'], details['Error']] : []
    const { Type, Status, ParentId, Name, SubType } = theirs
    const attempt = type === 'STEP' ? (details['Attempt'] ?? 0) : 0
    return JSON.stringify([Type, Status, ParentId, Name, SubType, attempt, ...data])
  }

  #withData(id: string, type: string, status: string): boolean {
    const ended = ['SUCCEEDED', 'FAILED', 'PENDING', 'READY'].includes(status)
    return ended && type !== 'WAIT' && !(this.#retriedUnstarted.has(id) && (status === 'PENDING' || status === 'READY'))
  }

  // ------------------------------------------------------------------------------------------------------- the updates

  #updates(): readonly Update[] {
    const updates: Update[] = []
    for (let count = this.#random.between(0, 3); count > 0; count -= 1) {
      const update = this.#update()
      const isNew = operationOf(this.#execution, update.Id ?? '') === undefined
      const once = updates.every(({ Id }) => Id !== update.Id)
      if (once) updates.push(update)
      const { Error: _, Payload: __, ...bare } = update
      const pair = once && isNew && update.Action === 'START' && (update.Type === 'STEP' || update.Type === 'CONTEXT')
      if (pair && this.#random.chance(0.4)) updates.push({ ...bare, Action: 'SUCCEED', Payload: '"done"' })
    }
    return updates
  }

  #update(): Update {
    const random = this.#random
    const Type = random.pick(['STEP', 'STEP', 'CONTEXT', 'WAIT', 'CALLBACK'])
    const Id = `${Type.toLowerCase()}-${random.between(1, 5)}`
    const stored = operationOf(this.#execution, Id)
    const actions: Readonly<Record<string, readonly string[]>> = {
      STEP: ['START', 'SUCCEED', 'FAIL', 'RETRY', 'CANCEL'],
      CONTEXT: ['START', 'SUCCEED', 'FAIL', 'RETRY'],
      WAIT: ['START', 'START', 'CANCEL', 'SUCCEED'],
      CALLBACK: ['START', 'START', 'SUCCEED'],
    }
    const Action = random.pick(actions[Type] ?? [])
    const contexts = this.#execution.operations.filter(({ type }) => type === 'CONTEXT')
    const parent = random.chance(0.1) ? 'nobody' : contexts.length > 0 ? random.pick(contexts).id : undefined
    const identity =
      stored === undefined
        ? {
            ...(parent !== undefined && random.chance(0.4) ? { ParentId: parent } : {}),
            Name: 'a name',
            SubType: 'Kind',
          }
        : { ...(stored.parentId === undefined ? {} : { ParentId: stored.parentId }), Name: 'a name', SubType: 'Kind' }
    return {
      Id,
      Type,
      Action,
      ...identity,
      ...(Action === 'SUCCEED' ? { Payload: '"done"' } : {}),
      ...(Action === 'FAIL' || (Action === 'RETRY' && random.chance(0.5)) ? { Error: BOOM } : {}),
      ...(Action === 'RETRY' ? { StepOptions: { NextAttemptDelaySeconds: 2 } } : {}),
      ...(Type === 'WAIT' && Action === 'START' ? { WaitOptions: { WaitSeconds: 3 } } : {}),
      ...(Type === 'CONTEXT' && random.chance(0.7) ? { ContextOptions: { ReplayChildren: true } } : {}),
    }
  }
}
