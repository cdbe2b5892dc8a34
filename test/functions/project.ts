/** What the tests of the functions room share: a user's project in a temporary directory, and a room that serves it. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import type { FunctionDeclaration } from '../../src/functions/declaration.ts'
import {
  createLocalFunctions,
  type LocalFunctions,
  type LocalFunctionsOptions,
} from '../../src/functions/local-functions.ts'
import { DEFAULT_PLACE } from '../../src/protocol/arn.ts'
import { createSystemEntropy, createSystemTimers, systemClock } from '../../src/service/clock-adapters.ts'
import type { FunctionVersion, InvocationRequest, InvocationResult } from '../../src/service/ports.ts'

const entropy = createSystemEntropy()

/** Writes the files below a new directory that finds this repository's packages. Removed after the test. */
export function project(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(realpathSync(tmpdir()), 'perdure-test-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  symlinkSync(join(import.meta.dirname, '..', '..', 'node_modules'), join(root, 'node_modules'))
  return root
}

const noLambdaApi: RequestListener = (_, response) => {
  response.writeHead(500).end('no Lambda API in this test')
}

export async function serve(
  t: TestContext,
  declarations: readonly FunctionDeclaration[],
  options: Partial<LocalFunctionsOptions> = {},
): Promise<LocalFunctions> {
  const functions = await createLocalFunctions({
    declarations,
    place: DEFAULT_PLACE,
    lambdaApi: noLambdaApi,
    dataDirectory: undefined,
    clock: systemClock,
    timers: createSystemTimers(systemClock),
    entropy,
    ...options,
  })
  t.after(() => functions.close())
  return functions
}

/** A plain function of one file. */
export async function serveOne(
  t: TestContext,
  file: string,
  text: string,
  declaration: Partial<FunctionDeclaration> = {},
  options: Partial<LocalFunctionsOptions> = {},
): Promise<LocalFunctions> {
  const root = project(t, { [file]: text })
  return serve(t, [{ name: 'f', file: join(root, file), durable: false, ...declaration }], options)
}

export function versionOf(functions: LocalFunctions, name = 'f'): FunctionVersion {
  const version = functions.resolve(name, undefined)
  if (version === undefined) throw new Error(`the test's function ${name} is not there`)
  return version
}

const never = new AbortController().signal

export async function invoke(
  functions: LocalFunctions,
  event: unknown = {},
  request: Partial<InvocationRequest> & { readonly name?: string } = {},
): Promise<InvocationResult> {
  const { name, ...rest } = request
  const slot = await functions.reserve(versionOf(functions, name), rest.tenantId, never)
  return slot.run({ requestId: entropy.uuid(), event: JSON.stringify(event), ...rest })
}

/** The value that a function answered. Anything but a response fails the test with what came instead. */
export function responseOf(result: InvocationResult): unknown {
  if (result.kind !== 'response') throw new Error(`expected a response, got ${JSON.stringify(result)}`)
  return JSON.parse(Buffer.from(result.body).toString('utf8'))
}

export async function answer(functions: LocalFunctions, event: unknown = {}): Promise<unknown> {
  return responseOf(await invoke(functions, event))
}
