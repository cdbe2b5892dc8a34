/** What all kinds of filter patterns are read with: a cursor over the text, and the error that tells where it stops. */

/** The text is no filter pattern. The message is for whoever wrote it. */
export class InvalidPattern extends Error {
  override readonly name = 'InvalidPattern'
}

/** As the real service bounds it; so is everything that recurses or repeats over a pattern. */
export const MAX_PATTERN_LENGTH = 1_024
/** Regular expressions in one pattern. */
const MAX_EXPRESSIONS = 2

export class PatternReader {
  readonly text: string
  #at = 0
  #expressions = 0

  constructor(text: string) {
    if (text.length > MAX_PATTERN_LENGTH) {
      throw new InvalidPattern(`The filter pattern has more than ${MAX_PATTERN_LENGTH} characters`)
    }
    this.text = text
  }

  get rest(): string {
    return this.text.slice(this.#at)
  }

  get atEnd(): boolean {
    return this.#at >= this.text.length
  }

  skipSpace(): void {
    while (/\s/.test(this.text.charAt(this.#at))) this.#at += 1
  }

  /** Takes `token` when it is next, after any space. */
  take(token: string): boolean {
    this.skipSpace()
    if (!this.text.startsWith(token, this.#at)) return false
    this.#at += token.length
    return true
  }

  /** Takes what the sticky expression matches here, after any space. */
  match(expression: RegExp): string | undefined {
    this.skipSpace()
    expression.lastIndex = this.#at
    const found = expression.exec(this.text)?.[0]
    if (found === undefined || found === '') return undefined
    this.#at += found.length
    return found
  }

  expect(token: string): void {
    if (!this.take(token)) throw this.unexpected(`"${token}"`)
  }

  unexpected(wanted: string): InvalidPattern {
    const found = this.atEnd ? 'its end' : `"${this.rest.slice(0, 20)}"`
    return new InvalidPattern(`The filter pattern needs ${wanted} at character ${this.#at + 1}, and has ${found} there`)
  }

  /** What stands between two of `quote`, behind the first, with `\` before what means itself. */
  quoted(quote: string): string {
    let value = ''
    while (!this.atEnd) {
      const char = this.text.charAt(this.#at)
      this.#at += 1
      if (char === quote) return value
      const next = this.text.charAt(this.#at)
      if (char === '\\' && (next === quote || next === '\\')) {
        value += next
        this.#at += 1
      } else value += char
    }
    throw this.unexpected(`a closing ${quote}`)
  }

  /** What stands between two `%`, behind the first. A `\%` is for the expression to read. */
  expression(): string {
    this.#expressions += 1
    if (this.#expressions > MAX_EXPRESSIONS) {
      throw new InvalidPattern(`The filter pattern has more than ${MAX_EXPRESSIONS} regular expressions`)
    }
    let source = ''
    while (!this.atEnd) {
      const char = this.text.charAt(this.#at)
      this.#at += 1
      if (char === '%') return source
      source += char
      if (char === '\\') {
        source += this.text.charAt(this.#at)
        this.#at += 1
      }
    }
    throw this.unexpected('a closing %')
  }
}
