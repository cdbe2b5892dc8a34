/**
 * The Lambda API for processes of a worker: what they call at their own listener goes to the server, over kept-alive
 * connections. A call that the server did not answer is sent again where that is safe: it never arrived, or it carries
 * the id by which the server knows a repetition. A process that crashed leaves calls behind: its checkpoints are sent to
 * their end, so that the last one counts (decision 21), and everything else is given up.
 */
import http from 'node:http'
import https from 'node:https'
import type { Clock, Timers } from '../../service/ports.ts'

export interface Forwarding {
  /** The door of one process. */
  door(): ForwardingDoor
  close(): void
}

export interface ForwardingDoor {
  readonly listener: http.RequestListener
  /** Resolves when every checkpoint that came by now is answered, or after a while. */
  settled(): Promise<void>
}

export interface ForwardingOptions {
  /** `http://host:port`, perhaps with a path before that of every call. */
  readonly server: URL
  /** Sent with every call, for a proxy on the way. */
  readonly headers: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly timers: Timers
}

/** The largest call, an upload of code, has 70 MB. */
const maxCallBytes = 100_000_000
const attempts = 4
const firstPauseMs = 100
/** How long the end of an invocation waits for its checkpoints at most. */
const settleLimitMs = 2_000

/** They are about one connection, not about the call. */
const hopByHop = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

const none: ReadonlySet<string> = new Set()

interface Call {
  readonly method: string
  readonly path: string
  readonly headers: readonly string[]
  readonly body: Buffer
  /** It may be sent again even when it may have arrived. */
  readonly repeatable: boolean
  readonly abandoned: AbortSignal
}

export function createForwarding({ server, headers, clock, timers }: ForwardingOptions): Forwarding {
  const scheme = server.protocol === 'https:' ? https : http
  const agent = new scheme.Agent({ keepAlive: true })
  const prefix = server.pathname.replace(/\/$/, '')
  const replaced = new Set(Object.keys(headers).map((name) => name.toLowerCase()))
  const added = [...Object.entries(headers).flat(), ...(replaced.has('host') ? [] : ['host', server.host])]

  const once = (call: Call): Promise<http.IncomingMessage> =>
    new Promise((resolve, reject) => {
      const request = scheme.request(
        {
          agent,
          hostname: server.hostname.replace(/^\[(.*)\]$/, '$1'),
          port: server.port,
          method: call.method,
          path: prefix + call.path,
          headers: [...call.headers, ...added, 'content-length', String(call.body.byteLength)],
          signal: call.abandoned,
        },
        resolve,
      )
      request.on('error', (error: NodeJS.ErrnoException) => {
        const arrived = !(error.syscall === 'connect' || error.code === 'ENOTFOUND' || request.reusedSocket)
        reject(new Unanswered(error, arrived))
      })
      request.end(call.body)
    })

  const pause = (ms: number): Promise<void> => new Promise((resolve) => timers.at(clock.now() + ms, resolve))

  const send = async (call: Call): Promise<http.IncomingMessage> => {
    for (let failures = 0; ; failures += 1) {
      try {
        return await once(call)
      } catch (error) {
        const again = error instanceof Unanswered && (!error.mayHaveArrived || call.repeatable)
        if (!again || call.abandoned.aborted || failures + 1 >= attempts) throw error
        await pause(firstPauseMs * 2 ** failures)
      }
    }
  }

  const forward = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
    const body = await readAll(request)
    if (body === 'broken') return
    if (body === 'tooLarge') {
      refuse(response, 413, 'RequestEntityTooLargeException', `A call has at most ${maxCallBytes} bytes`)
      return
    }
    const abandoned = new AbortController()
    if (!isCheckpoint(request)) response.once('close', () => abandoned.abort())
    const call: Call = {
      method: request.method ?? 'GET',
      path: request.url ?? '/',
      headers: endToEnd(request.rawHeaders, replaced),
      body,
      repeatable: request.method === 'GET' || request.headers['amz-sdk-invocation-id'] !== undefined,
      abandoned: abandoned.signal,
    }
    try {
      const answer = await send(call)
      response.writeHead(answer.statusCode ?? 502, [...endToEnd(answer.rawHeaders, none), ...lengthOf(answer)])
      await relay(answer, response)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      refuse(response, 503, 'ServiceException', `The server could not be asked: ${reason}`)
    }
  }

  return {
    door: () => {
      const checkpoints = new Set<Promise<void>>()
      return {
        listener: (request, response) => {
          // A web page that guesses the port must not speak to the server for a function (decision 26).
          if (request.headers.origin !== undefined || !isOwnHost(request)) {
            request.resume()
            refuse(response, 403, 'AccessDeniedException', 'Calls come from the function process only')
            return
          }
          const forwarded = forward(request, response)
          if (!isCheckpoint(request)) return
          checkpoints.add(forwarded)
          void forwarded.finally(() => checkpoints.delete(forwarded))
        },
        settled: async () => {
          if (checkpoints.size > 0) await Promise.race([Promise.all(checkpoints), pause(settleLimitMs)])
        },
      }
    },
    close: () => agent.destroy(),
  }
}

class Unanswered extends Error {
  readonly mayHaveArrived: boolean

  constructor(cause: Error, mayHaveArrived: boolean) {
    super(cause.message, { cause })
    this.mayHaveArrived = mayHaveArrived
  }
}

const isCheckpoint = ({ method, url = '' }: http.IncomingMessage): boolean =>
  method === 'POST' && url.endsWith('/checkpoint')

const isOwnHost = ({ headers, socket }: http.IncomingMessage): boolean =>
  headers.host === `127.0.0.1:${socket.localPort}`

/** Names and values in turn, as they came, but for those that are left out. */
function endToEnd(rawHeaders: readonly string[], left: ReadonlySet<string>): string[] {
  const kept: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2)
    if (!hopByHop.has(name.toLowerCase()) && !left.has(name.toLowerCase())) kept.push(name, value)
  }
  return kept
}

function lengthOf({ headers }: http.IncomingMessage): string[] {
  const length = headers['content-length']
  return length === undefined ? [] : ['content-length', length]
}

function readAll(request: http.IncomingMessage): Promise<Buffer | 'tooLarge' | 'broken'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength
      if (bytes <= maxCallBytes) chunks.push(chunk)
      else {
        chunks.length = 0
        resolve('tooLarge')
      }
    })
    request.once('end', () => resolve(Buffer.concat(chunks)))
    request.once('close', () => resolve('broken'))
    request.on('error', () => {
      // 'close' follows.
    })
  })
}

/** Resolves when the answer is read; whether its process is there to get it does not matter. */
function relay(answer: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    answer.once('end', resolve)
    answer.once('close', resolve)
    answer.once('error', reject)
    response.on('error', () => {
      // The process is gone: what is left of the answer is read all the same.
    })
    response.once('close', () => answer.resume())
    answer.pipe(response)
  })
}

function refuse(response: http.ServerResponse, status: number, code: string, message: string): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const text = JSON.stringify({ Type: status >= 500 ? 'Service' : 'User', message })
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'x-amzn-errortype': code,
  })
  response.end(text)
}
