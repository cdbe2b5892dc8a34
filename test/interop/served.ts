/** A server on disk, in a process of its own, with functions that its client deployed. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as lambda from '@aws-sdk/client-lambda'
import type { Lifetime } from '../docs/installed.ts'
import { startPerdureProcess } from '../start-perdure.ts'
import { eventually } from '../tables/eventually.ts'
import type { Language } from './languages.ts'

export const ROLE = 'arn:aws:iam::000000000000:role/any'

export interface Outcome {
  readonly arn: string
  readonly status: string
  readonly result: unknown
  readonly error: lambda.ErrorObject | undefined
}

export class Served {
  readonly client: lambda.LambdaClient
  readonly endpoint: string
  /** A folder of the test's own. */
  readonly place: string

  private constructor(client: lambda.LambdaClient, endpoint: string, place: string) {
    this.client = client
    this.endpoint = endpoint
    this.place = place
  }

  static async start(t: Lifetime, runtimes: Readonly<Record<string, string>> = {}): Promise<Served> {
    const place = await mkdtemp(join(tmpdir(), 'perdure-interop-'))
    const data = join(place, 'data')
    const server = await startPerdureProcess({ data, functions: [], log: { level: 'error' }, runtimes })
    const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
    const client = new lambda.LambdaClient({ endpoint: server.endpoint, region: 'us-east-1', credentials })
    t.after(async () => {
      client.destroy()
      await server.stop()
      await rm(place, { recursive: true })
    })
    return new Served(client, server.endpoint, place)
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

  async start(name: string, input: unknown): Promise<string> {
    const request = {
      FunctionName: `${name}:$LATEST`,
      InvocationType: 'Event',
      Payload: JSON.stringify(input),
    } as const
    const { DurableExecutionArn } = await this.client.send(new lambda.InvokeCommand(request))
    return DurableExecutionArn ?? assert.fail('an execution without an ARN')
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

  async ended(arn: string): Promise<Outcome> {
    return await eventually(`the end of ${arn}`, async () => {
      const outcome = await this.outcome(arn)
      return outcome.status === 'RUNNING' ? undefined : outcome
    })
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
