/** Durable (invariant I2): what was reported as appended is there after `kill -9` at any instant. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openSqliteStore } from '../../src/journal/sqlite/sqlite-store.ts'
import { markerOf } from './marker.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const KILLS = 10
const CALLERS = 32
/** Each process is killed after between 1 and so many reports. */
const MOST_REPORTS = 3_000

test(`what was reported is there after ${KILLS} kills in the middle of appends`, { timeout: 120_000 }, async (t) => {
  const directory = temporaryDirectory(t)
  const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))
  t.diagnostic(`SEED=${seed}`)
  const random = randomFrom(seed)
  /** The newest seq that was reported, by execution. */
  const reported = new Map<string, number>()
  for (let kill = 0; kill < KILLS; kill += 1) {
    await appendAndKill(directory, 1 + Math.floor(random() * MOST_REPORTS), reported)
    await assertAllThere(directory, reported)
  }
})

async function appendAndKill(directory: string, afterReports: number, reported: Map<string, number>): Promise<void> {
  const script = fileURLToPath(new URL('./appending-process.ts', import.meta.url))
  const child = spawn(process.execPath, [script, directory, String(CALLERS), '1000000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let reports = 0
  // Reports that were on their way when the process died count too: they were made after the append had resolved.
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, executionId, seq] = line.split(' ')
    if (word !== 'ok' || executionId === undefined || Number.isNaN(Number(seq))) continue
    reported.set(executionId, Math.max(reported.get(executionId) ?? 0, Number(seq)))
    reports += 1
    if (reports === afterReports) child.kill('SIGKILL')
  }
  const [, signal] = await exited
  assert.equal(signal, 'SIGKILL')
  assert.ok(reports >= afterReports)
}

async function assertAllThere(directory: string, reported: ReadonlyMap<string, number>): Promise<void> {
  // That it opens at all shows that the killed process's lock is gone.
  const store = await openSqliteStore({ directory })
  try {
    for (const [executionId, newestSeq] of reported) {
      const row = await store.findById(executionId)
      assert.ok(row, `${executionId} was reported and is gone`)
      const rows = await store.readJournal({ key: row.key, afterSeq: 0, maxBytes: Number.MAX_SAFE_INTEGER })
      assert.ok(
        rows.length >= newestSeq,
        `${executionId}: ${newestSeq} entries were reported, ${rows.length} are there`,
      )
      rows.forEach((found, index) => {
        assert.deepEqual(found, { seq: index + 1, firstEventId: index + 1, text: markerOf(executionId, index + 1) })
      })
    }
  } finally {
    await store.close()
  }
}

/** Numbers from 0 to 1 that follow from the seed (a linear congruential generator is random enough for when to kill). */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
