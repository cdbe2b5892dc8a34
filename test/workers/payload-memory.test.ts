import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPayloadMemory } from '../../src/functions/workers/payload-memory.ts'

test('what fits is granted at once, what does not waits for its turn', () => {
  const memory = createPayloadMemory(10)
  const granted: string[] = []
  const take = (name: string, bytes: number) => memory.take(bytes, () => granted.push(name))
  const releaseA = take('a', 6)
  const releaseB = take('b', 5)
  const releaseC = take('c', 1)
  assert.deepEqual(granted, ['a'], 'nobody overtakes')
  releaseA()
  assert.deepEqual(granted, ['a', 'b', 'c'])
  releaseB()
  releaseB()
  releaseC()
  take('d', 10)
  assert.deepEqual(granted, ['a', 'b', 'c', 'd'], 'what was given back twice counts once')
})

test('who gives up waiting frees the way', () => {
  const memory = createPayloadMemory(10)
  const granted: string[] = []
  const take = (name: string, bytes: number) => memory.take(bytes, () => granted.push(name))
  take('a', 6)
  const giveUp = take('b', 5)
  take('c', 4)
  giveUp()
  assert.deepEqual(granted, ['a', 'c'])
})

test('one that is larger than all there is gets it alone', () => {
  const memory = createPayloadMemory(10)
  const granted: string[] = []
  const release = memory.take(3, () => granted.push('small'))
  const releaseLarge = memory.take(100, () => granted.push('large'))
  memory.take(1, () => granted.push('after'))
  assert.deepEqual(granted, ['small'])
  release()
  assert.deepEqual(granted, ['small', 'large'])
  releaseLarge()
  assert.deepEqual(granted, ['small', 'large', 'after'])
})
