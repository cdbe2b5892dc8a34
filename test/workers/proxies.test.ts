/** A worker behind what stands between hosts: a proxy that ends TLS, speaks HTTP itself, and wants to know who comes. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { createServer } from 'node:https'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { certificate, key } from './certificate.ts'
import { durable, marking, ownWorker, plain, proxyTo, type Scene, scene, workerProgram } from './scene.ts'

const files = {
  'large.mjs': `export const handler = async ({ pad, bytes }) => (bytes === undefined ? pad.length : 'x'.repeat(bytes))`,
  'f.ts': `${marking}
export const handler = withDurableExecution(async ({ pad }: { pad: string }, context: DurableContext) =>
  context.step('length', async () => pad.length))`,
}

/** Requests of the proxy's clients, by path. */
interface TlsProxy {
  readonly endpoint: string
  readonly passed: string[]
}

/** As a reverse proxy of the usual kind is set up: below a path, with a token, and the upstream's own Host. */
async function tlsProxy(t: TestContext, s: Scene): Promise<TlsProxy> {
  const { hostname, port } = new URL(s.server.endpoint)
  const passed: string[] = []
  const forwarded = (incoming: IncomingMessage) => {
    assert.equal(incoming.headers.authorization, 'Bearer of good news')
    const path = (incoming.url ?? '').replace(/^\/perdure-server/, '')
    passed.push(path.split('?')[0] ?? '')
    const headers = { ...incoming.headers, host: `${hostname}:${port}` }
    return request({ hostname, port, method: incoming.method, path, headers })
  }
  const proxy = createServer({ cert: certificate, key }, (incoming, response) => {
    const outgoing = forwarded(incoming)
    incoming.pipe(outgoing)
    outgoing.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
  })
  proxy.on('upgrade', (incoming, socket, head) => {
    const outgoing = forwarded(incoming)
    outgoing.on('upgrade', (answer, upstream, first) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`)
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`)
      socket.write(first)
      upstream.write(head)
      socket.pipe(upstream).on('error', () => {})
      upstream.pipe(socket).on('error', () => {})
    })
    outgoing.end()
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.after(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  const address = proxy.address()
  assert.ok(address !== null && typeof address === 'object')
  return { endpoint: `https://localhost:${address.port}/perdure-server`, passed }
}

test('a worker reaches its server through a proxy that ends TLS', async (t) => {
  const s = await scene(t, [durable('f')], files)
  const proxy = await tlsProxy(t, s)
  writeFileSync(join(s.folder, 'ca.pem'), certificate)
  process.env['NODE_EXTRA_CA_CERTS'] = join(s.folder, 'ca.pem')
  await workerProgram(t, s, 'f', ['f.ts'], {
    endpoint: proxy.endpoint,
    args: ['--header', 'Authorization: Bearer of good news'],
  })
  const payload = JSON.stringify({ pad: 'x'.repeat(2_000_000) })
  const answer = await s.client.invoke({ functionName: 'f', qualifier: '$LATEST', payload })
  assert.equal(answer.payload, '2000000')
  assert.equal(proxy.passed[0], '/perdure/v1/workers/attach')
  assert.ok(
    proxy.passed.some((path) => path.endsWith('/checkpoint')),
    'its checkpoints go the same way',
  )
})

test('a slow line: what takes long to arrive is neither lost nor too late', async (t) => {
  const s = await scene(t, [plain('large', { timeout: 1 })], files)
  const proxy = await proxyTo(t, s.server.endpoint, 400_000)
  const headers = { Host: new URL(s.server.endpoint).host }
  const slowly = { server: new URL(proxy.endpoint), headers }
  await Promise.all([1, 2].map(() => ownWorker(t, s, 'large', 'large.mjs', slowly)))
  const call = async (event: object) => {
    const { payload, functionError } = await s.client.invoke({ functionName: 'large', payload: JSON.stringify(event) })
    assert.equal(functionError, undefined, payload)
    return JSON.parse(payload)
  }
  const before = performance.now()
  const [length, text] = await Promise.all([call({ pad: 'x'.repeat(6_000_000) }), call({ bytes: 6_000_000 })])
  assert.equal(length, 6_000_000)
  assert.equal(text.length, 6_000_000)
  assert.ok(performance.now() - before > 12_000, 'it took longer than an invocation may')
  assert.doesNotMatch(s.log(), /is lost/)
})
