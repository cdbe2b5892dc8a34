import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchLogs } from './log-check.ts'

const lines = [
  'START RequestId: 1',
  '{"executionArn":"arn:a","message":"say word"}',
  '{"durableExecutionArn":"arn:a","message":{"text":"word"}}',
  '{"executionArn":"arn:b","message":"word"}',
  '{"message":"word"}',
  '{"executionArn":"arn:a","message":"other"}',
  '{not json but word',
]
// biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders of requirement files look like this
const match = { message: '/${WORD}/' }
const bindings = new Map([['WORD', 'word']])

test('counts the JSON lines of the execution that match, by either name of its ARN', () => {
  assert.deepEqual(matchLogs([{ match, count: 2 }], lines, 'arn:a', bindings), [])
  assert.equal(matchLogs([{ match, count: 1 }], lines, 'arn:a', bindings).length, 1)
  assert.equal(matchLogs([{ match, count: 3 }], lines, 'arn:a', bindings).length, 1)
  assert.deepEqual(matchLogs([{ match, count: 1 }], lines, 'arn:b', bindings), [])
})

test('a text that is no pattern must be the whole value', () => {
  assert.deepEqual(matchLogs([{ match: { message: 'other' }, count: 1 }], lines, 'arn:a', bindings), [])
  assert.deepEqual(matchLogs([{ match: { message: 'say' }, count: 0 }], lines, 'arn:a', bindings), [])
})
