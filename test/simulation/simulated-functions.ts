/**
 * The functions of one server, and the processes that run them. Each process is a life of its own: it may be slow to
 * start, fail to, die at any moment, hang until its time is over, or outlive its server as an orphan. Durable
 * functions run the program that their execution's input spells out; plain ones answer with their input, or throw.
 */

import { type ExecutionArn, parseExecutionArn } from '../../src/protocol/arn.ts'
import type { DurableInvocationEvent, ErrorObject, Operation } from '../../src/protocol/shapes.ts'
import type {
  AsynchronousSettings,
  Functions,
  FunctionVersion,
  InvocationRequest,
  InvocationResult,
  Slot,
} from '../../src/service/ports.ts'
import type { Agenda, Life } from './agenda.ts'
import type { Faults } from './faults.ts'
import { type Ledger, lineOf } from './ledger.ts'
import type { Network } from './network.ts'
import { type Act, CHILD, DURABLE, PLAIN } from './program.ts'
import type { Promises } from './promises.ts'
import { type Outcome, Replayer, type Surroundings } from './replayer.ts'
import type { SeededRandom } from './seeded-random.ts'
import { type Shadow, type Shadows, shortOf } from './shadow.ts'
import { DEAD_LETTERS, RECORDS } from './simulated-webhooks.ts'

export interface FunctionsWorld {
  readonly agenda: Agenda
  readonly faults: Faults
  readonly random: SeededRandom
  readonly network: Network
  readonly ledger: Ledger
  readonly shadows: Shadows
  readonly promises: Promises
  readonly log: (line: string) => void
  /** Somebody outside has been given a callback id. */
  readonly callbackKnown: (arn: ExecutionArn, id: string, callbackId: string, act: Act & { kind: 'callback' }) => void
}

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const utf8 = new TextEncoder()

/** The versions that are declared, in this world, at the beginning. */
export function drawVersions(
  random: SeededRandom,
  durable: { readonly ExecutionTimeout: number; readonly RetentionPeriodInDays: number },
  concurrency: number,
): FunctionVersion[] {
  return [DURABLE, CHILD, PLAIN].map((name) => ({
    name,
    version: '$LATEST',
    arn: `${ARN}:${name}:$LATEST`,
    timeoutSeconds: name === PLAIN ? 10 : 60,
    memoryMb: 128,
    concurrency: random.between(1, concurrency),
    durable: name === PLAIN ? undefined : durable,
    perTenant: false,
  }))
}

/** What an execution ends with whose function returns something else than spec 06 §6.2 knows. */
const INVALID_OUTPUT: ErrorObject = {
  ErrorType: 'InvalidParameterValueException',
  ErrorMessage: 'Invalid Status in invocation output.',
}

/** A process that runs one invocation. */
interface Process {
  readonly life: Life
  readonly requestId: string
  readonly arn: ExecutionArn | undefined
  /** Ends the process, and the invocation with it. */
  readonly end: (result: InvocationResult) => void
}

export class SimulatedFunctions implements Functions {
  readonly #world: FunctionsWorld
  readonly #server: Life
  readonly #versions: readonly FunctionVersion[]
  readonly #gone = new Set<string>()
  readonly #used = new Map<string, number>()
  readonly #waiting = new Map<string, (() => void)[]>()
  readonly #processes = new Set<Process>()
  readonly #changes: (() => void)[] = []

  constructor(world: FunctionsWorld, server: Life, versions: readonly FunctionVersion[]) {
    this.#world = world
    this.#server = server
    this.#versions = versions
  }

  resolve(name: string, qualifier: string | undefined): FunctionVersion | undefined {
    if (this.#gone.has(name) || (qualifier ?? '$LATEST') !== '$LATEST') return undefined
    return this.#versions.find((version) => version.name === name)
  }

  list(): readonly FunctionVersion[] {
    return this.#versions.filter(({ name }) => !this.#gone.has(name))
  }

  asynchronous({ name }: { readonly name: string }): AsynchronousSettings {
    const plain = this.#versions.find((version) => version.name === name)?.durable === undefined
    return { deadLetterTarget: DEAD_LETTERS, ...(plain && { onSuccess: RECORDS, onFailure: RECORDS }) }
  }

  onChange(call: () => void): void {
    this.#changes.push(call)
  }

  /** Withdraws a declaration, or puts it back. */
  declare(name: string, declared: boolean): void {
    if (declared) this.#gone.delete(name)
    else this.#gone.add(name)
    for (const call of this.#changes) call()
  }

  /** Slots that were reserved and not given back. */
  get slotsInUse(): number {
    return [...this.#used.values()].reduce((sum, used) => sum + used, 0)
  }

  /** Whether the process of this invocation is alive and has not ended. */
  runs(requestId: string): boolean {
    return [...this.#processes].some((process) => process.requestId === requestId)
  }

  /** The server has died. Its processes die with it, but for orphans, which live on for a while. */
  serverDied(): void {
    for (const { life, requestId } of this.#processes) {
      if (this.#world.faults.strikes('orphanSurvives')) {
        this.#world.log(`process ${shortOf(requestId)} is an orphan`)
        this.#world.agenda.after(this.#world.random.between(0, 60_000), life, () => {
          life.alive = false
        })
      } else {
        life.alive = false
      }
    }
  }

  reserve(version: FunctionVersion, _tenantId: string | undefined, signal: AbortSignal): Promise<Slot> {
    const { agenda, faults, random } = this.#world
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      const startMs = faults.strikes('slotSlow') ? random.between(1_000, 30_000) : random.between(0, 200)
      const begin = (): void => {
        agenda.after(startMs, this.#server, () => {
          if (signal.aborted) this.#free(version.name)
          else resolve(this.#slotOf(version))
        })
      }
      const used = this.#used.get(version.name) ?? 0
      if (used < version.concurrency) {
        this.#used.set(version.name, used + 1)
        begin()
      } else {
        const waiting = this.#waiting.get(version.name) ?? []
        waiting.push(begin)
        this.#waiting.set(version.name, waiting)
      }
    })
  }

  #free(name: string): void {
    const next = this.#waiting.get(name)?.shift()
    if (next !== undefined) next()
    else this.#used.set(name, (this.#used.get(name) ?? 0) - 1)
  }

  #slotOf(version: FunctionVersion): Slot {
    let used = false
    const use = (): void => {
      if (used) this.#world.promises.report(`a slot of ${version.name} was used twice`)
      used = true
    }
    return {
      release: () => {
        use()
        this.#free(version.name)
      },
      run: (request) => {
        use()
        return this.#run(version, request)
      },
    }
  }

  #run(version: FunctionVersion, request: InvocationRequest): Promise<InvocationResult> {
    const { agenda, faults, ledger, log } = this.#world
    const { requestId } = request
    return new Promise((resolve) => {
      if (!this.#server.alive) return
      const life: Life = { alive: true }
      const process: Process = {
        life,
        requestId,
        arn: parseExecutionArn(request.executionArn ?? ''),
        end: (result) => {
          if (!this.#processes.delete(process)) return
          log(`invocation ${shortOf(requestId)} ends: ${summaryOf(result)}`)
          if (version.durable === undefined) ledger.plainEnded(requestId, result.kind)
          this.#free(version.name)
          resolve(result)
        },
      }
      this.#checkAlone(process)
      this.#processes.add(process)
      log(`invocation ${shortOf(requestId)} of ${shortOf(process.arn?.executionId ?? version.name)} begins`)
      if (faults.strikes('slotCannotStart')) {
        const error = { ErrorType: 'Runtime.ImportModuleError', ErrorMessage: 'the handler is broken' }
        return this.#endLater(process, { kind: 'error', error, body: '{}', logTail: '' })
      }
      if (faults.strikes('platformFails')) {
        const error = { ErrorType: 'ServiceException', ErrorMessage: 'no process' }
        return this.#endLater(process, { kind: 'platform', error, logTail: '' })
      }
      agenda.after(version.timeoutSeconds * 1_000, this.#server, () => this.#kill(process, timedOut(version)))
      if (version.durable === undefined) this.#runPlain(process, request.event)
      else this.#runDurable(process, request.event)
    })
  }

  /** At most one invocation per execution at any time (spec 06 §6.5). */
  #checkAlone({ arn, requestId }: Process): void {
    if (arn === undefined) return
    const other = [...this.#processes].find((one) => one.arn?.text === arn.text)
    this.#world.promises.expect('P2', other === undefined, () => {
      return `${arn.executionId} is invoked as ${requestId} while ${other?.requestId} runs`
    })
  }

  #runPlain(process: Process, event: string): void {
    const { agenda, random } = this.#world
    agenda.after(random.between(1, 500), process.life, () => {
      if (event === '"throw"') {
        const error = { ErrorType: 'Plain', ErrorMessage: 'thrown' }
        this.#endLater(process, { kind: 'error', error, body: '{"errorType":"Plain"}', logTail: '' })
      } else {
        this.#endLater(process, { kind: 'response', body: utf8.encode(event), logTail: '' })
      }
    })
    this.#endanger(process)
  }

  #runDurable(process: Process, text: string): void {
    const { arn, life } = process
    const event = JSON.parse(text) as DurableInvocationEvent
    if (arn === undefined || event.DurableExecutionArn !== arn.text) {
      this.#world.promises.report(`an event of ${event.DurableExecutionArn} for ${arn?.text}`)
      return
    }
    this.#endanger(process)
    const replayer = new Replayer(event, this.#surroundings(process, arn, event))
    void replayer.run().then((outcome) => {
      if (life.alive) this.#answered(process, arn, outcome)
    })
  }

  /** What may happen to a process while it runs. */
  #endanger(process: Process): void {
    const { agenda, faults, random } = this.#world
    if (faults.strikes('processHangs')) agenda.after(random.between(0, 3_000), process.life, () => halt(process))
    if (faults.strikes('processDies')) {
      agenda.after(random.between(0, random.pick([20, 500, 5_000])), process.life, () => this.#kill(process, exited()))
    }
  }

  #answered(process: Process, arn: ExecutionArn, outcome: Outcome): void {
    const { ledger } = this.#world
    if (outcome.kind === 'threw') {
      // What loses branches of a race still do is of no interest: the process serves nobody any more.
      this.#endLater(process, { kind: 'error', error: outcome.error, body: '{}', logTail: '' })
      return
    }
    const { output } = outcome
    if (output.Status === 'SUCCEEDED') ledger.returned(arn.executionId, output.Result)
    if (output.Status === 'FAILED') ledger.returned(arn.executionId, lineOf(output.Error))
    if (output.Status === 'DONE') ledger.returned(arn.executionId, lineOf(INVALID_OUTPUT))
    this.#endLater(process, { kind: 'response', body: utf8.encode(JSON.stringify(output)), logTail: '' })
  }

  /** The result is on its way; branches that lost a race run on meanwhile. */
  #endLater(process: Process, result: InvocationResult): void {
    const { agenda, faults, random } = this.#world
    const delayMs = faults.strikes('outcomeSlow') ? random.between(10, 5_000) : random.between(0, 3)
    agenda.after(delayMs, this.#server, () => process.end(result))
    agenda.after(delayMs + random.between(0, 1_000), process.life, () => halt(process))
  }

  /** The process is gone at once; its end is known when its sockets are at their end. */
  #kill(process: Process, error: ErrorObject): void {
    if (!this.#processes.has(process)) return
    halt(process)
    const result: InvocationResult = { kind: 'error', error, body: '{}', logTail: '' }
    this.#world.agenda.after(this.#world.random.between(0, 100), this.#server, () => process.end(result))
  }

  #surroundings(process: Process, arn: ExecutionArn, event: DurableInvocationEvent): Surroundings {
    const { agenda, faults, network, ledger, shadows, promises, random } = this.#world
    const { life, requestId } = process
    const { executionId } = arn
    const shadow = (): Shadow | undefined => shadows.byId.get(executionId)
    return {
      random: random.fork(requestId),
      pause: (delayMs) => agenda.pause(delayMs, life),
      checkpoint: async (request) => {
        const answer = network.call(
          life,
          (service) => service.checkpoint({ arn, ...request }),
          (answer) => ledger.checkpointed(executionId, request, answer),
        )
        if (faults.strikes('diesBeforeAnswer'))
          agenda.after(random.between(0, 5), life, () => this.#kill(process, exited()))
        const arrived = await answer
        if (!faults.strikes('diesAfterAnswer')) return arrived
        this.#kill(process, exited())
        return new Promise(() => {})
      },
      state: (request) => network.call(life, (service) => service.state({ arn, ...request })),
      ranStep: (id, attempt, atMostOnce) => {
        const current = shadow()?.state.invocation?.requestId === requestId
        return ledger.ranStep({ executionId, requestId, id, attempt, atMostOnce, current })
      },
      callbackKnown: (id, callbackId, act) => this.#world.callbackKnown(arn, id, callbackId, act),
      collected: (operations) => this.#checkEvent(shadow(), requestId, event, operations),
      objection: (what) => promises.report(`${executionId}, invocation ${requestId}: ${what}`),
    }
  }

  /** The event shows what the journal says, in order, each operation once, also across pages (spec 06 §6.1). */
  #checkEvent(
    shadow: Shadow | undefined,
    requestId: string,
    event: DurableInvocationEvent,
    operations: readonly Operation[],
  ): void {
    const { report } = this.#world.promises
    const expected = shadow?.invocations.get(requestId)
    if (expected === undefined) {
      report(`invocation ${requestId} is not in the journal`)
      return
    }
    const ids = operations.map(({ Id }) => Id)
    if (ids.join() !== expected.ids.join()) report(`the event of ${requestId} shows ${ids}, not ${expected.ids}`)
    for (const operation of event.InitialExecutionState.Operations) {
      const shown = JSON.stringify(operation)
      if (shown !== expected.shown.get(operation.Id)) report(`the event of ${requestId} shows ${shown}`)
    }
    if (event.UpdatedOperationIds.join() !== expected.updated.join()) {
      report(`the event of ${requestId} lists ${event.UpdatedOperationIds}, not ${expected.updated}`)
    }
  }
}

function halt({ life }: Process): void {
  life.alive = false
}

const exited = (): ErrorObject => ({ ErrorType: 'Runtime.ExitError', ErrorMessage: 'exit status 1' })
const timedOut = ({ timeoutSeconds }: FunctionVersion): ErrorObject => ({
  ErrorType: 'Sandbox.Timedout',
  ErrorMessage: `Task timed out after ${timeoutSeconds}.00 seconds`,
})

function summaryOf(result: InvocationResult): string {
  if (result.kind !== 'response') return `${result.kind} ${result.error.ErrorType} ${result.error.ErrorMessage}`
  return new TextDecoder().decode(result.body).slice(0, 80)
}
