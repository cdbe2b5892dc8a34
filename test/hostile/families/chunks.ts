/** Bodies in chunks, cut anywhere, with extensions and trailers: they must mean what the same body means in one piece. */
import type { SeededRandom } from '../../simulation/seeded-random.ts'
import type { Family } from '../attack.ts'
import { expectationOf } from '../oracle.ts'
import { bytesOf, requestOf } from '../request.ts'
import { ALL_OPERATIONS, bodyOf, soundRequest } from '../sound-requests.ts'
import { hostileJson, structure } from '../values.ts'

const WITH_BODY = ALL_OPERATIONS.filter(
  ({ name, input }) =>
    name === 'CheckpointDurableExecution' || Object.values(input).some(({ in: place }) => place === 'payload'),
)

export const chunks: Family = (chance, target) => {
  const operation = chance.pick(WITH_BODY)
  const sound = soundRequest(operation, target)
  const updates = operation.input['Updates']
  const fields =
    updates === undefined ? sound.fields : { ...sound.fields, Updates: hostileJson(updates.constraint, chance) }
  const body = updates === undefined ? bodyOf(sound) : Buffer.from(structure(Object.entries(fields)))
  const input = { operation, texts: sound.texts, body }
  const trailers = chance.chance(0.4)
  const request = requestOf(input)
  const coded = {
    ...request,
    headers: [...request.headers, ['Transfer-Encoding', chance.pick(['chunked', 'Chunked', 'CHUNKED'])] as const],
    body: inChunks(body ?? Buffer.alloc(0), trailers, chance),
  }
  return {
    family: 'chunks',
    title: `${operation.name}: in chunks${trailers ? ' with trailers' : ''}`,
    bytes: bytesOf(coded, target.port),
    expected: expectationOf(input),
    operation,
  }
}

function inChunks(body: Buffer, trailers: boolean, chance: SeededRandom): Buffer {
  const parts: Buffer[] = []
  const most = chance.pick([1, 2, 7, 100, 100_000])
  for (let at = 0; at < body.length; ) {
    const size = Math.min(chance.between(1, most), body.length - at)
    const hex = size.toString(16).padStart(chance.pick([1, 1, 4]), '0')
    const shown = chance.chance(0.3) ? hex.toUpperCase() : hex
    const extension = chance.pick(['', '', '', ';a=b', ';x', ';q="1;2"'])
    parts.push(Buffer.from(`${shown}${extension}\r\n`), body.subarray(at, at + size), Buffer.from('\r\n'))
    at += size
  }
  const last = trailers ? chance.pick(TRAILERS) : ''
  return Buffer.concat([...parts, Buffer.from(`0\r\n${last}\r\n`)])
}

/** What comes behind a body is no header of its request. */
const TRAILERS = [
  'X-A: b\r\n',
  'Origin: http://evil.example\r\n',
  'X-Amz-Invocation-Type: Event\r\n',
  'Expires: 0\r\nX: y\r\n',
]
