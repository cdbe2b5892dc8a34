/** What must be true of every answer, whatever was asked: the modelled form (spec 01 §1.0), and what the attack expects. */
import { ERRORS, type ErrorName } from '../../src/protocol/errors.ts'
import type { Attack, Expected } from './attack.ts'
import { type Answer, Fault } from './wire.ts'

/** An error tells what is wrong, and repeats of the request only a bounded part. */
const ERROR_BYTES = 65_536

/** Errors that any request may get, whatever its operation: it may turn out to be none. */
const OF_ALL: readonly ErrorName[] = [
  'SerializationException',
  'RequestTimeoutException',
  'UnknownOperationException',
  'AccessDeniedException',
]
/** What the server answers to bytes that are no request: as a SerializationException (spec 01 §1.0), if they came. */
const NO_REQUEST = [400, 413, 417, 431]
const OF_NO_REQUEST: readonly ErrorName[] = ['SerializationException', 'RequestTimeoutException']

/** For the table of kinds: the status, and the error's type. Throws a `Fault` when the answer is wrong. */
export function judge(answer: Answer, attack: Attack): string {
  const { status, headers } = answer
  requireThat(
    status >= 200 && status < 500 && (status < 300 || status >= 400),
    `a status of ${status}: ${answer.body.slice(0, 300)}`,
  )
  if (status < 300) {
    requireThat(attack.expected.outcome !== 'refused', `accepted with ${status}: ${answer.body.slice(0, 300)}`)
    return String(status)
  }
  const type = headers.get('x-amzn-errortype') ?? ''
  requireThat(isErrorName(type), `an error of type "${type}"`)
  const message = attack.head === true ? undefined : modelledMessage(answer, type)
  requireExpected(attack.expected, type, message)
  const { operation } = attack
  if (operation !== undefined) {
    requireThat(operation.errors.includes(type) || OF_ALL.includes(type), `${operation.name} has no ${type}`)
  }
  return `${status} ${type}`
}

function modelledMessage({ status, headers, body }: Answer, type: ErrorName): string {
  const { httpStatus, fault, messageMember } = ERRORS[type]
  const fits = status === httpStatus || (type === 'SerializationException' && NO_REQUEST.includes(status))
  requireThat(fits, `${type} with ${status}`)
  requireThat(headers.get('content-type') === 'application/json', `the content type ${headers.get('content-type')}`)
  requireThat(body.length <= ERROR_BYTES, `an error of ${body.length} characters`)
  const requestId = headers.get('x-amzn-requestid')
  // What was refused before it was a request has no id.
  const isNone = OF_NO_REQUEST.includes(type) && headers.get('connection') === 'close'
  requireThat(
    isNone || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(requestId ?? ''),
    `the request id ${requestId}`,
  )
  const told = parse(body)
  requireThat(told['Type'] === fault, `the fault ${String(told['Type'])}`)
  const message = told[messageMember]
  if (typeof message !== 'string' || message === '') throw new Fault(`no ${messageMember}: ${body.slice(0, 300)}`)
  return message
}

function parse(body: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(body) as Record<string, unknown>
  } catch {
    throw new Fault(`an error that is no JSON: ${body.slice(0, 300)}`)
  }
}

function requireExpected(
  { outcome, types, not, telling }: Expected,
  type: ErrorName,
  message: string | undefined,
): void {
  requireThat(outcome !== 'accepted', `refused with ${type}: ${message}`)
  requireThat(types === undefined || types.includes(type), `${type} in place of ${types?.join(' or ')}: ${message}`)
  requireThat(not === undefined || !not.includes(type), `${type}, though the request is valid: ${message}`)
  if (telling !== undefined && message !== undefined) {
    requireThat(message.includes(telling), `the error does not tell "${telling}": ${message.slice(0, 1_000)}`)
  }
}

const isErrorName = (text: string): text is ErrorName => Object.hasOwn(ERRORS, text)

function requireThat(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Fault(otherwise)
}
