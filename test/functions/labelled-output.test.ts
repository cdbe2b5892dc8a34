import assert from 'node:assert/strict'
import test from 'node:test'
import { createLabelledReader } from '../../src/functions/labelled-output.ts'

function read(chunks: readonly Buffer[]): string[] {
  const seen: string[] = []
  let open = ''
  const reader = createLabelledReader({
    printed: (stream, requestId, bytes) => {
      const label = `${stream} ${requestId ?? '-'} `
      if (open !== label) seen.push(label)
      open = label
      seen[seen.length - 1] += bytes.toString('latin1')
    },
    culprit: (requestId) => seen.push(`culprit ${requestId}`),
  })
  for (const chunk of chunks) reader(chunk)
  return seen
}

test('frames in chunks of any size', () => {
  const bytes = Buffer.from('1 a 3\nx\ny2 - 2\nzz1 b 0\nx a\n', 'latin1')
  const expected = ['stdout a x\ny', 'stderr - zz', 'culprit a']
  assert.deepEqual(read([bytes]), expected)
  for (let size = 1; size < bytes.byteLength; size += 1) {
    const chunks: Buffer[] = []
    for (let at = 0; at < bytes.byteLength; at += size) chunks.push(bytes.subarray(at, at + size))
    assert.deepEqual(read(chunks), expected, `chunks of ${size}`)
  }
})

test('what is no frame ends the reading, and is not kept', () => {
  assert.deepEqual(read([Buffer.from('nonsense\n1 a 1\nx')]), [])
  assert.deepEqual(read([Buffer.from('1 a -4\n1 a 1\nx')]), [])
  assert.deepEqual(read([Buffer.alloc(1_000, 'x'), Buffer.from('\n1 a 1\nx')]), [])
})
