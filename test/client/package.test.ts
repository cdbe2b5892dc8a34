/** The package as it is published: built, installed beside a project, and imported by its name. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')

const program = `
import { CheckpointDurableExecutionRequest, InvalidRequestError, PerdureClient, durableClient } from 'perdure/client'
const client = new PerdureClient('http://127.0.0.1:1', { retry: { maxAttempts: 1 } })
const reason: string = await client.listFunctions().then(() => 'answered', (error) => error.reason)
durableClient({ endpoint: 'http://127.0.0.1:1' }).close()
let refused = false
try {
  new CheckpointDurableExecutionRequest({ durableExecutionArn: 'x', checkpointToken: 'y' })
} catch (error) {
  refused = error instanceof InvalidRequestError
}
console.log(reason, refused)
`

const wrong = `
import { CheckpointDurableExecutionRequest } from 'perdure/client'
new CheckpointDurableExecutionRequest({ durableExecutionArn: 'x' })
new CheckpointDurableExecutionRequest({ durableExecutionArn: 'x', checkpointToken: 'y', clientTokn: 'z' })
`

test('perdure/client works from outside, at run time and for the compiler', (context) => {
  const project = mkdtempSync(join(tmpdir(), 'perdure-package-'))
  context.after(() => rmSync(project, { recursive: true, force: true }))
  const installed = join(project, 'node_modules', 'perdure')
  mkdirSync(installed, { recursive: true })
  copyFileSync(join(root, 'package.json'), join(installed, 'package.json'))
  const run = (...args: string[]) =>
    execFileSync(process.execPath, args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  run(compiler, '-p', join(root, 'tsconfig.build.json'), '--outDir', join(installed, 'dist'))

  writeFileSync(join(project, 'package.json'), '{"type":"module"}')
  writeFileSync(join(project, 'program.ts'), program)
  assert.equal(run('program.ts'), 'ECONNREFUSED true\n')

  const check = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--lib', 'esnext']
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules', '@types')]
  run(compiler, ...check, ...types, 'program.ts')
  writeFileSync(join(project, 'wrong.ts'), wrong)
  assert.throws(
    () => run(compiler, ...check, ...types, 'wrong.ts'),
    (error: { stdout: string }) => {
      assert.match(error.stdout, /wrong\.ts\(3,.*checkpointToken/s)
      assert.match(error.stdout, /wrong\.ts\(4,.*clientTokn/s)
      return true
    },
  )
})
