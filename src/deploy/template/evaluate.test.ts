/** The functions of templates: what each gives, and laws that hold for all of them. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { TemplateProblem } from '../problem.ts'
import { evaluate, plainValue, type Scope } from './evaluate.ts'
import { fieldsNode, type Place, type TemplateNode, textNode } from './node.ts'
import { readTemplate } from './read.ts'

const place: Place = { file: 't', line: 1, column: 1 }

const scopeOf = (values: Readonly<Record<string, string>> = {}): Scope => ({
  region: 'eu-north-1',
  mappings: undefined,
  ref: (name, at) => (name === 'AWS::NoValue' ? undefined : textNode(at, values[name] ?? `<${name}>`)),
  attribute: (resource, attribute, at) => textNode(at, `<${resource}|${attribute}>`),
  condition: (name) => name === 'Yes',
  exported: (name, at) => textNode(at, `<export ${name}>`),
})

function evaluated(text: string, scope = scopeOf()): unknown {
  const { fields } = readTemplate(`V: ${text}`, 't')
  const value = fields.get('V')?.value
  assert.ok(value !== undefined)
  const result = evaluate(value, scope)
  return result === undefined ? undefined : plainValue(result)
}

describe('functions', () => {
  const cases: readonly [string, unknown][] = [
    ['!Ref A', '<A>'],
    ['{ Ref: A }', '<A>'],
    ['!GetAtt A.B.C', '<A|B.C>'],
    ['{ "Fn::GetAtt": [A, B] }', '<A|B>'],
    [`!Sub "\${A}-\${B.C}-\${!D}"`, `<A>-<B|C>-\${D}`],
    [`!Sub ["\${a}/\${A}", { a: !Ref X }]`, '<X>/<A>'],
    ['!Sub "no names $ {x} $"', 'no names $ {x} $'],
    ['!Join ["-", [a, !Ref B, 3]]', 'a-<B>-3'],
    ['!Join ["", [a, !Ref AWS::NoValue, b]]', 'ab'],
    ['!Split [",", "a,b,,c"]', ['a', 'b', '', 'c']],
    ['!Select [1, !Split [".", "a.b.c"]]', 'b'],
    ['!If [Yes, 1, 2]', 1],
    ['!If [No, 1, !Ref AWS::NoValue]', undefined],
    ['!Base64 hello', 'aGVsbG8='],
    ['!GetAZs ""', ['eu-north-1a', 'eu-north-1b', 'eu-north-1c']],
    ['!ImportValue Net', '<export Net>'],
    ['!Length [a, b]', 2],
    ['!ToJsonString { a: [1, !Ref B] }', '{"a":[1,"<B>"]}'],
    ['!Equals [a, a]', true],
    ['!And [!Equals [1, "1"], !Not [!Condition No]]', true],
    ['!Or [!Condition No, !Equals [a, b]]', false],
    ['{ Ref: A, Other: B }', { Ref: 'A', Other: 'B' }],
    ['{ Condition: { StringEquals: {} } }', { Condition: { StringEquals: {} } }],
  ]
  for (const [text, expected] of cases) test(text, () => assert.deepEqual(evaluated(text), expected))
})

describe('laws', () => {
  const word = fc.stringMatching(/^[a-z]{1,6}$/)

  test('Split undoes Join', () => {
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (parts) => {
        const joined = `!Join ["/", ${JSON.stringify(parts)}]`
        assert.deepEqual(evaluated(`!Split ["/", ${joined}]`), parts)
      }),
    )
  })

  test('Sub of a text with names is the Join of its parts', () => {
    const parts = fc.array(
      fc.oneof(
        word,
        word.map((name) => ({ ref: name })),
      ),
      { minLength: 1 },
    )
    fc.assert(
      fc.property(parts, (all) => {
        const text = all.map((part) => (typeof part === 'string' ? part : `\${${part.ref}}`)).join('')
        const list = all.map((part) => (typeof part === 'string' ? part : { Ref: part.ref }))
        assert.equal(evaluated(`!Sub ${JSON.stringify(text)}`), evaluated(`!Join ["", ${JSON.stringify(list)}]`))
      }),
    )
  })

  test('what has no functions in it stays as it is', () => {
    const plain = fc
      .jsonValue({ maxDepth: 3 })
      .filter((value) => !/"(Ref|Condition|Fn::|<<)/.test(JSON.stringify(value)))
    fc.assert(
      fc.property(plain, (value) => {
        const json: unknown = JSON.parse(JSON.stringify(value))
        assert.deepEqual(evaluated(JSON.stringify(value)), json)
      }),
    )
  })

  test('texts that multiply themselves are refused before they are made', () => {
    let node: TemplateNode = textNode(place, 'x'.repeat(1_000))
    for (let level = 0; level < 40; level += 1) {
      const variables = fieldsNode(place, [['v', { place, value: node }]])
      const items = [textNode(place, `\${v}`.repeat(10)), variables]
      node = fieldsNode(place, [['Fn::Sub', { place, value: { kind: 'list', place, items } }]])
    }
    assert.throws(() => evaluate(node, scopeOf()), TemplateProblem)
  })
})
