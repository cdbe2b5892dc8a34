/** The points themselves, and the machine on two of them: one in the main thread, one in the thread that writes. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { CRASH_POINTS } from '../../src/crash-point.ts'
import { tell } from './cell.ts'
import { STORIES, type Story } from './stories.ts'

const src = join(import.meta.dirname, '..', '..', 'src')
const skip = process.platform === 'linux' ? false : 'processes are watched through /proc'

const called = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('crash-point.ts'))
  .flatMap((file) => [...readFileSync(join(src, file), 'utf8').matchAll(/crashPoint\('([^']+)'\)/g)])
  .map(([, point]) => point)

describe('crash points', () => {
  test('each lies at exactly one place of the product', () => {
    assert.deepEqual(called.toSorted(), [...CRASH_POINTS].toSorted())
  })

  test('are off without an order', () => {
    assert.deepEqual(reach(['lock-taken', 'lock-taken'], undefined), { status: 0, signal: null })
  })

  test('a kill comes at the hit that was ordered, at that point only', () => {
    assert.deepEqual(reach(['lock-taken', 'drained', 'lock-taken'], 'lock-taken:2:SIGKILL'), {
      status: null,
      signal: 'SIGKILL',
    })
    assert.deepEqual(reach(['lock-taken', 'drained'], 'lock-taken:2:SIGKILL'), { status: 0, signal: null })
  })

  for (const order of ['nowhere:1:SIGKILL', 'drained:0:SIGKILL', 'drained:one:SIGKILL', 'drained:1:SIGTERM', '']) {
    test(`the order "${order}" is refused, not ignored`, () => {
      assert.deepEqual(reach([], order), { status: 1, signal: null })
    })
  }

  test('a trace has each point that was reached, in order', () => {
    const folder = mkdtempSync(join(tmpdir(), 'perdure-trace-'))
    try {
      const file = join(folder, 'trace')
      assert.deepEqual(reach(['drained', 'lock-taken'], `trace:${file}`), { status: 0, signal: null })
      assert.equal(readFileSync(file, 'utf8'), 'drained\nlock-taken\n')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe('the machine of the crash points', { skip }, () => {
  for (const [action, point] of [
    ['SIGKILL', 'round-durable'],
    ['SIGSTOP', 'group-written'],
  ] as const) {
    test(`${action} at ${point}`, { timeout: 150_000 }, async () => {
      const { recoveredMs, claims, broken } = await tell(life(), { point, hit: 9, action })
      assert.deepEqual(broken, [])
      assert.ok(recoveredMs !== undefined, 'the point was hit')
      assert.ok(claims > 50, `${claims} claims held`)
    })
  }
})

function life(): Story {
  const story = STORIES.find(({ name }) => name === 'life')
  assert.ok(story)
  return story
}

/** How a process ends that reaches the points one after another. */
function reach(points: readonly string[], order: string | undefined) {
  const program = `
    const { crashPoint } = await import(${JSON.stringify(join(src, 'crash-point.ts'))})
    for (const point of ${JSON.stringify(points)}) crashPoint(point)`
  const { PERDURE_CRASH_POINT: _, ...environment } = process.env
  const env = order === undefined ? environment : { ...environment, PERDURE_CRASH_POINT: order }
  const { status, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { env })
  return { status, signal }
}
