/**
 * Random sequences of everything the API offers, well-formed and not. The generator plays along on a world of its own,
 * so that it knows what there is, and leans towards what is rare: repeats, tokens of the past, calls that cross a
 * running invocation, ends that come too late.
 */
import { SeededRandom } from '../simulation/seeded-random.ts'
import { ACTIONS, TYPES } from './cells.ts'
import type { Command, Ending, TokenChoice } from './commands.ts'
import { BOOM } from './directed.ts'
import { LIMITS } from './model/configuration.ts'
import { type Execution, type Operation, operationOf } from './model/execution.ts'
import type { Update } from './model/shape.ts'
import { World } from './model/world.ts'

const MOST_COMMANDS = 45
const MOST_STARTS = 4
const MOST_CHILDREN = 3

/** Executions that no command is about any more make room for others. */
export function randomSequence(seed: number): readonly Command[] {
  const random = new SeededRandom(seed, 'oracle')
  const author = new Author(random)
  const length = random.between(8, MOST_COMMANDS)
  for (let count = 0; count < length; count += 1) author.add()
  return author.commands
}

type Weighted = readonly [weight: number, make: () => Command | undefined]

class Author {
  readonly commands: Command[] = []
  readonly #random: SeededRandom
  readonly #world = new World()
  #starts = 0

  constructor(random: SeededRandom) {
    this.#random = random
    this.#play(this.#invoke())
  }

  add(): void {
    const choices: readonly Weighted[] = [
      [this.#starts < MOST_STARTS ? 6 : 0, () => this.#invoke()],
      [45, () => this.#checkpoint()],
      [14, () => this.#end()],
      [14, () => this.#advance()],
      [10, () => this.#callback()],
      [3, () => this.#endTarget()],
      [2, () => this.#stop()],
      [1.5, () => this.#delete()],
      [6, () => this.#read()],
    ]
    this.#play(this.#weighted(choices)())
  }

  #play(command: Command | undefined): void {
    if (command === undefined) return
    this.commands.push(command)
    if (command.do !== 'advance') this.#world.perform(command)
    else {
      const until = this.#world.now + command.ms
      while (this.#world.now < until) this.#world.tick(Math.min(until, this.#world.nextDue()) - this.#world.now)
    }
  }

  // ---------------------------------------------------------------------------------------------------- what there is

  #all(): readonly Execution[] {
    return [...this.#world.executions.values()]
  }

  #execution(wanted: (execution: Execution) => boolean = () => true): Execution | undefined {
    const found = this.#all().filter(wanted)
    return found.length === 0 ? undefined : this.#random.pick(found)
  }

  #weighted<T>(choices: readonly (readonly [number, T])[]): T {
    let draw = this.#random.fraction() * choices.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, value] of choices) {
      draw -= weight
      if (draw < 0) return value
    }
    throw new Error('nothing to choose from')
  }

  // ------------------------------------------------------------------------------------------------------- whole calls

  #invoke(): Command {
    const random = this.#random
    this.#starts += 1
    const functionName = this.#weighted([
      [6, 'puppet:$LATEST'],
      [3, 'brief:$LATEST'],
      [3, 'patient:$LATEST'],
      [0.2, 'puppet'],
      [0.2, 'nobody:$LATEST'],
      [0.2, 'puppet:7'],
    ])
    const name = this.#weighted<{ name?: string }>([
      [4, {}],
      [5, { name: `«name ${random.pick(['n1', 'n2'])}»` }],
      [0.2, { name: 'no name' }],
    ])
    const mode = this.#weighted<'Event' | 'RequestResponse' | 'DryRun'>([
      [6, 'Event'],
      [3, 'RequestResponse'],
      [0.2, 'DryRun'],
    ])
    const input = this.#weighted([
      [6, '{"order":1}'],
      [2, '{"order":2}'],
      [1, '"text"'],
      [0.2, '{"not json'],
    ])
    return { do: 'invoke', as: `e${this.#starts}`, functionName, ...name, mode, input }
  }

  #checkpoint(): Command | undefined {
    const random = this.#random
    const running = this.#execution(({ invocation }) => invocation !== undefined)
    const execution = running !== undefined && random.chance(0.93) ? running : this.#execution()
    if (execution === undefined) return undefined
    const token = this.#weighted<TokenChoice>([
      [22, 0],
      [1.5, 1],
      [0.7, 2],
      [0.4, 5],
      [0.4, 'foreign'],
      [0.2, 'random'],
      [0.1, 'misshapen'],
    ])
    const clientToken = this.#clientToken(execution, token)
    const updates = this.#updates(execution)
    return { do: 'checkpoint', on: execution.key, token, ...clientToken, updates }
  }

  /** Mostly one of few, so that they meet again; with a token of the past mostly the one that it was sent with. */
  #clientToken(execution: Execution, choice: TokenChoice): { clientToken?: string } {
    const token = this.#world.tokenFor(execution, choice)
    const earlier = execution.invocation?.accepted.find((accepted) => accepted.token === token)?.clientToken
    if (earlier !== undefined && this.#random.chance(0.7)) return { clientToken: earlier }
    return this.#random.chance(0.4) ? {} : { clientToken: this.#random.pick(['t1', 't2', 't3']) }
  }

  #end(): Command | undefined {
    const { key } = this.#execution(({ held }) => held !== undefined) ?? {}
    if (key === undefined) return undefined
    const random = this.#random
    const result = this.#weighted([
      [6, '"done"'],
      [1, ''],
      [0.5, 'x'.repeat(LIMITS.asyncPayloadBytes + random.between(0, 1))],
      [0.3, 'x'.repeat(LIMITS.syncPayloadBytes + random.between(0, 1))],
    ])
    const how = this.#weighted<Ending>([
      [20, { output: { Status: 'PENDING' } }],
      [3, { output: { Status: 'SUCCEEDED', Result: result } }],
      [0.6, { output: { Status: 'SUCCEEDED' } }],
      [1.5, { output: { Status: 'FAILED', Error: BOOM } }],
      [0.6, { output: { Status: 'FAILED' } }],
      [0.4, { output: { Status: 'SUCCEEDED', Error: BOOM } }],
      [0.4, { output: { Status: 'FAILED', Result: '1' } }],
      [0.4, { output: { Status: 'DONE' } }],
      [0.3, { output: null }],
      [5, { throws: { name: 'Oops', message: 'thrown' } }],
      [0.7, { exits: random.pick([0, 1, 7]) }],
    ])
    return { do: 'end', on: key, how }
  }

  #endTarget(): Command | undefined {
    const [on] = this.#world.plainRuns.keys()
    if (on === undefined) return undefined
    const how = this.#weighted<Ending>([
      [5, { output: { done: true } }],
      [1, { output: null }],
      [1, { output: 'x'.repeat(LIMITS.chainedPayloadBytes) }],
      [2, { throws: { name: 'Oops', message: 'thrown' } }],
      [0.5, { exits: 1 }],
    ])
    return { do: 'end target', on, how }
  }

  #advance(): Command {
    const { now } = this.#world
    const due = this.#world.nextDue() - now
    const near = Number.isFinite(due) ? due : 1_000
    const ms = this.#weighted([
      [5, this.#random.between(1, 50)],
      [5, near],
      [2, Math.max(0, near - 1)],
      [2, near + 1],
      [3, 1_000 * this.#random.between(1, 10)],
      [1, 1_000 * this.#random.between(10, 130)],
      [0.4, 601_000],
      [0.4, 900_000],
      [0.4, 900_001],
    ])
    return { do: 'advance', ms: Math.min(ms, 1_000_000) }
  }

  #callback(): Command | undefined {
    const random = this.#random
    const callbacks = this.#all().flatMap(({ key, operations }) =>
      operations.filter(({ type }) => type === 'CALLBACK').map(({ id, status }) => ({ key, id, status })),
    )
    const open = callbacks.filter(({ status }) => status === 'STARTED')
    const from = open.length > 0 && random.chance(0.7) ? open : callbacks
    if (from.length === 0) return undefined
    const { key: on, id: operation } = random.pick(from)
    const id = this.#weighted<'real' | 'forged' | 'misshapen'>([
      [20, 'real'],
      [1, 'forged'],
      [0.6, 'misshapen'],
    ])
    const verb = random.pick(['succeed', 'fail', 'heartbeat', 'succeed'] as const)
    if (verb === 'heartbeat') return { do: 'callback', on, operation, id, verb }
    const texts = verb === 'succeed' ? ['"yes"', 'plain text', '', '{"half'] : [JSON.stringify(BOOM), '{}', '']
    return { do: 'callback', on, operation, id, verb, body: random.pick(texts) }
  }

  #stop(): Command | undefined {
    const { key } = this.#execution() ?? {}
    if (key === undefined) return undefined
    return { do: 'stop', on: key, ...(this.#random.chance(0.5) ? { error: BOOM } : {}) }
  }

  #delete(): Command | undefined {
    const closed = this.#execution(({ status }) => status !== 'RUNNING')
    const { key } = (this.#random.chance(0.8) ? closed : undefined) ?? this.#execution() ?? {}
    return key === undefined ? undefined : { do: 'delete', on: key }
  }

  #read(): Command | undefined {
    const random = this.#random
    const { key } = this.#execution() ?? {}
    if (key === undefined) return undefined
    return this.#weighted<() => Command | undefined>([
      [2, () => ({ do: 'get', on: key, data: random.chance(0.5) })],
      [
        3,
        () => ({
          do: 'history',
          on: key,
          maxItems: random.pick([1, 2, 3, 7, 100]),
          reverse: random.chance(0.5),
          data: random.chance(0.6),
        }),
      ],
      [
        3,
        () => ({
          do: 'state',
          on: key,
          token: random.pick([0, 0, 0, 1, 'foreign', 'random']),
          maxItems: random.pick([1, 2, 5, 100]),
        }),
      ],
      [3, () => this.#list()],
    ])()
  }

  /** Not where executions began in the same millisecond: their order among themselves is nobody's promise. */
  #list(): Command | undefined {
    const random = this.#random
    const functionName = random.pick(['puppet', 'brief', 'patient'])
    const begins = this.#all()
      .filter((each) => each.functionName === functionName)
      .map(({ startedAt }) => startedAt)
    if (new Set(begins).size < begins.length) return undefined
    const status = random.pick(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'STOPPED'])
    const name = `«name ${random.pick(['n1', 'n2'])}»`
    return {
      do: 'list',
      functionName,
      ...(random.chance(0.4) ? { status } : {}),
      ...(random.chance(0.3) ? { name } : {}),
      reverse: random.chance(0.5),
      maxItems: random.pick([1, 2, 100]),
    }
  }

  // ------------------------------------------------------------------------------------------------------------ updates

  #updates(execution: Execution): readonly Update[] {
    const random = this.#random
    const count = this.#weighted([
      [2, 0],
      [6, 1],
      [4, 2],
      [3, 3],
      [1, 6],
    ])
    const updates: Update[] = []
    for (let index = 0; index < count; index += 1) {
      const last = updates.at(-1)
      // What SDKs do most: START and the end of that attempt in one request.
      if (last?.Action === 'START' && (last.Type === 'STEP' || last.Type === 'CONTEXT') && random.chance(0.5)) {
        const Action = random.pick(last.Type === 'STEP' ? ['SUCCEED', 'FAIL', 'RETRY', 'START'] : ['SUCCEED', 'FAIL'])
        updates.push(this.#members({ ...last, Action }))
      } else {
        updates.push(this.#update(execution, updates))
      }
    }
    if (random.chance(0.04))
      updates.push(this.#members({ Id: 'the-result', Type: 'EXECUTION', Action: random.pick(['SUCCEED', 'FAIL']) }))
    return updates
  }

  #update(execution: Execution, before: readonly Update[]): Update {
    const random = this.#random
    const type = this.#weighted<string>([
      [8, 'STEP'],
      [4, 'CONTEXT'],
      [4, 'WAIT'],
      [4, 'CALLBACK'],
      [2, 'CHAINED_INVOKE'],
      [0.2, 'EXECUTION'],
    ])
    const own = execution.operations.filter((operation) => operation.type === type)
    const stored =
      own.length > 0 && random.chance(0.5)
        ? random.pick(own)
        : random.chance(0.03)
          ? random.pick(execution.operations)
          : undefined
    const Id = stored?.id ?? `${type.toLowerCase().replace('_', '-')}-${random.between(1, 6)}`
    const found = operationOf(execution, Id)
    const Action = random.chance(0.9) ? this.#likelyAction(type, found) : random.pick(ACTIONS)
    const identity = found === undefined ? this.#newIdentity(execution, before) : this.#storedIdentity(found)
    return this.#members({ Id, Type: random.chance(0.005) ? random.pick(TYPES) : type, Action, ...identity })
  }

  #likelyAction(type: string, stored: Operation | undefined): string {
    const random = this.#random
    if (type === 'EXECUTION') return random.pick(['SUCCEED', 'FAIL'])
    if (type === 'WAIT') return stored === undefined ? 'START' : 'CANCEL'
    if (type === 'CALLBACK' || type === 'CHAINED_INVOKE') return 'START'
    if (type === 'CONTEXT')
      return stored === undefined ? random.pick(['START', 'START', 'SUCCEED']) : random.pick(['SUCCEED', 'FAIL'])
    if (stored === undefined) return random.pick(['START', 'START', 'SUCCEED', 'FAIL', 'RETRY', 'RETRY'])
    return random.pick(stored.status === 'READY' ? ['START', 'SUCCEED', 'RETRY'] : ['SUCCEED', 'FAIL', 'RETRY'])
  }

  #newIdentity(execution: Execution, before: readonly Update[]): Update {
    const random = this.#random
    const contexts = [
      ...execution.operations.filter(({ type }) => type === 'CONTEXT').map(({ id }) => id),
      ...before.filter(({ Type }) => Type === 'CONTEXT').map(({ Id }) => Id ?? ''),
    ]
    return {
      ...(contexts.length > 0 && random.chance(0.45) ? { ParentId: random.pick(contexts) } : {}),
      ...(random.chance(0.01) ? { ParentId: 'nobody' } : {}),
      ...(random.chance(0.5) ? { Name: random.pick(['a name', 'another name']) } : {}),
      ...(random.chance(0.5) ? { SubType: 'Kind' } : {}),
    }
  }

  /** What SDKs repeat, or leave out, or rarely something else. */
  #storedIdentity({ parentId, name, subType }: Operation): Update {
    const random = this.#random
    if (random.chance(0.3)) return {}
    return {
      ...(parentId === undefined ? {} : { ParentId: parentId }),
      ...(name === undefined ? {} : { Name: name }),
      ...(subType === undefined ? {} : { SubType: subType }),
      ...(random.chance(0.03) ? { Name: 'yet another name' } : {}),
      ...(random.chance(0.02) ? { SubType: 'Other' } : {}),
      ...(random.chance(0.02) ? { ParentId: 'context-1' } : {}),
    }
  }

  /** The members that go with the action; sometimes one that does not, or one too many, or none. */
  #members(update: Update): Update {
    const random = this.#random
    const { Type, Action } = update
    const odd = random.chance(0.06)
    const payload = this.#payload(Type ?? '')
    const error = { Error: random.chance(0.04) ? { ErrorMessage: 'x'.repeat(LIMITS.updateErrorBytes) } : BOOM }
    const members: Update = {
      ...((Action === 'SUCCEED' && random.chance(0.8)) || (odd && random.chance(0.3)) ? payload : {}),
      ...((Action === 'FAIL' && random.chance(0.8)) || (odd && random.chance(0.3)) ? error : {}),
      ...(Action === 'RETRY' ? random.pick([error, payload, {}]) : {}),
      ...(Action === 'RETRY' && !odd ? { StepOptions: { NextAttemptDelaySeconds: random.pick([1, 2, 5, 30]) } } : {}),
      ...(Type === 'CONTEXT' && random.chance(0.4) ? { ContextOptions: { ReplayChildren: random.chance(0.6) } } : {}),
      ...(Type === 'WAIT' && Action === 'START' && !odd
        ? { WaitOptions: { WaitSeconds: random.pick([1, 2, 5, 30, 300]) } }
        : {}),
      ...(Type === 'CALLBACK' && random.chance(0.7) ? this.#callbackOptions() : {}),
      ...(Type === 'CHAINED_INVOKE' && Action === 'START' && !odd ? this.#target() : {}),
      ...(odd && random.chance(0.2) ? { StepOptions: { NextAttemptDelaySeconds: random.pick([0, 1]) } } : {}),
      ...(odd && random.chance(0.1) ? { Name: '' } : {}),
    }
    return { ...update, ...members }
  }

  #payload(type: string): Update {
    const limit = type === 'CHAINED_INVOKE' ? LIMITS.chainedPayloadBytes : LIMITS.operationPayloadBytes
    const text = this.#weighted([
      [8, '"a result"'],
      [1, ''],
      [1, '"ümläut"'],
      [0.4, 'ü'.repeat(limit / 2)],
      [0.3, `${'ü'.repeat(limit / 2)}x`],
      // Long enough to be kept apart from the operation.
      [2, 'y'.repeat(700)],
    ])
    return { Payload: text }
  }

  #callbackOptions(): Update {
    const TimeoutSeconds = this.#random.pick([0, 1, 4, 60])
    const HeartbeatTimeoutSeconds = this.#random.pick([0, 3, 20])
    return { CallbackOptions: { TimeoutSeconds, ...(this.#random.chance(0.6) ? { HeartbeatTimeoutSeconds } : {}) } }
  }

  /** Only one plain target runs at a time, for its invocation does not say whose it is; and not too many children. */
  #target(): Update {
    const children = this.#all().filter(({ parent }) => parent !== undefined).length
    const starting = this.commands.filter((command) => JSON.stringify(command).includes('"plain"')).length
    const FunctionName = this.#weighted([
      [starting === 0 ? 3 : 0, 'plain'],
      [children < MOST_CHILDREN ? 4 : 0, 'brief:$LATEST'],
      [1, 'nobody'],
      [1, 'brief'],
      [0.3, 'plain:7'],
      [0.3, 'arn:aws:lambda:us-east-1:111111111111:function:plain'],
    ])
    return { ChainedInvokeOptions: { FunctionName } }
  }
}
