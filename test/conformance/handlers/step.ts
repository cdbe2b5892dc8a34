/** Handlers for the requirements of the group `step` (1-x). */
import {
  createRetryStrategy,
  JitterStrategy,
  type RetryDecision,
  StepSemantics,
  withDurableExecution,
} from '@aws/durable-execution-sdk-js'
import { uppercaseSerdes } from './uppercase-serdes.ts'

const noRetry = (): RetryDecision => ({ shouldRetry: false })

async function throwsAlways(): Promise<never> {
  throw new Error('this step fails')
}

export const greets = withDurableExecution<string, string>((event, context) =>
  context.step(async () => `Hello, ${event}!`),
)

export const greetsUnderName = withDurableExecution<string, string>((event, context) =>
  context.step('custom_step_name', async () => `Hello, ${event}!`),
)

export const returnsNestedObject = withDurableExecution<{ name: string; tags: string[] }, unknown>((event, context) =>
  context.step(async () => ({ user: { name: event.name, tags: event.tags }, count: event.tags.length })),
)

export const returnsNull = withDurableExecution<unknown, null>((_event, context) => context.step(async () => null))

export const serialisesInUpperCase = withDurableExecution<string, string>((event, context) =>
  context.step(async () => event, { serdes: uppercaseSerdes }),
)

export const stepThenTwoSecondWait = withDurableExecution<unknown, string>(async (_event, context) => {
  const value = await context.step(async () => 'computed')
  await context.wait({ seconds: 2 })
  return value
})

export const replaySkipsSucceededStep = withDurableExecution<unknown, string>(async (_event, context) => {
  const value = await context.step(async (step) => {
    step.logger.info('step executed')
    return 'cached_value'
  })
  await context.wait({ seconds: 1 })
  return value
})

export const replayThrowsFailedStep = withDurableExecution<unknown, string>(async (_event, context) => {
  let caught = 'nothing'
  try {
    await context.step(
      async (step) => {
        step.logger.info('step executed')
        return throwsAlways()
      },
      { retryStrategy: noRetry },
    )
  } catch (error) {
    caught = String(error)
  }
  await context.wait({ seconds: 1 })
  return caught
})

export const exhaustsFourAttempts = withDurableExecution<unknown, never>((_event, context) =>
  context.step(throwsAlways, {
    retryStrategy: createRetryStrategy({
      maxAttempts: 4,
      initialDelay: { seconds: 1 },
      backoffRate: 1,
      jitter: JitterStrategy.NONE,
    }),
  }),
)

export const retriesByDefault = withDurableExecution<unknown, string>((_event, context) =>
  context.step(async ({ attempt }) => (attempt < 3 ? throwsAlways() : 'third time')),
)

export const retriesWithBackoff = withDurableExecution<unknown, string>((_event, context) =>
  context.step(async ({ attempt }) => (attempt < 3 ? throwsAlways() : 'third time'), {
    retryStrategy: createRetryStrategy({
      maxAttempts: 5,
      initialDelay: { seconds: 2 },
      backoffRate: 3,
      jitter: JitterStrategy.NONE,
    }),
  }),
)

class TransientError extends Error {
  override readonly name = 'TransientError'
}

export const doesNotRetryTransientError = withDurableExecution<unknown, never>((_event, context) =>
  context.step(
    async () => {
      throw new TransientError('not worth another try')
    },
    { retryStrategy: (error) => ({ shouldRetry: !(error instanceof TransientError) }) },
  ),
)

export const crashesAtMostOnceWithoutRetry = withDurableExecution<string, never>((event, context) =>
  context.step(
    'at_most_once_flaky_step',
    async (step) => {
      step.logger.info(event)
      return process.exit(1)
    },
    { semantics: StepSemantics.AtMostOncePerRetry, retryStrategy: noRetry },
  ),
)

export const crashesAtMostOnceThenRetries = withDurableExecution<string, string>((event, context) =>
  context.step(
    'at_most_once_retried_step',
    async (step) => {
      step.logger.info(event)
      if (step.attempt === 1) process.exit(1)
      return 'succeeded on second attempt'
    },
    {
      semantics: StepSemantics.AtMostOncePerRetry,
      retryStrategy: createRetryStrategy({
        maxAttempts: 2,
        initialDelay: { seconds: 1 },
        jitter: JitterStrategy.NONE,
      }),
    },
  ),
)

export const catchesAndGoesOn = withDurableExecution<unknown, string>(async (_event, context) => {
  try {
    return await context.step(throwsAlways, { retryStrategy: noRetry })
  } catch {
    return await context.step(async () => 'fallback_result')
  }
})
