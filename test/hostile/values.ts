/** Hostile values for a constraint: at its edges, of the wrong type, or odd. JSON is drawn as text, for JSON.parse hides much. */
import type { Constraint, IntegerConstraint, NumberConstraint, TextConstraint } from '../../src/protocol/constraints.ts'
import type { SeededRandom } from '../simulation/seeded-random.ts'
import { weighted } from './attack.ts'
import { GOOD_TIMESTAMPS } from './oracle.ts'

/** Longer texts are no edge of any limit; they only cost time. */
const LONG = 10_000

const ODD_TEXTS = [
  '',
  ' ',
  'a ',
  'a\n',
  'a\0b',
  '\u0000',
  '\r\nX: y',
  'é',
  '💥',
  'a\u0301',
  '\ufeff',
  '\u202e',
  '٣',
  '%00',
  '%2e%2e',
  '../../etc/passwd',
  "'; DROP TABLE journal;--",
  '$\u007bjndi:ldap://a}',
  '<script>',
  '{}',
  'null',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'a:b:c:d:e',
  '$LATEST',
  '$latest',
  '-',
  '=',
  '====',
  'a'.repeat(64),
] as const

const ODD_NUMBERS = [
  '0',
  '-0',
  '-0.0',
  '1.0',
  '1.5',
  '1e2',
  '1E+2',
  '1e-7',
  '1e400',
  '-1e400',
  '1e21',
  '9007199254740993',
  '-9007199254740993',
  '4294967296',
  '2147483648',
  '123456789012345678901234567890',
  `1${'0'.repeat(400)}`,
  `0.${'0'.repeat(400)}1`,
] as const

const ODD_JSON = [
  'null',
  'true',
  'false',
  '""',
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '{"":null}',
  '{"__proto__":{"x":1}}',
  '{"constructor":{"prototype":{"x":1}}}',
  '{"length":1,"0":"a"}',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  '"a\\n"',
] as const

export function hostileText(constraint: Constraint, chance: SeededRandom): string {
  switch (constraint.kind) {
    case 'text':
      return textAtEdge(constraint, chance)
    case 'oneOf':
      return wordBeside(constraint.values, chance)
    case 'integer':
      return weighted(chance, [
        [3, () => String(numberAtEdge(constraint, chance))],
        [
          2,
          () =>
            chance.pick(['-0', '007', '1.5', '1e2', '0x10', '', ' 1', '1 ', 'NaN', 'Infinity', '9'.repeat(400), '١']),
        ],
      ])()
    case 'boolean':
      return chance.pick(['true', 'false', 'TRUE', 'yes', '1', '0', '', 'true ', 'null'])
    case 'timestamp':
      return chance.pick([
        ...GOOD_TIMESTAMPS,
        'yesterday',
        '2025-13-01T00:00:00Z',
        '1e5',
        '9'.repeat(40),
        '',
        'NaN',
        '2025-01-01',
      ])
    case 'list':
      return hostileText(constraint.of, chance)
    case 'number':
    case 'blob':
    case 'map':
    case 'structure':
      // These come in bodies only.
      return chance.pick(ODD_TEXTS)
  }
}

/** A JSON text; it is well-formed. */
export function hostileJson(constraint: Constraint, chance: SeededRandom): string {
  if (chance.chance(0.12)) return chance.pick(ODD_JSON)
  switch (constraint.kind) {
    case 'text':
    case 'oneOf':
      return weighted(chance, [
        [9, () => quote(hostileText(constraint, chance), chance)],
        [1, () => chance.pick(ODD_NUMBERS)],
      ])()
    case 'integer':
    case 'timestamp':
      return chance.chance(0.5) && constraint.kind === 'integer'
        ? String(numberAtEdge(constraint, chance))
        : chance.pick([...ODD_NUMBERS, '"1"'])
    case 'number':
      return chance.pick([...ODD_NUMBERS, '"1"', String(numberAtEdge(constraint, chance)), '0.5'])
    case 'blob':
      return chance.pick(['""', '"YQ=="', '"YQ"', '"="', '"a b"', '"-_"', '"é"', '"UEsDBA=="', '1', '[80,75]'])
    case 'map': {
      const names = [...Array(chance.between(0, 3)).keys()].map((index) => `k${index}`)
      const fields = names.map((name) => [name, soundJson(constraint.of, chance)] as const)
      const odd = [chance.pick(ODD_TEXTS), hostileJson(constraint.of, chance)] as const
      return structure([...fields, odd])
    }
    case 'boolean':
      return chance.pick(['true', 'false', '"true"', '0', '1', 'null'])
    case 'list': {
      const count = chance.between(0, 3)
      const hostileAt = chance.between(0, count)
      const elements = Array.from({ length: count }, (_, index) =>
        index === hostileAt ? hostileJson(constraint.of, chance) : soundJson(constraint.of, chance),
      )
      return `[${elements.join(',')}]`
    }
    case 'structure': {
      const names = Object.keys(constraint.members)
      const hostileName = chance.pick(names)
      const fields = names.flatMap((name) => {
        const member = constraint.members[name]
        if (member === undefined) return []
        if (name === hostileName) return [[name, hostileJson(member.constraint, chance)] as const]
        const there = member.required === true ? chance.chance(0.97) : chance.chance(0.15)
        return there ? [[name, soundJson(member.constraint, chance)] as const] : []
      })
      return structure([...fields, ...oddFields(chance)])
    }
  }
}

/** A JSON text that the constraint lets pass. */
export function soundJson(constraint: Constraint, chance: SeededRandom): string {
  switch (constraint.kind) {
    case 'text':
      return JSON.stringify('a'.repeat(Math.max(constraint.minLength, chance.between(1, 4))))
    case 'oneOf':
      return JSON.stringify(chance.pick(constraint.values))
    case 'integer':
      return String(constraint.min)
    case 'number':
      return String(constraint.min)
    case 'blob':
      return '"UEsDBA=="'
    case 'map':
      return `{"name":${soundJson(constraint.of, chance)}}`
    case 'boolean':
      return 'true'
    case 'timestamp':
      return '1700000000'
    case 'list':
      return `[${soundJson(constraint.of, chance)}]`
    case 'structure':
      return structure(
        Object.entries(constraint.members)
          .filter(([, { required }]) => required === true)
          .map(([name, member]) => [name, soundJson(member.constraint, chance)] as const),
      )
  }
}

export const structure = (fields: readonly (readonly [name: string, json: string])[]): string =>
  `{${fields.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`

/** Members that nobody asked for, and those of every object: they must be as good as absent. */
export function oddFields(chance: SeededRandom): (readonly [name: string, json: string])[] {
  if (!chance.chance(0.2)) return []
  const name = chance.pick(['__proto__', 'constructor', 'toString', '', '\0', 'length', 'Id ', 'id', 'ID', 'toJSON'])
  return [
    [
      name,
      chance.pick(['1', 'null', '{"Id":"x","Type":"STEP","CheckpointToken":"YQ=="}', '[[[[[[]]]]]]', '"\\ud800"']),
    ],
  ]
}

function textAtEdge({ minLength, maxLength }: TextConstraint, chance: SeededRandom): string {
  if (chance.chance(0.4)) return chance.pick(ODD_TEXTS)
  const edges = [minLength - 1, minLength, minLength + 1, maxLength - 1, maxLength, maxLength + 1, 2 * maxLength]
  return 'a'.repeat(chance.pick(edges.filter((length) => length >= 0 && length <= LONG)))
}

function wordBeside(values: readonly string[], chance: SeededRandom): string {
  const value = chance.pick(values)
  return chance.pick([
    value,
    value,
    value.toLowerCase(),
    `${value} `,
    value.slice(0, -1),
    `${value}${value}`,
    `${value}\0`,
    `${value},${value}`,
    '',
    '__proto__',
    'constructor',
  ])
}

function numberAtEdge({ min, max }: IntegerConstraint | NumberConstraint, chance: SeededRandom): number {
  return chance.pick([min - 1, min, min + 1, max - 1, max, max + 1, 0, -max])
}

/** As JSON, with some characters written as escapes: they must mean the same. */
function quote(text: string, chance: SeededRandom): string {
  const plain = JSON.stringify(text)
  if (!chance.chance(0.2) || !/^"[a-zA-Z0-9]*"$/.test(plain)) return plain
  return plain.replace(/[a-zA-Z0-9]/g, (char) =>
    chance.chance(0.3) ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : char,
  )
}
