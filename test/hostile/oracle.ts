/**
 * What the table of operations says of an input: an interpreter of the constraints as data, which shares no code with
 * the one that serves requests. It tells what must be refused and how, and what must not be refused as malformed.
 */
import { isUtf8 } from 'node:buffer'
import type { Constraint } from '../../src/protocol/constraints.ts'
import type { InputMember } from '../../src/protocol/operations.ts'
import type { Expected } from './attack.ts'
import type { OperationInput } from './request.ts'

/** The server's limits that the attacks go up to and beyond; lower than the defaults, so that their edges are cheap. */
export const LIMITS = {
  checkpointBodyBytes: 524_288,
  syncPayloadBytes: 16_384,
  asyncPayloadBytes: 8_192,
  callbackResultBytes: 4_096,
  callbackErrorBytes: 4_096,
  updatesPerCheckpoint: 50,
  operationPayloadBytes: 2_000,
  updateErrorBytes: 1_000,
  headersTimeoutMs: 1_000,
  requestTimeoutMs: 4_000,
} as const

/** At most so many violations are spelled out; which of more is not said. */
const SPELLED_OUT = 20

interface Findings {
  /** A value of the wrong JSON type: the reading ends there. */
  wrongType: boolean
  readonly violations: string[]
}

export function expectationOf({ operation, texts, body }: OperationInput): Expected {
  const findings: Findings = { wrongType: false, violations: [] }
  const bodyLimit = bodyLimitOf(operation.name, texts)
  if (bodyLimit !== undefined && (body?.length ?? 0) > bodyLimit) return { outcome: 'refused', types: TOO_LARGE }
  const members = Object.entries(operation.input)
  const readsJson = members.some(([, { in: place }]) => place === 'body' || place === 'payload')
  const json = readsJson ? parse(body) : undefined
  if (json === MALFORMED) return { outcome: 'refused', types: ['SerializationException'] }
  for (const [name, member] of members) readMember(name, member, texts[name] ?? [], json, findings)
  return expected(tooManyUpdates(json) ?? findings)
}

const TOO_LARGE = [
  'RequestEntityTooLargeException',
  'RequestTooLargeException',
  'InvalidParameterValueException',
  'ValidationException',
] as const

function bodyLimitOf(operation: string, texts: OperationInput['texts']): number | undefined {
  switch (operation) {
    case 'CheckpointDurableExecution':
      return LIMITS.checkpointBodyBytes
    case 'SendDurableExecutionCallbackSuccess':
      return LIMITS.callbackResultBytes
    case 'SendDurableExecutionCallbackFailure':
    case 'StopDurableExecution':
      return LIMITS.callbackErrorBytes
    case 'Invoke':
      return texts['InvocationType']?.[0] === 'Event' ? LIMITS.asyncPayloadBytes : LIMITS.syncPayloadBytes
    default:
      return undefined
  }
}

const MALFORMED = Symbol('malformed')

function parse(body: Buffer | undefined): unknown {
  if (body === undefined || body.length === 0) return undefined
  if (!isUtf8(body)) return MALFORMED
  try {
    return JSON.parse(body.toString())
  } catch {
    return MALFORMED
  }
}

function tooManyUpdates(json: unknown): Findings | undefined {
  const updates = isStructure(json) && Object.hasOwn(json, 'Updates') ? json['Updates'] : undefined
  if (!Array.isArray(updates) || updates.length <= LIMITS.updatesPerCheckpoint) return undefined
  const violation = at('updates', `have length less than or equal to ${LIMITS.updatesPerCheckpoint}`)
  return { wrongType: false, violations: [violation] }
}

function expected({ wrongType, violations }: Findings): Expected {
  if (wrongType) return { outcome: 'refused', types: ['SerializationException'] }
  const [first] = violations
  if (first === undefined) return { outcome: 'either', not: ['SerializationException', 'ValidationException'] }
  const telling = violations.length <= SPELLED_OUT ? { telling: first } : undefined
  return { outcome: 'refused', types: ['ValidationException'], ...telling }
}

function readMember(
  name: string,
  { in: place, constraint, required }: InputMember,
  texts: readonly string[],
  json: unknown,
  findings: Findings,
): void {
  const path = camel(name)
  if (place === 'payload') {
    judge(constraint, json, '', findings)
    return
  }
  if (place !== 'body') {
    if (texts.length > 0) judgeTexts(constraint, texts, path, findings)
    else if (required === true) findings.violations.push(at(path, 'not be null'))
    return
  }
  if (json !== undefined && json !== null && !isStructure(json)) {
    findings.wrongType = true
    return
  }
  judgeField(json ?? {}, name, { constraint, required }, path, findings)
}

function judgeTexts(constraint: Constraint, texts: readonly string[], path: string, findings: Findings): void {
  if (constraint.kind === 'list') {
    const count = texts.length
    if (count > constraint.maxItems) {
      findings.violations.push(at(path, `have length less than or equal to ${constraint.maxItems}`))
    }
    for (const [index, text] of texts.entries()) {
      judgeText(constraint.of, text, `${path}.${index + 1}.member`, findings)
    }
  } else judgeText(constraint, texts[0] ?? '', path, findings)
}

/** What a timestamp may look like is a matter of its own tests; the attacks use texts of which there is no doubt. */
export const GOOD_TIMESTAMPS = ['2025-01-01T00:00:00Z', '1700000000', '1700000000.5', '2025-06-30T23:59:59.999Z']

function judgeText(constraint: Constraint, text: string, path: string, findings: Findings): void {
  switch (constraint.kind) {
    case 'integer':
      if (/^-?\d{1,15}$/.test(text)) judge(constraint, Number(text), path, findings)
      else findings.wrongType = true
      return
    case 'boolean':
      if (text !== 'true' && text !== 'false') findings.wrongType = true
      return
    case 'timestamp':
      if (!GOOD_TIMESTAMPS.includes(text)) findings.wrongType = true
      return
    default:
      judge(constraint, text, path, findings)
  }
}

function judgeField(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  member: { readonly constraint: Constraint; readonly required?: boolean | undefined },
  path: string,
  findings: Findings,
): void {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (value !== undefined && value !== null) judge(member.constraint, value, path, findings)
  else if (member.required === true) findings.violations.push(at(path, 'not be null'))
}

function judge(constraint: Constraint, value: unknown, path: string, findings: Findings): void {
  if (value === undefined || value === null) return
  const wrong = (is: boolean): boolean => {
    if (is) findings.wrongType = true
    return is
  }
  const violates = (is: boolean, must: string): void => {
    if (is) findings.violations.push(at(path, must))
  }
  switch (constraint.kind) {
    case 'text': {
      if (wrong(typeof value !== 'string')) return
      const text = value as string
      violates(text.length < constraint.minLength, `have length greater than or equal to ${constraint.minLength}`)
      violates(text.length > constraint.maxLength, `have length less than or equal to ${constraint.maxLength}`)
      const { pattern } = constraint
      const fits = pattern === undefined || new RegExp(`^(?:${pattern})$`).test(text)
      violates(!fits, 'satisfy regular expression pattern: ')
      return
    }
    case 'oneOf':
      if (!wrong(typeof value !== 'string')) {
        violates(!constraint.values.includes(value as string), 'satisfy enum value set: [')
      }
      return
    case 'integer':
      if (wrong(!Number.isInteger(value))) return
      violates((value as number) < constraint.min, `have value greater than or equal to ${constraint.min}`)
      violates((value as number) > constraint.max, `have value less than or equal to ${constraint.max}`)
      return
    case 'number':
      if (wrong(typeof value !== 'number')) return
      violates((value as number) < constraint.min, `have value greater than or equal to ${constraint.min}`)
      violates((value as number) > constraint.max, `have value less than or equal to ${constraint.max}`)
      return
    case 'blob':
      if (wrong(typeof value !== 'string' || !/^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2,3})?={0,2}$/.test(value))) return
      violates(Buffer.from(value as string, 'base64').length > constraint.maxBytes, 'have length')
      return
    case 'map': {
      if (wrong(!isStructure(value))) return
      const fields = Object.entries(value as Readonly<Record<string, unknown>>)
      violates(fields.length > constraint.maxItems, `have length less than or equal to ${constraint.maxItems}`)
      for (const [name, field] of fields) {
        judge(constraint.key, name, `${path}.key`, findings)
        if (field === null) findings.violations.push(at(`${path}.${name}.member`, 'not be null'))
        judge(constraint.of, field, `${path}.${name}.member`, findings)
      }
      return
    }
    case 'boolean':
      wrong(typeof value !== 'boolean')
      return
    case 'timestamp':
      wrong(typeof value !== 'number')
      return
    case 'list':
      if (wrong(!Array.isArray(value))) return
      violates(
        (value as unknown[]).length < constraint.minItems,
        `have length greater than or equal to ${constraint.minItems}`,
      )
      violates(
        (value as unknown[]).length > constraint.maxItems,
        `have length less than or equal to ${constraint.maxItems}`,
      )
      for (const [index, element] of (value as readonly unknown[]).entries()) {
        const where = `${path}.${index + 1}.member`
        if (element === null) findings.violations.push(at(where, 'not be null'))
        judge(constraint.of, element, where, findings)
      }
      return
    case 'structure':
      if (!isStructure(value)) findings.wrongType = true
      else {
        for (const [name, member] of Object.entries(constraint.members)) {
          judgeField(value, name, member, path === '' ? camel(name) : `${path}.${camel(name)}`, findings)
        }
      }
  }
}

const isStructure = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const camel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)
const at = (path: string, must: string): string => `at '${path}' failed to satisfy constraint: Member must ${must}`
