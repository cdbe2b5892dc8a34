/**
 * Drives the pure engine as a shell would, without a store: decides, writes the entry as text, applies it, and keeps
 * the journal. Refusals come back as errors. Time moves only by `advance`.
 */
import { apply, found } from '../../src/engine/apply.ts'
import { decodeEntry, encodeEntry } from '../../src/engine/codec.ts'
import { begin, decide } from '../../src/engine/decide.ts'
import { historyEvents } from '../../src/engine/history.ts'
import type { Answer, ChainedTarget, Command, Entry, ExecutionState } from '../../src/engine/model.ts'
import type { ApiError } from '../../src/protocol/errors.ts'
import { DEFAULT_LIMITS, type Limits } from '../../src/protocol/limits.ts'
import type { HistoryEvent, OperationUpdate } from '../../src/protocol/shapes.ts'

export const EXECUTION_ID = '0a1b2c3d-4e5f-4a6b-8c7d-9e8f7a6b5c4d'
const FUNCTION_ARN = 'arn:aws:lambda:us-east-1:000000000000:function:orders:$LATEST'
export const START_MS = 1_764_547_200_000

export class Driver {
  readonly journal: string[] = []
  readonly targets = new Map<string, ChainedTarget>()
  readonly limits: Limits
  readonly state: ExecutionState
  now = START_MS
  #entropy = 0

  constructor(limits: Partial<Limits> = {}, executionTimeoutSeconds = 86_400) {
    this.limits = { ...DEFAULT_LIMITS, ...limits }
    const entry = begin({
      now: this.now,
      input: '{"order":1}',
      start: {
        executionId: EXECUTION_ID,
        arn: `${FUNCTION_ARN}/durable-execution/first/${EXECUTION_ID}`,
        name: 'first',
        functionName: 'orders',
        version: '$LATEST',
        functionArn: FUNCTION_ARN,
        config: { ExecutionTimeout: executionTimeoutSeconds },
        mode: 'sync',
        inputHash: 'hash',
      },
    })
    this.journal.push(encodeEntry(entry))
    this.state = found(decodeEntry(encodeEntry(entry)))
  }

  advance(ms: number): void {
    this.now += ms
  }

  /** Decides and applies; the entry goes through its text form, as it would through a store. */
  send(command: Command): { answer: Answer; entry: Entry | undefined } | { error: ApiError } {
    const entropy = (index: number) => (this.#entropy * 1000 + index).toString(16).padStart(32, '0')
    this.#entropy += 1
    const decision = decide(this.state, command, { now: this.now, entropy, targets: this.targets }, this.limits)
    if ('error' in decision) return decision
    if (decision.entry !== undefined) {
      const text = encodeEntry(decision.entry)
      this.journal.push(text)
      apply(this.state, decodeEntry(text))
    }
    return decision
  }

  /** Sends what must succeed. */
  accept(command: Command): { answer: Answer; entry: Entry | undefined } {
    const sent = this.send(command)
    if ('error' in sent) throw sent.error
    return sent
  }

  /** Begins the invocation that is due; returns its token. */
  invoke(requestId = `request-${this.state.invocations + 1}`): string {
    const { answer } = this.accept({ kind: 'startInvocation', requestId })
    if (answer.kind !== 'invocation') throw new Error(`no invocation is due: ${answer.kind}`)
    return answer.token
  }

  /** Checkpoints with the token; returns the next one ('' after an EXECUTION update). */
  checkpoint(token: string, ...updates: OperationUpdate[]): string {
    const { answer } = this.accept({ kind: 'checkpoint', token, updates })
    if (answer.kind !== 'checkpoint') throw new Error(answer.kind)
    return answer.token ?? ''
  }

  /** Ends the running invocation with this output. */
  respond(output: unknown): void {
    const requestId = this.state.invocation?.requestId ?? ''
    this.accept({ kind: 'endInvocation', requestId, outcome: { kind: 'response', body: JSON.stringify(output) } })
  }

  crash(): void {
    const requestId = this.state.invocation?.requestId ?? ''
    const error = { ErrorType: 'Runtime.ExitError', ErrorMessage: 'exit status 1' }
    this.accept({ kind: 'endInvocation', requestId, outcome: { kind: 'error', error } })
  }

  get history(): HistoryEvent[] {
    return this.journal.flatMap((text) => historyEvents(decodeEntry(text), this.state.start, true))
  }

  get eventTypes(): string[] {
    return this.history.map(({ EventType }) => EventType)
  }
}

/** Folds a journal as recovery does. */
export function refold(journal: readonly string[]): ExecutionState {
  const [first, ...rest] = journal
  const state = found(decodeEntry(first ?? ''))
  for (const text of rest) apply(state, decodeEntry(text))
  return state
}

export const step = (Id: string, Action: OperationUpdate['Action'], more: Partial<OperationUpdate> = {}) =>
  ({ Id, Type: 'STEP', SubType: 'Step', Action, ...more }) as const
export const wait = (Id: string, WaitSeconds: number) =>
  ({ Id, Type: 'WAIT', SubType: 'Wait', Action: 'START', WaitOptions: { WaitSeconds } }) as const
export const context = (Id: string, Action: OperationUpdate['Action'], more: Partial<OperationUpdate> = {}) =>
  ({ Id, Type: 'CONTEXT', SubType: 'RunInChildContext', Action, ...more }) as const
export const callback = (Id: string, more: Partial<OperationUpdate> = {}) =>
  ({ Id, Type: 'CALLBACK', SubType: 'Callback', Action: 'START', ...more }) as const
export const invoke = (Id: string, FunctionName: string) =>
  ({ Id, Type: 'CHAINED_INVOKE', Action: 'START', ChainedInvokeOptions: { FunctionName } }) as const
