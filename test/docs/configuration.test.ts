/** `docs/configuration.md` knows the keys, options and ranges that the code knows. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { buildCatalog } from '../../src/functions/catalog.ts'
import { loadConfig } from '../../src/functions/config.ts'
import { logBounds } from '../../src/functions/log-keeping.ts'
import type { FunctionDeclaration } from '../../src/index.ts'
import { DEFAULT_PLACE } from '../../src/protocol/arn.ts'
import { code, readPage, root, tableOf } from './markdown.ts'

const page = readPage('docs/configuration.md')
const keysOf = (title: string): readonly string[] => tableOf(page, title).map(([key]) => code(key))

const places = [
  { title: 'Keys of the file', config: { surplus: 1, functions: [] } },
  { title: 'Keys of a function', config: { functions: [{ surplus: 1 }] } },
  { title: 'Keys of `logging`', config: { functions: [{ handler: './f.js', logging: { surplus: 1 } }] } },
  { title: 'Keys of `functionLogs`', config: { functions: [], functionLogs: { surplus: 1 } } },
  {
    title: 'Keys of `asynchronous`',
    config: { functions: [{ handler: './f.js', asynchronous: { surplus: 1 } }] },
  },
  { title: 'Keys of `durable`', config: { functions: [{ handler: './f.js', durable: { surplus: 1 } }] } },
]

for (const { title, config } of places) {
  test(`${title}: those that the loader knows`, async (context) => {
    const file = join(await folder(context), 'perdure.config.json')
    await writeFile(file, JSON.stringify(config))
    const refusal = await loadConfig(file).then(
      () => assert.fail('the surplus key was accepted'),
      (error: Error) => error.message,
    )
    const known = /Known keys are ([\w, ]+)\./.exec(refusal)?.[1]?.split(', ') ?? assert.fail(refusal)
    assert.deepEqual([...keysOf(title)].sort(), known.sort())
  })
}

test('startPerdure: the options are the members of its type', () => {
  assert.deepEqual([...keysOf('startPerdure')].sort(), membersOf('src/index.ts', 'PerdureOptions').sort())
})

test('Keys of a function: those of a declaration, and what a config file adds', () => {
  const added = ['handler', 'DurableConfig']
  const members = membersOf('src/functions/declaration.ts', 'FunctionDeclaration')
  assert.deepEqual([...keysOf('Keys of a function')].sort(), [...members, ...added].sort())
})

test('ranges: what is told is accepted, and one less or more is not', async (context) => {
  const file = join(await folder(context), 'f.js')
  await writeFile(file, 'export const handler = async () => {}\n')
  const accepts = (declaration: Partial<FunctionDeclaration>) =>
    buildCatalog([{ name: 'f', file, durable: false, ...declaration }], {
      place: DEFAULT_PLACE,
      bundle: async () => undefined,
      isDurable: async () => false,
    }).then(
      () => true,
      (error: Error) => (error.name === 'DeclarationError' ? false : assert.fail(error)),
    )
  const told = [
    ...rangesOf('Keys of a function').map(({ key, bounds }) => ({
      bounds,
      with: (value: number) => ({ [key]: value }),
    })),
    ...rangesOf('Keys of `asynchronous`').map(({ key, bounds }) => ({
      bounds,
      with: (value: number) => ({ asynchronous: { [key]: value } }),
    })),
    ...rangesOf('Keys of `durable`').map(({ key, bounds }) => ({
      bounds,
      with: (value: number) => ({ durable: { ExecutionTimeout: 60, [key]: value } }),
    })),
  ]
  assert.ok(told.length >= 8, 'too few ranges are told')
  for (const { bounds, with: declared } of told) {
    for (const [value, fits] of bounds) {
      assert.equal(await accepts(declared(value)), fits, JSON.stringify(declared(value)))
    }
  }
})

test('ranges of `functionLogs`: what is told is accepted, and one less or more is not', () => {
  const told = rangesOf('Keys of `functionLogs`')
  assert.equal(told.length, 2)
  for (const { key, bounds } of told) {
    for (const [value, fits] of bounds) {
      const accept = () => logBounds({ [key]: value })
      if (fits) accept()
      else assert.throws(accept, /whole number/, `${key} ${value}`)
    }
  }
})

/** Of the rows that tell a range, `1 to 900`: values at its ends and beyond them. */
function rangesOf(title: string): readonly { key: string; bounds: readonly (readonly [number, boolean])[] }[] {
  return tableOf(page, title).flatMap(([key, value]) => {
    const [, low, high] = /^(\d+) to (\d+):/.exec(value ?? '') ?? []
    if (low === undefined || high === undefined) return []
    const [from, to] = [Number(low), Number(high)]
    return [
      {
        key: code(key),
        bounds: [
          [from, true],
          [to, true],
          [from - 1, false],
          [to + 1, false],
          [from + 0.5, false],
        ],
      },
    ]
  })
}

/** The members of an exported interface, read from its source: types are not there when a test runs. */
function membersOf(file: string, name: string): string[] {
  const source = readFileSync(join(root, file), 'utf8')
  const body = new RegExp(`export interface ${name} \\{\\n(.*?)\\n\\}`, 's').exec(source)?.[1] ?? assert.fail(name)
  return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, member]) => member ?? '')
}

async function folder(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'perdure-docs-'))
  context.after(() => rm(path, { recursive: true, force: true }))
  return path
}
