/** Clients that nobody wants: slow ones, and those that send what is no request. The server must answer none with 5xx. */
import { connect } from 'node:net'
import type { SeededRandom } from '../simulation/seeded-random.ts'
import type { Violations } from './violations.ts'

const CHECKPOINT = '/2025-12-01/durable-executions/arn%3Anothing/checkpoint'

const post = (host: string, path: string, body: string, more = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: ${host}\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`

/** What each is about, and the bytes that it sends; the server says 4xx, or ends the connection. */
const HOSTILE: readonly (readonly [words: string, text: (host: string) => string])[] = [
  ['no HTTP', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ['endless headers', (host) => `GET / HTTP/1.1\r\nHost: ${host}\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`],
  ['two lengths', (host) => `POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`],
  ['foreign host', () => 'GET /healthz HTTP/1.1\r\nHost: evil.example\r\n\r\n'],
  ['foreign origin', (host) => post(host, CHECKPOINT, '{}', 'Origin: http://evil.example\r\n')],
  ['unknown path', (host) => `GET /%00/..%2f..%2fetc HTTP/1.1\r\nHost: ${host}\r\n\r\n`],
  ['no JSON', (host) => post(host, CHECKPOINT, '{"CheckpointToken":')],
  ['deep JSON', (host) => post(host, CHECKPOINT, '['.repeat(50_000))],
  ['wrong types', (host) => post(host, CHECKPOINT, '{"CheckpointToken":[],"Updates":{"length":-1}}')],
  ['prototype', (host) => post(host, CHECKPOINT, '{"__proto__":{"Updates":[]},"constructor":1}')],
  ['token of nobody', (host) => post(host, CHECKPOINT, '{"CheckpointToken":"dDE=","Updates":[]}')],
  ['unknown function', (host) => post(host, '/2015-03-31/functions/nobody/invocations', '{}')],
  ['unknown callback', (host) => post(host, '/2025-12-01/durable-execution-callbacks/00/succeed', '{}')],
]

/** One of them; not being answered is fine, for the server may be down. */
export async function hostileRequest(endpoint: string, random: SeededRandom, violations: Violations): Promise<void> {
  const [words, text] = random.pick(HOSTILE)
  const { host } = new URL(endpoint)
  const answer = await converse(endpoint, [text(host)], 5_000)
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)
  violations.check(
    status === 0 || (status >= 400 && status < 500),
    'server',
    () => `${words} got ${answer.slice(0, 300)}`,
  )
}

/** A request that comes byte by byte, and in the end perhaps not at all; or a reader that does not read. */
export async function slowClient(endpoint: string, random: SeededRandom): Promise<void> {
  const { host } = new URL(endpoint)
  const request = `GET /2015-03-31/functions HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
  if (random.chance(0.3)) {
    await converse(endpoint, [request.replace('close', 'keep-alive').repeat(200)], random.between(1_000, 8_000), false)
    return
  }
  const length = random.chance(0.5) ? request.length : random.between(1, request.length - 1)
  await converse(endpoint, request.slice(0, length).match(/.{1,4}/gs) ?? [], random.between(5_000, 15_000))
}

/** What came back until the connection ended or the time was over; parts are sent with pauses between them. */
function converse(endpoint: string, parts: readonly string[], limitMs: number, reading = true): Promise<string> {
  const { port, hostname } = new URL(endpoint)
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect({ port: Number(port), host: hostname })
  let received = ''
  const pauseMs = parts.length < 2 ? 0 : limitMs / parts.length
  const timers = parts.map((part, index) => setTimeout(() => socket.write(part, 'latin1'), pauseMs * index))
  const limit = setTimeout(() => socket.destroy(), limitMs)
  if (reading) {
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1')
      // Whoever keeps the connection open has answered.
      if (parts.length < 2) socket.end()
    })
  }
  socket.on('error', () => {
    // The server closes such connections, and is killed at times.
  })
  socket.once('close', () => {
    for (const timer of [...timers, limit]) clearTimeout(timer)
    resolve(received)
  })
  return promise
}
