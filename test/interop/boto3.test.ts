/** boto3. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { readPage } from '../docs/markdown.ts'
import { given, output, reason } from './kept.ts'
import { python } from './languages.ts'
import { assertLife, type Life, packages } from './life.ts'
import { Served } from './served.ts'

const place = await python()

/** What the program of the name prints, which it is to print as JSON. */
async function printed(program: string, ...args: readonly string[]): Promise<unknown> {
  const file = join(import.meta.dirname, 'clients', program)
  return JSON.parse(await output(join(given(place).bin, 'python'), [file, ...args]))
}

test('boto3: the life of a function', { skip: reason(place) }, async (t) => {
  const { endpoint, place: folder } = await Served.start(t)
  assertLife((await printed('life.py', endpoint, ...(await packages(folder)))) as Life)
})

test('boto3: an execution is deleted', { skip: reason(place) }, async (t) => {
  const { endpoint, place: folder } = await Served.start(t)
  const [zip] = await packages(folder)
  const begun = Date.now() / 1_000
  const { asked, meanwhile, ...told } = (await printed('deletion.py', endpoint, zip)) as {
    readonly asked: number
    readonly meanwhile: readonly string[]
  }
  assert.deepEqual(told, { status: 202, isGone: true, isRefusedWhileItRuns: true, left: ['waiting'] })
  assert.ok(
    meanwhile.every((status) => status === 'DELETING'),
    `${meanwhile}`,
  )
  assert.ok(asked > begun - 1 && asked < Date.now() / 1_000 + 1, `${asked}`)
})

test('boto3: what it knows is told by the page on coverage', { skip: reason(place) }, async () => {
  const known = (await printed('model.py')) as Readonly<Record<string, readonly string[]>>
  const page = readPage('docs/api-coverage.md')
  const rowsOf = (title: string) =>
    page.sections.filter((section) => section.title === title).flatMap(({ tables }) => tables.flat())
  const namesIn = (text = '') => [...text.matchAll(/\w+/g)].map(([name]) => name)
  const toldOf = (title: string) => rowsOf(title).flatMap(([name]) => namesIn(name))
  const newer = toldOf('Newer than the JavaScript client')
  const operations = [
    ...toldOf('Operations'),
    ...rowsOf('Operations').flatMap(([, , names]) => namesIn(names)),
    ...newer,
  ]
  const anywhere = [...newer, ...toldOf('FunctionConfiguration')]
  const untold = Object.entries(known).flatMap(([operation, members]) => {
    if (!operations.includes(operation)) return [operation]
    const told = [...toldOf(operation), ...anywhere]
    if (toldOf(operation).length === 0) return []
    return members.filter((member) => !told.includes(member)).map((member) => `${operation}.${member}`)
  })
  assert.deepEqual(untold, [])
})
