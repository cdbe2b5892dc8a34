/**
 * What the executions of a soak are asked to do, drawn by seed. An order travels as the input of its execution, so that
 * functions and judge read the same words; its result is known beforehand.
 */
import type { SeededRandom } from '../simulation/seeded-random.ts'

/** Of the official SDK. */
export type StoryKind = 'mixed' | 'chain' | 'large' | 'fan' | 'sleeper' | 'approval'

export interface StoryOrder {
  readonly fn: 'story'
  readonly name: string
  readonly kind: StoryKind
  /** Seconds of the waits on its way. */
  readonly waits: readonly number[]
  /** Steps of a chain, items of a fan, KB of a large payload. */
  readonly size: number
}

/** Raw checkpoints without an SDK, for volume; `mischief` is what its first step does to the protocol. */
export interface QuickOrder {
  readonly fn: 'quick'
  readonly name: string
  readonly steps: number
  readonly bytes: number
  readonly mischief: 'none' | 'lost' | 'stale' | 'repeat'
}

export type Order = StoryOrder | QuickOrder

export function drawQuick(random: SeededRandom, name: string): QuickOrder {
  const mischief = random.chance(0.85) ? 'none' : random.pick(['lost', 'stale', 'repeat'] as const)
  return { fn: 'quick', name, steps: random.between(1, 3), bytes: random.pick([16, 200, 200, 1_000]), mischief }
}

const KINDS: readonly StoryKind[] = [
  'mixed',
  'mixed',
  'mixed',
  'chain',
  'large',
  'fan',
  'sleeper',
  'sleeper',
  'approval',
  'approval',
]

export function drawStory(random: SeededRandom, name: string, longestWaitSeconds: number): StoryOrder {
  const kind = random.pick(KINDS)
  // Short waits are many and long ones few, as in life.
  const seconds = (): number => Math.max(1, Math.round(longestWaitSeconds ** random.fraction()))
  const waits = Array.from({ length: kind === 'sleeper' ? 3 : 2 }, seconds)
  const size = {
    mixed: 3,
    chain: random.between(20, 120),
    large: 200,
    fan: random.between(4, 16),
    sleeper: 1,
    approval: 1,
  }
  return { fn: 'story', name, kind, waits, size: size[kind] }
}

export const LARGE_LETTER = 'x'

/** What the execution must end with; an approval ends with the answer that was accepted, which only the ledger knows. */
export function resultOf(order: Order): unknown {
  if (order.fn === 'quick') return order.name
  const { kind, size } = order
  if (kind === 'approval') return undefined
  if (kind === 'mixed') return 1 + 10 + 20 + 1_000 + size * 100
  if (kind === 'chain') return (size * (size - 1)) / 2
  if (kind === 'large') return LARGE_LETTER.repeat(size * 1_000)
  if (kind === 'fan') return size * (size - 1)
  return order.waits.length
}
