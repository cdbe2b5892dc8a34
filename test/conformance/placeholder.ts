/**
 * The placeholders of requirement files: `${NAME}` stands for a value that is known (a variable) or becomes known when
 * it is first compared with something (an operation id), `${/pattern/}` for any text of a form (spec 13 §13.1).
 */
import { randomInt } from 'node:crypto'

/** What each name stands for so far. One per run of a requirement; matching adds to it. */
export type Bindings = Map<string, unknown>

/** Draws the variables of a requirement. */
export function drawVariables(variables: Readonly<Record<string, string>>): Bindings {
  return new Map(
    Object.entries(variables).map(([name, template]) => [
      name,
      template.replaceAll(/\$\{GEN_STR:(\d+)\}/g, (_, length: string) => randomText(Number(length))),
    ]),
  )
}

/** The value with every known name replaced, at any depth; unknown names stay. */
export function substitute(value: unknown, bindings: Bindings): unknown {
  if (typeof value === 'string') return substituteText(value, bindings)
  if (Array.isArray(value)) return value.map((member) => substitute(member, bindings))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, substitute(member, bindings)]))
}

export function substituteText(text: string, bindings: Bindings): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (placeholder, name: string) =>
    bindings.has(name) ? String(bindings.get(name)) : placeholder,
  )
}

/** The name in a text that is one placeholder and nothing else. */
export function placeholderName(text: string): string | undefined {
  return /^\$\{(\w+)\}$/.exec(text)?.[1]
}

/** The regular expression in a text that is one `${/pattern/}` and nothing else. */
export function placeholderPattern(text: string): RegExp | undefined {
  const source = /^\$\{\/(.*)\/\}$/.exec(text)?.[1]
  return source === undefined ? undefined : new RegExp(source)
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

function randomText(length: number): string {
  return Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('')
}
