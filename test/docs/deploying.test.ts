/**
 * The tables of the guide on deploying say what the tables of the code say. `PERDURE_WRITE_DOCS=1` in the environment
 * of this test writes those that are made of them.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { FUNCTION_PROPERTIES } from '../../src/deploy/function-properties.ts'
import { IGNORED_TYPES, TAKEN_TYPES } from '../../src/deploy/resource-types.ts'
import { root } from './markdown.ts'

const file = join(root, 'docs/guides/deploying.md')

type Rows = readonly (readonly string[])[]

const code = (text: string): string => `\`${text}\``

const TABLES: readonly (readonly [head: readonly string[], rows: Rows])[] = [
  [['type', 'what comes of it'], Object.entries(TAKEN_TYPES).map(([type, what]) => [code(type), what])],
  [['type', 'reason'], IGNORED_TYPES.map(([type, reason]) => [code(type), reason])],
  [
    ['property', 'of', 'what comes of it'],
    Object.entries(FUNCTION_PROPERTIES).map(([name, { of, ignored, refused }]) => [
      code(name),
      of === undefined ? 'both' : of === 'AWS::Serverless::Function' ? 'SAM' : 'CloudFormation',
      refused === undefined ? (ignored === undefined ? 'taken' : `ignored: ${ignored}`) : `refused: ${refused}`,
    ]),
  ],
]

function lines(rows: Rows): readonly string[] {
  const widths = (rows[0] ?? []).map((_cell, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const [head = [], ...body] = rows
  return [line(head), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...body.map(line)]
}

/** The page with each table, found by its head, as it should be. */
function withTables(page: string): string {
  const text = page.split('\n')
  for (const [head, rows] of TABLES) {
    const starts = (line: string) =>
      line
        .split('|')
        .map((cell) => cell.trim())
        .filter(Boolean)
        .join('|') === head.join('|')
    const from = text.findIndex(starts)
    assert.ok(from >= 0, `there is a table of ${head.join(', ')}`)
    const end = text.findIndex((line, index) => index > from && !line.startsWith('|'))
    text.splice(from, end - from, ...lines([head, ...rows]))
  }
  return text.join('\n')
}

test('the guide has every type of resource and every property of functions, with what comes of it', () => {
  const page = readFileSync(file, 'utf8')
  const expected = withTables(page)
  if (process.env['PERDURE_WRITE_DOCS'] === '1') writeFileSync(file, expected)
  else assert.equal(page, expected, 'run this test with PERDURE_WRITE_DOCS=1 to write the tables anew')
})
