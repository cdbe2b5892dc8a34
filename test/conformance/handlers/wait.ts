/** Handlers for the requirements of the group `wait` (2-x). */
import { withDurableExecution } from '@aws/durable-execution-sdk-js'

export const waitsTwoSeconds = withDurableExecution<unknown, void>((_event, context) => context.wait({ seconds: 2 }))

export const waitsUnderName = withDurableExecution<unknown, void>((_event, context) =>
  context.wait('custom_wait_name', { seconds: 2 }),
)

export const waitsOneMinute = withDurableExecution<unknown, void>((_event, context) => context.wait({ minutes: 1 }))

export const waitsOneHour = withDurableExecution<unknown, void>((_event, context) => context.wait({ hours: 1 }))
