/** Handlers for the requirements of the group `child` (3-x). */
import {
  createRetryStrategy,
  JitterStrategy,
  type RetryDecision,
  withDurableExecution,
} from '@aws/durable-execution-sdk-js'
import { clientThatTellsOfStepStart, crashOnce } from './crash.ts'
import { uppercaseSerdes } from './uppercase-serdes.ts'

const noRetry = (): RetryDecision => ({ shouldRetry: false })

async function throwsAlways(): Promise<never> {
  throw new Error('this step fails')
}

export const oneStep = withDurableExecution<string, string>((event, context) =>
  context.runInChildContext((child) => child.step(async () => event)),
)

export const named = withDurableExecution<{ name: string; value: string }, string>((event, context) =>
  context.runInChildContext(event.name, (child) => child.step(async () => event.value)),
)

export const failsWithItsStep = withDurableExecution<unknown, never>((_event, context) =>
  context.runInChildContext('failing', (child) => child.step(throwsAlways, { retryStrategy: noRetry })),
)

export const failureIsCaught = withDurableExecution<string, string>(async (event, context) => {
  try {
    return await context.runInChildContext((child) => child.step(throwsAlways, { retryStrategy: noRetry }))
  } catch {
    return await context.step(async () => event)
  }
})

export const nested = withDurableExecution<string, string>((event, context) =>
  context.runInChildContext('outer', async (outer) => {
    await outer.step(async () => event)
    return outer.runInChildContext('inner', (inner) => inner.step(async () => event))
  }),
)

export const exhaustsItsRetries = withDurableExecution<unknown, never>((_event, context) =>
  context.runInChildContext('exhausted', (child) =>
    child.step(throwsAlways, {
      retryStrategy: createRetryStrategy({
        maxAttempts: 2,
        initialDelay: { seconds: 1 },
        jitter: JitterStrategy.NONE,
      }),
    }),
  ),
)

export const replayedAfterWait = withDurableExecution<string, string>(async (event, context) => {
  const value = await context.runInChildContext((child) => child.step(async () => event))
  await context.wait({ seconds: 1 })
  return value
})

export const stepAndWaitInside = withDurableExecution<string, string>((event, context) =>
  context.runInChildContext('step-and-wait', async (child) => {
    const value = await child.step(async () => event)
    await child.wait({ seconds: 1 })
    return value
  }),
)

const { client, stepStarted } = clientThatTellsOfStepStart()

export const interruptedAndRunAgain = withDurableExecution<string, string>(
  (event, context) =>
    context.runInChildContext((child) =>
      child.step(async () => {
        await crashOnce(context.executionContext.durableExecutionArn, stepStarted)
        return event
      }),
    ),
  { durableExecutionClient: client },
)

export const waitInsideThenStep = withDurableExecution<string, string>(async (event, context) => {
  const value = await context.runInChildContext('only-a-wait', async (child) => {
    await child.wait({ seconds: 1 })
    return event
  })
  return context.step(async () => value)
})

export const serialisesInUpperCase = withDurableExecution<string, string>((event, context) =>
  context.runInChildContext('shouting', (child) => child.step(async () => event), { serdes: uppercaseSerdes }),
)

export const returnsNull = withDurableExecution<unknown, null>((_event, context) =>
  context.runInChildContext('nothing', async () => null),
)

export const onlyLogs = withDurableExecution<string, string>(async (event, context) => {
  // Logs during replay too, so that a second run of the child would show.
  context.configureLogger({ modeAware: false })
  const value = await context.runInChildContext('only-logs', async (child) => {
    child.logger.info(event)
    return event
  })
  await context.wait({ seconds: 1 })
  return value
})

export const stepAndWaitInsideAndAfter = withDurableExecution<string, string>(async (event, context) => {
  const value = await context.runInChildContext('step-and-wait', async (child) => {
    const inner = await child.step(async () => event)
    await child.wait({ seconds: 1 })
    return inner
  })
  const outer = await context.step(async () => value)
  await context.wait({ seconds: 1 })
  return outer
})
