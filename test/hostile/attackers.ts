/**
 * The attackers: several connections, each of which sends batches of attacks at once and takes the answers in order. A
 * batch ends with a request whose answer only it can have, so that an answer too many or too few shows. Attacks that
 * end their connection get one of their own.
 */
import { SeededRandom } from '../simulation/seeded-random.ts'
import { type Attack, REFUSED, type Target } from './attack.ts'
import { attackOf } from './attacks.ts'
import { judge } from './judge.ts'
import { bytesOf } from './request.ts'
import { Fault, Wire } from './wire.ts'

export interface Failed {
  readonly number: number
  readonly attack: Attack
  readonly what: string
}

export interface Tally {
  requests: number
  connections: number
  /** How often each kind of answer came: its status and error. */
  readonly kinds: Map<string, number>
  readonly families: Map<string, number>
  readonly shapes: Set<string>
  readonly failed: Failed[]
  /** Told of each failure when it is found. */
  readonly tell: (failed: Failed) => void
}

export const newTally = (tell: (failed: Failed) => void): Tally => ({
  requests: 0,
  connections: 0,
  kinds: new Map(),
  families: new Map(),
  shapes: new Set(),
  failed: [],
  tell,
})

function fail(tally: Tally, failed: Failed): void {
  tally.failed.push(failed)
  tally.tell(failed)
}

interface Numbered {
  readonly number: number
  readonly attack: Attack
}

/** Most attacks that are sent before an answer is awaited. */
const BATCH = 16
/** A connection is given up for a new one after so many batches. */
const BATCHES_PER_CONNECTION = 60
/** Beyond, one more would tell nothing. */
const MOST_FAILURES = 20

export async function attackAll(options: {
  readonly seed: number
  readonly numbers: Iterable<number>
  readonly connections: number
  readonly target: Target
  readonly tally: Tally
}): Promise<void> {
  const { seed, target, tally } = options
  const numbers = options.numbers[Symbol.iterator]()
  const draw = (): Numbered | undefined => {
    const next = tally.failed.length < MOST_FAILURES ? numbers.next() : undefined
    return next === undefined || next.done === true
      ? undefined
      : { number: next.value, attack: attackOf(seed, next.value, target) }
  }
  const attacker = async (index: number): Promise<void> => {
    const chance = new SeededRandom(seed, `attacker-${index}`)
    let wire: Wire | undefined
    for (let batches = 0; ; batches++) {
      const { together, alone, last } = gather(draw, chance.pick([1, 2, 4, BATCH]))
      if (wire === undefined || batches % BATCHES_PER_CONNECTION === 0) {
        wire?.vanish()
        wire = await open(target, tally)
      }
      if (!(await attackTogether(wire, together, target, tally))) {
        wire.vanish()
        wire = undefined
      }
      if (alone !== undefined) await attackAlone(alone, target, tally)
      if (last) break
    }
    wire?.vanish()
  }
  await Promise.all(Array.from({ length: options.connections }, (_, index) => attacker(index)))
}

/** Attacks for one batch, up to the first that wants a connection of its own. */
function gather(draw: () => Numbered | undefined, size: number) {
  const together: Numbered[] = []
  while (together.length < size) {
    const next = draw()
    if (next === undefined) return { together, alone: undefined, last: true }
    if (next.attack.alone !== undefined) return { together, alone: next, last: false }
    together.push(next)
  }
  return { together, alone: undefined, last: false }
}

async function open({ port }: Target, tally: Tally): Promise<Wire> {
  tally.connections += 1
  return Wire.open(port)
}

function note(tally: Tally, { family, title }: Attack): void {
  tally.requests += 1
  tally.families.set(family, (tally.families.get(family) ?? 0) + 1)
  tally.shapes.add(`${family} ${title}`)
}

const count = (tally: Tally, kind: string): void => {
  tally.kinds.set(kind, (tally.kinds.get(kind) ?? 0) + 1)
}

/** False when the connection is of no more use. */
async function attackTogether(wire: Wire, batch: readonly Numbered[], target: Target, tally: Tally): Promise<boolean> {
  if (batch.length === 0) return true
  const [first] = batch
  const sentinel = sentinelFor(first?.number ?? 0, target.port)
  wire.write(Buffer.concat([...batch.map(({ attack }) => attack.bytes), sentinel.attack.bytes]))
  for (const numbered of batch) note(tally, numbered.attack)
  let current = first
  try {
    for (current of [...batch, sentinel]) {
      const answer = await wire.answer(current.attack.head)
      if (answer === undefined) throw new Fault('the connection ended in place of an answer')
      const kind = judge(answer, current.attack)
      if (answer.headers.get('connection') === 'close') throw new Fault(`the connection ends behind a ${kind}`)
      if (current !== sentinel) count(tally, kind)
    }
    if (wire.unread !== '') throw new Fault(`more than was asked for: ${JSON.stringify(wire.unread.slice(0, 300))}`)
    return true
  } catch (error) {
    if (!(error instanceof Fault) || current === undefined) throw error
    const with_ = batch.map(({ number }) => number).join(', ')
    fail(tally, { ...current, what: `${error.message} (sent together: ${with_})` })
    return false
  }
}

/** A path that nobody serves: the answer repeats it. */
function sentinelFor(number: number, port: number): Numbered {
  const path = `/sentinel/${number}/${process.hrtime.bigint()}`
  const bytes = bytesOf({ method: 'GET', target: path, headers: [], body: undefined }, port)
  const expected = { ...REFUSED, types: ['UnknownOperationException'], telling: path } as const
  return { number, attack: { family: 'sentinel', title: 'the request behind a batch', bytes, expected } }
}

/** Answers to noise are as many as it made requests, which the end of the connection tells. */
const MOST_ANSWERS = { ends: 1, cut: 50 } as const

async function attackAlone({ number, attack }: Numbered, target: Target, tally: Tally): Promise<void> {
  note(tally, attack)
  const wire = await open(target, tally)
  try {
    wire.write(attack.bytes)
    if (attack.alone === 'cut') wire.end()
    let answers = 0
    for (let answer = await wire.answer(); answer !== undefined; answer = await wire.answer()) {
      answers += 1
      count(tally, judge(answer, attack))
      if (answers > MOST_ANSWERS[attack.alone ?? 'ends']) throw new Fault(`${answers} answers`)
    }
    if (answers === 0) count(tally, 'no answer')
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    fail(tally, { number, attack, what: error.message })
  } finally {
    wire.vanish()
  }
}
