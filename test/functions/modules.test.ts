import assert from 'node:assert/strict'
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { pathToFileURL } from 'node:url'
import { answer, invoke, project, responseOf, serve, serveOne } from './project.ts'

test('every kind of module is loaded', async (t) => {
  const root = project(t, {
    'package.json': '{ "type": "commonjs" }',
    'esm.mjs': 'export const handler = async (event) => ({ kind: "mjs", event })',
    'cjs.cjs': 'exports.handler = async (event) => ({ kind: "cjs", event })',
    'plain.js': 'module.exports.handler = async (event) => ({ kind: "js", event, dir: __dirname === process.cwd() })',
    'typed.ts': 'export const handler = async (event: unknown) => ({ kind: "ts", event })',
    'typed.mts': 'export const handler = async (event: unknown) => ({ kind: "mts", event })',
    'typed.cts': 'exports.handler = async (event: unknown) => ({ kind: "cts", event })',
  })
  const files = ['esm.mjs', 'cjs.cjs', 'plain.js', 'typed.ts', 'typed.mts', 'typed.cts']
  const functions = await serve(
    t,
    files.map((file) => ({ name: file.replace('.', '-'), file: join(root, file), durable: false })),
  )
  for (const file of files) {
    const result = await invoke(functions, { n: 1 }, { name: file.replace('.', '-') })
    assert.equal(result.kind, 'response', file)
    const value = JSON.parse(Buffer.from(result.body).toString())
    assert.deepEqual({ kind: value.kind, event: value.event }, { kind: file.split('.')[1], event: { n: 1 } })
  }
})

test('TypeScript keeps its promises: enums, paths, imports without extension, own location, packages, require', async (t) => {
  const root = project(t, {
    'tsconfig.json': '{ "compilerOptions": { "baseUrl": ".", "paths": { "@lib/*": ["lib/*"] } } }',
    'package.json': '{ "type": "module" }',
    'lib/colour.ts': 'export enum Colour { Red = "red" }\nexport namespace Deep { export const value = 42 }',
    'lib/greet.ts': "export const greet = (name: string) => 'hello ' + name",
    'functions/orders.ts': `
      import { basename } from 'node:path'
      import { Colour, Deep } from '@lib/colour'
      import { greet } from '../lib/greet'
      import { parse } from 'yaml'
      class Order { constructor(readonly id: string) {} }
      export const handler = async () => ({
        colour: Colour.Red, deep: Deep.value, greeting: greet('you'), yaml: parse('a: 1'), order: new Order('o').id,
        url: basename(new URL(import.meta.url).pathname), dir: basename(__dirname), file: basename(__filename),
        required: typeof require('yaml').parse, cwd: basename(process.cwd()) === basename(import.meta.dirname + '/..'),
      })`,
  })
  const functions = await serve(t, [{ name: 'f', file: join(root, 'functions/orders.ts'), durable: false }])
  const value = (await answer(functions)) as Record<string, unknown>
  assert.deepEqual(value, {
    colour: 'red',
    deep: 42,
    greeting: 'hello you',
    yaml: { a: 1 },
    order: 'o',
    url: 'orders.ts',
    dir: 'functions',
    file: 'orders.ts',
    required: 'function',
    cwd: value['cwd'],
  })
})

test('a package that only an inlined module can see is found', async (t) => {
  const root = project(t, {
    'shared/index.ts': "import { only } from 'only-here'\nexport const value: number = only",
    'shared/node_modules/only-here/package.json': '{ "name": "only-here", "main": "index.js", "type": "module" }',
    'shared/node_modules/only-here/index.js': 'export const only = 7',
    'app/f.ts': "import { value } from '../shared/index'\nexport const handler = async () => value",
  })
  const functions = await serve(t, [{ name: 'f', file: join(root, 'app/f.ts'), durable: false }])
  assert.equal(await answer(functions), 7)
})

test('every source in a bundle knows its own place', async (t) => {
  const place = '[import.meta.url, import.meta.dirname, import.meta.filename, __dirname, __filename]'
  const root = project(t, {
    'app/f.ts': `import { there } from '../lib/there'\nexport const handler = async () => ({ here: ${place}, there })`,
    'lib/there.ts': `export const there: unknown = ${place}\nif (there === 1) throw new Error('import.meta.url')`,
    'lib/broken.ts': 'export const place = import.meta.url\nexport const x = {{',
    'app/g.ts': "import '../lib/broken'\nexport const handler = async () => 1",
  })
  const functions = await serve(t, [{ name: 'f', file: join(root, 'app/f.ts'), durable: false }])
  const own = (directory: string, file: string): string[] => {
    const [folder, path] = [join(root, directory), join(root, directory, file)]
    return [pathToFileURL(path).href, folder, path, folder, path]
  }
  assert.deepEqual(await answer(functions), { here: own('app', 'f.ts'), there: own('lib', 'there.ts') })
  await assert.rejects(
    serve(t, [{ name: 'g', file: join(root, 'app/g.ts'), durable: false }]),
    /function "g" cannot be compiled: .*lib.broken\.ts:2:\d+: /,
  )
})

test('a handler behind a symbolic link', async (t) => {
  const root = project(t, { 'real/f.ts': 'enum E { A = 1 }\nexport const handler = async () => [E.A, __dirname]' })
  symlinkSync(join(root, 'real'), join(root, 'link'))
  const functions = await serve(t, [{ name: 'f', file: join(root, 'link', 'f.ts'), durable: false }])
  assert.deepEqual(await answer(functions), [1, join(root, 'real')])
})

test('a file that several functions come from is compiled once; bundles of earlier servers are removed', async (t) => {
  const root = project(t, {
    'f.ts': 'export const a = async (): Promise<string> => "a"\nexport const b = async () => "b"',
  })
  const data = join(root, 'data')
  const start = () =>
    serve(
      t,
      ['a', 'b'].map((name) => ({ name, file: join(root, 'f.ts'), exportName: name, durable: false as const })),
      { dataDirectory: data },
    )
  const first = await start()
  assert.equal(responseOf(await invoke(first, {}, { name: 'b' })), 'b')
  const before = readdirSync(join(data, 'code')).filter((name) => name.endsWith('.mjs'))
  assert.equal(before.filter((name) => name.startsWith('f-')).length, 1)
  await first.close()
  writeFileSync(join(root, 'f.ts'), 'export const a = async () => "A"\nexport const b = async () => "B"')
  const second = await start()
  assert.equal(responseOf(await invoke(second, {}, { name: 'b' })), 'B')
  const after = readdirSync(join(data, 'code')).filter((name) => name.endsWith('.mjs'))
  assert.equal(after.length, before.length)
  assert.notDeepEqual(after, before)
})

test('errors of TypeScript handlers point into the source', async (t) => {
  const source = `enum Padding { A, B }
export const handler = async () => {
  throw new RangeError('out of ' + Padding[1])
}`
  const functions = await serveOne(t, 'orders.ts', source)
  const result = await invoke(functions)
  assert.equal(result.kind, 'error')
  assert.equal(result.error.ErrorType, 'RangeError')
  assert.equal(result.error.ErrorMessage, 'out of B')
  assert.match(result.error.StackTrace?.[1] ?? '', /orders\.ts:3:9/)
  assert.deepEqual(JSON.parse(result.body).trace, result.error.StackTrace)
})

test('a syntax error in TypeScript is told at the start, with file and line', async (t) => {
  const root = project(t, { 'bad.ts': 'export const handler = async () => {\n  return {{\n}' })
  await assert.rejects(serve(t, [{ name: 'bad', file: join(root, 'bad.ts') }]), (error: Error) => {
    assert.equal(error.name, 'DeclarationError')
    assert.match(error.message, /^The handler of function "bad" cannot be compiled: .*bad\.ts:2:\d+: .+\n.+\n.+$/)
    return true
  })
})

test('a syntax error in JavaScript is told with file and line, at the start when the module must be looked at', async (t) => {
  const root = project(t, {
    'esm.mjs': 'export const handler = async () => {\n  return {{\n}',
    'cjs.cjs': 'exports.handler = async () => {\n  return {{\n}',
  })
  for (const file of ['esm.mjs', 'cjs.cjs']) {
    const place = new RegExp(`SyntaxError: Unexpected token '{' \\(.*${file}:2\\)`)
    await assert.rejects(serve(t, [{ name: 'f', file: join(root, file) }]), {
      name: 'DeclarationError',
      message: place,
    })
    const functions = await serve(t, [{ name: 'f', file: join(root, file), durable: false }])
    const result = await invoke(functions)
    assert.match(result.kind === 'error' ? (result.error.ErrorMessage ?? '') : result.kind, place)
  }
})

test('export names reach into objects', async (t) => {
  const functions = await serveOne(t, 'a.cjs', 'exports.api = { get: async () => 1 }', { exportName: 'api.get' })
  assert.equal(await answer(functions), 1)
})

test('a module that cannot be imported fails its invocations with the type of the official runtime', async (t) => {
  const root = project(t, {
    'missing.mjs': "import 'no-such-package'\nexport const handler = async () => 1",
    'syntax.mjs': 'export const handler = {{',
    'unexported.mjs': 'export const other = 1',
    'notafunction.mjs': 'export const handler = 1',
    'throws.mjs': 'class SetupError extends Error { name = "SetupError" }\nthrow new SetupError("no database")',
  })
  const types = {
    missing: 'Runtime.ImportModuleError',
    syntax: 'Runtime.UserCodeSyntaxError',
    unexported: 'Runtime.HandlerNotFound',
    notafunction: 'Runtime.HandlerNotFound',
    throws: 'SetupError',
  }
  const functions = await serve(
    t,
    Object.keys(types).map((name) => ({ name, file: join(root, `${name}.mjs`), durable: false })),
  )
  for (const [name, type] of Object.entries(types)) {
    const result = await invoke(functions, {}, { name })
    assert.equal(result.kind, 'error', name)
    assert.equal(result.error.ErrorType, type)
    assert.equal(JSON.parse(result.body).errorType, type)
    assert.match(result.logTail, /ERROR\tInit Error/)
  }
})
