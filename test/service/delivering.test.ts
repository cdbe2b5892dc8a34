/** Destinations, dead letters and status events (spec 07 §7.5, §7.7, 08 §8.10): what is owed to whom, and how long. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { WebhookAnswer, Webhooks } from '../../src/service/ports.ts'
import { FunctionError, ScriptedFunctions } from './scripted-functions.ts'
import { START_MS, World, type WorldOptions } from './world.ts'

const HOOK = 'https://hooks.example/secret-7?token=x'
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:failed'
const HOUR_MS = 3_600_000
const REFUSED: WebhookAnswer = { failure: 'ECONNREFUSED' }

type Post = Parameters<Webhooks['post']>[0]

/** Webhooks that answer as the test says, by URL, and remember what they got. */
class ScriptedWebhooks implements Webhooks {
  posts: Post[] = []
  readonly answers = new Map<string, WebhookAnswer | ((post: Post) => WebhookAnswer | Promise<WebhookAnswer>)>()

  async post(post: Post): Promise<WebhookAnswer> {
    this.posts.push(post)
    const answer = this.answers.get(post.url) ?? { status: 204 }
    return typeof answer === 'function' ? answer(post) : answer
  }

  to(url: string): Post[] {
    return this.posts.filter((post) => post.url === url)
  }
}

const fails = async (): Promise<string> => {
  throw new FunctionError({ ErrorType: 'Oops', ErrorMessage: 'nö' })
}

async function open(functions: ScriptedFunctions, options: Partial<WorldOptions> = {}) {
  const webhooks = new ScriptedWebhooks()
  const world = await World.open({ functions, webhooks, ...options })
  return { world, webhooks }
}

const enqueue = (world: World, payload = '{"n": 1.0}', qualifier = '$LATEST', name = 'plain') =>
  world.service.enqueuePlain({ target: world.functions.target(name), qualifier, payload })

const rowsOf = (world: World) => world.disk.listOutbox({ afterId: '', limit: 20 })
const warnings = (world: World) => world.log.flatMap(({ level, message }) => (level === 'warn' ? [message] : []))

describe('a destination', () => {
  it('is told of a success, with what was asked and answered as they were', async () => {
    const functions = new ScriptedFunctions()
      .plain('plain', async () => '{"big":12345678901234567890}')
      .configure('plain', { onSuccess: HOOK, onFailure: 'https://never.example/' }, 'live')
    const { world, webhooks } = await open(functions)
    const { requestId } = await enqueue(world, '{"n": 1.0}', 'live')
    await world.settle()
    const [post = assert.fail('nothing was sent')] = webhooks.posts
    assert.equal(webhooks.posts.length, 1)
    assert.equal(post.url, HOOK)
    assert.match(post.headers['Idempotency-Key'] ?? '', /^[0-9a-f-]{36}$/)
    assert.equal(post.headers['Perdure-Delivery'], 'onSuccess')
    const at = new Date(START_MS).toISOString()
    assert.equal(
      post.body,
      `{"version":"1.0","timestamp":"${at}","requestContext":{"requestId":"${requestId}","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:plain:live","condition":"Success","approximateInvokeCount":1},"requestPayload":{"n": 1.0},"responseContext":{"statusCode":200,"executedVersion":"$LATEST"},"responsePayload":{"big":12345678901234567890}}`,
    )
    assert.deepEqual(await rowsOf(world), [])
  })

  it('is told of a failure when the retries are exhausted, and so is the dead-letter target', async () => {
    const functions = new ScriptedFunctions()
      .plain('plain', fails)
      .configure('plain', { onFailure: HOOK, deadLetterTarget: QUEUE, retryAttempts: 1 })
    const { world, webhooks } = await open(functions, { destinations: { 'arn:aws:sqs:*': 'https://dlq.example/' } })
    const { requestId } = await enqueue(world)
    await world.clock.advance(60_000)
    const [record = assert.fail('no record')] = webhooks.to(HOOK)
    const { timestamp: _, ...told } = JSON.parse(record.body)
    assert.deepEqual(told, {
      version: '1.0',
      requestContext: {
        requestId,
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:plain:$LATEST',
        condition: 'RetriesExhausted',
        approximateInvokeCount: 2,
      },
      requestPayload: { n: 1 },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      responsePayload: { errorType: 'Oops', errorMessage: 'nö' },
    })
    const [letter = assert.fail('no dead letter')] = webhooks.to('https://dlq.example/')
    assert.equal(letter.body, '{"n": 1.0}')
    const { RequestID, ErrorCode, ErrorMessage } = letter.headers
    assert.deepEqual([RequestID, ErrorCode, ErrorMessage], [requestId, '200', 'nö'])
    assert.notEqual(letter.headers['Idempotency-Key'], record.headers['Idempotency-Key'])
    assert.deepEqual(await rowsOf(world), [])
  })

  it('is told what the function answered last when the event has become too old', async () => {
    const settings = { onFailure: HOOK, eventAgeSeconds: 100 }
    const functions = new ScriptedFunctions().plain('plain', fails).configure('plain', settings)
    const { world, webhooks } = await open(functions)
    await enqueue(world)
    await world.clock.advance(100_000)
    const { requestContext, responsePayload } = JSON.parse(webhooks.posts[0]?.body ?? '')
    assert.deepEqual([requestContext.condition, requestContext.approximateInvokeCount], ['EventAgeExceeded', 2])
    assert.equal(responsePayload.errorType, 'Oops')
  })

  it('may be a function, which is invoked asynchronously and has its own retries', async () => {
    let failures = 0
    const functions = new ScriptedFunctions()
      .plain('plain', async () => 'null')
      .plain('listener', async () => {
        failures += 1
        if (failures === 1) throw new FunctionError({ ErrorType: 'Once' })
        return 'null'
      })
      .configure('plain', { onSuccess: 'arn:aws:lambda:us-east-1:000000000000:function:listener' })
    const { world } = await open(functions)
    await enqueue(world)
    await world.clock.advance(60_000)
    const [first, second] = functions.requests.filter(({ functionName }) => functionName === 'listener')
    assert.equal(JSON.parse(first?.request.event ?? '').requestContext.condition, 'Success')
    assert.equal(second?.request.requestId, first?.request.requestId)
    assert.deepEqual(await rowsOf(world), [])
  })

  it('that is a function is not asked a second time after a crash, as long as the first is waiting', async () => {
    const functions = new ScriptedFunctions()
      .plain('plain', async () => 'null')
      .plain('listener', async () => 'null', { concurrency: 0 })
      .configure('plain', { onSuccess: 'arn:aws:lambda:us-east-1:000000000000:function:listener' })
    const { world } = await open(functions)
    const died = Promise.withResolvers<void>()
    world.store.beforeAppend = async ({ settled }) => {
      if (!settled.some((id) => id.startsWith('send:'))) return
      world.store.cut()
      died.resolve()
    }
    await enqueue(world)
    await died.promise
    const rows = (await rowsOf(world)).map(({ id }) => id.split(':')[0])
    assert.deepEqual(rows, ['run', 'send'], 'the delivery was handed on, and is still there')
    const next = await world.crash({ nowMs: world.clock.now() + 5_000 })
    await next.settle()
    next.functions.plain('listener', async () => 'null')
    await next.settle()
    assert.equal(next.functions.invocationsOf('listener'), 1)
    assert.deepEqual(await rowsOf(next), [])
  })

  it('may be a durable function, which is started once by the key of the delivery', async () => {
    const functions = new ScriptedFunctions()
      .plain('plain', async () => 'null')
      .durable('flow', async () => ({ Status: 'SUCCEEDED' }))
      .configure('plain', { onSuccess: 'arn:aws:lambda:us-east-1:000000000000:function:flow:$LATEST' })
    const { world } = await open(functions)
    await enqueue(world)
    await world.settle()
    const { DurableExecutions } = await world.service.list({ functionName: 'flow', oldestFirst: true })
    assert.deepEqual(
      DurableExecutions.map(({ Status }) => Status),
      ['SUCCEEDED'],
    )
  })

  it('that is a function which is not there yet is waited for', async () => {
    const functions = new ScriptedFunctions()
      .plain('plain', async () => 'null')
      .configure('plain', { onSuccess: 'arn:aws:lambda:us-east-1:000000000000:function:later' })
    const { world } = await open(functions)
    await enqueue(world)
    await world.clock.advance(600_000)
    assert.equal((await rowsOf(world)).length, 1)
    functions.plain('later', async () => 'null')
    await world.settle()
    assert.equal(functions.invocationsOf('later'), 1)
    assert.deepEqual(await rowsOf(world), [])
  })

  it('that is a function which leads to itself is told sixteen times, and no more', async () => {
    const functions = new ScriptedFunctions()
      .plain('plain', async () => 'null')
      .configure('plain', { onSuccess: 'arn:aws:lambda:us-east-1:000000000000:function:plain' })
    const { world } = await open(functions)
    await enqueue(world)
    await world.clock.advance(3_600_000)
    assert.equal(functions.invocationsOf('plain'), 17)
    assert.match(warnings(world).join(), /was dropped: it is the last of 16 in a row/)
    assert.deepEqual(await rowsOf(world), [])
  })

  it('that nothing is mapped to is told in the log, and only then dropped', async () => {
    const functions = new ScriptedFunctions()
      .plain('plain', async () => 'null')
      .configure('plain', { onSuccess: QUEUE })
    const { world, webhooks } = await open(functions)
    await enqueue(world)
    await world.settle()
    assert.match(
      warnings(world).join(),
      new RegExp(`Delivery \\S+ \\(onSuccess\\) to ${QUEUE} was dropped: .* maps it to no`),
    )
    assert.deepEqual(webhooks.posts, [])
    assert.deepEqual(await rowsOf(world), [])
  })

  it('is what the most exact entry of the configuration says', async () => {
    const functions = new ScriptedFunctions().plain('plain', async () => 'null')
    const destinations = {
      'arn:aws:sqs:*': 'https://any.example/',
      'arn:aws:sqs:us-east-1:*': 'https://region.example/',
      [QUEUE]: 'https://exact.example/',
    }
    const { world, webhooks } = await open(functions, { destinations })
    for (const onSuccess of [QUEUE, 'arn:aws:sqs:us-east-1:1:other', 'arn:aws:sqs:eu-west-1:1:other']) {
      functions.configure('plain', { onSuccess })
      await enqueue(world)
      await world.settle()
    }
    assert.deepEqual(
      webhooks.posts.map(({ url }) => url),
      ['https://exact.example/', 'https://region.example/', 'https://any.example/'],
    )
    await assert.rejects(World.open({ destinations: { [QUEUE]: 'arn:aws:sns:us-east-1:000000000000:t' } }), {
      name: 'DestinationError',
      message: /^What is meant for arn:aws:sqs\S+ is to go to arn:aws:sns\S+, which is neither/,
    })
  })
})

describe('a webhook that fails', () => {
  it('is asked again with the same key until it answers, also across a crash, and its secrets stay out of the log', async () => {
    const functions = new ScriptedFunctions().plain('plain', async () => 'null').configure('plain', { onSuccess: HOOK })
    const { world, webhooks } = await open(functions)
    webhooks.answers.set(HOOK, REFUSED)
    await enqueue(world)
    await world.clock.advance(HOUR_MS)
    const keys = webhooks.posts.map(({ headers }) => headers['Idempotency-Key'])
    assert.ok(keys.length > 10 && keys.length < 30, `${keys.length} tries in an hour`)
    const next = await world.crash()
    await next.clock.advance(HOUR_MS)
    webhooks.answers.set(HOOK, { status: 200 })
    await next.clock.advance(300_000)
    assert.deepEqual(await rowsOf(next), [])
    assert.equal(new Set(webhooks.posts.map(({ headers }) => headers['Idempotency-Key'])).size, 1)
    assert.equal(functions.invocationsOf('plain'), 1)
    assert.deepEqual(warnings(world), [
      'Deliveries to https://hooks.example fail (ECONNREFUSED): they are kept and tried again',
    ])
    assert.equal(next.log.at(-1)?.message, 'Deliveries to https://hooks.example work again')
  })

  it('is given up after a day', async () => {
    const functions = new ScriptedFunctions().plain('plain', async () => 'null').configure('plain', { onSuccess: HOOK })
    const { world, webhooks } = await open(functions)
    webhooks.answers.set(HOOK, { status: 500 })
    await enqueue(world)
    await world.clock.advance(24 * HOUR_MS - 1)
    assert.equal((await rowsOf(world)).length, 1)
    await world.clock.advance(HOUR_MS)
    assert.deepEqual(await rowsOf(world), [])
    assert.match(
      warnings(world).at(-1) ?? '',
      /^Delivery \S+ \(onSuccess\) to https:\/\/hooks.example was dropped: .* for a day$/,
    )
  })

  it('is asked by a server that was down for days before anything is dropped', async () => {
    const functions = new ScriptedFunctions().plain('plain', async () => 'null').configure('plain', { onSuccess: HOOK })
    const { world, webhooks } = await open(functions)
    webhooks.answers.set(HOOK, REFUSED)
    await enqueue(world)
    await world.settle()
    const next = await world.crash({ nowMs: world.clock.now() + 72 * HOUR_MS })
    await next.clock.advance(600_000)
    assert.equal((await rowsOf(next)).length, 1)
    webhooks.answers.clear()
    await next.clock.advance(300_000)
    assert.deepEqual(await rowsOf(next), [])
    assert.equal(next.log.at(-1)?.message, 'Deliveries to https://hooks.example work again')
  })

  it('waits as long as it asks for', async () => {
    const functions = new ScriptedFunctions().plain('plain', async () => 'null').configure('plain', { onSuccess: HOOK })
    const { world, webhooks } = await open(functions)
    webhooks.answers.set(HOOK, { status: 429, retryAfterSeconds: 90 })
    await enqueue(world)
    await world.clock.advance(89_999)
    assert.equal(webhooks.posts.length, 1)
    await world.clock.advance(1)
    assert.equal(webhooks.posts.length, 2)
  })

  it('by never answering holds up four of its own rows and nobody else', async () => {
    const [dead, alive] = ['https://dead.example/', 'https://alive.example/']
    const functions = new ScriptedFunctions()
      .plain('plain', async () => 'null')
      .configure('plain', { onSuccess: dead }, 'dead')
      .configure('plain', { onSuccess: alive }, 'alive')
    const { world, webhooks } = await open(functions)
    webhooks.answers.set(dead, REFUSED)
    for (let n = 0; n < 50; n++) await enqueue(world, '1', 'dead')
    await world.settle()
    assert.equal(webhooks.to(dead).length, 4)
    for (let n = 0; n < 50; n++) await enqueue(world, '1', 'alive')
    await world.settle()
    assert.equal(webhooks.to(alive).length, 50)
    await world.clock.advance(7_000)
    assert.ok(webhooks.to(dead).length < 16, 'each of the four waits longer for all that failed before')
    webhooks.answers.set(dead, { status: 200 })
    await world.clock.advance(300_000)
    assert.deepEqual(await rowsOf(world), [])
  })

  it('by refusing some records gets the others all the same', async () => {
    const functions = new ScriptedFunctions()
      .plain('plain', async (event) => event)
      .configure('plain', { onSuccess: HOOK })
    const { world, webhooks } = await open(functions)
    webhooks.answers.set(HOOK, ({ body }) => ({ status: body.includes('"poison"') ? 400 : 200 }))
    for (let n = 0; n < 10; n++) await enqueue(world, '"poison"')
    for (let n = 0; n < 10; n++) await enqueue(world, '"fine"')
    await world.settle()
    assert.equal(new Set(webhooks.posts.map(({ headers }) => headers['Idempotency-Key'])).size, 20)
    assert.equal((await rowsOf(world)).length, 10)
  })
})

describe('the dead letters of durable executions', () => {
  const end = { Status: 'FAILED', Error: { ErrorType: 'T', ErrorMessage: 'why\nnot' } } as const
  const input = JSON.stringify({ long: 'x'.repeat(2_000) })

  const flow = (status: 'FAILED' | 'SUCCEEDED' = 'FAILED') =>
    new ScriptedFunctions()
      .durable('flow', async () => (status === 'FAILED' ? end : { Status: status }))
      .configure('flow', { deadLetterTarget: HOOK, onFailure: 'https://never.example/' })

  it('are the events of asynchronous ones that failed', async () => {
    const { world, webhooks } = await open(flow())
    const { arn, executionId } = await world.start('flow', { input })
    await world.settle()
    const [letter = assert.fail('no dead letter')] = webhooks.posts
    assert.equal(webhooks.posts.length, 1)
    assert.equal(letter.body, input)
    assert.deepEqual(
      [letter.headers['RequestID'], letter.headers['ErrorMessage'], letter.headers['Durable-Execution-Arn']],
      [executionId, 'why\nnot', arn],
    )
    assert.deepEqual(await rowsOf(world), [])
  })

  it('are those of executions that are stopped or time out, too', async () => {
    const functions = flow().durable('flow', () => new Promise(() => {}), { config: { ExecutionTimeout: 10 } })
    const { world, webhooks } = await open(functions)
    const stopped = await world.start('flow', { input: '"stopped"' })
    await world.start('flow', { input: '"late"' })
    await world.settle()
    await world.service.stop({ arn: world.arn(stopped), error: {} })
    await world.clock.advance(10_000)
    assert.deepEqual(
      webhooks.posts.map(({ body }) => body),
      ['"stopped"', '"late"'],
    )
  })

  it('are not those of executions that succeeded, that somebody waits for, or that a parent started', async () => {
    const { world: succeeding, webhooks: none } = await open(flow('SUCCEEDED'))
    await succeeding.start('flow')
    await succeeding.settle()
    assert.deepEqual(none.posts, [])
    const { world, webhooks } = await open(flow())
    await world.start('flow', { mode: 'sync' })
    await world.settle()
    assert.deepEqual(webhooks.posts, [])
  })

  it('are owed from the entry on that ends the execution, and outlast its deletion and a crash', async () => {
    const { world, webhooks } = await open(flow())
    webhooks.answers.set(HOOK, REFUSED)
    const started = await world.start('flow', { input })
    await world.settle()
    await world.service.delete({ arn: world.arn(started) })
    await world.clock.advance(5_000)
    await assert.rejects(world.describe(started), { code: 'ResourceNotFoundException' })
    const next = await world.crash()
    webhooks.answers.clear()
    await next.clock.advance(60_000)
    assert.equal(webhooks.posts.at(-1)?.body, input)
    assert.deepEqual(await rowsOf(next), [])
  })

  it('are read before the execution is removed', async () => {
    const { world, webhooks } = await open(flow())
    // The letter cannot be handed on while the deletion is asked for and due.
    world.store.beforeAppend = async ({ posted = [] }) => {
      if (posted.length > 0) throw new Error('not now')
    }
    const started = await world.start('flow', { input })
    await world.settle()
    await world.service.delete({ arn: world.arn(started) })
    await world.clock.advance(10_000)
    assert.equal(webhooks.posts.length, 0)
    assert.equal((await world.describe(started)).InputPayload, input)
    world.store.beforeAppend = undefined
    await world.clock.advance(120_000)
    assert.equal(webhooks.posts[0]?.body, input)
    await assert.rejects(world.describe(started), { code: 'ResourceNotFoundException' })
    assert.deepEqual(await rowsOf(world), [])
  })
})

describe('events about the status of executions', () => {
  const told = ({ posts }: ScriptedWebhooks) => posts.map(({ body }) => JSON.parse(body))

  it('say that one runs and how it ended, in the envelope of EventBridge', async () => {
    const functions = new ScriptedFunctions().durable('flow', async () => ({ Status: 'SUCCEEDED' }))
    const { world, webhooks } = await open(functions, { events: [HOOK] })
    const { arn } = await world.start('flow', { name: 'n-1' })
    await world.settle()
    const [running, succeeded] = told(webhooks)
    const at = new Date(START_MS).toISOString()
    const { id, ...rest } = running
    assert.deepEqual(rest, {
      version: '0',
      'detail-type': 'Durable Execution Status Change',
      source: 'aws.lambda',
      account: '000000000000',
      time: '2030-01-01T00:00:00Z',
      region: 'us-east-1',
      resources: [],
      detail: {
        durableExecutionArn: arn,
        durableExecutionName: 'n-1',
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:flow:$LATEST',
        status: 'RUNNING',
        startTimestamp: at,
      },
    })
    assert.notEqual(id, succeeded.id)
    assert.deepEqual(succeeded.detail, { ...rest.detail, status: 'SUCCEEDED', endTimestamp: at })
    assert.deepEqual(await rowsOf(world), [])
  })

  it('tell each end, to every listener, and children too', async () => {
    const functions = new ScriptedFunctions()
      .durable('fails', async () => ({ Status: 'FAILED', Error: {} }))
      .durable('sleeps', () => new Promise(() => {}), { config: { ExecutionTimeout: 10 } })
      .plain('listener', async () => 'null')
    const { world, webhooks } = await open(functions, { events: [HOOK, 'listener'] })
    await world.start('fails')
    const stopped = await world.start('sleeps')
    await world.start('sleeps')
    await world.settle()
    await world.service.stop({ arn: world.arn(stopped), error: {} })
    await world.clock.advance(10_000)
    const statuses = ['FAILED', 'RUNNING', 'RUNNING', 'RUNNING', 'STOPPED', 'TIMED_OUT']
    assert.deepEqual(
      told(webhooks)
        .map(({ detail }) => detail.status)
        .toSorted(),
      statuses,
    )
    const heard = functions.requests.filter(({ functionName }) => functionName === 'listener')
    assert.deepEqual(heard.map(({ request }) => JSON.parse(request.event).detail.status).toSorted(), statuses)
  })

  it('do not tell a durable listener of its own executions', async () => {
    const functions = new ScriptedFunctions()
      .durable('flow', async () => ({ Status: 'SUCCEEDED' }))
      .durable('listener', async () => ({ Status: 'SUCCEEDED' }))
    const { world } = await open(functions, { events: ['listener:$LATEST'] })
    await world.start('flow')
    await world.clock.advance(60_000)
    assert.equal(functions.invocationsOf('listener'), 2)
    assert.deepEqual(await rowsOf(world), [])
  })

  it('are owed from the very entries on, over crashes in between', async () => {
    const functions = new ScriptedFunctions().durable('flow', async () => ({ Status: 'SUCCEEDED' }))
    const { world, webhooks } = await open(functions, { events: [HOOK] })
    webhooks.answers.set(HOOK, REFUSED)
    await world.start('flow')
    await world.settle()
    assert.equal((await rowsOf(world)).length, 2)
    webhooks.answers.clear()
    webhooks.posts = []
    const next = await world.crash()
    await next.settle()
    assert.deepEqual(
      told(webhooks)
        .map(({ detail }) => detail.status)
        .toSorted(),
      ['RUNNING', 'SUCCEEDED'],
    )
    assert.deepEqual(await rowsOf(next), [])
  })
})
