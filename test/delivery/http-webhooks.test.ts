/** The adapter of webhooks, against real servers of every kind of manners. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createHttpWebhooks, type HttpWebhooks } from '../../src/webhooks/http-webhooks.ts'
import { Receiver } from './receiver.ts'

const never = new AbortController().signal

function webhooksOf(t: TestContext, timeoutMs?: number): HttpWebhooks {
  const webhooks = createHttpWebhooks({ userAgent: 'perdure/test', ...(timeoutMs !== undefined && { timeoutMs }) })
  t.after(() => webhooks.close())
  return webhooks
}

/** A server that speaks as the test says, byte by byte. */
async function rawServer(t: TestContext, speak: (socket: net.Socket) => void): Promise<string> {
  const sockets = new Set<net.Socket>()
  const server = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    speak(socket)
  })
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

test('a request carries its body, its headers and what cannot be in a header as percent signs', async (t) => {
  const receiver = await Receiver.start(t)
  const answer = await webhooksOf(t).post(
    {
      url: `${receiver.url}/hook?token=x`,
      headers: { 'Idempotency-Key': 'k', ErrorMessage: `nö: 100 %\r\nX-Evil: 1 \ud800${'y'.repeat(5_000)}` },
      body: '{"ä":1}',
    },
    never,
  )
  assert.deepEqual(answer, { status: 204 })
  const [{ path, headers, body } = assert.fail('nothing came')] = receiver.received
  assert.deepEqual([path, body], ['/hook?token=x', '{"ä":1}'])
  assert.deepEqual(
    [headers['content-type'], headers['idempotency-key'], headers['user-agent'], headers['content-length']],
    ['application/json', 'k', 'perdure/test', '8'],
  )
  const message = String(headers['errormessage'])
  assert.match(message, /^n%C3%B6: 100 %25%0D%0AX-Evil: 1 %EF%BF%BDy+$/)
  assert.ok(message.length < 1_100)
  assert.equal(headers['x-evil'], undefined)
})

test('a redirection is an answer, and is not followed', async (t) => {
  const elsewhere = await Receiver.start(t)
  const receiver = await Receiver.start(t)
  receiver.answer = (_request, response) => void response.writeHead(307, { location: elsewhere.url }).end()
  assert.deepEqual(await webhooksOf(t).post({ url: receiver.url, headers: {}, body: '1' }, never), { status: 307 })
  assert.deepEqual(elsewhere.received, [])
})

test('what a server asks for is told in seconds, and nothing else of Retry-After', async (t) => {
  const receiver = await Receiver.start(t)
  const webhooks = webhooksOf(t)
  for (const [value, asked] of [
    ['120', { retryAfterSeconds: 120 }],
    ['Wed, 21 Oct 2026 07:28:00 GMT', {}],
    ['-1', {}],
  ] as const) {
    receiver.answer = (_request, response) => void response.writeHead(503, { 'retry-after': value }).end('later')
    const answer = await webhooks.post({ url: receiver.url, headers: {}, body: '1' }, never)
    assert.deepEqual(answer, { status: 503, ...asked })
  }
})

test('nobody there, no such place, a hang-up, another protocol: a word each, and never a rejection', async (t) => {
  const receiver = await Receiver.start(t)
  const { url } = receiver
  await receiver.close()
  const hangsUp = await rawServer(t, (socket) => socket.destroy())
  const speaksOtherwise = await rawServer(t, (socket) => socket.once('data', () => socket.end('220 smtp\r\n')))
  const upgrades = await rawServer(t, (socket) =>
    socket.once('data', () => socket.write('HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n')),
  )
  const webhooks = webhooksOf(t)
  const word = async (to: string) => {
    const answer = await webhooks.post({ url: to, headers: {}, body: '1' }, never)
    return 'failure' in answer ? answer.failure : assert.fail(`${to} answered ${answer.status}`)
  }
  assert.equal(await word(url), 'ECONNREFUSED')
  assert.equal(await word(hangsUp), 'ECONNRESET')
  assert.match(await word(speaksOtherwise), /^HPE_/)
  assert.match(await word(upgrades), /^(Error|ECONNRESET)$/)
  assert.match(await word('http://secret.invalid/token'), /^(ENOTFOUND|EAI_AGAIN|no answer in time)$/)
  assert.equal(await word('https://127.0.0.1:1/'), 'ECONNREFUSED')
  assert.equal(await word('http://'), 'ERR_INVALID_URL')
})

test('a server that says nothing, or trickles its head, is left in time', async (t) => {
  const silent = await rawServer(t, () => {})
  const trickles = await rawServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n')
    const timer = setInterval(() => socket.write('x'), 20)
    socket.on('close', () => clearInterval(timer))
  })
  const webhooks = webhooksOf(t, 300)
  const began = performance.now()
  for (const url of [silent, trickles]) {
    assert.deepEqual(await webhooks.post({ url, headers: {}, body: '1' }, never), { failure: 'no answer in time' })
  }
  assert.ok(performance.now() - began < 5_000)
})

test('an answer without end counts by its status, and is not read on', async (t) => {
  let written = 0
  const endless = await rawServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    const more = (): void => {
      while (!socket.destroyed && socket.write('x'.repeat(16_384))) written += 16_384
    }
    socket.on('drain', more)
    socket.once('data', more)
  })
  assert.deepEqual(await webhooksOf(t).post({ url: endless, headers: {}, body: '1' }, never), { status: 200 })
  assert.ok(written < 20_000_000, `${written} bytes`)
})

test('a request ends when the service does', async (t) => {
  const silent = await rawServer(t, () => {})
  const stop = new AbortController()
  const answer = webhooksOf(t).post({ url: silent, headers: {}, body: '1' }, stop.signal)
  stop.abort()
  assert.deepEqual(await answer, { failure: 'no answer in time' })
})
