/** Packages: the same files are the same bytes, and what is written can be read by what reads uploads. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readZip } from '../../functions/registry/zip.ts'
import { writeZip, type ZipFile } from './zip.ts'

const name = fc.stringMatching(/^[a-zé]{1,8}$/)
const files: fc.Arbitrary<readonly ZipFile[]> = fc.uniqueArray(
  fc.record(
    {
      path: fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `d/${parts.join('/')}.x`),
      content: fc.uint8Array({ maxLength: 300 }),
      executable: fc.boolean(),
    },
    { noNullPrototype: true },
  ),
  { selector: ({ path }) => path, minLength: 1, maxLength: 12 },
)

test('what is written is read again: paths, contents, modes', async () => {
  await fc.assert(
    fc.asyncProperty(files, async (given) => {
      const read: ZipFile[] = []
      for await (const entry of readZip(writeZip(given))) {
        assert.equal(entry.kind, 'file')
        if (entry.kind !== 'file') continue
        const pieces: Buffer[] = []
        for await (const piece of entry.content()) pieces.push(piece)
        read.push({ path: entry.path, content: new Uint8Array(Buffer.concat(pieces)), executable: entry.executable })
      }
      assert.deepEqual(
        read,
        given.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      )
    }),
    { numRuns: 50 },
  )
})

test('the order in which files are found does not matter', () => {
  fc.assert(
    fc.property(files, (given) => assert.deepEqual(writeZip(given), writeZip(given.toReversed()))),
    { numRuns: 50 },
  )
})

test('neither the zone nor the time of the machine is in it', () => {
  const given = [{ path: 'a.txt', content: Buffer.from('a'), executable: false }]
  const zone = process.env['TZ']
  try {
    const packages = ['UTC', 'Asia/Tokyo', 'America/Lima'].map((each) => {
      process.env['TZ'] = each
      return writeZip(given).toString('base64')
    })
    assert.equal(new Set(packages).size, 1)
  } finally {
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  }
})

test('more files than the format counts are refused', () => {
  const many = Array.from({ length: 65_536 }, (_, index) => ({
    path: String(index),
    content: new Uint8Array(),
    executable: false,
  }))
  assert.throws(() => writeZip(many), /65536 files are more than a zip holds/)
})
