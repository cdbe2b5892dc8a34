/**
 * The webhooks room: the service's port to the outside over HTTP, for real. One POST is one exchange: no redirection is
 * followed, of the answer only the status and `Retry-After` count, and it takes ten seconds at most, in the machine's
 * time. Nothing of a URL but its origin may be told to anybody: paths and queries hold secrets.
 */
import http from 'node:http'
import https from 'node:https'
import type { WebhookAnswer, Webhooks } from '../service/ports.ts'

export interface HttpWebhooks extends Webhooks {
  /** Ends the connections that are kept for a next request. */
  close(): void
}

const DEFAULT_TIMEOUT_MS = 10_000
/** An answer that is longer ends its connection; a shorter one is read, so that the connection can be used again. */
const ANSWER_BYTES = 65_536
const HEADER_CHARS = 1_024
/** Many servers end a connection that is idle for five seconds; whoever asks on one just then is not answered. */
const KEEP_IDLE = { keepAlive: true, maxFreeSockets: 16, timeout: 4_000 }

export function createHttpWebhooks(options: {
  readonly userAgent: string
  /** For one exchange. Default 10 s. */
  readonly timeoutMs?: number
}): HttpWebhooks {
  const { userAgent, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const agents = { http: new http.Agent(KEEP_IDLE), https: new https.Agent(KEEP_IDLE) }
  return {
    async post({ url, headers, body }, signal) {
      const secure = url.toLowerCase().startsWith('https:')
      const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      const sent = {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(body),
        'User-Agent': userAgent,
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, headerText(value)])),
      }
      const agent = secure ? agents.https : agents.http
      try {
        return await exchange(
          (secure ? https : http).request(url, { method: 'POST', headers: sent, agent, signal: within }),
          body,
        )
      } catch (error) {
        return { failure: wordOf(error) }
      }
    },
    close() {
      agents.http.destroy()
      agents.https.destroy()
    },
  }
}

function exchange(request: http.ClientRequest, body: string): Promise<WebhookAnswer> {
  return new Promise((resolve, reject) => {
    let answered = false
    request.on('error', reject)
    // A server may also change the protocol, which answers nothing.
    request.on('close', () => {
      if (!answered) reject(new Error('closed'))
    })
    request.on('response', (response) => {
      answered = true
      const { statusCode: status = 0, headers } = response
      const answer: WebhookAnswer = { status, ...retryAfter(headers['retry-after']) }
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > ANSWER_BYTES) response.destroy()
      })
      // Its status was said: what becomes of the rest changes nothing.
      response.on('error', () => resolve(answer))
      response.on('close', () => resolve(answer))
    })
    request.end(body)
  })
}

/** Seconds only: a date would need the two clocks to agree. */
const retryAfter = (value: string | undefined): { readonly retryAfterSeconds?: number } =>
  value !== undefined && /^\d{1,9}$/.test(value) ? { retryAfterSeconds: Number(value) } : {}

function wordOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'no answer in time'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

/** What a header may hold: printable ASCII; the rest, and `%` itself, as in a URL. */
function headerText(text: string): string {
  const wellFormed = text.slice(0, HEADER_CHARS).toWellFormed()
  return wellFormed.replace(/[^\x20-\x24\x26-\x7e]/gu, (character) => encodeURIComponent(character)).trim()
}
