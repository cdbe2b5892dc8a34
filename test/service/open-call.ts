/** An invocation that stays open while the test acts as its function. */
import assert from 'node:assert/strict'
import { ApiError, type ErrorName } from '../../src/protocol/errors.ts'
import type { Started } from '../../src/service/api.ts'
import type { Call, Outcome } from './scripted-functions.ts'
import type { World } from './world.ts'

export interface OpenCall {
  readonly started: Started
  readonly call: Call
  /** What the function answers, and so its invocation ends. */
  readonly end: (outcome: Outcome) => Promise<void>
}

/** Starts an execution of a function that hands its call to the test and ends when the test says so. */
export async function openCall(
  world: World,
  name = 'f',
  options: Parameters<World['functions']['durable']>[2] & Parameters<World['start']>[1] = {},
): Promise<OpenCall> {
  const called = Promise.withResolvers<Call>()
  const ended = Promise.withResolvers<Outcome>()
  world.functions.durable(
    name,
    (call) => {
      called.resolve(call)
      return ended.promise
    },
    options,
  )
  const started = await world.start(name, options)
  const call = await called.promise
  await world.settle()
  const end = (outcome: Outcome): Promise<void> => {
    ended.resolve(outcome)
    return world.settle()
  }
  return { started, call, end }
}

/** For `assert.rejects`: an error of the API with this code, and this text if one is given. */
export const rejectsWith = (code: ErrorName, text?: string) => (error: unknown) => {
  assert.ok(error instanceof ApiError, String(error))
  assert.equal(error.code, code)
  if (text !== undefined) assert.equal(error.message, text)
  return true
}
