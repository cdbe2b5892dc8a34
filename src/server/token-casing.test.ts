import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError, TEXT } from '../protocol/errors.ts'
import { spelledFor, wantsCapitals } from './token-casing.ts'

const ROWS: readonly [agent: string | undefined, capitals: boolean][] = [
  ['aws-sdk-js/3.1164.0 ua/2.1 os/linux lang/js md/nodejs#26 aws-durable-execution-sdk-js/2.4.0', true],
  ['aws-durable-execution-sdk-js/1.0.1', true],
  ['aws-durable-execution-sdk-js/2.4', true],
  ['aws-durable-execution-sdk-js/2.4.0-beta.1 x', true],
  ['aws-durable-execution-sdk-js/2.4.1', false],
  ['aws-durable-execution-sdk-js/2.10.0', false],
  ['aws-durable-execution-sdk-js/3.0.0', false],
  ['aws-durable-execution-sdk-js/next', false],
  ['Boto3/1.43.107 Botocore/1.43.107 aws-durable-execution-sdk-python/2.0.0', true],
  ['Boto3/1.43.107 aws-durable-execution-sdk-python/2.0.1', false],
  ['aws-sdk-java/2.33 aws-durable-execution-sdk-java/1.2.0', true],
  ['aws-durable-execution-sdk-dotnet/0.9', true],
  ['aws-durable-execution-sdk-go/1.0.0', false],
  ['curl/8.9.1', false],
  ['', false],
  [undefined, false],
]

for (const [agent, capitals] of ROWS) {
  test(`[05 §5.3] ${agent} ${capitals ? 'looks for capitals' : 'takes the real spelling'}`, () => {
    assert.equal(wantsCapitals(agent), capitals)
  })
}

test('[05 §5.3] only the token text is respelled', () => {
  const agent = 'aws-durable-execution-sdk-js/2.4.0'
  const token = new ApiError('InvalidParameterValueException', TEXT.invalidToken)
  assert.equal(spelledFor(token, agent).message, 'Invalid Checkpoint Token')
  assert.equal(spelledFor(token, agent).code, 'InvalidParameterValueException')
  assert.equal(spelledFor(token, 'curl/8'), token)
  const foreign = new ApiError('InvalidParameterValueException', TEXT.foreignToken)
  assert.equal(spelledFor(foreign, agent), foreign)
})
