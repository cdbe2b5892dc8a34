import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import type { FunctionDeclaration } from '../../src/functions/declaration.ts'
import { project, serve, versionOf } from './project.ts'

test('what a declaration leaves out', async (t) => {
  const root = project(t, {
    'durable.mjs': `import { withDurableExecution } from '@aws/durable-execution-sdk-js'
      export const handler = withDurableExecution(async () => 1)`,
    'plain.mjs': 'export const handler = async () => 1',
  })
  const functions = await serve(t, [
    { name: 'durable', file: join(root, 'durable.mjs') },
    { name: 'plain', file: join(root, 'plain.mjs') },
  ])
  const common = { version: '$LATEST', memoryMb: 512, concurrency: 2 * availableParallelism(), perTenant: false }
  assert.deepEqual(functions.list(), [
    {
      ...common,
      name: 'durable',
      arn: 'arn:aws:lambda:us-east-1:000000000000:function:durable:$LATEST',
      timeoutSeconds: 900,
      durable: { ExecutionTimeout: 900, RetentionPeriodInDays: 14 },
    },
    {
      ...common,
      name: 'plain',
      arn: 'arn:aws:lambda:us-east-1:000000000000:function:plain:$LATEST',
      timeoutSeconds: 60,
      durable: undefined,
    },
  ])
  assert.equal(functions.resolve('plain', '$LATEST'), versionOf(functions, 'plain'))
  assert.equal(functions.resolve('plain', '1'), undefined)
  assert.equal(functions.resolve('nobody', undefined), undefined)
})

const sdk = "import { withDurableExecution as wrap } from '@aws/durable-execution-sdk-js'\n"
const detected: readonly {
  readonly name: string
  readonly file: string
  readonly text: string
  readonly durable: boolean
}[] = [
  { name: 'wrapped', file: 'a.mjs', text: `${sdk}export const handler = wrap(async () => 1)`, durable: true },
  {
    name: 'wrapped in TypeScript',
    file: 'a.ts',
    text: `${sdk}export const handler = wrap(async (): Promise<number> => 1)`,
    durable: true,
  },
  {
    name: 'wrapped in CommonJS',
    file: 'a.cjs',
    text: "exports.handler = require('@aws/durable-execution-sdk-js').withDurableExecution(async () => 1)",
    durable: true,
  },
  {
    name: 'wrapped and bound',
    file: 'a.mjs',
    text: `${sdk}export const handler = wrap(async () => 1).bind(null)`,
    durable: true,
  },
  {
    name: 'plain, with the SDK beside it',
    file: 'a.mjs',
    text: `${sdk}export const other = wrap(async () => 1)\nexport const handler = async () => 1`,
    durable: false,
  },
  {
    name: 'plain',
    file: 'a.mjs',
    text: 'export const handler = async () => { throw new Error("must not be called") }',
    durable: false,
  },
]

for (const { name, file, text, durable } of detected) {
  test(`durability is seen without calling the handler: ${name}`, async (t) => {
    const root = project(t, { [file]: text })
    const functions = await serve(t, [{ name: 'f', file: join(root, file) }])
    assert.equal(versionOf(functions).durable !== undefined, durable)
  })
}

test('durability is seen in a handler that was bundled together with the SDK', async (t) => {
  const { build } = await import('esbuild')
  const root = project(t, { 'source.mjs': `${sdk}export const handler = wrap(async () => 1)` })
  const bundle = async (name: string, minify: boolean) =>
    build({
      entryPoints: [join(root, 'source.mjs')],
      outfile: join(root, name),
      bundle: true,
      platform: 'node',
      format: 'cjs',
      minify,
      sourcemap: minify,
      logLevel: 'silent',
    })
  await Promise.all([bundle('readable.cjs', false), bundle('minified.cjs', true)])
  const functions = await serve(t, [
    { name: 'readable', file: join(root, 'readable.cjs') },
    { name: 'minified', file: join(root, 'minified.cjs') },
  ])
  assert.notEqual(versionOf(functions, 'readable').durable, undefined)
  assert.notEqual(versionOf(functions, 'minified').durable, undefined, 'its source map tells')
})

test('a module whose durability cannot be seen is told at the start', async (t) => {
  const root = project(t, {
    'missing.mjs': "import 'no-such-package'",
    'exits.mjs': "console.error('cannot go on'); process.exit(1)",
    'hangs.mjs': 'setInterval(() => {}, 1000); await new Promise(() => {})',
  })
  for (const [file, message, initLimitMs] of [
    ['missing.mjs', /cannot be loaded \(.*missing\.mjs\): Runtime\.ImportModuleError: .*no-such-package/, 60_000],
    ['exits.mjs', /cannot be loaded \(.*\): Runtime\.ExitError: cannot go on/, 60_000],
    [
      'hangs.mjs',
      /cannot be loaded \(.*\): Runtime\.ExitError: the process ended, or did not finish loading in time/,
      500,
    ],
  ] as const) {
    await assert.rejects(serve(t, [{ name: 'f', file: join(root, file) }], { initLimitMs }), {
      name: 'DeclarationError',
      message,
    })
  }
})

const wrong: readonly { readonly declaration: Partial<FunctionDeclaration>; readonly message: RegExp }[] = [
  { declaration: { name: 'no spaces' }, message: /^Function "no spaces": the name is not valid\.\n/ },
  { declaration: { name: 'x'.repeat(65) }, message: /the name is not valid/ },
  { declaration: { file: 'missing.mjs' }, message: /there is no file .*missing\.mjs/ },
  { declaration: { file: 'notes.txt' }, message: /notes\.txt is not a JavaScript or TypeScript module/ },
  { declaration: { timeout: 901 }, message: /timeout is 901\.\n.*\nGive a whole number from 1 to 900\./ },
  { declaration: { timeout: 0.5 }, message: /timeout is 0\.5/ },
  { declaration: { memory: 64 }, message: /memory is 64/ },
  { declaration: { concurrency: 0 }, message: /concurrency is 0/ },
  { declaration: { maxConcurrency: 0 }, message: /maxConcurrency is 0/ },
  { declaration: { warm: 1.5 }, message: /warm is 1.5/ },
  { declaration: { warm: 1, tenancy: 'PER_TENANT' }, message: /PER_TENANT and has warm/ },
  { declaration: { exportName: '' }, message: /export/ },
  { declaration: { durable: { ExecutionTimeout: 0 } }, message: /durable\.ExecutionTimeout is 0/ },
  {
    declaration: { durable: { ExecutionTimeout: 1, RetentionPeriodInDays: 91 } },
    message: /RetentionPeriodInDays is 91/,
  },
  { declaration: { asynchronous: { retryAttempts: 3 } }, message: /asynchronous\.retryAttempts is 3/ },
  { declaration: { asynchronous: { onFailure: 'http://' } }, message: /onFailure is "http:\/\/"\.\n.*\nGive the URL/ },
  { declaration: { asynchronous: { onSuccess: '' } }, message: /onSuccess is ""/ },
  { declaration: { asynchronous: 'often' as never }, message: /asynchronous is "often"/ },
  { declaration: { environment: { 'A-B': '' } }, message: /"A-B" has no valid name/ },
  { declaration: { environment: { _HANDLER: 'x' } }, message: /_HANDLER is set by the server/ },
]

for (const { declaration, message } of wrong) {
  test(`refused: ${JSON.stringify(declaration)}`, async (t) => {
    const root = project(t, { 'a.mjs': 'export const handler = 1', 'notes.txt': '' })
    const file = join(root, declaration.file ?? 'a.mjs')
    await assert.rejects(serve(t, [{ name: 'f', ...declaration, file }]), { name: 'DeclarationError', message })
  })
}

test('two functions of one name are refused', async (t) => {
  const root = project(t, { 'a.mjs': '', 'b.mjs': '' })
  const declarations = ['a', 'b'].map((name) => ({ name: 'f', file: join(root, `${name}.mjs`) }))
  await assert.rejects(
    serve(t, declarations),
    /^DeclarationError: Function "f" is declared twice: by .*a\.mjs and by .*b\.mjs/,
  )
})
