/** Requests that are right but for their headers: many, long, foreign, contradicting. */
import { OPERATIONS, type OperationSpec } from '../../../src/protocol/operations.ts'
import type { SeededRandom } from '../../simulation/seeded-random.ts'
import { ACCEPTED, type Expected, type Family, REFUSED, type Target, weighted } from '../attack.ts'
import { bytesOf, type Request, requestOf } from '../request.ts'
import { bodyOf, soundRequest } from '../sound-requests.ts'

type Header = readonly [name: string, value: string]
type Draw = (chance: SeededRandom, target: Target) => readonly [headers: readonly Header[], expected: Expected]

const FOREIGN: Expected = { outcome: 'refused', types: ['AccessDeniedException'] }
const many = (count: number): Header[] => Array.from({ length: count }, (_, index) => [`x-${index}`, 'y'])

const HEADERS: readonly (readonly [weight: number, choice: readonly [title: string, draw: Draw]])[] = [
  [3, ['many', (chance) => [many(chance.pick([1, 100, 900])), ACCEPTED]]],
  [1, ['too many', (chance) => [many(chance.pick([1_100, 2_001, 4_000])), REFUSED]]],
  [
    1,
    [
      'a foreign Origin behind many',
      (chance) => [[...many(chance.pick([10, 900])), ['Origin', 'http://evil.example']], FOREIGN],
    ],
  ],
  [
    1,
    [
      'a second Host behind many',
      (chance, { port }) => [
        [['Host', `127.0.0.1:${port}`], ...many(chance.pick([10, 900])), ['Host', 'evil.example']],
        REFUSED,
      ],
    ],
  ],
  [2, ['a long value', (chance) => [[['x-long', 'a'.repeat(chance.pick([1_000, 30_000, 60_000]))]], ACCEPTED]]],
  [2, ['a long name', (chance) => [[['x'.repeat(chance.pick([100, 10_000])), '1']], ACCEPTED]]],
  [
    2,
    [
      'odd bytes in a value',
      (chance) => [[['x-odd', String.fromCharCode(chance.between(0x80, 0xff)).repeat(3)]], ACCEPTED],
    ],
  ],
  [
    3,
    [
      'a foreign Host',
      (chance, { port }) => [
        [
          [
            'Host',
            chance.pick([
              'evil.example',
              `evil.example:${port}`,
              '127.0.0.1',
              '127.0.0.1:1',
              '',
              `localhost.evil:${port}`,
              `127.0.0.1:${port}0`,
              `[::1]`,
              `127.1:${port}`,
              `0.0.0.0:${port}`,
              `127.0.0.1:0${port}x`,
            ]),
          ],
        ],
        FOREIGN,
      ],
    ],
  ],
  [
    3,
    [
      'a foreign Origin',
      (chance, { port }) => [
        [
          [
            'Origin',
            chance.pick([
              'null',
              'http://evil.example',
              `https://127.0.0.1:${port}`,
              'http://localhost:1',
              '',
              'file://',
              `http://localhost:${port}.evil.example`,
              `http://localhost:${port}@evil.example`,
              `HTTP://127.0.0.1:${port}`,
            ]),
          ],
        ],
        FOREIGN,
      ],
    ],
  ],
  [1, ['its own Origin', (_, { port }) => [[['Origin', `http://127.0.0.1:${port}`]], ACCEPTED]]],
  [
    2,
    [
      'another content type',
      (chance) => [
        [
          [
            'Content-Type',
            chance.pick([
              'text/html',
              '',
              'application/x-www-form-urlencoded',
              'multipart/form-data; boundary=x',
              'application/json; charset=utf-16',
              'a'.repeat(1_000),
            ]),
          ],
        ],
        ACCEPTED,
      ],
    ],
  ],
  [
    2,
    [
      'another coding',
      (chance) => [[['Content-Encoding', chance.pick(['gzip', 'br', 'identity', 'deflate, gzip'])]], ACCEPTED],
    ],
  ],
  [
    2,
    [
      'wishes',
      (chance) => [
        [
          ['Accept', chance.pick(['text/html', '*/*', '', 'image/png;q=0'])],
          ['Range', 'bytes=0-1'],
          ['If-None-Match', '*'],
          ['Accept-Encoding', 'gzip'],
        ],
        ACCEPTED,
      ],
    ],
  ],
  [
    2,
    [
      'a wish for another protocol',
      (chance) => [
        [
          ['Upgrade', chance.pick(['websocket', 'h2c', 'TLS/1.0'])],
          ['HTTP2-Settings', 'AAMAAABkAAQAAP__'],
        ],
        ACCEPTED,
      ],
    ],
  ],
  [
    2,
    [
      'a method that overrides',
      () => [
        [
          ['X-HTTP-Method-Override', 'DELETE'],
          ['X-Method', 'DELETE'],
          ['X-Original-URL', '/metrics'],
        ],
        ACCEPTED,
      ],
    ],
  ],
  [
    2,
    [
      'forwarding',
      () => [
        [
          ['X-Forwarded-Host', 'evil.example'],
          ['Forwarded', 'host=evil.example'],
          ['X-Forwarded-For', '8.8.8.8'],
        ],
        ACCEPTED,
      ],
    ],
  ],
  [
    2,
    [
      'an odd agent',
      (chance) => [
        [
          [
            'User-Agent',
            chance.pick([
              'aws-durable-execution-sdk-js/',
              'aws-durable-execution-sdk-js/99999999999999999999.1',
              'a'.repeat(20_000),
              '',
            ]),
          ],
        ],
        ACCEPTED,
      ],
    ],
  ],
  [
    2,
    [
      'an odd trace',
      (chance) => [
        [
          ['X-Amzn-Trace-Id', chance.pick(['', 'Root=', 'a'.repeat(9_000), '\xff'])],
          ['amz-sdk-invocation-id', chance.pick(['', 'a'.repeat(300), 'b c'])],
        ],
        ACCEPTED,
      ],
    ],
  ],
  [
    2,
    [
      'an unsupported signature',
      () => [
        [
          ['Authorization', 'AWS4-HMAC-SHA256 Credential=x/20250101/us-east-1/lambda/aws4_request'],
          ['X-Amz-Security-Token', 'x'],
        ],
        ACCEPTED,
      ],
    ],
  ],
  [
    1,
    [
      'names of every object',
      () => [
        [
          ['__proto__', '1'],
          ['constructor', '2'],
          ['toString', '3'],
        ],
        ACCEPTED,
      ],
    ],
  ],
]

/** Two Hosts have two readings, and headers without end none: the connection ends behind the refusal. */
const ENDING: ReadonlySet<string> = new Set(['a second Host behind many', 'too many'])

/** Operations whose sound request is accepted, so that what a header spoils shows. */
const READING: readonly OperationSpec[] = [
  OPERATIONS.GetDurableExecution,
  OPERATIONS.GetDurableExecutionState,
  OPERATIONS.GetDurableExecutionHistory,
  OPERATIONS.ListDurableExecutionsByFunction,
  OPERATIONS.GetFunction,
  OPERATIONS.ListFunctions,
]

export const headers: Family = (chance, target) => {
  const operation = chance.pick(READING)
  const [title, draw] = weighted(chance, HEADERS)
  const [drawn, expected] = draw(chance, target)
  const sound = requestOf(soundInput(operation, target))
  const named = drawn.map(([name, value]): Header => [chance.chance(0.3) ? name.toLowerCase() : name, value])
  const request: Request = { ...sound, headers: [...sound.headers, ...named] }
  return {
    family: 'headers',
    title,
    bytes: bytesOf(request, target.port),
    expected,
    operation,
    ...(ENDING.has(title) ? { alone: 'ends' as const } : {}),
  }
}

function soundInput(operation: OperationSpec, target: Target) {
  const sound = soundRequest(operation, target)
  return { operation, texts: sound.texts, body: bodyOf(sound) }
}
