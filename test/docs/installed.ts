/** Perdure as a user has it, built and installed, in folders of the test's own. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { root } from './markdown.ts'

export const packages = join(root, 'node_modules')

/** A test, or a whole file of them: what tells when it is over. */
export interface Lifetime {
  after(end: () => unknown): void
}

/** A folder that is gone when the test ends. */
export async function folder(context: Lifetime): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'perdure-docs-'))
  context.after(() => rm(path, { recursive: true, force: true }))
  return path
}

/** What `npm ci && npm run build` makes of a clone, without touching this one. */
export async function buildPerdure(context: Lifetime): Promise<string> {
  const path = join(await folder(context), 'perdure')
  await mkdir(path)
  await symlink(packages, join(path, 'node_modules'))
  await copyFile(join(root, 'package.json'), join(path, 'package.json'))
  const tsc = join(packages, 'typescript', 'bin', 'tsc')
  const built = await run(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--outDir', join(path, 'dist')], root)
  assert.equal(built.code, 0, built.out)
  return path
}

/** What `npm install` makes of a user's folder: the SDK, the AWS client and, if there is one, Perdure. */
export async function installPackages(project: string, perdure?: string): Promise<void> {
  const modules = join(project, 'node_modules')
  await mkdir(modules, { recursive: true })
  const links = new Map(['@aws', '@aws-sdk', '@types'].map((scope) => [scope, join(packages, scope)]))
  if (perdure !== undefined) links.set('perdure', perdure)
  for (const [name, target] of links) {
    await rm(join(modules, name), { force: true })
    await symlink(target, join(modules, name))
  }
}

export interface Outcome {
  readonly code: number | null
  /** Standard output and standard error. */
  readonly out: string
}

export async function run(
  program: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Outcome> {
  const child = spawn(program, args, { cwd, env: withoutTestRunner(env), stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: child.exitCode, out: out + err }
}

/** A test runner that was started by another one would report to it instead of printing. */
export function withoutTestRunner({ NODE_TEST_CONTEXT: _runner, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env
}

/** A port that nobody uses now. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : assert.fail('no port')
}
