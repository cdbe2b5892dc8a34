/** A server on disk, in a process of its own, with functions that its client deployed. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as lambda from '@aws-sdk/client-lambda'
import type { Lifetime } from '../docs/installed.ts'
import { type PerdureProcess, startPerdureProcess } from '../start-perdure.ts'
import { eventually } from '../tables/eventually.ts'
import type { Language } from './languages.ts'
import { invocations } from './told.ts'

export const ROLE = 'arn:aws:iam::000000000000:role/any'

/** A Java that starts on a busy machine takes its time. */
const PATIENCE_MS = 120_000

export interface Outcome {
  readonly arn: string
  readonly status: string
  readonly result: unknown
  readonly error: lambda.ErrorObject | undefined
}

export class Served {
  /** A folder of the test's own. */
  readonly place: string
  readonly #runtimes: Readonly<Record<string, string>>
  #server: PerdureProcess
  #client: lambda.LambdaClient
  /** By the ARNs of the executions. */
  readonly #starts = new Map<string, lambda.InvokeCommandInput>()

  private constructor(place: string, runtimes: Readonly<Record<string, string>>, server: PerdureProcess) {
    this.place = place
    this.#runtimes = runtimes
    this.#server = server
    this.#client = clientOf(server)
  }

  static async start(t: Lifetime, runtimes: Readonly<Record<string, string>> = {}): Promise<Served> {
    const place = await mkdtemp(join(tmpdir(), 'perdure-interop-'))
    const served = new Served(place, runtimes, await serverIn(place, runtimes))
    t.after(async () => {
      served.client.destroy()
      await served.#server.stop()
      await rm(place, { recursive: true })
    })
    return served
  }

  get endpoint(): string {
    return this.#server.endpoint
  }

  get client(): lambda.LambdaClient {
    return this.#client
  }

  /** The server is killed, and another one goes on with what it left. */
  async killAndRestart(): Promise<void> {
    this.#client.destroy()
    await this.#server.kill()
    this.#server = await serverIn(this.place, this.#runtimes)
    this.#client = clientOf(this.#server)
  }

  /** A durable function that is named as its language. */
  async deploy({ name, runtime, handler, zip }: Language): Promise<void> {
    const creation = {
      FunctionName: name,
      Role: ROLE,
      Runtime: runtime,
      Handler: handler,
      Code: { ZipFile: zip },
      Timeout: 120,
      MemorySize: 1_024,
      DurableConfig: { ExecutionTimeout: 600, RetentionPeriodInDays: 1 },
    }
    await this.client.send(new lambda.CreateFunctionCommand(creation))
    await lambda.waitUntilFunctionActiveV2(
      { client: this.client, maxWaitTime: 30, minDelay: 1 },
      { FunctionName: name },
    )
  }

  /** Starts an execution with a name of its own. */
  async start(name: string, input: unknown): Promise<string> {
    const DurableExecutionName = `execution-${this.#starts.size}`
    const request = { FunctionName: `${name}:$LATEST`, Payload: JSON.stringify(input), DurableExecutionName }
    const { DurableExecutionArn = assert.fail('an execution without an ARN') } = await this.client.send(
      new lambda.InvokeCommand({ ...request, InvocationType: 'Event' }),
    )
    this.#starts.set(DurableExecutionArn, request)
    return DurableExecutionArn
  }

  /** Waits for one that was started: who starts it again by its name gets its answer. */
  async ended(arn: string): Promise<Outcome> {
    const request = this.#starts.get(arn) ?? assert.fail(`${arn} was not started here`)
    await this.client.send(new lambda.InvokeCommand(request))
    return await this.outcome(arn)
  }

  /** Starts an execution and waits, in one call, until it has ended. */
  async run(name: string, input: unknown): Promise<Outcome> {
    const request = { FunctionName: `${name}:$LATEST`, Payload: JSON.stringify(input) }
    const { DurableExecutionArn } = await this.client.send(new lambda.InvokeCommand(request))
    return await this.outcome(DurableExecutionArn ?? assert.fail('an execution without an ARN'))
  }

  async outcome(DurableExecutionArn: string): Promise<Outcome> {
    const execution = await this.client.send(new lambda.GetDurableExecutionCommand({ DurableExecutionArn }))
    const result: unknown = execution.Result === undefined ? undefined : JSON.parse(execution.Result)
    return { arn: DurableExecutionArn, status: execution.Status ?? '', result, error: execution.Error }
  }

  /** The id of its callback, when it has asked for it and sleeps. */
  async callbackOf(arn: string): Promise<string> {
    return await eventually(
      `a callback that ${arn} waits for`,
      async () => {
        const history = await this.history(arn)
        if (invocations(history).length === 0) return undefined
        return history.flatMap(({ CallbackStartedDetails }) => CallbackStartedDetails?.CallbackId ?? [])[0]
      },
      PATIENCE_MS,
    )
  }

  async succeed(CallbackId: string, result: string): Promise<void> {
    const Result = Buffer.from(result)
    await this.client.send(new lambda.SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result }))
  }

  async history(DurableExecutionArn: string): Promise<readonly lambda.Event[]> {
    const pages = lambda.paginateGetDurableExecutionHistory(
      { client: this.client, pageSize: 1_000 },
      { DurableExecutionArn, IncludeExecutionData: true },
    )
    const events: lambda.Event[] = []
    for await (const { Events = [] } of pages) events.push(...Events)
    return events
  }
}

async function serverIn(place: string, runtimes: Readonly<Record<string, string>>): Promise<PerdureProcess> {
  return await startPerdureProcess({ data: join(place, 'data'), functions: [], log: { level: 'error' }, runtimes })
}

function clientOf({ endpoint }: PerdureProcess): lambda.LambdaClient {
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  return new lambda.LambdaClient({ endpoint, region: 'us-east-1', credentials })
}
