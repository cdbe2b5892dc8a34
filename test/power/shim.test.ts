/** The shim itself: it sees every change that a process makes to its files, and its faults come and go meanwhile. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { temporaryDirectory } from '../journal/temporary-directory.ts'
import { compileShim, type ShimSettings, setFaults, shimEnvironment, whyNoShim } from './shim.ts'
import { readTrace, type TraceRecord } from './trace.ts'

const skip = whyNoShim()

test('every change of a file is recorded in order, with its data', { skip }, (t) => {
  const place = placeOf(t)
  run(
    place,
    `const fs = require('node:fs')
     fs.mkdirSync(folder + '/sub')
     const handle = fs.openSync(folder + '/sub/file', 'w')
     fs.writeSync(handle, 'whole')
     fs.writeSync(handle, 'HO', 1)
     fs.appendFileSync(folder + '/sub/file', ' end')
     fs.writevSync(handle, [Buffer.from('a'), Buffer.from('b')], 20)
     fs.ftruncateSync(handle, 3)
     fs.fsyncSync(handle)
     fs.fdatasyncSync(fs.openSync(folder + '/sub', 'r'))
     fs.renameSync(folder + '/sub/file', folder + '/other')
     fs.writeFileSync(folder + '/other', 'new')
     fs.writeFileSync(folder + '/scratch-shm', 'not durable')
     fs.writeFileSync(folder + '/../elsewhere', 'not watched')
     fs.unlinkSync(folder + '/other')
     fs.rmdirSync(folder + '/sub')`,
  )
  assert.deepEqual(told(place), [
    'madeDirectory sub',
    'created sub/file',
    'written sub/file 0 whole',
    'written sub/file 1 HO',
    'written sub/file 5  end',
    'written sub/file 20 ab',
    'truncated sub/file 3',
    'syncing sub/file',
    'synced sub/file',
    'syncing sub',
    'synced sub',
    'renamed sub/file other',
    'truncated other 0',
    'written other 0 new',
    'unlinked other',
    'removedDirectory sub',
  ])
  const files = new Set(recordsOf(place).flatMap((record) => (record.kind === 'written' ? [record.file] : [])))
  assert.equal(files.size, 1, 'a file stays the same file under another name')
})

test('what is written by asynchronous calls and other threads is seen as well', { skip }, (t) => {
  const place = placeOf(t)
  run(
    place,
    `const { Worker } = require('node:worker_threads')
     const write = "require('node:fs/promises').writeFile(process.argv[2] + '/' + require('node:worker_threads').threadId, 'x')"
     for (let i = 0; i < 4; i++) new Worker(write, { eval: true, argv: [folder] })`,
  )
  const created = told(place).filter((line) => line.startsWith('created '))
  assert.deepEqual(created.sort(), ['created 1', 'created 2', 'created 3', 'created 4'])
})

test('an answer is in the trace between what came before and after it', { skip }, async (t) => {
  const place = placeOf(t)
  run(
    place,
    `const fs = require('node:fs')
     const server = require('node:http').createServer((request, response) => {
       fs.writeFileSync(folder + '/before', '1')
       response.setHeader('x-name', request.headers['x-name'])
       response.end('body')
       fs.writeFileSync(folder + '/after', '1')
       server.close()
     })
     server.listen(0, '127.0.0.1', () => {
       fetch('http://127.0.0.1:' + server.address().port, { headers: { 'x-name': 'seven', connection: 'close' } })
     })`,
  )
  const records = recordsOf(place)
  const at = records.findIndex((record) => record.kind === 'answered')
  const answer = records[at]
  assert.ok(answer?.kind === 'answered' && /^HTTP\/1\.1 200 OK\r\n(?:.*\r\n)*x-name: seven\r\n/.test(answer.head))
  const names = (some: readonly TraceRecord[]) => some.flatMap((record) => ('path' in record ? [record.path] : []))
  assert.ok(names(records.slice(0, at)).includes('before'))
  assert.ok(names(records.slice(at)).includes('after'))
})

test('faults are switched on and off while the process runs', { skip }, async (t) => {
  const place = placeOf(t)
  const faults = join(place.folder, '..', 'faults')
  const program = `const fs = require('node:fs')
    const handle = fs.openSync(folder + '/file', 'w')
    const trying = { sync: () => fs.fsyncSync(handle), write: () => fs.writeSync(handle, Buffer.from('12345678')),
      open: () => fs.openSync(folder + '/other', 'w') }
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      try { console.log('ok ' + trying[line]()) } catch (error) { console.log(error.code) }
    })
    console.log('ready')`
  const child = spawn(process.execPath, ['-e', scriptOf(program), place.folder], {
    env: { ...process.env, ...shimEnvironment({ ...place, faults }) },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const said = async (): Promise<string> => (await lines.next()).value as string
  const answers = async (words: string): Promise<string[]> => {
    const answers: string[] = []
    for (const word of words.split(' ')) {
      child.stdin.write(`${word}\n`)
      answers.push(await said())
    }
    return answers
  }
  assert.equal(await said(), 'ready')
  assert.deepEqual(await answers('sync write'), ['ok undefined', 'ok 8'])
  setFaults(faults, ['sync file 1 * EIO', 'write file 0 1 ENOSPC', 'write * 0 1 short', 'open other 0 * EROFS'])
  assert.deepEqual(await answers('sync sync sync'), ['ok undefined', 'EIO', 'EIO'])
  assert.deepEqual(await answers('write write write'), ['ENOSPC', 'ok 8', 'ok 8'])
  assert.deepEqual(await answers('open'), ['EROFS'])
  setFaults(faults, [])
  assert.deepEqual(await answers('sync write'), ['ok undefined', 'ok 8'])
  child.stdin.end()
  await once(child, 'exit')
  const written = recordsOf(place).flatMap((record) => (record.kind === 'written' ? [record.data.toString()] : []))
  assert.deepEqual(written, ['12345678', '', '1234', '5678', '12345678', '12345678'], 'the caller wrote the other half')
  const failed = recordsOf(place).filter(({ errno }) => errno !== 0)
  assert.deepEqual(
    failed.map(({ kind, errno }) => `${kind} ${errno}`),
    ['synced 5', 'synced 5', 'written 28', 'created 30'],
  )
})

type Place = ShimSettings & { readonly trace: string }

function placeOf(t: TestContext): Place {
  const directory = realpathSync(temporaryDirectory(t))
  const folder = join(directory, 'watched')
  mkdirSync(folder)
  return { library: compileShim(directory), folder, trace: join(directory, 'trace') }
}

const scriptOf = (program: string): string => `const folder = process.argv[1]\n${program}`

function run(place: Place, program: string): void {
  const { status, stderr } = spawnSync(process.execPath, ['-e', scriptOf(program), place.folder], {
    env: { ...process.env, ...shimEnvironment(place) },
    encoding: 'utf8',
    timeout: 60_000,
  })
  assert.equal(status, 0, stderr)
}

const recordsOf = (place: Place): TraceRecord[] =>
  readTrace(existsSync(place.trace) ? readFileSync(place.trace) : Buffer.of())

function told(place: Place): string[] {
  return recordsOf(place).map((record) => {
    switch (record.kind) {
      case 'written':
        return `written ${record.path} ${record.at} ${record.data}`
      case 'truncated':
        return `truncated ${record.path} ${record.size}`
      case 'renamed':
        return `renamed ${record.path} ${record.to}`
      case 'answered':
        return 'answered'
      default:
        return `${record.kind} ${record.path}`
    }
  })
}
