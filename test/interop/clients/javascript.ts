/** The life of a function with `@aws-sdk/client-lambda`. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as lambda from '@aws-sdk/client-lambda'
import { eventually } from '../../tables/eventually.ts'
import type { Life, Refusal } from '../life.ts'
import { ROLE } from '../served.ts'

const FunctionName = 'orders'
const live = `${FunctionName}:live`

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('base64')

/** What comes back must have what is read of it. */
function of<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the answer lacks a member')
  return value
}

async function allOf<T>(pages: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const page of pages) all.push(page)
  return all
}

export async function lifeWithJavascript(client: lambda.LambdaClient, files: readonly [string, string]): Promise<Life> {
  const [one, two] = files.map((file) => readFileSync(file)) as [Buffer, Buffer]
  const waiting = { client, maxWaitTime: 30, minDelay: 1 }
  const create = (more: Partial<lambda.CreateFunctionCommandInput>) =>
    client.send(
      new lambda.CreateFunctionCommand({
        FunctionName,
        Role: ROLE,
        Runtime: 'nodejs24.x',
        Handler: 'index.handler',
        Code: { ZipFile: one },
        Environment: { Variables: { STAGE: 'test' } },
        ...more,
      }),
    )
  const DurableConfig = { ExecutionTimeout: 600, RetentionPeriodInDays: 1 }

  const created = await create({ DurableConfig })
  await lambda.waitUntilFunctionExists(waiting, { FunctionName })
  await lambda.waitUntilFunctionActiveV2(waiting, { FunctionName })

  const Description = 'of orders'
  await client.send(new lambda.UpdateFunctionConfigurationCommand({ FunctionName, Timeout: 20, Description }))
  await lambda.waitUntilFunctionUpdatedV2(waiting, { FunctionName })
  await client.send(new lambda.UpdateFunctionCodeCommand({ FunctionName, ZipFile: two }))
  await lambda.waitUntilFunctionUpdatedV2(waiting, { FunctionName })
  const updated = of((await client.send(new lambda.GetFunctionCommand({ FunctionName }))).Configuration)

  const published = await client.send(new lambda.PublishVersionCommand({ FunctionName }))
  const Qualifier = of(published.Version)
  await lambda.waitUntilPublishedVersionActive(waiting, { FunctionName, Qualifier })
  const alias = await client.send(
    new lambda.CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: Qualifier }),
  )
  const versions = await allOf(lambda.paginateListVersionsByFunction({ client, pageSize: 1 }, { FunctionName }))

  const invoke = (name: string, event: unknown, more: Partial<lambda.InvokeCommandInput> = {}) =>
    client.send(
      new lambda.InvokeCommand({
        FunctionName: live,
        DurableExecutionName: name,
        Payload: JSON.stringify(event),
        ...more,
      }),
    )
  const answerOf = ({ Payload }: lambda.InvokeCommandOutput): unknown => JSON.parse(of(Payload).transformToString())

  const first = await invoke('first', { name: 'Ada' })
  const large = await invoke('large', { name: 'Ada', padding: 'p'.repeat(5_000_000) })

  const start = (name: string) => invoke(name, { name: 'Ada', approval: true }, { InvocationType: 'Event' })
  const history = async (DurableExecutionArn: string) => {
    const pages = await allOf(
      lambda.paginateGetDurableExecutionHistory({ client, pageSize: 2 }, { DurableExecutionArn }),
    )
    return pages.flatMap(({ Events = [] }) => Events)
  }
  const callback = async (arn: string) =>
    await eventually('the callback', async () => {
      const events = await history(arn)
      return events.flatMap(({ CallbackStartedDetails }) => CallbackStartedDetails?.CallbackId ?? [])[0]
    })
  const closed = async (DurableExecutionArn: string) =>
    await eventually('the end', async () => {
      const execution = await client.send(new lambda.GetDurableExecutionCommand({ DurableExecutionArn }))
      return execution.Status === 'RUNNING' ? undefined : execution
    })

  const started = await start('approved')
  const approved = of(started.DurableExecutionArn)
  const CallbackId = await callback(approved)
  await client.send(new lambda.SendDurableExecutionCallbackHeartbeatCommand({ CallbackId }))
  const succeed = () =>
    client.send(new lambda.SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from('"Grace"') }))
  await succeed()
  const ended = await closed(approved)
  const [begun, over] = [of(ended.StartTimestamp).getTime(), of(ended.EndTimestamp).getTime()]

  const refused = of((await start('refused')).DurableExecutionArn)
  const tooDear = { ErrorType: 'Refused', ErrorMessage: 'too dear' }
  await client.send(
    new lambda.SendDurableExecutionCallbackFailureCommand({ CallbackId: await callback(refused), Error: tooDear }),
  )
  const refusal = await closed(refused)

  const stopped = of((await start('stopped')).DurableExecutionArn)
  await callback(stopped)
  const enough = { ErrorType: 'Operator', ErrorMessage: 'enough' }
  await client.send(new lambda.StopDurableExecutionCommand({ DurableExecutionArn: stopped, Error: enough }))
  const stop = await closed(stopped)

  const names = async (more: Partial<lambda.ListDurableExecutionsByFunctionCommandInput>) => {
    const list = { FunctionName, Qualifier: 'live', ...more }
    const pages = await allOf(lambda.paginateListDurableExecutionsByFunction({ client, pageSize: 2 }, list))
    return pages.flatMap(({ DurableExecutions = [] }) => DurableExecutions.map((each) => of(each.DurableExecutionName)))
  }

  await create({ FunctionName: 'plain', Handler: 'index.plain' })
  const greet = (name: string) => {
    const Payload = JSON.stringify({ name })
    return client.send(new lambda.InvokeCommand({ FunctionName: 'plain', LogType: 'Tail', Payload }))
  }
  const [greeted, failed] = [await greet('Ada'), await greet('')]

  return {
    created: {
      arn: of(created.FunctionArn),
      version: of(created.Version),
      isOne: created.CodeSha256 === sha256(one),
      durable: created.DurableConfig,
    },
    updated: {
      timeout: of(updated.Timeout),
      description: of(updated.Description),
      state: of(updated.State),
      lastUpdate: of(updated.LastUpdateStatus),
      isTwo: updated.CodeSha256 === sha256(two),
    },
    published: {
      version: Qualifier,
      alias: of(alias.AliasArn),
      versions: versions.flatMap(({ Versions = [] }) => Versions.map(({ Version }) => of(Version))),
    },
    invoked: {
      status: of(first.StatusCode),
      version: of(first.ExecutedVersion),
      result: answerOf(first),
      execution: of(first.DurableExecutionArn),
    },
    large: answerOf(large),
    approved: {
      accepted: of(started.StatusCode),
      status: of(ended.Status),
      result: JSON.parse(of(ended.Result)),
      input: JSON.parse(of(ended.InputPayload)),
      seconds: (over - begun) / 1_000,
      sinceStart: (Date.now() - begun) / 1_000,
      history: (await history(approved)).map(({ EventType }) => of(EventType)),
    },
    refused: { status: of(refusal.Status), message: of(refusal.Error?.ErrorMessage) },
    stopped: { status: of(stop.Status), error: stop.Error },
    listed: { all: await names({ ReverseOrder: true }), ended: await names({ Statuses: ['FAILED', 'STOPPED'] }) },
    plain: {
      result: String(answerOf(greeted)),
      log: Buffer.from(of(greeted.LogResult), 'base64').toString(),
      failed: of(failed.FunctionError),
      error: (answerOf(failed) as { readonly errorMessage: string }).errorMessage,
    },
    refusals: {
      again: await refusalOf(create({})),
      unknown: await refusalOf(client.send(new lambda.GetFunctionCommand({ FunctionName: 'nobody' }))),
      nameTaken: await refusalOf(invoke('first', { name: 'Grace' })),
      unqualified: await refusalOf(client.send(new lambda.InvokeCommand({ FunctionName }))),
      notJson: await refusalOf(client.send(new lambda.InvokeCommand({ FunctionName: live, Payload: '{' }))),
      callbackOver: await refusalOf(succeed()),
      pointedTo: await refusalOf(client.send(new lambda.DeleteFunctionCommand({ FunctionName, Qualifier }))),
      changedMeanwhile: await refusalOf(
        client.send(
          new lambda.UpdateFunctionConfigurationCommand({
            FunctionName,
            Timeout: 9,
            RevisionId: of(created.RevisionId),
          }),
        ),
      ),
    },
    deleted: await deletion(client),
  }
}

async function deletion(client: lambda.LambdaClient): Promise<Refusal> {
  await client.send(new lambda.DeleteAliasCommand({ FunctionName, Name: 'live' }))
  await client.send(new lambda.DeleteFunctionCommand({ FunctionName }))
  return await refusalOf(client.send(new lambda.GetFunctionCommand({ FunctionName })))
}

async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  try {
    await call
    return ['nothing was thrown', undefined, '']
  } catch (error) {
    if (!(error instanceof lambda.LambdaServiceException)) throw error
    return [error.constructor.name, error.$metadata.httpStatusCode, error.message]
  }
}
