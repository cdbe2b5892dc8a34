import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Part, zipOf } from '../../../test/management/zip-of.ts'
import { ApiError } from '../../protocol/errors.ts'
import { checkZip, readZip, type ZipLimits } from './zip.ts'

const LINK = 0o120777
const link = (name: string, target: string): Part => ({ name, content: target, mode: LINK })

async function shown(bytes: Buffer, limits?: ZipLimits): Promise<unknown[]> {
  const entries: unknown[] = []
  for await (const entry of readZip(bytes, limits)) {
    if (entry.kind !== 'file') entries.push(entry)
    else entries.push({ ...entry, content: await textOf(entry.content()) })
  }
  return entries
}

async function textOf(pieces: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all).toString()
}

test('files, folders and links come out as they were put in', async () => {
  const zip = zipOf(
    { name: 'lib/' },
    { name: './index.mjs', content: 'export {}' },
    { name: 'lib/run', content: '#!/bin/sh', mode: 0o100755, method: 0 },
    link('lib/again', '../index.mjs'),
    { name: './' },
  )
  assert.deepEqual(await shown(zip), [
    { kind: 'folder', path: 'lib' },
    { kind: 'file', path: 'index.mjs', executable: false, content: 'export {}' },
    { kind: 'file', path: 'lib/run', executable: true, content: '#!/bin/sh' },
    { kind: 'link', path: 'lib/again', target: '../index.mjs' },
  ])
})

const BROKEN = 'Could not unzip uploaded file. Please check your file, then try to upload again.'
const file = (name: string, more: Partial<Part> = {}): Part => ({ name, content: 'x', ...more })
const good = zipOf(file('index.mjs', { content: 'x'.repeat(1_000) }))

const REFUSED: readonly [why: string, zip: Buffer][] = [
  ['no zip', Buffer.from('hello')],
  ['a zip that is cut off', good.subarray(0, -30)],
  ['a zip whose data is damaged', Buffer.concat([good.subarray(0, 40), Buffer.from([255, 255]), good.subarray(42)])],
  ['a path that leads upward', zipOf(file('../evil'))],
  ['a path that leads upward from below', zipOf(file('a/../../evil'))],
  ['an absolute path', zipOf(file('/etc/passwd'))],
  ['a path with a drive', zipOf(file('C:/evil'))],
  ['a path with backslashes that leads upward', zipOf(file('..\\evil'))],
  ['a path with a NUL', zipOf(file('a\0b'))],
  ['a path without a name', zipOf(file(''))],
  ['a path that comes twice', zipOf(file('a'), file('a'))],
  ['a path that comes twice, spelt otherwise', zipOf(file('a'), file('./a'))],
  ['a file below a file', zipOf(file('a'), file('a/b'))],
  ['a file above a file', zipOf(file('a/b'), file('a'))],
  ['a file below a link', zipOf(link('a', 'b'), file('a/evil'))],
  ['a link above a file', zipOf(file('a/evil'), link('a', 'b'))],
  ['a link to an absolute path', zipOf(link('a', '/etc/passwd'))],
  ['a link that leads upward', zipOf(link('a', '../x'))],
  ['a link that leads upward from below', zipOf(link('a/b', '../../x'))],
  ['a link that leads upward after it went down', zipOf(link('p', '.'), link('e', 'p/../..'))],
  ['a link to nothing', zipOf(link('a', ''))],
  ['a link of great length', zipOf(link('a', 'x'.repeat(5_000)))],
  ['a device', zipOf(file('a', { mode: 0o020666 }))],
  ['an encrypted file', zipOf(file('a', { flags: 1 }))],
  ['a method that nobody reads', zipOf(file('a', { method: 12 }))],
  ['a wrong checksum', zipOf(file('a', { crc: 1 }))],
  ['a file that is longer than it says', zipOf(file('a', { content: 'x'.repeat(100_000), size: 10 }))],
  ['a file that is shorter than it says', zipOf(file('a', { size: 10 }))],
]

for (const [why, zip] of REFUSED) {
  test(`[02 §2.6] refused: ${why}`, async () => {
    await assert.rejects(checkZip(zip), (error) => error instanceof ApiError && error.message === BROKEN)
  })
}

test('[02 §2.6] what unpacks to more than the limit is refused before it is unpacked', async () => {
  const limits = { unzippedBytes: 1_000, entries: 10 }
  const message = 'Unzipped size must be smaller than 1000 bytes'
  await assert.rejects(checkZip(zipOf(file('a', { content: 'x'.repeat(1_001) })), limits), { message })
  await assert.rejects(checkZip(zipOf(file('a', { size: 900 }), file('b', { size: 900 })), limits), { message: BROKEN })
  await assert.rejects(checkZip(zipOf(file('a', { size: 4_000_000_000 }))), { message: /^Unzipped size must be/ })
  await checkZip(zipOf(file('a', { content: 'x'.repeat(1_000) })), limits)
})

test('a zip of too many entries, or none, is refused', async () => {
  const limits = { unzippedBytes: 1_000, entries: 2 }
  await assert.rejects(checkZip(zipOf(file('a'), file('b'), file('c')), limits), { message: BROKEN })
  await assert.rejects(checkZip(zipOf()), { message: 'Uploaded file must be a non-empty zip' })
})
