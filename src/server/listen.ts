/**
 * Sockets: how long a client may take, how many there may be, and what a request that is no HTTP gets. The request
 * itself is not looked at here.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { DEFAULT_LIMITS, type Limits } from '../protocol/limits.ts'

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
  },
): Promise<Listening> {
  const limits = options.limits ?? DEFAULT_LIMITS
  const headersTimeout = Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs)
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
    },
    listener,
  )
  server.maxConnections = limits.connections
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const status = refuse(error, socket)
    if (status !== undefined) options.refused?.(status)
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

const REFUSALS: { readonly [code: string]: readonly [status: string, name: string, message: string] } = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'SerializationException', 'The headers are too long.'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'SerializationException', 'The request took too long to arrive.'],
}
const NO_HTTP = ['400 Bad Request', 'SerializationException', 'The request is not valid HTTP/1.1.'] as const

/**
 * What came is no request, or never became one: answered in the modelled form, and the connection ends. The status that
 * was answered; undefined when nobody is there to be told.
 */
function refuse(error: NodeJS.ErrnoException, socket: Socket): number | undefined {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return undefined
  }
  const [status, name, message] = REFUSALS[error.code ?? ''] ?? NO_HTTP
  const body = JSON.stringify({ Type: 'User', message })
  const head = [
    `HTTP/1.1 ${status}`,
    'Connection: close',
    'Content-Type: application/json',
    `x-amzn-ErrorType: ${name}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
  return Number.parseInt(status, 10)
}
