/** The AWS SDK for Java. */
import assert from 'node:assert/strict'
import { delimiter, join } from 'node:path'
import { test } from 'node:test'
import { run } from '../docs/installed.ts'
import { given, reason } from './kept.ts'
import { java } from './languages.ts'
import { assertLife, type Life, packages } from './life.ts'
import { Served } from './served.ts'

const place = await java(join(import.meta.dirname, 'clients', 'java'))

test('AWS SDK for Java: the life of a function', { skip: reason(place) }, async (t) => {
  const { endpoint, place: folder } = await Served.start(t)
  const { classes, libraries } = given(place)
  const classPath = [classes, join(libraries, '*')].join(delimiter)
  const { code, out } = await run('java', ['-cp', classPath, 'Life', ...(await packages(folder))], folder, {
    PATH: process.env['PATH'],
    AWS_ENDPOINT_URL_LAMBDA: endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'any',
    AWS_SECRET_ACCESS_KEY: 'any',
    AWS_MAX_ATTEMPTS: '1',
  })
  assert.equal(code, 0, out)
  assertLife(JSON.parse(out) as Life)
})
