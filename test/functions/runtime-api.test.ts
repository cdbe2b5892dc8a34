/** The Runtime API's state rules, spoken to it by hand. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import test, { type TestContext } from 'node:test'
import type { InvocationEnd } from '../../src/functions/failure-texts.ts'
import { type Delivery, openRuntimeApi, type RuntimeApi } from '../../src/functions/runtime-api.ts'
import { createSystemTimers, systemClock } from '../../src/service/clock-adapters.ts'

interface Spoken {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

interface Line {
  readonly api: RuntimeApi
  readonly initErrors: InvocationEnd[]
  nexts: number
  call(method: string, path: string, body?: string, headers?: http.OutgoingHttpHeaders): Promise<Spoken>
  next(): Promise<Spoken>
}

async function open(t: TestContext, maxConcurrency = 1): Promise<Line> {
  const asked: (() => void)[] = []
  const line: Line = {
    api: await openRuntimeApi({
      clock: systemClock,
      timers: createSystemTimers(systemClock),
      maxConcurrency,
      lambdaApi: (request, response) => response.writeHead(299).end(`lambda ${request.url}`),
      onNext: () => {
        line.nexts += 1
        for (const tell of asked.splice(0)) tell()
      },
      onInitError: (failure) => line.initErrors.push(failure),
    }),
    initErrors: [],
    nexts: 0,
    call: (method, path, body, headers = {}) => {
      const [host, port] = line.api.authority.split(':')
      return new Promise((resolve, reject) => {
        const request = http.request({ host, port, method, path, headers, agent: false }, (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk) => {
            text += chunk
          })
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
        })
        request.on('error', reject)
        request.end(body)
      })
    },
    next: () => line.call('GET', '/2018-06-01/runtime/invocation/next'),
  }
  t.after(() => line.api.close())
  return line
}

const delivery = (requestId: string, more: Partial<Delivery> = {}): Delivery => ({
  requestId,
  event: '{"x":"ä"}',
  deadlineMs: 1234,
  functionArn: 'arn:f',
  traceHeader: 'Root=1',
  durable: false,
  ...more,
})

const runtime = '/2018-06-01/runtime'

test('an event, its headers, its response', async (t) => {
  const line = await open(t)
  const next = line.next()
  const answered = line.api.deliver(delivery('r-1', { clientContext: '{"a":"ü"}', tenantId: 'acme' }))
  const { status, headers, body } = await next
  assert.deepEqual([status, body], [200, '{"x":"ä"}'])
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers['lambda-runtime-aws-request-id'], 'r-1')
  assert.equal(headers['lambda-runtime-deadline-ms'], '1234')
  assert.equal(headers['lambda-runtime-invoked-function-arn'], 'arn:f')
  assert.equal(headers['lambda-runtime-trace-id'], 'Root=1')
  assert.equal(headers['lambda-runtime-client-context'], '{"a":"\\u00fc"}')
  assert.equal(headers['lambda-runtime-aws-tenant-id'], 'acme')
  const posted = await line.call('POST', `${runtime}/invocation/r-1/response`, '"done"')
  assert.deepEqual([posted.status, posted.body], [202, '{"status":"OK"}'])
  const { end, broken } = await answered
  assert.equal(broken, false)
  assert.equal(end.kind === 'response' && Buffer.from(end.body).toString(), '"done"')
})

test('errors of every runtime become ErrorObjects and keep their body', async (t) => {
  const line = await open(t)
  const bodies: readonly { readonly body: string; readonly header?: string; readonly error: unknown }[] = [
    {
      body: '{"errorType":"E","errorMessage":"m","trace":["a","b"]}',
      error: { ErrorType: 'E', ErrorMessage: 'm', StackTrace: ['a', 'b'] },
    },
    {
      body: '{"errorMessage":"m","errorType":"ValueError","requestId":"r","stackTrace":["x"]}',
      error: { ErrorType: 'ValueError', ErrorMessage: 'm', StackTrace: ['x'] },
    },
    { body: '{"errorMessage":"m"}', header: 'Function.Oops', error: { ErrorType: 'Function.Oops', ErrorMessage: 'm' } },
    { body: '{"errorType":"E","trace":[1]}', error: { ErrorType: 'E' } },
    { body: 'not json', header: 'Function.Oops', error: { ErrorType: 'Function.Oops', ErrorMessage: 'not json' } },
  ]
  for (const { body, header, error } of bodies) {
    const next = line.next()
    const answered = line.api.deliver(delivery('r-1'))
    await next
    const headers = header === undefined ? {} : { 'lambda-runtime-function-error-type': header }
    assert.equal((await line.call('POST', `${runtime}/invocation/r-1/error`, body, headers)).status, 202)
    const { end } = await answered
    assert.deepEqual(end.kind === 'error' && end.error, error)
    if (body.startsWith('{')) assert.equal(end.kind === 'error' && end.body, body)
  }
})

test('posts for another, a finished or no invocation are refused', async (t) => {
  const line = await open(t)
  const post = async (id: string): Promise<[number, string]> => {
    const { status, body } = await line.call('POST', `${runtime}/invocation/${id}/response`, '1')
    return [status, JSON.parse(body).errorType]
  }
  assert.deepEqual(await post('r-1'), [400, 'InvalidRequestID'])
  const next = line.next()
  const answered = line.api.deliver(delivery('r-1'))
  await next
  assert.deepEqual(await post('r-2'), [400, 'InvalidRequestID'])
  await line.call('POST', `${runtime}/invocation/r-1/response`, '1')
  await answered
  assert.deepEqual(await post('r-1'), [400, 'InvalidRequestID'])
})

test('a second post while the first is being read is a wrong state', async (t) => {
  const line = await open(t)
  const next = line.next()
  const answered = line.api.deliver(delivery('r-1'))
  await next
  const [host, port] = line.api.authority.split(':')
  const first = http.request({ host, port, method: 'POST', path: `${runtime}/invocation/r-1/response`, agent: false })
  first.write('"fir')
  // The request is with the server once its handler runs; a request on another socket tells when it surely has.
  await line.call('GET', '/somewhere')
  const second = await line.call('POST', `${runtime}/invocation/r-1/response`, '"second"')
  assert.deepEqual([second.status, JSON.parse(second.body).errorType], [400, 'InvalidStateTransition'])
  first.end('st"')
  const { end } = await answered
  assert.equal(end.kind === 'response' && Buffer.from(end.body).toString(), '"first"')
})

test('a response whose connection breaks can be posted again', async (t) => {
  const line = await open(t)
  const next = line.next()
  const answered = line.api.deliver(delivery('r-1'))
  await next
  const [host, port] = line.api.authority.split(':')
  const socket = net.connect(Number(port), host)
  socket.write(
    `POST ${runtime}/invocation/r-1/response HTTP/1.1\r\nHost: ${line.api.authority}\r\nContent-Length: 100\r\n\r\nhalf`,
  )
  await line.call('GET', '/somewhere')
  await new Promise<void>((resolve) => socket.once('close', () => resolve()).destroy())
  await line.call('GET', '/somewhere')
  assert.equal((await line.call('POST', `${runtime}/invocation/r-1/response`, '"whole"')).status, 202)
  const { end } = await answered
  assert.equal(end.kind === 'response' && Buffer.from(end.body).toString(), '"whole"')
})

test('asking for the next event while one is open fails that invocation, once', async (t) => {
  const line = await open(t)
  const next = line.next()
  const answered = line.api.deliver(delivery('r-1'))
  await next
  const again = await line.next()
  assert.deepEqual([again.status, JSON.parse(again.body).errorType], [403, 'InvalidStateTransition'])
  const { end, broken } = await answered
  assert.equal(broken, true)
  assert.match(end.kind === 'error' ? (end.error.ErrorMessage ?? '') : '', /^RequestId: r-1 Error: the runtime asked/)
  assert.equal((await line.call('POST', `${runtime}/invocation/r-1/response`, '1')).status, 400)
  assert.equal((await line.next()).status, 403)
})

test('one `next` at a time; one whose connection broke is forgotten', async (t) => {
  const line = await open(t)
  const held = http.get(`http://${line.api.authority}${runtime}/invocation/next`)
  held.on('error', () => {})
  await line.call('GET', '/somewhere')
  assert.equal((await line.next()).status, 403)
  await new Promise<void>((resolve) => held.once('close', () => resolve()).destroy())
  await line.call('GET', '/somewhere')
  const answered = line.api.deliver(delivery('r-1'))
  const { status } = await line.next()
  assert.equal(status, 200, 'the event waited for the next one who asks')
  assert.equal(line.nexts, 1)
  await line.call('POST', `${runtime}/invocation/r-1/response`, '1')
  assert.equal((await answered).end.kind, 'response')
})

test('an initialisation error is taken before the first `next` only', async (t) => {
  const line = await open(t)
  const body = '{"errorType":"Runtime.ImportModuleError","errorMessage":"no x"}'
  assert.equal((await line.call('POST', `${runtime}/init/error`, body)).status, 202)
  assert.deepEqual(line.initErrors, [
    { kind: 'error', error: { ErrorType: 'Runtime.ImportModuleError', ErrorMessage: 'no x' }, body },
  ])
  assert.equal((await line.call('POST', `${runtime}/init/error`, body)).status, 403)
  const other = await open(t)
  const next = other.next()
  await other.call('GET', '/somewhere')
  assert.equal((await other.call('POST', `${runtime}/init/error`, body)).status, 403)
  void other.api.deliver(delivery('r-1'))
  await next
})

test('responses over the limit: refused for plain functions, taken for durable ones', async (t) => {
  const line = await open(t)
  const tooMuch = 'x'.repeat(6_291_557)
  const next = line.next()
  const answered = line.api.deliver(delivery('r-1'))
  await next
  const posted = await line.call('POST', `${runtime}/invocation/r-1/response`, tooMuch)
  assert.deepEqual([posted.status, JSON.parse(posted.body).errorType], [413, 'RequestEntityTooLarge'])
  const { end } = await answered
  assert.equal(end.kind === 'error' && end.error.ErrorType, 'Function.ResponseSizeTooLarge')
  const nextAgain = line.next()
  const envelope = line.api.deliver(delivery('r-2', { durable: true }))
  await nextAgain
  assert.equal((await line.call('POST', `${runtime}/invocation/r-2/response`, tooMuch)).status, 202)
  assert.equal((await envelope).end.kind, 'response')
})

test('an answer that is too large ends its invocation at once, and is read to its end before it is refused', async (t) => {
  const line = await open(t)
  const next = line.next()
  const answered = line.api.deliver(delivery('r-1'))
  await next
  const [host, port] = line.api.authority.split(':')
  const post = http.request({ host, port, method: 'POST', path: `${runtime}/invocation/r-1/response`, agent: false })
  let refusal: http.IncomingMessage | undefined
  post.once('response', (response) => {
    refusal = response
  })
  post.write(Buffer.alloc(7_000_000))
  const { end, broken } = await answered
  assert.equal(end.kind === 'error' && end.error.ErrorType, 'Function.ResponseSizeTooLarge')
  assert.equal(broken, false)
  assert.equal(refusal, undefined)
  post.end(Buffer.alloc(1_000_000))
  const [response] = (await once(post, 'response')) as [http.IncomingMessage]
  assert.equal(response.statusCode, 413)
})

test('a streamed response that fails tells so in its trailers', async (t) => {
  const line = await open(t)
  const next = line.next()
  const answered = line.api.deliver(delivery('r-1'))
  await next
  const [host, port] = line.api.authority.split(':')
  const request = http.request({
    host,
    port,
    method: 'POST',
    path: `${runtime}/invocation/r-1/response`,
    agent: false,
    headers: { trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body' },
  })
  request.write('half of it')
  request.addTrailers({
    'Lambda-Runtime-Function-Error-Type': 'Function.Broke',
    'Lambda-Runtime-Function-Error-Body': Buffer.from('{"errorMessage":"mid-stream"}').toString('base64'),
  })
  request.end()
  const { end } = await answered
  assert.deepEqual(end.kind === 'error' && end.error, { ErrorType: 'Function.Broke', ErrorMessage: 'mid-stream' })
})

test('web pages and foreign names are refused; other paths are the Lambda API', async (t) => {
  const line = await open(t)
  const path = `${runtime}/invocation/next`
  assert.equal((await line.call('GET', path, undefined, { origin: 'http://evil.example' })).status, 403)
  assert.equal((await line.call('GET', path, undefined, { host: 'evil.example' })).status, 403)
  assert.equal((await line.call('GET', `${runtime}/nothing`)).status, 404)
  const { status, body } = await line.call('POST', '/2025-12-01/durable-executions/a%3Ab/checkpoint', '{}')
  assert.deepEqual([status, body], [299, 'lambda /2025-12-01/durable-executions/a%3Ab/checkpoint'])
})

test('drained: when the last socket of the process has ended', async (t) => {
  const line = await open(t)
  const [host, port] = line.api.authority.split(':')
  await line.api.drained()
  const sockets = [net.connect(Number(port), host), net.connect(Number(port), host)]
  await line.call('GET', '/somewhere')
  let drained = false
  const waiting = line.api.drained().then(() => {
    drained = true
  })
  sockets[0]?.end()
  await new Promise((resolve) => sockets[0]?.resume().once('close', resolve))
  assert.equal(drained, false)
  sockets[1]?.end()
  sockets[1]?.resume()
  await waiting
})

test('two events at a time: a place each, answered in any order', async (t) => {
  const line = await open(t, 2)
  const nexts = [line.next(), line.next()]
  const answers = ['r-1', 'r-2'].map((requestId) => line.api.deliver(delivery(requestId)))
  const ids = (await Promise.all(nexts)).map(({ headers }) => headers['lambda-runtime-aws-request-id'])
  assert.deepEqual(ids.sort(), ['r-1', 'r-2'])
  await line.call('POST', `${runtime}/invocation/r-2/response`, '2')
  const third = line.next()
  await line.call('POST', `${runtime}/invocation/r-1/response`, '1')
  const bodies = (await Promise.all(answers)).map(({ end }) => (end.kind === 'response' ? String(end.body) : end.kind))
  assert.deepEqual(bodies, ['1', '2'])
  void line.api.deliver(delivery('r-3'))
  assert.equal((await third).headers['lambda-runtime-aws-request-id'], 'r-3')
})

test('two events at a time: a third question ends both', async (t) => {
  const line = await open(t, 2)
  const nexts = [line.next(), line.next()]
  const answers = ['r-1', 'r-2'].map((requestId) => line.api.deliver(delivery(requestId)))
  await Promise.all(nexts)
  assert.equal((await line.next()).status, 403)
  for (const { broken } of await Promise.all(answers)) assert.equal(broken, true)
})

test('[I7] a process that opens connection after connection keeps its share, and is still heard on those it has', async (t) => {
  const line = await open(t)
  const [host, port] = line.api.authority.split(':')
  const wanted = 1_100
  let connected = 0
  let closed = 0
  const enough = Promise.withResolvers<void>()
  const sockets = Array.from({ length: wanted }, () => net.connect(Number(port), host))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  for (const socket of sockets) {
    socket.once('connect', () => {
      connected += 1
    })
    socket.on('error', () => {})
    socket.once('close', () => {
      closed += 1
      if (closed === wanted - 1_025) enough.resolve()
    })
    socket.resume()
  }
  await enough.promise
  const [first] = sockets
  if (first === undefined) throw new Error('there are sockets')
  first.write(`GET ${runtime}/nowhere HTTP/1.1\r\nHost: ${line.api.authority}\r\n\r\n`)
  const [answer] = await once(first, 'data')
  assert.match(String(answer), /^HTTP\/1\.1 404 /)
  assert.equal(closed, wanted - 1_025, `of ${connected}`)
})
