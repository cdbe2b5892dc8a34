/** A server with functions of `examples/`, its time skipped or moved by hand, and the AWS SDK's client for it. */
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  type Event,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  InvokeCommand,
  LambdaClient,
  SendDurableExecutionCallbackSuccessCommand,
} from '@aws-sdk/client-lambda'
import { loadConfig } from '../../src/functions/config.ts'
import { type FunctionDeclaration, type PerdureOptions, startPerdure } from '../../src/index.ts'
import { eventually } from '../tables/eventually.ts'

export const configFile = fileURLToPath(new URL('../../examples/perdure.config.ts', import.meta.url))

export interface Lambda {
  /** The result of a function, however long it takes by the server's clock; rejects with the function's error. */
  invoke(name: string, input: unknown): Promise<unknown>
  /** Starts it and returns its ARN. */
  start(name: string, input: unknown): Promise<string>
  result(arn: string): Promise<unknown>
  history(arn: string): Promise<readonly Event[]>
  /** Looks at the history until it shows what is looked for. */
  event(arn: string, wanted: (event: Event) => boolean): Promise<Event>
  succeedCallback(id: string, result: string): Promise<void>
  /** Of a manual clock. */
  advance(ms: number): Promise<void>
}

export async function serveExamples(
  context: TestContext,
  names: readonly string[],
  clock: NonNullable<PerdureOptions['clock']>,
  /** What is told to the server of each, and done once it is there. */
  elsewhere?: {
    readonly declared: (declaration: FunctionDeclaration) => FunctionDeclaration
    readonly started: (endpoint: string) => Promise<void>
  },
): Promise<Lambda> {
  const { functions } = await loadConfig(configFile)
  const perdure = await startPerdure({
    functions: functions
      .filter(({ name }) => names.includes(name))
      .map((declaration) => elsewhere?.declared(declaration) ?? declaration),
    data: { kind: 'memory' },
    port: 0,
    clock,
    // Where time is skipped, a caller may wait for weeks.
    limits: { syncExecutionTimeoutSeconds: 31_622_400 },
  })
  context.after(() => perdure.close(0))
  await elsewhere?.started(perdure.endpoint)
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' }
  const client = new LambdaClient({ endpoint: perdure.endpoint, region: 'us-east-1', credentials })
  context.after(() => client.destroy())

  const history = async (arn: string): Promise<readonly Event[]> => {
    const page = new GetDurableExecutionHistoryCommand({ DurableExecutionArn: arn, MaxItems: 1_000 })
    return (await client.send(page)).Events ?? []
  }
  return {
    async invoke(name, input) {
      const answer = await client.send(
        new InvokeCommand({ FunctionName: `${name}:$LATEST`, Payload: JSON.stringify(input) }),
      )
      const body: unknown = JSON.parse(answer.Payload?.transformToString() ?? 'null')
      if (answer.FunctionError !== undefined) throw new Error(JSON.stringify(body))
      return body
    },
    async start(name, input) {
      const Payload = JSON.stringify(input)
      const answer = await client.send(
        new InvokeCommand({ FunctionName: `${name}:$LATEST`, InvocationType: 'Event', Payload }),
      )
      return answer.DurableExecutionArn ?? ''
    },
    async result(arn) {
      const closed = await eventually(`the end of ${arn}`, async () => {
        const execution = await client.send(new GetDurableExecutionCommand({ DurableExecutionArn: arn }))
        return execution.Status === 'RUNNING' ? undefined : execution
      })
      return closed.Status === 'SUCCEEDED' ? JSON.parse(closed.Result ?? 'null') : closed.Error
    },
    history,
    event: (arn, wanted) => eventually(`an event of ${arn}`, async () => (await history(arn)).find(wanted)),
    async succeedCallback(id, result) {
      await client.send(
        new SendDurableExecutionCallbackSuccessCommand({ CallbackId: id, Result: new TextEncoder().encode(result) }),
      )
    },
    async advance(ms) {
      const answer = await fetch(`${perdure.endpoint}/perdure/v1/clock/advance`, {
        method: 'POST',
        body: JSON.stringify({ ms }),
      })
      if (!answer.ok) throw new Error(await answer.text())
    },
  }
}
