import http from 'node:http'
import type { Failure } from './failure.ts'

export interface Invocation {
  readonly requestId: string
  /** JSON text. */
  readonly event: string
  readonly deadlineMs: number
  readonly functionArn: string | undefined
  readonly traceId: string | undefined
  readonly clientContext: string | undefined
  readonly identity: string | undefined
  readonly tenantId: string | undefined
}

export interface RuntimeClient {
  /** May wait for ever. */
  next(): Promise<Invocation>
  respond(requestId: string, body: string): Promise<void>
  fail(requestId: string, failure: Failure): Promise<void>
  failInit(failure: Failure): Promise<void>
}

/** A post that the server does not answer must not keep a failing process alive. */
const postTimeoutMs = 10_000

interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** `authority` is the value of AWS_LAMBDA_RUNTIME_API. `http.request` is captured here, before user code can patch it. */
export function createRuntimeClient(authority: string): RuntimeClient {
  const { request } = http
  const agent = new http.Agent({ keepAlive: true })
  const { hostname, port } = new URL(`http://${authority}`)

  const call = (method: 'GET' | 'POST', path: string, headers: http.OutgoingHttpHeaders, body?: string) =>
    new Promise<Answer>((resolve, reject) => {
      const outgoing = request(
        { agent, hostname, port, method, path: `/2018-06-01/runtime/${path}`, headers },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            text += chunk
          })
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
          response.on('error', reject)
        },
      )
      if (method === 'POST') {
        outgoing.setTimeout(postTimeoutMs, () => outgoing.destroy(new Error('the server did not answer a post')))
      }
      outgoing.on('error', reject)
      outgoing.end(body)
    })

  const post = async (path: string, body: string, headers: http.OutgoingHttpHeaders): Promise<void> => {
    await call('POST', path, { ...headers, 'content-type': 'application/json', ...usage(), ...size(body) }, body)
  }

  return {
    next: async () => {
      const answer = await call('GET', 'invocation/next', {})
      if (answer.status !== 200) throw new Error(`the next invocation was refused: ${answer.status} ${answer.body}`)
      return invocationOf(answer)
    },
    respond: (requestId, body) => post(`invocation/${requestId}/response`, body, {}),
    fail: (requestId, failure) => post(`invocation/${requestId}/error`, JSON.stringify(failure), errorType(failure)),
    failInit: (failure) => post('init/error', JSON.stringify(failure), errorType(failure)),
  }
}

function invocationOf({ headers, body }: Answer): Invocation {
  const text = (name: string): string | undefined => {
    const value = headers[name]
    return typeof value === 'string' && value !== '' ? value : undefined
  }
  const requestId = text('lambda-runtime-aws-request-id')
  if (requestId === undefined) throw new Error('the next invocation came without a request id')
  return {
    requestId,
    event: body,
    deadlineMs: Number(text('lambda-runtime-deadline-ms')),
    functionArn: text('lambda-runtime-invoked-function-arn'),
    traceId: text('lambda-runtime-trace-id'),
    clientContext: text('lambda-runtime-client-context'),
    identity: text('lambda-runtime-cognito-identity'),
    tenantId: text('lambda-runtime-aws-tenant-id'),
  }
}

const size = (body: string): http.OutgoingHttpHeaders => ({ 'content-length': Buffer.byteLength(body) })

const errorType = (failure: Failure): http.OutgoingHttpHeaders => ({
  'lambda-runtime-function-error-type': failure.errorType,
})

/** For the REPORT line; an extension of ours that the server does not depend on. */
const usage = (): http.OutgoingHttpHeaders => ({ 'perdure-max-rss-kb': process.resourceUsage().maxRSS })
