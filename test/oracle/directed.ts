/**
 * Sequences that hit every reachable cell on purpose. Nearly all cells are refusals, and a refusal changes nothing: so
 * one execution is brought into a state in which every type has an operation in every status, and then asked for one
 * refusal after the other.
 */
import { type Cell, REACHABLE, STATUSES_OF, type Type } from './cells.ts'
import type { Command } from './commands.ts'
import { LIMITS } from './model/configuration.ts'
import type { Update } from './model/shape.ts'

export interface Sequence {
  readonly title: string
  readonly commands: readonly Command[]
}

const SUSPENDS = { output: { Status: 'PENDING' } } as const
export const BOOM = { ErrorType: 'Boom', ErrorMessage: 'it broke' } as const
const NAMES = { Name: 'a name', SubType: 'Kind', ParentId: 'c0' } as const
const FOREIGN = { Name: 'another name', SubType: 'Other', ParentId: 'c9' } as const

const checkpoint = (
  updates: readonly Update[],
  more: { token?: 0 | 1 | 'foreign'; clientToken?: string } = {},
): Command => ({
  do: 'checkpoint',
  on: 'e1',
  token: 0,
  updates,
  ...more,
})

const invoke = (as: string, functionName: string): Command => ({
  do: 'invoke',
  as,
  functionName: `${functionName}:$LATEST`,
  mode: 'Event',
  input: '{}',
})

export const directed = (): readonly Sequence[] => [
  ...(['CONTEXT', 'STEP', 'WAIT', 'CALLBACK', 'CHAINED_INVOKE', 'EXECUTION'] as const).map(refusals),
  pairsOfFaults(),
  ...acceptances(),
  ...closed(),
]

// ------------------------------------------------------------------------------------------------------- refusals

/** e1 runs and has an operation `TYPE-STATUS` of every type in every status, in context c0; e0 lends its token. */
const STAGE: readonly Command[] = [
  invoke('e0', 'puppet'),
  invoke('e1', 'patient'),
  checkpoint([
    { Id: 'c0', Type: 'CONTEXT', Action: 'START' },
    { Id: 'c9', Type: 'CONTEXT', Action: 'START' },
    of('CONTEXT', 'START', 'CONTEXT-STARTED'),
    of('CONTEXT', 'SUCCEED', 'CONTEXT-SUCCEEDED', { ContextOptions: { ReplayChildren: true } }),
    of('CONTEXT', 'FAIL', 'CONTEXT-FAILED'),
    of('STEP', 'START', 'STEP-STARTED'),
    of('STEP', 'RETRY', 'STEP-PENDING', { StepOptions: { NextAttemptDelaySeconds: 10_000 } }),
    of('STEP', 'RETRY', 'STEP-READY', { StepOptions: { NextAttemptDelaySeconds: 1 } }),
    of('STEP', 'SUCCEED', 'STEP-SUCCEEDED', { Payload: '1' }),
    of('STEP', 'FAIL', 'STEP-FAILED', { Error: BOOM }),
    of('WAIT', 'START', 'WAIT-STARTED', { WaitOptions: { WaitSeconds: 10_000 } }),
    of('WAIT', 'START', 'WAIT-SUCCEEDED', { WaitOptions: { WaitSeconds: 2 } }),
    of('WAIT', 'START', 'WAIT-CANCELLED', { WaitOptions: { WaitSeconds: 10_000 } }),
    of('CALLBACK', 'START', 'CALLBACK-STARTED'),
    of('CALLBACK', 'START', 'CALLBACK-SUCCEEDED'),
    of('CALLBACK', 'START', 'CALLBACK-FAILED'),
    of('CALLBACK', 'START', 'CALLBACK-TIMED_OUT', { CallbackOptions: { TimeoutSeconds: 3 } }),
    of('CHAINED_INVOKE', 'START', 'CHAINED_INVOKE-SUCCEEDED', target('plain')),
    of('CHAINED_INVOKE', 'START', 'CHAINED_INVOKE-FAILED', target('nobody')),
    of('CHAINED_INVOKE', 'START', 'CHAINED_INVOKE-TIMED_OUT', target('brief:$LATEST')),
    of('CHAINED_INVOKE', 'START', 'CHAINED_INVOKE-STOPPED', target('brief:$LATEST')),
  ]),
  { do: 'callback', on: 'e1', operation: 'CALLBACK-SUCCEEDED', id: 'real', verb: 'succeed', body: '"yes"' },
  { do: 'callback', on: 'e1', operation: 'CALLBACK-FAILED', id: 'real', verb: 'fail', body: JSON.stringify(BOOM) },
  { do: 'end target', on: 'e1/CHAINED_INVOKE-SUCCEEDED', how: { output: { done: true } } },
  { do: 'stop', on: 'e1/CHAINED_INVOKE-STOPPED', error: BOOM },
  { do: 'advance', ms: 100_000 },
  checkpoint([
    of('WAIT', 'CANCEL', 'WAIT-CANCELLED', { Error: BOOM }),
    of('CHAINED_INVOKE', 'START', 'CHAINED_INVOKE-STARTED', target('plain')),
  ]),
  checkpoint([], { clientToken: 'the-last' }),
]

function of(Type: Type, Action: string, Id: string, more: Update = {}): Update {
  return { Id, Type, Action, ...NAMES, ...more }
}

function target(FunctionName: string): Update {
  return { ChainedInvokeOptions: { FunctionName } }
}

function refusals(type: Type): Sequence {
  const cells = REACHABLE.filter(
    (cell) => cell.type === type && cell.outcome !== 'accepted' && (type !== 'EXECUTION' || cell.prior === 'STARTED'),
  )
  return { title: `${type}: every refusal`, commands: [...STAGE, ...cells.map(refusal)] }
}

/** Which of two faults is told: the order of spec 04 §4.1. Every pair of them in one update, and in two. */
function pairsOfFaults(): Sequence {
  const faults: readonly Update[] = [
    { Name: '' },
    { ParentId: 'nobody' },
    { Payload: longer(LIMITS.operationPayloadBytes) },
    { Error: { ErrorMessage: longer(LIMITS.updateErrorBytes) } },
    { Action: 'CANCEL' },
    { Id: 'CONTEXT-STARTED' },
    { Id: 'STEP-SUCCEEDED' },
    { Id: 'STEP-PENDING' },
    { SubType: FOREIGN.SubType },
    { Name: FOREIGN.Name },
    { ParentId: FOREIGN.ParentId },
    { StepOptions: { NextAttemptDelaySeconds: 5 } },
    { Error: BOOM },
    { Payload: '1' },
  ]
  const requests = ['START', 'SUCCEED', 'FAIL', 'RETRY'].flatMap((Action) => {
    const good: Update = { Id: 'STEP-STARTED', Type: 'STEP', Action }
    return faults.flatMap((one, index) =>
      faults.slice(index).flatMap((other) => [
        checkpoint([{ ...good, ...one, ...other }]),
        checkpoint([
          { ...good, ...one },
          { ...good, Id: 'new', ...other },
        ]),
      ]),
    )
  })
  // Those that are taken would change the stage.
  const refused = requests.filter((request) => request.do === 'checkpoint' && !request.updates.every(isGood))
  const last: readonly Command[] = [
    checkpoint([
      { Id: 'x', Type: 'EXECUTION', Action: 'SUCCEED' },
      { Id: 'x', Type: 'EXECUTION', Action: 'START' },
      { Id: 's', Type: 'STEP', Action: 'START' },
    ]),
    checkpoint([
      { Id: 's', Type: 'STEP', Action: 'START' },
      { Id: 's', Type: 'STEP', Action: 'START' },
      { Id: 'x', Type: 'EXECUTION', Action: 'SUCCEED' },
      { Id: 't', Type: 'STEP', Action: 'START' },
    ]),
    checkpoint([
      { Id: 't', Type: 'STEP', Action: 'SUCCEED', ParentId: 'nobody' },
      { Id: 's', Type: 'STEP', Action: 'START' },
      { Id: 's', Type: 'STEP', Action: 'START' },
    ]),
    checkpoint([
      { Id: 's', Type: 'STEP', Action: 'START' },
      { Id: 'x', Type: 'EXECUTION', Action: 'SUCCEED', Error: BOOM },
    ]),
  ]
  return { title: 'every pair of faults', commands: [...STAGE, ...refused, ...last] }
}

/** Whether the service would take it from STEP-STARTED, or as a new step: cautiously told. */
function isGood({ Id, Action, ParentId, Name, SubType, Payload, Error: error, StepOptions }: Update): boolean {
  if (Id !== 'STEP-STARTED' && Id !== 'new') return false
  if (ParentId === 'nobody' || Name === '' || (Payload?.length ?? 0) > 1 || JSON.stringify(error ?? {}).length > 100)
    return false
  if (
    Id === 'STEP-STARTED' &&
    (Action === 'START' || ParentId !== undefined || Name !== undefined || SubType !== undefined)
  )
    return false
  if (Action === 'CANCEL' || (Action === 'RETRY') !== (StepOptions !== undefined)) return false
  return !(
    (Action === 'SUCCEED' && error !== undefined) ||
    (Action === 'FAIL' && Payload !== undefined) ||
    (Action === 'RETRY' && error !== undefined && Payload !== undefined)
  )
}

/** The members that the action cannot do without. */
function needed({ type, action }: Pick<Cell, 'type' | 'action'>): Update {
  if (action === 'RETRY') return { StepOptions: { NextAttemptDelaySeconds: 5 } }
  if (type === 'WAIT' && action === 'START') return { WaitOptions: { WaitSeconds: 5 } }
  if (type === 'CHAINED_INVOKE' && action === 'START') return target('plain')
  return {}
}

function idFor({ type, prior }: Cell): string {
  if (prior === 'none') return 'new'
  if (prior === 'another type') return type === 'STEP' ? 'CONTEXT-STARTED' : 'STEP-STARTED'
  return `${type}-${prior}`
}

const longer = (limit: number): string => 'x'.repeat(limit + 1)

/** The request that hits the cell, on the stage. */
function refusal(cell: Cell): Command {
  const { type, action, outcome } = cell
  const update: Update = { Id: idFor(cell), Type: type, Action: action, ...needed(cell) }
  const without = (member: keyof Update): Update => {
    const { [member]: _, ...rest } = update
    return rest
  }
  switch (outcome) {
    case 'shape':
      return checkpoint([{ ...update, Name: '' }])
    case 'repeated':
      return checkpoint([update], { token: 1, clientToken: 'the-last' })
    case 'stale token':
      return checkpoint([update], { token: 1, clientToken: 'another' })
    case 'foreign token':
      return checkpoint([update], { token: 'foreign' })
    case 'several EXECUTION updates':
      return checkpoint([{ Id: 'x', Type: 'EXECUTION', Action: 'SUCCEED' }, update])
    case 'EXECUTION not last':
      return checkpoint([update, { Id: 'x', Type: 'STEP', Action: 'START' }])
    case 'twice in a request':
      return checkpoint([update, update])
    case 'invalid parent':
      return checkpoint([{ ...update, ParentId: 'nobody' }])
    case 'payload too large':
      return checkpoint([{ ...update, Payload: longer(payloadLimit(type)) }])
    case 'error too large':
      return checkpoint([{ ...update, Error: { ErrorMessage: longer(LIMITS.updateErrorBytes) } }])
    case 'another subtype':
      return checkpoint([{ ...update, SubType: FOREIGN.SubType }])
    case 'another name':
      return checkpoint([{ ...update, Name: FOREIGN.Name }])
    case 'another parent':
      return checkpoint([{ ...update, ParentId: FOREIGN.ParentId }])
    case 'options missing':
      return checkpoint([
        without(type === 'STEP' ? 'StepOptions' : type === 'WAIT' ? 'WaitOptions' : 'ChainedInvokeOptions'),
      ])
    case 'options misplaced':
      return checkpoint([{ ...update, StepOptions: { NextAttemptDelaySeconds: 5 } }])
    case 'error with SUCCEED':
      return checkpoint([{ ...update, Error: BOOM }])
    case 'payload with FAIL':
      return checkpoint([{ ...update, Payload: '1' }])
    case 'error and payload':
      return checkpoint([{ ...update, Error: BOOM, Payload: '1' }])
    case 'another account':
      return checkpoint([{ ...update, ...target('arn:aws:lambda:us-east-1:111111111111:function:plain') }])
    case 'another region':
      return checkpoint([{ ...update, ...target('arn:aws:lambda:eu-west-1:000000000000:function:plain') }])
    case 'bad target':
      return checkpoint([{ ...update, ...target('arn:aws:lambda:function:plain') }])
    case 'invalid action':
    case 'another type':
    case 'wrong status':
    case 'accepted':
      return checkpoint([update])
  }
}

function payloadLimit(type: Type): number {
  if (type === 'EXECUTION') return LIMITS.asyncPayloadBytes
  return type === 'CHAINED_INVOKE' ? LIMITS.chainedPayloadBytes : LIMITS.operationPayloadBytes
}

// ----------------------------------------------------------------------------------------------------- acceptances

/** One execution per accepted cell: the operation is brought into the status, and the update taken. */
function acceptances(): readonly Sequence[] {
  return REACHABLE.filter(({ outcome }) => outcome === 'accepted').map((cell) => {
    const { type, action, prior } = cell
    const update: Update = { Id: 'o', Type: type, Action: action, ...needed(cell) }
    const before: readonly Command[] =
      prior === 'STARTED' && type !== 'EXECUTION'
        ? [checkpoint([{ Id: 'o', Type: type, Action: 'START', ...needed({ type, action: 'START' }) }])]
        : prior === 'READY'
          ? [
              checkpoint([{ Id: 'o', Type: type, Action: 'RETRY', StepOptions: { NextAttemptDelaySeconds: 1 } }]),
              { do: 'end', on: 'e1', how: SUSPENDS },
              { do: 'advance', ms: 1_000 },
            ]
          : []
    const commands: Command[] = [
      invoke('e1', 'puppet'),
      ...before,
      checkpoint([update]),
      { do: 'end', on: 'e1', how: SUSPENDS },
    ]
    return { title: `${type} ${action} from ${prior}: accepted`, commands }
  })
}

// ------------------------------------------------------------------------------------------- after the execution's end

const ENDINGS: Readonly<Record<string, readonly Command[]>> = {
  SUCCEEDED: [{ do: 'end', on: 'e1', how: { output: { Status: 'SUCCEEDED', Result: '1' } } }],
  FAILED: [{ do: 'end', on: 'e1', how: { output: { Status: 'FAILED', Error: BOOM } } }],
  TIMED_OUT: [{ do: 'advance', ms: 97_000 }],
  STOPPED: [{ do: 'stop', on: 'e1', error: BOOM }],
}

function closed(): readonly Sequence[] {
  return STATUSES_OF.EXECUTION.filter((prior) => prior !== 'STARTED').map((prior) => {
    const cells = REACHABLE.filter((cell) => cell.type === 'EXECUTION' && cell.prior === prior)
    return {
      title: `EXECUTION ${prior}: every refusal`,
      commands: [invoke('e0', 'puppet'), invoke('e1', 'brief'), ...(ENDINGS[prior] ?? []), ...cells.map(refusal)],
    }
  })
}
