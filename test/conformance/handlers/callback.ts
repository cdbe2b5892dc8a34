/** Handlers for the requirements of the group `callback` (4-x). */
import { withDurableExecution } from '@aws/durable-execution-sdk-js'

export const returnsPayload = withDurableExecution<string, string>(async (event, context) => {
  const [completion] = await context.createCallback(event)
  return completion
})

export const namedApproval = withDurableExecution<unknown, string>(async (_event, context) => {
  const [completion] = await context.createCallback('approval')
  return completion
})

export const fiveSecondHeartbeat = withDurableExecution<string, string>(async (event, context) => {
  const [completion] = await context.createCallback(event, { heartbeatTimeout: { seconds: 5 } })
  return completion
})

export const tenSecondHeartbeat = withDurableExecution<string, string>(async (event, context) => {
  const [completion] = await context.createCallback(event, { heartbeatTimeout: { seconds: 10 } })
  return completion
})

export const timeoutBesideStep = withDurableExecution<string, string>(async (event, context) => {
  const [completion] = await context.createCallback(event, { timeout: { seconds: 5 } })
  await context.step(async () => 'done meanwhile')
  return completion
})

export const fiveSecondWaitFirst = withDurableExecution<string, string>(async (event, context) => {
  const [completion] = await context.createCallback(event)
  await context.wait({ seconds: 5 })
  return completion
})

export const waitAfterwards = withDurableExecution<string, string>(async (event, context) => {
  const [completion] = await context.createCallback(event)
  const payload = await completion
  await context.wait({ seconds: 2 })
  return payload
})

export const failureCaughtThenWait = withDurableExecution<string, string>(async (event, context) => {
  const [completion] = await context.createCallback(event)
  const message = await completion.catch((error: unknown) => `caught: ${String(error)}`)
  await context.wait({ seconds: 2 })
  return message
})

export const timeoutCaughtThenWait = withDurableExecution<string, string>(async (event, context) => {
  const [completion] = await context.createCallback(event, { timeout: { seconds: 3 } })
  const message = await completion.catch((error: unknown) => `caught: ${String(error)}`)
  await context.wait({ seconds: 2 })
  return message
})

export const readsNumber = withDurableExecution<string, { count: number; doubled: number }>(async (event, context) => {
  const [completion] = await context.createCallback<number>(event, {
    serdes: { deserialize: async (data) => Number(data) },
  })
  const count = await completion
  return { count, doubled: count * 2 }
})

export const oneAfterTheOther = withDurableExecution<[string, string], string[]>(async ([nameA, nameB], context) => {
  const [completionA] = await context.createCallback(nameA)
  const payloadA = await completionA
  const [completionB] = await context.createCallback(nameB)
  return [payloadA, await completionB]
})

export const bothAtOnce = withDurableExecution<[string, string], string[]>(async ([nameA, nameB], context) => {
  const [completionA] = await context.createCallback(nameA)
  const [completionB] = await context.createCallback(nameB)
  return [await completionA, await completionB]
})
