/** boto3. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
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
  const { asked, ...told } = (await printed('deletion.py', endpoint, zip)) as { readonly asked: number }
  assert.deepEqual(told, { status: 202, isGone: true, isRefusedWhileItRuns: true, left: ['waiting'] })
  assert.ok(asked > begun - 1 && asked < Date.now() / 1_000 + 1, `${asked}`)
})
