/** What a client does next, as chance says: mostly what gets in the way of what the others do. */
import type { SeededRandom } from '../simulation/seeded-random.ts'
import type { Output, Update } from './calls.ts'
import type { Checkpoint, Completion, Knowledge, Token } from './knowledge.ts'
import type { ClientRequest } from './wire.ts'

/** Few, so that updates meet. */
const STEPS = ['s1', 's2', 's3', 's4', 's5', 's6']
const CALLBACKS = ['k1', 'k2', 'k3', 'k4']
/** The two payloads that one name is started with. */
export const PAYLOADS = ['1', '1', '1', '2'] as const

/** How often what is done, in parts. */
const PARTS = {
  checkpoint: 46,
  /** A checkpoint that somebody has sent before. */
  again: 8,
  state: 5,
  completion: 20,
  completionAgain: 5,
  heartbeat: 3,
  /** A function is told how to end its invocation. */
  end: 6,
  start: 4,
  stop: 1,
  delete: 2,
  describe: 4,
  history: 4,
}
export type Deed = keyof typeof PARTS
const ALL_PARTS = Object.values(PARTS).reduce((sum, parts) => sum + parts)

export function chooseDeed(random: SeededRandom): Deed {
  let lot = random.between(1, ALL_PARTS)
  for (const [deed, parts] of Object.entries(PARTS)) {
    lot -= parts
    if (lot <= 0) return deed as Deed
  }
  throw new Error('the parts do not add up')
}

/** `undefined`: too little is known for it. */
export function chooseRequest(
  deed: Exclude<Deed, 'end'>,
  known: Knowledge,
  random: SeededRandom,
  /** A token of another name's execution, now and then. */
  foreign: () => Token | undefined = () => undefined,
): ClientRequest | undefined {
  if (deed === 'start') return { kind: 'start', payload: random.pick(PAYLOADS) }
  const arn = newest(random, 0.9, known.arns)
  if (arn === undefined) return undefined
  switch (deed) {
    case 'checkpoint':
      return chooseCheckpoint(arn, known, random, foreign)
    case 'again':
      return chooseRepeat(known, random)
    case 'state': {
      const token = chooseToken(known, random, foreign)
      return token === undefined ? undefined : { kind: 'state', arn, ...token }
    }
    case 'completion':
      return chooseCompletion(known, random)
    case 'completionAgain':
      return anyOf(random, known.completions.slice(-3))
    case 'heartbeat': {
      const callbackId = newest(random, 0.4, known.callbacks)
      const heartbeat = { kind: 'callback', verb: 'heartbeat', text: '', attempt: undefined } as const
      return callbackId === undefined ? undefined : { ...heartbeat, callbackId }
    }
    case 'stop':
      return { kind: 'stop', arn, error: `Enough: ${known.freshText()}` }
    case 'delete':
    case 'describe':
    case 'history':
      return { kind: deed, arn }
  }
}

export function chooseOutput(known: Knowledge, random: SeededRandom): Output {
  // A function that suspends for nothing has failed.
  const waits = known.callbacks.length > 0 ? 'pending' : 'crashed'
  const kind = random.pick([
    waits,
    waits,
    waits,
    waits,
    'pending',
    'crashed',
    'crashed',
    'succeeded',
    'failed',
  ] as const)
  if (kind === 'pending' || kind === 'crashed') return { kind }
  const text = known.freshText()
  return { kind, text: kind === 'failed' ? `Boom: ${text}` : text }
}

function chooseCheckpoint(
  arn: string,
  known: Knowledge,
  random: SeededRandom,
  foreign: () => Token | undefined,
): Checkpoint | undefined {
  const token = chooseToken(known, random, foreign)
  if (token === undefined) return undefined
  const clientToken = random.chance(0.75) ? known.freshText() : undefined
  const request = { kind: 'checkpoint', arn, ...token, clientToken, updates: chooseUpdates(known, random) } as const
  known.checkpoints.push(request)
  return request
}

/** Now and then with other updates, which must not matter. */
function chooseRepeat(known: Knowledge, random: SeededRandom): Checkpoint | undefined {
  const request = anyOf(random, known.checkpoints.slice(-3))
  if (request === undefined || random.chance(0.8)) return request
  return { ...request, updates: chooseUpdates(known, random) }
}

function chooseToken(known: Knowledge, random: SeededRandom, foreign: () => Token | undefined): Token | undefined {
  return (random.chance(0.03) ? foreign() : undefined) ?? newest(random, 0.88, known.tokens)
}

function chooseCompletion(known: Knowledge, random: SeededRandom): Completion | undefined {
  const callbackId = newest(random, 0.4, known.callbacks)
  if (callbackId === undefined) return undefined
  const text = known.freshText()
  const attempt = random.chance(0.6) ? `call-${text}` : undefined
  const how = random.chance(0.7) ? { verb: 'succeed', text } : { verb: 'fail', text: `No: ${text}` }
  const completion = { kind: 'callback', callbackId, attempt, ...(how as Pick<Completion, 'verb' | 'text'>) } as const
  known.completions.push(completion)
  return completion
}

function chooseUpdates(known: Knowledge, random: SeededRandom): readonly Update[] {
  const updates: Update[] = []
  const count = random.pick([0, 1, 1, 1, 2, 3])
  for (let i = 0; i < count; i++) updates.push(...chooseUpdate(known, random))
  if (random.chance(0.03)) updates.push({ type: 'EXECUTION', action: 'SUCCEED', text: known.freshText() })
  return updates
}

function chooseUpdate(known: Knowledge, random: SeededRandom): readonly Update[] {
  const id = random.pick(STEPS)
  const start = { type: 'STEP', action: 'START', id } as const
  const succeed = { type: 'STEP', action: 'SUCCEED', id, text: known.freshText() } as const
  switch (random.pick(['callback', 'callback', 'callback', 'both', 'both', 'start', 'succeed', 'fail'] as const)) {
    case 'callback':
      return [{ type: 'CALLBACK', action: 'START', id: random.pick(CALLBACKS) }]
    case 'both':
      return [start, succeed]
    case 'start':
      return [start]
    case 'succeed':
      return [succeed]
    case 'fail':
      return [{ type: 'STEP', action: 'FAIL', id, text: `Boom: ${succeed.text}` }]
  }
}

const anyOf = <T>(random: SeededRandom, from: readonly T[]): T | undefined =>
  from.length === 0 ? undefined : random.pick(from)

/** The newest with that probability, else any. */
const newest = <T>(random: SeededRandom, probability: number, from: readonly T[]): T | undefined =>
  random.chance(probability) ? from.at(-1) : anyOf(random, from)
