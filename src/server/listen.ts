/**
 * Sockets: how long a client may take, how many there may be, and what a request that is no HTTP gets. The request
 * itself is not looked at here.
 */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ErrorName } from '../protocol/errors.ts'
import { DEFAULT_LIMITS, type Limits } from '../protocol/limits.ts'
import { NO_HTTP_TEXT } from './request-head.ts'

export interface Listening {
  /** `http://127.0.0.1:7077`. */
  readonly endpoint: string
  readonly host: string
  readonly port: number
  /** Stops accepting connections and resolves when the last one has ended; idle ones are ended at once. */
  close(): Promise<void>
  /** Cuts the connections that are left. */
  terminate(): void
}

/** Requests that want to make something else of their connection. What is none of these is answered like any other. */
export interface Upgrades {
  readonly wanted: (request: IncomingMessage) => boolean
  readonly take: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** How often the timeouts of half-sent requests are looked after. */
const CHECK_MS = 2_000

export function listen(
  listener: RequestListener,
  options: {
    readonly host: string
    readonly port: number
    readonly limits?: Limits
    /** Told of what was refused before it became a request. */
    readonly refused?: (status: number) => void
    readonly upgrades?: Upgrades
  },
): Promise<Listening> {
  const limits = options.limits ?? DEFAULT_LIMITS
  const headersTimeout = Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs)
  const latest = new WeakMap<Socket, ServerResponse>()
  // What still comes on a connection after a refusal is refused by the parser again and again.
  const refused = new WeakSet<Socket>()
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.min(CHECK_MS, headersTimeout),
      // A client that vanished without a word is found out, however long its synchronous wait.
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      // Answered in the modelled form, like everything else that is no HTTP/1.1.
      requireHostHeader: false,
      // Clients of HTTP/2 offer it with every request over plain HTTP; theirs are requests all the same.
      shouldUpgradeCallback: (request) => options.upgrades?.wanted(request) ?? false,
    },
    (request, response) => {
      latest.set(request.socket, response)
      listener(request, response)
    },
  )
  server.maxConnections = limits.connections
  server.on('upgrade', (request, socket, head) => options.upgrades?.take(request, socket, head))
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    if (refused.has(socket)) return
    refused.add(socket)
    const refusal = REFUSALS[error.code ?? ''] ?? NO_HTTP
    options.refused?.(refusal[0])
    refuse(refusal, socket, latest.get(socket))
  })
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    options.refused?.(UNMET_EXPECTATION[0])
    answer(response, UNMET_EXPECTATION)
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, () => {
      server.off('error', reject)
      resolve(listening(server, options.host))
    })
  })
}

function listening(server: Server, host: string): Listening {
  const { port } = server.address() as AddressInfo
  const authority = host.includes(':') ? `[${host}]` : host
  let closed: Promise<void> | undefined
  return {
    endpoint: `http://${authority}:${port}`,
    host,
    port,
    close: () => {
      closed ??= close(server)
      return closed
    },
    terminate: () => server.closeAllConnections(),
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    // A connection whose last request is still being answered ends right after it.
    server.keepAliveTimeout = 1
    server.keepAliveTimeoutBuffer = 0
    server.close((error) => (error === undefined ? resolve() : reject(error)))
    server.closeIdleConnections()
  })
}

type Refusal = readonly [status: number, message: string, type?: ErrorName]

const NO_HTTP: Refusal = [400, NO_HTTP_TEXT]
const REFUSALS: { readonly [code: string]: Refusal } = {
  HPE_HEADER_OVERFLOW: [431, 'The headers are too long.'],
  // Nobody has acted on it, and the client may not be to blame: a machine may have slept in the middle.
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'The request took too long to arrive.', 'RequestTimeoutException'],
}
const UNMET_EXPECTATION: Refusal = [417, 'The server meets no expectation but 100-continue.']

/**
 * What came is no request, or never became one: answered in the modelled form, and the connection ends. The answers to
 * requests that came whole before it on the connection are not overtaken: whoever sent them must not take the refusal
 * for theirs. `latest` is the response of the newest request on the connection.
 */
function refuse(refusal: Refusal, socket: Socket, latest: ServerResponse | undefined): void {
  if (latest === undefined) {
    refuseOnSocket(refusal, socket)
  } else if (latest.req.complete) {
    after(latest, () => refuseOnSocket(refusal, socket))
  } else if (latest.headersSent) {
    // The newest request broke off and was answered already: all is said.
    after(latest, () => socket.destroy())
  } else {
    // Its response knows its turn. Whoever still waits for its body is told that none will come.
    latest.once('close', () => latest.req.destroy())
    answer(latest, refusal)
  }
}

function after(response: ServerResponse, call: () => void): void {
  if (response.writableFinished) call()
  else response.once('close', call)
}

function refuseOnSocket(refusal: Refusal, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const [status] = refusal
  const head = Object.entries(headersOf(refusal)).map(([name, value]) => `${name}: ${value}\r\n`)
  const text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head.join('')}\r\n${bodyOf(refusal)}`
  socket.end(text, () => socket.destroy())
}

function answer(response: ServerResponse, refusal: Refusal): void {
  response.writeHead(refusal[0], headersOf(refusal)).end(bodyOf(refusal))
}

const bodyOf = ([, message]: Refusal): string => JSON.stringify({ Type: 'User', message })

function headersOf(refusal: Refusal): Readonly<Record<string, string>> {
  const [, , type = 'SerializationException'] = refusal
  return {
    Connection: 'close',
    'Content-Type': 'application/json',
    'x-amzn-ErrorType': type,
    'Content-Length': String(Buffer.byteLength(bodyOf(refusal))),
  }
}
