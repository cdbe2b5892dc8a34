/**
 * The smallest service there can be over the pure engine: executions in memory, functions in this process under the
 * official SDK, no store and no server. It answers the conformance runner, so that a golden sequence that breaks is
 * known to be broken in the engine. Its clock runs faster than the world's, since most requirements wait.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import {
  type CheckpointDurableExecutionResponse,
  type DurableExecutionClient,
  DurableExecutionInvocationInputWithClient,
  type DurableLambdaHandler,
} from '@aws/durable-execution-sdk-js'
import type { GetDurableExecutionCommandOutput } from '@aws-sdk/client-lambda'
import { apply, found } from '../../src/engine/apply.ts'
import { begin, decide } from '../../src/engine/decide.ts'
import { effects, indexOf } from '../../src/engine/effects.ts'
import { historyEvents } from '../../src/engine/history.ts'
import type { Answer, ChainedTarget, Command, Duty, Effect, Entry, ExecutionStart } from '../../src/engine/model.ts'
import { parseCallbackId } from '../../src/engine/token.ts'
import { answeredOperations, showOperation, textOfEntry, visibleOperations } from '../../src/engine/view.ts'
import type { FunctionDeclaration } from '../../src/functions/declaration.ts'
import { DEFAULT_PLACE, formatExecutionArn, functionArn, parseFunctionReference } from '../../src/protocol/arn.ts'
import { readCheckpoint } from '../../src/protocol/checkpoint-input.ts'
import { DEFAULT_LIMITS } from '../../src/protocol/limits.ts'
import type { Operation, OperationUpdate } from '../../src/protocol/shapes.ts'
import type { ObservedEvent } from './matcher.ts'
import type { CallbackAction } from './requirement.ts'
import type { Service } from './runner.ts'

export class EngineService implements Service {
  readonly #functions: ReadonlyMap<string, FunctionDeclaration>
  readonly #speed: number
  readonly #born = Date.now()
  readonly #executions = new Map<string, Execution>()

  /** `speed`: seconds of the service in one of the world. */
  constructor(functions: readonly FunctionDeclaration[], speed: number) {
    this.#functions = new Map(functions.map((declaration) => [declaration.name, declaration]))
    this.#speed = speed
  }

  async invoke(functionName: string, async: boolean, payload: string): Promise<string> {
    const execution = this.#start({ functionName, input: payload, mode: async ? 'async' : 'sync' })
    if (!async) await execution.closed
    return execution.state.start.arn
  }

  async history(arn: string): Promise<readonly ObservedEvent[]> {
    return this.#find(arn).history() as readonly object[] as readonly ObservedEvent[]
  }

  async describe(arn: string): Promise<GetDurableExecutionCommandOutput> {
    const execution = this.#find(arn)
    const { status, result } = execution.state
    const text = typeof result === 'object' ? execution.readText(result) : result
    return { Status: status, Result: text, $metadata: {} } as GetDurableExecutionCommandOutput
  }

  async completeCallback(callbackId: string, operation: CallbackAction['operation'], payload: unknown): Promise<void> {
    const execution = this.#executions.get(parseCallbackId(callbackId)?.executionId ?? '')
    if (execution === undefined) throw new Error(`no execution has a callback ${callbackId}`)
    if (operation === 'heartbeat') execution.send({ kind: 'heartbeatCallback', callbackId })
    else if (operation === 'failure') {
      execution.send({ kind: 'completeCallback', callbackId, outcome: 'FAILED', error: payload as object })
    } else {
      const result = JSON.stringify(payload)
      execution.send({ kind: 'completeCallback', callbackId, outcome: 'SUCCEEDED', result })
    }
  }

  async stop(arn: string): Promise<void> {
    this.#find(arn).send({ kind: 'stop', error: {} })
  }

  close(): void {
    for (const execution of this.#executions.values()) execution.abandon()
  }

  async logLines(): Promise<readonly string[]> {
    throw new Error('functions of this process have no log of their own')
  }

  #start(request: {
    functionName: string
    input: string
    mode: 'sync' | 'async'
    executionId?: string
    child?: Pick<ExecutionStart, 'parent' | 'tenantId'>
  }): Execution {
    const { functionName, input, mode, executionId = randomUUID(), child } = request
    const declaration = this.#functions.get(functionName)
    if (declaration?.durable === undefined || declaration.durable === false) throw new Error(`no ${functionName}`)
    const qualified = functionArn(DEFAULT_PLACE, functionName, '$LATEST')
    const start: ExecutionStart = {
      executionId,
      arn: formatExecutionArn(qualified, executionId, executionId),
      name: executionId,
      functionName,
      version: '$LATEST',
      functionArn: qualified,
      config: declaration.durable,
      mode,
      inputHash: createHash('sha256').update(input).digest('hex'),
      ...child,
    }
    const world: World = {
      now: () => this.#born + (Date.now() - this.#born) * this.#speed,
      after: (ms, call) => setTimeout(call, ms / this.#speed),
      load: async () => {
        const module: Record<string, DurableLambdaHandler> = await import(declaration.file ?? '')
        const handler = module[declaration.exportName ?? 'handler']
        if (handler === undefined) throw new Error(`${declaration.file} has no ${declaration.exportName}`)
        return handler
      },
      perform: (parent, duty) => this.#perform(parent, duty),
    }
    const execution = new Execution(begin({ start, input, now: world.now() }), world)
    this.#executions.set(executionId, execution)
    return execution
  }

  #perform(execution: Execution, duty: Duty): void {
    const { executionId } = execution.state.start
    if (duty.kind === 'startChild') {
      const { childId, operationId, input = '{}', tenantId } = duty
      const functionName = parseFunctionReference(duty.functionName)?.name ?? duty.functionName
      const parent = { executionId, operationId }
      const child = tenantId === undefined ? { parent } : { parent, tenantId }
      this.#start({ functionName, input, mode: 'async', executionId: childId, child })
    } else if (duty.kind === 'completeParent') {
      const { status, result, error } = execution.state
      if (status === 'RUNNING') throw new Error('a running execution has no outcome to tell its parent')
      this.#executions.get(duty.parentExecutionId)?.send({
        kind: 'completeInvoke',
        operationId: duty.operationId,
        outcome: status,
        ...(result === undefined ? {} : { result: typeof result === 'object' ? execution.readText(result) : result }),
        ...(error === undefined ? {} : { error }),
      })
    } else {
      throw new Error('all functions of the conformance suite are durable')
    }
  }

  #find(arn: string): Execution {
    const execution = this.#executions.get(arn.slice(arn.lastIndexOf('/') + 1))
    if (execution === undefined) throw new Error(`no execution ${arn}`)
    return execution
  }
}

interface World {
  now(): number
  after(ms: number, call: () => void): NodeJS.Timeout
  load(): Promise<DurableLambdaHandler>
  perform(execution: Execution, duty: Duty): void
}

class Execution {
  readonly state
  readonly closed: Promise<void>
  readonly #journal: Entry[]
  readonly #world: World
  readonly #close: () => void
  #alarm: NodeJS.Timeout | undefined

  constructor(first: Entry, world: World) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.state = found(first)
    this.closed = promise
    this.#journal = [first]
    this.#world = world
    this.#close = resolve
    this.#act(effects(this.state, first))
  }

  readText = ({ seq, index }: { readonly seq: number; readonly index: number }): string => {
    const entry = this.#journal[seq - 1]
    if (entry === undefined) throw new Error(`no entry ${seq}`)
    return textOfEntry(entry, index)
  }

  history() {
    return this.#journal.flatMap((entry) => historyEvents(entry, this.state.start, true))
  }

  send(command: Command, targets?: ReadonlyMap<string, ChainedTarget>): { answer: Answer; entry: Entry | undefined } {
    const facts = {
      now: this.#world.now(),
      entropy: () => randomBytes(16).toString('hex'),
      ...(targets === undefined ? {} : { targets }),
    }
    const decision = decide(this.state, command, facts, DEFAULT_LIMITS)
    if ('error' in decision) throw decision.error
    if (decision.entry !== undefined) {
      this.#journal.push(decision.entry)
      apply(this.state, decision.entry)
      this.#act(effects(this.state, decision.entry))
    }
    return decision
  }

  /** After the sender has its answer, as behind a commit. */
  #act(owed: readonly Effect[]): void {
    for (const effect of owed) {
      if (effect.kind === 'duty') setImmediate(() => this.#world.perform(this, effect.duty))
      else if (effect.kind === 'dispatch') setImmediate(() => this.#invoke())
      else this.#close()
    }
    this.#arm()
  }

  #arm(): void {
    clearTimeout(this.#alarm)
    const { wake } = indexOf(this.state)
    if (wake?.kind !== 'suspended') return
    this.#alarm = this.#world.after(Math.max(0, wake.dueMs - this.#world.now()), () => {
      const { entry } = this.send({ kind: 'wake' })
      // A timer of the world may be a little early.
      if (entry === undefined) this.#arm()
    })
  }

  /** Leaves the execution as it is: it waits for nothing any more. */
  abandon(): void {
    clearTimeout(this.#alarm)
  }

  async #invoke(): Promise<void> {
    const requestId = randomUUID()
    const { answer } = this.send({ kind: 'startInvocation', requestId })
    if (answer.kind !== 'invocation') return
    const handler = await this.#world.load()
    const event = new DurableExecutionInvocationInputWithClient(
      {
        DurableExecutionArn: this.state.start.arn,
        CheckpointToken: answer.token,
        UpdatedOperationIds: [...answer.updated],
        InitialExecutionState: { Operations: this.#show(visibleOperations(this.state)), NextMarker: '' },
      },
      this.#client(),
    )
    const lambdaContext = {
      awsRequestId: requestId,
      functionName: this.state.start.functionName,
      invokedFunctionArn: this.state.start.functionArn,
      getRemainingTimeInMillis: () => 900_000,
    }
    const body = JSON.stringify(await handler(event, lambdaContext))
    this.send({ kind: 'endInvocation', requestId, outcome: { kind: 'response', body } })
  }

  #client(): DurableExecutionClient {
    return {
      checkpoint: async (request) => {
        const text: unknown = JSON.parse(JSON.stringify(request))
        const { CheckpointToken: token, Updates: updates } = readCheckpoint(this.state.start.arn, text, DEFAULT_LIMITS)
        const { answer, entry } = this.send({ kind: 'checkpoint', token, updates }, targetsOf(updates))
        if (answer.kind !== 'checkpoint' || entry === undefined) throw new Error(`a checkpoint got ${answer.kind}`)
        const Operations = this.#show(answeredOperations(this.state, entry))
        return { CheckpointToken: answer.token ?? '', NewExecutionState: { Operations, NextMarker: '' } }
      },
      getExecutionState: async () => {
        throw new Error('every state of the conformance suite fits into one event')
      },
    }
  }

  /** In the types of the SDK, which differ from ours in name only: times are epoch milliseconds in both. */
  #show(operations: ReturnType<typeof visibleOperations>) {
    const shown: readonly Operation[] = operations.map((operation) => showOperation(operation, this.readText))
    return shown as unknown as NonNullable<CheckpointDurableExecutionResponse['NewExecutionState']>['Operations'] &
      object
  }
}

function targetsOf(updates: readonly OperationUpdate[]): ReadonlyMap<string, ChainedTarget> {
  const targets = new Map<string, ChainedTarget>()
  for (const { Id, ChainedInvokeOptions } of updates) {
    const reference = parseFunctionReference(ChainedInvokeOptions?.FunctionName ?? '')
    if (reference === undefined) continue
    const version = reference.qualifier ?? '$LATEST'
    const childId = randomUUID()
    const childArn = formatExecutionArn(functionArn(DEFAULT_PLACE, reference.name, version), childId, childId)
    targets.set(Id, { kind: 'durable', version, childId, childArn })
  }
  return targets
}
