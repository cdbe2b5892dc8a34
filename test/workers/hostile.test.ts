/** Peers that mean no good, or that nobody meant to let in: each is told why, and costs the server nothing lasting. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import { ownWorker, plain, type Scene, scene, until } from './scene.ts'

const files = { 'echo.mjs': 'export const handler = async (event) => event' }
const path = '/perdure/v1/workers/attach?function=echo&name=rogue&processes=2'
const subprotocol = 'perdure-worker.v1'

const urlOf = (s: Scene, target = path): string => s.server.endpoint.replace('http', 'ws') + target

interface Rogue {
  readonly socket: WebSocket
  readonly messages: Record<string, unknown>[]
  say(message: unknown): void
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
}

async function rogue(t: TestContext, s: Scene, target = path): Promise<Rogue> {
  const socket = new WebSocket(urlOf(s, target), subprotocol, { perMessageDeflate: false })
  const messages: Record<string, unknown>[] = []
  socket.on('message', (data, isBinary) => {
    if (!isBinary) messages.push(JSON.parse(String(data)))
  })
  socket.on('error', () => {})
  const closed = once(socket, 'close').then(([code, reason]) => ({ code: Number(code), reason: String(reason) }))
  t.after(() => socket.terminate())
  await once(socket, 'open')
  const beats = setInterval(() => {
    if (socket.readyState === socket.OPEN) socket.send('{"type":"beat"}')
  }, 1_000)
  t.after(() => clearInterval(beats))
  await until('its welcome', () => messages.some(({ type }) => type === 'welcome'))
  return { socket, messages, say: (message) => socket.send(JSON.stringify(message)), closed }
}

/** An answer in place of a WebSocket. */
async function refusal(
  s: Scene,
  target: string,
  options: { protocol?: string; headers?: Record<string, string> } = {},
) {
  const socket = new WebSocket(urlOf(s, target), options.protocol ?? subprotocol, { headers: options.headers ?? {} })
  socket.on('error', () => {})
  const [, response] = await once(socket, 'unexpected-response')
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode as number, text }
}

async function invocationOf({ messages }: Rogue): Promise<{ readonly requestId: string }> {
  await until('an invocation', () => messages.some(({ type }) => type === 'invoke'))
  const invoke = messages.find(({ type }) => type === 'invoke') as { request: { requestId: string } }
  return invoke.request
}

const call = async (s: Scene, event: unknown) => {
  const { payload, functionError } = await s.client.invoke({ functionName: 'echo', payload: JSON.stringify(event) })
  return { payload, functionError }
}

const frames: readonly { readonly title: string; readonly send: (rogue: Rogue) => void; readonly reason: RegExp }[] = [
  { title: 'no JSON', send: ({ socket }) => socket.send('{'), reason: /no JSON object/ },
  { title: 'a list', send: ({ say }) => say([1]), reason: /no JSON object/ },
  { title: 'no type', send: ({ say }) => say({}), reason: /of type undefined/ },
  { title: 'another type', send: ({ say }) => say({ type: 'welcome' }), reason: /of type "welcome"/ },
  {
    title: 'a process that is none',
    send: ({ say }) => say({ type: 'started', process: -1 }),
    reason: /"process" is -1/,
  },
  {
    title: 'a payload out of nowhere',
    send: ({ socket }) => socket.send(Buffer.alloc(9)),
    reason: /nothing has announced/,
  },
  {
    title: 'a result of gigabytes',
    send: ({ say }) => say({ type: 'result', process: 0, requestId: 'r', kind: 'response', logTail: '', bytes: 4e9 }),
    reason: /a result of 4000000000 bytes/,
  },
  {
    title: 'a payload that is longer than announced',
    send: ({ say, socket }) => {
      say({ type: 'result', process: 0, requestId: 'r', kind: 'response', logTail: '', bytes: 3 })
      socket.send(Buffer.alloc(4))
    },
    reason: /another size than was announced/,
  },
  {
    title: 'a payload within another',
    send: ({ say }) => {
      for (const requestId of ['a', 'b']) {
        say({ type: 'result', process: 0, requestId, kind: 'response', logTail: '', bytes: 3 })
      }
    },
    reason: /before another has ended/,
  },
  {
    title: 'more processes than announced',
    send: ({ say }) => {
      for (const process of [0, 1, 2]) say({ type: 'started', process })
    },
    reason: /more processes than were announced/,
  },
  {
    title: 'the same process twice',
    send: ({ say }) => {
      for (const process of [0, 0]) say({ type: 'started', process })
    },
    reason: /starts a second time/,
  },
  {
    title: 'more places than it has',
    send: ({ say }) => {
      say({ type: 'started', process: 0 })
      say({ type: 'asks', process: 0 })
      say({ type: 'asks', process: 0 })
    },
    reason: /asks for more than it has places for/,
  },
  {
    title: 'too much log at once',
    send: ({ say }) => {
      say({ type: 'started', process: 0 })
      say({ type: 'log', process: 0, lines: [{ stream: 'stdout', line: 'x'.repeat(300_000) }] })
    },
    reason: /of log at once/,
  },
]

test('peers that break the protocol, or are none', async (t) => {
  const s = await scene(t, [plain('echo', { timeout: 2 })], files)

  for (const { title, send, reason } of frames) {
    await t.test(`a link ends with its reason: ${title}`, async (t) => {
      const peer = await rogue(t, s)
      send(peer)
      const closed = await peer.closed
      assert.equal(closed.code, 1002)
      assert.match(closed.reason, reason)
    })
  }

  await t.test('a giant frame is not taken into memory', async (t) => {
    const peer = await rogue(t, s)
    peer.socket.send(Buffer.alloc(8_000_000))
    assert.notEqual((await peer.closed).code, 1000)
  })

  await t.test('bytes that are no frames', async (t) => {
    const { host, port } = new URL(s.server.endpoint)
    const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true })
    t.after(() => socket.destroy())
    const handshake = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13']
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
    const head = [`GET ${path} HTTP/1.1`, `Host: ${host}`, ...handshake, key, `Sec-WebSocket-Protocol: ${subprotocol}`]
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    await once(socket, 'data')
    socket.on('error', () => {}).resume()
    const sentAt = performance.now()
    socket.write(Buffer.alloc(4_096, 0xff))
    // Whoever goes on talking was told the end all the same, and is not waited for.
    const talk = setInterval(() => socket.write(Buffer.alloc(16, 0xff)), 200)
    t.after(() => clearInterval(talk))
    await until('it to be gone', async () => (await s.workers()).length === 0)
    assert.ok(performance.now() - sentAt < 6_000)
  })

  await t.test('who may not attach is told why', async () => {
    const asked = [
      { target: path.replace('echo', 'nobody'), status: 404, text: /there is no nobody:\$LATEST/ },
      { target: path.replace('echo', '..'), status: 400, text: /'function' must be/ },
      { target: `${path}&qualifier=prod`, status: 400, text: /'qualifier' must be/ },
      { target: path.replace('processes=2', 'processes=0'), status: 400, text: /'processes' must be a number from 1/ },
      { target: path.replace('name=rogue', 'name=%00'), status: 400, text: /'name' must be/ },
      {
        target: path,
        protocol: 'perdure-worker.v9',
        status: 400,
        text: /speaks perdure-worker.v1 .*perdure-worker.v9/,
      },
      { target: path, headers: { origin: 'https://evil.example' }, status: 403, text: /requests of other origins/ },
      { target: path, headers: { host: 'evil.example' }, status: 403, text: /to the Host of the request/ },
    ] as const
    for (const { target, status, text, ...options } of asked) {
      const answer = await refusal(s, target, options)
      assert.equal(answer.status, status, answer.text)
      assert.match(answer.text, text)
    }
  })

  await t.test('a request that lost its wish for a WebSocket on the way, and wishes for something else', async () => {
    const plainly = await fetch(`${s.server.endpoint}${path}`)
    assert.equal(plainly.status, 400)
    assert.match(await plainly.text(), /a proxy on the way must pass these on/)
    const socket = connect(Number(new URL(s.server.endpoint).port), '127.0.0.1')
    const host = new URL(s.server.endpoint).host
    socket.write(`GET /healthz HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n`)
    const [answer] = await once(socket, 'data')
    socket.destroy()
    assert.match(String(answer), /^HTTP\/1.1 200 /)
  })

  await t.test('an answer to what was never asked is ignored', async (t) => {
    const peer = await rogue(t, s)
    peer.say({ type: 'started', process: 0 })
    peer.say({ type: 'result', process: 0, requestId: 'never', kind: 'response', logTail: '', bytes: 2 })
    peer.socket.send(Buffer.from('{}'))
    peer.say({ type: 'asks', process: 7 })
    peer.say({ type: 'ended', process: 7 })
    peer.say({ type: 'asks', process: 0 })
    const answer = call(s, 1)
    const { requestId } = await invocationOf(peer)
    for (const body of ['"first"', '"second"']) {
      peer.say({ type: 'result', process: 0, requestId, kind: 'response', logTail: '', bytes: body.length })
      peer.socket.send(Buffer.from(body))
    }
    assert.equal((await answer).payload, '"first"')
    assert.equal(peer.socket.readyState, peer.socket.OPEN)
  })

  await t.test('a failure without its words is none of the function', async (t) => {
    const peer = await rogue(t, s)
    peer.say({ type: 'started', process: 0 })
    peer.say({ type: 'asks', process: 0 })
    const answer = fetch(`${s.server.endpoint}/2015-03-31/functions/echo/invocations`, { method: 'POST', body: '1' })
    const { requestId } = await invocationOf(peer)
    peer.say({ type: 'result', process: 0, requestId, kind: 'error', logTail: '', bytes: 2 })
    peer.socket.send(Buffer.from('{}'))
    assert.match((await peer.closed).reason, /"body" is undefined/)
    assert.equal((await answer).status, 500)
  })

  await t.test('results for nobody take no memory, however many there are', async (t) => {
    const peers = await Promise.all(Array.from({ length: 40 }, () => rogue(t, s)))
    const before = await rss(s)
    const part = Buffer.alloc(60_000)
    for (const { say, socket } of peers) {
      say({ type: 'result', process: 0, requestId: 'none', kind: 'response', logTail: '', bytes: 6_000_000 })
      for (let sent = 0; sent < 90; sent += 1) socket.send(part)
    }
    await ownWorker(t, s, 'echo', 'echo.mjs')
    await until('them to be read', () => peers.every(({ socket }) => socket.bufferedAmount === 0))
    assert.ok((await rss(s)) - before < 100_000_000)
    for (const { socket } of peers) socket.close(1000)
    assert.equal((await call(s, 'through')).payload, '"through"')
  })

  await t.test('a worker that beats and never answers: the invocation times out all the same', async (t) => {
    const peer = await rogue(t, s)
    peer.say({ type: 'started', process: 0 })
    peer.say({ type: 'asks', process: 0 })
    const answer = call(s, 1)
    const { requestId } = await invocationOf(peer)
    const insists = setInterval(() => peer.say({ type: 'begun', process: 0, requestId }), 1_000)
    t.after(() => clearInterval(insists))
    peer.say({ type: 'begun', process: 0, requestId })
    assert.equal(JSON.parse((await answer).payload).errorType, 'Sandbox.Timedout')
    await until('it to be told to end the process', () => peer.messages.some(({ type }) => type === 'end'))
  })

  await t.test('thousands at a time: their number and their memory are bounded, and the server goes on', async (t) => {
    const before = await rss(s)
    const sockets = Array.from({ length: 1_500 }, () => new WebSocket(urlOf(s), subprotocol))
    t.after(() => {
      for (const socket of sockets) socket.terminate()
    })
    let refused = 0
    let open = 0
    for (const socket of sockets) {
      socket.on('error', () => {})
      socket.once('open', () => {
        open += 1
        socket.pause()
      })
      socket.once('unexpected-response', (request, response) => {
        if (response.statusCode === 429) refused += 1
        response.resume()
        request.destroy()
      })
    }
    await until('all to be answered', () => open + refused === sockets.length)
    assert.ok(refused >= 500, `${refused} were refused`)
    assert.ok((await rss(s)) - before < 200_000_000, 'memory is bounded')
    for (const socket of sockets) socket.terminate()
    await until('them to be gone', async () => (await s.workers()).length === 0)
    await ownWorker(t, s, 'echo', 'echo.mjs')
    assert.equal((await call(s, 'still here')).payload, '"still here"')
  })

  await t.test('a silent one is lost within seconds', async (t) => {
    const peer = await rogue(t, s)
    peer.socket.send = () => {}
    const before = performance.now()
    const { code } = await peer.closed
    const tookMs = performance.now() - before
    assert.equal(code, 1006)
    assert.ok(tookMs < 7_000, `${Math.round(tookMs)} ms`)
  })
})

async function rss(s: Scene): Promise<number> {
  const [, bytes = ''] = /^process_resident_memory_bytes (\S+)$/m.exec(await s.client.metrics()) ?? []
  return Number(bytes)
}
