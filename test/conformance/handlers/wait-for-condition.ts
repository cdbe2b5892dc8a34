/** Handlers for the requirements of the group `wait_for_condition` (6-x). */
import {
  createWaitStrategy,
  JitterStrategy,
  type WaitForConditionDecision,
  withDurableExecution,
} from '@aws/durable-execution-sdk-js'

const increment = async (state: number): Promise<number> => state + 1

/** Asks again after a second until the state has reached the threshold. */
const until =
  (threshold: number) =>
  (state: number): WaitForConditionDecision =>
    state < threshold ? { shouldContinue: true, delay: { seconds: 1 } } : { shouldContinue: false }

export const countsToInput = withDurableExecution<number, number>((event, context) =>
  context.waitForCondition(increment, { initialState: 0, waitStrategy: until(event) }),
)

export const metAtOnce = withDurableExecution<number, number>((_event, context) =>
  context.waitForCondition(async (state: number) => state, { initialState: 5, waitStrategy: until(5) }),
)

export const startsFromFive = withDurableExecution<number, number>((event, context) =>
  context.waitForCondition(increment, { initialState: 5, waitStrategy: until(event) }),
)

export const asksEveryTwoSeconds = withDurableExecution<number, number>((event, context) =>
  context.waitForCondition(increment, {
    initialState: 0,
    waitStrategy: createWaitStrategy<number>({
      shouldContinuePolling: (state) => state < event,
      initialDelay: { seconds: 2 },
      backoffRate: 1,
      jitter: JitterStrategy.NONE,
    }),
  }),
)

export const givesUpAfterThreeAttempts = withDurableExecution<unknown, number>((_event, context) =>
  context.waitForCondition(increment, {
    initialState: 0,
    waitStrategy: createWaitStrategy<number>({
      shouldContinuePolling: () => true,
      maxAttempts: 3,
      initialDelay: { seconds: 1 },
      backoffRate: 1,
      jitter: JitterStrategy.NONE,
    }),
  }),
)

export const checkThrowsAndIsCaught = withDurableExecution<unknown, number | string>(async (_event, context) => {
  try {
    return await context.waitForCondition(
      async (): Promise<number> => {
        throw new Error('cannot check')
      },
      { initialState: 0, waitStrategy: until(1) },
    )
  } catch {
    return 'recovered'
  }
})

interface Progress {
  status: 'PENDING' | 'DONE'
  attempts: number
}

export const objectState = withDurableExecution<unknown, Progress>((_event, context) =>
  context.waitForCondition<Progress>(
    async ({ attempts }) => ({ status: attempts + 1 < 2 ? 'PENDING' : 'DONE', attempts: attempts + 1 }),
    {
      initialState: { status: 'PENDING', attempts: 0 },
      waitStrategy: ({ status }) =>
        status === 'PENDING' ? { shouldContinue: true, delay: { seconds: 1 } } : { shouldContinue: false },
    },
  ),
)

export const nullState = withDurableExecution<unknown, null>((_event, context) =>
  context.waitForCondition<null>(async () => null, {
    initialState: null,
    waitStrategy: () => ({ shouldContinue: false }),
  }),
)

export const feedsStep = withDurableExecution<number, number>(async (event, context) => {
  const state = await context.waitForCondition(increment, { initialState: 0, waitStrategy: until(event) })
  return context.step(async () => state * 10)
})

export const twoInSequence = withDurableExecution<unknown, number>(async (_event, context) => {
  const first = await context.waitForCondition(increment, { initialState: 0, waitStrategy: until(2) })
  return context.waitForCondition(increment, { initialState: first, waitStrategy: until(4) })
})
