/**
 * The Runtime API of one function process (spec 10 §10.1): an HTTP listener of its own on the loopback interface.
 * Which process speaks is known from the listener alone (decision 20). Every other path goes to the Lambda API, so
 * that the process makes all its calls through this listener and the server can tell when a crashed process can have
 * nothing more on the way: when all of the listener's sockets have reached their end (decision 21).
 *
 * The listener is
 *
 *   starting  the runtime has asked for nothing yet      → serving (next), broken (init error)
 *   serving   as many `next`s and events as the process  → broken (a `next` too many while an event is open)
 *             may have at a time, together
 *   broken    the runtime failed or broke the rules      final; the process must be replaced
 *
 * and an event, once `deliver` was called,
 *
 *   due       no `next` is held: the last one lost its   → open (next)
 *             connection just before
 *   open      with the runtime                           → answering (a post begins)
 *   answering its response or error is being read        → over (read, or too large), open (its connection broke)
 *
 * What is refused is read to its end all the same, because runtimes write all of it before they read the answer; but
 * slowly: the process waits for itself, and takes no time from others.
 */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { crashPoint } from '../crash-point.ts'
import type { Clock, Timers } from '../service/ports.ts'
import {
  type InvocationEnd,
  maxEnvelopeBytes,
  maxResponseBytes,
  misused as misusedBy,
  posted,
  responseTooLarge,
} from './failure-texts.ts'

export interface Delivery {
  readonly requestId: string
  readonly event: string
  readonly deadlineMs: number
  readonly functionArn: string
  readonly traceHeader: string
  readonly clientContext?: string
  readonly tenantId?: string
  /** The envelope of a durable function may exceed the response limit, because it quotes the result (spec 06 §6.2). */
  readonly durable: boolean
}

export interface RuntimeAnswer {
  readonly end: InvocationEnd
  /** The process must not be used again. */
  readonly broken: boolean
  readonly maxRssKb: number | undefined
}

export interface RuntimeApi {
  /** `127.0.0.1:port`. */
  readonly authority: string
  /** Gives the event to the runtime, now or when it next asks. Resolves when the runtime answered; perhaps never. */
  deliver(delivery: Delivery): Promise<RuntimeAnswer>
  /** Resolves when no socket of the process is left that could still carry a request. */
  drained(): Promise<void>
  /** Closes the listener and every connection. */
  close(): void
}

export interface RuntimeApiPorts {
  readonly clock: Clock
  readonly timers: Timers
  readonly lambdaApi: http.RequestListener
  /** How many events the runtime may have at a time. Default 1. */
  readonly maxConcurrency?: number
  /** The runtime asks for one more event than it has. Not called for a `next` that replaces one whose connection broke. */
  readonly onNext: () => void
  readonly onInitError: (failure: InvocationEnd) => void
}

/**
 * Connections of the process beside one for each of its places; further ones are closed at once. As many as an execution
 * environment of the real service may have files open. Each holds a descriptor of the server's, which all need.
 */
const spareConnections = 1_024

/** Between two chunks, of up to 64 KB, of a body that is refused. */
const refusedPauseMs = 5

const prefix = '/2018-06-01/runtime/'
const nextCall = `GET ${prefix}invocation/next`
const initErrorCall = `POST ${prefix}init/error`
const invocationCall = /^POST \/2018-06-01\/runtime\/invocation\/([^/?]+)\/(response|error)$/

type Phase = 'starting' | 'serving' | 'broken'

interface OpenInvocation {
  readonly delivery: Delivery
  readonly answer: (answer: RuntimeAnswer) => void
  state: 'due' | 'open' | 'answering'
}

export async function openRuntimeApi(ports: RuntimeApiPorts): Promise<RuntimeApi> {
  const api = createRuntimeApi(ports)
  await api.listen()
  return api
}

function createRuntimeApi(ports: RuntimeApiPorts): RuntimeApi & { listen(): Promise<void> } {
  const maxConcurrency = ports.maxConcurrency ?? 1
  let phase: Phase = 'starting'
  /** The `next`s that are held, the oldest first. */
  const held = new Set<http.ServerResponse>()
  /** How many `next`s that were told of lost their connection and are not replaced yet. */
  let lost = 0
  const open = new Map<string, OpenInvocation>()
  let authority = ''
  const sockets = new Set<unknown>()
  const drainWaiters = new Set<() => void>()

  const server = http.createServer((request, response) => {
    const path = request.url ?? ''
    if (!path.startsWith(prefix)) ports.lambdaApi(request, response)
    else if (request.headers.origin !== undefined || request.headers.host !== authority) {
      // A web page that guesses the port must not speak for a function (decision 26).
      refuse(request, response, 403, 'Forbidden', 'Requests to the Runtime API come from the function process only')
    } else route(request, response, path)
  })
  // The only client is the process: its idle connections are kept, so that none is closed just as it is used again.
  server.keepAliveTimeout = 0
  server.headersTimeout = 0
  server.requestTimeout = 0
  server.maxConnections = spareConnections + maxConcurrency
  server.on('connection', (socket) => {
    sockets.add(socket)
    const gone = (): void => {
      if (!sockets.delete(socket) || sockets.size > 0) return
      for (const waiter of drainWaiters) waiter()
      drainWaiters.clear()
    }
    socket.once('end', gone).once('close', gone)
  })

  function route(request: http.IncomingMessage, response: http.ServerResponse, path: string): void {
    const call = `${request.method} ${path}`
    const [, requestId, kind] = invocationCall.exec(call) ?? []
    if (requestId !== undefined) answer(request, response, requestId, kind === 'error')
    else if (call === nextCall) next(request, response)
    else if (call === initErrorCall) initError(request, response)
    else refuse(request, response, 404, 'NotFound', `The Runtime API has no ${call}`)
  }

  function next(request: http.IncomingMessage, response: http.ServerResponse): void {
    const withRuntime = [...open.values()].filter(({ state }) => state !== 'due')
    if (phase === 'broken' || held.size + withRuntime.length >= maxConcurrency) {
      refuseTransition(request, response, 403)
      if (phase === 'serving' && withRuntime.length > 0) breakOff(withRuntime)
      return
    }
    phase = 'serving'
    held.add(response)
    response.once('close', () => {
      if (held.delete(response)) lost += 1
    })
    const replaces = lost > 0
    if (replaces) lost -= 1
    const due = [...open.values()].find(({ state }) => state === 'due')
    if (due !== undefined) handOver(due, response)
    else if (!replaces) ports.onNext()
  }

  function breakOff(misused: readonly OpenInvocation[]): void {
    phase = 'broken'
    open.clear()
    for (const { answer, delivery } of misused) {
      answer({ end: misusedBy(delivery.requestId), broken: true, maxRssKb: undefined })
    }
  }

  function handOver(invocation: OpenInvocation, response: http.ServerResponse): void {
    const { delivery } = invocation
    held.delete(response)
    invocation.state = 'open'
    response.writeHead(200, deliveryHeaders(delivery))
    response.end(delivery.event)
    crashPoint('invocation-handed-over')
  }

  function answer(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    requestId: string,
    isError: boolean,
  ): void {
    const answered = open.get(requestId)
    if (answered === undefined) {
      refuse(request, response, 400, 'InvalidRequestID', 'Invalid request ID')
      return
    }
    if (answered.state !== 'open') {
      refuseTransition(request, response, 400)
      return
    }
    answered.state = 'answering'
    const maxBytes = answered.delivery.durable ? maxEnvelopeBytes : maxResponseBytes
    readBody(request, maxBytes, (body) => {
      // A `next` that overtook the post has already ended the invocation.
      if (open.get(requestId) !== answered) {
        refuseTransition(request, response, 400)
        return
      }
      if (body === 'broken') {
        answered.state = 'open'
        return
      }
      open.delete(requestId)
      const maxRssKb = Number(header(request, 'perdure-max-rss-kb')) || undefined
      if (body === 'tooLarge') {
        answered.answer({ end: responseTooLarge(), broken: false, maxRssKb })
        refuse(request, response, 413, 'RequestEntityTooLarge', 'Exceeded maximum allowed payload size')
        return
      }
      crashPoint('outcome-posted')
      write(response, 202, { status: 'OK' })
      answered.answer({ end: endOf(request, body, isError), broken: false, maxRssKb })
    })
  }

  function refuseTransition(request: http.IncomingMessage, response: http.ServerResponse, status: number): void {
    refuse(request, response, status, 'InvalidStateTransition', 'Transition is not allowed')
  }

  function refuse(
    request: http.IncomingMessage,
    response: http.ServerResponse,
    status: number,
    errorType: string,
    errorMessage: string,
  ): void {
    discard(request, ports, () => write(response, status, { errorMessage, errorType }))
  }

  function initError(request: http.IncomingMessage, response: http.ServerResponse): void {
    if (phase !== 'starting') {
      refuseTransition(request, response, 403)
      return
    }
    phase = 'broken'
    readBody(request, maxResponseBytes, (body) => {
      const text = typeof body === 'string' ? `The error of the initialisation is ${body}` : body.toString('utf8')
      write(response, 202, { status: 'OK' })
      ports.onInitError(posted(text, header(request, 'lambda-runtime-function-error-type')))
    })
  }

  return {
    get authority() {
      return authority
    },
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen(0, '127.0.0.1', () => {
          authority = `127.0.0.1:${(server.address() as AddressInfo).port}`
          resolve()
        })
      }),
    deliver: (delivery) =>
      new Promise((resolve) => {
        const invocation: OpenInvocation = { delivery, answer: resolve, state: 'due' }
        open.set(delivery.requestId, invocation)
        const [oldest] = held
        if (oldest !== undefined) handOver(invocation, oldest)
      }),
    drained: () =>
      new Promise((resolve) => {
        if (sockets.size === 0) resolve()
        else drainWaiters.add(resolve)
      }),
    close: () => {
      phase = 'broken'
      server.close()
      server.closeAllConnections()
    },
  }
}

function endOf(request: http.IncomingMessage, body: Buffer, isError: boolean): InvocationEnd {
  if (isError) return posted(body.toString('utf8'), header(request, 'lambda-runtime-function-error-type'))
  // A streamed response reports its failure in trailers, the error JSON in base64.
  const streamError = request.trailers['lambda-runtime-function-error-type']
  if (streamError === undefined) return { kind: 'response', body }
  const encoded = request.trailers['lambda-runtime-function-error-body'] ?? ''
  return posted(Buffer.from(encoded, 'base64').toString('utf8'), streamError)
}

function deliveryHeaders(delivery: Delivery): http.OutgoingHttpHeaders {
  const { clientContext, tenantId } = delivery
  return {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(delivery.event),
    'lambda-runtime-aws-request-id': delivery.requestId,
    'lambda-runtime-deadline-ms': String(delivery.deadlineMs),
    'lambda-runtime-invoked-function-arn': delivery.functionArn,
    'lambda-runtime-trace-id': ascii(delivery.traceHeader),
    ...(clientContext === undefined ? {} : { 'lambda-runtime-client-context': ascii(clientContext) }),
    ...(tenantId === undefined ? {} : { 'lambda-runtime-aws-tenant-id': ascii(tenantId) }),
  }
}

/** Headers carry ASCII only: line breaks become spaces, anything else beyond it a JSON escape, as suits a client context. */
function ascii(text: string): string {
  return text
    .replace(/[\r\n\t]/g, ' ')
    .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/**
 * Reads the body up to `maxBytes`. `tooLarge`: there is more, which is left to the caller. `broken`: the connection
 * ended before the body did.
 */
function readBody(
  request: http.IncomingMessage,
  maxBytes: number,
  done: (body: Buffer | 'tooLarge' | 'broken') => void,
): void {
  const chunks: Buffer[] = []
  let bytes = 0
  const tell = (body: Buffer | 'tooLarge' | 'broken'): void => {
    request.off('data', take).off('end', end).off('close', broken)
    done(body)
  }
  const take = (chunk: Buffer): void => {
    bytes += chunk.byteLength
    if (bytes > maxBytes) tell('tooLarge')
    else chunks.push(chunk)
  }
  const end = (): void => {
    const [first] = chunks
    tell(chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks))
  }
  const broken = (): void => tell('broken')
  request.on('data', take).once('end', end).once('close', broken)
  // 'close' follows and tells; without a listener the error would end the server.
  request.on('error', () => {})
}

function header(request: http.IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Reads what is left of the body, a chunk at a time, and forgets it. */
function discard(request: http.IncomingMessage, { clock, timers }: RuntimeApiPorts, done: () => void): void {
  if (request.readableEnded) {
    done()
    return
  }
  request.once('end', done)
  request.on('data', () => {
    request.pause()
    timers.at(clock.now() + refusedPauseMs, () => request.resume())
  })
}

function write(response: http.ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}
