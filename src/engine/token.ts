/**
 * Checkpoint tokens and callback ids (decision 12): hexadecimal texts that say which execution they belong to, so
 * that no directory is needed, and carry 16 random bytes, so that nobody can make one up.
 *
 *     token        01 ‖ execution id (16) ‖ invocation number (4) ‖ counter n (4) ‖ nonce of the invocation (16)
 *     callback id  01 ‖ execution id (16) ‖ ordinal of the operation (4) ‖ secret (16)
 */
import { type ApiError, invalidParameter, TEXT } from '../protocol/errors.ts'
import type { ExecutionState, Invocation } from './model.ts'

const VERSION = '01'
const tokenForm = /^01([0-9a-f]{32})([0-9a-f]{8})([0-9a-f]{8})([0-9a-f]{32})$/
const callbackIdForm = /^01([0-9a-f]{32})([0-9a-f]{8})([0-9a-f]{32})$/

export interface TokenParts {
  readonly executionId: string
  readonly invocation: number
  readonly n: number
  readonly nonce: string
}

export interface CallbackIdParts {
  readonly executionId: string
  readonly ordinal: number
  readonly secret: string
}

const compact = (uuid: string): string => uuid.replaceAll('-', '')
const uint32 = (value: number): string => value.toString(16).padStart(8, '0')

function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export function mintToken(executionId: string, invocation: Invocation, n: number): string {
  return VERSION + compact(executionId) + uint32(invocation.number) + uint32(n) + invocation.nonce
}

/** The parts of a token of ours, or undefined for any other text. */
export function parseToken(text: string): TokenParts | undefined {
  const match = tokenForm.exec(text)
  if (match === null) return undefined
  const [, id, invocation, n, nonce] = match as unknown as [string, string, string, string, string]
  return { executionId: uuidOf(id), invocation: Number.parseInt(invocation, 16), n: Number.parseInt(n, 16), nonce }
}

export function mintCallbackId(executionId: string, ordinal: number, secret: string): string {
  return VERSION + compact(executionId) + uint32(ordinal) + secret
}

/** The parts of a callback id of ours, or undefined: `Invalid callback id` (spec 08 §8.5). */
export function parseCallbackId(text: string): CallbackIdParts | undefined {
  const match = callbackIdForm.exec(text)
  if (match === null) return undefined
  const [, id, ordinal, secret] = match as unknown as [string, string, string, string]
  return { executionId: uuidOf(id), ordinal: Number.parseInt(ordinal, 16), secret }
}

/** Compares in a time that does not depend on where the texts differ. */
export function sameSecret(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}

/** The token that the next checkpoint must carry, or undefined while there is none (spec 05 §5.1). */
export function currentToken(state: ExecutionState): string | undefined {
  const { invocation } = state
  if (state.status !== 'RUNNING' || invocation === undefined || invocation.outcome !== undefined) return undefined
  return mintToken(state.start.executionId, invocation, invocation.n)
}

/** Why a token is refused (spec 05 §5.3), or undefined when it is the current one. */
export function checkToken(state: ExecutionState, token: string): ApiError | undefined {
  const current = currentToken(state)
  if (current !== undefined && sameSecret(current, token)) return undefined
  const foreign = (parseToken(token)?.executionId ?? state.start.executionId) !== state.start.executionId
  return invalidParameter(foreign ? TEXT.foreignToken : TEXT.invalidToken)
}
