/**
 * Clients that are slow, silent or gone in the middle: each has a connection for itself, and the server must end it
 * within its limits, or never have noticed.
 */
import type { Target } from './attack.ts'
import { bytesOf, requestOf } from './request.ts'
import { ALL_OPERATIONS, bodyOf, soundRequest } from './sound-requests.ts'
import { Fault, Wire } from './wire.ts'

/** Statuses in the order in which they must come, and then the end of the connection. */
interface Dawdler {
  readonly title: string
  readonly answers: readonly number[]
  readonly mayMissIt?: true
  readonly act: (wire: Wire) => void | Promise<void>
}

const ROUNDS = 4
const DRIBBLE_MS = 20

export async function beSlow(target: Target): Promise<{ readonly count: number; readonly faults: readonly string[] }> {
  const faults: string[] = []
  let count = 0
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(
      dawdlers(target).map(async ({ title, answers, mayMissIt, act }) => {
        count += 1
        const wire = await Wire.open(target.port)
        try {
          await act(wire)
          for (const status of answers) {
            const answer = await wire.answer()
            // Who goes on sending while the server closes may find the connection reset before the answer was read.
            if (answer === undefined && mayMissIt === true) break
            if (answer?.status !== status) throw new Fault(`${answer?.status} in place of ${status}`)
          }
          if ((await wire.answer()) !== undefined) throw new Fault('an answer too many')
        } catch (error) {
          if (!(error instanceof Fault)) throw error
          faults.push(`a slow client (${title}): ${error.message}`)
        } finally {
          wire.vanish()
        }
      }),
    )
  }
  return { count, faults }
}

function dawdlers(target: Target): readonly Dawdler[] {
  const health = `GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\n\r\n`
  return [
    { title: 'nothing, and closed', answers: [], act: (wire) => wire.end() },
    { title: 'half a head, then silence', answers: [408], act: (wire) => wire.write('GET /healthz HTTP/1.1\r\nHo') },
    { title: 'half a head, then half closed', answers: [400], act: (wire) => cut(wire, 'GET /healthz HTTP/1.1\r\nHo') },
    {
      title: 'a head without end',
      answers: [408],
      mayMissIt: true,
      act: (wire) => dribble(wire, 'GET /healthz HTTP/1.1\r\nX: ', 'x'),
    },
    { title: 'a request, then half a head', answers: [200, 408], act: (wire) => wire.write(`${health}GET /hea`) },
    {
      title: 'half a chunk',
      answers: [408],
      act: (wire) =>
        wire.write(
          `POST /2025-12-01/durable-executions/x/checkpoint HTTP/1.1\r\nHost: 127.0.0.1:${target.port}\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{`,
        ),
    },
    {
      title: 'a tunnel',
      answers: [],
      act: (wire) => wire.write('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n'),
    },
    ...ALL_OPERATIONS.filter(({ method }) => method === 'POST').flatMap((operation): Dawdler[] => {
      const sound = soundRequest(operation, target)
      const body = bodyOf(sound)
      if (body === undefined) return []
      const bytes = bytesOf(requestOf({ operation, texts: sound.texts, body }), target.port)
      const half = bytes.subarray(0, bytes.length - 1)
      return [
        { title: `${operation.name}: half a body, then silence`, answers: [408], act: (wire) => wire.write(half) },
        { title: `${operation.name}: half a body, then half closed`, answers: [400], act: (wire) => cut(wire, half) },
        {
          title: `${operation.name}: half a body, then gone`,
          answers: [],
          act: (wire) => {
            wire.write(half)
            wire.vanish()
          },
        },
        {
          title: `${operation.name}: gone before the answer`,
          answers: [],
          act: (wire) => {
            wire.write(bytes)
            wire.vanish()
          },
        },
        {
          title: `${operation.name}: a body byte by byte`,
          answers: [408],
          mayMissIt: true,
          act: (wire) =>
            dribble(
              wire,
              Buffer.from(half.toString('latin1').replace(/Content-Length: \d+/, 'Content-Length: 4000'), 'latin1'),
              ' ',
            ),
        },
      ]
    }),
  ]
}

function cut(wire: Wire, bytes: string | Buffer): void {
  wire.write(bytes)
  wire.end()
}

/** Never done, however alive it seems. */
function dribble(wire: Wire, begin: string | Buffer, more: string): void {
  wire.write(begin)
  const timer = setInterval(() => wire.write(more), DRIBBLE_MS)
  void wire.ended.then(() => clearInterval(timer))
}
