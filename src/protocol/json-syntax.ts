/**
 * Whether bytes are a JSON text, told without building its values: the payload of an Invoke is stored as it came, and
 * six megabytes of brackets must not become hundreds of megabytes of empty lists. Agrees with `JSON.parse` on every
 * valid UTF-8 text (property-tested).
 *
 * What may come next:  value → (scalar) → after;  `[` → valueOrEnd;  `{` → keyOrEnd;  key → colon → value;
 * after + `,` → value in a list, key in an object;  after + the closing bracket → after, one level up.
 */
type Expected = 'value' | 'valueOrEnd' | 'key' | 'keyOrEnd' | 'colon' | 'after'

const SPACE = 0x20
const QUOTE = 0x22
const PLUS = 0x2b
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const COLON = 0x3a
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const SMALL_U = 0x75
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const TRUE = [0x74, 0x72, 0x75, 0x65]
const FALSE = [0x66, 0x61, 0x6c, 0x73, 0x65]
const NULL = [0x6e, 0x75, 0x6c, 0x6c]
/** `" \ / b f n r t`: what may follow a backslash, but for `u`. */
const ESCAPED = new Set([0x22, 0x5c, 0x2f, 0x62, 0x66, 0x6e, 0x72, 0x74])

/** The offset at which the bytes stop being JSON, or -1 when they are. Scanners answer `~offset` for an error. */
export function jsonSyntaxError(bytes: Uint8Array): number {
  const closers: number[] = []
  let expected: Expected = 'value'
  let at = 0
  for (;;) {
    at = skipSpace(bytes, at)
    const byte = bytes[at]
    if (byte === undefined) return expected === 'after' && closers.length === 0 ? -1 : at
    if (expected === 'after') {
      const closer = closers.at(-1)
      if (closer !== undefined && byte === closer) closers.pop()
      else if (closer !== undefined && byte === COMMA) expected = closer === CLOSE_LIST ? 'value' : 'key'
      else return at
      at += 1
    } else if (expected === 'colon') {
      if (byte !== COLON) return at
      expected = 'value'
      at += 1
    } else if (
      (expected === 'valueOrEnd' && byte === CLOSE_LIST) ||
      (expected === 'keyOrEnd' && byte === CLOSE_OBJECT)
    ) {
      closers.pop()
      expected = 'after'
      at += 1
    } else if (expected === 'key' || expected === 'keyOrEnd') {
      if (byte !== QUOTE) return at
      at = scanString(bytes, at + 1)
      if (at < 0) return ~at
      expected = 'colon'
    } else if (byte === OPEN_LIST) {
      closers.push(CLOSE_LIST)
      expected = 'valueOrEnd'
      at += 1
    } else if (byte === OPEN_OBJECT) {
      closers.push(CLOSE_OBJECT)
      expected = 'keyOrEnd'
      at += 1
    } else {
      at = scanScalar(bytes, at, byte)
      if (at < 0) return ~at
      expected = 'after'
    }
  }
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from
  for (;;) {
    const byte = bytes[at]
    if (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at
    at += 1
  }
}

function scanScalar(bytes: Uint8Array, at: number, first: number): number {
  if (first === QUOTE) return scanString(bytes, at + 1)
  if (first === MINUS || isDigit(first)) return scanNumber(bytes, at)
  if (first === TRUE[0]) return scanWord(bytes, at, TRUE)
  if (first === FALSE[0]) return scanWord(bytes, at, FALSE)
  if (first === NULL[0]) return scanWord(bytes, at, NULL)
  return ~at
}

function scanWord(bytes: Uint8Array, at: number, word: readonly number[]): number {
  for (const [index, byte] of word.entries()) if (bytes[at + index] !== byte) return ~(at + index)
  return at + word.length
}

/** From behind the opening quote to behind the closing one. */
function scanString(bytes: Uint8Array, from: number): number {
  let at = from
  for (;;) {
    const byte = bytes[at]
    if (byte === undefined || byte < SPACE) return ~at
    if (byte === QUOTE) return at + 1
    at += 1
    if (byte !== BACKSLASH) continue
    const escaped = bytes[at]
    if (escaped === SMALL_U) {
      for (let digit = 1; digit <= 4; digit++) if (!isHex(bytes[at + digit])) return ~(at + digit)
      at += 5
    } else if (escaped !== undefined && ESCAPED.has(escaped)) at += 1
    else return ~at
  }
}

function scanNumber(bytes: Uint8Array, from: number): number {
  let at = bytes[from] === MINUS ? from + 1 : from
  if (bytes[at] === ZERO) at += 1
  else at = scanDigits(bytes, at)
  if (at >= 0 && bytes[at] === DOT) at = scanDigits(bytes, at + 1)
  if (at >= 0 && (bytes[at] === 0x65 || bytes[at] === 0x45)) {
    const signed = bytes[at + 1] === PLUS || bytes[at + 1] === MINUS
    at = scanDigits(bytes, at + (signed ? 2 : 1))
  }
  return at
}

/** One digit or more. */
function scanDigits(bytes: Uint8Array, from: number): number {
  if (!isDigit(bytes[from])) return ~from
  let at = from + 1
  while (isDigit(bytes[at])) at += 1
  return at
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39

function isHex(byte: number | undefined): boolean {
  if (byte === undefined) return false
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)
}
