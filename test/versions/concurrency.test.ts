/** How many invocations of a function run at a time, over all its versions, and which processes are kept ready. */
import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { project } from '../functions/project.ts'
import { serveRegistered, until } from './serving.ts'

/** Marks in a folder that it runs, and ends when a file is there. */
const waiting = {
  'index.mjs': `import { existsSync, rmSync, writeFileSync } from 'node:fs'
    export const handler = async ({ folder, id }) => {
      writeFileSync(folder + '/running-' + id, '')
      while (!existsSync(folder + '/go-' + id)) await new Promise((resolve) => setTimeout(resolve, 5))
      rmSync(folder + '/running-' + id)
      return id
    }`,
}

test('reserved concurrency bounds a function over all its versions', async (t) => {
  const folder = project(t, {})
  const { registered, answer, functions } = await serveRegistered(t)
  registered.create('f', waiting, { Timeout: 60 })
  registered.publish('f')
  registered.configure('f', { Timeout: 61 })
  registered.publish('f')
  registered.reserve('f', 2)
  const marked = (word: string): readonly string[] =>
    readdirSync(folder).flatMap((name) => (name.startsWith(word) ? [name.slice(word.length)] : []))
  const running = (): readonly string[] => marked('running-')
  const invoke = (id: string, qualifier: string) => answer('f', qualifier, { folder, id })
  const answers = [
    invoke('a', '1'),
    invoke('b', '2'),
    invoke('c', '1'),
    invoke('d', '$LATEST'),
    invoke('e', '2'),
    invoke('f', '$LATEST'),
  ]
  const now = () => functions.loads().map(({ functionName, running, waiting }) => [functionName, running, waiting])
  for (const waits of [4, 3]) {
    await until('two of them', () => running().length === 2)
    assert.deepEqual(now(), [['f', 2, waits]])
    writeFileSync(join(folder, `go-${running()[0]}`), '')
    await until('one to go', () => functions.loads()[0]?.waiting !== waits)
  }
  registered.reserve('f', 3)
  await until('one more, as more are reserved', () => running().length === 3)
  assert.deepEqual(now(), [['f', 3, 1]])
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) writeFileSync(join(folder, `go-${id}`), '')
  assert.deepEqual(await Promise.all(answers), ['a', 'b', 'c', 'd', 'e', 'f'])
})

test('with nothing reserved invocations wait until something is', async (t) => {
  const { registered, answer, functions } = await serveRegistered(t)
  registered.create('f', { 'index.mjs': 'export const handler = async () => "ran"' })
  registered.reserve('f', 0)
  const answered = answer('f')
  assert.equal(functions.resolve('f', undefined)?.concurrency, 0)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(
    functions.loads().map(({ waiting, processes }) => [waiting, processes]),
    [[1, 0]],
  )
  registered.reserve('f', undefined)
  assert.equal(await answered, 'ran')
})

test('provisioned concurrency keeps processes of a version ready, also through an alias', async (t) => {
  const { registered, answer, functions } = await serveRegistered(t)
  registered.create('f', { 'index.mjs': 'export const handler = async () => process.pid' })
  registered.publish('f')
  registered.alias('f', 'live', '1')
  const idle = async (count: number): Promise<void> => {
    await until(`${count} idle processes`, () => {
      const [load] = functions.loads()
      return load?.idleProcesses === count && load.processes === count
    })
  }
  registered.provision('f', 'live', 2)
  await idle(2)
  registered.updateCode('f', { 'index.mjs': 'export const handler = async () => "latest"' })
  registered.publish('f')
  await idle(2)
  assert.equal(await answer('f', '2'), 'latest')
  await idle(3)
})
