/**
 * One execution, one call at a time: the token protocol as the specification tells it (04, 05, 06 §6.3–6.6, 08), in
 * the smallest form that says what every caller is answered. No clock (nothing here is ever due by time), no wire, no
 * journal, and nothing of the product's own code. Every call gives the execution as it is afterwards, and the answer.
 *
 *     due ─invocation→ running ─end→ closed | due | at rest (a callback that completes makes it due)
 *
 * What the service chooses freely (its ids, its tokens, its times) comes in as `choices`: when a history is checked,
 * from what was answered; when one is made up, from a generator. What nobody has seen yet is `undefined`, and is
 * bound by the first answer that tells it.
 */
import {
  type Answer,
  NOTHING_PENDING,
  type OperationView,
  type Output,
  REFUSAL,
  type Request,
  type Status,
  type Update,
} from './calls.ts'

/** What the service was free to choose in one answer. */
export interface Choices {
  readonly arn: string | undefined
  readonly token: string | undefined
  readonly requestId: string | undefined
  readonly at: number | undefined
  readonly rest: string | undefined
  callbackId(operation: string): string | undefined
  /** The request id of the invocation whose end is the event at this place of the history. */
  completed(place: number): string | undefined
}

interface Operation {
  readonly id: string
  readonly type: 'STEP' | 'CALLBACK'
  readonly status: OperationView['status']
  readonly text: string | undefined
  readonly callbackId: string | undefined
  /** The attempt that completed the callback. */
  readonly completedBy: string | undefined
}

/** A callback's completion that was accepted. */
interface Arrival {
  readonly id: string
  readonly status: 'SUCCEEDED' | 'FAILED'
  readonly text: string
}

interface Outcome {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'STOPPED'
  readonly text: string
}

interface Accepted {
  readonly token: string
  readonly clientToken: string
  readonly next: string | undefined
  readonly closing: boolean
  readonly operations: readonly OperationView[]
  readonly rest: string | undefined
}

interface Invocation {
  readonly requestId: string | undefined
  /** The only token that is valid; `undefined` when nobody has seen it. */
  readonly token: string | undefined
  readonly accepted: readonly Accepted[]
  /** Fixed by an EXECUTION update; recorded when the invocation ends. */
  readonly outcome: Outcome | undefined
  readonly lastBroughtNews: boolean
  readonly anyBroughtNews: boolean
  /** Its server was killed: nobody will tell its end. */
  readonly lost: boolean
}

export interface Execution {
  readonly arn: string | undefined
  readonly payload: string
  readonly status: Exclude<Status, 'DELETING'>
  readonly text: string | undefined
  readonly endedAt: number | undefined
  readonly deletion: { readonly at: number | undefined } | undefined
  readonly operations: readonly Operation[]
  readonly events: readonly string[]
  readonly invocation: Invocation | undefined
  /** Completions that were accepted while an invocation ran, in order (06 §6.5 "The mechanism"). */
  readonly inbox: readonly Arrival[]
  /** The next invocation may begin. */
  readonly due: boolean
  /** Every token that was ever seen: none is minted twice. */
  readonly tokens: readonly string[]
}

/** How an execution may answer, and what it is then. */
export interface Reply {
  readonly execution: Execution
  readonly answer: Answer
}

type Of<Kind extends Request['kind']> = Request & { readonly kind: Kind }

export function begun(payload: string, { arn }: Choices): Execution {
  return {
    arn,
    payload,
    status: 'RUNNING',
    text: undefined,
    endedAt: undefined,
    deletion: undefined,
    operations: [],
    events: [`ExecutionStarted ${payload}`],
    invocation: undefined,
    inbox: [],
    due: true,
    tokens: [],
  }
}

const refused = (execution: Execution, error: string): Reply => ({ execution, answer: { kind: 'refused', error } })

// ------------------------------------------------------------------------------------------------------ checkpoints

/** 05: the token, or the repeat of what consumed it; then the completions that wait, then every update or none. */
export function checkpoint(execution: Execution, request: Of<'checkpoint'>, choices: Choices): Reply | undefined {
  if (request.mintedFor !== request.arn) return refused(execution, REFUSAL.foreignToken)
  if (!isCurrent(execution, request.token)) {
    const repeated = execution.invocation?.accepted.find(
      ({ token, clientToken }) => token === request.token && clientToken === request.clientToken,
    )
    return repeated === undefined ? refused(execution, REFUSAL.token) : repeat(execution, repeated, choices)
  }
  const { invocation } = execution
  if (invocation === undefined) throw new Error('a current token without an invocation')
  if (repeatsAnId(request.updates)) return refused(execution, REFUSAL.twice)
  if (choices.token !== undefined && execution.tokens.includes(choices.token)) return undefined

  let after = drained(execution)
  let outcome: Outcome | undefined
  for (const update of request.updates) {
    if (update.type === 'EXECUTION') {
      outcome = { status: update.action === 'FAIL' ? 'FAILED' : 'SUCCEEDED', text: update.text }
      continue
    }
    const next = updated(after, update)
    if (typeof next === 'string') return refused(execution, next)
    after = next
  }
  const touched = new Set([
    ...execution.inbox.map(({ id }) => id),
    ...request.updates.flatMap((update) => ('id' in update ? [update.id] : [])),
  ])
  after = told(after, [...touched], choices)
  const operations = after.operations.filter(({ id }) => touched.has(id)).map(viewOf)
  const next = outcome === undefined ? choices.token : undefined
  const { token, clientToken } = request
  const { rest } = choices
  const accepted = { token, next, closing: outcome !== undefined, operations, rest }
  const news = execution.inbox.length > 0
  return {
    execution: {
      ...after,
      tokens: next === undefined ? after.tokens : [...after.tokens, next],
      invocation: {
        ...invocation,
        token: next,
        outcome,
        accepted:
          clientToken === undefined ? invocation.accepted : [...invocation.accepted, { clientToken, ...accepted }],
        lastBroughtNews: news,
        anyBroughtNews: invocation.anyBroughtNews || news,
      },
    },
    answer: { kind: 'checkpointed', token: next, operations, rest: rest ?? '' },
  }
}

/** The same answer again, and nothing changes (05 §5.4); what the first answer told nobody, this one tells. */
function repeat(execution: Execution, first: Accepted, choices: Choices): Reply | undefined {
  const { invocation } = execution
  if (invocation === undefined) throw new Error('a repeat without an invocation')
  const next = first.closing ? undefined : (first.next ?? choices.token)
  const learnt = first.next === undefined && next !== undefined
  if (learnt && execution.tokens.includes(next)) return undefined
  const ids = first.operations.map(({ id }) => id)
  const known = told(execution, ids, choices)
  const operations = first.operations.map((view) => ({
    ...view,
    callbackId: known.operations.find(({ id }) => id === view.id)?.callbackId,
  }))
  const rest = first.rest ?? choices.rest
  const again = { ...first, next, operations, rest }
  return {
    execution: {
      ...known,
      tokens: learnt ? [...known.tokens, next] : known.tokens,
      invocation: {
        ...invocation,
        // Nobody knew it, so nobody has used it: it is the current one.
        token: learnt ? next : invocation.token,
        accepted: invocation.accepted.map((one) => (one === first ? again : one)),
      },
    },
    answer: { kind: 'checkpointed', token: next, operations, rest: rest ?? '' },
  }
}

const isCurrent = ({ status, invocation }: Execution, token: string): boolean =>
  status === 'RUNNING' && invocation?.outcome === undefined && invocation?.token === token

/** 04 §4.2: an id comes once, or as START and then what closes it. */
function repeatsAnId(updates: readonly Update[]): boolean {
  const last = new Map<string, Update>()
  for (const update of updates) {
    if (update.type === 'EXECUTION') continue
    const before = last.get(update.id)
    const closes = before?.action === 'START' && update.type === 'STEP' && update.action !== 'START'
    if (before !== undefined && !closes) return true
    last.set(update.id, update)
  }
  return false
}

/** One update of a step or callback (04 §4.9, §4.11), or why it is refused. */
function updated(execution: Execution, update: Exclude<Update, { readonly type: 'EXECUTION' }>): Execution | string {
  const { id } = update
  const current = execution.operations.find((operation) => operation.id === id)
  const fresh = { id, type: update.type, status: 'STARTED', text: undefined, callbackId: undefined } as const
  if (update.type === 'CALLBACK') {
    if (current !== undefined) return REFUSAL.startCallback
    return recorded(execution, { ...fresh, completedBy: undefined }, `CallbackStarted ${id}`)
  }
  if (update.action === 'START') {
    if (current !== undefined) return REFUSAL.startStep
    return recorded(execution, { ...fresh, completedBy: undefined }, `StepStarted ${id}`)
  }
  if (current !== undefined && current.status !== 'STARTED') return REFUSAL.closeStep
  const status = update.action === 'FAIL' ? 'FAILED' : 'SUCCEEDED'
  const ended: Operation = { ...fresh, status, text: update.text, completedBy: undefined }
  return recorded(execution, ended, `Step${status === 'FAILED' ? 'Failed' : 'Succeeded'} ${id} ${update.text}`)
}

function recorded(execution: Execution, operation: Operation, event: string): Execution {
  const known = execution.operations.some(({ id }) => id === operation.id)
  const operations = known
    ? execution.operations.map((one) => (one.id === operation.id ? operation : one))
    : [...execution.operations, operation]
  return { ...execution, operations, events: [...execution.events, event] }
}

/** Takes in what was accepted while the invocation ran. */
const drained = (execution: Execution): Execution => ({ ...execution.inbox.reduce(completed, execution), inbox: [] })

function completed(execution: Execution, { id, status, text }: Arrival): Execution {
  const operation = execution.operations.find((one) => one.id === id)
  if (operation === undefined) throw new Error(`the completion of no callback: ${id}`)
  const event = `Callback${status === 'FAILED' ? 'Failed' : 'Succeeded'} ${id} ${text}`
  return recorded(execution, { ...operation, status, text }, event)
}

const viewOf = ({ id, status, text, callbackId }: Operation): OperationView => ({ id, status, text, callbackId })

/** An answer shows these operations, and with them the callback ids that nobody may have seen before. */
function told(execution: Execution, ids: readonly string[], choices: Choices): Execution {
  const operations = execution.operations.map((operation) =>
    operation.type === 'CALLBACK' && ids.includes(operation.id)
      ? { ...operation, callbackId: operation.callbackId ?? choices.callbackId(operation.id) }
      : operation,
  )
  return { ...execution, operations }
}

// ------------------------------------------------------------------------------------------------------ reads

/** GetDurableExecutionState: needs the current token and does not consume it (05 §5.7). */
export function state(execution: Execution, request: Of<'state'>, choices: Choices): Reply {
  if (request.mintedFor !== request.arn) return refused(execution, REFUSAL.foreignToken)
  if (!isCurrent(execution, request.token)) return refused(execution, REFUSAL.token)
  const known = told(execution, everyId(execution), choices)
  return { execution: known, answer: { kind: 'operations', operations: known.operations.map(viewOf) } }
}

const everyId = ({ operations }: Execution): string[] => operations.map(({ id }) => id)

export function describe(execution: Execution, { at }: Choices): Reply {
  const { status, text, endedAt, deletion } = execution
  const ended = status === 'RUNNING' ? undefined : (endedAt ?? at)
  const shown = deletion === undefined ? status : 'DELETING'
  return {
    execution: { ...execution, endedAt: ended },
    answer: { kind: 'described', status: shown, text: shown === 'DELETING' ? undefined : text, endedAt: ended },
  }
}

export function history(execution: Execution, choices: Choices): Reply {
  const events = execution.events.map((event, place) =>
    event === UNSEEN_END ? `InvocationCompleted ${choices.completed(place) ?? '?'}` : event,
  )
  return { execution: { ...execution, events }, answer: { kind: 'events', events } }
}

// ------------------------------------------------------------------------------------------------------ callbacks

/** The first completion wins (08 §8.5); one call's attempts are one completion. */
export function callback(execution: Execution, request: Of<'callback'>): Reply {
  const { verb, callbackId, text, attempt } = request
  const operation = execution.operations.find((one) => one.callbackId === callbackId)
  if (operation === undefined) return refused(execution, REFUSAL.callback)
  const done = (after: Execution): Reply => ({ execution: after, answer: { kind: 'done' } })
  if (verb !== 'heartbeat' && attempt !== undefined && operation.completedBy === attempt) return done(execution)
  const { id } = operation
  const arrived = execution.inbox.some((arrival) => arrival.id === id)
  if (execution.status !== 'RUNNING' || operation.status !== 'STARTED' || arrived) {
    return refused(execution, REFUSAL.callback)
  }
  if (verb === 'heartbeat') return done(execution)
  const arrival: Arrival = { id, status: verb === 'fail' ? 'FAILED' : 'SUCCEEDED', text }
  const operations = execution.operations.map((one) => (one.id === id ? { ...one, completedBy: attempt } : one))
  const taken = { ...execution, operations }
  if (execution.invocation !== undefined) return done({ ...taken, inbox: [...taken.inbox, arrival] })
  return done({ ...completed(taken, arrival), due: true })
}

// ------------------------------------------------------------------------------------------------------ invocations

/** An end that is recorded for an invocation whose request id nobody has seen. */
const UNSEEN_END = 'InvocationCompleted ?'
const endOf = ({ requestId }: Invocation): string => `InvocationCompleted ${requestId ?? '?'}`

/** At most one at a time: the next begins when one is due and none runs, or when the one that ran is lost (06 §6.5). */
export function invocation(execution: Execution, choices: Choices): Reply | undefined {
  const { requestId, token } = choices
  const before = execution.invocation
  if (execution.status !== 'RUNNING' || (before === undefined && !execution.due)) return undefined
  if (before !== undefined && (!before.lost || before.outcome !== undefined)) return undefined
  if (token !== undefined && execution.tokens.includes(token)) return undefined
  const ended =
    before === undefined ? execution : drained({ ...execution, events: [...execution.events, endOf(before)] })
  const known = token === undefined ? ended : told(ended, everyId(ended), choices)
  const begins: Invocation = {
    requestId,
    token,
    accepted: [],
    outcome: undefined,
    lastBroughtNews: false,
    anyBroughtNews: false,
    lost: false,
  }
  const tokens = token === undefined ? known.tokens : [...known.tokens, token]
  return {
    execution: { ...known, invocation: begins, tokens, due: false },
    answer: {
      kind: 'invoked',
      requestId: requestId ?? '',
      arn: known.arn ?? '',
      token: token ?? '',
      operations: known.operations.map(viewOf),
    },
  }
}

/** What a function's end means (06 §6.3, 6.4). Only the running invocation has a say. */
export function end(execution: Execution, { requestId, output }: Of<'end'>): Reply | undefined {
  const { invocation: ending } = execution
  if (ending === undefined || ending.requestId !== requestId) return undefined
  const done = (after: Execution): Reply => ({ execution: after, answer: { kind: 'done' } })
  const outcome = ending.outcome ?? outcomeOf(execution, ending, output)
  if (outcome !== undefined) return done(finished(execution, ending, outcome))
  const after = drained({ ...execution, events: [...execution.events, endOf(ending)] })
  const due = output.kind === 'crashed' || hasNews(execution, ending)
  return done({ ...after, invocation: undefined, due })
}

function outcomeOf(execution: Execution, ending: Invocation, output: Output): Outcome | undefined {
  if (output.kind === 'crashed') return undefined
  if (output.kind !== 'pending') {
    return { status: output.kind === 'failed' ? 'FAILED' : 'SUCCEEDED', text: output.text }
  }
  if (isWaiting(execution) || hasNews(execution, ending)) return undefined
  return { status: 'FAILED', text: NOTHING_PENDING }
}

/** A function that suspends is invoked again at once when it may not have seen what happened. */
function hasNews(execution: Execution, { lastBroughtNews, anyBroughtNews }: Invocation): boolean {
  return execution.inbox.length > 0 || lastBroughtNews || (!isWaiting(execution) && anyBroughtNews)
}

const isWaiting = ({ operations }: Execution): boolean =>
  operations.some(({ type, status }) => type === 'CALLBACK' && status === 'STARTED')

/** 06 §6.6: InvocationCompleted, the callbacks that were acknowledged, the terminal event. */
const finished = (execution: Execution, ending: Invocation, outcome: Outcome): Execution =>
  closed({ ...execution, events: [...execution.events, endOf(ending)] }, outcome)

const TERMINAL = { SUCCEEDED: 'ExecutionSucceeded', FAILED: 'ExecutionFailed', STOPPED: 'ExecutionStopped' } as const

function closed(execution: Execution, { status, text }: Outcome): Execution {
  const after = drained(execution)
  const events = [...after.events, `${TERMINAL[status]} ${text}`]
  return { ...after, status, text, events, invocation: undefined, due: false }
}

// ------------------------------------------------------------------------------------------------------ its end

/** Immediate, whatever runs; an outcome that the function has fixed already is kept. Idempotent (01 §1.6, 08 §8.3). */
export function stop(execution: Execution, { error }: Of<'stop'>, { at }: Choices): Reply {
  const stopped =
    execution.status === 'RUNNING'
      ? closed(execution, execution.invocation?.outcome ?? { status: 'STOPPED', text: error })
      : execution
  const endedAt = stopped.endedAt ?? at
  return { execution: { ...stopped, endedAt }, answer: { kind: 'stopped', at: endedAt ?? 0 } }
}

/** Only of a closed execution; asked again it tells when it was asked first (01 §1.10). */
export function remove(execution: Execution, choices: Choices): Reply {
  if (execution.status === 'RUNNING') return refused(execution, REFUSAL.running)
  const at = execution.deletion?.at ?? choices.at
  return { execution: { ...execution, deletion: { at } }, answer: { kind: 'deleted', at: at ?? 0 } }
}

// ------------------------------------------------------------------------------------------------------ crashes

export function kill(execution: Execution): Execution {
  const { invocation: running } = execution
  return running === undefined ? execution : { ...execution, invocation: { ...running, lost: true } }
}

/** The outcome that a lost invocation had fixed is recorded without another invocation. */
export function recovery(execution: Execution): Execution | undefined {
  const { invocation: lost } = execution
  if (lost?.lost !== true || lost.outcome === undefined) return undefined
  return finished(execution, lost, lost.outcome)
}
