/** Retries, destinations, dead letters and status events on real servers, with real functions, webhooks and kills. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as lambda from '@aws-sdk/client-lambda'
import { project } from '../functions/project.ts'
import { Receiver, until } from './receiver.ts'
import { type Served, serve } from './serving.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:failed'

/** Writes each event that it gets, with its request, to a file, and then does what the rest says. */
const writing = (rest: string): string => `
  import { appendFileSync, readFileSync } from 'node:fs'
  const file = process.env.FOLDER + '/' + process.env.AWS_LAMBDA_FUNCTION_NAME
  export const handler = async (event, context) => {
    appendFileSync(file, JSON.stringify({ request: context.awsRequestId, event }) + '\\n')
    const runs = readFileSync(file, 'utf8').split('\\n').length - 1
    ${rest}
  }`

function written({ folder }: Served, name: string): { readonly request: string; readonly event: unknown }[] {
  try {
    const lines = readFileSync(join(folder, name), 'utf8').split('\n')
    return lines.flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

test('a function that fails twice and then succeeds is tried again after one and two minutes, and its alias is told', async (t) => {
  const receiver = await Receiver.start(t)
  const served = await serve(t, { clock: 'manual' })
  await served.create('flaky', writing(`if (runs < 3) throw new Error('run ' + runs); return { runs }`))
  await served.client.send(new lambda.PublishVersionCommand({ FunctionName: 'flaky' }))
  await served.client.send(new lambda.CreateAliasCommand({ FunctionName: 'flaky', Name: 'live', FunctionVersion: '1' }))
  await served.configure('flaky', {
    Qualifier: 'live',
    DestinationConfig: { OnSuccess: { Destination: `${receiver.url}/done` } },
  })
  const { $metadata } = await served.invoke('flaky', { n: 1 }, { Qualifier: 'live' })
  const runs = () => written(served, 'flaky').length
  await until('the first run', () => runs() === 1)
  for (const [ms, already] of [
    [60_000, 1],
    [120_000, 2],
  ] as const) {
    // The end of a run comes from its process: only then its retry is due at a time.
    await until('the retry to be on disk', async () => (await figure(served, 'perdure_jobs_under_way', 'flaky')) === 0)
    await served.advance(ms - 1)
    assert.equal(runs(), already)
    await served.advance(1)
    await until('the next run', () => runs() === already + 1)
  }
  const [record] = await receiver.at('/done', 1)
  assert.deepEqual(
    { ...JSON.parse(record?.body ?? ''), timestamp: undefined },
    {
      version: '1.0',
      timestamp: undefined,
      requestContext: {
        requestId: $metadata.requestId,
        functionArn: `${ARN}:flaky:live`,
        condition: 'Success',
        approximateInvokeCount: 3,
      },
      requestPayload: { n: 1 },
      responseContext: { statusCode: 200, executedVersion: '1' },
      responsePayload: { runs: 3 },
    },
  )
  assert.equal(new Set(written(served, 'flaky').map(({ request }) => request)).size, 1)
})

test('a failure goes to a function and, with its attributes, to what the configuration maps a queue to', async (t) => {
  const receiver = await Receiver.start(t)
  const served = await serve(t, { destinations: { 'arn:aws:sqs:*': `${receiver.url}/queue` } })
  await served.create('broken', writing(`throw new RangeError('out of it')`), {
    DeadLetterConfig: { TargetArn: QUEUE },
  })
  await served.create('listener', writing(''))
  await served.configure('broken', {
    MaximumRetryAttempts: 0,
    DestinationConfig: { OnFailure: { Destination: `${ARN}:listener` } },
  })
  const { $metadata } = await served.invoke('broken', { n: [1] })
  const [letter] = await receiver.at('/queue', 1)
  assert.equal(letter?.body, '{"n":[1]}')
  const { requestid, errorcode, errormessage } = letter?.headers ?? {}
  assert.deepEqual([requestid, errorcode, errormessage], [$metadata.requestId, '200', 'out of it'])
  await until('the record', () => written(served, 'listener').length === 1)
  const [{ event } = assert.fail('no record')] = written(served, 'listener')
  const { requestContext, responsePayload } = event as Record<string, unknown>
  assert.deepEqual(requestContext, {
    requestId: $metadata.requestId,
    functionArn: `${ARN}:broken:$LATEST`,
    condition: 'RetriesExhausted',
    approximateInvokeCount: 1,
  })
  assert.equal((responsePayload as { errorType: string }).errorType, 'RangeError')
})

test('a function of the configuration has its settings there', async (t) => {
  const receiver = await Receiver.start(t)
  const file = join(project(t, { 'f.mjs': `export const handler = async () => { throw new Error('no') }` }), 'f.mjs')
  const asynchronous = { retryAttempts: 0, onFailure: `${receiver.url}/record`, deadLetterTarget: QUEUE }
  const functions = [{ name: 'declared', file, durable: false, asynchronous }] as const
  const served = await serve(t, { functions, destinations: { [QUEUE]: `${receiver.url}/queue` } })
  await served.invoke('declared', 7)
  assert.equal((await receiver.at('/queue', 1))[0]?.body, '7')
  const [record] = await receiver.at('/record', 1)
  assert.equal(JSON.parse(record?.body ?? '').requestContext.condition, 'RetriesExhausted')
})

test('a webhook that is down gets its record when it is there again, also across a kill of the server', async (t) => {
  const receiver = await Receiver.start(t)
  const served = await serve(t)
  await served.create('plain', writing('return runs'))
  await served.configure('plain', { DestinationConfig: { OnSuccess: { Destination: `${receiver.url}/late` } } })
  await receiver.close()
  const { $metadata } = await served.invoke('plain', 1)
  await until('a try', async () => (await figure(served, 'perdure_delivery_failures_total', 'onSuccess')) > 0)
  await served.server.kill()
  await served.server.restart()
  await until('another try', async () => (await figure(served, 'perdure_delivery_failures_total', 'onSuccess')) > 0)
  await receiver.open()
  const [record] = await receiver.at('/late', 1)
  assert.equal(JSON.parse(record?.body ?? '').requestContext.requestId, $metadata.requestId)
  await until('it to be settled', async () => (await figure(served, 'perdure_outbox_duties')) === 0)
  assert.equal(receiver.received.length, 1)
  assert.equal(written(served, 'plain').length, 1, 'the function was not run again')
})

test('durable executions: events about their status, and their event to the dead-letter target', async (t) => {
  const receiver = await Receiver.start(t)
  const served = await serve(t, { events: [`${receiver.url}/events`] })
  await served.create(
    'flow',
    `export const handler = async () => ({ Status: 'FAILED', Error: { ErrorMessage: 'no' } })`,
    {
      DurableConfig: { ExecutionTimeout: 60 },
      DeadLetterConfig: { TargetArn: `${receiver.url}/dead` },
    },
  )
  const input = { long: 'x'.repeat(5_000) }
  const options = { Qualifier: '$LATEST', DurableExecutionName: 'one' }
  const { DurableExecutionArn } = await served.invoke('flow', input, options)
  const [letter] = await receiver.at('/dead', 1)
  assert.deepEqual(JSON.parse(letter?.body ?? ''), input)
  assert.equal(letter?.headers['durable-execution-arn'], DurableExecutionArn)
  assert.equal(letter?.headers['errormessage'], 'no')
  const events = (await receiver.at('/events', 2)).map(({ body }) => JSON.parse(body))
  assert.deepEqual(events.map(({ detail }) => detail.status).toSorted(), ['FAILED', 'RUNNING'])
  for (const { detail, source, resources } of events) {
    assert.deepEqual([detail.durableExecutionArn, source, resources], [DurableExecutionArn, 'aws.lambda', []])
  }
})

/** A figure of `/metrics`: of the series that has the label value, or the only one. 0 when it is not there yet. */
async function figure({ server }: Served, name: string, label = ''): Promise<number> {
  const text = await (await fetch(`${server.endpoint}/metrics`)).text()
  const line = text.split('\n').find((each) => each.startsWith(name) && each.includes(label))
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ')))
}
