/** `perdure logs --follow` at its core: a follower over HTTP, while functions write and files are begun and removed. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { PerdureClient } from '../../src/client/client.ts'
import { LogFollower } from '../../src/client/log-follower.ts'
import { openLogStore } from '../../src/functions/logs/log-store.ts'
import { temporaryDirectory } from '../journal/temporary-directory.ts'
import { startServer } from '../server/stand-ins.ts'

const FUNCTIONS = ['f', 'g', 'h']

test('nothing is lost and nothing comes twice, across segments and within one millisecond', async (t) => {
  const directory = temporaryDirectory(t)
  const logs = openLogStore({
    directory,
    bounds: { segmentBytes: 4_000, functionBytes: 12_000 },
    clock: { now: () => 0 },
    timers: { at: () => () => {} },
  })
  t.after(() => logs.close())
  const { endpoint } = await startServer(t, { logs })
  const client = new PerdureClient(endpoint)
  t.after(() => client.close())
  const everything = new LogFollower(client, { limit: 1 })
  const some = new LogFollower(client, { functionName: 'g', level: 'WARN', limit: 1 })
  const seen: string[] = []
  const seenOfSome: string[] = []
  await Promise.all([everything.poll(), some.poll()])
  const written = 3_000
  const files = new Set<string>()
  for (let n = 0; n < written; n += 1) {
    const level = n % 2 === 0 ? 'WARN' : 'INFO'
    logs.write({
      at: 1_000 + Math.floor(n / 500),
      functionName: FUNCTIONS[n % 3] ?? '',
      version: '$LATEST',
      stream: 'stdout',
      line: JSON.stringify({ level, n }),
    })
    if (n % 29 !== 0) continue
    for (const line of await everything.poll()) seen.push(line.line)
    for (const line of await some.poll()) seenOfSome.push(line.line)
    for (const file of readdirSync(directory)) files.add(file)
  }
  for (const line of await everything.poll()) seen.push(line.line)
  for (const line of await some.poll()) seenOfSome.push(line.line)
  const numberOf = (line: string): number => JSON.parse(line).n
  const numbers = Array.from({ length: written }, (_, n) => n)
  assert.deepEqual(seen.map(numberOf), numbers)
  assert.deepEqual(
    seenOfSome.map(numberOf),
    numbers.filter((n) => n % 3 === 1 && n % 2 === 0),
  )
  assert.ok(files.size > 30, `only ${files.size} segments were begun`)
  assert.ok(readdirSync(directory).length < 15, 'the oldest were removed meanwhile')
})
