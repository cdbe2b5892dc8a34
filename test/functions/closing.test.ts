/** What a function did must not keep a server from ending: nothing of a closed functions room is left running. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import test from 'node:test'
import { startWatchdog } from '../../src/functions/watchdog.ts'
import { createSystemTimers, systemClock } from '../../src/service/clock-adapters.ts'
import type { Timers } from '../../src/service/ports.ts'
import { server, temporaryFolder } from '../cli/program.ts'
import { invoke, project, responseOf, serveOne, versionOf } from './project.ts'

const onUnix = { skip: process.platform === 'win32' && 'without process groups' }

test('a server ends though a function left a process behind that still holds its output', onUnix, async (t) => {
  const root = project(t, {
    'a.mjs': `import { spawn } from 'node:child_process'
      export const handler = async () => {
        const left = spawn('sleep', ['600'], { detached: true, stdio: 'inherit' })
        left.unref()
        return left.pid
      }`,
    'perdure.config.json': JSON.stringify({ functions: [{ name: 'f', file: 'a.mjs', durable: false }] }),
  })
  const running = await server(t, ['start', '--data', await temporaryFolder(t)], { cwd: root })
  const url = `${running.endpoint}/2015-03-31/functions/f/invocations`
  const left = Number(await (await fetch(url, { method: 'POST', body: '{}' })).text())
  t.after(() => process.kill(left, 'SIGKILL'))
  assert.equal(await running.end(), 0)
})

test('an event that comes when its process is already gone fails as the platform, and leaves no deadline', async (t) => {
  const armed = new Set<() => void>()
  const system = createSystemTimers(systemClock)
  let afterNextShort = (): void => {}
  const timers: Timers = {
    at: (dueMs, call) => {
      const cancelSystem = system.at(dueMs, () => {
        armed.delete(cancel)
        call()
      })
      const cancel = (): void => {
        armed.delete(cancel)
        cancelSystem()
      }
      armed.add(cancel)
      // The wait for last words, the only one of at most so long.
      if (dueMs - systemClock.now() <= 100) setImmediate(() => afterNextShort())
      return cancel
    },
  }
  // What it leaves behind keeps its output open, so that its last words are awaited as long as they may be.
  const functions = await serveOne(
    t,
    'a.mjs',
    `import { spawn } from 'node:child_process'
     export const handler = async (e) => [process.pid, e.leave && spawn('sleep', ['600'], { detached: true, stdio: 'inherit' }).pid]`,
    {},
    { timers },
  )
  const [pid, left] = responseOf(await invoke(functions, { leave: true })) as [number, number]
  t.after(() => process.kill(left, 'SIGKILL'))
  const slot = await functions.reserve(versionOf(functions), undefined, new AbortController().signal)
  const ending = new Promise<void>((resolve) => {
    afterNextShort = resolve
  })
  process.kill(pid, 'SIGKILL')
  await ending
  const result = await slot.run({ requestId: 'r-1', event: '{}' })
  assert.equal(result.kind, 'platform')
  await functions.close()
  assert.equal(armed.size, 0)
})

test('a watchdog that was stopped is ended', onUnix, async () => {
  const before = shells()
  const watchdog = startWatchdog({ clock: systemClock, timers: createSystemTimers(systemClock) })
  const [shell = 0] = shells().filter((pid) => !before.includes(pid))
  process.kill(shell, 'SIGSTOP')
  await watchdog.close()
  assert.deepEqual(shells(), before)
})

/** The children of this process that are shells. */
function shells(): number[] {
  const table = execFileSync('ps', ['-axo', 'pid=,ppid=,comm='], { encoding: 'utf8' })
  return table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, command]) => Number(parent) === process.pid && /(^|\/)(sh|dash|bash)$/.test(command ?? ''))
    .map(([pid]) => Number(pid))
}
