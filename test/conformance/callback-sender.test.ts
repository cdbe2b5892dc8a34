import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallbackSender } from './callback-sender.ts'
import type { ObservedEvent } from './matcher.ts'
import type { CallbackAction } from './requirement.ts'

const started = (CallbackId: string, Name: string): ObservedEvent => ({
  EventType: 'CallbackStarted',
  Name,
  CallbackStartedDetails: { CallbackId },
})

const action = (
  callbackName: string,
  operation: CallbackAction['operation'],
  payload: unknown = null,
): CallbackAction => ({ callbackName, operation, payload, delaySeconds: 0 })

/** Sends for each history in turn; returns what was sent and what went wrong. */
async function send(actions: readonly CallbackAction[], ...histories: readonly (readonly ObservedEvent[])[]) {
  const sent: string[] = []
  const sender = new CallbackSender(
    { completeCallback: async (id, operation, payload) => void sent.push(`${id} ${operation} ${String(payload)}`) },
    actions,
  )
  for (const history of histories) sender.act(history)
  return { problems: await sender.settle(), sent }
}

test('a callback gets the actions that name it, once', async () => {
  const history = [started('c1', 'a'), started('c2', 'b')]
  const { sent, problems } = await send([action('b', 'success', 2), action('a', 'failure', 1)], history, history)
  assert.deepEqual(sent.sort(), ['c1 failure 1', 'c2 success 2'])
  assert.deepEqual(problems, [])
})

test('two completions of any callback go to two callbacks', async () => {
  const actions = [action('*', 'success', 1), action('*', 'success', 2)]
  const { sent } = await send(actions, [started('c1', 'a')], [started('c1', 'a'), started('c2', 'b')])
  assert.deepEqual(sent, ['c1 success 1', 'c2 success 2'])
})

test('a heartbeat and the completion after it go to one callback, in order', async () => {
  const { sent } = await send([action('*', 'heartbeat'), action('*', 'success', 1)], [started('c1', 'a')])
  assert.deepEqual(sent, ['c1 heartbeat null', 'c1 success 1'])
})

test('an action that found no callback, and a call that failed, are problems', async () => {
  const { problems } = await send([action('nobody', 'success')], [started('c1', 'a')])
  assert.deepEqual(problems, ['no callback for success of nobody'])
  const sender = new CallbackSender({ completeCallback: async () => Promise.reject(new Error('gone')) }, [
    action('a', 'success'),
  ])
  sender.act([started('c1', 'a')])
  assert.deepEqual(await sender.settle(), ['sending to callback c1 failed: Error: gone'])
})
