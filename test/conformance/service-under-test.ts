/** The calls that the runner makes, through the official client where the operation is an official one. */
import {
  type ErrorObject,
  GetDurableExecutionCommand,
  type GetDurableExecutionCommandOutput,
  GetDurableExecutionHistoryCommand,
  InvokeCommand,
  LambdaClient,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackHeartbeatCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
} from '@aws-sdk/client-lambda'
import type { ObservedEvent } from './matcher.ts'
import type { CallbackAction } from './requirement.ts'

/** The official runner's client gives up reading after a minute (spec 06 §6.4). */
const INVOKE_LIMIT_MS = 60_000

export class ServiceUnderTest {
  readonly #endpoint: string
  readonly #client: LambdaClient

  constructor(endpoint: string) {
    this.#endpoint = endpoint
    this.#client = new LambdaClient({
      endpoint,
      region: process.env['AWS_REGION'] ?? 'us-east-1',
      credentials: {
        accessKeyId: process.env['AWS_ACCESS_KEY_ID'] ?? 'conformance',
        secretAccessKey: process.env['AWS_SECRET_ACCESS_KEY'] ?? 'conformance',
      },
      requestHandler: { requestTimeout: INVOKE_LIMIT_MS, throwOnRequestTimeout: true },
      maxAttempts: 1,
    })
  }

  /** Starts an execution, and waits for its end unless `async`. Returns its ARN. */
  async invoke(functionName: string, async: boolean, payload: string): Promise<string> {
    const response = await this.#client.send(
      new InvokeCommand({
        FunctionName: functionName,
        Qualifier: '$LATEST',
        InvocationType: async ? 'Event' : 'RequestResponse',
        Payload: new TextEncoder().encode(payload),
      }),
    )
    if (response.DurableExecutionArn === undefined) throw new Error('Invoke answered without a DurableExecutionArn')
    return response.DurableExecutionArn
  }

  /** The first page of the history, with the data of the execution. */
  async history(arn: string): Promise<readonly ObservedEvent[]> {
    const response = await this.#client.send(
      new GetDurableExecutionHistoryCommand({ DurableExecutionArn: arn, IncludeExecutionData: true }),
    )
    return (response.Events ?? []) as readonly object[] as readonly ObservedEvent[]
  }

  describe(arn: string): Promise<GetDurableExecutionCommandOutput> {
    return this.#client.send(new GetDurableExecutionCommand({ DurableExecutionArn: arn }))
  }

  async completeCallback(callbackId: string, operation: CallbackAction['operation'], payload: unknown): Promise<void> {
    if (operation === 'heartbeat') {
      await this.#client.send(new SendDurableExecutionCallbackHeartbeatCommand({ CallbackId: callbackId }))
    } else if (operation === 'failure') {
      const error = payload as ErrorObject
      await this.#client.send(new SendDurableExecutionCallbackFailureCommand({ CallbackId: callbackId, Error: error }))
    } else {
      const Result = new TextEncoder().encode(JSON.stringify(payload))
      await this.#client.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId: callbackId, Result }))
    }
  }

  async stop(arn: string): Promise<void> {
    await this.#client.send(new StopDurableExecutionCommand({ DurableExecutionArn: arn }))
  }

  /** What the invocations of an execution printed, a line each, the platform's own lines included. */
  async logLines(arn: string): Promise<readonly string[]> {
    const url = new URL('/perdure/v1/logs', this.#endpoint)
    url.searchParams.set('execution', arn)
    const response = await fetch(url)
    if (!response.ok) throw new Error(`reading the logs answered ${response.status}: ${await response.text()}`)
    const { records } = (await response.json()) as { records: readonly { readonly line: string }[] }
    return records.map((record) => record.line)
  }

  close(): void {
    this.#client.destroy()
  }
}
