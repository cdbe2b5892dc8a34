/**
 * Durable functions that use every operation of the official SDK; `cloud-runner.test.ts` runs them with the official
 * cloud test runner. Each export is deployed as a function of the same name in kebab-case.
 */
import {
  BatchItemStatus,
  completeBatch,
  continueBatch,
  createRetryStrategy,
  createWaitStrategy,
  type DurableContext,
  JitterStrategy,
  NestingType,
  StepSemantics,
  withDurableExecution,
  withRetry,
} from '@aws/durable-execution-sdk-js'

// biome-ignore lint/suspicious/noExplicitAny: the SDK types the event of a handler as any, and the tests send anything.
const durable = (handler: (event: any, context: DurableContext) => Promise<unknown>) => withDurableExecution(handler)

const everySecond = (maxAttempts: number) =>
  createRetryStrategy({ maxAttempts, initialDelay: { seconds: 1 }, backoffRate: 1, jitter: JitterStrategy.NONE })

export const helloWorld = durable(async () => 'Hello World!')

export const echoInput = durable(async (event) => event)

export const nothing = durable(async () => undefined)

export const namedStep = durable(async (event, context) => context.step('greet', async () => `Hello ${event.name}`))

export const unnamedSteps = durable(async (_event, context) => {
  const one = await context.step(async () => 1)
  return one + (await context.step(async () => 2))
})

export const largeStep = durable(async (_event, context) => {
  const text = await context.step('large', async () => 'x'.repeat(200_000))
  await context.wait('replay', { seconds: 1 })
  return text.length
})

export const stepRetried = durable(async (_event, context) =>
  context.step(
    'flaky',
    async () => {
      // What an attempt knows of earlier ones is what the service keeps: nothing, so the outside counts.
      const { FLAKY_FILE = '' } = process.env
      const { appendFileSync, readFileSync } = await import('node:fs')
      appendFileSync(FLAKY_FILE, `${context.executionContext.durableExecutionArn}\n`)
      const attempts = readFileSync(FLAKY_FILE, 'utf8')
        .split('\n')
        .filter((line) => line === context.executionContext.durableExecutionArn)
      if (attempts.length < 3) throw new Error(`attempt ${attempts.length} fails`)
      return attempts.length
    },
    { retryStrategy: everySecond(5) },
  ),
)

export const stepExhausted = durable(async (_event, context) =>
  context.step(
    'hopeless',
    async () => {
      throw new RangeError('always')
    },
    { retryStrategy: everySecond(2) },
  ),
)

export const stepErrorCaught = durable(async (_event, context) => {
  try {
    await context.step(
      'fails',
      async () => {
        throw new Error('broken')
      },
      { retryStrategy: () => ({ shouldRetry: false }) },
    )
    return 'not reached'
  } catch (error) {
    return `caught: ${(error as Error).name}`
  }
})

export const atMostOnce = durable(async (_event, context) =>
  context.step('once', async () => 'done', { semantics: StepSemantics.AtMostOncePerRetry }),
)

export const waits = durable(async (_event, context) => {
  await context.wait('first', { seconds: 1 })
  await context.wait({ seconds: 1 })
  return 'waited'
})

export const handlerError = durable(async () => {
  throw new TypeError('the handler fails')
})

export const childContexts = durable(async (_event, context) =>
  context.runInChildContext('outer', async (outer) => {
    const a = await outer.step('a', async () => 1)
    const b = await outer.runInChildContext('inner', async (inner) => inner.step('b', async () => 2))
    return a + b
  }),
)

export const childWithWait = durable(async (_event, context) => {
  const value = await context.runInChildContext('scope', async (child) => {
    const before = await child.step('before', async () => 'b')
    await child.wait('pause', { seconds: 1 })
    return `${before}a`
  })
  return context.step('after', async () => `${value}!`)
})

export const largeChild = durable(async (_event, context) => {
  const parts = await context.runInChildContext('big', async (child) => {
    const a = await child.step('a', async () => 'x'.repeat(150_000))
    const b = await child.step('b', async () => 'y'.repeat(150_000))
    return a + b
  })
  await context.wait({ seconds: 1 })
  return parts.length
})

export const callbackCreated = durable(async (_event, context) => {
  const [answer] = await context.createCallback('approval', { timeout: { seconds: 60 } })
  return { answer: await answer }
})

export const callbackFails = durable(async (_event, context) => {
  const [answer] = await context.createCallback('approval')
  try {
    return await answer
  } catch (error) {
    return `refused: ${(error as Error).name}`
  }
})

export const callbackTimesOut = durable(async (_event, context) => {
  const [answer] = await context.createCallback('approval', { timeout: { seconds: 1 } })
  return answer
})

export const callbackHeartbeat = durable(async (_event, context) => {
  const [answer] = await context.createCallback('long', { heartbeatTimeout: { seconds: 3 } })
  return answer
})

export const waitForCallback = durable(async (_event, context) =>
  context.waitForCallback('submit', async (callbackId) => {
    if (callbackId.length < 16) throw new Error('no callback id')
  }),
)

export const target = durable(async (event, context) => context.step('double', async () => event.value * 2))

export const failingTarget = durable(async () => {
  throw new Error('target fails')
})

export const plainTarget = async (event: { value: number }) => ({ tripled: event.value * 3 })

export const invokesDurable = durable(async (event, context) =>
  context.invoke('call', 'target:$LATEST', { value: event.value }),
)

export const invokesPlain = durable(async (event, context) =>
  context.invoke('call', 'plain-target', { value: event.value }),
)

export const invokeFails = durable(async (_event, context) => {
  try {
    return await context.invoke('call', 'failing-target:$LATEST', {})
  } catch (error) {
    return `caught: ${(error as Error).name}`
  }
})

export const invokeUnknown = durable(async (_event, context) => {
  try {
    return await context.invoke('call', 'nobody:$LATEST', {})
  } catch (error) {
    return `caught: ${(error as Error).name}`
  }
})

export const polling = durable(async (_event, context) =>
  context.waitForCondition('ready', async (state: number) => state + 1, {
    initialState: 0,
    waitStrategy: createWaitStrategy({
      maxAttempts: 10,
      initialDelay: { seconds: 1 },
      backoffRate: 1,
      jitter: JitterStrategy.NONE,
      shouldContinuePolling: (state: number) => state < 3,
    }),
  }),
)

export const branches = durable(async (_event, context) => {
  const result = await context.parallel('both', [
    { name: 'left', func: async (branch) => branch.step('l', async () => 'left') },
    { name: 'right', func: async (branch) => branch.step('r', async () => 'right') },
  ])
  return result.getResults()
})

export const branchesSuspend = durable(async (_event, context) => {
  const result = await context.parallel('mixed', [
    async (branch) => branch.step('quick', async () => 1),
    async (branch) => {
      await branch.wait('slow', { seconds: 1 })
      return 2
    },
  ])
  return result.getResults()
})

export const firstWins = durable(async (_event, context) => {
  const result = await context.parallel(
    'race',
    [
      async (branch) => branch.step('fast', async () => 'fast'),
      async (branch) => {
        await branch.wait('slow', { seconds: 60 })
        return 'slow'
      },
    ],
    { completionConfig: { minSuccessful: 1 } },
  )
  return { reason: result.completionReason, results: result.getResults() }
})

export const mapItems = durable(async (event, context) => {
  const result = await context.map(
    'items',
    event.items as number[],
    async (item, value, index) => item.step('square', async () => value * value + index * 0),
    { maxConcurrency: 2 },
  )
  return result.getResults()
})

export const mapTolerates = durable(async (_event, context) => {
  const result = await context.map(
    'items',
    [1, 2, 3],
    async (_item, value) => {
      if (value === 2) throw new Error('two')
      return value
    },
    { completionConfig: { toleratedFailureCount: 1 } },
  )
  return { failed: result.failureCount, ok: result.getResults() }
})

export const mapFlat = durable(async (_event, context) => {
  const result = await context.map('flat', [1, 2], async (item, value) => item.step(async () => value + 1), {
    nesting: NestingType.FLAT,
  })
  return result.getResults()
})

export const mapCustomCompletion = durable(async (_event, context) => {
  const result = await context.map('until', [5, 6, 7], async (item, value) => item.step(async () => value), {
    maxConcurrency: 1,
    completionConfig: {
      shouldComplete: ({ items }) =>
        items.some(({ status }) => status === BatchItemStatus.SUCCEEDED) ? completeBatch() : continueBatch(),
    },
  })
  return result.successCount
})

export const promiseAll = durable(async (_event, context) =>
  context.promise.all('all', [context.step('one', async () => 1), context.step('two', async () => 2)]),
)

export const promiseSettled = durable(async (_event, context) => {
  const settled = await context.promise.allSettled('settled', [
    context.step('fine', async () => 1),
    context.step(
      'bad',
      async () => {
        throw new Error('bad')
      },
      { retryStrategy: () => ({ shouldRetry: false }) },
    ),
  ])
  return settled.map(({ status }) => status)
})

export const promiseRace = durable(async (_event, context) =>
  context.promise.race('race', [context.step('quick', async () => 'quick'), context.step('also', async () => 'also')]),
)

export const retriedScope = durable(async (_event, context) =>
  withRetry(
    context,
    'scope',
    async (scope, attempt) => {
      const value = await scope.step('inner', async () => attempt)
      if (value < 2) throw new Error('again')
      return value
    },
    { retryStrategy: everySecond(3) },
  ),
)

export const crashOnce = durable(async (_event, context) =>
  context.step('crashing', async () => {
    const { CRASH_FILE = '' } = process.env
    const { appendFileSync, existsSync, readFileSync } = await import('node:fs')
    const arn = context.executionContext.durableExecutionArn
    if (existsSync(CRASH_FILE) && readFileSync(CRASH_FILE, 'utf8').includes(arn)) return 'second time'
    appendFileSync(CRASH_FILE, arn)
    process.exit(1)
  }),
)

export const logs = durable(async (_event, context) => {
  context.logger.info('outside a step')
  return context.step('logging', async (step) => {
    step.logger.warn('inside a step')
    console.log('plain output')
    return 'logged'
  })
})
