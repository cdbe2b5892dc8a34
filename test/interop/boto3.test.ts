/** boto3. */
import { join } from 'node:path'
import { test } from 'node:test'
import { given, output, reason } from './kept.ts'
import { python } from './languages.ts'
import { assertLife, type Life, packages } from './life.ts'
import { Served } from './served.ts'

const place = await python()

test('boto3: the life of a function', { skip: reason(place) }, async (t) => {
  const { endpoint, place: folder } = await Served.start(t)
  const program = join(import.meta.dirname, 'clients', 'life.py')
  const told = await output(join(given(place).bin, 'python'), [program, endpoint, ...(await packages(folder))])
  assertLife(JSON.parse(told) as Life)
})
