/**
 * `docs/cli.md` has every command and every option, and none that there is not. `PERDURE_WRITE_DOCS=1` in the
 * environment of this test writes what is made of the command table.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { COMMANDS } from '../../src/cli/commands/index.ts'
import { memberName } from '../../src/client/member-names.ts'
import { CLIENT_OPERATIONS } from '../../src/client/operations.ts'
import { OPERATIONS, type OperationSpec } from '../../src/protocol/operations.ts'
import { inRepository } from './program.ts'
import { blockNames, withBlocks } from './reference.ts'

const file = inRepository('docs/cli.md')
const page = readFileSync(file, 'utf8')

test('every command has its block, and every block its command', () => {
  assert.deepEqual(blockNames(page).toSorted(), COMMANDS.map(({ name }) => name).toSorted())
})

test('usage, options and examples are those of the commands', () => {
  const expected = withBlocks(page, COMMANDS)
  if (process.env['PERDURE_WRITE_DOCS'] === '1') writeFileSync(file, expected)
  else assert.equal(page, expected, 'run this test with PERDURE_WRITE_DOCS=1 to write the page anew')
})

test('the prose names no option that no command has', () => {
  const known = new Set([...COMMANDS.flatMap(({ options }) => Object.keys(options)), 'version', 'experimental'])
  const prose = page.replaceAll(/^```sh\n[\s\S]*?^```$/gm, '')
  for (const [, option = ''] of prose.matchAll(/(?<![\w-])--([a-z][a-z-]*)/g))
    assert.ok(known.has(option), `--${option}`)
})

test('every command has an example that is one of itself', () => {
  for (const { name, examples } of COMMANDS) {
    assert.ok(
      examples.some((example) => example.includes(`perdure ${name}`)),
      name,
    )
  }
})

test('docs/client.md has every operation with its required and optional members', () => {
  const rows = readFileSync(inRepository('docs/client.md'), 'utf8').matchAll(
    /^\| `([a-z]\w+)` +\| ((?:`\w+` ?)*) *\| ((?:`\w+` ?)*) *\|$/gm,
  )
  const told = [...rows].map(([, method, required = '', optional = '']) => [
    method,
    names(required),
    names(optional).toSorted(),
  ])
  const bodies: Readonly<Record<string, string>> = { Invoke: 'payload', SendDurableExecutionCallbackSuccess: 'result' }
  const expected = CLIENT_OPERATIONS.map((name): OperationSpec => OPERATIONS[name]).map(({ name, input }) => {
    const members = Object.entries(input).map(([member, { required }]) => ({ name: memberName(member), required }))
    const optional = members.filter(({ required }) => required !== true).map((member) => member.name)
    return [
      memberName(name),
      members.filter(({ required }) => required === true).map((member) => member.name),
      [...optional, ...(bodies[name] === undefined ? [] : [bodies[name]])].toSorted(),
    ]
  })
  assert.deepEqual(sorted(told), sorted(expected))
})

const names = (cell: string): readonly string[] => cell.split(' ').flatMap((word) => word.replaceAll('`', '') || [])
const sorted = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).toSorted()
