import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InvalidPattern, parseFilterPattern } from './filter-pattern.ts'
import { linearRegex } from './linear-regex.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:order:$LATEST/durable-execution/order-1/0195'

/** A pattern, lines that it matches, lines that it does not. */
type Row = readonly [pattern: string, matching: readonly unknown[], others: readonly unknown[]]

const lineOf = (line: unknown): string => (typeof line === 'string' ? line : JSON.stringify(line))

function holds(rows: readonly Row[]): void {
  for (const [pattern, matching, others] of rows) {
    const matches = parseFilterPattern(pattern)
    for (const line of matching) assert.ok(matches(lineOf(line)), `${pattern} should match ${lineOf(line)}`)
    for (const line of others) assert.ok(!matches(lineOf(line)), `${pattern} should not match ${lineOf(line)}`)
  }
}

test('terms', () => {
  holds([
    ['', ['', 'anything', { a: 1 }], []],
    ['  ', ['anything'], []],
    ['ERROR', ['[ERROR 400] BAD REQUEST', 'ERROR'], ['error', 'WARN']],
    ['ERROR ARGUMENTS', ['[ERROR 419] MISSING ARGUMENTS'], ['[ERROR 400] BAD REQUEST', 'ARGUMENTS']],
    ['"INTERNAL SERVER ERROR"', ['x INTERNAL SERVER ERROR'], ['INTERNAL ERROR OF SERVER']],
    ['"say \\"no\\""', ['they say "no" again'], ['they say no']],
    ['?ERROR ?WARN', ['ERROR', 'a WARN b'], ['INFO']],
    ['ERROR -ARGUMENTS', ['[ERROR 400] BAD REQUEST'], ['ERROR ARGUMENTS', 'BAD']],
    ['-"two words"', ['two', ''], ['two words']],
    ['-', ['a - b'], ['a b']],
    // Beside other terms a question mark does not count.
    ['?ERROR BAD', ['BAD'], ['ERROR']],
    ['order-1001', ['took order-1001'], ['order 1001']],
    ['%colou?r%', ['color', 'the colour'], ['colr']],
    ['?%^a% ?%z$%', ['apple', 'fizz'], ['bab']],
  ])
})

test('members of JSON lines', () => {
  const line = {
    eventType: 'UpdateTrail',
    sourceIPAddress: '111.111.111.111',
    latency: 12.5,
    errorCode: null,
    ok: true,
    off: false,
    users: [{ id: 1, name: 'Ann' }, { id: 2 }],
    'cluster.name': 'c1',
    nested: { a: { b: '5' } },
  }
  const matching = [
    '{ $.eventType = "UpdateTrail" }',
    '{$.eventType=UpdateTrail}',
    '{ $.eventType = Update* }',
    '{ $.eventType = "*Trail" }',
    '{ $.eventType = *dateT* }',
    '{ $.eventType != "DeleteTrail" }',
    '{ $.eventType = %^Up% }',
    '{ $.eventType != %down% }',
    '{ $.sourceIPAddress != 123.123.* }',
    '{ $.latency > 12 }',
    '{ $.latency >= 12.5 }',
    '{ $.latency < 1.3e1 }',
    '{ $.latency <= 12.5 }',
    '{ $.latency = 12.5 }',
    '{ $.latency = 12* }',
    '{ $.latency != 13 }',
    '{ $.errorCode IS NULL }',
    '{ $.ok IS TRUE }',
    '{ $.ok = true }',
    '{ $.off is false }',
    '{ $.absent NOT EXISTS }',
    '{ $.users[0].name = "Ann" }',
    '{ $.users[1].name NOT EXISTS }',
    '{ $.users[2] NOT EXISTS }',
    '{ $.users = * }',
    '{ $.["cluster.name"] = c1 }',
    "{ $['cluster.name'] = c1 }",
    '{ $.nested.a.b = 5 }',
    '{ $.nested.a.b > 4 }',
    '{ $.absent = 1 || $.ok IS TRUE }',
    '{ ($.absent = 1 && $.ok IS TRUE) || ($.latency > 1) }',
    '{ $.ok IS TRUE || $.absent = 1 && $.absent = 2 }',
    '{ (($.ok IS TRUE)) && $.off IS FALSE }',
  ]
  const others = [
    '{ $.eventType = "updateTrail" }',
    '{ $.eventType = Update }',
    '{ $.latency > 12.5 }',
    '{ $.latency > 1 && $.latency < 2 }',
    '{ $.eventType > 1 }',
    '{ $.errorCode = "null" }',
    '{ $.errorCode NOT EXISTS }',
    '{ $.ok IS NULL }',
    '{ $.off IS TRUE }',
    '{ $.absent != 1 }',
    '{ $.absent = * }',
    '{ $.users.length = 2 }',
    '{ $.users != 1 }',
    '{ $.eventType.length = 11 }',
    '{ $.toString = * }',
    '{ ($.ok IS TRUE || $.absent = 1) && $.absent = 2 }',
  ]
  holds([
    ...matching.map((pattern): Row => [pattern, [line], []]),
    ...others.map((pattern): Row => [pattern, [], [line]]),
  ])
  holds([['{ $.a = 1 }', [{ a: 1 }, '  {"a":1}'], ['text', '', '[1]', '{"a":1', 'null', { b: 1 }, []]]])
})

test('what conformance runners ask for: the lines of one execution, by either name', () => {
  holds([
    [
      `{ ($.durableExecutionArn = "${ARN}") || ($.executionArn = "${ARN}") }`,
      [
        { level: 'INFO', executionArn: ARN, message: 'js' },
        { level: 'INFO', durableExecutionArn: ARN, message: 'java' },
      ],
      [{ executionArn: `${ARN}0` }, { message: ARN }, ARN, `START RequestId: 1 ${ARN}`],
    ],
  ])
})

test('fields with spaces between', () => {
  const line = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
  const fields = 'ip, id, user, at, request'
  holds([
    [`[${fields}, status, bytes]`, [line], ['127.0.0.1 Prod', '']],
    [`[${fields}, status = 4*, bytes]`, [line], [line.replace('404', '200')]],
    [`[${fields}, status = 4* && status != 404, bytes]`, [line.replace('404', '400')], [line]],
    [
      `[${fields}, status = 404 || status = 410, bytes]`,
      [line, line.replace('404', '410')],
      [line.replace('404', '200')],
    ],
    [`[${fields} = "GET*", status, bytes > 1500]`, [line], [line.replace('1534', '1500')]],
    ['[ip, ..., bytes]', [line, 'a b'], ['a']],
    ['[..., status = 404, bytes]', [line], [line.replace('404', '200'), '404']],
    ['[w1 = ERROR, w2]', ['ERROR here'], ['ERROR', 'WARN here', 'ERROR here too']],
    ['[w1 != ERROR]', ['WARN'], ['ERROR']],
    ['[w1 = %^E%, ...]', ['ERROR and more'], ['WARN']],
    ['[...]', ['', 'a b c'], []],
  ])
})

test('what is no pattern is refused, with the place', () => {
  const broken = [
    '{',
    '{}',
    '{ $.a }',
    '{ $.a = }',
    '{ a = 1 }',
    '{ $ = 1 }',
    '{ $. = 1 }',
    '{ $.a[x] = 1 }',
    '{ $.a = 1',
    '{ $.a = 1 } more',
    '{ ($.a = 1 }',
    '{ $.a = 1 && }',
    '{ $.a > "text" }',
    '{ $.a > text }',
    '{ $.a IS MAYBE }',
    '{ $.a NOT THERE }',
    '{ $.a = "open }',
    '"open',
    '%open',
    '[',
    '[a, ]',
    '[a = ]',
    '[a, ..., b, ...]',
    '[a] more',
    '%(a)%',
    '%a!%',
    '%[a%',
    '%a{2%',
    '%a{3,2}%',
    '%$a%',
    '%\\q%',
    '%a{900}%',
    '%a% %b% %c%',
    'x'.repeat(1_025),
    `{ ${'('.repeat(1_000)}`,
  ]
  for (const pattern of broken) assert.throws(() => parseFilterPattern(pattern), InvalidPattern, pattern)
})

test('any text is a pattern or refused, and a pattern takes any line', () => {
  const pieces = [
    '{',
    '}',
    '[',
    ']',
    '(',
    ')',
    '$',
    '.',
    '$.a',
    '=',
    '!=',
    '>',
    '&&',
    '||',
    '"',
    '%',
    '*',
    '?',
    '-',
    '\\',
  ]
  const words = [...pieces, ' ', ',', '...', 'a', '1', '0', ' IS NULL', ' NOT EXISTS', '^', '|', '+', '{1,2}', '\\d']
  const pattern = fc.oneof(
    fc.string(),
    fc.array(fc.constantFrom(...words), { maxLength: 20 }).map((all) => all.join('')),
  )
  fc.assert(
    fc.property(pattern, fc.oneof(fc.string(), fc.json()), (text, line) => {
      let matches: (line: string) => boolean
      try {
        matches = parseFilterPattern(text)
      } catch (error) {
        assert.ok(error instanceof InvalidPattern, String(error))
        return
      }
      assert.equal(typeof matches(line), 'boolean')
    }),
    { numRuns: 3_000 },
  )
})

test('a regular expression matches what JavaScript says that it matches', () => {
  const atom = fc.constantFrom('a', 'b', 'c', '.', '[ab]', '[^a]', '[a-b0]', '\\d', '\\w', '\\.', '\\x61')
  const quantifier = fc.constantFrom('', '', '', '?', '*', '+', '{2}', '{1,}', '{0,2}')
  const sequence = fc
    .tuple(
      fc.constantFrom('', '', '^'),
      fc.array(fc.tuple(atom, quantifier), { maxLength: 5 }),
      fc.constantFrom('', '', '$'),
    )
    .map(([start, atoms, end]) => start + atoms.flat().join('') + end)
  const expression = fc.array(sequence, { minLength: 1, maxLength: 3 }).map((all) => all.join('|'))
  const line = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '0', '.'), maxLength: 8 })
  fc.assert(
    fc.property(expression, fc.array(line, { maxLength: 6 }), (source, lines) => {
      const matches = linearRegex(source)
      // `s`: there are no line ends within a line of a log.
      const expected = new RegExp(source, 's')
      for (const each of lines) assert.equal(matches(each), expected.test(each), `${source} ${each}`)
    }),
    { numRuns: 3_000 },
  )
})

test('an expression that makes others try for hours takes a moment', () => {
  const hostile = ['a*a*a*a*a*a*a*a*a*a*z', '[ab]*a[ab]{100}c', '.*.*.*.*.*.*.*.*x', 'a?a?a?a?a?a?a?a?aaaaaaaaz']
  const lines = [
    'a'.repeat(65_536),
    'ab'.repeat(32_768),
    Array.from({ length: 65_536 }, (_, n) => 'ab'[((n * n) % 7) % 2]).join(''),
  ]
  const before = process.cpuUsage()
  for (const source of hostile) {
    const matches = linearRegex(source)
    for (const line of lines) assert.equal(matches(line), false, source)
  }
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 10_000_000, `${(user + system) / 1_000} ms of work`)
})
