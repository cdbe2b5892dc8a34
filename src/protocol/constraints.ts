/**
 * What every input member may be (spec 01, 02, 03): lengths, patterns, ranges, enumerations, required members. Data
 * only; `validate.ts` reads it, `operations.ts` names the members, the documentation is made from both.
 */
import { EXECUTION_ARN_PATTERN, FUNCTION_REFERENCE_PATTERN } from './arn.ts'
import { OPERATION_ACTIONS, OPERATION_TYPES } from './shapes.ts'

export interface TextConstraint {
  readonly kind: 'text'
  readonly minLength: number
  readonly maxLength: number
  /** Source of a regular expression that the whole text must match. */
  readonly pattern: string | undefined
  readonly regex: RegExp | undefined
  /** Never repeated in an error text: payloads and errors belong to the user's data. */
  readonly sensitive: boolean
}

export interface OneOfConstraint<Value extends string = string> {
  readonly kind: 'oneOf'
  readonly values: readonly Value[]
  readonly set: ReadonlySet<string>
}

export interface IntegerConstraint {
  readonly kind: 'integer'
  readonly min: number
  readonly max: number
}

/** A number with fractions. */
export interface NumberConstraint {
  readonly kind: 'number'
  readonly min: number
  readonly max: number
}

/** Bytes: base64 on the wire. */
export interface BlobConstraint {
  readonly kind: 'blob'
  readonly maxBytes: number
}

/** A structure whose member names are data. */
export interface MapConstraint<Value extends Constraint = Constraint> {
  readonly kind: 'map'
  readonly key: TextConstraint
  readonly of: Value
  readonly maxItems: number
}

export interface BooleanConstraint {
  readonly kind: 'boolean'
}

/** ISO-8601 or epoch seconds on the wire, epoch milliseconds in here. */
export interface TimestampConstraint {
  readonly kind: 'timestamp'
}

export interface ListConstraint<Element extends Constraint = Constraint> {
  readonly kind: 'list'
  readonly of: Element
  readonly minItems: number
  readonly maxItems: number
}

export interface StructureConstraint<Members extends MemberTable = MemberTable> {
  readonly kind: 'structure'
  readonly members: Members
}

export type Constraint =
  | TextConstraint
  | OneOfConstraint
  | IntegerConstraint
  | NumberConstraint
  | BooleanConstraint
  | BlobConstraint
  | MapConstraint
  | TimestampConstraint
  | ListConstraint
  | StructureConstraint

export interface Member {
  readonly constraint: Constraint
  readonly required?: boolean
}
export type MemberTable = { readonly [name: string]: Member }

/** The TypeScript type of a value that a constraint lets pass. */
export type ValueOf<C> =
  C extends OneOfConstraint<infer Value>
    ? Value
    : C extends { readonly kind: 'text' }
      ? string
      : C extends { readonly kind: 'integer' | 'number' | 'timestamp' }
        ? number
        : C extends { readonly kind: 'boolean' }
          ? boolean
          : C extends { readonly kind: 'list'; readonly of: infer Element }
            ? readonly ValueOf<Element>[]
            : C extends { readonly kind: 'blob' }
              ? Uint8Array
              : C extends { readonly kind: 'map'; readonly of: infer Value }
                ? Readonly<Record<string, ValueOf<Value>>>
                : C extends { readonly kind: 'structure'; readonly members: infer Members }
                  ? ValuesOf<Members>
                  : never

type RequiredNames<Members> = {
  [Name in keyof Members]: Members[Name] extends { readonly required: true } ? Name : never
}[keyof Members]
type ConstraintIn<M> = M extends { readonly constraint: infer C } ? C : never

export type ValuesOf<Members> = {
  readonly [Name in RequiredNames<Members>]: ValueOf<ConstraintIn<Members[Name]>>
} & {
  readonly [Name in Exclude<keyof Members, RequiredNames<Members>>]?: ValueOf<ConstraintIn<Members[Name]>>
}

export const UNBOUNDED = Number.MAX_SAFE_INTEGER

export function text(minLength: number, maxLength: number, pattern?: string): TextConstraint {
  const regex = pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`)
  return { kind: 'text', minLength, maxLength, pattern, regex, sensitive: false }
}

export function sensitiveText(minLength: number, maxLength: number): TextConstraint {
  return { ...text(minLength, maxLength), sensitive: true }
}

export function oneOf<const Value extends string>(values: readonly Value[]): OneOfConstraint<Value> {
  return { kind: 'oneOf', values, set: new Set(values) }
}

export const integer = (min: number, max: number): IntegerConstraint => ({ kind: 'integer', min, max })

export const number = (min: number, max: number): NumberConstraint => ({ kind: 'number', min, max })

export const blob = (maxBytes: number): BlobConstraint => ({ kind: 'blob', maxBytes })

export function map<const Value extends Constraint>(
  key: TextConstraint,
  of: Value,
  maxItems: number,
): MapConstraint<Value> {
  return { kind: 'map', key, of, maxItems }
}

export function list<const Element extends Constraint>(
  of: Element,
  minItems: number,
  maxItems: number,
): ListConstraint<Element> {
  return { kind: 'list', of, minItems, maxItems }
}

export function structure<const Members extends MemberTable>(members: Members): StructureConstraint<Members> {
  return { kind: 'structure', members }
}

/** Seconds of a wait or a step's delay: up to 366 days (spec 03 §3.3). */
const DELAY_SECONDS = integer(1, 31_622_400)
const CALLBACK_SECONDS = integer(0, 99_999_999)
const WORD = '[a-zA-Z0-9-_]+'
const BASE64 = '[A-Za-z0-9+/]+={0,2}'

export const EXECUTION_ARN = text(1, 1024, EXECUTION_ARN_PATTERN)
export const FUNCTION_NAME = text(1, 256, FUNCTION_REFERENCE_PATTERN)
export const QUALIFIER = text(1, 128, '\\$(LATEST(\\.PUBLISHED)?)|[a-zA-Z0-9-_$]+')
export const EXECUTION_NAME = text(1, 64, WORD)
export const TENANT_ID = text(1, 256, '[a-zA-Z0-9\\._:\\/=+\\-@ ]+')
export const CALLBACK_ID = text(1, 1024, BASE64)
export const CHECKPOINT_TOKEN = text(1, 2048, BASE64)
export const CLIENT_TOKEN = text(1, 64, '[\\x21-\\x7E]+')
export const MAX_ITEMS = integer(0, 1000)
/** Page size of the classic list operations (spec 02 §2.5). */
export const CLASSIC_MAX_ITEMS = integer(1, 10_000)
export const MARKER = text(0, UNBOUNDED)
export const BOOLEAN: BooleanConstraint = { kind: 'boolean' }
export const TIMESTAMP: TimestampConstraint = { kind: 'timestamp' }
export const INVOCATION_TYPE = oneOf(['Event', 'RequestResponse', 'DryRun'])
export const LOG_TYPE = oneOf(['None', 'Tail'])
export const CLIENT_CONTEXT = text(0, 3583)
export const FUNCTION_VERSION_FILTER = oneOf(['ALL'])
/** The last three match nothing but executions that are being deleted (spec 12.2 row 16). */
export const LISTED_STATUS = oneOf([
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
  'TIMED_OUT',
  'STOPPED',
  'PAUSED',
  'PAUSING',
  'DELETING',
])
export const STATUSES = list(LISTED_STATUS, 1, 10)

/** Spec 03 §3.5: no limits by member; the size rules are semantic (spec 04 §4.4, 01 §1.8). */
export const ERROR_OBJECT = structure({
  ErrorMessage: { constraint: sensitiveText(0, UNBOUNDED) },
  ErrorType: { constraint: sensitiveText(0, UNBOUNDED) },
  ErrorData: { constraint: sensitiveText(0, UNBOUNDED) },
  StackTrace: { constraint: list(sensitiveText(0, UNBOUNDED), 0, UNBOUNDED) },
})

export const OPERATION_ID = text(1, 64, WORD)
export const OPERATION_NAME = text(1, 256, '[\\x20-\\x7E]+')
export const OPERATION_SUBTYPE = text(1, 32, WORD)
export const OPERATION_TYPE = oneOf(OPERATION_TYPES)
export const OPERATION_ACTION = oneOf(OPERATION_ACTIONS)
export const PAYLOAD = sensitiveText(0, 6_291_456)
export const STEP_DELAY_SECONDS = DELAY_SECONDS
export const WAIT_SECONDS = DELAY_SECONDS
export const TIMEOUT_SECONDS = CALLBACK_SECONDS

/** Spec 03 §3.3. */
export const OPERATION_UPDATE = structure({
  Id: { constraint: OPERATION_ID, required: true },
  ParentId: { constraint: OPERATION_ID },
  Name: { constraint: OPERATION_NAME },
  Type: { constraint: OPERATION_TYPE, required: true },
  SubType: { constraint: OPERATION_SUBTYPE },
  Action: { constraint: OPERATION_ACTION, required: true },
  Payload: { constraint: PAYLOAD },
  Error: { constraint: ERROR_OBJECT },
  ContextOptions: { constraint: structure({ ReplayChildren: { constraint: BOOLEAN } }) },
  StepOptions: { constraint: structure({ NextAttemptDelaySeconds: { constraint: STEP_DELAY_SECONDS } }) },
  WaitOptions: { constraint: structure({ WaitSeconds: { constraint: WAIT_SECONDS } }) },
  CallbackOptions: {
    constraint: structure({
      TimeoutSeconds: { constraint: TIMEOUT_SECONDS },
      HeartbeatTimeoutSeconds: { constraint: TIMEOUT_SECONDS },
    }),
  },
  ChainedInvokeOptions: {
    constraint: structure({
      FunctionName: { constraint: FUNCTION_NAME, required: true },
      TenantId: { constraint: TENANT_ID },
    }),
  },
})

/** Their number is bounded by an operator's limit, not by the model (spec 03 §3.3). */
export const UPDATES = list(OPERATION_UPDATE, 0, UNBOUNDED)
