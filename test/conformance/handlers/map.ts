/** Handlers for the requirements of the group `map` (9-x). Items run one at a time, so that histories have one order. */
import {
  type BatchResult,
  defaultSerdes,
  NestingType,
  type Serdes,
  type ThresholdCompletionConfig,
  withDurableExecution,
} from '@aws/durable-execution-sdk-js'
import { countsAndStatusOf, countsOf, fails } from './batch-projection.ts'

const oneAtATime = { maxConcurrency: 1 }

const completesBy = (completionConfig: ThresholdCompletionConfig) => ({ ...oneAtATime, completionConfig })

/** Returns the item, unless it says that it fails. */
const failsIfToldTo = async (_context: unknown, item: string): Promise<string> => (item === 'fail' ? fails() : item)

const uppercases = async (_context: unknown, item: string): Promise<string> => item.toUpperCase()

export const greetsEach = withDurableExecution<string[], string[]>(async (event, context) => {
  const batch = await context.map(
    'map',
    event,
    (iteration, item) => iteration.step(async () => `Hello, ${item}!`),
    oneAtATime,
  )
  return batch.getResults()
})

export const withoutName = withDurableExecution<number[], number[]>(async (event, context) => {
  const batch = await context.map(event, async (_iteration, item) => item * 2, oneAtATime)
  return batch.getResults()
})

export const noItems = withDurableExecution<unknown[], unknown[]>(async (event, context) => {
  const batch = await context.map('empty', event, async (_iteration, item) => item)
  return batch.getResults()
})

export const stopsAtFirstFailure = withDurableExecution<unknown, unknown>(async (_event, context) =>
  countsAndStatusOf(
    await context.map('failfast', ['ok', 'fail', 'never'], failsIfToldTo, completesBy({ toleratedFailureCount: 0 })),
  ),
)

export const rethrows = withDurableExecution<unknown, string[]>(async (_event, context) => {
  const items = ['fail', 'never']
  const batch = await context.map('throwing', items, failsIfToldTo, completesBy({ toleratedFailureCount: 0 }))
  batch.throwIfError()
  return batch.getResults()
})

export const toleratesOneFailure = withDurableExecution<unknown, unknown>(async (_event, context) =>
  countsAndStatusOf(
    await context.map('tolerated', ['a', 'fail', 'c'], failsIfToldTo, completesBy({ toleratedFailureCount: 1 })),
  ),
)

export const exceedsToleratedCount = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const items = ['fail', 'fail', 'never']
  return countsOf(
    await context.map('tolerated-exceeded', items, failsIfToldTo, completesBy({ toleratedFailureCount: 1 })),
  )
})

export const exceedsToleratedPercentage = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const items = ['fail', 'fail', 'never', 'never']
  return countsOf(
    await context.map('tolerated-pct', items, failsIfToldTo, completesBy({ toleratedFailurePercentage: 25 })),
  )
})

export const flat = withDurableExecution<unknown, string[]>(async (_event, context) => {
  const batch = await context.map('flat', ['fa', 'fb'], (iteration, item) => iteration.step(async () => item), {
    ...oneAtATime,
    nesting: NestingType.FLAT,
  })
  return batch.getResults()
})

export const namesItems = withDurableExecution<number[], number[]>(async (event, context) => {
  const batch = await context.map('named-items', event, async (_iteration, item) => item * 10, {
    ...oneAtATime,
    itemNamer: (item) => `item-${item}`,
  })
  return batch.getResults()
})

const wrapping: Serdes<string> = {
  serialize: async (value) => (value === undefined ? undefined : `wrapped:${value}`),
  deserialize: async (data) => data?.slice('wrapped:'.length),
}

export const serialisesItems = withDurableExecution<unknown, string[]>(async (_event, context) => {
  const batch = await context.map('serdes', ['x', 'y'], uppercases, { ...oneAtATime, itemSerdes: wrapping })
  return batch.getResults()
})

export const largeResult = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const items = ['a', 'b', 'c', 'd']
  const batch = await context.map('large', items, async (_iteration, item) => item.repeat(70 * 1024), oneAtATime)
  return { successCount: batch.successCount, totalCount: batch.totalCount }
})

export const thenWait = withDurableExecution<unknown, string[]>(async (_event, context) => {
  const batch = await context.map('then-wait', ['a', 'b'], uppercases, oneAtATime)
  await context.wait({ seconds: 1 })
  return batch.getResults()
})

export const failureThenWait = withDurableExecution<unknown, unknown>(async (_event, context) => {
  const completion = completesBy({ toleratedFailureCount: 1 })
  const batch = await context.map('fail-then-wait', ['ok', 'fail'], failsIfToldTo, completion)
  await context.wait({ seconds: 1 })
  return countsAndStatusOf(batch)
})

/** Keeps the results only, as `OPSERDE:X,Y`. */
const joined: Serdes<BatchResult<string>> = {
  serialize: async (batch) => (batch === undefined ? undefined : `OPSERDE:${batch.getResults().join(',')}`),
  deserialize: async (data, context) => {
    if (data === undefined) return undefined
    const results = data.slice('OPSERDE:'.length).split(',')
    const all = results.map((result, index) => ({ result, index, status: 'SUCCEEDED' }))
    // The SDK gives its methods back to any object of this form.
    return defaultSerdes.deserialize(JSON.stringify({ all, completionReason: 'ALL_COMPLETED' }), context)
  },
}

export const serialisesWholeResult = withDurableExecution<unknown, string[]>(async (_event, context) => {
  const batch = await context.map('op-serde-replay', ['x', 'y'], uppercases, { ...oneAtATime, serdes: joined })
  await context.wait({ seconds: 1 })
  return batch.getResults()
})
