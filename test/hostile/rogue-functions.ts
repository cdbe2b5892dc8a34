/**
 * Functions that break the rules of the Runtime API (spec 10 §10.1): they speak to the server's listener for their
 * process by hand, beside the runtime that runs them. `rogue` does one trick per invocation and then returns `"done"`
 * as if nothing had been; what its caller must get is in `rogues.ts`.
 */
import http from 'node:http'
import net from 'node:net'

const authority = process.env['AWS_LAMBDA_RUNTIME_API'] ?? ''
const [host = '', port = ''] = authority.split(':')
const prefix = '/2018-06-01/runtime'

interface Context {
  readonly awsRequestId: string
}

export interface Told {
  readonly trick: string
  /** Of `bytes`: in base64. */
  readonly bytes?: string
}

type Trick = (requestId: string, told: Told) => Promise<unknown>

const TRICKS: Readonly<Record<string, Trick>> = {
  'answers twice': async (id) => [await respond(id, '"first"'), await respond(id, '"second"')],
  'answers for another': () => respond('00000000-0000-0000-0000-000000000000', '"mine"'),
  'answers and fails': async (id) => [await respond(id, '"first"'), await post(`/invocation/${id}/error`, '{}')],
  'asks while it works': () => call('GET', `${prefix}/invocation/next`),
  'answers 100 MB': (id) => hugePost(`/invocation/${id}/response`, 100),
  'fails with 100 MB': (id) => hugePost(`/invocation/${id}/error`, 100),
  'breaks off its answer': async (id) => {
    await raw(
      `POST ${prefix}/invocation/${id}/response HTTP/1.1\r\nHost: ${authority}\r\nContent-Length: 100\r\n\r\n"ha`,
    )
  },
  'begins fifty answers': (id) =>
    Promise.all(
      Array.from({ length: 50 }, () =>
        raw(`POST ${prefix}/invocation/${id}/response HTTP/1.1\r\nHost: ${authority}\r\nContent-Length: 9\r\n\r\n"x`),
      ),
    ),
  'fails to begin, too late': () => post('/init/error', '{}'),
  'asks for what is not there': async (id) => {
    for (const path of [
      '/',
      '/invocation',
      `/invocation/${id}`,
      `/invocation/${id}/response/more`,
      '/restore/next',
      '/../..',
      '/%00',
    ]) {
      await call('POST', prefix + path)
      await call('DELETE', prefix + path)
    }
  },
  'comes from another origin': (id) =>
    raw(
      `POST ${prefix}/invocation/${id}/response HTTP/1.1\r\nHost: ${authority}\r\nOrigin: http://evil.example\r\nContent-Length: 2\r\n\r\n"x`,
    ),
  'names another host': (id) =>
    raw(`POST ${prefix}/invocation/${id}/response HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 3\r\n\r\n"x"`),
  'writes bytes': (_, { bytes = '' }) => raw(Buffer.from(bytes, 'base64')),
  'opens all connections it can': async () => {
    const sockets: net.Socket[] = []
    // A hundred at a time: as many as the kernel lets wait to be accepted.
    for (let n = 0; n < 15; n++) sockets.push(...(await Promise.all(Array.from({ length: 100 }, connected))))
    for (const socket of sockets) socket.destroy()
  },
  'sends headers of a megabyte': (id) =>
    raw(
      `POST ${prefix}/invocation/${id}/response HTTP/1.1\r\nHost: ${authority}\r\nX: ${'x'.repeat(1_048_576)}\r\n\r\n`,
    ),
  'asks a thousand times at once': (id) =>
    raw(
      `POST ${prefix}/invocation/other-${id}/response HTTP/1.1\r\nHost: ${authority}\r\nContent-Length: 0\r\n\r\n`.repeat(
        1_000,
      ),
    ),
  crashes: async () => process.kill(process.pid, 'SIGSEGV'),
  exits: async () => process.exit(0),
  'throws what is no error': async () => {
    throw { toString: null }
  },
  'rejects in nobody’s hands': async () => {
    void Promise.reject(new Error('unheard'))
    await new Promise(() => {})
  },
  'never returns': () => new Promise(() => setInterval(() => {}, 1_000)),
  'prints bytes that are no text': async () => {
    process.stdout.write(Buffer.alloc(200_000, 0xff))
    process.stderr.write(Buffer.from('\x1b[2J\0\r\r\n\ud800'))
  },
}

export const tricks: readonly string[] = Object.keys(TRICKS)

export const rogue = async (told: Told, context: Context): Promise<string> => {
  await TRICKS[told.trick]?.(context.awsRequestId, told)
  return 'done'
}

/** An envelope in latin-1, with as many opening brackets in its middle. */
export interface Envelope {
  readonly begin: string
  readonly depth: number
  readonly end: string
}

/** A durable function whose envelope is whatever it was told; the runtime's own comes too late. */
export const liar = async (
  event: {
    readonly InitialExecutionState: {
      readonly Operations: readonly [{ readonly ExecutionDetails: { readonly InputPayload: string } }]
    }
  },
  context: Context,
): Promise<string> => {
  const { InputPayload } = event.InitialExecutionState.Operations[0].ExecutionDetails
  const { begin, depth, end } = JSON.parse(InputPayload) as Envelope
  const envelope = Buffer.from(begin + '['.repeat(depth) + end, 'latin1')
  await post(`/invocation/${context.awsRequestId}/response`, envelope)
  return 'too late'
}

const respond = (id: string, body: string): Promise<number> => post(`/invocation/${id}/response`, body)
const post = (path: string, body: string | Buffer): Promise<number> => call('POST', prefix + path, body)

/** The status; 0 when there was no answer. */
function call(method: string, path: string, body?: string | Buffer): Promise<number> {
  return new Promise((resolve) => {
    const request = http.request({ host, port, method, path, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    request.on('error', () => resolve(0)).end(body)
  })
}

function hugePost(path: string, megabytes: number): Promise<number> {
  return new Promise((resolve) => {
    const request = http.request({ host, port, method: 'POST', path: prefix + path, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    request.on('error', () => resolve(0))
    const megabyte = Buffer.alloc(1_048_576, 0x20)
    const write = (left: number): void => {
      if (left === 0) request.end('"big"')
      else request.write(megabyte, () => write(left - 1))
    }
    write(megabytes)
  })
}

/** Writes the bytes, closes its side, and waits until the server has said all that it has to say. */
function raw(bytes: string | Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), host, () => socket.end(bytes))
    socket
      .on('error', () => {})
      .on('close', () => resolve())
      .resume()
  })
}

function connected(): Promise<net.Socket> {
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), host)
    socket.once('connect', () => resolve(socket)).on('error', () => resolve(socket))
  })
}
