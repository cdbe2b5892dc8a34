/** Attack number K of a seed: always the same one, but for the names and secrets of the run's target. */
import { SeededRandom } from '../simulation/seeded-random.ts'
import { type Attack, type Family, type Target, weighted } from './attack.ts'
import { chunks } from './families/chunks.ts'
import { documents, payloads } from './families/documents.ts'
import { framing } from './families/framing.ts'
import { headers } from './families/headers.ts'
import { identities } from './families/identities.ts'
import { members } from './families/members.ts'
import { noiseOver } from './families/noise.ts'
import { targets } from './families/targets.ts'

/** A connection of its own costs as much as ten requests on one that is there. */
const FAMILIES: readonly (readonly [weight: number, family: Family])[] = [
  [45, members],
  [14, identities],
  [12, documents],
  [4, payloads],
  [8, targets],
  [6, headers],
  [4, chunks],
  [4, noiseOver([members, identities, documents, headers, chunks])],
  [3, framing],
]

export function attackOf(seed: number, number: number, target: Target): Attack {
  const chance = new SeededRandom(seed, `attack-${number}`)
  return weighted(chance, FAMILIES)(chance, target)
}
