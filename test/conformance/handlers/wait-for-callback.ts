/** Handlers for the requirements of the group `wait_for_callback` (7-x). */
import { withDurableExecution } from '@aws/durable-execution-sdk-js'

/** Whoever completes the callback learns its id from the history, so nothing needs to be sent. */
const submitsNothing = async (): Promise<void> => {}

export const returnsPayload = withDurableExecution<string, string>((event, context) =>
  context.waitForCallback(event, submitsNothing),
)

export const namedApproval = withDurableExecution<unknown, string>((_event, context) =>
  context.waitForCallback('approval', submitsNothing),
)

export const threeSecondTimeout = withDurableExecution<string, string>((event, context) =>
  context.waitForCallback(event, submitsNothing, { timeout: { seconds: 3 } }),
)

export const failureCaught = withDurableExecution<string, string>(async (event, context) => {
  try {
    return await context.waitForCallback(event, submitsNothing)
  } catch {
    return 'recovered'
  }
})

export const insideChildContext = withDurableExecution<string, string>((event, context) =>
  context.runInChildContext('wrapper', (child) => child.waitForCallback(event, submitsNothing)),
)

export const twoInSequence = withDurableExecution<unknown, string>(async (_event, context) => {
  await context.waitForCallback('first', submitsNothing)
  return context.waitForCallback('second', submitsNothing)
})

export const afterWaitAndStep = withDurableExecution<string, string>(async (event, context) => {
  await context.wait({ seconds: 1 })
  await context.step(async () => ({ fixed: 'data' }))
  return context.waitForCallback(event, submitsNothing)
})

export const fiveSecondHeartbeat = withDurableExecution<string, string>((event, context) =>
  context.waitForCallback(event, submitsNothing, { heartbeatTimeout: { seconds: 5 } }),
)

export const tenSecondHeartbeat = withDurableExecution<string, string>((event, context) =>
  context.waitForCallback(event, submitsNothing, { heartbeatTimeout: { seconds: 10 } }),
)

export const timeoutCaught = withDurableExecution<string, string>(async (event, context) => {
  try {
    return await context.waitForCallback(event, submitsNothing, { timeout: { seconds: 3 } })
  } catch {
    return 'timed-out-handled'
  }
})
