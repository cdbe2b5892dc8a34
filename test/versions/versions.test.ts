/** Which code runs: versions side by side, aliases, code that is unpacked once and discarded. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { project } from '../functions/project.ts'
import { Registered } from './registered.ts'
import { serveRegistered, until } from './serving.ts'

const saying = (text: string): { readonly 'index.mjs': string } => ({
  'index.mjs': `export const handler = async () => ${JSON.stringify(text)}`,
})

test('versions of a function run side by side, and $LATEST follows the code', async (t) => {
  const { registered, answer, functions } = await serveRegistered(t)
  registered.create('f', saying('one'))
  assert.equal(registered.publish('f'), '1')
  registered.updateCode('f', saying('two'))
  assert.equal(await answer('f'), 'two')
  assert.equal(await answer('f', '1'), 'one')
  registered.publish('f')
  registered.updateCode('f', saying('three'))
  assert.equal(await answer('f', '$LATEST'), 'three')
  assert.equal(await answer('f', '2'), 'two')
  assert.equal(await answer('f', '1'), 'one')
  assert.equal(await answer('f', '$LATEST.PUBLISHED'), 'two')
  assert.equal(functions.resolve('f', '3'), undefined)
  assert.equal(functions.resolve('f', 'prod'), undefined)
})

test('a function knows its version, its configuration and its own variables, and none of the server', async (t) => {
  process.env['SECRET_OF_THE_SERVER'] = 'hidden'
  t.after(() => delete process.env['SECRET_OF_THE_SERVER'])
  const { registered, answer } = await serveRegistered(t)
  const env =
    'export const run = async (_event, context) => ({ ...process.env, cwd: process.cwd(), arn: context.invokedFunctionArn })'
  registered.create(
    'f',
    { 'src/app.mjs': env },
    { Handler: 'src/app.run', Environment: { Variables: { COLOUR: 'red' } } },
  )
  registered.publish('f')
  registered.configure('f', { Environment: { Variables: { COLOUR: 'blue' } }, MemorySize: 256 })
  const first = (await answer('f', '1')) as Record<string, string>
  const latest = (await answer('f')) as Record<string, string>
  assert.deepEqual([first['COLOUR'], latest['COLOUR']], ['red', 'blue'])
  assert.deepEqual([first['AWS_LAMBDA_FUNCTION_VERSION'], latest['AWS_LAMBDA_FUNCTION_VERSION']], ['1', '$LATEST'])
  assert.deepEqual(
    [first['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'], latest['AWS_LAMBDA_FUNCTION_MEMORY_SIZE']],
    ['512', '256'],
  )
  assert.equal(first['AWS_EXECUTION_ENV'], 'AWS_Lambda_nodejs22.x')
  assert.equal(first['_HANDLER'], 'src/app.run')
  assert.equal(first['cwd'], first['LAMBDA_TASK_ROOT'])
  assert.match(first['arn'] ?? '', /:function:f:1$/)
  assert.equal(first['SECRET_OF_THE_SERVER'], undefined)
})

test('an alias draws its versions about as weighted', async (t) => {
  const { registered, version } = await serveRegistered(t)
  registered.create('f', saying('one'))
  registered.publish('f')
  registered.updateCode('f', saying('two'))
  registered.publish('f')
  registered.alias('f', 'live', '1', { 2: 0.25 })
  const draws = Array.from({ length: 4_000 }, () => version('f', 'live').version)
  const share = draws.filter((drawn) => drawn === '2').length / draws.length
  // Seven standard deviations: no run in a lifetime fails by chance.
  assert.ok(Math.abs(share - 0.25) < 0.048, `${share} of the draws went to the version with a quarter`)
  assert.ok(draws.every((drawn) => drawn === '1' || drawn === '2'))

  registered.alias('f', 'live', '2', {})
  assert.equal(version('f', 'live').version, '2')
})

test('an alias that always sends to the other version does', async (t) => {
  const { registered, version, answer } = await serveRegistered(t)
  registered.create('f', saying('one'))
  registered.publish('f')
  registered.updateCode('f', saying('two'))
  registered.publish('f')
  registered.alias('f', 'all', '1', { 2: 1 })
  registered.alias('f', 'none', '1', { 2: 0 })
  for (let n = 0; n < 50; n++) {
    assert.equal(version('f', 'all').version, '2')
    assert.equal(version('f', 'none').version, '1')
  }
  assert.equal(await answer('f', 'all'), 'two')
})

test('a package is unpacked once for all who name it, and discarded when nobody does', async (t) => {
  const root = project(t, {})
  const { registered, answer } = await serveRegistered(t, { dataDirectory: root })
  const unpacked = (): readonly string[] =>
    readdirSync(join(root, 'code', 'deployed')).filter((name) => /^[0-9a-f]{64}$/.test(name))
  registered.create('f', saying('same'))
  registered.create('g', saying('same'))
  registered.publish('f')
  assert.deepEqual(await Promise.all([answer('f'), answer('g'), answer('f', '1')]), ['same', 'same', 'same'])
  assert.equal(registered.codeReads, 1)
  assert.equal(unpacked().length, 1)

  registered.updateCode('f', saying('other'))
  assert.equal(await answer('f'), 'other')
  assert.equal(unpacked().length, 2)
  registered.delete('f')
  assert.equal(await answer('g'), 'same')
  registered.updateCode('g', saying('third'))
  assert.equal(await answer('g'), 'third')
  // The processes of what was replaced are idle: they are ended at once, and their folders go with them.
  await until('the folder of g alone', () => unpacked().length === 1)
})

test('a package whose folder somebody removed is discarded all the same', async (t) => {
  const root = project(t, {})
  const { registered, answer } = await serveRegistered(t, { dataDirectory: root })
  registered.create('f', saying('one'))
  assert.equal(await answer('f'), 'one')
  rmSync(join(root, 'code', 'deployed'), { recursive: true })
  registered.delete('f')
  mkdirSync(join(root, 'code', 'deployed'))
  registered.create('f', saying('two'))
  assert.equal(await answer('f'), 'two')
})

test('what an earlier server left half unpacked is not used', async (t) => {
  const root = project(t, {})
  const registered = new Registered()
  registered.create('f', saying('whole'))
  const sha256 = registered.get('f')?.latest.code.sha256 ?? ''
  const folder = join(root, 'code', 'deployed', Buffer.from(sha256, 'base64').toString('hex'))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'index.mjs'), 'export const ha')
  const { answer } = await serveRegistered(t, { dataDirectory: root, registered })
  assert.equal(await answer('f'), 'whole')
})

test('a package cannot be changed by the functions that run from it', {
  skip: process.getuid?.() === 0 && 'root may write everywhere',
}, async (t) => {
  const { registered, answer } = await serveRegistered(t)
  registered.create('f', {
    'index.mjs': `import { writeFileSync } from 'node:fs'
      export const handler = async () => { try { writeFileSync(new URL(import.meta.url), 'x') } catch (error) { return error.code } }`,
  })
  assert.equal(await answer('f'), 'EACCES')
})

test('an invocation that runs while the code is replaced ends with the code it has', async (t) => {
  const { registered, version, functions, answer } = await serveRegistered(t)
  registered.create('f', {
    'index.mjs': `import { existsSync } from 'node:fs'
      export const handler = async ({ until }) => {
        while (!existsSync(until)) await new Promise((resolve) => setTimeout(resolve, 5))
        return (await import('./later.mjs')).text
      }`,
    'later.mjs': 'export const text = "old"',
  })
  const flag = join(project(t, {}), 'flag')
  const slot = await functions.reserve(version('f'), undefined, new AbortController().signal)
  const running = slot.run({ requestId: 'r-1', event: JSON.stringify({ until: flag }) })
  registered.updateCode('f', saying('new'))
  assert.equal(await answer('f'), 'new')
  writeFileSync(flag, '')
  const result = await running
  assert.equal(result.kind === 'response' && Buffer.from(result.body).toString(), '"old"')
})

test('a deleted version and a deleted function cannot be invoked, and one of that name can be created again', async (t) => {
  const { registered, functions, answer, version } = await serveRegistered(t)
  registered.create('f', saying('one'))
  registered.publish('f')
  assert.equal(await answer('f', '1'), 'one')
  const gone = version('f', '1')
  registered.deleteVersion('f', '1')
  assert.equal(functions.resolve('f', '1'), undefined)
  await assert.rejects(
    functions.reserve(gone, undefined, new AbortController().signal),
    /Version 1 of function "f" was removed/,
  )
  registered.delete('f')
  assert.equal(functions.resolve('f', undefined), undefined)
  registered.create('f', saying('again'))
  assert.equal(await answer('f'), 'again')
})

test('a declared function hides one that was created, until its declaration goes', async (t) => {
  const root = project(t, { 'a.mjs': 'export const handler = async () => "declared"' })
  const declarations = [{ name: 'f', file: join(root, 'a.mjs'), durable: false as const }]
  const { registered, functions, answer } = await serveRegistered(t, { declarations })
  registered.create('f', saying('created'))
  registered.create('g', saying('beside'))
  assert.equal(await answer('f'), 'declared')
  assert.equal(await answer('g'), 'beside')
  assert.deepEqual(
    functions.list().map(({ name }) => name),
    ['f', 'g'],
  )
  await functions.reload([])
  assert.equal(await answer('f'), 'created')
  await functions.reload(declarations)
  assert.equal(await answer('f'), 'declared')
})
