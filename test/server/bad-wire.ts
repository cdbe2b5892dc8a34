/**
 * Bytes that are no HTTP, or HTTP that two parsers could read in two ways (request smuggling), and connections that are
 * slow, half closed or cut. Whatever can be answered is answered in the modelled form; nothing that follows bad bytes
 * on the same connection is ever taken for a request.
 */
import type { Target } from './bad-requests.ts'
import { type RawClient, requestText } from './raw-socket.ts'

export interface BadConnection {
  readonly title: string
  /** Statuses in the order in which they must come; after the last one nothing more may. */
  readonly answers: readonly number[]
  /** The server must end the connection by itself. */
  readonly ends: boolean
  /** What is done with the connection; default: `text` is written. */
  readonly act: (client: RawClient) => Promise<void>
}

const CRLF = '\r\n'
const API = '/2025-12-01/durable-executions'

export function badConnections(target: Target): readonly BadConnection[] {
  return [...framing(target), ...heads(target), ...protocols(target), ...connections(target)]
}

function bytes(title: string, status: number, text: string | Buffer): BadConnection {
  const data = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
  return { title, answers: [status], ends: true, act: (client) => client.write(data) }
}

/** What an attacker would like to have taken for a second request: it would stop the execution. */
function smuggled({ port, arn }: Target): string {
  return requestText(port, `POST ${API}/${encodeURIComponent(arn)}/stop`, { body: '{}' })
}

/** Where a request's body ends must have one answer, or there is no request. */
function framing(target: Target): readonly BadConnection[] {
  const { port } = target
  const post = (title: string, headers: readonly string[], body: string, status = 400): BadConnection =>
    bytes(
      `framing: ${title}`,
      status,
      [
        `POST ${API}/${encodeURIComponent(target.arn)}/checkpoint HTTP/1.1`,
        `Host: 127.0.0.1:${port}`,
        ...headers,
        '',
        body,
      ].join(CRLF),
    )
  const hidden = smuggled(target)
  return [
    post('a length and chunks', ['Content-Length: 4', 'Transfer-Encoding: chunked'], `0${CRLF}${CRLF}${hidden}`),
    post('chunks and a length', ['Transfer-Encoding: chunked', 'Content-Length: 4'], `0${CRLF}${CRLF}${hidden}`),
    post('two lengths', ['Content-Length: 2', `Content-Length: ${hidden.length + 2}`], `{}${hidden}`),
    post('two equal lengths', ['Content-Length: 2', 'Content-Length: 2'], `{}${hidden}`),
    post('a list of lengths', ['Content-Length: 2, 2'], `{}${hidden}`),
    ...['-1', '+2', '0x2', '2 2', '2.0', '2e0', '', '٢', '18446744073709551616', '2;'].map((length) =>
      post(`a length of "${length}"`, [`Content-Length: ${length}`], `{}${hidden}`),
    ),
    ...['chunked, identity', 'identity, chunked, x', 'xchunked', 'gzip', 'chunkedx', 'chunked;q=1', '"chunked"'].map(
      (coding) => post(`coding ${coding}`, [`Transfer-Encoding: ${coding}`], `0${CRLF}${CRLF}${hidden}`),
    ),
    post('coding twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], `0${CRLF}${CRLF}${hidden}`),
    post('another coding first', ['Transfer-Encoding: gzip', 'Transfer-Encoding: chunked'], `0${CRLF}${CRLF}${hidden}`),
    post('a list of codings', ['Transfer-Encoding: gzip, chunked'], `0${CRLF}${CRLF}${hidden}`),
    post('a space before the colon', ['Transfer-Encoding : chunked'], `0${CRLF}${CRLF}${hidden}`),
    post('a tab before the colon', ['Content-Length\t: 2'], `{}${hidden}`),
    post('a folded header', ['X-A: 1', ' Transfer-Encoding: chunked'], `0${CRLF}${CRLF}${hidden}`),
    post('a bare line feed in a header', ['X-A: 1\nTransfer-Encoding: chunked'], `0${CRLF}${CRLF}${hidden}`),
    post('a bare carriage return in a header', ['X-A: 1\rX-B: 2'], hidden),
    post('a NUL in a header', ['X-A: 1\0'], hidden),
    post('a chunk of a size that is none', ['Transfer-Encoding: chunked'], `zz${CRLF}{}${CRLF}0${CRLF}${CRLF}`),
    post('a chunk of a negative size', ['Transfer-Encoding: chunked'], `-2${CRLF}{}${CRLF}0${CRLF}${CRLF}`),
    post('a chunk of a hexadecimal prefix', ['Transfer-Encoding: chunked'], `0x2${CRLF}{}${CRLF}0${CRLF}${CRLF}`),
    post('a chunk larger than any', ['Transfer-Encoding: chunked'], `FFFFFFFFFFFFFFFFF${CRLF}{}`),
    post('a chunk longer than its size', ['Transfer-Encoding: chunked'], `1${CRLF}{}${CRLF}0${CRLF}${CRLF}`),
    post('a chunk ended by a bare line feed', ['Transfer-Encoding: chunked'], `2\n{}${CRLF}0${CRLF}${CRLF}`),
    post('an endless chunk extension', ['Transfer-Encoding: chunked'], `2;${'x'.repeat(80_000)}${CRLF}{}${CRLF}`),
    post('endless trailers', ['Transfer-Encoding: chunked'], `0${CRLF}X: ${'y'.repeat(80_000)}${CRLF}${CRLF}`, 431),
  ]
}

function heads(target: Target): readonly BadConnection[] {
  const { port } = target
  const host = `Host: 127.0.0.1:${port}`
  const get = (title: string, status: number, ...lines: readonly string[]): BadConnection =>
    bytes(`head: ${title}`, status, [...lines, '', ''].join(CRLF))
  return [
    get('no Host', 400, 'GET /healthz HTTP/1.1'),
    get('two Hosts', 400, 'GET /healthz HTTP/1.1', host, 'Host: evil.example'),
    get('two Hosts, and a request behind', 400, 'GET /healthz HTTP/1.1', host, 'Host: a', '', smuggled(target)),
    get('a header without a colon', 400, 'GET /healthz HTTP/1.1', host, 'nonsense'),
    get('a header without a name', 400, 'GET /healthz HTTP/1.1', host, ': x'),
    get('a header name with a space', 400, 'GET /healthz HTTP/1.1', host, 'X A: x'),
    get('a header name with a parenthesis', 400, 'GET /healthz HTTP/1.1', host, 'X(A): x'),
    get('a header name beyond ASCII', 400, 'GET /healthz HTTP/1.1', host, 'X\xe9: x'),
    get('a control character in a value', 400, 'GET /healthz HTTP/1.1', host, 'X: \x01'),
    get('a header of 70,000 bytes', 431, 'GET /healthz HTTP/1.1', host, `X: ${'x'.repeat(70_000)}`),
    get('a target of 70,000 bytes', 431, `GET /${'x'.repeat(70_000)} HTTP/1.1`, host),
    get(
      'headers of 70,000 bytes together',
      431,
      'GET /healthz HTTP/1.1',
      host,
      ...Array.from({ length: 1_400 }, (_, i) => `X-${i}: ${'x'.repeat(45)}`),
    ),
  ]
}

function protocols({ port }: Target): readonly BadConnection[] {
  const host = `Host: 127.0.0.1:${port}`
  const first = (title: string, line: string): BadConnection =>
    bytes(`protocol: ${title}`, 400, [line, host, '', ''].join(CRLF))
  return [
    bytes('protocol: a TLS greeting', 400, Buffer.from('16030100c8010000c40303', 'hex')),
    bytes('protocol: an SSH greeting', 400, `SSH-2.0-OpenSSH_9.6${CRLF}`),
    bytes('protocol: the preface of HTTP/2', 400, `PRI * HTTP/2.0${CRLF}${CRLF}SM${CRLF}${CRLF}`),
    bytes('protocol: zeros', 400, Buffer.alloc(64)),
    bytes('protocol: the highest bytes', 400, Buffer.alloc(64, 0xff)),
    first('HTTP/0.9', 'GET /healthz'),
    first('HTTP/1.2', 'GET /healthz HTTP/1.2'),
    first('HTTP/9.9', 'GET /healthz HTTP/9.9'),
    first('another protocol', 'GET /healthz FTP/1.1'),
    first('a lower-case protocol', 'GET /healthz http/1.1'),
    first('a lower-case method', 'get /healthz HTTP/1.1'),
    first('an unknown method', 'FETCH /healthz HTTP/1.1'),
    first('a method with NUL', 'GE\0T /healthz HTTP/1.1'),
    first('no target', 'GET  HTTP/1.1'),
    first('a target with a space', 'GET /health z HTTP/1.1'),
    first('a target with NUL', 'GET /healthz\0 HTTP/1.1'),
    first('a target without a slash', 'GET healthz HTTP/1.1'),
    first('a line of spaces', '     '),
  ]
}

function connections(target: Target): readonly BadConnection[] {
  const { port, arn } = target
  const line = `POST ${API}/${encodeURIComponent(arn)}/checkpoint`
  const body = JSON.stringify({ CheckpointToken: target.token })
  const whole = requestText(port, line, { body })
  const health = requestText(port, 'GET /healthz')
  const act = (
    title: string,
    answers: readonly number[],
    ends: boolean,
    doing: (client: RawClient) => Promise<void>,
  ): BadConnection => ({ title: `connection: ${title}`, answers, ends, act: doing })
  const cut = (title: string, text: string): BadConnection =>
    act(title, [], true, async (client) => {
      await client.write(text)
      client.vanish()
    })
  return [
    act('nothing, and closed at once', [], true, async (client) => client.end()),
    act('half a head, then silence', [408], true, (client) => client.write('GET /healthz HTTP/1.1\r\nHo')),
    act('a head without its end, then silence', [408], true, (client) => client.write(health.slice(0, -2))),
    act('half a body, then silence', [408], true, (client) => client.write(whole.slice(0, -10))),
    act('half a chunk, then silence', [408], true, (client) =>
      client.write(`${requestText(port, line, { headers: { 'transfer-encoding': 'chunked' } })}ff${CRLF}{"Ch`),
    ),
    act('headers one byte at a time', [408], true, async (client) => {
      // Never done: the time runs from the first byte, however alive the client seems.
      const dribble = setInterval(() => client.write('x').catch(() => clearInterval(dribble)), 50)
      client.closed.finally(() => clearInterval(dribble))
      await client.write('GET /healthz HTTP/1.1\r\nX: ')
    }),
    act('a body one byte at a time', [408], true, async (client) => {
      await client.write(requestText(port, line, { headers: { 'content-length': '100000' } }))
      const dribble = setInterval(() => client.write(' ').catch(() => clearInterval(dribble)), 50)
      client.closed.finally(() => clearInterval(dribble))
    }),
    act('half a head, then half closed', [400], true, async (client) => {
      await client.write('GET /healthz HTTP/1.1\r\nHo')
      client.end()
    }),
    act('half a body, then half closed', [400], true, async (client) => {
      await client.write(whole.slice(0, -10))
      client.end()
    }),
    cut('half a head, then cut', 'GET /healthz HTTP/1.1\r\nHo'),
    cut('half a body, then cut', whole.slice(0, -10)),
    cut('a refused request, cut before its answer', requestText(port, line, { body: '{' })),
    act('a request for a tunnel', [], true, (client) =>
      client.write(`CONNECT evil.example:443 HTTP/1.1${CRLF}Host: evil.example${CRLF}${CRLF}`),
    ),
    act('bad, good and bad, sent at once', [400, 200, 404], false, (client) =>
      client.write(requestText(port, line, { body: '{' }) + health + requestText(port, 'GET /nowhere')),
    ),
    act(
      'a hundred bad requests sent at once',
      Array.from({ length: 100 }, () => 400),
      false,
      (client) => client.write(requestText(port, line, { body: '[]' }).repeat(100)),
    ),
    act('a good request, then bytes that are none', [200, 400], true, (client) =>
      client.write(`${health}\x00\x01\x02${CRLF}`),
    ),
    act('a body longer than its length', [400, 400], true, (client) =>
      client.write(
        `${requestText(port, line, { headers: { 'content-length': '1' }, body: '' })}{"more":"of it"}${CRLF}${CRLF}`,
      ),
    ),
    act('a body where none belongs', [200, 400], true, (client) => client.write(`${health}{"a":1}${CRLF}${CRLF}`)),
    act('gigabytes announced', [413], false, (client) =>
      client.write(requestText(port, line, { headers: { 'content-length': '9000000000' } })),
    ),
    act('gigabytes announced, expecting to be told', [100, 413], false, (client) =>
      client.write(requestText(port, line, { headers: { 'content-length': '9000000000', expect: '100-continue' } })),
    ),
    act('an expectation that nobody meets', [417], false, (client) =>
      client.write(requestText(port, line, { headers: { expect: '200-maybe' }, body })),
    ),
    act('nine megabytes in chunks', [413], false, (client) =>
      client.write(
        `${requestText(port, line, { headers: { 'transfer-encoding': 'chunked' } })}${`${(1_048_576).toString(16)}${CRLF}${' '.repeat(1_048_576)}${CRLF}`.repeat(9)}0${CRLF}${CRLF}`,
      ),
    ),
    act('a wish for another protocol', [400], false, (client) =>
      client.write(requestText(port, line, { headers: { connection: 'Upgrade', upgrade: 'websocket' }, body: '{' })),
    ),
    act('a foreign Host', [403], false, (client) =>
      client.write(requestText(port, line, { headers: { host: 'evil.example' }, body })),
    ),
    act('a foreign Origin', [403], false, (client) =>
      client.write(requestText(port, line, { headers: { origin: 'http://evil.example' }, body })),
    ),
    act('a target with a foreign host', [404], false, (client) =>
      client.write(requestText(port, 'GET http://evil.example/healthz')),
    ),
    act('the target *', [404], false, (client) => client.write(requestText(port, 'OPTIONS *'))),
  ]
}
