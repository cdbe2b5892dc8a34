/**
 * Request smuggling: heads that two parsers could read in two ways, with a second request hidden where one of them
 * would see it. The hidden one starts an execution of the canary; none may ever be started. And what is hardly HTTP.
 */
import type { SeededRandom } from '../../simulation/seeded-random.ts'
import { type Attack, type Family, REFUSED, type Target, weighted } from '../attack.ts'

const CRLF = '\r\n'

export const framing: Family = (chance, target) =>
  weighted<() => Attack>(chance, [
    [6, () => twoReadings(chance, target)],
    [2, () => badChunk(chance, target)],
    [3, () => badHead(chance, target)],
    [2, () => badLine(chance, target)],
    [1, () => noHttp(chance)],
  ])()

function attack(title: string, bytes: string | Buffer): Attack {
  const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
  return { family: 'framing', title, bytes: data, expected: REFUSED, alone: 'ends' }
}

/** What an attacker would like to have taken for a second request. */
function hidden({ port }: Target): string {
  const lines = ['POST /2015-03-31/functions/canary:$LATEST/invocations HTTP/1.1', `Host: 127.0.0.1:${port}`]
  return [...lines, 'X-Amz-Invocation-Type: Event', 'Content-Length: 2', '', '{}'].join(CRLF)
}

function post(target: Target, headers: readonly string[], body: string): string {
  const path = `/2025-12-01/durable-executions/${encodeURIComponent(target.arn)}/checkpoint`
  return [`POST ${path} HTTP/1.1`, `Host: 127.0.0.1:${target.port}`, ...headers, '', body].join(CRLF)
}

const cased = (name: string, chance: SeededRandom): string =>
  chance.pick([name, name.toLowerCase(), name.toUpperCase()])

function twoReadings(chance: SeededRandom, target: Target): Attack {
  const secret = hidden(target)
  const length = (value: string): string => `${cased('Content-Length', chance)}: ${value}`
  const coding = (value: string): string => `${cased('Transfer-Encoding', chance)}: ${value}`
  const shuffled = (...headers: readonly string[]): readonly string[] =>
    chance.chance(0.5) ? headers : headers.toReversed()
  const some = (): string => String(chance.between(0, secret.length))
  const empty = `0${CRLF}${CRLF}`
  const [title, headers, body] = weighted<readonly [title: string, headers: readonly string[], body: string]>(chance, [
    [4, ['a length and chunks', shuffled(length(some()), coding('chunked')), empty + secret]],
    [3, ['two lengths', shuffled(length('0'), length(String(secret.length))), secret]],
    [2, ['the same length twice', [length('2'), length('2')], `{}${secret}`]],
    [2, ['a list of lengths', [length(chance.pick(['2, 2', '2,3', '2,', ',2']))], `{}${secret}`]],
    [
      4,
      [
        'a length that is none',
        [
          length(
            chance.pick([
              '-1',
              '+2',
              '0x2',
              '2 2',
              '2.0',
              '2e0',
              '',
              '\xb2',
              '2;',
              '1_0',
              '18446744073709551616',
              '99999999999999999999999',
            ]),
          ),
        ],
        `{}${secret}`,
      ],
    ],
    [
      4,
      [
        'a coding that is none',
        [
          coding(
            chance.pick([
              'xchunked',
              'gzip',
              'chunkedx',
              'chunked;q=1',
              '"chunked"',
              'chunked, identity',
              'identity',
              'chunked\x0b',
              ',chunked,x',
              'cow',
              'chunk ed',
            ]),
          ),
        ],
        empty + secret,
      ],
    ],
    [2, ['two codings', shuffled(coding('chunked'), coding(chance.pick(['identity', 'gzip', 'x']))), empty + secret]],
    [
      3,
      [
        'a blank before the colon',
        [
          `${chance.pick(['Transfer-Encoding', 'Content-Length'])}${chance.pick([' ', '\t', '\x0b'])}: ${chance.pick(['chunked', '2'])}`,
        ],
        empty + secret,
      ],
    ],
    [3, ['a folded header', ['X-A: 1', `${chance.pick([' ', '\t'])}${coding('chunked')}`], empty + secret]],
    [3, ['a bare line feed', [`X-A: 1\n${coding('chunked')}`], empty + secret]],
    [2, ['a bare carriage return', [`X-A: 1\r${coding('chunked')}`], empty + secret]],
    [
      2,
      [
        'a control character in a value',
        [`X-A: ${chance.pick(['\0', '\x01', '\x0b', '\x7f'])}`, length('2')],
        `{}${secret}`,
      ],
    ],
  ])
  return attack(title, post(target, headers, body))
}

function badChunk(chance: SeededRandom, target: Target): Attack {
  const size = chance.pick(['zz', '-2', '0x2', 'FFFFFFFFFFFFFFFFF', '', ' 2', '2 2', '+2', '2,', '\x00'])
  const end = chance.pick(['\n', '\r', 'x', '\r\r\n'])
  const [title, body] = chance.pick([
    ['a chunk of a size that is none', `${size}${CRLF}{}${CRLF}0${CRLF}${CRLF}`],
    ['a chunk longer than its size', `1${CRLF}{}${CRLF}0${CRLF}${CRLF}`],
    ['a chunk size that ends oddly', `2${end}{}${CRLF}0${CRLF}${CRLF}`],
    ['an endless chunk extension', `2;${'x'.repeat(80_000)}${CRLF}{}${CRLF}0${CRLF}${CRLF}`],
    ['endless trailers', `0${CRLF}X: ${'y'.repeat(80_000)}${CRLF}${CRLF}`],
  ] as const)
  return attack(title, post(target, ['Transfer-Encoding: chunked'], body + hidden(target)))
}

function badHead(chance: SeededRandom, target: Target): Attack {
  const host = `Host: 127.0.0.1:${target.port}`
  const [title, lines] = chance.pick([
    ['no Host', []],
    ['two Hosts', [host, `Host: ${chance.pick(['evil.example', `127.0.0.1:${target.port}`])}`]],
    ['a header without a colon', [host, 'nonsense']],
    ['a header without a name', [host, ': x']],
    ['a header name that is none', [host, `X${chance.pick([' ', '(', '"', '@', '[', '\xe9', '\0', '/'])}A: x`]],
    ['headers that are too long', [host, `X: ${'x'.repeat(70_000)}`]],
    [
      'headers that are too long together',
      [host, ...Array.from({ length: 1_400 }, (_, i) => `X-${i}: ${'x'.repeat(45)}`)],
    ],
  ] as const)
  return attack(title, ['GET /healthz HTTP/1.1', ...lines, '', hidden(target)].join(CRLF))
}

function badLine(chance: SeededRandom, target: Target): Attack {
  const line = chance.pick([
    'GET /healthz',
    'GET /healthz HTTP/1.2',
    'GET /healthz HTTP/0.9',
    'GET /healthz HTTP/2.0',
    'GET /healthz HTTP/11',
    'GET /healthz FTP/1.1',
    'GET /healthz http/1.1',
    'get /healthz HTTP/1.1',
    'FETCH /healthz HTTP/1.1',
    'GE\0T /healthz HTTP/1.1',
    'GET  HTTP/1.1',
    'GET /health z HTTP/1.1',
    'GET /healthz\0 HTTP/1.1',
    'GET healthz HTTP/1.1',
    `GET /${'x'.repeat(70_000)} HTTP/1.1`,
    '     ',
    'PRI * HTTP/2.0',
    ':',
  ] as const)
  return attack(
    `the line ${JSON.stringify(line.slice(0, 40))}`,
    [line, `Host: 127.0.0.1:${target.port}`, '', hidden(target)].join(CRLF),
  )
}

function noHttp(chance: SeededRandom): Attack {
  const greeting = chance.pick([
    Buffer.from('16030100c8010000c40303', 'hex'),
    Buffer.from(`SSH-2.0-OpenSSH_9.6${CRLF}`),
    Buffer.alloc(64),
    Buffer.alloc(64, 0xff),
    Buffer.from(chance.hex(64), 'hex'),
  ] as const)
  // Some first bytes could still become a request; an end of the head settles it.
  return attack('no HTTP', Buffer.concat([greeting, Buffer.from(`${CRLF}${CRLF}`)]))
}
