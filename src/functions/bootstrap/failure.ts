/** The error JSON that a Node function posts to the Runtime API (spec 10 §10.1). */
export interface Failure {
  readonly errorType: string
  readonly errorMessage: string
  readonly trace: readonly string[]
}

/** A failure that the bootstrap itself found, with the type that the official client gives it. */
export class RuntimeError extends Error {
  constructor(errorType: string, message: string, stack?: string) {
    super(message)
    this.name = errorType
    if (stack !== undefined) this.stack = stack
  }
}

/**
 * Whatever a handler threw:
 *
 *     new TypeError('x')   → TypeError, x, stack lines
 *     'x'                  → string, x, []
 *     { code: 1 }          → object, [object Object], []
 */
export function failureOf(thrown: unknown): Failure {
  try {
    if (isErrorLike(thrown)) {
      return {
        errorType: printable(String(thrown.name)),
        errorMessage: String(thrown.message),
        trace: typeof thrown.stack === 'string' ? thrown.stack.split('\n') : [],
      }
    }
    return { errorType: typeof thrown, errorMessage: String(thrown), trace: [] }
  } catch {
    // A thrown object whose members throw when read: it is a failure all the same.
    return { errorType: 'handled', errorMessage: 'the thrown value cannot be shown as text', trace: [] }
  }
}

function isErrorLike(value: unknown): value is { name: unknown; message: unknown; stack?: unknown } {
  if (value instanceof Error) return true
  // Errors of another realm (vm contexts) are no instances of this realm's Error.
  return typeof value === 'object' && value !== null && 'name' in value && 'message' in value && 'stack' in value
}

/** The type travels in a header too. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?')
}
