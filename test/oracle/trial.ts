/** One sequence, played to the oracle and to every server. */
import { type Command, inWords } from './commands.ts'
import type { Judgement } from './model/checkpoint.ts'
import { World } from './model/world.ts'
import { requestOf } from './requests.ts'
import { Difference, type Store, type Subject } from './subject.ts'

export interface Verdict {
  readonly store: Store
  readonly difference: string
  /** Index of the command after which it was seen. */
  readonly at: number
}

export interface TrialOptions {
  readonly judged?: (judgement: Judgement) => void
  /** Everything is looked at after every so many commands; what changes visibly, always. */
  readonly lookEvery?: number
}

/** Undefined: the servers do what the oracle says. */
export async function trial(
  commands: readonly Command[],
  subjects: readonly Subject[],
  { judged, lookEvery = 1 }: TrialOptions = {},
): Promise<Verdict | undefined> {
  const world = new World(judged)
  await Promise.all(subjects.map((subject) => subject.begin()))
  const onEach = async (at: number, act: (subject: Subject) => Promise<void>): Promise<Verdict | undefined> => {
    const verdicts = await Promise.all(
      subjects.map(async (subject) => {
        try {
          await act(subject)
          return undefined
        } catch (error) {
          if (error instanceof Difference) return { store: subject.store, difference: error.message, at }
          throw error
        }
      }),
    )
    return verdicts.find((verdict) => verdict !== undefined)
  }
  try {
    for (const [at, command] of commands.entries()) {
      const verdict =
        command.do === 'advance'
          ? await advance(world, command.ms, (ms) => onEach(at, (subject) => subject.tick(ms, world)))
          : await perform(world, command, at, lookEvery, onEach)
      if (verdict !== undefined) return verdict
      const released = world.released()
      const told = await onEach(at, (subject) => subject.answerCallers(released))
      if (told !== undefined) return told
    }
    return undefined
  } finally {
    await Promise.all(subjects.map((subject) => subject.end(world)))
  }
}

type OnEach = (at: number, act: (subject: Subject) => Promise<void>) => Promise<Verdict | undefined>

function perform(
  world: World,
  command: Exclude<Command, { do: 'advance' }>,
  at: number,
  lookEvery: number,
  onEach: OnEach,
): Promise<Verdict | undefined> {
  const request = requestOf(command, world)
  const answer = world.perform(command)
  const target = 'on' in command && (at + 1) % lookEvery === 0 ? command.on : undefined
  return onEach(at, async (subject) => {
    await subject.perform(command, request, answer)
    await subject.settle(world, target)
  })
}

/** From one moment at which something happens to the next, so that the order of what happens is never a race. */
async function advance(
  world: World,
  ms: number,
  tick: (ms: number) => Promise<Verdict | undefined>,
): Promise<Verdict | undefined> {
  const until = world.now + ms
  do {
    const step = Math.min(until, Math.max(world.nextDue(), world.now)) - world.now
    world.tick(step)
    const verdict = await tick(step)
    if (verdict !== undefined) return verdict
  } while (world.now < until)
  return undefined
}

export function told(commands: readonly Command[], verdict: Verdict): string {
  const lines = commands.map(
    (command, index) => `${index === verdict.at ? '→' : ' '} ${String(index + 1).padStart(3)} ${inWords(command)}`,
  )
  return [...lines, `  ${verdict.store} store: ${verdict.difference}`].join('\n')
}
