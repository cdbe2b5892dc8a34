/** Bodies: random JSON with its characters disturbed, deep, huge, cut, in other encodings, with names twice. */
import { OPERATIONS, type OperationSpec } from '../../../src/protocol/operations.ts'
import type { SeededRandom } from '../../simulation/seeded-random.ts'
import { type Expected, type Family, type Target, weighted } from '../attack.ts'
import { expectationOf, LIMITS } from '../oracle.ts'
import { bytesOf, requestOf } from '../request.ts'
import { soundRequest } from '../sound-requests.ts'

const TAKING_JSON: readonly OperationSpec[] = [
  OPERATIONS.CheckpointDurableExecution,
  OPERATIONS.StopDurableExecution,
  OPERATIONS.SendDurableExecutionCallbackFailure,
]

type Draw = (chance: SeededRandom, target: Target) => string | Buffer

const DOCUMENTS: readonly (readonly [weight: number, choice: readonly [title: string, draw: Draw]])[] = [
  [30, ['random JSON, disturbed', (chance) => disturbed(json(chance, 4), chance)]],
  [10, ['random JSON', (chance) => json(chance, 5)]],
  [12, ['a checkpoint, disturbed', (chance, target) => disturbed(checkpoint(target), chance)]],
  [6, ['a checkpoint, cut', (chance, target) => checkpoint(target).slice(0, chance.between(0, 200))]],
  [6, ['members twice', (_, target) => `{"CheckpointToken":1,"Updates":7,${checkpoint(target).slice(1)}`]],
  [4, ['members twice, the last one wrong', (_, target) => `${checkpoint(target).slice(0, -1)},"CheckpointToken":1}`]],
  [6, ['brackets without end', (chance) => '['.repeat(chance.pick([1, 100, 10_000, 100_000]))]],
  [4, ['structures without end', (chance) => '{"a":'.repeat(chance.pick([1, 100, 10_000]))]],
  [4, ['deep brackets', (chance) => nested('[', ']', chance.pick([10, 1_000, 50_000]))]],
  [4, ['deep structures', (chance) => nested('{"a":', '}', chance.pick([10, 1_000, 10_000]))]],
  [4, ['a deep member', (chance, target) => withMember(target, 'Updates', nested('[', ']', chance.pick([2, 2_000])))]],
  [6, ['bytes that are no UTF-8', (chance, target) => spoiled(checkpoint(target), chance)]],
  [4, ['UTF-16', (_, target) => Buffer.from(checkpoint(target), 'utf16le')]],
  [4, ['a byte order mark', (_, target) => `\ufeff${checkpoint(target)}`]],
  [4, ['NUL bytes', (chance) => Buffer.alloc(chance.pick([1, 100, 4_000]))]],
  [4, ['a huge number', (chance, target) => withMember(target, 'Updates', '9'.repeat(chance.pick([20, 400, 4_000])))]],
  [
    2,
    [
      'a very long text',
      (chance, target) => withMember(target, 'ClientToken', `"${'a'.repeat(chance.pick([1_000, 400_000]))}"`),
    ],
  ],
  [2, ['a great many members', (chance) => many(chance.pick([100, 20_000]))]],
  [
    1,
    [
      'at the limit of the body',
      (chance, target) => padded(checkpoint(target), LIMITS.checkpointBodyBytes + chance.between(-1, 1)),
    ],
  ],
  [3, ['at the limit of an error', (chance) => padded('{}', LIMITS.callbackErrorBytes + chance.between(-1, 1))]],
]

export const documents: Family = (chance, target) => {
  const operation = chance.pick(TAKING_JSON)
  const [title, draw] = weighted(chance, DOCUMENTS)
  const body = Buffer.from(draw(chance, target))
  const input = { operation, texts: soundRequest(operation, target).texts, body }
  return {
    family: 'documents',
    title: `${operation.name}: ${title}`,
    bytes: bytesOf(requestOf(input), target.port),
    expected: expectationOf(input),
    operation,
  }
}

/** Invokes of a function that is there, with what is no JSON: nothing is started. */
export const payloads: Family = (chance, target) => {
  const operation = OPERATIONS.Invoke
  const [title, draw] = weighted(chance, DOCUMENTS)
  const body = Buffer.from(draw(chance, target))
  const type = chance.pick(['Event', 'RequestResponse'])
  const limit = type === 'Event' ? LIMITS.asyncPayloadBytes : LIMITS.syncPayloadBytes
  const bad = body.length > limit || !isJson(body)
  const texts = { FunctionName: [bad ? 'canary:$LATEST' : 'nobody'], InvocationType: [type] }
  const expected: Expected = {
    outcome: 'refused',
    types: [
      body.length > limit
        ? 'RequestTooLargeException'
        : bad
          ? 'InvalidRequestContentException'
          : 'ResourceNotFoundException',
    ],
  }
  return {
    family: 'payloads',
    title,
    bytes: bytesOf(requestOf({ operation, texts, body }), target.port),
    expected,
    operation,
  }
}

/** An empty payload is one that was not given. */
function isJson(body: Buffer): boolean {
  if (body.length === 0) return true
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body))
    return true
  } catch {
    return false
  }
}

const checkpoint = ({ staleToken }: Target): string =>
  `{"CheckpointToken":"${staleToken}","ClientToken":"c","Updates":[{"Id":"a","Type":"STEP","Action":"START","Name":"n"}]}`

const withMember = (target: Target, name: string, json: string): string =>
  `{"CheckpointToken":"${target.staleToken}","${name}":${json}}`

const nested = (open: string, close: string, depth: number): string => `${open.repeat(depth)}1${close.repeat(depth)}`
const padded = (json: string, length: number): string => `${json.slice(0, -1).padEnd(length - 1, ' ')}}`
const many = (count: number): string =>
  `{${Array.from({ length: count }, (_, index) => `"m${index}":${index}`).join(',')}}`

function json(chance: SeededRandom, depth: number): string {
  const scalars = ['null', 'true', 'false', '0', '-1', '1.5e3', '""', '"a"', '"\\u00e9"', '"\\ud800"', '"💥"'] as const
  if (depth === 0) return chance.pick(scalars)
  const several = <T>(draw: () => T): T[] => Array.from({ length: chance.between(0, 3) }, draw)
  return weighted(chance, [
    [2, () => chance.pick(scalars)],
    [2, () => `[${several(() => json(chance, depth - 1)).join(',')}]`],
    [3, () => `{${several(() => `${chance.pick(NAMES)}:${json(chance, depth - 1)}`).join(',')}}`],
  ])()
}

const NAMES = [
  '"a"',
  '""',
  '"__proto__"',
  '"constructor"',
  '"CheckpointToken"',
  '"Updates"',
  '"ErrorType"',
  '"StackTrace"',
] as const

const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ':',
  ',',
  '\\',
  '\0',
  '\n',
  '\t',
  '-',
  '0',
  '.',
  'e',
  'null',
  'NaN',
  '/*',
  '\\u',
  "'",
  '\ufeff',
] as const

function disturbed(text: string, chance: SeededRandom): string {
  let result = text
  for (let n = chance.between(1, 3); n > 0; n--) {
    const at = chance.between(0, result.length)
    const cut = chance.pick([0, 1, 1, 2, 8])
    result = result.slice(0, at) + (chance.chance(0.7) ? chance.pick(TOKENS) : '') + result.slice(at + cut)
  }
  return result
}

/** With a byte, or a few, that no UTF-8 holds there. */
function spoiled(text: string, chance: SeededRandom): Buffer {
  const bytes = Buffer.from(text)
  const at = chance.between(0, bytes.length)
  const bad = chance.pick([
    [0xff],
    [0xc0, 0xaf],
    [0xed, 0xa0, 0x80],
    [0xe2, 0x82],
    [0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xfe],
  ])
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(bad), bytes.subarray(at)])
}
