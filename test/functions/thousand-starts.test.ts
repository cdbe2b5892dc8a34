/** A thousand asynchronous starts on a real server that is killed twice: the bound holds, and none is lost. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { FunctionDeclaration } from '../../src/functions/declaration.ts'
import { describe, startNamed, startUnnamed } from '../kill/api.ts'
import { ServerUnderFire } from '../kill/server-under-fire.ts'
import { gone } from './living-process.ts'

const STARTS = 1_000
const CONCURRENCY = 8
const CLIENTS = 16
const KILL_AT_ENDS = [200, 600]

const onLinux = { skip: process.platform === 'linux' ? false : 'finds function processes in /proc', timeout: 180_000 }

test('1,000 executions, a process each: at most 8 at a time, none lost across two SIGKILLs', onLinux, async (t) => {
  await thousandStarts(t, { name: 'durable', concurrency: CONCURRENCY })
})

test('1,000 executions, several to a process: the same', onLinux, async (t) => {
  await thousandStarts(t, { name: 'durable', concurrency: CONCURRENCY, maxConcurrency: 4 })
})

test('1,000 queued invocations of a plain function: the same', onLinux, async (t) => {
  await thousandStarts(t, { name: 'plain', concurrency: CONCURRENCY })
})

async function thousandStarts(t: TestContext, declared: Omit<FunctionDeclaration, 'file'>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'perdure-thousand-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const ledger = new Ledger(join(folder, 'ledger'))
  const server = await ServerUnderFire.start({
    data: join(folder, 'data'),
    functions: [
      {
        ...declared,
        exportName: declared.name,
        file: join(import.meta.dirname, 'marked.ts'),
        environment: { LEDGER: ledger.file },
      },
    ],
  })
  t.after(() => server.stop())

  const names = Array.from({ length: STARTS }, (_, n) => `start-${n}`)
  const arns: string[] = []
  const waiting = [...names]
  const client = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      if (declared.name === 'durable') arns.push(await startNamed(server.endpoint, declared.name, name))
      else await startUnnamed(server.endpoint, declared.name, { name })
    }
  }
  const starting = Promise.all(Array.from({ length: CLIENTS }, client))

  for (const ends of KILL_AT_ENDS) {
    await until(() => ledger.ended().size >= ends)
    await server.kill()
    // They end with the server, at once but not in the same instant.
    await Promise.all(ledger.pids().map(gone))
    ledger.noteKill()
    await server.restart()
  }
  await starting
  await until(() => ledger.ended().size === STARTS)

  const { most, interrupted } = ledger.atOnce()
  assert.ok(most <= CONCURRENCY, `${most} ran at once`)
  assert.ok(most >= CONCURRENCY - 2, `only ${most} ran at once: the bound was not tried`)
  assert.deepEqual([...ledger.ended()].sort(), [...names].sort())
  for (const arn of arns) {
    // The last ones have just marked their end, and now tell it.
    await until(async () => (await describe(server.endpoint, arn)).Status !== 'RUNNING')
    assert.equal((await describe(server.endpoint, arn)).Status, 'SUCCEEDED')
  }
  t.diagnostic(`${STARTS} starts, at most ${most} at once; ${interrupted} runs were cut off by the kills and repeated`)
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** `start <request id> <name> <pid>`, `end <request id> <name>`, and `killed` once no process of the old server is left. */
class Ledger {
  readonly file: string

  constructor(file: string) {
    this.file = file
    writeFileSync(file, '')
  }

  noteKill(): void {
    appendFileSync(this.file, 'killed\n')
  }

  ended(): Set<string> {
    return new Set(this.#marks().flatMap(([kind, , name]) => (kind === 'end' && name !== undefined ? [name] : [])))
  }

  pids(): number[] {
    return [...new Set(this.#marks().flatMap(([kind, , , pid]) => (kind === 'start' ? [Number(pid)] : [])))]
  }

  atOnce(): { readonly most: number; readonly interrupted: number } {
    const running = new Set<string>()
    let most = 0
    let interrupted = 0
    for (const [kind, requestId = ''] of this.#marks()) {
      if (kind === 'start') running.add(requestId)
      else if (kind === 'end') running.delete(requestId)
      else {
        interrupted += running.size
        running.clear()
      }
      most = Math.max(most, running.size)
    }
    return { most, interrupted }
  }

  #marks(): string[][] {
    return readFileSync(this.file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' '))
  }
}
