/**
 * Chance that can be repeated: one seed gives one sequence, on every machine (sfc32). Every actor of a simulation has
 * a sequence of its own, forked by name, so that one more draw in one actor does not shift all others.
 */
export class SeededRandom {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number, name = '') {
    this.#a = seed | 0
    this.#b = hash(name)
    this.#c = (seed / 2 ** 32) | 0
    for (let i = 0; i < 12; i++) this.#next()
  }

  fork(name: string): SeededRandom {
    return new SeededRandom(this.#next(), name)
  }

  /** 0 ≤ x < 1. */
  fraction(): number {
    return this.#next() / 2 ** 32
  }

  /** A whole number, both ends included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1))
  }

  chance(probability: number): boolean {
    return probability > 0 && this.fraction() < probability
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.between(0, choices.length - 1)]
    if (choice === undefined) throw new Error('nothing to pick from')
    return choice
  }

  hex(bytes: number): string {
    let text = ''
    while (text.length < bytes * 2) text += this.#next().toString(16).padStart(8, '0')
    return text.slice(0, bytes * 2)
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return sum >>> 0
  }
}

/** FNV-1a: texts to 32 bits. */
export function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}
