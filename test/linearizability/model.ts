/**
 * One name of one function as a sequential object: the registry's rule (07 §7.3: a name has one execution at a time,
 * found by every start with the same payload) around the execution that holds it. Names are independent of each other,
 * so each is checked by itself.
 *
 * A deleted execution lingers as `DELETING` until its data is gone (01 §1.10). When that is, the service is free to
 * choose: the first answer that shows it makes it so.
 */
import { type Answer, REFUSAL, type Request } from './calls.ts'
import type { Model } from './checker.ts'
import type { Choices, Execution } from './execution.ts'
import * as execution from './execution.ts'

export interface Name {
  /** The execution that has the name. */
  readonly holder: Execution | undefined
  /** Executions that had it and are gone. */
  readonly gone: readonly string[]
  /** How often its server was killed. Counted because a kill is never nothing (see `Model.step`). */
  readonly kills: number
}

export interface Step {
  readonly name: Name
  readonly answer: Answer
}

export const model: Model<Name, Request, Answer> = {
  initial: { holder: undefined, gone: [], kills: 0 },
  key: (name) => JSON.stringify(name),
  step(name, request, answer) {
    const steps = replies(name, request, choicesIn(answer))
    const fitting = answer === undefined ? steps : steps.filter((step) => sameAnswer(step.answer, answer))
    return fitting.map((step) => step.name)
  },
}

const sameAnswer = (one: Answer, other: Answer): boolean => canonical(one) === canonical(other)

/** Members in one order; those that are `undefined` are left out. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

/** Every way in which the service may answer. */
export function replies(name: Name, request: Request, choices: Choices): readonly Step[] {
  const { holder } = name
  const now = repliesNow(name, request, choices)
  if (holder?.deletion === undefined) return now
  return [...now, ...repliesNow(purged(name, holder), request, choices)]
}

const purged = ({ gone, kills }: Name, { arn }: Execution): Name => ({
  kills,
  holder: undefined,
  gone: arn === undefined ? gone : [...gone, arn],
})

function repliesNow(name: Name, request: Request, choices: Choices): readonly Step[] {
  switch (request.kind) {
    case 'start':
      return started(name, request.payload, choices)
    case 'callback': {
      const { holder } = name
      return holder === undefined ? [absent(name, REFUSAL.callback)] : by(name, execution.callback(holder, request))
    }
    case 'invocation': {
      const holder = named(name, choices.arn)
      return holder === undefined ? [] : by(name, execution.invocation(holder, choices))
    }
    case 'end':
      return name.holder === undefined ? [] : by(name, execution.end(name.holder, request))
    case 'kill': {
      const holder = name.holder === undefined ? undefined : execution.kill(name.holder)
      return [{ name: { ...name, holder, kills: name.kills + 1 }, answer: { kind: 'done' } }]
    }
    case 'recovery': {
      const holder = name.holder === undefined ? undefined : execution.recovery(name.holder)
      return holder === undefined ? [] : [{ name: { ...name, holder }, answer: { kind: 'done' } }]
    }
    default: {
      const holder = holderOf(name, request.arn)
      return holder === undefined ? [absent(name, absenceOf(request))] : by(name, onHolder(holder, request, choices))
    }
  }
}

function onHolder(
  holder: Execution,
  request: Request & { readonly kind: 'checkpoint' | 'state' | 'describe' | 'history' | 'stop' | 'delete' },
  choices: Choices,
): execution.Reply | undefined {
  switch (request.kind) {
    case 'checkpoint':
      return execution.checkpoint(holder, request, choices)
    case 'state':
      return execution.state(holder, request, choices)
    case 'describe':
      return execution.describe(holder, choices)
    case 'history':
      return execution.history(holder, choices)
    case 'stop':
      return execution.stop(holder, request, choices)
    case 'delete':
      return execution.remove(holder, choices)
  }
}

const by = (name: Name, reply: execution.Reply | undefined): readonly Step[] =>
  reply === undefined ? [] : [{ name: { ...name, holder: reply.execution }, answer: reply.answer }]

const absent = (name: Name, error: string): Step => ({ name, answer: { kind: 'refused', error } })

/** An execution that is gone, or was never there, looks the same to everybody (05 §5.3, 01 §1.3). */
function absenceOf(request: Request): string {
  if (request.kind !== 'checkpoint' && request.kind !== 'state') return REFUSAL.absent
  return request.mintedFor === request.arn ? REFUSAL.token : REFUSAL.foreignToken
}

/** The execution that has the name; if nobody knew its ARN so far, this is it. */
function named({ holder, gone }: Name, arn: string | undefined): Execution | undefined {
  if (holder === undefined || holder.arn !== undefined || arn === undefined || gone.includes(arn)) return holder
  return { ...holder, arn }
}

/** The execution that has the name, if it is the one that is meant. */
function holderOf(name: Name, arn: string): Execution | undefined {
  const holder = named(name, arn)
  return holder?.arn === arn ? holder : undefined
}

/** 07 §7.3. An execution that is being deleted still has its name, and no outcome to give. */
function started(name: Name, payload: string, choices: Choices): readonly Step[] {
  if (name.holder === undefined) {
    const { arn } = choices
    if (arn !== undefined && name.gone.includes(arn)) return []
    return [
      { name: { ...name, holder: execution.begun(payload, choices) }, answer: { kind: 'started', arn: arn ?? '' } },
    ]
  }
  const holder = named(name, choices.arn) ?? name.holder
  const same = holder.payload === payload && holder.deletion === undefined
  return [{ name: { ...name, holder }, answer: { kind: same ? 'started' : 'taken', arn: holder.arn ?? '' } }]
}

/** What the service chose, as its answer tells. */
export function choicesIn(answer: Answer | undefined): Choices {
  const has = <Key extends string>(key: Key): unknown =>
    answer !== undefined && key in answer ? (answer as unknown as Readonly<Record<Key, unknown>>)[key] : undefined
  const operations = answer !== undefined && 'operations' in answer ? answer.operations : []
  const events = answer?.kind === 'events' ? answer.events : []
  return {
    arn: has('arn') as string | undefined,
    token: has('token') as string | undefined,
    requestId: has('requestId') as string | undefined,
    at: (has('at') ?? has('endedAt')) as number | undefined,
    rest: has('rest') as string | undefined,
    callbackId: (operation) => operations.find(({ id }) => id === operation)?.callbackId,
    completed: (place) => /^InvocationCompleted (\S+)$/.exec(events[place] ?? '')?.[1],
  }
}
