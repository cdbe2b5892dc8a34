/** The AWS CLI, as it comes as a package of Python. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { AwsCli, lifeWithAwsCli } from './clients/aws-cli.ts'
import { given, reason } from './kept.ts'
import { python } from './languages.ts'
import { assertLife, packages } from './life.ts'
import { ROLE, Served } from './served.ts'

const place = await python()
const skip = reason(place)

test('AWS CLI: the life of a function', { skip }, async (t) => {
  const { endpoint, place: folder } = await Served.start(t)
  const cli = new AwsCli(given(place).bin, endpoint, folder)
  assertLife(await lifeWithAwsCli(cli, await packages(folder)))
})

test('AWS CLI: tables, text, queries and pages by hand', { skip }, async (t) => {
  const { endpoint, place: folder } = await Served.start(t)
  const cli = new AwsCli(given(place).bin, endpoint, folder)
  const [zip] = await packages(folder)
  for (const name of ['a', 'b', 'c']) {
    const made = [...['--role', ROLE, '--runtime', 'nodejs24.x', '--handler', 'index.plain'], `--tags`, `place=${name}`]
    await cli.json('create-function', '--function-name', name, '--zip-file', `fileb://${zip}`, ...made)
  }
  const list = ['list-functions', '--query', 'Functions[].FunctionName']
  assert.equal(await cli.text(...list, '--output', 'text'), 'a\tb\tc\n')
  assert.match(await cli.text(...list, '--output', 'table'), /ListFunctions.*\| +a +\|\n\| +b +\|\n\| +c +\|/s)

  const page = await cli.json('list-functions', '--max-items', '2')
  assert.deepEqual(namesOf(page), ['a', 'b'])
  const rest = await cli.json('list-functions', '--starting-token', String(page['NextToken']))
  assert.deepEqual([namesOf(rest), rest['NextToken']], [['c'], undefined])
  assert.deepEqual(namesOf(await cli.json('list-functions', '--no-paginate', '--max-items', '1')), ['a'])

  writeFileSync(join(folder, 'input.json'), JSON.stringify({ FunctionName: 'b', Description: 'from a file: grüße' }))
  const changed = await cli.json('update-function-configuration', '--cli-input-json', 'file://input.json')
  assert.equal(changed['Description'], 'from a file: grüße')
  const shown = await cli.json('get-function', '--function-name', 'arn:aws:lambda:us-east-1:000000000000:function:c')
  assert.deepEqual(shown['Tags'], { place: 'c' })

  // What the function failed with is an answer to the CLI, and no error of its own.
  const failed = await cli.invoke('--function-name', 'a', '--payload', '{"name": ""}')
  assert.equal(failed['FunctionError'], 'Unhandled')
  const dry = await cli.invoke('--function-name', 'a', '--invocation-type', 'DryRun')
  assert.deepEqual([dry['StatusCode'], dry.answer], [204, undefined])
})

function namesOf({ Functions: functions }: Readonly<Record<string, unknown>>): readonly unknown[] {
  return (functions as readonly Readonly<Record<string, unknown>>[]).map(({ FunctionName: name }) => name)
}
