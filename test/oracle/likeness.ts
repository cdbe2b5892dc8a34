/**
 * Whether an answer is the one that the oracle expects. What the oracle cannot know (a token, an id, where the clock
 * stands) is bound when it is seen first, and from then on has to stay the same; and what has different names must
 * be different, so that no token is ever issued twice.
 */
import { Instant, UNKNOWN } from './model/values.ts'

export class Likeness {
  readonly #values = new Map<string, string>()
  readonly #names = new Map<string, string>()
  /** Epoch milliseconds of the server's clock when the sequence began. */
  readonly #baseMs: number

  constructor(baseMs: number) {
    this.#baseMs = baseMs
  }

  /** Whether the name may mean that value; then it means it from now on. */
  bind(name: string, value: string): boolean {
    if (!this.canMean(name, value)) return false
    this.#values.set(name, value)
    this.#names.set(spaceOf(name, value), name)
    return true
  }

  canMean(name: string, value: string): boolean {
    const bound = this.#values.get(name)
    if (bound !== undefined) return bound === value
    // Whatever threw twice at the same place has the same stack.
    return name.startsWith('«stack ') || !this.#names.has(spaceOf(name, value))
  }

  isBound(name: string): boolean {
    return this.#values.has(name)
  }

  /** The text with every name replaced by what it is bound to. */
  known(text: string): string {
    return text.replaceAll(UNKNOWN, (name) => this.#values.get(name) ?? 'bm90IGtub3du')
  }

  /** The same for all texts of a value. */
  knownIn(value: unknown): unknown {
    if (typeof value === 'string') return this.known(value)
    if (Array.isArray(value)) return value.map((element) => this.knownIn(element))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([member, inner]) => [member, this.knownIn(inner)]))
  }

  /** The first difference, or undefined. `unit` is that of points in time. */
  difference(expected: unknown, actual: unknown, unit: 's' | 'ms', path = ''): string | undefined {
    if (expected instanceof Instant) {
      const ms = this.#baseMs + expected.ms
      const wanted = unit === 's' ? ms / 1000 : ms
      if (actual === wanted) return undefined
      const off =
        typeof actual === 'number' ? ` (${unit === 's' ? Math.round(actual * 1000) - ms : actual - ms} ms off)` : ''
      return `${path}: expected the time ${wanted}, not ${JSON.stringify(actual)}${off}`
    }
    if (typeof expected === 'string') return this.#textDifference(expected, actual, path)
    if (Array.isArray(expected)) return this.#listDifference(expected, actual, unit, path)
    if (typeof expected === 'object' && expected !== null) {
      return this.#structureDifference(expected, actual, unit, path)
    }
    return Object.is(expected, actual) ? undefined : this.#told(expected, actual, path)
  }

  #told(expected: unknown, actual: unknown, path: string): string {
    return `${path}: expected ${JSON.stringify(this.knownIn(expected))}, not ${JSON.stringify(actual)}`
  }

  #textDifference(expected: string, actual: unknown, path: string): string | undefined {
    const names = expected.match(UNKNOWN)
    if (names === null) return expected === actual ? undefined : this.#told(expected, actual, path)
    if (names[0] === expected) {
      const value = typeof actual === 'string' ? actual : JSON.stringify(actual)
      if (value === undefined) return `${path}: expected ${expected}, and it is absent`
      return this.bind(expected, value)
        ? undefined
        : `${path}: ${value} is not the ${expected} it was before, or another's`
    }
    const literals = expected.split(UNKNOWN).map((literal) => literal.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    const match = new RegExp(`^${literals.join('([^/: ]+?)')}$`, 's').exec(String(actual))
    const meant = names.map((name, index) => [name, match?.[index + 1] ?? ''] as const)
    const consistent = meant.every(([name, value]) => meant.every((other) => other[0] !== name || other[1] === value))
    const fits = match !== null && consistent && meant.every(([name, value]) => this.canMean(name, value))
    if (!fits) return this.#told(expected, actual, path)
    for (const [name, value] of meant) this.bind(name, value)
    return undefined
  }

  #listDifference(expected: readonly unknown[], actual: unknown, unit: 's' | 'ms', path: string): string | undefined {
    if (!Array.isArray(actual)) return this.#told(expected, actual, path)
    for (const [index, element] of expected.entries()) {
      if (index >= actual.length)
        return `${path}: ${actual.length} elements, not ${expected.length}; next would be ${JSON.stringify(element)}`
      const difference = this.difference(element, actual[index], unit, `${path}[${index}]`)
      if (difference !== undefined) return difference
    }
    if (actual.length === expected.length) return undefined
    return `${path}: ${actual.length} elements, not ${expected.length}; too much is ${JSON.stringify(actual[expected.length])}`
  }

  #structureDifference(expected: object, actual: unknown, unit: 's' | 'ms', path: string): string | undefined {
    if (typeof actual !== 'object' || actual === null || Array.isArray(actual)) {
      return this.#told(expected, actual, path)
    }
    for (const member of Object.keys(actual)) {
      if (!(member in expected)) {
        return `${path}.${member}: expected to be absent, not ${JSON.stringify((actual as Fields)[member])}`
      }
    }
    for (const [member, value] of Object.entries(expected)) {
      if (!(member in actual)) return `${path}.${member}: absent, expected ${JSON.stringify(this.knownIn(value))}`
      const difference = this.difference(value, (actual as Fields)[member], unit, `${path}.${member}`)
      if (difference !== undefined) return difference
    }
    return undefined
  }
}

type Fields = Readonly<Record<string, unknown>>

/** Kinds have spaces of their own: an execution that was given no name goes by its id. */
const spaceOf = (name: string, value: string): string => `${name.slice(1, name.indexOf(' '))} ${value}`
