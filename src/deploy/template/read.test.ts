/** What a stranger may write into a template: it is read in bounded time, or refused with what is wrong. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { TemplateProblem } from '../problem.ts'
import { plainValue } from './evaluate.ts'
import type { TemplateNode } from './node.ts'
import { readTemplate, TEMPLATE_LIMITS } from './read.ts'

const refused = (text: string): TemplateProblem => {
  try {
    readTemplate(text, 't.yaml')
  } catch (error) {
    assert.ok(error instanceof TemplateProblem, String(error))
    return error
  }
  assert.fail('it was read')
}

describe('hostile templates', () => {
  /** Nine aliases of nine aliases of …: a thousand million values, if anybody made them. */
  const laughs = [
    'a: &a [x, x]',
    ...'bcdefghij'.split('').map((name, index) => {
      const before = 'abcdefghi'[index]
      return `${name}: &${name} [${Array(9).fill(`*${before}`).join(', ')}]`
    }),
  ].join('\n')

  const cases: readonly [string, string, RegExp][] = [
    ['aliases that multiply', laughs, /with its aliases the template has more than 100000 values/],
    ['an alias of what it is in', 'a: &a [*a]', /\*a is used inside of what it names/],
    ['an alias of nothing', 'a: *b', /unresolved alias|no anchor/i],
    ['ten megabytes', `a: "${'x'.repeat(10_000_000)}"`, /the template has 10000005 bytes/],
    ['a hundred thousand open brackets', '['.repeat(100_000), /nested deeper than 100 levels/],
    [
      'deep nesting in blocks',
      Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
      /nested deeper/,
    ],
    ['more values than anybody needs', `a: [${'1,'.repeat(110_000)}]`, /more than 100000 values/],
    ['a text that does not end', `a: "${'x'.repeat(900_000)}`, /missing closing "quote/i],
    ['bytes that are no text', `\u0000\u0001${String.fromCharCode(0xd800)}`, /./],
    ['names that are lists', '? [a]\n: 1', /a name in this object is not text/],
    ['several documents', 'a: 1\n---\nb: 2', /multiple documents/],
  ]
  for (const [what, text, message] of cases) test(what, () => assert.match(refused(text).message, message))

  test('a name of prototypes is only a name', () => {
    const { fields } = readTemplate('__proto__: { a: 1 }\nconstructor: 2', 't.yaml')
    assert.deepEqual([...fields.keys()], ['__proto__', 'constructor'])
  })

  test('any text is read or refused, and never anything else', () => {
    const pieces = fc.constantFrom(
      'a',
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ',',
      '&x ',
      '*x',
      '!Ref ',
      '"',
      "'",
      '#',
      '|',
      '<<',
      '\t',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        try {
          readTemplate(parts.join(''), 't.yaml')
        } catch (error) {
          assert.ok(error instanceof TemplateProblem, String(error))
        }
      }),
    )
  })
})

describe('places', () => {
  test('each value knows where it was written', () => {
    const root = readTemplate('A:\n  B: [1, !Ref X]\n  "C d": {e: f}\n', 't.yaml')
    const places = new Map<string, string>()
    const visit = (node: TemplateNode, path: string): void => {
      places.set(path, `${node.place.line}:${node.place.column}`)
      if (node.kind === 'list') for (const [index, item] of node.items.entries()) visit(item, `${path}[${index}]`)
      if (node.kind === 'fields') for (const [name, { value }] of node.fields) visit(value, `${path}.${name}`)
    }
    visit(root, '')
    assert.deepEqual(Object.fromEntries(places), {
      '': '1:1',
      '.A': '2:3',
      '.A.B': '2:6',
      '.A.B[0]': '2:7',
      '.A.B[1]': '2:15',
      '.A.B[1].Ref': '2:15',
      '.A.C d': '3:10',
      '.A.C d.e': '3:14',
    })
  })

  test('JSON is read as what it says, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' }), {
          minKeys: 1,
        }),
        (value) => {
          const json: unknown = JSON.parse(JSON.stringify(value))
          assert.deepEqual(plainValue(readTemplate(JSON.stringify(value, null, 1), 't.json')), json)
        },
      ),
    )
  })

  test('the limit of depth is the one that is told', () => {
    const nested = (depth: number) => `a: ${'['.repeat(depth)}${']'.repeat(depth)}`
    assert.doesNotThrow(() => readTemplate(nested(TEMPLATE_LIMITS.depth), 't.yaml'))
    assert.match(refused(nested(TEMPLATE_LIMITS.depth + 1)).message, /nested deeper/)
  })
})
