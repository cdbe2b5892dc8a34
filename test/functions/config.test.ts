import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { declarationsFromPaths, defineConfig, loadConfig } from '../../src/functions/config.ts'
import { project } from './project.ts'

const functionsText = `functions: [
  { handler: './orders.ts' },
  { name: 'pay', handler: 'pay.charge', environment: { A: '1' }, DurableConfig: { ExecutionTimeout: 60 } },
  { name: 'refund', handler: 'pay.js.refund', durable: false, tenancy: 'PER_TENANT', timeout: 3, memory: 256, concurrency: 1, maxConcurrency: 4, warm: 0 },
  { name: 'ship', file: 'orders.ts', exportName: 'ship' },
]`

const handlers = { 'orders.ts': 'export const handler = 1', 'pay.js': 'exports.charge = 1' }

const configs: Readonly<Record<string, string>> = {
  'perdure.config.ts': `const config: unknown = { ${functionsText} }\nexport default config`,
  'perdure.config.mjs': `export default { ${functionsText} }`,
  'perdure.config.js': `module.exports = { ${functionsText} }`,
  'perdure.config.yaml': `functions:
  - { handler: ./orders.ts }
  - name: pay
    handler: pay.charge
    environment: { A: '1' }
    DurableConfig: { ExecutionTimeout: 60 }
  - { name: refund, handler: pay.js.refund, durable: false, tenancy: PER_TENANT, timeout: 3, memory: 256, concurrency: 1, maxConcurrency: 4, warm: 0 }
  - { name: ship, file: orders.ts, exportName: ship }
`,
  'perdure.config.json': JSON.stringify({
    functions: [
      { handler: './orders.ts' },
      { name: 'pay', handler: 'pay.charge', environment: { A: '1' }, DurableConfig: { ExecutionTimeout: 60 } },
      {
        name: 'refund',
        handler: 'pay.js.refund',
        durable: false,
        tenancy: 'PER_TENANT',
        timeout: 3,
        memory: 256,
        concurrency: 1,
        maxConcurrency: 4,
        warm: 0,
      },
      { name: 'ship', file: 'orders.ts', exportName: 'ship' },
    ],
  }),
}

for (const [name, text] of Object.entries(configs)) {
  test(`${name} is read, with paths relative to it`, async (t) => {
    const root = project(t, { ...handlers, 'package.json': '{}', [name]: text })
    const { functions } = await loadConfig(join(root, name))
    assert.deepEqual(functions, [
      { name: 'orders', file: join(root, 'orders.ts') },
      {
        name: 'pay',
        file: join(root, 'pay.js'),
        exportName: 'charge',
        environment: { A: '1' },
        durable: { ExecutionTimeout: 60 },
      },
      {
        name: 'refund',
        file: join(root, 'pay.js'),
        exportName: 'refund',
        durable: false,
        tenancy: 'PER_TENANT',
        timeout: 3,
        memory: 256,
        concurrency: 1,
        maxConcurrency: 4,
        warm: 0,
      },
      { name: 'ship', file: join(root, 'orders.ts'), exportName: 'ship' },
    ])
  })
}

const refused: readonly { readonly config: string; readonly message: RegExp }[] = [
  { config: '{ functons: [] }', message: /unknown key "functons"\.\n.*\nDid you mean "functions"\?/ },
  {
    config: "{ functions: [{ name: 'a', handler: 'orders.ts', enviroment: {} }] }",
    message: /^Function "a" has an unknown key "enviroment"\.\n.*\nDid you mean "environment"\?/,
  },
  {
    config: "{ functions: [{ handler: 'orders.ts', DurableConfig: { executionTimeout: 5 } }] }",
    message: /^DurableConfig of function 1 .* "executionTimeout"\.\n.*\nDid you mean "ExecutionTimeout"\?/,
  },
  { config: '{}', message: /has no list "functions"/ },
  { config: '[]', message: /is not an object/ },
  { config: '{ functions: [5] }', message: /^Function 1 of the configuration is not an object/ },
  { config: '{ functions: [{ name: "a" }] }', message: /^Function "a" needs either "handler" or "file"/ },
  {
    config: '{ functions: [{ handler: 5 }] }',
    message: /^Function 1 of the configuration has a "handler" that is not/,
  },
  { config: '{ functions: [', message: /cannot be read: SyntaxError/ },
]

for (const { config, message } of refused) {
  test(`the configuration ${config} is refused`, async (t) => {
    const root = project(t, { ...handlers, 'perdure.config.mjs': `export default ${config}` })
    await assert.rejects(loadConfig(join(root, 'perdure.config.mjs')), { name: 'DeclarationError', message })
  })
}

test('a mistake in YAML is told with its line', async (t) => {
  const root = project(t, { 'perdure.config.yaml': 'functions:\n  - { handler: a.ts\n' })
  await assert.rejects(loadConfig(join(root, 'perdure.config.yaml')), /cannot be read: YAML.* line \d/)
})

test('a configuration that changed is read anew', async (t) => {
  const { utimesSync, writeFileSync } = await import('node:fs')
  const root = project(t, {
    ...handlers,
    'perdure.config.mjs': "export default { functions: [{ handler: 'orders.ts' }] }",
  })
  const file = join(root, 'perdure.config.mjs')
  assert.equal((await loadConfig(file)).functions.length, 1)
  writeFileSync(file, 'export default { functions: [] }')
  utimesSync(file, 1, 1)
  assert.equal((await loadConfig(file)).functions.length, 0)
})

test('runtimes: paths are relative to the file, names are commands, and only runtimes are named', async (t) => {
  const load = (runtimes: unknown) => {
    const root = project(t, { 'perdure.config.json': JSON.stringify({ functions: [], runtimes }) })
    return loadConfig(join(root, 'perdure.config.json')).then((config) => ({ ...config, root }))
  }
  const { runtimes, root } = await load({ python: './bin/python', 'python3.12': 'python3.12', java: '/opt/java' })
  assert.deepEqual(runtimes, { python: join(root, 'bin/python'), 'python3.12': 'python3.12', java: '/opt/java' })
  assert.deepEqual((await load(undefined)).runtimes, {})
  await assert.rejects(load({ pyton: 'x' }), /unknown key "pyton"[\s\S]*Did you mean "python"\?/)
  await assert.rejects(load({ python: 3 }), /has a "python" that is not text/)
})

test('destinations and events: URLs of webhooks and functions', async (t) => {
  const load = (more: object) => {
    const root = project(t, { 'perdure.config.json': JSON.stringify({ functions: [], ...more }) })
    return loadConfig(join(root, 'perdure.config.json'))
  }
  const destinations = { 'arn:aws:sqs:*': 'https://example.com/hook', 'arn:aws:sns:us-east-1:1:t': 'orders:live' }
  const events = ['http://localhost:9000/', 'arn:aws:lambda:us-east-1:000000000000:function:audit']
  const loaded = await load({ destinations, events })
  assert.deepEqual([loaded.destinations, loaded.events], [destinations, events])
  const empty = await load({})
  assert.deepEqual([empty.destinations, empty.events], [{}, []])
  await assert.rejects(load({ destinations: [] }), /"destinations" of the configuration \S+ is not an object/)
  await assert.rejects(
    load({ destinations: { 'arn:aws:sqs:*': 7 } }),
    /"arn:aws:sqs:\*" has 7 where a destination belongs/,
  )
  await assert.rejects(load({ events: 'https://example.com' }), /"events" of the configuration \S+ is not a list/)
  await assert.rejects(load({ events: ['http://'] }), /has "http:\/\/" where a destination belongs/)
  await assert.rejects(load({ events: ['not a name'] }), /Give the URL of a webhook, or the name of a function/)
})

test('defineConfig gives back what it is given', () => {
  const config = { functions: [{ handler: './orders.ts' }] }
  assert.equal(defineConfig(config), config)
})

test('paths: a file is a function; a folder gives the modules that export a handler', async (t) => {
  const root = project(t, {
    'one.mts': 'export const handler = 1',
    'dir/a.ts': 'export const handler = async () => 1',
    'dir/b.cjs': 'exports.handler = async () => 1',
    'dir/broken.ts': 'export const handler = {{',
    'dir/lib.ts': '// no handler here\nexport const other = 1',
    'dir/a.test.ts': 'export const handler = 1',
    'dir/a.d.ts': 'export const handler: 1',
    'dir/perdure.config.ts': 'export const handler = 1',
    'dir/notes.md': 'handler',
    'dir/deeper/c.ts': 'export const handler = 1',
    'empty/notes.md': '',
  })
  assert.deepEqual(await declarationsFromPaths(['one.mts', 'dir', 'dir/a.ts'], root), [
    { name: 'one', file: join(root, 'one.mts') },
    { name: 'a', file: join(root, 'dir/a.ts') },
    { name: 'b', file: join(root, 'dir/b.cjs') },
    { name: 'broken', file: join(root, 'dir/broken.ts') },
  ])
  await assert.rejects(declarationsFromPaths(['nowhere'], root), /There is no file or folder/)
  await assert.rejects(declarationsFromPaths(['empty'], root), /has no module that exports a "handler"/)
})
