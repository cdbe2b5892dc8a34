/** Functions that use layers: what they find where, in which order, for how long; and layers that mean harm. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { folderOf, openCodeFolders } from '../../src/functions/deployed/code-folders.ts'
import { project } from '../functions/project.ts'
import { temporaryDirectory } from '../journal/temporary-directory.ts'
import { type Part, zipOf } from '../management/zip-of.ts'
import { serveRegistered, until } from './serving.ts'

const node = { Runtime: 'nodejs22.x', Handler: 'index.handler' } as const

// ----------------------------------------------------------------------------------------- what each runtime finds

test('Node: require finds the modules of layers, the runtime version first; import does not, as on the real service', async (t) => {
  const { registered, answer } = await serveRegistered(t)
  const Layers = [
    registered.publishLayer('plain', {
      'nodejs/node_modules/tool/index.js': "module.exports = 'for all'",
      'nodejs/node_modules/other/index.js': "module.exports = 'other'",
    }),
    registered.publishLayer('special', { 'nodejs/node22/node_modules/tool/index.js': "module.exports = 'for 22'" }),
  ]
  const requiring =
    "exports.handler = async () => [require('tool'), require('other'), process.env.NODE_PATH.split(':')]"
  registered.create('f', { 'index.js': requiring }, { ...node, Layers })
  registered.create('old', { 'index.js': requiring }, { ...node, Runtime: 'nodejs20.x', Layers })
  registered.create(
    'm',
    { 'index.mjs': "export const handler = () => import('tool').then(() => 'found', ({ code }) => code)" },
    { ...node, Layers },
  )
  const [tool, other, path] = (await answer('f')) as [string, string, readonly string[]]
  assert.deepEqual([tool, other], ['for 22', 'other'])
  assert.deepEqual(
    path.map((each) =>
      each
        .split('/')
        .slice(-3)
        .join('/')
        .replace(/^[^/]{64}\//, ''),
    ),
    ['nodejs/node22/node_modules', 'nodejs/node_modules'],
  )
  assert.equal(((await answer('old')) as readonly unknown[])[0], 'for all')
  assert.equal(await answer('m'), 'ERR_MODULE_NOT_FOUND')
})

test('programs of a layer are on the PATH, libraries on theirs', async (t) => {
  const { registered, answer } = await serveRegistered(t)
  const Layers = [registered.publishLayer('programs', { 'bin/say-hello': '#!/bin/sh\necho hello from a layer' })]
  const handler = `const { execFileSync } = require('node:child_process')
exports.handler = async () => [String(execFileSync('say-hello')).trim(), process.env.LD_LIBRARY_PATH.split(':')]`
  registered.create('f', { 'index.js': handler }, { ...node, Layers })
  const [said, libraries] = (await answer('f')) as [string, readonly string[]]
  assert.equal(said, 'hello from a layer')
  assert.ok(libraries.some((folder, at) => at === 2 && folder.endsWith('/lib')))
})

test('of files with one path, that of the last layer counts', async (t) => {
  const { registered, answer } = await serveRegistered(t)
  const layer = (name: string) =>
    registered.publishLayer(name, {
      'nodejs/node_modules/tool/index.js': `module.exports = '${name}'`,
      [`nodejs/node_modules/${name}/index.js`]: '',
    })
  const [a, b] = [layer('a'), layer('b')]
  const handler = "exports.handler = async () => (require('a'), require('b'), require('tool'))"
  registered.create('ab', { 'index.js': handler }, { ...node, Layers: [a, b] })
  registered.create('ba', { 'index.js': handler }, { ...node, Layers: [b, a] })
  assert.deepEqual([await answer('ab'), await answer('ba')], ['b', 'a'])
})

const noPython = !has('python3') && 'there is no Python on this machine'
test('Python: packages of layers come after those of the function', { skip: noPython }, async (t) => {
  const { registered, answer } = await serveRegistered(t)
  const Layers = [
    registered.publishLayer('l', {
      'python/greeting.py': "hello = 'hello from a layer'",
      'python/own.py': "whose = 'the layer'",
      'python/lib/python3.13/site-packages/deep.py': "deep = 'site packages'",
    }),
  ]
  const app = 'import greeting, own, deep\ndef handler(event, context): return [greeting.hello, own.whose, deep.deep]'
  registered.create(
    'f',
    { 'app.py': app, 'own.py': "whose = 'the function'" },
    { Runtime: 'python3.13', Handler: 'app.handler', Layers },
  )
  assert.deepEqual(await answer('f'), ['hello from a layer', 'the function', 'site packages'])
})

test('provided: the bootstrap of a layer is used when the package has none', async (t) => {
  const { registered, invoke } = await serveRegistered(t)
  const failing = (text: string): string =>
    `#!/bin/sh\necho "${text} $LAMBDA_TASK_ROOT/$_HANDLER: $(cat "$LAMBDA_TASK_ROOT/$_HANDLER")"\nexit 7\n`
  const Layers = [registered.publishLayer('runtime', { bootstrap: failing('layer') })]
  const config = { Runtime: 'provided.al2023', Handler: 'script', Layers } as const
  registered.create('without', { script: 'of the function' }, config)
  registered.create('with', { script: 'own', bootstrap: failing('package') }, config)
  assert.match((await invoke('without')).logTail, /layer .*script: of the function/)
  assert.match((await invoke('with')).logTail, /package .*script: own/)
})

// ------------------------------------------------------------------------------------------------ how long they stay

test('the folder is shared, goes with the last function that has it, and a deleted version stays usable', async (t) => {
  const data = project(t, {})
  const { registered, answer } = await serveRegistered(t, { dataDirectory: data })
  const folders = (): readonly string[] =>
    readdirSync(join(data, 'code', 'deployed')).filter((name) => /^[0-9a-f]{64}$/.test(name))
  const arn = registered.publishLayer('l', { 'nodejs/node_modules/tool/index.js': 'module.exports = __filename' })
  const handler = (n: number) => ({ 'index.js': `exports.handler = async () => require('tool') // ${n}` })
  registered.create('f', handler(1), { ...node, Layers: [arn] })
  registered.create('g', handler(2), { ...node, Layers: [arn] })
  const file = String(await answer('f'))
  assert.equal(await answer('g'), file, 'one folder for both')
  assert.equal(folders().length, 3)
  registered.deleteLayer('l')
  registered.configure('f', { Timeout: 11 })
  assert.equal(await answer('f'), file)
  assert.throws(() => registered.configure('f', { Layers: [arn] }), { message: `Layer version ${arn} does not exist.` })
  registered.configure('f', { Layers: [] })
  registered.delete('g')
  await until('the folders of g and of the layer are gone', () => folders().length === 1)
  assert.equal(existsSync(file), false)
})

// ---------------------------------------------------------------------------------------------- layers over each other

interface Merged {
  readonly root: string
  readonly outside: string
}

async function merge(t: TestContext, ...layers: readonly (readonly Part[])[]): Promise<Merged> {
  const outside = temporaryDirectory(t)
  const zips = new Map(layers.map((parts, index) => [`hash${index}`, zipOf(...parts)]))
  const folders = await openCodeFolders(join(outside, 'folders'), async ({ sha256 }) => {
    const bytes = zips.get(sha256)
    if (bytes === undefined) throw new Error('the code is not there')
    return bytes
  })
  const [first, ...others] = [...zips.keys()].map((sha256) => ({ sha256, bytes: 1, unzippedBytes: 1 }))
  if (first === undefined) throw new Error('no layers')
  return { root: await folders.hold([first, ...others]).path, outside }
}

const link = (name: string, target: string): Part => ({ name, content: target, mode: 0o120777 })
const file = (name: string, content: string): Part => ({ name, content })

describe('layers over each other', () => {
  test('a file is not written through a link of an earlier layer', async (t) => {
    const { root } = await merge(t, [link('a', 'b'), file('b/kept', 'b')], [file('a/x', 'new')])
    assert.ok(lstatSync(join(root, 'a')).isDirectory())
    assert.deepEqual(readdirSync(join(root, 'b')), ['kept'])
    assert.equal(readFileSync(join(root, 'a/x'), 'utf8'), 'new')
  })

  test('a link that would lead outside from where an earlier link puts it leads inside', async (t) => {
    // Written through `s`, which is the root itself, `../../x` would be two folders above it.
    const { root } = await merge(t, [link('s', '.')], [link('s/t/link', '../../x'), file('x', 'inside')])
    assert.equal(readlinkSync(join(root, 's/t/link')), '../../x')
    assert.equal(readFileSync(join(root, 's/t/link'), 'utf8'), 'inside')
    assert.ok(lstatSync(join(root, 's')).isDirectory())
  })

  const REPLACED: readonly (readonly [title: string, first: readonly Part[], second: readonly Part[], now: string])[] =
    [
      ['a file by a file', [file('a', '1')], [file('a', '2')], '2'],
      ['a folder by a file', [file('a/b/c', '1'), file('a/d', '1')], [file('a', '2')], '2'],
      ['a link by a file, and not what it leads to', [link('a', 'b'), file('b', '1')], [file('a', '2')], '2'],
      ['a folder by a link', [file('a/b', '1')], [link('a', 'c'), file('c', '2')], '2'],
    ]
  for (const [title, first, second, now] of REPLACED) {
    test(`${title} is replaced`, async (t) => {
      const { root } = await merge(t, first, second)
      assert.equal(readFileSync(join(root, 'a'), 'utf8'), now)
      if (existsSync(join(root, 'b'))) assert.equal(readFileSync(join(root, 'b'), 'utf8'), '1')
    })
  }

  test('many folders in the way of many files are quickly gone', async (t) => {
    const many = Array.from({ length: 3_000 }, (_, index) => `n${index}`)
    const begun = performance.now()
    const { root } = await merge(
      t,
      many.map((name) => file(`${name}/x`, '')),
      many.map((name) => file(name, '')),
    )
    assert.equal(readdirSync(root).length, many.length)
    assert.ok(performance.now() - begun < 30_000)
  })

  test('one package has the same folder as a layer and as a function; an order is an order', () => {
    const [a, b] = ['YQ==', 'Yg=='].map((sha256) => ({ sha256, bytes: 1, unzippedBytes: 1 }))
    assert.ok(a !== undefined && b !== undefined)
    assert.equal(folderOf([a]), Buffer.from('a').toString('hex'))
    assert.notEqual(folderOf([a, b]), folderOf([b, a]))
  })
})

function has(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
