/**
 * The values that the oracle answers with. What the server draws at random or takes from its clock the oracle cannot
 * know; it names such a value, and the comparison binds the name to what the server said first (`../likeness.ts`).
 */

/** A moment of the logical clock, in milliseconds since the sequence began. */
export class Instant {
  readonly ms: number

  constructor(ms: number) {
    this.ms = ms
  }
}

/** The name of a value that only the server knows: a token, an id. It may stand inside a longer text. */
export const unknown = (kind: string, of: string): string => `«${kind} ${of}»`
export const UNKNOWN = /«[^»]*»/g

export interface Answer {
  readonly status: number
  /** Absent for success. A `text` of undefined: the specification gives none, and none is compared. */
  readonly error?: { readonly type: string; readonly text: string | undefined }
  readonly body?: unknown
  /** Headers that are compared; others may be there. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Why a request is refused. Thrown, and turned into an `Answer` by the world. */
export class Refusal extends Error {
  readonly status: number
  readonly type: string
  readonly text: string | undefined
  /** The rule that refused, in the words of the coverage table (`../cells.ts`). */
  readonly rule: string

  constructor(rule: string, type: string, text: string | undefined, status = 400) {
    super(text ?? type)
    this.rule = rule
    this.type = type
    this.text = text
    this.status = status
  }

  get answer(): Answer {
    return { status: this.status, error: { type: this.type, text: this.text } }
  }
}

/** Spec 04 §4.0: a violated rule of the state machine. */
export const invalid = (rule: string, text: string): Refusal =>
  new Refusal(rule, 'InvalidParameterValueException', text)

/** Leaves out members that are undefined: what is absent is not in the JSON (spec 03 §3.4). */
export function present<T extends object>(members: T): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
}
