/** Whoever sits at a terminal is asked; where nobody does, what destroys has to be said. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { confirmed } from '../../src/cli/deploy/confirmation.ts'

const asked: string[] = []
const answering = (answer: string) => async (question: string) => {
  asked.push(question)
  return answer
}
const request = {
  question: 'Delete it?',
  needed: true,
  cause: 'it is there',
  consequence: 'it stays',
  yes: false,
} as const

test('an answer of yes goes ahead, in any spelling; any other ends it', async () => {
  for (const answer of ['y', 'Y', 'yes', ' YES ']) await confirmed({ ...request, ask: answering(answer) })
  assert.deepEqual(new Set(asked), new Set(['Delete it? [y/N] ']))
  for (const answer of ['', 'n', 'no', 'yep', 'j']) {
    await assert.rejects(confirmed({ ...request, ask: answering(answer) }), /you did not say yes/)
  }
})

test('--yes asks nobody', async () => {
  const before = asked.length
  await confirmed({ ...request, yes: true, ask: answering('no') })
  assert.equal(asked.length, before)
})

test('without a terminal only what destroys is refused', async () => {
  await confirmed({ ...request, needed: false, ask: undefined })
  await assert.rejects(confirmed({ ...request, ask: undefined }), /it is there/)
})
