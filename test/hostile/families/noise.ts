/** Requests of the other families with bytes changed, lost, repeated or put in, on a connection of their own. */
import type { SeededRandom } from '../../simulation/seeded-random.ts'
import { ANY, type Family, type Target } from '../attack.ts'

const PIECES = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  ':',
  '%',
  '/',
  '"',
  '{',
  '[',
  '0',
  '\xff',
  '\x80',
  'HTTP/1.1',
  '\r\n\r\n',
  'Content-Length: 5\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Host: a\r\n',
  'Expect: 100-continue\r\n',
  '💥',
] as const

export function noiseOver(families: readonly Family[]): Family {
  return (chance, target) => {
    const sound = chance.pick(families)(chance, decoy(target))
    let { bytes } = sound
    // The head decides most; bodies may be large.
    const reach = Math.min(bytes.length, chance.pick([40, 400, 4_000]))
    for (let n = chance.between(1, 6); n > 0; n--) bytes = disturbed(bytes, chance.between(0, reach), chance)
    return { family: 'noise', title: `over ${sound.family}`, bytes, expected: ANY, alone: 'cut' }
  }
}

function disturbed(bytes: Buffer, at: number, chance: SeededRandom): Buffer {
  const before = bytes.subarray(0, at)
  const after = bytes.subarray(at)
  switch (chance.pick(['flip', 'drop', 'repeat', 'put'])) {
    case 'flip': {
      const flipped = Buffer.from(after)
      if (flipped.length > 0) flipped[0] = (flipped[0] ?? 0) ^ (1 << chance.between(0, 7))
      return Buffer.concat([before, flipped])
    }
    case 'drop':
      return Buffer.concat([before, after.subarray(chance.pick([1, 1, 2, 10, 100]))])
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, chance.pick([1, 10, 100])), after])
    default:
      return Buffer.concat([before, Buffer.from(chance.pick(PIECES)), after])
  }
}

/** Noise might mend what is wrong with a request: then it must name nothing that is there. */
function decoy(target: Target): Target {
  const nobody = (text: string): string => text.replace(/[0-9a-f]{12}$/, '0'.repeat(12))
  const { staleToken } = target
  return { ...target, arn: nobody(target.arn), token: staleToken, callbackId: nobody(target.callbackId) }
}
