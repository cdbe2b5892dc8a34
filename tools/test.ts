/**
 * `npm test`: every `*.test.ts` of src/ and test/, each file in its own process, two at a time.
 * `npm test -- test/service src/engine` runs what lies under the given paths. Ends with one line of counts.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'

const root = resolve(import.meta.dirname, '..')
const FILES_AT_A_TIME = 2

function testFiles(path: string): string[] {
  if (!existsSync(path)) throw new Error(`no such file or folder: ${relative(root, path)}`)
  if (statSync(path).isFile()) return [path]
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join(path, file))
    .sort()
}

const given = process.argv.slice(2)
const paths = given.length > 0 ? given.map((path) => resolve(path)) : ['src', 'test'].map((path) => join(root, path))
const files = paths.flatMap(testFiles)
const counts = { passed: 0, failed: 0, skipped: 0 }

const events = run({ files, concurrency: FILES_AT_A_TIME, cwd: root })
events.on('test:pass', ({ skip, details }) => {
  if (details.type === 'suite') return
  if (skip === undefined || skip === false) counts.passed += 1
  else counts.skipped += 1
})
events.on('test:fail', ({ details }) => {
  if (details.type !== 'suite') counts.failed += 1
})
events.compose(new spec()).pipe(process.stdout)
events.on('end', () => {
  // The reporter flushes after the last event; the closing line comes after it.
  process.on('exit', () => {
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
    if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1
  })
})
