/** The constraints of a checkpoint's updates (spec 03 §3.3) and the text of their violations (spec 01 §1.0). */
import { Refusal, UNKNOWN } from './values.ts'

/** An OperationUpdate as it goes onto the wire; members may be nonsense. */
export interface Update {
  readonly Id?: string
  readonly ParentId?: string
  readonly Name?: string
  readonly Type?: string
  readonly SubType?: string
  readonly Action?: string
  readonly Payload?: string
  readonly Error?: { readonly ErrorType?: string; readonly ErrorMessage?: string; readonly ErrorData?: string }
  readonly ContextOptions?: { readonly ReplayChildren?: boolean }
  readonly StepOptions?: { readonly NextAttemptDelaySeconds?: number }
  readonly WaitOptions?: { readonly WaitSeconds?: number }
  readonly CallbackOptions?: { readonly TimeoutSeconds?: number; readonly HeartbeatTimeoutSeconds?: number }
  readonly ChainedInvokeOptions?: { readonly FunctionName?: string }
}

const WORD = '[a-zA-Z0-9-_]+'
const TYPES = ['EXECUTION', 'CONTEXT', 'STEP', 'WAIT', 'CALLBACK', 'CHAINED_INVOKE']
const ACTIONS = ['START', 'SUCCEED', 'FAIL', 'RETRY', 'CANCEL']
const LONGEST_DELAY_SECONDS = 31_622_400
const LONGEST_TIMEOUT_SECONDS = 99_999_999

/** What is wrong with one member: it may break several constraints at a time. */
type Faults = readonly string[]
const notNull = 'not be null'

const text =
  (max: number, pattern: string, required = false) =>
  (given: string | undefined): Faults => {
    if (given === undefined) return required ? [notNull] : []
    // What the server has made up is of the right form.
    const value = given.replaceAll(UNKNOWN, 'x')
    return [
      ...(value.length < 1 ? ['have length greater than or equal to 1'] : []),
      ...(value.length > max ? [`have length less than or equal to ${max}`] : []),
      ...(new RegExp(`^${pattern}$`).test(value) ? [] : [`satisfy regular expression pattern: ${pattern}`]),
    ]
  }

const choice =
  (values: readonly string[]) =>
  (value: string | undefined): Faults => {
    if (value === undefined) return [notNull]
    return values.includes(value) ? [] : [`satisfy enum value set: [${values.join(', ')}]`]
  }

const seconds =
  (min: number, max: number) =>
  (value: number | undefined): Faults => {
    if (value !== undefined && value < min) return [`have value greater than or equal to ${min}`]
    return value !== undefined && value > max ? [`have value less than or equal to ${max}`] : []
  }

/** Every constrained member of an update, in the order of spec 03 §3.3. */
const MEMBERS: readonly (readonly [
  path: string,
  value: (update: Update) => unknown,
  faults: (update: Update) => Faults,
])[] = [
  member('id', ({ Id }) => Id, text(64, WORD, true)),
  member('parentId', ({ ParentId }) => ParentId, text(64, WORD)),
  member('name', ({ Name }) => Name, text(256, '[\\x20-\\x7E]+')),
  member('type', ({ Type }) => Type, choice(TYPES)),
  member('subType', ({ SubType }) => SubType, text(32, WORD)),
  member('action', ({ Action }) => Action, choice(ACTIONS)),
  member(
    'stepOptions.nextAttemptDelaySeconds',
    ({ StepOptions }) => StepOptions?.NextAttemptDelaySeconds,
    seconds(1, LONGEST_DELAY_SECONDS),
  ),
  member('waitOptions.waitSeconds', ({ WaitOptions }) => WaitOptions?.WaitSeconds, seconds(1, LONGEST_DELAY_SECONDS)),
  member(
    'callbackOptions.timeoutSeconds',
    ({ CallbackOptions }) => CallbackOptions?.TimeoutSeconds,
    seconds(0, LONGEST_TIMEOUT_SECONDS),
  ),
  member(
    'callbackOptions.heartbeatTimeoutSeconds',
    ({ CallbackOptions }) => CallbackOptions?.HeartbeatTimeoutSeconds,
    seconds(0, LONGEST_TIMEOUT_SECONDS),
  ),
  [
    'chainedInvokeOptions.functionName',
    ({ ChainedInvokeOptions }) => ChainedInvokeOptions?.FunctionName,
    ({ ChainedInvokeOptions }) =>
      ChainedInvokeOptions !== undefined && ChainedInvokeOptions.FunctionName === undefined ? [notNull] : [],
  ],
]

function member<Value>(path: string, value: (update: Update) => Value, faults: (value: Value) => Faults) {
  return [path, value, (update: Update) => faults(value(update))] as const
}

/** All violations of a request are told at once (spec 01 §1.0), list elements counted from 1. */
export function checkShape(updates: readonly Update[]): void {
  const violations = updates.flatMap((update, index) =>
    MEMBERS.flatMap(([path, value, faults]) => {
      const given = value(update)
      const shown = given === undefined ? 'Value null' : `Value '${given}'`
      const at = `updates.${index + 1}.member.${path}`
      return faults(update).map((ending) => `${shown} at '${at}' failed to satisfy constraint: Member must ${ending}`)
    }),
  )
  if (violations.length === 0) return
  const errors = violations.length === 1 ? 'error' : 'errors'
  throw new Refusal(
    'shape',
    'ValidationException',
    `${violations.length} validation ${errors} detected: ${violations.join('; ')}`,
  )
}
