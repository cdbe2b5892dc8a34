/** `@aws-sdk/client-lambda`. */
import { test } from 'node:test'
import { lifeWithJavascript } from './clients/javascript.ts'
import { assertLife, packages } from './life.ts'
import { Served } from './served.ts'

test('@aws-sdk/client-lambda: the life of a function', async (t) => {
  const { client, place } = await Served.start(t)
  assertLife(await lifeWithJavascript(client, await packages(place)))
})
