/**
 * The regular expressions of filter patterns, `%…%`: characters, `.`, classes, the escapes `\d \w \s` and their
 * opposites, `\xhh`, the quantifiers `? * + {n} {n,} {n,m}`, `|` between alternatives, `^` and `$`. There are no groups.
 *
 * A match takes time in the length of the line, whatever the expression: its states are followed all at once, and each
 * set of them that was come upon is kept with where the next character leads. JavaScript's own engine goes back and
 * tries again, which a hostile expression turns into hours.
 */
import { InvalidPattern } from './pattern-reader.ts'

/** After repetitions are written out. Bounds what one character of a line can cost. */
const MAX_STATES = 256
/** Kept sets of states; beyond it all are forgotten. */
const MAX_SETS = 512

const LITERAL = /[A-Za-z0-9_:#=@/;,\- ]/
const ESCAPED = /[\^$?[\]{}|\\*+.%"'()/-]/

type Test = (char: number) => boolean

interface Atom {
  readonly test: Test
  readonly least: number
  /** Infinity: any number. */
  readonly most: number
}

interface Alternative {
  readonly atoms: readonly Atom[]
  readonly fromStart: boolean
  readonly toEnd: boolean
}

/** Whether a line has a part that the expression matches. Throws `InvalidPattern`. */
export function linearRegex(source: string): (line: string) => boolean {
  const machine = new Machine(new ExpressionReader(source).alternatives())
  return (line) => machine.matches(line)
}

class ExpressionReader {
  readonly #source: string
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  alternatives(): readonly Alternative[] {
    const alternatives = [this.#alternative()]
    while (this.#take('|')) alternatives.push(this.#alternative())
    return alternatives
  }

  #alternative(): Alternative {
    const atoms: Atom[] = []
    const fromStart = this.#take('^')
    for (;;) {
      if (this.#atEnd || this.#peek() === '|') return { atoms, fromStart, toEnd: false }
      if (this.#take('$')) {
        if (!this.#atEnd && this.#peek() !== '|') throw this.#invalid('"$" stands at the end')
        return { atoms, fromStart, toEnd: true }
      }
      atoms.push({ test: this.#test(), ...this.#repetition() })
    }
  }

  #test(): Test {
    const char = this.#next()
    if (char === '.') return () => true
    if (char === '[') return this.#class()
    if (char === '\\') return this.#escape()
    if (!LITERAL.test(char)) throw this.#invalid(`"${char}" is not supported here`)
    return equal(char.charCodeAt(0))
  }

  #escape(): Test {
    const char = this.#next()
    const set = CLASSES[char]
    if (set !== undefined) return set
    return equal(this.#escapedCode(char))
  }

  #escapedCode(char: string): number {
    if (char === 'x') {
      const hex = this.#next() + this.#next()
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) throw this.#invalid('"\\x" has two hexadecimal digits')
      return Number.parseInt(hex, 16)
    }
    if (char === 't') return 9
    if (!ESCAPED.test(char)) throw this.#invalid(`"\\${char}" is not supported`)
    return char.charCodeAt(0)
  }

  #class(): Test {
    const inverted = this.#take('^')
    const tests: Test[] = []
    while (!this.#take(']')) {
      const char = this.#next()
      const set = char === '\\' ? CLASSES[this.#peek()] : undefined
      if (set !== undefined) {
        this.#at += 1
        tests.push(set)
        continue
      }
      const from = char === '\\' ? this.#escapedCode(this.#next()) : char.charCodeAt(0)
      const isRange = this.#peek() === '-' && this.#source.charAt(this.#at + 1) !== ']'
      if (!isRange) {
        tests.push(equal(from))
        continue
      }
      this.#at += 1
      const end = this.#next()
      const to = end === '\\' ? this.#escapedCode(this.#next()) : end.charCodeAt(0)
      if (to < from) throw this.#invalid('a range goes from the lower to the higher character')
      tests.push((code) => code >= from && code <= to)
    }
    return (code) => tests.some((test) => test(code)) !== inverted
  }

  #repetition(): { readonly least: number; readonly most: number } {
    if (this.#take('?')) return { least: 0, most: 1 }
    if (this.#take('*')) return { least: 0, most: Number.POSITIVE_INFINITY }
    if (this.#take('+')) return { least: 1, most: Number.POSITIVE_INFINITY }
    if (!this.#take('{')) return { least: 1, most: 1 }
    const [found, first = '', comma, last] = /^(\d{1,3})(,?)(\d{0,3})\}/.exec(this.#source.slice(this.#at)) ?? []
    if (found === undefined) throw this.#invalid('"{" is followed by a number of repetitions')
    this.#at += found.length
    const least = Number(first)
    const most = comma === '' ? least : last === '' ? Number.POSITIVE_INFINITY : Number(last)
    if (most < least) throw this.#invalid('repetitions go from the lower to the higher number')
    return { least, most }
  }

  get #atEnd(): boolean {
    return this.#at >= this.#source.length
  }

  #peek(): string {
    return this.#source.charAt(this.#at)
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false
    this.#at += 1
    return true
  }

  #next(): string {
    if (this.#atEnd) throw this.#invalid('it breaks off')
    const char = this.#source.charAt(this.#at)
    this.#at += 1
    return char
  }

  #invalid(why: string): InvalidPattern {
    return new InvalidPattern(`The regular expression %${this.#source}% is not valid: ${why}`)
  }
}

const equal =
  (wanted: number): Test =>
  (char) =>
    char === wanted
const isDigit: Test = (char) => char >= 48 && char <= 57
const isSpace: Test = (char) => char === 32 || (char >= 9 && char <= 13)
const isWord: Test = (char) => isDigit(char) || (char >= 65 && char <= 90) || (char >= 97 && char <= 122) || char === 95
const not =
  (test: Test): Test =>
  (char) =>
    !test(char)

const CLASSES: { readonly [char: string]: Test } = {
  d: isDigit,
  D: not(isDigit),
  s: isSpace,
  S: not(isSpace),
  w: isWord,
  W: not(isWord),
}

/** A state waits for one character, or is the end of an alternative. */
interface State {
  readonly test: Test | undefined
  /** The state may be passed without a character. */
  readonly optional: boolean
  /** The state may be stayed in. */
  readonly loops: boolean
  /** Of an end: it counts at the end of the line only. */
  readonly atLineEnd: boolean
}

/** A set of states that the machine can be in at a time. */
interface StateSet {
  readonly states: readonly number[]
  readonly found: boolean
  readonly foundAtEnd: boolean
  readonly next: Map<number, StateSet>
}

class Machine {
  readonly #states: State[] = []
  /** Where matches begin at the start of a line, and anywhere. */
  readonly #atStart: number[] = []
  readonly #anywhere: number[] = []
  readonly #sets = new Map<string, StateSet>()

  constructor(alternatives: readonly Alternative[]) {
    for (const { atoms, fromStart, toEnd } of alternatives) {
      const first = this.#states.length
      this.#atStart.push(first)
      if (!fromStart) this.#anywhere.push(first)
      for (const { test, least, most } of atoms) {
        const bounded = most === Number.POSITIVE_INFINITY ? Math.max(least, 1) : most
        for (let n = 1; n <= bounded; n += 1) {
          const loops = most === Number.POSITIVE_INFINITY && n === bounded
          this.#add({ test, optional: n > least, loops, atLineEnd: false })
        }
      }
      this.#add({ test: undefined, optional: false, loops: false, atLineEnd: toEnd })
    }
  }

  matches(line: string): boolean {
    let set = this.#setOf(this.#atStart)
    for (let index = 0; index < line.length && !set.found; index += 1) {
      const char = line.charCodeAt(index)
      let next = set.next.get(char)
      if (next === undefined) {
        next = this.#step(set, char)
        if (set.next.size < MAX_SETS) set.next.set(char, next)
      }
      set = next
    }
    return set.found || set.foundAtEnd
  }

  #add(state: State): void {
    if (this.#states.length >= MAX_STATES) {
      throw new InvalidPattern(`A regular expression of the filter pattern needs more than ${MAX_STATES} states`)
    }
    this.#states.push(state)
  }

  #step({ states }: StateSet, char: number): StateSet {
    const reached = [...this.#anywhere]
    for (const index of states) {
      const state = this.#states[index]
      if (state?.test?.(char) !== true) continue
      if (state.loops) reached.push(index)
      reached.push(index + 1)
    }
    return this.#setOf(reached)
  }

  /** The set of these states and of those behind states that may be passed. */
  #setOf(reached: readonly number[]): StateSet {
    const all = new Set<number>()
    for (let index of reached) {
      while (!all.has(index)) {
        all.add(index)
        const state = this.#states[index]
        // One that loops was matched before it is come back to: what follows it is next as well.
        if (state?.optional !== true) break
        index += 1
      }
    }
    const states = [...all].sort((a, b) => a - b)
    const key = states.join()
    const known = this.#sets.get(key)
    if (known !== undefined) return known
    const ends = states.flatMap((index) => {
      const state = this.#states[index]
      return state === undefined || state.test !== undefined ? [] : [state]
    })
    const set: StateSet = {
      states,
      found: ends.some(({ atLineEnd }) => !atLineEnd),
      foundAtEnd: ends.length > 0,
      next: new Map(),
    }
    if (this.#sets.size >= MAX_SETS) this.#forget()
    this.#sets.set(key, set)
    return set
  }

  #forget(): void {
    for (const set of this.#sets.values()) set.next.clear()
    this.#sets.clear()
  }
}
