/** The model of a disk that the power machine goes by. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeededRandom } from '../simulation/seeded-random.ts'
import { Disk, type Loss } from './disk.ts'
import type { Operation } from './trace.ts'

const random = new SeededRandom(1)

/** Each line is a change: `create f`, `write f 0 text`, `resize f 3`, `sync f`, `unlink f`, `rename f g`, `folder d`. */
function diskAfter(...lines: readonly string[]): Disk {
  const disk = new Disk()
  const inodes = new Map<string, bigint>()
  for (const line of lines) {
    const [word = '', path = '', third = '', text = ''] = line.split(' ')
    for (const operation of operationsOf(word, path, third, text, inodes)) {
      disk.apply({ ...operation, thread: 1, process: 1, errno: 0 })
    }
  }
  return disk
}

function operationsOf(
  word: string,
  path: string,
  third: string,
  text: string,
  inodes: Map<string, bigint>,
): Operation[] {
  if (word === 'create') inodes.set(path, BigInt(inodes.size + 1))
  const file = inodes.get(path) ?? 0n
  switch (word) {
    case 'create':
      return [{ kind: 'created', path, file }]
    case 'write':
      return [{ kind: 'written', path, file, at: Number(third), data: Buffer.from(text) }]
    case 'resize':
      return [{ kind: 'truncated', path, file, size: Number(third) }]
    case 'sync':
      return [
        { kind: 'syncing', path: path === '/' ? '' : path, file },
        { kind: 'synced', path: path === '/' ? '' : path, file },
      ]
    case 'unlink':
      return [{ kind: 'unlinked', path }]
    case 'rename':
      inodes.set(third, file)
      return [{ kind: 'renamed', path, to: third, file }]
    case 'folder':
      return [{ kind: 'madeDirectory', path }]
    default:
      throw new Error(word)
  }
}

function contents(disk: Disk, loss: Loss): Record<string, string> {
  return Object.fromEntries([...disk.image(loss, () => random)].map(([path, bytes]) => [path, bytes.toString()]))
}

/** Every outcome that 500 losses of power have. */
function outcomes(disk: Disk, loss: Loss): string[] {
  const seen = new Set<string>()
  for (let i = 0; i < 500; i += 1) seen.add(JSON.stringify(contents(disk, loss)))
  return [...seen].sort()
}

test('bytes are certain when their sync has ended, names when their folder was synced', () => {
  const unnamed = diskAfter('create f', 'write f 0 abc', 'sync f')
  assert.deepEqual(contents(unnamed, 'dropped'), {})
  assert.deepEqual(contents(unnamed, 'kept'), { f: 'abc' })
  const unwritten = diskAfter('create f', 'sync /', 'write f 0 abc')
  assert.deepEqual(contents(unwritten, 'dropped'), { f: '' })
  const certain = diskAfter('create f', 'write f 0 abc', 'sync f', 'sync /', 'write f 1 XX')
  assert.deepEqual(contents(certain, 'dropped'), { f: 'abc' })
  assert.deepEqual(contents(certain, 'kept'), { f: 'aXX' })
})

test('a write during a sync is not certain when the sync ends', () => {
  const disk = diskAfter('create f', 'sync /', 'write f 0 abc')
  const common = { path: 'f', file: 1n, process: 1, errno: 0 } as const
  disk.apply({ kind: 'syncing', thread: 1, ...common })
  disk.apply({ kind: 'written', thread: 2, at: 3, data: Buffer.from('def'), ...common })
  disk.apply({ kind: 'synced', thread: 1, ...common })
  assert.deepEqual(contents(disk, 'dropped'), { f: 'abc' })
})

test('a failed sync promises nothing', () => {
  const disk = diskAfter('create f', 'sync /', 'write f 0 abc')
  const common = { path: 'f', file: 1n, process: 1, thread: 1 } as const
  disk.apply({ kind: 'syncing', errno: 0, ...common })
  disk.apply({ kind: 'synced', errno: 5, ...common })
  assert.deepEqual(contents(disk, 'dropped'), { f: '' })
})

test('a name that was not certain may be there or not, a rename moves both names or none', () => {
  const disk = diskAfter(
    'create f',
    'write f 0 new',
    'sync f',
    'create g',
    'write g 0 old',
    'sync g',
    'sync /',
    'rename f g',
  )
  assert.deepEqual(outcomes(disk, 'reordered'), ['{"f":"new","g":"old"}', '{"g":"new"}'])
  const removed = diskAfter('create f', 'sync /', 'unlink f')
  assert.deepEqual(outcomes(removed, 'reordered'), ['{"f":""}', '{}'])
})

test('what lies in a folder that was forgotten cannot be found', () => {
  const disk = diskAfter('folder d', 'create d/f', 'sync d')
  assert.deepEqual(contents(disk, 'dropped'), {})
  assert.deepEqual(contents(disk, 'kept'), { 'd/f': '' })
})

test('of several writes each may be lost', () => {
  const disk = diskAfter('create f', 'write f 0 ..', 'sync f', 'sync /', 'write f 0 a', 'write f 1 b')
  assert.deepEqual(outcomes(disk, 'reordered'), ['{"f":".."}', '{"f":".b"}', '{"f":"a."}', '{"f":"ab"}'])
})

test('a torn write reaches the disk by whole sectors, each as it was at some moment', () => {
  const of = (letter: string, count: number) => letter.repeat(count)
  const before = of('.', 1024)
  const disk = diskAfter(
    'create f',
    `write f 0 ${before}`,
    'sync f',
    'sync /',
    `write f 500 ${of('x', 24)}`,
    'write f 0 yy',
  )
  const [old, first] = [of('.', 512), `${of('.', 500)}${of('x', 12)}`]
  const second = `yy${first.slice(2)}`
  const tail = [of('.', 512), `${of('x', 12)}${of('.', 500)}`]
  const expected = [old, first, second].flatMap((head) => tail.map((rest) => JSON.stringify({ f: head + rest })))
  assert.deepEqual(outcomes(disk, 'torn-512'), expected.sort())
  const whole = before.slice(0, 500) + of('x', 24) + before.slice(524)
  assert.deepEqual(
    outcomes(disk, 'torn-4096'),
    [before, whole, `yy${whole.slice(2)}`].map((f) => JSON.stringify({ f })).sort(),
  )
})

test('a torn file has one of its lengths', () => {
  const disk = diskAfter('create f', 'write f 0 abcdef', 'sync f', 'sync /', 'resize f 2', 'write f 2 X')
  const sizes = new Set(outcomes(disk, 'torn-512').map((image) => (JSON.parse(image) as { f: string }).f.length))
  assert.deepEqual([...sizes].sort(), [2, 3, 6])
})
