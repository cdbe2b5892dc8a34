/** The judge can say no: what it must not let pass. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OPERATIONS } from '../../src/protocol/operations.ts'
import { ANY, type Attack, type Expected, type Target } from './attack.ts'
import { attackOf } from './attacks.ts'
import { judge } from './judge.ts'
import type { Answer } from './wire.ts'

function answer(status: number, type?: string, body: object = { Type: 'User', message: 'why' }): Answer {
  const headers = new Map([
    ['content-type', 'application/json'],
    ['x-amzn-requestid', '01234567-89ab-cdef-0123-456789abcdef'],
    ...(type === undefined ? [] : ([['x-amzn-errortype', type]] as const)),
  ])
  return { status, headers, body: JSON.stringify(body) }
}

function attack(expected: Expected, more: Partial<Attack> = {}): Attack {
  return { family: 'test', title: 'a test', bytes: Buffer.alloc(0), expected, ...more }
}

test('an answer in the modelled form that was expected passes, and is told by its kind', () => {
  assert.equal(judge(answer(200), attack(ANY)), '200')
  const refused: Expected = { outcome: 'refused', types: ['ValidationException'], telling: 'wh' }
  assert.equal(judge(answer(400, 'ValidationException'), attack(refused)), '400 ValidationException')
})

const WRONG: readonly [title: string, answer: Answer, expected: Expected, more?: Partial<Attack>][] = [
  ['a 500', answer(500, 'ServiceException', { Type: 'Service', Message: 'x' }), ANY],
  ['a redirection', answer(302), ANY],
  ['an accepted request that had to be refused', answer(200), { outcome: 'refused' }],
  ['a refused request that had to be accepted', answer(400, 'ValidationException'), { outcome: 'accepted' }],
  ['an error without a type', answer(400), ANY],
  ['an error that is not in the table', answer(400, 'BadException'), ANY],
  ['a status that is not the error’s', answer(404, 'ValidationException'), ANY],
  ['a message in the other spelling', answer(400, 'ValidationException', { Type: 'User', Message: 'x' }), ANY],
  ['the fault of the other side', answer(400, 'ValidationException', { Type: 'Service', message: 'x' }), ANY],
  ['another error', answer(400, 'ValidationException'), { outcome: 'refused', types: ['SerializationException'] }],
  [
    'blame for a valid request',
    answer(400, 'ValidationException'),
    { outcome: 'either', not: ['ValidationException'] },
  ],
  ['silence about what is wrong', answer(400, 'ValidationException'), { outcome: 'refused', telling: 'the member' }],
  [
    'an error that the operation does not have',
    answer(404, 'ResourceNotFoundException', { Type: 'User', Message: 'x' }),
    ANY,
    { operation: OPERATIONS.CheckpointDurableExecution },
  ],
  ['an endless error', answer(400, 'ValidationException', { Type: 'User', message: 'x'.repeat(70_000) }), ANY],
]
for (const [title, wrong, expected, more] of WRONG) {
  test(`does not pass: ${title}`, () => {
    assert.throws(() => judge(wrong, attack(expected, more)), { name: 'Fault' })
  })
}

test('one seed gives one sequence of attacks', () => {
  const arn = 'arn:aws:lambda:us-east-1:000000000000:function:victim:$LATEST/durable-execution/n/0123'
  const target: Target = {
    port: 1,
    arn,
    token: 'a1',
    staleToken: 'b2',
    callbackId: 'c3',
    otherArn: `${arn}4`,
    otherToken: 'd4',
  }
  for (let number = 0; number < 500; number++) {
    const [one, again] = [attackOf(7, number, target), attackOf(7, number, target)]
    assert.deepEqual(again, one)
  }
  assert.notDeepEqual(attackOf(8, 0, target).bytes, attackOf(7, 0, target).bytes)
})
