/** `backup`, `restore`, `verify` and `repair`, on folders of servers that run, were stopped, or were damaged. */
import assert from 'node:assert/strict'
import { cp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { inRepository, perdure, server, temporaryFolder } from './program.ts'

const config = inRepository('examples/perdure.config.ts')

interface Report {
  readonly Folder: string
  readonly InUse: boolean
  readonly Executions: number
  readonly OpenExecutions: number
  readonly Entries: number
  readonly Findings: readonly string[]
}

/** A server with three executions that have ended, and one that waits. */
async function busyServer(context: TestContext, data: string) {
  const running = await server(context, ['start', '--config', config, '--data', data])
  const env = { PERDURE_ENDPOINT: running.endpoint }
  for (const name of ['one', 'two', 'three']) {
    const trip = await perdure(['invoke', 'trip', '--payload', '{"traveller":"Ada"}', '--name', name], { env })
    assert.equal(trip.code, 0, trip.err)
  }
  return { ...running, env }
}

/** The lines that are left, when the program has ended. */
async function remaining(next: () => Promise<string>): Promise<string[]> {
  const lines: string[] = []
  for (;;) {
    try {
      lines.push(await next())
    } catch {
      return lines
    }
  }
}

async function reportOf(args: readonly string[], code = 0): Promise<Report & { readonly err: string }> {
  const outcome = await perdure([...args, '--json'])
  assert.equal(outcome.code, code, outcome.err)
  return { ...(JSON.parse(outcome.out) as Report), err: outcome.err }
}

test('a backup of a running server, restored, has everything and serves', async (context) => {
  const folder = await temporaryFolder(context)
  const [data, backup, restored] = [join(folder, 'data'), join(folder, 'backup'), join(folder, 'restored')]
  const running = await busyServer(context, data)
  const copied = await reportOf(['backup', backup, '--data', data])
  assert.deepEqual([copied.Executions, copied.Findings], [3, []])
  assert.deepEqual(await readdir(backup), ['journal.db'], 'a backup is one file')
  const beside = await reportOf(['verify', '--data', data])
  assert.deepEqual([beside.InUse, beside.Executions, beside.Entries], [true, 3, copied.Entries])
  await running.end('SIGKILL')

  const alone = await reportOf(['verify', '--data', backup])
  assert.deepEqual([alone.InUse, alone.Executions, alone.Entries], [false, 3, copied.Entries])
  assert.deepEqual(await readdir(backup), ['journal.db'], 'and looking at it leaves it so')
  await reportOf(['restore', backup, '--data', restored])
  const again = await server(context, ['start', '--config', config, '--data', restored])
  const env = { PERDURE_ENDPOINT: again.endpoint }
  const listed = await perdure(['executions', 'list', 'trip', '--json'], { env })
  assert.equal((JSON.parse(listed.out) as unknown[]).length, 3)
  const repeated = await perdure(['invoke', 'trip', '--payload', '{"traveller":"Ada"}', '--name', 'one'], { env })
  assert.equal(repeated.code, 0, repeated.err)
})

test('nothing is overwritten, and a folder in use is not written to', async (context) => {
  const folder = await temporaryFolder(context)
  const [data, backup] = [join(folder, 'data'), join(folder, 'backup')]
  const running = await busyServer(context, data)
  await reportOf(['backup', backup, '--data', data])
  const refused = async (args: readonly string[], words: RegExp): Promise<void> => {
    const outcome = await perdure(args)
    assert.equal(outcome.code, 1)
    assert.match(outcome.err, words)
  }
  await refused(['backup', backup, '--data', data], /exists already\n {2}so: no backup was made\n {2}fix: /)
  await refused(['restore', backup, '--data', data], /used by a Perdure server\n {2}so: nothing was restored/)
  await refused(['repair', '--accept-data-loss', '--data', data], /used by a Perdure server/)
  await running.end()
  await refused(['restore', backup, '--data', data], /journal\.db exists already\n {2}so: nothing was restored/)
  await refused(['verify', '--data', join(folder, 'none')], /there is no journal\.db in .*none/)
  await refused(['restore', join(folder, 'none'), '--data', join(folder, 'new')], /there is no journal\.db/)
  assert.deepEqual((await readdir(folder)).toSorted(), ['backup', 'data'])
})

test('repair asks whether loss is accepted', async () => {
  const outcome = await perdure(['repair'])
  assert.equal(outcome.code, 2)
  assert.match(outcome.err, /gives up what is lost.*\n {2}fix: restore a backup instead, or say --accept-data-loss/)
})

test('a damaged entry is found by verify, keeps a backup from being made, and holds its execution only', async (context) => {
  const folder = await temporaryFolder(context)
  const data = join(folder, 'data')
  await (await busyServer(context, data)).end()
  const db = new DatabaseSync(join(data, 'journal.db'))
  db.exec("UPDATE journal SET text = replace(text, 'hotel', 'motel') WHERE execution = 2")
  db.close()
  const found = await reportOf(['verify', '--data', data], 1)
  assert.equal(found.Findings.length, 1)
  assert.match(found.Findings[0] ?? '', /^Execution \S+: Entry \d of execution 2 is damaged/)
  assert.match(found.err, /is damaged: 1 finding\n {2}so: .*\n {2}fix: restore a backup/)
  const backup = await perdure(['backup', join(folder, 'backup'), '--data', data])
  assert.equal(backup.code, 1)
  assert.match(backup.err, /so: no backup was made/)
  assert.deepEqual(await readdir(folder), ['data'])

  const running = await server(context, ['start', '--config', config, '--data', data])
  const env = { PERDURE_ENDPOINT: running.endpoint }
  const get = (name: string) => perdure(['executions', 'get', `trip/${name}`], { env })
  assert.equal((await get('one')).code, 0)
  assert.match((await get('two')).err, /ServiceException/)
  assert.match((await get('two')).err, /ServiceException/)
  assert.equal((await get('three')).code, 0)
  await running.end()
  const logged = await remaining(running.errLine)
  assert.equal(logged.filter((line) => line.includes('could not be read')).length, 1, 'the log says it once')
})

test('a log that lost its end: start refuses, repair keeps the files and goes on with the rest', async (context) => {
  const folder = await temporaryFolder(context)
  const data = join(folder, 'data')
  const running = await busyServer(context, data)
  await running.end('SIGKILL')
  const log = join(data, 'journal.db-wal')
  const bytes = await readFile(log)
  await truncate(log, Math.floor(bytes.length * 0.8))
  const start = await perdure(['start', '--config', config, '--data', data, '--port', '0'])
  assert.equal(start.code, 1)
  assert.match(start.err, /lost acknowledged entries.*\n {2}so: the server was not started\n {2}fix: .*backup/)
  assert.match((await perdure(['verify', '--data', data])).err, /lost acknowledged entries/)

  const repaired = await reportOf(['repair', '--accept-data-loss', '--data', data])
  assert.ok(repaired.Executions >= 1 && repaired.Executions <= 3)
  const [kept = ''] = (await readdir(data)).filter((name) => name.startsWith('damaged-'))
  assert.equal((await readFile(join(data, kept, 'journal.db-wal'))).length, Math.floor(bytes.length * 0.8))
  await (await server(context, ['start', '--config', config, '--data', data])).end()
})

test('a log with a turned bit: start and verify say where', async (context) => {
  const folder = await temporaryFolder(context)
  const data = join(folder, 'data')
  const running = await busyServer(context, data)
  await running.end('SIGKILL')
  const log = join(data, 'journal.db-wal')
  const bytes = await readFile(log)
  bytes[5_000] = (bytes[5_000] ?? 0) ^ 0x10
  await writeFile(log, bytes)
  const start = await perdure(['start', '--config', config, '--data', data, '--port', '0'])
  assert.equal(start.code, 1)
  assert.match(start.err, /damaged at frame 2 \(byte 4152\)/)
  assert.match((await perdure(['verify', '--data', data])).err, /damaged at frame 2/)
  await cp(data, join(folder, 'copy'), { recursive: true })
  await rm(join(folder, 'copy', 'lock.db'), { force: true })
  assert.match((await perdure(['backup', join(folder, 'b'), '--data', join(folder, 'copy')])).err, /damaged at frame 2/)
})
