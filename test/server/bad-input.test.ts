/**
 * What must be shown of bad input: hundreds of malformed requests against a real server process on SQLite while
 * executions run. Each gets the answer that the specification gives it; the server's memory stays bounded, it has no
 * defect to report, and nothing is lost: every execution that ran meanwhile ended right, and one that was the target of
 * all of it has the history that it had before, and goes on.
 */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { ERRORS } from '../../src/protocol/errors.ts'
import { type PerdureProcess, startPerdureProcess } from '../start-perdure.ts'
import { Puppeteer } from '../tables/puppeteer.ts'
import { okBody, WireClient } from '../tables/wire.ts'
import { type BadRequest, badRequests, type Target } from './bad-requests.ts'
import { type BadConnection, badConnections } from './bad-wire.ts'
import { RawClient, type RawResponse, requestText } from './raw-socket.ts'

const API = '/2025-12-01/durable-executions'
const REQUESTS_AT_A_TIME = 4
/** The requests are sent so often: what one of them leaked would show. */
const ROUNDS = 3
const CONNECTIONS_AT_A_TIME = 16
/** Resident memory may grow by so much: heaps grow under load, and bodies of megabytes were among it. */
const MEMORY_GROWTH_BYTES = 200_000_000

describe('bad input, to a server at work', () => {
  let directory: string
  let puppets: Puppeteer
  let server: PerdureProcess
  let wire: WireClient
  let target: Target
  let stderr = ''
  let sent = 0
  let working = true
  let good: Promise<readonly string[]>

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'perdure-bad-input-'))
    puppets = await Puppeteer.open()
    const puppet = {
      file: join(import.meta.dirname, '../tables/puppet.mjs'),
      concurrency: 4,
      environment: { PUPPETEER: puppets.address },
    }
    server = await startPerdureProcess(
      {
        data: directory,
        limits: { headersTimeoutMs: 1_000, requestTimeoutMs: 4_000 },
        functions: [
          { ...puppet, name: 'puppet', durable: { ExecutionTimeout: 900 } },
          { ...puppet, name: 'worker', durable: { ExecutionTimeout: 900 } },
          { ...puppet, name: 'plain', durable: false },
        ],
      },
      (text) => {
        stderr += text
      },
    )
    wire = new WireClient(server.endpoint)
    target = await makeTarget()
    good = workOn()
  })

  after(async () => {
    puppets.letGo()
    wire.close()
    await server.stop()
    puppets.close()
    await rm(directory, { recursive: true, force: true })
  })

  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    wire.send({ method: 'POST', path, headers, body })

  async function start(functionName: string, name: string): Promise<void> {
    const headers = { 'x-amz-invocation-type': 'Event', 'x-amz-durable-execution-name': name }
    const answer = await post(`/2015-03-31/functions/${functionName}:$LATEST/invocations`, '{"n":1}', headers)
    assert.equal(answer.status, 202, answer.text)
  }

  async function checkpoint(arn: string, CheckpointToken: string, Updates: readonly object[]) {
    const path = `${API}/${encodeURIComponent(arn)}/checkpoint`
    return okBody<{
      CheckpointToken: string
      NewExecutionState: { Operations: { CallbackDetails?: { CallbackId: string } }[] }
    }>(await post(path, JSON.stringify({ CheckpointToken, Updates })))
  }

  async function makeTarget(): Promise<Target> {
    await start('puppet', 'victim')
    const victim = await puppets.nextOfExecution('victim')
    const { DurableExecutionArn: arn, CheckpointToken: staleToken } = victim.event
    const first = await checkpoint(arn, staleToken, [{ Id: 'cb', Type: 'CALLBACK', Action: 'START' }])
    await start('puppet', 'bystander')
    const bystander = await puppets.nextOfExecution('bystander')
    await start('puppet', 'done')
    const done = await puppets.nextOfExecution('done')
    done.respond({ Status: 'SUCCEEDED', Result: '1' })
    return {
      port: Number(new URL(server.endpoint).port),
      arn,
      token: first.CheckpointToken,
      staleToken,
      callbackId: first.NewExecutionState.Operations[0]?.CallbackDetails?.CallbackId ?? '',
      otherArn: bystander.event.DurableExecutionArn,
      otherToken: bystander.event.CheckpointToken,
      closedArn: done.event.DurableExecutionArn,
    }
  }

  /** Runs one good execution after another until told to stop: their ARNs. */
  async function workOn(): Promise<readonly string[]> {
    const arns: string[] = []
    for (let n = 0; working; n++) {
      await start('worker', `work-${n}`)
      const invocation = await puppets.nextOfExecution(`work-${n}`)
      const { DurableExecutionArn: arn, CheckpointToken: token } = invocation.event
      arns.push(arn)
      const step = { Id: 's', Type: 'STEP' }
      await checkpoint(arn, token, [
        { ...step, Action: 'START' },
        { ...step, Action: 'SUCCEED', Payload: String(n) },
      ])
      invocation.respond({ Status: 'SUCCEEDED', Result: JSON.stringify(n) })
    }
    return arns
  }

  async function metrics(): Promise<ReadonlyMap<string, number>> {
    const { text } = await wire.send({ method: 'GET', path: '/metrics' })
    return new Map(
      text
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#'))
        .map((line) => {
          const space = line.lastIndexOf(' ')
          return [line.slice(0, space), Number(line.slice(space + 1))] as const
        }),
    )
  }

  async function historyOf(arn: string): Promise<readonly { EventId: number; EventType: string }[]> {
    const path = `${API}/${encodeURIComponent(arn)}/history?IncludeExecutionData=true&MaxItems=1000`
    return okBody<{ Events: { EventId: number; EventType: string }[] }>(await wire.send({ method: 'GET', path })).Events
  }

  test('each gets the answer of the specification, and nothing is lost', { timeout: 120_000 }, async (t) => {
    const historyBefore = await historyOf(target.arn)
    const rssBefore = (await metrics()).get('process_resident_memory_bytes') ?? 0
    let rssMost = 0
    const sampling = setInterval(() => {
      metrics().then(
        (now) => {
          rssMost = Math.max(rssMost, now.get('process_resident_memory_bytes') ?? 0)
        },
        () => {},
      )
    }, 200)

    const wrong: string[] = []
    const requests = badRequests(target)
    const connections = badConnections(target)
    const note = (title: string) => (error: unknown) => {
      wrong.push(`${title}: ${error instanceof Error ? error.message : String(error)}`)
    }
    const rss: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await eachOf(requests, REQUESTS_AT_A_TIME, (request) =>
        refuse(t, target.port, request).catch(note(request.title)),
      )
      rss.push((await metrics()).get('process_resident_memory_bytes') ?? 0)
    }
    await eachOf(connections, CONNECTIONS_AT_A_TIME, (connection) =>
      endure(t, target.port, connection).catch(note(connection.title)),
    )
    sent = requests.length + connections.length
    clearInterval(sampling)

    working = false
    const worked = await good

    assert.deepEqual(wrong, [])
    const titles = [...requests, ...connections].map(({ title }) => title)
    assert.deepEqual(
      titles.filter((title, index) => titles.indexOf(title) !== index),
      [],
      'no title twice',
    )
    for (const [n, arn] of worked.entries()) {
      const path = `${API}/${encodeURIComponent(arn)}`
      const { Status, Result } = okBody<{ Status: string; Result: string }>(await wire.send({ method: 'GET', path }))
      assert.deepEqual({ Status, Result }, { Status: 'SUCCEEDED', Result: JSON.stringify(n) })
      const events = await historyOf(arn)
      assert.deepEqual(
        events.map(({ EventId, EventType }) => `${EventId} ${EventType}`),
        ['1 ExecutionStarted', '2 StepStarted', '3 StepSucceeded', '4 InvocationCompleted', '5 ExecutionSucceeded'],
      )
    }
    assert.deepEqual(await historyOf(target.arn), historyBefore)
    const next = await checkpoint(target.arn, target.token, [])
    assert.notEqual(next.CheckpointToken, target.token)

    const told = await metrics()
    const failed = [...told].filter(([name]) => /^perdure_http_requests_total\{.*status="5/.test(name))
    assert.deepEqual(failed, [])
    assert.equal(told.get('perdure_log_records_total{level="error"}') ?? 0, 0)
    assert.equal(stderr, '')
    for (const name of ['requests', 'invokes', 'body_bytes', 'queued']) {
      assert.equal(told.get(`perdure_admission_${name}`), 0, `admission holds nothing: ${name}`)
    }
    const rssAfter = told.get('process_resident_memory_bytes') ?? 0
    const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
    console.log(
      `${sent} malformed inputs (${requests.length} requests, ${connections.length} connections), ` +
        `${worked.length} executions meanwhile; resident memory ${mb(rssBefore)} before, ` +
        `${rss.map(mb).join(', ')} after each of ${ROUNDS} rounds, at most ${mb(rssMost)}, ${mb(rssAfter)} at the end`,
    )
    assert.ok(sent >= 200)
    assert.ok(worked.length >= 10)
    assert.ok(Math.max(rssMost, rssAfter) - rssBefore < MEMORY_GROWTH_BYTES)
  })
})

async function eachOf<T>(all: readonly T[], atATime: number, work: (one: T) => Promise<void>): Promise<void> {
  const rest = all.values()
  const worker = async (): Promise<void> => {
    for (const one of rest) await work(one)
  }
  await Promise.all(Array.from({ length: atATime }, worker))
}

/** Sends the request and holds its answer against the one that it should get; the connection goes on. */
async function refuse(t: TestContext, port: number, { line, headers, body, refused }: BadRequest): Promise<void> {
  const client = await RawClient.open(t, port)
  const bytes = body === undefined ? undefined : Buffer.from(body)
  const length = bytes === undefined ? undefined : { 'content-length': String(bytes.length) }
  const head = Buffer.from(requestText(port, line, { headers: { ...length, ...headers } }), 'latin1')
  await client.write(bytes === undefined ? head : Buffer.concat([head, bytes]))
  const response = await client.response()
  const { message } = assertModelled(response)
  assert.equal(response.status, refused.status, response.body.slice(0, 300))
  assert.equal(response.headers.get('x-amzn-errortype'), refused.type, response.body.slice(0, 300))
  assert.ok(refused.type in ERRORS)
  if (typeof refused.text === 'string') assert.equal(message, refused.text)
  else assert.match(message, refused.text)
  assert.match(response.headers.get('x-amzn-requestid') ?? '', /^[0-9a-f-]{36}$/)
  await client.write(requestText(port, 'GET /healthz'))
  assert.equal((await client.response()).status, 200, 'the connection goes on')
  client.vanish()
}

/** An error in the modelled form (spec 01 §1.0). */
function assertModelled({ status, headers, body }: RawResponse): { readonly message: string } {
  assert.equal(headers.get('content-type'), 'application/json')
  const { Type, message, Message } = JSON.parse(body) as { Type: string; message?: string; Message?: string }
  assert.equal(Type, status < 500 ? 'User' : 'Service', body)
  const text = message ?? Message
  assert.ok(text !== undefined, body)
  return { message: text }
}

/** A connection that is not over by then hangs. */
const CONNECTION_MS = 15_000

async function endure(t: TestContext, port: number, connection: BadConnection): Promise<void> {
  const client = await RawClient.open(t, port)
  let hung = false
  const overdue = setTimeout(() => {
    hung = true
    client.vanish()
  }, CONNECTION_MS)
  try {
    await askBadly(client, connection)
    assert.ok(!hung, 'the server ends the connection')
  } finally {
    clearTimeout(overdue)
    client.vanish()
  }
}

async function askBadly(client: RawClient, { answers, ends, act }: BadConnection): Promise<void> {
  await act(client).catch(() => {
    // The server may refuse, and end the connection, before everything was written; its answer is what counts.
  })
  for (const status of answers) {
    const response = await client.response()
    assert.equal(response.status, status, response.body.slice(0, 300))
    if (response.body !== '' && status >= 400) assertModelled(response)
  }
  if (ends) await client.closed
  assert.equal(client.unread, '', 'nothing more comes')
}
