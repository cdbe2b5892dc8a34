/** New code without a new server. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { explainReplayMismatch } from '../../src/functions/replay-mismatch.ts'
import { answer, invoke, project, responseOf, serve } from './project.ts'

test('idle processes are replaced, busy ones end with the code they have', async (t) => {
  const root = project(t, {})
  const file = join(root, 'f.mjs')
  const code = (word: string) => `
    export const handler = async ({ wait }) => {
      if (wait) await (await fetch(process.env.AWS_ENDPOINT_URL_LAMBDA)).text()
      return '${word}'
    }`
  writeFileSync(file, code('old'))
  const held: (() => void)[] = []
  const asked = Promise.withResolvers<void>()
  const declarations = [{ name: 'f', file, durable: false as const, concurrency: 2 }]
  const functions = await serve(t, declarations, {
    reloadable: true,
    lambdaApi: (_, response) => {
      held.push(() => response.end())
      asked.resolve()
    },
  })
  let changes = 0
  functions.onChange(() => {
    changes += 1
  })
  const busy = answer(functions, { wait: true })
  await asked.promise
  assert.equal(await answer(functions), 'old')

  writeFileSync(file, code('new'))
  assert.deepEqual(await functions.reload(declarations), { changed: ['f'], refused: [] })
  assert.equal(changes, 1)
  assert.equal(await answer(functions), 'new')
  for (const release of held) release()
  assert.equal(await busy, 'old')
  assert.deepEqual(await Promise.all([answer(functions), answer(functions)]), ['new', 'new'])

  assert.deepEqual(await functions.reload(declarations), { changed: [], refused: [] })
  assert.equal(changes, 1, 'nothing had changed')
})

test('a mistake keeps the code that was there, even for processes that start later', async (t) => {
  const root = project(t, {
    'f.mjs': 'export const handler = async ({ die }) => die ? process.exit(1) : process.pid',
    'g.mjs': 'export const handler = async () => 1',
  })
  const declared = (name: string) => ({ name, file: join(root, `${name}.mjs`), durable: false as const })
  const functions = await serve(t, [declared('f')], { reloadable: true })
  writeFileSync(join(root, 'f.mjs'), 'export const handler = async ( => 2')
  writeFileSync(join(root, 'g.mjs'), 'export const handler = async ( => 2')
  const before = await answer(functions)
  const { changed, refused } = await functions.reload([declared('f'), declared('g')])
  assert.deepEqual(changed, [])
  assert.deepEqual(
    refused.map(({ functionName, kept }) => [functionName, kept]),
    [
      ['f', true],
      ['g', false],
    ],
  )
  assert.match(refused[0]?.error.message ?? '', /f\.mjs:1:\d+: /)
  assert.equal(await answer(functions), before, 'not even its process ends')
  await invoke(functions, { die: true })
  assert.equal(typeof (await answer(functions)), 'number')
  assert.equal(functions.resolve('g', undefined), undefined)
})

test('functions come and go, and settings change', async (t) => {
  const root = project(t, { 'f.mjs': 'export const handler = async (_, c) => [process.env.WORD, c.memoryLimitInMB]' })
  const declaration = { name: 'f', file: join(root, 'f.mjs'), durable: false as const }
  const functions = await serve(t, [declaration], { reloadable: true })
  assert.deepEqual(
    await answer(functions),
    [undefined, '512'].map((value) => value ?? null),
  )
  await functions.reload([
    { ...declaration, memory: 256, environment: { WORD: 'w' } },
    { ...declaration, name: 'g' },
  ])
  assert.deepEqual(await answer(functions), ['w', '256'])
  assert.deepEqual(responseOf(await invoke(functions, {}, { name: 'g' })), [null, '512'])
  const version = functions.resolve('g', undefined)
  assert.ok(version)
  await functions.reload([declaration])
  assert.deepEqual(
    functions.list().map(({ name }) => name),
    ['f'],
  )
  await assert.rejects(functions.reserve(version, undefined, new AbortController().signal), /"g" was removed/)
})

test('a replay that no longer matches is told with the operation, before and after', () => {
  const output = (text: string) => Buffer.from(JSON.stringify({ Status: 'FAILED', Error: { ErrorMessage: text } }))
  const told = (text: string) => explainReplayMismatch(output(text), 'arn:x')[0]
  const prefix = 'Non-deterministic execution detected: Operation '
  assert.match(
    told(`${prefix}name mismatch for step "1-2". Expected name "reserve", but got "undefined". This …`) ?? '',
    /the operation "reserve" \(1-2\) is now without a name\.$/,
  )
  assert.match(
    told(`${prefix}type mismatch for step "3". Expected type "STEP", but got "WAIT". This …`) ?? '',
    /the operation 3 was of type STEP and is now WAIT\.$/,
  )
  assert.deepEqual(explainReplayMismatch(output('out of stock'), 'arn:x'), [])
  assert.deepEqual(explainReplayMismatch(Buffer.from('"FAILED" Non-deterministic execution detected'), 'arn:x'), [])
})
