/**
 * Functions that misbehave toward the server from inside (`rogue-functions.ts`), one trick after another, while it is
 * attacked from outside. Each caller must get the end that the trick deserves, and none may hang.
 */
import { SeededRandom } from '../simulation/seeded-random.ts'
import { attackOf } from './attacks.ts'
import { type Envelope, tricks } from './rogue-functions.ts'
import type { Scene } from './scene.ts'

/** What the caller gets: a result, or the error that the function failed with. */
const DESERVED: Readonly<Record<string, RegExp>> = {
  'answers twice': /^"first"$/,
  'answers and fails': /^"first"$/,
  'asks while it works': /Runtime\./,
  'answers 100 MB': /ResponseSizeTooLarge/,
  'fails with 100 MB': /./,
  crashes: /Runtime\.ExitError/,
  exits: /Runtime\.ExitError/,
  'throws what is no error': /errorType/,
  'rejects in nobody’s hands': /Runtime\.UnhandledPromiseRejection/,
  'never returns': /timed out/,
}
const DONE = /^"done"$/

/** Envelopes of a durable function that are none (spec 06 §6.2); the execution must end, and not well. */
const ENVELOPES = [
  '',
  'null',
  '[]',
  '"SUCCEEDED"',
  '{}',
  '{"Status":null}',
  '{"Status":"succeeded"}',
  '{"Status":"RUNNING"}',
  '{"Status":"__proto__"}',
  '{"Status":["SUCCEEDED"]}',
  '{"Status":"SUCCEEDED","Result":7}',
  '{"Status":"FAILED","Error":"no"}',
  '{"Status":"FAILED","Error":{"StackTrace":"no"}}',
  '{"Status":"SUCCEEDED"',
  '\xff\xfe\x00',
].map((begin): Envelope => ({ begin, depth: 0, end: '' }))
const DEEP: readonly Envelope[] = [
  { begin: '{"Status":', depth: 1_000_000, end: '' },
  { begin: '{"Status":"x","a":', depth: 5_000, end: `${']'.repeat(5_000)}}` },
  { begin: '{"Status":', depth: 5_000, end: `${']'.repeat(5_000)}}` },
]

export interface Misbehaved {
  readonly count: number
  readonly faults: readonly string[]
  readonly ends: ReadonlyMap<string, number>
}

export async function misbehave(scene: Scene, seed: number, count: number): Promise<Misbehaved> {
  const chance = new SeededRandom(seed, 'rogues')
  const envelopes = [...ENVELOPES, ...DEEP]
  const faults: string[] = []
  const ends = new Map<string, number>()
  const note = (what: string, end: string): void => {
    const kind = `${what}: ${end}`
    ends.set(kind, (ends.get(kind) ?? 0) + 1)
  }
  const trick = async (number: number): Promise<void> => {
    // Every trick comes; then bytes of all families, through the function's own door.
    const name = tricks[number] ?? 'writes bytes'
    const bytes = attackOf(seed, chance.between(0, 1_000_000), scene.target).bytes.toString('base64')
    const told = name === 'writes bytes' ? { trick: name, bytes: bytes.slice(0, 8_000) } : { trick: name }
    const { status, text } = await scene.invoke('rogue', told)
    const deserved = DESERVED[name] ?? DONE
    if (status !== 200 || !deserved.test(text))
      faults.push(`a function that ${name} ended with ${status} ${text.slice(0, 500)}`)
    note(name, endOf(text))
  }
  const lie = async (envelope: Envelope): Promise<void> => {
    const { status, headers, text } = await scene.invoke('liar:$LATEST', envelope)
    if (status !== 200 || headers['x-amz-function-error'] === undefined) {
      const shown = `${envelope.begin}${envelope.depth > 0 ? '[…' : ''}`
      faults.push(`the envelope ${shown} ended with ${status} ${text.slice(0, 500)}`)
    }
    note('a false envelope', endOf(text))
  }
  for (let number = 0; number < count; number++) {
    await trick(number)
    const envelope = envelopes[number]
    if (envelope !== undefined) await lie(envelope)
  }
  return { count: count + Math.min(count, envelopes.length), faults, ends }
}

function endOf(text: string): string {
  if (DONE.test(text)) return 'as if nothing had been'
  return /"errorType":"([^"]*)"/.exec(text)?.[1] ?? text.slice(0, 60)
}
